//! What checkers see: each event with its moment, beside the truth that the harness itself knows.
//!
//! [`Truth`] holds what was honestly published, which nodes may be trusted to keep a promise, and what
//! every node showed so far. Checkers decide from it, not from what a replica says of itself.
//!
//! Invariant: while an observation is checked, the truth is what it was *before* that observation.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use app::{Manifest, Program};
use contract::{NodeId, Span, Time};
use replica::notice::{MessageId, Notice, Remembered};
use upgrade::{
    path::{self, Path},
    release::{ApiClass, Envelope, ReleaseId, Stamp},
};

pub mod book;
mod kind;
mod node;

pub use book::{Book, Past, body_hash};
pub use kind::{Kind, Kinds};
pub use node::{HeldMessage, NodeTruth, Running};

/// When and where something was observed, and what was known of the message it is about.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// By the world's clock.
    pub at: Time,
    /// Where.
    pub node: NodeId,
    /// Which input of that node caused it, counted over all its incarnations; 0 where none did.
    pub input: u64,
    /// The stream of the message it is about; `None` where it is about no single message.
    pub stream: Option<u32>,
    /// What had become of that message before; blank otherwise.
    pub past: Past,
}

/// Something observed.
#[derive(Clone, Copy, Debug)]
pub enum Observation<'a> {
    /// A replica told its watchers something.
    Notice(&'a Notice),
    /// A node went down.
    Crashed {
        /// Its disk is empty now.
        amnesia: bool,
        /// Its disk lost or changed records that it had called durable.
        lied: bool,
        /// What it had made durable last may not have shown in notices.
        hidden: bool,
    },
    /// A node joined the fleet.
    Joined,
    /// A node left for ever.
    Left,
    /// A node takes no inputs for a while.
    Paused,
    /// It takes them again.
    Resumed,
    /// A release was honestly published here: the index among [`Truth::releases`].
    Published(usize),
    /// The safety phase is over; every node that is not gone is well from now on.
    Calmed,
}

/// A release that was honestly signed and published, or that nodes started with.
pub struct Published {
    /// What was signed.
    pub envelope: Arc<Envelope>,
    /// What its messages carry.
    pub stamp: Stamp,
    /// What its code is.
    pub program: Arc<dyn Program>,
    /// When it was first published; [`Time::NEVER`]: not yet.
    pub at: Time,
    /// The node it was published at; `None`: not yet, or nodes had it from the start.
    pub by: Option<NodeId>,
    /// Some node showed that it took it in. A publisher that hears nothing publishes again.
    pub taken: bool,
    /// Whether the scenario allows that nodes will not run it.
    pub may_be_quarantined: bool,
}

/// What a run promises, from its scenario.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Messages that a node may hold.
    pub held_max: u32,
    /// Bytes that a node may hold.
    pub held_bytes_max: u64,
    /// How long a node holds a message.
    pub held_ttl: Span,
    /// Attempts at one switch.
    pub attempts_max: u32,
    /// How long a switch may keep a node from handling messages; `None`: not checked.
    pub pause_max: Option<Span>,
    /// The share of joined nodes that serve at every instant of the safety phase, in parts per
    /// million; `None`: not checked.
    pub serving_ppm: Option<u32>,
    /// How far a node's clock may be off the world's.
    pub clock_error_max: Span,
}

/// Messages of one stream that one input may take or send: a crash hides no more.
const UNTOLD_MAX: u64 = 256;

/// What the harness itself knows of a run.
pub struct Truth {
    /// What was honestly published, in order of the scenario; a future one says so.
    pub releases: Vec<Published>,
    /// Every node that ever was or will be, by id.
    pub nodes: Vec<NodeTruth>,
    /// Every message so far.
    pub book: Book,
    /// What is promised.
    pub bounds: Bounds,
    /// Nodes whose instances are copied, to be compared with each other and with what operations mean.
    pub copied: BTreeSet<NodeId>,
    /// The release that clients are built for, among the published.
    pub clients: Option<usize>,
    /// Operations of clients that are built for another one.
    pub asked: BTreeMap<u64, usize>,
    /// The safety phase is over.
    pub calm: bool,
}

