//! A tree that is built at once, leaf by leaf and then level by level.

use super::{
    BYTES_MAX, CHILDREN_MAX, Count, NONE, RUNS_MAX, Spot, Tree,
    nodes::{Entry, Inner, Leaf, Up},
    text::{Text, bytes_of},
};
use crate::arena::{ROOT, Run, push_run};

/// How full nodes are made: what is edited next finds room in them.
const BYTES_FULL: usize = BYTES_MAX * 3 / 4;
const RUNS_FULL: usize = RUNS_MAX * 3 / 4;
const CHILDREN_FULL: usize = CHILDREN_MAX * 3 / 4;

impl Tree {
    /// Makes it the tree of these runs, in order, and of their text. `None` where there are not as many elements
    /// as characters; the tree is then as it was.
    pub(crate) fn load(&mut self, runs: &[Run], text: &str) -> Option<()> {
        *self = Self::of(leaves(runs, text)?);
        Some(())
    }

    fn of(leaves: Vec<Leaf>) -> Self {
        if leaves.is_empty() {
            return Self::default();
        }
        let mut tree = Self { leaves, inners: Vec::new(), ..Self::default() };
        let mut level: Vec<Entry> = (0..).zip(&tree.leaves).map(entry_of_leaf).collect();
        tree.leaves.iter().for_each(|leaf| tree.total += leaf.count);
        level = tree.parents(&level, true);
        while level.len() > 1 {
            level = tree.parents(&level, false);
        }
        tree.root = level[0].child;
        tree.cursor = Spot { leaf: tree.first, run: 0, within: 0, chars: 0, start: 0 };
        tree
    }

    /// Puts inner nodes above the children in `level`, which are leaves where `lowest`.
    fn parents(&mut self, level: &[Entry], lowest: bool) -> Vec<Entry> {
        let mut above = Vec::with_capacity(level.len().div_ceil(CHILDREN_FULL));
        for children in level.chunks(CHILDREN_FULL) {
            let parent = self.inners.len() as u32;
            let mut entry = Entry { child: parent, count: Count::default(), first: ROOT };
            for (slot, child) in (0..).zip(children) {
                *self.up_mut(lowest, child.child) = Up { parent, slot };
                entry.count += child.count;
            }
            entry.first = children[0].first;
            let up = Up { parent: NONE, slot: 0 };
            self.inners.push(Inner { up, lowest, entries: children.to_vec() });
            above.push(entry);
        }
        above
    }
}

fn entry_of_leaf((child, leaf): (u32, &Leaf)) -> Entry {
    Entry { child, count: leaf.count, first: leaf.runs[0].first() }
}

fn leaves(runs: &[Run], text: &str) -> Option<Vec<Leaf>> {
    let mut leaves = Vec::new();
    let (mut filled, mut begin, mut at) = (Vec::with_capacity(RUNS_FULL), 0, 0);
    for run in runs {
        let (mut run, end) = (*run, at + bytes_of(&text[at..], run.length)?);
        while at < end {
            if filled.len() == RUNS_FULL || at - begin + 4 > BYTES_FULL {
                leaves.push(leaf(&mut filled, &text[begin..at], leaves.len() as u32));
                begin = at;
            }
            let most = end.min(begin + BYTES_FULL);
            let cut = (0..4).map(|less| most - less).find(|cut| text.is_char_boundary(*cut));
            let cut = cut.expect("a character has at most 4 bytes");
            let chars = if cut == end { run.length } else { Count::of(&text[at..cut]).chars };
            push_run(&mut filled, run.head(chars));
            at = cut;
            if at < end {
                run = run.without(chars);
            }
        }
    }
    if at > begin {
        leaves.push(leaf(&mut filled, &text[begin..at], leaves.len() as u32));
    }
    if let Some(last) = leaves.last_mut() {
        last.next = NONE;
    }
    (at == text.len()).then_some(leaves)
}

/// Leaf `number` of the row, which another follows.
fn leaf(filled: &mut Vec<Run>, text: &str, number: u32) -> Leaf {
    let runs = filled.to_vec();
    filled.clear();
    Leaf {
        up: Up { parent: 0, slot: 0 },
        previous: number.checked_sub(1).unwrap_or(NONE),
        next: number + 1,
        count: Count::of(text),
        runs,
        text: Text::from(text),
    }
}
