//! Many jobs on many threads, and what they come to in the order of their numbers.
//!
//! Whoever takes the results sees the same ones in the same order whatever the number of threads. Nobody
//! runs far ahead: memory does not grow with the number of jobs.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    ops::{ControlFlow, Range},
    sync::{
        Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    time::Duration,
};

use rayon::ThreadPoolBuilder;

/// Jobs that may be done before an earlier one is: enough for a job that takes a thousand times as long as
/// the others, few enough to keep in memory.
const AHEAD_MAX: u64 = 8_192;
/// How often whoever takes results is asked although none came.
const TICK: Duration = Duration::from_millis(200);

/// How long results may lie before they are taken: to be woken for each one would cost the workers more
/// than all else that is done with it.
const NAP: Duration = Duration::from_millis(2);

/// What comes next.
#[derive(Debug)]
pub enum Next<T> {
    /// The result of the job with this number.
    Done(u64, T),
    /// Nothing came for a while.
    Quiet,
}

/// How far those are who take results.
struct Window {
    /// Numbers below it are taken.
    taken: Mutex<u64>,
    moved: Condvar,
    /// Nobody takes results any more.
    closed: AtomicBool,
}

impl Window {
    /// Waits until `index` may be done. `false`: nobody wants it any more.
    fn wait(&self, index: u64) -> bool {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while index >= *taken + AHEAD_MAX && !self.closed.load(Ordering::Relaxed) {
            taken = self.moved.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
        !self.closed.load(Ordering::Relaxed)
    }

    fn advance(&self, to: u64) {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = to;
        self.moved.notify_all();
    }

    fn close(&self) {
        // The lock is what makes sure that nobody misses it between looking and waiting.
        let _taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        self.closed.store(true, Ordering::Relaxed);
        self.moved.notify_all();
    }
}

/// Does the jobs `numbers` on `threads` threads, as many as there are processors by default and never more
/// than there are jobs, until they are done, `stop` is set, or `take` breaks off. `take` gets the results in
/// order, on this thread.
///
/// Returns the first number whose result was not taken. Where `stop` was set, every job that had begun
/// was taken.
///
/// Errors: the threads cannot be made; nothing was done.
pub fn in_order<T: Send>(
    numbers: Range<u64>,
    threads: Option<NonZeroUsize>,
    stop: &AtomicBool,
    work: impl Fn(u64) -> T + Sync,
    mut take: impl FnMut(Next<T>) -> ControlFlow<()>,
) -> Result<u64, rayon::ThreadPoolBuildError> {
    let jobs = usize::try_from(numbers.end.saturating_sub(numbers.start)).unwrap_or(usize::MAX);
    let threads = threads.or_else(|| std::thread::available_parallelism().ok());
    let threads = threads.map_or(1, |threads| threads.get().min(jobs.max(1)));
    let pool = ThreadPoolBuilder::new().num_threads(threads).build()?;
    let next = AtomicU64::new(numbers.start);
    let window = Window {
        taken: Mutex::new(numbers.start),
        moved: Condvar::new(),
        closed: AtomicBool::new(false),
    };
    let (done, arriving) = mpsc::channel();
    let mut taken = numbers.start;
    std::thread::scope(|scope| {
        let (window, work, next, end) = (&window, &work, &next, numbers.end);
        scope.spawn(move || {
            pool.in_place_scope(|scope| {
                for _ in 0..pool.current_num_threads() {
                    let done = done.clone();
                    scope.spawn(move |_| {
                        while !stop.load(Ordering::Relaxed) {
                            let index = next.fetch_add(1, Ordering::Relaxed);
                            if index >= end || !window.wait(index) {
                                break;
                            }
                            if done.send((index, work(index))).is_err() {
                                break;
                            }
                        }
                    });
                }
                drop(done);
            });
        });
        let mut early = BTreeMap::new();
        let mut flow = ControlFlow::Continue(());
        while flow.is_continue() {
            match arriving.recv_timeout(TICK) {
                Ok((index, result)) => {
                    early.insert(index, result);
                    early.extend(arriving.try_iter());
                    while flow.is_continue()
                        && let Some(result) = early.remove(&taken)
                    {
                        flow = take(Next::Done(taken, result));
                        taken += 1;
                    }
                    window.advance(taken);
                    if flow.is_continue() {
                        std::thread::sleep(NAP);
                    }
                }
                Err(RecvTimeoutError::Timeout) => flow = take(Next::Quiet),
                // The last worker has hung up.
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        window.close();
    });
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(threads: usize, numbers: Range<u64>, until: u64) -> (Vec<u64>, u64) {
        let mut taken = Vec::new();
        let stop = AtomicBool::new(false);
        let end = in_order(
            numbers,
            NonZeroUsize::new(threads),
            &stop,
            |index| {
                // Some take longer than others.
                (0..(index * 7919) % 1_000).fold(index, |sum, step| sum ^ (step & 1) ^ (step & 1))
            },
            |next| {
                if let Next::Done(index, result) = next {
                    assert_eq!(index, result);
                    taken.push(result);
                }
                if taken.len() as u64 == until {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        );
        (taken, end.unwrap())
    }

    #[test]
    fn results_come_in_order_whatever_the_number_of_threads() {
        let all: Vec<u64> = (3..20_000).collect();
        for threads in [1, 2, 7] {
            assert_eq!(results(threads, 3..20_000, u64::MAX), (all.clone(), 20_000));
        }
        assert_eq!(results(2, 5..5, u64::MAX), (Vec::new(), 5));
    }

    #[test]
    fn there_are_never_more_threads_than_jobs() {
        let mut threads = Vec::new();
        let stop = AtomicBool::new(false);
        let work = |_| rayon::current_num_threads();
        let take = |next| {
            threads.extend(if let Next::Done(_, count) = next { Some(count) } else { None });
            ControlFlow::Continue(())
        };
        in_order(5..8, NonZeroUsize::new(500), &stop, work, take).unwrap();
        assert_eq!(threads, [3, 3, 3]);
    }

    #[test]
    fn breaking_off_takes_nothing_more() {
        assert_eq!(results(3, 0..50_000, 10), ((0..10).collect(), 10));
    }

    #[test]
    fn whoever_is_stopped_leaves_no_gap() {
        let stop = AtomicBool::new(false);
        let mut taken = 0;
        let end = in_order(
            0..1_000_000,
            NonZeroUsize::new(3),
            &stop,
            |index| {
                if index == 500 {
                    stop.store(true, Ordering::Relaxed);
                }
            },
            |next| {
                taken += u64::from(matches!(next, Next::Done(..)));
                ControlFlow::Continue(())
            },
        )
        .unwrap();
        assert!(end > 500 && end < 1_000_000);
        assert_eq!(taken, end);
    }
}
