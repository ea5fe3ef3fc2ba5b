//! This project's own regression sweep: every scenario, seeds from the commit, as many as the budget allows.
//!
//! Another commit, other seeds: what one change does not meet, the next may. What was found is repeated by the
//! command that the sweep prints, and becomes a scenario in `scenarios/regress` by `simctl shrink --save`.

use std::{fs, io, process::Command};

use crate::step::{Outcome, root, simctl, target};

/// How long it sweeps.
const BUDGET: &str = "75s";

/// Sweeps, and leaves results and report below the target folder.
pub(crate) fn run() -> Outcome {
    let simctl = simctl()?;
    let out = target().join("ci").join("sweep");
    match fs::remove_dir_all(&out) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(format!("{}: {error}", out.display()));
        }
        _ => {}
    }
    let seeds = commit()?;
    eprintln!("ci: seeds from {seeds}, {BUDGET}; results in {}", out.display());
    let swept = Command::new(&simctl)
        .current_dir(root())
        .args(["sweep", "scenarios", "--seeds-from", &seeds, "--for", BUDGET, "--out"])
        .arg(&out)
        .status()
        .map_err(|error| format!("{}: {error}", simctl.display()))?;
    let reported = Command::new(&simctl)
        .current_dir(root())
        .arg("report")
        .arg(&out)
        .status()
        .map_err(|error| format!("{}: {error}", simctl.display()))?;
    match (swept.success(), reported.success()) {
        (true, true) => Ok(()),
        (false, _) => Err(format!("the sweep from {seeds}: {swept}")),
        (true, false) => Err(format!("the report of {}: {reported}", out.display())),
    }
}

/// The commit that is checked out: the base of the seeds.
fn commit() -> Result<String, String> {
    let output = Command::new("git")
        .current_dir(root())
        .args(["rev-parse", "HEAD"])
        .output()
        .map_err(|error| format!("git does not start: {error}"))?;
    if !output.status.success() {
        return Err("git knows no commit to take the seeds from".to_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
