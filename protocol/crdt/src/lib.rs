//! Replicated types. Operation-based: what replicas exchange is operations, delivered in causal order.
//! State-based: what they exchange is states, or deltas of states ([`join`]).
//!
//! An [`Op`] turns an operation into a message at its origin and carries that message out at every replica.
//! Two replicas that have delivered the same messages have the same state, whatever the order was, so long
//! as it was causal. What the state must be, [`Op::meaning`] says of the partially ordered log alone.
//!
//! Knows no network, clock, version or app: who delivers, once and in causal order, is the caller.
//! Source: Weidner, Miller, Meiklejohn, "Composing and Decomposing Op-Based CRDTs with Semidirect
//! Products" (ICFP 2020).

pub mod catalogue;
pub mod join;
mod op;
pub mod product;
pub mod types;
mod value;

pub use causal::{At, Clock, Dot, Event, Log, Origin, Stamp};
pub use join::{Join, Lattice};
pub use op::{Op, Refused};
pub use product::{Product, Semidirect};
pub use value::Value;
