//! One run, told so that someone understands it who has not seen the code.

use std::{collections::BTreeSet, fmt::Write, sync::OnceLock};

use contract::{NodeId, Time};
use xxhash_rust::xxh3::xxh3_128;

use super::{
    run::Job,
    style::{BAD, BOLD, DIM, GOOD},
    words::{count, counted, time},
};
use crate::{
    invariants::Violation,
    metrics::Convergence,
    outcome::{Outcome, Verdict},
    scenario::Expectation,
    trace::Tail,
};

mod plan;

/// The last events that a story tells.
const STORY_EVENTS: usize = 20;
/// Nodes that wait and are told about; the others are counted.
const WAITING_MAX: usize = 8;
/// Characters of a violation that a story tells.
const WHAT_MAX: usize = 300;
/// The width of the column of labels.
const LABEL: usize = 14;

/// What must reach the goals that a scenario names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GoalsOf {
    /// This one run.
    Run,
    /// Some run of the sweep that it is part of.
    Sweep,
}

impl GoalsOf {
    /// Whether `outcome` shows all that must come of it.
    pub(super) fn satisfied(self, outcome: &Outcome) -> bool {
        match self {
            Self::Run => outcome.is_as_expected(),
            Self::Sweep => outcome.is_as_expected_but_goals(),
        }
    }
}

/// The row of results of a run.
pub(super) fn row(job: &Job<'_>, outcome: &Outcome, goals: GoalsOf) -> results::Run {
    let row = outcome.row();
    let as_expected = goals.satisfied(outcome);
    let holds = row.outcome == results::Outcome::Holds;
    let short = if holds && !as_expected { results::Outcome::FallsShort } else { row.outcome };
    results::Run {
        scenario: job.loaded.name.clone(),
        scenario_hash: format!("{:032x}", job.loaded.hash),
        build: build().to_owned(),
        outcome: short,
        as_expected,
        ..row
    }
}

/// Which build this is: its version, and a hash of the program itself.
pub(super) fn build() -> &'static str {
    static BUILD: OnceLock<String> = OnceLock::new();
    BUILD.get_or_init(|| {
        let program = std::env::current_exe().and_then(std::fs::read);
        let hash = program.map_or_else(
            |_| "unknown".to_owned(),
            |bytes| format!("{:016x}", xxh3_128(&bytes) as u64),
        );
        format!("{}+{hash}", env!("CARGO_PKG_VERSION"))
    })
}

/// What came of a run, in a word or two. A run that does not show what it must never "holds".
pub(super) fn verdict(outcome: &Outcome, goals: GoalsOf) -> String {
    let violated: Vec<&str> = outcome.violations.iter().map(|broken| broken.invariant).collect();
    match outcome.verdict {
        Verdict::Holds if goals.satisfied(outcome) => "holds".to_owned(),
        Verdict::Holds | Verdict::FallsShort => "falls short".to_owned(),
        Verdict::Violates => format!("violates {}", violated.join(" ")),
        Verdict::Interrupted => "interrupted".to_owned(),
    }
}

/// Why a run did not come out as the scenario expects.
pub(super) fn why(outcome: &Outcome) -> String {
    if let Expectation::Violates(wanted) = &outcome.expected {
        let broken: BTreeSet<&str> =
            outcome.violations.iter().map(|broken| broken.invariant).collect();
        let held: Vec<&str> =
            wanted.iter().map(String::as_str).filter(|name| !broken.contains(name)).collect();
        return format!("{} should have been violated and was not", held.join(", "));
    }
    match outcome.violations.first() {
        Some(first) => format!("{} at {}: {}", first.invariant, first.at, first.text),
        None => outcome.shortfalls.join("; "),
    }
}

/// Why `simctl run` exits with 1 or 130 after this one run, as its last line; nothing where it exits
/// with 0.
pub(super) fn reason(outcome: &Outcome) -> String {
    if outcome.verdict == Verdict::Interrupted {
        return format!("\n{BAD}exit code 130{BAD:#}: the run was cut short; nothing is judged\n");
    }
    let mut reasons = Vec::new();
    if !outcome.is_as_expected_but_goals() {
        reasons.push(why(outcome));
    }
    if !outcome.goals_missing.is_empty() {
        let missing = outcome.goals_missing.iter().map(|goal| goal.name());
        reasons.push(format!("{} in this run", unreached(missing)));
    }
    match &reasons[..] {
        [] => String::new(),
        reasons => format!("\n{BAD}exit code 1{BAD:#}: {}\n", reasons.join("; ")),
    }
}

