//! Bases that were named of late, as they are spelled: what is named again is not spelled, or looked up, again.

use std::sync::Arc;

use crate::Tuple;

/// Spellings that are kept: editing goes to and fro between few places.
const SLOTS: usize = 64;

/// A base, as it was spelled in an operation.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    pub(crate) tuples: Arc<[Tuple]>,
    pub(crate) base: u32,
    /// Whether another site gave it.
    pub(crate) foreign: bool,
}

/// A few spellings, each in the one slot in which it may be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent {
    slots: Vec<Option<Resolved>>,
}

impl Recent {
    /// The spelling in the slot of `key`.
    #[inline]
    pub(crate) fn get(&self, key: usize) -> Option<&Resolved> {
        self.slots.get(key % SLOTS)?.as_ref()
    }

    /// Puts a spelling into the slot of `key`.
    pub(crate) fn put(&mut self, key: usize, resolved: Resolved) {
        if self.slots.is_empty() {
            self.slots.resize(SLOTS, None);
        }
        self.slots[key % SLOTS] = Some(resolved);
    }

    /// Bytes of memory that the slots take up.
    pub(crate) fn held(&self) -> usize {
        self.slots.capacity() * size_of::<Option<Resolved>>()
    }
}

/// The key of a spelling by where it is in memory. Only how fast it is found depends on it.
#[inline]
pub(crate) fn address(tuples: &Arc<[Tuple]>) -> usize {
    const ALIGNED: usize = 16;
    tuples.as_ptr().addr() / ALIGNED
}
