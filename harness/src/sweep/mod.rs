//! Sweeps: every scenario, at every point of its grid, with many seeds.
//!
//! A [`plan`] says what is run; its [`jobs`] are numbered. The [`engine`] runs them on many threads and
//! hands over the results in order; they are [`gather`]ed, and go into [`part`]s in a [`folder`]. What came
//! of it is [`judge`]d. A [`shard`] is a part of the jobs that another process or machine runs.
//!
//! Invariant: what is written is a function of the plan and of how many jobs were done, whatever the number
//! of threads, shards, interruptions and machines.

use results::store::StoreError;

pub mod cells;
pub mod corpus;
pub mod engine;
pub mod folder;
pub mod gather;
pub mod jobs;
pub mod judge;
pub mod nowhere;
pub mod part;
pub mod plan;
pub mod runner;
pub mod seeds;
pub mod shard;
pub mod submit;
pub mod timeline;

/// Why a sweep cannot be carried out, or goes no further. What was durable still is.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Something that was asked for makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A file cannot be written, or is not what it should be.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A run did not come to an end: a belief of ours broke in it.
    #[error("a run failed: {why}\nto repeat it: {repeat}")]
    Broken {
        /// What broke.
        why: String,
        /// The command that repeats the run.
        repeat: String,
    },
    /// Something else that is not the user's to mend.
    #[error("{0}")]
    Internal(String),
}
