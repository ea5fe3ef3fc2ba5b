//! A replicated sequence of characters: Logoot, LogootSplit and RenamableLogootSplit.
//!
//! Each element has an identifier out of a dense order, so that an operation says where it acts wherever
//! it arrives. Elements that were typed in a row form a block and share all of their identifiers but a
//! number. As blocks become many, a rename makes one of them all, and begins an *epoch*; what is under
//! way from another epoch is mapped to that of the replica that it reaches.
//!
//! [`Sequence`] is a replica. Knows no network, clock or app: who delivers operations, once each, is the
//! caller. Randomness is an argument.
//! Source: "Improving Replicated Sequences Performances". The mapping between epochs departs from it: as
//! printed, order is lost where renames are concurrent.

mod arena;
mod change;
mod codec;
mod draft;
mod epochs;
mod few;
mod flaw;
mod foreseen;
mod former;
mod generate;
mod identifier;
mod integrate;
mod ledger;
mod left;
mod local;
mod mapping;
mod offload;
mod operation;
mod parts;
mod recent;
mod refused;
mod rename;
mod sequence;
mod state;
mod together;
mod tree;
mod untold;
mod waiting;

pub use arena::Run;
pub use change::{Change, Place};
pub use codec::{Applied, Reader, Unreadable, Writer};
pub use contract::wire::Malformed;
pub use draft::Author;
pub use epochs::{Path, Priority};
pub use few::Few;
pub use flaw::Flaw;
pub use identifier::{Dot, Identifier, Interval, TUPLES_MAX, Tuple};
pub use mapping::Mapping;
pub use offload::Unloadable;
pub use operation::{EpochId, Operation};
pub use parts::{Parts, Renamed, Root};
pub use refused::{Refusals, Refused};
pub use rename::Collected;
pub use sequence::{Integrated, Moves, Names, Naming, Options, Sequence};
pub use smol_str::SmolStr;
pub use state::FormerState;