/// `the goal x was never reached`.
pub(super) fn unreached<'a>(goals: impl Iterator<Item = &'a str>) -> String {
    let goals: Vec<&str> = goals.collect();
    match &goals[..] {
        [one] => format!("the goal {one} was never reached"),
        many => format!("the goals {} were never reached", many.join(", ")),
    }
}

/// The last line of a trace.
pub(super) fn end(outcome: &Outcome) -> String {
    let fingerprint =
        outcome.fingerprint.map_or_else(|| "none".to_owned(), |print| format!("{print:032x}"));
    format!("the run ends: {}; fingerprint {fingerprint}", verdict(outcome, GoalsOf::Run))
}

/// The summary of a run.
pub(super) fn full(job: &Job<'_>, outcome: &Outcome) -> String {
    let mut page = Page(String::new());
    let style = if outcome.is_as_expected() { GOOD } else { BAD };
    let expected = match (&outcome.expected, outcome.is_as_expected_but_goals()) {
        _ if outcome.verdict == Verdict::Interrupted => "",
        (Expectation::Violates(_), true) => ", as it must",
        (Expectation::Violates(_), false) => ", but it is a canary that must fail",
        (Expectation::Holds, _) => "",
    };
    page.text(&format!(
        "{BOLD}{}{BOLD:#}  seed {}  {style}{}{expected}{style:#}",
        job.loaded.shown(),
        job.seed,
        verdict(outcome, GoalsOf::Run)
    ));
    page.text(&format!("{DIM}{}{DIM:#}", super::claimed(&job.loaded.scenario.about)));
    page.section("The plan");
    plan::tell(&mut page, &job.loaded.scenario, outcome);
    page.section("What was checked");
    checked(&mut page, outcome);
    page.section("What happened");
    happened(&mut page, outcome);
    page.section("How long a release took to reach the nodes, in virtual time");
    outcome.convergence.iter().for_each(|one| convergence(&mut page, one));
    rest(&mut page, outcome);
    page.section("What the faults did");
    ledger(&mut page, outcome);
    page.text("");
    if let Some(print) = outcome.fingerprint {
        page.line("fingerprint", &format!("{print:032x}"));
    }
    page.line("repeat", &job.repeat());
    page.0
}

/// What led to each violation.
pub(super) fn story(job: &Job<'_>, outcome: &Outcome, tail: &Tail) -> String {
    let mut page = Page(String::new());
    for violation in &outcome.violations {
        violated(&mut page, violation);
        page.line("repeat", &job.repeat());
        let mut events =
            tail.before(violation.at, STORY_EVENTS, &violation.nodes, violation.message);
        // The story tells what broke: the harness's own notes of that would only repeat it.
        let told = |text: &str| {
            let mut broken = outcome.violations.iter();
            broken.any(|broken| text.starts_with(&format!("{} at ", broken.invariant)))
        };
        events.retain(|event| event.kind != "harness" || !told(&event.text));
        page.text(&match events.len() {
            0 => format!("  {DIM}none of the last events of the run happened there{DIM:#}"),
            count => format!("  {DIM}the last {count} events there:{DIM:#}"),
        });
        for event in events {
            page.text(&format!("  {}", event.shown()));
        }
    }
    page.0
}

fn violated(page: &mut Page, violation: &Violation) {
    page.text(&format!("\n{BAD}{} is violated{BAD:#}  {}", violation.invariant, violation.claim));
    page.line("what", &shortened(violation));
    page.line("when", &violation.at.to_string());
    page.line("where", &nodes(&violation.nodes));
}

/// The text of `violation`, cut between two nodes where it would fill a screen: `--format json` has
/// all of it.
fn shortened(violation: &Violation) -> String {
    let text = &violation.text;
    if text.chars().count() <= WHAT_MAX {
        return text.clone();
    }
    let ends = text.char_indices().nth(WHAT_MAX).map_or(text.len(), |(at, _)| at);
    let kept = text[..ends].rfind("; ").map_or(&text[..ends], |end| &text[..end]);
    let named = |node: &&NodeId| kept.contains(&format!("; {node}: "));
    let named = violation.nodes.iter().filter(named).count();
    match violation.nodes.len() - named {
        more if named > 0 && more > 0 => {
            format!("{kept}; and {}", counted(more as u64, "more node"))
        }
        _ => format!("{kept} ..."),
    }
}

