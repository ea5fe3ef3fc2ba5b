//! Typing on and rubbing out at the cursor, before and behind it: most edits are one of them, and touch one leaf.
//!
//! The sums above a leaf follow when somebody asks for them, or another leaf is edited. What one leaf bounds is
//! added modulo 2^32: to ask each time whether it fits would be a good part of the work.

use super::{Count, NONE, Spot, Tree};
use crate::arena::{Id, ROOT, Run};

/// What [`Tree::type_on`] may go on with, and [`Tree::rub_out`] take away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Typing {
    /// The element before the cursor, where the cursor stands at the end of a run and the gap of the text
    /// with it; [`ROOT`] where nobody knows.
    pub(crate) last: Id,
    /// Elements for which there is room behind it, in its base and in the document.
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
    // Always, so that the count of one letter is known where it is added: read from memory it is waited for.
    #[inline(always)]
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
        let typed = Run { base, offset: offset.wrapping_add(1), length: count.chars };
        whole.length = whole.length.wrapping_add(count.chars);
        node.count.add(count);
        self.typing.room -= count.chars;
        self.typing.last = typed.last();
        self.cursor.within = self.cursor.within.wrapping_add(count.chars);
        self.cursor.chars = self.cursor.chars.wrapping_add(count.chars);
        self.lag(leaf);
        Some(typed)
    }

    /// Takes the last `chars` elements before the cursor away, at least one, and appends what they were to `out`.
    /// Returns whether it did: nothing is done where that takes more than a look at one leaf.
    #[inline]
    pub(crate) fn rub_out(&mut self, chars: u32, out: &mut Vec<Run>) -> bool {
        let Spot { leaf, run, within, .. } = self.cursor;
        let Id { base, offset } = self.typing.last;
        let node = &mut self.leaves[leaf as usize];
        if chars > within || self.typing.last == ROOT || node.count.chars != node.count.bytes {
            return false;
        }
        let first = offset.wrapping_sub_unsigned(chars).wrapping_add(1);
        if chars < within {
            let left = &mut node.runs[run];
            left.length = left.length.wrapping_sub(chars);
            self.cursor.within = within.wrapping_sub(chars);
            self.typing.last = Id { base, offset: first.wrapping_sub(1) };
        } else {
            let Some(before) = run.checked_sub(1).filter(|at| take_out(&mut node.runs, *at)) else {
                return false;
            };
            let left = node.runs[before];
            (self.cursor.run, self.cursor.within) = (before, left.length);
            self.typing.last = left.last();
        }
        node.text.rub_out(chars as usize);
        node.count.take(Count { chars, bytes: chars, units: chars });
        self.cursor.chars = self.cursor.chars.wrapping_sub(chars);
        (self.typing.room, self.typing.own) = (0, None);
        self.lag(leaf);
        out.push(Run { base, offset: first, length: chars });
        true
    }

    /// [`Tree::rub_out`] of the elements behind the cursor; where that is the end of a leaf, they are of the next one.
    #[inline]
    pub(crate) fn rub_ahead(&mut self, chars: u32, out: &mut Vec<Run>) -> bool {
        let Spot { leaf, run, within, chars: before, .. } = self.cursor;
        let node = &mut self.leaves[leaf as usize];
        let at_end = node.runs.get(run).is_some_and(|run| run.length == within);
        if within == 0 || !at_end {
            return false;
        }
        if run + 1 == node.runs.len() {
            let next = node.next;
            return next != NONE && self.rub_out_front(next, chars, out);
        }
        let behind = &mut node.runs[run + 1];
        let Run { base, offset, length } = *behind;
        if node.count.chars != node.count.bytes || node.text.gap() != before as usize {
            return false;
        }
        if chars < length {
            behind.offset = offset.wrapping_add_unsigned(chars);
            behind.length = length - chars;
        } else if chars > length || !take_out(&mut node.runs, run) {
            return false;
        }
        node.text.rub_ahead(chars as usize);
        node.count.take(Count { chars, bytes: chars, units: chars });
        self.lag(leaf);
        out.push(Run { base, offset, length: chars });
        true
    }

    /// [`Tree::rub_out`] of the first elements of `leaf`, which the cursor is not in.
    #[inline(never)]
    fn rub_out_front(&mut self, leaf: u32, chars: u32, out: &mut Vec<Run>) -> bool {
        let node = &mut self.leaves[leaf as usize];
        let Run { base, offset, length } = node.runs[0];
        if chars > length || node.count.chars != node.count.bytes {
            return false;
        }
        if chars < length {
            node.runs[0] = Run { base, offset, length }.without(chars);
        } else if node.runs.len() > 1 {
            node.runs.remove(0);
        } else {
            return false;
        }
        node.text.remove(0, chars as usize);
        node.count.take(Count { chars, bytes: chars, units: chars });
        self.lag(leaf);
        self.refirst(leaf);
        out.push(Run { base, offset, length: chars });
        true
    }

    /// The sums above `leaf` no longer follow what is in it.
    #[inline]
    pub(super) fn lag(&mut self, leaf: u32) {
        if self.lagging != leaf {
            self.settle_sums();
            self.lagging = leaf;
        }
    }

    /// What the sums above the leaf that was edited last have yet to count, modulo 2^32.
    pub(super) fn pending(&self) -> Count {
        let mut pending = Count::default();
        if self.lagging != NONE {
            let leaf = self.leaf(self.lagging);
            pending = leaf.count;
            pending.take(self.inner(leaf.up.parent).entries[leaf.up.slot as usize].count);
        }
        pending
    }

    /// Brings the sums up to date.
    #[inline]
    pub(super) fn settle_sums(&mut self) {
        if self.lagging != NONE {
            let pending = self.pending();
            self.total.add(pending);
            self.add_above(self.lagging, pending);
            self.lagging = NONE;
        }
    }

    /// Ends the typing: the tree is to be edited in another way.
    #[inline]
    pub(crate) fn stop_typing(&mut self) {
        self.typing = Typing::default();
    }

    /// What `inner` has yet to count for its child in slot `slot`.
    pub(super) fn pending_for(&self, inner: u32, slot: usize) -> Count {
        if self.lagging != NONE {
            let mut up = self.leaf(self.lagging).up;
            while up.parent != NONE {
                if (up.parent, up.slot as usize) == (inner, slot) {
                    return self.pending();
                }
                up = self.inner(up.parent).up;
            }
        }
        Count::default()
    }
}

/// Takes the run out that follows run `at`. Returns whether it did: not where that would then be joined with the
/// next.
fn take_out(runs: &mut Vec<Run>, at: usize) -> bool {
    let apart = !runs.get(at + 2).is_some_and(|next| runs[at].meets(*next));
    if apart {
        runs.remove(at + 1);
    }
    apart
}
