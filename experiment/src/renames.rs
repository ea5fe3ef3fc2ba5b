//! How large renames are, by the documents that they rename.

use sequence::{Moves, Operation, Sequence, Writer};

use crate::{
    bot::{Entry, State},
    fleet::Outcome,
    objects::{self, Naming},
};

/// A rename of one state of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rename {
    /// Edits that whoever renamed had seen.
    pub step: u32,
    /// Characters of the document.
    pub chars: u64,
    /// Its blocks.
    pub blocks: u64,
    /// Bytes of the operation, for receivers that know its bases.
    pub short: u64,
    /// Bytes of the operation, encoded alone.
    pub bytes: u64,
    /// The operation in the papers' measure.
    pub objects: u64,
}

/// A site that no bot has.
const SITE: u32 = 1_001;

impl Rename {
    /// `operation`, which is sent in so many bytes; `None` where it is no rename.
    fn new(step: u32, operation: &Operation, short: u64) -> Option<Self> {
        let Operation::Rename { former, .. } = operation else { return None };
        let intervals = former.intervals();
        let lengths = intervals.iter().map(|each| u64::from(each.length().unwrap_or(0)));
        let bytes = Writer::default().write(std::slice::from_ref(operation));
        Some(Self {
            step,
            chars: lengths.sum(),
            blocks: intervals.len() as u64,
            short,
            bytes: bytes.expect("a replica makes none that no message can hold").len() as u64,
            objects: objects::operation(operation, Naming::Renamable),
        })
    }

    /// A rename of `state` by somebody who never edited it.
    fn of(state: &State) -> Self {
        let replica = Sequence::restore(SITE, Moves::Eager, &state.snapshot);
        let mut replica = replica.expect("a replica's own snapshot");
        let operation = replica.rename().expect("a document to rename");
        let short = replica.shortened(&operation).expect("its own rename");
        Self::new(state.step, &operation, short.len() as u64).expect("it is a rename")
    }
}

/// The renames of a run; of one without, as in the papers, what a rename would be at each of its steps.
pub(crate) fn renames(outcome: &Outcome) -> Vec<Rename> {
    let Some(renames) = outcome.row.renames else {
        // There is nothing to rename in an empty document.
        let states = outcome.states.iter().zip(&outcome.samples[0]);
        return states
            .filter(|(_, sample)| sample.chars > 0)
            .map(|(state, _)| Rename::of(state))
            .collect();
    };
    let (mut edits, every) = (0, renames.every.get());
    let mut found = Vec::new();
    for Entry { operation, short, .. } in &outcome.log {
        match short {
            // Those of others come a little after the step that they are of.
            Some(short) => found.extend(Rename::new(edits / every * every, operation, *short)),
            None => edits += 1,
        }
    }
    found
}
