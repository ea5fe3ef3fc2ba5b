//! What a replica takes up at one moment.

use sequence::Sequence;

use crate::objects;

/// When a sample was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// As so many edits had been seen, before any rename of that step.
    Before,
    /// As all renames of that step had been seen.
    Renamed,
    /// As the former states of that step had been dropped.
    Collected,
}

impl When {
    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Renamed => "renamed",
            Self::Collected => "collected",
        }
    }
}

/// What former states take up that a replica keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// In the papers' measure.
    pub objects: u64,
    /// In memory.
    pub held: u64,
}

/// Counts of a replica, the same on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Edits that the replica had seen at the step that this belongs to.
    pub step: u32,
    /// When in that step.
    pub when: When,
    /// Elements; a byte each, as bots type ASCII.
    pub chars: u64,
    /// The longest intervals of identifiers.
    pub blocks: u64,
    /// Tuples of the first identifiers of all blocks together.
    pub tuples: u64,
    /// Tuples of the deepest identifier.
    pub depth_max: u64,
    /// Epochs that are kept.
    pub epochs: u64,
    /// Everything, encoded: text, identifiers, former states.
    pub bytes: u64,
    /// What would be left if all former states were dropped now.
    pub bytes_collected: u64,
    /// In memory: elements, text, bases.
    pub held: u64,
    /// The document in the papers' measure, estimated, without former states.
    pub objects: u64,
    /// Former states beside it.
    pub former: Kept,
}

/// Names of the columns of [`Sample::values`].
pub const COLUMNS: [&str; 11] = [
    "chars",
    "blocks",
    "tuples",
    "depth_max",
    "epochs",
    "bytes",
    "bytes_collected",
    "held",
    "objects",
    "objects_former",
    "held_former",
];

impl Sample {
    pub(crate) fn of(replica: &Sequence, step: u32, when: When, former: Kept) -> Self {
        let intervals = replica.intervals();
        let depths = || intervals.iter().map(|each| each.first.tuples().len() as u64);
        // As the papers have it: as if every other replica were known to have moved on.
        let mut alone = replica.clone();
        alone.collect(&[replica.epoch()]);
        Self {
            step,
            when,
            chars: replica.len(),
            blocks: intervals.len() as u64,
            tuples: depths().sum(),
            depth_max: depths().max().unwrap_or(0),
            epochs: replica.known_epochs().count() as u64,
            bytes: replica.snapshot().len() as u64,
            bytes_collected: alone.snapshot().len() as u64,
            held: replica.held() as u64,
            objects: objects::document(&intervals, replica.len_utf16()),
            former,
        }
    }

    /// What stands in each of [`COLUMNS`].
    pub fn values(&self) -> [u64; COLUMNS.len()] {
        [
            self.chars,
            self.blocks,
            self.tuples,
            self.depth_max,
            self.epochs,
            self.bytes,
            self.bytes_collected,
            self.held,
            self.objects,
            self.former.objects,
            self.former.held,
        ]
    }
}
