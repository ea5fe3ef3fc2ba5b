//! What notices tell of operations that are broadcast, and of who is a member.

use std::sync::Arc;

use causal::{Clock, Operation, Origin};
use contract::{NodeId, Time};
use upgrade::release::ReleaseId;

use super::Conversion;
use crate::message::Stamped;

/// An operation that this node issued, to go to every member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Its place in one order of all.
    pub stamp: causal::Stamp,
    /// What this node had delivered before it.
    pub past: Clock,
    /// It; its content is a payload of the app, or a heartbeat, or about members.
    pub operation: Arc<Operation<Stamped>>,
    /// Bytes on the wire that say where it stands, and not what it says.
    pub metadata_bytes: u32,
}

/// An operation that was delivered, at its origin or elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CausallyDelivered {
    /// Its place in one order of all.
    pub stamp: causal::Stamp,
    /// What its origin had delivered before it.
    pub past: Clock,
    /// It, as it was sent.
    pub operation: Arc<Operation<Stamped>>,
    /// Whether it had to wait for others.
    pub waited: bool,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a delivered operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The app took it.
    Taken {
        /// Which instance.
        instance: u64,
        /// What it was converted to for the app.
        converted: Conversion,
        /// The randomness of the step.
        entropy: u64,
        /// The node's clock at the step.
        at: Time,
    },
    /// It is not for the app: a heartbeat, or about members.
    Control,
    /// It counts as delivered, for others follow it, and the app never sees it.
    Void(String),
}

/// What a node became that joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BecameMember {
    /// As whom it issues from now on.
    pub origin: Origin,
    /// Who gave it the state.
    pub donor: NodeId,
    /// The release that the donor ran.
    pub release: ReleaseId,
    /// Edges of this node's release that took the state here, in order; none where both run the same.
    pub edges: Vec<u32>,
    /// The exported state that the app goes on from.
    pub state: Arc<[u8]>,
    /// The operations that the state has.
    pub delivered: Clock,
    /// Which instance took it.
    pub instance: u64,
}

/// Why an operation of a newer release is not kept at the gate. It comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotHeld {
    /// Its origin is no member, as far as is known here.
    Stranger,
    /// It is too far ahead of what was delivered of its origin.
    Ahead,
    /// Others have a right to what room there is.
    Share,
    /// There is no room.
    Full,
}

/// Why a node was not let in. It asks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotEnrolled {
    /// The state here is of a newer release than the node runs: it has to upgrade first.
    Newer,
    /// This node is no member itself.
    NoMember,
    /// There are as many members as there may be.
    Full,
    /// Another is being let in, or this node has too much to send as it is.
    Busy,
    /// It was let in a moment ago.
    Early,
    /// The state here is longer than what may be sent.
    TooLong,
}

/// What the app was told to be stable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stable {
    /// Nothing that is delivered from now on is concurrent to any of it.
    pub clock: Clock,
    /// Which instance was told.
    pub instance: u64,
    /// The randomness of the step.
    pub entropy: u64,
    /// The node's clock at the step.
    pub at: Time,
}
