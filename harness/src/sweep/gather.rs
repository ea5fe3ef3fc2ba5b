//! What runs come to, added up as they come in. Sums of parts are the sum of the whole.

use std::collections::{BTreeMap, btree_map::Entry};

use results::{Bound, Failure, Injected, Run, Tally, Timeline, latency_bucket};

use super::cells::Place;
use crate::{
    outcome::{Outcome, Verdict},
    shell::{quoted, settings},
    signature::{Signature, normalised, signature},
};

/// Kinds of failures that are kept for one cell. Rows keep the signature of every run.
const KINDS_MAX: usize = 1_000;

/// What is kept of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Which cell of the plan.
    pub cell: usize,
    /// The row.
    pub row: Run,
    /// What it adds to the tally of its cell.
    pub tally: Tally,
    /// Why it did not come out as expected, where it did not.
    pub failure: Option<Failure>,
    /// How it went over time, where it is the first of its cell.
    pub timeline: Option<Timeline>,
}

/// What many runs came to, but for their rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// By cell of the plan.
    pub tallies: BTreeMap<usize, Tally>,
    /// By cell and signature: the shortest.
    pub failures: BTreeMap<(usize, String), Failure>,
    /// By cell.
    pub timelines: BTreeMap<usize, Timeline>,
}

impl Done {
    /// What is kept of `outcome`, a run at `place`, which is cell `cell`.
    pub fn of(
        cell: usize,
        place: &Place,
        build: &str,
        outcome: &Outcome,
        timeline: Option<Timeline>,
    ) -> Self {
        let failure = failure_of(place, outcome);
        let as_expected = failure.is_none();
        let plain = outcome.row();
        let row = Run {
            scenario: place.name.clone(),
            scenario_hash: place.hash.clone(),
            build: build.to_owned(),
            cell: place.cell.clone(),
            as_expected,
            signature: failure.as_ref().map_or_else(String::new, |one| one.signature.clone()),
            ..plain
        };
        let tally = tally_of(place, outcome, as_expected);
        Self { cell, row, tally, failure, timeline }
    }
}

impl Gathered {
    /// Adds one run; its row is left to the caller.
    pub fn take(&mut self, done: &mut Done) {
        let tally = std::mem::take(&mut done.tally);
        self.add_tally(done.cell, tally);
        if let Some(failure) = done.failure.take() {
            self.add_failure(done.cell, failure);
        }
        if let Some(timeline) = done.timeline.take() {
            self.timelines.entry(done.cell).or_insert(timeline);
        }
    }

    /// Adds what other runs came to.
    pub fn add(&mut self, other: Self) {
        for (cell, tally) in other.tallies {
            self.add_tally(cell, tally);
        }
        for ((cell, _), failure) in other.failures {
            self.add_failure(cell, failure);
        }
        for (cell, timeline) in other.timelines {
            self.timelines.entry(cell).or_insert(timeline);
        }
    }

    /// How many runs did not come out as expected.
    pub fn failed(&self) -> u64 {
        self.tallies.values().map(|tally| tally.runs - tally.as_expected).sum()
    }

    /// How many runs.
    pub fn runs(&self) -> u64 {
        self.tallies.values().map(|tally| tally.runs).sum()
    }

    fn add_tally(&mut self, cell: usize, tally: Tally) {
        match self.tallies.entry(cell) {
            Entry::Vacant(free) => drop(free.insert(tally)),
            Entry::Occupied(mut sum) => sum.get_mut().add(&tally),
        }
    }

    fn add_failure(&mut self, cell: usize, mut failure: Failure) {
        let key = (cell, failure.signature.clone());
        match self.failures.entry(key) {
            Entry::Vacant(free) => drop(free.insert(failure)),
            Entry::Occupied(mut kept) => {
                let kept = kept.get_mut();
                let runs = kept.runs + failure.runs;
                if (failure.datagrams, failure.seed) < (kept.datagrams, kept.seed) {
                    std::mem::swap(kept, &mut failure);
                }
                kept.runs = runs;
                return;
            }
        }
        // Which kinds stay is no matter of which came first, so that parts add up in any order.
        let kinds = self.failures.range((cell, String::new())..(cell + 1, String::new()));
        if kinds.count() > KINDS_MAX {
            let last = self.failures.range(..(cell + 1, String::new())).next_back();
            let last = last.map(|(key, _)| key.clone()).expect("there is more than one");
            self.failures.remove(&last);
        }
    }
}

