//! A run is a function of scenario and seed: repeated, watched or not, with messages as values or as
//! bytes, alone or beside others, it is the same run to the last event.

use std::{sync::LazyLock, thread};

use contract::{Span, Time};
use harness::{
    outcome::Outcome,
    run::{Options, run},
    scenario::Text,
    trace::Sink,
};
use replica::Replica;
use sim::{Event, Wire};

use crate::scenarios::{self, Listed, small};

/// The seed.
const SEED: u64 = 3;

/// Large fleets run only for so long: whether they are the same shows at once.
const SHORT: Span = Span::from_secs(2);

/// Counts events, so that a run is traced.
struct Counter(u64);

impl Sink for Counter {
    fn event(&mut self, _: Time, _: &Event<'_, Replica>) {
        self.0 += 1;
    }

    fn mark(&mut self, _: Time, _: &str) {}
}

/// The scenarios, cut short where they are large.
fn scenarios() -> impl Iterator<Item = &'static Listed> {
    static SHORTENED: LazyLock<Vec<Listed>> = LazyLock::new(|| {
        let large = scenarios::all().iter().filter(|listed| listed.is_large());
        let shortened = large.map(|listed| {
            let mut scenario = listed.scenario.clone();
            scenario.phases.safety = Text(SHORT);
            scenario.phases.liveness = Text(SHORT);
            Listed::new(listed.name.clone(), scenario)
        });
        shortened.collect()
    });
    small().chain(&*SHORTENED)
}

/// The fingerprint of a run, and what else must be the same.
fn print(outcome: &Outcome) -> (u128, String) {
    let print = outcome.fingerprint.expect("fingerprints are on");
    (print, format!("{:?} {:?}", outcome.row(), outcome.violations))
}

/// A run of its own.
fn fresh(listed: &Listed, options: Options, trace: Option<&mut dyn Sink>) -> Outcome {
    run(&listed.scenario, SEED, options, trace).expect("it can be deployed")
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    for listed in scenarios() {
        let (name, first) = (&listed.name, print(listed.outcome(SEED)));
        assert_eq!(print(&fresh(listed, Options::default(), None)), first, "{name}");
        assert_ne!(print(listed.outcome(SEED + 1)).0, first.0, "{name}");
    }
}

#[test]
fn values_and_bytes_on_the_wire_give_the_same_run() {
    assert_eq!(Options::default().wire, Wire::Typed);
    for listed in scenarios() {
        let bytes = Options { wire: Wire::Bytes, ..Options::default() };
        let (bytes, typed) = (fresh(listed, bytes, None), listed.outcome(SEED));
        assert_eq!(print(&bytes), print(typed), "{}", listed.name);
    }
}

#[test]
fn a_trace_and_the_invariants_change_nothing() {
    for listed in scenarios() {
        let (name, plain) = (&listed.name, listed.outcome(SEED));
        let mut counter = Counter(0);
        let traced = fresh(listed, Options::default(), Some(&mut counter));
        assert_eq!(traced.fingerprint, plain.fingerprint, "{name}");
        assert!(counter.0 > plain.world.delivered, "{name}: the trace saw every datagram");
        if plain.violations.is_empty() {
            let blind = Options { check: false, ..Options::default() };
            assert_eq!(fresh(listed, blind, None).fingerprint, plain.fingerprint, "{name}");
        }
    }
}

#[test]
fn runs_beside_each_other_are_the_runs_alone() {
    let alone: Vec<_> = small().map(|listed| print(listed.outcome(SEED))).collect();
    let beside: Vec<_> = thread::scope(|scope| {
        let start = |listed| scope.spawn(move || print(&fresh(listed, Options::default(), None)));
        let threads: Vec<_> = small().map(start).collect();
        threads.into_iter().map(|thread| thread.join().expect("a run does not panic")).collect()
    });
    assert_eq!(alone, beside);
}
