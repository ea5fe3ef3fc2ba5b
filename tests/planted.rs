//! Every planted bug is found, by the invariants that should find it, within a few seeds; and where
//! no bug is planted the same seeds hold.
//!
//! A set of invariants is only as good as what it catches: a bug that no scenario here finds is a hole in
//! the invariants or in the workload.

use std::fmt::Write;

use harness::{
    outcome::Outcome,
    run::{Options, run},
    scenario::Expectation,
};
use tests::story::{ASKS, DEAR, Edit, FULL, HOSTILE, MINOR, ODD, REFUSED, SESSIONS, Story};
use upgrade::bugs::Bug;

/// Seeds that a bug may take.
const SEEDS: u64 = 12;

/// A small fleet that goes from 1.4.0 to 2.0.0 node by node, while every message crosses versions.
const MAJOR: &str = r#"
about = "a small fleet goes from 1.4.0 to 2.0.0, node by node"
app = "counter"
[fleet]
nodes = 4
runs = "1.4.0"
[network]
latency = { uniform = { min = "1ms", max = "10ms" } }
loss = { independent = "2%" }
[protocol]
gossip = "200ms"
[workload]
rate = "20/s"
mix = { increment = 2, add = 8 }
until = "5s"
[[release]]
version = "2.0.0"
at = "500ms"
node = "n0"
rollout = { rolling = { batch = 1, gap = "700ms" } }
[phases]
safety = "5s"
liveness = "20s"
"#;

/// A small fleet whose operations are broadcast in causal order goes from 1.0.0 to 2.0.0.
const CAUSAL: &str = r#"
about = "a small fleet that broadcasts operations goes from 1.0.0 to 2.0.0, node by node"
app = "tally"
[fleet]
nodes = 4
runs = "1.0.0"
[network]
latency = { uniform = { min = "1ms", max = "30ms" } }
loss = { independent = "3%" }
reorder = { share = "10%", by = "60ms" }
[protocol]
gossip = "200ms"
[workload]
rate = "15/s"
mix = { up = 1 }
until = "7s"
[[release]]
version = "2.0.0"
at = "2s"
node = "n0"
rollout = { rolling = { batch = 1, gap = "700ms" } }
[phases]
safety = "7s"
liveness = "20s"
"#;

/// [`MAJOR`] with these changes, and these lines at its end.
const fn major(edits: &'static [Edit], more: &'static str) -> Story {
    Story { plain: MAJOR, edits, more }
}

/// [`CAUSAL`] with these lines at its end.
const fn causal(more: &'static str) -> Story {
    Story { plain: CAUSAL, edits: &[], more }
}

/// Releases 2.0.0 and 3.0.0 in turn.
const TWICE: &str = r#"
[[release]]
version = "3.0.0"
at = "3500ms"
node = "n1"
"#;

/// Release 3.0.0 while half of the fleet still runs 1.4.0.
const SKIPS: &str = r#"
[[release]]
version = "3.0.0"
at = "900ms"
node = "n1"
rollout = { rolling = { batch = 1, gap = "700ms" } }
"#;

/// Nodes that crash while they hold messages.
const CRASHES: &str = r#"
[[fault]]
crash = { node = "n3", at = "1900ms", down = "200ms" }
[[fault]]
crash = { node = "n2", at = "1500ms", down = "200ms" }
"#;

/// Two codes of one version, published to two sides that hear each other later.
const RIVALS: &str = r#"
[[release]]
version = "2.0.0"
variant = "other"
at = "600ms"
node = "n3"
"#;

/// Another 2.0.0, which only strangers signed.
const STRANGERS: &str = r#"
[[release]]
version = "3.0.0"
at = "1s"
node = "n3"
forged = "untrusted-key"
"#;

/// An envelope that was changed after it was signed.
const TAMPERED: &str = r#"
[[release]]
version = "3.0.0"
at = "1s"
node = "n2"
forged = "tampered-envelope"
"#;

/// A node joins, and nodes that heard of it crash.
const JOINS: &str = r#"
[[fleet.join]]
node = "n4"
at = "700ms"
[[fault]]
crash = { node = "n0", at = "1800ms", down = "200ms" }
[[fault]]
crash = { node = "n3", at = "2300ms", down = "200ms" }
"#;

/// A message must have waited, or nothing could go past it.
const WAITS: &str = "[expect]\nsometimes = [\"held\"]";

/// A member is let go while operations of its own are on their way.
const LET_GO: &str = r#"
[[fleet.retire]]
node = "n3"
at = "1500ms"
by = "n0"
"#;

/// A node loses its disk.
const LOSES_DISK: &str = r#"
[[fault]]
crash = { node = "n2", at = "1500ms", down = "300ms", disk = "amnesia" }
"#;

