//! The world: nodes, and everything that happens between them, one event at a time.
//!
//! An event is popped, its input handed to a process, and the effects carried out one by one; after
//! each the watcher may order a crash. Nothing else moves time.
//!
//! Invariant: what happens is a function of settings, commands and choices; a watcher that orders
//! nothing changes nothing.

mod core;
mod effects;
mod inputs;
mod life;
mod send;

pub(crate) use core::{Core, Flight, Head, Item, Order, Rare};

use crate::{
    clock, disk,
    event::{View, Watch},
    fault::{self, Family, Fault},
    fingerprint::Fingerprint,
    ledger::Ledger,
    network,
    queue::{Entry, Queue},
};
use contract::{Choices, NodeId, Process, Time};
use std::collections::BTreeSet;

/// After how many events a watcher is asked whether it has seen enough: often enough for whoever waits,
/// rarely enough to cost nothing.
const ASKED_EVERY: u64 = 4_096;

/// What a world is like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Links.
    pub network: network::Settings,
    /// Disks.
    pub disk: disk::Settings,
    /// Clocks.
    pub clocks: clock::Settings,
    /// Faults at their times.
    pub faults: Vec<fault::Scheduled>,
    /// Faults at random.
    pub profile: fault::Profile,
    /// Whether the choices decide which families of random faults the run has, and at what rates.
    pub swarm: bool,
    /// What travels.
    pub wire: Wire,
    /// Whether the run has a fingerprint.
    pub fingerprint: bool,
}

/// What travels over links. Both give the same run, event for event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wire {
    /// Messages as they are: fast.
    #[default]
    Typed,
    /// Their bytes, decoded on arrival: also tests the codec.
    Bytes,
}

/// Why a run stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Nothing is left to do at or before this time.
    Reached(Time),
    /// Nothing is left to do at all.
    Idle,
    /// The watcher ordered it.
    ByWatch,
}

/// How often what happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Datagrams that entered a link.
    pub sent: u64,
    /// Their bytes; counted only where something needs them encoded: fingerprints, bytes on the wire,
    /// a narrow link or a watcher of datagrams.
    pub sent_bytes: u64,
    /// Inputs that were messages.
    pub delivered: u64,
    /// Datagrams lost on a link.
    pub lost: u64,
    /// Datagrams that met a cut when they were sent or when they arrived.
    pub cut: u64,
    /// Datagrams that found a full queue.
    pub overflowed: u64,
    /// Second copies.
    pub duplicated: u64,
    /// Datagrams delayed past their latency.
    pub reordered: u64,
    /// Datagrams whose bits were flipped.
    pub corrupted: u64,
    /// Those of them that no longer read as a message.
    pub mangled: u64,
    /// Datagrams to a node that was down, absent or unknown.
    pub undeliverable: u64,
    /// Inputs that were timers.
    pub timers: u64,
    /// Inputs that were commands.
    pub commands: u64,
    /// Commands to a node that was not up.
    pub refused: u64,
    /// Records that became durable.
    pub records: u64,
    /// Their bytes.
    pub record_bytes: u64,
    /// Notices.
    pub notices: u64,
    /// Crashes.
    pub crashes: u64,
    /// Events taken from the queue.
    pub events: u64,
}

/// What a world weighs, in bytes, without what processes and messages have on the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// A node that never sent, armed or persisted anything, process included.
    pub idle_node: usize,
    /// All nodes.
    pub nodes: usize,
    /// Links that a datagram ever crossed.
    pub links_touched: usize,
    /// All their state.
    pub links: usize,
}

/// A deterministic world of `P`s, whose accidents are settled by `C`.
pub struct World<P: Process, C> {
    pub(crate) core: Core<P>,
    pub(crate) choices: C,
    pub(crate) settings: Settings,
    spawn: Box<dyn FnMut(NodeId) -> P>,
}

impl<P: Process, C: Choices> World<P, C> {
    /// A world without nodes, at time zero. `spawn` makes a node's process for each incarnation.
    ///
    /// Rates over a million count as a million and a maximum below its minimum as the minimum.
    pub fn new(
        settings: Settings,
        mut choices: C,
        spawn: impl FnMut(NodeId) -> P + 'static,
    ) -> Self {
        let settings =
            if settings.swarm { fault::expand(&settings, &mut choices) } else { settings };
        let core = Core::new(&settings);
        let mut world = Self { core, choices, settings, spawn: Box::new(spawn) };
        for scheduled in world.settings.faults.clone() {
            world.schedule(scheduled.at, scheduled.fault);
        }
        for family in Family::OF_FLEET {
            world.first_chance(family, None);
        }
        world
    }

    /// Adds a node that joins at `at`. Nodes are added once.
    pub fn add_node(&mut self, node: NodeId, at: Time) {
        let slot = self.core.add(node);
        self.draw_clock(slot);
        let rare = self.core.rares.put(Rare::Join(slot));
        self.core.push(at, Item::Rare(rare));
    }