fn checked(page: &mut Page, outcome: &Outcome) {
    let broken: Vec<&str> = outcome.violations.iter().map(|broken| broken.invariant).collect();
    let interrupted = outcome.verdict == Verdict::Interrupted;
    let held = match &broken[..] {
        [] if interrupted => "all held so far".to_owned(),
        [] => format!("{GOOD}all hold{GOOD:#}"),
        broken => format!("{BAD}violated: {}{BAD:#}", broken.join(", ")),
    };
    page.line("invariants", &format!("{} at every event: {held}", outcome.invariants));
    let reached: Vec<String> = outcome
        .goals
        .reached()
        .map(|goal| format!("{} {}", goal.name(), count(outcome.goals.count(goal))))
        .collect();
    page.list("reached", &reached);
    let missing: Vec<String> =
        outcome.goals_missing.iter().map(|goal| goal.name().to_owned()).collect();
    if interrupted {
        page.list("not yet", &missing);
    } else if !missing.is_empty() {
        page.list(&format!("{BAD}not reached{BAD:#}"), &missing);
    }
    for shortfall in &outcome.shortfalls {
        page.line(&format!("{BAD}falls short{BAD:#}"), shortfall);
    }
}

fn happened(page: &mut Page, outcome: &Outcome) {
    let counts = &outcome.counts;
    let world = &outcome.world;
    page.list(
        "clients",
        &some(&[
            (counts.operations_asked, "asked"),
            (counts.operations, "taken in"),
            (counts.operations_refused, "refused"),
            (counts.replies, "answered"),
        ]),
    );
    page.list(
        "messages",
        &some(&[
            (counts.sent, "sent"),
            (counts.delivered, "delivered"),
            (counts.held, "held"),
            (counts.converted, "converted"),
            (counts.nacked, "nacked"),
            (counts.expired, "expired"),
            (counts.retransmitted, "retransmitted"),
            (counts.duplicates, "dropped as duplicates"),
        ]),
    );
    page.list(
        "datagrams",
        &some(&[
            (world.sent, "sent"),
            (world.delivered, "delivered"),
            (world.lost, "lost"),
            (world.cut, "cut off"),
            (world.overflowed, "overflowed"),
            (world.duplicated, "duplicated"),
            (world.reordered, "overtaken"),
            (world.corrupted, "corrupted"),
            (world.undeliverable, "to nodes that were down"),
        ]),
    );
    page.list(
        "upgrades",
        &some(&[
            (counts.fetched, "fetched"),
            (counts.switches, "switched"),
            (counts.migrations, "migrated"),
            (counts.hot_swaps, "swapped hot"),
            (counts.quarantines, "quarantined"),
            (counts.forged, "refused as forged"),
        ]),
    );
    operations(page, outcome);
    let mut nodes = some(&[
        (counts.crashes, "crashed"),
        (counts.recoveries, "recovered"),
        (counts.faults, "faulted in the app"),
    ]);
    if counts.pause_max.as_nanos() > 0 {
        nodes.push(format!("longest pause in a switch {}", time(counts.pause_max)));
    }
    page.list("nodes", &nodes);
}

/// What was broadcast, and who came and went.
fn operations(page: &mut Page, outcome: &Outcome) {
    let causal = &outcome.causal;
    let mut operations = some(&[
        (causal.issued, "broadcast"),
        (causal.carried_out, "carried out"),
        (causal.void, "void"),
        (causal.heartbeats, "heartbeats"),
        (causal.parked, "waited for others"),
        (causal.held, "held at the gate"),
        (causal.not_held, "to come to the gate again"),
        (causal.rejected, "refused"),
    ]);
    if causal.issued > 0 {
        let metadata = thousandths(causal.metadata_mean_thousandths());
        operations.push(format!("{metadata} bytes of metadata each"));
    }
    if causal.parked > 0 {
        let mean = thousandths(causal.parked_mean_thousandths);
        operations.push(format!("{mean} wait at a node on average, {} at most", causal.parked_max));
    }
    page.list("operations", &operations);
    let repairs = some(&[
        (causal.repairs_asked, "asked for"),
        (causal.repairs_answered, "answered"),
        (causal.repaired, "operations sent again"),
    ]);
    page.list("repairs", &repairs);
    let at = |percent| causal.stability.percentile(percent).map_or_else(|| "-".to_owned(), time);
    if causal.stability.count() > 0 {
        page.line("stable", &format!("p50 {} p99 {} after they were issued", at(50), at(99)));
    }
    page.list(
        "members",
        &some(&[
            (causal.joined, "joined"),
            (causal.retired, "retired"),
            (causal.resynced, "had to join again"),
        ]),
    );
}

