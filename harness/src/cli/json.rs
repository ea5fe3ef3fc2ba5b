//! A run as one JSON object a line: the row of results, and beside its columns what is behind them.
//!
//! Like columns, keys are added and never renamed, removed or given another meaning.

use contract::Span;
use serde::Serialize;

use super::{
    run::Job,
    summary::{self, GoalsOf},
};
use crate::outcome::{LedgerRow, Outcome, Verdict};

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    row: results::Run,
    /// Whether the run was cut short: everything here is of what was done until then.
    interrupted: bool,
    /// What broke, in the order in which it showed.
    violations: Vec<Violation<'a>>,
    /// Why the run does not show what it claims although nothing broke.
    shortfalls: &'a [String],
    /// Goals that the scenario names and the run did not reach.
    goals_missing: Vec<&'a str>,
    releases: Vec<Release>,
    ledger: Vec<Fault<'a>>,
    /// What nodes that did not settle wait for.
    waiting: Vec<Waiting<'a>>,
    /// The command that repeats the run.
    repeat: String,
}

#[derive(Serialize)]
struct Violation<'a> {
    invariant: &'a str,
    claim: &'a str,
    at_nanos: u64,
    nodes: Vec<String>,
    text: &'a str,
}

#[derive(Serialize)]
struct Release {
    release: String,
    published_nanos: u64,
    nodes: usize,
    missing: Vec<String>,
    p50_nanos: Option<u64>,
    p90_nanos: Option<u64>,
    p99_nanos: Option<u64>,
    max_nanos: Option<u64>,
}

#[derive(Serialize)]
struct Fault<'a> {
    name: &'a str,
    configured: bool,
    attempted: u64,
    took_effect: u64,
}

#[derive(Serialize)]
struct Waiting<'a> {
    node: String,
    reasons: &'a [String],
}

pub(super) fn line(job: &Job<'_>, outcome: &Outcome, goals: GoalsOf) -> String {
    let line = Line {
        row: summary::row(job, outcome, goals),
        interrupted: outcome.verdict == Verdict::Interrupted,
        violations: outcome.violations.iter().map(violation).collect(),
        shortfalls: &outcome.shortfalls,
        goals_missing: outcome.goals_missing.iter().map(|goal| goal.name()).collect(),
        releases: outcome.convergence.iter().map(release).collect(),
        ledger: outcome.ledger.iter().map(fault).collect(),
        waiting: outcome
            .waiting
            .iter()
            .map(|(node, reasons)| Waiting { node: node.to_string(), reasons })
            .collect(),
        repeat: job.repeat(),
    };
    serde_json::to_string(&line).expect("a line is JSON") + "\n"
}

fn violation(violation: &crate::invariants::Violation) -> Violation<'_> {
    Violation {
        invariant: violation.invariant,
        claim: violation.claim,
        at_nanos: violation.at.as_nanos(),
        nodes: violation.nodes.iter().map(ToString::to_string).collect(),
        text: &violation.text,
    }
}

fn release(convergence: &crate::metrics::Convergence) -> Release {
    let nanos = |percent| convergence.latency.percentile(percent).map(Span::as_nanos);
    Release {
        release: convergence.release.to_string(),
        published_nanos: convergence.published.as_nanos(),
        nodes: convergence.latency.count(),
        missing: convergence.missing.iter().map(ToString::to_string).collect(),
        p50_nanos: nanos(50),
        p90_nanos: nanos(90),
        p99_nanos: nanos(99),
        max_nanos: nanos(100),
    }
}

fn fault(row: &LedgerRow) -> Fault<'_> {
    let LedgerRow { name, configured, attempted, took_effect } = row;
    Fault { name, configured: *configured, attempted: *attempted, took_effect: *took_effect }
}
