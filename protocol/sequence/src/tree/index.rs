//! Where things are: by index, by identifier, by byte, by code unit; and all of it in order.

use super::{Count, NONE, Spot, Tree};
use crate::arena::{Arena, Beneath, Id, Run};

impl Tree {
    /// How much there is.
    #[inline]
    pub(crate) fn count(&self) -> Count {
        if self.lagging == NONE { self.total } else { self.total_with(self.pending()) }
    }

    fn total_with(&self, pending: Count) -> Count {
        let mut total = self.total;
        total.add(pending);
        total
    }

    /// The place behind `index` elements, of which there are as many.
    #[inline]
    pub(crate) fn seek(&mut self, index: u32) -> Spot {
        let at = self.cursor;
        if at.start != Spot::SOMEWHERE && index > at.start {
            let chars = index - at.start;
            if chars == at.chars {
                return at;
            }
            if chars <= self.leaf(at.leaf).count.chars {
                return self.walk(at, chars);
            }
        }
        self.settle_sums();
        self.descend(index)
    }

    /// [`Tree::seek`] that leaves everything as it is.
    pub(crate) fn place(&self, index: u32) -> Spot {
        let (leaf, before) = self.child_where(|before, count| index <= before.chars + count.chars);
        self.in_leaf(leaf, index - before.chars, before.chars)
    }

    /// The place behind `chars` elements of the leaf that `from` is in.
    #[inline]
    fn walk(&self, from: Spot, chars: u32) -> Spot {
        let runs = &self.leaf(from.leaf).runs;
        let mut run = from.run;
        let mut begin = from.chars - from.within;
        while chars <= begin && run > 0 {
            run -= 1;
            begin -= runs[run].length;
        }
        while chars > begin + runs[run].length {
            begin += runs[run].length;
            run += 1;
        }
        Spot { run, within: chars - begin, chars, ..from }
    }

    /// The place behind `chars` elements of `leaf`, which `start` elements precede.
    pub(super) fn in_leaf(&self, leaf: u32, chars: u32, start: u32) -> Spot {
        let beginning = Spot { leaf, run: 0, within: 0, chars: 0, start };
        if chars == 0 { beginning } else { self.walk(beginning, chars) }
    }

    /// [`Tree::child_where`] by index alone, with the sums up to date.
    fn descend(&self, index: u32) -> Spot {
        let mut left = index;
        let mut inner = self.inner(self.root);
        loop {
            let mut entries = inner.entries.iter();
            let mut entry = entries.next().expect("an inner node has children");
            for next in entries {
                if left <= entry.count.chars {
                    break;
                }
                left -= entry.count.chars;
                entry = next;
            }
            if inner.lowest {
                return self.in_leaf(entry.child, left, index - left);
            }
            inner = self.inner(entry.child);
        }
    }

    /// The leaf that is first among those where `found` holds of what is before it and what is in it; the
    /// last where it holds of none.
    fn child_where(&self, found: impl Fn(Count, Count) -> bool) -> (u32, Count) {
        let mut before = Count::default();
        let mut node = self.root;
        loop {
            let inner = self.inner(node);
            let mut slot = 0;
            while slot + 1 < inner.entries.len() {
                let mut count = inner.entries[slot].count;
                count.add(self.pending_for(node, slot));
                if found(before, count) {
                    break;
                }
                before += count;
                slot += 1;
            }
            node = inner.entries[slot].child;
            if inner.lowest {
                return (node, before);
            }
        }
    }

    /// The place of `id`: behind all that is less. Returns whether `id` itself stands behind it.
    pub(crate) fn find(&self, arena: &Arena, id: Id) -> (Spot, bool) {
        let mut inner = self.inner(self.root);
        let leaf = loop {
            let not_above = |entry: &super::nodes::Entry| arena.compare(entry.first, id).is_le();
            let slot = inner.entries.partition_point(not_above).saturating_sub(1);
            let child = inner.entries[slot].child;
            if inner.lowest {
                break child;
            }
            inner = self.inner(child);
        };
        self.find_in(arena, leaf, id)
    }

