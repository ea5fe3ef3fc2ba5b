//! A hierarchical timing wheel: what is due next in a sorted list, then a ring of fine buckets, a ring
//! of coarse ones, and a heap beyond.
//!
//! A fine bucket spans 4,096 ns and is sorted when its turn comes, so the order is exact whatever the
//! buckets. What lies beyond the fine ring waits in a coarse bucket of 2^27 ns (134 ms) until that
//! begins; what lies beyond the coarse ring (137 s) waits in a heap. While little is pending, the list
//! alone holds it: a sparse run never turns the wheel.
//!
//! Whatever is pushed in the order in which it is due needs no sorting: it waits in a lane beside all
//! this. Timers of one period come so, and they are the ones that wait longest.
//!
//! Invariants: nothing in the rings and the heap comes before anything in the list. The fine ring holds
//! ticks in `cursor + 1 ..= cursor + FINE`, so no two ticks share a bucket; the coarse ring and the heap
//! hold nothing of the coarse tick of `cursor` or before.

use super::{Entry, Queue, lane::Lane};
use std::{cmp::Reverse, collections::BinaryHeap};

/// Nanoseconds of a fine bucket, as a power of two.
const FINE_SHIFT: u32 = 12;
/// Fine buckets: 134 ms, which spans most latencies and many timers.
const FINE: usize = 1 << 15;
/// Nanoseconds of a coarse bucket, as a power of two: one turn of the fine ring.
const COARSE_SHIFT: u32 = FINE_SHIFT + 15;
/// Coarse buckets: 137 s, which spans nearly all timers.
const COARSE: usize = 1 << 10;
/// Events that the list holds while the wheel is empty: so few that inserting is cheaper than turning.
const NEAR_MAX: usize = 24;
/// Events of the list up to which inserting is cheaper than a heap beside it.
const INSERT_MAX: usize = 64;
/// How far ahead an event may be that goes to the lane: none that is later can go there until it popped.
const LANE_SPAN: u64 = 1 << 32;
/// No cell.
const NIL: u32 = u32::MAX;

/// A hierarchical timing wheel.
#[derive(Clone, Debug)]
pub struct Wheel {
    chunks: Vec<Chunk>,
    free: u32,
    fine: Box<[u32]>,
    fine_full: Bits<{ FINE / 64 }>,
    coarse: Box<[u32]>,
    coarse_full: Bits<{ COARSE / 64 }>,
    beyond: BinaryHeap<Reverse<Entry>>,
    /// The first coarse tick that the coarse ring or the heap holds; `u64::MAX` where there is none.
    coarse_next: u64,
    /// The fine tick at which that begins; `u64::MAX` where there is none.
    coarse_first: u64,
    /// The fine tick whose bucket was the last to go to the list.
    cursor: u64,
    /// What comes next, last first.
    near: Vec<Entry>,
    /// What belongs into `near` while that is long.
    late: BinaryHeap<Reverse<Entry>>,
    /// Whatever comes before this belongs into the list; at least the end of the cursor's tick, and at
    /// `u64::MAX` everything does.
    bound: u64,
    /// How many events the rings and the heap hold.
    far: usize,
    /// Events in the order of their times, and so of their sequence numbers.
    lane: Lane,
    /// When the last event of the lane is due, also where that has popped.
    lane_end: u64,
    /// When the last event was popped.
    popped: u64,
    pushed: u64,
}

/// Some events of a bucket, in the order in which they were pushed, in two cache lines: a crowded bucket
/// is read through, not chased through.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Chunk {
    /// The bucket's earlier chunk; in the free list, the next free one.
    next: u32,
    /// How many entries there are, at least one.
    len: u32,
    entries: [Entry; CHUNK],
}

/// Events in a chunk.
const CHUNK: usize = 5;

impl Default for Wheel {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            free: NIL,
            fine: vec![NIL; FINE].into(),
            fine_full: Bits::default(),
            coarse: vec![NIL; COARSE].into(),
            coarse_full: Bits::default(),
            beyond: BinaryHeap::new(),
            coarse_next: u64::MAX,
            coarse_first: u64::MAX,
            cursor: 0,
            near: Vec::new(),
            late: BinaryHeap::new(),
            bound: 1 << FINE_SHIFT,
            far: 0,
            lane: Lane::default(),
            lane_end: 0,
            popped: 0,
            pushed: 0,
        }
    }
}

