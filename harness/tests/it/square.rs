//! `simctl square`: upgrades that hold, one that does not, and arguments that are wrong.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::Command,
};

use expect_test::expect;

use crate::support::{command, exits, refused, simctl};

#[test]
fn good_upgrades_hold_a_line_each() {
    let ran = exits(Path::new("."), &["square", "sessions", "--cases", "200"], 0);
    expect![[r#"
        holds  sessions 1.0.0 -> 2.0.0  200 cases of which 154 had an effect; one path
        holds  sessions 1.1.0 -> 2.0.0  200 cases of which 154 had an effect; one path
        no square sessions 1.0.0 -> 1.1.0: what the older one leaves is taken as it is; --from with --to compares the two
    "#]]
    .assert_eq(&ran.out);
    assert_eq!(ran.err, "");
}

#[test]
fn an_upgrade_without_a_square_is_named_where_nobody_asked_for_it_by_name() {
    let square = |arguments: &[&str]| {
        let cases = &["--cases", "20"][..];
        exits(Path::new("."), &[&["square", "notes"], arguments, cases].concat(), 0)
    };
    let all = square(&[]).out;
    assert!(all.contains("\nno square notes 1.0.0 -> 1.1.0, 2.0.0 -> 2.1.0: "), "{all}");
    let newer = square(&["--to", "2.1.0"]).out;
    assert!(newer.contains("\nno square notes 2.0.0 -> 2.1.0: "), "{newer}");
    let both = square(&["--from", "1.0.0", "--to", "1.1.0"]).out;
    assert!(both.starts_with("holds  notes 1.0.0 -> 1.1.0"), "{both}");
    assert!(!both.contains("no square"), "{both}");
    // Each line of JSON is an upgrade; what is none stands beside them.
    let json = square(&["--format", "json"]);
    assert!(json.err.starts_with("no square notes 1.0.0 -> 1.1.0, "), "{}", json.err);
    assert_eq!(json.out.lines().count(), 4);
}

#[test]
fn a_broken_upgrade_exits_1_and_tells_the_least_that_shows_it() {
    let arguments =
        ["square", "counter", "--from", "1.4.0", "--to", "2.0.0:mistranslates", "--cases", "400"];
    let ran = exits(Path::new("."), &arguments, 1);
    for text in [
        "broken counter 1.4.0 -> 2.0.0:mistranslates",
        "states-differ (seed 1: 4 moves came down to 2)",
        "convert(m) is `add` {by: Up(1000)}",
        "migrate(effect(m, s))           = {id: 2, map: {2 -> {up: 1, down: 0}}}",
        "effect'(convert(m), migrate(s)) = {id: 2, map: {2 -> {up: 1000, down: 0}}}",
        "simctl square counter --from 1.4.0 --to 2.0.0:mistranslates --cases 400 --seed 1",
    ] {
        assert!(ran.out.contains(text), "{text} in\n{}", ran.out);
    }
}

#[test]
fn what_is_found_is_one_json_object_an_upgrade() {
    let arguments = ["square", "counter", "--to", "3.0.0:strays", "--cases", "50"];
    let ran = exits(Path::new("."), &[&arguments[..], &["--format", "json"]].concat(), 1);
    let rows: Vec<serde_json::Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 6, "{}", ran.out);
    let strayed = rows.iter().find(|row| row["from"] == "1.4.0").unwrap();
    assert_eq!(strayed["holds"], false);
    assert_eq!(strayed["failed"], 0);
    assert_eq!(strayed["strayed"], 50);
    assert_eq!(strayed["state_paths"][1], "2.0.0#0 3.0.0:strays#1");
    let failure = &strayed["failures"][0];
    assert_eq!(failure["kind"], "paths-differ");
    assert_eq!(failure["how"]["paths"][1]["end"]["map"], serde_json::json!([]));
    assert!(rows.iter().any(|row| row["from"] == "2.0.0" && row["holds"] == true));
}

#[test]
fn arguments_that_name_no_upgrade_are_refused() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for (arguments, why) in [
        (&["square", "abacus"][..], "unknown app `abacus`: expected `counter`, "),
        (&["square", "counter", "--to", "2.0.0:no-edge"], "no edges of 2.0.0:no-edge lead there"),
        (&["square", "counter", "--to", "two"], "expected a version such as"),
        (&["square", "--to", "2.0.0"], "<APP>"),
        (&["square", "counter", "--cases", "0"], "0 is not in 1.."),
    ] {
        refused(&here, arguments, why);
    }
    assert!(simctl(&here, &["square", "--help"]).out.contains("simctl square counter --from"));
}

#[test]
fn an_upgrade_of_which_no_case_had_an_effect_falls_short() {
    let of = ["square", "gauge", "--from", "1.0.0", "--to", "2.0.0"];
    let arguments = [&of[..], &["--cases", "1", "--seed", "2"]].concat();
    let ran = exits(Path::new("."), &arguments, 1);
    for text in
        ["short  gauge 1.0.0 -> 2.0.0  1 case of which 0", "falls short: no case had an effect"]
    {
        assert!(ran.out.contains(text), "{text} in\n{}", ran.out);
    }
    let ran = exits(Path::new("."), &[&arguments[..], &["--format", "json"]].concat(), 1);
    assert!(ran.out.contains("\"holds\":false"), "{}", ran.out);
}

#[cfg(unix)]
#[test]
fn an_interrupted_check_says_what_it_came_to_and_how_far_it_is() {
    let mut child = command(Path::new("."), &["square", "--cases", "3000"]).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert!(line.starts_with("holds "), "{line}");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    let last = rest.lines().next_back().unwrap_or_default();
    assert!(last.contains("simctl square "), "the command that goes on: {rest}");
    assert!(rest.lines().any(|line| line.starts_with("cut    ")), "{rest}");
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("\ninterrupted after "), "{said}");
    assert!(said.contains(" of 3,000 cases of "), "{said}");
}