    /// Puts `records` on the disk of a node that was added and has not joined: it finds them when it first
    /// starts, and loses them with that disk.
    pub fn provide(&mut self, node: NodeId, records: Vec<Vec<u8>>) {
        let slot = self.core.directory.find(node).expect("a disk is in a node that was added");
        let cold = &mut self.core.nodes[slot as usize].cold;
        assert_eq!(cold.starts, 0, "{node} has started");
        cold.disk.provide(records);
    }

    /// Asks `node` for `command` at `at`; it is refused where the node is not up then.
    pub fn command(&mut self, at: Time, node: NodeId, command: P::Command) {
        let rare = self.core.rares.put(Rare::Command { node, command });
        self.core.push(at, Item::Rare(rare));
    }

    /// Begins `fault` at `at`, unless the world is calmed before.
    pub fn schedule(&mut self, at: Time, fault: Fault) {
        self.core.ledger.configure(fault.injector());
        let rare = self.core.rares.put(Rare::Fault(fault));
        self.core.push(at, Item::Rare(rare));
    }

    /// Ends all faults now and for ever: heals the network, clears clogs, resumes and recovers nodes.
    ///
    /// Nodes of `gone` leave for ever instead. What the network settings say of links stays.
    pub fn calm(&mut self, gone: &BTreeSet<NodeId>) {
        let rare = self.core.rares.put(Rare::Calm(gone.clone()));
        self.core.push(self.core.now, Item::Rare(rare));
    }

    /// Runs everything up to and including `until`; may be called again to go on.
    pub fn run<W: Watch<P>>(&mut self, until: Time, watch: &mut W) -> Stopped {
        while let Some(entry) = self.core.queue.pop(until.as_nanos()) {
            self.core.now = Time::from_nanos(entry.nanos);
            self.core.counts.events += 1;
            if let Item::Datagram(slot) = Item::of(entry.item) {
                self.arrive(slot, watch);
            } else {
                self.turn(entry, watch);
            }
            if !self.core.orders.is_empty() {
                self.obey(watch);
            }
            if std::mem::take(&mut self.core.stopping) {
                return Stopped::ByWatch;
            }
            if self.core.counts.events.is_multiple_of(ASKED_EVERY) && watch.has_enough() {
                return Stopped::ByWatch;
            }
        }
        if self.core.queue.is_empty() {
            return Stopped::Idle;
        }
        self.core.now = self.core.now.max(until);
        Stopped::Reached(until)
    }

    /// Something happens that is no datagram. Apart, and tested in this order, because a branch is
    /// predicted better than a jump through a table.
    #[inline(never)]
    fn turn<W: Watch<P>>(&mut self, entry: Entry, watch: &mut W) {
        match Item::of(entry.item) {
            Item::Timer(node) => self.fire(node, entry.sequence, watch),
            Item::Letter(slot) => self.open(slot, watch),
            Item::Rare(slot) => self.rare(slot, watch),
            Item::Datagram(_) => unreachable!("a datagram arrives"),
        }
    }

    /// The world, to look at.
    pub fn view(&self) -> View<'_, P> {
        View { core: &self.core }
    }

    /// The moment, by the world's clock.
    pub fn now(&self) -> Time {
        self.core.now
    }

    /// The process of a node; `None` while it is not up.
    pub fn process(&self, node: NodeId) -> Option<&P> {
        self.view().process(node)
    }

    /// Whether a node is up; a paused node is.
    pub fn is_up(&self, node: NodeId) -> bool {
        self.view().is_up(node)
    }

    /// Whether both nodes are up and no cut is between them in this direction.
    pub fn reachable(&self, from: NodeId, to: NodeId) -> bool {
        self.view().reachable(from, to)
    }

    /// The fingerprint of the run so far; 0 where the settings want none.
    pub fn fingerprint(&self) -> u128 {
        self.core.fingerprint.value()
    }

    /// The fingerprint, to ask more of it.
    pub fn fingerprints(&self) -> &Fingerprint {
        &self.core.fingerprint
    }

    /// What each injector was asked for, tried and did.
    pub fn ledger(&self) -> &Ledger {
        &self.core.ledger
    }

    /// How often what happened.
    pub fn counts(&self) -> Counts {
        self.core.counts
    }

    /// The settings of the run; a swarm's are those that its choices left.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Who settles accidents.
    pub fn choices(&self) -> &C {
        &self.choices
    }

    /// Who settles accidents, to settle those of whoever drives the world as well.
    pub fn choices_mut(&mut self) -> &mut C {
        &mut self.choices
    }

    /// Ends the world and gives back who settled its accidents, with what they recorded.
    pub fn into_choices(self) -> C {
        self.choices
    }

    /// What the world weighs.
    pub fn memory(&self) -> Memory {
        self.core.memory()
    }
}
