//! `simctl`: is this upgrade safe to roll out while everything keeps running?

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::cli::main()
}
