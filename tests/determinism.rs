//! A run is a function of scenario and seed: repeated, watched or not, with messages as values or as
//! bytes, alone or beside others, it is the same run to the last event.

use std::thread;

use contract::{Span, Time};
use harness::{
    run::{Options, run},
    scenario::{Scenario, Text},
    trace::Sink,
};
use replica::Replica;
use sim::{Event, Wire};

use crate::scenarios;

/// The seed.
const SEED: u64 = 3;

/// Large fleets run only for so long: whether they are the same shows at once.
const SHORT: Span = Span::from_secs(2);

/// Fleets with more nodes are large.
const NODES_MAX: u32 = 100;

/// Counts events, so that a run is traced.
struct Counter(u64);

impl Sink for Counter {
    fn event(&mut self, _: Time, _: &Event<'_, Replica>) {
        self.0 += 1;
    }

    fn mark(&mut self, _: Time, _: &str) {}
}

/// The scenarios, cut short where they are large.
fn scenarios() -> Vec<(String, Scenario)> {
    let mut all = scenarios::all();
    for (_, scenario) in &mut all {
        if scenario.fleet.nodes > NODES_MAX {
            scenario.phases.safety = Text(SHORT);
            scenario.phases.liveness = Text(SHORT);
        }
    }
    all
}

/// The fingerprint of a run, and what else must be the same.
fn print(scenario: &Scenario, seed: u64, options: Options) -> (u128, String) {
    let outcome = run(scenario, seed, options, None).expect("it can be deployed");
    let print = outcome.fingerprint.expect("fingerprints are on");
    (print, format!("{:?} {:?}", outcome.row(), outcome.violations))
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    for (name, scenario) in scenarios() {
        let first = print(&scenario, SEED, Options::default());
        assert_eq!(print(&scenario, SEED, Options::default()), first, "{name}");
        assert_ne!(print(&scenario, SEED + 1, Options::default()).0, first.0, "{name}");
    }
}

#[test]
fn values_and_bytes_on_the_wire_give_the_same_run() {
    for (name, scenario) in scenarios() {
        let bytes = Options { wire: Wire::Bytes, ..Options::default() };
        let typed = Options { wire: Wire::Typed, ..Options::default() };
        assert_eq!(print(&scenario, SEED, bytes), print(&scenario, SEED, typed), "{name}");
    }
}

#[test]
fn a_trace_and_the_invariants_change_nothing() {
    for (name, scenario) in scenarios() {
        let plain = run(&scenario, SEED, Options::default(), None).expect("it can be deployed");
        let mut counter = Counter(0);
        let traced = run(&scenario, SEED, Options::default(), Some(&mut counter))
            .expect("it can be deployed");
        assert_eq!(traced.fingerprint, plain.fingerprint, "{name}");
        assert!(counter.0 > plain.world.delivered, "{name}: the trace saw every datagram");
        if plain.violations.is_empty() {
            let blind = Options { check: false, ..Options::default() };
            let blind = run(&scenario, SEED, blind, None).expect("it can be deployed");
            assert_eq!(blind.fingerprint, plain.fingerprint, "{name}");
        }
    }
}

#[test]
fn runs_beside_each_other_are_the_runs_alone() {
    let scenarios = scenarios();
    let small = scenarios.iter().filter(|(_, scenario)| scenario.fleet.nodes <= NODES_MAX);
    let small: Vec<&(String, Scenario)> = small.collect();
    let alone: Vec<_> =
        small.iter().map(|(_, scenario)| print(scenario, SEED, Options::default())).collect();
    let beside: Vec<_> = thread::scope(|scope| {
        let start = |(_, scenario): &&'_ (String, Scenario)| {
            let scenario = scenario.clone();
            scope.spawn(move || print(&scenario, SEED, Options::default()))
        };
        let threads: Vec<_> = small.iter().map(start).collect();
        threads.into_iter().map(|thread| thread.join().expect("a run does not panic")).collect()
    });
    assert_eq!(alone, beside);
}