/// The order in which releases win, said once more so that the protocol's own is not trusted:
/// epoch, then version by precedence, then the larger code hash.
pub fn wins(left: &ReleaseId, right: &ReleaseId) -> Ordering {
    let by_version = left.version.cmp_precedence(&right.version);
    left.epoch.cmp(&right.epoch).then(by_version).then(left.code.0.cmp(&right.code.0))
}

impl Published {
    /// Its name.
    pub fn id(&self) -> &ReleaseId {
        &self.envelope.id
    }

    /// What its code declares.
    pub fn manifest(&self) -> &Manifest {
        self.program.manifest()
    }

    /// The edges that state of `from` takes to this release, by what both declare; empty where it is
    /// taken as it is.
    pub fn state_path(&self, from: &Self) -> Option<Path> {
        path::state_path(self.manifest(), from.manifest().state.id())
    }

    /// Whether its version understands a message type that its class has had since `since`.
    pub fn understands(&self, since: [u64; 3]) -> bool {
        let version = &self.envelope.id.version;
        let release = [version.major, version.minor, version.patch];
        if version.pre.is_empty() { release >= since } else { release > since }
    }

    /// Whether `edges` of this release, in this order, lead from class `from` to its own.
    pub fn leads_here(&self, from: &ApiClass, edges: &[u32]) -> bool {
        let declared = &self.manifest().edges;
        let mut class = None;
        for edge in edges {
            let edge = usize::try_from(*edge).ok().and_then(|edge| declared.get(edge));
            let Some(edge) = edge else { return false };
            let begins = match class {
                None => from.is_written(edge.from_class),
                Some(class) => class == edge.from_class,
            };
            if !begins {
                return false;
            }
            class = Some(edge.to_class);
        }
        class.is_some_and(|class| self.envelope.class.is_written(class))
    }
}

impl Truth {
    /// The truth at the start of a run of `nodes` nodes.
    pub fn new(releases: Vec<Published>, nodes: usize, bounds: Bounds) -> Self {
        // Two numbers of a stamp's byte mean something else.
        assert!(releases.len() < usize::from(book::STRANGE), "a stamp's release fits a byte");
        let copied = (0..nodes as u32).map(NodeId).collect();
        let nodes = vec![NodeTruth::default(); nodes];
        let clients = if releases.is_empty() { None } else { Some(0) };
        Self {
            releases,
            nodes,
            book: Book::default(),
            bounds,
            copied,
            clients,
            asked: BTreeMap::new(),
            calm: false,
        }
    }

    /// The release that the client of the operation `id` is built for.
    pub fn client_of(&self, id: u64) -> Option<&Published> {
        let release = self.asked.get(&id).copied().or(self.clients)?;
        self.releases.get(release)
    }

    /// What is known of `node`.
    pub fn node(&self, node: NodeId) -> &NodeTruth {
        &self.nodes[node.0 as usize]
    }

    /// Whether somebody published this release in this run, rather than nodes starting with it.
    pub fn is_published(&self, id: &ReleaseId) -> bool {
        self.release(id).is_some_and(|at| self.releases[at].by.is_some())
    }

    /// The index of a release by its name; `None` where nothing honest has it.
    pub fn release(&self, id: &ReleaseId) -> Option<usize> {
        self.releases.iter().position(|release| release.id() == id)
    }

    /// What `node` runs; `None`: nothing, or nothing honest.
    pub fn running(&self, node: NodeId) -> Option<&Published> {
        let index = self.node(node).run.as_ref()?.index?;
        Some(&self.releases[index])
    }

