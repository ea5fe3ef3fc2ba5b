//! Typing on and rubbing out at the cursor: most edits are one of them, and touch one leaf.
//!
//! The sums above that leaf follow when somebody asks for them, or edits elsewhere.

use super::{Count, NONE, Spot, Tree};
use crate::arena::{Id, ROOT, Run};

/// What [`Tree::type_on`] may go on with, and [`Tree::rub_out`] take away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Typing {
    /// The element before the cursor, where the cursor stands at the end of a run and the gap of the text
    /// with it; [`ROOT`] where nobody knows.
    pub(crate) last: Id,
    /// Elements for which there is room behind it, in its base.
    pub(crate) room: u32,
    /// The clock of the base, where this site gave it, and never an element of it that is above the cursor.
    pub(crate) own: Option<u32>,
}

impl Typing {
    const STOPPED: Self = Self { last: ROOT, room: 0, own: None };
}

impl Default for Typing {
    fn default() -> Self {
        Self::STOPPED
    }
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
    /// and `typing.last` the last of it.
    #[inline]
    pub(crate) fn set_typing(&mut self, typing: Typing) {
        let Spot { leaf, run, within, .. } = self.cursor;
        // Where what follows was joined with it, the cursor is inside a run.
        if self.leaf(leaf).runs.get(run).is_some_and(|run| run.length == within) {
            self.typing = typing;
        }
    }

    /// Notes what can be rubbed out after a removal at the cursor.
    #[inline]
    pub(super) fn may_rub_out(&mut self) {
        let Spot { leaf, run, within, chars, .. } = self.cursor;
        let leaf = self.leaf(leaf);
        // Where leaves were split or joined, the gap is elsewhere.
        let gap_is_here = leaf.count.chars == leaf.count.bytes && leaf.text.gap() == chars as usize;
        if within > 0
            && gap_is_here
            && let Some(run) = leaf.runs.get(run)
            && run.length == within
        {
            self.typing.last = run.last();
        }
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
        let Id { base, offset } = self.typing.last;
        let typed = Run { base, offset: offset + 1, length: count.chars };
        whole.length += count.chars;
        node.count += count;
        self.typing.room -= count.chars;
        self.typing.last = typed.last();
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
        let node = &mut self.leaves[at.leaf as usize];
        let ascii = node.count.chars == node.count.bytes;
        if chars >= at.within || self.typing.last == ROOT || !ascii {
            return None;
        }
        node.text.rub_out(chars as usize);
        node.runs[at.run].length -= chars;
        let count = Count { chars, bytes: chars, units: chars };
        node.count -= count;
        let Id { base, offset } = self.typing.last;
        let last = Id { base, offset: offset.wrapping_sub_unsigned(chars) };
        let gone = Run { base, offset: last.offset + 1, length: chars };
        self.typing = Typing { last, room: 0, own: None };
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
