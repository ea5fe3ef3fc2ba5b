//! Clocks: causally closed sets of operations, each a count per origin.
//!
//! A clock is kept for every operation that is not stable yet, and the clocks of neighbours differ in few
//! places: clocks share what they have in common. Few founders fit the clock itself.

use std::{fmt, sync::Arc};

use contract::{
    Encode, Malformed, Wire,
    wire::{put_varint, take_varint},
};

use crate::{Dot, Origin};

/// Which operations of each origin: the first so many. Causal delivery makes every past one of these.
#[derive(Clone, PartialEq, Eq)]
pub struct Clock(Counts);

/// Invariant: many only where few would not do, so that equal clocks have equal parts.
#[derive(Clone, PartialEq, Eq)]
enum Counts {
    /// Of founders with the lowest numbers.
    Few([u32; FEW]),
    /// Ascending by number; none is empty.
    Many(Arc<Vec<Arc<Chunk>>>),
}

/// Founders that fit the clock itself: fleets of most scenarios, and all that a lattice can sweep.
const FEW: usize = 8;

/// Nodes whose counts are kept together: a change copies this many counts and a pointer per chunk, which
/// at a thousand nodes is least where there are as many of the one as of the other.
const CHUNK: u32 = 32;

/// The counts of nodes with adjacent numbers.
#[derive(Clone, PartialEq, Eq)]
struct Chunk {
    number: u32,
    founders: [u32; CHUNK as usize],
    /// Lives that are no founder's, ascending; none is 0.
    later: Vec<(Origin, u32)>,
}

impl Clock {
    /// Nothing.
    pub const fn new() -> Self {
        Self(Counts::Few([0; FEW]))
    }

    /// How many operations of `origin`.
    pub fn get(&self, origin: impl Into<Origin>) -> u32 {
        let origin = origin.into();
        match &self.0 {
            Counts::Few(few) if origin.is_founder() => {
                few.get(origin.node.0 as usize).copied().unwrap_or(0)
            }
            Counts::Few(_) => 0,
            Counts::Many(chunks) => match find(chunks, origin.node.0 / CHUNK) {
                Ok(at) => chunks[at].get(origin),
                Err(_) => 0,
            },
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        *self == Self::new()
    }

    /// Whether `dot` is among them.
    pub fn covers(&self, dot: Dot) -> bool {
        dot.seq <= self.get(dot.origin)
    }

    /// Whether all of `other` is among them.
    pub fn covers_all(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Counts::Few(own), Counts::Few(others)) => {
                own.iter().zip(others).all(|(own, other)| own >= other)
            }
            (Counts::Many(own), Counts::Many(others)) => {
                Arc::ptr_eq(own, others)
                    || others.iter().all(|other| {
                        let at = find(own, other.number);
                        at.is_ok_and(|at| Arc::ptr_eq(&own[at], other) || own[at].covers(other))
                    })
            }
            _ => other.iter().all(|last| self.covers(last)),
        }
    }

    /// Takes in `dot` and all before it of the same origin.
    pub fn advance(&mut self, dot: Dot) {
        if self.covers(dot) {
            return;
        }
        if let Counts::Few(few) = &mut self.0 {
            if dot.origin.is_founder()
                && let Some(count) = few.get_mut(dot.origin.node.0 as usize)
            {
                *count = dot.seq;
                return;
            }
            self.spread();
        }
        let Counts::Many(chunks) = &mut self.0 else { unreachable!("it was spread") };
        let number = dot.origin.node.0 / CHUNK;
        let chunks = Arc::make_mut(chunks);
        let at = find(chunks, number).unwrap_or_else(|at| {
            chunks.insert(at, Arc::new(Chunk::new(number)));
            at
        });
        Arc::make_mut(&mut chunks[at]).raise(dot);
    }

    /// Takes in all of `other`.
    pub fn merge(&mut self, other: &Self) {
        match (&mut self.0, &other.0) {
            (Counts::Few(own), Counts::Few(others)) => {
                own.iter_mut().zip(others).for_each(|(own, other)| *own = (*own).max(*other));
            }
            (Counts::Many(own), Counts::Many(others)) => merge_chunks(own, others),
            (Counts::Few(own), Counts::Many(_)) => {
                let few = std::mem::replace(own, [0; FEW]);
                *self = other.clone();
                Self(Counts::Few(few)).iter().for_each(|last| self.advance(last));
            }
            (Counts::Many(_), Counts::Few(_)) => other.iter().for_each(|last| self.advance(last)),
        }
    }

    /// The last operation of each origin that has any, ascending by origin.
    pub fn iter(&self) -> impl Iterator<Item = Dot> + '_ {
        let (few, many): (&[u32], &[Arc<Chunk>]) = match &self.0 {
            Counts::Few(few) => (few, &[]),
            Counts::Many(chunks) => (&[], chunks),
        };
        let few = few.iter().enumerate().filter(|(_, seq)| **seq > 0);
        let few = few.map(|(node, seq)| Dot::new(node as u32, *seq));
        few.chain(many.iter().flat_map(|chunk| chunk.iter()))
    }

    /// Of each origin of which it has more than `other`, the last operation, ascending by origin. What
    /// the two share costs nothing.
    pub fn beyond<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = Dot> + 'a {
        let (few, many): (&[u32], &[Arc<Chunk>]) = match &self.0 {
            Counts::Few(few) => (few, &[]),
            Counts::Many(chunks) => (&[], chunks),
        };
        let few = few.iter().enumerate().map(|(node, seq)| Dot::new(node as u32, *seq));
        let theirs: &[Arc<Chunk>] = match &other.0 {
            Counts::Few(_) => &[],
            Counts::Many(chunks) => chunks,
        };
        let shared = move |chunk: &&Arc<Chunk>| {
            let at = find(theirs, chunk.number);
            !at.is_ok_and(|at| Arc::ptr_eq(chunk, &theirs[at]))
        };
        let many = many.iter().filter(shared).flat_map(|chunk| chunk.iter());
        few.chain(many).filter(|last| !other.covers(*last))
    }

    /// Makes room for any origin.
    fn spread(&mut self) {
        if let Counts::Few(few) = self.0 {
            let mut chunk = Chunk::new(0);
            chunk.founders[..FEW].copy_from_slice(&few);
            let any = few.iter().any(|seq| *seq > 0);
            self.0 = Counts::Many(Arc::new(any.then(|| Arc::new(chunk)).into_iter().collect()));
        }
    }
}

