//! Links are clogged: what arrives on them is held, and arrives in order once they clear.

use super::{Fault, Swizzle, partition::shuffled};
use crate::{
    choices::word_pair,
    ledger::Injector,
    sample::{Odds, below, within},
    world::{Item, World},
};
use contract::{Choices, NodeId, Process, Span, choices::WORDS};
use std::fmt;

/// Links hold what arrives on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clog {
    /// Links from this node; `None`: from any.
    pub from: Option<NodeId>,
    /// Links to this node; `None`: to any.
    pub to: Option<NodeId>,
    /// How long; `None`: until the world is calmed.
    pub lasts: Option<Span>,
}

/// Links clog at random: one link, all links of a node in one direction, or a swizzle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clogs {
    /// Mean time between two clogs of the fleet.
    pub every: Span,
    /// The shortest.
    pub lasts_min: Span,
    /// The longest.
    pub lasts_max: Span,
    /// Clogs that are swizzles of several nodes.
    pub swizzle_ppm: u32,
}

/// Nodes that a random swizzle clogs at most.
const SWIZZLED_MAX: u64 = 8;

impl Clog {
    pub(crate) fn begin<P: Process, C: Choices>(&self, id: u64, world: &mut World<P, C>) {
        world.core.ledger.attempt(Injector::Clog, false);
        world.core.clogs.begin(id, self.from, self.to);
        world.core.trouble_changed();
    }
}

/// Ends a clog: what it held arrives now, in order.
pub(super) fn end<P: Process, C: Choices>(id: u64, world: &mut World<P, C>) {
    let core = &mut world.core;
    for item in core.clogs.end(id) {
        core.push(core.now, Item::of(item));
    }
    core.trouble_changed();
}

impl Clogs {
    /// The fault that these words draw; `None` where there are not two nodes.
    pub(crate) fn draw(&self, nodes: &[NodeId], words: [u32; WORDS]) -> Option<Fault> {
        if nodes.len() < 2 {
            return None;
        }
        let lasts = within(words[1], self.lasts_min.as_nanos(), self.lasts_max.as_nanos());
        let lasts = Span::from_nanos(lasts);
        let order = shuffled(nodes, word_pair(words[3], words[4]));
        if Odds::ppm(self.swizzle_ppm).hit(words[2]) {
            let count = within(words[5], 2, SWIZZLED_MAX.min(nodes.len() as u64)) as usize;
            let gap = Span::from_nanos(lasts.as_nanos() / (2 * count as u64));
            let nodes = order[..count].to_vec();
            return Some(Fault::Swizzle(Swizzle { nodes, gap, hold: lasts, lot: words[6] }));
        }
        let (from, to) = match below(words[5], 3) {
            0 => (Some(order[0]), Some(order[1])),
            1 => (Some(order[0]), None),
            _ => (None, Some(order[0])),
        };
        Some(Fault::Clog(Clog { from, to, lasts: Some(lasts) }))
    }
}

impl fmt::Display for Clog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.to) {
            (Some(from), Some(to)) => write!(f, "clog the link from {from} to {to}")?,
            (Some(from), None) => write!(f, "clog all links from {from}")?,
            (None, Some(to)) => write!(f, "clog all links to {to}")?,
            (None, None) => f.write_str("clog all links")?,
        }
        super::write_lasts(f, self.lasts)
    }
}
