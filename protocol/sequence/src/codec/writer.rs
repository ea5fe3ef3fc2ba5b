//! What a sender writes, message by message.

use std::{collections::BTreeMap, sync::Arc};

use contract::wire::put_varint;

use super::{
    HELD_MAX, SPELLED_MAX,
    parts::{put_epoch, put_signed, put_text, put_tuple},
    state::put_state,
    stream::{INSERT, REMOVE, RENAME, SAME_EPOCH, Told},
};
use crate::{Identifier, Interval, Operation, Refused, Tuple};

/// How many prefixes of a new base are looked for one by one, the longest first, before all are looked for at once:
/// that takes a list of what every base has in front.
const TRIED_MAX: usize = 16;

/// The dictionary of a sender, at the sender: what turns operations into messages.
///
/// A message says what is new and names the rest by what the messages before it said. So whoever reads them keeps a
/// [`Reader`](crate::Reader) for each writer, and reads every message of it *once and in the order in which it was
/// written*. A gap or a repetition is not always noticed: the message may read as another operation, without an error,
/// and replicas differ then for ever. Beneath there has to be a link that is ordered and reliable, or causal broadcast.
///
/// Neither has a form as bytes:
///
/// - At a restart, or on a new link, a fresh `Writer` goes with a fresh [`Reader`](crate::Reader) at each receiver.
/// - Who joins by a snapshot needs the messages of a writer that began after it, or a clone of the reader that the
///   replica had for this writer as the snapshot was taken.
///
/// ```
/// use sequence::{Options, Reader, Sequence, Writer};
///
/// // Randomness is an argument: here, the middle of each gap.
/// let mut draw = |below: u64| below / 2;
/// let mut here = Sequence::new(1, Options::default())?;
/// let mut there = Sequence::new(2, Options::default())?;
///
/// // A writer for all that a replica tells, and a reader for each replica that it hears.
/// let (mut from_here, mut of_here) = (Writer::default(), Reader::default());
/// let (mut from_there, mut of_there) = (Writer::default(), Reader::default());
///
/// for (index, text) in [(0, "held"), (2, "llo wor")] {
///     let told = here.insert(index, text, &mut draw)?;
///     let message = from_here.write(&told)?;
///     // Once each, in order: or what is read may be something else.
///     let applied = there.apply_message(&mut of_here, &message)?;
///     assert_eq!((applied.done, applied.refused.len()), (1, 0));
/// }
/// assert_eq!(there.text(), "hello world");
///
/// // Both edit at once.
/// let goodbye = from_here.write(&[here.remove(0..5)?])?;
/// let louder = from_there.write(&there.insert(11, "!", &mut draw)?)?;
/// there.apply_message(&mut of_here, &goodbye)?;
/// here.apply_message(&mut of_there, &louder)?;
/// assert_eq!((here.text(), there.text()), (" world!".into(), " world!".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Writer {
    /// By base, spelled with offset 0: its number.
    numbers: BTreeMap<Arc<[Tuple]>, u32>,
    /// The base that was named last: most name it again.
    last: Option<Arc<[Tuple]>>,
    /// Tuples of all of them.
    pub(super) held: usize,
    /// All of them but the newest, which are in `unlisted`.
    prefixes: Prefixes,
    unlisted: Vec<Arc<[Tuple]>>,
    told: Told,
}

impl Writer {
    /// The bytes of `operations`, which are sent together.
    ///
    /// Errors: what they name is longer than a receiver takes, as a removal can be of text that was typed into itself
    /// a thousand times: see [`Writer::write_all`]. The dictionary is then as it was.
    pub fn write(&mut self, operations: &[Operation]) -> Result<Vec<u8>, Refused> {
        if operations.iter().map(Operation::spelled).sum::<usize>() > SPELLED_MAX {
            return Err(Refused::Long);
        }
        let mut out = Vec::new();
        put_varint(&mut out, operations.len() as u64);
        for operation in operations {
            self.put(&mut out, operation);
        }
        Ok(out)
    }

    /// The bytes of `operations` in as many messages as it takes, to be read in this order: mostly one. A removal
    /// that is too long for one is told in parts.
    pub fn write_all(&mut self, operations: &[Operation]) -> Vec<Vec<u8>> {
        if let Ok(message) = self.write(operations) {
            return vec![message];
        }
        let parts = operations.iter().flat_map(|operation| operation.in_parts(SPELLED_MAX));
        let parts = Vec::from_iter(parts);
        let mut messages = Vec::new();
        let (mut from, mut spelled) = (0, 0);
        for (at, part) in parts.iter().enumerate() {
            spelled += part.spelled();
            if spelled > SPELLED_MAX {
                messages.push(self.fitting(&parts[from..at]));
                (from, spelled) = (at, part.spelled());
            }
        }
        messages.push(self.fitting(&parts[from..]));
        messages
    }