impl Queue for Wheel {
    #[inline(always)]
    fn push(&mut self, nanos: u64, item: u32) -> u64 {
        let sequence = self.pushed;
        self.pushed += 1;
        let entry = Entry { nanos, sequence, item };
        if nanos >= self.lane_end && nanos - self.popped < LANE_SPAN {
            self.lane_end = nanos;
            self.lane.push(entry);
            return sequence;
        }
        let is_near = nanos < self.bound || self.bound == u64::MAX;
        if is_near || (self.far == 0 && self.near.len() < NEAR_MAX) {
            self.insert(entry);
        } else {
            if self.far == 0 {
                self.rebase();
            }
            self.far += 1;
            self.place(entry);
        }
        sequence
    }

    #[inline(always)]
    fn pop(&mut self, until: u64) -> Option<Entry> {
        let Some(first) = self.lane.first().filter(|first| first.nanos <= until) else {
            return self.pop_wheel((until, u64::MAX));
        };
        let sooner = self.pop_wheel((first.nanos, first.sequence));
        if sooner.is_some() {
            return sooner;
        }
        self.lane.pop();
        self.popped = first.nanos;
        Some(first)
    }

    fn len(&self) -> usize {
        self.far + self.near.len() + self.late.len() + self.lane.len()
    }
}

/// A moment, and where several events are due then, a sequence number: what comes before may pop.
type Limit = (u64, u64);

impl Wheel {
    /// What is next in the lane; something else may come before it.
    #[inline(always)]
    pub(crate) fn next_in_lane(&self) -> Option<u32> {
        self.lane.first().map(|entry| entry.item)
    }

    /// Puts an entry that comes before everything in the wheel into the list.
    #[inline(always)]
    fn insert(&mut self, entry: Entry) {
        self.bound = self.bound.max(entry.nanos);
        if self.near.is_empty() {
            self.near.push(entry);
        } else {
            self.insert_between(entry);
        }
    }

    fn insert_between(&mut self, entry: Entry) {
        if self.near.len() >= INSERT_MAX {
            self.late.push(Reverse(entry));
            return;
        }
        // Its sequence number is the highest, so it comes after all of the same time.
        let mut at = self.near.len();
        self.near.push(entry);
        while at > 0 && self.near[at - 1].nanos <= entry.nanos {
            self.near[at] = self.near[at - 1];
            at -= 1;
        }
        self.near[at] = entry;
    }

    /// Pops from all but the lane.
    #[inline(always)]
    fn pop_wheel(&mut self, limit: Limit) -> Option<Entry> {
        if !self.late.is_empty() {
            self.pop_late(limit)
        } else if !self.near.is_empty() {
            self.pop_near(limit)
        } else if self.far > 0 {
            self.pop_far(limit)
        } else {
            None
        }
    }

    /// Pops from the rings and the heap, as the list is empty.
    #[inline(always)]
    fn pop_far(&mut self, limit: Limit) -> Option<Entry> {
        let tick = self.next_tick(limit.0 >> FINE_SHIFT)?;
        let bucket = tick as usize % FINE;
        let head = self.fine[bucket];
        let chunk = &mut self.chunks[head as usize];
        let Entry { nanos, sequence, item } = chunk.entries[0];
        if chunk.len > 1 || chunk.next != NIL {
            self.take(tick);
            return self.pop_near(limit);
        }
        // Mostly a bucket holds one event: then the list need not hold it first.
        if (nanos, sequence) >= limit {
            return None;
        }
        chunk.next = self.free;
        self.free = head;
        self.fine[bucket] = NIL;
        self.fine_full.clear(bucket);
        self.far -= 1;
        self.popped = nanos;
        self.cursor = tick;
        self.bound = (tick + 1).saturating_mul(1 << FINE_SHIFT);
        Some(Entry { nanos, sequence, item })
    }

    #[inline]
    fn pop_near(&mut self, limit: Limit) -> Option<Entry> {
        let Entry { nanos, sequence, item } = *self.near.last()?;
        if (nanos, sequence) >= limit {
            return None;
        }
        self.near.truncate(self.near.len() - 1);
        self.popped = nanos;
        Some(Entry { nanos, sequence, item })
    }

    #[cold]
    fn pop_late(&mut self, limit: Limit) -> Option<Entry> {
        let late = self.late.peek()?.0;
        let first = self.near.last().map_or(late, |sorted| late.min(*sorted));
        if (first.nanos, first.sequence) >= limit {
            return None;
        }
        self.popped = first.nanos;
        if first == late { self.late.pop().map(|Reverse(late)| late) } else { self.near.pop() }
    }

