//! What is measured on the outcome of a run.

pub(crate) mod inserts;
pub(crate) mod renames;
pub(crate) mod replay;

use sequence::{Moves, Sequence};

/// A replica of site `site` that knows what `snapshot` says.
fn joined(site: u32, snapshot: &[u8]) -> Sequence {
    Sequence::restore(site, Moves::Eager, snapshot).expect("a replica's own snapshot")
}

/// Sites that no bot has: the lower of two concurrent renames, and the greater.
const LOW: u32 = 1_001;
const HIGH: u32 = 1_002;
