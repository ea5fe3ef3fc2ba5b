//! What links remember, by sender and receiver.
//!
//! Knows nothing of what a link is like; that is the class's.

use std::collections::BTreeMap;

/// A link's state in 8 bytes, as a dense fleet has many: the receiver, how many datagrams entered, the
/// class, and whether the link is in a bad spell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link(u64);

/// What only narrow or ordered links remember.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tail {
    /// When the last datagram will have entered the link.
    pub(crate) busy_until: u64,
    /// When the last datagram arrives.
    pub(crate) latest: u64,
}

/// The links of all nodes: a square for the first of them, and for the others an open-addressing table
/// of pairs.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    /// By sender and receiver, `side` times `side`.
    square: Vec<Link>,
    /// A power of two.
    side: usize,
    /// A power of two. Both directions between two nodes stand side by side, as mostly whoever is sent
    /// something answers: in a large fleet the answer then finds its link in the cache.
    pairs: Vec<Pair>,
    /// How far the hash of a pair is shifted to be its place.
    shift: u32,
    /// How many pairs may be added before the table grows.
    room: usize,
    /// By sender and receiver.
    tails: BTreeMap<(u32, u32), Tail>,
}

/// The links between two nodes: from the one with the lower slot, and back.
type Pair = [Link; 2];

/// The class must be looked up.
pub(crate) const UNRESOLVED: u32 = (1 << CLASS_BITS) - 1;
/// Receivers' slots are below this.
pub(crate) const SLOTS_MAX: u32 = (1 << TO_BITS) - 1;

// From the lowest bit on: receiver, class, bad spell, and as the last, so that counting is an
// addition, how many entered.
const TO_BITS: u32 = 24;
const CLASS_BITS: u32 = 7;
const BAD: u64 = 1 << (TO_BITS + CLASS_BITS);
const COUNT_SHIFT: u32 = TO_BITS + CLASS_BITS + 1;
const TO: u64 = (1 << TO_BITS) - 1;
const CLASS: u64 = ((1 << CLASS_BITS) - 1) << TO_BITS;
const EMPTY: Pair = [Link::new(SLOTS_MAX); 2];
/// Places for pairs from the start.
const PAIRS_MIN: usize = 16;
/// Slots below this have their links in the square: at most half a MiB.
const SIDE_MAX: usize = 256;

impl Link {
    const fn new(to: u32) -> Self {
        Self(to as u64 | CLASS)
    }

    #[inline(always)]
    fn to(self) -> u32 {
        (self.0 & TO) as u32
    }

    /// The class, or [`UNRESOLVED`].
    #[inline(always)]
    pub(crate) fn class(self) -> u32 {
        ((self.0 & CLASS) >> TO_BITS) as u32
    }

    /// Remembers the class, where there is room for its number.
    pub(crate) fn set_class(&mut self, class: u32) {
        self.0 = self.0 & !CLASS | u64::from(class.min(UNRESOLVED)) << TO_BITS;
    }

    /// How many datagrams entered.
    #[inline(always)]
    fn entered(self) -> u64 {
        self.0 >> COUNT_SHIFT
    }

    /// Counts a datagram that enters; returns how many entered before.
    #[inline(always)]
    pub(crate) fn enter(&mut self) -> u64 {
        let number = self.entered();
        self.0 = self.0.checked_add(1 << COUNT_SHIFT).expect("a link carries below 2^32 datagrams");
        number
    }

    #[inline(always)]
    pub(crate) fn is_bad(self) -> bool {
        self.0 & BAD != 0
    }

    #[inline(always)]
    pub(crate) fn set_bad(&mut self, bad: bool) {
        self.0 = self.0 & !BAD | if bad { BAD } else { 0 };
    }
}

/// How many pairs a table holds: a quarter stays free, so that a probe ends soon. Four pairs share a
/// cache line, and a smaller table is more often in the cache.
const fn room(places: usize) -> usize {
    places / 4 * 3
}

impl Default for Links {
    fn default() -> Self {
        Self {
            square: vec![],
            side: 0,
            pairs: vec![EMPTY; PAIRS_MIN],
            shift: u64::BITS - PAIRS_MIN.trailing_zeros(),
            room: room(PAIRS_MIN),
            tails: BTreeMap::new(),
        }
    }
}

