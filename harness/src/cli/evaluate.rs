//! `simctl evaluate`: the papers' evaluation of renames, repeated row by row.
//!
//! Everything that it prints and writes is a function of rows, seeds and commit: no clock is read. What takes
//! time is measured by `bench/evaluation`, on the same runs.

use std::{
    collections::BTreeSet,
    fs, io,
    num::NonZeroUsize,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use clap::Args;
use experiment::{
    Report, Reports, Row, Unfinished, bar, files,
    tables::{self, Without},
};

use super::{
    Exit, Failure, Format, aside, interrupt, load, print, progress, quoted, result_file, run,
    words::counted,
};
use crate::{
    scenario::{self, Scenario, diagnostic::meant},
    sweep::{
        engine::{Next, in_order},
        seeds::SeedRange,
    },
};

mod tell;

use tell::Told;

pub(super) const EXAMPLES: &str = "\
Examples:
  simctl evaluate                          every row of scenarios/evaluation
  simctl evaluate ls keep-30000-by-2       two of them, by name
  simctl evaluate mine.toml --seeds 0..10  your own, a line a run
  simctl evaluate --format json            one JSON object a run
  simctl evaluate --out figures            tables, CSV files and plots as well

A row is run in the simulator: its bots type until nothing is under way any more, and must then \
agree in text, epoch and identifiers: they `diverge` where they do not. A row `stops` where a bot \
cannot go on, such as one that is to rename an empty text. KB are encoded; MB are in the papers' \
measure, object-sizeof of JavaScript objects, and theirs in brackets. `renamed` is right after the \
renames of a step, `collected` once former states were dropped; `depth` is the mean over blocks. \
What a row is decides which figures stand beside it, and not its name. Exits with 1 where replicas \
differ, where a row stops, or where one of the papers leaves more beside the text than it may.

What takes time (integration by kind of operation, replay of the log) is no function of row and \
commit. It is measured on the same runs, and docs/sequences-evaluation.md has all tables; to make \
them again:

  cd bench && cargo run --release -p evaluation -- --help";

/// Where rows are looked for whose name alone is given, and where all of them are.
const FOLDER: &str = "scenarios/evaluation";

/// What is said where a folder has no rows.
const HELP: &str = "docs/sequences-evaluation.md says what a row has, under \"A row of your own\"";

/// What `--out` may write.
const FILES: [&str; 8] = [
    "lengths.csv",
    "lengths.svg",
    "overhead-theirs.svg",
    "overhead.svg",
    "own.svg",
    "renames.csv",
    "samples.csv",
    "tables.md",
];

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Rows: names of those in scenarios/evaluation, files, or folders of them.
    #[arg(value_name = "ROW|FILE", default_value = FOLDER)]
    rows: Vec<PathBuf>,
    /// The seed to run; each row's own where nothing is said.
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Several seeds, such as `0..10`: from the first on, without the last. A line a run.
    #[arg(long, value_name = "FROM..TO")]
    seeds: Option<SeedRange>,
    /// Rows at a time; as many as there are processors where nothing is said.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// How results are written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Write tables, CSV files and plots into this folder, which is made where it is not there.
    #[arg(long, value_name = "DIR", conflicts_with = "seeds")]
    out: Option<PathBuf>,
}

/// What is to be run: every row with every seed.
struct Plan {
    rows: Vec<(PathBuf, Row)>,
    /// The first and how many; each row's own where nobody asked for others.
    seeds: Option<(u64, u64)>,
}

/// One run to be done.
struct Job<'a> {
    path: &'a Path,
    row: Row,
    /// The command that repeats it.
    repeat: String,
}

/// What a run came to.
enum Verdict {
    Holds(Report),
    /// All agree, and more is left beside the text than may be.
    Exceeds(Report, String),
    /// Somebody could not go on, and why.
    Stops(String),
    /// In what replicas differ.
    Diverges(String),
}

impl Plan {
    fn seeds(&self) -> u64 {
        self.seeds.map_or(1, |(_, count)| count)
    }

    fn count(&self) -> u64 {
        self.seeds().saturating_mul(self.rows.len() as u64)
    }

    fn job(&self, index: u64) -> Job<'_> {
        let at = usize::try_from(index / self.seeds()).expect("there are as many rows");
        let (path, row) = &self.rows[at];
        let asked = self.seeds.map(|(first, count)| first + index % count);
        let said = asked.map_or_else(String::new, |seed| format!(" --seed {seed}"));
        let row = Row { seed: asked.unwrap_or(row.seed), ..row.clone() };
        Job { path, row, repeat: format!("simctl evaluate {}{said}", quoted(path)) }
    }
}

