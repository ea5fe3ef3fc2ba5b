//! Edits that are only drafted: what the other replicas would be told, and no replica is changed.
//!
//! For who carries out its own edits when they come back, as everybody does. A draft costs a look-up and what
//! it names, where an edit at a copy ([`Sequence::at_site`]) costs a copy of the document; both say the same.

use std::ops::Range;

use smol_str::ToSmolStr;

use crate::{
    Dot, Flaw, FormerState, Identifier, Naming, Operation, Refused, Sequence, Tuple,
    arena::{Id, may_be_told},
    generate::spelled_between,
    rename::{OWN_EPOCHS_MAX, map_between},
    sequence::ELEMENTS_MAX,
    tree::{Count, Spot},
};

/// Who drafts an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Author {
    /// The name that it gives next.
    pub next: Dot,
    /// What it names elements by.
    pub naming: Naming,
}

impl Author {
    /// Errors: it cannot give so many names.
    fn may_name(self, count: u32) -> Result<(), Refused> {
        let Dot { site, clock } = self.next;
        if u64::from(clock) + u64::from(count) > 1 << 31 {
            return Err(Refused::Exhausted);
        }
        if site == 0 {
            return Err(Refused::Reserved);
        }
        Tuple { position: 0, site, clock, offset: 0 }.check()
    }
}

/// The first element of a new base. Errors: no message has so many tuples.
fn told(base: Vec<Tuple>) -> Result<Identifier, Refused> {
    let fits = u32::try_from(base.len()).is_ok_and(may_be_told);
    if fits { Ok(Identifier::of(base.into(), 0)) } else { Err(Refused::Long) }
}

impl Sequence {
    /// What [`Sequence::insert`] would tell at the site of `author`, of whose bases `given` says the greatest
    /// offset that was ever given, by their clocks.
    ///
    /// Errors: as there.
    pub fn drafted_insert(
        &self,
        author: Author,
        given: impl Fn(u32) -> Option<i32>,
        index: u64,
        text: &str,
        draw: &mut impl FnMut(u64) -> u64,
    ) -> Result<Vec<Operation>, Refused> {
        if text.is_empty() {
            return Err(Refused::Empty);
        }
        if self.len_utf8() + text.len() as u64 > ELEMENTS_MAX {
            return Err(Refused::Long);
        }
        let (index, _) = self.within(&(index..self.len()))?;
        let spot = self.tree.place(index);
        let (epoch, count) = (self.epoch(), Count::of(text).chars);
        match author.naming {
            Naming::Blocks => {
                let first = match self.goes_on_at(spot, author.next.site, given, count) {
                    Some(first) => self.identifier(first),
                    None => {
                        author.may_name(1)?;
                        let (lower, upper) = self.around(spot);
                        let base = spelled_between(&lower, &upper, author.next, draw);
                        told(base)?
                    }
                };
                Ok(vec![Operation::Insert { epoch, first, text: text.into() }])
            }
            Naming::Elements => {
                author.may_name(count)?;
                let (mut lower, upper) = self.around(spot);
                let Dot { site, clock } = author.next;
                let named = (clock..).zip(text.chars()).map(|(clock, element)| {
                    lower = spelled_between(&lower, &upper, Dot { site, clock }, draw);
                    let first = told(lower.clone())?;
                    Ok(Operation::Insert { epoch, first, text: element.to_smolstr() })
                });
                named.collect()
            }
        }
    }

    /// What [`Sequence::remove`] would tell. Errors: as there.
    pub fn drafted_remove(&self, range: Range<u64>) -> Result<Operation, Refused> {
        let (from, to) = self.within(&range)?;
        if from == to {
            return Err(Refused::Empty);
        }
        let runs = self.tree.runs_behind(from, to - from);
        self.may_be_told(&runs)?;
        let intervals = runs.into_iter().map(|run| self.interval(run)).collect();
        Ok(Operation::Remove { epoch: self.epoch(), intervals })
    }

    /// What [`Sequence::rename`] would tell the other replicas at a site that gives the name `next` next.
    ///
    /// Errors: as there.
    pub fn drafted_rename(&self, next: Dot) -> Result<Operation, Refused> {
        if self.is_empty() {
            return Err(Refused::Empty);
        }
        Author { next, naming: Naming::Blocks }.may_name(1)?;
        self.may_begin(OWN_EPOCHS_MAX)?;
        let runs = self.tree.longest_runs();
        let former = if self.current == self.leading {
            FormerState::of(&self.arena, &runs).0
        } else if self.flaw == Some(Flaw::PrintedMapping) {
            let mut copy = self.clone();
            copy.move_to_leading();
            FormerState::of(&copy.arena, &copy.tree.longest_runs()).0
        } else {
            // What is made known on the way is not to stay.
            let (mut epochs, mut arena) = (self.epochs.clone(), self.arena.clone());
            let path = (self.current, self.leading);
            let runs = map_between(&mut epochs, &mut arena, None, runs, path);
            FormerState::of(&arena, &runs).0
        };
        Ok(Operation::Rename { epoch: self.leading_epoch(), dot: next, former })
    }

    /// The first of `length` names that go on behind `spot`, where the last element is the last that `site` gave
    /// of its base: as [`Sequence::insert`] has it.
    fn goes_on_at(
        &self,
        spot: Spot,
        site: u32,
        given: impl Fn(u32) -> Option<i32>,
        length: u32,
    ) -> Option<Id> {
        let last = self.tree.before(spot)?;
        let dot = self.arena.dot(last.base);
        if dot.site != site || given(dot.clock) != Some(last.offset) {
            return None;
        }
        self.going_on(spot, last, length).map(|run| run.first())
    }

    /// The elements before and behind `spot`, spelled out; none where there is none.
    fn around(&self, spot: Spot) -> (Vec<Tuple>, Vec<Tuple>) {
        let spelled = |id: Option<Id>| id.map(|id| self.arena.spell(id)).unwrap_or_default();
        let behind = self.tree.behind(spot).map(|run| run.first());
        (spelled(self.tree.before(spot)), spelled(behind))
    }
}
