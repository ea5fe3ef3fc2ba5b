//! The benchmarks: a workspace of their own, so that the peers' dependencies never reach ours.

use std::process::Command;

use crate::step::{Outcome, root};

/// Builds and runs the benchmark tables of `bench/`.
pub(crate) fn run() -> Outcome {
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root().join("bench"))
        .args(["run", "--release", "--package", "tables"])
        .status()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if status.success() { Ok(()) } else { Err("the benchmarks failed".to_owned()) }
}
