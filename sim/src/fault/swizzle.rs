//! A swizzle: nodes are clogged one after the other, and cleared one after the other in another order.
//!
//! Source: the swizzled clogging of FoundationDB's simulator, which finds what clean partitions do not.

use super::{Clog, Fault, partition::shuffled};
use crate::{ledger::Injector, network::write_nodes, world::World};
use contract::{Choices, NodeId, Process, Span};
use std::fmt;

/// Nodes are clogged one after the other and cleared in another order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swizzle {
    /// Whose links, both ways, in the order in which they clog.
    pub nodes: Vec<NodeId>,
    /// Time between two clogs, and between two that clear.
    pub gap: Span,
    /// Time from the last that clogs to the first that clears.
    pub hold: Span,
    /// Decides the order in which they clear.
    pub lot: u32,
}

impl Swizzle {
    pub(crate) fn begin<P: Process, C: Choices>(&self, world: &mut World<P, C>) {
        world.core.ledger.attempt(Injector::Swizzle, !self.nodes.is_empty());
        let clears = shuffled(&self.nodes, u64::from(self.lot));
        let clogged = self.gap.saturating_mul((self.nodes.len() as u64).saturating_sub(1));
        for (at, node) in (0_u64..).zip(&self.nodes) {
            let rank = (0_u64..).zip(&clears).find(|(_, other)| *other == node);
            let (rank, _) = rank.expect("the order of clearing has every node");
            let begins = self.gap.saturating_mul(at);
            let ends = clogged + self.hold + self.gap.saturating_mul(rank);
            let lasts = Some(Span::from_nanos(ends.as_nanos() - begins.as_nanos()));
            let from = Clog { from: Some(*node), to: None, lasts };
            let to = Clog { from: None, to: Some(*node), lasts };
            for clog in [from, to] {
                world.schedule(world.core.now + begins, Fault::Clog(clog));
            }
        }
    }
}

impl fmt::Display for Swizzle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("swizzle ")?;
        write_nodes(f, &self.nodes)?;
        write!(f, " by {} for {}", self.gap, self.hold)
    }
}
