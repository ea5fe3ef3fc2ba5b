//! Scenarios and rows of the evaluation that somebody wrote: refused with every mistake in its place, or read;
//! scenarios are written, run and replayed too.

use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use harness::{
    choices::file::ChoiceFile,
    run::{Deployed, Options},
    scenario::{
        Scenario,
        diagnostic::{Code, Rejected},
        sweep::with_settings,
    },
};

/// The file that a fuzzer's text is said to be in.
const FILE: &str = "fuzzed.toml";
/// Larger fleets are read and not run.
const NODES_MAX: usize = 6;
/// Bytes of code up to which releases are made.
const CODE_BYTES_MAX: u64 = 1 << 20;
/// Requests of a client in half a second up to which clients are let loose: so many are due at once.
const REQUESTS_MAX: u64 = 1_000;
/// A run is cut short once it asked so often whether to go on: every few thousand events, or half a second.
const ASKED_MAX: usize = 4;
/// Points of a grid that are read.
const CELLS_MAX: usize = 4;

/// A scenario, and its runs.
pub(crate) fn scenario(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let scenario = match Scenario::parse(Path::new(FILE), text.to_owned()) {
        Ok(scenario) => scenario,
        Err(rejected) => return refused(&rejected, text),
    };
    let written = toml::to_string(&scenario).expect("a scenario is TOML");
    let again = Scenario::parse(Path::new(FILE), written.clone());
    let again = again.unwrap_or_else(|why| panic!("{why}\n{written}"));
    assert_eq!(again, scenario, "{written}");
    for cell in scenario.sweep.cells().iter().take(CELLS_MAX) {
        // Two values that are right each by itself may contradict each other.
        if let Err(rejected) = with_settings(Path::new(FILE), text, &cell.settings) {
            refused(&rejected, "");
        }
    }
    if is_small(&scenario) {
        run(&scenario);
    }
}

/// A row of the evaluation: what it says keeps a run within bounds. None is run, for that is long.
pub(crate) fn row(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let row = match harness::scenario::row(Path::new(FILE), "fuzzed", text.to_owned()) {
        Ok(row) => row,
        Err(rejected) => return refused(&rejected, text),
    };
    assert_eq!(row.operations_each() * row.replicas.get(), row.operations.get(), "{row:?}");
    assert!(row.renamers() <= row.replicas.get(), "{row:?}");
    assert!(row.steps() <= row.operations.get() as usize, "{row:?}");
    assert!(row.bots.spread_millis < row.bots.pause_millis, "{row:?}");
    assert!(row.latency.min_millis <= row.latency.max_millis, "{row:?}");
}

/// What is said of a text that is refused: at least one mistake, each on one line and at a place of the text,
/// if it is `text`.
pub(crate) fn refused(rejected: &Rejected, text: &str) {
    assert!(!rejected.diagnostics.is_empty(), "refused without a reason: {text:?}");
    let said = rejected.to_string();
    assert_eq!(said.lines().count(), rejected.diagnostics.len(), "{said}");
    assert!(!said.chars().any(|one| one.is_control() && one != '\n'), "{said:?}");
    assert!(!rejected.rendered().is_empty());
    for mistake in &rejected.diagnostics {
        assert!(!mistake.title.is_empty(), "{mistake:?}");
        let Some(at) = &mistake.at else {
            assert!(text.is_empty() || mistake.code == Code::NotToml, "{mistake:?} is nowhere");
            continue;
        };
        assert!(at.start <= at.end, "{mistake:?}");
        assert!(text.is_empty() || text.get(at.clone()).is_some(), "{mistake:?}");
    }
}

/// Whether it is run: what makes a run long is none of what is looked for here.
fn is_small(scenario: &Scenario) -> bool {
    let code: u64 = scenario.releases.iter().filter_map(|one| Some(one.code?.bytes)).sum();
    let busy = scenario.workload.as_ref().and_then(|workload| workload.rate).is_some_and(|rate| {
        let each = u128::from(rate.count) * 500_000_000 / u128::from(rate.per.as_nanos());
        each > u128::from(REQUESTS_MAX)
    });
    scenario.nodes().count() <= NODES_MAX && code <= CODE_BYTES_MAX && !busy
}

/// Runs `scenario`, writes down its choices, and runs it by these: what is seen is the same.
fn run(scenario: &Scenario) {
    let deployed = Deployed::new(scenario).expect("what is checked can be deployed");
    let seed = scenario.replay.as_ref().map_or(1, |replay| *replay.seed);
    let asked = AtomicUsize::new(0);
    let stop = || asked.fetch_add(1, Ordering::Relaxed) >= ASKED_MAX;
    let options = Options { stop: Some(&stop), ..Options::default() };
    let (seen, decisions) = deployed.run_recorded(seed, options, None);
    let words = deployed.words();
    let file = ChoiceFile {
        scenario: FILE.into(),
        scenario_hash: String::new(),
        settings: Vec::new(),
        seed,
        build: String::new(),
        fingerprint: String::new(),
        verdict: "holds".to_owned(),
        violation: None,
        choices: words.lines(&decisions),
    };
    let opened = ChoiceFile::parse(Path::new("fuzzed.choices"), file.text());
    let opened = opened.expect("it is as it was written");
    assert_eq!(opened.file, file);
    let read = opened.decisions(&words).unwrap_or_else(|why| panic!("{why}"));
    asked.store(0, Ordering::Relaxed);
    let (again, _) = deployed.run_replayed(seed, read, options, None);
    assert_eq!(format!("{again:?}"), format!("{seen:?}"));
}
