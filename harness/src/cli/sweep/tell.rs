//! What a sweep came to, for people, programs, GitHub and CI servers.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use results::{Failure as Failed, Plan, Tally};
use serde::Serialize;

use super::super::{
    Failure,
    columns::OPERATIONS,
    plan as planning,
    style::{BAD, BOLD, DIM, GOOD},
    words::{count, counted, time},
};
use crate::{
    sweep::{judge::Judged, plan},
    visible::visible,
};

/// Failures of one place that are told; the others are counted.
const TOLD_MAX: usize = 10;
/// Characters of a message that are told.
const MESSAGE_MAX: usize = 400;

/// What the columns of latencies are: a report has those of whole fleets.
const LATENCIES: &str =
    "p50, p90, p99: from publication until a node runs the release, over all nodes of all runs";

/// What the columns of operations are.
fn legend() -> String {
    let heads = OPERATIONS.map(|column| column.head).join(", ");
    let counts = OPERATIONS.map(|column| column.counts).join(", ");
    format!("{heads}: operations that apps broadcast, in all runs: {counts}")
}

/// For people: a line for each place, then what is wrong, then the sum.
pub(super) fn human(plan: &Plan, judged: &[Judged<'_>], early: Option<&str>) -> String {
    let mut text = String::new();
    let mut line = |text_line: String| {
        writeln!(text, "{text_line}").expect("a string takes everything");
    };
    let name = |one: &Judged<'_>| visible(&one.place.name).chars().count();
    let cell = |one: &Judged<'_>| visible(&one.place.cell).chars().count();
    let names = judged.iter().map(name).max().unwrap_or(0).max("scenario".len());
    let cells = judged.iter().map(cell).max().unwrap_or(0);
    line(format!("{DIM}{}, sweep {}{DIM:#}", planning::said(plan), plan::id(plan)));
    line(format!("{DIM}{LATENCIES}{DIM:#}"));
    let broadcasts = judged.iter().any(|one| one.tally.causal_issued > 0);
    if broadcasts {
        line(format!("{DIM}{}{DIM:#}", legend()));
    }
    let counts: &[_] = if broadcasts { &OPERATIONS } else { &[] };
    let heads: String = counts.iter().map(|column| format!("  {:>9}", column.head)).collect();
    line(format!(
        "{DIM}{:<names$}  {:<cells$}  {:>9}  {:>9}  {:>7}  {:>7}  {:>7}{heads}  came to{DIM:#}",
        "scenario", "", "runs", "expected", "p50", "p90", "p99"
    ));
    for one in judged {
        let tally = one.tally;
        let style = if one.holds() { GOOD } else { BAD };
        let numbers = counts.iter().map(|column| match tally.causal_issued {
            0 => format!("  {:>9}", "-"),
            _ => format!("  {:>9}", count((column.of_place)(tally))),
        });
        let numbers: String = numbers.collect();
        line(format!(
            "{:<names$}  {:<cells$}  {:>9}  {:>9}  {:>7}  {:>7}  {:>7}{numbers}  {style}{}{style:#}",
            visible(&one.place.name),
            visible(&one.place.cell),
            count(tally.runs),
            count(tally.as_expected),
            latency(tally, 50),
            latency(tally, 90),
            latency(tally, 99),
            came_to(tally),
        ));
    }
    for one in judged {
        let place = place(one);
        for failure in one.failures.iter().take(TOLD_MAX) {
            line(format!("\n{BAD}failed{BAD:#} {place}: {}", told(failure)));
            for command in commands(failure) {
                line(format!("       {command}"));
            }
        }
        if let Some(more) = one.failures.len().checked_sub(TOLD_MAX).filter(|more| *more > 0) {
            line(format!("\n{BAD}failed{BAD:#} {place}: and {more} other kinds of failure"));
        }
        for shortfall in &one.shortfalls {
            line(format!("\n{BAD}falls short{BAD:#} {place}: {shortfall}"));
        }
    }
    if let Some(early) = early {
        line(format!("\n{early}"));
    }
    line(format!("\n{}", sum(judged)));
    text
}

fn latency(tally: &Tally, percent: u32) -> String {
    let nanos = tally.latency_percentile(percent);
    nanos.map_or_else(|| "-".to_owned(), |nanos| time(contract::Span::from_nanos(nanos)))
}

fn came_to(tally: &Tally) -> String {
    let parts =
        [("holds", tally.holds), ("violates", tally.violates), ("falls short", tally.falls_short)];
    let parts = parts.iter().filter(|(_, runs)| *runs > 0);
    let parts: Vec<String> = parts.map(|(name, runs)| format!("{name} {}", count(*runs))).collect();
    parts.join(", ")
}

fn place(one: &Judged<'_>) -> String {
    let (name, cell) = (visible(&one.place.name), visible(&one.place.cell));
    if cell.is_empty() { name } else { format!("{name} ({cell})") }
}

/// What failed, how often, and how the shortest run of its kind goes.
fn told(failure: &Failed) -> String {
    let Failed { runs, seed, datagrams, .. } = failure;
    let invariant = if failure.invariant.is_empty() {
        String::new()
    } else {
        format!("{}: ", failure.invariant)
    };
    let mut message: String = failure.message.chars().take(MESSAGE_MAX).collect();
    if message.len() < failure.message.len() {
        message.push('…');
    }
    format!(
        "{invariant}{message}\n       {}, signature {}; the shortest is seed {seed} with {}",
        counted(*runs, "run"),
        failure.signature,
        counted(*datagrams, "datagram")
    )
}

/// The commands that repeat the shortest run of a kind of failure, and make it small.
fn commands(failure: &Failed) -> Vec<String> {
    std::iter::once(failure.repeat.clone()).chain(failure.shrink()).collect()
}

fn sum(judged: &[Judged<'_>]) -> String {
    let runs: u64 = judged.iter().map(|one| one.tally.runs).sum();
    let failed: u64 = judged.iter().map(|one| one.tally.runs - one.tally.as_expected).sum();
    // One signature in several places is one kind.
    let kinds: BTreeSet<&str> =
        judged.iter().flat_map(|one| &one.failures).map(|one| &*one.signature).collect();
    let short: usize = judged.iter().map(|one| one.shortfalls.len()).sum();
    let runs = format!("{BOLD}{}{BOLD:#}", counted(runs, "run"));
    if failed == 0 && short == 0 {
        return format!("{runs}: {GOOD}all as expected{GOOD:#}");
    }
    let mut wrong = Vec::new();
    if failed > 0 {
        wrong.push(format!(
            "{} not as expected, of {}",
            count(failed),
            counted(kinds.len() as u64, "kind")
        ));
    }
    if short > 0 {
        wrong.push(format!("{} of the sweep as a whole", counted(short as u64, "shortfall")));
    }
    format!("{runs}: {BAD}{}{BAD:#}", wrong.join("; "))
}

#[derive(Serialize)]
struct PlaceLine<'a> {
    format_version: u32,
    kind: &'static str,
    #[serde(flatten)]
    tally: &'a Tally,
    holds_claim: bool,
    shortfalls: &'a [String],
}

#[derive(Serialize)]
struct FailureLine<'a> {
    format_version: u32,
    kind: &'static str,
    #[serde(flatten)]
    failure: &'a Failed,
    /// The command that makes it small.
    #[serde(skip_serializing_if = "Option::is_none")]
    shrink: Option<String>,
}

