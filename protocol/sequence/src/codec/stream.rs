//! What a receiver reads of a sender, message by message.

use std::sync::Arc;

use contract::wire::{Malformed, take_byte, take_varint};

use super::{
    HELD_MAX, SPELLED_MAX,
    dictionary::Dictionary,
    parts::{take_count, take_epoch, take_signed, take_text, take_tuple, take_u32},
    state::take_whole,
};
use crate::{Dot, EpochId, Few, Identifier, Interval, Operation, TUPLES_MAX, tree::Count};

pub(super) const INSERT: u8 = 0;
pub(super) const REMOVE: u8 = 1;
pub(super) const RENAME: u8 = 2;
/// The operation is of the same epoch as the one before it.
pub(super) const SAME_EPOCH: u8 = 4;

/// What begins an insert, and a removal, of the same epoch.
pub(super) const TYPED: u8 = INSERT | SAME_EPOCH;
pub(super) const RUBBED_OUT: u8 = REMOVE | SAME_EPOCH;

/// The dictionary of a sender, at a receiver: of one [`Writer`](crate::Writer), whose messages it reads once each and
/// in the order in which they were written. It begins with the first of them, or as a clone of one that is as far.
///
/// A gap or a repetition is not always noticed: see [`Writer`](crate::Writer).
#[derive(Clone, Debug, Default)]
pub struct Reader {
    pub(super) bases: Dictionary,
    told: Told,
}

/// What the last operation named: most name what follows it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    pub(super) epoch: EpochId,
    pub(super) base: u32,
    /// The offset behind what was inserted or named last.
    pub(super) offset: i32,
}

/// An operation, as it stands in a message: bases by their numbers in the dictionary.
#[derive(Debug)]
pub(super) enum Step<'a> {
    Insert {
        epoch: EpochId,
        number: usize,
        offset: i32,
        text: &'a str,
    },
    /// A removal of one interval.
    Remove {
        epoch: EpochId,
        piece: Piece,
    },
    /// A removal of several, or none.
    RemoveAll {
        epoch: EpochId,
        pieces: Vec<Piece>,
    },
    Rename(Box<Operation>),
}

/// The elements of a base from `offset` to `end`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// The base, by its number.
    pub(super) number: usize,
    pub(super) offset: i32,
    pub(super) end: i32,
}

impl Reader {
    /// The operations of a message, the next of its sender: each message is to be read once, and none left out.
    ///
    /// Errors: the bytes are no message, or one that cannot follow what was read before; the dictionary is then
    /// as it was. That there is no error does not say that none was left out or came twice: what follows a gap
    /// may read as another operation. See [`Writer`](crate::Writer).
    pub fn read(&mut self, mut bytes: &[u8]) -> Result<Vec<Operation>, Malformed> {
        let (told, held, known) = (self.told, self.bases.held, self.bases.len());
        // Kept where the dictionary is emptied under way, for the bytes may prove to be no message.
        let mut emptied = None;
        let read = self.read_all(&mut bytes, &mut emptied);
        if read.is_err() {
            if let Some(bases) = emptied {
                self.bases = bases;
            }
            self.bases.truncate(known, held);
            self.told = told;
        }
        read
    }

    fn read_all(
        &mut self,
        bytes: &mut &[u8],
        emptied: &mut Option<Dictionary>,
    ) -> Result<Vec<Operation>, Malformed> {
        let count = take_count(bytes)?;
        let mut spelled = 0;
        let mut operations = Vec::new();
        for _ in 0..count {
            if self.bases.held >= HELD_MAX {
                let bases = std::mem::take(&mut self.bases);
                emptied.get_or_insert(bases);
                self.told = Told { epoch: self.told.epoch, ..Told::default() };
            }
            operations.push(self.take(bytes, &mut spelled)?);
        }
        if bytes.is_empty() { Ok(operations) } else { Err(Malformed("bytes after the message")) }
    }

    /// The steps of a message, the next of its sender, handed to `each` once all of it was read. `None` where the
    /// dictionary is to be emptied under way: numbers would mean something else then, and nothing is done.
    ///
    /// Errors: as [`Reader::read`].
    #[inline]
    pub(super) fn steps<'a>(
        &mut self,
        bytes: &'a [u8],
        mut each: impl FnMut(&mut Self, Step<'a>),
    ) -> Result<Option<()>, Malformed> {
        let (told, held, known) = (self.told, self.bases.held, self.bases.len());
        let mut steps = Vec::new();
        let read = match bytes {
            [1, rest @ ..] if held < HELD_MAX => self.only_step(rest).map(|step| {
                each(self, step);
                Some(())
            }),
            _ => self.all_steps(bytes, &mut steps),
        };
        if matches!(read, Ok(Some(()))) {
            steps.into_iter().for_each(|step| each(self, step));
        } else {
            self.bases.truncate(known, held);
            self.told = told;
        }
        read
    }

