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

/// Bases that operations named, each in the one slot in which it may be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent {
    slots: Vec<Option<Resolved>>,
}

impl Recent {
    /// What is known of the base that is spelled there.
    #[inline]
    pub(crate) fn get(&self, tuples: &Arc<[Tuple]>) -> Option<&Resolved> {
        let known = self.slots.get(slot(tuples))?.as_ref()?;
        Arc::ptr_eq(&known.tuples, tuples).then_some(known)
    }

    /// The handle of the base that is spelled there, where that is known and another site gave it.
    #[inline]
    pub(crate) fn foreign(&self, tuples: &Arc<[Tuple]>) -> Option<u32> {
        self.get(tuples).filter(|known| known.foreign).map(|known| known.base)
    }

    /// Notes what is known of a base.
    pub(crate) fn put(&mut self, resolved: Resolved) {
        if self.slots.is_empty() {
            self.slots.resize(SLOTS, None);
        }
        let slot = slot(&resolved.tuples);
        self.slots[slot] = Some(resolved);
    }

    /// Bytes of memory that the slots take up.
    pub(crate) fn held(&self) -> usize {
        self.slots.capacity() * size_of::<Option<Resolved>>()
    }
}

/// The slot of a spelling, by where it is in memory: only how fast it is found depends on it.
#[inline]
fn slot(tuples: &Arc<[Tuple]>) -> usize {
    const ALIGNED: usize = 16;
    tuples.as_ptr().addr() / ALIGNED % SLOTS
}

/// Bases that this replica spelled, by their handles, each in the one slot in which it may be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spelled {
    slots: Vec<Option<(u32, Arc<[Tuple]>)>>,
}

impl Spelled {
    /// How `base` was spelled.
    #[inline]
    pub(crate) fn get(&self, base: u32) -> Option<&Arc<[Tuple]>> {
        match self.slots.get(base as usize % SLOTS) {
            Some(Some((known, tuples))) if *known == base => Some(tuples),
            _ => None,
        }
    }

    /// Notes how `base` is spelled.
    pub(crate) fn put(&mut self, base: u32, tuples: Arc<[Tuple]>) {
        if self.slots.is_empty() {
            self.slots.resize(SLOTS, None);
        }
        self.slots[base as usize % SLOTS] = Some((base, tuples));
    }

    /// Bytes of memory that the slots take up.
    pub(crate) fn held(&self) -> usize {
        self.slots.capacity() * size_of::<Option<(u32, Arc<[Tuple]>)>>()
    }
}
