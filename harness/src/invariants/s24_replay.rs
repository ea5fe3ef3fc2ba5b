//! S24: the same inputs give the same state: on a shadow, after a crash, and through a migration.

use app::{Context, Incoming, Instance, Meter};
use causal::Content;
use contract::{NodeId, Time};
use replica::{Notice, notice::Outcome};
use xxhash_rust::xxh3::xxh3_128;

use super::{Broken, Invariant, copies::any_stamp};
use crate::observation::{Kind, Kinds, Moment, Observation, Published, Truth};

/// Nodes that have a shadow: enough to meet every fault, few enough to stay cheap in large fleets.
const SHADOWS: usize = 8;

/// A shadow instance of the first nodes is given every input that the node was given. Whenever a node
/// shows its state, because it started, switched or compacted its journal, the shadow's is the same;
/// and what a switch made of the state is what the release's own edges make of it.
#[derive(Default)]
pub(super) struct ReplayAgrees {
    shadows: Vec<Shadow>,
}

/// The shadow of one node.
#[derive(Default)]
struct Shadow {
    instance: Option<Box<dyn Instance>>,
    /// The last crash may have hidden an input: the next state that shows is taken as it is.
    excused: bool,
}

impl Invariant for ReplayAgrees {
    fn name(&self) -> &'static str {
        "S24"
    }

    fn claim(&self) -> &'static str {
        "the same inputs give the same state: on another machine, after a crash, and through a switch"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[
            Kind::Started,
            Kind::Committed,
            Kind::Compacted,
            Kind::Quarantined,
            Kind::Delivered,
            Kind::Operation,
            Kind::Ticked,
            Kind::CausallyDelivered,
            Kind::Stable,
            Kind::BecameMember,
            Kind::Crashed,
        ])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let at = moment.node.0 as usize;
        if at >= SHADOWS {
            return Ok(());
        }
        if at >= self.shadows.len() {
            self.shadows.resize_with(at + 1, Shadow::default);
        }
        let shadow = &mut self.shadows[at];
        let told = match seen {
            Observation::Crashed { amnesia, lied, hidden } => {
                if *amnesia {
                    shadow.instance = None;
                }
                shadow.excused |= *hidden || *lied;
                Ok(())
            }
            Observation::Notice(notice) => shadow.notice(truth, moment, notice),
            _ => Ok(()),
        };
        told.map_err(|text| Broken::at(moment.node, format!("{} {text}", moment.node)))
    }
}

impl Shadow {
    fn notice(&mut self, truth: &Truth, moment: &Moment, notice: &Notice) -> Result<(), String> {
        let node = moment.node;
        match notice {
            Notice::Delivered { id, sent, converted, entropy, at, .. } => {
                let body = converted.body(sent).clone();
                let incoming = Incoming::Message { from: id.from, body };
                self.step(truth, node, *at, *entropy, &incoming)
            }
            Notice::Operation { id, sent, converted, entropy, at, .. } => {
                let body = converted.body(sent).clone();
                let incoming = Incoming::Operation { id: *id, body };
                self.step(truth, node, *at, *entropy, &incoming)
            }
            Notice::Ticked { entropy, at, .. } => {
                self.step(truth, node, *at, *entropy, &Incoming::Tick)
            }
            Notice::Compacted { state, .. } => {
                self.compare(truth, node, "compacted its journal", |own| xxh3_128(own) == *state)
            }
            Notice::Quarantined { left, .. } => match left.state {
                Some(state) => {
                    self.compare(truth, node, "gave up a switch", |own| xxh3_128(own) == state)
                }
                None => Ok(()),
            },
            Notice::Started { run, state, .. } => {
                let excused = std::mem::take(&mut self.excused) || truth.node(node).lied;
                let (Some(run), Some(state)) = (run, state) else {
                    self.instance = None;
                    return Ok(());
                };
                if !excused {
                    self.compare(truth, node, "recovered", |own| own == &**state)?;
                }
                let release = truth.release(run).map(|at| &truth.releases[at]);
                self.instance = release.map(|release| load(release, node, state)).transpose()?;
                Ok(())
            }
            Notice::Committed { release, state_before, state_after, migration, .. } => {
                if let Some(before) = state_before {
                    self.compare(truth, node, "began to switch", |own| own == &**before)?;
                }
                let Some(release) = truth.release(&release.id).map(|at| &truth.releases[at]) else {
                    self.instance = None;
                    return Ok(());
                };
                let edges = &migration.edges;
                if made(release, node, state_before.as_deref(), edges)? != **state_after {
                    return Err(format!(
                        "switched to {} with a state that its edges {edges:?} do not make",
                        release.id()
                    ));
                }
                self.instance = Some(load(release, node, state_after)?);
                Ok(())
            }
            _ => self.operation(truth, node, notice),
        }
    }

