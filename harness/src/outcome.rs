//! What came of a run: whether the claim holds, what broke, and what happened.

use contract::{NodeId, Span, Time};

use crate::{
    goals::{Goal, Goals},
    invariants::Violation,
    metrics::{Convergence, Counts, Quantiles, Told},
    scenario::Expectation,
};

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// Whether the invariants held, and whether the run showed what it claims to.
    pub verdict: Verdict,
    /// What the scenario expects.
    pub expected: Expectation,
    /// The first violation of each invariant, in the order in which they showed.
    pub violations: Vec<Violation>,
    /// Why the run does not show what it claims although no invariant broke: faults that never took
    /// effect, bounds that were not kept.
    pub shortfalls: Vec<String>,
    /// What was reached.
    pub goals: Goals,
    /// Goals that the scenario names and the run did not reach.
    pub goals_missing: Vec<Goal>,
    /// How many invariants looked on.
    pub invariants: usize,
    /// What happened to nodes and app messages.
    pub counts: Counts,
    /// What happened to operations that were broadcast.
    pub causal: Told,
    /// What happened to datagrams, disks and timers.
    pub world: sim::Counts,
    /// What faults were asked for, tried, and took effect.
    pub ledger: Vec<LedgerRow>,
    /// Faults that happen of themselves in this run, as the swarm drew them; `None`: as written.
    pub swarm: Option<sim::fault::Profile>,
    /// How long each honest release took to reach the nodes.
    pub convergence: Vec<Convergence>,
    /// A hash over every event; `None` where fingerprints were off or the run was cut short.
    pub fingerprint: Option<u128>,
    /// When the safety phase ended, or the run where that was earlier.
    pub safety_ended: Time,
    /// Whether the liveness phase began; otherwise the run stopped under faults.
    pub calmed: bool,
    /// How long the fleet took to come to rest after it was healed; `None`: it did not.
    pub rested_after: Option<Span>,
    /// When the run ended.
    pub ended: Time,
    /// Whether the liveness phase came to its end, at rest or with its time up; otherwise the run
    /// stopped at a violation.
    pub came_to_its_end: bool,
    /// Nodes that were ever there.
    pub nodes: u32,
    /// The nodes of the liveness phase.
    pub core: Vec<NodeId>,
    /// What each node of the core that is not settled waits for.
    pub waiting: Vec<(NodeId, Vec<String>)>,
    /// What each node waited for where the run stopped at a violation.
    pub waited: Vec<(NodeId, Vec<String>)>,
}

/// Whether a claim holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every invariant held.
    Holds,
    /// An invariant broke.
    Violates,
    /// Every invariant held, but the run did not show what it claims to.
    FallsShort,
    /// The run was cut short: what it shows is of what was done until then.
    Interrupted,
}

/// One line of the fault ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// Which fault.
    pub name: String,
    /// Whether the scenario asks for it.
    pub configured: bool,
    /// How often it had an opportunity.
    pub attempted: u64,
    /// How often something came of it.
    pub took_effect: u64,
}

impl Outcome {
    /// Whether the run came out as the scenario expects; goals are left aside, for over many seeds each
    /// needs to be reached only once.
    pub fn is_as_expected_but_goals(&self) -> bool {
        match &self.expected {
            _ if self.verdict == Verdict::Interrupted => false,
            Expectation::Holds => self.verdict == Verdict::Holds,
            Expectation::Violates(wanted) => wanted
                .iter()
                .all(|name| self.violations.iter().any(|broken| broken.invariant == name)),
        }
    }

    /// Whether the run came out as the scenario expects, its goals included.
    pub fn is_as_expected(&self) -> bool {
        self.is_as_expected_but_goals() && self.goals_missing.is_empty()
    }

    /// How long all honest releases took, over all nodes.
    pub fn latency(&self) -> Quantiles {
        Quantiles::pooled(self.convergence.iter().map(|convergence| &convergence.latency))
    }

    /// The row that reports are drawn from; `scenario`, its hash and the build are the caller's.
    pub fn row(&self) -> results::Run {
        let latency = self.latency();
        let nanos = |percent| latency.percentile(percent).map_or(0, Span::as_nanos);
        let (counts, world, causal) = (&self.counts, &self.world, &self.causal);
        let causal_nanos = |percent| causal.stability.percentile(percent).map_or(0, Span::as_nanos);
        let mut goals: Vec<String> =
            self.goals.reached().map(|goal| goal.name().to_owned()).collect();
        goals.sort_unstable();
        let faults = |count: fn(&LedgerRow) -> u64| self.ledger.iter().map(count).sum();
        results::Run {
            format_version: results::FORMAT_VERSION,
            seed: self.seed,
            outcome: match self.verdict {
                Verdict::Holds => results::Outcome::Holds,
                Verdict::Violates => results::Outcome::Violates,
                // Rows of results are of whole runs; whoever writes another says so beside it.
                Verdict::FallsShort | Verdict::Interrupted => results::Outcome::FallsShort,
            },
            as_expected: self.is_as_expected(),
            violated: self.violations.iter().map(|broken| broken.invariant.to_owned()).collect(),
            fingerprint: self.fingerprint.map_or(String::new(), |print| format!("{print:032x}")),
            virtual_nanos: self.ended.as_nanos(),
            nodes: self.nodes,
            convergence_p50_nanos: nanos(50),
            convergence_p90_nanos: nanos(90),
            convergence_p99_nanos: nanos(99),
            convergence_max_nanos: nanos(100),
            pause_max_nanos: counts.pause_max.as_nanos(),
            datagrams: world.sent,
            datagram_bytes: world.sent_bytes,
            datagrams_delivered: world.delivered,
            datagrams_lost: world.lost + world.cut + world.overflowed + world.undeliverable,
            delivered: counts.delivered,
            holds: counts.held,
            conversions: counts.converted,
            nacks: counts.nacked,
            retransmissions: counts.retransmitted,
            duplicates: counts.duplicates,
            crashes: counts.crashes,
            recoveries: counts.recoveries,
            switches: counts.switches,
            migrations: counts.migrations,
            quarantines: counts.quarantines,
            forged: counts.forged,
            fetched: counts.fetched,
            operations: counts.operations,
            operations_refused: counts.operations_refused,
            replies: counts.replies,
            faults_configured: faults(|row| u64::from(row.configured)),
            faults_attempted: faults(|row| row.attempted),
            faults_took_effect: faults(|row| row.took_effect),
            goals,
            causal_issued: causal.issued,
            causal_heartbeats: causal.heartbeats,
            causal_carried_out: causal.carried_out,
            causal_void: causal.void,
            causal_metadata_thousandths: causal.metadata_mean_thousandths(),
            causal_parked: causal.parked,
            causal_parked_max: causal.parked_max,
            causal_parked_thousandths: causal.parked_mean_thousandths,
            causal_held: causal.held,
            causal_rejected: causal.rejected,
            causal_stable_p50_nanos: causal_nanos(50),
            causal_stable_p99_nanos: causal_nanos(99),
            causal_joined: causal.joined,
            causal_retired: causal.retired,
            causal_resynced: causal.resynced,
            ..results::Run::default()
        }
    }
}
