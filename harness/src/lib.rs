//! Scenarios, runs, invariants, and the program `simctl`.
//!
//! - [`scenario`]: the text a user writes, and what it means once checked.
//! - [`run`]: one run of one seed, in two phases, watched by [`invariants`] and [`goals`].
//! - [`cli`]: the commands of `simctl`.

pub mod choices;
pub mod cli;
pub mod diagram;
pub mod goals;
pub mod invariants;
pub mod metrics;
mod numbers;
pub mod observation;
pub mod outcome;
pub mod replicated;
pub mod run;
pub mod scenario;
mod shell;
pub mod shrink;
pub mod signature;
pub mod square;
pub mod story;
pub mod sweep;
pub mod trace;
mod visible;
pub mod workload;

use results::file;
