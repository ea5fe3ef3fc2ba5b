//! What a world keeps: everything but its choices and how it makes processes.

use super::{Counts, Memory, Settings, Wire};
use crate::{
    disk::Damage,
    fault::{Chance, Fault},
    fingerprint::Fingerprint,
    ledger::{Injector, Ledger},
    network::{Clogs, Cuts, Links, LossOdds, Rules, SLOTS_MAX},
    node::{Cold, Directory, Node, State},
    queue::{Queue, Wheel},
    slab::Slab,
    timers::Armed,
};
use contract::{Effect, NodeId, Process, Span, Time};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
};

/// What a world keeps.
pub(crate) struct Core<P: Process> {
    pub(crate) now: Time,
    pub(crate) queue: Wheel,
    pub(crate) nodes: Vec<Node<P>>,
    pub(crate) directory: Directory,
    pub(crate) links: Links,
    pub(crate) flights: Slab<Flight<P::Message>>,
    /// Datagrams in flight, where bytes travel.
    pub(crate) letters: Slab<Flight<Vec<u8>>>,
    pub(crate) rares: Slab<Rare<P>>,
    pub(crate) rules: Rules,
    pub(crate) cuts: Cuts,
    pub(crate) clogs: Clogs,
    /// Whether there are cuts, clogs or degradations that a datagram might meet.
    pub(crate) troubled: bool,
    /// Faults that are in force until they are ended, by id.
    pub(crate) held: BTreeMap<u64, Fault>,
    pub(crate) faults_begun: u64,
    pub(crate) calm: bool,
    pub(crate) ledger: Ledger,
    pub(crate) counts: Counts,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) wire: Wire,
    /// Whether every message is encoded when it is sent.
    pub(crate) encodes: bool,
    /// What the watcher ordered and has not got.
    pub(crate) orders: VecDeque<Order>,
    pub(crate) stopping: bool,
    /// Room for the effects of one input, used again for each.
    pub(crate) effects: Vec<Effect<P>>,
    /// Room for the bytes of one message.
    pub(crate) scratch: Vec<u8>,
    /// Room for the bytes of messages in flight, used again.
    pub(crate) spare: Vec<Vec<u8>>,
}

/// A datagram in flight: a message, or the bytes of one.
pub(crate) struct Flight<M> {
    pub(crate) head: Head,
    pub(crate) message: M,
}

/// What a datagram is, but for what it carries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) from: NodeId,
    /// The receiver's slot.
    pub(crate) to: u32,
    pub(crate) number: u64,
    pub(crate) copy: bool,
}

/// What a queue entry stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item {
    /// A datagram arrives; its slot among the flights.
    Datagram(u32),
    /// A datagram arrives; its slot among the letters.
    Letter(u32),
    /// A timer may be due; the node's slot.
    Timer(u32),
    /// Something else; its slot.
    Rare(u32),
}

/// What happens less often than datagrams and timers. Nodes are given as slots, which always exist.
pub(crate) enum Rare<P: Process> {
    Join(u32),
    Command {
        node: NodeId,
        command: P::Command,
    },
    /// A record of this incarnation is durable.
    Durable {
        node: u32,
        incarnation: u32,
    },
    /// A node that went down with this incarnation is up again.
    Recover {
        node: u32,
        incarnation: u32,
    },
    Resume {
        node: u32,
        incarnation: u32,
    },
    Fault(Fault),
    EndFault(u64),
    Chance(Chance),
    Calm(BTreeSet<NodeId>),
}

/// What a watcher ordered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    Crash { node: NodeId, down_for: Option<Span>, damage: Damage },
    Stop,
}

/// Buffers that are kept at most: more are in flight only in a storm.
const SPARE_MAX: usize = 1 << 16;
/// The kind of an item, in the two highest bits of a queue entry.
const KIND_SHIFT: u32 = 30;
/// As many slots as an item can name.
const SLOTS: u32 = 1 << KIND_SHIFT;

