//! What a replica is doing and what it waits for, for people and for checks at rest.

use std::{fmt, sync::Arc};

use causal::{Clock, Content, Dot, Operation, Origin};
use contract::{NodeId, Time};
use upgrade::release::ReleaseId;

use crate::{Replica, code::Code, message::Stamped};

/// Where a replica stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Its incarnation.
    pub incarnation: u64,
    /// The newest release it knows.
    pub known: Option<ReleaseId>,
    /// The release it runs.
    pub run: Option<ReleaseId>,
    /// Chunks of the known release's code that are here, and how many there are; `None`: whole.
    pub fetching: Option<(u32, u32)>,
    /// Messages that wait for a newer release.
    pub held: u32,
    /// Exactly-once messages sent and not acknowledged.
    pub unacknowledged: u32,
    /// Bytes of the exported state, where something runs.
    pub state_bytes: u64,
    /// The known release, where it will not run here, and why.
    pub quarantined: Option<(ReleaseId, String)>,
    /// Nodes it knows, itself included.
    pub nodes: u32,
    /// Bytes of its log since the last snapshot, and of that snapshot.
    pub log_bytes: u64,
    /// Bytes of the last snapshot.
    pub snapshot_bytes: u64,
}

/// Where a replica stands with operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operations {
    /// As whom it issues; `None`: it is no member.
    pub origin: Option<Origin>,
    /// Members that it waits for before it calls anything stable.
    pub members: u32,
    /// What it has delivered.
    pub delivered: Clock,
    /// What all members are known to have.
    pub stable: Clock,
    /// Operations that wait for others.
    pub parked: u32,
    /// Bytes of them.
    pub parked_bytes: u64,
    /// Operations that wait at the gate for a newer release.
    pub held: u32,
    /// Delivered operations that are kept, for not all members are known to have them.
    pub unstable: u32,
}

/// What a replica waits for: every stall has at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Nothing runs, and no release is known.
    Envelope,
    /// The code of a release is not whole.
    Chunks {
        /// Whose code.
        release: ReleaseId,
        /// Chunks here.
        have: u32,
        /// Chunks in all.
        total: u32,
        /// Who was asked; `None`: nobody is known to have it.
        from: Option<NodeId>,
    },
    /// The release is staged and its turn has not come.
    SwitchAt {
        /// Which release.
        release: ReleaseId,
        /// When, by the node's clock.
        at: Time,
    },
    /// The release will not run here; only a higher one helps.
    Quarantined {
        /// Which release.
        release: ReleaseId,
        /// Why.
        reason: String,
    },
    /// A peer has not acknowledged a message.
    Acknowledgement {
        /// Who.
        peer: NodeId,
        /// How many are under way to it.
        count: u32,
        /// The oldest of them.
        oldest: u64,
        /// Whether the peer has answered this incarnation at all.
        heard: bool,
    },
    /// A message is held until a newer release runs.
    NewerRelease {
        /// Who sent it.
        from: NodeId,
        /// The release that sent it, where it is stamped.
        stamp: Option<ReleaseId>,
        /// How many are held in all.
        held: u32,
    },
    /// No member has let this node in.
    Membership {
        /// Who was asked; `None`: nobody yet.
        donor: Option<NodeId>,
    },
    /// An operation waits for one that is missing.
    Operation {
        /// Which.
        dot: Dot,
        /// What is missing.
        missing: Dot,
        /// The release that the missing one needs, where the gate holds it.
        held: Option<ReleaseId>,
    },
    /// An operation waits at the gate for a newer release.
    OperationHeld {
        /// Which.
        dot: Dot,
        /// The release that issued it.
        release: ReleaseId,
        /// How many are held in all.
        held: u32,
    },
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Envelope => write!(f, "nothing runs here: waiting for a first release"),
            Self::Chunks { release, have, total, from: Some(from) } => {
                write!(f, "waiting for code of {release}: {have} of {total} chunks, from {from}")
            }
            Self::Chunks { release, have, total, from: None } => write!(
                f,
                "waiting for code of {release}: {have} of {total} chunks, and no peer says it has it"
            ),
            Self::SwitchAt { release, at } => {
                write!(f, "{release} is staged: waiting for its turn at {at}")
            }
            Self::Quarantined { release, reason } => {
                write!(f, "{release} will not run here ({reason}): waiting for a higher release")
            }
            Self::Acknowledgement { peer, count, oldest, heard } => {
                let heard = if *heard { "" } else { ", which has not answered at all" };
                write!(f, "waiting for {peer}{heard} to acknowledge {count} from number {oldest}")
            }
            Self::NewerRelease { from, stamp: Some(stamp), held } => {
                write!(f, "{held} held: the oldest, of {from}, waits for {stamp} or newer")
            }
            Self::NewerRelease { from, stamp: None, held } => {
                write!(f, "{held} held: the oldest, of {from}, waits behind others")
            }
            Self::Membership { donor: Some(donor) } => {
                write!(f, "no member: waiting for {donor} to hand over its state")
            }
            Self::Membership { donor: None } => {
                write!(f, "no member: waiting for one that lets it in")
            }
            Self::Operation { dot, missing, held: Some(release) } => write!(
                f,
                "operation {dot} waits for {missing}, which the gate holds (it needs {release} or newer)"
            ),
            Self::Operation { dot, missing, held: None } => {
                write!(f, "operation {dot} waits for {missing}, which has not come")
            }
            Self::OperationHeld { dot, release, held } => {
                write!(f, "{held} operations held: {dot} waits for {release} or newer")
            }
        }
    }
}

