//! Links that were crossed once: a bit for each.
//!
//! In a large fleet where anyone asks anyone, most links carry one datagram ever. All that must be kept
//! of such a link is that the next datagram is its second.

/// A bit for each link between the first nodes.
#[derive(Clone, Debug, Default)]
pub(super) struct Once {
    /// By the higher slot, the lower one and the direction, so that the answer to the first datagram
    /// between two nodes finds its bit in the cache.
    words: Vec<u64>,
    /// Links between slots below this have bits.
    side: u32,
}

impl Once {
    /// No link between slots below `side` was crossed.
    pub(super) fn new(side: u32) -> Self {
        Self { words: vec![0; Self::bytes(side) / size_of::<u64>()], side }
    }

    /// How many bytes the bits between slots below `side` take.
    pub(super) fn bytes(side: u32) -> usize {
        bit(side, 0).div_ceil(u64::BITS as usize) * size_of::<u64>()
    }

    /// Whether there are no bits at all.
    pub(super) fn is_empty(&self) -> bool {
        self.side == 0
    }

    /// Whether links have bits of which this is the higher slot.
    #[inline(always)]
    pub(super) fn has(&self, high: u32) -> bool {
        high < self.side
    }

    /// Sets the bit of a link; returns whether it was set.
    #[inline(always)]
    pub(super) fn set(&mut self, high: u32, low: u32, back: usize) -> bool {
        let bit = bit(high, low) + back;
        let word = &mut self.words[bit / 64];
        let mask = 1 << (bit % 64);
        let was = *word & mask != 0;
        *word |= mask;
        was
    }

    /// How many bits are set.
    pub(super) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.words.capacity() * size_of::<u64>()
    }
}

/// The bit of the link from the higher slot; the one of the way back stands after it.
#[inline(always)]
fn bit(high: u32, low: u32) -> usize {
    let (high, low) = (high as usize, low as usize);
    high * (high + 1) + 2 * low
}
