//! How large a rename is, by the document that it renames.

use sequence::{Moves, Sequence, Writer};

use crate::{
    bot::State,
    objects::{self, Naming},
};

/// A rename of one state of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rename {
    /// Edits that the document had seen.
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
    /// A rename of `state` by somebody who never edited it.
    pub fn of(state: &State) -> Self {
        let replica = Sequence::restore(SITE, Moves::Eager, &state.snapshot);
        let mut replica = replica.expect("a replica's own snapshot");
        let (chars, blocks) = (replica.len(), replica.blocks() as u64);
        let operation = replica.rename().expect("a document to rename");
        let short = replica.shortened(&operation).expect("its own rename");
        let bytes = Writer::default().write(std::slice::from_ref(&operation));
        Self {
            step: state.step,
            chars,
            blocks,
            short: short.len() as u64,
            bytes: bytes.expect("a replica makes none that no message can hold").len() as u64,
            objects: objects::operation(&operation, Naming::Renamable),
        }
    }
}
