//! Messages that are carried out as they are read: no operation is put together only to be taken apart.

use contract::wire::Malformed;

use super::{
    parts::signed,
    stream::{Piece, RUBBED_OUT, Reader, Step, TYPED},
};
use crate::{
    EpochId, Few, Integrated, Operation, Refused, Sequence, Tuple,
    arena::{Id, ROOT, Run},
    change::Nobody,
    identifier::length,
};

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
    /// `reader` is that of whoever sent the message, each of whose messages is to come once and in order: a gap or
    /// a repetition may be carried out as something else. See [`Writer`](crate::Writer).
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
        let Some((epoch, number, expected)) = reader.expected() else { return false };
        let base = reader.bases.handle(&self.arena, number);
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
                self.types_on(epoch, reader.bases.handle(&self.arena, number), offset, text)
            }
            Step::Remove { epoch, piece: Piece { number, offset, end } } => {
                self.rubs_out(epoch, reader.bases.handle(&self.arena, number), offset, end)
            }
            Step::RemoveAll { .. } | Step::Rename(_) => false,
        }
    }

    fn apply_step(&mut self, reader: &mut Reader, step: Step<'_>) -> Result<Integrated, Refused> {
        let (done, number) = match step {
            Step::Insert { epoch, number, offset, text } => {
                if let Some(done) = self.insert_here(reader, epoch, (number, offset), text) {
                    return self.counted(done).map(|()| Integrated::Done);
                }
                let first = reader.identifier(number, offset);
                let Some(known) = self.epochs.find(epoch) else {
                    return self.apply(&Operation::Insert { epoch, first, text: text.into() });
                };
                (self.apply_insert(known, &first, text), number)
            }
            Step::Remove { epoch, piece } => {
                if let Some(done) = self.remove_here(reader, epoch, &[piece]) {
                    return self.counted(done).map(|()| Integrated::Done);
                }
                let interval = reader.interval(piece);
                let Some(known) = self.epochs.find(epoch) else {
                    return self.apply(&Operation::Remove { epoch, intervals: Few::One(interval) });
                };
                (self.apply_remove(known, &[interval]), piece.number)
            }
            Step::RemoveAll { epoch, pieces } => {
                if let Some(done) = self.remove_here(reader, epoch, &pieces) {
                    return self.counted(done).map(|()| Integrated::Done);
                }
                return self.apply(&reader.removal(epoch, &pieces));
            }
            Step::Rename(rename) => return self.apply(&rename),
        };
        if let Some(base) = self.recent.foreign(reader.bases.spelled(number)) {
            reader.bases.found(&self.arena, number, base);
        }
        self.counted(done).map(|()| Integrated::Done)
    }

    /// Whether an operation of `epoch` on the element `offset` of base `number` can be carried out without its
    /// spelling: it stays in its epoch, and is not to be refused for its name.
    fn stays_unspelled(&self, epoch: EpochId, reader: &Reader, number: usize, offset: i32) -> bool {
        let dot = reader.bases.last(number).dot();
        self.stays_in(epoch) && !self.foresees(self.current, dot, offset)
    }

    /// Carries out the insert of `text` from element `offset` of base `number` on, without its spelling: where it
    /// stays in its epoch, another site made it, and the handle of what it extends is known. `None`, and nothing
    /// is done, where not.
    ///
    /// Errors: as [`Sequence::apply`].
    fn insert_here(
        &mut self,
        reader: &mut Reader,
        epoch: EpochId,
        (number, offset): (usize, i32),
        text: &str,
    ) -> Option<Result<(), Refused>> {
        let unspelled = self.stays_unspelled(epoch, reader, number, offset);
        let bases = &mut reader.bases;
        if bases.last(number).site == self.site || !unspelled {
            return None;
        }
        let known = bases.handle(&self.arena, number);
        let parent = match known {
            Some(_) => ROOT,
            None => bases.parent(&self.arena, number)?,
        };
        let mut insert = || {
            let length = self.insertable_here(offset, text)?;
            let base = match known {
                Some(base) => base,
                None => {
                    let tuples = bases.entry(number).1;
                    let base = self.extended(parent, tuples)?;
                    bases.found(&self.arena, number, base);
                    base
                }
            };
            self.insert_pieces(Run { base, offset, length }, text, &mut Nobody);
            Ok(())
        };
        Some(insert())
    }

    /// The base of `tuples` behind `parent`, made known where it is new: one of the current epoch, and what another
    /// site's insert brought is `parent`.
    fn extended(&mut self, parent: Id, tuples: &[Tuple]) -> Result<u32, Refused> {
        let step = |id, tuple: &Tuple| {
            let base = self.arena.extension(id, *tuple)?;
            Some(Id { base, offset: tuple.offset })
        };
        let known = tuples.iter().try_fold(parent, step).map(|id| id.base);
        let (last, inner) = tuples.split_last().expect("a base has a tuple of its own");
        self.clock = self.next_behind(inner, last.dot(), known, self.current)?;
        let base = match known {
            Some(base) => base,
            None => self.arena.extend_all(parent, tuples).base,
        };
        self.arena.bear(base, self.current);
        Ok(base)
    }

    /// Carries out the removal of `pieces`, at least one, without their spelling: where it stays in its epoch, and
    /// the handles of their bases are known. `None`, and nothing is done, where not.
    ///
    /// Errors: as [`Sequence::apply`].
    fn remove_here(
        &mut self,
        reader: &Reader,
        epoch: EpochId,
        pieces: &[Piece],
    ) -> Option<Result<(), Refused>> {
        let handle = |piece: &Piece| reader.bases.handle(&self.arena, piece.number);
        let unspelled =
            |piece: &Piece| self.stays_unspelled(epoch, reader, piece.number, piece.offset);
        if pieces.is_empty() || !pieces.iter().all(unspelled) {
            return None;
        }
        if let [piece] = pieces {
            let run = run(handle(piece)?, piece);
            return Some(run.map(|run| self.remove_pieces(run, &mut Nobody)));
        }
        let mut runs: Vec<Run> = Vec::with_capacity(pieces.len());
        let bases: Vec<u32> = pieces.iter().map(handle).collect::<Option<_>>()?;
        for (at, (base, piece)) in bases.into_iter().zip(pieces).enumerate() {
            let run = match run(base, piece) {
                Ok(run) => run,
                Err(why) => return Some(Err(why)),
            };
            let above = |last: &Run| self.arena.compare(last.last(), run.first()).is_lt();
            if !runs.last().is_none_or(above) {
                return Some(Err(Refused::Order(at)));
            }
            runs.push(run);
        }
        runs.into_iter().for_each(|run| self.remove_pieces(run, &mut Nobody));
        Some(Ok(()))
    }
}

/// The elements of `piece`, the handle of whose base is `base`.
fn run(base: u32, Piece { offset, end, .. }: &Piece) -> Result<Run, Refused> {
    let length = length(*offset, *end)?;
    if *offset < 0 {
        return Err(Refused::Offsets { begin: *offset, end: i64::from(*end) });
    }
    Ok(Run { base, offset: *offset, length })
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
