//! Identifiers, epochs and blocks of a sequence as values of a schema.

use std::collections::BTreeMap;

use sequence::{Dot, EpochId, Identifier, Interval, Tuple};

use crate::{Fault, native::typed::record};

/// Tuples that the blocks of a message spell out in all, 16 MB: bases that extend each other, and runs of
/// them, spell far more than they take.
pub(super) const SPELLED_IN_MESSAGE_MAX: usize = 1 << 20;

/// As much of a state, 256 MB: four times what a state may take.
pub(super) const SPELLED_IN_STATE_MAX: usize = 1 << 24;

record! {
    /// A tuple of an identifier.
    Step {
        1 position: i64,
        2 site: u32,
        3 clock: u32,
        4 offset: i64,
    }
}

record! {
    /// The name of a base, or of the epoch that a rename begins.
    Name {
        1 site: u32,
        2 clock: u32,
    }
}

record! {
    /// Characters in a row, each of which follows the one before it in its base.
    Piece {
        1 at: Vec<Step>,
        2 text: String,
    }
}

record! {
    /// Elements in a row of one base.
    Span {
        1 at: Vec<Step>,
        2 length: u32,
    }
}

/// What elements of a base have in common: what it extends, and a tuple without its offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Base {
    /// The number of a base that stands before it, counted from 1; 0: it extends nothing.
    pub(super) parent: u32,
    /// Which element of that.
    pub(super) at: i32,
    pub(super) position: i32,
    pub(super) site: u32,
    pub(super) clock: u32,
}

/// Elements in a row of the base with this number, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) base: u32,
    pub(super) offset: i32,
    pub(super) length: u32,
}

/// The identifiers of a document, in order: each base is there once.
///
/// Invariant: bases stand in the order in which the runs name them first, each behind what it extends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Blocks {
    pub(super) bases: Vec<Base>,
    pub(super) runs: Vec<Run>,
}

/// What no replica writes.
pub(super) fn odd(why: &sequence::Refused) -> Fault {
    Fault::Refused(why.to_string())
}

fn offset_of(number: i64) -> Result<i32, Fault> {
    i32::try_from(number).map_err(|_| Fault::Malformed("number: of 32 bits"))
}

pub(super) fn steps(identifier: &Identifier) -> Vec<Step> {
    let step = |Tuple { position, site, clock, offset }: Tuple| Step {
        position: position.into(),
        site,
        clock,
        offset: offset.into(),
    };
    identifier.tuples().map(step).collect()
}

pub(super) fn identifier(steps: &[Step]) -> Result<Identifier, Fault> {
    let tuple = |step: &Step| {
        let Step { position, site, clock, offset } = *step;
        Ok(Tuple { position: offset_of(position)?, site, clock, offset: offset_of(offset)? })
    };
    let tuples = steps.iter().map(tuple).collect::<Result<Vec<_>, Fault>>()?;
    Identifier::new(tuples).map_err(|why| odd(&why))
}

impl Name {
    pub(super) const fn of(Dot { site, clock }: Dot) -> Self {
        Self { site, clock }
    }

    pub(super) const fn dot(&self) -> Dot {
        Dot { site: self.site, clock: self.clock }
    }

    /// The epoch that the rename of this name begins.
    pub(super) const fn begun(&self) -> EpochId {
        EpochId::Renamed(self.dot())
    }
}

/// The name of an epoch; the origin has none.
pub(super) fn name(epoch: EpochId) -> Option<Name> {
    match epoch {
        EpochId::Origin => None,
        EpochId::Renamed(dot) => Some(Name::of(dot)),
    }
}

/// The other way.
pub(super) fn epoch(name: Option<&Name>) -> EpochId {
    name.map_or(EpochId::Origin, Name::begun)
}

impl Span {
    pub(super) fn of(interval: &Interval) -> Self {
        let length = interval.length().expect("a replica names intervals that run forwards");
        Self { at: steps(&interval.first), length }
    }

    pub(super) fn interval(&self) -> Result<Interval, Fault> {
        spanned(identifier(&self.at)?, self.length)
    }
}

fn spanned(first: Identifier, length: u32) -> Result<Interval, Fault> {
    let further = length.checked_sub(1).ok_or(Fault::Malformed("span: of nothing"))?;
    let end = first.offset().checked_add_unsigned(further);
    Ok(Interval { first, end: end.ok_or(Fault::Malformed("span: beyond all offsets"))? })
}

