//! `simctl laws`: what replicated types promise of their states and messages, tried on what runs reach.

use std::fmt::Write;

use clap::{Args, builder::PossibleValuesParser};
use crdt::{
    Join, Op, Product, Semidirect, Value,
    catalogue::{self, Draw, Engine, Listed, Visit, VisitJoin, VisitPlanted, VisitProduct},
    join::planted::JoinBug,
};
use indicatif::ProgressBar;
use serde_json::json;

use super::{
    Exit, Failure, Format, interrupt, print, progress, quoted,
    style::{BAD, BOLD, DIM, GOOD},
    words::{count, counted},
};
use crate::replicated::{
    Erased, Progress,
    history::Proposal,
    laws::{
        Note, OfProducts, Stability, Tried,
        meanings::{Edges, Explained, SPLITS, Split, edges, explained},
        of_collection, of_effects, of_joins,
    },
};

pub(super) const EXAMPLES: &str = "\
Examples:
  simctl laws                                      every type, of both kinds
  simctl laws --type or_set --seed 1 --cases 1000  joins, deltas, parts
  simctl laws --type int_min_max_add_mult          concurrent messages
  simctl laws --type g_counter --planted last-merge-wins

A law that breaks exits with 1; so does a check that did not find what was planted.";

/// Operations of a history: laws are tried on every two and three of them.
const OPERATIONS_MAX: i64 = 24;

/// Kinds of laws that every operation-based type promises: of messages, and of what is forgotten.
const OF_EFFECTS: u64 = 2;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Which type; without one, every type (`simctl lattice` lists them).
    #[arg(long = "type", value_name = "TYPE", value_parser = super::lattice::types(), hide_possible_values = true)]
    kind: Option<String>,
    /// What all replicas are told at the start, as JSON, such as `{"init": 3}`.
    #[arg(long, value_name = "JSON", requires = "kind")]
    start: Option<String>,
    /// Replicas of each history of an operation-based type.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=16))]
    replicas: u32,
    /// Operations of each history of an operation-based type.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=OPERATIONS_MAX))]
    operations: u32,
    /// Runs, drawn at random.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    cases: u64,
    /// The seed of the first run; each next one has the next seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Check a broken implementation instead, to see what the check finds.
    #[arg(long, value_name = "BUG", requires = "kind", value_parser = PossibleValuesParser::new(catalogue::bugs().map(|(name, _)| name)))]
    planted: Option<String>,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn carry_out(arguments: &Arguments) -> Result<Exit, Failure> {
    let start = super::lattice::start(arguments.start.as_deref())?;
    let mut holds = true;
    interrupt::cut_short(None);
    for kind in kinds(arguments) {
        let planned = planned(arguments, kind);
        interrupt::begins(format!("of {} of {kind}", counted(planned, "run")));
        let tried = tried(arguments, kind, &start)
            .map_err(|why| Failure::Usage(format!("--type {kind}: {why}")))?;
        holds &= tried.broken.is_none() && shortfall(&tried, arguments).is_none();
        print(&match arguments.format {
            Format::Human => shown(&tried, arguments, kind),
            Format::Json => line(&tried, arguments, kind),
        })?;
        if interrupt::asked() {
            return Ok(interrupt::say_how_far());
        }
    }
    Ok(if holds { Exit::Holds } else { Exit::Violated })
}

/// Why `tried` shows nothing, where it does not: what was planted was not found.
fn shortfall(tried: &Tried, arguments: &Arguments) -> Option<String> {
    let looked = tried.broken.is_none() && !interrupt::asked();
    let bug = arguments.planted.as_ref().filter(|_| looked)?;
    Some(super::lattice::not_found(bug))
}

fn kinds(arguments: &Arguments) -> Vec<&str> {
    match &arguments.kind {
        Some(kind) => vec![kind],
        None => catalogue::LIST.iter().chain(catalogue::JOINS).map(|(name, _)| *name).collect(),
    }
}

