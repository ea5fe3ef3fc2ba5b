//! What replicas exchange: datagrams with explicit tags, none of which a version gate can stop.
//!
//! A datagram names the incarnation that sent it and the incarnation it is meant for, so that one
//! that is late for either is known as such. App messages travel inside as opaque bodies with the
//! stamp of the release that sent them; everything else is unversioned by construction.
//!
//! Knows nothing of what any part does to a replica; the bytes are in `codec`.

use std::sync::Arc;

use app::{Body, Guarantee};
use causal::{Digest as CausalDigest, Operation, Origin, Range};
use contract::NodeId;
use upgrade::{
    gate::Arrival,
    release::{CodeHash, ReleaseId, Stamp},
};

use crate::notice::Ended;

/// The highest incarnation that has an encoding: room above it, so that no sum with one overflows.
pub const INCARNATION_MAX: u64 = 1 << 63;

/// How far ahead of a node's clock the incarnations may be that it believes: incarnations are
/// nanoseconds of some clock, and a clock that fell to 1970 still believes the others until 2043. The
/// bound moves with time, so whatever a forger names is soon an incarnation that a node may go past.
pub const INCARNATION_LEAD_MAX: u64 = 1 << 61;

/// The latest clock that makes an incarnation: with the lead below [`INCARNATION_MAX`], and room for
/// every start there will ever be.
pub(crate) const CLOCK_MAX: u64 = 1 << 62;

/// Above every place in a stream: room above it, so that no sum with one overflows.
pub(crate) const SEQUENCE_MAX: u64 = 1 << 63;

/// Bytes of code in one chunk: one datagram on any network with its header.
pub const CHUNK_BYTES: usize = 1024;

/// Bytes of one app message: what fits a UDP datagram with its header.
pub const BODY_BYTES_MAX: usize = 60 * 1024;

/// Nodes in one [`Content::Members`]: what fits a small datagram.
pub const MEMBERS_MAX: usize = 64;

/// Messages in one [`Frame`]: what a receive window can take.
pub const FRAME_ITEMS_MAX: usize = 64;

/// Chunks that one [`Request`] may ask for, so that a small datagram cannot raise a flood.
pub const REQUEST_CHUNKS_MAX: u32 = 17;

/// Operations in one [`Operations`]: what a small fleet issues in a burst.
pub const OPERATIONS_MAX: usize = 64;

/// Bytes of a state in one [`Piece`].
pub const PIECE_BYTES: usize = 32 * 1024;

/// Pieces of one state, at most: as many as may be under way to a peer.
pub const PIECES_MAX: u32 = 1 << 14;

/// One datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The sender's incarnation.
    pub incarnation: u64,
    /// The receiver's incarnation, as far as the sender knows; 0: not at all.
    pub known: u64,
    /// What it says.
    pub content: Content,
}

/// What a datagram says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// How far the sender has received the receiver's stream, and nothing else.
    Ack(Ack),
    /// A part of the sender's stream, with an acknowledgement in front.
    Frame(Box<Frame>),
    /// An at-most-once app message.
    Once(Once),
    /// What the sender knows of releases.
    Digest(Digest),
    /// The signed envelope of the newest release the sender knows.
    Offer(Offer),
    /// The receiver should offer what it knows.
    Pull,
    /// Nodes that the sender knows.
    Members(Box<[NodeId]>),
    /// The receiver should send chunks of a code.
    Request(Box<Request>),
    /// A part of a code.
    Chunk(Box<Chunk>),
    /// Operations, which go to every member.
    Operations(Box<Operations>),
    /// How far the sender has come with operations.
    Standing(Box<Standing>),
    /// The receiver should send operations, where it has them.
    Wanted(Box<[Range]>),
    /// The sender is no member and wants to be let in.
    Enroll(Box<Enroll>),
    /// This origin is no member, and has to join again, or to ask another.
    Resync(Origin),
}

/// What an operation carries for the app, and the release that issued it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped {
    /// Which release's code issued it.
    pub stamp: Stamp,
    /// What it says.
    pub body: Body,
}

/// Operations on their way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operations {
    /// Who sends them: their origin, or somebody who has delivered them.
    pub via: Origin,
    /// At least one, at most [`OPERATIONS_MAX`].
    pub operations: Vec<Arc<Operation<Stamped>>>,
}

/// How far a member has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which member.
    pub origin: Origin,
    /// What it has delivered and what it has forgotten.
    pub digest: CausalDigest,
}

/// A node that is no member asks a member for its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enroll {
    /// As whom it will issue: this node, in a life that was never asked for before. Its first life: it found
    /// no member, and waits for somebody to found a membership.
    pub origin: Origin,
    /// The release that it runs; the state must not be of a newer one.
    pub release: ReleaseId,
}

