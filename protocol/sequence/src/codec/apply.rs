//! Messages that are carried out as they are read: no operation is put together only to be taken apart.

use contract::wire::Malformed;

use super::stream::{Reader, Step, Steps};
use crate::{Identifier, Integrated, Interval, Operation, Refused, Sequence};

/// What became of the operations of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// How many are carried out.
    pub done: usize,
    /// How many wait for the renames that begin their epochs.
    pub waiting: usize,
    /// Why the others were refused, in order: these changed nothing.
    pub refused: Vec<Refused>,
}

impl Sequence {
    /// [`Reader::read`] and [`Sequence::apply`] of all that was read, without the operations in between.
    /// `reader` is that of whoever sent the message.
    ///
    /// Errors: the bytes are no message; replica and dictionary are then as they were.
    pub fn apply_message(
        &mut self,
        reader: &mut Reader,
        bytes: &[u8],
    ) -> Result<Applied, Malformed> {
        let mut applied = Applied::default();
        match reader.steps(bytes)? {
            Steps::One(step) => applied.count(self.apply_step(reader, step)),
            Steps::Many(steps) => {
                steps.into_iter().for_each(|step| applied.count(self.apply_step(reader, step)));
            }
            Steps::Read(operations) => {
                operations.iter().for_each(|operation| applied.count(self.apply(operation)));
            }
        }
        Ok(applied)
    }

    #[inline]
    fn apply_step(&mut self, reader: &Reader, step: Step<'_>) -> Result<Integrated, Refused> {
        match step {
            Step::Insert { epoch, number, offset, text } => {
                let base = reader.base(number);
                if self.types_on(epoch, base, offset, text) {
                    return Ok(Integrated::Done);
                }
                let first = Identifier::of(base.clone(), offset);
                let Some(known) = self.epochs.find(epoch) else {
                    return self.apply(&Operation::Insert { epoch, first, text: text.to_owned() });
                };
                self.apply_insert(known, &first, text)?;
                Ok(Integrated::Done)
            }
            Step::Remove { epoch, number, offset, end } => {
                let base = reader.base(number);
                if self.rubs_out(epoch, base, offset, end) {
                    return Ok(Integrated::Done);
                }
                let interval = Interval { first: Identifier::of(base.clone(), offset), end };
                let Some(known) = self.epochs.find(epoch) else {
                    return self.apply(&Operation::Remove { epoch, intervals: vec![interval] });
                };
                self.apply_remove(known, &[interval])?;
                Ok(Integrated::Done)
            }
            Step::Other(operation) => self.apply(&operation),
        }
    }
}

impl Applied {
    fn count(&mut self, result: Result<Integrated, Refused>) {
        match result {
            Ok(Integrated::Done) => self.done += 1,
            Ok(Integrated::Waits) => self.waiting += 1,
            Err(why) => self.refused.push(why),
        }
    }
}
