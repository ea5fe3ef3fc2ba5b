//! A tiny world: an unreliable network, disks, and crashes between any two effects.
//!
//! Deterministic, and small enough to see through; the simulator is the real one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use app::{Body, Program, native::Registry};
use contract::{Effect, Encode, Input, NodeId, Process, Record, Span, Time, Wire};
use replica::{Command, Message, Notice, Release, Replica, Settings, Timer, notice::MessageId};
use semver::Version;
use upgrade::{
    release::{Budget, Envelope, Publication, ReleaseId, Rollout, Stamp},
    trust::{Root, SigningKey, sign},
};

/// The publisher's key.
pub(crate) fn key() -> SigningKey {
    SigningKey::from_seed([7; 32])
}

pub(crate) fn root() -> Root {
    root_of("counter")
}

fn root_of(app: &str) -> Root {
    Root { app: app.to_owned(), version: 1, threshold: 1, keys: vec![key().public()] }
}

/// How a release is made.
#[derive(Clone)]
pub(crate) struct Recipe {
    pub(crate) app: &'static str,
    pub(crate) version: &'static str,
    pub(crate) variant: Option<&'static str>,
    pub(crate) padding: u64,
    pub(crate) salt: u64,
    pub(crate) epoch: u64,
    pub(crate) rollout: Rollout,
    pub(crate) fuel: u64,
}

pub(crate) fn counter(version: &'static str) -> Recipe {
    of_app("counter", version)
}

pub(crate) fn of_app(app: &'static str, version: &'static str) -> Recipe {
    let rollout = Rollout::AtOnce;
    Recipe { app, version, variant: None, padding: 0, salt: 0, epoch: 0, rollout, fuel: 1_000_000 }
}

impl Recipe {
    fn code(&self) -> Vec<u8> {
        Registry::code(self.app, self.version, self.variant, self.padding, self.salt)
    }

    pub(crate) fn envelope(&self) -> Envelope {
        let program = Registry::standard().program(self.app, self.version, self.variant).unwrap();
        let publication = Publication {
            epoch: self.epoch,
            version: self.version.parse::<Version>().unwrap(),
            class: None,
            rollout: self.rollout,
            budget: Budget { fuel: self.fuel, state_bytes: 1 << 20 },
            expires: None,
            root: 1,
        };
        Envelope::for_code(program.manifest(), &self.code(), publication).unwrap()
    }

    pub(crate) fn id(&self) -> ReleaseId {
        self.envelope().id
    }

    pub(crate) fn stamp(&self) -> Stamp {
        let envelope = self.envelope();
        Stamp::new(envelope.id, envelope.class)
    }

    pub(crate) fn release(&self) -> Release {
        let signed = sign(&self.envelope(), &[&key()]).bytes();
        Release { signed: signed.into(), code: self.code().into() }
    }

    pub(crate) fn publish(&self) -> Command {
        let Release { signed, code } = self.release();
        Command::Publish { signed, code }
    }

    pub(crate) fn program(&self) -> Arc<dyn Program> {
        Registry::standard().program(self.app, self.version, self.variant).unwrap()
    }
}

/// How bad the network is.
#[derive(Clone, Copy)]
pub(crate) struct Network {
    pub(crate) loss_percent: u64,
    pub(crate) duplicate_percent: u64,
    pub(crate) delay_min: Span,
    pub(crate) delay_max: Span,
    /// Bytes per second that a node's datagrams share, and the bytes that may queue; 0: no limit.
    pub(crate) bytes_per_sec: u64,
    pub(crate) queue_bytes: u64,
    /// Whether datagrams are bytes on their way.
    pub(crate) bytes: bool,
}

pub(crate) const GOOD: Network = Network {
    loss_percent: 0,
    duplicate_percent: 0,
    delay_min: Span::from_millis(1),
    delay_max: Span::from_millis(2),
    bytes_per_sec: 0,
    queue_bytes: 0,
    bytes: false,
};

pub(crate) const BAD: Network = Network {
    loss_percent: 20,
    duplicate_percent: 10,
    delay_min: Span::from_millis(1),
    delay_max: Span::from_millis(60),
    ..GOOD
};

/// When a node crashes: before effect number `effect` of those since the plan was made.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) node: u32,
    pub(crate) effect: u64,
    pub(crate) amnesia: bool,
    pub(crate) down: Span,
}