#[derive(Serialize)]
struct SumLine<'a> {
    format_version: u32,
    kind: &'static str,
    sweep: String,
    build: &'a str,
    seed_base: &'a str,
    seed_first: u64,
    seed_count: u64,
    runs: u64,
    failed: u64,
    ended_early: Option<&'a str>,
    holds: bool,
}

/// For programs: a line for each place and each failure, and one for the sum.
pub(super) fn json(plan: &Plan, judged: &[Judged<'_>], early: Option<&str>) -> String {
    let format_version = results::FORMAT_VERSION;
    let mut text = String::new();
    let mut line = |json: serde_json::Result<String>| {
        text += &json.expect("results are JSON");
        text.push('\n');
    };
    for one in judged {
        line(serde_json::to_string(&PlaceLine {
            format_version,
            kind: "place",
            tally: one.tally,
            holds_claim: one.holds(),
            shortfalls: &one.shortfalls,
        }));
        for failure in &one.failures {
            let shrink = failure.shrink();
            let kind = "failure";
            line(serde_json::to_string(&FailureLine { format_version, kind, failure, shrink }));
        }
    }
    line(serde_json::to_string(&SumLine {
        format_version,
        kind: "sweep",
        sweep: plan::id(plan),
        build: &plan.build,
        seed_base: &plan.seed_base,
        seed_first: plan.seed_first,
        seed_count: plan.seed_count,
        runs: judged.iter().map(|one| one.tally.runs).sum(),
        failed: judged.iter().map(|one| one.tally.runs - one.tally.as_expected).sum(),
        ended_early: early,
        holds: judged.iter().all(Judged::holds),
    }));
    text
}

/// For GitHub: an annotation for each thing that is wrong, at its scenario.
pub(super) fn github(plan: &Plan, judged: &[Judged<'_>], early: Option<&str>) -> String {
    let mut text = String::new();
    let mut error = |one: &Judged<'_>, title: &str, message: &str| {
        let file = property(&one.place.path.display().to_string());
        let (title, message) = (property(title), data(message));
        writeln!(text, "::error file={file},line=1,title={title}::{message}")
            .expect("a string takes everything");
    };
    for one in judged {
        let place = place(one);
        for failure in &one.failures {
            let what =
                if failure.invariant.is_empty() { "falls short" } else { &failure.invariant };
            let message = format!("{}\n{}", told(failure), commands(failure).join("\n"));
            error(one, &format!("{place}: {what}"), &message);
        }
        for shortfall in &one.shortfalls {
            error(one, &format!("{place}: falls short"), shortfall);
        }
    }
    let mut sum = sum(judged);
    if let Some(early) = early {
        sum = format!("{early}; {sum}");
    }
    let sum = anstream::adapter::strip_str(&sum);
    writeln!(text, "{}: {sum}", planning::said(plan)).expect("a string takes everything");
    text
}

/// The text of an annotation: GitHub reads `%`, line breaks, and in properties `:` and `,`, in escapes.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// For CI servers: a suite for each scenario, a case for each place. It says nothing of when or where, so
/// that the same sweep gives the same file.
pub(super) fn junit(judged: &[Judged<'_>]) -> Result<String, Failure> {
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    let mut order: Vec<&str> = Vec::new();
    for one in judged {
        let name = one.place.name.as_str();
        let mut status = TestCaseStatus::success();
        if !one.holds() {
            status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let mut said: Vec<String> = one
                .failures
                .iter()
                .take(TOLD_MAX)
                .map(|failure| {
                    format!("{}\n       {}", told(failure), commands(failure).join("\n       "))
                })
                .collect();
            said.extend(one.shortfalls.iter().cloned());
            let mut kinds = one.failures.iter().map(|failure| &*failure.invariant);
            let kind = kinds.find(|kind| !kind.is_empty()).unwrap_or("falls short");
            let first = said.first().and_then(|said| said.lines().next()).unwrap_or_default();
            status.set_message(first.to_owned()).set_type(kind).set_description(said.join("\n\n"));
        }
        let case = if one.place.cell.is_empty() { "sweep" } else { &one.place.cell };
        let mut case = TestCase::new(case, status);
        case.set_classname(name);
        let tally = one.tally;
        case.set_system_out(format!("{}: {}", counted(tally.runs, "run"), came_to(tally)));
        if !order.contains(&name) {
            order.push(name);
        }
        suites.entry(name).or_insert_with(|| TestSuite::new(name)).add_test_case(case);
    }
    let mut report = Report::new("simctl sweep");
    report.add_test_suites(order.into_iter().filter_map(|name| suites.remove(name)));
    report
        .to_string()
        .map_err(|error| Failure::Internal(format!("JUnit cannot be written: {error}")))
}
