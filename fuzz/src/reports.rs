//! What reports and comparisons read: the rows of a sweep, seeds that once failed, and templates of users.

use std::{
    io::Write,
    panic,
    path::Path,
    sync::{LazyLock, Mutex, PoisonError},
};

use harness::sweep::corpus;
use plots::Digest;
use results::{
    Cell, FORMAT_VERSION, Outcome, Plan, Planned, Run, Sweep, Tally,
    store::{RowReader, RowWriter, StoreError},
};

use super::Feed;

/// What a template is filled in with: a sweep of two runs.
static DIGEST: LazyLock<Digest> = LazyLock::new(digest);
/// The file of rows that is changed.
static ROWS: LazyLock<Vec<u8>> = LazyLock::new(|| written(&[run(0), run(1), run(2)]));
/// Whose hook is called at a panic is of the whole process.
static HOOK: Mutex<()> = Mutex::new(());

/// Seeds that once failed: a line each.
pub(crate) fn seeds(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let lines = text.lines().count();
    match corpus::parse(text) {
        Err((line, why)) => {
            assert!((1..=lines).contains(&line) && !why.is_empty(), "{line}: {why}")
        }
        Ok(seeds) => {
            assert!(seeds.len() <= lines);
            let again: String = seeds.iter().map(|seed| format!("{seed} # why\n")).collect();
            assert_eq!(corpus::parse(&again), Ok(seeds));
        }
    }
}

/// A file of rows in which bytes were changed, put in, taken out, or cut off: refused with a reason, or read.
pub(crate) fn rows(bytes: &[u8]) {
    let mut feed = Feed::new(bytes);
    let mut file = ROWS.clone();
    while !feed.is_empty() && !file.is_empty() {
        let way = feed.byte();
        // From the end, where what says how the rest is read is.
        let from_end = usize::from(u16::from_le_bytes([feed.byte(), feed.byte()]));
        let at = file.len() - 1 - from_end % file.len();
        match way % 4 {
            0 => file[at] = feed.byte(),
            1 => file.insert(at, feed.byte()),
            2 => _ = file.remove(at),
            _ => file.truncate(at),
        }
    }
    let mut temporary = tempfile::NamedTempFile::new().expect("there is room");
    temporary.write_all(&file).expect("there is room");
    let read = caught(|| read(temporary.path()));
    match read {
        Err(why) => assert!(!why.to_string().is_empty()),
        Ok(runs) if file == *ROWS => assert_eq!(runs, [run(0), run(1), run(2)]),
        Ok(_) => {}
    }
}

/// Every row of a file, and some of their columns.
fn read(path: &Path) -> Result<Vec<Run>, StoreError> {
    let reader = RowReader::open(path)?;
    let rows = reader.count();
    let mut scanned = 0;
    for chunk in reader.scan(&["seed", "scenario", "as_expected", "fingerprint"])? {
        let chunk = chunk?;
        scanned += chunk.rows as u64;
        assert_eq!(chunk.numbers("seed").len(), chunk.rows);
        assert_eq!(chunk.texts("scenario").index.len(), chunk.rows);
        assert_eq!(chunk.flags("as_expected").len(), chunk.rows);
        assert_eq!(chunk.hashes("fingerprint").len(), chunk.rows);
    }
    assert_eq!(scanned, rows);
    reader.rows().collect()
}

/// What `work` makes. A reader catches the panics of the library that it reads by; a fuzzer's hook would end the
/// process at each, caught or not.
fn caught<T>(work: impl FnOnce() -> T) -> T {
    let _alone = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let made = panic::catch_unwind(panic::AssertUnwindSafe(work));
    panic::set_hook(hook);
    made.unwrap_or_else(|why| panic::resume_unwind(why))
}

/// A template of a report: refused with its line, or filled in twice the same.
pub(crate) fn template(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    // A template is a program of its user's; what it may do is bounded, what one filter of it may hold is not.
    if ["*", "~", "indent", "replace", "join", "format", "range"]
        .iter()
        .any(|many| text.contains(many))
    {
        return;
    }
    match plots::report_by(&DIGEST, "fuzzed.html", text) {
        Err(why) => assert!(why.to_string().starts_with("fuzzed.html:"), "{why}"),
        Ok(page) => {
            assert_eq!(plots::report_by(&DIGEST, "fuzzed.html", text).expect("as before"), page);
        }
    }
}

fn run(seed: u64) -> Run {
    Run {
        format_version: FORMAT_VERSION,
        build: "0".to_owned(),
        scenario: "a".to_owned(),
        scenario_hash: "0123456789abcdef0123456789abcdef".to_owned(),
        seed,
        outcome: Outcome::Holds,
        as_expected: true,
        nodes: 3,
        convergence_max_nanos: 5 + seed,
        goals: vec!["held".to_owned()],
        ..Run::default()
    }
}

fn written(runs: &[Run]) -> Vec<u8> {
    let mut writer = RowWriter::new(Vec::new()).expect("memory takes everything");
    for run in runs {
        writer.push(run).expect("memory takes everything");
    }
    writer.finish([("sweep", "s".to_owned())]).expect("memory takes everything")
}

fn digest() -> Digest {
    let folder = tempfile::tempdir().expect("there is room");
    let rows = folder.path().join("rows.parquet");
    std::fs::write(&rows, written(&[run(0), run(1)])).expect("there is room");
    let planned =
        Planned { name: "a".to_owned(), cells: vec![Cell::default()], ..Planned::default() };
    let sweep = Sweep {
        folder: folder.path().to_owned(),
        plan: Plan {
            format_version: FORMAT_VERSION,
            seed_count: 2,
            scenarios: vec![planned],
            ..Plan::default()
        },
        failures: Vec::new(),
        tallies: vec![Tally { scenario: "a".to_owned(), runs: 2, ..Tally::default() }],
        timelines: Vec::new(),
        rows: RowReader::open(&rows).expect("it was just written"),
    };
    Digest::read(sweep, plots::MEASURES[0]).expect("it was just written")
}
