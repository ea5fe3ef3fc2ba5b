//! Fleets for tests of replicated types: replicas that upgrade when they like, and every order there is.
//!
//! [`play`] runs a fleet at random and judges each replica by the meaning of what it has delivered, online.
//! [`sweep`] takes the operations of a play and visits every causally closed set of them at every release:
//! one state each, whatever the order of deliveries and upgrades that led there. That is the upgrade square
//! and path independence at every cut, and by induction every order there is.

use std::{collections::BTreeMap, sync::Arc};

use causal::{Clock, Dot, Event, Log, Stamp};
use contract::{NodeId, Time};
use crdt::catalogue::Draw;

use crate::{
    Body, Context, Incoming, Instance, Outgoing, Program, Step,
    native::{
        Registry,
        rig::{migrate, stable},
    },
};

/// What a checker found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::native) enum Found {
    /// Two orders lead to different states.
    Divergence,
    /// A replica shows something else than what was delivered means.
    Nonsense,
    /// An operation, a migration or a conversion failed.
    Failure,
}

/// An operation and the number of the release it was broadcast by.
pub(in crate::native) type Sent = (usize, Event<Body>);

/// Releases of one application, oldest first.
pub(in crate::native) struct Releases(Vec<Arc<dyn Program>>);

impl Releases {
    pub(in crate::native) fn named(names: &[&str]) -> Self {
        let load = |name: &&str| {
            let words: Vec<_> = name.split(' ').collect();
            let variant = words.get(2).copied();
            Registry::standard().program(words[0], words[1], variant).expect("a listed program")
        };
        Self(names.iter().map(load).collect())
    }

    /// The edge of `to` that comes from `from`; `None`: they share their state and need none.
    fn edge(&self, from: usize, to: usize) -> Option<usize> {
        let (from, to) = (self.0[from].manifest(), self.0[to].manifest());
        if from.state.id() == to.state.id() {
            return None;
        }
        let of = |edge: &crate::Edge| edge.from_state == from.state.id();
        Some(to.edges.iter().position(of).expect("an edge between releases of a test"))
    }

    fn migrated(&self, state: &[u8], from: usize, to: usize) -> Result<Vec<u8>, Found> {
        match self.edge(from, to) {
            Some(edge) => migrate(&self.0[to], edge, state).map_err(|_| Found::Failure),
            None => Ok(state.to_vec()),
        }
    }

    fn converted(&self, (from, event): &Sent, to: usize) -> Result<Event<Body>, Found> {
        let message = match self.edge(*from, to) {
            Some(edge) => self.0[to].convert(edge, &event.message).map_err(|_| Found::Failure)?,
            None => event.message.clone(),
        };
        Ok(Event { stamp: event.stamp, past: event.past.clone(), message })
    }

    /// Whether the gate of a node that runs `to` lets it in.
    fn takes(&self, (from, event): &Sent, to: usize) -> bool {
        *from <= to
            || self.edge(to, *from).is_none()
                && self.0[to].manifest().message(event.message.tag).is_some()
    }

    /// Whether `state` shows what the operations that `delivered` covers mean.
    fn judge(
        &self,
        release: usize,
        state: &[u8],
        log: &[Sent],
        delivered: &Clock,
    ) -> Result<(), Found> {
        let known = log.iter().filter(|(_, event)| delivered.covers(event.stamp.dot));
        let events = known.map(|sent| self.converted(sent, release)).collect::<Result<Vec<_>, _>>();
        let meaning = self.0[release].meaning(&Log::new(&events?)).expect("it has operations");
        let shown = self.0[release].shown(state).expect("it has operations");
        if meaning.is_ok() && meaning == shown { Ok(()) } else { Err(Found::Nonsense) }
    }
}

/// A replica.
struct Node {
    release: usize,
    instance: Box<dyn Instance>,
    delivered: Clock,
    /// The longest chain delivered.
    lamport: u64,
}

fn context(node: usize, next: Option<Stamp>) -> Context<'static> {
    Context { node: NodeId(node as u32), now: Time::ZERO, nodes: &[], entropy: 0, next }
}

