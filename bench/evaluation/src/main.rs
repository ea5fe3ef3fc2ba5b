//! The evaluation of the papers on RenamableLogootSplit, repeated on ours.
//!
//! Runs each row, a file of `rows/`, in a simulated network: ten bots type 150,000 characters. Prints
//! tables beside those of the papers; what is not time is the same on every machine.
//!
//! Source: "Improving Replicated Sequences Performances", evaluation.

mod bot;
mod clock;
mod files;
mod fleet;
mod measure;
mod message;
mod objects;
mod plots;
mod published;
mod report;
mod row;
mod sample;
mod tables;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;

use clock::Clock;
use report::{Reports, Rounds, left_over};
use row::Row;

/// What may be left beside the text after renames whose former states are dropped, of the text.
const OVERHEAD_MAX: f64 = 0.01;

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
        eprintln!("{}: {}", row.name, row.about);
        let told = |why| Failure::Violated(format!("{}: {why}", row.name));
        outcomes.push(fleet::run(row).map_err(told)?);
    }
    eprintln!("all replicas agree; measuring");
    let reports = report::measured(&outcomes, Clock::new(), rounds).map_err(Failure::Violated)?;
    for (name, table) in tables::all(&reports) {
        println!("## {name}\n\n{table}");
    }
    if let Some(folder) = &asked.out {
        files::write_all(folder, &reports).map_err(Failure::Input)?;
    }
    if let Some(document) = &asked.document {
        files::put_tables(document, &reports).map_err(Failure::Input)?;
    }
    bar(&reports).map_err(Failure::Violated)
}

/// The rows that were asked for, or all.
///
/// Errors: a fragment that names the file, or the names that there are.
fn rows(asked: &[String]) -> Result<Vec<Row>, String> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/rows"));
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

/// Errors: on average over the steps of a row more is left beside the text than may be.
fn bar(reports: &Reports) -> Result<(), String> {
    for (name, report) in reports {
        let kinds = ["are dropped at once", "are dropped once all announced it"];
        for (kind, shares) in kinds.into_iter().zip(left_over(report)) {
            let mean = shares.iter().sum::<f64>() / shares.len().max(1) as f64;
            if mean > OVERHEAD_MAX {
                return Err(format!(
                    "{name}: {:.2} % are left beside the text after renames whose former states \
                     {kind}, expected at most {:.0} %",
                    mean * 100.0,
                    OVERHEAD_MAX * 100.0
                ));
            }
        }
    }
    Ok(())
}
