//! The nodes: who stands below whom, and the sums on the way up.
//!
//! Invariant: an entry's count (but for what is pending) and first identifier are those of its child; an empty leaf is the only one.

use super::{BYTES_MAX, CHILDREN_MAX, Count, NONE, RUNS_MAX, Spot, text::Text, typing::Typing};
use crate::arena::{Arena, Id, ROOT, Run};

#[derive(Clone, Copy, Debug)]
pub(super) struct Up {
    pub(super) parent: u32,
    /// Which child of the parent this is.
    pub(super) slot: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) up: Up,
    pub(super) previous: u32,
    pub(super) next: u32,
    pub(super) count: Count,
    pub(super) runs: Vec<Run>,
    pub(super) text: Text,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) child: u32,
    pub(super) count: Count,
    pub(super) first: Id,
}

#[derive(Clone, Debug)]
pub(super) struct Inner {
    pub(super) up: Up,
    /// Whether its children are leaves.
    pub(super) lowest: bool,
    pub(super) entries: Vec<Entry>,
}

/// The document: runs and text. See the module.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    pub(super) leaves: Vec<Leaf>,
    pub(super) inners: Vec<Inner>,
    pub(super) root: u32,
    pub(super) first: u32,
    /// Leaves and inner nodes that are not in use.
    pub(super) free: (Vec<u32>, Vec<u32>),
    pub(super) total: Count,
    /// Where the last edit ended: most follow there.
    pub(crate) cursor: Spot,
    pub(super) typing: Typing,
    /// The leaf that was edited last: the sums above it, and the total, do not count that yet.
    pub(super) lagging: u32,
    /// By base: the leaf in which elements of it were seen last. A guess.
    pub(super) homes: Vec<u32>,
}

impl Default for Tree {
    fn default() -> Self {
        let leaf = Leaf {
            up: Up { parent: 0, slot: 0 },
            previous: NONE,
            next: NONE,
            count: Count::default(),
            runs: Vec::new(),
            text: Text::default(),
        };
        let entry = Entry { child: 0, count: Count::default(), first: ROOT };
        let up = Up { parent: NONE, slot: 0 };
        Self {
            leaves: vec![leaf],
            inners: vec![Inner { up, lowest: true, entries: vec![entry] }],
            root: 0,
            first: 0,
            free: (Vec::new(), Vec::new()),
            total: Count::default(),
            cursor: Spot { leaf: 0, run: 0, within: 0, chars: 0, start: 0 },
            typing: Typing::default(),
            lagging: NONE,
            homes: Vec::new(),
        }
    }
}

impl Tree {
    #[inline]
    pub(super) fn leaf(&self, leaf: u32) -> &Leaf {
        &self.leaves[leaf as usize]
    }

    #[inline]
    pub(super) fn leaf_mut(&mut self, leaf: u32) -> &mut Leaf {
        &mut self.leaves[leaf as usize]
    }

    #[inline]
    pub(super) fn inner(&self, inner: u32) -> &Inner {
        &self.inners[inner as usize]
    }

    pub(super) fn up_mut(&mut self, lowest: bool, child: u32) -> &mut Up {
        if lowest {
            &mut self.leaves[child as usize].up
        } else {
            &mut self.inners[child as usize].up
        }
    }

    /// Counts what came into `leaf`.
    #[inline]
    pub(super) fn grown(&mut self, leaf: u32, count: Count) {
        self.leaf_mut(leaf).count += count;
        self.lag(leaf);
    }

    /// Counts what went from `leaf`.
    #[inline]
    pub(super) fn shrunk(&mut self, leaf: u32, count: Count) {
        self.leaf_mut(leaf).count -= count;
        self.lag(leaf);
    }

    /// Adds `count`, modulo 2^32, to the sums above `leaf`.
    pub(super) fn add_above(&mut self, leaf: u32, count: Count) {
        let mut up = self.leaf(leaf).up;
        while up.parent != NONE {
            let inner = &mut self.inners[up.parent as usize];
            inner.entries[up.slot as usize].count.add(count);
            up = inner.up;
        }
    }

