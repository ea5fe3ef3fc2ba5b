//! What a watcher sees of a run, and what it may order.

use crate::{
    disk::{Damage, Lost},
    fault::Fault,
    world::Core,
};
use contract::{NodeId, Process, Span, Time};

/// Whoever looks on while a world runs: checkers, traces, reports.
pub trait Watch<P: Process> {
    /// Whether [`Event::Sent`], [`Event::Delivered`] and [`Event::Undeliverable`] are wanted. They are
    /// most of all events; where they are not wanted they are not made.
    const DATAGRAMS: bool = true;

    /// Looks at `event`, which happened at `at` by the world's clock. A [`Control`] other than
    /// [`Control::Continue`] is obeyed before anything else happens.
    fn event(&mut self, at: Time, event: Event<'_, P>, world: &View<'_, P>) -> Control;

    /// Whether the world is to stop although nothing happened that says so, such as because nobody waits
    /// for the run any more. Asked once in a few thousand events, many of which may not be shown.
    #[inline]
    fn has_enough(&self) -> bool {
        false
    }
}

/// No one looks.
impl<P: Process> Watch<P> for () {
    const DATAGRAMS: bool = false;

    #[inline]
    fn event(&mut self, _: Time, _: Event<'_, P>, _: &View<'_, P>) -> Control {
        Control::Continue
    }
}

/// What a watcher orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Nothing.
    Continue,
    /// Crash a node at this point: later effects of its current input never show.
    Crash {
        /// Which; without effect where it is not up.
        node: NodeId,
        /// How long it stays down; `None`: until the world is calmed.
        down_for: Option<Span>,
        /// What happens to its disk.
        damage: Damage,
    },
    /// Stop once the current event is over.
    Stop,
}

/// Something that happened.
///
/// `input` counts the inputs of a node over all its incarnations, from 1 on: which input caused it.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a, P: Process> {
    /// A process begins; its first input follows.
    Started {
        /// Where.
        node: NodeId,
        /// How many records it finds.
        records: usize,
        /// The entropy it is given.
        entropy: u64,
        /// How many times this node started before.
        earlier: u32,
    },
    /// A node went down.
    Crashed {
        /// Which.
        node: NodeId,
        /// How long it stays down; `None`: until the world is calmed.
        down_for: Option<Span>,
        /// Who wanted it.
        cause: Cause,
        /// What its disk lost.
        lost: Lost,
    },
    /// A node is up again; [`Event::Started`] follows.
    Recovered {
        /// Which.
        node: NodeId,
    },
    /// A node left for ever.
    Left {
        /// Which.
        node: NodeId,
    },
    /// A node stopped taking inputs.
    Paused {
        /// Which.
        node: NodeId,
        /// How long.
        lasts: Span,
    },
    /// A node takes inputs again.
    Resumed {
        /// Which.
        node: NodeId,
        /// How many inputs waited.
        waited: usize,
    },
    /// A datagram entered a link.
    Sent {
        /// Who sent it.
        from: NodeId,
        /// To whom.
        to: NodeId,
        /// How many datagrams entered this link before.
        number: u64,
        /// What was sent.
        message: &'a P::Message,
        /// Its length in bytes.
        size: usize,
        /// What becomes of it.
        fate: Fate,
        /// Which input caused it.
        input: u64,
    },
    /// A datagram arrives.
    Delivered {
        /// Who sent it.
        from: NodeId,
        /// Who gets it.
        to: NodeId,
        /// Its number on the link, as in [`Event::Sent`].
        number: u64,
        /// Whether it is the second copy of it.
        copy: bool,
        /// What arrives.
        message: &'a P::Message,
        /// Which input it is.
        input: u64,
    },
    /// A datagram reached its end but no process.
    Undeliverable {
        /// Who sent it.
        from: NodeId,
        /// Who should have got it.
        to: NodeId,
        /// Its number on the link, as in [`Event::Sent`].
        number: u64,
        /// Whether it is the second copy of it.
        copy: bool,
        /// Why.
        why: Why,
    },
    /// A client or operator asks for something.
    Command {
        /// Whom.
        node: NodeId,
        /// For what.
        command: &'a P::Command,
        /// Whether the node was up to hear it.
        accepted: bool,
        /// Which input it is; 0 where it was not accepted.
        input: u64,
    },
    /// A timer is due.
    Timer {
        /// Whose.
        node: NodeId,
        /// Which.
        timer: P::Timer,
        /// Which input it is.
        input: u64,
    },
    /// A record sets out for the disk; later effects of the node wait until it is durable.
    Persisting {
        /// Whose.
        node: NodeId,
        /// Its bytes.
        record: &'a [u8],
        /// Whether it replaces all records.
        replace: bool,
        /// Which input caused it.
        input: u64,
    },
    /// A record is durable.
    Persisted {
        /// Whose.
        node: NodeId,
        /// Its length.
        bytes: usize,
        /// Whether it replaced all records.
        replace: bool,
    },
    /// A process tells its watchers something.
    Notice {
        /// Which.
        node: NodeId,
        /// What.
        notice: &'a P::Notice,
        /// Which input caused it.
        input: u64,
    },
    /// A fault begins or ends.
    Fault {
        /// Which; its text says what it does.
        fault: &'a Fault,
        /// Whether it begins or ends.
        phase: Phase,
    },
}