impl Job<'_> {
    /// `None`: it was interrupted.
    fn run(&self) -> Option<Verdict> {
        let run = || experiment::run_until(&self.row, &interrupt::asked);
        let report = match run::as_running(self.repeat.clone(), run) {
            Ok(outcome) => Report::of(&outcome),
            Err(Unfinished::Stopped(why)) => return Some(Verdict::Stops(why)),
            Err(Unfinished::Diverged(why)) => return Some(Verdict::Diverges(why)),
            Err(Unfinished::Interrupted) => return None,
        };
        Some(match bar(&report) {
            Ok(()) => Verdict::Holds(report),
            Err(why) => Verdict::Exceeds(report, why),
        })
    }
}

impl Verdict {
    fn report(&self) -> Option<&Report> {
        match self {
            Self::Holds(report) | Self::Exceeds(report, _) => Some(report),
            Self::Stops(_) | Self::Diverges(_) => None,
        }
    }

    /// Why it is not as expected.
    fn why(&self) -> Option<&str> {
        match self {
            Self::Holds(_) => None,
            Self::Exceeds(_, why) | Self::Stops(why) | Self::Diverges(why) => Some(why),
        }
    }
}

pub(super) fn carry_out(arguments: &Arguments) -> Result<Exit, Failure> {
    let seeds = arguments.seeds.map(|SeedRange { from, to }| (from, to - from));
    let seeds = seeds.or(arguments.seed.map(|seed| (seed, 1)));
    let plan = Plan { rows: rows(&arguments.rows)?, seeds };
    if let Some(folder) = &arguments.out {
        prepare(folder, &plan)?;
    }
    let mut told = Told::new(&plan, arguments);
    let shown = arguments.format == Format::Human;
    let bar = progress::bar(usize::try_from(plan.count()).unwrap_or(usize::MAX), "runs", shown);
    bar.suspend(|| print(&told.head()))?;
    interrupt::cut_short(None);
    interrupt::begins(format!("of {}", counted(plan.count(), "run")));
    let (mut reports, mut without, mut printed) = (Reports::new(), Without::new(), Ok(()));
    let stop = AtomicBool::new(false);
    let take = |next| {
        // Once Ctrl-C was pressed no other run begins.
        stop.fetch_or(interrupt::asked(), Ordering::Relaxed);
        let Next::Done(index, Some(verdict)) = next else { return ControlFlow::Continue(()) };
        bar.inc(1);
        interrupt::done(interrupt::done_so_far() + 1);
        let job = plan.job(index);
        let text = told.run(&job, &verdict);
        printed = bar.suspend(|| print(&text));
        if arguments.out.is_some() {
            let name = job.row.name;
            match verdict {
                Verdict::Holds(report) | Verdict::Exceeds(report, _) => {
                    drop(reports.insert(name, report));
                }
                Verdict::Stops(why) => drop(without.insert(name, Unfinished::Stopped(why))),
                Verdict::Diverges(why) => drop(without.insert(name, Unfinished::Diverged(why))),
            }
        }
        if printed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let work = |index| plan.job(index).run();
    in_order(0..plan.count(), arguments.threads, &stop, work, take)
        .map_err(|error| Failure::Internal(error.to_string()))?;
    bar.finish_and_clear();
    printed?;
    print(&told.totals())?;
    if interrupt::asked() {
        return Ok(interrupt::say_how_far());
    }
    if let Some(folder) = &arguments.out {
        write(folder, &reports, &without)?;
    }
    Ok(if told.is_as_expected() { Exit::Holds } else { Exit::Violated })
}

/// Reads and checks every row that was asked for.
///
/// Errors: [`Failure::Rejected`] with the mistakes of all files, or a name that is none.
fn rows(asked: &[PathBuf]) -> Result<Vec<(PathBuf, Row)>, Failure> {
    let (mut rows, mut rejected) = (Vec::new(), Vec::new());
    for path in asked {
        match load::files_of(&found(path)?, "row of the evaluation", HELP) {
            Err(mistakes) => rejected.push(*mistakes),
            Ok(files) => {
                for file in files {
                    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                    let read = Scenario::text(&file);
                    match read.and_then(|text| scenario::row(&file, &name, text)) {
                        Ok(row) => rows.push((file, row)),
                        Err(mistakes) => rejected.push(*mistakes),
                    }
                }
            }
        }
    }
    if rejected.is_empty() { Ok(rows) } else { Err(Failure::Rejected(rejected)) }
}

/// The file or the folder that `asked` means: itself, or a row of that name.
fn found(asked: &Path) -> Result<PathBuf, Failure> {
    let folder = Path::new(FOLDER);
    let is_name = asked.components().count() == 1 && asked.extension().is_none();
    if asked.exists() || !(is_name || asked == folder) {
        return Ok(asked.to_owned());
    }
    let named = folder.join(format!("{}.toml", asked.display()));
    if named.is_file() {
        return Ok(named);
    }
    let (shown, names) = (asked.display(), names());
    Err(Failure::Usage(if !folder.is_dir() {
        format!(
            "{FOLDER} is not here: expected the folder of rows, as where simctl is built, or a file"
        )
    } else if names.is_empty() {
        format!("no row is called `{shown}`: {FOLDER} has none; expected a file")
    } else {
        let help = match meant(&asked.to_string_lossy(), names.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("expected a file, or one of {}", names.join(", ")),
        };
        format!("no row is called `{shown}`; {help}")
    }))
}

/// The row of the folder of rows that is called `name`, with its file; `None`: there is none.
///
/// Errors: it is no row.
pub(super) fn named(name: &str) -> Result<Option<(PathBuf, Row)>, Failure> {
    let file = Path::new(FOLDER).join(format!("{name}.toml"));
    if !names().iter().any(|known| known == name) {
        return Ok(None);
    }
    Ok(rows(std::slice::from_ref(&file))?.pop())
}

/// The rows that have a name.
pub(super) fn names() -> Vec<String> {
    let files = load::files(Path::new(FOLDER)).unwrap_or_default().into_iter();
    let stems = files.filter(|file| file.is_file()).map(|file| file.with_extension(""));
    stems.filter_map(|stem| Some(stem.file_name()?.to_str()?.to_owned())).collect()
}

/// Looks whether results can go into `folder`, and leaves it as it was: a run that is interrupted leaves nothing.
///
/// Errors: they cannot, or two rows have one name there; nothing was run.
fn prepare(folder: &Path, plan: &Plan) -> Result<(), Failure> {
    let mut names = BTreeSet::new();
    if let Some((path, row)) = plan.rows.iter().find(|(_, row)| !names.insert(&row.name)) {
        let (path, name) = (path.display(), &row.name);
        let why = format!("{path}: a second row is called `{name}`, and --out tells them by name");
        return Err(Failure::Usage(why));
    }
    let shown = folder.display();
    if result_file::is_standard_output(folder) {
        let why = format!("--out {shown}: these are several files, expected a folder for them");
        return Err(Failure::Usage(why));
    }
    if let Some(file) = folder.ancestors().find(|path| path.exists()).filter(|path| !path.is_dir())
    {
        let why = format!("--out {shown}: {} is a file, expected a folder", file.display());
        return Err(Failure::Usage(why));
    }
    let unwritable = |why: io::Error| Failure::Usage(format!("--out {shown}: {why}"));
    let missing =
        folder.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists());
    let made: Vec<&Path> = missing.collect();
    let tried = fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder).map(drop));
    // Deepest first; one that somebody else used meanwhile is not empty, and stays.
    made.iter().for_each(|path| drop(fs::remove_dir(path)));
    tried.map_err(unwritable)?;
    match FILES.into_iter().find(|name| folder.join(name).is_dir()) {
        Some(name) => {
            Err(Failure::Usage(format!("--out {shown}: {name} in it is a folder, expected a file")))
        }
        None => Ok(()),
    }
}

