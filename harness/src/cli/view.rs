//! `simctl view`: the space-time diagram of a run as one HTML file.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use clap::Args;
use results::Diagram;

use super::{
    Exit, Failure, aside, interrupt, load, print, result_file,
    run::{Job, SEED, Wire},
    words,
};
use crate::{
    diagram::Recorder,
    file,
    outcome::Verdict,
    shell::{self, setting},
    trace::Names,
    visible::visible,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  simctl view a.toml --seed 7           writes a-seed-7.html
  simctl view a.toml --out run.html     another name; - is standard output
  simctl view a.toml --seed 1 --seed 2  two seeds of one scenario
  simctl view run.diagram               a run that was kept
  # two runs side by side
  simctl view a.toml --seed 1 --against b.toml --seed 2
  # at a point of a sweep's grid
  simctl view a.toml --seed 7 --set fleet.nodes=5
  # keep a run for later
  simctl run a.toml --trace run.diagram --trace-format diagram

The page is one file, asks no network and tells its keys by the question mark.";

/// The longest diagram that is read into memory: several times as long as what a recorder keeps of a run.
const DIAGRAM_BYTES_MAX: u64 = 256 << 20;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A scenario (`*.toml`), or a run that `--trace-format diagram` kept.
    run: PathBuf,
    /// The seed to run; given again it is that of the other run. 1 where nothing is said.
    #[arg(long)]
    seed: Vec<u64>,
    /// Another scenario, or a run that was kept, to be shown beside the first.
    #[arg(long, value_name = "RUN")]
    against: Option<PathBuf>,
    /// Give a key of the scenario another value, as `simctl run --set` does; may be repeated. It
    /// is for every scenario that is run.
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
    /// Where to write the page; `-` is standard output. Named after scenario and seed where nothing is
    /// said.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn carry_out(arguments: &Arguments) -> Result<Exit, Failure> {
    let Arguments { run, seed, against, set, out } = arguments;
    let other = match (against, &seed[..]) {
        (None, [] | [_]) => None,
        (None, [_, second]) => Some((run, Some(*second))),
        (Some(against), seeds @ ([] | [_] | [_, _])) => Some((against, seeds.get(1).copied())),
        (_, more) => {
            let count = more.len();
            return Err(Failure::Usage(format!(
                "--seed is of one run or of two, and {count} were given"
            )));
        }
    };
    let read: Vec<&Path> = std::iter::once(run).chain(against).map(PathBuf::as_path).collect();
    if let Some(out) = out {
        result_file::refuse("the page", out, &read)?;
    }
    interrupt::cut_short(None);
    let Some(first) = diagram(run, seed.first().copied(), set)? else {
        return Ok(Exit::Interrupted);
    };
    let second = match other {
        None => None,
        Some((path, seed)) => match diagram(path, seed, set)? {
            None => return Ok(Exit::Interrupted),
            some => some,
        },
    };
    let page = plots::page(&first, second.as_ref());
    let name = |run: &Diagram| format!("{}-seed-{}", shell::file_name(&run.scenario), run.seed);
    let names = match &second {
        None => name(&first),
        Some(second) => format!("{}-against-{}", name(&first), name(second)),
    };
    let out = out.clone().unwrap_or_else(|| PathBuf::from(format!("{names}.html")));
    write(
        "the page",
        &out,
        page.as_bytes(),
        &[&first].into_iter().chain(&second).collect::<Vec<_>>(),
    )
}

/// The diagram of `path`: of a run of the scenario, or the one that was kept. `None`: interrupted.
///
/// Errors: [`Failure::Usage`] where the file is something else, or a kept run is given a seed or settings.
pub(super) fn diagram(
    path: &Path,
    seed: Option<u64>,
    set: &[(String, String)],
) -> Result<Option<Diagram>, Failure> {
    let shown = path.display();
    if path.is_dir() {
        let why = format!("{shown} is a folder, and a diagram is of one run of one scenario");
        return Err(Failure::Usage(why));
    }
    if path.extension().is_some_and(|ending| ending == "toml") {
        return of_run(path, seed.unwrap_or(SEED), set);
    }
    if !set.is_empty() {
        let why = format!("{shown} is a run that was kept: leave --set out");
        return Err(Failure::Usage(why));
    }
    let bytes = file::read(path, DIAGRAM_BYTES_MAX).map_err(|error| {
        Failure::Usage(format!("{shown} cannot be read: {error}; a scenario's name ends in .toml"))
    })?;
    let is_not = |why: &str| {
        Failure::Usage(format!("{shown} {why} (and a scenario's name would end in .toml)"))
    };
    let text = String::from_utf8(bytes).map_err(|_| is_not("is no text"))?;
    let diagram = Diagram::read(&text).map_err(|error| is_not(&error.to_string()))?;
    match seed {
        Some(seed) if seed != diagram.seed => Err(Failure::Usage(format!(
            "{shown} is of seed {}, and seed {seed} was asked for",
            diagram.seed
        ))),
        _ => Ok(Some(diagram)),
    }
}

/// Runs a scenario and keeps its diagram. `None`: interrupted.
fn of_run(path: &Path, seed: u64, set: &[(String, String)]) -> Result<Option<Diagram>, Failure> {
    let loaded = load::load_with(&[path.to_owned()], set)?;
    let [loaded] = &loaded[..] else { unreachable!("a file is one scenario") };
    let job = Job { loaded, seed, wire: Wire::Typed };
    let mut recorder = Recorder::new(Names::of(&loaded.scenario));
    let outcome = job.run_until(Some(&interrupt::asked), Some(&mut recorder))?;
    if outcome.verdict == Verdict::Interrupted {
        return Ok(None);
    }
    Ok(Some(recorder.finish(&loaded.name, &job.repeat(), &outcome)))
}

/// Writes what was made of `runs`, whole or not at all, and says so.
pub(super) fn write(
    what: &'static str,
    out: &Path,
    bytes: &[u8],
    runs: &[&Diagram],
) -> Result<Exit, Failure> {
    let told: Vec<String> = runs.iter().map(|run| told(run)).collect();
    result_file::write(what, out, bytes)?;
    if result_file::is_standard_output(out) {
        aside::note(&format!("{}\n", told.join("\n")));
        return Ok(Exit::Holds);
    }
    let out = visible(&out.display().to_string());
    print(&format!("{out}: {}\n", told.join("; ")))?;
    Ok(Exit::Holds)
}

/// How many nodes it shows. A node that the scenario leaves out has a lane, for lanes are by number, and nothing in it.
fn nodes(run: &Diagram) -> usize {
    let senders = run.messages.iter().map(|message| message.from);
    let marks = run.marks.iter().filter_map(|mark| mark.lane);
    let lanes: BTreeSet<u32> = senders.chain(marks).collect();
    let is_shown = |lane: usize, stretches: usize| stretches > 0 || lanes.contains(&(lane as u32));
    run.lanes.iter().enumerate().filter(|(at, lane)| is_shown(*at, lane.stretches.len())).count()
}

/// A diagram in one line.
fn told(run: &Diagram) -> String {
    let Diagram { scenario, seed, verdict, messages, marks, .. } = run;
    let scenario = visible(scenario);
    let left_out = match &run.left_out[..] {
        [] => String::new(),
        left_out => format!("; left out, for there was too much: {}", left_out.join(", ")),
    };
    let counted = |count: usize, what| words::counted(count as u64, what);
    format!(
        "{scenario} seed {seed} {verdict}; {}, {}, {}{left_out}",
        counted(nodes(run), "node"),
        counted(messages.len(), "message"),
        counted(marks.len(), "event")
    )
}
