//! Copies of instances: what the inputs that a node told of make of a state, in another place.
//!
//! A copy is given every operation that its node delivered, and what else changed its state. One kind is never
//! told that anything is stable, and so never forgets anything.

use std::collections::BTreeSet;

use app::{Context, Incoming, Instance, Meter};
use causal::{Clock, Dot, Origin, Stamp};
use contract::{NodeId, Time};
use replica::{
    Notice,
    notice::{CausallyDelivered, Outcome},
};

use crate::observation::{Kind, Kinds, Moment, Observation, Published, Truth};

/// Nodes that are copied in a run: all of a small fleet, and of a larger one as many as stay cheap.
const COPIES: usize = 16;

/// The nodes of a run that are copied: all, or the next [`COPIES`] of them with each next seed, so that seeds
/// in a row come to every node of a fleet that is too large for one run.
pub(crate) fn copied(nodes: &[NodeId], seed: u64) -> BTreeSet<NodeId> {
    let count = nodes.len() as u64;
    if count <= COPIES as u64 {
        return nodes.iter().copied().collect();
    }
    let first = seed % count * COPIES as u64;
    let chosen = (first..first + COPIES as u64).map(|at| nodes[(at % count) as usize]);
    chosen.collect()
}

/// What a copy needs to see of its node.
pub(super) fn wants() -> Kinds {
    Kinds::of(&[
        Kind::Started,
        Kind::Committed,
        Kind::BecameMember,
        Kind::Delivered,
        Kind::Operation,
        Kind::Ticked,
        Kind::Stable,
        Kind::CausallyDelivered,
        Kind::Crashed,
    ])
}

/// What is kept of each node that is copied.
#[derive(Default)]
pub(super) struct Copies<C>(Vec<C>);

impl<C: Default> Copies<C> {
    /// What is kept of `node`; `None`: it is not copied.
    pub(super) fn of(&mut self, truth: &Truth, node: NodeId) -> Option<&mut C> {
        if !truth.copied.contains(&node) {
            return None;
        }
        let at = node.0 as usize;
        if at >= self.0.len() {
            self.0.resize_with(at + 1, C::default);
        }
        Some(&mut self.0[at])
    }
}

/// Two copies of a node: one that forgets as its node does, and one that does not.
pub(super) struct Pair {
    pub(super) forgets: Copy,
    pub(super) remembers: Copy,
}

impl Default for Pair {
    fn default() -> Self {
        Self { forgets: Copy::new(false), remembers: Copy::new(true) }
    }
}

impl Pair {
    /// Takes in what was observed at their node; `true`: an operation was delivered.
    pub(super) fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> bool {
        self.remembers.observe(truth, moment, seen);
        self.forgets.observe(truth, moment, seen)
    }
}

/// What a copy of this node's instance broadcasts goes nowhere, under whichever name.
pub(super) fn any_stamp(node: NodeId) -> Stamp {
    Stamp { lamport: 0, dot: Dot { origin: Origin::from(node.0), seq: u32::MAX } }
}

/// A copy of one node's instance.
#[derive(Default)]
pub(super) struct Copy {
    pub(super) instance: Option<Box<dyn Instance>>,
    /// Its release, among the published.
    pub(super) release: Option<usize>,
    /// The operations that the state has.
    pub(super) delivered: Clock,
    /// What a crash may have hidden is taken from the node when it shows its state.
    hidden: bool,
    /// The state was taken from a node, which may have forgotten something.
    pub(super) taken: bool,
    /// A crash hid what its state has: it cannot be compared until its node joins again.
    lost: bool,
    /// It is never told that something is stable.
    pub(super) remembers: bool,
}

impl Copy {
    pub(super) const fn new(remembers: bool) -> Self {
        Self {
            instance: None,
            release: None,
            delivered: Clock::new(),
            hidden: false,
            taken: false,
            lost: false,
            remembers,
        }
    }

    /// Takes in what was observed at its node; `true`: an operation was delivered.
    pub(super) fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> bool {
        match seen {
            Observation::Crashed { amnesia, lied, hidden } => {
                if *amnesia || *lied {
                    *self = Self::new(self.remembers);
                }
                self.hidden |= *hidden;
                false
            }
            Observation::Notice(notice) => self.notice(truth, moment.node, notice),
            _ => false,
        }
    }