    /// [`Writer::write`] of operations that a message has room for.
    pub(super) fn fitting(&mut self, operations: &[Operation]) -> Vec<u8> {
        self.write(operations).expect("they are parts that fit")
    }

    fn put(&mut self, out: &mut Vec<u8>, operation: &Operation) {
        let mut head = match operation {
            Operation::Insert { .. } => INSERT,
            Operation::Remove { .. } => REMOVE,
            Operation::Rename { .. } => RENAME,
        };
        if self.held >= HELD_MAX {
            let epoch = self.told.epoch;
            *self = Self { told: Told { epoch, ..Told::default() }, ..Self::default() };
        }
        let epoch = operation.epoch();
        if epoch == self.told.epoch {
            head |= SAME_EPOCH;
        }
        out.push(head);
        if epoch != self.told.epoch {
            put_epoch(out, epoch);
            self.told.epoch = epoch;
        }
        match operation {
            Operation::Insert { first, text, .. } => {
                self.put_first(out, first);
                put_text(out, text);
                self.told.offset = first.offset().wrapping_add(text.chars().count() as i32);
            }
            Operation::Remove { intervals, .. } => self.put_intervals(out, intervals),
            Operation::Rename { dot, former, .. } => {
                put_varint(out, u64::from(dot.site));
                put_varint(out, u64::from(dot.clock));
                put_state(out, former, |_| false);
            }
        }
    }

    fn put_intervals(&mut self, out: &mut Vec<u8>, intervals: &[Interval]) {
        put_varint(out, intervals.len() as u64);
        for interval in intervals {
            self.put_first(out, &interval.first);
            let more = i64::from(interval.end) - i64::from(interval.first.offset());
            put_signed(out, more);
            self.told.offset = interval.end.wrapping_add(1);
        }
    }

    /// The base of `first`, by its number from the last one, and its offset from the one to be expected.
    fn put_first(&mut self, out: &mut Vec<u8>, first: &Identifier) {
        // A new base gets the next number.
        let fresh = self.numbers.len() as u32;
        let number = match &self.last {
            Some(last) if Arc::ptr_eq(last, first.base()) => self.told.base,
            _ => self.numbers.get(first.base()).copied().unwrap_or(fresh),
        };
        put_signed(out, i64::from(number) - i64::from(self.told.base));
        if number == fresh {
            self.put_base(out, first.base());
            self.numbers.insert(Arc::clone(first.base()), number);
            self.unlisted.push(Arc::clone(first.base()));
            self.held += first.base().len();
        }
        self.told.base = number;
        self.last = Some(Arc::clone(first.base()));
        put_signed(out, i64::from(first.offset()) - i64::from(self.told.offset));
    }

    /// A base, as the longest prefix that the dictionary has and the tuples behind it.
    fn put_base(&mut self, out: &mut Vec<u8>, base: &[Tuple]) {
        let found = self.nearest(base).or_else(|| self.further(base));
        let from = match found {
            Some((number, length)) => {
                put_varint(out, u64::from(number) + 1);
                put_signed(out, i64::from(base[length - 1].offset));
                length
            }
            None => {
                put_varint(out, 0);
                0
            }
        };
        put_varint(out, (base.len() - from) as u64);
        for (at, tuple) in base.iter().enumerate().skip(from) {
            put_tuple(out, *tuple);
            if at + 1 < base.len() {
                put_signed(out, i64::from(tuple.offset));
            }
        }
    }

    /// The longest prefix of `base` that the dictionary has: its number, and how long it is. Of those alone that are
    /// hardly shorter than `base`, as what is typed mostly extends what was named.
    fn nearest(&mut self, base: &[Tuple]) -> Option<(u32, usize)> {
        let mut prefix = base.to_vec();
        for length in (1..base.len()).rev().take(TRIED_MAX) {
            prefix.truncate(length);
            prefix[length - 1].offset = 0;
            #[cfg(test)]
            {
                self.prefixes.looked += length;
            }
            if let Some(number) = self.numbers.get(&prefix[..]) {
                return Some((*number, length));
            }
        }
        None
    }

