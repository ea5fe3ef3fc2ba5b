//! A node leaves for ever.

use crate::{event::Watch, ledger::Injector, world::World};
use contract::{Choices, NodeId, Process};
use std::fmt;

/// A node leaves for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leave {
    /// Which.
    pub node: NodeId,
}

impl Leave {
    pub(crate) fn begin<P, C, W>(&self, world: &mut World<P, C>, watch: &mut W)
    where
        P: Process,
        C: Choices,
        W: Watch<P>,
    {
        let left = world.leave(self.node, watch);
        world.core.ledger.attempt(Injector::Leave, left);
    }
}

impl fmt::Display for Leave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} leaves for ever", self.node)
    }
}
