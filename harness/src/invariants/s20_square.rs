//! S20: it does not matter whether a message comes before a switch or after it.

use std::collections::VecDeque;

use app::{Body, Context, Incoming, Outgoing, Value};
use causal::{Clock, Content, Stamp};
use contract::NodeId;
use replica::{MessageId, Notice};

use super::{Broken, Invariant, copies::any_stamp, operations::Places};
use crate::{
    observation::{Kind, Kinds, Moment, Observation, Published, Truth},
    square::{self, Release, Seen, Way, law},
};

/// Nodes that are looked at: enough to meet every release, few enough to stay cheap in large fleets.
const NODES_MAX: usize = 8;
/// Messages on their way to a node that are tried, the latest.
const WAITING_MAX: usize = 8;
/// Operations that are tried, the latest that clients asked for anywhere.
const OPERATIONS_MAX: usize = 4;
/// Operations that were broadcast and are tried at nodes that have not delivered them, the latest anywhere.
const ISSUED_MAX: usize = 16;
/// A state is told no further.
const TOLD_CHARACTERS_MAX: usize = 200;

/// Whenever a node switches, a message that was on its way to it then, an operation that another had broadcast
/// and that it could have delivered, or what a client might have asked, would have led to the same state and the
/// same answers before the switch and, converted, after it. The state is the node's; the codes are the honest
/// ones.
#[derive(Default)]
pub(super) struct SquaresCommute {
    /// By receiver.
    waiting: Vec<VecDeque<Waiting>>,
    operations: VecDeque<Asked>,
    issued: VecDeque<Issued>,
    places: Places,
}

/// A message on its way.
struct Waiting {
    id: MessageId,
    body: Body,
    /// Who sent it, among the published.
    release: usize,
}

/// What a client asked for, as the release took it.
struct Asked {
    id: u64,
    body: Body,
    release: usize,
}

/// An operation that was broadcast.
struct Issued {
    stamp: Stamp,
    past: Clock,
    body: Body,
    release: usize,
}

impl Invariant for SquaresCommute {
    fn name(&self) -> &'static str {
        "S20"
    }

    fn claim(&self) -> &'static str {
        "a message leads to the same state and answers before a switch and, converted, after it"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[
            Kind::Sent,
            Kind::Delivered,
            Kind::NotDelivered,
            Kind::Operation,
            Kind::Broadcast,
            Kind::CausallyDelivered,
            Kind::BecameMember,
            Kind::Crashed,
            Kind::Committed,
        ])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        self.places.crash(moment, seen);
        let Observation::Notice(notice) = seen else { return Ok(()) };
        match notice {
            Notice::Broadcast(issued) => {
                let Content::Payload(sent) = &issued.operation.content else { return Ok(()) };
                let release = usize::from(truth.stamp(Some(&sent.stamp)));
                if release < truth.releases.len() {
                    let (stamp, past) = (issued.stamp, issued.past.clone());
                    self.issued.push_back(Issued { stamp, past, body: sent.body.clone(), release });
                    if self.issued.len() > ISSUED_MAX {
                        self.issued.pop_front();
                    }
                }
            }
            Notice::CausallyDelivered(told) => {
                self.places.of(moment.node).deliver(told.stamp, &told.past);
            }
            Notice::BecameMember(joined) => self.places.join(moment.node, &joined.delivered),
            Notice::Sent { id, body, stamp, .. } => {
                let release = usize::from(truth.stamp(stamp.as_ref()));
                if release < truth.releases.len()
                    && let Some(queue) = self.queue(id.to)
                {
                    queue.push_back(Waiting { id: *id, body: body.clone(), release });
                    if queue.len() > WAITING_MAX {
                        queue.pop_front();
                    }
                }
            }
            Notice::Delivered { id, .. } | Notice::NotDelivered { id, .. } => {
                if let Some(queue) = self.queue(id.to) {
                    queue.retain(|waiting| waiting.id != *id);
                }
            }
            Notice::Operation { id, sent, converted, .. } => {
                let running = truth.node(moment.node).run.as_ref().and_then(|run| run.index);
                if let Some(release) = running {
                    let body = converted.body(sent).clone();
                    self.operations.push_back(Asked { id: *id, body, release });
                    if self.operations.len() > OPERATIONS_MAX {
                        self.operations.pop_front();
                    }
                }
            }
            Notice::Committed { from: Some(from), release, state_before: Some(state), .. } => {
                let (Some(old), Some(new)) = (truth.release(from), truth.release(&release.id))
                else {
                    return Ok(());
                };
                return self.switched(truth, moment, old, new, state);
            }
            _ => {}
        }
        Ok(())
    }
}

impl SquaresCommute {
    /// What is on its way to a node; `None`: it is not looked at.
    fn queue(&mut self, node: NodeId) -> Option<&mut VecDeque<Waiting>> {
        let at = usize::try_from(node.0).ok().filter(|at| *at < NODES_MAX)?;
        if at >= self.waiting.len() {
            self.waiting.resize_with(at + 1, VecDeque::new);
        }
        self.waiting.get_mut(at)
    }

