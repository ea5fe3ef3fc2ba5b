//! Cuts and partitions: who cannot hear whom, now.
//!
//! A cut is a rule that is asked when a datagram enters a link and again when it arrives, so what is
//! in flight when the cut begins is lost too.

use crate::ledger::Injector;
use contract::NodeId;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A shape in which the network falls apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One link of two directions; [`Direction::Out`] cuts only from `from` to `to`.
    Cut {
        /// One end.
        from: NodeId,
        /// The other end.
        to: NodeId,
    },
    /// Disjoint groups that do not hear each other; a node in no group hears everyone.
    ///
    /// [`Direction::Out`]: a group does not reach the groups after it but hears them.
    Split(Vec<BTreeSet<NodeId>>),
    /// One node that no one hears and that hears no one.
    Isolate(NodeId),
    /// Two halves that do not hear each other, and one node that both hear.
    ///
    /// [`Direction::Out`]: the left half does not reach the right one but hears it.
    Bridge {
        /// One half.
        left: BTreeSet<NodeId>,
        /// The other half.
        right: BTreeSet<NodeId>,
        /// The node between, in neither half.
        bridge: NodeId,
    },
    /// Each of these hears only the one before and the one after it, around; other nodes hear everyone.
    ///
    /// [`Direction::Out`]: each reaches only the one after it.
    Ring(Vec<NodeId>),
}

/// Which direction of its links a shape cuts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Both.
    #[default]
    Both,
    /// From the first named to the second, as the shape says; for [`Shape::Isolate`], from the node.
    Out,
    /// The opposite of [`Direction::Out`].
    In,
}

/// The rules in force.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cuts {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    id: u64,
    injector: Injector,
    shape: Compiled,
    direction: Direction,
    met: bool,
}

/// A [`Shape`], for one look-up a node.
#[derive(Clone, Debug)]
enum Compiled {
    Cut(NodeId, NodeId),
    Isolate(NodeId),
    /// The group of each node that is in one.
    Groups(BTreeMap<NodeId, u32>),
    /// The position of each node in the ring.
    Ring(BTreeMap<NodeId, usize>),
}

impl Shape {
    pub(crate) fn injector(&self) -> Injector {
        match self {
            Self::Cut { .. } => Injector::Cut,
            Self::Split(_) => Injector::Split,
            Self::Isolate(_) => Injector::Isolate,
            Self::Bridge { .. } => Injector::Bridge,
            Self::Ring(_) => Injector::Ring,
        }
    }

    fn compile(&self) -> Compiled {
        match self {
            Self::Cut { from, to } => Compiled::Cut(*from, *to),
            Self::Isolate(node) => Compiled::Isolate(*node),
            Self::Split(groups) => Compiled::Groups(numbered(groups.iter())),
            Self::Bridge { left, right, .. } => {
                Compiled::Groups(numbered([left, right].into_iter()))
            }
            Self::Ring(nodes) => {
                Compiled::Ring(nodes.iter().enumerate().map(|(at, node)| (*node, at)).collect())
            }
        }
    }
}

fn numbered<'a>(groups: impl Iterator<Item = &'a BTreeSet<NodeId>>) -> BTreeMap<NodeId, u32> {
    (0_u32..)
        .zip(groups)
        .flat_map(|(group, nodes)| nodes.iter().map(move |node| (*node, group)))
        .collect()
}

impl Cuts {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    pub(crate) fn begin(&mut self, id: u64, shape: &Shape, direction: Direction) {
        let (injector, shape) = (shape.injector(), shape.compile());
        self.rules.push(Rule { id, injector, shape, direction, met: false });
    }

    pub(crate) fn end(&mut self, id: u64) {
        self.rules.retain(|rule| rule.id != id);
    }

    /// Whether a rule cuts the link from `from` to `to`.
    pub(crate) fn blocks(&self, from: NodeId, to: NodeId) -> bool {
        self.rules.iter().any(|rule| rule.blocks(from, to))
    }

    /// As [`Cuts::blocks`]; returns also the injectors whose rule is met for the first time.
    pub(crate) fn meet(
        &mut self,
        from: NodeId,
        to: NodeId,
        mut first: impl FnMut(Injector),
    ) -> bool {
        let mut blocked = false;
        for rule in &mut self.rules {
            if rule.blocks(from, to) {
                blocked = true;
                if !std::mem::replace(&mut rule.met, true) {
                    first(rule.injector);
                }
            }
        }
        blocked
    }
}

impl Rule {
    fn blocks(&self, from: NodeId, to: NodeId) -> bool {
        if from == to {
            return false;
        }
        match self.direction {
            // A ring of both directions leaves each node the one before it as well.
            Direction::Both if matches!(self.shape, Compiled::Ring(_)) => {
                self.shape.cuts(from, to) && self.shape.cuts(to, from)
            }
            Direction::Both => self.shape.cuts(from, to) || self.shape.cuts(to, from),
            Direction::Out => self.shape.cuts(from, to),
            Direction::In => self.shape.cuts(to, from),
        }
    }
}

impl Compiled {
    /// Whether the outward direction of the shape cuts `from` off `to`.
    fn cuts(&self, from: NodeId, to: NodeId) -> bool {
        match self {
            Self::Cut(first, second) => (from, to) == (*first, *second),
            Self::Isolate(node) => from == *node,
            Self::Groups(groups) => match (groups.get(&from), groups.get(&to)) {
                (Some(from), Some(to)) => from < to,
                _ => false,
            },
            Self::Ring(ring) => match (ring.get(&from), ring.get(&to)) {
                (Some(from), Some(to)) => (from + 1) % ring.len() != *to,
                _ => false,
            },
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut { from, to } => write!(f, "cut {from} from {to}"),
            Self::Isolate(node) => write!(f, "isolate {node}"),
            Self::Split(groups) => {
                f.write_str("split")?;
                groups.iter().enumerate().try_for_each(|(at, group)| {
                    f.write_str(if at == 0 { " " } else { " | " })?;
                    write_nodes(f, group)
                })
            }
            Self::Bridge { left, right, bridge } => {
                f.write_str("split ")?;
                write_nodes(f, left)?;
                f.write_str(" | ")?;
                write_nodes(f, right)?;
                write!(f, " with {bridge} between")
            }
            Self::Ring(nodes) => {
                f.write_str("ring ")?;
                write_nodes(f, nodes)
            }
        }
    }
}

/// Node names between spaces, the first dozen of many.
pub(crate) fn write_nodes<'a>(
    f: &mut fmt::Formatter<'_>,
    nodes: impl IntoIterator<Item = &'a NodeId, IntoIter: ExactSizeIterator>,
) -> fmt::Result {
    const SHOWN: usize = 12;
    let nodes = nodes.into_iter();
    let more = nodes.len().saturating_sub(SHOWN);
    for (at, node) in nodes.take(SHOWN).enumerate() {
        write!(f, "{}{node}", if at == 0 { "" } else { " " })?;
    }
    if more > 0 { write!(f, " and {more} more") } else { Ok(()) }
}
