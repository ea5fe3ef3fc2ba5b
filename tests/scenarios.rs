//! Every scenario in the folder comes out as it says, on the first seed with all its goals and on a few
//! more without: the folder is the test list.

use std::{
    fs,
    path::{Path, PathBuf},
};

use harness::{
    goals::Goal,
    outcome::{Outcome, Verdict},
    run::{Options, run},
    scenario::Scenario,
};

/// Seeds of each scenario; a sweep runs more.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=5;

/// Fleets with more nodes get one seed, so that the test stays short unoptimised.
const NODES_MAX: u32 = 100;

/// Every scenario in the folder, by name.
pub(crate) fn all() -> Vec<(String, Scenario)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let entries = fs::read_dir(&folder).expect("the scenarios are beside the tests");
    let paths = entries.map(|entry| entry.expect("the folder is readable").path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no scenario in {}", folder.display());
    paths
        .into_iter()
        .map(|path| {
            let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
            let scenario = Scenario::read(&path);
            (name, scenario.unwrap_or_else(|rejected| panic!("{}", rejected.rendered())))
        })
        .collect()
}

/// Why a run did not come out as its scenario says.
fn disappoints(name: &str, outcome: &Outcome, goals: bool) -> Option<String> {
    let fine = if goals { outcome.is_as_expected() } else { outcome.is_as_expected_but_goals() };
    if fine {
        return None;
    }
    let mut text = format!("{name}, seed {}: {:?}", outcome.seed, outcome.verdict);
    let violations = outcome.violations.iter().map(ToString::to_string);
    let goals = outcome.goals_missing.iter().map(|goal| format!("never reached `{}`", goal.name()));
    for why in violations.chain(outcome.shortfalls.iter().cloned()).chain(goals) {
        text.push_str(&format!("\n    {why}"));
    }
    Some(text)
}

#[test]
fn every_scenario_comes_out_as_it_says() {
    let mut disappointments = Vec::new();
    for (name, scenario) in all() {
        let seeds = if scenario.fleet.nodes > NODES_MAX { 1..=1 } else { SEEDS };
        for seed in seeds {
            let outcome =
                run(&scenario, seed, Options::default(), None).expect("it can be deployed");
            disappointments.extend(disappoints(&name, &outcome, seed == *SEEDS.start()));
        }
    }
    assert!(disappointments.is_empty(), "\n{}", disappointments.join("\n"));
}

#[test]
fn a_run_that_does_not_come_out_is_seen_to_disappoint() {
    let patch = all().into_iter().find(|(name, _)| name == "patch-bump");
    let (name, scenario) = patch.expect("it is there");
    let mut outcome = run(&scenario, 1, Options::default(), None).expect("it can be deployed");
    assert_eq!(disappoints(&name, &outcome, true), None);
    outcome.goals_missing.push(harness::goals::Goal::HoldFull);
    assert!(disappoints(&name, &outcome, true).is_some_and(|text| text.contains("hold-full")));
    outcome.verdict = harness::outcome::Verdict::FallsShort;
    assert!(disappoints(&name, &outcome, false).is_some());
}

#[test]
fn a_release_that_nobody_could_publish_falls_short() {
    let text = r#"
about = "the publisher leaves before it publishes"
app = "counter"
[fleet]
nodes = 3
runs = "1.4.0"
leave = [{ node = "n2", at = "1s" }]
[[release]]
version = "2.0.0"
at = "2s"
node = "n2"
[phases]
safety = "5s"
liveness = "10s"
"#;
    let scenario =
        Scenario::parse(Path::new("gone.toml"), text.to_owned()).expect("it is a scenario");
    let outcome = run(&scenario, 1, Options::default(), None).expect("it can be deployed");
    assert!(!outcome.is_as_expected());
    assert!(
        outcome.shortfalls.iter().any(|text| text.contains("was never published")),
        "{:?}",
        outcome.shortfalls
    );
}

/// A small fleet under load that takes 2.0.0 node by node; `{}` stands for more of the release.
const ROLLS: &str = r#"
about = "a small fleet takes 2.0.0 node by node"
app = "counter"
[fleet]
nodes = 4
runs = "1.4.0"
[network]
latency = { uniform = { min = "1ms", max = "10ms" } }
[workload]
rate = "20/s"
[phases]
safety = "6s"
liveness = "20s"
[[release]]
version = "2.0.0"
at = "1s"
node = "n0"
rollout = { rolling = { batch = 1, gap = "700ms" } }
"#;

fn outcome_of(text: String) -> Outcome {
    let scenario = Scenario::parse(Path::new("rolls.toml"), text).expect("it is a scenario");
    run(&scenario, 1, Options::default(), None).expect("it can be deployed")
}

#[test]
fn r18_nodes_of_different_versions_serve_at_the_same_time() {
    let outcome = outcome_of(ROLLS.to_owned());
    assert_eq!(outcome.verdict, Verdict::Holds);
    let served = outcome.goals.count(Goal::ClientServedWhileMixed);
    assert!(served > 100, "2.1 s of 80 operations a second cross versions: {served}");
}

#[test]
fn r8_a_migration_that_breaks_what_nodes_share_is_not_let_in() {
    let text = format!("{ROLLS}variant = \"drops-count\"\n[expect]\nquarantined = [\"2.0.0\"]\n");
    let outcome = outcome_of(text);
    assert_eq!(outcome.verdict, Verdict::Holds, "{:?}", outcome.violations);
    assert!(outcome.goals.count(Goal::Quarantined) > 0, "no node refused it");
}
