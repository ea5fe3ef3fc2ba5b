//! A part of a sweep in one file: the rows of consecutive jobs, and beside them what the runs came to.
//!
//! A part is there whole or not at all, and says of which sweep and of which jobs it is. Blocks of a sweep
//! that can be resumed, and shards of one that many machines run, are parts.

use std::{
    collections::BTreeMap,
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};

use results::{
    Failure, Tally, Timeline,
    store::{RowReader, RowWriter, StoreError, durable::Unfinished, from_lines, to_lines},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::gather::{Done, Gathered};

/// Names of the notes beside the rows.
const SWEEP: &str = "sweep";
const SHARD: &str = "shard";
const JOBS: &str = "jobs";
const FAILURES: &str = "failures";
const TALLIES: &str = "tallies";
const TIMELINES: &str = "timelines";

/// Which jobs of which sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The sweep: [`super::plan::id`].
    pub sweep: String,
    /// Which shard of how many; `None`: the sweep is not divided.
    pub shard: Option<(u32, u32)>,
}

/// A part being written.
pub struct Part {
    rows: RowWriter<Unfinished>,
    path: PathBuf,
    first: u64,
    gathered: Gathered,
}

/// A finished part.
pub struct Finished {
    /// Of which sweep.
    pub label: Label,
    /// The numbers of its jobs.
    pub jobs: Range<u64>,
    /// What its runs came to.
    pub gathered: Gathered,
    /// Its rows.
    pub rows: RowReader,
}

#[derive(Serialize, Deserialize)]
struct Of<T> {
    /// Under a name that nothing flattened beside it has.
    #[serde(rename = "place")]
    cell: usize,
    what: T,
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shard {
            None => write!(f, "sweep {}", self.sweep),
            Some((shard, of)) => write!(f, "shard {shard}/{of} of sweep {}", self.sweep),
        }
    }
}

impl Part {
    /// Begins the part `path` with the job of number `first`. `hint` goes into its temporary name.
    pub fn create(path: &Path, first: u64, hint: &str) -> Result<Self, StoreError> {
        let file = Unfinished::create(path, hint)?;
        let rows = RowWriter::new(file).map_err(StoreError::writing(path))?;
        Ok(Self { rows, path: path.to_owned(), first, gathered: Gathered::default() })
    }

    /// Takes the next run.
    pub fn take(&mut self, mut done: Done) -> Result<(), StoreError> {
        self.rows.push(&done.row).map_err(StoreError::writing(&self.path))?;
        self.gathered.take(&mut done);
        Ok(())
    }

    /// How many runs it has.
    pub fn runs(&self) -> u64 {
        self.rows.rows()
    }

    /// The first job.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Makes it durable under its name, with the jobs before `end`. Returns what its runs came to.
    pub fn finish(self, label: &Label, end: u64) -> Result<Gathered, StoreError> {
        let gathered = self.gathered;
        let shard = label.shard.map(|(shard, of)| (SHARD, format!("{shard}/{of}")));
        let notes = [
            (SWEEP, label.sweep.clone()),
            (JOBS, format!("{}..{end}", self.first)),
            (TALLIES, lines(gathered.tallies.iter().map(|(cell, what)| (*cell, what)))),
            (FAILURES, lines(gathered.failures.iter().map(|((cell, _), what)| (*cell, what)))),
            (TIMELINES, lines(gathered.timelines.iter().map(|(cell, what)| (*cell, what)))),
        ];
        let notes = notes.into_iter().chain(shard);
        let file = self.rows.finish(notes).map_err(StoreError::writing(&self.path))?;
        file.keep()?;
        Ok(gathered)
    }
}

impl Finished {
    /// Reads the part `path`. Errors: it is damaged, or no part.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        let rows = RowReader::open(path)?;
        let note = |name: &str| {
            rows.note(name).ok_or_else(|| StoreError::Foreign {
                path: path.into(),
                why: format!("it does not say its {name}; expected a part of a sweep"),
            })
        };
        let senseless = |name: &str, text: &str| StoreError::Foreign {
            path: path.into(),
            why: format!("its {name} `{text}` make no sense"),
        };
        let jobs = note(JOBS)?;
        let range = jobs.split_once("..").and_then(|(from, to)| {
            Some(from.parse().ok()?..to.parse().ok()?)
                .filter(|jobs: &Range<u64>| jobs.start <= jobs.end)
        });
        let range = range.ok_or_else(|| senseless(JOBS, jobs))?;
        let shard = rows.note(SHARD).map(|text| {
            let numbers = text.split_once('/');
            let numbers =
                numbers.and_then(|(shard, of)| Some((shard.parse().ok()?, of.parse().ok()?)));
            numbers
                .filter(|(shard, of): &(u32, u32)| shard < of)
                .ok_or_else(|| senseless(SHARD, text))
        });
        let label = Label { sweep: note(SWEEP)?.to_owned(), shard: shard.transpose()? };
        let tallies: Vec<Of<Tally>> = read(path, note(TALLIES)?)?;
        let failures: Vec<Of<Failure>> = read(path, note(FAILURES)?)?;
        let timelines: Vec<Of<Timeline>> = read(path, note(TIMELINES)?)?;
        let failure = |of: Of<Failure>| ((of.cell, of.what.signature.clone()), of.what);
        let gathered = Gathered {
            tallies: tallies.into_iter().map(|of| (of.cell, of.what)).collect(),
            failures: failures.into_iter().map(failure).collect(),
            timelines: timelines
                .into_iter()
                .map(|of| (of.cell, of.what))
                .collect::<BTreeMap<_, _>>(),
        };
        let fits = |tally: &Tally| tally.as_expected <= tally.runs;
        let runs = gathered.tallies.values().try_fold(0u64, |sum, one| sum.checked_add(one.runs));
        if runs != Some(rows.count()) || !gathered.tallies.values().all(fits) {
            return Err(StoreError::Foreign {
                path: path.into(),
                why: "its tallies do not add up to its rows".to_owned(),
            });
        }
        Ok(Self { label, jobs: range, gathered, rows })
    }
}

fn lines<'a, T: Serialize + 'a>(items: impl Iterator<Item = (usize, &'a T)>) -> String {
    let items: Vec<Of<&T>> = items.map(|(cell, what)| Of { cell, what }).collect();
    to_lines(&items)
}

fn read<T: DeserializeOwned>(path: &Path, text: &str) -> Result<Vec<T>, StoreError> {
    from_lines(path, text)
}
