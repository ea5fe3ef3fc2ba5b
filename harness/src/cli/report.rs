//! `simctl report`: what a sweep came to, as one HTML file.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use plots::{Digest, MEASURES};
use results::store::{self, StoreError};

use super::{Exit, Failure, print, result_file};
use crate::file;

pub(super) const EXAMPLES: &str = "\
Examples:
  simctl report out/                          writes out/report.html
  simctl report out/ --out public/index.html  writes elsewhere
  simctl report out/ --out - | less           to standard output
  simctl report out/ --template mine.html     by a template of your own
  simctl report --print-template > mine.html  the template to begin with

The exit code says whether the report was written, not what it says: `simctl sweep` says that.";

/// Templates are written by people.
const TEMPLATE_BYTES_MAX: u64 = 16 << 20;

/// The name of a report where nothing is said.
const FILE: &str = "report.html";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder of a finished sweep.
    #[arg(required_unless_present = "print_template")]
    sweep: Option<PathBuf>,
    /// Where the report goes; `report.html` in the folder of the sweep where nothing is said, `-` is
    /// standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// A minijinja template in the place of the report's own.
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// The column of the results that latencies are taken from.
    #[arg(long, value_name = "COLUMN", default_value = MEASURES[0].column)]
    column: String,
    /// Print the template of the report and do nothing else.
    #[arg(long, conflicts_with_all = ["sweep", "out", "template"])]
    print_template: bool,
}

pub(super) fn carry_out(arguments: &Arguments) -> Result<Exit, Failure> {
    let folder = match &arguments.sweep {
        Some(folder) if !arguments.print_template => folder,
        _ => {
            print(plots::TEMPLATE)?;
            return Ok(Exit::Holds);
        }
    };
    let mut digest = read(folder, &arguments.column)?;
    digest.scenarios.iter_mut().for_each(|one| one.about = super::claimed(&one.about));
    let page = match &arguments.template {
        None => plots::report(&digest),
        Some(path) => {
            let name = path.display().to_string();
            let bytes = file::read(path, TEMPLATE_BYTES_MAX).map_err(|error| {
                Failure::Usage(format!("the template {name} cannot be read: {error}"))
            })?;
            let text = String::from_utf8(bytes)
                .map_err(|_| Failure::Usage(format!("the template {name} is no text")))?;
            plots::report_by(&digest, &name, &text)
                .map_err(|error| Failure::Usage(error.to_string()))?
        }
    };
    let out = arguments.out.clone().unwrap_or_else(|| folder.join(FILE));
    let template: Vec<&Path> = arguments.template.iter().map(|path| &**path).collect();
    write("the report", &out, page.as_bytes(), &[folder], &template)?;
    Ok(Exit::Holds)
}

/// Reads the finished sweep in `folder`, its latencies from `column`.
pub(super) fn read(folder: &Path, column: &str) -> Result<Digest, Failure> {
    let refused = |why: String| Failure::Usage(why);
    let measure = plots::measure(column).map_err(|error| refused(error.to_string()))?;
    if !folder.join(store::PLAN).is_file() {
        let found = match fs::metadata(folder) {
            Ok(there) if there.is_dir() => "it has no plan.json",
            Ok(_) => "it is no folder",
            Err(_) => "it is not there",
        };
        return Err(refused(format!(
            "{} is no sweep: {found}; expected a folder that `simctl sweep --out` or `simctl merge` wrote",
            folder.display()
        )));
    }
    let sweep = results::read(folder).map_err(|error| refused(unreadable(folder, error)))?;
    Digest::read(sweep, measure).map_err(|error| refused(error.to_string()))
}

/// What is wrong with a sweep, and for one that is not finished what to do.
fn unreadable(folder: &Path, error: StoreError) -> String {
    match error {
        StoreError::Io { ref source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            format!(
                "{} holds no finished sweep: {error}; resume it, or merge its shards",
                folder.display()
            )
        }
        error => error.to_string(),
    }
}

/// Writes `bytes`, which are `what`, as the file `path`, whole or not at all, and says so; `-` is
/// standard output. Nothing replaces what it is made from: `inputs`, and the sweeps in `folders`.
pub(super) fn write(
    what: &'static str,
    path: &Path,
    bytes: &[u8],
    folders: &[&Path],
    inputs: &[&Path],
) -> Result<(), Failure> {
    refuse(what, path, folders, inputs)?;
    result_file::write(what, path, bytes)?;
    if result_file::is_standard_output(path) {
        return Ok(());
    }
    print(&format!("wrote {}\n", path.display()))
}

/// Refuses to write `path` where [`write()`] would.
pub(super) fn refuse(
    what: &'static str,
    path: &Path,
    folders: &[&Path],
    inputs: &[&Path],
) -> Result<(), Failure> {
    let sweeps: Vec<PathBuf> =
        folders.iter().flat_map(|folder| result_file::of_sweep(folder)).collect();
    let inputs: Vec<&Path> =
        sweeps.iter().map(|path| &**path).chain(inputs.iter().copied()).collect();
    result_file::refuse(what, path, &inputs)
}
