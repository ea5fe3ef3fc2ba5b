//! `simctl` as whoever types it meets it: what it prints, where, what it writes, and what it exits with.

mod cli;
mod counts;
mod evaluate;
mod explain;
mod failures;
#[cfg(target_os = "linux")]
mod interrupts;
mod lists;
mod mistakes;
mod paths;
mod quiet;
mod replicated;
mod reports;
mod square;
mod support;
mod sweep;
mod vectors;
mod view;
