//! The two event queues of the floor.

use std::{cmp::Reverse, collections::BinaryHeap};

/// Pending events in order of time, in microseconds, then of insertion.
pub(crate) trait Queue {
    /// Adds an event.
    fn push(&mut self, at: u64, what: u32);
    /// Takes the first event. The timers never end, so there is one.
    fn pop(&mut self) -> (u64, u32);
}

/// A binary heap over time and sequence number.
#[derive(Default)]
pub(crate) struct Heap {
    heap: BinaryHeap<Reverse<(u64, u64, u32)>>,
    pushed: u64,
}

impl Queue for Heap {
    #[inline(always)]
    fn push(&mut self, at: u64, what: u32) {
        self.pushed += 1;
        self.heap.push(Reverse((at, self.pushed, what)));
    }

    #[inline(always)]
    fn pop(&mut self) -> (u64, u32) {
        let Reverse((at, _, what)) = self.heap.pop().expect("timers never end");
        (at, what)
    }
}

/// Buckets of the wheel, of 1 µs each.
pub(crate) const RING: usize = 1 << 14;
/// No cell.
const NIL: u32 = u32::MAX;

/// A ring of buckets, each a list in order of insertion.
pub(crate) struct Wheel {
    /// First and last cell of each bucket's list.
    head: Vec<u32>,
    tail: Vec<u32>,
    /// A bit for each bucket that holds anything.
    full: Vec<u64>,
    /// Next cell, and the event.
    cells: Vec<(u32, u32)>,
    free: u32,
    now: u64,
}

impl Wheel {
    pub(crate) fn new() -> Self {
        Self {
            head: vec![NIL; RING],
            tail: vec![NIL; RING],
            full: vec![0; RING / 64],
            cells: Vec::new(),
            free: NIL,
            now: 0,
        }
    }
}

impl Queue for Wheel {
    #[inline(always)]
    fn push(&mut self, at: u64, what: u32) {
        debug_assert!(at >= self.now && at - self.now < RING as u64);
        let cell = if self.free == NIL {
            self.cells.push((NIL, what));
            self.cells.len() as u32 - 1
        } else {
            let cell = self.free;
            self.free = self.cells[cell as usize].0;
            self.cells[cell as usize] = (NIL, what);
            cell
        };
        let bucket = at as usize & (RING - 1);
        if self.head[bucket] == NIL {
            self.head[bucket] = cell;
            self.full[bucket / 64] |= 1 << (bucket % 64);
        } else {
            self.cells[self.tail[bucket] as usize].0 = cell;
        }
        self.tail[bucket] = cell;
    }

    #[inline(always)]
    fn pop(&mut self) -> (u64, u32) {
        let here = self.now as usize & (RING - 1);
        let mut word = here / 64;
        let mut bits = self.full[word] & (!0_u64 << (here % 64));
        while bits == 0 {
            word = (word + 1) % (RING / 64);
            bits = self.full[word];
        }
        let bucket = word * 64 + bits.trailing_zeros() as usize;
        self.now += (bucket.wrapping_sub(here) & (RING - 1)) as u64;
        let cell = self.head[bucket];
        let (next, what) = self.cells[cell as usize];
        self.cells[cell as usize].0 = self.free;
        self.free = cell;
        self.head[bucket] = next;
        if next == NIL {
            self.full[bucket / 64] &= !(1 << (bucket % 64));
        }
        (self.now, what)
    }
}
