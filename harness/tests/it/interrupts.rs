//! Ctrl-C: what was done until then is said, and nothing half done is left.

use std::{
    fs,
    path::Path,
    process::{Child, Command},
};

use crate::support::{Ran, command, folder, names};

/// Takes many runs to shrink, each of them long: after the first, which is waited for, it is far from its end.
const LONG: &str = include_str!("../../../scenarios/notes-printed-mapping.toml");

/// Presses Ctrl-C once `simctl` minds it, and gives what it came to.
fn interrupted(folder: &Path, arguments: &[&str]) -> Ran {
    let mut child = command(folder, arguments).spawn().unwrap();
    while !minds(&child) {
        assert_eq!(child.try_wait().unwrap(), None, "{arguments:?} ended by itself");
        std::thread::yield_now();
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    Ran::from(child.wait_with_output().unwrap())
}

/// Whether a process has a handler for Ctrl-C, the second signal.
fn minds(child: &Child) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(caught.trim(), 16).unwrap() & 0b10 != 0
}

#[test]
fn a_shrinking_that_is_interrupted_says_so_and_not_that_time_ran_out() {
    let folder = folder(&[("long.toml", LONG)]);
    let ran = interrupted(
        folder.path(),
        &["shrink", "long.toml", "--threads", "1", "--out", "small.toml"],
    );
    assert_eq!(ran.code, 130, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains(" s; interrupted, more might go\n"), "{}", ran.out);
    let pressed = "interrupted: ending soon (Ctrl-C again to stop at once)\n";
    assert_eq!(ran.err, pressed);
    assert_eq!(names(folder.path()), ["long.toml", "small.toml"]);
    let ran =
        interrupted(folder.path(), &["shrink", "long.toml", "--threads", "1", "--format", "json"]);
    let line: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&line["cut_short"], &line["interrupted"]), (&true.into(), &true.into()));
}

/// Four bots, 1,200 edits.
const SMALL: &str = include_str!("../../../experiment/tests/small.toml");

#[test]
fn an_evaluation_that_is_interrupted_says_what_was_done_until_then() {
    let folder = folder(&[("small.toml", SMALL)]);
    let arguments = ["evaluate", "small.toml", "--seeds", "0..18446744073709551615"];
    let ran = interrupted(folder.path(), &arguments);
    assert_eq!(ran.code, 130, "{}{}", ran.out, ran.err);
    let done = ran.out.lines().filter(|line| line.contains(" holds ")).count();
    assert!(done < 1_000, "{done}");
    let pressed = "interrupted: ending soon (Ctrl-C again to stop at once)\n";
    let far = format!("interrupted after {done} of 18,446,744,073,709,551,615 runs\n");
    assert_eq!(ran.err, format!("{pressed}{far}"));
}

/// It takes minutes, and would leave its results in a folder that is not there.
#[test]
fn a_run_of_a_row_is_cut_short_and_leaves_no_folder() {
    let long = SMALL.replace("operations = 1_200", "operations = 4_000_000");
    let long = long.replace("sample-every = 300", "sample-every = 40_000");
    let folder = folder(&[("long.toml", &long)]);
    let ran = interrupted(folder.path(), &["evaluate", "long.toml", "--out", "one/two"]);
    assert_eq!(ran.code, 130, "{}{}", ran.out, ran.err);
    assert_eq!(ran.out, "");
    assert!(ran.err.ends_with("interrupted after 0 of 1 run\n"), "{}", ran.err);
    assert_eq!(names(folder.path()), ["long.toml"]);
}