    /// What a node has not delivered and could, as the release that it runs takes it.
    fn deliverable(&mut self, truth: &Truth, node: NodeId, runs: usize) -> Vec<Incoming> {
        let place = self.places.of(node);
        let could = |one: &&Issued| {
            !place.unsure && !place.clock.covers(one.stamp.dot) && place.clock.covers_all(&one.past)
        };
        let taken = |one: &Issued| {
            let body = taken(truth, one.release, runs, &one.body)?;
            Some(Incoming::Delivered { stamp: one.stamp, past: one.past.clone(), body })
        };
        self.issued.iter().filter(could).filter_map(taken).collect()
    }

    fn switched(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        old: usize,
        new: usize,
        state: &[u8],
    ) -> Result<(), Broken> {
        let way = Way::new(&release_of(truth, old), &release_of(truth, new));
        let Some(way) = way.filter(Way::has_edges) else { return Ok(()) };
        let at = moment.node.0 as usize;
        if at >= NODES_MAX {
            return Ok(());
        }
        let deliverable = self.deliverable(truth, moment.node, old);
        let waiting = self.waiting.get(at).into_iter().flatten().filter_map(|waiting| {
            let body = taken(truth, waiting.release, old, &waiting.body)?;
            Some(Incoming::Message { from: waiting.id.from, body })
        });
        let asked = self.operations.iter().filter_map(|asked| {
            let body = taken(truth, asked.release, old, &asked.body)?;
            Some(Incoming::Operation { id: asked.id, body })
        });
        let tried = waiting.chain(asked).chain(deliverable);
        let broken = tried.filter_map(|incoming| breaks(truth, moment, &way, state, incoming));
        // States that differ say more than answers.
        match broken.min_by_key(|(broken, _)| matches!(broken, square::Broken::Said { .. })) {
            Some((_, text)) => Err(Broken::at(moment.node, text)),
            None => Ok(()),
        }
    }
}

fn release_of(truth: &Truth, index: usize) -> Release {
    let Published { envelope, program, .. } = &truth.releases[index];
    Release::of(&envelope.id.version, &envelope.class, program)
}

/// A message of one release as another takes it; `None`: it does not.
fn taken(truth: &Truth, from: usize, to: usize, body: &Body) -> Option<Body> {
    if from == to {
        return Some(body.clone());
    }
    let way = Way::new(&release_of(truth, from), &release_of(truth, to))?;
    way.arrive(body).ok()
}

/// How it matters whether `incoming` comes before the switch or after it; `None`: not at all.
fn breaks(
    truth: &Truth,
    moment: &Moment,
    way: &Way,
    state: &[u8],
    incoming: Incoming,
) -> Option<(square::Broken, String)> {
    let node = moment.node;
    let mut instance = way.from.program.load(node, state).ok()?;
    let nodes = &truth.node(node).peers;
    let context = Context { node, now: moment.at, nodes, entropy: 0, next: Some(any_stamp(node)) };
    let seen = Seen::of(&way.from.name, &mut *instance, context, incoming);
    let broken = law::square(way, &seen).err()?;
    let schema = &way.to.program.manifest().state;
    let shown = |state: &[u8]| match Value::decode(schema, state) {
        Ok(value) => {
            let text = value.named(schema).to_string();
            text.chars().take(TOLD_CHARACTERS_MAX).collect()
        }
        Err(_) => "no state".to_owned(),
    };
    let how = match &broken {
        square::Broken::States { expected, found, refused, .. } => {
            let why = refused.as_ref().map(|why| format!(", refused: {why}")).unwrap_or_default();
            let (before, after) = (shown(expected), shown(found));
            format!("taken before it makes {before}, after it {after}{why}")
        }
        square::Broken::Said { expected, found, .. } => {
            let (before, after) = (said(way, expected), said(way, found));
            format!("taken before it says {before}, after it {after}")
        }
        // A migration may refuse a state: the release is then quarantined. Others see to the rest.
        _ => return None,
    };
    let kind = seen.body().and_then(|body| way.from.program.manifest().message(body.tag));
    let kind = kind.map_or("a message", |kind| kind.name);
    let text = format!("{node} switched from {} to {}: `{kind}` {how}", way.from.name, way.to.name);
    Some((broken, text))
}

