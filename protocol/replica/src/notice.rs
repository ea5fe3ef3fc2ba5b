//! What a replica tells its watchers: every fact that an invariant or a report needs.
//!
//! A notice shows only when everything persisted before it is durable. Notices never feed back into
//! the protocol; a watcher that ignores them all changes nothing.

use std::sync::Arc;

use app::Body;
use causal::{Dot, Origin};
use contract::{NodeId, Span, Time};
use upgrade::{
    gate::{HoldReason, RefuseReason},
    path::{Converted, Path},
    release::{Envelope, ReleaseId, Stamp},
    switch::{Composition, Migration, Quarantine},
    trust::Refusal,
};

mod encode;
mod operations;

pub use operations::{
    BecameMember, CausallyDelivered, Issued, NotEnrolled, NotHeld, Outcome, Stable,
};

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
    /// Its numbers cannot be.
    Malformed,
    /// More than may wait: from the node to itself the oldest, or an operation that others must precede.
    Crowded,
}

/// What a message or an operation became before the app saw it. Most stay as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversion(Option<Box<Converted>>);

impl Conversion {
    /// It stayed as it came.
    pub const NONE: Self = Self(None);

    /// Taken along `edges`, in this order, it became `body`.
    pub fn new(edges: impl IntoIterator<Item = u32>, body: Body) -> Self {
        Self::from(Converted { path: Path::over(edges), body })
    }

    /// Edges applied to it, in order; empty where it stayed as it came.
    pub fn edges(&self) -> &[u32] {
        self.0.as_deref().map_or(&[], |converted| converted.path.edges())
    }

    /// Whether no edge was applied to it.
    pub fn is_empty(&self) -> bool {
        self.edges().is_empty()
    }

    /// What the app saw, where `sent` is what came.
    pub fn body<'a>(&'a self, sent: &'a Body) -> &'a Body {
        self.0.as_deref().map_or(sent, |converted| &converted.body)
    }
}

impl From<Converted> for Conversion {
    fn from(converted: Converted) -> Self {
        Self(Some(Box::new(converted)))
    }
}

/// What a switch that failed left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// xxh3-128 of the exported state, where something runs.
    pub state: Option<u128>,
    /// Messages held.
    pub held: Vec<MessageId>,
}