    #[inline]
    fn only_step<'a>(&mut self, mut bytes: &'a [u8]) -> Result<Step<'a>, Malformed> {
        let step = self.take_step(&mut bytes, &mut 0)?;
        if bytes.is_empty() { Ok(step) } else { Err(Malformed("bytes after the message")) }
    }

    fn all_steps<'a>(
        &mut self,
        mut bytes: &'a [u8],
        steps: &mut Vec<Step<'a>>,
    ) -> Result<Option<()>, Malformed> {
        let bytes = &mut bytes;
        let mut spelled = 0;
        for _ in 0..take_count(bytes)? {
            if self.bases.held >= HELD_MAX {
                return Ok(None);
            }
            steps.push(self.take_step(bytes, &mut spelled)?);
        }
        if bytes.is_empty() { Ok(Some(())) } else { Err(Malformed("bytes after the message")) }
    }

    /// What the next operation names if it goes on where the last one ended: its epoch, its base and its offset.
    #[inline]
    pub(super) fn expected(&self) -> Option<(EpochId, usize, i32)> {
        let Told { epoch, base, offset } = self.told;
        (self.bases.held < HELD_MAX).then_some((epoch, base as usize, offset))
    }

    /// Notes where an operation ended that named what was expected.
    #[inline]
    pub(super) fn expect(&mut self, offset: i32) {
        self.told.offset = offset;
    }

    /// What a step of the last message has, spelled out.
    pub(super) fn interval(&mut self, Piece { number, offset, end }: Piece) -> Interval {
        Interval { first: self.identifier(number, offset), end }
    }

    /// The removal of what a step of the last message has.
    pub(super) fn removal(&mut self, epoch: EpochId, pieces: &[Piece]) -> Operation {
        let intervals = pieces.iter().map(|piece| self.interval(*piece)).collect();
        Operation::Remove { epoch, intervals }
    }

    /// An element of the base of this number, which a step of the last message has.
    pub(super) fn identifier(&mut self, number: usize, offset: i32) -> Identifier {
        Identifier::of(Arc::clone(self.bases.spelled(number)), offset)
    }

    fn take(&mut self, bytes: &mut &[u8], spelled: &mut usize) -> Result<Operation, Malformed> {
        Ok(match self.take_step(bytes, spelled)? {
            Step::Insert { epoch, number, offset, text } => {
                let first = self.identifier(number, offset);
                Operation::Insert { epoch, first, text: text.into() }
            }
            Step::Remove { epoch, piece } => {
                Operation::Remove { epoch, intervals: Few::One(self.interval(piece)) }
            }
            Step::RemoveAll { epoch, pieces } => self.removal(epoch, &pieces),
            Step::Rename(rename) => *rename,
        })
    }

    #[inline]
    fn take_step<'a>(
        &mut self,
        bytes: &mut &'a [u8],
        spelled: &mut usize,
    ) -> Result<Step<'a>, Malformed> {
        let head = take_byte(bytes)?;
        let epoch = if head & SAME_EPOCH != 0 { self.told.epoch } else { take_epoch(bytes)? };
        self.told.epoch = epoch;
        match head & !SAME_EPOCH {
            INSERT => {
                let (number, offset) = self.take_place(bytes, spelled)?;
                let text = take_text(bytes)?;
                self.told.offset = offset.wrapping_add_unsigned(Count::of(text).chars);
                Ok(Step::Insert { epoch, number, offset, text })
            }
            REMOVE if bytes.first() == Some(&1) => {
                *bytes = &bytes[1..];
                Ok(Step::Remove { epoch, piece: self.take_piece(bytes, spelled)? })
            }
            REMOVE => {
                let mut pieces = Vec::new();
                for _ in 0..take_count(bytes)? {
                    pieces.push(self.take_piece(bytes, spelled)?);
                }
                Ok(Step::RemoveAll { epoch, pieces })
            }
            RENAME => {
                let dot = Dot { site: take_u32(bytes)?, clock: take_u32(bytes)? };
                let former = take_whole(bytes)?;
                Ok(Step::Rename(Box::new(Operation::Rename { epoch, dot, former })))
            }
            _ => Err(Malformed("an operation")),
        }
    }

    #[inline]
    fn take_piece(&mut self, bytes: &mut &[u8], spelled: &mut usize) -> Result<Piece, Malformed> {
        let (number, offset) = self.take_place(bytes, spelled)?;
        Ok(Piece { number, offset, end: self.take_end(bytes, offset)? })
    }

    /// The offset at which an interval ends that begins at `offset`.
    #[inline]
    fn take_end(&mut self, bytes: &mut &[u8], offset: i32) -> Result<i32, Malformed> {
        let end = i64::from(offset).checked_add(take_signed(bytes)?);
        let end = end.and_then(|end| i32::try_from(end).ok());
        let end = end.ok_or(Malformed("an offset of 32 bits"))?;
        self.told.offset = end.wrapping_add(1);
        Ok(end)
    }

    /// The number of a base, and an offset.
    #[inline]
    fn take_place(
        &mut self,
        bytes: &mut &[u8],
        spelled: &mut usize,
    ) -> Result<(usize, i32), Malformed> {
        let number = i64::from(self.told.base).checked_add(take_signed(bytes)?);
        let number = number.and_then(|number| usize::try_from(number).ok());
        let number = number.filter(|number| *number <= self.bases.len());
        let number = number.ok_or(Malformed("a base of the dictionary"))?;
        if number == self.bases.len() {
            self.take_base(bytes)?;
        }
        // A few bytes can name a long base again and again.
        *spelled += self.bases.depth(number);
        if *spelled > SPELLED_MAX {
            return Err(Malformed("fewer tuples in a message"));
        }
        self.told.base = number as u32;
        let offset = i64::from(self.told.offset).checked_add(take_signed(bytes)?);
        let offset = offset.and_then(|offset| i32::try_from(offset).ok());
        let offset = offset.ok_or(Malformed("an offset of 32 bits"))?;
        self.told.offset = offset;
        Ok((number, offset))
    }

    fn take_base(&mut self, bytes: &mut &[u8]) -> Result<(), Malformed> {
        let above = match take_varint(bytes)?.checked_sub(1) {
            Some(number) => {
                let number = usize::try_from(number).ok().filter(|it| *it < self.bases.len());
                let number = number.ok_or(Malformed("a base of the dictionary"))?;
                Some((number, take_offset(bytes)?))
            }
            None => None,
        };
        let count = take_count(bytes)?;
        if count > TUPLES_MAX {
            return Err(Malformed("as many tuples as an identifier may have"));
        }
        let pushed = if count == 1 {
            self.bases.push(above, &[take_tuple(bytes)?])
        } else {
            let mut tuples = Vec::new();
            for at in 0..count {
                let mut tuple = take_tuple(bytes)?;
                if at + 1 < count {
                    tuple.offset = take_offset(bytes)?;
                }
                tuples.push(tuple);
            }
            self.bases.push(above, &tuples)
        };
        pushed.ok_or(Malformed("tuples of an identifier"))
    }
}

