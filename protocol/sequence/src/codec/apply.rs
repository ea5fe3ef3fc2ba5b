//! Messages that are carried out as they are read: no operation is put together only to be taken apart.

use contract::wire::Malformed;

use super::stream::{Reader, Step};
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
        let read = reader.steps(bytes, |reader, step| {
            if self.stays_here(reader, &step) {
                applied.done += 1;
            } else {
                applied.count(self.apply_step(reader, step));
            }
        })?;
        if read.is_none() {
            let operations = reader.read(bytes)?;
            operations.iter().for_each(|operation| applied.count(self.apply(operation)));
        }
        Ok(applied)
    }

    /// Carries `step` out where it goes on at the cursor. Returns whether it does.
    #[inline]
    fn stays_here(&mut self, reader: &Reader, step: &Step<'_>) -> bool {
        match *step {
            Step::Insert { epoch, number, offset, text } => {
                self.types_on(epoch, reader.base(number), offset, text)
            }
            Step::Remove { epoch, number, offset, end } => {
                self.rubs_out(epoch, reader.base(number), offset, end)
            }
            Step::Other(_) => false,
        }
    }

    fn apply_step(&mut self, reader: &Reader, step: Step<'_>) -> Result<Integrated, Refused> {
        match step {
            Step::Insert { epoch, number, offset, text } => {
                let first = Identifier::of(reader.base(number).clone(), offset);
                let Some(known) = self.epochs.find(epoch) else {
                    return self.apply(&Operation::Insert { epoch, first, text: text.to_owned() });
                };
                self.apply_insert(known, &first, text)?;
                Ok(Integrated::Done)
            }
            Step::Remove { epoch, number, offset, end } => {
                let first = Identifier::of(reader.base(number).clone(), offset);
                let interval = Interval { first, end };
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