    /// The same of the others.
    fn further(&mut self, base: &[Tuple]) -> Option<(u32, usize)> {
        let length = base.len().checked_sub(1 + TRIED_MAX).filter(|length| *length > 0)?;
        let listed = self.numbers.len() - self.unlisted.len();
        for (base, number) in self.unlisted.drain(..).zip(listed as u32..) {
            self.prefixes.list(&base, number);
        }
        self.prefixes.longest(&base[..length])
    }
}

/// The bases of a dictionary, tuple by tuple: to find the longest that another extends takes as many steps as that
/// has tuples, and not as many for each of them. There are as few of these as a dictionary holds.
#[derive(Clone, Debug, Default)]
struct Prefixes {
    /// By what stands above, and a tuple with the offset of the element of that which it extends. Counted from 1.
    below: BTreeMap<(u32, Tuple), u32>,
    /// The number of each that is a base of the dictionary.
    numbers: BTreeMap<u32, u32>,
    /// Tuples that were looked at, by what looks at each prefix for itself too.
    #[cfg(test)]
    looked: usize,
}

impl Prefixes {
    /// The tuples of `base`, each as it stands in `below`.
    fn steps(base: &[Tuple]) -> impl Iterator<Item = Tuple> {
        let above = [0].into_iter().chain(base.iter().map(|tuple| tuple.offset));
        base.iter().zip(above).map(|(tuple, offset)| Tuple { offset, ..*tuple })
    }

    fn list(&mut self, base: &[Tuple], number: u32) {
        let mut at = 0;
        for step in Self::steps(base) {
            let next = self.below.len() as u32 + 1;
            at = *self.below.entry((at, step)).or_insert(next);
            #[cfg(test)]
            {
                self.looked += 1;
            }
        }
        self.numbers.insert(at, number);
    }

    /// The number of the longest that `base` is or extends, and how long that is.
    fn longest(&mut self, base: &[Tuple]) -> Option<(u32, usize)> {
        let (mut at, mut found) = (0, None);
        for (before, step) in Self::steps(base).enumerate() {
            let Some(below) = self.below.get(&(at, step)) else { break };
            at = *below;
            #[cfg(test)]
            {
                self.looked += 1;
            }
            if let Some(number) = self.numbers.get(&at) {
                found = Some((*number, before + 1));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EpochId, Few, Reader};

    /// A removal of an element of the base of so many tuples, the last of another site.
    fn of(depth: u32, site: u32) -> Operation {
        let tuple = |clock| Tuple { position: 0, site: 1, clock, offset: 3 };
        let mut tuples: Vec<Tuple> = (0..depth).map(tuple).collect();
        tuples.last_mut().expect("it has one").site = site;
        let first = Identifier::new(tuples).expect("an identifier");
        let intervals = Few::One(Interval { end: first.offset(), first });
        Operation::Remove { epoch: EpochId::Origin, intervals }
    }

    #[test]
    fn a_base_is_told_behind_the_longest_that_is_known_however_much_shorter_that_is() {
        let (mut writer, mut reader) = (Writer::default(), Reader::default());
        // All but the first two extend what another told before, of site 1.
        let mut bytes = Vec::new();
        for (depth, site) in
            [(2, 1), (90, 2), (40, 1), (41, 1), (90, 1), (91, 1), (200, 3), (60, 1), (61, 1)]
        {
            let message = writer.write(&[of(depth, site)]).expect("short");
            assert_eq!(reader.read(&message), Ok(vec![of(depth, site)]));
            bytes.push(message.len());
        }
        // Eight bytes a tuple at most, and a few in front.
        let tuples = [2, 88, 38, 1, 49, 1, 109, 19, 1];
        for (bytes, tuples) in bytes.iter().zip(tuples) {
            assert!((4 * tuples..8 * tuples + 16).contains(bytes), "{tuples} in {bytes} bytes");
        }
    }

    #[test]
    fn what_is_looked_at_for_a_base_that_extends_none_that_is_known_is_in_proportion_to_its_tuples()
    {
        const DEPTH: u32 = 1 << 12;
        let mut writer = Writer::default();
        for site in 2..20 {
            writer.write(&[of(DEPTH, site)]).expect("short");
        }
        let looked = writer.prefixes.looked;
        assert!(looked <= 18 * (TRIED_MAX + 2) * DEPTH as usize, "{looked} tuples");
    }
}