    /// Tells those above which identifier now comes first in `leaf`.
    pub(super) fn refirst(&mut self, leaf: u32) {
        let Some(run) = self.leaf(leaf).runs.first() else { return };
        let first = run.first();
        let mut up = self.leaf(leaf).up;
        while up.parent != NONE {
            let inner = &mut self.inners[up.parent as usize];
            inner.entries[up.slot as usize].first = first;
            if up.slot != 0 {
                break;
            }
            up = inner.up;
        }
    }

    fn fresh_leaf(&mut self, leaf: Leaf) -> u32 {
        if let Some(free) = self.free.0.pop() {
            self.leaves[free as usize] = leaf;
            return free;
        }
        self.leaves.push(leaf);
        (self.leaves.len() - 1) as u32
    }

    fn fresh_inner(&mut self, inner: Inner) -> u32 {
        if let Some(free) = self.free.1.pop() {
            self.inners[free as usize] = inner;
            return free;
        }
        self.inners.push(inner);
        (self.inners.len() - 1) as u32
    }

    /// Tells the children of `inner` from slot `from` on where they stand.
    fn reslot(&mut self, inner: u32, from: usize) {
        let lowest = self.inner(inner).lowest;
        for slot in from..self.inner(inner).entries.len() {
            let child = self.inner(inner).entries[slot].child;
            *self.up_mut(lowest, child) = Up { parent: inner, slot: slot as u32 };
        }
    }

    fn sum(&self, inner: u32) -> Entry {
        let entries = &self.inner(inner).entries;
        let mut count = Count::default();
        entries.iter().for_each(|entry| count += entry.count);
        Entry { child: inner, count, first: entries.first().map_or(ROOT, |entry| entry.first) }
    }

    /// Puts a child behind slot `slot` of `inner`, whose sums above already count it.
    fn adopt(&mut self, inner: u32, slot: usize, entry: Entry) {
        let node = &mut self.inners[inner as usize];
        node.entries.insert(slot + 1, entry);
        if node.entries.len() <= CHILDREN_MAX {
            return self.reslot(inner, slot + 1);
        }
        let (up, lowest) = (node.up, node.lowest);
        // Documents grow at their end: then the left half stays full.
        let at = if slot + 2 == node.entries.len() { CHILDREN_MAX } else { CHILDREN_MAX / 2 };
        let entries = node.entries.split_off(at);
        let right = self.fresh_inner(Inner { up, lowest, entries });
        self.reslot(inner, 0);
        self.reslot(right, 0);
        let entries = [self.sum(inner), self.sum(right)];
        if up.parent == NONE {
            let up = Up { parent: NONE, slot: 0 };
            self.root = self.fresh_inner(Inner { up, lowest: false, entries: entries.to_vec() });
            return self.reslot(self.root, 0);
        }
        self.inners[up.parent as usize].entries[up.slot as usize] = entries[0];
        self.adopt(up.parent, up.slot as usize, entries[1]);
    }

    /// Splits `leaf` behind `chars` of its elements. Returns the new leaf, which may be empty.
    pub(super) fn split(&mut self, leaf: u32, chars: u32) -> u32 {
        self.settle_sums();
        let byte = self.byte_in(leaf, chars);
        let whole = self.leaf_mut(leaf);
        let text = whole.text.split_off(byte);
        let (mut at, mut before) = (0, 0);
        while at < whole.runs.len() && before + whole.runs[at].length <= chars {
            before += whole.runs[at].length;
            at += 1;
        }
        let mut runs = whole.runs.split_off(at);
        if before < chars {
            whole.runs.push(runs[0].head(chars - before));
            runs[0] = runs[0].without(chars - before);
        }
        whole.runs.shrink_to_fit();
        let mut count = whole.count;
        let left = if count.chars == count.bytes {
            Count { chars, bytes: chars, units: chars }
        } else {
            whole.text.before(byte)
        };
        count -= left;
        whole.count = left;
        let (up, next) = (whole.up, whole.next);
        let first = runs.first().map_or(ROOT, |run| run.first());
        let right = Leaf { up, previous: leaf, next, count, runs, text };
        let right = self.fresh_leaf(right);
        self.leaf_mut(leaf).next = right;
        if next != NONE {
            self.leaf_mut(next).previous = right;
        }
        let entry = &mut self.inners[up.parent as usize].entries[up.slot as usize];
        entry.count = left;
        self.adopt(up.parent, up.slot as usize, Entry { child: right, count, first });
        self.moved_home(right);
        right
    }

