//! `simctl lattice` and `simctl laws` that show nothing, are asked for what makes no sense, or are cut short.

use std::path::Path;

use crate::support::{exits, folder, names, refused};

#[test]
fn histories_that_are_too_wide_to_follow_fall_short() {
    let arguments = ["lattice", "--type", "int_add_mult", "--histories", "1"];
    let wide = ["--operations", "64", "--replicas", "16"];
    let ran = exits(Path::new("."), &[&arguments[..], &wide].concat(), 1);
    for text in
        ["falls short int_add_mult: no delivery order was followed", "delivery orders       0"]
    {
        assert!(ran.out.contains(text), "{text} in\n{}", ran.out);
    }
    assert!(!ran.out.contains("holds"), "{}", ran.out);
}

#[test]
fn a_planted_bug_that_is_not_found_is_named_and_exits_1() {
    let bug = ["--type", "int_add_mult", "--planted", "ascending"];
    for command in [&["lattice", "--histories", "5"][..], &["laws", "--cases", "5"]] {
        let ran = exits(Path::new("."), &[command, &bug[..]].concat(), 1);
        let said = "falls short int_add_mult: the planted bug `ascending` was not found";
        assert!(ran.out.contains(said), "{}", ran.out);
        let json = [command, &bug[..], &["--format", "json"]].concat();
        let row: serde_json::Value =
            serde_json::from_str(&exits(Path::new("."), &json, 1).out).unwrap();
        assert_eq!(row["shortfall"], "the planted bug `ascending` was not found");
    }
}

#[test]
fn a_graph_that_is_not_written_is_told_and_one_that_cannot_be_is_refused_before_the_work() {
    let folder = folder(&[]);
    let arguments = ["lattice", "--type", "int_add_mult", "--histories", "2", "--dot", "a.dot"];
    let ran = exits(folder.path(), &arguments, 0);
    assert_eq!(ran.err, "no history failed, so no graph was written\n");
    assert!(names(folder.path()).is_empty());
    let endless = ["lattice", "--type", "int_add_mult", "--histories", "1000000000000"];
    let arguments = [&endless[..], &["--dot", "nowhere/a.dot"]].concat();
    refused(folder.path(), &arguments, "nowhere/a.dot cannot be written");
}

#[test]
fn the_list_of_types_takes_no_arguments_of_a_check() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for argument in ["--start", "--replicas", "--operations", "--histories", "--seed"] {
        refused(&here, &["lattice", argument, "3"], "--type <TYPE>");
    }
    refused(&here, &["lattice", "--exhaustive"], "--type <TYPE>");
}
