//! Whether the core has come to rest, and what it looks like then.

use app::{Manifest, Schema};
use contract::{Choices, NodeId};
use replica::{Replica, Waiting};
use sim::World;

use crate::{
    invariants::{End, Resting, Shared, c1_equal, l1_known, l3_hold},
    observation::{Truth, wins},
};

/// Whether nothing more is to be expected: everybody knows one release, runs it or has given it up,
/// holds nothing that could be delivered, waits for no one in the core, has delivered the same operations
/// as the others, and agrees on what it shares.
///
/// `persisting` says which nodes have a record on its way to the disk. `first` is where the last look stopped: a node that was not at rest is looked at first.
pub(super) fn is_at_rest<C: Choices>(
    world: &World<Replica, C>,
    truth: &Truth,
    persisting: &[bool],
    first: &mut usize,
) -> bool {
    let core: Vec<NodeId> = truth.core().collect();
    for step in 0..core.len() {
        let at = (*first + step) % core.len();
        if !is_settled(world, truth, core[at]) {
            *first = at;
            return false;
        }
    }
    let end = end(world, truth, true);
    let Some(newest) = l1_known::expected(&end) else { return true };
    let knows = |resting: &Resting| {
        let known = resting.status.as_ref().and_then(|status| status.known.as_ref());
        known.is_some_and(|known| wins(known, newest).is_ge())
    };
    end.nodes.iter().all(knows)
        && delivered_the_same(world, truth, persisting)
        && c1_equal::differ(&end).is_none()
        && !end.nodes.iter().any(|resting| l3_hold::holds_ripe(truth, resting))
}

fn is_settled<C: Choices>(world: &World<Replica, C>, truth: &Truth, node: NodeId) -> bool {
    let Some(replica) = world.process(node) else { return false };
    // A process is ahead of what it showed: what waits for the disk has not happened yet.
    let shown = truth.node(node);
    if shown.prepared.is_some() || shown.run.as_ref().map(|run| &run.id) != replica.run() {
        return false;
    }
    let lost = replica.known().is_some_and(|known| truth.is_lost(known));
    if replica.run() != replica.known() && !lost && replica.status().quarantined.is_none() {
        return false;
    }
    // What waits for a node that is gone waits for ever, and rightly.
    replica.waiting().iter().all(|waiting| match waiting {
        Waiting::Acknowledgement { peer, .. } => truth.node(*peer).gone,
        Waiting::NewerRelease { .. }
        | Waiting::OperationHeld { .. }
        | Waiting::Quarantined { .. } => true,
        Waiting::Membership { .. } => false,
        Waiting::Operation { missing, held, .. } => {
            held.is_none() && went_with_its_node(world, truth, *missing)
        }
        Waiting::Envelope => truth.newest().is_none(),
        Waiting::Chunks { .. } => lost,
        Waiting::SwitchAt { .. } => false,
    })
}

/// Whether an operation is lost for good: nobody of the core has delivered it, and its origin is gone or
/// has lost it with its disk.
fn went_with_its_node<C: Choices>(
    world: &World<Replica, C>,
    truth: &Truth,
    operation: causal::Dot,
) -> bool {
    let at = |node| world.process(node).and_then(Replica::causal);
    let origin = operation.origin;
    let has = |node| at(node).is_some_and(|here| here.delivered.covers(operation));
    (truth.node(origin.node).gone
        || at(origin.node).is_some_and(|here| here.origin != Some(origin)))
        && !truth.core().any(has)
}

/// Whether all members of the core that run what they know have delivered the same operations, and shown it.
fn delivered_the_same<C: Choices>(
    world: &World<Replica, C>,
    truth: &Truth,
    persisting: &[bool],
) -> bool {
    let mut first = None;
    truth.core().all(|node| {
        let replica = world.process(node).filter(|replica| replica.run() == replica.known());
        let Some(here) = replica.and_then(Replica::causal) else { return true };
        let shown = !persisting[node.0 as usize];
        shown && *first.get_or_insert_with(|| here.delivered.clone()) == here.delivered
    })
}

/// The core as it is now.
pub(super) fn end<C: Choices>(world: &World<Replica, C>, truth: &Truth, at_rest: bool) -> End {
    let resting = |node| {
        let replica = world.process(node);
        Resting {
            node,
            status: replica.map(Replica::status),
            waiting: replica.map(Replica::waiting).unwrap_or_default(),
            shared: replica.map_or(Shared::Nothing, shared),
        }
    };
    End { at: world.now(), at_rest, nodes: truth.core().map(resting).collect() }
}

/// What each node that is not settled waits for, in words.
pub(super) fn waiting(end: &End) -> Vec<(NodeId, Vec<String>)> {
    let waits = end.nodes.iter().filter(|resting| !resting.waiting.is_empty());
    waits
        .map(|resting| (resting.node, resting.waiting.iter().map(Waiting::to_string).collect()))
        .collect()
}

/// The replicated part of a node's state, where its app keeps any.
fn shared(replica: &Replica) -> Shared {
    let (Some(program), Some(state)) = (replica.program(), replica.export()) else {
        return Shared::Nothing;
    };
    let manifest = program.manifest();
    match manifest.replicated {
        Some(field) => part(manifest, field, &state).map_or(Shared::Unreadable, Shared::Part),
        None => Shared::Nothing,
    }
}

/// The canonical bytes of one field of a state; `None`: the state has no such field that can be read.
fn part(manifest: &Manifest, wanted: &str, state: &[u8]) -> Option<Vec<u8>> {
    let Schema::Rec(fields) = &manifest.state else { return None };
    let mut rest = state;
    for field in fields.iter() {
        let before = rest;
        field.schema.skip(&mut rest).ok()?;
        if field.name == wanted {
            return Some(before[..before.len() - rest.len()].to_vec());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use app::native::Registry;

    use super::*;

    #[test]
    fn the_shared_part_of_a_state_is_the_field_and_nothing_else() {
        let registry = Registry::standard();
        let mut shared = 0;
        for listed in registry.list() {
            let (app, version) = (listed.app, listed.version);
            let program = registry.program(app, version, listed.variant).unwrap();
            let Some(field) = program.manifest().replicated else { continue };
            let parts = [1, 2].map(|node| {
                let state = program.init(NodeId(node)).export();
                part(program.manifest(), field, &state).expect("a field of that name")
            });
            assert_eq!(parts[0], parts[1], "{app} {version}");
            shared += 1;
        }
        assert!(shared > 0, "some app replicates");
    }
}
