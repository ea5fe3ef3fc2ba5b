//! Edits of the tree: elements come in at a place, elements go from a place on, and runs are renamed.

use super::{BYTES_MAX, Count, RUNS_MAX, Spot, Tree};
use crate::arena::{Run, push_run};

/// Runs for which a leaf makes room at once: at least the two that an insert can add.
const RUNS_GROWTH: usize = 8;

/// Bytes that are put into a leaf at once.
const PIECE_MAX: usize = BYTES_MAX / 2;

impl Tree {
    /// Puts `run` with its `text` at `spot`, and the cursor behind it.
    ///
    /// The identifiers of `run` are above what is before `spot` and below what is behind it, and it has as
    /// many elements as `text` has characters.
    pub(crate) fn insert(&mut self, mut spot: Spot, mut run: Run, mut text: &str) {
        self.stop_typing();
        while text.len() > PIECE_MAX {
            let cut = (1..=PIECE_MAX).rev().find(|at| text.is_char_boundary(*at));
            let (head, rest) = text.split_at(cut.expect("a character has at most 4 bytes"));
            let ascii = text.len() == run.length as usize;
            let count =
                if ascii { Count::of_known(head, head.len() as u32) } else { Count::of(head) };
            spot = self.insert_piece(spot, run.head(count.chars), head, count);
            (run, text) = (run.without(count.chars), rest);
        }
        self.cursor = self.insert_piece(spot, run, text, Count::of_known(text, run.length));
    }

    #[inline]
    fn insert_piece(&mut self, spot: Spot, run: Run, text: &str, count: Count) -> Spot {
        debug_assert_eq!(run.length, count.chars);
        let spot = self.make_room(spot, text.len());
        let byte = self.byte_in(spot.leaf, spot.chars);
        let leaf = self.leaf_mut(spot.leaf);
        leaf.text.insert(byte, text, BYTES_MAX);
        let runs = &mut leaf.runs;
        if runs.capacity() < runs.len() + 2 {
            runs.reserve_exact((runs.len() / 2).clamp(RUNS_GROWTH, RUNS_MAX));
        }
        let mut after = Spot { chars: spot.chars + run.length, within: run.length, ..spot };
        let at_end = runs.get(spot.run).is_none_or(|before| spot.within == before.length);
        if spot.within == 0 {
            match runs.first_mut() {
                Some(next) if run.meets(*next) => {
                    (next.offset, next.length) = (run.offset, next.length + run.length);
                }
                _ => runs.insert(0, run),
            }
        } else if !at_end {
            let whole = runs[spot.run];
            runs[spot.run] = whole.head(spot.within);
            runs.splice(spot.run + 1..spot.run + 1, [run, whole.without(spot.within)]);
            after.run += 1;
        } else {
            let joined = if runs[spot.run].meets(run) {
                runs[spot.run].length += run.length;
                after.within = spot.within + run.length;
                spot.run
            } else {
                runs.insert(spot.run + 1, run);
                after.run += 1;
                spot.run + 1
            };
            if let Some(next) = runs.get(joined + 1).copied()
                && runs[joined].meets(next)
            {
                runs[joined].length += next.length;
                runs.remove(joined + 1);
            }
        }
        self.grown(spot.leaf, count);
        if spot.within == 0 {
            self.refirst(spot.leaf);
        }
        after
    }

    /// A place that is as `spot`, in a leaf that can take `bytes` and two runs more.
    #[inline]
    fn make_room(&mut self, spot: Spot, bytes: usize) -> Spot {
        let leaf = self.leaf(spot.leaf);
        if leaf.text.len() + bytes <= BYTES_MAX && leaf.runs.len() + 2 <= RUNS_MAX {
            return spot;
        }
        self.make_room_by_split(spot, bytes)
    }

    fn make_room_by_split(&mut self, spot: Spot, bytes: usize) -> Spot {
        let leaf = self.leaf(spot.leaf);
        let chars = leaf.count.chars;
        let at = if spot.chars == chars || spot.chars == 0 {
            spot.chars
        } else if leaf.runs.len() + 2 > RUNS_MAX {
            leaf.runs[..leaf.runs.len() / 2].iter().map(|run| run.length).sum()
        } else {
            chars / 2
        };
        let right = self.split(spot.leaf, at);
        let somewhere = spot.start == Spot::SOMEWHERE;
        let start = if somewhere { spot.start } else { spot.start + at };
        let placed = if spot.chars > at || at == chars {
            self.in_leaf(right, spot.chars - at, start)
        } else {
            self.in_leaf(spot.leaf, spot.chars, spot.start)
        };
        self.make_room(placed, bytes)
    }

    /// Takes `count` elements away that stand behind `spot`. Appends what they were to `out`, and puts the
    /// cursor there.
    pub(crate) fn remove(&mut self, spot: Spot, count: u32, out: &mut Vec<Run>) {
        self.stop_typing();
        self.cursor = spot;
        let here = count.min(self.leaf(spot.leaf).count.chars - spot.chars);
        if here == count {
            self.remove_in_leaf(spot, here, out);
            self.tidy(spot.leaf);
            return self.may_rub_out();
        }
        self.remove_over_leaves(spot, count, out);
    }

