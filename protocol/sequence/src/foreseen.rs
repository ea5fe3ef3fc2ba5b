//! Operations that name what a rename named which is neither their epoch nor above it: no honest replica begins with
//! that, for it would have to know what comes after its epoch, or beside it.
//!
//! Such a name does no harm: the mapping keeps the order of all identifiers. It is refused where that is known to be
//! no honest replica's doing, and taken where it may be.

use crate::{Dot, Flaw, Identifier, Operation, Refused, Sequence, Tuple};

impl Sequence {
    /// Errors: an insert of `epoch` that brings `first` names its own future.
    pub(crate) fn not_from_the_future(
        &self,
        epoch: u32,
        first: &Identifier,
    ) -> Result<(), Refused> {
        match self.foreseen(epoch, first.tuples()) {
            Some(dot) if !self.follows_what_was_taken(epoch, first) => {
                Err(Refused::Future { epoch: self.epochs.get(epoch).id, dot })
            }
            _ => Ok(()),
        }
    }

    /// Whether the base of `first`, or that of the element which it extends, was made in `epoch` or above: where an
    /// insert that foretold a name was taken, since the rename was not known yet, what others put there is taken.
    fn follows_what_was_taken(&self, epoch: u32, first: &Identifier) -> bool {
        let tuples = first.base();
        let taken = |tuples: &[Tuple]| {
            let known = self.arena.look_up(tuples);
            known.is_some_and(|id| self.epochs.reaches(self.arena.born(id.base), epoch))
        };
        taken(tuples) || taken(&tuples[..tuples.len() - 1])
    }

    /// A rename that is known and neither the epoch of `operation` nor above it, and of which the operation names
    /// what that one named; `None` where its own epoch is not known.
    ///
    /// No replica writes such a name but where it took one, in an insert that somebody made up before the rename
    /// was known there. So inserts that bring one are refused, and removals that find nothing; a rename is not, for
    /// whoever made it may have taken what this replica refused. Who delivers to all in causal order, and knows
    /// which names were given when an operation was made, can refuse that too.
    pub fn foresees(&self, operation: &Operation) -> Option<Dot> {
        let epoch = self.epochs.find(operation.epoch())?;
        match operation {
            Operation::Insert { first, .. } => self.foreseen(epoch, first.tuples()),
            Operation::Remove { intervals, .. } => {
                intervals.iter().find_map(|it| self.foreseen(epoch, it.first.tuples()))
            }
            Operation::Rename { former, .. } => {
                let named = |dot| self.epochs.named_elsewhere(epoch, dot);
                self.can_foresee(epoch).then(|| former.names(named)).flatten()
            }
        }
    }

    /// Whether an identifier of `epoch` can name what a rename elsewhere named, and none should.
    fn can_foresee(&self, epoch: u32) -> bool {
        // What the papers print makes such names, so that it cannot refuse them.
        self.epochs.has_elsewhere(epoch) && self.flaw != Some(Flaw::PrintedMapping)
    }

    /// [`Sequence::foresees`] of an identifier of `epoch`.
    ///
    /// What was appended to the block of a rename keeps its name in other epochs, and what was put at its ends
    /// may extend the names there: replicas that postpone their moves see both, and those that moved on.
    pub(crate) fn foreseen(
        &self,
        epoch: u32,
        tuples: impl ExactSizeIterator<Item = Tuple>,
    ) -> Option<Dot> {
        if !self.can_foresee(epoch) {
            return None;
        }
        let last = tuples.len() - 1;
        for (at, tuple) in tuples.enumerate() {
            let dot = tuple.dot();
            let Some(end) = self.epochs.named_elsewhere(epoch, dot) else { continue };
            let renamed = match tuple.offset {
                offset if at == last => offset < end,
                offset => (0..end - 1).contains(&offset),
            };
            if renamed {
                return Some(dot);
            }
        }
        None
    }
}
