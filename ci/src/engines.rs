//! What is tried from outside, by scripts: engines that run shards, a sweep that is killed, templates for CI.

use std::{path::Path, process::Command};

use crate::step::{Outcome, root, simctl, target};

/// No engine, the scheduler of HyperQueue, Slurm on loopback, the manifest for Kubernetes; each installs its own.
const ENGINES: &[&str] =
    &["ci/engines/local.py", "ci/engines/hq.py", "ci/engines/slurm.py", "ci/engines/kubernetes.py"];

/// Runs the shards of a sweep on every engine, with deaths, retries and duplicates.
pub(crate) fn run() -> Outcome {
    let simctl = simctl()?;
    ENGINES.iter().try_for_each(|script| python(script, &simctl, &[]))
}

/// Kills a sweep by SIGKILL at fifty random moments, and resumes it.
pub(crate) fn kill() -> Outcome {
    python("ci/kill_sweep.py", &simctl()?, &["--kills", "50"])
}

/// Tries the templates of users' CI.
pub(crate) fn templates() -> Outcome {
    python("ci/templates/check.py", &simctl()?, &[])
}

/// Runs a script on the program `simctl`, in a folder of its own below the target folder.
fn python(script: &str, simctl: &Path, arguments: &[&str]) -> Outcome {
    let name = Path::new(script).file_stem().unwrap_or_default();
    let status = Command::new("python3")
        .current_dir(root())
        .arg(script)
        .arg("--simctl")
        .arg(simctl)
        .arg("--into")
        .arg(target().join("ci").join(name))
        .args(arguments)
        .status()
        .map_err(|error| format!("python3 does not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{script}: {status}")) }
}
