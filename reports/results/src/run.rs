//! The row of a run.

use serde::{Deserialize, Serialize};

/// One run of one seed. Times are virtual.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Run {
    /// [`crate::FORMAT_VERSION`] of whoever wrote the row.
    pub format_version: u32,
    /// Which build ran it: a seed means nothing to another one.
    pub build: String,
    /// The scenario's name: its file without folder and ending.
    pub scenario: String,
    /// The scenario's text, hashed: 32 hexadecimal digits.
    pub scenario_hash: String,
    /// The point of the grid, as `key=value` parts with a space between; empty where there is no grid.
    pub cell: String,
    /// The seed.
    pub seed: u64,

    /// What came of it.
    pub outcome: Outcome,
    /// Whether that is what the scenario expects.
    pub as_expected: bool,
    /// The invariants that were violated, in the order in which it showed.
    pub violated: Vec<String>,
    /// Which kind of failure it is: [`crate::Failure::signature`]; empty where the run came out as expected.
    pub signature: String,
    /// A hash over every event: 32 hexadecimal digits. Empty where fingerprints were off.
    pub fingerprint: String,
    /// How long the run lasted.
    pub virtual_nanos: u64,
    /// Nodes that were ever there.
    pub nodes: u32,

    /// Publication to running, over nodes and releases: the median. 0 where no node switched.
    pub convergence_p50_nanos: u64,
    /// The 90th percentile.
    pub convergence_p90_nanos: u64,
    /// The 99th percentile.
    pub convergence_p99_nanos: u64,
    /// The longest.
    pub convergence_max_nanos: u64,
    /// The longest time for which a switch kept a node from handling messages.
    pub pause_max_nanos: u64,

    /// Datagrams that entered a link.
    pub datagrams: u64,
    /// Their bytes.
    pub datagram_bytes: u64,
    /// Datagrams that reached a process.
    pub datagrams_delivered: u64,
    /// Datagrams that were lost, cut off, or found no room or no node.
    pub datagrams_lost: u64,
    /// App messages that reached an app.
    pub delivered: u64,
    /// App messages that waited for a newer release.
    pub holds: u64,
    /// App messages that were converted.
    pub conversions: u64,
    /// App messages that ended with an answer to their sender instead.
    pub nacks: u64,
    /// App messages that were sent again.
    pub retransmissions: u64,
    /// Messages and datagrams that were recognised as seen before.
    pub duplicates: u64,

    /// Crashes.
    pub crashes: u64,
    /// Recoveries.
    pub recoveries: u64,
    /// Switches to a release, first starts included.
    pub switches: u64,
    /// Switches that migrated state from one schema to another.
    pub migrations: u64,
    /// Releases that a node refused to run.
    pub quarantines: u64,
    /// Envelopes and codes that were refused as forged.
    pub forged: u64,
    /// Codes that were fetched whole.
    pub fetched: u64,

    /// Client operations that were taken in.
    pub operations: u64,
    /// Client operations that were refused.
    pub operations_refused: u64,
    /// Client operations that were answered.
    pub replies: u64,

    /// Injectors that the scenario asks for.
    pub faults_configured: u64,
    /// Opportunities that they had.
    pub faults_attempted: u64,
    /// Opportunities of which something came.
    pub faults_took_effect: u64,
    /// Goals that were reached, by name, in alphabetical order.
    pub goals: Vec<String>,

    /// Operations of apps that were broadcast.
    pub causal_issued: u64,
    /// Operations that say nothing but what their origin had delivered.
    pub causal_heartbeats: u64,
    /// Operations of apps that an app took, at their origins and elsewhere.
    pub causal_carried_out: u64,
    /// Operations of apps that counted as delivered, and no app took.
    pub causal_void: u64,
    /// Bytes of an operation that say where it stands, on average, in thousandths.
    pub causal_metadata_thousandths: u64,
    /// Operations that waited for others.
    pub causal_parked: u64,
    /// The most that waited so at one node.
    pub causal_parked_max: u64,
    /// How many waited so at a node on average over time, in thousandths.
    pub causal_parked_thousandths: u64,
    /// Operations of newer releases that waited at the gate.
    pub causal_held: u64,
    /// Operations that were refused.
    pub causal_rejected: u64,
    /// From issuing an operation until its origin knew that all had it: the median. 0 where none was.
    pub causal_stable_p50_nanos: u64,
    /// The 99th percentile.
    pub causal_stable_p99_nanos: u64,
    /// Nodes that became members by the state of others.
    pub causal_joined: u64,
    /// Members that were let go.
    pub causal_retired: u64,
    /// Members that had to join again.
    pub causal_resynced: u64,
}

/// What came of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every invariant held.
    #[default]
    Holds,
    /// An invariant was violated.
    Violates,
    /// Every invariant held, but a fault never took effect, a goal was not reached or a bound was
    /// not kept: the run did not show what the scenario claims.
    FallsShort,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Holds, Self::Violates, Self::FallsShort];

    /// Its name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Violates => "violates",
            Self::FallsShort => "falls-short",
        }
    }

    /// The outcome of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

/// What runs cost on the machine that ran them. Never part of [`Run`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cost {
    /// Runs.
    pub runs: u64,
    /// Time that passed from the first to the last.
    pub wall_nanos: u64,
    /// Time that passed in each run, added up.
    pub busy_nanos: u64,
    /// Time that passed in the longest.
    pub slowest_nanos: u64,
    /// The command that repeats the longest.
    pub slowest: String,
}

impl Cost {
    /// Adds what others cost that ran at another time or elsewhere.
    pub fn add(&mut self, other: &Self) {
        // A file beside the results may say anything.
        self.runs = self.runs.saturating_add(other.runs);
        self.wall_nanos = self.wall_nanos.saturating_add(other.wall_nanos);
        self.busy_nanos = self.busy_nanos.saturating_add(other.busy_nanos);
        if other.slowest_nanos > self.slowest_nanos {
            self.slowest_nanos = other.slowest_nanos;
            self.slowest.clone_from(&other.slowest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FORMAT_VERSION;

    #[test]
    fn a_row_reads_back() {
        let row = Run {
            format_version: FORMAT_VERSION,
            scenario: "major-bump".into(),
            seed: u64::MAX,
            outcome: Outcome::Violates,
            violated: vec!["S6".into()],
            ..Run::default()
        };
        let text = serde_json::to_string(&row).unwrap();
        assert_eq!(serde_json::from_str::<Run>(&text).unwrap(), row);
    }

    #[test]
    fn a_row_of_another_version_is_read_by_the_columns_that_both_know() {
        let text = r#"{"format_version":9,"seed":7,"outcome":"falls-short","a_later_column":1}"#;
        let row: Run = serde_json::from_str(text).unwrap();
        assert_eq!((row.format_version, row.seed, row.outcome), (9, 7, Outcome::FallsShort));
        assert_eq!(row.crashes, 0);
    }
}
