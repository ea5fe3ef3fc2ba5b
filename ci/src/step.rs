//! A step of `cargo ci`, and the commands it runs.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Passed, or a sentence on what failed.
pub(crate) type Outcome = Result<(), String>;

/// One thing that `cargo ci` checks.
pub(crate) struct Step {
    /// What it is asked for by.
    pub(crate) name: &'static str,
    /// One line for people.
    pub(crate) about: &'static str,
    /// Carries it out.
    pub(crate) run: fn() -> Outcome,
}

/// The top of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("ci is a folder of the workspace").to_owned()
}

/// Runs cargo in the workspace.
pub(crate) fn cargo(arguments: &[&str]) -> Outcome {
    cargo_with(arguments, &[])
}

/// Runs cargo in the workspace with some environment variables set.
pub(crate) fn cargo_with(arguments: &[&str], variables: &[(&str, &str)]) -> Outcome {
    let mut command = cargo_command();
    command.args(arguments).envs(variables.iter().copied());
    let status = command.status().map_err(|error| format!("cargo does not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`cargo {}` failed", arguments.join(" "))) }
}

/// Cargo, to be run in the workspace.
pub(crate) fn cargo_command() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Where builds of this workspace go.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Builds the program as users run it; returns where it is.
pub(crate) fn simctl() -> Result<PathBuf, String> {
    cargo(&["build", "--release", "--bin", "simctl"])?;
    Ok(target().join("release").join("simctl"))
}
