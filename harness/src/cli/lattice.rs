//! `simctl lattice`: every delivery order of a replicated type's histories.

use std::{fmt::Write, io::Write as _, path::PathBuf};

use clap::{Args, builder::PossibleValuesParser};
use crdt::{
    Op, Value,
    catalogue::{self, Draw, Engine, Listed, Visit, VisitPlanted},
};
use serde_json::json;

use super::{
    Exit, Failure, Format, aside, interrupt, print, progress, quoted,
    result_file::ResultFile,
    style::{BAD, BOLD, DIM, GOOD},
    words::counted,
};
use crate::replicated::{
    Erased,
    history::{self, History, Proposal},
    lattice::{Broken, EVENTS_MAX, SETS_MAX},
    search::{Found, Report, Scope, search},
};

mod lists;
mod sequential;

use lists::{BY_RECEIPT, Lists, LookByReceipt};
use sequential::Sequential;

pub(super) const EXAMPLES: &str = "\
Examples:
  simctl lattice                      the types there are, of both kinds
  simctl lattice --type int_add_mult  1,000 histories of 6 operations
  simctl lattice --type rich_text --replicas 4 --operations 10
  simctl lattice --type shapes --replicas 2 --operations 4 --exhaustive
  # and could one replica come to it
  simctl lattice --type add_wins_set --sequential
  # what the check finds in types that are wrong on purpose
  simctl lattice --type int_min_max_add_mult --planted ascending \\
    --dot failure.dot
  simctl lattice --type rich_text --planted by-receipt

A failure exits with 1; so does a check that shows nothing: that followed no order to its end, or \
that did not find what was planted.";

/// Shapes of exhaustive searches: what is looked through grows beyond all bounds.
const EXHAUSTIVE_SHAPES_MAX: usize = 5_000;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Which type; without one, the types are listed.
    #[arg(long = "type", value_name = "TYPE", value_parser = types(), hide_possible_values = true)]
    kind: Option<String>,
    /// What all replicas are told at the start, as JSON, such as `{"init": 3}`.
    #[arg(long, value_name = "JSON", requires = "kind")]
    start: Option<String>,
    /// Replicas of each history.
    #[arg(long, requires = "kind", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=16))]
    replicas: u32,
    /// Operations of each history.
    #[arg(long, requires = "kind", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=EVENTS_MAX as i64))]
    operations: u32,
    /// Histories, drawn at random.
    #[arg(long, requires = "kind", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    histories: u64,
    /// The seed of the first history; each next one has the next seed.
    #[arg(long, requires = "kind", default_value_t = 1)]
    seed: u64,
    /// Every history there is, with one operation of each kind at each step, instead of random ones.
    #[arg(long, requires = "kind", conflicts_with_all = ["histories", "seed"])]
    exhaustive: bool,
    /// Say too what one replica alone could have come to: how many histories some order of their
    /// operations, done one after the other, explains.
    #[arg(long, requires = "kind")]
    sequential: bool,
    /// Check a broken implementation instead, to see what the check finds.
    #[arg(long, value_name = "BUG", requires = "kind", value_parser = PossibleValuesParser::new(catalogue::bugs().map(|(name, _)| name).chain([BY_RECEIPT])))]
    planted: Option<String>,
    /// Write the smallest failing history there, as a graph for graphviz.
    #[arg(long, value_name = "FILE", requires = "kind")]
    dot: Option<PathBuf>,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Arguments {
    /// The type; none where types are listed.
    fn name(&self) -> &str {
        self.kind.as_deref().unwrap_or_default()
    }
}

pub(super) fn carry_out(arguments: &Arguments) -> Result<Exit, Failure> {
    let Some(kind) = &arguments.kind else { return list(arguments.format) };
    let start = start(arguments.start.as_deref())?;
    if arguments.exhaustive {
        let shapes = history::count_shapes(
            arguments.replicas,
            arguments.operations as usize,
            EXHAUSTIVE_SHAPES_MAX,
        );
        if shapes > EXHAUSTIVE_SHAPES_MAX {
            return Err(Failure::Usage(format!(
                "--exhaustive: {} at {} have more than {EXHAUSTIVE_SHAPES_MAX} shapes; try fewer",
                counted(arguments.operations.into(), "operation"),
                counted(arguments.replicas.into(), "replica"),
            )));
        }
    }
    // Whether it can be written is known before the work.
    let dot = arguments.dot.as_deref().map(|path| ResultFile::create("the graph", path));
    let dot = dot.transpose()?;
    interrupt::cut_short(dot.as_ref().and_then(ResultFile::unfinished));
    let looked = look(arguments, kind, &start)
        .map_err(|why| Failure::Usage(format!("--type {kind}: {why}")))?;
    print(&match arguments.format {
        Format::Human => {
            looked.shown(arguments, kind)
                + &looked.lists.as_ref().map_or_else(String::new, Lists::shown)
                + &looked.sequential.as_ref().map_or_else(String::new, |found| found.shown(kind))
        }
        Format::Json => looked.json(arguments, kind),
    })?;
    match (dot, &looked.failure) {
        (Some(dot), Some((found, _))) => write_dot(dot, &found.history)?,
        (Some(_), None) => aside::note("no history failed, so no graph was written\n"),
        (None, _) => {}
    }
    if looked.interrupted {
        return Ok(interrupt::say_how_far());
    }
    let holds = !looked.found() && looked.shortfall(arguments).is_none();
    Ok(if holds { Exit::Holds } else { Exit::Violated })
}

