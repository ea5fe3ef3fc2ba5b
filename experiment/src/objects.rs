//! Sizes in the papers' measure: `object-sizeof` of the JavaScript objects of mute-structs.
//!
//! Eight bytes a number, four a boolean, two a character, of the names of keys too. What an operation or
//! a former state takes up by it is a function of its identifiers alone, so ours can stand beside the
//! papers' figures. Of the tree of a document it is an estimate: theirs does not join neighbours again
//! that a removal brought together, so it has more nodes than there are blocks.

use sequence::{EpochId, Interval, Operation};

const NUMBER: u64 = 8;
const BOOLEAN: u64 = 4;
const CHARACTER: u64 = 2;

/// The papers' name of an identifier's tuple has four numbers.
const TUPLE: u64 = key("random") + key("replicaNumber") + key("clock") + key("offset") + 4 * NUMBER;
const EPOCH_ID: u64 = key("replicaNumber") + key("epochNumber") + 2 * NUMBER;

const fn key(name: &str) -> u64 {
    name.len() as u64 * CHARACTER
}

/// An identifier of so many tuples.
fn identifier(depth: u64) -> u64 {
    key("tuples") + depth * TUPLE
}

/// Whether an operation says which epoch it is of: those of LogootSplit do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// It does not.
    LogootSplit,
    /// It does.
    Renamable,
}

fn epoch(epoch: EpochId) -> u64 {
    let parent = match epoch {
        EpochId::Origin => 0,
        EpochId::Renamed(_) => key("parentId") + EPOCH_ID,
    };
    key("epoch") + key("id") + EPOCH_ID + parent
}

/// An interval of a former state, or of a removal.
pub fn interval(interval: &Interval) -> u64 {
    key("idBegin") + identifier(interval.first.tuples().len() as u64) + key("end") + NUMBER
}

/// A former state.
pub fn former(intervals: &[Interval]) -> u64 {
    intervals.iter().map(interval).sum()
}

/// An operation.
pub fn operation(operation: &Operation, naming: Naming) -> u64 {
    let wrapped = match naming {
        Naming::LogootSplit => 0,
        Naming::Renamable => key("op") + epoch(operation.epoch()),
    };
    match operation {
        Operation::Insert { first, text, .. } => {
            let content = key("content") + text.encode_utf16().count() as u64 * CHARACTER;
            wrapped + key("id") + identifier(first.tuples().len() as u64) + content
        }
        Operation::Remove { intervals, .. } => {
            wrapped + key("lid") + former(intervals) + key("author") + NUMBER
        }
        Operation::Rename { former: intervals, .. } => {
            let author = key("replicaNumber") + key("clock") + 2 * NUMBER;
            // The epoch that it begins has a parent always.
            let begun = key("epoch") + key("id") + EPOCH_ID + key("parentId") + EPOCH_ID;
            author + begun + key("renamedIdIntervals") + former(&intervals.intervals())
        }
    }
}

/// The tree of a document, a node a block, and its text.
pub fn document(intervals: &[Interval], units: u64) -> u64 {
    const LINKS: u64 = key("left") + key("right") + key("height") + NUMBER;
    const LENGTHS: u64 =
        key("actualBegin") + key("length") + key("sizeNodeAndChildren") + 3 * NUMBER;
    const BLOCK: u64 =
        key("block") + key("idInterval") + key("nbElement") + NUMBER + key("mine") + BOOLEAN;
    let node = |each: &Interval| LINKS + LENGTHS + BLOCK + interval(each);
    intervals.iter().map(node).sum::<u64>() + units * CHARACTER
}

#[cfg(test)]
mod tests {
    use sequence::{Dot, Identifier, Tuple};

    use super::*;

    fn first(depth: u32) -> Identifier {
        let tuple = |clock| Tuple { position: 1, site: 1, clock, offset: 0 };
        Identifier::new((0..depth).map(tuple).collect::<Vec<_>>()).unwrap()
    }

    /// The medians of the papers' table of operations are those of identifiers of six and of two tuples.
    #[test]
    fn the_medians_of_the_papers_come_out_to_the_byte() {
        let renamed = EpochId::Renamed(Dot { site: 1, clock: 1 });
        let insert =
            |epoch, depth| Operation::Insert { epoch, first: first(depth), text: "x".into() };
        let remove = |epoch, depth| Operation::Remove {
            epoch,
            intervals: vec![Interval { first: first(depth), end: 0 }].into(),
        };
        let origin = EpochId::Origin;
        assert_eq!(operation(&insert(origin, 6), Naming::LogootSplit), 584);
        assert_eq!(operation(&remove(origin, 6), Naming::LogootSplit), 618);
        assert_eq!(operation(&insert(renamed, 2), Naming::Renamable), 378);
        assert_eq!(operation(&remove(renamed, 2), Naming::Renamable), 412);
    }
}
