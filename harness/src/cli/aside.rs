//! Notes and progress, which come beside a result on standard error, and of which `--quiet` spares whoever asks for it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::print_aside;

static QUIET: AtomicBool = AtomicBool::new(false);

/// From now on there are no notes and no progress.
pub(super) fn keep_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Whether somebody asked for that.
pub(super) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Prints what is good to know: that work begins, what was written where, what comes next.
pub(super) fn note(text: &str) {
    if !is_quiet() {
        print_aside(text);
    }
}
