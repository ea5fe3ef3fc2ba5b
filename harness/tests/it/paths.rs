//! Where results go: every command writes by the same rules, and none destroys what it reads.

use std::{fs, process::Command};

use tempfile::TempDir;

use crate::support::{HOLDS, exits, folder, simctl};

const FAILS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/gate-off.toml");

/// A folder with a scenario that fails, as `a.toml`, and a sweep of it, as `out`.
fn swept() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(FAILS, folder.path().join("a.toml")).unwrap();
    simctl(folder.path(), &["sweep", "a.toml", "--seeds", "0..3", "--out", "out", "--quiet"]);
    assert!(folder.path().join("out/sweep.parquet").is_file());
    folder
}

/// Every option that names a file to be written: the arguments before that name.
const WRITERS: [&[&str]; 12] = [
    &["plan", "a.toml", "--seeds", "0..3", "--out"],
    &["report", "out", "--out"],
    &["compare", "out", "out", "--out"],
    &["plot", "adoption", "out", "--svg"],
    &["plot", "adoption", "out", "--png"],
    &["view", "a.toml", "--out"],
    &["export", "dot", "a.toml", "--out"],
    &["run", "a.toml", "--trace"],
    &["run", "a.toml", "--record"],
    &["sweep", "a.toml", "--seeds", "0..3", "--out", "out", "--junit"],
    &["merge", "shards", "--junit"],
    &["shrink", "a.toml", "--for", "1s", "--out"],
];

fn with<'a>(arguments: &[&'a str], name: &'a str) -> Vec<&'a str> {
    arguments.iter().copied().chain([name]).collect()
}