fn look(arguments: &Arguments, kind: &str, start: &Value) -> Result<Looked, crdt::Refused> {
    begins(arguments, kind, "");
    match &arguments.planted {
        None => catalogue::visit(kind, start, Look(arguments)),
        Some(bug) if bug == BY_RECEIPT => {
            let looked = catalogue::visit(kind, start, LookByReceipt(Look(arguments)))?;
            let found = kind.to_owned();
            looked.ok_or(crdt::Refused::Unknown { expected: "the name of a list", found })
        }
        Some(bug) => catalogue::visit_bug(kind, start, bug, Look(arguments)),
    }
}

/// What is said where the bug that was planted was not found.
pub(super) fn not_found(bug: &str) -> String {
    format!("the planted bug `{bug}` was not found")
}

/// The names of the types of both kinds.
pub(super) fn types() -> PossibleValuesParser {
    let all = catalogue::LIST.iter().chain(catalogue::JOINS);
    PossibleValuesParser::new(all.map(|(name, _)| *name))
}

/// What all replicas are told at the start, of JSON; nothing where there is none.
pub(super) fn start(text: Option<&str>) -> Result<Value, Failure> {
    let Some(text) = text else { return Ok(Value::Map([].into())) };
    let json = serde_json::from_str(text)
        .map_err(|error| Failure::Usage(format!("--start {text}: expected JSON: {error}")))?;
    Ok(crate::replicated::vectors::value(&json))
}

fn list(format: Format) -> Result<Exit, Failure> {
    let kinds = [("operations", catalogue::LIST), ("states", catalogue::JOINS)];
    let all = kinds.iter().flat_map(|(_, list)| list.iter());
    let width = all.map(|(name, _)| name.len()).max().unwrap_or(0);
    for (by, list) in kinds {
        if format == Format::Human {
            print(&format!("{BOLD}by {by}{BOLD:#}\n"))?;
        }
        for (name, about) in list {
            let engine = catalogue::engine(name).map(|engine| match engine {
                Engine::Frame => "frame",
                Engine::Sums => "sums",
                Engine::Scan => "history scan",
            });
            let carried = engine.map_or(String::new(), |how| format!(" {DIM}({how}){DIM:#}"));
            print(&match format {
                Format::Human => format!("  {name:<width$}  {about}{carried}\n"),
                Format::Json => {
                    let row = json!({ "name": name, "about": about, "by": by, "engine": engine });
                    format!("{row}\n")
                }
            })?;
        }
    }
    Ok(Exit::Holds)
}

fn write_dot(mut file: ResultFile, history: &History) -> Result<(), Failure> {
    let written = file.out().write_all(history.dot().as_bytes());
    file.check(written)?;
    file.keep()
}

/// A look through the histories begins, for `what`: what is said of it if it is interrupted.
fn begins(arguments: &Arguments, kind: &str, what: &str) {
    let histories = match arguments.exhaustive {
        true => "histories".to_owned(),
        false => format!("of {}", counted(arguments.histories, "history")),
    };
    interrupt::begins(format!("{histories} of {kind}{what}"));
}

/// What was looked through, and the failure with what it should have shown.
struct Looked {
    report: Report,
    failure: Option<(Found, Option<Value>)>,
    /// Of a list: what came of the lists that it returns.
    lists: Option<Lists>,
    /// Where it was asked for: what one replica alone could have come to.
    sequential: Option<Sequential>,
    /// Ctrl-C was pressed before all delivery orders were looked through.
    is_cut: bool,
    /// Ctrl-C was pressed before all was looked through.
    interrupted: bool,
}