    /// Moves the cursor of the empty wheel up to what comes next.
    #[cold]
    fn rebase(&mut self) {
        let first = self.bound.max(self.popped) >> FINE_SHIFT;
        self.move_cursor(self.cursor.max(first.saturating_sub(1)));
    }

    #[inline(always)]
    fn move_cursor(&mut self, tick: u64) {
        self.cursor = tick;
        self.bound = self.bound.max((tick + 1).saturating_mul(1 << FINE_SHIFT));
    }

    /// Puts an entry whose tick is after the cursor into a ring or the heap.
    #[inline(always)]
    fn place(&mut self, entry: Entry) {
        let tick = entry.nanos >> FINE_SHIFT;
        if tick - self.cursor <= FINE as u64 {
            let bucket = tick as usize % FINE;
            self.fine_full.set(bucket);
            let head = self.fine[bucket];
            self.fine[bucket] = self.add(head, entry);
        } else {
            self.place_far(entry);
        }
    }

    fn place_far(&mut self, entry: Entry) {
        let tick = entry.nanos >> COARSE_SHIFT;
        self.set_coarse(self.coarse_next.min(tick));
        if tick - (self.cursor >> (COARSE_SHIFT - FINE_SHIFT)) < COARSE as u64 {
            let bucket = tick as usize % COARSE;
            self.coarse_full.set(bucket);
            let head = self.coarse[bucket];
            self.coarse[bucket] = self.add(head, entry);
        } else {
            self.beyond.push(Reverse(entry));
        }
    }

    /// The next tick that holds anything; `None` where that is after the tick `until`.
    #[inline(always)]
    fn next_tick(&mut self, until: u64) -> Option<u64> {
        loop {
            let here = self.cursor as usize % FINE;
            let first = match self.fine_full.next_after(here) {
                Some(bucket) => self.cursor + 1 + (bucket.wrapping_sub(here + 1) % FINE) as u64,
                None => u64::MAX,
            };
            if first.min(self.coarse_first) > until {
                return None;
            }
            if first < self.coarse_first {
                return Some(first);
            }
            self.move_cursor(self.coarse_first - 1);
            self.refine(self.coarse_next);
        }
    }

    #[inline(never)]
    fn take(&mut self, tick: u64) {
        let bucket = tick as usize % FINE;
        self.bound = 0;
        self.move_cursor(tick);
        self.fine_full.clear(bucket);
        let mut next = std::mem::replace(&mut self.fine[bucket], NIL);
        while next != NIL {
            let chunk = &mut self.chunks[next as usize];
            self.near.extend(chunk.entries[..chunk.len as usize].iter().rev());
            let after = std::mem::replace(&mut chunk.next, self.free);
            self.free = std::mem::replace(&mut next, after);
        }
        self.far -= self.near.len();
        if self.near.len() > 1 {
            self.near.sort_unstable_by_key(|entry| Reverse((entry.nanos, entry.sequence)));
        }
    }

    /// Spreads the coarse tick that begins right after the cursor over the fine ring.
    #[cold]
    fn refine(&mut self, tick: u64) {
        let bucket = tick as usize % COARSE;
        self.coarse_full.clear(bucket);
        let mut next = std::mem::replace(&mut self.coarse[bucket], NIL);
        while next != NIL {
            let Chunk { entries, len, next: after } = self.chunks[next as usize];
            self.chunks[next as usize].next = self.free;
            self.free = std::mem::replace(&mut next, after);
            entries[..len as usize].iter().for_each(|entry| self.place(*entry));
        }
        while let Some(Reverse(entry)) = self.beyond.peek()
            && entry.nanos >> COARSE_SHIFT <= tick
        {
            let entry = *entry;
            self.beyond.pop();
            self.place(entry);
        }
        let ring = self.coarse_full.next_after(bucket);
        let ring = ring.map(|next| tick + 1 + (next.wrapping_sub(bucket + 1) % COARSE) as u64);
        let heap = self.beyond.peek().map(|Reverse(entry)| entry.nanos >> COARSE_SHIFT);
        self.set_coarse(ring.unwrap_or(u64::MAX).min(heap.unwrap_or(u64::MAX)));
    }

    fn set_coarse(&mut self, tick: u64) {
        self.coarse_next = tick;
        self.coarse_first = tick.saturating_mul(FINE as u64);
    }

