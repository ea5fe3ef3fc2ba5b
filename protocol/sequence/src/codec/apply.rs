//! Messages that are carried out as they are read: no operation is put together only to be taken apart.

use contract::wire::Malformed;

use super::{
    parts::signed,
    stream::{RUBBED_OUT, Reader, Step, TYPED},
};
use crate::{Few, Identifier, Integrated, Interval, Operation, Refused, Sequence};

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
        if self.apply_short(reader, bytes) {
            return Ok(Applied { done: 1, ..Applied::default() });
        }
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

    /// Carries out a message as short as most are: one operation that names what is to be expected and goes on
    /// at the cursor. Returns whether it is one; nothing is done where not.
    #[inline]
    fn apply_short(&mut self, reader: &mut Reader, bytes: &[u8]) -> bool {
        let Some((epoch, base, expected)) = reader.expected() else { return false };
        match *bytes {
            [1, TYPED, 0, 0, length, ref text @ ..] if usize::from(length) == text.len() => {
                let Ok(text) = std::str::from_utf8(text) else { return false };
                // A longer one has a longer form.
                let typed = length < 0x80 && self.types_on(epoch, base, expected, text);
                if typed {
                    reader.expect(self.tree.typing().last.offset.wrapping_add(1));
                }
                typed
            }
            [1, RUBBED_OUT, 1, 0, back @ ..0x80, more @ ..0x80] => {
                let offset = expected.wrapping_add(signed(u64::from(back)) as i32);
                let end = offset.wrapping_add(signed(u64::from(more)) as i32);
                let rubbed = self.rubs_out(epoch, base, offset, end);
                if rubbed {
                    reader.expect(end.wrapping_add(1));
                }
                rubbed
            }
            _ => false,
        }
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
                    return self.apply(&Operation::Insert { epoch, first, text: text.into() });
                };
                let done = self.apply_insert(known, &first, text);
                self.counted(done).map(|()| Integrated::Done)
            }
            Step::Remove { epoch, number, offset, end } => {
                let first = Identifier::of(reader.base(number).clone(), offset);
                let interval = Interval { first, end };
                let Some(known) = self.epochs.find(epoch) else {
                    return self.apply(&Operation::Remove { epoch, intervals: Few::One(interval) });
                };
                let done = self.apply_remove(known, &[interval]);
                self.counted(done).map(|()| Integrated::Done)
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