struct Look<'a>(&'a Arguments);

impl Visit for Look<'_> {
    type Out = Looked;

    fn visit<T: Listed>(self, kind: T) -> Looked {
        self.look(&Erased::new(&kind), &|value, draw| kind.proposal(value, draw))
    }
}

impl VisitPlanted for Look<'_> {
    type Out = Looked;

    fn visit<T: Op>(self, kind: T, propose: &dyn Fn(&Value, &mut Draw) -> Value) -> Looked {
        self.look(&Erased::new(&kind), propose)
    }
}

impl Look<'_> {
    fn look(self, kind: &Erased<'_>, propose: Proposal<'_>) -> Looked {
        let arguments = self.0;
        let scope = if arguments.exhaustive {
            Scope::Exhaustive
        } else {
            Scope::Random { histories: arguments.histories, seed: arguments.seed }
        };
        let count = usize::try_from(arguments.histories).unwrap_or(usize::MAX);
        let bar = progress::bar(
            count,
            "histories",
            !arguments.exhaustive && arguments.format == Format::Human,
        );
        let replicas = arguments.replicas;
        let operations = arguments.operations as usize;
        let mut progress = progress::until_interrupted(&bar);
        let mut report = search(kind, propose, replicas, operations, scope, &mut progress);
        bar.finish_and_clear();
        let is_cut = interrupt::asked();
        let failure = report.failure.take().map(|found| {
            let meaning = history::meaning(kind, &found.history);
            (found, meaning)
        });
        let lists = lists::look(kind, propose, arguments, scope);
        let sequential = sequential::look(kind, propose, arguments, scope);
        let interrupted = interrupt::asked();
        Looked { report, failure, lists, sequential, is_cut, interrupted }
    }
}

impl Looked {
    /// Whether something is wrong.
    fn found(&self) -> bool {
        self.failure.is_some()
            || self.lists.as_ref().is_some_and(|lists| !lists.hold())
            || self.sequential.as_ref().is_some_and(|sequential| !sequential.holds())
    }

    /// Why nothing was shown, where nothing was: what was planted was not found, or no order was followed.
    fn shortfall(&self, arguments: &Arguments) -> Option<String> {
        match &arguments.planted {
            _ if self.found() || self.interrupted => None,
            Some(bug) => Some(not_found(bug)),
            None => (self.report.covered.orders == 0).then(|| {
                "no delivery order was followed to its end; try fewer --operations or more --histories"
                    .to_owned()
            }),
        }
    }

    fn shown_without_failure(&self, arguments: &Arguments, kind: &str) -> String {
        let covered = &self.report.covered;
        let of = format!(
            "{} of {} at {}",
            counted(self.report.histories, "history"),
            counted(arguments.operations.into(), "operation"),
            counted(arguments.replicas.into(), "replica"),
        );
        let followed = if self.report.cut > 0 { " that was followed" } else { "" };
        let (verdict, repeat) = match self.shortfall(arguments) {
            Some(why) => {
                let verdict =
                    format!("{BAD}falls short{BAD:#} {BOLD}{kind}{BOLD:#}: {why} in {of}");
                (verdict, format!("  {}\n", repeat(arguments, kind)))
            }
            None if self.is_cut => (
                format!(
                    "{BAD}cut short{BAD:#} {BOLD}{kind}{BOLD:#}: no delivery order{followed} broke in {of} until then"
                ),
                String::new(),
            ),
            None => {
                let planted = arguments.planted.as_ref();
                let bug = planted.map_or_else(String::new, |bug| format!(" with `{bug}`"));
                let verdict = format!(
                    "{GOOD}holds{GOOD:#} {BOLD}{kind}{BOLD:#}{bug}: every delivery order{followed} of {of} \
                     gives one state, which shows what the type means"
                );
                (verdict, String::new())
            }
        };
        let cut = match self.report.cut {
            0 => String::new(),
            cut => format!(
                "  {BAD}cut short{BAD:#}             {} at {}: of these no order was followed to its end\n",
                counted(cut, "history"),
                counted(SETS_MAX, "closed set"),
            ),
        };
        let orders =
            u64::try_from(covered.orders).map_or("beyond counting".into(), super::words::count);
        format!(
            "{verdict}\n\
             \x20 causally closed sets  {}\n  deliveries            {}\n  delivery orders       {orders}\n{cut}{repeat}",
            super::words::count(covered.sets),
            super::words::count(covered.edges),
        )
    }