/// Writes tables, figures and plots of `reports`, and says which. What an earlier run wrote and this one does not is
/// removed: it is of other rows.
fn write(folder: &Path, reports: &Reports, without: &Without) -> Result<(), Failure> {
    let drawn = files::all(reports).map_err(Failure::Internal)?;
    let shown = folder.display();
    let failed = |why: io::Error| Failure::Internal(format!("--out {shown}: {why}"));
    fs::create_dir_all(folder).map_err(failed)?;
    let written = drawn.into_iter().chain([("tables.md", tables::markdown(reports, without))]);
    let mut names = Vec::new();
    for (name, text) in written {
        assert!(FILES.contains(&name), "{name} was not looked for before");
        result_file::write("a file of the evaluation", &folder.join(name), text.as_bytes())?;
        names.push(name);
    }
    let mut removed = Vec::new();
    for name in FILES.into_iter().filter(|name| !names.contains(name)) {
        match fs::remove_file(folder.join(name)) {
            Ok(()) => removed.push(name),
            Err(why) if why.kind() == io::ErrorKind::NotFound => {}
            Err(why) => return Err(failed(why)),
        }
    }
    let removed = match removed.is_empty() {
        true => String::new(),
        false => format!("; removed what an earlier run left there: {}", removed.join(", ")),
    };
    aside::note(&format!("written to {shown}: {}{removed}\n", names.join(", ")));
    Ok(())
}
