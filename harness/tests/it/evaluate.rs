//! `simctl evaluate`: rows of bots that type, what is said of them, and rows that are none.

use std::{fs, path::Path};

use expect_test::expect;
use serde_json::Value;

use crate::support::{HOLDS, Ran, exits, folder, names, refused};

/// Four bots, 1,200 edits, two renamers every 300.
const SMALL: &str = include_str!("../../../experiment/tests/small.toml");

/// As [`SMALL`], and former states go once that was announced.
fn collects() -> String {
    SMALL.replace("\"never\"", "\"announced\"")
}

fn rows(ran: &Ran) -> Vec<Value> {
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_row_is_told_with_what_it_came_to_and_the_command_that_repeats_it() {
    let folder = folder(&[("small.toml", &collects())]);
    let ran = exits(folder.path(), &["evaluate", "small.toml"], 0);
    assert_eq!(ran.err, "");
    for text in [
        "holds small: A small fleet, for tests\n",
        "  4 replicas agree in text, epoch and identifiers after 1,200 edits and 8 renames, in ",
        "  fingerprint ",
        "  left beside the text, former states dropped at once: ",
        "  left beside the text, former states dropped once all announced it: ",
        "  renames were received 24 times by others, and not understood in few bytes 0 times\n",
        "\n  1,200, renamed ",
        "\n  1,200, collected ",
        "\n  removals ",
        "\n  simctl evaluate small.toml\n",
    ] {
        assert!(ran.out.contains(text), "{text} in\n{}", ran.out);
    }
    let other = exits(folder.path(), &["evaluate", "small.toml", "--seed", "8"], 0);
    assert!(other.out.contains("seed 8\n"), "{}", other.out);
    assert!(other.out.contains("\n  simctl evaluate small.toml --seed 8\n"), "{}", other.out);
}

/// Golden: the run of a row is the same in every build, on every machine, on one thread and on many.
#[test]
fn a_row_is_the_same_run_on_any_number_of_threads() {
    let (small, collects) = (SMALL.to_owned(), collects());
    let plain = SMALL.split("\n[renames]").next().unwrap();
    let files = [("a.toml", &*small), ("b.toml", &*collects), ("c.toml", plain)];
    let folder = folder(&files);
    let with = |threads| {
        let arguments = ["evaluate", ".", "--format", "json", "--threads", threads];
        exits(folder.path(), &arguments, 0)
    };
    let (one, many) = (with("1"), with("3"));
    assert_eq!(one.out, many.out);
    let said = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let lines = rows(&one);
    let lines =
        lines.iter().map(|row| format!("{} {}\n", said(row, "row"), said(row, "fingerprint")));
    expect![[r#"
        a 10f1fa10912734c1b1e82173cc2ac334
        b 5becc43db7f41fb251a045c0426ef817
        c 2dab19a0ad54fa06591ef4aac3e591c8
    "#]]
    .assert_eq(&lines.collect::<String>());
}

#[test]
fn for_programs_a_run_is_an_object_with_every_sample() {
    let folder = folder(&[("small.toml", &collects())]);
    let ran = exits(folder.path(), &["evaluate", "small.toml", "--format", "json"], 0);
    let [row] = &rows(&ran)[..] else { panic!("one line: {}", ran.out) };
    for (key, value) in [
        ("row", Value::from("small")),
        ("path", "small.toml".into()),
        ("seed", 7.into()),
        ("outcome", "holds".into()),
        ("as_expected", true.into()),
        ("agree", true.into()),
        ("why", Value::Null),
        ("edits", 1_200.into()),
        ("renames", 8.into()),
        ("renames_asked_in_full", 0.into()),
        ("repeat", "simctl evaluate small.toml".into()),
    ] {
        assert_eq!(row[key], value, "{key}");
    }
    let whens: Vec<_> = row["samples"].as_array().unwrap().iter().map(|one| &one["when"]).collect();
    assert_eq!(whens, ["before", "renamed", "collected"].repeat(4));
    let last = &row["samples"][11];
    assert_eq!((&last["step"], &last["epochs"]), (&1_200.into(), &Value::from(1.0)));
    assert!(last["bytes"].as_f64() < row["samples"][9]["bytes"].as_f64(), "{last}");
    assert_eq!(row["operations"]["renames"]["bytes"]["count"], 8);
    assert_eq!(row["rename_sizes"].as_array().map(Vec::len), Some(8));
    assert_eq!(row["left_over"]["announced"]["steps"], 4);
}

#[test]
fn many_seeds_are_a_line_each() {
    let folder = folder(&[("small.toml", SMALL)]);
    let ran = exits(folder.path(), &["evaluate", "small.toml", "--seeds", "3..6"], 0);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines.len(), 5, "{}", ran.out);
    assert!(lines[0].starts_with("row     seed  outcome "), "{}", lines[0]);
    for (line, seed) in lines[1..4].iter().zip(["3", "4", "5"]) {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[..5], ["small", seed, "holds", "1,200", "8"]);
    }
    assert_eq!(lines[4], "3 runs: holds 3");
    let alone = exits(folder.path(), &["evaluate", "small.toml", "--seed", "4"], 0);
    let fingerprint = lines[2].split_whitespace().last().unwrap();
    assert!(alone.out.contains(fingerprint), "{}", alone.out);
    let last = u64::MAX.to_string();
    exits(folder.path(), &["evaluate", "small.toml", "--seed", &last], 0);
}

#[test]
fn a_row_that_renames_an_empty_text_stops_and_says_who_and_why_and_not_that_anybody_diverges() {
    // What is typed goes again, until there is nothing to rename.
    let empty =
        SMALL.replace("every = 300", "every = 2").replace("full-chars = 400", "full-chars = 1");
    let empty = empty.replace("full-remove-percent = 50", "full-remove-percent = 100");
    let empty = empty.replace("jump-percent = 5", "jump-percent = 0");
    let folder = folder(&[("empty.toml", &empty), ("small.toml", SMALL)]);
    let ran = exits(folder.path(), &["evaluate", "."], 1);
    assert!(ran.out.starts_with("stops empty: A small fleet, for tests\n  site "), "{}", ran.out);
    assert!(ran.out.contains(" could not rename its text after "), "{}", ran.out);
    assert!(ran.out.contains(" edits: there is nothing in it\n"), "{}", ran.out);
    assert!(ran.out.ends_with("2 runs: holds 1, stops 1\n"), "{}", ran.out);
    let told = exits(folder.path(), &["evaluate", ".", "--format", "json"], 1);
    let [row, _] = &rows(&told)[..] else { panic!("two lines: {}", told.out) };
    assert_eq!((&row["agree"], &row["as_expected"]), (&Value::Null, &false.into()));
    assert!(row["why"].as_str().unwrap().contains("could not rename"), "{row}");
    assert_eq!(row["outcome"], "stops");
    exits(folder.path(), &["evaluate", ".", "--out", "out"], 1);
    let tables = fs::read_to_string(folder.path().join("out/tables.md")).unwrap();
    assert!(tables.contains("\n| `empty` | - | stops: site "), "{tables}");
    assert!(tables.contains("\n| `small` | - | holds | "), "{tables}");
}

/// Steps follow each other faster than messages travel: not all replicas come to drop what each of them left.
#[test]
fn an_average_over_fewer_steps_than_there_were_says_so() {
    let fast = collects().replace("every = 300", "every = 20");
    let fast = fast.replace("max-millis = 100", "max-millis = 900");
    let never = collects().replace("every = 300", "every = 1_200");
    let folder =
        folder(&[("fast.toml", &fast), ("small.toml", &collects()), ("once.toml", &never)]);
    let ran = exits(folder.path(), &["evaluate", "fast.toml"], 0);
    let line = |start: &str| {
        let found = ran.out.lines().find(|line| line.contains(start));
        found.unwrap_or_else(|| panic!("{start} in {}", ran.out)).to_owned()
    };
    assert!(line("dropped at once: ").contains(" on average over 60 steps, "), "{}", ran.out);
    let announced = line("dropped once all announced it: ");
    assert!(announced.contains(" of 60 steps"), "{announced}");
    let json = exits(folder.path(), &["evaluate", "fast.toml", "--format", "json"], 0);
    let [row] = &rows(&json)[..] else { panic!("one line: {}", json.out) };
    assert_eq!(row["steps"], 60);
    assert!(row["left_over"]["announced"]["steps"].as_u64().unwrap_or(0) < 60, "{row}");
    let all = exits(folder.path(), &["evaluate", "small.toml"], 0);
    assert_eq!(all.out.matches(" on average over 4 steps, ").count(), 2, "{}", all.out);
    let once = exits(folder.path(), &["evaluate", "once.toml"], 0);
    assert_eq!(once.out.matches(" on average over 1 step, ").count(), 2, "{}", once.out);
}

#[test]
fn a_replica_alone_drops_former_states_at_once() {
    let alone =
        collects().replace("replicas = 4", "replicas = 1").replace("renamers = 2", "renamers = 1");
    let folder = folder(&[("alone.toml", &alone)]);
    let ran = exits(folder.path(), &["evaluate", "alone.toml", "--format", "json"], 0);
    let [row] = &rows(&ran)[..] else { panic!("one line: {}", ran.out) };
    assert_eq!(row["left_over"]["announced"], row["left_over"]["at_once"], "{row}");
    assert_eq!(row["left_over"]["announced"]["steps"], 4);
    let told = exits(folder.path(), &["evaluate", "alone.toml"], 0).out;
    assert!(told.contains("\n  1 replica agrees in text, "), "{told}");
}

#[test]
fn a_claim_is_on_one_line_and_obeyed_by_no_terminal() {
    let about = "about = \"a\\nb\\u001b[31m\\u202e\"";
    let row = SMALL.replace("about = \"A small fleet, for tests\"", about);
    let claim = HOLDS.lines().find(|line| line.starts_with("about")).unwrap();
    let folder = folder(&[("row.toml", &row), ("x/holds.toml", &HOLDS.replace(claim, about))]);
    for arguments in [
        &["evaluate", "row.toml"][..],
        &["list", "x"],
        &["run", "x/holds.toml"],
        &["explain", "x/holds.toml", "--seed", "1"],
    ] {
        let ran = exits(folder.path(), arguments, 0);
        assert!(ran.out.contains("a\\nb\\u{1b}[31m\\u{202e}"), "{arguments:?}: {}", ran.out);
    }
}

/// Names of files are names of rows: what is in them ends no field, no cell and no line.
#[test]
fn an_odd_name_of_a_row_breaks_no_table() {
    let folder = folder(&[("a,\"b\"|\nc.toml", SMALL)]);
    let ran = exits(folder.path(), &["evaluate", ".", "--out", "out"], 0);
    assert!(ran.out.starts_with("holds a,\"b\"|\\nc: "), "{}", ran.out);
    let read = |file: &str| fs::read_to_string(folder.path().join("out").join(file)).unwrap();
    assert!(read("samples.csv").contains("\n\"a,\"\"b\"\"|\nc\",1200,before,"));
    assert!(read("tables.md").contains("\n| `a,\"b\"\\|\\nc` | 4 | "), "{}", read("tables.md"));
}

#[test]
fn a_row_is_explained_by_its_name() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let ran = exits(&repository, &["explain", "ls"], 0);
    assert!(ran.out.starts_with("ls (row of the evaluation)\n  "), "{}", ran.out);
    assert!(ran.out.ends_with("\n  simctl evaluate ls\n"), "{}", ran.out);
    refused(&repository, &["explain", "keep-30000-by-5"], "did you mean `keep-30000-by-");
}

