//! A small fleet in memory: instances, messages that arrive in any order that is promised, and upgrades.
//!
//! What happens is a list of moves, each of which stands for itself: a move that makes no sense where others
//! were left out does nothing, so that any part of a list can be played.

use app::{Body, Context, Fault, Guarantee, Incoming, Instance, Outgoing};
use contract::{NodeId, Span, Time};
use crdt::{Clock, Dot, Stamp, catalogue::Draw};

use super::{Release, Way};

/// Something that happens to a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Names it: messages are known by the move that sent them.
    pub id: u32,
    /// When.
    pub at: Time,
    /// To which node, from 0.
    pub node: usize,
    /// What its step may draw from.
    pub entropy: u64,
    /// What.
    pub what: What,
}

/// What happens to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Its tick passes.
    Tick,
    /// A client of a release asks for something.
    Ask {
        /// The client's release.
        release: String,
        /// What.
        body: Body,
    },
    /// A message comes, which this move sent, counted from 0.
    Deliver {
        /// The move.
        sent: u32,
        /// Which of its messages.
        number: u32,
    },
    /// An operation is delivered, which this move broadcast.
    Hear {
        /// The move.
        sent: u32,
    },
    /// It learns what is stable.
    Learn,
    /// It takes the next release of its line.
    Upgrade,
}

/// One step that an instance took, and all that it depended on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The release that ran.
    pub release: String,
    /// Where.
    pub node: NodeId,
    /// All nodes.
    pub nodes: Vec<NodeId>,
    /// When.
    pub now: Time,
    /// What it could draw from.
    pub entropy: u64,
    /// The stamp of what it broadcasts.
    pub next: Option<Stamp>,
    /// The state before.
    pub before: Vec<u8>,
    /// What came, as the release takes it.
    pub incoming: Incoming,
    /// What it said. Errors: it failed, which has no effect.
    pub said: Result<Vec<Outgoing>, Fault>,
    /// The state afterwards.
    pub after: Vec<u8>,
}

impl Seen {
    /// Has an instance of `release` take `incoming`.
    pub(crate) fn of(
        release: &str,
        instance: &mut dyn Instance,
        context: Context<'_>,
        incoming: Incoming,
    ) -> Self {
        let Context { node, now, nodes, entropy, next } = context;
        let before = instance.export();
        let mut said = Vec::new();
        let done = instance.handle(context, &incoming, &mut said);
        Self {
            release: release.to_owned(),
            node,
            nodes: nodes.to_vec(),
            now,
            entropy,
            next,
            before,
            incoming,
            said: done.map(|_| said),
            after: instance.export(),
        }
    }

    /// Where the step was taken.
    pub(super) fn context(&self) -> Context<'_> {
        let Self { node, now, entropy, next, .. } = *self;
        Context { node, now, nodes: &self.nodes, entropy, next }
    }

    /// The message or operation that came; `None`: it was none.
    pub fn body(&self) -> Option<&Body> {
        match &self.incoming {
            Incoming::Message { body, .. }
            | Incoming::Operation { body, .. }
            | Incoming::Delivered { body, .. } => Some(body),
            Incoming::Tick | Incoming::Stable { .. } => None,
        }
    }
}

/// Instances, and what is on its way between them.
pub(super) struct Fleet<'a> {
    /// Releases that a node goes through before the last, and how.
    line: &'a [Way],
    last: &'a Release,
    nodes: Vec<NodeId>,
    at: Vec<Node>,
    flying: Vec<Flying>,
    casts: Vec<Cast>,
    now: Time,
    moves: u32,
}

struct Node {
    /// How many releases it has behind it.
    stage: usize,
    instance: Box<dyn Instance>,
    /// Operations that it has delivered.
    clock: Clock,
    /// The Lamport time of its next operation.
    lamport: u64,
}

/// A message on its way.
struct Flying {
    sent: u32,
    number: u32,
    stage: usize,
    from: usize,
    to: usize,
    body: Body,
    once: bool,
}

/// An operation that was broadcast.
struct Cast {
    sent: u32,
    stage: usize,
    stamp: Stamp,
    past: Clock,
    body: Body,
}

impl<'a> Fleet<'a> {
    /// A fleet of `nodes` that go through `line` to `last`.
    pub(super) fn new(line: &'a [Way], last: &'a Release, nodes: u32) -> Self {
        let first = line.first().map_or(last, |way| &way.from);
        let nodes: Vec<NodeId> = (0..nodes).map(NodeId).collect();
        let at = nodes.iter().map(|node| Node {
            stage: 0,
            instance: first.program.init(*node),
            clock: Clock::new(),
            lamport: 0,
        });
        let at = at.collect();
        let (flying, casts) = (Vec::new(), Vec::new());
        Self { line, last, nodes, at, flying, casts, now: Time::ZERO, moves: 0 }
    }