/// How many runs are to be tried of a type: so many of each kind of law that it promises.
fn planned(arguments: &Arguments, kind: &str) -> u64 {
    let is_join = catalogue::JOINS.iter().any(|(name, _)| *name == kind);
    let kinds = match &arguments.planted {
        Some(bug) if JoinBug::ALL.iter().any(|(name, of, _)| name == bug && *of == kind) => 1,
        Some(_) => OF_EFFECTS,
        None => OF_EFFECTS + u64::from(catalogue::engine(kind).is_some()) + u64::from(is_join),
    };
    arguments.cases.saturating_mul(kinds)
}

fn tried(arguments: &Arguments, kind: &str, start: &Value) -> Result<Tried, crdt::Refused> {
    if let Some(name) = &arguments.planted {
        if let Some((.., bug)) =
            JoinBug::ALL.iter().find(|(known, of, _)| known == name && *of == kind)
        {
            return Ok(catalogue::visit_planted_join(*bug, OfJoin(arguments)));
        }
        return catalogue::visit_bug(kind, start, name, OfEffects(arguments));
    }
    let mut tried = catalogue::visit(kind, start, OfEffects(arguments))?;
    let goes_on = |tried: &Tried| tried.broken.is_none() && !interrupt::asked();
    if catalogue::engine(kind).is_some() && goes_on(&tried) {
        let hidden = ProgressBar::hidden();
        let of_products = OfProducts {
            replicas: arguments.replicas,
            operations: arguments.operations as usize,
            histories: arguments.cases,
            seed: arguments.seed,
            progress: progress::until_interrupted(&hidden),
        };
        tried.add(catalogue::visit_product(kind, start, of_products)?);
    }
    if catalogue::JOINS.iter().any(|(name, _)| *name == kind) && goes_on(&tried) {
        tried.add(catalogue::visit_join(kind, OfJoin(arguments))?);
    }
    if interrupt::asked() {
        return Ok(tried);
    }
    if let (Some(_), Some(split)) =
        (&arguments.kind, SPLITS.iter().find(|split| split.kind == kind))
    {
        let histories = counted(arguments.cases, "history");
        interrupt::begins(format!("of {histories} of {kind}, whose laws were all tried"));
        let of_meanings = OfMeanings { arguments, split };
        tried.notes = match catalogue::engine(kind) {
            // Messages in terms of a frame are of the past that they had.
            Some(Engine::Frame) => catalogue::visit_product(kind, start, of_meanings)?,
            _ => catalogue::visit(kind, start, of_meanings)?,
        };
    }
    Ok(tried)
}

/// Counts what is no law: edges that change the meaning, and histories that no sequence explains.
struct OfMeanings<'a> {
    arguments: &'a Arguments,
    split: &'a Split,
}

/// Operations of a history that is to be explained by some sequence of them: sequences are many.
const EXPLAINED_OPERATIONS_MAX: u32 = 6;

impl OfMeanings<'_> {
    fn count(self, kind: &Erased<'_>, propose: Proposal<'_>) -> Vec<Note> {
        let Self { arguments, split } = self;
        let size = (arguments.replicas, arguments.operations as usize);
        let acts = |operation: &Value| match operation.get("kind") {
            Some(Value::Text(kind)) => split.greater.contains(&kind.as_str()),
            _ => false,
        };
        let short = arguments.operations.min(EXPLAINED_OPERATIONS_MAX) as usize;
        let (mut there, mut back) = (Edges::default(), Edges::default());
        let mut sequence = Explained::default();
        let hidden = ProgressBar::hidden();
        let mut progress = progress::until_interrupted(&hidden);
        for number in 0..arguments.cases {
            let scope = (1, arguments.seed.wrapping_add(number));
            there += edges(kind, propose, size, scope, |operation| !acts(operation));
            back += edges(kind, propose, size, scope, acts);
            sequence += explained(kind, propose, (arguments.replicas, short), scope);
            if progress(number + 1).is_break() {
                break;
            }
        }
        let greater = split.greater.join(" and ");
        let changed = |to: &str| format!("edges {to} {greater} change what a log means (C6)");
        let unexplained =
            "histories are explained by no sequence of their operations (C7)".to_owned();
        vec![
            Note {
                name: "decomposition",
                of: changed("to"),
                tried: there.tried,
                not: there.changed,
            },
            Note {
                name: "the other way",
                of: changed("from"),
                tried: back.tried,
                not: back.changed,
            },
            Note { name: "sequence", of: unexplained, tried: sequence.tried, not: sequence.not },
        ]
    }
}