/// [`swept`], and a plan of one shard that was carried out, as `shards`.
fn sharded() -> TempDir {
    let folder = swept();
    let here = folder.path();
    exits(here, &["plan", "a.toml", "--seeds", "0..2", "--out", "p.json"], 0);
    exits(here, &["sweep", "--plan", "p.json", "--shard", "0/1", "--out", "shards"], 0);
    folder
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_what_it_leads_to_is_written() {
    let folder = sharded();
    let here = folder.path();
    fs::create_dir(here.join("far")).unwrap();
    for (number, arguments) in WRITERS.iter().enumerate() {
        let (link, file) = (format!("link-{number}"), here.join(format!("far/{number}")));
        std::os::unix::fs::symlink(format!("far/{number}"), here.join(&link)).unwrap();
        simctl(here, &with(arguments, &link));
        assert!(here.join(&link).is_symlink(), "{arguments:?}");
        let first = fs::read(&file).unwrap_or_default();
        assert!(!first.is_empty(), "{arguments:?}: nothing where the link leads to");
        fs::write(&file, "old").unwrap();
        simctl(here, &with(arguments, &link));
        assert!(here.join(&link).is_symlink(), "{arguments:?}");
        assert_ne!(fs::read(&file).unwrap(), b"old", "{arguments:?}");
    }
    assert_eq!(fs::read_dir(here.join("far")).unwrap().count(), WRITERS.len(), "nothing is left");
}

#[cfg(unix)]
#[test]
fn a_pipe_stays_a_pipe_and_takes_the_result() {
    use std::os::unix::fs::FileTypeExt;
    let folder = sharded();
    let here = folder.path();
    assert!(Command::new("mkfifo").arg(here.join("pipe")).status().unwrap().success());
    for arguments in WRITERS {
        // Into a file: what nobody reads yet must hold up neither the reader nor whoever writes.
        let taken = fs::File::create(here.join("taken")).unwrap();
        let mut reader = Command::new("cat");
        let mut reader = reader.arg("pipe").current_dir(here).stdout(taken).spawn().unwrap();
        simctl(here, &with(arguments, "pipe"));
        let file = fs::symlink_metadata(here.join("pipe")).unwrap();
        assert!(file.file_type().is_fifo(), "{arguments:?}: the pipe was replaced");
        // Where nobody wrote, the reader still waits for somebody to come and go. Opened for both, a pipe
        // waits for no one.
        drop(fs::OpenOptions::new().read(true).write(true).open(here.join("pipe")).unwrap());
        reader.wait().unwrap();
        assert!(!fs::read(here.join("taken")).unwrap().is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_missing_folder_is_bad_input_and_named() {
    let folder = sharded();
    for arguments in WRITERS {
        let said = exits(folder.path(), &with(arguments, "none/file"), 2).err;
        let wanted = "none/file cannot be written: the folder none is not there";
        assert!(said.contains(wanted), "{arguments:?}: {said}");
        assert!(!folder.path().join("none").exists(), "{arguments:?}");
    }
    exits(folder.path(), &["new", "none/file.toml"], 2);
}

#[test]
fn a_dash_is_standard_output() {
    let folder = sharded();
    for arguments in WRITERS {
        let ran = simctl(folder.path(), &with(arguments, "-"));
        assert!(!ran.bytes.is_empty(), "{arguments:?}");
        assert!(!folder.path().join("-").exists(), "{arguments:?}");
    }
}

#[test]
fn no_result_replaces_what_it_is_made_from() {
    let folder = sharded();
    let here = folder.path();
    fs::write(here.join("mine.html"), "a template").unwrap();
    let mut cases: Vec<(Vec<&str>, &str)> = vec![
        (with(&["report", "out", "--template", "mine.html", "--out"], "mine.html"), "mine.html"),
        (with(WRITERS[10], "shards/plan.json"), "shards/plan.json"),
    ];
    for at in [0, 5, 6, 7, 8, 9, 11] {
        cases.push((with(WRITERS[at], "./a.toml"), "a.toml"));
    }
    for file in ["out/plan.json", "out/sweep.parquet", "out/failures.jsonl", "out/tallies.jsonl"] {
        for at in [1, 2, 3, 4, 9] {
            cases.push((with(WRITERS[at], file), file));
        }
    }
    for (arguments, input) in cases {
        let before = fs::read(here.join(input)).unwrap();
        let said = exits(here, &arguments, 2).err;
        assert!(said.contains("would replace"), "{arguments:?}: {said}");
        assert_eq!(fs::read(here.join(input)).unwrap(), before, "{arguments:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_keeps_its_rights() {
    use std::os::unix::fs::PermissionsExt;
    let folder = swept();
    let file = folder.path().join("page.html");
    fs::write(&file, "old").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    exits(folder.path(), &["report", "out", "--out", "page.html"], 0);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

/// Unix alone takes such names.
#[cfg(unix)]
#[test]
fn a_name_of_two_lines_stays_on_one() {
    let folder = folder(&[("a\nb.toml", HOLDS), ("c.toml", HOLDS)]);
    let told = |arguments: &[&str]| exits(folder.path(), arguments, 0).out;
    let list = told(&["list", "."]);
    assert_eq!(list.lines().count(), 2, "{list}");
    assert!(list.starts_with("a\\nb  three nodes"), "{list}");
    let run = told(&["run", ".", "--seeds", "0..2"]);
    assert!(run.lines().any(|line| line.starts_with("a\\nb ")), "{run}");
    for arguments in [
        &["run", "a\nb.toml"][..],
        &["explain", "a\nb.toml"],
        &["view", "a\nb.toml", "--out", "x\ny"],
    ] {
        let told = told(arguments);
        assert!(told.contains("a\\nb"), "{told}");
        assert!(
            told.lines().all(|line| !line.starts_with("b") && !line.starts_with("y")),
            "{told}"
        );
    }
    let sweep = told(&["sweep", ".", "--seeds", "0..2"]);
    assert!(sweep.lines().any(|line| line.starts_with("a\\nb  ")), "{sweep}");
    // Whoever is told how to repeat a run can do so.
    assert!(told(&["run", "a\nb.toml"]).contains(r"simctl run $'a\x0ab.toml' --seed 1"));
}
