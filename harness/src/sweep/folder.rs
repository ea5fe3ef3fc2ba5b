//! The folder of a sweep: what is done is durable before anybody hears of it, and a sweep that was cut
//! short anywhere goes on where it was.
//!
//! While a sweep runs, finished blocks of jobs lie in `blocks/`, each a [`Part`]; together they are the
//! first so many jobs. Once it is over they become `sweep.parquet` and the files beside it, and go.
//!
//! Invariant: the final files are a function of the plan and of how many jobs were done, never of when
//! blocks ended.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use results::{
    Cost, Plan,
    store::{
        self, JOBS_NOTE, RowReader, RowWriter, StoreError,
        durable::{self, Unfinished},
        to_lines,
    },
};

use super::{
    Trouble,
    gather::{Done, Gathered},
    part::{Finished, Label, Part},
    plan,
};

/// The folder of blocks.
const BLOCKS: &str = "blocks";
/// What temporary names begin with.
const TEMPORARY: &str = ".tmp-";
/// The note in the rows that says of which sweep they are.
const SWEEP_NOTE: &str = "sweep";
/// How long what was done may wait until it is durable: this much is lost by a kill.
const BLOCK_TIME: Duration = Duration::from_secs(1);
/// Rows after which a block ends anyway.
const BLOCK_ROWS: u64 = store::GROUP_ROWS as u64;

/// A folder that one sweep at a time writes into.
pub struct Folder {
    path: PathBuf,
    id: String,
    /// Held while this process sweeps into the folder.
    _lock: File,
    /// Finished blocks, in the order of their jobs, from the first job on without a gap.
    blocks: Vec<PathBuf>,
    /// Jobs that are durable.
    done: u64,
    gathered: Gathered,
    /// Runs that failed among them.
    failed: u64,
    open: Option<(Part, Instant)>,
}

/// The state in which a folder was found.
pub enum Found {
    /// The sweep is over: all jobs are done.
    Over(Gathered),
    /// Some jobs are done, perhaps none.
    Begun(Box<Folder>),
}

impl Folder {
    /// Takes `path` for the sweep `plan`, and finds out how far it is. `warn` hears of files that are of
    /// no use any more.
    ///
    /// Errors: another sweep lies there, another process is at it, or the folder cannot be used.
    pub fn open(path: &Path, plan: &Plan, warn: &mut dyn FnMut(&str)) -> Result<Found, Trouble> {
        let id = plan::id(plan);
        fs::create_dir_all(path).map_err(StoreError::writing(path))?;
        let lock = File::open(path).map_err(StoreError::writing(path))?;
        is_locked(lock.try_lock(), path, warn)?;
        plan::claim(path, plan)?;
        let over = path.join(store::ROWS);
        if over.exists() {
            let rows = RowReader::open(&over)?;
            if rows.note(SWEEP_NOTE) != Some(&id) {
                return Err(plan::mixed(&over, rows.note(SWEEP_NOTE).unwrap_or("none"), &id));
            }
            let jobs =
                super::jobs::Jobs::new(plan).map_err(|error| Trouble::Usage(error.to_string()))?;
            if rows.note(JOBS_NOTE) == Some(&jobs.count().to_string()) {
                // Whoever wrote the rows may have been killed before it tidied up.
                remove_temporary(path)?;
                remove_blocks(path)?;
                return Ok(Found::Over(gathered_of(plan, &store::read(path)?)));
            }
        }
        let blocks = path.join(BLOCKS);
        fs::create_dir_all(&blocks).map_err(StoreError::writing(&blocks))?;
        let mut folder = Self {
            path: path.to_owned(),
            id,
            _lock: lock,
            blocks: Vec::new(),
            done: 0,
            gathered: Gathered::default(),
            failed: 0,
            open: None,
        };
        folder.take_over(warn)?;
        folder.failed = folder.gathered.failed();
        Ok(Found::Begun(Box::new(folder)))
    }

