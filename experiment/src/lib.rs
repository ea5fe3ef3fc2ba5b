//! The experiment of the papers on RenamableLogootSplit: bots that type, in a simulated network.
//!
//! A [`Row`] says who edits and who renames; [`run`] lets its bots type until nothing is under way and
//! compares where they ended; a [`Report`] is what that came to, beside the figures of the papers. All of it
//! is a function of row and commit: it knows no clock, and what takes time is measured elsewhere.
//!
//! Source: "Improving Replicated Sequences Performances", evaluation.

mod bar;
mod bot;
pub mod details;
pub mod files;
mod fleet;
mod message;
pub mod objects;
pub mod picture;
pub mod plots;
pub mod published;
mod random;
mod renames;
mod report;
mod row;
mod sample;
mod sizes;
mod spread;
pub mod table;
pub mod tables;

pub use bar::{AT_REST_MAX, OVERHEAD_MAX, bar};
pub use bot::{Entry, State};
pub use fleet::{End, Outcome, Unfinished, run, run_until};
pub use random::Rng;
pub use renames::Rename;
pub use report::{Mean, Report, Reports, left_over};
pub use row::{Bots, Collect, Latency, Mistake, Renames, Row};
pub use sample::{COLUMNS, Kept, Sample, When};
pub use sizes::{Length, Sizes};
pub use spread::Spread;
