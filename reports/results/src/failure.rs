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
    /// In which part of the run it showed, and between how many nodes, in words.
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
    /// The command that repeats it: `simctl run`, with its seed and settings.
    pub repeat: String,
}

impl Failure {
    /// The command that makes it small; `None` where no invariant broke, for there is nothing to keep then.
    pub fn shrink(&self) -> Option<String> {
        let run = self.repeat.strip_prefix("simctl run ").filter(|_| !self.invariant.is_empty());
        run.map(|run| format!("simctl shrink {run}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_broke_an_invariant_can_be_made_small() {
        let broke = Failure {
            invariant: "S6".into(),
            repeat: "simctl run a.toml --seed 7 --set fleet.nodes=5".into(),
            ..Failure::default()
        };
        let small = "simctl shrink a.toml --seed 7 --set fleet.nodes=5";
        assert_eq!(broke.shrink().as_deref(), Some(small));
        let short = Failure { invariant: String::new(), ..broke };
        assert_eq!(short.shrink(), None);
    }
}
