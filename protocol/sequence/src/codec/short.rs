//! A rename in few bytes: bases that every receiver has are named, not spelled.
//!
//! A base that was made in the epoch which the rename leaves is named by its dot alone. Whoever has delivered
//! the inserts of that epoch has it, so that causal delivery is enough; others are told which base is missing
//! and wait for it, or ask for the rename as it is ([`Sequence::rename_of`]). A sum over the whole document
//! makes sure that what comes out is what went in; whoever forges a rename needs no collision.
//!
//! Who came back from a snapshot has the bases of its document, and looks for others in what known renames of
//! the same epoch left. Of bases that are in neither, since all of their elements are gone, it must ask.

use contract::wire::{Malformed, take_array};

use super::{
    parts::{put_epoch, take_epoch},
    state::{Unread, put_state, sum, take_state, written},
};
use crate::{Dot, EpochId, Operation, Sequence};

/// Why a short rename is not understood. The replica is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Nobody wrote it.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The epoch that it leaves is not known here: it waits for that one's rename.
    #[error("epoch {0} is not known here")]
    Unknown(EpochId),
    /// It names a base that is not known here: it waits for the insert, or is asked for in full.
    #[error("no base {0} is known here")]
    Missing(Dot),
    /// The bases that it names are others here: it is asked for in full.
    #[error("it names other bases than there are here")]
    Other,
}

impl Sequence {
    /// `rename` in few bytes, for receivers that have what this replica has; `None` where it is no rename of
    /// an epoch that is known here.
    pub fn shortened(&self, rename: &Operation) -> Option<Vec<u8>> {
        let Operation::Rename { epoch, dot, former } = rename else { return None };
        let parent = self.epochs.find(*epoch)?;
        let known = former.look_up(&self.arena);
        let named = |number: u32| {
            known[number as usize].is_some_and(|base| self.arena.born(base) == parent)
        };
        let mut out = Vec::new();
        put_epoch(&mut out, *epoch);
        put_epoch(&mut out, EpochId::Renamed(*dot));
        out.extend_from_slice(&sum(&written(former)).to_le_bytes());
        put_state(&mut out, former, named);
        Some(out)
    }

    /// The rename of which these are the bytes.
    ///
    /// Errors: [`Unreadable`]; the replica is as it was.
    pub fn lengthened(&self, mut bytes: &[u8]) -> Result<Operation, Unreadable> {
        let bytes = &mut bytes;
        let epoch = take_epoch(bytes)?;
        let EpochId::Renamed(dot) = take_epoch(bytes)? else {
            return Err(Malformed("the name of a rename").into());
        };
        let expected = u64::from_le_bytes(take_array(bytes)?);
        let parent = self.epochs.find(epoch).ok_or(Unreadable::Unknown(epoch))?;
        let (mut left, mut guessed) = (None, None);
        let found = take_state(bytes, |dot| {
            self.arena.named(dot, parent).or_else(|| {
                guessed = guessed.or(Some(dot));
                left.get_or_insert_with(|| self.epochs.left_by_renames_of(parent)).base(dot)
            })
        });
        let read = match found {
            Ok(_) if !bytes.is_empty() => Err(Malformed("bytes after the rename").into()),
            Ok(former) if sum(&written(&former)) != expected => Err(Unreadable::Other),
            Ok(former) => Ok(Operation::Rename { epoch, dot, former }),
            Err(Unread::Malformed(why)) => Err(Unreadable::Malformed(why)),
            Err(Unread::Missing(dot)) => Err(Unreadable::Missing(dot)),
        };
        // What is wrong may be the guess, and not the bytes.
        read.map_err(|why| guessed.map_or(why, Unreadable::Missing))
    }
}
