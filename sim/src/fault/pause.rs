//! A node is paused, as by a debugger or a long collection: inputs wait and then arrive in order.

use crate::{event::Watch, ledger::Injector, sample::within, world::World};
use contract::{Choices, NodeId, Process, Span, choices::WORDS};
use std::fmt;

/// A node stops taking inputs for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Which.
    pub node: NodeId,
    /// How long.
    pub lasts: Span,
}

/// Nodes pause at random, each on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pauses {
    /// Mean time between two pauses of a node.
    pub every: Span,
    /// The shortest.
    pub lasts_min: Span,
    /// The longest.
    pub lasts_max: Span,
}

impl Pause {
    pub(crate) fn begin<P, C, W>(&self, world: &mut World<P, C>, watch: &mut W)
    where
        P: Process,
        C: Choices,
        W: Watch<P>,
    {
        let paused = world.pause(self.node, self.lasts, watch);
        world.core.ledger.attempt(Injector::Pause, paused);
    }
}

impl Pauses {
    pub(crate) fn draw(&self, node: NodeId, words: [u32; WORDS]) -> Pause {
        let lasts = within(words[1], self.lasts_min.as_nanos(), self.lasts_max.as_nanos());
        Pause { node, lasts: Span::from_nanos(lasts) }
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pause {} for {}", self.node, self.lasts)
    }
}
