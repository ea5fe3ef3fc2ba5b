//! Same seed, same run: every scenario is run again and again, and must end on the same fingerprint; the rows
//! of the evaluation, which take seconds each, are run once, and one of them by the debug build too.
//!
//! Twice, in two processes; by the debug and the release build; on one thread and on all; with typed
//! messages and with bytes on the wire; and as it was when the golden fingerprints were written.

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command, thread};

use crate::step::{Outcome, cargo, root, target};

/// Where the golden fingerprints stand: `scenario seed fingerprint` a line; a row of the evaluation is a scenario
/// of that folder.
const GOLDEN: &str = "scenarios/fingerprints.txt";
/// Seeds that every scenario is run with.
const SEEDS: &str = "1..4";
/// Seeds that the debug build runs each scenario with: it is several times slower.
const SEEDS_DEBUG: &str = "1..2";

/// Every scenario.
const RUN: [&str; 4] = ["run", "scenarios", "--format", "json"];
/// Every row of the evaluation, or those that are named.
const EVALUATE: [&str; 3] = ["evaluate", "--format", "json"];

/// Fingerprint by scenario and seed.
type Fingerprints = BTreeMap<(String, u64), String>;

/// A way to run scenarios: its name, the build, the command, and what else is said to it.
type Way = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const WAYS: [Way; 6] = [
    ("release on one thread", "release", &RUN, &["--seeds", SEEDS, "--threads", "1"]),
    ("release again, on all threads", "release", &RUN, &["--seeds", SEEDS]),
    ("release with bytes on the wire", "release", &RUN, &["--seeds", SEEDS, "--wire", "bytes"]),
    ("debug", "debug", &RUN, &["--seeds", SEEDS_DEBUG]),
    ("release of the evaluation", "release", &EVALUATE, &[]),
    ("debug of the evaluation", "debug", &EVALUATE, &["ls"]),
];

/// Checks that no way of running changes a fingerprint, and that none changed unseen.
pub(crate) fn run() -> Outcome {
    cargo(&["build", "--release", "--bin", "simctl"])?;
    // With the tests, so that it is the build that `cargo test` made: what tests need turns on features of what
    // the program needs, and without them most of it would be built once more.
    cargo(&["build", "--workspace", "--bin", "simctl", "--test", "it"])?;
    let golden = read_golden()?;
    // Side by side, for one of them leaves all processors but one idle.
    let found = thread::scope(|scope| {
        let ways = WAYS.map(|(_, profile, command, said)| {
            scope.spawn(move || fingerprints(profile, command, said))
        });
        ways.map(|way| way.join().expect("what goes wrong is returned"))
    });
    let mut ran = Fingerprints::new();
    for ((name, ..), found) in WAYS.into_iter().zip(found) {
        let found = found?;
        let differing = compare(&golden, &found);
        if !differing.is_empty() {
            return Err(format!(
                "{name}: not as in {GOLDEN}; if that is meant, `cargo ci bless`\n  {}",
                differing.join("\n  ")
            ));
        }
        ran.extend(found);
    }
    match golden.keys().find(|key| !ran.contains_key(key)) {
        Some((scenario, seed)) => Err(format!(
            "{GOLDEN} has {scenario} seed {seed}, which no longer runs; `cargo ci bless`"
        )),
        None => Ok(()),
    }
}

/// Writes the golden fingerprints of today.
pub(crate) fn bless() -> Outcome {
    cargo(&["build", "--release", "--bin", "simctl"])?;
    let mut text = String::from(
        "# Golden fingerprints: scenario, seed, fingerprint. Written by `cargo ci bless`.\n",
    );
    let mut golden = fingerprints("release", &RUN, &["--seeds", SEEDS])?;
    golden.extend(fingerprints("release", &EVALUATE, &[])?);
    for ((scenario, seed), fingerprint) in golden {
        text += &format!("{scenario} {seed} {fingerprint}\n");
    }
    fs::write(root().join(GOLDEN), text).map_err(|error| format!("{GOLDEN}: {error}"))
}

/// Lines on what is in `found` but not, or differently, in `golden`.
fn compare(golden: &Fingerprints, found: &Fingerprints) -> Vec<String> {
    let mut differing = Vec::new();
    for ((scenario, seed), fingerprint) in found {
        match golden.get(&(scenario.clone(), *seed)) {
            Some(expected) if expected == fingerprint => {}
            Some(expected) => {
                differing.push(format!("{scenario} seed {seed}: {fingerprint}, golden {expected}"));
            }
            None => differing.push(format!("{scenario} seed {seed}: no golden fingerprint")),
        }
    }
    differing
}

fn read_golden() -> Result<Fingerprints, String> {
    let text =
        fs::read_to_string(root().join(GOLDEN)).map_err(|error| format!("{GOLDEN}: {error}"))?;
    text.lines().filter(|line| !line.starts_with('#')).map(golden_line).collect()
}

fn golden_line(line: &str) -> Result<((String, u64), String), String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [scenario, seed, fingerprint] = words[..] else {
        return Err(format!("{GOLDEN}: expected `scenario seed fingerprint`, found `{line}`"));
    };
    let seed = seed.parse().map_err(|_| format!("{GOLDEN}: `{seed}` is no seed"))?;
    Ok(((scenario.to_owned(), seed), fingerprint.to_owned()))
}

/// Runs scenarios and reads the fingerprints from the machine-readable output.
fn fingerprints(
    profile: &str,
    command: &[&str],
    arguments: &[&str],
) -> Result<Fingerprints, String> {
    let program: PathBuf = target().join(profile).join("simctl");
    let output = Command::new(&program)
        .current_dir(root())
        .args(command)
        .args(arguments)
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "simctl {} {}: {}\n{why}",
            command.join(" "),
            arguments.join(" "),
            output.status
        ));
    }
    let text =
        String::from_utf8(output.stdout).map_err(|_| "the output is not UTF-8".to_owned())?;
    text.lines().map(json_line).collect()
}

fn json_line(line: &str) -> Result<((String, u64), String), String> {
    let row: serde_json::Value =
        serde_json::from_str(line).map_err(|error| format!("`{line}`: {error}"))?;
    let text = |key: &str| row[key].as_str().map(str::to_owned);
    let name = text("scenario").or_else(|| Some(format!("evaluation/{}", text("row")?)));
    let parts = (name, row["seed"].as_u64(), text("fingerprint"));
    let (Some(scenario), Some(seed), Some(fingerprint)) = parts else {
        return Err(format!("a row without scenario, seed or fingerprint: {line}"));
    };
    Ok(((scenario, seed), fingerprint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(seed: u64, fingerprint: &str) -> Fingerprints {
        BTreeMap::from([(("major-bump".to_owned(), seed), fingerprint.to_owned())])
    }

    #[test]
    fn sees_a_changed_and_a_new_fingerprint() {
        assert_eq!(compare(&one(1, "aa"), &one(1, "aa")), Vec::<String>::new());
        assert_eq!(compare(&one(1, "aa"), &one(1, "ab")).len(), 1);
        assert_eq!(compare(&one(1, "aa"), &one(2, "aa")).len(), 1);
    }

    #[test]
    fn reads_a_row() {
        let line = r#"{"scenario":"major-bump","seed":7,"fingerprint":"ff"}"#;
        assert_eq!(json_line(line), Ok((("major-bump".to_owned(), 7), "ff".to_owned())));
        let line = r#"{"row":"ls","seed":1,"fingerprint":"fe"}"#;
        assert_eq!(json_line(line), Ok((("evaluation/ls".to_owned(), 1), "fe".to_owned())));
        assert!(json_line("{}").is_err());
    }
}
