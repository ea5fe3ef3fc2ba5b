//! A small fleet for tests: instances of one program, and messages that arrive in any order.

use std::sync::Arc;

use causal::{Clock, Dot, Event, Stamp};
use contract::{NodeId, Time};

use crate::{Body, Context, Fault, Guarantee, Incoming, Instance, Meter, Outgoing, Program, Step};

/// More than any migration here costs.
pub(super) const BUDGET: u64 = 1_000_000;

/// One step that a fleet took, and all that it depended on.
pub(super) struct Seen {
    pub(super) node: NodeId,
    pub(super) entropy: u64,
    pub(super) now: Time,
    pub(super) next: Option<Stamp>,
    /// The state before.
    pub(super) before: Vec<u8>,
    pub(super) incoming: Incoming,
    pub(super) did: Result<(Step, Vec<Outgoing>), Fault>,
    /// The state afterwards.
    pub(super) after: Vec<u8>,
}

/// Instances of one program.
pub(super) struct Fleet {
    pub(super) program: Arc<dyn Program>,
    pub(super) nodes: Vec<NodeId>,
    pub(super) instances: Vec<Box<dyn Instance>>,
    /// Sent and not yet delivered: from, to, what.
    pub(super) in_flight: Vec<(NodeId, NodeId, Body)>,
    /// What clients were told, in order.
    pub(super) replies: Vec<(u64, Vec<u8>)>,
    /// What was broadcast, causes first.
    pub(super) log: Vec<Event<Body>>,
    /// What each node has delivered of it.
    pub(super) delivered: Vec<Clock>,
    /// A node that has broadcast and not taken its own operation yet.
    owing: Option<usize>,
    steps: u64,
}

/// What a fleet does next, drawn by a test.
pub(super) type Move = (u8, u64);

impl Fleet {
    pub(super) fn new(program: Arc<dyn Program>, count: u32) -> Self {
        let nodes: Vec<_> = (1..=count).map(NodeId).collect();
        let instances = nodes.iter().map(|node| program.init(*node)).collect();
        let delivered = nodes.iter().map(|_| Clock::new()).collect();
        let (in_flight, replies, log) = (vec![], vec![], vec![]);
        let owing = None;
        Self { program, nodes, instances, in_flight, replies, log, delivered, owing, steps: 0 }
    }

    /// Hands one input to the node at `at`, and keeps what it sends in flight.
    pub(super) fn give(&mut self, at: usize, incoming: Incoming, entropy: u64) -> Seen {
        if !matches!(incoming, Incoming::Delivered { .. }) {
            self.pay();
        }
        self.steps += 1;
        let (node, now) = (self.nodes[at], Time::from_nanos(self.steps * 1_000_000_000));
        let next = self.next(at);
        let before = self.instances[at].export();
        let mut out = Vec::new();
        let context = Context { node, now, nodes: &self.nodes, entropy, next };
        let did = self.instances[at].handle(context, &incoming, &mut out);
        let after = self.instances[at].export();
        if did.is_ok() {
            for outgoing in &out {
                match outgoing {
                    Outgoing::Send { to, body } => self.in_flight.push((node, *to, body.clone())),
                    Outgoing::Reply { id, result } => self.replies.push((*id, result.to_vec())),
                    Outgoing::Broadcast { body } => self.broadcast(at, body.clone()),
                }
            }
        }
        let did = did.map(|step| (step, out));
        Seen { node, entropy, now, next, before, incoming, did, after }
    }

    /// The stamp of what the node at `at` broadcasts next; `None`: its program has no operations.
    fn next(&self, at: usize) -> Option<Stamp> {
        let messages = &self.program.manifest().messages;
        messages.iter().find(|message| message.guarantee == Guarantee::Causal)?;
        let (node, clock) = (self.nodes[at], &self.delivered[at]);
        let seen = self.log.iter().filter(|event| clock.covers(event.stamp.dot));
        let lamport = seen.map(|event| event.stamp.lamport + 1).max().unwrap_or(0);
        Some(Stamp { lamport, dot: Dot::new(node.0, clock.get(node.0) + 1) })
    }

    /// Gives a node back what it has broadcast: nothing else comes between.
    pub(super) fn pay(&mut self) -> Option<Seen> {
        let at = self.owing.take()?;
        let own = self.log.last().expect("it has broadcast").stamp;
        Some(self.deliver_operation(at, own))
    }

    fn broadcast(&mut self, at: usize, body: Body) {
        let stamp = self.next(at).expect("only who may broadcast does");
        assert_eq!(self.owing.replace(at), None, "at most one broadcast a step");
        self.log.push(Event { stamp, past: self.delivered[at].clone(), message: body });
    }

    /// What the node at `at` could deliver of what was broadcast.
    pub(super) fn ready(&self, at: usize) -> Vec<Stamp> {
        let clock = &self.delivered[at];
        let ready = self.log.iter().filter(|event| {
            let dot = event.stamp.dot;
            !clock.covers(dot) && clock.covers_all(&event.past)
        });
        ready.map(|event| event.stamp).collect()
    }