struct Node {
    replica: Option<Replica>,
    disk: Vec<Vec<u8>>,
    timers: BTreeMap<Timer, Time>,
    starts: u64,
    /// When its link is free again.
    free: Time,
}

enum Event {
    Deliver { from: NodeId, to: NodeId, message: Message },
    Command { node: NodeId, command: Command },
    Start(NodeId),
}

pub(crate) struct Fleet {
    pub(crate) settings: Box<dyn Fn(NodeId) -> Settings>,
    pub(crate) network: Network,
    pub(crate) notices: Vec<(Time, NodeId, Notice)>,
    pub(crate) now: Time,
    /// Nobody hears them and they hear nobody.
    pub(crate) isolated: BTreeSet<NodeId>,
    /// How far a node's clock is behind.
    pub(crate) behind: BTreeMap<NodeId, Span>,
    plan: Option<Plan>,
    stop_at_commit: Option<NodeId>,
    pub(crate) crashes: u32,
    /// Effects carried out on the planned node.
    pub(crate) effects: u64,
    pub(crate) datagrams: u64,
    nodes: BTreeMap<NodeId, Node>,
    events: BTreeMap<(Time, u64), Event>,
    sequence: u64,
    entropy: u64,
    operations: u64,
}

impl Fleet {
    /// `count` nodes from n1, which start with `initial`.
    pub(crate) fn new(count: u32, initial: Option<&Recipe>, seed: u64) -> Self {
        let release = initial.map(Recipe::release);
        let peers: Arc<[NodeId]> = (1..=count).map(NodeId).collect();
        let runtime = Arc::new(Registry::standard());
        let mut fleet = Self::with(seed, move |node| {
            let mut settings = Settings::new(node, peers.clone(), root(), runtime.clone());
            settings.initial = release.clone();
            settings
        });
        (1..=count).for_each(|node| fleet.add(node));
        fleet
    }

    /// `count` nodes from n1, which start with `initial` and broadcast its operations from the beginning.
    pub(crate) fn founded(count: u32, initial: &Recipe, seed: u64) -> Self {
        let mut fleet = Self::provisioned(count, initial, seed);
        let founders: Vec<NodeId> = fleet.nodes().map(NodeId).collect();
        for node in &founders {
            *fleet.disk(node.0) = Replica::genesis(&(fleet.settings)(*node), &founders);
        }
        fleet
    }

    /// `count` nodes from n1, which start with `initial`, whichever app that is of.
    pub(crate) fn provisioned(count: u32, initial: &Recipe, seed: u64) -> Self {
        let release = initial.release();
        let peers: Arc<[NodeId]> = (1..=count).map(NodeId).collect();
        let app = initial.app;
        let runtime = Arc::new(Registry::standard());
        let mut fleet = Self::with(seed, move |node| {
            let mut settings = Settings::new(node, peers.clone(), root_of(app), runtime.clone());
            settings.initial = Some(release.clone());
            settings
        });
        (1..=count).for_each(|node| fleet.add(node));
        fleet
    }

    pub(crate) fn with(seed: u64, settings: impl Fn(NodeId) -> Settings + 'static) -> Self {
        Self {
            settings: Box::new(settings),
            network: GOOD,
            notices: Vec::new(),
            now: Time::ZERO,
            isolated: BTreeSet::new(),
            behind: BTreeMap::new(),
            plan: None,
            stop_at_commit: None,
            crashes: 0,
            effects: 0,
            datagrams: 0,
            nodes: BTreeMap::new(),
            events: BTreeMap::new(),
            sequence: 0,
            entropy: seed,
            operations: 0,
        }
    }

    /// Plans a crash, counting effects from now on.
    pub(crate) fn plan(&mut self, plan: Plan) {
        self.effects = 0;
        self.plan = Some(plan);
    }

    /// Changes the settings of every node that starts from now on.
    pub(crate) fn adjust(&mut self, adjust: impl Fn(&mut Settings) + 'static) {
        let before = std::mem::replace(&mut self.settings, Box::new(|_| unreachable!()));
        self.settings = Box::new(move |node| {
            let mut settings = before(node);
            adjust(&mut settings);
            settings
        });
    }