impl Replica {
    /// Where the replica stands. Exports the state to measure it: not for every input.
    pub fn status(&self) -> Status {
        let state = &self.state;
        let known = state.known();
        let running = state.running();
        let fetching = match &state.code {
            Code::Parts(parts) if known.is_some() => Some((parts.have(), parts.total())),
            _ => None,
        };
        let reason = state.quarantined.as_ref().map(ToString::to_string);
        Status {
            incarnation: state.incarnation,
            known: known.map(|known| known.id.clone()),
            run: running.map(|running| running.envelope.id.clone()),
            fetching,
            held: state.hold.len() as u32,
            unacknowledged: state.links.iter().map(|link| link.unacknowledged() as u32).sum(),
            state_bytes: running.map_or(0, |running| running.instance.export().len() as u64),
            quarantined: known.map(|known| known.id.clone()).zip(reason),
            nodes: state.nodes.len() as u32,
            log_bytes: self.log_bytes,
            snapshot_bytes: self.snapshot_bytes,
        }
    }

    /// The release that runs.
    pub fn run(&self) -> Option<&ReleaseId> {
        self.state.running().map(|running| &running.envelope.id)
    }

    /// The newest release known.
    pub fn known(&self) -> Option<&ReleaseId> {
        self.state.known().map(|known| &known.id)
    }

    /// The exported state, where something runs.
    pub fn export(&self) -> Option<Vec<u8>> {
        self.state.running().map(|running| running.instance.export())
    }

    /// The program that runs.
    pub fn program(&self) -> Option<&Arc<dyn app::Program>> {
        self.state.running().map(|running| &running.program)
    }

    /// What the replica waits for; empty where it is at rest.
    pub fn waiting(&self) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        waiting.extend(self.waiting_for_release());
        waiting.extend(self.state.links.iter().filter_map(|link| {
            let streams = link.streams.as_deref()?;
            let count = streams.out.letters.len() as u32;
            let (peer, oldest, heard) = (link.peer, streams.out.base(), link.open);
            (count > 0).then_some(Waiting::Acknowledgement { peer, count, oldest, heard })
        }));
        let held = self.state.hold.len() as u32;
        waiting.extend(self.state.hold.iter().next().map(|(_, first)| Waiting::NewerRelease {
            from: first.stream.from,
            stamp: first.item.stamp.as_ref().map(|stamp| stamp.id().clone()),
            held,
        }));
        self.waiting_for_operations(&mut waiting);
        waiting
    }

    /// Where the replica stands with operations; `None` where what runs has none.
    pub fn causal(&self) -> Option<Operations> {
        if !self.has_operations() {
            return None;
        }
        let held = self.operating.held.len() as u32;
        let layer = self.state.layer.as_ref();
        let (parked, bytes) = layer.map_or((0, 0), |layer| layer.parked_size());
        Some(Operations {
            origin: layer.and_then(|layer| layer.own()),
            members: layer.map_or(0, |layer| layer.members().count() as u32),
            delivered: layer.map(|layer| layer.delivered().clone()).unwrap_or_default(),
            stable: layer.map(|layer| layer.stable()).unwrap_or_default(),
            parked: parked as u32,
            parked_bytes: bytes as u64,
            held,
            unstable: layer.map_or(0, |layer| layer.unstable() as u32),
        })
    }

    /// The first operation that waits in the layer, the first at the gate, and whether this node is in.
    fn waiting_for_operations(&self, waiting: &mut Vec<Waiting>) {
        if !self.has_operations() {
            return;
        }
        let held = &self.operating.held;
        let release = |operation: &Operation<Stamped>| match &operation.content {
            Content::Payload(sent) => Some(sent.stamp.id().clone()),
            _ => None,
        };
        let first = held.first().and_then(|first| Some((first.dot, release(first)?)));
        if let Some((dot, release)) = first {
            waiting.push(Waiting::OperationHeld { dot, release, held: held.len() as u32 });
        }
        let Some(layer) = self.state.layer.as_ref().filter(|layer| layer.own().is_some()) else {
            let donor = self.operating.joining.as_ref().map(|joining| joining.donor);
            return waiting.push(Waiting::Membership { donor });
        };
        let missing = layer.parked().find_map(|(operation, missing)| {
            missing
                .filter(|missing| !layer.parked().any(|(other, _)| other.dot == *missing))
                .map(|missing| (operation.dot, missing))
        });
        waiting.extend(missing.map(|(dot, missing)| {
            let held = held.get(missing).and_then(|held| release(held));
            Waiting::Operation { dot, missing, held }
        }));
    }

    fn waiting_for_release(&self) -> Option<Waiting> {
        let Some(known) = self.state.known() else {
            return self.state.running().is_none().then_some(Waiting::Envelope);
        };
        let release = known.id.clone();
        if self.run() == Some(&release) {
            return None;
        }
        if let Some(reason) = &self.state.quarantined {
            return Some(Waiting::Quarantined { release, reason: reason.to_string() });
        }
        match (&self.state.code, self.state.scheduled) {
            (Code::Parts(parts), _) => Some(Waiting::Chunks {
                release,
                have: parts.have(),
                total: parts.total(),
                from: self.source(),
            }),
            (Code::Whole(_), at) => Some(Waiting::SwitchAt { release, at: at.unwrap_or(self.now) }),
        }
    }
}
