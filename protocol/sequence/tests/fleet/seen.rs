//! What runs came across: a property that nothing tried holds of nothing.

use std::collections::BTreeMap;

/// What happened in runs: that it did is worth knowing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) runs: u64,
    pub(crate) operations: u64,
    pub(crate) steps: u64,
    /// Runs with numbers at the ends of their ranges.
    pub(crate) far: u64,
    pub(crate) renames: u64,
    pub(crate) sibling_renames: u64,
    pub(crate) collected: u64,
    pub(crate) restored: u64,
    /// Renames that were read with their bases named, and those that had to be asked for.
    pub(crate) lengthened: u64,
    pub(crate) asked: u64,
    /// Changes that an editor was told of.
    pub(crate) changes: u64,
    /// Former states that were put aside, and those that were taken back.
    pub(crate) offloaded: u64,
    pub(crate) loaded: u64,
    /// Runs by which epoch leads, when replicas move to it, and what elements are named by.
    pub(crate) ways: BTreeMap<String, u64>,
    pub(crate) epochs_deep: usize,
    pub(crate) tuples_deep: usize,
    pub(crate) reserved: u64,
}

impl Seen {
    pub(crate) fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.operations += other.operations;
        self.steps += other.steps;
        self.far += other.far;
        self.renames += other.renames;
        self.sibling_renames += other.sibling_renames;
        self.collected += other.collected;
        self.restored += other.restored;
        self.lengthened += other.lengthened;
        self.asked += other.asked;
        self.changes += other.changes;
        self.offloaded += other.offloaded;
        self.loaded += other.loaded;
        for (way, runs) in &other.ways {
            *self.ways.entry(way.clone()).or_default() += runs;
        }
        self.epochs_deep = self.epochs_deep.max(other.epochs_deep);
        self.tuples_deep = self.tuples_deep.max(other.tuples_deep);
        self.reserved += other.reserved;
    }
}