/// Why `outcome` is not what `place` expects; `None`: it is. Goals are the sweep's matter.
fn failure_of(place: &Place, outcome: &Outcome) -> Option<Failure> {
    if outcome.is_as_expected_but_goals() {
        return None;
    }
    let first = outcome.violations.first();
    let (message, signature) = match (first, signature(outcome)) {
        (Some(first), Some(signature)) => (first.text.clone(), signature),
        _ if place.is_canary() => {
            let message = "a canary must fail, and nothing broke".to_owned();
            (
                message.clone(),
                Signature { invariant: String::new(), text: message, shape: String::new() },
            )
        }
        _ => {
            let message = outcome.shortfalls.join("; ");
            let text = outcome.shortfalls.first().map_or_else(String::new, |one| normalised(one));
            let shape = "falls short".to_owned();
            (message, Signature { invariant: String::new(), text, shape })
        }
    };
    let at = first.map_or(outcome.ended, |first| first.at);
    Some(Failure {
        format_version: results::FORMAT_VERSION,
        scenario: place.name.clone(),
        cell: place.cell.clone(),
        seed: outcome.seed,
        signature: signature.id(),
        invariant: signature.invariant,
        message,
        normalised: signature.text,
        shape: signature.shape,
        at_nanos: at.as_nanos(),
        nodes: first.map_or_else(Vec::new, |first| first.nodes.iter().map(|node| node.0).collect()),
        datagrams: outcome.world.sent,
        runs: 1,
        fingerprint: outcome.fingerprint.map_or_else(String::new, |print| format!("{print:032x}")),
        repeat: repeat(place, outcome.seed),
    })
}

/// The command that repeats a run at `place` with `seed`.
pub fn repeat(place: &Place, seed: u64) -> String {
    let (path, set) = (quoted(&place.path), settings(&place.settings));
    format!("simctl run {path} --seed {seed}{set}")
}

fn tally_of(place: &Place, outcome: &Outcome, as_expected: bool) -> Tally {
    let goals = outcome.goals.reached().map(|goal| (goal.name().to_owned(), 1));
    let injectors = outcome.ledger.iter().filter(|row| row.configured).map(|row| {
        let took_effect = row.took_effect;
        (row.name.clone(), Injected { configured: 1, attempted: row.attempted, took_effect })
    });
    let latencies = || outcome.convergence.iter().flat_map(|one| one.latency.spans());
    let mut latency = BTreeMap::new();
    for span in latencies() {
        *latency.entry(latency_bucket(span.as_nanos())).or_default() += 1;
    }
    let never_adopted: u64 = outcome.convergence.iter().map(|one| one.missing.len() as u64).sum();
    let bounds = place.stated.expect.thresholds().map(|(name, percent, threshold)| {
        let within = latencies().filter(|span| **span <= threshold.at_most).count() as u64;
        let of = latencies().count() as u64 + never_adopted;
        (name.to_owned(), Bound { percent, nanos: threshold.at_most.as_nanos(), within, of })
    });
    let is = |verdict| u64::from(outcome.verdict == verdict);
    let causal = &outcome.causal;
    Tally {
        scenario: place.name.clone(),
        cell: place.cell.clone(),
        runs: 1,
        holds: is(Verdict::Holds),
        violates: is(Verdict::Violates),
        falls_short: is(Verdict::FallsShort),
        as_expected: u64::from(as_expected),
        swarm: place.stated.random.swarm,
        wanted: place.stated.expect.sometimes.clone(),
        goals: goals.collect(),
        injectors: injectors.collect(),
        bounds: bounds.collect(),
        latency,
        never_adopted,
        causal_issued: causal.issued,
        causal_carried_out: causal.carried_out,
        causal_void: causal.void,
        causal_parked: causal.parked,
        causal_held: causal.held,
    }
}