    /// [`Tree::find`] in `leaf`, which it must be in.
    pub(super) fn find_in(&self, arena: &Arena, leaf: u32, id: Id) -> (Spot, bool) {
        let runs = &self.leaf(leaf).runs;
        let at = runs.partition_point(|run| arena.compare(run.first(), id).is_le());
        let start = Spot::SOMEWHERE;
        let beginning = Spot { leaf, run: 0, within: 0, chars: 0, start };
        let Some(run) = at.checked_sub(1) else { return (beginning, false) };
        let before = runs[..run].iter().map(|run| run.length).sum::<u32>();
        let (within, exact) = match arena.under(id, runs[run].base) {
            Some((offset, how)) => {
                let within = i64::from(offset) - i64::from(runs[run].offset);
                let within = u32::try_from(within).expect("the run begins at or below it");
                let behind = u32::from(how == Beneath::Extends);
                let exact = how == Beneath::Is && within < runs[run].length;
                ((within.saturating_add(behind)).min(runs[run].length), exact)
            }
            None => (runs[run].length, false),
        };
        let spot = match (within, run) {
            (0, 0) => beginning,
            (0, run) => {
                let within = runs[run - 1].length;
                Spot { run: run - 1, within, chars: before, ..beginning }
            }
            _ => Spot { run, within, chars: before + within, ..beginning },
        };
        (spot, exact)
    }

    /// The element before `spot`.
    #[inline]
    pub(crate) fn before(&self, spot: Spot) -> Option<Id> {
        if spot.within > 0 {
            let run = self.leaf(spot.leaf).runs[spot.run];
            return Some(run.head(spot.within).last());
        }
        let previous = self.leaf(spot.leaf).previous;
        if previous == NONE {
            return None;
        }
        self.leaf(previous).runs.last().map(|run| run.last())
    }

    /// The place before `run`, where that ends at `spot`.
    #[inline]
    pub(crate) fn rubbed_out(&self, spot: Spot, run: Run) -> Option<Spot> {
        let before = self.leaf(spot.leaf).runs.get(spot.run)?.head(spot.within);
        let ends = before.base == run.base && before.end() == run.end();
        if !ends || before.length < run.length {
            return None;
        }
        let chars = spot.chars - run.length;
        Some(if before.length > run.length {
            Spot { within: spot.within - run.length, chars, ..spot }
        } else {
            self.in_leaf(spot.leaf, chars, spot.start)
        })
    }

    /// The elements from `spot` on that are of one run in one leaf.
    #[inline]
    pub(crate) fn behind(&self, spot: Spot) -> Option<Run> {
        let leaf = self.leaf(spot.leaf);
        let run = match leaf.runs.get(spot.run) {
            Some(run) if spot.within < run.length => return Some(run.without(spot.within)),
            Some(_) => leaf.runs.get(spot.run + 1),
            None => None,
        };
        match (run, leaf.next) {
            (Some(run), _) => Some(*run),
            (None, NONE) => None,
            (None, next) => self.leaf(next).runs.first().copied(),
        }
    }

    /// Runs in order, as the leaves have them: one may go on where the one before it ends.
    pub(crate) fn runs(&self) -> impl Iterator<Item = Run> {
        self.each_leaf().flat_map(|leaf| self.leaf(leaf).runs.iter().copied())
    }

    /// The longest runs, in order.
    pub(crate) fn longest_runs(&self) -> Vec<Run> {
        let mut runs =
            Vec::with_capacity(self.each_leaf().map(|leaf| self.leaf(leaf).runs.len()).sum());
        self.runs().for_each(|run| crate::arena::push_run(&mut runs, run));
        runs
    }

