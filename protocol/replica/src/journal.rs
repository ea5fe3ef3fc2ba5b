//! What goes to disk: a record is the list of changes of one transaction, or a snapshot of everything.
//!
//! Small things are written as what happened, and happen again at recovery: a step of the app is its
//! input, which the same code turns into the same state. Readers are total, for disks rot.
//!
//! Knows nothing of what a change does; that is `state`.

use std::sync::Arc;

use app::Incoming;
use causal::Operation;
use contract::{
    Encode, Malformed, NodeId, Time, Wire,
    wire::{put_blob, put_varint, take_array, take_blob, take_byte, take_varint},
};
use upgrade::{hold::Held, release::Stamp, switch::Quarantine};

use crate::{
    codec::{
        put_body, put_letter, put_stamp, take_any_body, take_body, take_incarnation, take_letter,
        take_stamp,
    },
    message::{Letter, SEQUENCE_MAX, Stamped},
};

/// A log is replaced by a snapshot when it is this many times as long as the last one: a long state,
/// or a release with long code, is then not copied for every few changes.
pub const LOG_FACTOR: u64 = 4;

/// The first byte of a record that is a list of changes.
pub(crate) const CHANGES: u8 = 1;

/// The first byte of a record that is a snapshot. The layout is part of the number.
pub(crate) const SNAPSHOT: u8 = 2;

/// The stream that a held message came in: its sender, and the incarnation that began it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Origin {
    pub(crate) from: NodeId,
    pub(crate) epoch: u64,
}

/// A held message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiter {
    /// Its place in its stream.
    pub(crate) sequence: u64,
    pub(crate) stamp: Option<Stamp>,
    pub(crate) body: app::Body,
}

/// One change of the durable state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The node started: a new incarnation, and a new instance of what runs.
    Begin(u64),
    /// A peer remembers a later life of this node: the incarnation is above that from now on.
    Raise(u64),
    /// A node that was not known.
    Node(NodeId),
    /// An envelope became the newest known: its signed bytes.
    Known(Arc<[u8]>),
    /// The code of the known release is whole.
    Whole(Arc<[u8]>),
    /// A chunk of it arrived.
    Chunk { index: u32, bytes: Arc<[u8]> },
    /// The chunks that are here are not what the envelope promised.
    Discard,
    /// The app took a step that changed its state.
    Step { now: Time, entropy: u64, incoming: Incoming },
    /// The app took the operation that was delivered just before in the same record, as the release that
    /// runs converts it.
    Taken { now: Time, entropy: u64 },
    /// A letter joined the stream to a node.
    Push { to: NodeId, letter: Letter },
    /// The stream from a node, begun in its incarnation `epoch`, is taken up to `cursor`.
    Cursor { from: NodeId, epoch: u64, cursor: u64 },
    /// The stream to a node begins anew; letters up to `received` were received.
    Renew { to: NodeId, epoch: u64, received: u64 },
    /// A message waits for a newer release.
    Hold { counter: u64, held: Held<Origin, Waiter> },
    /// It waits no more.
    Unhold(u64),
    /// The known release is staged and switches at this time.
    Schedule(Time),
    /// A switch to the known release begins.
    Prepare,
    /// The known release will not run here.
    Quarantine(Quarantine),
    /// The node is one of those that broadcast operations from the beginning.
    Found(Vec<NodeId>),
    /// The node broadcasts operations, and nobody else does yet.
    FoundAlone(causal::Origin),
    /// An operation was delivered; of this node's own that is when it is issued.
    Operation(Arc<Operation<Stamped>>),
    /// The node goes on from a member's state.
    Adopt(Box<Adopted>),
    /// The node is no member any more.
    Leave,
}

/// What a joiner goes on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Adopted {
    /// As whom it issues.
    pub(crate) origin: causal::Origin,
    /// The exported state of the app.
    pub(crate) state: Arc<[u8]>,
    /// The exported layer.
    pub(crate) layer: Arc<[u8]>,
}