/// Where the chunk is, or would be. Mostly its number is its place.
fn find(chunks: &[Arc<Chunk>], number: u32) -> Result<usize, usize> {
    match chunks.get(number as usize) {
        Some(chunk) if chunk.number == number => Ok(number as usize),
        _ => chunks.binary_search_by_key(&number, |chunk| chunk.number),
    }
}

fn merge_chunks(own: &mut Arc<Vec<Arc<Chunk>>>, others: &Arc<Vec<Arc<Chunk>>>) {
    if Arc::ptr_eq(own, others) {
        return;
    }
    for other in others.iter() {
        let at = find(own, other.number);
        let known = at.is_ok_and(|at| Arc::ptr_eq(&own[at], other) || own[at].covers(other));
        if known {
            continue;
        }
        let own = Arc::make_mut(own);
        match at {
            Err(at) => own.insert(at, Arc::clone(other)),
            Ok(at) if other.covers(&own[at]) => own[at] = Arc::clone(other),
            Ok(at) => {
                let own = Arc::make_mut(&mut own[at]);
                other.iter().for_each(|last| own.raise(last));
            }
        }
    }
}

impl Chunk {
    const fn new(number: u32) -> Self {
        Self { number, founders: [0; CHUNK as usize], later: Vec::new() }
    }

    fn get(&self, origin: Origin) -> u32 {
        if origin.is_founder() {
            return self.founders[(origin.node.0 % CHUNK) as usize];
        }
        let at = self.later.binary_search_by_key(&origin, |(origin, _)| *origin);
        at.map_or(0, |at| self.later[at].1)
    }

    fn raise(&mut self, dot: Dot) {
        if dot.seq == 0 {
            return;
        }
        if dot.origin.is_founder() {
            let count = &mut self.founders[(dot.origin.node.0 % CHUNK) as usize];
            *count = (*count).max(dot.seq);
            return;
        }
        match self.later.binary_search_by_key(&dot.origin, |(origin, _)| *origin) {
            Ok(at) => self.later[at].1 = self.later[at].1.max(dot.seq),
            Err(at) => self.later.insert(at, (dot.origin, dot.seq)),
        }
    }

    fn covers(&self, other: &Self) -> bool {
        let founders = self.founders.iter().zip(&other.founders).all(|(own, other)| own >= other);
        founders && other.later.iter().all(|(origin, seq)| self.get(*origin) >= *seq)
    }

    fn iter(&self) -> impl Iterator<Item = Dot> + '_ {
        let mut later = self.later.iter().peekable();
        let first = self.number * CHUNK;
        let founders = self.founders.iter().enumerate().filter(|(_, seq)| **seq > 0);
        let mut founders =
            founders.map(move |(at, seq)| Dot::new(first + at as u32, *seq)).peekable();
        std::iter::from_fn(move || {
            let founder = founders.peek().copied();
            let other = later.peek().map(|(origin, seq)| Dot { origin: *origin, seq: *seq });
            let takes_founder = match (founder, other) {
                (Some(founder), Some(other)) => founder.origin < other.origin,
                (founder, _) => founder.is_some(),
            };
            if takes_founder {
                founders.next();
                founder
            } else {
                later.next();
                other
            }
        })
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl FromIterator<Dot> for Clock {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        let mut clock = Self::new();
        dots.into_iter().for_each(|dot| clock.advance(dot));
        clock
    }
}