impl Node {
    fn deliver(&mut self, at: usize, event: Event<Body>) -> Result<(), Found> {
        let Event { stamp, past, message: body } = event;
        let incoming = Incoming::Delivered { stamp, past, body };
        let done = self.instance.handle(context(at, None), &incoming, &mut Vec::new());
        done.map_err(|_| Found::Failure)?;
        self.delivered.advance(stamp.dot);
        self.lamport = self.lamport.max(stamp.lamport + 1);
        Ok(())
    }

    /// What a client asks for, where it leads to an operation.
    fn ask(&mut self, at: usize, body: Body) -> Option<Event<Body>> {
        let dot = Dot::new(at as u32, self.delivered.get(at as u32) + 1);
        let stamp = Stamp { lamport: self.lamport, dot };
        let mut out = Vec::new();
        let asked = Incoming::Operation { id: 0, body };
        self.instance.handle(context(at, Some(stamp)), &asked, &mut out).ok()?;
        let past = self.delivered.clone();
        out.into_iter().find_map(|outgoing| match outgoing {
            Outgoing::Broadcast { body } => {
                Some(Event { stamp, past: past.clone(), message: body })
            }
            _ => None,
        })
    }
}

/// Replicas that run at random.
struct Fleet<'a> {
    releases: &'a Releases,
    nodes: Vec<Node>,
    log: Vec<Sent>,
    operations: usize,
    draw: &'a mut Draw,
}

/// A random run of `nodes` replicas that start at the first release and end at the last, with at most
/// `operations` operations. What is asked for depends on what is seen, so it differs from release to release.
pub(in crate::native) fn play(
    releases: &Releases,
    nodes: usize,
    operations: usize,
    draw: &mut Draw,
) -> Result<Vec<Sent>, Found> {
    let started = |at: usize| Node {
        release: 0,
        instance: releases.0[0].init(NodeId(at as u32)),
        delivered: Clock::new(),
        lamport: 0,
    };
    let nodes: Vec<_> = (0..nodes).map(started).collect();
    // Long enough for everything to be asked, delivered and upgraded somewhere.
    let moves = operations * nodes.len() * 5;
    let mut fleet = Fleet { releases, nodes, log: Vec::new(), operations, draw };
    for _ in 0..moves {
        let at = fleet.draw.below(fleet.nodes.len());
        if fleet.step(at)? {
            let node = &fleet.nodes[at];
            releases.judge(node.release, &node.instance.export(), &fleet.log, &node.delivered)?;
        }
    }
    Ok(fleet.log)
}

impl Fleet<'_> {
    /// Says whether something happened at the node at `at`.
    fn step(&mut self, at: usize) -> Result<bool, Found> {
        match self.draw.below(10) {
            0 | 1 if self.nodes[at].release + 1 < self.releases.0.len() => self.upgrade(at),
            2..5 if self.log.len() < self.operations => self.ask(at),
            5 => self.stabilize(at),
            _ => self.deliver(at),
        }
    }

    /// To any later release.
    fn upgrade(&mut self, at: usize) -> Result<bool, Found> {
        let (releases, node) = (self.releases, &mut self.nodes[at]);
        let to = node.release + 1 + self.draw.below(releases.0.len() - node.release - 1);
        let state = releases.migrated(&node.instance.export(), node.release, to)?;
        let loaded = releases.0[to].load(NodeId(at as u32), &state);
        node.instance = loaded.map_err(|_| Found::Failure)?;
        node.release = to;
        Ok(true)
    }

    fn ask(&mut self, at: usize) -> Result<bool, Found> {
        let node = &mut self.nodes[at];
        let program = &self.releases.0[node.release];
        let kind = self.draw.pick(&program.manifest().operations);
        let entropy = std::array::from_fn(|_| self.draw.word() as u32);
        let body = program.operation(kind, entropy).expect("a kind of the manifest");
        let Some(event) = node.ask(at, body) else { return Ok(false) };
        self.log.push((node.release, event.clone()));
        node.deliver(at, event)?;
        Ok(true)
    }

    fn stabilize(&mut self, at: usize) -> Result<bool, Found> {
        let others = (0..self.nodes.len() as u32).filter(|other| *other != at as u32);
        let events: Vec<_> = self.log.iter().map(|sent| &sent.1).collect();
        let node = &mut self.nodes[at];
        let stable = Incoming::Stable { clock: stable(others, &node.delivered, events) };
        let done = node.instance.handle(context(at, None), &stable, &mut Vec::new());
        done.map(|step| step == Step::Changed).map_err(|_| Found::Failure)
    }

    fn deliver(&mut self, at: usize) -> Result<bool, Found> {
        let node = &mut self.nodes[at];
        let ready = self.log.iter().filter(|sent| {
            let event = &sent.1;
            !node.delivered.covers(event.stamp.dot)
                && node.delivered.covers_all(&event.past)
                && self.releases.takes(sent, node.release)
        });
        let ready: Vec<_> = ready.collect();
        if ready.is_empty() {
            return Ok(false);
        }
        let event = self.releases.converted(self.draw.pick(&ready), node.release)?;
        node.deliver(at, event)?;
        Ok(true)
    }
}

