//! What the links of one sender remember, by receiver: an open-addressing table.
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

/// The links of one sender.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links {
    /// A power of two, or none.
    slots: Vec<Link>,
    /// As long as `slots`, or empty while no link needs it.
    tails: Vec<Tail>,
    used: usize,
    /// How many links may be added before the table grows.
    room: usize,
}

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
const EMPTY: Link = Link::new(SLOTS_MAX);

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

    /// Counts a datagram that enters; returns how many entered before.
    #[inline(always)]
    pub(crate) fn enter(&mut self) -> u64 {
        let number = self.0 >> COUNT_SHIFT;
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

impl Links {
    /// Where the link to `to` is; made where there was none.
    #[inline(always)]
    pub(crate) fn touch(&mut self, to: u32) -> usize {
        if self.room == 0 {
            self.grow();
        }
        let at = self.probe(to);
        if self.slots[at] == EMPTY {
            self.slots[at] = Link::new(to);
            self.used += 1;
            self.room -= 1;
        }
        at
    }

    #[inline(always)]
    pub(crate) fn link(&mut self, at: usize) -> &mut Link {
        &mut self.slots[at]
    }

    /// The tail of the link at `at`; from now on every link of this sender has one.
    pub(crate) fn tail(&mut self, at: usize) -> &mut Tail {
        if self.tails.len() < self.slots.len() {
            self.tails.resize(self.slots.len(), Tail::default());
        }
        &mut self.tails[at]
    }

    /// Makes every link look its class up again.
    pub(crate) fn unresolve(&mut self) {
        self.slots.iter_mut().for_each(|link| link.set_class(UNRESOLVED));
    }

    /// Links that a datagram ever crossed.
    pub(crate) fn touched(&self) -> usize {
        self.used
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Link>() + self.tails.capacity() * size_of::<Tail>()
    }

    #[inline(always)]
    fn probe(&self, to: u32) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = (to.wrapping_mul(0x9e37_79b9) >> 7) as usize & mask;
        while self.slots[at].to() != to && self.slots[at] != EMPTY {
            at = (at + 1) & mask;
        }
        at
    }

    #[cold]
    fn grow(&mut self) {
        let longer = (self.slots.len() * 2).max(4);
        let slots = std::mem::replace(&mut self.slots, vec![EMPTY; longer]);
        // An eighth stays free, so that a probe ends soon; eight links share a cache line.
        self.room = longer / 8 * 7 + longer % 8 / 2 - self.used;
        let tails = std::mem::take(&mut self.tails);
        if !tails.is_empty() {
            self.tails.resize(longer, Tail::default());
        }
        for (from, link) in slots.into_iter().enumerate() {
            if link == EMPTY {
                continue;
            }
            let at = self.probe(link.to());
            self.slots[at] = link;
            if let Some(tail) = tails.get(from) {
                self.tails[at] = *tail;
            }
        }
    }
}
