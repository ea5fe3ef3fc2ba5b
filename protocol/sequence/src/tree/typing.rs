//! Typing on and rubbing out at the cursor: most edits are one of them, and touch one leaf.
//!
//! The sums above that leaf follow when somebody asks for them, or edits elsewhere.

use super::{Count, NONE, Spot, Tree};
use crate::arena::Run;

/// What [`Tree::type_on`] may go on with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Typing {
    /// Elements for which there is room behind the cursor, in the base of the run that ends there. Where it is
    /// not 0, the cursor stands at the end of a run, and so does the gap of the leaf's text.
    pub(crate) room: u32,
    /// The clock of the base, where this site gave it, and never an element of it that is above the cursor.
    pub(crate) own: Option<u32>,
}

/// What the sums above a leaf do not count yet, modulo 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) leaf: u32,
    pub(super) count: Count,
}

impl Default for Pending {
    fn default() -> Self {
        Self { leaf: NONE, count: Count::default() }
    }
}

impl Tree {
    /// The index of the cursor, where it is known.
    #[inline]
    pub(crate) fn cursor_index(&self) -> Option<u64> {
        let Spot { start, chars, .. } = self.cursor;
        (start != Spot::SOMEWHERE).then(|| u64::from(start) + u64::from(chars))
    }

    /// What may be typed on with.
    #[inline]
    pub(crate) fn typing(&self) -> Typing {
        self.typing
    }

    /// Notes what may be typed on with, until the tree is edited in another way. The last edit was an insert,
    /// and at the cursor.
    #[inline]
    pub(crate) fn set_typing(&mut self, typing: Typing) {
        self.typing = typing;
    }

    /// The run that `text`, of `count`, makes behind the cursor where it is typed on; `None`, and nothing is
    /// done, where that takes more than a look at one leaf.
    #[inline]
    pub(crate) fn type_on(&mut self, text: &str, count: Count) -> Option<Run> {
        if count.chars >= self.typing.room {
            return None;
        }
        let Spot { leaf, run, .. } = self.cursor;
        let node = &mut self.leaves[leaf as usize];
        if !node.text.type_on(text) {
            return None;
        }
        let whole = &mut node.runs[run];
        let typed = Run { base: whole.base, offset: whole.end(), length: count.chars };
        whole.length += count.chars;
        node.count += count;
        self.typing.room -= count.chars;
        self.cursor.within += count.chars;
        self.cursor.chars += count.chars;
        self.total += count;
        self.pending_at(leaf).add(count);
        Some(typed)
    }

    /// The run that goes where the last `chars` elements before the cursor are taken away; `None`, and nothing
    /// is done, where that takes more than a look at one leaf.
    #[inline]
    pub(crate) fn rub_out(&mut self, chars: u32) -> Option<Run> {
        let at = self.cursor;
        let node = self.leaves.get_mut(at.leaf as usize)?;
        let run = node.runs.get_mut(at.run)?;
        let ascii = node.count.chars == node.count.bytes;
        if chars >= at.within || at.within != run.length || !ascii {
            return None;
        }
        if !node.text.rub_out(at.chars as usize, chars as usize) {
            return None;
        }
        run.length -= chars;
        let gone = Run { base: run.base, offset: run.end(), length: chars };
        let count = Count { chars, bytes: chars, units: chars };
        node.count -= count;
        self.typing = Typing::default();
        self.cursor.within -= chars;
        self.cursor.chars -= chars;
        self.total -= count;
        self.pending_at(at.leaf).take(count);
        Some(gone)
    }

    #[inline]
    fn pending_at(&mut self, leaf: u32) -> &mut Count {
        if self.pending.leaf != leaf {
            self.settle_sums();
            self.pending.leaf = leaf;
        }
        &mut self.pending.count
    }

    /// Brings the sums up to date.
    #[inline]
    pub(super) fn settle_sums(&mut self) {
        if self.pending.count != Count::default() {
            let Pending { leaf, count } = std::mem::take(&mut self.pending);
            self.add_above(leaf, count);
        }
    }

    /// Ends the typing: the tree is to be edited in another way.
    #[inline]
    pub(super) fn stop_typing(&mut self) {
        self.settle_sums();
        self.typing = Typing::default();
    }

    /// What `inner` has yet to count for its child in slot `slot`.
    pub(super) fn pending_for(&self, inner: u32, slot: usize) -> Count {
        if self.pending.count != Count::default() {
            let mut up = self.leaf(self.pending.leaf).up;
            while up.parent != NONE {
                if (up.parent, up.slot as usize) == (inner, slot) {
                    return self.pending.count;
                }
                up = self.inner(up.parent).up;
            }
        }
        Count::default()
    }
}