    pub(crate) fn add(&mut self, node: u32) {
        let node = NodeId(node);
        let fresh = Node {
            replica: None,
            disk: Vec::new(),
            timers: BTreeMap::new(),
            starts: 0,
            free: Time::ZERO,
        };
        assert!(self.nodes.insert(node, fresh).is_none());
        self.schedule(self.now, Event::Start(node));
    }

    fn schedule(&mut self, at: Time, event: Event) {
        self.sequence += 1;
        self.events.insert((at, self.sequence), event);
    }

    fn draw(&mut self) -> u64 {
        self.entropy = self.entropy.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.entropy ^ self.entropy >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }

    pub(crate) fn command(&mut self, node: u32, command: Command) {
        self.schedule(self.now, Event::Command { node: NodeId(node), command });
    }

    /// A client built for `recipe` asks for an operation of its. Gives the operation's id.
    pub(crate) fn operate(&mut self, node: u32, recipe: &Recipe, kind: &str, amount: u32) -> u64 {
        self.operations += 1;
        let body = recipe.program().operation(kind, [amount - 1, 0, 0, 0]).unwrap();
        let stamp = Some(recipe.stamp());
        self.command(node, Command::Operation { id: self.operations, body, stamp });
        self.operations
    }

    /// A datagram appears at `to`, whoever sent it.
    pub(crate) fn inject(&mut self, from: u32, to: u32, message: Message) {
        let (from, to) = (NodeId(from), NodeId(to));
        self.schedule(self.now, Event::Deliver { from, to, message });
    }

