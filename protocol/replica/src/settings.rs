//! What a replica is told when it is made, and never changes.

use std::sync::Arc;

use contract::{NodeId, Span};
use upgrade::{
    bugs::Bugs,
    gate::GateMode,
    hold::Limits,
    trust::{Root, Verifier},
};

/// Makes a replica. A driver makes the same one again after a crash.
#[derive(Clone)]
pub struct Settings {
    /// The node's name.
    pub node: NodeId,
    /// Nodes to begin with; others are learnt. The node itself may be among them. Those of one fleet are told
    /// of the same: where the first operations come by an upgrade, the least of them founds the membership
    /// once it heard of all others that they found none.
    pub peers: Arc<[NodeId]>,
    /// Whose releases the node believes.
    pub root: Root,
    /// A verifier of that root which has looked at envelopes before: what it found out need not be
    /// found out again. Changes nothing but how long a start and a verdict take.
    pub verifier: Option<Arc<Verifier>>,
    /// What turns code into programs.
    pub runtime: Arc<dyn app::Runtime>,
    /// The release a node without a disk starts with, if any: signed envelope and code.
    pub initial: Option<Release>,
    /// How nodes tell each other of releases.
    pub gossip: Gossip,
    /// How code is fetched.
    pub fetch: Fetch,
    /// How exactly-once messages travel.
    pub link: Link,
    /// How many messages may wait for a newer release, and how long.
    pub hold: Limits,
    /// Whether the version gate is on. Off, every message is delivered as it came (R34).
    pub gate: GateMode,
    /// Bytes of log after which it is replaced by a snapshot, where that is more than
    /// [`crate::journal::LOG_FACTOR`] times the last snapshot.
    pub log_bytes_min: u64,
    /// Switches that a crash may interrupt before a release is given up.
    pub switch_attempts_max: u32,
    /// How operations are broadcast, where a release has any.
    pub causal: Causal,
    /// Planted bugs, for tests that show that a checker sees them. None by default.
    pub bugs: Bugs,
}

/// A release as it is published: what is signed, and the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The signed envelope, as `upgrade::trust` made it.
    pub signed: Arc<[u8]>,
    /// The code that the envelope names by its hash.
    pub code: Arc<[u8]>,
}

/// How nodes tell each other of releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gossip {
    /// Between two digests of a node, each to another peer; jittered by a quarter either way.
    pub period: Span,
    /// Peers that a node tells at once when it learns of a release or has its code whole.
    pub fanout: u32,
}

/// How code is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// Chunks asked for and not yet there, at most.
    pub window: u32,
    /// The first guess of how long a chunk takes; measured from then on.
    pub timeout: Span,
    /// Without a chunk for so many timeouts, another peer is asked.
    pub silence_timeouts: u32,
}

/// How exactly-once messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Letters to one peer that may be unacknowledged before operations are refused.
    pub outbox_max: u32,
    /// The first guess of a round trip's length; measured from then on.
    pub timeout: Span,
    /// The longest wait between two retransmissions.
    pub timeout_max: Span,
    /// How long an acknowledgement may wait for something to travel with.
    pub ack_delay: Span,
}

/// How operations are broadcast, and what is kept of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Causal {
    /// Between two comparisons with a peer, drawn anew each time; up to a quarter longer.
    pub period: Span,
    /// How long a member that others wait to hear of says nothing before it issues a heartbeat; up to a
    /// quarter longer.
    pub heartbeat: Span,
    /// How long a joiner waits for the peer that it asked before it draws another; up to a quarter
    /// longer. A node is let in at most twice in that time.
    pub patience: Span,
    /// How long a node that was let in may say nothing before it is retired by whoever let it in; any
    /// other member waits twice as long.
    pub silence: Span,
    /// Members, those that are retired and waited for included, from which on none is let in.
    pub members_max: usize,
    /// What the layer keeps.
    pub limits: causal::Limits,
    /// Operations of newer releases that wait at the gate; beyond it they are dropped, and come again. Half
    /// of the room is shared out evenly among the members.
    pub held_max: usize,
    /// Bytes of them; as for their number.
    pub held_bytes_max: usize,
    /// Bytes of operations in one answer to a member that lacks some.
    pub answer_bytes_max: usize,
}

impl Default for Causal {
    /// A comparison each half second, heartbeats after one second, 10 s for a donor, a minute of silence,
    /// 4,096 members, 10,000 operations and 16 MiB of them at the gate, 40 KiB an answer.
    fn default() -> Self {
        Self {
            period: Span::from_millis(500),
            heartbeat: Span::from_secs(1),
            patience: Span::from_secs(10),
            silence: Span::from_secs(60),
            members_max: 4096,
            limits: causal::Limits::default(),
            held_max: 10_000,
            held_bytes_max: 16 << 20,
            answer_bytes_max: 40 * 1024,
        }
    }
}

impl Settings {
    /// Settings with the documented defaults; `root` and `runtime` have none.
    pub fn new(
        node: NodeId,
        peers: Arc<[NodeId]>,
        root: Root,
        runtime: Arc<dyn app::Runtime>,
    ) -> Self {
        Self {
            node,
            peers,
            root,
            verifier: None,
            runtime,
            initial: None,
            gossip: Gossip::default(),
            fetch: Fetch::default(),
            link: Link::default(),
            hold: Limits::default(),
            gate: GateMode::Enabled,
            log_bytes_min: 64 * 1024,
            switch_attempts_max: 8,
            causal: Causal::default(),
            bugs: Bugs::default(),
        }
    }
}

impl Default for Gossip {
    /// A digest each second, three peers at once.
    fn default() -> Self {
        Self { period: Span::from_secs(1), fanout: 3 }
    }
}

impl Default for Fetch {
    /// 16 chunks under way, half a second for each at first, another peer after 4 silent timeouts.
    fn default() -> Self {
        Self { window: 16, timeout: Span::from_millis(500), silence_timeouts: 4 }
    }
}

impl Default for Link {
    /// 1,024 letters, 200 ms at first, 3 s at most, acknowledgements within 5 ms.
    fn default() -> Self {
        Self {
            outbox_max: 1024,
            timeout: Span::from_millis(200),
            timeout_max: Span::from_secs(3),
            ack_delay: Span::from_millis(5),
        }
    }
}
