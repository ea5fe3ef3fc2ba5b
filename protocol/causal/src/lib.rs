//! Causal broadcast: what came before what, and who has what.
//!
//! A [`Broadcast`] is the layer of one node. Whoever drives it sends what [`Broadcast::broadcast`] issues to
//! all members, hands what arrives to [`Broadcast::receive`], takes what [`Broadcast::deliver`] gives, says a
//! heartbeat where [`Broadcast::owes_heartbeat`], and repairs losses by [`Digest`]s now and then. An operation
//! carries its direct causes and no clock: its length depends on how many operations are concurrent, not on
//! how many members there are; its clock and its Lamport time follow from its causes.
//!
//! Knows no time, timer, network, version or app, and nothing of what an operation says but for heartbeats,
//! joining and retiring. What no honest origin can have sent is refused with a [`Refusal`], and no bytes make
//! it panic; but members are believed: whoever can send under the name of one, and knows what it might say,
//! is taken for it.
//! Sources: Baquero, Almeida, Shoker, "Pure operation-based replicated data types" (arXiv 1710.04469) for
//! stability; Peterson, Buchholz, Schlichting, "Preserving and using context information in interprocess
//! communication" (1989) for direct causes.

mod clock;
mod dot;
mod exchange;
mod judging;
mod layer;
mod log;
mod members;
mod operation;
mod refusal;
mod state;
mod strangers;
mod waiting;

pub use clock::Clock;
pub use dot::{Dot, DotError, Origin, Stamp};
pub use exchange::{Answer, Compared, Digest, RANGES_MAX, Range};
pub use layer::{Broadcast, Delivery, Flaw, Limits, Received};
pub use log::{At, Event, Log};
pub use operation::{Content, HEADS_MAX, Operation, Payload};
pub use refusal::Refusal;
pub use state::Heir;
