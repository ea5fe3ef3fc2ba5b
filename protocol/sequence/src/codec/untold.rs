//! What is untold, at the end of a snapshot: the site that comes back with it is the one that has to tell it.
//!
//! Nothing stands there where nothing is untold.

use contract::wire::{Malformed, put_blob, put_varint, take_blob};

use super::{
    parts::take_count,
    stream::{Reader, Writer},
};
use crate::{Dot, Operation, Refused, Sequence};

impl Sequence {
    /// Appends what is untold, as messages of one sender with an operation each.
    pub(super) fn put_untold(&self, out: &mut Vec<u8>) {
        if !self.has_untold() {
            return;
        }
        let (mut writer, mut messages) = (Writer::default(), Vec::new());
        for operation in self.untold_operations() {
            put_message(&mut messages, &mut writer, &operation);
        }
        put_varint(out, messages.len() as u64);
        messages.iter().for_each(|message| put_blob(out, message));
    }

    /// Takes over the rest of the bytes: what the site of `next`, which is the name that it gives next, has to
    /// tell. To another it is nothing.
    ///
    /// Errors: the bytes are not that.
    pub(super) fn take_untold(&mut self, next: Dot, bytes: &mut &[u8]) -> Result<(), Malformed> {
        if bytes.is_empty() {
            return Ok(());
        }
        let (mut reader, mut untold) = (Reader::default(), Vec::new());
        let count = take_count(bytes)?;
        for _ in 0..count {
            let mut operations = reader.read(take_blob(bytes)?)?;
            let (Some(operation), true) = (operations.pop(), operations.is_empty()) else {
                return Err(Malformed("an operation a message"));
            };
            let may = self.may_be_untold(next, &operation);
            may.map_err(|_| Malformed("an edit that is untold"))?;
            untold.push(operation);
        }
        match (count, bytes) {
            (0, _) => Err(Malformed("something untold")),
            (_, [_, ..]) => Err(Malformed("bytes after the snapshot")),
            _ if next.site == self.site => {
                self.untold = untold.into();
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Writes `operation`: a removal that names more than a message may name, in parts.
fn put_message(messages: &mut Vec<Vec<u8>>, writer: &mut Writer, operation: &Operation) {
    match (writer.write(std::slice::from_ref(operation)), operation) {
        (Ok(message), _) => messages.push(message),
        (Err(Refused::Long), Operation::Remove { epoch, intervals }) if intervals.len() > 1 => {
            let (front, back) = intervals.split_at(intervals.len() / 2);
            for part in [front, back] {
                let intervals = part.iter().cloned().collect();
                put_message(messages, writer, &Operation::Remove { epoch: *epoch, intervals });
            }
        }
        (Err(why), _) => unreachable!("an identifier fits in a message: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EpochId, Few, Identifier, Interval, TUPLES_MAX, Tuple};

    #[test]
    fn a_removal_that_is_too_long_for_a_message_is_several() {
        let interval = |position: i32| {
            let tuple = Tuple { position, site: 1, clock: 0, offset: 0 };
            let first = Identifier::new(vec![tuple; TUPLES_MAX]).expect("as long as may be");
            Interval { first, end: 1 }
        };
        let all: Few<Interval> = (0..40).map(interval).collect();
        let whole = Operation::Remove { epoch: EpochId::Origin, intervals: all.clone() };
        let written = Writer::default().write(std::slice::from_ref(&whole));
        assert_eq!(written, Err(Refused::Long));
        let mut messages = Vec::new();
        put_message(&mut messages, &mut Writer::default(), &whole);
        assert_eq!(messages.len(), 2);
        let (mut reader, mut read) = (Reader::default(), Vec::new());
        for message in &messages {
            for operation in reader.read(message).expect("a message") {
                let Operation::Remove { epoch, intervals } = operation else { panic!("a removal") };
                assert_eq!(epoch, EpochId::Origin);
                read.extend(intervals.iter().cloned());
            }
        }
        assert_eq!(read[..], all[..]);
    }
}