impl Blocks {
    pub(super) fn of(document: &[Interval]) -> Self {
        let mut blocks = Self { bases: Vec::new(), runs: Vec::with_capacity(document.len()) };
        let mut known: BTreeMap<(u32, i32, i32, u32, u32), u32> = BTreeMap::new();
        for interval in document {
            let (mut parent, mut at) = (0, 0);
            for Tuple { position, site, clock, offset } in interval.first.tuples() {
                let next = blocks.bases.len() as u32 + 1;
                let key = (parent, at, position, site, clock);
                let number = *known.entry(key).or_insert(next);
                if number == next {
                    blocks.bases.push(Base { parent, at, position, site, clock });
                }
                (parent, at) = (number, offset);
            }
            let length = interval.length().expect("a replica names intervals that run forwards");
            blocks.runs.push(Run { base: parent, offset: at, length });
        }
        blocks
    }

    /// Errors: [`Fault`] where no replica writes them, or they spell out more than `most` tuples.
    pub(super) fn document(&self, most: usize) -> Result<Vec<Interval>, Fault> {
        let mut left = most;
        let spelled = self.spelled(&mut left)?;
        let interval = |Run { base, offset, length }: &Run| {
            let tuples = base.checked_sub(1).and_then(|at| spelled.get(at as usize));
            let mut tuples = copied(tuples.ok_or(Fault::Malformed("run: of a base"))?, &mut left)?;
            tuples.last_mut().expect("a base has a tuple").offset = *offset;
            spanned(Identifier::new(tuples).map_err(|why| odd(&why))?, *length)
        };
        self.runs.iter().map(interval).collect()
    }

    /// The tuples of each base, of which there may be so many more.
    fn spelled(&self, left: &mut usize) -> Result<Vec<Vec<Tuple>>, Fault> {
        let mut spelled: Vec<Vec<Tuple>> = Vec::new();
        for Base { parent, at, position, site, clock } in &self.bases {
            let mut tuples = match parent.checked_sub(1) {
                None => Vec::new(),
                Some(parent) => {
                    let parent = spelled.get(parent as usize);
                    copied(parent.ok_or(Fault::Malformed("base: behind what it extends"))?, left)?
                }
            };
            if let Some(last) = tuples.last_mut() {
                last.offset = *at;
            }
            let (position, site, clock) = (*position, *site, *clock);
            tuples.push(Tuple { position, site, clock, offset: 0 });
            spelled.push(tuples);
        }
        Ok(spelled)
    }
}

/// A copy of these tuples, where that many more may be spelled.
fn copied(tuples: &[Tuple], left: &mut usize) -> Result<Vec<Tuple>, Fault> {
    let after = left.checked_sub(tuples.len()).ok_or(Fault::Malformed("blocks: too deep"))?;
    *left = after;
    Ok(tuples.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bases each of which extends the one before it, and runs of the last.
    fn deep(bases: u32, runs: u32) -> Blocks {
        let base = |parent| Base { parent, at: 0, position: 1, site: 1, clock: parent };
        let run = |at: u32| Run { base: bases, offset: 2 * at as i32, length: 1 };
        Blocks { bases: (0..bases).map(base).collect(), runs: (0..runs).map(run).collect() }
    }

    #[test]
    fn blocks_are_the_document_again() {
        let document = deep(7, 5).document(100).expect("shallow enough");
        assert_eq!(document.len(), 5);
        assert_eq!(Blocks::of(&document), deep(7, 5));
        assert_eq!(Blocks::of(&document).document(100), Ok(document));
    }

    #[test]
    fn few_bytes_that_spell_much_are_refused() {
        assert_eq!(deep(7, 5).document(55), Err(Fault::Malformed("blocks: too deep")));
        assert!(deep(7, 5).document(56).is_ok());
        assert!(deep(3_000, 1).document(SPELLED_IN_MESSAGE_MAX).is_err());
        assert!(deep(1_000, 1_000).document(SPELLED_IN_MESSAGE_MAX).is_err());
    }

    #[test]
    fn what_names_no_base_or_no_offset_is_refused() {
        let refused = |change: &dyn Fn(&mut Blocks)| {
            let mut blocks = deep(3, 1);
            change(&mut blocks);
            blocks.document(100).expect_err("refused")
        };
        for base in [0, 4] {
            refused(&|blocks| blocks.runs[0].base = base);
        }
        refused(&|blocks| blocks.bases[1].parent = 2);
        refused(&|blocks| blocks.runs[0].length = 0);
        refused(&|blocks| blocks.runs[0].offset = i32::MAX);
        refused(&|blocks| blocks.bases[0].position = i32::MIN);
        refused(&|blocks| blocks.bases[2].site = u32::MAX);
    }
}