    fn release(&self, stage: usize) -> &'a Release {
        self.line.get(stage).map_or(self.last, |way| &way.from)
    }

    /// Something that can happen now.
    pub(super) fn draw(&mut self, draw: &mut Draw) -> Move {
        /// A session may end meanwhile, and a client may lose its patience.
        const LEAP: Span = Span::from_secs(400);
        let leaps = draw.below(32) == 0;
        self.now = self.now + if leaps { LEAP } else { Span::from_secs(1) };
        let (id, at, entropy) = (self.moves, self.now, draw.word());
        self.moves += 1;
        let somewhere = draw.below(self.nodes.len());
        let can_upgrade = self.at[somewhere].stage < self.line.len();
        let deliverable = self.deliverable();
        let (node, what) = match draw.below(8) {
            0 if can_upgrade => (somewhere, What::Upgrade),
            0 if self.is_causal(somewhere) => (somewhere, What::Learn),
            0 | 1 => (somewhere, What::Tick),
            2..5 if !deliverable.is_empty() => deliverable[draw.below(deliverable.len())].clone(),
            _ => (somewhere, self.ask(somewhere, draw)),
        };
        Move { id, at, node, entropy, what }
    }

    fn ask(&self, node: usize, draw: &mut Draw) -> What {
        let release = self.release(self.at[node].stage);
        let program = &release.program;
        let kinds = &program.manifest().operations;
        if kinds.is_empty() {
            return What::Tick;
        }
        let kind = kinds[draw.below(kinds.len())];
        let entropy = [(); 4].map(|()| draw.word() as u32);
        match program.operation(kind, entropy) {
            Some(body) => What::Ask { release: release.name.clone(), body },
            None => What::Tick,
        }
    }

    /// Whether the release at a node has operations that are broadcast.
    fn is_causal(&self, node: usize) -> bool {
        let manifest = self.release(self.at[node].stage).program.manifest();
        manifest.messages.iter().any(|kind| kind.guarantee == Guarantee::Causal)
    }

    /// What may arrive next, and where.
    fn deliverable(&self) -> Vec<(usize, What)> {
        let messages = self.flying.iter().enumerate().filter(|(at, _)| self.may_arrive(*at));
        let messages = messages.map(|(_, flying)| {
            let Flying { sent, number, .. } = *flying;
            (flying.to, What::Deliver { sent, number })
        });
        let heard = self.casts.iter().flat_map(|cast| {
            let ready = (0..self.nodes.len()).filter(|node| self.may_hear(*node, cast));
            ready.map(|node| (node, What::Hear { sent: cast.sent }))
        });
        messages.chain(heard).collect()
    }

    /// A message to be delivered once comes after those before it; a newer one waits for the upgrade.
    fn may_arrive(&self, at: usize) -> bool {
        let flying = &self.flying[at];
        let stream = |one: &&Flying| one.once && one.from == flying.from && one.to == flying.to;
        let overtakes = flying.once && self.flying[..at].iter().any(|one| stream(&one));
        !overtakes && flying.stage <= self.at[flying.to].stage
    }

    fn may_hear(&self, node: usize, cast: &Cast) -> bool {
        let Node { stage, clock, .. } = &self.at[node];
        !clock.covers(cast.stamp.dot) && clock.covers_all(&cast.past) && cast.stage <= *stage
    }

    /// Carries `step` out. Returns the steps that an instance took: none, one, or with an operation of its
    /// own two.
    pub(super) fn play(&mut self, step: &Move) -> Vec<Seen> {
        let node = step.node;
        match &step.what {
            What::Tick => self.step(step, Incoming::Tick),
            What::Ask { release, body } => {
                let stages = 0..=self.at[node].stage;
                let Some(stage) = stages.into_iter().find(|at| self.release(*at).name == *release)
                else {
                    return Vec::new();
                };
                match self.convert(stage, node, body) {
                    Some(body) => self.step(step, Incoming::Operation { id: step.id.into(), body }),
                    None => Vec::new(),
                }
            }
            What::Deliver { sent, number } => {
                let here = |one: &Flying| (one.sent, one.number) == (*sent, *number);
                let Some(at) = self.flying.iter().position(here) else { return Vec::new() };
                if !self.may_arrive(at) {
                    return Vec::new();
                }
                let Flying { from, stage, body, .. } = self.flying.remove(at);
                match self.convert(stage, node, &body) {
                    Some(body) => {
                        self.step(step, Incoming::Message { from: self.nodes[from], body })
                    }
                    None => Vec::new(),
                }
            }
            What::Hear { sent } => self.hear(step, *sent),
            What::Learn => {
                let clock = self.stable(node);
                self.step(step, Incoming::Stable { clock })
            }
            What::Upgrade => {
                self.upgrade(node);
                Vec::new()
            }
        }
    }

    /// A message of an older stage as the node takes it; `None`: it refuses it.
    fn convert(&self, stage: usize, node: usize, body: &Body) -> Option<Body> {
        let ways = &self.line[stage..self.at[node].stage];
        // A line has two releases at most, so that this is the way that the node's release takes.
        ways.iter().try_fold(body.clone(), |body, way| way.arrive(&body).ok())
    }

    fn hear(&mut self, step: &Move, sent: u32) -> Vec<Seen> {
        let Some(cast) = self.casts.iter().find(|cast| cast.sent == sent) else {
            return Vec::new();
        };
        if !self.may_hear(step.node, cast) {
            return Vec::new();
        }
        let (stamp, past, stage) = (cast.stamp, cast.past.clone(), cast.stage);
        let body = cast.body.clone();
        let here = &mut self.at[step.node];
        here.clock.advance(stamp.dot);
        here.lamport = here.lamport.max(stamp.lamport + 1);
        match self.convert(stage, step.node, &body) {
            Some(body) => self.step(step, Incoming::Delivered { stamp, past, body }),
            None => Vec::new(),
        }
    }

    /// What the node knows to be at every member: what the last operation that it has of each had seen.
    fn stable(&self, node: usize) -> Clock {
        let own = &self.at[node].clock;
        let seen = |other: &NodeId| {
            let dot = Dot::new(other.0, own.get(other.0));
            let cast = self.casts.iter().find(|cast| cast.stamp.dot == dot);
            let past = cast.map(|cast| cast.past.clone());
            past.map(|mut past| {
                past.advance(dot);
                past
            })
        };
        let rows: Vec<Clock> = self
            .nodes
            .iter()
            .map(|other| if other.0 as usize == node { Some(own.clone()) } else { seen(other) })
            .map(Option::unwrap_or_default)
            .collect();
        let least = self.nodes.iter().map(|of| {
            let seq = rows.iter().map(|row| row.get(of.0)).min().unwrap_or(0);
            Dot::new(of.0, seq)
        });
        least.filter(|dot| dot.seq > 0).collect()
    }

    /// A node whose state does not migrate stays as it was.
    fn upgrade(&mut self, node: usize) {
        let Some(way) = self.line.get(self.at[node].stage) else { return };
        let state = self.at[node].instance.export();
        let migrated = way.migrate(&state);
        let loaded = migrated.and_then(|state| way.to.program.load(self.nodes[node], &state));
        if let Ok(instance) = loaded {
            self.at[node].instance = instance;
            self.at[node].stage += 1;
        }
    }

    fn step(&mut self, step: &Move, incoming: Incoming) -> Vec<Seen> {
        let (node, stage) = (step.node, self.at[step.node].stage);
        let release = self.release(stage);
        let causal = self.is_causal(node);
        let here = &mut self.at[node];
        let own = self.nodes[node];
        let next = Stamp { lamport: here.lamport, dot: Dot::new(own.0, here.clock.get(own.0) + 1) };
        let context = Context {
            node: own,
            now: step.at,
            nodes: &self.nodes,
            entropy: step.entropy,
            next: causal.then_some(next),
        };
        let seen = Seen::of(&release.name, &mut *here.instance, context, incoming);
        let said = seen.said.clone().unwrap_or_default();
        let mut steps = vec![seen];
        for (number, outgoing) in (0..).zip(said) {
            match outgoing {
                Outgoing::Send { to, body } => self.send(step.id, number, node, to, body),
                Outgoing::Reply { .. } => {}
                Outgoing::Broadcast { body } => {
                    let past = self.at[node].clock.clone();
                    self.casts.push(Cast { sent: step.id, stage, stamp: next, past, body });
                    steps.extend(self.hear(step, step.id));
                }
            }
        }
        steps
    }

    fn send(&mut self, sent: u32, number: u32, from: usize, to: NodeId, body: Body) {
        let stage = self.at[from].stage;
        let kind = self.release(stage).program.manifest().message(body.tag);
        let once = kind.is_some_and(|kind| kind.guarantee == Guarantee::ExactlyOnce);
        if let Some(to) = self.nodes.iter().position(|node| *node == to) {
            self.flying.push(Flying { sent, number, stage, from, to, body, once });
        }
    }
}