    /// The release that a stamp names, as [`Past::stamp`] writes it.
    pub fn stamp(&self, stamp: Option<&Stamp>) -> u8 {
        let Some(stamp) = stamp else { return book::UNSTAMPED };
        let found = self.releases.iter().position(|release| release.stamp == *stamp);
        found.map_or(book::STRANGE, |index| index as u8)
    }

    /// The release that [`Past::stamp`] names.
    pub fn stamped(&self, stamp: u8) -> Option<&Published> {
        self.releases.get(usize::from(stamp))
    }

    /// The highest release that was published by now.
    pub fn newest(&self) -> Option<&Published> {
        let out = self.releases.iter().filter(|release| release.at != Time::NEVER);
        out.max_by(|left, right| wins(left.id(), right.id()))
    }

    /// Whether no node that is left ever had the whole code of a release: it is lost with the others.
    pub fn is_lost(&self, release: &ReleaseId) -> bool {
        let left = self.nodes.iter().filter(|node| node.joined && !node.gone && !node.lied);
        left.into_iter().all(|node| !node.fetched.contains(release))
    }

    /// Whether nothing can be promised of a stream: a disk at one of its ends lied.
    pub fn excused(&self, stream: u32) -> bool {
        let stream = self.book.stream(stream);
        self.node(stream.from).lied || self.node(stream.to).lied
    }

    /// Whether a crash of the sender may have hidden that it sent this message of `stream`: it crashed
    /// since the stream began and since it was last seen to send there, and a crash hides one input.
    pub fn may_hide_sent(&self, stream: u32, sequence: u64) -> bool {
        let stream = self.book.stream(stream);
        let sender = self.node(stream.from);
        let since = stream.sender_crashes.max(sender.crashes_before(stream.incarnation));
        sender.crashes > since && sequence <= stream.messages.len() as u64 + UNTOLD_MAX
    }