impl Visit for OfMeanings<'_> {
    type Out = Vec<Note>;

    fn visit<T: Listed>(self, kind: T) -> Vec<Note> {
        self.count(&Erased::new(&kind), &|value, draw| kind.proposal(value, draw))
    }
}

impl VisitProduct for OfMeanings<'_> {
    type Out = Vec<Note>;

    fn scan<T: Semidirect + Clone>(self, kind: T, propose: Proposal<'_>) -> Vec<Note> {
        self.count(&Erased::new(&Product(kind)), propose)
    }
}

struct OfEffects<'a>(&'a Arguments);

impl OfEffects<'_> {
    fn try_on(self, kind: &Erased<'_>, propose: Proposal<'_>) -> Tried {
        let arguments = self.0;
        let size = (arguments.replicas, arguments.operations as usize);
        let scope = (arguments.cases, arguments.seed);
        let mut tried =
            with_bar(arguments, |progress| of_effects(kind, propose, size, scope, progress));
        if tried.broken.is_none() && !interrupt::asked() {
            tried.add(with_bar(arguments, |progress| {
                of_collection(kind, propose, size, scope, Stability::OfAll, progress)
            }));
        }
        tried
    }
}

impl Visit for OfEffects<'_> {
    type Out = Tried;

    fn visit<T: Listed>(self, kind: T) -> Tried {
        self.try_on(&Erased::new(&kind), &|value, draw| kind.proposal(value, draw))
    }
}

impl VisitPlanted for OfEffects<'_> {
    type Out = Tried;

    fn visit<T: Op>(self, kind: T, propose: &dyn Fn(&Value, &mut Draw) -> Value) -> Tried {
        self.try_on(&Erased::new(&kind), propose)
    }
}

struct OfJoin<'a>(&'a Arguments);

impl VisitJoin for OfJoin<'_> {
    type Out = Tried;

    fn visit<T: Join>(self, kind: T, propose: &dyn Fn(&Value, &mut Draw) -> Value) -> Tried {
        let arguments = self.0;
        with_bar(arguments, |progress| {
            of_joins(&kind, propose, arguments.cases, arguments.seed, progress)
        })
    }
}

