//! The bases that a sender named, at a receiver: each as what it extends and the tuples behind that, and by
//! its handle once a replica has looked for it. It is spelled out only where somebody asks for the whole.
//!
//! Invariant: what a base extends stands before it; the last of its tuples has offset 0; handles are of
//! `arena`, and of bases that inserts of other sites brought there.

use std::{fmt, sync::Arc};

use crate::{
    TUPLES_MAX, Tuple,
    arena::{Arena, Id, ROOT, Token},
};

/// The number of no base.
const NONE: u32 = u32::MAX;

#[derive(Clone)]
struct Entry {
    /// The element that it extends: the number of its base, or [`NONE`], and its offset.
    above: (u32, i32),
    /// Where its tuples end among all.
    end: u32,
    /// The tuples that it has in all.
    depth: u32,
    /// [`ROOT`]'s where it is not known.
    handle: u32,
    spelled: Option<Arc<[Tuple]>>,
}

/// Bases by their numbers.
#[derive(Clone, Default)]
pub(super) struct Dictionary {
    entries: Vec<Entry>,
    tuples: Vec<Tuple>,
    /// Tuples of all of them, were they spelled out.
    pub(super) held: usize,
    arena: Option<Token>,
}

/// What it knows, whatever was looked for or spelled out of it.
impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bases = Vec::from_iter((0..self.len()).map(|number| self.entry(number)));
        f.debug_struct("Dictionary").field("bases", &bases).field("held", &self.held).finish()
    }
}

impl Dictionary {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The tuples that base `number` has.
    #[inline]
    pub(super) fn depth(&self, number: usize) -> usize {
        self.entries[number].depth as usize
    }

    /// Adds the base of `tuples`, the last with offset 0, behind the element `above` or behind nothing. `None`,
    /// and nothing is done, where no identifier has such a base.
    pub(super) fn push(&mut self, above: Option<(usize, i32)>, tuples: &[Tuple]) -> Option<()> {
        let last = tuples.last().filter(|last| !last.is_reserved())?;
        debug_assert_eq!(last.offset, 0);
        tuples.iter().try_for_each(|tuple| tuple.check()).ok()?;
        let (above, before) = match above {
            Some((number, offset)) => {
                Tuple { offset, ..self.last(number) }.check().ok()?;
                ((number as u32, offset), self.depth(number))
            }
            None if tuples[0] == Tuple::MIN || tuples[0] == Tuple::MAX => return None,
            None => ((NONE, 0), 0),
        };
        let depth = before + tuples.len();
        if depth > TUPLES_MAX {
            return None;
        }
        self.tuples.extend_from_slice(tuples);
        self.held += depth;
        let (end, handle) = (self.tuples.len() as u32, ROOT.base);
        self.entries.push(Entry { above, end, depth: depth as u32, handle, spelled: None });
        Some(())
    }

    /// Forgets all but the first `count`, which had `held` tuples.
    pub(super) fn truncate(&mut self, count: usize, held: usize) {
        self.entries.truncate(count);
        self.tuples.truncate(self.entries.last().map_or(0, |last| last.end as usize));
        self.held = held;
    }

    /// The element that base `number` extends, by the number of its base, and its tuples behind that.
    pub(super) fn entry(&self, number: usize) -> (Option<(usize, i32)>, &[Tuple]) {
        let Entry { above: (above, offset), end, .. } = self.entries[number];
        let begin = number.checked_sub(1).map_or(0, |before| self.entries[before].end);
        let above = (above != NONE).then_some((above as usize, offset));
        (above, &self.tuples[begin as usize..end as usize])
    }

    /// The last tuple of base `number`.
    pub(super) fn last(&self, number: usize) -> Tuple {
        self.tuples[self.entries[number].end as usize - 1]
    }

    /// All tuples of base `number`.
    pub(super) fn spelled(&mut self, number: usize) -> &Arc<[Tuple]> {
        if self.entries[number].spelled.is_none() {
            let mut tuples = vec![Tuple::FILL; self.depth(number)];
            let (mut at, mut to, mut offset) = (number, tuples.len(), 0);
            loop {
                let (above, own) = self.entry(at);
                tuples[to - own.len()..to].copy_from_slice(own);
                tuples[to - 1].offset = offset;
                to -= own.len();
                let Some(above) = above else { break };
                (at, offset) = above;
            }
            self.entries[number].spelled = Some(tuples.into());
        }
        self.entries[number].spelled.as_ref().expect("it was spelled out just now")
    }

    /// The handle of base `number` in `arena`, where it is known.
    #[inline]
    pub(super) fn handle(&self, arena: &Arena, number: usize) -> Option<u32> {
        let handle = self.entries.get(number)?.handle;
        let known = handle != ROOT.base && self.arena.as_ref() == Some(arena.token());
        known.then_some(handle)
    }

    /// The element that base `number` extends, where its handle is known.
    pub(super) fn parent(&self, arena: &Arena, number: usize) -> Option<Id> {
        match self.entry(number).0 {
            Some((above, offset)) => Some(Id { base: self.handle(arena, above)?, offset }),
            None => Some(ROOT),
        }
    }

    /// Notes the handle of base `number` in `arena`, to which another site's insert brought it.
    pub(super) fn found(&mut self, arena: &Arena, number: usize, handle: u32) {
        if self.arena.as_ref() != Some(arena.token()) {
            self.arena = Some(arena.token().shared());
            self.entries.iter_mut().for_each(|entry| entry.handle = ROOT.base);
        }
        self.entries[number].handle = handle;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dictionary_shows_what_it_knows_and_how_much_that_is() {
        let tuple = |clock: u32| Tuple { position: 7, site: 1, clock, offset: 0 };
        let mut known = Dictionary::default();
        known.push(None, &[tuple(0)]).expect("a base");
        known.push(Some((0, 4)), &[tuple(1)]).expect("a base");
        let shown = format!("{known:?}");
        assert!(shown.contains("Some((0, 4))") && shown.contains("held: 3"), "{shown}");
        known.spelled(1);
        assert_eq!(format!("{known:?}"), shown, "what was spelled out is nothing new");
    }
}
