//! First in, first out: a ring that grows.

use super::Entry;

/// Entries in the order in which they were pushed.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    /// A power of two.
    entries: Box<[Entry]>,
    /// How many were popped and how many pushed, both modulo 2^64.
    popped: usize,
    pushed: usize,
}

/// Entries for which there is room from the start.
const ROOM: usize = 16;
const NONE: Entry = Entry { nanos: 0, sequence: 0, item: 0 };

impl Default for Lane {
    fn default() -> Self {
        Self { entries: vec![NONE; ROOM].into(), popped: 0, pushed: 0 }
    }
}

impl Lane {
    pub(super) fn len(&self) -> usize {
        self.pushed.wrapping_sub(self.popped)
    }

    #[inline(always)]
    pub(super) fn push(&mut self, entry: Entry) {
        if self.len() == self.entries.len() {
            self.grow();
        }
        let mask = self.entries.len() - 1;
        self.entries[self.pushed & mask] = entry;
        self.pushed = self.pushed.wrapping_add(1);
    }

    /// The one that is out next.
    #[inline(always)]
    pub(super) fn first(&self) -> Option<Entry> {
        let mask = self.entries.len() - 1;
        if self.popped == self.pushed { None } else { Some(self.entries[self.popped & mask]) }
    }

    /// Takes out [`Lane::first`], which there is.
    #[inline(always)]
    pub(super) fn pop(&mut self) {
        self.popped = self.popped.wrapping_add(1);
    }

    #[cold]
    fn grow(&mut self) {
        let first = self.popped & (self.entries.len() - 1);
        let mut longer = vec![NONE; 2 * self.entries.len()];
        longer[..self.entries.len()].copy_from_slice(&self.entries);
        longer[..self.entries.len()].rotate_left(first);
        (self.popped, self.pushed) = (0, self.entries.len());
        self.entries = longer.into();
    }
}