/// Visits every causally closed set of `log` at every release that can have delivered it. Says how many
/// states there are.
pub(in crate::native) fn sweep(releases: &Releases, log: &[Sent]) -> Result<usize, Found> {
    type Cut = (usize, Vec<bool>);
    let mut states: BTreeMap<Cut, Vec<u8>> = BTreeMap::new();
    let start = releases.0[0].init(NodeId(0)).export();
    let mut open = vec![(0, vec![false; log.len()])];
    states.insert(open[0].clone(), start);
    while let Some((release, set)) = open.pop() {
        let state = states[&(release, set.clone())].clone();
        let covered = log.iter().zip(&set).filter(|(_, has)| **has);
        let delivered: Clock = covered.map(|((_, event), _)| event.stamp.dot).collect();
        releases.judge(release, &state, log, &delivered)?;
        let mut next = Vec::new();
        for (number, sent) in log.iter().enumerate() {
            let event = &sent.1;
            if !set[number] && delivered.covers_all(&event.past) && releases.takes(sent, release) {
                let load = releases.0[release].load(NodeId(0), &state);
                let mut node = Node {
                    release,
                    instance: load.map_err(|_| Found::Failure)?,
                    delivered: delivered.clone(),
                    lamport: 0,
                };
                node.deliver(0, releases.converted(sent, release)?)?;
                let mut set = set.clone();
                set[number] = true;
                next.push(((release, set), node.instance.export()));
            }
        }
        for later in release + 1..releases.0.len() {
            next.push(((later, set.clone()), releases.migrated(&state, release, later)?));
        }
        for (cut, state) in next {
            match states.get(&cut) {
                Some(known) if *known != state => return Err(Found::Divergence),
                Some(_) => {}
                None => {
                    open.push(cut.clone());
                    states.insert(cut, state);
                }
            }
        }
    }
    Ok(states.len())
}

/// Plays and sweeps `histories` times. Errors: what was found first.
pub(in crate::native) fn check(names: &[&str], histories: u64) -> Result<usize, Found> {
    let releases = Releases::named(names);
    let mut states = 0;
    for seed in 0..histories {
        let mut draw = Draw(seed);
        play(&releases, 4, 14, &mut draw)?;
        let log = play(&releases, 3, 7, &mut draw)?;
        states += sweep(&releases, &log)?;
    }
    Ok(states)
}

/// How many histories showed what first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::native) struct Tally([usize; 3]);

impl Tally {
    pub(in crate::native) const fn of(self, found: Found) -> usize {
        self.0[found as usize]
    }
}

/// What sweeps find in histories that the good `origins` made.
pub(in crate::native) fn found(origins: &[&str], names: &[&str], histories: u64) -> Tally {
    let (origins, releases) = (Releases::named(origins), Releases::named(names));
    let mut tally = Tally::default();
    for seed in 0..histories {
        let log = play(&origins, 3, 7, &mut Draw(seed)).expect("good codes");
        if let Err(found) = sweep(&releases, &log) {
            tally.0[found as usize] += 1;
        }
    }
    tally
}
