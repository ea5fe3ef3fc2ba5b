//! CPU time of this thread.

use experiment::Spread;
use rustix::time::{ClockId, clock_gettime};

/// Measures of nothing by which [`Clock::new`] learns what a measure costs.
const EMPTY: usize = 1_001;

fn now() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// CPU time of this thread: unlike the clock on the wall it does not count what others did meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// What a measure of nothing shows, in nanoseconds.
    empty: u64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let clock = Self { empty: 0 };
        let empty = Spread::of((0..EMPTY).map(|_| clock.nanos(|| ()).0).collect());
        Self { empty: empty.median as u64 }
    }

    /// Nanoseconds that `work` took, without those of measuring, and what it gave.
    pub(crate) fn nanos<T>(self, work: impl FnOnce() -> T) -> (u64, T) {
        let before = now();
        let done = std::hint::black_box(work());
        (now().saturating_sub(before).saturating_sub(self.empty), done)
    }
}
