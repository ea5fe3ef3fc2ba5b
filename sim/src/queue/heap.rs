//! The textbook queue: a binary heap.

use super::{Entry, Queue};
use std::{cmp::Reverse, collections::BinaryHeap};

/// A binary heap of entries.
#[derive(Clone, Debug, Default)]
pub struct Heap {
    entries: BinaryHeap<Reverse<Entry>>,
    pushed: u64,
}

impl Queue for Heap {
    fn push(&mut self, nanos: u64, item: u32) -> u64 {
        let sequence = self.pushed;
        self.pushed += 1;
        self.entries.push(Reverse(Entry { nanos, sequence, item }));
        sequence
    }

    fn pop(&mut self, until: u64) -> Option<Entry> {
        if self.entries.peek()?.0.nanos > until {
            return None;
        }
        self.entries.pop().map(|Reverse(entry)| entry)
    }

    fn len(&self) -> usize {
        self.entries.len()
    }
}
