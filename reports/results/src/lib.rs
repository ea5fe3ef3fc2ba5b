//! What runs and sweeps leave behind, versioned and append-only.
//!
//! Columns and keys are added, never renamed, removed or given another meaning, so that last year's file
//! still draws; [`FORMAT_VERSION`] counts the additions. Reports and plots read this crate and nothing else.
//!
//! Knows nothing of scenarios or protocols. Invariant: what is written is a function of build, scenario
//! and seed; what a machine adds (how long it took) is in [`Cost`], in a file of its own.

mod diagram;
mod failure;
pub mod file;
mod plan;
mod run;
pub mod store;
mod tally;
mod timeline;

pub use diagram::{Diagram, Fate, Lane, Mark, Message, Stretch, Unreadable, What};
pub use failure::Failure;
pub use plan::{Cell, Plan, Planned};
pub use run::{Cost, Outcome, Run};
pub use store::{Sweep, read};
pub use tally::{Bound, CHANCES_MIN, Injected, RUNS_MIN, Tally, latency_bucket};
pub use timeline::{Timeline, Window};

/// How many times columns or keys were added, from 1.
pub const FORMAT_VERSION: u32 = 4;
