//! Operations that are sent together: what is typed in a row is one of them.

use std::{ops::Range, sync::Arc};

use crate::{EpochId, Interval, Operation, Refused, Sequence, tree::Count};

/// What a replica did and has yet to tell the others, in few operations.
///
/// Inserts and removals that go on where the last one ended become part of it, and what is rubbed out before
/// it was ever told is not told. Operations of others, and renames, may be carried out in between.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    operations: Vec<Operation>,
    /// Where the last operation is an insert: its elements.
    length: u32,
}

impl Batch {
    /// What is to be told, in order.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// What is to be told, in order. Nothing is left.
    pub fn take(&mut self) -> Vec<Operation> {
        self.length = 0;
        std::mem::take(&mut self.operations)
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    fn insert(&mut self, epoch: EpochId, interval: Interval, text: &str) {
        let length = interval.end.abs_diff(interval.first.offset()) + 1;
        match self.operations.last_mut() {
            Some(Operation::Insert { epoch: same, first, text: whole })
                if *same == epoch
                    && Arc::ptr_eq(first.base(), interval.first.base())
                    && first.offset().wrapping_add_unsigned(self.length)
                        == interval.first.offset() =>
            {
                whole.push_str(text);
                self.length += length;
            }
            _ => {
                let (first, text) = (interval.first, text.to_owned());
                self.operations.push(Operation::Insert { epoch, first, text });
                self.length = length;
            }
        }
    }

    fn remove(&mut self, epoch: EpochId, interval: Interval) {
        match self.operations.last_mut() {
            Some(Operation::Insert { epoch: same, first, text })
                if *same == epoch
                    && Arc::ptr_eq(first.base(), interval.first.base())
                    && first.offset() <= interval.first.offset()
                    && first.offset().wrapping_add_unsigned(self.length)
                        == interval.end.wrapping_add(1) =>
            {
                self.length = interval.first.offset().abs_diff(first.offset());
                for _ in interval.first.offset()..=interval.end {
                    text.pop();
                }
                if self.length == 0 {
                    self.operations.pop();
                    self.length = self.operations.last().map_or(0, length);
                }
            }
            Some(Operation::Remove { epoch: same, intervals }) if *same == epoch => {
                if !joined(intervals, &interval) {
                    self.push_removal(epoch, vec![interval]);
                }
            }
            _ => self.push_removal(epoch, vec![interval]),
        }
    }

    fn push_removal(&mut self, epoch: EpochId, intervals: Vec<Interval>) {
        self.operations.push(Operation::Remove { epoch, intervals });
        self.length = 0;
    }
}

/// Joins `interval` with the first or the last of `intervals`, where it ends or begins there.
fn joined(intervals: &mut [Interval], interval: &Interval) -> bool {
    let same = |other: &Interval| Arc::ptr_eq(other.first.base(), interval.first.base());
    if let Some(first) = intervals.first_mut()
        && same(first)
        && interval.end.wrapping_add(1) == first.first.offset()
    {
        first.first = interval.first.clone();
        return true;
    }
    if let Some(last) = intervals.last_mut()
        && same(last)
        && last.end.wrapping_add(1) == interval.first.offset()
    {
        last.end = interval.end;
        return true;
    }
    false
}

/// The elements that an insert brings.
fn length(operation: &Operation) -> u32 {
    match operation {
        Operation::Insert { text, .. } => Count::of(text).chars,
        _ => 0,
    }
}

/// The byte behind the first `chars` characters of `text`.
fn byte_of(text: &str, chars: u32) -> usize {
    match text.as_bytes().get(..chars as usize) {
        Some(front) if front.is_ascii() => front.len(),
        _ => text.char_indices().nth(chars as usize).map_or(text.len(), |(at, _)| at),
    }
}

impl Sequence {
    /// [`Sequence::insert`], told in `batch`.
    ///
    /// Errors: as there; the batch is as it was.
    pub fn insert_in(
        &mut self,
        batch: &mut Batch,
        index: u64,
        text: &str,
        draw: &mut impl FnMut(u64) -> u64,
    ) -> Result<(), Refused> {
        self.insert_runs(index, text, draw)?;
        let epoch = self.epoch();
        if let [run] = self.edited[..] {
            let interval = self.shared(run);
            batch.insert(epoch, interval, text);
            return Ok(());
        }
        let edited = std::mem::take(&mut self.edited);
        let mut rest = text;
        for run in &edited {
            let (head, tail) = rest.split_at(byte_of(rest, run.length));
            batch.insert(epoch, self.shared(*run), head);
            rest = tail;
        }
        self.edited = edited;
        Ok(())
    }

    /// [`Sequence::remove`], told in `batch`.
    ///
    /// Errors: as there; the batch is as it was.
    pub fn remove_in(&mut self, batch: &mut Batch, range: Range<u64>) -> Result<(), Refused> {
        self.remove_runs(range)?;
        let epoch = self.epoch();
        let edited = std::mem::take(&mut self.edited);
        if let [run] = edited[..] {
            let interval = self.shared(run);
            batch.remove(epoch, interval);
        } else {
            let intervals = edited.iter().map(|run| self.shared(*run)).collect();
            batch.push_removal(epoch, intervals);
        }
        self.edited = edited;
        Ok(())
    }
}