    /// Finds the blocks that follow each other from the first job on, and removes everything else.
    fn take_over(&mut self, warn: &mut dyn FnMut(&str)) -> Result<(), Trouble> {
        let blocks = self.path.join(BLOCKS);
        remove_temporary(&blocks)?;
        remove_temporary(&self.path)?;
        let mut found: BTreeMap<u64, PathBuf> = BTreeMap::new();
        for entry in fs::read_dir(&blocks).map_err(StoreError::writing(&blocks))? {
            let file = entry.map_err(StoreError::writing(&blocks))?.path();
            let stem = file.file_stem().and_then(|stem| stem.to_str());
            if let Some(first) = stem.and_then(|stem| stem.parse().ok()) {
                found.insert(first, file);
            }
        }
        for (first, file) in found {
            let useless = match Finished::read(&file) {
                _ if first != self.done => Some("does not follow what is before it".to_owned()),
                Err(error) => Some(error.to_string()),
                Ok(part) if part.label != self.label() => Some("is of another sweep".to_owned()),
                Ok(part) if part.jobs.start != first => {
                    Some("is not what its name says".to_owned())
                }
                Ok(part) => {
                    self.done = part.jobs.end;
                    self.gathered.add(part.gathered);
                    self.blocks.push(file.clone());
                    None
                }
            };
            if let Some(why) = useless {
                warn(&format!("{} is done again: it {why}", file.display()));
                fs::remove_file(&file).map_err(StoreError::writing(&file))?;
            }
        }
        Ok(())
    }

    fn label(&self) -> Label {
        Label { sweep: self.id.clone(), shard: None }
    }

    /// The jobs before this one are durable.
    pub fn done(&self) -> u64 {
        self.done
    }

    /// What the durable jobs came to.
    pub fn gathered(&self) -> &Gathered {
        &self.gathered
    }

    /// How many of the durable runs failed.
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// Takes the run of job `number`, or that there is none of that number. Once enough came together it
    /// is made durable.
    ///
    /// Errors: the file cannot be written; what was durable still is.
    pub fn take(&mut self, number: u64, done: Option<Done>) -> Result<(), StoreError> {
        let path = self.path.join(BLOCKS).join(format!("{number:020}.parquet"));
        let open = match self.open.take() {
            Some(open) => open,
            None => (Part::create(&path, number, "")?, Instant::now()),
        };
        let (part, _) = self.open.insert(open);
        if let Some(done) = done {
            part.take(done)?;
        }
        if part.runs() >= BLOCK_ROWS {
            self.flush(number + 1)
        } else {
            self.flush_if_due(number + 1)
        }
    }

    /// Makes everything before job `end` durable where the last time is a while ago.
    pub fn flush_if_due(&mut self, end: u64) -> Result<(), StoreError> {
        let due = self.open.as_ref().is_some_and(|(_, since)| since.elapsed() >= BLOCK_TIME);
        if due { self.flush(end) } else { Ok(()) }
    }

    /// Makes everything before job `end` durable.
    pub fn flush(&mut self, end: u64) -> Result<(), StoreError> {
        let Some((part, _)) = self.open.take() else { return Ok(()) };
        let file = self.path.join(BLOCKS).join(format!("{:020}.parquet", part.first()));
        self.gathered.add(part.finish(&self.label(), end)?);
        self.failed = self.gathered.failed();
        self.blocks.push(file);
        self.done = end;
        Ok(())
    }

    /// Writes the final files of what is durable. `over`: that is all, and blocks can go.
    pub fn finish(self, plan: &Plan, over: bool) -> Result<Gathered, StoreError> {
        assert!(self.open.is_none(), "everything is flushed");
        let parts: Vec<PathBuf> = self.blocks;
        assemble(&self.path, plan, &parts, self.done, &self.gathered)?;
        if over {
            remove_blocks(&self.path)?;
        }
        Ok(self.gathered)
    }
}

