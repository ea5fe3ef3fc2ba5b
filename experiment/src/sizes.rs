//! How long operations are, by kind: in the papers' measure, and on our wire.

use std::collections::BTreeMap;

use causal::Origin;
use sequence::{Interval, Operation, Writer};

use crate::{
    bot::Entry,
    fleet::Outcome,
    objects::{self, Naming},
    spread::Spread,
};

/// The lengths of operations of one kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Length {
    /// In the papers' measure.
    pub objects: Spread,
    /// Encoded: edits a message each, by a writer that each author keeps, renames in few bytes.
    pub bytes: Spread,
    /// Tuples of the first identifier.
    pub depth: Spread,
}

/// All lengths of a run, the same on every machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Sizes {
    /// Of inserts.
    pub inserts: Length,
    /// Of removals.
    pub removals: Length,
    /// Of renames.
    pub renames: Length,
    /// After so many operations, the mean length of the inserts and removals since the last entry:
    /// in the papers' measure, and on our wire.
    pub course: Vec<(u64, f64, f64)>,
}

/// Operations between two entries of a course.
const STRIDE: usize = 2_500;

fn length(figures: [Vec<u64>; 3]) -> Length {
    let [objects, bytes, depth] = figures.map(Spread::of);
    Length { objects, bytes, depth }
}

fn depth(operation: &Operation) -> u64 {
    let of = |intervals: &[Interval]| intervals.first().map_or(0, |each| each.first.tuples().len());
    let depth = match operation {
        Operation::Insert { first, .. } => first.tuples().len(),
        Operation::Remove { intervals, .. } => of(intervals),
        Operation::Rename { former, .. } => of(&former.intervals()),
    };
    depth as u64
}

/// The lengths of what the first bot delivered.
pub(crate) fn sizes(outcome: &Outcome) -> Sizes {
    let naming =
        if outcome.row.renames.is_some() { Naming::Renamable } else { Naming::LogootSplit };
    let mut writers: BTreeMap<Origin, Writer> = BTreeMap::new();
    let mut by_kind: [[Vec<u64>; 3]; 3] = Default::default();
    let mut edits = Vec::new();
    for Entry { origin, operation, short } in &outcome.log {
        let bytes = short.unwrap_or_else(|| {
            let writer = writers.entry(*origin).or_default();
            let written = writer.write(std::slice::from_ref(operation));
            written.expect("a replica makes none that no message can hold").len() as u64
        });
        let objects = objects::operation(operation, naming);
        let kind = match operation {
            Operation::Insert { .. } => 0,
            Operation::Remove { .. } => 1,
            Operation::Rename { .. } => 2,
        };
        if kind < 2 {
            edits.push((objects, bytes));
        }
        for (figures, figure) in by_kind[kind].iter_mut().zip([objects, bytes, depth(operation)]) {
            figures.push(figure);
        }
    }
    let (mut course, mut count) = (Vec::new(), 0);
    for stride in edits.chunks(STRIDE) {
        count += stride.len() as u64;
        let mean = |sum: u64| sum as f64 / stride.len() as f64;
        let objects = stride.iter().map(|(objects, _)| objects).sum();
        let bytes = stride.iter().map(|(_, bytes)| bytes).sum();
        course.push((count, mean(objects), mean(bytes)));
    }
    let [inserts, removals, renames] = by_kind.map(length);
    Sizes { inserts, removals, renames, course }
}