impl Encode for Origin {
    fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, u64::from(self.from.0));
        put_varint(out, self.epoch);
    }
}

impl Wire for Origin {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(Self { from: take_node(bytes)?, epoch: take_incarnation(bytes)? })
    }
}

impl Encode for Waiter {
    fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.sequence);
        put_stamp(self.stamp.as_ref(), out);
        put_body(&self.body, out);
    }
}

impl Wire for Waiter {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let sequence = take_varint(bytes)?;
        let stamp = take_stamp(bytes)?;
        Ok(Self { sequence, stamp, body: take_body(bytes)? })
    }
}

pub(crate) fn put_node(out: &mut Vec<u8>, node: NodeId) {
    put_varint(out, u64::from(node.0));
}

pub(crate) fn take_node(bytes: &mut &[u8]) -> Result<NodeId, Malformed> {
    u32::read(bytes).map(NodeId)
}

/// Reads a place in a stream. There are others after it, however many a log adds.
pub(crate) fn take_cursor(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    let cursor = take_varint(bytes)?;
    if cursor > SEQUENCE_MAX { Err(Malformed("a place in a stream")) } else { Ok(cursor) }
}

impl Change {
    /// Appends the change. `stamp`: the running release's, which a letter need not repeat.
    pub(crate) fn encode(&self, stamp: Option<&Stamp>, out: &mut Vec<u8>) {
        match self {
            Self::Begin(incarnation) => put_numbers(out, 1, &[*incarnation]),
            Self::Node(node) => put_numbers(out, 2, &[u64::from(node.0)]),
            Self::Known(signed) => put_tagged(out, 3, signed),
            Self::Whole(code) => put_tagged(out, 4, code),
            Self::Chunk { index, bytes } => {
                put_numbers(out, 5, &[u64::from(*index)]);
                put_blob(out, bytes);
            }
            Self::Discard => out.push(6),
            Self::Step { now, entropy, incoming } => {
                put_numbers(out, 7, &[now.as_nanos()]);
                out.extend_from_slice(&entropy.to_le_bytes());
                put_incoming(incoming, out);
            }
            Self::Push { to, letter } => {
                put_numbers(out, 8, &[u64::from(to.0)]);
                put_letter(letter, stamp, out);
            }
            Self::Cursor { from, epoch, cursor } => {
                put_numbers(out, 9, &[u64::from(from.0), *epoch, *cursor]);
            }
            Self::Renew { to, epoch, received } => {
                put_numbers(out, 10, &[u64::from(to.0), *epoch, *received]);
            }
            Self::Hold { counter, held } => {
                put_numbers(out, 11, &[*counter]);
                held.encode(out);
            }
            Self::Unhold(counter) => put_numbers(out, 12, &[*counter]),
            Self::Schedule(at) => put_numbers(out, 13, &[at.as_nanos()]),
            Self::Prepare => out.push(14),
            Self::Quarantine(reason) => {
                out.push(15);
                reason.encode(out);
            }
            Self::Raise(incarnation) => put_numbers(out, 16, &[*incarnation]),
            Self::Found(nodes) => {
                put_numbers(out, 17, &[nodes.len() as u64]);
                nodes.iter().for_each(|node| put_node(out, *node));
            }
            Self::Operation(operation) => {
                out.push(18);
                operation.encode(out);
            }
            Self::Adopt(adopted) => {
                out.push(19);
                adopted.origin.encode(out);
                put_blob(out, &adopted.state);
                put_blob(out, &adopted.layer);
            }
            Self::Leave => out.push(20),
            Self::Taken { now, entropy } => {
                put_numbers(out, 22, &[now.as_nanos()]);
                out.extend_from_slice(&entropy.to_le_bytes());
            }
            Self::FoundAlone(origin) => {
                out.push(21);
                origin.encode(out);
            }
        }
    }

