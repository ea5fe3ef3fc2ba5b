//! The timers that a node has armed.
//!
//! A process arms few distinct timers, so a search in order is the fastest; the first stands in the node
//! itself, where it costs no cache line of its own.

use contract::Time;
use std::ops::{Index, IndexMut};

/// Timers in the order in which they were armed first, but that the last one takes the place of one
/// that is removed.
#[derive(Clone, Debug)]
pub(crate) struct Timers<T> {
    /// Only where this is no timer there are no others.
    first: Option<Armed<T>>,
    others: Vec<Armed<T>>,
}

/// A timer that is armed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Armed<T> {
    pub(crate) timer: T,
    /// When it is due, by the node's clock.
    pub(crate) due: Time,
    /// The event that will look at it: its moment and sequence number. It may come too early, where
    /// the timer was moved later, and then is planned anew; any other event is out of date.
    pub(crate) planned: Option<(u64, u64)>,
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self { first: None, others: Vec::new() }
    }
}

impl<T> Timers<T> {
    pub(crate) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    /// The place of the first timer that is so.
    #[inline(always)]
    pub(crate) fn position(&self, is_so: impl Fn(&Armed<T>) -> bool) -> Option<usize> {
        if is_so(self.first.as_ref()?) {
            return Some(0);
        }
        self.others.iter().position(is_so).map(|at| at + 1)
    }

    #[inline(always)]
    pub(crate) fn get(&self, at: usize) -> Option<&Armed<T>> {
        if at == 0 { self.first.as_ref() } else { self.others.get(at - 1) }
    }

    /// Adds a timer and returns its place.
    #[inline(always)]
    pub(crate) fn push(&mut self, armed: Armed<T>) -> usize {
        if self.first.is_none() {
            self.first = Some(armed);
            return 0;
        }
        self.others.push(armed);
        self.others.len()
    }

    pub(crate) fn swap_remove(&mut self, at: usize) {
        if at == 0 {
            self.first = self.others.pop();
        } else {
            self.others.swap_remove(at - 1);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.first = None;
        self.others.clear();
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.others.capacity() * size_of::<Armed<T>>()
    }
}

impl<T> Index<usize> for Timers<T> {
    type Output = Armed<T>;

    #[inline(always)]
    fn index(&self, at: usize) -> &Armed<T> {
        self.get(at).expect("a timer's place is one that was found")
    }
}

impl<T> IndexMut<usize> for Timers<T> {
    #[inline(always)]
    fn index_mut(&mut self, at: usize) -> &mut Armed<T> {
        let found = if at == 0 { self.first.as_mut() } else { self.others.get_mut(at - 1) };
        found.expect("a timer's place is one that was found")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn timers_stand_where_they_would_in_a_list(steps in prop::collection::vec(0_usize..8, 0..40)) {
            let (mut timers, mut list) = (Timers::default(), Vec::new());
            for (timer, step) in steps.into_iter().enumerate() {
                if step < list.len() && step < 4 {
                    timers.swap_remove(step);
                    list.swap_remove(step);
                } else {
                    let at = timers.push(Armed { timer, due: Time::ZERO, planned: None });
                    list.push(timer);
                    prop_assert_eq!(at, list.len() - 1);
                }
                prop_assert_eq!(timers.len(), list.len());
                for (at, timer) in list.iter().enumerate() {
                    prop_assert_eq!(timers[at].timer, *timer);
                    prop_assert_eq!(timers.position(|armed| armed.timer == *timer), Some(at));
                }
            }
        }
    }
}
