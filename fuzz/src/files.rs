//! Files that people and other programs hand over: recorded choices, vectors, diagrams, plans and results.

use std::path::Path;

use harness::{
    choices::{Words, file::ChoiceFile},
    replicated::{packed, vectors},
    scenario::sweep::with_settings,
    sweep::{
        plan,
        seeds::{SeedBase, SeedRange, Seeds},
        shard::Asked,
    },
};
use plots::Viewer;
use results::{Diagram, Failure, Plan, Tally, Timeline, store};
use xxhash_rust::xxh3::xxh3_128;

use super::scenarios::refused;

/// Points of a plan's grids that are read.
const CELLS_MAX: usize = 2;

/// A file of recorded choices, and each of its lines as a choice by itself.
pub(crate) fn choices(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let words = Words { kinds: vec!["add".to_owned(), "read".to_owned()] };
    for line in text.lines() {
        match words.read(line) {
            Err(why) => assert!(line.get(why.at.clone()).is_some(), "{why:?} of {line:?}"),
            Ok(decisions) => {
                let [written] = &words.lines(&decisions)[..] else {
                    panic!("{line:?} is not one line")
                };
                assert_eq!(
                    words.read(written).as_ref(),
                    Ok(&decisions),
                    "{line:?}, as {written:?}"
                );
            }
        }
    }
    let opened = match ChoiceFile::parse(Path::new("fuzzed.choices"), text.to_owned()) {
        Ok(opened) => opened,
        Err(rejected) => return refused(&rejected, text),
    };
    if let Err(rejected) = opened.decisions(&words) {
        refused(&rejected, text);
    }
    let again = ChoiceFile::parse(Path::new("written.choices"), opened.file.text());
    assert_eq!(again.unwrap_or_else(|why| panic!("{why}")).file, opened.file);
}

/// Vectors of replicated types, of delivery and of sequences, packed or not.
pub(crate) fn vectors(bytes: &[u8]) {
    let file = if bytes.starts_with(&[0x1f, 0x8b]) { "fuzzed.json.gz" } else { "fuzzed.json" };
    let Ok(text) = packed::text_of(Path::new(file), bytes.to_vec()) else { return };
    match vectors::replay(&text) {
        Err(why) => assert!(!why.to_string().is_empty()),
        Ok(replayed) => {
            assert!(!replayed.kind.is_empty(), "{replayed:?}");
            assert_eq!(vectors::replay(&text).expect("it was read before"), replayed);
        }
    }
}

/// What a run wrote for its diagram: read, it is drawn for every viewer.
pub(crate) fn diagram(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let diagram = match Diagram::read(text) {
        Ok(diagram) => diagram,
        Err(why) => return assert!(!why.to_string().is_empty()),
    };
    assert_eq!(Diagram::read(&diagram.text()).expect("what was written"), diagram);
    assert!(!plots::page(&diagram, Some(&diagram)).is_empty());
    for viewer in [Viewer::Perfetto, Viewer::Chrome, Viewer::Shiviz, Viewer::Dot] {
        plots::export(&diagram, viewer);
    }
}

/// What a sweep is asked for, and what it leaves in words.
pub(crate) fn sweep(bytes: &[u8]) {
    let Some((head, text)) = bytes.split_first() else { return };
    let Ok(text) = str::from_utf8(text) else { return };
    match head {
        b'0' => planned(text),
        b'1' => lines::<Failure>(text, |failures| {
            for failure in failures {
                failure.shrink();
            }
        }),
        b'2' => lines(text, |tallies: &[Tally]| {
            for tally in tallies {
                let told = [tally.exceeded().count(), tally.unreached().count()];
                let idle = [tally.overdue().count(), tally.inert().count()];
                assert!(told[0] <= tally.bounds.len() && told[1] <= tally.wanted.len());
                assert!(idle[0] <= idle[1]);
                tally.latency_percentile(99);
            }
        }),
        b'3' => lines::<Timeline>(text, |_| {}),
        _ => asked(text),
    }
}

/// The plan of a sweep, with the hashes of its scenarios put right.
fn planned(text: &str) {
    let Ok(mut read) = serde_json::from_str::<Plan>(text) else { return };
    for scenario in &mut read.scenarios {
        scenario.hash = format!("{:032x}", xxh3_128(scenario.text.as_bytes()));
    }
    let again: Plan = serde_json::from_str(&plan::text(&read)).expect("what was written");
    assert_eq!(again, read);
    let Ok(jobs) = plan::check(&read) else { return };
    if let Some(last) = jobs.count().checked_sub(1) {
        for number in [0, last / 2, last] {
            if let Some(job) = jobs.get(number) {
                assert!(job.scenario < read.scenarios.len(), "{job:?}");
            }
        }
    }
    let shards = jobs.shard(0, read.shards).start..jobs.shard(read.shards - 1, read.shards).end;
    assert_eq!(shards, 0..jobs.count());
    for scenario in &read.scenarios {
        for cell in scenario.cells.iter().take(CELLS_MAX) {
            cell.name();
            let path = Path::new("planned.toml");
            if let Err(rejected) = with_settings(path, &scenario.text, &cell.settings) {
                refused(&rejected, "");
            }
        }
    }
}

/// Results, one a line.
fn lines<T>(text: &str, used: impl FnOnce(&[T]))
where
    T: serde::de::DeserializeOwned + serde::Serialize + PartialEq + std::fmt::Debug,
{
    let path = Path::new("fuzzed.jsonl");
    match store::from_lines::<T>(path, text) {
        Err(why) => assert!(why.to_string().starts_with("fuzzed.jsonl"), "{why}"),
        Ok(items) => {
            let again = store::from_lines::<T>(path, &store::to_lines(&items));
            assert_eq!(again.expect("what was written"), items);
            used(&items);
        }
    }
}

/// Seeds, shards, and where seeds begin.
fn asked(text: &str) {
    if let Ok(range) = text.parse::<SeedRange>() {
        assert_eq!(Seeds::from(range).count, range.to - range.from);
    }
    if let Ok(base @ SeedBase::Commit(_)) = text.parse::<SeedBase>() {
        assert_eq!(base.seeds(1).expect("there is room").count, 1);
    }
    if let Ok(Asked::Exactly { shard, of }) = text.parse::<Asked>() {
        assert_eq!(format!("{shard}/{of}").parse(), Ok(Asked::Exactly { shard, of }));
    }
}
