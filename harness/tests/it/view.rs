//! `simctl view` and `simctl export` as whoever types them sees them.

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::support::{HOLDS, exits, folder, refused};

const SCENARIO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/gate-off.toml");

fn done(folder: &Path, arguments: &[&str]) -> String {
    exits(folder, arguments, 0).out
}

/// A folder with a kept run of [`SCENARIO`], as `a.diagram`.
fn kept() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    done(
        folder.path(),
        &["run", SCENARIO, "--trace", "a.diagram", "--trace-format", "diagram", "--quiet"],
    );
    folder
}

#[test]
fn a_kept_run_and_the_run_again_give_the_same_page() {
    let folder = kept();
    let told = done(folder.path(), &["view", SCENARIO]);
    assert!(told.starts_with("gate-off-seed-1.html: gate-off seed 1 violates S6"), "{told}");
    let page = fs::read(folder.path().join("gate-off-seed-1.html")).unwrap();
    let again = done(folder.path(), &["view", "a.diagram", "--out", "-"]).into_bytes();
    assert!(!page.is_empty() && page == again);
}

#[test]
fn two_runs_go_into_one_page() {
    let folder = kept();
    let told = done(
        folder.path(),
        &["view", "a.diagram", "--seed", "1", "--against", SCENARIO, "--seed", "2"],
    );
    assert!(told.contains("gate-off seed 1") && told.contains("gate-off seed 2"), "{told}");
    let two = done(folder.path(), &["view", SCENARIO, "--seed", "1", "--seed", "2", "--out", "-"]);
    let page =
        fs::read_to_string(folder.path().join("gate-off-seed-1-against-gate-off-seed-2.html"));
    assert_eq!(page.unwrap(), two);
}

#[test]
fn what_is_no_run_is_refused_in_words() {
    let folder = kept();
    let here = folder.path();
    for (name, format) in [("words", "text"), ("lines", "jsonl")] {
        done(here, &["run", SCENARIO, "--trace", name, "--trace-format", format, "--quiet"]);
        refused(here, &["view", name], "is a trace of events");
        refused(here, &["export", "dot", name], "is a trace of events");
    }
    fs::write(here.join("page.html"), "<!doctype html>").unwrap();
    refused(here, &["view", "page.html"], "page.html is not a diagram");
    fs::write(here.join("bytes"), [0xff, 0xfe]).unwrap();
    refused(here, &["view", "bytes"], "bytes is no text");
    let whole = fs::read_to_string(here.join("a.diagram")).unwrap();
    fs::write(here.join("half"), &whole[..whole.len() / 2]).unwrap();
    refused(here, &["view", "half"], "half is not a diagram");
    refused(here, &["view", "nowhere.diagram"], "nowhere.diagram cannot be read");
    refused(here, &["view", "nowhere.toml"], "nowhere.toml");
    refused(here, &["view", "."], ". is a folder");
    refused(here, &["view", "a.diagram", "--seed", "5"], "is of seed 1, and seed 5 was asked for");
    refused(
        here,
        &["view", "a.diagram", "--out", "a.diagram"],
        "the page a.diagram would replace what it is made from",
    );
    let seeds = ["view", SCENARIO, "--seed", "1", "--seed", "2", "--seed", "3"];
    refused(here, &seeds, "3 were given");
}

#[test]
fn every_export_is_written_under_its_name() {
    let folder = kept();
    let first = |viewer: &str, name: &str| {
        done(folder.path(), &["export", viewer, "a.diagram"]);
        let bytes = fs::read(folder.path().join(name)).unwrap();
        let again = exits(folder.path(), &["export", viewer, "a.diagram", "--out", "-"], 0);
        assert_eq!(again.bytes, bytes, "the same run, the same bytes");
        String::from_utf8_lossy(&bytes[..12]).into_owned()
    };
    assert_eq!(first("dot", "gate-off-seed-1.dot"), "digraph \"gat");
    assert_eq!(first("shiviz", "gate-off-seed-1.shiviz.log"), "(?<event>.*)");
    assert_eq!(first("chrome", "gate-off-seed-1.trace.json"), "{\"traceEvent");
    assert!(first("perfetto", "gate-off-seed-1.pftrace").starts_with('\n'));
}

#[test]
fn a_node_that_is_left_out_is_not_counted() {
    let without = HOLDS.replace("nodes = 3", "nodes = 3\nwithout = [\"n1\"]");
    let folder = folder(&[("without.toml", &without)]);
    for line in ["view without.toml", "export dot without.toml"] {
        let told = exits(folder.path(), &line.split(' ').collect::<Vec<_>>(), 0).out;
        assert!(told.contains("; 2 nodes, "), "{told}");
    }
}
