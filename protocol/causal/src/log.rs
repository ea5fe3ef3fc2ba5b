//! Partially ordered logs of operations.

use crate::{Clock, Stamp};

/// Where an operation stands: its stamp and what its origin had delivered before it.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// Its stamp.
    pub stamp: Stamp,
    /// What came before it, itself left out.
    pub past: &'a Clock,
}

/// A message and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<M> {
    /// Its stamp.
    pub stamp: Stamp,
    /// What came before it, itself left out.
    pub past: Clock,
    /// What was sent.
    pub message: M,
}

/// A causally closed set of events, in the order of their stamps: a partially ordered log.
#[derive(Clone, Debug)]
pub struct Log<'a, M>(Vec<&'a Event<M>>);

impl<M> Event<M> {
    /// Where it stands.
    pub fn at(&self) -> At<'_> {
        At { stamp: self.stamp, past: &self.past }
    }

    /// Whether it came before `other`.
    pub fn precedes<N>(&self, other: &Event<N>) -> bool {
        other.past.covers(self.stamp.dot)
    }

    /// Whether neither came before the other.
    pub fn concurrent<N>(&self, other: &Event<N>) -> bool {
        self.stamp.dot != other.stamp.dot && !self.precedes(other) && !other.precedes(self)
    }
}

impl<'a, M> Log<'a, M> {
    /// Of these events, which hold with each event all that came before it.
    pub fn new(events: impl IntoIterator<Item = &'a Event<M>>) -> Self {
        let events: Vec<_> = events.into_iter().collect();
        let stamps = events.iter().enumerate().map(|(at, event)| (event.stamp, at));
        Self(in_order(stamps.collect()).into_iter().map(|(_, at)| events[at]).collect())
    }

    /// The events, causes first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &'a Event<M>> + '_ {
        self.0.iter().copied()
    }

    /// Those of which `keep` says yes. What it leaves out may be the cause of what it keeps.
    pub fn filter(&self, keep: impl FnMut(&&'a Event<M>) -> bool) -> Self {
        Self(self.iter().filter(keep).collect())
    }
}

/// Places by their stamps. A function of its own, of no type: to sort is much code, and logs have messages of sixty
/// types.
fn in_order(mut stamps: Vec<(Stamp, usize)>) -> Vec<(Stamp, usize)> {
    stamps.sort_unstable();
    stamps
}
