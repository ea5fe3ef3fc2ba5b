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

/// From now on Ctrl-C ends the process at once and removes `unfinished`, a file that is half written.
pub(super) fn end_at_once(unfinished: Option<PathBuf>) {
    on_interrupt(move || {
        if let Some(path) = &unfinished {
            let _ = fs::remove_file(path);
        }
        eprintln!("interrupted: 0 of 1 runs done; nothing was written");
        process::exit(Exit::Interrupted.code().into());
    });
}

fn on_interrupt(handler: impl FnMut() + Send + 'static) {
    // Without a handler Ctrl-C ends the process as it always does, which is all right.
    let _ = ctrlc::set_handler(handler);
}
