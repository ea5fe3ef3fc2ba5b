//! A failure under trial: a scenario, a seed, and what goes wrong.

use std::sync::atomic::{AtomicUsize, Ordering};

use contract::{NodeId, Time};
use sim::choices::Decision;

use crate::{
    outcome::{Outcome, Verdict},
    run::{Deployed, Options},
    scenario::{Expectation, Scenario},
    signature::{Signature, signature},
    trace::Sink,
};

/// A failure: what is run, and every choice of it that is not benign.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// Without choices of its own: those stand beside it.
    pub(super) scenario: Scenario,
    pub(super) seed: u64,
    pub(super) decisions: Vec<Decision>,
    /// When the failure showed.
    pub(super) at: Time,
    /// The nodes it showed at.
    pub(super) nodes: Vec<NodeId>,
}

/// Tries cases: whether they fail as the first one did.
pub(super) struct Trials<'a> {
    /// How a case must fail.
    pub(super) wanted: Signature,
    /// Runs so far.
    pub(super) runs: AtomicUsize,
    /// Whether there is no time left: then nothing fails any more, and what was found stays.
    pub(super) enough: &'a (dyn Fn() -> bool + Sync),
}

impl Trials<'_> {
    /// How a run is tried: to its end, or until there is no time left.
    fn options(&self) -> Options<'_> {
        Options { fingerprint: false, stop: Some(self.enough), ..Options::default() }
    }

    /// The case that `scenario` and `decisions` make, where it fails as wanted. Choices that nobody
    /// asked for are dropped: the run is the same without them.
    pub(super) fn fails(
        &self,
        scenario: &Scenario,
        seed: u64,
        decisions: &[Decision],
    ) -> Option<Case> {
        if (self.enough)() {
            return None;
        }
        self.runs.fetch_add(1, Ordering::Relaxed);
        let deployed = Deployed::new(scenario).ok()?;
        let (outcome, replayed) =
            deployed.run_replayed(seed, decisions.iter().copied(), self.options(), None);
        let (at, nodes) = self.first(&outcome)?;
        let unasked: Vec<Decision> = replayed.unasked().collect();
        let asked = decisions.iter().filter(|decision| unasked.binary_search(decision).is_err());
        Some(Case {
            scenario: scenario.clone(),
            seed,
            decisions: asked.copied().collect(),
            at,
            nodes,
        })
    }

    /// As [`Trials::fails`], for what `seed` draws in the scenario.
    pub(super) fn fails_when_drawn(&self, scenario: &Scenario, seed: u64) -> Option<Case> {
        if (self.enough)() {
            return None;
        }
        self.runs.fetch_add(1, Ordering::Relaxed);
        let (outcome, decisions) =
            Deployed::new(scenario).ok()?.run_recorded(seed, self.options(), None);
        let (at, nodes) = self.first(&outcome)?;
        Some(Case { scenario: scenario.clone(), seed, decisions, at, nodes })
    }

    /// When and where `outcome` fails as wanted. A run that was cut short shows nothing.
    fn first(&self, outcome: &Outcome) -> Option<(Time, Vec<NodeId>)> {
        if outcome.verdict == Verdict::Interrupted {
            return None;
        }
        let first = outcome.violations.first()?;
        let alike = signature(outcome).is_some_and(|found| found == self.wanted);
        alike.then(|| (first.at, first.nodes.clone()))
    }
}

impl Case {
    /// Runs it once more and shows every event of it to `sink`.
    pub(super) fn show(&self, sink: &mut dyn Sink) -> Option<Outcome> {
        let deployed = Deployed::new(&self.scenario).ok()?;
        let decisions = self.decisions.iter().copied();
        let options = Options { fingerprint: false, ..Options::default() };
        Some(deployed.run_replayed(self.seed, decisions, options, Some(sink)).0)
    }
}

/// `scenario` as it is tried: it expects the invariant to break, and nothing else that a run might fall
/// short of.
pub(super) fn tried(scenario: &Scenario, invariant: &str) -> Scenario {
    let mut tried = scenario.clone();
    tried.replay = None;
    let quarantined = std::mem::take(&mut tried.expect.quarantined);
    let (serving, pause) = (tried.expect.serving, tried.expect.pause);
    tried.expect = Default::default();
    tried.expect.outcome = Expectation::Violates(vec![invariant.to_owned()]);
    tried.expect.quarantined = quarantined;
    (tried.expect.serving, tried.expect.pause) = (serving, pause);
    tried
}
