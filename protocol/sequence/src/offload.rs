//! Former states that are put aside: durable storage holds them, and gives them back when they are needed.
//!
//! They are needed for operations that come late, from another epoch; while nothing does, a replica holds of
//! an epoch hardly more than its name. Whoever keeps the replica does the reading and writing.
//!
//! Invariant: what lies between the current epoch and the leading one is here, so that a move never waits.

use contract::wire::Malformed;

use crate::{EpochId, Operation, Refused, Sequence, codec};

/// Why a former state was not taken back. The replica is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unloadable {
    /// Nobody wrote these bytes.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It is not the one that was put aside.
    #[error("it is not the former state that epoch {0} put aside")]
    Other(EpochId),
    /// No former state of this epoch was put aside.
    #[error("epoch {0} put no former state aside")]
    Unasked(EpochId),
}

impl Sequence {
    /// The epochs whose former states can be put aside now.
    pub fn offloadable(&self) -> Vec<EpochId> {
        let path = self.epochs.path(self.current, self.leading);
        let needed = |at: &u32| path.revert.contains(at) || path.apply.contains(at);
        let all = (0_u32..).zip(self.epochs.list());
        let here = all.filter(|(_, epoch)| epoch.former.as_ref().is_some_and(|it| it.is_here()));
        here.filter(|(at, _)| !needed(at)).map(|(_, epoch)| epoch.id).collect()
    }

    /// Puts the former state of `epoch` aside: these bytes are to be durable before the next snapshot is.
    ///
    /// The bases that only it has are freed once what is aside had as many as half of all that are kept, so
    /// that each is looked at a few times at most, however many epochs are put aside one by one.
    ///
    /// `None` where there is none here, or it is needed for a move.
    pub fn offload(&mut self, epoch: EpochId) -> Option<Vec<u8>> {
        let at = self.epochs.find(epoch)?;
        let path = self.epochs.path(self.current, self.leading);
        if path.revert.contains(&at) || path.apply.contains(&at) {
            return None;
        }
        let former = self.epochs.list_mut()[at as usize].former.as_mut()?;
        let state = former.here()?;
        let (bytes, bases) = (codec::written(state), state.bases().len());
        former.put_aside(codec::sum(&bytes));
        self.aside += bases;
        if 2 * self.aside >= self.arena.len() {
            self.free_what_is_aside();
        }
        Some(bytes)
    }

    /// Frees the bases of epochs that were left by a rename which is aside: with its former state they come
    /// back.
    fn free_what_is_aside(&mut self) {
        let mut left = vec![false; self.epochs.list().len()];
        for epoch in self.epochs.list() {
            let aside = epoch.former.as_ref().is_some_and(|former| !former.is_here());
            if let (true, Some(parent)) = (aside, epoch.parent) {
                left[parent as usize] = true;
            }
        }
        self.compact(|epoch| (!left[epoch as usize]).then_some(epoch));
    }

    /// The epochs whose former states are aside. What was written of others is not needed any more.
    pub fn offloaded(&self) -> impl Iterator<Item = EpochId> {
        let aside = |former: &crate::former::Former| !former.is_here();
        let all = self.epochs.list().iter();
        all.filter(move |epoch| epoch.former.as_ref().is_some_and(aside)).map(|epoch| epoch.id)
    }

    /// The epochs whose former states must be taken back before `operation` can be applied.
    pub fn needed(&self, operation: &Operation) -> Vec<EpochId> {
        let from = self.epochs.find(operation.epoch());
        from.map_or_else(Vec::new, |from| self.aside_between(from, self.current))
    }

    /// Takes the former state of `epoch` back.
    ///
    /// Errors: [`Unloadable`], where the bytes are not those that [`Sequence::offload`] gave.
    pub fn load(&mut self, epoch: EpochId, bytes: &[u8]) -> Result<(), Unloadable> {
        let at = self.epochs.find(epoch).ok_or(Unloadable::Unasked(epoch))?;
        let former = self.epochs.list_mut()[at as usize].former.as_mut();
        let former = former.ok_or(Unloadable::Unasked(epoch))?;
        let expected = former.aside().ok_or(Unloadable::Unasked(epoch))?;
        let state = codec::read(bytes)?;
        if codec::sum(bytes) != expected || state.length() != former.length() {
            return Err(Unloadable::Other(epoch));
        }
        former.take_back(state);
        Ok(())
    }

    fn aside_between(&self, from: u32, to: u32) -> Vec<EpochId> {
        if from == to {
            return Vec::new();
        }
        let path = self.epochs.path(from, to);
        let all = path.revert.into_iter().chain(path.apply).map(|at| self.epochs.get(at));
        let aside =
            all.filter(|epoch| epoch.former.as_ref().is_some_and(|former| !former.is_here()));
        aside.map(|epoch| epoch.id).collect()
    }

    /// Errors: what lies between the two epochs is not all here.
    pub(crate) fn is_here_between(&self, from: u32, to: u32) -> Result<(), Refused> {
        match self.aside_between(from, to).first() {
            Some(epoch) => Err(Refused::Offloaded(*epoch)),
            None => Ok(()),
        }
    }
}