    fn shown(&self, arguments: &Arguments, kind: &str) -> String {
        let Some((found, meaning)) = &self.failure else {
            return self.shown_without_failure(arguments, kind);
        };
        let mut text = format!(
            "{BAD}{}{BAD:#} {BOLD}{kind}{BOLD:#}: {} {DIM}(found with {}, history {}){DIM:#}\n",
            name(&found.broken),
            counted(found.history.0.len() as u64, "operation"),
            found.found_with,
            self.report.histories,
        );
        for (at, step) in found.history.0.iter().enumerate() {
            let causes =
                found.history.causes(at).iter().map(ToString::to_string).collect::<Vec<_>>();
            let after = if causes.is_empty() {
                String::new()
            } else {
                format!("  after {}", causes.join(", "))
            };
            writeln!(text, "  {:<6} {}{DIM}{after}{DIM:#}", step.dot.to_string(), step.operation)
                .expect("a string takes everything");
        }
        for (order, shows) in orders(&found.broken) {
            writeln!(text, "  delivered {:<20} {shows}", names(&found.history, order).join(" "))
                .expect("a string takes everything");
        }
        if let Some(meaning) = meaning {
            writeln!(text, "  all of it means {meaning}").expect("a string takes everything");
        }
        text + &format!(
            "  {DIM}operations are called replica.number{DIM:#}\n  {}\n",
            repeat(arguments, kind)
        )
    }

    fn json(&self, arguments: &Arguments, kind: &str) -> String {
        let covered = &self.report.covered;
        let failure = self.failure.as_ref().map(|(found, meaning)| {
            let steps = found.history.0.iter().enumerate().map(|(at, step)| {
                let causes: Vec<String> =
                    found.history.causes(at).iter().map(ToString::to_string).collect();
                json!({
                    "name": step.dot.to_string(),
                    "after": causes,
                    "operation": as_json(&step.operation),
                })
            });
            let orders = orders(&found.broken).into_iter().map(|(order, shows)| {
                json!({ "delivered": names(&found.history, order), "came_to": shows })
            });
            json!({
                "kind": name(&found.broken),
                "history": steps.collect::<Vec<_>>(),
                "orders": orders.collect::<Vec<_>>(),
                "meaning": meaning.as_ref().map(as_json),
                "repeat": repeat(arguments, kind),
            })
        });
        let row = json!({
            "format_version": 1,
            "type": kind,
            "histories": self.report.histories,
            "closed_sets": covered.sets,
            "deliveries": covered.edges,
            "orders": covered.orders.to_string(),
            "cut_short": self.report.cut,
            "failure": failure,
            "shortfall": self.shortfall(arguments),
            "interrupted": self.interrupted,
            "lists": self.lists.as_ref().map(Lists::json),
            "sequential": self.sequential.as_ref().map(Sequential::json),
        });
        format!("{row}\n")
    }
}

fn name(broken: &Broken) -> &'static str {
    match broken {
        Broken::Diverges { .. } if broken.is_hidden() => "diverges unseen",
        Broken::Diverges { .. } => "diverges",
        Broken::Means { .. } => "is wrong",
        Broken::Refuses { .. } => "refuses",
    }
}

/// The orders of a failure, and what came of each.
fn orders(broken: &Broken) -> Vec<(&[usize], String)> {
    match broken {
        Broken::Diverges { orders, values } => {
            let each = orders.iter().zip(values);
            each.map(|(order, value)| (&order[..], format!("shows {value}"))).collect()
        }
        Broken::Means { order, value, .. } => vec![(order, format!("shows {value}"))],
        Broken::Refuses { order, why } => vec![(order, format!("the last is refused: {why}"))],
    }
}

fn as_json(value: &Value) -> serde_json::Value {
    serde_json::from_str(&value.to_string()).expect("a value is written as JSON")
}

fn names(history: &History, order: &[usize]) -> Vec<String> {
    order.iter().map(|at| history.0[*at].dot.to_string()).collect()
}

fn repeat(arguments: &Arguments, kind: &str) -> String {
    let mut text = format!(
        "simctl lattice --type {kind} --replicas {} --operations {}",
        arguments.replicas, arguments.operations
    );
    if arguments.exhaustive {
        text += " --exhaustive";
    } else {
        text += &format!(" --histories {} --seed {}", arguments.histories, arguments.seed);
    }
    if let Some(start) = &arguments.start {
        text += &format!(" --start {}", quoted(std::path::Path::new(start)));
    }
    if arguments.sequential {
        text += " --sequential";
    }
    if let Some(bug) = &arguments.planted {
        text += &format!(" --planted {bug}");
    }
    text
}
