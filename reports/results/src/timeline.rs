//! One run of a scenario over time, as an example of its runs.

use serde::{Deserialize, Serialize};

/// How one run went over time. A sweep keeps one for each scenario and point of its grid: that of the
/// first seed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timeline {
    /// [`crate::FORMAT_VERSION`] of whoever wrote it.
    pub format_version: u32,
    /// The scenario's name.
    pub scenario: String,
    /// The point of the grid; empty where there is none.
    pub cell: String,
    /// The seed.
    pub seed: u64,
    /// When the safety phase ended, in nanoseconds of virtual time.
    pub safety_ended_nanos: u64,
    /// When the run ended.
    pub ended_nanos: u64,
    /// Releases that ran anywhere, oldest first, in words such as `2.0.0`.
    pub releases: Vec<String>,
    /// When the number of nodes at a release changed: time in nanoseconds, and by release how many nodes
    /// run it from then on. Nodes that are down run nothing.
    pub adoption: Vec<(u64, Vec<u32>)>,
    /// When the number of messages changed that the whole fleet holds: time in nanoseconds, and how many.
    pub held: Vec<(u64, u64)>,
    /// Faults that lasted, in the order in which they began.
    pub windows: Vec<Window>,
}

/// A fault that lasted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Window {
    /// Which kind, such as `partition`.
    pub kind: String,
    /// Which one, in words.
    pub text: String,
    /// When it began, in nanoseconds of virtual time.
    pub from_nanos: u64,
    /// When it ended.
    pub to_nanos: u64,
}
