//! One node's brain: every layer of the protocol, composed into one process.
//!
//! Outside to inside, on receive: reliable link, release gossip and transfer | gate, hold,
//! conversion, app. One input is one transaction: its durable changes are one record, and nothing
//! that depends on it shows before the record is durable. Recovery replays the records.
//!
//! Knows nothing of sockets, disks or clocks, and nothing of what an app's messages mean.
//! Invariant: whatever this node acknowledged, its disk had first.
//! Source: "Dynamic Software Updates using CRDTs"; ARCHITECTURE.md lists the departures.

use std::{
    collections::{BTreeSet, VecDeque},
    fmt,
    sync::Arc,
};

use app::Outgoing;
use causal::Dot;
use contract::{Effect, Input, NodeId, Process, Time};
use upgrade::{
    switch::{Running, Staged},
    trust::{RootError, Verifier},
};

mod code;
mod codec;
pub mod command;
mod deliver;
mod enrolling;
mod fetch;
mod founding;
mod gossip;
mod holding;
mod joining;
pub mod journal;
mod link;
pub mod message;
pub mod notice;
mod operations;
mod random;
mod receive;
mod repair;
pub mod settings;
mod start;
mod state;
pub mod status;
mod switching;
mod transaction;
mod transmit;

pub use command::{Command, Timer};
pub use message::Message;
pub use notice::{MessageId, Notice};
pub use settings::{Release, Settings};
pub use state::NODES_MAX;
pub use status::{Status, Waiting};

use fetch::Fetching;
use message::Once;
use operations::Operating;
use random::Draws;
use state::State;
use transmit::Deadlines;

/// A node: one process, driven by inputs.
pub struct Replica {
    settings: Settings,
    verifier: Verifier,
    /// Everything durable.
    state: State,
    draws: Draws,
    /// The node's clock at the present input.
    now: Time,

    /// Where effects go: the driver's list, for the time of one input.
    effects: Vec<Effect<Self>>,
    /// Where the record of the open transaction goes among them.
    mark: usize,
    /// The record of the open transaction.
    record: Vec<u8>,
    /// The last operation in it.
    noted: Option<Dot>,
    /// Bytes of records since the last snapshot.
    log_bytes: u64,
    snapshot_bytes: u64,

    deadlines: Deadlines,
    /// At-most-once messages of the node to itself.
    local: VecDeque<Once>,
    /// What the app's step wants done; empty between steps.
    wanted: Vec<Outgoing>,
    /// Steps of the app that notices told of in this incarnation.
    steps: u64,
    /// The nodes that this incarnation learned of, each with the steps told of before it.
    learned: Vec<(u64, NodeId)>,
    /// When the app's next tick is due.
    tick_at: Time,
    /// When the hold's timer is due.
    hold_at: Time,

    /// The known release, once it passed its dry run.
    staged: Option<Staged>,
    /// Whether something happened that may bring an upgrade forward.
    progress: bool,
    /// Whether the known release must be installed although it runs, as a planted bug has it.
    again: bool,
    fetching: Fetching,
    /// What operations need that no crash spares.
    operating: Operating,
    /// The instance that should have ended, where a planted bug keeps it.
    ghost: Option<(u64, Running)>,
}

impl Replica {
    /// A replica that has not started. Errors: [`RootError`] where the root of trust is no use.
    pub fn new(settings: Settings) -> Result<Self, RootError> {
        let fits = |known: &&Arc<Verifier>| known.fits(&settings.root, settings.bugs);
        let verifier = match settings.verifier.as_ref().filter(fits) {
            Some(known) => Verifier::clone(known),
            None => Verifier::with_bugs(settings.root.clone(), settings.bugs)?,
        };
        Ok(Self {
            verifier,
            state: State::blank(&settings),
            draws: Draws::default(),
            now: Time::ZERO,
            effects: Vec::new(),
            mark: 0,
            record: Vec::new(),
            noted: None,
            log_bytes: 0,
            snapshot_bytes: 0,
            deadlines: Deadlines::default(),
            local: VecDeque::new(),
            wanted: Vec::new(),
            steps: 0,
            learned: Vec::new(),
            tick_at: Time::NEVER,
            hold_at: Time::NEVER,
            staged: None,
            progress: false,
            again: false,
            fetching: Fetching::default(),
            operating: Operating::default(),
            ghost: None,
            settings,
        })
    }

    /// The node's name.
    pub fn node(&self) -> NodeId {
        self.settings.node
    }

    /// The nodes that it knows, itself included, ascending.
    pub fn nodes(&self) -> &[NodeId] {
        &self.state.nodes
    }

    /// The nodes that the app was told of at the step of this incarnation that a notice told of as the
    /// `step`th, from 1. For watchers: what a notice tells may be over when it shows.
    pub fn nodes_at(&self, step: u64) -> Vec<NodeId> {
        let later = self.learned.iter().filter(|(steps, _)| *steps >= step);
        let later: BTreeSet<NodeId> = later.map(|(_, node)| *node).collect();
        self.state.nodes.iter().copied().filter(|node| !later.contains(node)).collect()
    }

    /// What is left to do when an input is taken in and its record is written.
    fn finish(&mut self) {
        self.advance();
        self.deliver_local();
        self.deliver_operations();
        self.advance();
        self.fetch();
        self.transmit();
        self.compact();
        assert!(self.record.is_empty(), "every change of an input is in some record of it");
    }
}

impl Process for Replica {
    type Message = Message;
    type Timer = Timer;
    type Command = Command;
    type Notice = Notice;

    fn handle(&mut self, now: Time, input: Input<Self>, effects: &mut Vec<Effect<Self>>) {
        std::mem::swap(&mut self.effects, effects);
        let fell = now < self.now;
        self.now = now;
        self.begin();
        if fell {
            self.arm_anew();
        }
        match input {
            Input::Start { records, entropy } => self.start(&records, entropy),
            Input::Message { from, message } => self.receive(from, message),
            Input::Timer(timer) => self.remind(timer),
            Input::Command(Command::Operation { id, body, stamp }) => {
                self.operate(id, &body, stamp.as_ref());
            }
            Input::Command(Command::Publish { signed, code }) => self.publish(&signed, &code),
            Input::Command(Command::Retire(node)) => self.retire(node),
        }
        self.commit();
        self.finish();
        std::mem::swap(&mut self.effects, effects);
    }
}

impl Replica {
    fn remind(&mut self, timer: Timer) {
        match timer {
            Timer::Gossip => self.gossip(),
            Timer::Link => self.deadlines.ring(),
            Timer::Fetch => self.fetch_again(),
            Timer::Tick => self.tick(),
            Timer::Switch => self.progress = true,
            Timer::Hold => self.expire(),
            Timer::Local => {}
            Timer::Compare => self.compare_again(),
            Timer::Heartbeat => self.beat(),
        }
    }

    /// The clock fell, and every timer would ring late by as much: they are armed anew. What is
    /// promised for a time, such as a switch or the end of a wait, keeps to that time.
    fn arm_anew(&mut self) {
        self.arm_tick();
        self.arm_gossip();
        self.hurry_links();
        self.hurry_fetch();
        self.arm_operations();
    }
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Replica({})", self.settings.node)
    }
}

/// Cheap to share: what notices, records and messages carry.
type Bytes = Arc<[u8]>;
