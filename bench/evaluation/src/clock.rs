//! CPU time of this thread, and what many figures of one kind come to.

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

/// What many figures of one kind come to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Spread {
    pub(crate) count: usize,
    pub(crate) mean: f64,
    pub(crate) first: f64,
    pub(crate) median: f64,
    pub(crate) last: f64,
}

impl Spread {
    /// Mean, median, and the first and the last percentile; zeros of nothing.
    pub(crate) fn of(mut figures: Vec<u64>) -> Self {
        figures.sort_unstable();
        let count = figures.len();
        let at = |share: usize| match count {
            0 => 0.0,
            _ => figures[((count - 1) * share + 50) / 100] as f64,
        };
        let mean = figures.iter().sum::<u64>() as f64 / count.max(1) as f64;
        Self { count, mean, first: at(1), median: at(50), last: at(99) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_of_all_figures_in_whatever_order() {
        let spread = Spread::of((0..=100).rev().collect());
        let expected = Spread { count: 101, mean: 50.0, first: 1.0, median: 50.0, last: 99.0 };
        assert_eq!(spread, expected);
        assert_eq!(Spread::of(vec![]), Spread::default());
    }
}
