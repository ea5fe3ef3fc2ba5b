//! What the harness knows of one node, by what it showed and by what was done to it.

use std::collections::BTreeMap;

use contract::{NodeId, Time};
use replica::notice::MessageId;
use upgrade::release::ReleaseId;

use super::Observation;

/// What is known of one node.
#[derive(Clone, Debug, Default)]
pub struct NodeTruth {
    /// It is in the fleet: it joined and did not leave.
    pub joined: bool,
    /// It left, or stays down in the liveness phase: nothing is expected of it any more.
    pub gone: bool,
    /// It takes an attacker's side: nothing is expected of it from the start.
    pub hostile: bool,
    /// It is up and showed that it started.
    pub started: bool,
    /// It takes no inputs for now.
    pub paused: bool,
    /// The newest release it showed that it knows.
    pub known: Option<ReleaseId>,
    /// What it runs.
    pub run: Option<Running>,
    /// A switch that it began and that neither committed nor failed.
    pub prepared: Option<ReleaseId>,
    /// Releases whose code it had whole.
    pub fetched: Vec<ReleaseId>,
    /// Releases that it will not run.
    pub quarantined: Vec<ReleaseId>,
    /// Counts the disks it had: each amnesia begins a life.
    pub life: u8,
    /// How many times it went down.
    pub crashes: u32,
    /// By incarnation: how many times it had gone down when that one first showed that it began.
    pub began: BTreeMap<u64, u32>,
    /// A disk of it lost what it had called durable: nothing is promised of it any more.
    pub lied: bool,
    /// A crash since it last started may have hidden what its last durable record did.
    pub hidden: bool,
    /// The nodes that it told its app of at its last step, itself included, ascending. Which ones a node
    /// heard of is an input like any other, and it alone can say so.
    pub peers: Vec<NodeId>,
    /// Messages it holds, in the order in which they came to wait.
    pub held: Vec<HeldMessage>,
}

/// The release that a node runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Its name.
    pub id: ReleaseId,
    /// Its index among the published; `None`: nobody honest published it.
    pub index: Option<usize>,
}

/// A message that waits at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldMessage {
    /// Its name.
    pub id: MessageId,
    /// Since when.
    pub at: Time,
    /// How long its body is; `None`: a crash hid that it was sent.
    pub bytes: Option<u32>,
    /// Whether its record went to the disk first.
    pub durable: bool,
}

impl NodeTruth {
    /// How many times it had gone down at the latest when `incarnation` began. A peer may raise an
    /// incarnation while it runs: then the one below it began.
    pub fn crashes_before(&self, incarnation: u64) -> u32 {
        self.began.range(..=incarnation).next_back().map_or(0, |(_, crashes)| *crashes)
    }

    pub(super) fn release_held(&mut self, id: &MessageId) {
        // Drains go from the front, so this is rarely a search.
        if let Some(at) = self.held.iter().position(|held| held.id == *id) {
            self.held.remove(at);
        }
    }

    pub(super) fn start(
        &mut self,
        incarnation: u64,
        known: Option<ReleaseId>,
        run: Option<Running>,
        held: Vec<HeldMessage>,
    ) {
        self.started = true;
        // A node that lost its disk counts anew, and what its first life hid is hidden for ever.
        self.began.entry(incarnation).or_insert(self.crashes);
        self.known = known;
        if run.is_some() && self.prepared == run.as_ref().map(|run| run.id.clone()) {
            self.prepared = None;
        }
        self.run = run;
        self.hidden = false;
        self.held = held;
    }

    pub(super) fn advance_world(&mut self, seen: &Observation<'_>) {
        match seen {
            Observation::Crashed { amnesia, lied, hidden } => {
                self.started = false;
                self.paused = false;
                self.crashes += 1;
                self.lied |= lied;
                if *amnesia {
                    self.life = self.life.saturating_add(1);
                    self.known = None;
                    self.run = None;
                    self.prepared = None;
                    self.quarantined.clear();
                    self.fetched.clear();
                    self.held.clear();
                }
                // Until it has started again, so through crashes on the way up.
                self.hidden = (self.hidden || *hidden) && !amnesia;
            }
            Observation::Joined => self.joined = true,
            Observation::Left => {
                self.joined = false;
                self.gone = true;
                self.started = false;
            }
            Observation::Paused => self.paused = true,
            Observation::Resumed => self.paused = false,
            _ => {}
        }
    }
}
