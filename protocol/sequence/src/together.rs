//! Inserts that stand or fall together: all are checked before one is carried out.

use crate::{Integrated, Operation, Refused, Sequence, sequence::ELEMENTS_MAX};

impl Sequence {
    /// Carries out inserts that were made at once, each of a base of its own: all of them, or none.
    ///
    /// Errors: [`Refused`]; the replica is as it was. An epoch that is not known is not waited for.
    pub fn apply_together(&mut self, inserts: &[Operation]) -> Result<(), Refused> {
        let may = self.may_apply_together(inserts);
        self.counted(may)?;
        for insert in inserts {
            let done = self.apply(insert);
            assert_eq!(done, Ok(Integrated::Done), "it was checked with the others");
        }
        Ok(())
    }

    fn may_apply_together(&self, inserts: &[Operation]) -> Result<(), Refused> {
        let mut dots = Vec::with_capacity(inserts.len());
        let mut bytes = self.len_utf8();
        for insert in inserts {
            let Operation::Insert { epoch: id, first, text } = insert else {
                return Err(Refused::Apart);
            };
            let epoch = self.epochs.find(*id).ok_or(Refused::Unknown(*id))?;
            self.insertable(epoch, first, text)?;
            // A move that is postponed may be made after one of them.
            self.is_here_between(epoch, self.leading)?;
            self.may_be_own(first.dot())?;
            let known = self.arena.look_up(first.base()).map(|id| id.base);
            let inner = &first.base()[..first.base().len() - 1];
            self.next_behind(inner, first.dot(), known, epoch)?;
            bytes += text.len() as u64;
            dots.push(first.dot());
        }
        dots.sort_unstable();
        match dots.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Refused::Duplicate(pair[0])),
            None if bytes > ELEMENTS_MAX => Err(Refused::Long),
            None => Ok(()),
        }
    }
}
