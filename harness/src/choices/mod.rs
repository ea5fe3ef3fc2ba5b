//! The choices of a run, as people read and write them.
//!
//! A choice is keyed by its meaning: which accident it is, to whom it happens, and how many of its kind
//! came before. So a file of choices outlives a change of code: what still occurs is found again, and
//! what no longer does can be named.
//!
//! - [`words`]: one accident and what was settled of it, on one line.
//! - [`names`]: what accidents and their decisions are called.
//! - [`file`](mod@file): a file that repeats a run.

pub mod file;
pub mod names;
pub mod words;

pub use file::{ChoiceFile, FileError, Opened};
pub use words::{Words, WordsError};