    /// The longest runs of `count` elements behind `index`, of which there are as many.
    pub(crate) fn runs_behind(&self, index: u32, mut count: u32) -> Vec<Run> {
        let Spot { mut leaf, mut run, mut within, .. } = self.place(index);
        let mut runs = Vec::new();
        while count > 0 {
            let Some(whole) = self.leaf(leaf).runs.get(run) else {
                (leaf, run) = (self.leaf(leaf).next, 0);
                continue;
            };
            let here = count.min(whole.length - within);
            if here > 0 {
                crate::arena::push_run(&mut runs, whole.without(within).head(here));
            }
            (run, within, count) = (run + 1, 0, count - here);
        }
        runs
    }

    fn each_leaf(&self) -> impl Iterator<Item = u32> {
        let some = |leaf: u32| (leaf != NONE).then_some(leaf);
        std::iter::successors(some(self.first), move |leaf| some(self.leaf(*leaf).next))
    }

    /// Appends the characters from index `from` to index `to`.
    pub(crate) fn read(&self, from: u32, to: u32, out: &mut String) {
        let (mut leaf, before) =
            self.child_where(|before, count| from < before.chars + count.chars);
        let (mut skip, mut left) = (from - before.chars, to - from);
        while left > 0 {
            let here = left.min(self.leaf(leaf).count.chars - skip);
            let (begin, end) = (self.byte_in(leaf, skip), self.byte_in(leaf, skip + here));
            self.leaf(leaf).text.read(begin, end, out);
            (skip, left) = (0, left - here);
            leaf = self.leaf(leaf).next;
        }
    }

    /// All that stands before element `index`, or before the end.
    pub(crate) fn count_before(&self, index: u32) -> Count {
        let (leaf, mut before) =
            self.child_where(|before, count| index <= before.chars + count.chars);
        before += self.leaf(leaf).text.before(self.byte_in(leaf, index - before.chars));
        before
    }

    /// All that stands before `spot`.
    pub(crate) fn count_at(&mut self, spot: Spot) -> Count {
        self.settle_sums();
        let (leaf, chars) = (self.leaf(spot.leaf), spot.chars);
        let mut before = if leaf.count.chars == leaf.count.bytes {
            Count { chars, bytes: chars, units: chars }
        } else {
            leaf.text.before(self.byte_in(spot.leaf, chars))
        };
        let mut up = leaf.up;
        while up.parent != NONE {
            let inner = self.inner(up.parent);
            inner.entries[..up.slot as usize].iter().for_each(|entry| before += entry.count);
            up = inner.up;
        }
        before
    }

    /// The index of the element that has byte `byte`; one more than the last at the end.
    pub(crate) fn index_of_byte(&self, byte: u32) -> u32 {
        let (leaf, before) = self.child_where(|before, count| byte < before.bytes + count.bytes);
        let text = &self.leaf(leaf).text;
        before.chars + text.before(text.floor((byte - before.bytes) as usize)).chars
    }

    /// The index of the element that has code unit `unit`; one more than the last at the end.
    pub(crate) fn index_of_unit(&self, unit: u32) -> u32 {
        let (leaf, before) = self.child_where(|before, count| unit < before.units + count.units);
        let text = &self.leaf(leaf).text;
        before.chars + text.before(text.byte_of_unit(unit - before.units)).chars
    }

    /// Bytes of memory that nodes and text take up, with what is reserved.
    pub(crate) fn held(&self) -> usize {
        let leaf =
            |leaf: &super::nodes::Leaf| leaf.text.held() + leaf.runs.capacity() * size_of::<Run>();
        let inner = |inner: &super::nodes::Inner| {
            inner.entries.capacity() * size_of::<super::nodes::Entry>()
        };
        self.leaves.capacity() * size_of::<super::nodes::Leaf>()
            + self.inners.capacity() * size_of::<super::nodes::Inner>()
            + self.leaves.iter().map(leaf).sum::<usize>()
            + self.inners.iter().map(inner).sum::<usize>()
            + self.homes.capacity() * size_of::<u32>()
    }
}