fn with_bar(arguments: &Arguments, work: impl FnOnce(Progress<'_>) -> Tried) -> Tried {
    let runs = usize::try_from(arguments.cases).unwrap_or(usize::MAX);
    let bar = progress::bar(runs, "runs", arguments.format == Format::Human);
    let tried = work(&mut progress::until_interrupted(&bar));
    bar.finish_and_clear();
    tried
}

fn shown(tried: &Tried, arguments: &Arguments, kind: &str) -> String {
    let mut text = String::new();
    let mut put = |line: String| writeln!(text, "{line}").expect("a string takes everything");
    let shortfall = shortfall(tried, arguments);
    match (&tried.broken, &shortfall) {
        (None, Some(why)) => {
            put(format!(
                "{BAD}falls short{BAD:#} {BOLD}{kind}{BOLD:#}: {why} {DIM}({} on {}){DIM:#}",
                counted(tried.counts.len() as u64, "law"),
                counted(tried.cases, "run"),
            ));
            put(format!("  {}", repeat(arguments, kind)));
        }
        (None, None) if tried.cases < planned(arguments, kind) => put(format!(
            "{BAD}cut short{BAD:#} {BOLD}{kind}{BOLD:#}: no law broke on {} of {}",
            count(tried.cases),
            counted(planned(arguments, kind), "run"),
        )),
        (None, None) => put(format!(
            "{GOOD}holds{GOOD:#} {BOLD}{kind}{BOLD:#}: {} on {}",
            counted(tried.counts.len() as u64, "law"),
            counted(tried.cases, "run"),
        )),
        (Some(broken), _) => {
            put(format!(
                "{BAD}breaks{BAD:#} {BOLD}{kind}{BOLD:#}: {}: {} {DIM}(run {}){DIM:#}",
                broken.law.name, broken.law.says, tried.cases,
            ));
            broken.run.iter().for_each(|step| put(format!("  {step}")));
            let width =
                broken.terms.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
            broken.terms.iter().for_each(|(name, term)| put(format!("  {name:<width$}  {term}")));
            put(format!("  {}", repeat(arguments, kind)));
        }
    }
    if arguments.kind.is_some() && tried.broken.is_none() {
        let width = tried.counts.keys().map(|name| name.len()).max().unwrap_or(0);
        for (law, times) in tried.counts.values() {
            let times = count(*times);
            put(format!("  {:<width$}  {times:>12} times  {DIM}{}{DIM:#}", law.name, law.says));
        }
        for note in &tried.notes {
            let cases = format!("{} of {}", count(note.not), count(note.tried));
            put(format!("  {:<width$}  {cases:>18}  {DIM}{}{DIM:#}", note.name, note.of));
        }
    }
    text
}

fn line(tried: &Tried, arguments: &Arguments, kind: &str) -> String {
    let laws = tried
        .counts
        .values()
        .map(|(law, times)| json!({ "law": law.name, "says": law.says, "times": times }));
    let broken = tried.broken.as_ref().map(|broken| {
        let terms = broken.terms.iter().map(|(name, term)| json!({ "name": name, "term": term }));
        json!({
            "law": broken.law.name,
            "says": broken.law.says,
            "run": broken.run,
            "terms": terms.collect::<Vec<_>>(),
            "repeat": repeat(arguments, kind),
        })
    });
    let notes = tried.notes.iter().map(
        |note| json!({ "name": note.name, "of": note.of, "tried": note.tried, "not": note.not }),
    );
    let row = json!({
        "format_version": 1,
        "type": kind,
        "cases": tried.cases,
        "laws": laws.collect::<Vec<_>>(),
        "broken": broken,
        "shortfall": shortfall(tried, arguments),
        "interrupted": interrupt::asked(),
        "notes": notes.collect::<Vec<_>>(),
    });
    format!("{row}\n")
}

fn repeat(arguments: &Arguments, kind: &str) -> String {
    let mut text = format!(
        "simctl laws --type {kind} --replicas {} --operations {} --cases {} --seed {}",
        arguments.replicas, arguments.operations, arguments.cases, arguments.seed
    );
    if let Some(start) = &arguments.start {
        text += &format!(" --start {}", quoted(std::path::Path::new(start)));
    }
    if let Some(bug) = &arguments.planted {
        text += &format!(" --planted {bug}");
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn as_many_runs_are_tried_as_were_planned() {
        let of = |words: &[&str]| {
            let words = ["laws", "--cases", "2"].iter().chain(words).copied();
            Line::try_parse_from(words).unwrap_or_else(|error| panic!("{error}")).arguments
        };
        let every = of(&[]);
        for kind in kinds(&every) {
            let tried = tried(&every, kind, &Value::Null).expect("it can begin");
            assert!(tried.broken.is_none(), "{kind}");
            assert_eq!(tried.cases, planned(&every, kind), "{kind}");
        }
        let counter = of(&["--type", "g_counter", "--planted", "last-merge-wins"]);
        assert_eq!(planned(&counter, "g_counter"), 2, "what is planted into a join is of joins");
    }
}
