//! Operations that were broadcast, in numbers: what they cost, how long they waited, when they were stable.

use std::collections::{BTreeSet, VecDeque};

use causal::{Content, Origin};
use contract::{NodeId, Span, Time};
use replica::{Notice, notice::Outcome};

use super::Quantiles;
use crate::observation::{Moment, Observation};

#[cfg(test)]
mod tests;

/// What happened to operations in a run.
#[derive(Clone, Debug, Default)]
pub struct Operations {
    told: Told,
    /// By node.
    nodes: Vec<Node>,
    retired: BTreeSet<Origin>,
    lags: Vec<Span>,
}

/// It in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Operations of apps that were issued.
    pub issued: u64,
    /// Operations that say nothing but what was delivered.
    pub heartbeats: u64,
    /// Operations of apps that an app took, at their origins and elsewhere.
    pub carried_out: u64,
    /// Operations of apps that counted as delivered, and no app took.
    pub void: u64,
    /// Bytes of the operations of apps that say where they stand.
    pub metadata_bytes: u64,
    /// Operations that waited for others.
    pub parked: u64,
    /// The most that waited so at one node.
    pub parked_max: u64,
    /// How many waited so at a node on average over time, in thousandths.
    pub parked_mean_thousandths: u64,
    /// Operations of newer releases that waited at the gate.
    pub held: u64,
    /// Operations of newer releases that were not kept at the gate, and were to come again.
    pub not_held: u64,
    /// Times that a node asked another for operations that it lacked.
    pub repairs_asked: u64,
    /// Times that a node was sent some.
    pub repairs_answered: u64,
    /// Operations that were sent so.
    pub repaired: u64,
    /// Operations that were refused as nothing honest explains.
    pub rejected: u64,
    /// From when operations were issued until their origins knew that all members had them.
    pub stability: Quantiles,
    /// Nodes that became members by the state of others.
    pub joined: u64,
    /// Members that were let go.
    pub retired: u64,
    /// Members that had to join again.
    pub resynced: u64,
}

/// A node as far as its operations go.
#[derive(Clone, Debug, Default)]
struct Node {
    parked: u64,
    /// When that changed last.
    since: Time,
    /// Operations times nanoseconds that they waited.
    waited: u128,
    /// Its own operations of apps that are not stable, and when each was issued.
    unstable: VecDeque<(u32, Time)>,
}

impl Node {
    fn park(&mut self, at: Time, parked: u64) {
        self.waited += u128::from(self.parked) * u128::from(at.since(self.since).as_nanos());
        (self.parked, self.since) = (parked, at);
    }
}

impl Operations {
    /// Of a run of `nodes` nodes.
    pub fn new(nodes: usize) -> Self {
        Self { nodes: vec![Node::default(); nodes], ..Self::default() }
    }

    /// Looks at one observation.
    pub fn observe(&mut self, moment: &Moment, seen: &Observation<'_>) {
        let (at, node) = (moment.at, moment.node.0 as usize);
        match seen {
            Observation::Notice(notice) => self.notice(at, node, notice),
            Observation::Crashed { amnesia, .. } => {
                self.nodes[node].park(at, 0);
                if *amnesia {
                    self.nodes[node].unstable.clear();
                }
            }
            _ => {}
        }
    }

    fn notice(&mut self, at: Time, node: usize, notice: &Notice) {
        let told = &mut self.told;
        match notice {
            Notice::Broadcast(issued) => match issued.operation.content {
                Content::Payload(_) => {
                    told.issued += 1;
                    told.metadata_bytes += u64::from(issued.metadata_bytes);
                    self.nodes[node].unstable.push_back((issued.stamp.dot.seq, at));
                }
                Content::Heartbeat => told.heartbeats += 1,
                Content::Join(_) | Content::Retire(_) => {}
            },
            Notice::CausallyDelivered(delivered) => {
                told.carried_out += u64::from(matches!(delivered.outcome, Outcome::Taken { .. }));
                told.void += u64::from(matches!(delivered.outcome, Outcome::Void(_)));
                if delivered.waited {
                    let left = self.nodes[node].parked.saturating_sub(1);
                    self.nodes[node].park(at, left);
                }
            }
            Notice::Stable(stable) => {
                let own = NodeId(node as u32);
                let lives = stable.clock.iter().filter(|last| last.origin.node == own);
                let known = lives.last().map_or(0, |last| last.seq);
                let unstable = &mut self.nodes[node].unstable;
                while let Some((_, issued)) = unstable.pop_front_if(|(seq, _)| *seq <= known) {
                    self.lags.push(at.since(issued));
                }
            }
            Notice::OperationParked { count, .. } => {
                told.parked += 1;
                told.parked_max = told.parked_max.max(u64::from(*count));
                self.nodes[node].park(at, u64::from(*count));
            }
            Notice::OperationHeld { .. } => told.held += 1,
            Notice::OperationRejected { .. } => told.rejected += 1,
            Notice::OperationNotHeld { .. } => told.not_held += 1,
            Notice::RepairAsked { .. } => told.repairs_asked += 1,
            Notice::RepairAnswered { operations, .. } => {
                told.repairs_answered += 1;
                told.repaired += u64::from(*operations);
            }
            Notice::LayerRebuilt { .. } => self.nodes[node].park(at, 0),
            Notice::BecameMember(_) => {
                told.joined += 1;
                self.nodes[node].park(at, 0);
                self.nodes[node].unstable.clear();
            }
            Notice::Retired { origin } => {
                told.retired += u64::from(self.retired.insert(*origin));
            }
            Notice::Resynced { .. } => {
                told.resynced += 1;
                self.nodes[node].unstable.clear();
            }
            _ => {}
        }
    }

    /// The numbers, of a run that ended at `ended`.
    pub fn told(mut self, ended: Time) -> Told {
        for node in &mut self.nodes {
            node.park(ended, 0);
        }
        let waited: u128 = self.nodes.iter().map(|node| node.waited).sum();
        let time = u128::from(ended.as_nanos()) * self.nodes.len() as u128;
        let mean = (waited * 1_000).checked_div(time).unwrap_or(0);
        self.told.parked_mean_thousandths = u64::try_from(mean).unwrap_or(u64::MAX);
        self.told.stability = Quantiles::of(self.lags);
        self.told
    }
}

impl Told {
    /// Whether anything was broadcast.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Bytes of an operation of an app that say where it stands, on average, in thousandths.
    pub fn metadata_mean_thousandths(&self) -> u64 {
        (self.metadata_bytes * 1_000).checked_div(self.issued).unwrap_or(0)
    }
}
