//! Ctrl-C: what was done until then is kept and said.

use std::{
    fs,
    path::PathBuf,
    process,
    sync::atomic::{AtomicBool, Ordering},
};

use super::Exit;

static ASKED: AtomicBool = AtomicBool::new(false);

/// Whether Ctrl-C was pressed.
pub(super) fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// What Ctrl-C sets, for runs that are to be cut short by it.
pub(super) fn flag() -> &'static AtomicBool {
    &ASKED
}

/// From now on Ctrl-C lets the runs that have begun come to their end and begins no other; pressed
/// again, it ends the process at once.
pub(super) fn end_after_runs() {
    on_interrupt(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            process::exit(Exit::Interrupted.code().into());
        }
        eprintln!(
            "interrupted: waiting for the runs that have begun (Ctrl-C again to stop at once)"
        );
    });
}

/// From now on Ctrl-C cuts the one run short that is under way, which sees [`flag`]; pressed again, it
/// ends the process at once and removes `unfinished`, a file that is half written.
pub(super) fn cut_short(unfinished: Option<PathBuf>) {
    on_interrupt(move || {
        if !ASKED.swap(true, Ordering::Relaxed) {
            eprintln!("interrupted: ending soon (Ctrl-C again to stop at once)");
            return;
        }
        if let Some(path) = &unfinished {
            let _ = fs::remove_file(path);
        }
        process::exit(Exit::Interrupted.code().into());
    });
}

/// From now on Ctrl-C lets whoever asks [`asked`] come to an end; pressed again, it ends the process.
pub(super) fn end_when_asked() {
    on_interrupt(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            process::exit(Exit::Interrupted.code().into());
        }
    });
}

fn on_interrupt(handler: impl FnMut() + Send + 'static) {
    // Without a handler Ctrl-C ends the process as it always does, which is all right.
    let _ = ctrlc::set_handler(handler);
}
