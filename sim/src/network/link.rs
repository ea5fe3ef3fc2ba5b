//! What links remember, by sender and receiver.
//!
//! Knows nothing of what a link is like; that is the class's.

use super::once::Once;
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
/// of pairs, beside which, once that is large, links that were crossed once have no more than a bit.
///
/// Invariant: the bit of a link is set where the table has its pair, and otherwise where it was crossed
/// once.
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
    once: Once,
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
/// Places that a table has before links that were crossed once leave it: 2 MiB, more than the nearest
/// caches hold.
const CROWDED: usize = 1 << 17;
/// How many times as large as the table, had it grown, the bits may be that are made in its place.
const BITS_MAX: usize = 4;

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

/// Whether there is a pair here of which a bit each is enough to remember.
fn is_seldom(pair: &Pair) -> bool {
    *pair != EMPTY && pair.iter().all(|link| link.entered() <= 1 && !link.is_bad())
}

impl Default for Links {
    fn default() -> Self {
        Self {
            square: vec![],
            side: 0,
            pairs: vec![EMPTY; PAIRS_MIN],
            shift: u64::BITS - PAIRS_MIN.trailing_zeros(),
            room: room(PAIRS_MIN),
            once: Once::default(),
            tails: BTreeMap::new(),
        }
    }
}

impl Links {
    /// The link between two slots, for a datagram that enters it; made where there was none. `None` where
    /// the datagram is its first and a bit counts it.
    #[inline(always)]
    pub(crate) fn touch(&mut self, from: u32, to: u32) -> Option<&mut Link> {
        if let Some(at) = self.in_square(from, to) {
            return Some(&mut self.square[at]);
        }
        let (high, low, back) = (from.max(to), from.min(to), usize::from(from > to));
        if self.once.has(high) && !self.once.set(high, low, back) {
            return None;
        }
        let at = self.find([Link::new(high), Link::new(low)]);
        Some(&mut self.pairs[at][back])
    }

    /// The link between two slots; made where there was none.
    pub(crate) fn state(&mut self, from: u32, to: u32) -> &mut Link {
        if let Some(at) = self.in_square(from, to) {
            return &mut self.square[at];
        }
        let (high, low, back) = (from.max(to), from.min(to), usize::from(from > to));
        let at = self.find([Link::new(high), Link::new(low)]);
        &mut self.pairs[at][back]
    }

    /// The place of a link in the square, where it is one of those.
    #[inline(always)]
    fn in_square(&mut self, from: u32, to: u32) -> Option<usize> {
        let highest = from.max(to) as usize;
        if highest >= self.side {
            if highest >= SIDE_MAX {
                return None;
            }
            self.widen(highest);
        }
        Some(from as usize * self.side + to as usize)
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
        let pairs = self.pairs.iter().filter(|pair| self.once.has(pair[0].to())).count();
        links.filter(|link| link.entered() > 0).count() + self.once.count() - 2 * pairs
    }