#[test]
fn tables_figures_and_plots_are_written_the_same_again() {
    // Its name is one of the papers', and what it says is not.
    let folder = folder(&[("ls.toml", SMALL.split("\n[renames]").next().unwrap())]);
    let here = folder.path();
    let ran = exits(here, &["evaluate", "ls.toml", "--out", "one/two"], 0);
    assert!(ran.err.starts_with("written to one/two: "), "{}", ran.err);
    exits(here, &["evaluate", "ls.toml", "--out", "again", "--threads", "1"], 0);
    let files = names(&here.join("one/two"));
    let expected = ["lengths.csv", "own.svg", "renames.csv", "samples.csv", "tables.md"];
    assert_eq!(files, expected);
    for file in files {
        let read = |folder: &str| fs::read(here.join(folder).join(&file)).unwrap();
        assert!(read("one/two") == read("again"), "{file}");
    }
    let samples = fs::read_to_string(here.join("again/samples.csv")).unwrap();
    assert!(samples.contains("\nls,1200,before,"), "{samples}");
}

#[test]
fn pictures_of_an_earlier_run_go_and_what_is_no_file_of_the_evaluation_stays() {
    let folder = folder(&[
        ("small.toml", SMALL),
        ("out/overhead.svg", "of other rows"),
        ("out/mine.svg", "not of simctl"),
    ]);
    let ran = exits(folder.path(), &["evaluate", "small.toml", "--out", "out"], 0);
    let removed = "tables.md; removed what an earlier run left there: overhead.svg\n";
    assert!(ran.err.ends_with(removed), "{}", ran.err);
    let expected =
        ["lengths.csv", "mine.svg", "own.svg", "renames.csv", "samples.csv", "tables.md"];
    assert_eq!(names(&folder.path().join("out")), expected);
    let again = exits(folder.path(), &["evaluate", "small.toml", "--out", "out"], 0);
    assert!(again.err.ends_with(", tables.md\n"), "{}", again.err);
}

