//! What links remember, by sender and receiver.
//!
//! Knows nothing of what a link is like; that is the class's.

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

/// The links of all nodes: an open-addressing table of pairs.
///
/// Both directions between two nodes stand side by side, as mostly whoever is sent something answers:
/// in a large fleet the answer then finds its link in the cache.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    /// A power of two.
    pairs: Vec<Pair>,
    /// Two for each of `pairs`, or none while no link needs one.
    tails: Vec<Tail>,
    /// How far the hash of a pair is shifted to be its place.
    shift: u32,
    /// How many pairs may be added before the table grows.
    room: usize,
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
/// Pairs for which there is a place from the start.
const PAIRS_MIN: usize = 16;
const SHIFT_MAX: u32 = u64::BITS - PAIRS_MIN.trailing_zeros();

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

impl Default for Links {
    fn default() -> Self {
        Self { pairs: vec![EMPTY; PAIRS_MIN], tails: vec![], shift: SHIFT_MAX, room: PAIRS_MIN / 2 }
    }
}

impl Links {
    /// Where the link between two slots is; made where there was none.
    #[inline(always)]
    pub(crate) fn touch(&mut self, from: u32, to: u32) -> usize {
        let back = usize::from(from > to);
        let pair = if from > to {
            [Link::new(from), Link::new(to)]
        } else {
            [Link::new(to), Link::new(from)]
        };
        2 * self.find(pair) + back
    }

    #[inline(always)]
    pub(crate) fn link(&mut self, at: usize) -> &mut Link {
        &mut self.pairs[at / 2][at % 2]
    }

    /// The tail of the link at `at`; from now on every link has one.
    pub(crate) fn tail(&mut self, at: usize) -> &mut Tail {
        if self.tails.is_empty() {
            self.tails.resize(2 * self.pairs.len(), Tail::default());
        }
        &mut self.tails[at]
    }

    /// Makes every link look its class up again.
    pub(crate) fn unresolve(&mut self) {
        self.pairs.as_flattened_mut().iter_mut().for_each(|link| link.set_class(UNRESOLVED));
    }

    /// Links that a datagram ever crossed.
    pub(crate) fn touched(&self) -> usize {
        self.pairs.as_flattened().iter().filter(|link| link.entered() > 0).count()
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.pairs.capacity() * size_of::<Pair>() + self.tails.capacity() * size_of::<Tail>()
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
        // At most half is full, so that a probe ends soon.
        self.room = longer / 4;
        self.shift -= 1;
        let tails = std::mem::take(&mut self.tails);
        if !tails.is_empty() {
            self.tails.resize(2 * longer, Tail::default());
        }
        for (from, pair) in pairs.into_iter().enumerate().filter(|(_, pair)| *pair != EMPTY) {
            let at = self.free_place(pair);
            self.pairs[at] = pair;
            if let Some(old) = tails.get(2 * from..2 * from + 2) {
                self.tails[2 * at..2 * at + 2].copy_from_slice(old);
            }
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
