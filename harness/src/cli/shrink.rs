//! `simctl shrink`: the smallest run that fails as a given one does.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::Args;
use contract::Span;
use rayon::ThreadPoolBuilder;
use serde::Serialize;

use super::{
    Exit, Failure, Format, aside, interrupt, load, print, progress, quoted, result_file,
    words::counted,
};
use crate::{
    shell::{setting, settings},
    shrink::{Progress, ShrinkError, Shrunk, Size, shrink},
};

pub(super) const EXAMPLES: &str = "\
Examples:
  simctl shrink scenarios/swarm.toml --seed 4711  printed, as a scenario
  simctl shrink a.toml --seed 7 --out small.toml  into a file
  simctl shrink a.toml --seed 7 --save            into scenarios/regress
  simctl shrink a.toml --seed 7 --for 30s         the smallest in that time
  # the failure that a sweep met at that point
  simctl shrink a.toml --seed 7 --set fleet.nodes=5

Smaller is what has fewer nodes; of as many nodes, fewer choices; then fewer releases and faults, \
and fewer keys. Fewer datagrams are not sought, for a fleet that loses less sends more; they are \
counted in `--format json`.

The same scenario and seed give the same result on any number of threads, unless time runs out.

Exit codes:
  0    shrunk
  1    shrunk as far as the time allowed
  2    the run does not fail
  130  interrupted, and shrunk as far as it came";

/// Candidates that are tried at once, at most: all that come after the first to fail were tried in vain.
const THREADS_MAX: usize = 64;
/// Where failures that were found once are kept.
const FOLDER: &str = "scenarios/regress";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A scenario file.
    scenario: PathBuf,
    /// The seed that fails; 1 where nothing is said.
    #[arg(long)]
    seed: Option<u64>,
    /// Give a key of the scenario another value, as `simctl run --set` does; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
    /// Write the shrunk scenario to this file, in the place of what it held; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write it into `scenarios/regress`, under a name of its own.
    #[arg(long, conflicts_with = "out")]
    save: bool,
    /// Runs at a time, at most 64; as many as there are processors where nothing is said.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// End after this long, such as `30s`, with the smallest that was found; the run that fails is made to its
    /// end, and what was found is run once more.
    #[arg(long = "for", value_name = "TIME", value_parser = some_time)]
    time: Option<Span>,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Line<'a> {
    format_version: u32,
    scenario: String,
    seed: u64,
    invariant: &'a str,
    text: &'a str,
    at_nanos: u64,
    signature: String,
    before: Counts,
    after: Counts,
    runs: usize,
    seconds: f64,
    cut_short: bool,
    interrupted: bool,
    /// Where the shrunk scenario is; absent: it was not written to a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    written: Option<String>,
    shrunk: &'a str,
}

#[derive(Serialize)]
struct Counts {
    nodes: usize,
    choices: usize,
    datagrams: u64,
}

impl From<Size> for Counts {
    fn from(size: Size) -> Self {
        Self { nodes: size.nodes, choices: size.choices, datagrams: size.datagrams }
    }
}

