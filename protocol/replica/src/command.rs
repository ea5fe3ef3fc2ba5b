//! What a local client or operator asks, and what a replica asks to be reminded of.

use std::sync::Arc;

use app::Body;
use contract::{
    Encode, NodeId,
    wire::{put_blob, put_varint},
};
use upgrade::release::Stamp;
use xxhash_rust::xxh3::xxh3_128;

/// What a local client or operator asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A client's operation on the app.
    Operation {
        /// Names it in notices; the client's to choose, unique on this node.
        id: u64,
        /// What to do.
        body: Body,
        /// The release the client was built for: an older one's operations are converted. `None`:
        /// whatever runs.
        stamp: Option<Stamp>,
    },
    /// Adopt a release and tell everybody, as if a peer had offered it with the code at hand.
    Publish {
        /// The signed envelope.
        signed: Arc<[u8]>,
        /// The code that it names.
        code: Arc<[u8]>,
    },
    /// Let a node be a member no more, whom everybody else waits for in vain.
    Retire(NodeId),
}

/// What a replica asks to be reminded of. At most one of each is armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// Tell some peer what is known.
    Gossip,
    /// Acknowledge or retransmit on some link.
    Link,
    /// Ask for chunks again.
    Fetch,
    /// Give the app its tick.
    Tick,
    /// Switch to the staged release, or begin again what a crash interrupted.
    Switch,
    /// The oldest held message expires.
    Hold,
    /// Deliver what the node sent to itself.
    Local,
    /// Compare operations with another member, or ask to be let in.
    Compare,
    /// Say what was delivered, where others wait to hear of it.
    Heartbeat,
}

impl Encode for Timer {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }
}

impl Encode for Command {
    /// Long things stand by their hash: this is for fingerprints, and commands never travel.
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Operation { id, body, stamp } => {
                out.push(0);
                put_varint(out, *id);
                put_varint(out, u64::from(body.tag));
                put_blob(out, &body.bytes);
                match stamp {
                    Some(stamp) => stamp.encode(out),
                    None => out.push(0),
                }
            }
            Self::Publish { signed, code } => {
                out.push(1);
                put_blob(out, signed);
                put_varint(out, code.len() as u64);
                out.extend_from_slice(&xxh3_128(code).to_le_bytes());
            }
            Self::Retire(node) => {
                out.push(2);
                put_varint(out, u64::from(node.0));
            }
        }
    }
}