/// What an incarnation remembers of messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// Exactly-once messages that this node still has to get acknowledged.
    pub unacknowledged: Vec<MessageId>,
    /// Messages held.
    pub held: Vec<MessageId>,
    /// Of each stream that ever arrived the last message that was taken: whatever came up to it
    /// and is not held was delivered or ended, even where the crash took the notice.
    pub received: Vec<MessageId>,
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
///
/// Small, for every delivery comes with some: what only rare ones carry is boxed.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// An incarnation began: everything it knows comes from surviving records.
    Started {
        /// Its number.
        incarnation: u64,
        /// The newest release it knows.
        known: Option<ReleaseId>,
        /// The release it runs.
        run: Option<ReleaseId>,
        /// Which release each part of the running code belongs to.
        composition: Option<Box<Composition>>,
        /// The exported state, where something runs.
        state: Option<Arc<[u8]>>,
        /// What it remembers of messages.
        messages: Box<Remembered>,
        /// Whether records were there to recover from.
        recovered: bool,
    },
    /// An envelope arrived, from a peer or a publisher, and was verified. `after` is `known` now.
    Merged {
        /// What the envelope says.
        incoming: Arc<Envelope>,
        /// What was known before.
        before: Option<ReleaseId>,
        /// What is known now.
        after: Option<ReleaseId>,
    },
    /// Two codes were published under one version; everybody prefers `winner`.
    Conflict {
        /// The greater code hash.
        winner: ReleaseId,
        /// The other.
        loser: ReleaseId,
    },
    /// An envelope was refused; nothing of it was used.
    Forged {
        /// Who sent it; the node itself where a local publisher did.
        from: NodeId,
        /// Why.
        refusal: Refusal,
    },
    /// Code arrived whole but is not what the envelope says; it was thrown away.
    BadCode {
        /// Whose code it should have been.
        release: ReleaseId,
        /// Who gave the last of it.
        from: NodeId,
    },
    /// A fetch went on from where a crash or another peer had left it, `have` of `total` chunks in.
    FetchResumed {
        /// Whose code.
        release: ReleaseId,
        /// Chunks here.
        have: u32,
        /// Chunks in all.
        total: u32,
    },
    /// The code of a release is whole, `bytes` long.
    Fetched {
        /// Whose code.
        release: ReleaseId,
        /// How long it is.
        bytes: u64,
    },
    /// The dry run passed; the switch will come `after`.
    Staged {
        /// Which release.
        release: ReleaseId,
        /// How much later.
        after: Span,
    },
    /// The intent to switch is durable. `image` is a hash over the node's state, held messages,
    /// links and timers.
    Prepared {
        /// Which release.
        release: ReleaseId,
        /// Before anything was tried.
        image: u128,
    },
    /// Everything switched. `from` is `None` at the first start of code on this node.
    Committed {
        /// What ran before.
        from: Option<ReleaseId>,
        /// What runs now.
        release: Arc<Envelope>,
        /// What became of the state.
        migration: Box<Migration>,
        /// The exported state before, where something ran.
        state_before: Option<Arc<[u8]>>,
        /// The exported state after.
        state_after: Arc<[u8]>,
        /// Which release each part belongs to now.
        composition: Box<Composition>,
    },
    /// The release will not run here. `image` as in `Prepared`, taken after everything was put back.
    Quarantined {
        /// Which release.
        release: ReleaseId,
        /// Why.
        reason: Box<Quarantine>,
        /// Before it was tried.
        image_before: u128,
        /// After it failed.
        image: u128,
        /// What of that a watcher can compare with what it saw itself. No part of the canonical bytes,
        /// for the image is of all of it.
        left: Box<Left>,
    },
    /// The messages held for this release are through the gate; `left` are held for a newer one.
    Drained {
        /// How many left the hold.
        delivered: u32,
        /// How many stay.
        left: u32,
    },
    /// An instance of the app exists from now on.
    InstanceBegan {
        /// Its number; of all on one disk no two have the same.
        instance: u64,
        /// Whose code it is.
        release: ReleaseId,
    },
    /// It takes no input any more.
    InstanceEnded {
        /// Its number.
        instance: u64,
    },

    /// An exactly-once or at-most-once message left the app and is on its way.
    Sent {
        /// Its name.
        id: MessageId,
        /// What the app sent.
        body: Body,
        /// The release that sent it; `None` for an unversioned type.
        stamp: Option<Stamp>,
        /// Under which guarantee.
        exactly_once: bool,
    },
    /// An exactly-once message was sent again because no acknowledgement came in time.
    Retransmitted {
        /// To whom.
        to: NodeId,
        /// How many.
        count: u32,
    },
    /// The receiver promised: delivered, held durably, or ended with an answer.
    Acknowledged {
        /// Its name.
        id: MessageId,
    },
    /// A message reached the app.
    Delivered {
        /// Its name.
        id: MessageId,
        /// Which instance took it.
        instance: u64,
        /// The release that sent it.
        stamp: Option<Stamp>,
        /// What arrived.
        sent: Body,
        /// What it was converted to for the app.
        converted: Conversion,
        /// It waited in the hold until now.
        was_held: bool,
        /// Under which guarantee it was sent.
        exactly_once: bool,
        /// The randomness of the step.
        entropy: u64,
        /// The node's clock at the step.
        at: Time,
    },
    /// A message waits for a newer release. `durable`: its record went to the disk first.
    Held {
        /// Its name.
        id: MessageId,
        /// Its type.
        tag: u32,
        /// The release that sent it.
        stamp: Option<Stamp>,
        /// Why it waits.
        reason: HoldReason,
        /// Messages held now.
        count: u32,
        /// Bytes held now.
        bytes: u64,
        /// Whether a crash spares it.
        durable: bool,
    },
    /// An exactly-once message ended here undelivered; its sender will hear why.
    NotDelivered {
        /// Its name.
        id: MessageId,
        /// How it ended.
        why: Ended,
    },
    /// The sender heard that its message was not delivered.
    Nacked {
        /// Its name.
        id: MessageId,
        /// How it ended.
        why: Ended,
    },
    /// A datagram or an at-most-once message was dropped.
    Dropped {
        /// Who sent it.
        from: NodeId,
        /// Why.
        why: Dropped,
    },
    /// A peer's disk was lost: messages it had acknowledged may be gone.
    PeerLost {
        /// Whose.
        peer: NodeId,
        /// What it will be sent again, even where it had been delivered before the loss.
        unacknowledged: Vec<MessageId>,
    },
    /// The stream to a peer began anew, for this node's disk had lost part of it or its incarnation
    /// had fallen: the messages `before` are called `after` from now on, one by one.
    Renumbered {
        /// To whom.
        peer: NodeId,
        /// Names until now.
        before: Vec<MessageId>,
        /// Names from now on.
        after: Vec<MessageId>,
    },

    /// A client's operation was taken in, under the release its client was built for.
    Operation {
        /// The client's name for it.
        id: u64,
        /// Which instance took it.
        instance: u64,
        /// What the client asked.
        sent: Body,
        /// What it was converted to for the app.
        converted: Conversion,
        /// The randomness of the step.
        entropy: u64,
        /// The node's clock at the step.
        at: Time,
    },
    /// A client's operation was refused; the state is as before.
    OperationRefused {
        /// The client's name for it.
        id: u64,
        /// Why, in words.
        reason: String,
    },
    /// The app answered a client.
    Replied {
        /// The client's name for its operation.
        id: u64,
        /// The answer, a canonical value.
        result: Arc<[u8]>,
    },
    /// The app took a tick that changed its state.
    Ticked {
        /// Which instance.
        instance: u64,
        /// The randomness of the step.
        entropy: u64,
        /// The node's clock at the step.
        at: Time,
    },
    /// The app faulted; the step had no effect.
    Faulted {
        /// Which instance.
        instance: u64,
        /// What it said.
        text: String,
    },
    /// This node issued an operation.
    Broadcast(Box<Issued>),
    /// An operation was delivered here, its own included.
    CausallyDelivered(Box<CausallyDelivered>),
    /// The app was told that operations are stable.
    Stable(Box<Stable>),
    /// An operation waits at the gate for a newer release. A crash does not spare it; others have it.
    OperationHeld {
        /// Its name.
        dot: Dot,
        /// Why it waits.
        reason: HoldReason,
        /// Operations that wait so.
        count: u32,
    },
    /// An operation of a newer release is not kept at the gate: it comes again.
    OperationNotHeld {
        /// Its name.
        dot: Dot,
        /// Why.
        why: NotHeld,
    },
    /// An operation waits for one that is missing.
    OperationParked {
        /// Its name.
        dot: Dot,
        /// What is missing.
        missing: Dot,
        /// Operations that wait so.
        count: u32,
    },
    /// An operation, or what a peer said of operations, was refused.
    OperationRejected {
        /// Who sent it.
        from: NodeId,
        /// Why.
        why: causal::Refusal,
    },
    /// This node asked another for operations that it lacks.
    RepairAsked {
        /// Whom.
        to: NodeId,
        /// How many.
        operations: u64,
    },
    /// This node sent another what it had of the operations that it lacks.
    RepairAnswered {
        /// Whom.
        to: NodeId,
        /// How many.
        operations: u32,
    },
    /// This node broadcasts operations from now on, and lets others in: nobody was a member.
    Founded {
        /// As whom it issues.
        origin: Origin,
    },
    /// This node let another in, under this name, and sends it its state.
    Enrolled {
        /// Who issues under it.
        origin: Origin,
    },
    /// A node that asked to be let in was not.
    EnrollRefused {
        /// Which.
        node: NodeId,
        /// Why.
        why: NotEnrolled,
    },
    /// This node is a member from now on.
    BecameMember(Box<BecameMember>),
    /// Nothing is taken from this origin any more, as far as this node decides.
    Retired {
        /// Which.
        origin: Origin,
    },
    /// Nobody waits any more for what a retired origin may have seen.
    Gone {
        /// Which.
        origin: Origin,
    },
    /// This node was retired, or lost what nobody can give back: it is no member until it joined again.
    Resynced {
        /// As whom it issued until now.
        origin: Origin,
        /// Who said so.
        from: NodeId,
    },
    /// A node was not retired; nothing changed.
    RetireRefused {
        /// Which.
        node: NodeId,
        /// Why, in words.
        reason: String,
    },
    /// The layer was taken down and built up again by a switch. It goes on from here.
    LayerRebuilt {
        /// How many operations wait in it again.
        parked: u32,
    },
    /// The journal was replaced by one snapshot of the state, which hashes to `state`.
    Compacted {
        /// xxh3-128 of the exported state.
        state: u128,
        /// Length of the snapshot.
        bytes: u64,
    },
}

const _: () = assert!(size_of::<contract::Effect<crate::Replica>>() <= 96, "effects stay small");