/// Nodes crash and keep what they had written.
const RESTARTS: &str = r#"
[[fault]]
crash = { node = "n2", at = "1500ms", down = "300ms" }
[[fault]]
crash = { node = "n3", at = "4s", down = "300ms" }
"#;

/// Which story shows a bug, and which invariants may be the first to see it.
fn table() -> Vec<(Bug, Story, &'static [&'static str])> {
    vec![
        (Bug::MergeUsesLte, major(&[], ""), &["S4"]),
        (Bug::GateComparesFullVersions, major(MINOR, ""), &["S6"]),
        (Bug::DrainDoesNotRemove, major(&[], TWICE), &["S9", "S14"]),
        (Bug::DrainInHashOrder, major(&[], ""), &["S10"]),
        (Bug::VolatileHold, major(&[], CRASHES), &["S13"]),
        (Bug::ConvertEqualMajor, major(&[], ""), &["S12", "C1"]),
        (Bug::FirstCodeWins, major(&[], RIVALS), &["S1", "S5"]),
        (Bug::GateSwitchedBeforeInit, major(&[ODD], REFUSED), &["S16", "S6"]),
        (Bug::RelayUnverified, major(&[HOSTILE], STRANGERS), &["S21"]),
        (Bug::SignatureCoversCodeOnly, major(&[], TAMPERED), &["S21"]),
        (Bug::MigrationOmitsZero, major(&[], ""), &["S17", "S24"]),
        (Bug::OutOfFuelCommitsPartial, major(&[DEAR], REFUSED), &["S25", "S24", "S17"]),
        (Bug::AppCrdtMessagesStamped, major(&[], ""), &["L1"]),
        (Bug::ChecksOldSchema, major(&[], ""), &["L2"]),
        (Bug::ConvertTwice, major(&[], ""), &["S12", "S6"]),
        (Bug::SkipEdge, major(&[], SKIPS), &["S12", "S6"]),
        (Bug::KnownFallsOnRecovery, major(&[], CRASHES), &["S2"]),
        (Bug::NodesFallOnReplay, major(SESSIONS, JOINS), &["S24"]),
        (Bug::UnversionedHeld, major(ASKS, WAITS), &["S8"]),
        (Bug::OverflowSilent, major(&[FULL], ""), &["S14", "S13"]),
        (Bug::TwoInstances, major(&[], ""), &["S29"]),
        (Bug::WrongStampAtCommit, major(&[], ""), &["S15", "S26"]),
        (Bug::ClockLostOnReinstall, causal(""), &["C6", "C4"]),
        (Bug::StableEarly, causal(""), &["C6"]),
        (Bug::RetireInOnePhase, causal(LET_GO), &["C1", "C6"]),
        (Bug::GateInsideCausal, causal(""), &["C4"]),
        (Bug::LifeReused, causal(LOSES_DISK), &["C8"]),
        (Bug::SeqReused, causal(RESTARTS), &["S24", "C8"]),
    ]
}

fn outcome(story: Story, bug: Option<Bug>, seed: u64) -> Outcome {
    let mut scenario = story.scenario(bug);
    // A run ends where all of these broke, so that every invariant that sees the bug gets to say so.
    let names = harness::invariants::list().into_iter().map(|listed| listed.name.to_owned());
    scenario.expect.outcome = Expectation::Violates(names.collect());
    run(&scenario, seed, Options::default(), None).expect("it can be deployed")
}

#[test]
fn the_table_has_every_bug() {
    let listed: Vec<Bug> = table().into_iter().map(|(bug, ..)| bug).collect();
    for bug in Bug::ALL {
        assert!(listed.contains(&bug), "{bug}");
    }
}

#[test]
fn every_planted_bug_is_found_and_nothing_is_found_without_it() {
    let mut report = String::new();
    let mut missed = Vec::new();
    for (bug, story, expected) in table() {
        let found = (1..=SEEDS).find_map(|seed| {
            let outcome = outcome(story, Some(bug), seed);
            let first = outcome.violations.first()?.clone();
            let more: Vec<_> = outcome.violations[1..].iter().map(|one| one.invariant).collect();
            Some((seed, first, more))
        });
        let name = bug.name();
        match &found {
            Some((seed, first, more)) if expected.contains(&first.invariant) => {
                let (first, more) = (first.invariant, more.join(" "));
                writeln!(report, "{name:28} seed {seed}: {first:4} {more}").expect("text grows");
            }
            Some((seed, first, _)) => missed.push(format!("{name}: seed {seed} shows {first}")),
            None => missed.push(format!("{name}: not found within {SEEDS} seeds")),
        }
        for seed in 1..=found.map_or(1, |(seed, ..)| seed) {
            let outcome = outcome(story, None, seed);
            for broken in &outcome.violations {
                missed.push(format!("without {name}, seed {seed}: {broken}"));
            }
        }
    }
    println!("{report}");
    assert!(missed.is_empty(), "{report}\n{}", missed.join("\n"));
}
