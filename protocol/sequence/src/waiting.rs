//! Operations that came before the rename that begins their epoch.
//!
//! Invariant: `count` and `bytes` are those of all that waits, and within their limits; a message has room for each.

use std::collections::BTreeMap;

use crate::{EpochId, Operation, Refused, Tuple, codec::SPELLED_MAX};

/// Operations that wait: as many as a burst of them can bring before its rename.
const WAITING_MAX: usize = 4096;

/// Bytes of memory that they may take up: some renames of a large document are among them.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// What waits, by the unknown epoch that it waits for, each with the number of its arrival.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting {
    by_epoch: BTreeMap<EpochId, Vec<(u64, Operation)>>,
    /// The number of the next arrival.
    next: u64,
    count: usize,
    bytes: usize,
}

impl Waiting {
    /// Errors: too much waits already.
    pub(crate) fn push(&mut self, operation: &Operation) -> Result<(), Refused> {
        let parts = operation.in_parts(SPELLED_MAX);
        let count = self.count + parts.len();
        let bytes = self.bytes + parts.iter().map(held).sum::<usize>();
        if count > WAITING_MAX {
            return Err(Refused::Full(self.count));
        }
        if bytes > WAITING_BYTES_MAX {
            return Err(Refused::Heavy(self.bytes));
        }
        self.next += parts.len() as u64;
        let arrived = (self.next - parts.len() as u64..).zip(parts);
        self.by_epoch.entry(operation.epoch()).or_default().extend(arrived);
        (self.count, self.bytes) = (count, bytes);
        Ok(())
    }

    /// What waits for `epoch`, each with the number of its arrival, ascending. It waits no more.
    pub(crate) fn take(&mut self, epoch: EpochId) -> Vec<(u64, Operation)> {
        let taken = self.by_epoch.remove(&epoch).unwrap_or_default();
        self.count -= taken.len();
        self.bytes -= taken.iter().map(|(_, operation)| held(operation)).sum::<usize>();
        taken
    }

    /// The epochs that something waits for.
    pub(crate) fn epochs(&self) -> impl Iterator<Item = EpochId> {
        self.by_epoch.keys().copied()
    }

    /// All that waits, in the order in which it came.
    pub(crate) fn all(&self) -> Vec<&Operation> {
        let mut all: Vec<_> = self.by_epoch.values().flatten().collect();
        all.sort_unstable_by_key(|(arrival, _)| *arrival);
        all.into_iter().map(|(_, operation)| operation).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Bytes of memory that an operation takes up, as if it shared nothing with another.
fn held(operation: &Operation) -> usize {
    let more = match operation {
        Operation::Insert { text, .. } => text.len(),
        Operation::Rename { former, .. } => former.held(),
        Operation::Remove { .. } => 0,
    };
    size_of::<Operation>() + more + operation.spelled() * size_of::<Tuple>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dot, Identifier};

    fn insert(clock: u32, text: usize) -> Operation {
        let epoch = EpochId::Renamed(Dot { site: 1, clock });
        let tuple = Tuple { position: 0, site: 1, clock: 0, offset: 0 };
        let first = Identifier::new([tuple]).expect("an identifier");
        Operation::Insert { epoch, first, text: "x".repeat(text).into() }
    }

    #[test]
    fn what_waits_is_bounded_in_count_and_in_bytes() {
        let mut waiting = Waiting::default();
        for clock in 0..WAITING_MAX as u32 {
            assert_eq!(waiting.push(&insert(clock, 1)), Ok(()));
        }
        assert_eq!(waiting.push(&insert(0, 1)), Err(Refused::Full(WAITING_MAX)));
        let mut waiting = Waiting::default();
        let mut clock = 0;
        while waiting.push(&insert(clock, 1 << 20)).is_ok() {
            clock += 1;
        }
        assert_eq!(waiting.push(&insert(0, 1 << 20)), Err(Refused::Heavy(waiting.bytes())));
        assert!(waiting.bytes() > WAITING_BYTES_MAX - (2 << 20));
        (0..clock).for_each(|clock| drop(waiting.take(insert(clock, 1).epoch())));
        assert_eq!((waiting.count(), waiting.bytes(), waiting.all().len()), (0, 0, 0));
    }
}
