//! A rename in few bytes: bases that every receiver has are named, not spelled.
//!
//! A base that was made in the epoch which the rename leaves is named by its dot alone. Whoever has delivered
//! the inserts of that epoch has it, so that causal delivery is enough; others are told which base is missing
//! and wait for it, or ask for the rename as it is ([`Sequence::rename_of`]). A sum over the whole document
//! makes sure that what comes out is what went in; whoever forges a rename needs no collision.

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
        let found = take_state(bytes, |dot| self.arena.named(dot, parent));
        let former = found.map_err(|why| match why {
            Unread::Malformed(why) => Unreadable::Malformed(why),
            Unread::Missing(dot) => Unreadable::Missing(dot),
        })?;
        if !bytes.is_empty() {
            return Err(Malformed("bytes after the rename").into());
        }
        if sum(&written(&former)) != expected {
            return Err(Unreadable::Other);
        }
        Ok(Operation::Rename { epoch, dot, former })
    }
}
