//! What a run came to: its verdict, and what it does not show although it broke nothing.

use std::collections::BTreeSet;

use contract::{Choices, NodeId};
use sim::fault::Fault as Injected;

use super::{Facts, Run, rest, watch};
use crate::{
    invariants::End,
    metrics::Convergence,
    outcome::{LedgerRow, Outcome, Verdict},
    scenario::Scenario,
};

/// Chances after which a fault that never took effect is no matter of luck.
const CHANCES_MIN: u64 = 10_000;

impl<C: Choices> Run<'_, C> {
    pub(super) fn outcome(mut self, facts: Facts, end: Option<&End>) -> Outcome {
        let Facts { safety_ended, calmed, rested_after, swarm, interrupted } = facts;
        let ledger = self.ledger();
        self.story.count_partitions(&ledger);
        let core: Vec<NodeId> = end.map_or_else(
            || self.story.truth.core().collect(),
            |end| end.nodes.iter().map(|resting| resting.node).collect(),
        );
        let convergence = self.story.arrivals.convergence(&self.story.truth, &core);
        let violations = self.story.checks.violations().to_vec();
        let shortfalls = match violations.is_empty() && !interrupted {
            true => self.shortfalls(&ledger, &convergence),
            false => Vec::new(),
        };
        let verdict = match (violations.is_empty(), shortfalls.is_empty()) {
            _ if interrupted => Verdict::Interrupted,
            (false, _) => Verdict::Violates,
            (true, false) => Verdict::FallsShort,
            (true, true) => Verdict::Holds,
        };
        self.story.counts.pause_max = self.story.arrivals.pause_max;
        let wanted = crate::goals::Goal::ALL
            .iter()
            .filter(|goal| self.scenario.expect.sometimes.iter().any(|name| name == goal.name()));
        let goals_missing =
            wanted.filter(|goal| self.story.goals.count(**goal) == 0).copied().collect();
        let waiting = end.map_or_else(Vec::new, rest::waiting);
        let waited = match end {
            None if !violations.is_empty() => {
                rest::waiting(&rest::end(&self.world, &self.story.truth, false))
            }
            _ => Vec::new(),
        };
        Outcome {
            seed: self.seed,
            verdict,
            expected: self.scenario.expect.outcome.clone(),
            violations,
            shortfalls,
            goals_missing,
            goals: self.story.goals,
            invariants: self.story.checks.len(),
            counts: self.story.counts,
            causal: self.story.operations.told(self.world.now()),
            world: self.world.counts(),
            ledger,
            swarm,
            convergence,
            fingerprint: (self.options.fingerprint && !interrupted)
                .then(|| self.world.fingerprint()),
            safety_ended,
            calmed,
            rested_after,
            ended: self.world.now(),
            came_to_its_end: end.is_some(),
            nodes: self.scenario.nodes().count() as u32,
            core,
            waiting,
            waited,
        }
    }

    /// What the run does not show although it broke nothing.
    fn shortfalls(&self, ledger: &[LedgerRow], convergence: &[Convergence]) -> Vec<String> {
        let mut shortfalls = self.inert(ledger);
        shortfalls.extend(late(self.scenario, convergence));
        shortfalls.extend(self.story.unpublished());
        shortfalls.extend(self.story.unretired());
        shortfalls.extend(self.story.goals.unwanted(&self.scenario.expect.never));
        let lost = convergence.iter().filter(|one| !one.missing.is_empty());
        let swarm = self.scenario.random.swarm;
        let lost = lost.filter(|one| !swarm && self.story.truth.is_lost(&one.release));
        shortfalls.extend(
            lost.map(|one| {
                format!("the code of {} was lost with the nodes that had it", one.release)
            }),
        );
        shortfalls
    }

    fn ledger(&self) -> Vec<LedgerRow> {
        let world = self.world.ledger().rows().map(|(injector, row)| LedgerRow {
            name: injector.name().to_owned(),
            configured: row.configured,
            attempted: row.attempted,
            took_effect: row.took_effect,
        });
        world.chain(self.story.crash_ins.iter().map(watch::CrashIn::row)).collect()
    }

    /// Faults that were asked for and never took effect, where that is no matter of luck: scripted
    /// ones, and those that had many chances. A swarm may leave anything out.
    fn inert(&self, ledger: &[LedgerRow]) -> Vec<String> {
        if self.scenario.random.swarm {
            return Vec::new();
        }
        let settings = self.world.settings();
        let scripted: BTreeSet<&str> = settings
            .faults
            .iter()
            .filter(|scheduled| scheduled.at <= self.world.now())
            .map(|scheduled| Injected::injector(&scheduled.fault).name())
            .chain(self.story.crash_ins.iter().map(|crash| crash.name.as_str()))
            .collect();
        let inert = ledger.iter().filter(|row| {
            let certain = scripted.contains(&*row.name) || row.attempted >= CHANCES_MIN;
            row.configured && row.took_effect == 0 && certain
        });
        inert.map(|row| format!("fault `{}` never took effect", row.name)).collect()
    }
}

/// Bounds on convergence that were not kept.
fn late(scenario: &Scenario, convergence: &[Convergence]) -> Vec<String> {
    let bounds = &scenario.expect.convergence;
    let bounds = [(50, bounds.p50), (90, bounds.p90), (99, bounds.p99), (100, bounds.max)];
    let mut late = Vec::new();
    for release in convergence {
        for (percent, bound) in bounds {
            if let (Some(bound), Some(took)) = (bound, release.latency.percentile(percent))
                && took > *bound
            {
                let (name, took) = (&release.release, crate::trace::time(took));
                let bound = *bound;
                late.push(format!(
                    "{name} took {took} to reach {percent} % of the nodes, not at most {bound}"
                ));
            }
        }
    }
    late
}