    /// Bytes on the heap, but for tails.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.square.capacity() * size_of::<Link>()
            + self.pairs.capacity() * size_of::<Pair>()
            + self.once.heap_bytes()
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
        self.add(at, pair)
    }

    /// Puts a pair that the table does not hold into its free place, or wherever that is once the table
    /// grew. Returns its place.
    #[inline(never)]
    fn add(&mut self, mut at: usize, mut pair: Pair) -> usize {
        if self.room == 0 {
            if !self.disperse() {
                self.grow();
            }
            at = self.free_place(pair);
        }
        self.room -= 1;
        let (high, low) = (pair[0].to(), pair[1].to());
        if self.once.has(high) {
            for (back, link) in pair.iter_mut().enumerate() {
                if self.once.set(high, low, back) {
                    link.enter();
                }
            }
        }
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

    /// Lets bits remember what was crossed once, where a table that is large holds little else. Whether
    /// it did.
    #[cold]
    fn disperse(&mut self) -> bool {
        let longer = self.pairs.len() * 2 * size_of::<Pair>();
        let seldom = self.pairs.iter().filter(|pair| is_seldom(pair)).count();
        let highest =
            self.pairs.iter().filter(|pair| **pair != EMPTY).map(|pair| pair[0].to()).max();
        let side = highest.map_or(0, |highest| highest + 1);
        let pays = self.once.is_empty()
            && self.pairs.len() >= CROWDED
            && seldom > self.pairs.len() / 2
            && Once::bytes(side) <= BITS_MAX * longer;
        if pays {
            self.disperse_below(side);
        }
        pays
    }

    /// Makes bits for links between slots below `side`.
    fn disperse_below(&mut self, side: u32) {
        self.once = Once::new(side);
        let places = self.pairs.len();
        let pairs = std::mem::replace(&mut self.pairs, vec![EMPTY; places]);
        self.room = room(places);
        for pair in pairs.into_iter().filter(|pair| *pair != EMPTY) {
            let (high, low) = (pair[0].to(), pair[1].to());
            let stays = !self.once.has(high) || !is_seldom(&pair);
            for (back, link) in pair.into_iter().enumerate() {
                if self.once.has(high) && (stays || link.entered() > 0) {
                    self.once.set(high, low, back);
                }
            }
            if stays {
                let at = self.free_place(pair);
                self.pairs[at] = pair;
                self.room -= 1;
            }
        }
    }

    /// Doubles the table.
    #[cold]
    fn grow(&mut self) {
        let longer = self.pairs.len() * 2;
        let pairs = std::mem::replace(&mut self.pairs, vec![EMPTY; longer]);
        self.room = room(longer) - room(longer / 2);
        self.shift -= 1;
        for pair in pairs.into_iter().filter(|pair| *pair != EMPTY) {
            let at = self.free_place(pair);
            self.pairs[at] = pair;
        }
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

    /// Lets a datagram enter, as a send does; returns how many did before.
    fn enter(links: &mut Links, from: u32, to: u32) -> u64 {
        links.touch(from, to).map_or(0, Link::enter)
    }

    proptest! {
        #[test]
        fn each_link_counts_its_own(
            sent in prop::collection::vec((slots(), slots()), 0..400),
            dispersed in 0_usize..800, side in 200_u32..300
        ) {
            let (mut links, mut counts) = (Links::default(), BTreeMap::new());
            for (at, (from, to)) in sent.iter().chain(&sent).copied().enumerate() {
                if at == dispersed {
                    links.disperse_below(side);
                }
                let count = counts.entry((from, to)).or_insert(0);
                prop_assert_eq!(enter(&mut links, from, to), *count);
                *count += 1;
                // Whoever asks for the state makes an entry, and the count stays.
                if at % 3 == 0 {
                    prop_assert_eq!(links.state(from, to).entered(), *count);
                }
            }
            prop_assert_eq!(links.touched(), counts.len());
        }
    }

    #[test]
    fn a_link_keeps_its_class_and_its_bad_spell() {
        let mut links = Links::default();
        for (from, to) in [(1, 2), (300, 2), (2, 300)] {
            let link = links.touch(from, to).unwrap();
            assert_eq!(link.class(), UNRESOLVED);
            link.enter();
            link.set_class(3);
            link.set_bad(from == 2);
        }
        links.disperse_below(400);
        for (from, to) in [(1, 2), (300, 2), (2, 300)] {
            let link = links.touch(from, to).unwrap();
            assert_eq!((link.class(), link.is_bad()), (3, from == 2));
        }
    }

    /// What `links` weigh after every node of `nodes` asked `peers` others, each `times`, and was answered.
    fn weight_of(nodes: u32, peers: u32, times: u32) -> usize {
        let mut links = Links::default();
        for _ in 0..times {
            for asked in 0..peers * nodes {
                // Peers in no order.
                let (from, to) = (asked % nodes, (asked.wrapping_mul(0x9e37_79b1) >> 8) % nodes);
                enter(&mut links, from, to);
                enter(&mut links, to, from);
            }
        }
        links.heap_bytes()
    }

    #[test]
    fn a_link_that_is_crossed_once_weighs_bits_and_one_in_use_eight_bytes_and_its_share_of_room() {
        let (nodes, peers) = (4_000, 100);
        let square = SIDE_MAX * SIDE_MAX * size_of::<Link>();
        let bits = (nodes * nodes / 8) as usize;
        let once = weight_of(nodes, peers, 1);
        let table = CROWDED * size_of::<Pair>();
        assert!(once <= square + 2 * table + bits, "{once} bytes");
        let used = weight_of(nodes, peers, 3);
        let links = 2 * (nodes * peers) as usize;
        assert!(used > once && used <= square + bits + links * 8 * 3, "{used} bytes");
    }
}
