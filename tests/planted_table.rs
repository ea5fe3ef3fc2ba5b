//! Planted bugs in a swarm: a seed that shows each, and what shrinking leaves of it.
//!
//! The fleet has ten nodes under load and a swarm of faults, and more than a thousand datagrams are sent
//! before the first release is out: what a sweep finds in practice.

use harness::{
    invariants::Violation,
    outcome::Verdict,
    run::{Deployed, Options},
    scenario::Scenario,
};
use upgrade::bugs::Bug;

use crate::story::{ASKS, DEAR, Edit, FULL, HOSTILE, MINOR, ODD, REFUSED, SESSIONS, Story};

/// Seeds that are tried for each bug.
pub const SEEDS_MAX: u64 = 64;

/// The swarm that all bugs are planted in.
const SWARM: &str = r#"
about = "Ten nodes go from 1.4.0 to 2.0.0 under load, while a swarm of faults is at work"
app = "counter"
[fleet]
nodes = 10
runs = "1.4.0"
[network]
latency = { uniform = { min = "1ms", max = "20ms" } }
loss = { independent = "2%" }
duplicate = "2%"
reorder = { share = "5%", by = "30ms" }
[disk]
latency = { uniform = { min = "100us", max = "2ms" } }
torn = "50%"
[protocol]
gossip = "200ms"
fanout = 2
[workload]
rate = "10/s"
mix = { increment = 2, add = 8 }
[[release]]
version = "2.0.0"
at = "3500ms"
node = "n0"
rollout = { rolling = { batch = 1, gap = "300ms" } }
[random]
swarm = true
crash = { every = "4s", down = { min = "100ms", max = "1s" } }
pause = { every = "5s", lasts = { min = "10ms", max = "500ms" } }
partition = { every = "5s", lasts = { min = "200ms", max = "2s" } }
clog = { every = "5s", lasts = { min = "100ms", max = "1s" } }
[phases]
safety = "10s"
liveness = "20s"
"#;

/// A bug, its number in the list that the bar is about, and what is changed in the swarm so that it can
/// show.
#[derive(Clone, Copy, Debug)]
pub struct Planted {
    /// Which bug.
    pub bug: Bug,
    /// Its number among P1 to P15; `None`: one of those that came later.
    pub number: Option<u32>,
    /// The swarm with what shows it.
    story: Story,
}

/// Release 3.0.0 once most run 2.0.0.
const TWICE: &str = "[[release]]\nversion = \"3.0.0\"\nat = \"7500ms\"\nnode = \"n1\"\n";
/// Release 3.0.0 while half of the fleet still runs 1.4.0.
const SKIPS: &str = "[[release]]\nversion = \"3.0.0\"\nat = \"4s\"\nnode = \"n1\"\n\
                     rollout = { rolling = { batch = 1, gap = \"300ms\" } }\n";
/// Another code under the same version, elsewhere.
const RIVALS: &str =
    "[[release]]\nversion = \"2.0.0\"\nvariant = \"other\"\nat = \"3600ms\"\nnode = \"n3\"\n";
/// A release that only strangers signed, at a node that believes them.
const STRANGERS: &str = "[[release]]\nversion = \"3.0.0\"\nat = \"4500ms\"\nnode = \"n3\"\nforged = \"untrusted-key\"\n";
/// An envelope that was changed after it was signed.
const TAMPERED: &str = "[[release]]\nversion = \"3.0.0\"\nat = \"4500ms\"\nnode = \"n2\"\nforged = \"tampered-envelope\"\n";
/// Nodes that gossip so seldom that a thousand datagrams come before.
const SELDOM: Edit = ("gossip = \"200ms\"", "gossip = \"60s\"");
/// A node joins, and nodes that heard of it crash.
const JOINER: &str = "[[fleet.join]]\nnode = \"n10\"\nat = \"700ms\"\n";
/// An app whose operations are broadcast in causal order.
const CAUSAL: &[Edit] =
    &[("counter", "tally"), ("1.4.0", "1.0.0"), ("increment = 2, add = 8", "up = 1")];
