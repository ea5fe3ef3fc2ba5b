//! What came before what: names of operations, clocks, and logs that causality orders in part.
//!
//! Knows no time, network, version or app, and nothing of what an operation means.

mod clock;
mod dot;
mod log;

pub use clock::Clock;
pub use dot::{Dot, DotError, Origin, Stamp};
pub use log::{At, Event, Log};