/// What there is any of: how many, and what.
fn some(parts: &[(u64, &str)]) -> Vec<String> {
    let parts = parts.iter().filter(|(number, _)| *number > 0);
    parts.map(|(number, what)| format!("{} {what}", count(*number))).collect()
}

/// `26.1`: thousandths with one digit after the point.
fn thousandths(number: u64) -> String {
    format!("{}.{}", number / 1_000, number % 1_000 / 100)
}

fn convergence(page: &mut Page, one: &Convergence) {
    let latency = &one.latency;
    let at = |percent| latency.percentile(percent).map_or_else(|| "-".to_owned(), time);
    let mut text = format!(
        "p50 {:<8} p90 {:<8} p99 {:<8} max {:<8} on {}",
        at(50),
        at(90),
        at(99),
        at(100),
        counted(latency.count() as u64, "node"),
    );
    if !one.missing.is_empty() {
        text += &format!("; {BAD}never on {}{BAD:#}", nodes(&one.missing));
    }
    page.line(&one.release.to_string(), &text);
}

fn rest(page: &mut Page, outcome: &Outcome) {
    let healed = outcome.safety_ended;
    let ended = time(outcome.ended.since(Time::ZERO));
    match outcome.rested_after {
        _ if outcome.verdict == Verdict::Interrupted => {
            page.line("interrupted", &format!("at {ended}, with the run under way"));
        }
        Some(after) => page.line(
            "at rest",
            &format!(
                "{} after everything healed at {}",
                time(after),
                time(healed.since(Time::ZERO))
            ),
        ),
        None if outcome.ended > healed => {
            page.line(
                &format!("{BAD}not at rest{BAD:#}"),
                &format!("when the run ended at {ended}"),
            );
        }
        None => page.line("ended", &format!("at {ended}, with the violation")),
    }
    for (node, reasons) in outcome.waiting.iter().take(WAITING_MAX) {
        page.line(&node.to_string(), &reasons.join("; "));
    }
    if outcome.waiting.len() > WAITING_MAX {
        let others = outcome.waiting.len() - WAITING_MAX;
        page.line("", &format!("and {} that wait", counted(others as u64, "other node")));
    }
}

fn ledger(page: &mut Page, outcome: &Outcome) {
    let mut bit = Vec::new();
    let mut inert = Vec::new();
    for row in outcome.ledger.iter().filter(|row| row.configured) {
        if row.took_effect > 0 {
            bit.push(format!(
                "{} {} of {}",
                row.name,
                count(row.took_effect),
                count(row.attempted)
            ));
        } else {
            inert.push(row.name.clone());
        }
    }
    if bit.is_empty() && inert.is_empty() {
        page.line("", "none were asked for");
    }
    page.list("had effect", &bit);
    page.list("had none", &inert);
}

/// `n0, n3 and n4`, or how many where they are many.
fn nodes(nodes: &[NodeId]) -> String {
    const NAMED_MAX: usize = 12;
    match nodes {
        [] => "the whole run".to_owned(),
        many if many.len() > NAMED_MAX => counted(many.len() as u64, "node"),
        [rest @ .., last] => {
            let rest: Vec<String> = rest.iter().map(NodeId::to_string).collect();
            if rest.is_empty() {
                last.to_string()
            } else {
                format!("{} and {last}", rest.join(", "))
            }
        }
    }
}

/// Text in two columns.
struct Page(String);

/// Where a line of a list is broken.
const WIDTH: usize = 100;

impl Page {
    fn text(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn section(&mut self, title: &str) {
        self.text(&format!("\n{BOLD}{title}{BOLD:#}"));
    }

    fn line(&mut self, label: &str, text: &str) {
        // Styles take no room on the screen.
        let room =
            LABEL.saturating_sub(anstream::adapter::strip_str(label).to_string().chars().count());
        writeln!(self.0, "  {label}{:room$} {text}", "").expect("a string takes everything");
    }

    /// Parts between commas, over as many lines as it takes; nothing where there are none.
    fn list(&mut self, label: &str, parts: &[String]) {
        let mut label = label;
        let mut line = String::new();
        for part in parts {
            if !line.is_empty() && LABEL + line.len() + part.len() > WIDTH {
                self.line(label, &format!("{line},"));
                (label, line) = ("", String::new());
            }
            line += if line.is_empty() { "" } else { ", " };
            line += part;
        }
        if !line.is_empty() {
            self.line(label, &line);
        }
    }
}
