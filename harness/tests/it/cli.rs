//! `simctl` as a user meets it: what it prints, where, and what it exits with.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::Command,
};

use expect_test::{Expect, expect};
use tempfile::TempDir;

use crate::support::{HOLDS, Ran, VIOLATES, command, exits, folder, names, refused, simctl};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn check(folder: &TempDir, arguments: &[&str], code: i32, expected: Expect) {
    let ran = simctl(folder.path(), arguments);
    assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
    expected.assert_eq(&format!("{}{}", ran.out, ran.err));
}

#[test]
fn a_run_that_holds_exits_0_and_says_how_to_repeat_it() {
    let folder = folder(&[("patch.toml", HOLDS)]);
    let ran = simctl(folder.path(), &["run", "patch.toml", "--seed", "3"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    for text in
        ["three nodes take a patch", "simctl run patch.toml --seed 3", "1.0.1", "fingerprint"]
    {
        assert!(ran.out.contains(text), "{text} in\n{}", ran.out);
    }
}

#[test]
fn a_run_that_violates_exits_1_and_tells_the_story() {
    let folder = folder(&[("gate.toml", VIOLATES)]);
    let ran = simctl(folder.path(), &["run", "gate.toml"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    for text in ["is violated", "simctl run gate.toml --seed 1"] {
        assert!(ran.out.contains(text), "{text} in\n{}", ran.out);
    }
}

#[test]
fn a_canary_that_fails_as_expected_exits_0_and_one_that_holds_exits_1() {
    let canary = format!("{VIOLATES}\n[expect]\noutcome = {{ violates = [\"S6\"] }}\n");
    let broken = format!("{HOLDS}\n[expect]\noutcome = {{ violates = [\"S6\"] }}\n");
    let folder = folder(&[("canary.toml", &canary), ("broken.toml", &broken)]);
    assert_eq!(simctl(folder.path(), &["run", "canary.toml"]).code, 0);
    assert_eq!(simctl(folder.path(), &["run", "broken.toml"]).code, 1);
}

#[test]
fn a_run_that_misses_a_goal_falls_short_and_says_why() {
    let missing = format!("{HOLDS}\n[expect]\nsometimes = [\"crash-in-drain\"]\n");
    let folder = folder(&[("goal.toml", &missing)]);
    let ran = simctl(folder.path(), &["run", "goal.toml"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let head = ran.out.lines().next().unwrap();
    assert!(head.ends_with("falls short"), "{head}");
    let last = ran.out.lines().last().unwrap();
    assert_eq!(last, "exit code 1: the goal crash-in-drain was never reached in this run");
    let ran = simctl(folder.path(), &["run", "goal.toml", "--format", "json"]);
    let row: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&row["as_expected"], &row["outcome"]), (&false.into(), &"falls-short".into()));
}

#[test]
fn what_is_drawn_or_exported_of_a_run_that_falls_short_never_holds() {
    let missing = format!("{HOLDS}\n[expect]\nsometimes = [\"crash-in-drain\"]\n");
    let slow = format!("{HOLDS}\n[expect]\nconvergence = {{ max = \"1us\" }}\n");
    let canary = format!("{HOLDS}\n[expect]\noutcome = {{ violates = [\"S6\"] }}\n");
    let folder = folder(&[
        ("missing.toml", &missing),
        ("slow.toml", &slow),
        ("canary.toml", &canary),
        ("holds.toml", HOLDS),
    ]);
    for (name, verdict) in [
        ("missing", "falls short: never reached crash-in-drain;"),
        ("slow", "falls short: 1.0.1#"),
        ("canary", "falls short: S6 should have been violated and was not;"),
        ("holds", "holds: "),
    ] {
        let (scenario, out) = (format!("{name}.toml"), format!("{name}.dot"));
        let ran = exits(folder.path(), &["export", "dot", &scenario, "--out", &out], 0);
        let said = format!("{out}: {name} seed 1 {verdict}");
        assert!(ran.out.starts_with(&said), "{said}\n{}", ran.out);
    }
}

#[test]
fn a_run_that_reaches_what_it_must_never_falls_short_and_says_why() {
    let never = |goals: &str| format!("{HOLDS}\n[expect]\nnever = [{goals}]\n");
    let (held, swapped) = (never("\"held\", \"migrated\""), never("\"hot-swap\""));
    let folder = folder(&[("held.toml", &held), ("swapped.toml", &swapped)]);
    let ran = simctl(folder.path(), &["run", "held.toml"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let ran = simctl(folder.path(), &["run", "swapped.toml"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let why = "exit code 1: the goal hot-swap was reached and must never be\n";
    assert!(ran.out.ends_with(why), "{}", ran.out);
    let explained = simctl(folder.path(), &["explain", "expect.never"]);
    assert!(explained.out.contains("Goals that no run may reach"), "{}", explained.out);
}

#[test]
fn a_sweep_must_reach_a_goal_but_not_each_of_its_runs() {
    let missing = format!("{HOLDS}\n[expect]\nsometimes = [\"crash-in-drain\"]\n");
    let folder = folder(&[("goal.toml", &missing)]);
    let ran = simctl(folder.path(), &["run", "goal.toml", "--seeds", "0..2"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.ends_with(
        "2 runs: holds 2, but goals are missing\n\
         falls short goal: the goal crash-in-drain was never reached in any of its runs\n"
    ));
    let json = ["run", "goal.toml", "--seeds", "0..2", "--format", "json"];
    let ran = simctl(folder.path(), &json);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("the goal crash-in-drain was never reached"), "{}", ran.err);
    for row in ran.out.lines() {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        assert_eq!(row["as_expected"], true);
    }
}

#[test]
fn mistakes_of_all_files_are_shown_on_standard_error_and_nothing_is_run() {
    let folder = folder(&[
        ("a.toml", &HOLDS.replace("nodes = 3", "nodse = 3")),
        ("b.toml", HOLDS),
        ("c.toml", &HOLDS.replace("10/s", "-10/s")),
    ]);
    let ran = simctl(folder.path(), &["run", ".", "--trace", "t.txt"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    expect![[r#"
        error[S0002]: `nodes` is missing
         --> a.toml:4:1
          |
        4 | [fleet]
          | ^^^^^^^ expected `nodes` in here
          |
          = note: at `fleet`
          = help: `nodes`: How many nodes there are from the start: `n0`, `n1` and so on.

        error[S0001]: unknown key `nodse`
         --> a.toml:5:1
          |
        5 | nodse = 3
          | ^^^^^ expected one of `hostile`, `join`, `leave`, `nodes`, `retire`, `runs`, `trust` or `without`
          |
          = note: at `fleet.nodse`
          = help: did you mean `nodes`?

        error[S0004]: `-10/s` does not belong here
         --> c.toml:9:8
          |
        9 | rate = "-10/s"
          |        ^^^^^^^ a rate is never negative
          |
          = note: at `workload.rate`
          = help: expected a rate such as `20/s`, `5/ms` or `3/min`

        3 mistakes; nothing was run
    "#]]
    .assert_eq(&ran.err);
    assert_eq!(names(folder.path()), ["a.toml", "b.toml", "c.toml"]);
}

#[test]
fn a_file_that_is_not_there_and_an_empty_folder_are_diagnostics() {
    let folder = folder(&[("notes.md", "no scenario")]);
    check(
        &folder,
        &["run", "none.toml", "."],
        2,
        expect![[r#"
        error[S0008]: the file cannot be read: No such file or directory (os error 2)
        --> none.toml

        error[S0009]: there is no scenario (`*.toml`) in this folder
        --> .
         = help: `simctl new` writes a scenario to begin with

        2 mistakes; nothing was run
    "#]],
    );
}

#[test]
fn a_json_run_is_one_object_with_its_version() {
    let folder = folder(&[("patch.toml", HOLDS)]);
    let ran = simctl(folder.path(), &["run", "patch.toml", "--seeds", "0..3", "--format", "json"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let rows: Vec<serde_json::Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seeds: Vec<u64> = rows.iter().map(|row| row["seed"].as_u64().unwrap()).collect();
    assert_eq!(seeds, [0, 1, 2]);
    for row in rows {
        assert_eq!(row["format_version"], results::FORMAT_VERSION);
        assert_eq!(row["scenario"], "patch");
        assert_eq!(row["outcome"], "holds");
        assert_eq!(row["fingerprint"].as_str().unwrap().len(), 32);
    }
}

#[test]
fn a_sweep_is_the_same_whatever_the_number_of_threads() {
    let folder = folder(&[("patch.toml", HOLDS), ("gate.toml", VIOLATES)]);
    for format in ["human", "json"] {
        let sweep = |threads| {
            simctl(
                folder.path(),
                &["run", ".", "--seeds", "0..6", "--format", format, "--threads", threads],
            )
        };
        let (one, three) = (sweep("1"), sweep("3"));
        assert_eq!((one.code, three.code), (1, 1));
        assert_eq!(one.out, three.out);
    }
}

#[test]
fn typed_messages_and_bytes_give_one_fingerprint() {
    let folder = folder(&[("patch.toml", HOLDS)]);
    let fingerprint = |wire| {
        let ran = simctl(folder.path(), &["run", "patch.toml", "--format", "json", "--wire", wire]);
        let row: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        row["fingerprint"].clone()
    };
    assert_eq!(fingerprint("typed"), fingerprint("bytes"));
}

#[test]
fn check_finds_a_scenario_deterministic() {
    let folder = folder(&[("patch.toml", HOLDS)]);
    let ran = simctl(folder.path(), &["check", "patch.toml"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.starts_with("patch  same: "), "{}", ran.out);
}

#[test]
fn a_trace_is_written_as_text_or_json_lines() {
    let folder = folder(&[("patch.toml", HOLDS)]);
    assert_eq!(simctl(folder.path(), &["run", "patch.toml", "--trace", "t.txt"]).code, 0);
    let text = fs::read_to_string(folder.path().join("t.txt")).unwrap();
    assert!(text.contains("committed"), "{text}");
    let json = ["run", "patch.toml", "--trace", "-", "--trace-format", "jsonl"];
    let ran = simctl(folder.path(), &json);
    assert_eq!(ran.code, 0);
    assert!(ran.out.starts_with("{\"format_version\":1}\n"));
    assert!(ran.out.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    assert_eq!(names(folder.path()), ["patch.toml", "t.txt"]);
}

#[test]
fn a_trace_that_cannot_be_written_leaves_no_half_file() {
    let folder = folder(&[("patch.toml", HOLDS)]);
    for (path, code) in [("none/t.txt", 2), ("patch.toml/t.txt", 2), ("/dev/full", 3)] {
        let ran = simctl(folder.path(), &["run", "patch.toml", "--trace", path]);
        assert_eq!(ran.code, code, "{path}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(path), "{}", ran.err);
    }
    assert_eq!(names(folder.path()), ["patch.toml"]);
}

#[test]
fn a_trace_whose_folder_is_missing_says_so_and_one_over_its_scenario_is_refused() {
    let folder = folder(&[("patch.toml", HOLDS)]);
    check(
        &folder,
        &["run", "patch.toml", "--trace", "none/t.txt"],
        2,
        expect![[r#"
            error: none/t.txt cannot be written: the folder none is not there
        "#]],
    );
    check(
        &folder,
        &["run", "patch.toml", "--trace", "./patch.toml"],
        2,
        expect![[r#"
            error: the trace ./patch.toml would replace patch.toml, which it is made from
        "#]],
    );
    assert_eq!(fs::read_to_string(folder.path().join("patch.toml")).unwrap(), HOLDS);
}

#[test]
fn a_folder_where_a_file_belongs_and_a_file_where_a_folder_does_are_refused() {
    let folder = folder(&[("patch.toml", HOLDS)]);
    fs::create_dir(folder.path().join("there")).unwrap();
    let is_folder = "there cannot be written: it is a folder, not a file";
    for (arguments, why) in [
        (&["run", "patch.toml", "--trace", "there"][..], is_folder),
        (&["run", "patch.toml", "--record", "there"], is_folder),
        (&["view", "patch.toml", "--out", "there"], is_folder),
        (&["shrink", "patch.toml", "--out", "there"], is_folder),
        (
            &["sweep", "patch.toml", "--seeds", "0..2", "--out", "patch.toml"],
            "patch.toml is a file: expected a folder",
        ),
        (&["merge", "patch.toml"], "patch.toml is a file: expected a folder"),
        (&["merge", "none"], "none is not there: expected a folder"),
        (&["report", "patch.toml"], "patch.toml is no sweep: it is no folder"),
    ] {
        refused(folder.path(), arguments, why);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn help_that_cannot_be_written_exits_3() {
    let folder = folder(&[]);
    for argument in ["--help", "--version"] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let status = command(folder.path(), &[argument]).stdout(full).output().unwrap().status;
        assert_eq!(status.code(), Some(3), "{argument}");
    }
}

#[test]
fn a_trace_of_several_runs_is_refused() {
    let folder = folder(&[("patch.toml", HOLDS)]);
    check(
        &folder,
        &["run", "patch.toml", "--seeds", "0..2", "--trace", "t.txt"],
        2,
        expect![[r#"
        error: a trace is of one run, and 2 were asked for
    "#]],
    );
}

#[test]
fn seeds_are_a_range_that_has_some() {
    let folder = folder(&[("patch.toml", HOLDS)]);
    for seeds in ["5..5", "7..3", "x..3", "3", "..", "-1..2"] {
        let seeds = format!("--seeds={seeds}");
        let ran = simctl(folder.path(), &["run", "patch.toml", &seeds]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{seeds}: {}", ran.err);
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_sweep_says_what_was_done() {
    let folder = folder(&[("patch.toml", HOLDS)]);
    let mut command = command(folder.path(), &["run", "patch.toml", "--seeds", "0..1000000"]);
    let mut child = command.spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("patch ") {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0, "the sweep ended by itself");
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let total = rest.lines().last().unwrap();
    assert!(total.starts_with("interrupted: "), "{total}");
    assert!(total.contains(" of 1,000,000 runs: all as expected"), "{total}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_says_what_was_done_and_leaves_no_half_trace() {
    let long = HOLDS.replace("safety = \"2s\"", "safety = \"100000s\"");
    let folder = folder(&[("long.toml", &long), ("events.txt", "an older trace")]);
    let mut command = command(folder.path(), &["run", "long.toml", "--trace", "events.txt"]);
    let mut child = command.spawn().unwrap();
    let written = || fs::read_dir(folder.path()).unwrap().filter_map(Result::ok).any(is_half_trace);
    while !written() {
        assert_eq!(child.try_wait().unwrap(), None, "the run ended by itself");
        std::thread::yield_now();
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 130, "{}{}", ran.out, ran.err);
    let parts = [
        "long  seed 1  interrupted\n",
        "at every event: all held so far\n",
        "delivered",
        "interrupted    at ",
        "repeat         simctl run long.toml --seed 1\n",
        "exit code 130: the run was cut short; nothing is judged\n",
    ];
    for part in parts {
        assert!(ran.out.contains(part), "no `{part}` in {}", ran.out);
    }
    assert!(!ran.out.contains("fingerprint"), "half a run has none: {}", ran.out);
    assert_eq!(names(folder.path()), ["events.txt", "long.toml"]);
    assert_eq!(fs::read_to_string(folder.path().join("events.txt")).unwrap(), "an older trace");
}

/// A trace that is being written, once its run is well under way.
#[cfg(unix)]
fn is_half_trace(entry: fs::DirEntry) -> bool {
    let name = entry.file_name().into_string().unwrap();
    name.starts_with(".tmp-result-") && entry.metadata().is_ok_and(|file| file.len() > 0)
}

#[test]
fn list_shows_what_each_scenario_claims() {
    let folder = folder(&[("patch.toml", HOLDS), ("gate.toml", VIOLATES)]);
    check(
        &folder,
        &["list", "."],
        0,
        expect![[r#"
        gate   without a gate, old nodes see what they cannot understand
        patch  three nodes take a patch
    "#]],
    );
    let ran = simctl(folder.path(), &["list", ".", "--format", "json"]);
    let row: serde_json::Value = serde_json::from_str(ran.out.lines().next().unwrap()).unwrap();
    assert_eq!((&row["name"], &row["format_version"]), (&"gate".into(), &1.into()));
}

#[test]
fn new_writes_a_scenario_once() {
    let folder = folder(&[]);
    assert_eq!(simctl(folder.path(), &["new", "mine.toml"]).code, 0);
    assert_eq!(simctl(folder.path(), &["list", "mine.toml"]).code, 0);
    fs::write(folder.path().join("mine.toml"), "changed").unwrap();
    check(
        &folder,
        &["new", "mine.toml"],
        2,
        expect![[r#"
        error: mine.toml is there already; it was left alone
    "#]],
    );
    assert_eq!(fs::read_to_string(folder.path().join("mine.toml")).unwrap(), "changed");
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let folder = folder(&[("bad.toml", "about = 1")]);
    let err = |key: &str, value: &str| {
        let mut command = command(folder.path(), &["run", "bad.toml"]);
        Ran::from(command.env(key, value).output().unwrap()).err
    };
    assert!(!err("TERM", "xterm").contains('\u{1b}'));
    assert!(err("CLICOLOR_FORCE", "1").contains('\u{1b}'));
}

#[test]
fn every_command_has_help_with_examples() {
    let folder = folder(&[]);
    for command in ["run", "list", "explain", "check", "new", "schema"] {
        let ran = simctl(folder.path(), &[command, "--help"]);
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains("Examples:\n  simctl "), "{}", ran.out);
    }
    let ran = simctl(folder.path(), &["--help"]);
    assert!(ran.out.contains("Exit codes:"), "{}", ran.out);
}

#[test]
fn the_schema_in_the_repository_is_fresh() {
    let folder = folder(&[]);
    let kept = fs::read_to_string(repository().join("scenario.schema.json")).unwrap();
    let ran = simctl(folder.path(), &["schema"]);
    assert!(ran.out == kept, "run: simctl schema > scenario.schema.json");
}

#[test]
fn every_scenario_in_the_repository_is_accepted() {
    let ran = simctl(&repository(), &["list"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.lines().count() >= 18, "{}", ran.out);
}

#[test]
fn help_that_no_terminal_shows_fits_every_terminal() {
    let here = std::path::Path::new(".");
    for arguments in [&["--help"][..], &["run", "--help"], &["explain", "-h"]] {
        let widest = |columns: Option<&str>| {
            let mut command = command(here, arguments);
            command.env_remove("COLUMNS");
            columns.map(|columns| command.env("COLUMNS", columns));
            let ran: Ran = command.output().expect("it starts").into();
            ran.out.lines().map(|line| line.chars().count()).max().unwrap_or(0)
        };
        assert!((70..=80).contains(&widest(None)), "{arguments:?}");
        assert!(widest(Some("100")) > 80, "{arguments:?}");
    }
}
