//! The evaluation of the papers on RenamableLogootSplit, repeated on ours.
//!
//! Runs each row, a file of `scenarios/evaluation`, as `simctl evaluate` does, and measures what takes time
//! besides. Prints tables beside those of the papers; what is not time is the same on every machine.
//!
//! Source: "Improving Replicated Sequences Performances", evaluation.

mod clock;
mod files;
mod measure;
mod plots;
mod report;
mod tables;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;

use clock::Clock;
use experiment::{Report, Reports, Row, table::spelled};
use report::Rounds;

/// Replays of each log: one takes some hundred times as long as the longest rename.
const REPLAYS: usize = 5;

const EXAMPLES: &str = "\
Examples:
  evaluation                                   all rows; tables on stdout
  evaluation --row ls --row keep-30000-by-1    two of them
  evaluation --row mine.toml                   a row of your own
  evaluation --out docs/evaluation --document docs/sequences-evaluation.md
                                               pictures and figures too, and the tables into a document

Exits with 0 where all replicas agree and the bar holds, 1 where not, 2 for bad input.";

/// Repeats the papers' evaluation of RenamableLogootSplit: a table beside theirs for each figure
#[derive(Debug, Parser)]
#[command(name = "evaluation", after_help = EXAMPLES)]
struct Asked {
    /// A row to run, by name or as a file; all where none is named
    #[arg(long, value_name = "NAME|FILE")]
    row: Vec<String>,
    /// Writes pictures and figures into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Puts the tables between the marks of this document
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
    /// How often each figure of time is taken
    #[arg(long, value_name = "N", default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    rounds: u16,
}

/// Why the command fails.
#[derive(Debug)]
enum Failure {
    /// What was asked for makes no sense, or cannot be read or written.
    Input(String),
    /// Replicas diverge, or a bar is missed.
    Violated(String),
}

fn main() -> ExitCode {
    match evaluate(&Asked::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Violated(why)) => {
            eprintln!("violated: {why}");
            ExitCode::from(1)
        }
        Err(Failure::Input(why)) => {
            eprintln!("failed: {why}");
            ExitCode::from(2)
        }
    }
}

fn evaluate(asked: &Asked) -> Result<(), Failure> {
    let rows = rows(&asked.row).map_err(Failure::Input)?;
    let rounds = Rounds { steps: asked.rounds.into(), replays: REPLAYS };
    let mut outcomes = Vec::new();
    for row in &rows {
        eprintln!("{}: {}", spelled(&row.name), spelled(&row.about));
        let told = |why| Failure::Violated(format!("{}: {why}", row.name));
        outcomes.push(experiment::run(row).map_err(told)?);
    }
    eprintln!("all replicas agree; measuring");
    let times = report::measured(&outcomes, Clock::new(), rounds).map_err(Failure::Violated)?;
    let reports = outcomes.iter().map(|outcome| (outcome.row.name.clone(), Report::of(outcome)));
    let reports: Reports = reports.collect();
    for (name, table) in tables::all(&reports, &times) {
        println!("## {name}\n\n{}", table.markdown());
    }
    if let Some(folder) = &asked.out {
        files::write_all(folder, &reports, &times).map_err(Failure::Input)?;
    }
    if let Some(document) = &asked.document {
        files::put_tables(document, &reports, &times).map_err(Failure::Input)?;
    }
    reports.iter().try_for_each(|(name, report)| {
        experiment::bar(report).map_err(|why| Failure::Violated(format!("{name}: {why}")))
    })
}

/// The rows that were asked for, or all.
///
/// Errors: a fragment that names the file, or the names that there are.
fn rows(asked: &[String]) -> Result<Vec<Row>, String> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/evaluation"));
    let listed = std::fs::read_dir(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let paths = listed.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> = paths.collect::<Result<_, _>>().map_err(|why| why.to_string())?;
    paths.sort();
    if asked.is_empty() {
        return paths.iter().map(|path| Row::read(path)).collect();
    }
    let known = |name: &str| paths.iter().find(|path| path.file_stem() == Some(name.as_ref()));
    let mut rows = Vec::new();
    for name in asked {
        let path =
            known(name).cloned().or_else(|| Some(PathBuf::from(name)).filter(|p| p.exists()));
        let names = || {
            let stems = paths.iter().filter_map(|path| path.file_stem());
            stems.map(|stem| stem.to_string_lossy()).collect::<Vec<_>>().join(", ")
        };
        let path =
            path.ok_or_else(|| format!("no row `{name}`: expected a file or one of {}", names()))?;
        rows.push(Row::read(&path)?);
    }
    Ok(rows)
}