    /// Reads what [`Change::encode`] wrote with the same `stamp`.
    pub(crate) fn read(bytes: &mut &[u8], stamp: Option<&Stamp>) -> Result<Self, Malformed> {
        Ok(match take_byte(bytes)? {
            1 => Self::Begin(take_incarnation(bytes)?),
            2 => Self::Node(take_node(bytes)?),
            3 => Self::Known(take_blob(bytes)?.into()),
            4 => Self::Whole(take_blob(bytes)?.into()),
            5 => Self::Chunk { index: u32::read(bytes)?, bytes: take_blob(bytes)?.into() },
            6 => Self::Discard,
            7 => Self::Step {
                now: Time::from_nanos(take_varint(bytes)?),
                entropy: u64::from_le_bytes(take_array(bytes)?),
                incoming: take_incoming(bytes)?,
            },
            8 => Self::Push {
                to: take_node(bytes)?,
                letter: take_letter(bytes, &mut stamp.cloned())?,
            },
            9 => Self::Cursor {
                from: take_node(bytes)?,
                epoch: take_incarnation(bytes)?,
                cursor: take_cursor(bytes)?,
            },
            10 => Self::Renew {
                to: take_node(bytes)?,
                epoch: take_incarnation(bytes)?,
                received: take_cursor(bytes)?,
            },
            11 => Self::Hold { counter: take_varint(bytes)?, held: Wire::read(bytes)? },
            12 => Self::Unhold(take_varint(bytes)?),
            13 => Self::Schedule(Time::from_nanos(take_varint(bytes)?)),
            14 => Self::Prepare,
            15 => Self::Quarantine(Wire::read(bytes)?),
            16 => Self::Raise(take_incarnation(bytes)?),
            17 => {
                let count = take_varint(bytes)?;
                Self::Found((0..count).map(|_| take_node(bytes)).collect::<Result<_, _>>()?)
            }
            18 => Self::Operation(Arc::new(Wire::read(bytes)?)),
            19 => Self::Adopt(Box::new(Adopted {
                origin: Wire::read(bytes)?,
                state: take_blob(bytes)?.into(),
                layer: take_blob(bytes)?.into(),
            })),
            20 => Self::Leave,
            22 => Self::Taken {
                now: Time::from_nanos(take_varint(bytes)?),
                entropy: u64::from_le_bytes(take_array(bytes)?),
            },
            21 => Self::FoundAlone(Wire::read(bytes)?),
            _ => return Err(Malformed("a kind of change")),
        })
    }
}

fn put_numbers(out: &mut Vec<u8>, tag: u8, numbers: &[u64]) {
    out.push(tag);
    numbers.iter().for_each(|number| put_varint(out, *number));
}

fn put_tagged(out: &mut Vec<u8>, tag: u8, blob: &[u8]) {
    out.push(tag);
    put_blob(out, blob);
}

fn put_incoming(incoming: &Incoming, out: &mut Vec<u8>) {
    match incoming {
        Incoming::Message { from, body } => {
            put_numbers(out, 0, &[u64::from(from.0)]);
            put_body(body, out);
        }
        Incoming::Operation { id, body } => {
            put_numbers(out, 1, &[*id]);
            put_body(body, out);
        }
        Incoming::Tick => out.push(2),
        Incoming::Delivered { stamp, past, body } => {
            out.push(3);
            stamp.encode(out);
            past.encode(out);
            put_body(body, out);
        }
        Incoming::Stable { clock } => {
            out.push(4);
            clock.encode(out);
        }
    }
}

fn take_incoming(bytes: &mut &[u8]) -> Result<Incoming, Malformed> {
    Ok(match take_byte(bytes)? {
        0 => Incoming::Message { from: take_node(bytes)?, body: take_any_body(bytes)? },
        1 => Incoming::Operation { id: take_varint(bytes)?, body: take_any_body(bytes)? },
        2 => Incoming::Tick,
        3 => Incoming::Delivered {
            stamp: Wire::read(bytes)?,
            past: Wire::read(bytes)?,
            body: take_any_body(bytes)?,
        },
        4 => Incoming::Stable { clock: Wire::read(bytes)? },
        _ => return Err(Malformed("an input of an app")),
    })
}
