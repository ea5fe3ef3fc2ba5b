//! Operations and replicas as bytes, and back. Hostile bytes are refused, never a panic.
//!
//! A sender names a base in full once, and by its number in a dictionary from then on; receivers keep a
//! dictionary for each sender. So messages of a sender are to be read each once and in the order in which it
//! wrote them.

mod apply;
mod dictionary;
mod parts;
mod short;
mod snapshot;
mod state;
mod stream;
mod untold;
mod writer;

pub use apply::Applied;
pub use short::Unreadable;
pub(crate) use state::{read, sum, written};
pub use stream::Reader;
pub use writer::Writer;

/// Tuples that a dictionary holds, 16 MB, and about twice that where a writer looks for prefixes. A fuller one is emptied before the next operation, by both ends.
const HELD_MAX: usize = 1 << 20;

/// Tuples that a message may name in all, 32 MB, however few its bytes are.
pub(crate) const SPELLED_MAX: usize = 1 << 21;