    /// Takes the child in slot `slot` out of `inner`, whose sums above do not count it any more.
    fn drop_child(&mut self, inner: u32, slot: usize) {
        let node = &mut self.inners[inner as usize];
        node.entries.remove(slot);
        let (up, left) = (node.up, node.entries.len());
        self.reslot(inner, slot);
        if left == 0 {
            assert!(up.parent != NONE, "the last leaf is never dropped");
            self.free.1.push(inner);
            return self.drop_child(up.parent, up.slot as usize);
        }
        if slot == 0 {
            self.refirst_inner(inner);
        }
        if left < CHILDREN_MAX / 4 && up.parent != NONE {
            self.join_inner(up);
        }
        while !self.inner(self.root).lowest && self.inner(self.root).entries.len() == 1 {
            let root = std::mem::take(&mut self.inners[self.root as usize].entries);
            let child = root[0].child;
            self.free.1.push(self.root);
            self.inners[child as usize].up = Up { parent: NONE, slot: 0 };
            self.root = child;
        }
    }

    fn refirst_inner(&mut self, inner: u32) {
        let first = self.inner(inner).entries[0].first;
        let mut up = self.inner(inner).up;
        while up.parent != NONE {
            let node = &mut self.inners[up.parent as usize];
            node.entries[up.slot as usize].first = first;
            if up.slot != 0 {
                break;
            }
            up = node.up;
        }
    }

    /// Joins the inner node at `up` with one beside it, where both fit into one.
    fn join_inner(&mut self, up: Up) {
        let siblings = self.inner(up.parent).entries.len();
        let left = if up.slot as usize + 1 < siblings { up.slot as usize } else { siblings - 1 };
        let Some(left) = (siblings > 1).then(|| left.min(siblings - 2)) else { return };
        let pair = [left, left + 1].map(|slot| self.inner(up.parent).entries[slot].child);
        let [into, from] = pair;
        let count = |inner: u32| self.inner(inner).entries.len();
        if count(into) + count(from) > CHILDREN_MAX * 3 / 4 {
            return;
        }
        let moved = std::mem::take(&mut self.inners[from as usize].entries);
        let at = self.inner(into).entries.len();
        self.inners[into as usize].entries.extend(moved);
        self.reslot(into, at);
        self.free.1.push(from);
        self.inners[up.parent as usize].entries[left] = self.sum(into);
        self.drop_child(up.parent, left + 1);
    }

    /// Takes an empty leaf out, or joins a small one with one beside it. The cursor is lost if it is there.
    pub(super) fn settle(&mut self, leaf: u32) {
        let small = |leaf: &Leaf, part: usize| {
            leaf.text.len() <= BYTES_MAX / part && leaf.runs.len() <= RUNS_MAX / part
        };
        let node = self.leaf(leaf);
        if !small(node, 4) {
            return;
        }
        self.settle_sums();
        let node = self.leaf(leaf);
        let up = node.up;
        if node.runs.is_empty() {
            if self.inner(up.parent).entries.len() > 1 || up.parent != self.root {
                self.unlink(leaf);
                self.drop_child(up.parent, up.slot as usize);
            }
            return;
        }
        for other in [node.next, node.previous] {
            if other == NONE || self.leaf(other).up.parent != up.parent {
                continue;
            }
            let (left, right) = if other == node.next { (leaf, other) } else { (other, leaf) };
            let bytes = self.leaf(left).text.len() + self.leaf(right).text.len();
            let runs = self.leaf(left).runs.len() + self.leaf(right).runs.len();
            if bytes <= BYTES_MAX * 3 / 4 && runs <= RUNS_MAX * 3 / 4 {
                return self.join(left, right);
            }
        }
    }

