//! The deterministic world: any [`contract::Process`], in virtual time, under faults.
//!
//! A run is a function of its settings, its commands and its [`contract::Choices`]. Every accident is
//! a choice with a name, drawn from a stream of its own, so that one accident less moves no other.
//!
//! Knows nothing of versions, releases, replicated data or scenarios.

pub mod choices;
pub mod clock;
pub mod disk;
pub mod event;
pub mod fault;
pub mod fingerprint;
pub mod ledger;
pub mod network;
mod node;
pub mod queue;
pub mod sample;
mod slab;
mod timers;
mod world;

pub use event::{Control, Event, Fate, View, Watch};
pub use world::{Counts, Memory, Settings, Stopped, Wire, World};