    /// What a node tells of operations.
    fn operation(&mut self, truth: &Truth, node: NodeId, notice: &Notice) -> Result<(), String> {
        match notice {
            Notice::CausallyDelivered(told) => match (&told.outcome, &told.operation.content) {
                (Outcome::Taken { converted, entropy, at, .. }, Content::Payload(sent)) => {
                    let (stamp, past) = (told.stamp, told.past.clone());
                    let body = converted.body(&sent.body).clone();
                    let incoming = Incoming::Delivered { stamp, past, body };
                    self.step(truth, node, *at, *entropy, &incoming)
                }
                _ => Ok(()),
            },
            Notice::Stable(told) => {
                let incoming = Incoming::Stable { clock: told.clock.clone() };
                self.step(truth, node, told.at, told.entropy, &incoming)
            }
            Notice::BecameMember(joined) => {
                let running = truth.running(node);
                self.instance =
                    running.map(|release| load(release, node, &joined.state)).transpose()?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn step(
        &mut self,
        truth: &Truth,
        node: NodeId,
        now: Time,
        entropy: u64,
        incoming: &Incoming,
    ) -> Result<(), String> {
        let nodes = &truth.node(node).peers;
        let Some(instance) = &mut self.instance else { return Ok(()) };
        let context = Context { node, now, nodes, entropy, next: Some(any_stamp(node)) };
        let told = instance.handle(context, incoming, &mut Vec::new());
        told.map(|_| ()).map_err(|fault| format!("took an input that its shadow refuses: {fault}"))
    }

    fn compare(
        &self,
        truth: &Truth,
        node: NodeId,
        when: &str,
        same: impl FnOnce(&[u8]) -> bool,
    ) -> Result<(), String> {
        match &self.instance {
            Some(instance) if !same(&instance.export()) && !truth.node(node).lied => {
                Err(format!("{when} with another state than the same inputs gave its shadow"))
            }
            _ => Ok(()),
        }
    }
}

fn load(release: &Published, node: NodeId, state: &[u8]) -> Result<Box<dyn Instance>, String> {
    let loaded = release.program.load(node, state);
    loaded.map_err(|fault| format!("has a state that {} refuses: {fault}", release.id()))
}

/// What the edges of a release make of a state, computed here once more.
fn made(
    release: &Published,
    node: NodeId,
    before: Option<&[u8]>,
    edges: &[u32],
) -> Result<Vec<u8>, String> {
    let Some(before) = before else { return Ok(release.program.init(node).export()) };
    let mut state = before.to_vec();
    let mut meter = Meter::new(u64::MAX);
    for edge in edges {
        let edge = *edge as usize;
        if edge >= release.manifest().edges.len() {
            return Err(format!("switched along edge {edge}, which {} has not", release.id()));
        }
        let migrated = release.program.migrate(edge, &state, &mut meter);
        state =
            migrated.map_err(|fault| format!("switched along an edge that refuses: {fault}"))?;
    }
    Ok(state)
}

#[cfg(test)]
mod tests {
    use replica::notice::{Conversion, Left};

    use std::sync::Arc;

    use super::super::testing::*;
    use super::*;

    fn shows(truth: &Truth, state: &[u8]) -> (u32, Notice) {
        let mut notice = started(truth, Some(ONE_FOUR), &[]);
        if let Notice::Started { state: shown, .. } = &mut notice {
            *shown = Some(Arc::from(state));
        }
        (0, notice)
    }

    /// n0 starts, counts once, and shows what it has.
    fn counts(truth: &Truth, counted: bool) -> Vec<(u32, Notice)> {
        let program = &truth.releases[ONE_FOUR].program;
        let blank = blank(truth, ONE_FOUR, 0);
        let body = program.operation("increment", [1; 4]).unwrap();
        let mut instance = program.load(NodeId(0), &blank).unwrap();
        let nodes = [NodeId(0)];
        let context =
            Context { node: NodeId(0), now: Time::ZERO, nodes: &nodes, entropy: 3, next: None };
        let incoming = Incoming::Operation { id: 1, body: body.clone() };
        instance.handle(context, &incoming, &mut Vec::new()).unwrap();
        let after = if counted { instance.export() } else { blank.clone() };
        let operation = Notice::Operation {
            id: 1,
            instance: 7,
            sent: body,
            converted: Conversion::NONE,
            entropy: 3,
            at: Time::ZERO,
        };
        vec![shows(truth, &blank), (0, operation), shows(truth, &after)]
    }

    #[test]
    fn a_node_that_recovers_with_another_state_breaks() {
        check::<ReplayAgrees>(
            |truth| counts(truth, true),
            |truth| counts(truth, false),
            "recovered with another state",
        );
    }

    #[test]
    fn a_compacted_journal_with_another_state_breaks() {
        let compacted = |truth: &Truth, wrong: u128| {
            let state = blank(truth, ONE_FOUR, 0);
            let compacted = Notice::Compacted { state: xxh3_128(&state) ^ wrong, bytes: 1 };
            vec![shows(truth, &state), (0, compacted)]
        };
        check::<ReplayAgrees>(
            |truth| compacted(truth, 0),
            |truth| compacted(truth, 1),
            "compacted",
        );
    }

    #[test]
    fn a_failed_switch_that_leaves_another_state_breaks() {
        let failed = |truth: &Truth, wrong: u128| {
            let state = blank(truth, ONE_FOUR, 0);
            let left = Left { state: Some(xxh3_128(&state) ^ wrong), held: Vec::new() };
            vec![shows(truth, &state), (0, quarantined(truth, TWO, left))]
        };
        check::<ReplayAgrees>(|truth| failed(truth, 0), |truth| failed(truth, 1), "gave up");
    }

    #[test]
    fn a_switch_to_a_state_that_no_edge_makes_breaks() {
        let switched = |truth: &Truth, node: u32| {
            let (before, after) = (blank(truth, ONE_FOUR, 0), blank(truth, TWO, node));
            vec![(0, committed(truth, ONE_FOUR, TWO, &before, &after))]
        };
        check::<ReplayAgrees>(
            |truth| switched(truth, 0),
            |truth| switched(truth, 1),
            "do not make",
        );
    }
}
