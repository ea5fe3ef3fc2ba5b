//! Checks of replicated types outside any network: every delivery order of a history, histories by the
//! thousand, and vectors that others wrote.

use std::ops::ControlFlow;

mod delivery;
mod erased;
pub mod history;
mod json;
pub mod lattice;
pub mod laws;
pub mod lists;
pub mod packed;
pub mod search;
pub mod sequence;
pub mod sequential;
mod unread;
pub mod vectors;

pub use erased::Erased;

/// Is told how many cases were looked at, and says whether to look at more.
pub type Progress<'a> = &'a mut dyn FnMut(u64) -> ControlFlow<()>;

/// A [`Progress`] that goes on to the end.
pub const fn to_the_end(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}