impl Item {
    #[inline]
    pub(crate) fn of(bits: u32) -> Self {
        let slot = bits & (SLOTS - 1);
        match bits >> KIND_SHIFT {
            0 => Self::Datagram(slot),
            1 => Self::Timer(slot),
            2 => Self::Rare(slot),
            _ => Self::Letter(slot),
        }
    }

    #[inline(always)]
    pub(crate) fn bits(self) -> u32 {
        let (kind, slot) = match self {
            Self::Datagram(slot) => (0, slot),
            Self::Timer(slot) => (1, slot),
            Self::Rare(slot) => (2, slot),
            Self::Letter(slot) => (3, slot),
        };
        assert!(slot < SLOTS, "more pending at once than an item can name");
        kind << KIND_SHIFT | slot
    }
}

impl<P: Process> Core<P> {
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut core = Self {
            now: Time::ZERO,
            queue: Wheel::default(),
            nodes: Vec::new(),
            directory: Directory::default(),
            links: Links::default(),
            flights: Slab::default(),
            letters: Slab::default(),
            rares: Slab::default(),
            rules: Rules::new(&settings.network),
            cuts: Cuts::default(),
            clogs: Clogs::default(),
            troubled: false,
            held: BTreeMap::new(),
            faults_begun: 0,
            calm: false,
            ledger: Ledger::default(),
            counts: Counts::default(),
            fingerprint: Fingerprint::new(settings.fingerprint),
            wire: settings.wire,
            encodes: false,
            orders: VecDeque::new(),
            stopping: false,
            effects: Vec::new(),
            scratch: Vec::new(),
            spare: Vec::new(),
        };
        core.rules_changed();
        core.configure(settings);
        core
    }

    /// Marks what the settings ask for in the ledger; scripted faults are marked when scheduled.
    fn configure(&mut self, settings: &Settings) {
        let profile = &settings.profile;
        let risk = profile.crashes.as_ref().map(|crashes| crashes.risk).unwrap_or_default();
        let asked = [
            (Injector::Crash, profile.crashes.is_some()),
            (Injector::Torn, risk.torn_ppm > 0),
            (Injector::LostTail, risk.lost_tail_ppm > 0),
            (Injector::Rotten, risk.rotten_ppm > 0),
            (Injector::Amnesia, risk.amnesia_ppm > 0),
            (Injector::Pause, profile.pauses.is_some()),
            (Injector::ClockStep, profile.clock_steps.is_some()),
            (Injector::ClockSkew, settings.clocks.skew_max > Span::ZERO),
            (Injector::ClockDrift, settings.clocks.drift_ppm_max > 0),
            (Injector::Split, profile.partitions.is_some()),
            (Injector::Isolate, profile.partitions.is_some()),
            (Injector::Bridge, profile.partitions.is_some()),
            (Injector::Ring, profile.partitions.is_some()),
            (Injector::Clog, profile.clogs.is_some()),
            (Injector::Swizzle, profile.clogs.as_ref().is_some_and(|it| it.swizzle_ppm > 0)),
        ];
        for (injector, _) in asked.into_iter().filter(|(_, asked)| *asked) {
            self.ledger.configure(injector);
        }
    }

    /// A cut, a clog or a degradation began or ended.
    pub(crate) fn trouble_changed(&mut self) {
        self.troubled =
            !self.cuts.is_empty() || !self.clogs.is_empty() || self.rules.any_degraded();
    }

    /// Links have other settings: every link looks its class up again.
    pub(crate) fn rules_changed(&mut self) {
        self.trouble_changed();
        self.links.unresolve();
        self.encodes =
            self.fingerprint.is_on() || self.wire == Wire::Bytes || self.rules.any_narrow();
        for class in self.rules.classes() {
            let asked = [
                (Injector::Loss, !matches!(class.loss, LossOdds::None)),
                (Injector::Duplicate, !class.duplicate.is_none()),
                (Injector::Reorder, !class.reorder.is_none()),
                (Injector::Corrupt, !class.corrupt.is_none()),
                (Injector::Bandwidth, class.bandwidth.is_some()),
            ];
            for (injector, _) in asked.into_iter().filter(|(_, asked)| *asked) {
                self.ledger.configure(injector);
            }
        }
    }

    pub(crate) fn add(&mut self, node: NodeId) -> u32 {
        assert!(self.directory.find(node).is_none(), "{node} was added before");
        let slot = u32::try_from(self.nodes.len()).expect("a fleet is small");
        assert!(slot < SLOTS_MAX, "more nodes than a link can name");
        self.nodes.push(Node::new(node));
        self.directory.insert(node, slot);
        slot
    }

    pub(crate) fn node(&self, node: NodeId) -> Option<&Node<P>> {
        self.directory.find(node).map(|slot| &self.nodes[slot as usize])
    }

    pub(crate) fn is_gone(&self, node: NodeId) -> bool {
        self.node(node).is_none_or(|node| node.state == State::Gone)
    }

    /// Nodes that joined and did not leave.
    pub(crate) fn present(&self) -> Vec<NodeId> {
        let present = |node: &&Node<P>| !matches!(node.state, State::Absent | State::Gone);
        self.nodes.iter().filter(present).map(|node| node.id).collect()
    }

    /// Keeps a buffer for use again.
    #[inline]
    pub(crate) fn recycle(&mut self, bytes: Vec<u8>) {
        if self.spare.len() < SPARE_MAX {
            self.spare.push(bytes);
        }
    }

    /// Plans `item` at `at`, or now where that is past. Returns its sequence number.
    #[inline(always)]
    pub(crate) fn push(&mut self, at: Time, item: Item) -> u64 {
        self.queue.push(at.max(self.now).as_nanos(), item.bits())
    }

    /// Arms a timer of a node at `due` by its clock.
    #[inline(always)]
    pub(crate) fn arm(&mut self, slot: u32, timer: P::Timer, due: Time) {
        let timers = &mut self.nodes[slot as usize].timers;
        let at = timers.position(|armed| armed.timer == timer);
        if due == Time::NEVER {
            return at.into_iter().for_each(|at| timers.swap_remove(at));
        }
        let at = at.unwrap_or_else(|| timers.push(Armed { timer, due, planned: None }));
        timers[at].due = due;
        self.plan_timer(slot, at);
    }

    /// Plans an event for a timer, unless one comes early enough.
    #[inline(always)]
    pub(crate) fn plan_timer(&mut self, slot: u32, at: usize) {
        let node = &self.nodes[slot as usize];
        let armed = &node.timers[at];
        let moment = node.clock.when(armed.due).max(self.now);
        if armed.planned.is_none_or(|(planned, _)| moment.as_nanos() < planned) {
            let sequence = self.push(moment, Item::Timer(slot));
            self.nodes[slot as usize].timers[at].planned = Some((moment.as_nanos(), sequence));
        }
    }

    /// Plans all timers of a node anew: its clock was set.
    pub(crate) fn plan_timers(&mut self, slot: u32) {
        for at in 0..self.nodes[slot as usize].timers.len() {
            self.plan_timer(slot, at);
        }
    }

    pub(crate) fn memory(&self) -> Memory {
        let nodes = self.nodes.capacity() * size_of::<Node<P>>();
        Memory {
            idle_node: size_of::<Node<P>>() + size_of::<Cold<P>>(),
            nodes: nodes + self.nodes.iter().map(Node::heap_bytes).sum::<usize>(),
            links_touched: self.links.touched(),
            links: self.links.heap_bytes(),
        }
    }
}

impl<P: Process> fmt::Debug for Core<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("now", &self.now).field("counts", &self.counts).finish()
    }
}
