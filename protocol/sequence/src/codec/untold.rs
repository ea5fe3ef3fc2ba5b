//! What is untold, at the end of a snapshot: the site that comes back with it is the one that has to tell it.
//!
//! Nothing stands there where nothing is untold.

use contract::wire::{Malformed, put_blob, put_varint, take_blob};

use super::{SPELLED_MAX, parts::take_count, stream::Reader, writer::Writer};
use crate::{Dot, Sequence};

impl Sequence {
    /// Appends what is untold, as messages of one sender with an operation each.
    pub(super) fn put_untold(&self, out: &mut Vec<u8>) {
        if !self.has_untold() {
            return;
        }
        let mut writer = Writer::default();
        let operations = self.untold_operations();
        // One by one: what goes together is for who tells it to say.
        let parts = operations.iter().flat_map(|operation| operation.in_parts(SPELLED_MAX));
        let messages = Vec::from_iter(parts.map(|part| writer.fitting(&[part])));
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
