//! A run that did not come out as expected, told shortly.

use serde::{Deserialize, Serialize};

/// One run that did not come out as expected. A sweep keeps one for each scenario, point of its grid and
/// signature: the one with the fewest datagrams, and of those the one with the lowest seed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Failure {
    /// [`crate::FORMAT_VERSION`] of whoever wrote it.
    pub format_version: u32,
    /// The scenario's name.
    pub scenario: String,
    /// The point of the grid; empty where there is none.
    pub cell: String,
    /// The seed.
    pub seed: u64,
    /// The invariant that broke first; empty where the run fell short instead.
    pub invariant: String,
    /// What happened, in words.
    pub message: String,
    /// The same without what differs from run to run: names of nodes, numbers, hashes.
    pub normalised: String,
    /// The kinds of the events that led to it, oldest first.
    pub shape: String,
    /// A hash of invariant, normalised message and shape: 16 hexadecimal digits. Failures that share it
    /// are taken for one bug.
    pub signature: String,
    /// When it showed, in nanoseconds of virtual time.
    pub at_nanos: u64,
    /// The nodes concerned.
    pub nodes: Vec<u32>,
    /// Datagrams that were sent until the run ended: how long its story is.
    pub datagrams: u64,
    /// How many runs of the sweep have this signature, in this scenario and at this point of its grid.
    pub runs: u64,
    /// The run's fingerprint: 32 hexadecimal digits.
    pub fingerprint: String,
    /// The command that repeats it.
    pub repeat: String,
}
