//! The network falls apart, for a while: in a shape, in one direction or both.

use crate::{
    choices::word_pair,
    network::{Direction, Shape},
    sample::{Odds, below, within},
    world::World,
};
use contract::{Choices, NodeId, Process, Span, choices::WORDS};
use std::fmt;

/// The network falls apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Who cannot hear whom.
    pub shape: Shape,
    /// Which directions are cut.
    pub direction: Direction,
    /// How long; `None`: until the world is calmed.
    pub lasts: Option<Span>,
}

/// The network falls apart at random: split, isolate, bridge and ring, each as likely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partitions {
    /// Mean time between two partitions of the fleet.
    pub every: Span,
    /// The shortest.
    pub lasts_min: Span,
    /// The longest.
    pub lasts_max: Span,
    /// Partitions that cut one direction only.
    pub one_way_ppm: u32,
}

impl Partition {
    pub(crate) fn begin<P: Process, C: Choices>(&self, id: u64, world: &mut World<P, C>) {
        world.core.ledger.attempt(self.shape.injector(), false);
        world.core.cuts.begin(id, &self.shape, self.direction);
        world.core.trouble_changed();
    }
}

impl Partitions {
    /// The partition that these words draw; `None` where there are not two nodes to part.
    pub(crate) fn draw(&self, nodes: &[NodeId], words: [u32; WORDS]) -> Option<Partition> {
        if nodes.len() < 2 {
            return None;
        }
        let lasts = within(words[1], self.lasts_min.as_nanos(), self.lasts_max.as_nanos());
        let one_way = Odds::ppm(self.one_way_ppm);
        let direction = match one_way.hit(words[2]) {
            false => Direction::Both,
            true if one_way.again(words[2]) < 1 << 31 => Direction::Out,
            true => Direction::In,
        };
        let victim = nodes[below(words[4], nodes.len() as u64) as usize];
        let lot = word_pair(words[5], words[6]);
        let shape = match below(words[3], 4) {
            0 => {
                let (left, right) = halves(nodes, lot, victim);
                Shape::Split(vec![left, right])
            }
            1 => Shape::Isolate(victim),
            2 if nodes.len() > 2 => {
                let others: Vec<_> = nodes.iter().copied().filter(|node| *node != victim).collect();
                let (left, right) = halves(&others, lot, others[0]);
                Shape::Bridge { left, right, bridge: victim }
            }
            _ => Shape::Ring(shuffled(nodes, lot)),
        };
        Some(Partition { shape, direction, lasts: Some(Span::from_nanos(lasts)) })
    }
}

/// Each node on a side of its own lot, and `victim` alone on one where all fell on the other.
fn halves(
    nodes: &[NodeId],
    lot: u64,
    victim: NodeId,
) -> (std::collections::BTreeSet<NodeId>, std::collections::BTreeSet<NodeId>) {
    let (left, right): (std::collections::BTreeSet<_>, std::collections::BTreeSet<_>) =
        nodes.iter().partition(|node| mix(lot, **node) & 1 == 0);
    if left.is_empty() || right.is_empty() {
        return nodes.iter().partition(|node| **node == victim);
    }
    (left, right)
}

/// `nodes` in an order that `lot` decides, whatever other nodes there are.
pub(super) fn shuffled(nodes: &[NodeId], lot: u64) -> Vec<NodeId> {
    let mut nodes = nodes.to_vec();
    nodes.sort_by_key(|node| (mix(lot, *node), *node));
    nodes
}

/// A node's own number in a lot (the finaliser of splitmix64).
fn mix(lot: u64, node: NodeId) -> u64 {
    let mixed = lot.wrapping_add(u64::from(node.0).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shape.fmt(f)?;
        match self.direction {
            Direction::Both => {}
            Direction::Out => f.write_str(", outward only,")?,
            Direction::In => f.write_str(", inward only,")?,
        }
        super::write_lasts(f, self.lasts)
    }
}