    pub(crate) fn replica(&self, node: u32) -> &Replica {
        self.nodes[&NodeId(node)].replica.as_ref().expect("the node is up")
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = u32> {
        self.nodes.keys().map(|node| node.0)
    }

    pub(crate) fn disk(&mut self, node: u32) -> &mut Vec<Vec<u8>> {
        &mut self.nodes.get_mut(&NodeId(node)).unwrap().disk
    }

    pub(crate) fn planned(&self) -> bool {
        self.plan.is_some()
    }

    pub(crate) fn forget_plan(&mut self) {
        self.plan = None;
    }

    pub(crate) fn crash(&mut self, node: u32, down: Span, amnesia: bool) {
        let id = NodeId(node);
        let node = self.nodes.get_mut(&id).unwrap();
        node.replica = None;
        node.timers.clear();
        if amnesia {
            node.disk.clear();
        }
        self.crashes += 1;
        self.schedule(self.now + down, Event::Start(id));
    }

    /// Runs for `span`.
    pub(crate) fn run(&mut self, span: Span) {
        let until = self.now + span;
        while let Some(at) = self.next().filter(|at| *at <= until) {
            self.now = at;
            self.step();
        }
        self.now = until;
    }

    /// Runs until `done`, for `span` at most. Says whether it came to that.
    pub(crate) fn run_until(&mut self, span: Span, done: impl Fn(&Self) -> bool) -> bool {
        let until = self.now + span;
        while !done(self) {
            let Some(at) = self.next().filter(|at| *at <= until) else { return false };
            self.now = at;
            self.step();
        }
        true
    }

    /// Runs until `node` has shown that it prepared a switch and has not committed it yet, for `span`
    /// at most: the commit is lost. Says whether it came to that.
    pub(crate) fn run_to_commit(&mut self, node: u32, span: Span) -> bool {
        self.stop_at_commit = Some(NodeId(node));
        let until = self.now + span;
        while self.stop_at_commit.is_some() {
            let Some(at) = self.next().filter(|at| *at <= until) else {
                self.stop_at_commit = None;
                return false;
            };
            self.now = at;
            self.step();
        }
        true
    }

    fn next_timer(&self) -> Option<(Time, NodeId, Timer)> {
        let timers = self
            .nodes
            .iter()
            .flat_map(|(node, state)| state.timers.iter().map(|(timer, at)| (*at, *node, *timer)));
        timers.min()
    }

    fn next(&self) -> Option<Time> {
        let event = self.events.first_key_value().map(|((at, _), _)| *at);
        let timer = self.next_timer().map(|(at, ..)| at);
        event.into_iter().chain(timer).min()
    }

    fn step(&mut self) {
        if self.events.first_key_value().is_some_and(|((at, _), _)| *at <= self.now) {
            let (_, event) = self.events.pop_first().unwrap();
            return match event {
                Event::Deliver { from, to, message } => {
                    self.input(to, Input::Message { from, message });
                }
                Event::Command { node, command } => self.input(node, Input::Command(command)),
                Event::Start(node) => self.start(node),
            };
        }
        let (_, node, timer) = self.next_timer().unwrap();
        self.nodes.get_mut(&node).unwrap().timers.remove(&timer);
        self.input(node, Input::Timer(timer));
    }

    fn start(&mut self, id: NodeId) {
        let entropy = self.draw();
        let replica = Replica::new((self.settings)(id)).unwrap();
        let node = self.nodes.get_mut(&id).unwrap();
        assert!(node.replica.is_none());
        node.replica = Some(replica);
        node.starts += 1;
        let records = node.disk.clone();
        self.input(id, Input::Start { records, entropy });
    }

    fn input(&mut self, id: NodeId, input: Input<Replica>) {
        let Some(replica) = &mut self.nodes.get_mut(&id).unwrap().replica else { return };
        let mut effects = Vec::new();
        let behind = self.behind.get(&id).copied().unwrap_or_default();
        let seen = Time::ZERO + self.now.since(Time::ZERO + behind);
        replica.handle(seen, input, &mut effects);
        for effect in effects {
            if let Some(plan) = self.plan.filter(|plan| NodeId(plan.node) == id) {
                if self.effects == plan.effect {
                    self.plan = None;
                    return self.crash(plan.node, plan.down, plan.amnesia);
                }
                self.effects += 1;
            }
            let prepared = matches!(&effect, Effect::Notify(Notice::Prepared { .. }));
            self.carry_out(id, effect);
            if prepared && self.stop_at_commit == Some(id) {
                self.stop_at_commit = None;
                return;
            }
        }
    }

    fn carry_out(&mut self, id: NodeId, effect: Effect<Replica>) {
        match effect {
            Effect::Send { to, message } => self.send(id, to, message),
            Effect::Arm { timer, at } => {
                let timers = &mut self.nodes.get_mut(&id).unwrap().timers;
                timers.remove(&timer);
                if at != Time::NEVER {
                    let behind = self.behind.get(&id).copied().unwrap_or_default();
                    timers.insert(timer, (at + behind).max(self.now));
                }
            }
            Effect::Persist(Record::Append(record)) => self.disk(id.0).push(record),
            Effect::Persist(Record::Replace(record)) => *self.disk(id.0) = vec![record],
            Effect::Notify(notice) => {
                let mut bytes = Vec::new();
                notice.encode(&mut bytes);
                assert!(!bytes.is_empty());
                self.notices.push((self.now, id, notice));
            }
        }
    }

    fn send(&mut self, from: NodeId, to: NodeId, message: Message) {
        self.datagrams += 1;
        let mut message = message;
        if self.network.bytes || self.network.bytes_per_sec > 0 {
            let mut bytes = Vec::new();
            message.encode(&mut bytes);
            let decoded = Message::decode(&bytes).unwrap();
            assert_eq!(decoded, message, "typed and decoded are the same");
            message = decoded;
            if !self.queue(from, bytes.len() as u64) {
                return;
            }
        }
        let cut = self.isolated.contains(&from) || self.isolated.contains(&to);
        if cut || self.draw() % 100 < self.network.loss_percent {
            return;
        }
        if !self.nodes.contains_key(&to) {
            return;
        }
        if self.draw() % 100 < self.network.duplicate_percent {
            self.deliver(from, to, message.clone());
        }
        self.deliver(from, to, message);
    }

    /// Whether the datagram finds room in the queue of its sender's link.
    fn queue(&mut self, from: NodeId, bytes: u64) -> bool {
        let Network { bytes_per_sec, queue_bytes, .. } = self.network;
        if bytes_per_sec == 0 {
            return true;
        }
        let now = self.now;
        let node = self.nodes.get_mut(&from).unwrap();
        let waiting = node.free.since(now).as_nanos() / 1000 * bytes_per_sec / 1_000_000;
        if waiting + bytes > queue_bytes {
            return false;
        }
        node.free = node.free.max(now) + Span::from_nanos(bytes * 1_000_000_000 / bytes_per_sec);
        true
    }

    fn deliver(&mut self, from: NodeId, to: NodeId, message: Message) {
        let Network { delay_min, delay_max, .. } = self.network;
        let spread = delay_max.as_nanos() - delay_min.as_nanos() + 1;
        let delay = Span::from_nanos(delay_min.as_nanos() + self.draw() % spread);
        let at = self.now.max(self.nodes[&from].free) + delay;
        self.schedule(at, Event::Deliver { from, to, message });
    }
}

/// What tests ask of a fleet.
impl Fleet {
    /// Whether every node is up and runs `recipe`.
    pub(crate) fn all_run(&self, recipe: &Recipe) -> bool {
        let all = |wanted: &dyn Fn(&ReleaseId) -> bool| {
            let run = |node: &Node| node.replica.as_ref()?.run().cloned();
            self.nodes.values().all(|node| run(node).is_some_and(|run| wanted(&run)))
        };
        // The release's name is a hash of its code: long to find out, and rarely needed.
        all(&|run| run.version.to_string() == recipe.version) && {
            let id = recipe.id();
            all(&|run| *run == id)
        }
    }

