//! The files of a sweep, written whole or not at all, and read with every damage named.
//!
//! A finished folder holds `plan.json` ([`Plan`]), `sweep.parquet` (a [`Run`] a row, in the order of
//! jobs), `failures.jsonl`, `tallies.jsonl` and `timelines.jsonl`; `cost.json` beside them is what the
//! machines add. Rows are Parquet without nesting, so that any tool reads them: numbers as `UINT_64`,
//! lists as one text with a space between names, hashes as 16 bytes.
//!
//! Invariant: a file is a function of what is in it; no clock, host or path gets into one.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

use crate::{Failure, Plan, Run, Tally, Timeline, file};

mod column;
pub mod durable;
mod error;
mod lines;
mod reader;
mod writer;

pub use column::{COLUMNS, Column};
pub use error::StoreError;
pub use lines::{from_lines, to_lines};
pub use reader::{Chunk, RowReader, Texts};
pub use writer::{GROUP_ROWS, RowWriter};

/// Texts of a sweep that are longer are none that a sweep writes: they have a line for each point of a grid.
const TEXT_BYTES_MAX: u64 = 1 << 30;

/// The file of the plan.
pub const PLAN: &str = "plan.json";
/// The file of the rows.
pub const ROWS: &str = "sweep.parquet";
/// The file of the failures.
pub const FAILURES: &str = "failures.jsonl";
/// The file of the tallies.
pub const TALLIES: &str = "tallies.jsonl";
/// The file of the timelines.
pub const TIMELINES: &str = "timelines.jsonl";
/// The files beside the rows. Rows may note the [`digest`] of each under its name; then they are of one sweep.
pub const BESIDE: [&str; 3] = [FAILURES, TALLIES, TIMELINES];
/// The note in the rows that says how many jobs were done.
pub const JOBS_NOTE: &str = "jobs";
/// The note in the rows that says how many jobs there were to do.
pub const PLANNED_NOTE: &str = "planned";
/// The file of what machines add: how long it took.
pub const COST: &str = "cost.json";

/// A finished sweep.
pub struct Sweep {
    /// Its folder.
    pub folder: PathBuf,
    /// What was run.
    pub plan: Plan,
    /// Of each kind of failure the shortest run that shows it.
    pub failures: Vec<Failure>,
    /// Sums, one for each scenario and cell, in the order of the plan.
    pub tallies: Vec<Tally>,
    /// The first run of each scenario and cell, in the order of the plan.
    pub timelines: Vec<Timeline>,
    /// Its rows.
    pub rows: RowReader,
}

impl Sweep {
    /// How many runs it has.
    pub fn count(&self) -> u64 {
        self.rows.count()
    }

    /// Every run, in the order of jobs.
    pub fn runs(&self) -> impl Iterator<Item = Result<Run, StoreError>> {
        self.rows.rows()
    }
}

/// Reads the finished sweep in `folder`.
///
/// Errors: a file is missing, damaged or of something else; it is named.
pub fn read(folder: &Path) -> Result<Sweep, StoreError> {
    let plan = read_plan(&folder.join(PLAN))?;
    let [failures, tallies, timelines] = BESIDE.map(|name| folder.join(name));
    let rows = RowReader::open(&folder.join(ROWS))?;
    Ok(Sweep {
        folder: folder.to_owned(),
        plan,
        failures: read_lines(&failures, &rows)?,
        tallies: read_lines(&tallies, &rows)?,
        timelines: read_lines(&timelines, &rows)?,
        rows,
    })
}

/// What tells the text of one file from another: 32 hexadecimal digits.
pub fn digest(text: &str) -> String {
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(text.as_bytes()))
}

/// Reads the plan in the file `path`.
pub fn read_plan(path: &Path) -> Result<Plan, StoreError> {
    let text = text(path)?;
    serde_json::from_str(&text).map_err(|error| StoreError::Damaged {
        path: path.into(),
        why: error.to_string(),
        expected: "a plan as `simctl plan` writes it".into(),
        recovered: "nothing".into(),
    })
}

/// All of the file `path`, which is text.
fn text(path: &Path) -> Result<String, StoreError> {
    let bytes = file::read(path, TEXT_BYTES_MAX).map_err(StoreError::reading(path))?;
    let no_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8");
    String::from_utf8(bytes).map_err(no_text).map_err(StoreError::reading(path))
}

fn read_lines<T: DeserializeOwned>(path: &Path, rows: &RowReader) -> Result<Vec<T>, StoreError> {
    let text = text(path)?;
    let items = from_lines(path, &text)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if rows.note(&name).is_some_and(|noted| noted != digest(&text)) {
        let why = format!("it was changed, or is of another sweep than {ROWS} beside it");
        return Err(StoreError::Foreign { path: path.into(), why });
    }
    Ok(items)
}

#[cfg(test)]
mod tests;
