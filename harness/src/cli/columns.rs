//! Columns of operations that apps broadcast: of one run, and of all runs of a place.

use results::Tally;

use crate::outcome::Outcome;

/// A column of numbers.
pub(super) struct Column {
    /// What stands above it.
    pub(super) head: &'static str,
    /// Which operations it counts.
    pub(super) counts: &'static str,
    /// What a run has of it.
    pub(super) of_run: fn(&Outcome) -> u64,
    /// What the runs of a place have of it.
    pub(super) of_place: fn(&Tally) -> u64,
}

/// All, from left to right.
pub(super) const OPERATIONS: [Column; 5] = [
    Column {
        head: "issued",
        counts: "how many",
        of_run: |outcome| outcome.causal.issued,
        of_place: |tally| tally.causal_issued,
    },
    Column {
        head: "taken",
        counts: "taken in by an app",
        of_run: |outcome| outcome.causal.carried_out,
        of_place: |tally| tally.causal_carried_out,
    },
    Column {
        head: "void",
        counts: "delivered to none",
        of_run: |outcome| outcome.causal.void,
        of_place: |tally| tally.causal_void,
    },
    Column {
        head: "waited",
        counts: "come before their causes",
        of_run: |outcome| outcome.causal.parked,
        of_place: |tally| tally.causal_parked,
    },
    Column {
        head: "at gate",
        counts: "held for an upgrade",
        of_run: |outcome| outcome.causal.held,
        of_place: |tally| tally.causal_held,
    },
];