    /// Whether nothing is on its way any more: no letter, no held message.
    pub(crate) fn at_rest(&self) -> bool {
        self.nodes.values().all(|node| {
            node.replica.as_ref().is_some_and(|replica| {
                let status = replica.status();
                status.unacknowledged == 0 && status.held == 0
            })
        })
    }

    /// The sum of a measure over all nodes.
    pub(crate) fn total(&self) -> i128 {
        let sum = |node: &Node| {
            let replica = node.replica.as_ref().expect("every node is up");
            let state = replica.export().unwrap();
            replica.program().unwrap().measure(&state).unwrap()[0]
        };
        self.nodes.values().map(sum).sum()
    }

    pub(crate) fn count(&self, wanted: impl Fn(&Notice) -> bool) -> usize {
        self.notices.iter().filter(|(.., notice)| wanted(notice)).count()
    }

    /// Exactly-once messages: each delivered at most once, and none that was not sent; at rest each
    /// delivered or ended. At-most-once messages: each delivered at most once.
    pub(crate) fn check_guarantees(&self) {
        let mut sent: BTreeMap<(MessageId, bool), Body> = BTreeMap::new();
        let mut delivered: BTreeSet<(MessageId, bool)> = BTreeSet::new();
        let mut ended: BTreeSet<MessageId> = BTreeSet::new();
        // What a stream's receiver had taken when it recovered.
        let mut taken: BTreeMap<(NodeId, u64, NodeId), u64> = BTreeMap::new();
        for (_, _, notice) in &self.notices {
            match notice {
                Notice::Started { messages, .. } => {
                    for id in &messages.received {
                        taken.insert((id.from, id.incarnation, id.to), id.sequence);
                    }
                }
                Notice::Sent { id, body, exactly_once, .. } => {
                    sent.insert((*id, *exactly_once), body.clone());
                }
                Notice::Renumbered { before, after, .. } => {
                    for (before, after) in before.iter().zip(after) {
                        let body = sent.remove(&(*before, true)).expect("it was sent");
                        sent.insert((*after, true), body);
                    }
                }
                Notice::Delivered { id, sent: arrived, exactly_once, .. } => {
                    let key = (*id, *exactly_once);
                    assert!(delivered.insert(key), "{id:?} is delivered twice");
                    // The notice of a send may be lost in a crash after its record was durable.
                    if let Some(body) = sent.get(&key) {
                        assert_eq!(body, arrived, "{id:?} arrives as it was sent");
                    }
                }
                Notice::NotDelivered { id, .. } => {
                    assert!(ended.insert(*id), "{id:?} ends twice");
                    assert!(!delivered.contains(&(*id, true)), "{id:?} is delivered and ends");
                }
                _ => {}
            }
        }
        if !self.at_rest() {
            return;
        }
        for (id, _) in sent.keys().filter(|(_, exactly_once)| *exactly_once) {
            let cursor = taken.get(&(id.from, id.incarnation, id.to)).copied().unwrap_or(0);
            let unseen = id.sequence <= cursor;
            let seen = delivered.contains(&(*id, true)) || ended.contains(id) || unseen;
            assert!(seen, "{id:?} was neither delivered nor ended");
        }
    }
}