#[test]
fn what_is_no_row_is_refused_with_file_line_and_key_and_nothing_is_run() {
    let bad = |found: &str, put: &str| {
        assert!(SMALL.contains(found), "{found}");
        SMALL.replace(found, put)
    };
    let folder = folder(&[
        ("key.toml", &bad("sample-every = 300", "sample-evry = 300")),
        ("type.toml", &bad("pause-millis = 200", "pause-millis = \"200ms\"")),
        ("many.toml", &bad("renamers = 2", "renamers = 5")),
        ("percent.toml", &bad("jump-percent = 5", "jump-percent = 101")),
        ("scenario.toml", HOLDS),
        ("good.toml", SMALL),
        ("taken/samples.csv/x", ""),
        ("empty/x", ""),
    ]);
    let here = folder.path();
    for (file, said) in [
        (
            "key.toml",
            &["key.toml:5:1", "unknown key `sample-evry`", "did you mean `sample-every`?"][..],
        ),
        ("type.toml", &["type.toml:9:16", "text does not belong here", "at `bots.pause-millis`"]),
        (
            "many.toml",
            &["many.toml:17:12", "`renames.renamers` does not fit", "at most the 4 replicas"],
        ),
        ("percent.toml", &["percent.toml:11:16", "101 is out of range", "at `bots.jump-percent`"]),
        ("scenario.toml", &["this is a scenario, not a row", "`simctl run` runs it"]),
        ("none.toml", &["none.toml", "cannot be read"]),
        (
            "empty",
            &["there is no row of the evaluation (`*.toml`) in this folder", "A row of your own"],
        ),
    ] {
        for why in said {
            refused(here, &["evaluate", "good.toml", file, "--out", "out"], why);
        }
    }
    let all = exits(here, &["evaluate", "."], 2);
    assert!(all.err.ends_with("; nothing was run\n") && all.out.is_empty(), "{}", all.err);
    for (arguments, why) in [
        (
            &["evaluate", "good.toml", "./good.toml", "--out", "out"][..],
            "a second row is called `good`",
        ),
        (
            &["evaluate", "good.toml", "--out", "key.toml"],
            "--out key.toml: key.toml is a file, expected a folder",
        ),
        (
            &["evaluate", "good.toml", "--out", "key.toml/in"],
            "--out key.toml/in: key.toml is a file, expected a folder",
        ),
        (&["evaluate", "good.toml", "--out", "-"], "--out -: these are several files, expected a"),
        (&["evaluate", "good.toml", "--out", "/proc"], "--out /proc: "),
        (
            &["evaluate", "good.toml", "--out", "taken"],
            "--out taken: samples.csv in it is a folder",
        ),
        (&["evaluate", "good.toml", "--seeds", "1..2", "--out", "out"], "cannot be used with"),
        (&["evaluate"], "scenarios/evaluation is not here: expected the folder of rows"),
        (&["evaluate", "ls"], "scenarios/evaluation is not here: expected the folder of rows"),
    ] {
        refused(here, arguments, why);
    }
}