pub(super) fn carry_out(arguments: &Arguments) -> Result<Exit, Failure> {
    let loaded = load::load_with(std::slice::from_ref(&arguments.scenario), &arguments.set)?;
    let [loaded] = &loaded[..] else {
        return Err(Failure::Usage("one scenario is shrunk at a time".to_owned()));
    };
    if let Some(out) = &arguments.out {
        result_file::refuse("the shrunk scenario", out, &[&loaded.path])?;
    }
    let seed = arguments.seed.unwrap_or(super::run::SEED);
    let began = Instant::now();
    let limit = arguments.time.map(|time| Duration::from_nanos(time.as_nanos()));
    let enough = || interrupt::asked() || limit.is_some_and(|limit| began.elapsed() >= limit);
    let mut pool = ThreadPoolBuilder::new();
    if let Some(threads) = arguments.threads {
        pool = pool.num_threads(threads.get().min(THREADS_MAX));
    }
    let pool = pool.build().map_err(|error| Failure::Internal(error.to_string()))?;
    let bar = progress::spinner();
    let from = quoted(&loaded.path) + &settings(&loaded.settings);
    let shrunk = pool.install(|| {
        let mut has_shown = false;
        let mut progress = |at: Progress| {
            // Before that there is nothing to keep, and Ctrl-C ends the process as it always does.
            if !std::mem::replace(&mut has_shown, true) {
                interrupt::cut_short(None);
            }
            bar.set_message(at.to_string());
        };
        // The bar is moved by the thread that shrinks and drawn by one of its own.
        shrink(&loaded.scenario, seed, &from, &enough, &mut progress)
    });
    bar.finish_and_clear();
    let shrunk = shrunk.map_err(|error| match error {
        ShrinkError::NoFailure(_) => Failure::Usage(format!("{from}, seed {seed}: {error}")),
        ShrinkError::Deploy(_) | ShrinkError::Lost => {
            Failure::Internal(format!("failed to shrink {from}, seed {seed}: {error}"))
        }
    })?;
    let to = match (&arguments.out, arguments.save) {
        (Some(out), _) => (!result_file::is_standard_output(out)).then(|| out.clone()),
        (None, true) => Some(PathBuf::from(FOLDER).join(name(&loaded.name, &shrunk))),
        (None, false) => None,
    };
    if let Some(to) = &to {
        keep(to, &shrunk)?;
    }
    report(arguments, &shrunk, to.as_deref(), seed, began.elapsed())?;
    Ok(match (shrunk.cut_short, interrupt::asked()) {
        (false, _) => Exit::Holds,
        (true, false) => Exit::Violated,
        (true, true) => Exit::Interrupted,
    })
}

/// A time in which something can be done, such as `30s`.
fn some_time(text: &str) -> Result<Span, String> {
    let time: Span = text.parse().map_err(|error| format!("{error}"))?;
    let some = (time > Span::ZERO).then_some(time);
    some.ok_or_else(|| "expected a time above nothing, such as `30s`".to_owned())
}

/// The name of a shrunk failure: its scenario, the invariant and what kind of failure it is.
fn name(scenario: &str, shrunk: &Shrunk) -> String {
    let id = shrunk.signature.id();
    format!("{scenario}-{}-{}.toml", shrunk.violation.invariant.to_lowercase(), &id[..6])
}

fn keep(to: &Path, shrunk: &Shrunk) -> Result<(), Failure> {
    // Nobody was asked to make the folder that failures are saved in.
    if to.starts_with(FOLDER) {
        std::fs::create_dir_all(FOLDER)
            .map_err(|error| Failure::Internal(format!("{FOLDER} cannot be made: {error}")))?;
    }
    result_file::write("the shrunk scenario", to, shrunk.text.as_bytes())
}

fn report(
    arguments: &Arguments,
    shrunk: &Shrunk,
    to: Option<&Path>,
    seed: u64,
    took: Duration,
) -> Result<(), Failure> {
    let Shrunk { violation, before, after, runs, cut_short, .. } = shrunk;
    if arguments.format == Format::Json {
        let line = Line {
            format_version: 1,
            scenario: arguments.scenario.display().to_string(),
            seed,
            invariant: violation.invariant,
            text: &violation.text,
            at_nanos: violation.at.as_nanos(),
            signature: shrunk.signature.id(),
            before: (*before).into(),
            after: (*after).into(),
            runs: *runs,
            seconds: took.as_secs_f64(),
            cut_short: *cut_short,
            interrupted: *cut_short && interrupt::asked(),
            written: to.map(|to| to.display().to_string()),
            shrunk: &shrunk.text,
        };
        return print(&(serde_json::to_string(&line).expect("a line is JSON") + "\n"));
    }
    let early = match (cut_short, interrupt::asked()) {
        (false, _) => "",
        (true, false) => "; time ran out, more might go",
        (true, true) => "; interrupted, more might go",
    };
    let said = format!(
        "{before} -> {after}\n{} in {:.1} s{early}\n",
        counted(*runs as u64, "run"),
        took.as_secs_f64(),
    );
    match to {
        Some(to) => {
            let shown = quoted(to);
            print(&format!(
                "{said}{violation}\n{shown} fails by itself: simctl run {shown}; \
                 its story: simctl explain {shown}\n"
            ))
        }
        None => {
            aside::note(&said);
            print(&shrunk.text)
        }
    }
}