/// The last operation of each origin: `{0.3, 2.1}`.
impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, last) in self.iter().enumerate() {
            write!(f, "{}{last}", if at > 0 { ", " } else { "" })?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Encode for Clock {
    fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.iter().count() as u64);
        self.iter().for_each(|last| last.encode(out));
    }
}

impl Wire for Clock {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let mut clock = Self::new();
        let mut before = None;
        for _ in 0..take_varint(bytes)? {
            let last = Dot::read(bytes)?;
            if before >= Some(last.origin) {
                return Err(Malformed("the origins of a clock, ascending"));
            }
            before = Some(last.origin);
            clock.advance(last);
        }
        Ok(clock)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use contract::NodeId;
    use proptest::prelude::*;

    use super::*;

    fn dots() -> impl Strategy<Value = Vec<Dot>> {
        let nodes = prop_oneof![0..4u32, 0..100u32, Just(u32::MAX)];
        let lives = prop_oneof![3 => Just(0u64), 1 => 1..3u64];
        let dot = (nodes, lives, 1..9u32)
            .prop_map(|(node, life, seq)| Dot { origin: Origin { node: NodeId(node), life }, seq });
        proptest::collection::vec(dot, 0..40)
    }

    /// What a clock is by definition.
    fn model(dots: &[Dot]) -> BTreeMap<Origin, u32> {
        let mut model = BTreeMap::new();
        for dot in dots {
            let count = model.entry(dot.origin).or_insert(0);
            *count = dot.seq.max(*count);
        }
        model
    }

    fn counts(clock: &Clock) -> Vec<(Origin, u32)> {
        clock.iter().map(|last| (last.origin, last.seq)).collect()
    }

    proptest! {
        #[test]
        fn a_clock_counts_as_a_map_does(one in dots(), other in dots(), shared in dots()) {
            let start: Clock = shared.iter().copied().collect();
            let grown = |dots: &[Dot]| {
                let mut clock = start.clone();
                dots.iter().for_each(|dot| clock.advance(*dot));
                (clock, model(&[&shared[..], dots].concat()))
            };
            let ((a, model_a), (b, model_b)) = (grown(&one), grown(&other));
            prop_assert_eq!(counts(&a), model_a.clone().into_iter().collect::<Vec<_>>());
            prop_assert_eq!(a == b, model_a == model_b);
            let covers = model_b.iter().all(|(origin, seq)| model_a.get(origin) >= Some(seq));
            prop_assert_eq!(a.covers_all(&b), covers);
            let beyond = model_a.iter().filter(|(origin, seq)| model_b.get(origin) < Some(*seq));
            let beyond: Vec<_> = beyond.map(|(origin, seq)| (*origin, *seq)).collect();
            let found: Vec<_> = a.beyond(&b).map(|last| (last.origin, last.seq)).collect();
            prop_assert_eq!(found, beyond);
            let mut both = a.clone();
            both.merge(&b);
            let all = model(&[&shared[..], &one, &other].concat());
            prop_assert_eq!(counts(&both), all.into_iter().collect::<Vec<_>>());
            let mut bytes = Vec::new();
            both.encode(&mut bytes);
            prop_assert_eq!(Clock::decode(&bytes), Ok(both));
        }

        #[test]
        fn bytes_that_are_no_clock_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(clock) = Clock::decode(&bytes) {
                let mut again = Vec::new();
                clock.encode(&mut again);
                prop_assert_eq!(again, bytes);
            }
        }
    }

    #[test]
    fn a_clock_covers_what_it_took_in_and_all_before_it() {
        let mut clock = Clock::new();
        clock.advance(Dot::new(2, 3));
        assert!(clock.covers(Dot::new(2, 1)) && clock.covers(Dot::new(2, 3)));
        assert!(!clock.covers(Dot::new(2, 4)) && !clock.covers(Dot::new(0, 1)));
        let mut other = Clock::new();
        other.advance(Dot::new(0, 1));
        assert!(!clock.covers_all(&other));
        clock.merge(&other);
        assert!(clock.covers_all(&other));
        assert_eq!(clock.to_string(), "{0.1, 2.3}");
    }

    #[test]
    fn clocks_that_differ_in_one_place_share_the_rest() {
        let wide: Clock = (0..1_000).map(|node| Dot::new(node, 1)).collect();
        let mut next = wide.clone();
        next.advance(Dot::new(500, 2));
        let (Counts::Many(wide), Counts::Many(next)) = (&wide.0, &next.0) else {
            panic!("a thousand are many");
        };
        let shared = wide.iter().zip(next.iter()).filter(|(one, other)| Arc::ptr_eq(one, other));
        assert_eq!((wide.len(), shared.count()), (32, 31));
    }
}
