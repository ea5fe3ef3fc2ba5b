//! Checks of replicated types outside any network: every delivery order of a history, histories by the
//! thousand, and vectors that others wrote.

mod delivery;
pub mod history;
pub mod lattice;
pub mod laws;
pub mod lists;
pub mod packed;
pub mod search;
pub mod sequence;
pub mod vectors;