    /// The nodes that are in the fleet and not gone, by id.
    pub fn core(&self) -> impl Iterator<Item = NodeId> + '_ {
        let nodes = (0..).map(NodeId).zip(&self.nodes);
        nodes.filter(|(_, node)| node.joined && !node.gone).map(|(node, _)| node)
    }

    /// Looks up what an observation is about. The book learns new streams here and nothing else.
    pub fn moment(&mut self, at: Time, node: NodeId, input: u64, seen: &Observation<'_>) -> Moment {
        let mut moment = Moment { at, node, input, stream: None, past: Past::default() };
        if let Observation::Notice(notice) = seen
            && let Some((id, exactly_once)) = subject(notice)
            && self.is_node(id.from)
            && self.is_node(id.to)
        {
            let stream = self.book.enter(id, exactly_once);
            moment.stream = Some(stream);
            moment.past = self.book.past(stream, id.sequence);
        }
        moment
    }

    /// Writes an observation down, once every checker has seen it.
    pub fn advance(&mut self, moment: &Moment, seen: &Observation<'_>) {
        match seen {
            Observation::Notice(notice) => match moment.stream {
                Some(stream) => self.advance_message(moment, stream, notice),
                None => self.advance_node(moment, notice),
            },
            Observation::Published(release) => {
                let published = &mut self.releases[*release];
                published.at = published.at.min(moment.at);
                published.by = Some(moment.node);
            }
            Observation::Calmed => self.calm = true,
            _ => self.nodes[moment.node.0 as usize].advance_world(seen),
        }
    }

    fn is_node(&self, node: NodeId) -> bool {
        (node.0 as usize) < self.nodes.len()
    }

    /// Writes down what became of a message.
    fn advance_message(&mut self, moment: &Moment, stream: u32, notice: &Notice) {
        let sequence = subject(notice).expect("a moment with a stream is of a message").0.sequence;
        let node = &mut self.nodes[moment.node.0 as usize];
        let mut past = moment.past;
        let arrives = matches!(
            notice,
            Notice::Delivered { .. } | Notice::Held { .. } | Notice::NotDelivered { .. }
        );
        if arrives && past.life != node.life {
            // What became of it went with the disk that knew it.
            past.flags &= !(Past::DELIVERED | Past::HELD | Past::ENDED);
            past.life = node.life;
        }
        if !past.any(Past::SENT) && !matches!(notice, Notice::Sent { .. }) {
            past.flags |= Past::SENT | Past::HIDDEN;
        }
        match notice {
            Notice::Sent { body, .. } => {
                past.flags |= Past::SENT;
                past.body = body_hash(body);
                past.bytes = body.bytes.len() as u32;
            }
            Notice::Delivered { id, .. } => {
                past.flags |= Past::DELIVERED;
                if past.any(Past::HELD) {
                    past.flags &= !Past::HELD;
                    node.release_held(id);
                }
            }
            Notice::Held { id, durable, .. } => {
                past.flags |= Past::HELD;
                let (id, bytes) = (*id, past.size());
                node.held.push(HeldMessage { id, at: moment.at, bytes, durable: *durable });
            }
            Notice::NotDelivered { id, .. } => {
                past.flags = (past.flags | Past::ENDED) & !Past::HELD;
                node.release_held(id);
            }
            Notice::Acknowledged { .. } => past.flags |= Past::ACKNOWLEDGED,
            Notice::Nacked { .. } => past.flags |= Past::NACKED,
            _ => {}
        }
        if let Notice::Sent { stamp, .. } = notice {
            past.stamp = self.stamp(stamp.as_ref());
            let crashes = self.node(moment.node).crashes;
            self.book.stream_mut(stream).sender_crashes = crashes;
        }
        if let Some(place) = self.book.past_mut(stream, sequence) {
            *place = past;
        }
    }

    /// Writes down what a node showed of itself.
    fn advance_node(&mut self, moment: &Moment, notice: &Notice) {
        match notice {
            Notice::Started { incarnation, known, run, messages, .. } => {
                let Remembered { unacknowledged, held, received } = &**messages;
                let run =
                    run.as_ref().map(|id| Running { id: id.clone(), index: self.release(id) });
                for id in unacknowledged.iter().filter(|id| id.from == moment.node) {
                    self.mark(id, Past::SENT);
                }
                let before: Vec<HeldMessage> =
                    std::mem::take(&mut self.nodes[moment.node.0 as usize].held);
                for message in &before {
                    // What is held no more left the hold in the record that the crash hid.
                    self.unmark(&message.id, Past::HELD);
                    if !held.contains(&message.id) {
                        self.mark(&message.id, Past::DELIVERED | Past::HIDDEN);
                    }
                }
                for id in held {
                    self.mark(id, Past::SENT | Past::HELD);
                }
                for id in received {
                    self.mark_taken(id, held);
                }
                let waits = |id: &MessageId| {
                    let since = before.iter().find(|held| held.id == *id).map(|held| held.at);
                    let stream = self.book.find(id, true);
                    let past = stream.map(|stream| self.book.past(stream, id.sequence));
                    let bytes = past.and_then(Past::size);
                    HeldMessage { id: *id, at: since.unwrap_or(moment.at), bytes, durable: true }
                };
                let held = held.iter().map(waits).collect();
                let node = &mut self.nodes[moment.node.0 as usize];
                node.start(*incarnation, known.clone(), run, held);
            }
            Notice::Committed { release, .. } => {
                let index = self.release(&release.id);
                let node = &mut self.nodes[moment.node.0 as usize];
                node.run = Some(Running { id: release.id.clone(), index });
                node.prepared = None;
            }
            Notice::Renumbered { before, after, .. } => {
                for (before, after) in before.iter().zip(after) {
                    self.rename(before, after);
                }
            }
            Notice::Merged { incoming, after, .. } => {
                if let Some(release) = self.release(&incoming.id) {
                    self.releases[release].taken = true;
                }
                self.nodes[moment.node.0 as usize].known.clone_from(after);
            }
            Notice::Fetched { release, .. } => {
                self.nodes[moment.node.0 as usize].fetched.push(release.clone());
            }
            Notice::Prepared { release, .. } => {
                self.nodes[moment.node.0 as usize].prepared = Some(release.clone());
            }
            Notice::Quarantined { release, .. } => {
                let node = &mut self.nodes[moment.node.0 as usize];
                node.prepared = None;
                node.quarantined.push(release.clone());
            }
            _ => {}
        }
    }

    fn mark(&mut self, id: &MessageId, flags: u8) {
        if self.is_node(id.from) && self.is_node(id.to) {
            let life = self.node(id.to).life;
            let stream = self.book.enter(id, true);
            if let Some(past) = self.book.past_mut(stream, id.sequence) {
                if flags & (Past::HELD | Past::DELIVERED) != 0 && past.life != life {
                    past.flags &= !(Past::DELIVERED | Past::HELD | Past::ENDED);
                    past.life = life;
                }
                past.flags |= flags;
            }
        }
    }

    /// A message goes by another name from now on: what was sent is known, what becomes of it is not.
    fn rename(&mut self, before: &MessageId, after: &MessageId) {
        if !self.is_node(after.from) || !self.is_node(after.to) {
            return;
        }
        let stream = self.book.find(before, true);
        let past = stream.map(|stream| self.book.past(stream, before.sequence)).unwrap_or_default();
        let crashes = self.node(after.from).crashes;
        let stream = self.book.enter(after, true);
        self.book.stream_mut(stream).sender_crashes = crashes;
        if let Some(place) = self.book.past_mut(stream, after.sequence) {
            *place = Past { flags: Past::SENT, life: 0, ..past };
        }
        // Under its old name it is nobody's any more.
        if let Some(stream) = self.book.find(before, true)
            && let Some(place) = self.book.past_mut(stream, before.sequence)
        {
            place.flags |= Past::HIDDEN;
        }
    }

    /// Messages of a stream up to `last` whose fate a crash may have hidden, latest first.
    pub fn untold(&self, last: &MessageId) -> impl Iterator<Item = u64> + '_ {
        let fates = Past::DELIVERED | Past::HELD | Past::ENDED;
        let stream = self.book.find(last, true);
        let last = last.sequence;
        let untold = move |sequence: &u64| {
            let past = stream.map(|stream| self.book.past(stream, *sequence));
            past.is_some_and(|past| past.any(Past::SENT) && !past.any(fates))
        };
        (last.saturating_sub(UNTOLD_MAX)..=last).rev().filter(untold)
    }

    /// A node starts and says that it took everything up to `last`.
    fn mark_taken(&mut self, last: &MessageId, held: &[MessageId]) {
        let untold: Vec<u64> = self.untold(last).collect();
        for sequence in untold {
            let id = MessageId { sequence, ..*last };
            if !held.contains(&id) {
                self.mark(&id, Past::DELIVERED | Past::HIDDEN);
            }
        }
    }

    fn unmark(&mut self, id: &MessageId, flags: u8) {
        if let Some(stream) = self.book.find(id, true)
            && let Some(past) = self.book.past_mut(stream, id.sequence)
        {
            past.flags &= !flags;
        }
    }
}

/// The one message that a notice is about, and whether it is sent exactly once.
pub(crate) fn subject(notice: &Notice) -> Option<(&MessageId, bool)> {
    match notice {
        Notice::Sent { id, exactly_once, .. } | Notice::Delivered { id, exactly_once, .. } => {
            Some((id, *exactly_once))
        }
        Notice::Held { id, .. }
        | Notice::Acknowledged { id }
        | Notice::NotDelivered { id, .. }
        | Notice::Nacked { id, .. } => Some((id, true)),
        _ => None,
    }
}