/// Writes the final files of the sweep `plan` into `folder`: what the first `done` jobs came to, whose
/// rows are in `parts`, in order. They are all there or none is, and the rows come last: where they are,
/// everything else is.
pub fn assemble(
    folder: &Path,
    plan: &Plan,
    parts: &[PathBuf],
    done: u64,
    gathered: &Gathered,
) -> Result<(), StoreError> {
    let failures: Vec<_> = gathered.failures.values().collect();
    let tallies: Vec<_> = gathered.tallies.values().collect();
    let timelines: Vec<_> = gathered.timelines.values().collect();
    let texts = [to_lines(&failures), to_lines(&tallies), to_lines(&timelines)];
    let mut files = Vec::new();
    for (name, text) in store::BESIDE.iter().zip(&texts) {
        let path = folder.join(name);
        let mut file = Unfinished::create(&path, "")?;
        file.write_all(text.as_bytes()).map_err(StoreError::writing(&path))?;
        files.push(file);
    }
    let path = folder.join(store::ROWS);
    let file = Unfinished::create(&path, "")?;
    let mut rows = RowWriter::new(file).map_err(StoreError::writing(&path))?;
    for part in parts {
        for run in RowReader::open(part)?.rows() {
            rows.push(&run?).map_err(StoreError::writing(&path))?;
        }
    }
    let planned = super::jobs::Jobs::new(plan).map_or(done, |jobs| jobs.count());
    let notes = [
        (SWEEP_NOTE, plan::id(plan)),
        (JOBS_NOTE, done.to_string()),
        (store::PLANNED_NOTE, planned.to_string()),
    ];
    let beside = store::BESIDE.iter().zip(&texts).map(|(name, text)| (*name, store::digest(text)));
    let rows = rows.finish(notes.into_iter().chain(beside));
    files.push(rows.map_err(StoreError::writing(&path))?);
    durable::keep_all(files)
}

/// Looks at how `path` could be locked. Some file systems have no locks: a sweep goes on there, and `warn`
/// hears what nobody looks after any more.
///
/// Errors: another process holds the lock.
fn is_locked(
    locked: Result<(), fs::TryLockError>,
    path: &Path,
    warn: &mut dyn FnMut(&str),
) -> Result<(), Trouble> {
    let shown = path.display();
    match locked {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => {
            return Err(Trouble::Usage(format!(
                "another simctl is sweeping into {shown} just now"
            )));
        }
        Err(fs::TryLockError::Error(error)) => warn(&format!(
            "{shown} cannot be locked ({error}): nothing notices a second simctl that sweeps into it at \
             the same time, and the two would remove each other's files; see to it that there is none"
        )),
    }
    Ok(())
}

fn remove_blocks(folder: &Path) -> Result<(), StoreError> {
    let blocks = folder.join(BLOCKS);
    match fs::remove_dir_all(&blocks) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::writing(&blocks)(error))
        }
        _ => Ok(()),
    }
}

/// What the finished sweep `read` of `plan` came to.
fn gathered_of(plan: &Plan, read: &store::Sweep) -> Gathered {
    let cells: BTreeMap<(&str, String), usize> = plan
        .scenarios
        .iter()
        .flat_map(|planned| planned.cells.iter().map(|cell| (planned.name.as_str(), cell.name())))
        .zip(0..)
        .collect();
    let cell = |scenario: &str, cell: &str| cells.get(&(scenario, cell.to_owned())).copied();
    let mut gathered = Gathered::default();
    for tally in &read.tallies {
        if let Some(cell) = cell(&tally.scenario, &tally.cell) {
            gathered.tallies.insert(cell, tally.clone());
        }
    }
    for failure in &read.failures {
        if let Some(cell) = cell(&failure.scenario, &failure.cell) {
            gathered.failures.insert((cell, failure.signature.clone()), failure.clone());
        }
    }
    for timeline in &read.timelines {
        if let Some(cell) = cell(&timeline.scenario, &timeline.cell) {
            gathered.timelines.insert(cell, timeline.clone());
        }
    }
    gathered
}

/// Adds `cost` to what the sweep or shard cost so far whose costs are in the file `path`. Nothing depends on
/// it, so a file that makes no sense is begun anew.
pub fn add_cost(path: &Path, cost: &Cost) -> Result<(), StoreError> {
    let mut sum = cost_of(path);
    sum.add(cost);
    let text = serde_json::to_string_pretty(&sum).expect("a cost is JSON") + "\n";
    durable::write(path, text.as_bytes())
}

