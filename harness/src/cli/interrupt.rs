//! Ctrl-C: what was done until then is kept and said.

use std::{
    fs,
    path::PathBuf,
    process,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use super::{Exit, words::count};

static ASKED: AtomicBool = AtomicBool::new(false);
/// How much is done of the work that is under way.
static DONE: AtomicU64 = AtomicU64::new(0);
/// What that work is, such as "of 200 runs of or_set".
static WORK: Mutex<String> = Mutex::new(String::new());

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

/// From now on Ctrl-C cuts short what is under way and asks [`asked`]; pressed again, it ends the process
/// at once and removes `unfinished`, a file that is half written.
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

/// Work was cut short by Ctrl-C, and what it came to was printed: says how far it was, as [`begins`] and
/// [`done`] tell.
pub(super) fn say_how_far() -> Exit {
    let work = WORK.lock().unwrap_or_else(PoisonError::into_inner);
    eprintln!("interrupted after {} {work}", count(done_so_far()));
    Exit::Interrupted
}

/// Work begins: `work` says of how much of what, such as "of 200 runs of or_set".
pub(super) fn begins(work: String) {
    DONE.store(0, Ordering::Relaxed);
    *WORK.lock().unwrap_or_else(PoisonError::into_inner) = work;
}

/// So much of the work is done.
pub(super) fn done(count: u64) {
    DONE.store(count, Ordering::Relaxed);
}

/// How much of the work is done so far.
pub(super) fn done_so_far() -> u64 {
    DONE.load(Ordering::Relaxed)
}

fn on_interrupt(handler: impl FnMut() + Send + 'static) {
    // Without a handler Ctrl-C ends the process as it always does, which is all right.
    let _ = ctrlc::set_handler(handler);
}