    /// Delivers an operation to the node at `at`, which is ready for it.
    pub(super) fn deliver_operation(&mut self, at: usize, stamp: Stamp) -> Seen {
        let event = self.log.iter().find(|event| event.stamp == stamp).expect("it was broadcast");
        let (past, body) = (event.past.clone(), event.message.clone());
        let seen = self.give(at, Incoming::Delivered { stamp, past, body }, 0);
        self.delivered[at].advance(stamp.dot);
        seen
    }

    /// Tells the node at `at` what it can know all nodes to have delivered.
    pub(super) fn stabilize(&mut self, at: usize) -> Seen {
        let others = self.nodes.iter().filter(|node| **node != self.nodes[at]);
        let clock = stable(others.map(|node| node.0), &self.delivered[at], &self.log);
        self.give(at, Incoming::Stable { clock }, 0)
    }

    /// An operation of a client at the node at `at`.
    pub(super) fn ask(&mut self, at: usize, body: Body, entropy: u64) -> Seen {
        let id = self.steps;
        self.give(at, Incoming::Operation { id, body }, entropy)
    }

    /// Delivers what is in flight at `index`.
    pub(super) fn deliver(&mut self, index: usize) -> Seen {
        let (from, to, body) = self.in_flight.remove(index);
        let at = self.nodes.iter().position(|node| *node == to).expect("a node of the fleet");
        self.give(at, Incoming::Message { from, body }, 0)
    }

    /// Delivers until nothing is in flight.
    pub(super) fn settle(&mut self) {
        while !self.in_flight.is_empty() {
            let seen = self.deliver(0);
            assert!(seen.did.is_ok(), "{:?} at {}: {:?}", seen.incoming, seen.node, seen.did);
        }
    }

    /// Everything a fleet can do, by a draw.
    pub(super) fn play(&mut self, (choice, entropy): Move) -> Seen {
        if let Some(own) = self.pay() {
            return own;
        }
        let at = entropy as usize % self.nodes.len();
        let ready = self.ready(at);
        let words = [entropy, entropy >> 16, entropy >> 32, entropy >> 48].map(|word| word as u32);
        match choice % 8 {
            1..5 if !ready.is_empty() => {
                self.deliver_operation(at, ready[(entropy >> 8) as usize % ready.len()])
            }
            4 if !self.log.is_empty() => self.stabilize(at),
            0 | 4 => self.give(at, Incoming::Tick, entropy >> 3),
            1 | 2 | 5 | 6 if !self.in_flight.is_empty() => {
                self.deliver((entropy >> 8) as usize % self.in_flight.len())
            }
            _ => {
                let kinds = &self.program.manifest().operations;
                let kind = kinds[(entropy >> 5) as usize % kinds.len()];
                let body = self.program.operation(kind, words).expect("a kind of the manifest");
                self.ask(at, body, entropy >> 7)
            }
        }
    }

    /// Every node goes along `edge` to `program`, and so does what is in flight.
    pub(super) fn upgrade(&mut self, program: &Arc<dyn Program>, edge: Option<usize>) {
        for at in 0..self.nodes.len() {
            self.upgrade_node(at, program, edge);
        }
        if let Some(edge) = edge {
            for (_, _, body) in &mut self.in_flight {
                *body = program.convert(edge, body).expect("a message that converts");
            }
        }
        self.program = Arc::clone(program);
    }

    /// One node goes along `edge` to `program`; without an edge its state stays as it is.
    pub(super) fn upgrade_node(
        &mut self,
        at: usize,
        program: &Arc<dyn Program>,
        edge: Option<usize>,
    ) {
        let state = self.instances[at].export();
        let state = match edge {
            Some(edge) => migrate(program, edge, &state).expect("a state that migrates"),
            None => state,
        };
        self.instances[at] = program.load(self.nodes[at], &state).expect("a state that loads");
    }

    /// The sum over the nodes of a measure.
    pub(super) fn measured(&self, measure: usize) -> i128 {
        let states = self.instances.iter().map(|instance| instance.export());
        states.map(|state| self.program.measure(&state).expect("a state")[measure]).sum()
    }
}

/// What a node that has `delivered` knows all of `others` to have delivered too, by what they sent.
pub(super) fn stable<'a>(
    others: impl Iterator<Item = u32>,
    delivered: &Clock,
    log: impl IntoIterator<Item = &'a Event<Body>> + Clone,
) -> Clock {
    let known = |other: u32| {
        let from = |event: &&Event<Body>| {
            let dot = event.stamp.dot;
            dot.origin == other.into() && delivered.covers(dot)
        };
        let mut known = Clock::new();
        for event in log.clone().into_iter().filter(from) {
            known.merge(&event.past);
            known.advance(event.stamp.dot);
        }
        known
    };
    let known: Vec<_> = others.map(known).collect();
    let everywhere = |dot: &Dot| known.iter().all(|known| known.covers(*dot));
    let dots = log.into_iter().map(|event| event.stamp.dot);
    dots.filter(|dot| delivered.covers(*dot)).filter(everywhere).collect()
}

/// Takes a state along an edge within the budget.
pub(super) fn migrate(
    program: &Arc<dyn Program>,
    edge: usize,
    state: &[u8],
) -> Result<Vec<u8>, Fault> {
    program.migrate(edge, state, &mut Meter::new(BUDGET))
}