fn take_offset(bytes: &mut &[u8]) -> Result<i32, Malformed> {
    i32::try_from(take_signed(bytes)?).map_err(|_| Malformed("an offset of 32 bits"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{FormerState, Refused, Tuple, Writer};

    fn identifiers() -> impl Strategy<Value = Identifier> {
        let tuple = (any::<i16>(), 1..=3_u32, 0..=3_u32, 0..=3_i32).prop_map(
            |(position, site, clock, offset)| Tuple {
                position: i32::from(position),
                site,
                clock,
                offset,
            },
        );
        prop::collection::vec(tuple, 1..4)
            .prop_map(|tuples| Identifier::new(tuples).expect("made of what sites make"))
    }

    fn operations() -> impl Strategy<Value = Vec<Operation>> {
        let epoch = prop_oneof![
            Just(EpochId::Origin),
            (1..3_u32, 0..3_u32).prop_map(|(site, clock)| EpochId::Renamed(Dot { site, clock })),
        ];
        let intervals = prop::collection::vec((identifiers(), 0..9_i32), 0..4).prop_map(|each| {
            let interval = |(first, more): (Identifier, i32)| {
                let end = first.offset() + more;
                Interval { first, end }
            };
            each.into_iter().map(interval).collect::<Vec<_>>()
        });
        let operation = (epoch, 0..3_u8, identifiers(), ".{0,5}", intervals, 0..9_u32).prop_map(
            |(epoch, kind, first, text, intervals, clock)| match kind {
                INSERT => Operation::Insert { epoch, first, text: text.into() },
                REMOVE => Operation::Remove { epoch, intervals: intervals.into() },
                _ => match FormerState::new(&intervals) {
                    Ok(former) => Operation::Rename { epoch, dot: Dot { site: 4, clock }, former },
                    Err(_) => Operation::Remove { epoch, intervals: intervals.into() },
                },
            },
        );
        prop::collection::vec(operation, 0..6)
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(messages in prop::collection::vec(operations(), 1..5)) {
            let (mut writer, mut reader) = (Writer::default(), Reader::default());
            for operations in messages {
                let bytes = writer.write(&operations).expect("short");
                prop_assert_eq!(reader.read(&bytes), Ok(operations));
            }
        }

        #[test]
        fn bytes_that_are_no_message_leave_the_dictionary_as_it_was(
            messages in prop::collection::vec(operations(), 1..4),
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            place in any::<prop::sample::Index>(),
            flip in 1..=255_u8,
        ) {
            let (mut writer, mut reader) = (Writer::default(), Reader::default());
            for operations in messages {
                let written = writer.write(&operations).expect("short");
                let mut hostile = written.clone();
                hostile[place.index(written.len())] ^= flip;
                for bytes in [&bytes[..], &hostile, &written[..written.len() - 1], &[&written[..], &[0]].concat()] {
                    let mut tried = reader.clone();
                    if tried.read(bytes).is_err() {
                        prop_assert_eq!(tried.read(&written), Ok(operations.clone()));
                    }
                }
                prop_assert_eq!(reader.read(&written), Ok(operations));
            }
        }
    }

    fn insert(base: u32, offset: i32) -> Operation {
        let tuple = Tuple { position: 9, site: 1, clock: base, offset };
        let first = Identifier::new([tuple]).expect("valid");
        Operation::Insert { epoch: EpochId::Origin, first, text: "x".into() }
    }

    #[test]
    fn typing_on_takes_six_bytes_a_message() {
        let mut writer = Writer::default();
        writer.write(&[insert(0, 0)]).expect("short");
        let bytes = writer.write(&[insert(0, 1)]).expect("short");
        assert_eq!(bytes.len(), 6);
    }

    #[test]
    fn a_full_dictionary_is_emptied_at_both_ends_at_once() {
        let (mut writer, mut reader) = (Writer::default(), Reader::default());
        writer.held = HELD_MAX - 1;
        reader.bases.held = HELD_MAX - 1;
        let message: Vec<Operation> = (0..4).map(|base| insert(base % 2, 0)).collect();
        let bytes = writer.write(&message).expect("short");
        let mut cut = reader.clone();
        assert!(cut.read(&bytes[..bytes.len() - 1]).is_err());
        assert_eq!(cut.read(&bytes), Ok(message.clone()));
        assert_eq!(reader.read(&bytes), Ok(message));
        assert_eq!((writer.held, reader.bases.held), (2, 2));
    }

    #[test]
    fn a_short_message_that_names_more_than_it_can_is_refused() {
        let tuple = |clock| Tuple { position: 0, site: 1, clock, offset: 0 };
        let long: Vec<Tuple> = (0..TUPLES_MAX as u32).map(tuple).collect();
        let first = Identifier::new(long).expect("as long as it may be");
        let interval = Interval { first, end: 0 };
        let many = |count: usize| Operation::Remove {
            epoch: EpochId::Origin,
            intervals: vec![interval.clone(); count].into(),
        };
        let fits = SPELLED_MAX / TUPLES_MAX;
        let (mut writer, mut reader) = (Writer::default(), Reader::default());
        let bytes = writer.write(&[many(fits)]).expect("it fits");
        assert!(reader.clone().read(&bytes).is_ok());
        assert_eq!(writer.write(&[many(fits + 1)]), Err(Refused::Long));
        // The same bytes, with one interval more than there were.
        let mut more = bytes.clone();
        assert_eq!(more[2], fits as u8, "the count of intervals");
        more[2] += 1;
        more.extend([0, 1, 0]);
        assert_eq!(reader.read(&more), Err(Malformed("fewer tuples in a message")));
    }
}
