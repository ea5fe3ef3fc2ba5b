//! What the code of a release declares of itself: its messages, its state, the edges that lead to it.

use contract::Span;

use crate::value::{Schema, SchemaId};

/// How often a message reaches the other side's instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guarantee {
    /// Once, in the order sent, or a terminal answer to the sender; durable on both sides.
    ExactlyOnce,
    /// Once or never. For what is sent again anyway, such as the state of a CRDT.
    AtMostOnce,
    /// An operation, broadcast: once at every member of the fleet, the origin included, and after
    /// everything that its origin had delivered before; its dot names it for ever.
    Causal,
}

/// A message or operation type. Its tag is never reused for another meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageType {
    /// On the wire.
    pub tag: u32,
    /// In reports.
    pub name: &'static str,
    /// The first version of this API class that understands it, as `major.minor.patch`.
    pub since: [u64; 3],
    /// How it is sent.
    pub guarantee: Guarantee,
    /// Whether it carries the sender's release and passes the gate. The receiver decides by its own
    /// manifest; a sender that strips the stamp of a versioned type is refused.
    pub versioned: bool,
    /// The type of its value.
    pub schema: Schema,
}

/// One step from an older release line to a newer one: how state migrates and messages convert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The API class that messages come from, as the text of `upgrade::ApiClass`, such as `1`.
    pub from_class: &'static str,
    /// The API class that messages go to.
    pub to_class: &'static str,
    /// The schema that state comes from.
    pub from_state: SchemaId,
    /// The schema that state goes to.
    pub to_state: SchemaId,
}

/// What the code of one release declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The application: releases of another never merge with it.
    pub app: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// The type of the exported state.
    pub state: Schema,
    /// Messages and operations that the instance takes, ascending by tag.
    pub messages: Vec<MessageType>,
    /// Edges from older classes and schemas, oldest first. A chain of them leads here.
    pub edges: Vec<Edge>,
    /// Kinds of client operation for workloads, each a name that `Program::operation` knows.
    pub operations: Vec<&'static str>,
    /// Names of the quantities that every migration conserves, each a sum over the nodes' states.
    pub measures: Vec<&'static str>,
    /// The field of the state that comes to be the same on all nodes; `None`: they share nothing.
    pub replicated: Option<&'static str>,
    /// How often the instance gets a tick; `None`: never.
    pub tick: Option<Span>,
}

impl Manifest {
    /// The message type with this tag, if the code has one.
    pub fn message(&self, tag: u32) -> Option<&MessageType> {
        self.messages
            .binary_search_by_key(&tag, |message| message.tag)
            .ok()
            .map(|at| &self.messages[at])
    }
}