/// What the newer release is told or tells.
fn said(way: &Way, said: &[Outgoing]) -> String {
    let shown = |body: &Body| match way.to.program.manifest().message(body.tag) {
        Some(kind) => match Value::decode(&kind.schema, &body.bytes) {
            Ok(value) => format!("`{}` {}", kind.name, value.named(&kind.schema)),
            Err(_) => format!("`{}`", kind.name),
        },
        None => format!("{body:?}"),
    };
    let each = said.iter().map(|outgoing| match outgoing {
        Outgoing::Send { to, body } => format!("{} to {to}", shown(body)),
        Outgoing::Broadcast { body } => format!("{} to all", shown(body)),
        Outgoing::Reply { result, .. } => {
            format!("{} to a client", Value::Bytes(result.to_vec()))
        }
    });
    let text = each.collect::<Vec<_>>().join(" and ");
    if text.is_empty() { "nothing".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use causal::Dot;

    use super::{
        super::{
            operations::testing::{body_of, operation},
            testing::*,
        },
        *,
    };

    /// n0 goes from 1.4.0 to another release while an `add` is on its way to it.
    fn switches(truth: &Truth, to: usize) -> Vec<(u32, Notice)> {
        let before = blank(truth, ONE_FOUR, 0);
        let after = blank(truth, to, 0);
        vec![
            (1, sent(truth, message(1, 0, 1), ONE_FOUR)),
            (0, committed(truth, ONE_FOUR, to, &before, &after)),
        ]
    }

    fn told(variant: Option<&str>, delivered_before: bool) -> Result<(), String> {
        let mut truth = truth();
        let registry = app::native::Registry::standard();
        truth.releases[TWO].program = registry.program("counter", "2.0.0", variant).unwrap();
        let mut notices = switches(&truth, TWO);
        if delivered_before {
            notices.insert(1, (0, delivered(&truth, message(1, 0, 1), ONE_FOUR)));
        }
        story(&mut truth, &mut SquaresCommute::default(), &notices)
    }

    #[test]
    fn a_conversion_that_means_something_else_breaks() {
        assert_eq!(told(None, false), Ok(()));
        let broken = told(Some("mistranslates"), false).unwrap_err();
        let expected = "n0 switched from 1.4.0 to 2.0.0: `add` taken before it makes \
            {id: 0, map: {0 -> {up: 1, down: 0}}}, after it {id: 0, map: {0 -> {up: 1000, down: 0}}}";
        assert_eq!(broken, expected);
        assert!(told(Some("no-convert"), false).unwrap_err().contains("refused: "));
    }

    #[test]
    fn an_operation_that_is_passed_on_as_something_else_breaks() {
        let mut truth = truth();
        let registry = app::native::Registry::standard();
        let flawed = registry.program("counter", "2.0.0", Some("mistranslates")).unwrap();
        truth.releases[TWO].program = flawed;
        let asked = truth.releases[ONE_FOUR].program.operation("add", [1; 4]).unwrap();
        let asked = Notice::Operation {
            id: 1,
            instance: 7,
            sent: asked,
            converted: replica::notice::Conversion::NONE,
            entropy: 0,
            at: contract::Time::ZERO,
        };
        let mut notices = switches(&truth, TWO);
        notices[0] = (1, asked);
        let broken = story(&mut truth, &mut SquaresCommute::default(), &notices).unwrap_err();
        let expected = "`add` taken before it says `add` {by: Up(2000)} to n1 and 0x to a client, \
            after it `add` {by: Up(2)} to n1 and 0x to a client";
        assert!(broken.ends_with(expected), "{broken}");
    }

    /// n0 goes from the register 2.0.0 to this 3.0.0 while an addition of n1 is on its way to it, or is not.
    fn register(variant: Option<&str>, delivered: bool) -> Result<(), String> {
        let mut truth = truth();
        truth.releases[ONE_FOUR] = published_of("register", "2.0.0", None, 0);
        truth.releases[TWO] = published_of("register", "3.0.0", variant, 0);
        let own = operation(&truth, Dot::new(0, 1), &[], body_of(&truth, "add", 1));
        let add = operation(&truth, Dot::new(1, 1), &[], body_of(&truth, "add", 2));
        let mut told = vec![(0, own.issued()), (0, own.delivered()), (1, add.issued())];
        if delivered {
            told.push((0, add.delivered()));
        }
        let before = blank(&truth, ONE_FOUR, 0);
        // Only the state before is looked at.
        told.push((0, committed(&truth, ONE_FOUR, TWO, &before, &before)));
        story(&mut truth, &mut SquaresCommute::default(), &told)
    }

    #[test]
    fn an_operation_on_its_way_between_members_that_comes_to_another_end_breaks() {
        assert_eq!(register(None, false), Ok(()));
        let broken = register(Some("breaks-square"), false).unwrap_err();
        let expected = "`change` taken before it makes {value: -300, retained: []}, after it {value: -3, retained: []}";
        assert!(broken.ends_with(expected), "{broken}");
        assert_eq!(register(Some("breaks-square"), true), Ok(()), "it is not on its way any more");
    }

    #[test]
    fn only_what_is_still_on_its_way_is_tried() {
        assert_eq!(told(Some("mistranslates"), true), Ok(()));
    }

    #[test]
    fn a_migration_that_refuses_a_state_is_no_broken_square() {
        assert_eq!(told(Some("fails-on-odd"), false), Ok(()));
    }
}