    /// Adds an entry to the bucket that begins with chunk `head`; returns the chunk it begins with now.
    #[inline(always)]
    fn add(&mut self, head: u32, entry: Entry) -> u32 {
        if head != NIL {
            let chunk = &mut self.chunks[head as usize];
            if let Some(room) = chunk.entries.get_mut(chunk.len as usize) {
                *room = entry;
                chunk.len += 1;
                return head;
            }
        }
        if self.free == NIL {
            assert!(self.chunks.len() < NIL as usize, "more events pending than a u32 can count");
            self.chunks.push(Chunk { entries: [entry; CHUNK], next: head, len: 1 });
            return (self.chunks.len() - 1) as u32;
        }
        let at = self.free;
        let chunk = &mut self.chunks[at as usize];
        self.free = std::mem::replace(&mut chunk.next, head);
        chunk.entries[0] = entry;
        chunk.len = 1;
        at
    }
}

/// Words that say which words are not zero.
const SUMMARY: usize = FINE / 64 / 64;

/// A ring of `WORDS` x 64 bits, with a bit for each word that is not zero.
#[derive(Clone, Debug)]
struct Bits<const WORDS: usize> {
    words: [u64; WORDS],
    summary: [u64; SUMMARY],
}

impl<const WORDS: usize> Default for Bits<WORDS> {
    fn default() -> Self {
        const { assert!(WORDS <= SUMMARY * 64) };
        Self { words: [0; WORDS], summary: [0; SUMMARY] }
    }
}

impl<const WORDS: usize> Bits<WORDS> {
    #[inline]
    fn set(&mut self, bit: usize) {
        let word = bit / 64;
        self.words[word] |= 1 << (bit % 64);
        self.summary[word / 64] |= 1 << (word % 64);
    }

    #[inline]
    fn clear(&mut self, bit: usize) {
        let word = bit / 64;
        self.words[word] &= !(1 << (bit % 64));
        if self.words[word] == 0 {
            self.summary[word / 64] &= !(1 << (word % 64));
        }
    }

    /// The first set bit after `bit`, around the ring and back to `bit` itself.
    #[inline]
    fn next_after(&self, bit: usize) -> Option<usize> {
        let start = (bit + 1) % (WORDS * 64);
        let word = start / 64;
        let here = self.words[word] & (u64::MAX << (start % 64));
        if here != 0 {
            return Some(word * 64 + here.trailing_zeros() as usize);
        }
        let word = self.next_word(word + 1).or_else(|| self.next_word(0))?;
        Some(word * 64 + self.words[word].trailing_zeros() as usize)
    }

    #[inline]
    fn next_word(&self, from: usize) -> Option<usize> {
        let mut mask = u64::MAX << (from % 64);
        for part in from / 64..SUMMARY {
            let here = self.summary[part] & mask;
            if here != 0 {
                return Some(part * 64 + here.trailing_zeros() as usize);
            }
            mask = u64::MAX;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Heap;
    use proptest::prelude::*;

    /// A step of a run: push so far ahead of what was last popped, or pop up to so far ahead.
    #[derive(Clone, Debug)]
    enum Step {
        Push(u64),
        Pop(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let ahead = prop_oneof![
            0_u64..4,
            0_u64..3_000,
            0_u64..1 << 25,
            (0_u64..40).prop_map(|turns| turns << COARSE_SHIFT),
            0_u64..1 << 36,
            Just(u64::MAX),
        ];
        let step = prop_oneof![
            3 => ahead.clone().prop_map(Step::Push),
            2 => ahead.prop_map(Step::Pop),
        ];
        prop::collection::vec(step, 0..400)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn a_wheel_is_a_heap(steps in steps()) {
            let (mut wheel, mut heap, mut now) = (Wheel::default(), Heap::default(), 0_u64);
            for (item, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Push(ahead) => {
                        let at = now.saturating_add(ahead);
                        prop_assert_eq!(wheel.push(at, item as u32), heap.push(at, item as u32));
                    }
                    Step::Pop(ahead) => {
                        let until = now.saturating_add(ahead);
                        let expected = heap.pop(until);
                        prop_assert_eq!(wheel.pop(until), expected);
                        now = expected.map_or(now, |entry| entry.nanos);
                    }
                }
                prop_assert_eq!(wheel.len(), heap.len());
            }
            while let Some(expected) = heap.pop(u64::MAX) {
                prop_assert_eq!(wheel.pop(u64::MAX), Some(expected));
            }
            prop_assert!(wheel.is_empty());
        }
    }
}