#[test]
fn a_folder_of_rows_that_is_empty_is_said_to_be_empty() {
    let folder = folder(&[("scenarios/evaluation/x", "")]);
    let why = "no row is called `ls`: scenarios/evaluation has none; expected a file";
    refused(folder.path(), &["evaluate", "ls"], why);
    let why = "there is no row of the evaluation (`*.toml`) in this folder";
    refused(folder.path(), &["evaluate"], why);
}

#[test]
fn a_row_is_found_by_its_name_and_the_names_are_told() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let why = "no row is called `keep-30000-by-5`; did you mean `keep-30000-by-";
    refused(&repository, &["evaluate", "keep-30000-by-5"], why);
    let why = "expected a file, or one of drop-30000-by-1, drop-30000-by-2, ";
    refused(&repository, &["evaluate", "something"], why);
    let folder = folder(&[("scenarios/evaluation/mine.toml", SMALL)]);
    let ran = exits(folder.path(), &["evaluate", "mine"], 0);
    let repeat = "\n  simctl evaluate scenarios/evaluation/mine.toml\n";
    assert!(ran.out.contains(repeat), "{}", ran.out);
    assert_eq!(exits(folder.path(), &["evaluate"], 0).out, ran.out);
}

/// Whoever gives a row to a command of scenarios is told which one it is for.
#[test]
fn a_row_is_no_scenario() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for command in ["run", "check", "list"] {
        let arguments = [command, "scenarios/evaluation/ls.toml"];
        for why in [
            "this is a row of the evaluation, not a scenario",
            "scenarios/evaluation/ls.toml:",
            "`simctl evaluate` runs it",
            "1 mistake; nothing was run",
        ] {
            refused(&repository, &arguments, why);
        }
    }
}
