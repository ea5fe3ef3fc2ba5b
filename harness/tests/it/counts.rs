//! Tables of many runs: fleets that broadcast operations have columns of them, others of messages.

use std::path::Path;

use serde_json::Value;

use crate::support::{exits, folder, refused};

/// Four nodes that write one text.
const NOTES: &str = include_str!("../../../scenarios/notes-two-sides.toml");
/// Four nodes that go from one major to the next while they broadcast.
const GATE: &str = include_str!("../../../scenarios/gate-outside-causal.toml");
const COUNTER: &str = include_str!("../../../scenarios/patch-bump.toml");

/// The table that `arguments` print: its lines from the one that begins with `scenario`, word by word, up to
/// the first without a word.
fn table(here: &Path, arguments: &[&str]) -> Vec<Vec<String>> {
    let out =
        exits(here, arguments, 0).out.replace("at gate", "at-gate").replace("came to", "came-to");
    let lines = out.lines().skip_while(|line| !line.starts_with("scenario "));
    let lines = lines.take_while(|line| !line.is_empty());
    lines.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

/// What the line of `scenario` has below `head`.
fn below<'a>(table: &'a [Vec<String>], scenario: &str, head: &str) -> Option<&'a str> {
    let at = table[0].iter().position(|one| one == head)?;
    let line = table[1..].iter().find(|line| line[0] == scenario)?;
    Some(&line[at])
}

fn number(table: &[Vec<String>], scenario: &str, head: &str) -> u64 {
    let text = below(table, scenario, head).unwrap_or_else(|| panic!("{head}: {table:?}"));
    text.replace(',', "").parse().unwrap_or_else(|_| panic!("{head}: {text}"))
}

#[test]
fn a_fleet_that_broadcasts_has_columns_of_operations_and_none_of_messages() {
    let folder = folder(&[("notes.toml", NOTES)]);
    let runs = ["run", "notes.toml", "--seeds", "0..1"];
    let shown = table(folder.path(), &runs);
    let json = exits(folder.path(), &[&runs[..], &["--format", "json"]].concat(), 0).out;
    let row: Value = serde_json::from_str(&json).unwrap();
    for (head, key) in [
        ("issued", "causal_issued"),
        ("taken", "causal_carried_out"),
        ("void", "causal_void"),
        ("waited", "causal_parked"),
        ("at-gate", "causal_held"),
    ] {
        assert_eq!(row[key], number(&shown, "notes", head), "{head}");
    }
    assert!(number(&shown, "notes", "issued") > 50 && number(&shown, "notes", "waited") > 50);
    for head in ["held", "conv.", "nack"] {
        assert_eq!(below(&shown, "notes", head), None, "{head}");
    }
}

#[test]
fn where_fleets_of_both_kinds_run_what_one_has_not_is_no_zero() {
    let folder = folder(&[("notes.toml", NOTES), ("patch.toml", COUNTER)]);
    let shown = table(folder.path(), &["run", ".", "--seeds", "0..1"]);
    assert_eq!(below(&shown, "notes", "held"), Some("-"));
    assert_eq!(below(&shown, "patch", "issued"), Some("-"));
    assert!(number(&shown, "notes", "issued") > 50);
    number(&shown, "patch", "held");
    let shown = table(folder.path(), &["run", "patch.toml", "--seeds", "0..1"]);
    assert_eq!(below(&shown, "patch", "issued"), None);
}

#[test]
fn a_sweep_adds_operations_up_and_is_compared_by_them() {
    let folder = folder(&[("gate.toml", GATE), ("notes.toml", NOTES), ("patch.toml", COUNTER)]);
    let here = folder.path();
    let runs = exits(here, &["run", ".", "--seeds", "0..3", "--format", "json"], 0).out;
    let rows = runs.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let rows: Vec<Value> = rows.collect();
    let sum = |scenario: &str, key: &str| {
        let rows = rows.iter().filter(|row| row["scenario"] == scenario);
        rows.map(|row| row[key].as_u64().unwrap()).sum::<u64>()
    };
    let sweep = ["sweep", ".", "--seeds", "0..3", "--out", "out"];
    let shown = table(here, &sweep);
    let said = exits(here, &sweep, 0).out;
    assert!(said.contains("issued, taken, void, waited, at gate: operations that apps"), "{said}");
    let json = exits(here, &[&sweep[..], &["--format", "json"]].concat(), 0).out;
    let places = json.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let places: Vec<Value> = places.collect();
    for (head, key) in [
        ("issued", "causal_issued"),
        ("taken", "causal_carried_out"),
        ("void", "causal_void"),
        ("waited", "causal_parked"),
        ("at-gate", "causal_held"),
    ] {
        for scenario in ["gate", "notes"] {
            assert_eq!(number(&shown, scenario, head), sum(scenario, key), "{scenario}: {head}");
            let place = places.iter().find(|line| line["scenario"] == scenario).unwrap();
            assert_eq!(place[key], sum(scenario, key), "{scenario}: {head}");
        }
        assert_eq!(below(&shown, "patch", head), Some("-"), "{head}");
    }
    assert!(number(&shown, "gate", "at-gate") > 50);
    let compare = ["compare", "out", "out", "--column", "causal_stable_p99_nanos"];
    let said = exits(here, &compare, 0).out;
    assert!(said.contains("notes\n  All 3 pairs took the same time"), "{said}");
    assert!(said.contains("patch\n  Latency: no runs to compare"), "{said}");
    assert!(!said.contains("\n  \n"), "no line is blank but between scenarios: {said}");
}

/// A check that compares by a column without values must not be green for ever.
#[test]
fn a_column_without_values_is_not_no_worse() {
    let folder = folder(&[("patch.toml", COUNTER)]);
    let here = folder.path();
    exits(here, &["sweep", "patch.toml", "--seeds", "0..2", "--out", "out"], 0);
    let compare = ["compare", "out", "out", "--column", "causal_stable_p99_nanos"];
    let why = "by column `causal_stable_p99_nanos`: neither out nor out has a value in it";
    refused(here, &compare, why);
    exits(here, &["compare", "out", "out"], 0);
}
