//! What a replica tells its watchers: every fact that an invariant or a report needs.
//!
//! A notice shows only when everything persisted before it is durable. Notices never feed back into
//! the protocol; a watcher that ignores them all changes nothing.

use std::sync::Arc;

use app::Body;
use contract::{NodeId, Span, Time};
use upgrade::{
    gate::{HoldReason, RefuseReason},
    release::{Envelope, ReleaseId, Stamp},
    switch::{Composition, Migration, Quarantine},
    trust::Refusal,
};

mod encode;

/// A message's name, unique in a run: who sent it, in which stream, to whom, the how-manieth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId {
    /// The sender.
    pub from: NodeId,
    /// At-most-once: the sender's incarnation when it sent it. Exactly-once: the incarnation in which
    /// the stream to this receiver began, which outlives crashes that leave the sender's disk.
    pub incarnation: u64,
    /// The receiver.
    pub to: NodeId,
    /// Counts from 1 per sender, incarnation and receiver; exactly-once and at-most-once messages
    /// have counters of their own.
    pub sequence: u64,
}

/// How an exactly-once message ended where it was not delivered. Its sender is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The receiver's gate refuses it for good.
    Refused(RefuseReason),
    /// The receiver holds as much as it may.
    HoldFull,
    /// It was held longer than its time to live.
    Expired,
    /// The receiver's code faulted on it.
    Faulted(String),
    /// The receiver lost its disk; what it had acknowledged before is gone with it.
    ReceiverLost,
}

/// Why a datagram was dropped. Expected trouble: counted, never answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dropped {
    /// Sent by or to an incarnation that is over.
    Stale,
    /// Seen before.
    Duplicate,
    /// Beyond the receive window.
    BeyondWindow,
    /// An at-most-once message of a newer class.
    Shed,
    /// An at-most-once message that the gate refuses.
    Refused,
    /// A chunk, a digest or an offer that answers no question.
    Unasked,
}

/// Where a switch stands; crashes are aimed at these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The envelope verified; the code is being fetched.
    Fetch,
    /// The code is whole and passed its dry run.
    Stage,
    /// The intent to switch is durable.
    Prepare,
    /// The one record that switches everything is durable.
    Commit,
    /// Held messages are being delivered.
    Drain,
}

/// What a replica tells its watchers.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// An incarnation began: everything it knows comes from surviving records.
    Started {
        incarnation: u64,
        known: Option<ReleaseId>,
        run: Option<ReleaseId>,
        /// Which release each part of the running code belongs to.
        composition: Option<Composition>,
        /// The exported state, where something runs.
        state: Option<Arc<[u8]>>,
        /// Exactly-once messages that this node still has to get acknowledged.
        unacknowledged: Vec<MessageId>,
        /// Messages held.
        held: Vec<MessageId>,
        /// Whether records were there to recover from.
        recovered: bool,
    },
    /// An envelope arrived, from a peer or a publisher, and was verified. `after` is `known` now.
    Merged {
        incoming: Arc<Envelope>,
        before: Option<ReleaseId>,
        after: Option<ReleaseId>,
    },
    /// Two codes were published under one version; everybody prefers `winner`.
    Conflict { winner: ReleaseId, loser: ReleaseId },
    /// An envelope was refused; nothing of it was used.
    Forged { from: NodeId, refusal: Refusal },
    /// Code arrived whole but is not what the envelope says; it was thrown away.
    BadCode { release: ReleaseId, from: NodeId },
    /// A fetch went on from where a crash or another peer had left it, `have` of `total` chunks in.
    FetchResumed { release: ReleaseId, have: u32, total: u32 },
    /// The code of a release is whole, `bytes` long.
    Fetched { release: ReleaseId, bytes: u64 },
    /// The dry run passed; the switch will come `after`.
    Staged { release: ReleaseId, after: Span },
    /// The intent to switch is durable. `image` is a hash over the node's state, held messages,
    /// links and timers.
    Prepared { release: ReleaseId, image: u128 },
    /// Everything switched. `from` is `None` at the first start of code on this node.
    Committed {
        from: Option<ReleaseId>,
        release: Arc<Envelope>,
        migration: Migration,
        /// The exported state before, where something ran, and after.
        state_before: Option<Arc<[u8]>>,
        state_after: Arc<[u8]>,
        composition: Composition,
        /// How long no message could be handled.
        pause: Span,
    },
    /// The release will not run here. `image` as in `Prepared`, taken after everything was put back.
    Quarantined { release: ReleaseId, reason: Quarantine, image_before: u128, image: u128 },
    /// The messages held for this release are through the gate; `left` are held for a newer one.
    Drained { delivered: u32, left: u32 },
    /// An instance of the app exists from now on.
    InstanceBegan { instance: u64, release: ReleaseId },
    /// It takes no input any more.
    InstanceEnded { instance: u64 },

    /// An exactly-once or at-most-once message left the app and is on its way.
    Sent { id: MessageId, body: Body, stamp: Option<Stamp>, exactly_once: bool },
    /// An exactly-once message was sent again because no acknowledgement came in time.
    Retransmitted { to: NodeId, count: u32 },
    /// The receiver promised: delivered, held durably, or ended with an answer.
    Acknowledged { id: MessageId },
    /// A message reached the app. `body` is what the app saw, `sent` what arrived.
    Delivered {
        id: MessageId,
        instance: u64,
        stamp: Option<Stamp>,
        sent: Body,
        body: Body,
        /// Edges applied to it, in order; empty where it was delivered as sent.
        converted: Vec<u32>,
        /// It waited in the hold until now.
        was_held: bool,
        exactly_once: bool,
        entropy: u64,
        at: Time,
    },
    /// A message waits for a newer release. `durable`: its record went to the disk first.
    Held {
        id: MessageId,
        tag: u32,
        stamp: Option<Stamp>,
        reason: HoldReason,
        count: u32,
        bytes: u64,
        durable: bool,
    },
    /// An exactly-once message ended here undelivered; its sender will hear why.
    NotDelivered { id: MessageId, why: Ended },
    /// The sender heard that its message was not delivered.
    Nacked { id: MessageId, why: Ended },
    /// A datagram or an at-most-once message was dropped.
    Dropped { from: NodeId, why: Dropped },
    /// A peer's disk was lost: messages it had acknowledged may be gone.
    PeerLost { peer: NodeId, unacknowledged: Vec<MessageId> },

    /// A client's operation was taken in, under the release its client was built for.
    Operation { id: u64, instance: u64, sent: Body, body: Body, converted: Vec<u32>, entropy: u64, at: Time },
    /// A client's operation was refused; the state is as before.
    OperationRefused { id: u64, reason: String },
    /// The app answered a client.
    Replied { id: u64, result: Arc<[u8]> },
    /// The app took a tick that changed its state.
    Ticked { instance: u64, entropy: u64, at: Time },
    /// The app faulted; the step had no effect.
    Faulted { instance: u64, text: String },
    /// The journal was replaced by one snapshot of the state, which hashes to `state`.
    Compacted { state: u128, bytes: u64 },
}