impl Links {
    /// The link between two slots; made where there was none.
    #[inline(always)]
    pub(crate) fn touch(&mut self, from: u32, to: u32) -> &mut Link {
        let highest = from.max(to) as usize;
        if highest < self.side {
            return &mut self.square[from as usize * self.side + to as usize];
        }
        if highest < SIDE_MAX {
            self.widen(highest);
            return &mut self.square[from as usize * self.side + to as usize];
        }
        let back = usize::from(from > to);
        let at = self.find([Link::new(from.max(to)), Link::new(from.min(to))]);
        &mut self.pairs[at][back]
    }

    /// The tail of the link between two slots.
    pub(crate) fn tail(&mut self, from: u32, to: u32) -> &mut Tail {
        self.tails.entry((from, to)).or_default()
    }

    /// Makes every link look its class up again.
    pub(crate) fn unresolve(&mut self) {
        let links = self.square.iter_mut().chain(self.pairs.as_flattened_mut());
        links.for_each(|link| link.set_class(UNRESOLVED));
    }

    /// Links that a datagram ever crossed.
    pub(crate) fn touched(&self) -> usize {
        let links = self.square.iter().chain(self.pairs.as_flattened());
        links.filter(|link| link.entered() > 0).count()
    }

    /// Bytes on the heap, but for tails.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.square.capacity() * size_of::<Link>() + self.pairs.capacity() * size_of::<Pair>()
    }

    /// Makes the square wide enough for `slot`.
    #[cold]
    fn widen(&mut self, slot: usize) {
        let side = (slot + 1).next_power_of_two();
        let mut square = vec![Link::new(0); side * side];
        if self.side > 0 {
            for (new, old) in square.chunks_mut(side).zip(self.square.chunks(self.side)) {
                new[..self.side].copy_from_slice(old);
            }
        }
        (self.square, self.side) = (square, side);
    }

    /// The place of a pair that names its nodes; made where there was none.
    #[inline(always)]
    fn find(&mut self, pair: Pair) -> usize {
        let mut at = self.place(pair);
        loop {
            let there = self.pairs[at];
            if (there[0].0 ^ pair[0].0 | there[1].0 ^ pair[1].0) & TO == 0 {
                return at;
            }
            if there[0] == EMPTY[0] {
                break;
            }
            at = (at + 1) & (self.pairs.len() - 1);
        }
        if self.room == 0 {
            at = self.grow(pair);
        }
        self.room -= 1;
        self.pairs[at] = pair;
        at
    }

    /// The first place for a pair. In order of places pairs are nearly in order of their hashes, so a
    /// table that doubles is read and written from one end to the other.
    #[inline(always)]
    fn place(&self, [high, low]: Pair) -> usize {
        let name = u64::from(low.to()) << TO_BITS | u64::from(high.to());
        (name.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize
    }

    /// Doubles the table; returns the place for `wanted`, which it does not hold.
    #[cold]
    fn grow(&mut self, wanted: Pair) -> usize {
        let longer = self.pairs.len() * 2;
        let pairs = std::mem::replace(&mut self.pairs, vec![EMPTY; longer]);
        self.room = room(longer) - room(longer / 2);
        self.shift -= 1;
        for pair in pairs.into_iter().filter(|pair| *pair != EMPTY) {
            let at = self.free_place(pair);
            self.pairs[at] = pair;
        }
        self.free_place(wanted)
    }

    /// The first free place for a pair that the table does not hold.
    fn free_place(&self, pair: Pair) -> usize {
        let mut at = self.place(pair);
        while self.pairs[at] != EMPTY {
            at = (at + 1) & (self.pairs.len() - 1);
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slots() -> impl Strategy<Value = u32> {
        prop_oneof![0_u32..6, 0_u32..SIDE_MAX as u32 + 20, 0..SLOTS_MAX]
    }

    proptest! {
        #[test]
        fn each_link_counts_its_own(sent in prop::collection::vec((slots(), slots()), 0..400)) {
            let (mut links, mut counts) = (Links::default(), BTreeMap::new());
            for (from, to) in sent.iter().chain(&sent).copied() {
                let count = counts.entry((from, to)).or_insert(0);
                let link = links.touch(from, to);
                prop_assert_eq!(link.enter(), *count);
                let class = if *count == 0 { UNRESOLVED } else { 3 };
                prop_assert_eq!(link.class(), class);
                link.set_class(3);
                *count += 1;
            }
            prop_assert_eq!(links.touched(), counts.len());
        }
    }
}
