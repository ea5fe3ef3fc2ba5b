//! What shrinking leaves of planted bugs, and that runs repeat from their choices. The example `planted`
//! prints the table of all bugs.

use harness::{
    run::{Deployed, Options, run, run_recorded, run_replayed},
    scenario::Scenario,
    shrink::{Shrunk, shrink},
    signature::signature,
};
use tests::planted_table::{Planted, table};
use upgrade::bugs::Bug;

use crate::scenarios::small;

/// A failure that cannot be told from its bug: one of a crash, one of the end of a run.
const BUGS: [Bug; 2] = [Bug::VolatileHold, Bug::ChecksOldSchema];

fn planted(bug: Bug) -> Planted {
    table().into_iter().find(|planted| planted.bug == bug).expect("the table has every bug")
}

fn shrunk(bug: Bug, threads: usize) -> Shrunk {
    let scenario = planted(bug).scenario();
    let (seed, _) = planted(bug).found(&scenario).expect("a seed shows it");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
    pool.install(|| shrink(&scenario, seed, "swarm.toml", &|| false, &mut |_| {}))
        .unwrap_or_else(|error| panic!("{bug}: {error}"))
}

#[test]
fn a_planted_bug_shrinks_to_a_few_nodes_and_choices_that_show_it_and_nothing_else() {
    for bug in BUGS {
        let shrunk = shrunk(bug, 2);
        assert!(shrunk.before.nodes >= 8 && shrunk.before.datagrams >= 1_000, "{bug}: {shrunk:?}");
        assert!(shrunk.after.nodes <= 4, "{bug}: {} nodes", shrunk.after.nodes);
        assert!(shrunk.after.choices <= 20, "{bug}: {} choices", shrunk.after.choices);
        // The text fails by itself, whichever seed is asked for, and without the bug it does not.
        let path = std::path::Path::new("shrunk.toml");
        let scenario = Scenario::parse(path, shrunk.text.clone());
        let mut scenario = scenario.unwrap_or_else(|rejected| panic!("{}", rejected.rendered()));
        let again = run(&scenario, 4711, Options::default(), None).expect("it can be deployed");
        assert_eq!(signature(&again), Some(shrunk.signature), "{bug}");
        assert!(again.is_as_expected(), "{bug}");
        scenario.protocol.plant.clear();
        let mended = run(&scenario, 4711, Options::default(), None).expect("it can be deployed");
        assert_eq!(mended.violations, [], "{bug}");
    }
}

#[test]
fn the_table_that_is_printed_has_every_bug() {
    let listed: Vec<Bug> = table().into_iter().map(|planted| planted.bug).collect();
    for bug in Bug::ALL {
        assert_eq!(listed.iter().filter(|one| **one == bug).count(), 1, "{bug}");
    }
}

#[test]
fn what_shrinking_finds_does_not_depend_on_threads() {
    let [one, other] = [1, 3].map(|threads| shrunk(Bug::GateSwitchedBeforeInit, threads));
    assert_eq!(one.scenario, other.scenario);
    assert_eq!(one.text, other.text);
}

#[test]
fn a_shrinking_without_time_gives_what_it_has() {
    let scenario = planted(Bug::TwoInstances).scenario();
    let shrunk = shrink(&scenario, 1, "swarm.toml", &|| true, &mut |_| {}).expect("it fails");
    assert!(shrunk.cut_short);
    assert_eq!(shrunk.after.choices, shrunk.before.choices);
}

/// Such a run goes on after what broke first; the shrunk one does not.
#[test]
fn a_canary_in_which_something_else_breaks_first_shrinks_to_that() {
    let listed = small().find(|listed| listed.name == "gate-off").expect("it is listed");
    let scenario = &listed.scenario;
    let first = |seed: &u64| run(scenario, *seed, Options::default(), None).expect("it runs");
    let other = |seed: &u64| first(seed).violations[0].invariant != "S6";
    let seed = (0..32).find(other).expect("S12 breaks first in every third run");
    let outcome = first(&seed);
    assert!(outcome.violations.len() > 1, "it went on until S6 broke");
    let shrunk = shrink(scenario, seed, "gate-off.toml", &|| true, &mut |_| {}).expect("it fails");
    assert_eq!(Some(shrunk.signature), signature(&outcome));
}

#[test]
fn every_run_repeats_from_its_choices_and_every_choice_can_be_written_and_read() {
    // A thousand nodes make no kind of choice that ten do not.
    for listed in small() {
        let (name, scenario) = (&listed.name, &listed.scenario);
        let (outcome, decisions) =
            run_recorded(scenario, 3, Options::default(), None).expect("it can be deployed");
        assert_eq!(outcome.fingerprint, listed.outcome(3).fingerprint, "{name}: it was recorded");
        let words = Deployed::new(scenario).expect("it can be deployed").words();
        let lines = words.lines(&decisions);
        let read = lines.iter().flat_map(|line| {
            words.read(line).unwrap_or_else(|error| panic!("{name}: {line}: {error}"))
        });
        let (again, replayed) =
            run_replayed(scenario, 3, read.collect::<Vec<_>>(), Options::default(), None)
                .expect("it can be deployed");
        assert_eq!(again.fingerprint, outcome.fingerprint, "{name}");
        assert_eq!(replayed.unasked().count(), 0, "{name}");
    }
}