/// A member is let go while operations of its own are on their way.
const LET_GO: &str = "[[fleet.retire]]\nnode = \"n9\"\nat = \"2500ms\"\nby = \"n0\"\n";
/// A node loses its disk.
const LOSES_DISK: &str = "[[fault]]\n\
    crash = { node = \"n2\", at = \"4500ms\", down = \"300ms\", disk = \"amnesia\" }\n";
/// Every bug that a run can show.
pub fn table() -> Vec<Planted> {
    let planted = |number, bug, edits, more| {
        let story = Story { plain: SWARM, edits, more };
        Planted { bug, number, story }
    };
    vec![
        planted(Some(1), Bug::MergeUsesLte, &[SELDOM], ""),
        planted(Some(2), Bug::GateComparesFullVersions, MINOR, ""),
        planted(Some(3), Bug::DrainDoesNotRemove, &[], TWICE),
        planted(Some(4), Bug::DrainInHashOrder, &[], ""),
        planted(Some(5), Bug::VolatileHold, &[], ""),
        planted(Some(6), Bug::ConvertEqualMajor, &[], ""),
        planted(Some(7), Bug::FirstCodeWins, &[], RIVALS),
        planted(Some(8), Bug::GateSwitchedBeforeInit, &[ODD], REFUSED),
        planted(Some(9), Bug::RelayUnverified, &[HOSTILE], STRANGERS),
        planted(Some(10), Bug::SignatureCoversCodeOnly, &[], TAMPERED),
        planted(Some(11), Bug::MigrationOmitsZero, &[], ""),
        planted(Some(13), Bug::OutOfFuelCommitsPartial, &[DEAR], REFUSED),
        planted(Some(14), Bug::AppCrdtMessagesStamped, &[], ""),
        planted(Some(15), Bug::ChecksOldSchema, &[], ""),
        planted(None, Bug::ConvertTwice, &[], ""),
        planted(None, Bug::SkipEdge, &[], SKIPS),
        planted(None, Bug::KnownFallsOnRecovery, &[], ""),
        planted(None, Bug::NodesFallOnReplay, SESSIONS, JOINER),
        planted(None, Bug::UnversionedHeld, ASKS, ""),
        planted(None, Bug::OverflowSilent, &[FULL], ""),
        planted(None, Bug::TwoInstances, &[], ""),
        planted(None, Bug::WrongStampAtCommit, &[], ""),
        planted(None, Bug::ClockLostOnReinstall, CAUSAL, ""),
        planted(None, Bug::StableEarly, CAUSAL, ""),
        planted(None, Bug::RetireInOnePhase, CAUSAL, LET_GO),
        planted(None, Bug::GateInsideCausal, CAUSAL, ""),
        planted(None, Bug::LifeReused, CAUSAL, LOSES_DISK),
        planted(None, Bug::SeqReused, CAUSAL, ""),
    ]
}

impl Planted {
    /// The swarm with this bug in it.
    ///
    /// # Panics
    ///
    /// Where the table is wrong.
    pub fn scenario(&self) -> Scenario {
        self.story.scenario(Some(self.bug))
    }

    /// The first seed that shows it, and how; `None`: none of [`SEEDS_MAX`] does.
    ///
    /// # Panics
    ///
    /// Where the scenario cannot be deployed.
    pub fn found(&self, scenario: &Scenario) -> Option<(u64, Violation)> {
        let deployed = Deployed::new(scenario).expect("it can be deployed");
        (1..=SEEDS_MAX).find_map(|seed| {
            let outcome = deployed.run(seed, Options::default(), None);
            let first = outcome.violations.first().cloned()?;
            (outcome.verdict == Verdict::Violates).then_some((seed, first))
        })
    }
}
