//! What the links of one sender remember, by receiver: an open-addressing table.
//!
//! Knows nothing of what a link is like; that is the class's.

/// A link's state: 16 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    /// The receiver's slot.
    to: u32,
    /// The class, or [`UNRESOLVED`].
    pub(crate) class: u32,
    /// How many datagrams entered, and in the highest bit whether the link is in a bad spell.
    sends: u64,
}

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
}

/// The class must be looked up.
pub(crate) const UNRESOLVED: u32 = u32::MAX;
const BAD: u64 = 1 << 63;
/// No receiver has this slot.
const EMPTY: Link = Link { to: u32::MAX, class: UNRESOLVED, sends: 0 };

impl Link {
    /// Counts a datagram that enters; returns how many entered before.
    #[inline]
    pub(crate) fn enter(&mut self) -> u64 {
        let number = self.sends & !BAD;
        self.sends += 1;
        number
    }

    #[inline]
    pub(crate) fn is_bad(&self) -> bool {
        self.sends & BAD != 0
    }

    #[inline]
    pub(crate) fn set_bad(&mut self, bad: bool) {
        self.sends = self.sends & !BAD | if bad { BAD } else { 0 };
    }
}

impl Links {
    /// Where the link to `to` is; made where there was none.
    #[inline]
    pub(crate) fn touch(&mut self, to: u32) -> usize {
        // A quarter stays free, so that a probe ends soon.
        if self.used * 4 >= self.slots.len() * 3 {
            self.grow();
        }
        let at = self.probe(to);
        if self.slots[at].to != to {
            self.slots[at].to = to;
            self.used += 1;
        }
        at
    }

    #[inline]
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
        self.slots.iter_mut().for_each(|link| link.class = UNRESOLVED);
    }

    /// Links that a datagram ever crossed.
    pub(crate) fn touched(&self) -> usize {
        self.used
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Link>() + self.tails.capacity() * size_of::<Tail>()
    }

    #[inline]
    fn probe(&self, to: u32) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = (to.wrapping_mul(0x9e37_79b9) >> 7) as usize & mask;
        while self.slots[at].to != to && self.slots[at].to != EMPTY.to {
            at = (at + 1) & mask;
        }
        at
    }

    #[cold]
    fn grow(&mut self) {
        let longer = (self.slots.len() * 2).max(4);
        let slots = std::mem::replace(&mut self.slots, vec![EMPTY; longer]);
        let tails = std::mem::take(&mut self.tails);
        if !tails.is_empty() {
            self.tails.resize(longer, Tail::default());
        }
        for (from, link) in slots.into_iter().enumerate() {
            if link.to == EMPTY.to {
                continue;
            }
            let at = self.probe(link.to);
            self.slots[at] = link;
            if let Some(tail) = tails.get(from) {
                self.tails[at] = *tail;
            }
        }
    }
}
