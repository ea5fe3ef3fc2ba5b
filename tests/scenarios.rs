//! Every scenario in the folder comes out as it says, on the first seed with all its goals and on a few
//! more without: the folder is the test list.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{LazyLock, OnceLock},
};

use harness::{
    goals::Goal,
    outcome::{Outcome, Verdict},
    run::{Options, run},
    scenario::Scenario,
};

/// Seeds of each scenario; a sweep runs more.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=5;

/// Fleets with more nodes are large: they get one seed, and run once.
const NODES_MAX: u32 = 100;

/// A scenario, and what came of it so far.
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) scenario: Scenario,
    /// One for each of [`SEEDS`].
    outcomes: Vec<OnceLock<Outcome>>,
}

impl Listed {
    pub(crate) fn new(name: String, scenario: Scenario) -> Self {
        Self { name, scenario, outcomes: SEEDS.map(|_| OnceLock::new()).collect() }
    }

    /// What comes of it with `seed`, one of [`SEEDS`]: one run for all tests that ask.
    pub(crate) fn outcome(&self, seed: u64) -> &Outcome {
        let index = usize::try_from(seed - SEEDS.start()).expect("it is a small number");
        self.outcomes[index].get_or_init(|| {
            run(&self.scenario, seed, Options::default(), None).expect("it can be deployed")
        })
    }

    pub(crate) fn is_large(&self) -> bool {
        self.scenario.fleet.nodes > NODES_MAX
    }
}

/// Every scenario in the folder, by name.
pub(crate) fn all() -> &'static [Listed] {
    static ALL: LazyLock<Vec<Listed>> = LazyLock::new(read);
    &ALL
}

/// Every scenario that has no large fleet.
pub(crate) fn small() -> impl Iterator<Item = &'static Listed> {
    all().iter().filter(|listed| !listed.is_large())
}

/// The files in `folder`, beside the tests, that hold a scenario, in order of their names.
pub(crate) fn files(folder: &str) -> Vec<(String, Scenario)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&folder).expect("the scenarios are beside the tests");
    let paths = entries.map(|entry| entry.expect("the folder is readable").path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect();
    paths.sort();
    assert!(!paths.is_empty(), "no scenario in {}", folder.display());
    let read = |path: PathBuf| {
        let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let scenario = Scenario::read(&path);
        (name, scenario.unwrap_or_else(|rejected| panic!("{}", rejected.rendered())))
    };
    paths.into_iter().map(read).collect()
}

fn read() -> Vec<Listed> {
    files("../scenarios").into_iter().map(|(name, scenario)| Listed::new(name, scenario)).collect()
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
    for listed in all() {
        for seed in SEEDS.take(if listed.is_large() { 1 } else { usize::MAX }) {
            let outcome = listed.outcome(seed);
            disappointments.extend(disappoints(&listed.name, outcome, seed == *SEEDS.start()));
        }
    }
    assert!(disappointments.is_empty(), "\n{}", disappointments.join("\n"));
}

#[test]
fn a_run_that_does_not_come_out_is_seen_to_disappoint() {
    let patch = all().iter().find(|listed| listed.name == "patch-bump").expect("it is there");
    let mut outcome = patch.outcome(1).clone();
    assert_eq!(disappoints(&patch.name, &outcome, true), None);
    outcome.goals_missing.push(Goal::HoldFull);
    let said = disappoints(&patch.name, &outcome, true);
    assert!(said.is_some_and(|text| text.contains("hold-full")));
    outcome.verdict = Verdict::FallsShort;
    assert!(disappoints(&patch.name, &outcome, false).is_some());
}

#[test]
fn a_release_that_nobody_could_publish_falls_short() {
    let text = r#"
about = "the publisher is down when it is to publish, and leaves before it is up again"
app = "counter"
[fleet]
nodes = 3
runs = "1.4.0"
leave = [{ node = "n2", at = "3s" }]
[[fault]]
crash = { node = "n2", at = "1s", down = "3s" }
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