    fn notice(&mut self, truth: &Truth, node: NodeId, notice: &Notice) -> bool {
        match notice {
            Notice::Started { run, state, .. } => {
                let index = run.as_ref().and_then(|run| truth.release(run));
                if self.hidden {
                    *self = Self { lost: true, ..Self::new(self.remembers) };
                }
                if self.instance.is_none() {
                    self.load(truth, node, index, state.as_deref());
                }
            }
            Notice::Committed { release, migration, state_after, .. } => {
                let index = truth.release(&release.id);
                let own = self.instance.as_ref().filter(|_| self.remembers);
                let migrated = own.zip(index).and_then(|(instance, index)| {
                    migrated(&truth.releases[index], &instance.export(), &migration.edges)
                });
                match migrated {
                    Some(state) => self.load(truth, node, index, Some(&state)),
                    None => self.load(truth, node, index, Some(state_after)),
                }
            }
            Notice::BecameMember(joined) => {
                let index = self.release;
                self.load(truth, node, index, Some(&joined.state));
                self.delivered = joined.delivered.clone();
                (self.taken, self.lost) = (true, false);
            }
            Notice::Delivered { id, sent, converted, entropy, at, .. } => {
                let body = converted.body(sent).clone();
                self.step(truth, node, *at, *entropy, &Incoming::Message { from: id.from, body });
            }
            Notice::Operation { id, sent, converted, entropy, at, .. } => {
                let body = converted.body(sent).clone();
                self.step(truth, node, *at, *entropy, &Incoming::Operation { id: *id, body });
            }
            Notice::Ticked { entropy, at, .. } => {
                self.step(truth, node, *at, *entropy, &Incoming::Tick);
            }
            Notice::Stable(told) if !self.remembers => {
                let stable = Incoming::Stable { clock: told.clock.clone() };
                self.step(truth, node, told.at, told.entropy, &stable);
            }
            Notice::CausallyDelivered(told) => {
                self.deliver(truth, node, told);
                return true;
            }
            _ => {}
        }
        false
    }

    fn deliver(&mut self, truth: &Truth, node: NodeId, told: &CausallyDelivered) {
        self.delivered.advance(told.stamp.dot);
        if let Outcome::Taken { converted, entropy, at, .. } = &told.outcome
            && let causal::Content::Payload(sent) = &told.operation.content
        {
            let (stamp, past) = (told.stamp, told.past.clone());
            let body = converted.body(&sent.body).clone();
            let incoming = Incoming::Delivered { stamp, past, body };
            self.step(truth, node, *at, *entropy, &incoming);
        }
    }

    /// A step that is refused has no effect; that nodes and copies agree on this is S24's.
    fn step(&mut self, truth: &Truth, node: NodeId, now: Time, entropy: u64, incoming: &Incoming) {
        let nodes = &truth.node(node).peers;
        if let Some(instance) = &mut self.instance {
            let next = Some(any_stamp(node));
            let context = Context { node, now, nodes, entropy, next };
            let _ = instance.handle(context, incoming, &mut Vec::new());
        }
    }

    fn load(&mut self, truth: &Truth, node: NodeId, index: Option<usize>, state: Option<&[u8]>) {
        self.release = index;
        self.instance = index
            .zip(state)
            .and_then(|(index, state)| truth.releases[index].program.load(node, state).ok());
    }

    /// What the state shows, where its release says so.
    pub(super) fn shown(&self, truth: &Truth) -> Option<Vec<u8>> {
        if self.lost {
            return None;
        }
        let release = &truth.releases[self.release?];
        release.program.shown(&self.instance.as_ref()?.export())?.ok()
    }
}

/// A state after `edges` of a release.
fn migrated(release: &Published, state: &[u8], edges: &[u32]) -> Option<Vec<u8>> {
    let mut meter = Meter::new(u64::MAX);
    let edge = |state: Vec<u8>, edge: &u32| {
        release.program.migrate(usize::try_from(*edge).ok()?, &state, &mut meter).ok()
    };
    edges.iter().try_fold(state.to_vec(), edge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_in_a_row_copy_every_node_of_any_fleet() {
        for count in [1, 8, 16, 17, 100, 1_000] {
            // Of what is left of a fleet, too.
            let nodes: Vec<NodeId> = (0..count).map(|node| NodeId(3 * node)).collect();
            let seeds = u64::from(count).div_ceil(COPIES as u64);
            for begins in [0, 7, u64::MAX - seeds] {
                let of = |seed| copied(&nodes, seed);
                let all: BTreeSet<NodeId> = (begins..=begins + seeds).flat_map(of).collect();
                assert_eq!(all.len(), nodes.len(), "{count} nodes from seed {begins}");
                assert_eq!(of(begins).len(), nodes.len().min(COPIES), "each node once");
            }
        }
    }
}
