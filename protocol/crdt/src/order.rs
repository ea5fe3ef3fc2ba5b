//! What came before what: dots, clocks, stamps, and logs of stamped messages.

use std::fmt;

/// Names a message: its origin, and how many messages of that origin there are with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dot {
    /// Which replica.
    pub origin: u32,
    /// Which of its messages, from 1.
    pub seq: u32,
}

/// Which messages of each origin: the first so many. Causal delivery makes every past one of these.
#[derive(Clone, Debug, Default)]
pub struct Clock(Vec<u32>);

/// A message's place in one order of all messages that no message precedes its causes in: by the
/// length of the longest chain before it, then by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// How many messages the longest chain of causes has (Lamport's clock, from 0).
    pub lamport: u64,
    /// Its name.
    pub dot: Dot,
}

/// Where a message stands: its stamp and what its origin had delivered before it.
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

impl Clock {
    /// Nothing.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// How many messages of `origin`.
    pub fn get(&self, origin: u32) -> u32 {
        self.0.get(origin as usize).copied().unwrap_or(0)
    }

    /// Whether `dot` is among them.
    pub fn covers(&self, dot: Dot) -> bool {
        dot.seq <= self.get(dot.origin)
    }

    /// Whether all of `other` is among them.
    pub fn covers_all(&self, other: &Self) -> bool {
        other.iter().all(|last| self.covers(last))
    }

    /// Takes in `dot` and all before it of the same origin.
    pub fn advance(&mut self, dot: Dot) {
        let at = dot.origin as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, 0);
        }
        self.0[at] = self.0[at].max(dot.seq);
    }

    /// Takes in all of `other`.
    pub fn merge(&mut self, other: &Self) {
        for last in other.iter() {
            self.advance(last);
        }
    }

    /// The last message of each origin that has any.
    pub fn iter(&self) -> impl Iterator<Item = Dot> {
        let each = self.0.iter().enumerate().filter(|(_, seq)| **seq > 0);
        each.map(|(origin, seq)| Dot { origin: origin as u32, seq: *seq })
    }
}

// Origins without messages may stand at the end or not.
impl PartialEq for Clock {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Clock {}

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
        let mut events: Vec<_> = events.into_iter().collect();
        events.sort_unstable_by_key(|event| event.stamp);
        Self(events)
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

impl fmt::Display for Dot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.origin, self.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_covers_what_it_took_in_and_all_before_it() {
        let mut clock = Clock::new();
        clock.advance(Dot { origin: 2, seq: 3 });
        assert!(clock.covers(Dot { origin: 2, seq: 1 }) && clock.covers(Dot { origin: 2, seq: 3 }));
        assert!(
            !clock.covers(Dot { origin: 2, seq: 4 }) && !clock.covers(Dot { origin: 0, seq: 1 })
        );
        let mut other = Clock::new();
        other.advance(Dot { origin: 0, seq: 1 });
        assert!(!clock.covers_all(&other));
        clock.merge(&other);
        assert!(clock.covers_all(&other));
        assert_eq!(clock.iter().map(|dot| dot.to_string()).collect::<Vec<_>>(), ["0.1", "2.3"]);
    }
}