/// Whether a fault begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It begins. A fault of one moment has no end.
    Begins,
    /// It ends.
    Ends,
}

/// Who wanted a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A fault, scripted or random.
    Fault,
    /// A watcher, by [`Control::Crash`].
    Watch,
}

/// What becomes of a datagram that enters a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It travels.
    Travels {
        /// When it arrives.
        arrives: Time,
        /// When its second copy arrives, where there is one.
        copy: Option<Time>,
        /// Whether its bits were flipped and it still reads as a message.
        corrupted: bool,
        /// Whether it was delayed past its latency.
        reordered: bool,
    },
    /// Its bits were flipped and no longer read as a message; its copy may travel.
    Mangled {
        /// When its second copy arrives, where there is one.
        copy: Option<Time>,
    },
    /// It is lost.
    Lost,
    /// The link's queue is full.
    Overflowed,
    /// The link is cut.
    Cut,
    /// There is no such node.
    Nowhere,
}

/// Why a datagram that travelled was not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The node is down.
    Down,
    /// The node has not joined yet, or left for ever.
    Absent,
    /// The link was cut meanwhile.
    Cut,
    /// What waits for a paused or busy node, or on a clogged link, is as much as there may be.
    Overflowed,
    /// The bytes do not read as a message, though no fault touched them: the codec is broken.
    Malformed,
}

/// The world, to look at.
#[derive(Debug)]
pub struct View<'a, P: Process> {
    pub(crate) core: &'a Core<P>,
}

impl<'a, P: Process> View<'a, P> {
    /// The moment, by the world's clock.
    pub fn now(&self) -> Time {
        self.core.now
    }

    /// Every node that was ever added, in the order of addition.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<'a, P> {
        self.core.nodes.iter().map(|node| node.id)
    }

    /// The process of a node; `None` while it is not up.
    ///
    /// During an event that an effect caused it is in the state after all effects of that input.
    pub fn process(&self, node: NodeId) -> Option<&'a P> {
        self.core.node(node)?.process.as_ref()
    }

    /// Whether a node is up; a paused node is.
    pub fn is_up(&self, node: NodeId) -> bool {
        self.core.node(node).is_some_and(|node| node.process.is_some())
    }

    /// What a node's clock reads.
    pub fn clock(&self, node: NodeId) -> Option<Time> {
        self.core.node(node).map(|node| node.clock.read(self.core.now))
    }

    /// The durable records of a node, oldest first.
    pub fn records(&self, node: NodeId) -> &'a [Vec<u8>] {
        self.core.node(node).map_or(&[], |node| node.cold.disk.records())
    }

    /// Whether both nodes are up and no cut is between them in this direction.
    pub fn reachable(&self, from: NodeId, to: NodeId) -> bool {
        self.is_up(from) && self.is_up(to) && !self.core.cuts.blocks(from, to)
    }
}