    /// Moves what is in `right` to the end of `left`, its neighbour below the same node.
    fn join(&mut self, left: u32, right: u32) {
        let (runs, text, count) = {
            let right = self.leaf_mut(right);
            (std::mem::take(&mut right.runs), std::mem::take(&mut right.text), right.count)
        };
        let into = self.leaf_mut(left);
        into.text.append(&text);
        into.runs.reserve_exact(runs.len());
        for run in runs {
            crate::arena::push_run(&mut into.runs, run);
        }
        into.count += count;
        let (up, sum) = (into.up, into.count);
        self.moved_home(left);
        self.unlink(right);
        self.inners[up.parent as usize].entries[up.slot as usize].count = sum;
        self.drop_child(up.parent, up.slot as usize + 1);
    }

    /// Takes a leaf out of the list of leaves.
    fn unlink(&mut self, leaf: u32) {
        let Leaf { previous, next, .. } = *self.leaf(leaf);
        if previous == NONE {
            self.first = next;
        } else {
            self.leaf_mut(previous).next = next;
        }
        if next != NONE {
            self.leaf_mut(next).previous = previous;
        }
        let gone = self.leaf_mut(leaf);
        (gone.runs, gone.text) = (Vec::new(), Text::default());
        self.free.0.push(leaf);
        if self.cursor.leaf == leaf {
            self.cursor = self.beginning();
        }
    }

    pub(super) fn beginning(&self) -> Spot {
        Spot { leaf: self.first, run: 0, within: 0, chars: 0, start: 0 }
    }

    /// The byte of `leaf` at which its element `chars` begins.
    #[inline]
    pub(super) fn byte_in(&self, leaf: u32, chars: u32) -> usize {
        let leaf = self.leaf(leaf);
        if leaf.count.chars == leaf.count.bytes || chars == 0 {
            chars as usize
        } else if chars == leaf.count.chars {
            leaf.text.len()
        } else {
            leaf.text.byte_of_char(chars)
        }
    }

    /// Checks every invariant. For tests.
    pub(crate) fn check(&self, arena: &Arena) {
        assert_eq!(self.inner(self.root).up.parent, NONE);
        let mut leaves = Vec::new();
        let mut sum = self.check_inner(self.root, &mut leaves);
        sum.count.add(self.pending());
        assert_eq!(sum.count, self.count());
        let mut at = self.first;
        let mut previous = NONE;
        let mut last: Option<Id> = None;
        for leaf in leaves {
            assert_eq!((leaf, previous), (at, self.leaf(leaf).previous));
            for run in &self.leaf(leaf).runs {
                assert!(run.length > 0 && i64::from(run.offset) + i64::from(run.length) < 1 << 31);
                let above = last.is_none_or(|last| arena.compare(last, run.first()).is_lt());
                assert!(above, "elements out of order");
                last = Some(run.last());
            }
            (previous, at) = (leaf, self.leaf(leaf).next);
        }
        assert_eq!(at, NONE);
    }

    fn check_inner(&self, inner: u32, leaves: &mut Vec<u32>) -> Entry {
        let node = self.inner(inner);
        assert!((1..=CHILDREN_MAX).contains(&node.entries.len()));
        for (slot, entry) in node.entries.iter().enumerate() {
            let (up, sum) = if node.lowest {
                leaves.push(entry.child);
                let leaf = self.leaf(entry.child);
                let chars: u32 = leaf.runs.iter().map(|run| run.length).sum();
                assert_eq!((chars, leaf.text.len()), (leaf.count.chars, leaf.count.bytes as usize));
                assert_eq!(leaf.text.before(leaf.text.len()), leaf.count);
                assert!(leaf.text.len() <= BYTES_MAX && leaf.runs.len() <= RUNS_MAX);
                assert!(leaf.runs.windows(2).all(|pair| !pair[0].meets(pair[1])));
                assert!(!leaf.runs.is_empty() || self.leaves.len() - self.free.0.len() == 1);
                let first = leaf.runs.first().map_or(entry.first, |run| run.first());
                (leaf.up, Entry { child: entry.child, count: leaf.count, first })
            } else {
                (self.inner(entry.child).up, self.check_inner(entry.child, leaves))
            };
            assert_eq!((up.parent, up.slot as usize), (inner, slot));
            let mut counted = entry.count;
            if node.lowest && entry.child == self.lagging {
                counted.add(self.pending());
            }
            assert_eq!((counted, entry.first), (sum.count, sum.first));
        }
        self.sum(inner)
    }
}
