//! The benchmarks: a workspace of their own, so that the peers' dependencies never reach ours.

use crate::step::{Outcome, cargo_command, root};

/// Builds and runs the benchmark tables of `bench/`.
pub(crate) fn run() -> Outcome {
    cargo_in_bench(&["run", "--release", "--locked", "--package", "tables"])
}

/// Asserts, with a counting allocator, that the kernel allocates nothing per delivered message.
pub(crate) fn allocation() -> Outcome {
    cargo_in_bench(&["test", "--locked", "--package", "allocation"])
}

fn cargo_in_bench(arguments: &[&str]) -> Outcome {
    let status = cargo_command()
        .current_dir(root().join("bench"))
        .args(arguments)
        .status()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`cargo {}` in bench/ failed", arguments.join(" ")))
    }
}