    fn remove_over_leaves(&mut self, mut spot: Spot, mut count: u32, out: &mut Vec<Run>) {
        let first = spot.leaf;
        let mut emptied = Vec::new();
        loop {
            let here = count.min(self.leaf(spot.leaf).count.chars - spot.chars);
            if here > 0 {
                self.remove_in_leaf(spot, here, out);
            }
            count -= here;
            if count == 0 {
                break;
            }
            if self.leaf(spot.leaf).runs.is_empty() {
                emptied.push(spot.leaf);
            }
            let leaf = self.leaf(spot.leaf).next;
            spot = Spot { leaf, run: 0, within: 0, chars: 0, start: Spot::SOMEWHERE };
        }
        emptied.into_iter().for_each(|leaf| self.settle(leaf));
        self.tidy(spot.leaf);
        // It may have been emptied, or joined with the last one just now.
        if !self.leaf(first).runs.is_empty() {
            self.settle(first);
        }
    }

    /// Makes `leaf` neither too small nor too full after a removal.
    #[inline]
    fn tidy(&mut self, leaf: u32) {
        if self.leaf(leaf).runs.len() <= RUNS_MAX {
            return self.settle(leaf);
        }
        self.split_crowded(leaf);
        if self.cursor.leaf == leaf && self.cursor.chars > self.leaf(leaf).count.chars {
            self.cursor = self.beginning();
        }
    }

    #[inline]
    fn remove_in_leaf(&mut self, spot: Spot, count: u32, out: &mut Vec<Run>) {
        let from = self.byte_in(spot.leaf, spot.chars);
        let to = self.byte_in(spot.leaf, spot.chars + count);
        let leaf = self.leaf_mut(spot.leaf);
        let gone = if leaf.count.chars == leaf.count.bytes {
            Count { chars: count, bytes: count, units: count }
        } else {
            leaf.text.count_between(from, to)
        };
        leaf.text.remove(from, to - from);
        let runs = &mut leaf.runs;
        let mut left = count;
        let (mut at, mut within) = (spot.run, spot.within);
        if within > 0 && within == runs[at].length {
            (at, within) = (at + 1, 0);
        }
        let first = at;
        while left > 0 {
            let run = runs[at];
            let here = left.min(run.length - within);
            push_run(out, run.without(within).head(here));
            left -= here;
            let tail = (within + here < run.length).then(|| run.without(within + here));
            match (within, tail) {
                (0, None) => {
                    runs.remove(at);
                }
                (0, Some(tail)) => runs[at] = tail,
                (_, None) => {
                    runs[at] = run.head(within);
                    at += 1;
                }
                (_, Some(tail)) => {
                    runs[at] = run.head(within);
                    runs.insert(at + 1, tail);
                    at += 1;
                }
            }
            within = 0;
        }
        // What is before the gap now may go on behind it.
        if at > 0
            && let Some(next) = runs.get(at).copied()
            && runs[at - 1].meets(next)
        {
            runs[at - 1].length += next.length;
            runs.remove(at);
        }
        self.shrunk(spot.leaf, gone);
        if first == 0 {
            self.refirst(spot.leaf);
        }
    }

    /// Gives the elements the identifiers of `runs`, which are as many, sorted, and none goes on where the
    /// one before it ends.
    pub(crate) fn rename(&mut self, runs: &[Run]) {
        self.stop_typing();
        self.settle_sums();
        self.homes = Vec::new();
        let mut runs = runs.iter().copied();
        let mut next = runs.next();
        let mut leaf = self.first;
        while leaf != super::NONE {
            let node = self.leaf_mut(leaf);
            let mut left = node.count.chars;
            node.runs.clear();
            while left > 0 {
                let run = next.expect("as many identifiers as elements");
                let here = run.length.min(left);
                node.runs.push(run.head(here));
                left -= here;
                next = if here < run.length { Some(run.without(here)) } else { runs.next() };
            }
            let following = node.next;
            self.refirst(leaf);
            self.split_crowded(leaf);
            leaf = following;
        }
        assert!(next.is_none(), "as many elements as identifiers");
        self.cursor = self.beginning();
    }

    /// Gives bases the handles that `moved` says.
    pub(crate) fn rebase(&mut self, moved: impl Fn(u32) -> u32) {
        self.stop_typing();
        self.settle_sums();
        self.homes = Vec::new();
        if self.count().chars == 0 {
            *self = Self::default();
            return;
        }
        for leaf in &mut self.leaves {
            leaf.runs.iter_mut().for_each(|run| run.base = moved(run.base));
        }
        for inner in &mut self.inners {
            inner.entries.iter_mut().for_each(|entry| entry.first.base = moved(entry.first.base));
        }
    }

    /// Splits `leaf` until no part has more runs than it may.
    fn split_crowded(&mut self, leaf: u32) {
        let node = self.leaf(leaf);
        if node.runs.len() > RUNS_MAX {
            let at = node.runs[..RUNS_MAX * 3 / 4].iter().map(|run| run.length).sum();
            let right = self.split(leaf, at);
            self.split_crowded(right);
        }
    }
}
