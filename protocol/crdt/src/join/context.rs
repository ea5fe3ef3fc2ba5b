//! A causal context: which dots a state knows of, whether it still has what they brought or not.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Dot, Origin};

/// A set of dots: of each origin the first so many, and single ones beyond a gap, which deltas leave.
///
/// Invariant: no dot beyond follows the first so many of its origin at once, so that equal sets are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    first: BTreeMap<Origin, u32>,
    beyond: BTreeSet<Dot>,
}

impl Context {
    /// How many of `origin` there are without a gap.
    fn first(&self, origin: Origin) -> u32 {
        self.first.get(&origin).copied().unwrap_or(0)
    }

    /// Whether `dot` is known.
    pub fn covers(&self, dot: Dot) -> bool {
        dot.seq <= self.first(dot.origin) || self.beyond.contains(&dot)
    }

    /// Takes `dot` in.
    pub fn insert(&mut self, dot: Dot) {
        if dot.seq > self.first(dot.origin) && self.beyond.insert(dot) {
            self.close(dot.origin);
        }
    }

    /// Takes in all of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (origin, seq) in &other.first {
            let own = self.first.entry(*origin).or_default();
            *own = (*own).max(*seq);
        }
        self.beyond.extend(&other.beyond);
        let first = &self.first;
        self.beyond.retain(|dot| dot.seq > first.get(&dot.origin).copied().unwrap_or(0));
        let origins: BTreeSet<Origin> = self.beyond.iter().map(|dot| dot.origin).collect();
        origins.into_iter().for_each(|origin| self.close(origin));
    }

    /// Whether all of it is in `other`.
    pub fn is_within(&self, other: &Self) -> bool {
        self.first.iter().all(|(origin, seq)| *seq <= other.first(*origin))
            && self.beyond.iter().all(|dot| other.covers(*dot))
    }

    /// The dot of what `origin` does next, given that this is all it knows.
    pub fn next(&self, origin: Origin) -> Dot {
        let own = self.beyond.iter().rev().find(|dot| dot.origin == origin);
        let last = own.map_or(0, |dot| dot.seq).max(self.first(origin));
        Dot { origin, seq: last + 1 }
    }

    /// Every dot.
    pub fn iter(&self) -> impl Iterator<Item = Dot> {
        let all = |(origin, last): (&Origin, &u32)| {
            let origin = *origin;
            (1..=*last).map(move |seq| Dot { origin, seq })
        };
        self.first.iter().flat_map(all).chain(self.beyond.iter().copied())
    }

    /// Takes in what stands beyond and has come to follow without a gap.
    fn close(&mut self, origin: Origin) {
        let mut seq = self.first(origin);
        while self.beyond.remove(&Dot { origin, seq: seq + 1 }) {
            seq += 1;
        }
        if seq > 0 {
            self.first.insert(origin, seq);
        }
    }
}

impl FromIterator<Dot> for Context {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        let mut context = Self::default();
        dots.into_iter().for_each(|dot| context.insert(dot));
        context
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dots() -> impl Strategy<Value = Vec<Dot>> {
        let dot = (0..3u32, 1..9u32).prop_map(|(origin, seq)| Dot::new(origin, seq));
        proptest::collection::vec(dot, 0..20)
    }

    proptest! {
        /// Whatever came in what order, a context is the set of what came, and equal where the set is.
        #[test]
        fn a_context_is_a_set_of_dots(one in dots(), other in dots()) {
            let set = |dots: &[Dot]| dots.iter().copied().collect::<BTreeSet<Dot>>();
            let context = |dots: &[Dot]| dots.iter().copied().collect::<Context>();
            let (mut joined, with) = (context(&one), context(&other));
            prop_assert_eq!(joined.iter().collect::<BTreeSet<_>>(), set(&one));
            prop_assert_eq!(joined.is_within(&with), set(&one).is_subset(&set(&other)));
            joined.merge(&with);
            let both = [one, other].concat();
            prop_assert_eq!(&joined, &context(&both));
            let backwards: Vec<Dot> = both.iter().rev().copied().collect();
            prop_assert_eq!(&joined, &context(&backwards));
            for dot in &both {
                prop_assert!(joined.covers(*dot) && joined.next(dot.origin).seq > dot.seq);
            }
        }
    }
}