/// The cost in the file `path`; none where there is no such file.
pub fn cost_of(path: &Path) -> Cost {
    let text = fs::read_to_string(path).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Removes what processes left that were killed. Nobody else may be writing into `folder`, or whoever
/// does must bear it.
pub fn remove_temporary(folder: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(folder).map_err(StoreError::writing(folder))? {
        let entry = entry.map_err(StoreError::writing(folder))?;
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            match fs::remove_file(entry.path()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(StoreError::writing(&entry.path())(error));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use results::{Cell, Planned, Run, Tally};

    use super::*;

    fn plan() -> Plan {
        let cells = vec![Cell::default()];
        let text = "a".to_owned();
        let hash = format!("{:032x}", xxhash_rust::xxh3::xxh3_128(text.as_bytes()));
        let planned = Planned { name: "a".into(), text, hash, cells, ..Planned::default() };
        Plan { seed_count: 40, shards: 1, scenarios: vec![planned], ..Plan::default() }
    }

    fn done(seed: u64) -> Done {
        let scenario = "a".to_owned();
        let row = Run { scenario: scenario.clone(), seed, ..Run::default() };
        let tally = Tally { scenario, runs: 1, latency: [(seed, 1)].into(), ..Tally::default() };
        Done { cell: 0, row, tally, failure: None, timeline: None }
    }

    fn begun(path: &Path) -> Folder {
        match Folder::open(path, &plan(), &mut |why| panic!("{why}")).unwrap() {
            Found::Begun(folder) => *folder,
            Found::Over(_) => panic!("it is not over"),
        }
    }

    /// A sweep that is killed after each of `until`, with some jobs done that are not durable.
    fn swept(until: &[u64]) -> (tempfile::TempDir, BTreeMap<&'static str, Vec<u8>>) {
        let made = tempfile::tempdir().unwrap();
        let path = made.path();
        for end in until {
            let mut folder = begun(path);
            for number in folder.done()..*end {
                folder.take(number, Some(done(number))).unwrap();
            }
            folder.flush(*end).unwrap();
            if *end < 40 {
                folder.take(*end, Some(done(*end))).unwrap();
                // What a kill leaves behind.
                fs::write(path.join(BLOCKS).join(".tmp-1-x"), "half").unwrap();
            }
        }
        begun(path).finish(&plan(), true).unwrap();
        let names = [store::ROWS, store::FAILURES, store::TALLIES, store::TIMELINES, store::PLAN];
        let files = names.map(|name| (name, fs::read(path.join(name)).unwrap())).into();
        (made, files)
    }

    #[test]
    fn final_files_do_not_tell_where_blocks_ended() {
        let (calm, files) = swept(&[40]);
        let (killed, others) = swept(&[1, 2, 17, 39, 40]);
        assert_eq!(files, others);
        let names = |folder: &tempfile::TempDir| fs::read_dir(folder.path()).unwrap().count();
        assert_eq!((names(&calm), names(&killed)), (5, 5));
        assert_eq!(store::read(calm.path()).unwrap().count(), 40);
    }

    #[test]
    fn a_damaged_block_is_done_again_with_all_that_follow_it() {
        let made = tempfile::tempdir().unwrap();
        for end in [10, 20, 30] {
            let mut folder = begun(made.path());
            (folder.done()..end)
                .for_each(|number| folder.take(number, Some(done(number))).unwrap());
            folder.flush(end).unwrap();
        }
        let second = made.path().join(BLOCKS).join(format!("{:020}.parquet", 10));
        let bytes = fs::read(&second).unwrap();
        fs::write(&second, &bytes[..bytes.len() / 2]).unwrap();
        let mut warned = Vec::new();
        let found = Folder::open(made.path(), &plan(), &mut |why| warned.push(why.to_owned()));
        let Found::Begun(folder) = found.unwrap() else { panic!("it is not over") };
        assert_eq!((folder.done(), warned.len()), (10, 2));
        assert!(warned[0].contains("is damaged"), "{warned:?}");
    }

    #[test]
    fn a_file_system_without_locks_is_warned_of_and_used() {
        let mut warned = Vec::new();
        let mut warn = |text: &str| warned.push(text.to_owned());
        let error = io::Error::from(io::ErrorKind::Unsupported);
        let path = Path::new("out");
        is_locked(Err(fs::TryLockError::Error(error)), path, &mut warn).unwrap();
        is_locked(Ok(()), path, &mut warn).unwrap();
        assert!(is_locked(Err(fs::TryLockError::WouldBlock), path, &mut warn).is_err());
        let [warned] = &warned[..] else { panic!("one warning: {warned:?}") };
        assert!(warned.starts_with("out cannot be locked (unsupported): "), "{warned}");
    }

    #[test]
    fn two_sweeps_do_not_share_a_folder_at_once() {
        let made = tempfile::tempdir().unwrap();
        let _first = begun(made.path());
        let second = Folder::open(made.path(), &plan(), &mut |_| {});
        let said = second.err().unwrap().to_string();
        assert!(said.starts_with("another simctl is sweeping into "), "{said}");
    }
}