/// A part of the state that a joiner goes on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Whose state it will be.
    pub origin: Origin,
    /// Which part, from 0.
    pub index: u32,
    /// How many there are; at most [`PIECES_MAX`].
    pub count: u32,
    /// The part, at most [`PIECE_BYTES`].
    pub bytes: Arc<[u8]>,
}

/// How far a stream has arrived: what the sender of the stream may forget, and what it need not
/// send again for now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ack {
    /// Which stream of the receiver's: the incarnation that began it; 0: none was ever received.
    pub epoch: u64,
    /// Everything up to this sequence is durably received. 0: nothing.
    pub cursor: u64,
    /// Bit `i`: sequence `cursor + 2 + i` is received, but may be forgotten again in a crash.
    pub beyond: u64,
    /// The receiver should answer with an [`Ack`] of its own at once.
    pub ask: bool,
}

/// A part of a stream of exactly-once letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// How far the receiver's own stream has arrived here.
    pub ack: Ack,
    /// The incarnation of the sender in which the stream began; at most its current one.
    pub epoch: u64,
    /// The lowest sequence not known to be received: a receiver that expects a lower one has lost
    /// its disk, and goes on from here.
    pub base: u64,
    /// At most [`FRAME_ITEMS_MAX`], ascending by sequence.
    pub items: Vec<Item>,
}

/// One letter of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Counts from 1 within the stream.
    pub sequence: u64,
    /// What it says.
    pub letter: Letter,
}

/// What a stream carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Letter {
    /// An exactly-once app message and the release that sent it; no stamp: an unversioned type.
    App {
        /// Which release's code sent it; kept in every retransmission.
        stamp: Option<Stamp>,
        /// What it sent.
        body: Body,
    },
    /// A letter of the receiver's stream ended here undelivered.
    Nack(Box<Nack>),
    /// A part of the state that the receiver asked for.
    Piece(Box<Piece>),
}

/// Why a letter was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nack {
    /// The stream the letter was in.
    pub epoch: u64,
    /// Its place there.
    pub sequence: u64,
    /// Why.
    pub why: Ended,
}

/// An at-most-once app message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// Counts from 1 per sender's incarnation and receiver.
    pub sequence: u64,
    /// Which release's code sent it.
    pub stamp: Option<Stamp>,
    /// What it sent.
    pub body: Body,
}

/// What a node knows of releases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// The newest release it knows.
    pub known: Option<ReleaseId>,
    /// A hash of its envelope, which may have been issued more than once; 0 where none is known.
    pub mark: u32,
    /// Whether it has the whole code of that.
    pub whole: bool,
    /// Whether it wants a digest in return where both know the same.
    pub reply: bool,
    /// How many nodes it knows, itself included.
    pub nodes: u32,
}

/// A signed envelope, as it was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The signed bytes; not looked into before they are verified.
    pub signed: Arc<[u8]>,
    /// Whether the sender has the whole code.
    pub whole: bool,
}

/// Asks for chunks of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Which code.
    pub code: CodeHash,
    /// The first chunk wanted.
    pub first: u32,
    /// Bit `i`: chunk `first + 1 + i` is wanted too.
    pub more: u16,
}

/// A part of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Which code.
    pub code: CodeHash,
    /// Which part, counted from 0 in steps of [`CHUNK_BYTES`].
    pub index: u32,
    /// The part.
    pub bytes: Arc<[u8]>,
}

impl Frame {
    /// Whether the numbers can be those of a stream: what the codec ensures, asked again of messages
    /// that never were bytes.
    pub fn is_sound(&self) -> bool {
        let mut expected = self.base;
        let ascends = self.items.iter().all(|item| {
            let next = item.sequence >= expected && item.sequence < SEQUENCE_MAX;
            expected = item.sequence.saturating_add(1);
            next
        });
        let count = (1..=FRAME_ITEMS_MAX).contains(&self.items.len());
        ascends && count && self.base > 0 && (1..=INCARNATION_MAX).contains(&self.epoch)
    }
}

impl Request {
    /// Whether it asks for chunk `first + offset`.
    pub fn asks(&self, offset: u32) -> bool {
        offset == 0 || offset < REQUEST_CHUNKS_MAX && self.more >> (offset - 1) & 1 == 1
    }
}

impl Stamped {
    /// How it comes to a gate.
    pub(crate) fn arrival(&self) -> Arrival<'_> {
        Arrival {
            stamp: Some(&self.stamp),
            tag: self.body.tag,
            guarantee: Guarantee::Causal,
            stream_is_held: false,
        }
    }
}

impl causal::Payload for Stamped {
    fn bytes(&self) -> usize {
        self.body.bytes.len() + size_of::<Self>()
    }
}
