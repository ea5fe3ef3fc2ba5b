//! `simctl list`: scenarios and what each of them claims.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{Exit, Failure, Format, claimed, load, print};
use crate::scenario::Expectation;

pub(super) const EXAMPLES: &str = "\
Examples:
  simctl list
  simctl list scenarios --format json";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Scenario files, or folders of them.
    #[arg(default_value = "scenarios")]
    paths: Vec<PathBuf>,
    /// How the list is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Row<'a> {
    format_version: u32,
    name: &'a str,
    path: String,
    about: &'a str,
    app: &'a str,
    nodes: u32,
    violates: &'a [String],
}

pub(super) fn carry_out(arguments: &Arguments) -> Result<Exit, Failure> {
    let loaded = load::load(&arguments.paths)?;
    let width = loaded.iter().map(|one| one.shown().chars().count()).max().unwrap_or(0);
    for one in &loaded {
        let violates = match &one.scenario.expect.outcome {
            Expectation::Holds => &[][..],
            Expectation::Violates(violated) => violated,
        };
        let row = Row {
            format_version: 1,
            name: &one.name,
            path: one.path.display().to_string(),
            about: &one.scenario.about,
            app: &one.scenario.app,
            nodes: one.scenario.fleet.nodes,
            violates,
        };
        let text = match arguments.format {
            Format::Human => format!("{:<width$}  {}\n", one.shown(), claimed(row.about)),
            Format::Json => serde_json::to_string(&row).expect("a row is JSON") + "\n",
        };
        print(&text)?;
    }
    Ok(Exit::Holds)
}
