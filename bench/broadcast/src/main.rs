//! What causal delivery costs: per message while many wait, and in bytes beside what is said.
//!
//! `cargo run --release -p broadcast` prints both tables and fails where a bar is missed.

mod metadata;
mod parked;

fn main() -> std::process::ExitCode {
    let flat = parked::report();
    let small = metadata::report();
    if flat && small { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}
