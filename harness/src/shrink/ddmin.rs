//! The smallest part of a list that still does what the whole does.
//!
//! What is found depends on the list and the test alone: candidates are tried at once, but the first one
//! in their order wins, however many threads there are.
//!
//! Source: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002, figure 2. Departs
//! from it in two ways: the empty list is tried first, for often nothing is needed; and a part alone is tried
//! only while there are two, where it is the complement of the other. Of more parts only complements are: one
//! part of many is seldom enough by itself, and where it is, dropping the others one by one finds it too.

use rayon::prelude::*;

/// The smallest part of `units` that was found to pass `test`, in their order. `units` passes. Once
/// `enough` says so, nothing more is tried, nor made to be tried: there are as many parts as units, and each
/// is nearly as long as all of them.
pub(crate) fn minimise<T: Clone + Send + Sync>(
    mut units: Vec<T>,
    enough: &(dyn Fn() -> bool + Sync),
    test: impl Fn(&[T]) -> bool + Sync,
) -> Vec<T> {
    if units.is_empty() || test(&[]) {
        return Vec::new();
    }
    let mut parts = 2;
    while units.len() > 1 && !enough() {
        parts = parts.min(units.len());
        let passes = |part| {
            let candidate = if enough() { None } else { Some(candidate(&units, part, parts)) };
            candidate.filter(|candidate| test(candidate))
        };
        match (0..parts).into_par_iter().find_map_first(passes) {
            Some(smaller) => {
                // A half may fall into halves again; what is left of many parts has one part less.
                parts = if smaller.len() * 2 <= units.len() { 2 } else { (parts - 1).max(2) };
                units = smaller;
            }
            None if parts == units.len() => break,
            None => parts = (parts * 2).min(units.len()),
        }
    }
    units
}

/// The half that is `part` alone while there are two parts; the whole without `part` where there are more.
fn candidate<T: Clone>(units: &[T], part: usize, parts: usize) -> Vec<T> {
    let (from, to) = (units.len() * part / parts, units.len() * (part + 1) / parts);
    if parts == 2 {
        return units[from..to].to_vec();
    }
    [&units[..from], &units[to..]].concat()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn what_is_left_passes_and_nothing_of_it_can_go() {
        let needed = [3, 77, 78, 500];
        let tests = AtomicUsize::new(0);
        let left = minimise((0..1000).collect(), &|| false, |part: &[u32]| {
            tests.fetch_add(1, Ordering::Relaxed);
            needed.iter().all(|one| part.contains(one))
        });
        assert_eq!(left, needed);
        assert!(tests.into_inner() < 200);
    }

    #[test]
    fn nothing_is_left_where_nothing_is_needed() {
        assert_eq!(minimise(vec![1, 2, 3], &|| false, |_| true), Vec::<u32>::new());
        assert_eq!(minimise(vec![1], &|| false, |part| !part.is_empty()), [1]);
    }

    #[test]
    fn threads_change_nothing() {
        let found = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            // Several parts pass, and no smallest one is the only one.
            let test = |part: &[u32]| part.iter().sum::<u32>() >= 60;
            pool.install(|| minimise((0..40).collect(), &|| false, test))
        };
        assert_eq!(found(1), found(2));
        assert_eq!(found(1), found(5));
    }

    #[test]
    fn once_time_is_out_nothing_more_is_tried() {
        let tests = AtomicUsize::new(0);
        let enough = || tests.load(Ordering::Relaxed) > 2;
        let left = minimise((0..10_000).collect(), &enough, |part: &[u32]| {
            tests.fetch_add(1, Ordering::Relaxed);
            part.len() == 10_000
        });
        assert_eq!(left.len(), 10_000, "none of it passed");
        // Whoever had begun comes to an end.
        assert!(tests.into_inner() < 200);
    }
}
