//! The words a protocol and the world that runs it share.
//!
//! A [`Process`] is a deterministic state machine: it takes one [`Input`] at a [`Time`] and appends
//! [`Effect`]s. It owns no clock, socket, file, thread or source of randomness.
//!
//! The simulator carries effects out in virtual time; a daemon does so on real sockets and disks.
//! Neither is known here.

use std::{fmt, str::FromStr};

pub mod choices;
mod time;
pub mod wire;

pub use choices::{Aspect, Choices, Occasion, Site};
pub use time::{Span, SpanError, Time};
pub use wire::{Encode, Malformed, Wire};

/// A node's name, unique in a run. Written `n4`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

/// The text is no node.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a node such as `n4`, found `{0}`")]
pub struct NodeIdError(String);

impl FromStr for NodeId {
    type Err = NodeIdError;

    fn from_str(text: &str) -> Result<Self, NodeIdError> {
        let number = text.strip_prefix('n').and_then(|digits| digits.parse().ok());
        number
            .map(NodeId)
            .filter(|node| node.to_string() == text)
            .ok_or_else(|| NodeIdError(text.to_owned()))
    }
}

/// What the world tells a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input<P: Process + ?Sized> {
    /// The process begins, or begins again after a crash. Always the first input of an incarnation.
    Start {
        /// What survived on disk, oldest first; empty at the first start and after amnesia. An empty
        /// record, the last, stands for one that was durable and is rotten, and for all after it.
        records: Vec<Vec<u8>>,
        /// Randomness for this incarnation: the process's only source, for jitter and the like.
        entropy: u64,
    },
    /// A peer's message arrived. Loss, duplication, delay and reordering may precede it.
    Message {
        /// Who sent it, or claims to have.
        from: NodeId,
        /// What arrived.
        message: P::Message,
    },
    /// An armed timer is due.
    Timer(P::Timer),
    /// A local client or operator asks for something.
    Command(P::Command),
}

/// What a process asks of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect<P: Process + ?Sized> {
    /// Deliver `message` to `to`, perhaps: a datagram, nothing is promised.
    Send {
        /// Who should get it.
        to: NodeId,
        /// What to send.
        message: P::Message,
    },
    /// Hand `timer` back at `at` by the node's clock; arming it again moves it.
    Arm {
        /// What to hand back.
        timer: P::Timer,
        /// When. [`Time::NEVER`] disarms.
        at: Time,
    },
    /// Make a record durable before any later effect of this process shows.
    Persist(Record),
    /// Tell whoever watches.
    Notify(P::Notice),
}

/// What goes to a process's disk. A crash may lose or tear a record that is not yet durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Add a record after those that are there.
    Append(Vec<u8>),
    /// Put this record in the place of all that are there, at once: after a crash either all the old
    /// records survive or the new one alone (write aside, sync, rename).
    Replace(Vec<u8>),
}

/// A protocol, as the world sees it.
///
/// Recovery rebuilds a process from its surviving records and nothing else: the driver makes a fresh
/// process as it made the first and hands it [`Input::Start`].
pub trait Process {
    /// What peers exchange.
    type Message: Clone + fmt::Debug + Wire;
    /// What a process asks to be reminded of. A process arms few distinct timers.
    type Timer: Copy + Ord + fmt::Debug + Encode;
    /// What a local client or operator may ask.
    type Command: Clone + fmt::Debug + Encode;
    /// What the process tells its watchers.
    type Notice: Clone + fmt::Debug + Encode;

    /// Takes one input at `now` and appends what must happen next to `effects`, in order.
    ///
    /// The driver may crash the process between any two effects; a persisted record is durable
    /// before a later effect shows. While a record is on its way to the disk the process may be
    /// handed further inputs; their effects queue behind it.
    fn handle(&mut self, now: Time, input: Input<Self>, effects: &mut Vec<Effect<Self>>);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_reads_back_as_written() {
        assert_eq!("n12".parse(), Ok(NodeId(12)));
        for text in ["12", "n", "n01", "n-1", "n99999999999", "N1"] {
            assert_eq!(text.parse::<NodeId>(), Err(NodeIdError(text.to_owned())), "{text}");
        }
    }
}
