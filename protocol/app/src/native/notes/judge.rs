//! What a log of operations means: the definition of the text, and of the epoch that leads.
//!
//! Every identifier has one place in the origin epoch, whichever way it went through epochs. An element is
//! there that was inserted and that nobody removed; elements stand in the order of their places.
//!
//! Knows nothing of blocks, moves, collection, or of any order of delivery; what it shares with replicas is
//! the two functions of a single rename.

use std::collections::{BTreeMap, BTreeSet};

use crdt::Value;
use sequence::{Dot, EpochId, Identifier, Interval, Mapping, Operation, Tuple};

use crate::native::notes::kind::{Change, shown};

/// A rename: the epoch it left, and its functions.
struct Rename {
    parent: EpochId,
    mapping: Mapping,
}

/// All renames by the epoch that each began.
#[derive(Default)]
struct Renames(BTreeMap<EpochId, Rename>);

impl Renames {
    /// The place in the origin epoch of an identifier of `epoch`. `None`: no honest replica gives it.
    fn place(&mut self, mut epoch: EpochId, mut id: Identifier) -> Option<Identifier> {
        // As often as there are renames at most: those of dishonest replicas may go round.
        for _ in 0..self.0.len() {
            let Some(rename) = self.0.get_mut(&epoch) else { break };
            id = rename.mapping.backward(&id).ok()?;
            epoch = rename.parent;
        }
        (epoch == EpochId::Origin).then_some(id)
    }

    /// The places of all elements of an interval of `epoch`, in order.
    fn places(&mut self, epoch: EpochId, first: &Identifier, count: usize) -> Vec<Identifier> {
        let mut tuples = first.to_vec();
        let mut next = || {
            let id = Identifier::new(tuples.clone()).ok();
            let Tuple { offset, .. } = tuples.last_mut().expect("an identifier has a tuple");
            *offset = offset.saturating_add(1);
            id
        };
        (0..count).filter_map(|_| next()).filter_map(|id| self.place(epoch, id)).collect()
    }

    /// The renames from the origin to `epoch`: what epochs are compared by.
    fn path(&self, mut epoch: EpochId) -> Vec<Dot> {
        let mut path = Vec::new();
        for _ in 0..self.0.len() {
            if let (EpochId::Renamed(dot), Some(rename)) = (epoch, self.0.get(&epoch)) {
                path.push(dot);
                epoch = rename.parent;
            }
        }
        path.reverse();
        path
    }
}

pub(super) fn meaning<'a>(changes: impl Iterator<Item = &'a Change>) -> Value {
    let edits = changes.filter_map(|change| match change {
        Change::Edit(operations) => Some(operations),
        Change::Announce(_) => None,
    });
    let operations: Vec<&Operation> = edits.flatten().collect();
    let mut renames = Renames::default();
    for operation in &operations {
        if let Operation::Rename { epoch: parent, dot, .. } = operation
            && let Ok(mapping) = Mapping::new(operation)
        {
            renames.0.insert(EpochId::Renamed(*dot), Rename { parent: *parent, mapping });
        }
    }
    let mut elements: BTreeMap<Identifier, char> = BTreeMap::new();
    let mut removed: BTreeSet<Identifier> = BTreeSet::new();
    for operation in &operations {
        match operation {
            Operation::Insert { epoch, first, text } => {
                let places = renames.places(*epoch, first, text.chars().count());
                elements.extend(places.into_iter().zip(text.chars()));
            }
            Operation::Remove { epoch, intervals } => {
                for interval in intervals {
                    let Interval { first, .. } = interval;
                    let count = interval.length().unwrap_or(0) as usize;
                    removed.extend(renames.places(*epoch, first, count));
                }
            }
            Operation::Rename { .. } => {}
        }
    }
    let there = elements.iter().filter(|(place, _)| !removed.contains(place));
    let epochs = renames.0.keys().copied().chain([EpochId::Origin]);
    let newest = epochs.max_by_key(|epoch| renames.path(*epoch)).unwrap_or_default();
    shown(there.map(|(_, element)| *element).collect(), newest)
}
