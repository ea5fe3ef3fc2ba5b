//! Many runs: one line each in their order, then what they came to.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use super::{
    Format,
    columns::OPERATIONS,
    json,
    load::Loaded,
    run::Job,
    style::{BAD, BOLD, DIM, GOOD},
    summary::{self, GoalsOf},
    words::{counted, time},
};
use crate::{
    outcome::Outcome,
    run::{Deployed, Exchanges},
    visible::visible,
};

/// A column of numbers: its head, and what a run has of it.
type Column = (&'static str, fn(&Outcome) -> u64);

/// Of runs whose replicas send messages.
const MESSAGES: [Column; 3] = [
    ("held", |outcome| outcome.counts.held),
    ("conv.", |outcome| outcome.counts.converted),
    ("nack", |outcome| outcome.counts.nacked),
];

/// Of all runs.
const ALL: [Column; 3] = [
    ("retr.", |outcome| outcome.counts.retransmitted),
    ("crashes", |outcome| outcome.counts.crashes),
    ("switches", |outcome| outcome.counts.switches),
];

/// Whether replicas exchange what a column is of.
type Of = fn(&Exchanges) -> bool;

/// How wide a column is.
fn wide(head: &str) -> usize {
    head.len().max(6)
}

/// The runs as they come in, whatever the order.
pub(super) struct Table<'a> {
    format: Format,
    width: usize,
    /// By scenario: what its replicas send each other.
    exchanges: BTreeMap<String, Exchanges>,
    /// Lines that wait for those before them.
    early: BTreeMap<usize, String>,
    /// The line that comes next.
    next: usize,
    done: usize,
    /// Runs that did not come out as expected, in the order of the sweep.
    failed: BTreeMap<usize, (Job<'a>, Outcome)>,
    /// By scenario: goals that it names and no run has reached yet; absent before its first run.
    missing: BTreeMap<String, BTreeSet<&'static str>>,
    /// What each run came to, for the totals: as its line says it.
    verdicts: BTreeMap<String, usize>,
}

impl<'a> Table<'a> {
    pub(super) fn new(loaded: &[Loaded], deployed: &[Deployed<'_>], format: Format) -> Self {
        let names = loaded.iter().map(|one| one.shown().chars().count());
        let width = names.max().unwrap_or(0).max("scenario".len());
        let exchanges = loaded.iter().zip(deployed);
        let exchanges = exchanges.map(|(one, deployed)| (one.name.clone(), deployed.exchanges()));
        Self {
            format,
            width,
            exchanges: exchanges.collect(),
            early: BTreeMap::new(),
            next: 0,
            done: 0,
            failed: BTreeMap::new(),
            missing: BTreeMap::new(),
            verdicts: BTreeMap::new(),
        }
    }

    /// What stands above the lines.
    pub(super) fn head(&self) -> String {
        if self.format == Format::Json {
            return String::new();
        }
        let columns = self.columns().map(|(head, ..)| format!(" {head:>0$}", wide(head)));
        format!(
            "{DIM}{:<width$} {:>6}  {:<14} {:>7} {:>7} {:>7}{}  fingerprint{DIM:#}\n",
            "scenario",
            "seed",
            "outcome",
            "p50",
            "p99",
            "max",
            columns.collect::<String>(),
            width = self.width
        )
    }

    /// The columns that some scenario has numbers for; and which of what replicas send they are of.
    fn columns(&self) -> impl Iterator<Item = (&'static str, fn(&Outcome) -> u64, Of)> {
        let operations = OPERATIONS.map(|column| (column.head, column.of_run));
        let groups: [(Vec<Column>, Of); 3] = [
            (MESSAGES.into(), |exchanges| exchanges.messages),
            (operations.into(), |exchanges| exchanges.operations),
            (ALL.into(), |_| true),
        ];
        let of_some = |of: &Of| self.exchanges.values().any(of);
        let shown = groups.into_iter().filter(move |(_, of)| of_some(of));
        shown.flat_map(|(columns, of)| {
            columns.into_iter().map(move |(head, number)| (head, number, of))
        })
    }

    /// Takes the run number `index`; returns the lines that can be printed now, in order.
    pub(super) fn take(&mut self, index: usize, job: Job<'a>, outcome: Outcome) -> Vec<String> {
        self.done += 1;
        let reached: BTreeSet<&str> = outcome.goals.reached().map(|goal| goal.name()).collect();
        let name = &job.loaded.name;
        match self.missing.get_mut(name) {
            Some(missing) => missing.retain(|goal| !reached.contains(goal)),
            None => {
                let missing = outcome.goals_missing.iter().map(|goal| goal.name()).collect();
                self.missing.insert(name.clone(), missing);
            }
        }
        *self.verdicts.entry(summary::verdict(&outcome, GoalsOf::Sweep)).or_default() += 1;
        let expected = outcome.is_as_expected_but_goals();
        let line = match self.format {
            Format::Json => json::line(&job, &outcome, GoalsOf::Sweep),
            Format::Human => self.line(&job, &outcome),
        };
        if !expected {
            self.failed.insert(index, (job, outcome));
        }
        self.early.insert(index, line);
        let mut ready = Vec::new();
        while let Some(line) = self.early.remove(&self.next) {
            ready.push(line);
            self.next += 1;
        }
        ready
    }

    fn line(&self, job: &Job<'_>, outcome: &Outcome) -> String {
        let latency = outcome.latency();
        let at = |percent| latency.percentile(percent).map_or_else(|| "-".to_owned(), time);
        let style = if outcome.is_as_expected_but_goals() { GOOD } else { BAD };
        let exchanges = &self.exchanges[&job.loaded.name];
        let numbers = self.columns().map(|(head, number, of)| {
            let number = if of(exchanges) { number(outcome).to_string() } else { "-".to_owned() };
            format!(" {number:>0$}", wide(head))
        });
        let numbers: String = numbers.collect();
        let fingerprint =
            outcome.fingerprint.map_or_else(String::new, |print| format!("{print:032x}"));
        format!(
            "{:<width$} {:>6}  {style}{:<14}{style:#} {:>7} {:>7} {:>7}{numbers}  {DIM}{fingerprint}{DIM:#}\n",
            job.loaded.shown(),
            job.seed,
            summary::verdict(outcome, GoalsOf::Sweep),
            at(50),
            at(99),
            at(100),
            width = self.width
        )
    }

    /// The runs that did not come out as expected.
    pub(super) fn failures(&self) -> Vec<&(Job<'a>, Outcome)> {
        self.failed.values().collect()
    }

    /// Whether every run came out as expected and every goal was reached by some run.
    pub(super) fn is_as_expected(&self) -> bool {
        self.failed.is_empty() && self.missing.values().all(BTreeSet::is_empty)
    }

    /// The goals that no run of their scenario has reached, a line for each scenario.
    pub(super) fn unreached(&self) -> String {
        let missing = self.missing.iter().filter(|(_, goals)| !goals.is_empty());
        let lines = missing.map(|(scenario, goals)| {
            let text = summary::unreached(goals.iter().copied());
            let scenario = visible(scenario);
            format!("{BAD}falls short{BAD:#} {scenario}: {text} in any of its runs\n")
        });
        lines.collect()
    }

    /// What the sweep came to; `asked`: how many runs it should have had.
    pub(super) fn totals(&mut self, asked: usize) -> String {
        let mut text = String::new();
        // After Ctrl-C some lines still wait for runs that were never begun.
        text.extend(std::mem::take(&mut self.early).into_values());
        if self.format == Format::Json {
            return text;
        }
        let write = |text: &mut String, line: String| {
            writeln!(text, "{line}").expect("a string takes everything");
        };
        let verdicts: Vec<String> =
            self.verdicts.iter().map(|(verdict, count)| format!("{verdict} {count}")).collect();
        let runs = if self.done == asked {
            counted(asked as u64, "run")
        } else {
            format!("interrupted: {} of {}", self.done, counted(asked as u64, "run"))
        };
        let verdicts = verdicts.join(", ");
        let came_to = match self.done - self.failed.len() {
            _ if self.is_as_expected() => format!("{GOOD}all as expected{GOOD:#} ({verdicts})"),
            all if all == self.done => format!("{verdicts}, {BAD}but goals are missing{BAD:#}"),
            some => {
                let failed = self.failed.len();
                format!("{some} as expected, {BAD}{failed} not{BAD:#} ({verdicts})")
            }
        };
        write(&mut text, format!("\n{BOLD}{runs}{BOLD:#}: {came_to}"));
        text += &self.unreached();
        for (job, outcome) in self.failed.values() {
            let why = summary::why(outcome);
            write(
                &mut text,
                format!(
                    "{BAD}failed{BAD:#} {} seed {}: {why}\n       {}",
                    job.loaded.shown(),
                    job.seed,
                    job.repeat()
                ),
            );
        }
        text
    }
}
