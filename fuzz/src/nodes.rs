//! The bytes that reach a node: datagrams of its peers, and what is on its disk.

use std::sync::{Arc, LazyLock};

use app::native::Registry;
use contract::{Effect, Encode, Input, NodeId, Process, Record, Span, Time, Wire};
use replica::{Command, Message, Notice, Release, Replica, Settings, Timer};
use upgrade::trust::Verifier;
use xxhash_rust::xxh3::xxh3_64;

use super::{
    Feed,
    upgrades::{release, root},
};

const NODE: NodeId = NodeId(1);
/// Inputs of one run.
const STEPS_MAX: usize = 64;
/// Bytes of disk that a node may come to use: a log as long as it may be, and what is in it.
const DISK_MAX: usize = 1 << 20;

struct Fleet {
    settings: Settings,
    app: &'static str,
    genesis: Vec<Vec<u8>>,
    newer: Release,
}

fn fleet(app: &'static str, initial: &str, newer: &str) -> Fleet {
    let release = |version: &str| {
        let (_, signed, code) = release(app, version);
        Release { signed: signed.into(), code: code.into() }
    };
    let peers: Arc<[NodeId]> = (1..=3).map(NodeId).collect();
    let mut settings = Settings::new(NODE, peers, root(app), Arc::new(Registry::standard()));
    settings.verifier = Some(Arc::new(Verifier::new(root(app)).expect("a root")));
    settings.initial = Some(release(initial));
    // A snapshot now and then, for that is read too.
    settings.log_bytes_min = 512;
    settings.hold.messages = 8;
    settings.causal.limits.parked_max = 8;
    let founders = [NODE, NodeId(2)];
    let genesis = match app {
        "counter" => Vec::new(),
        _ => Replica::genesis(&settings, &founders),
    };
    Fleet { settings, app, genesis, newer: release(newer) }
}

/// One whose releases exchange messages, and one whose releases have operations.
static FLEETS: LazyLock<[Fleet; 2]> =
    LazyLock::new(|| [fleet("counter", "1.4.0", "2.0.0"), fleet("notes", "1.1.0", "2.0.0")]);

/// A node and its driver.
struct Node<'f> {
    fleet: &'f Fleet,
    replica: Replica,
    disk: Vec<Vec<u8>>,
    timers: Vec<(Timer, Time)>,
    now: Time,
    sent: Vec<Message>,
    notices: Vec<Notice>,
}

impl<'f> Node<'f> {
    fn started(fleet: &'f Fleet, disk: Vec<Vec<u8>>, now: Time, entropy: u64) -> Self {
        let replica = Replica::new(fleet.settings.clone()).expect("a root");
        let mut node = Self {
            fleet,
            replica,
            disk: disk.clone(),
            timers: Vec::new(),
            now,
            sent: Vec::new(),
            notices: Vec::new(),
        };
        node.handle(Input::Start { records: disk, entropy });
        node
    }

    fn handle(&mut self, input: Input<Replica>) {
        let mut effects = Vec::new();
        self.replica.handle(self.now, input, &mut effects);
        for effect in effects {
            match effect {
                Effect::Send { message, .. } => {
                    let mut bytes = Vec::new();
                    message.encode(&mut bytes);
                    assert_eq!(Message::decode(&bytes).as_ref(), Ok(&message));
                    self.sent.push(message);
                }
                Effect::Arm { timer, at } => {
                    self.timers.retain(|(armed, _)| *armed != timer);
                    if at != Time::NEVER {
                        self.timers.push((timer, at));
                    }
                }
                Effect::Persist(Record::Append(record)) => self.disk.push(record),
                Effect::Persist(Record::Replace(record)) => self.disk = vec![record],
                Effect::Notify(notice) => {
                    notice.encode(&mut Vec::new());
                    self.notices.push(notice);
                }
            }
        }
    }

    /// Rings the timer that is due first.
    fn ring(&mut self) {
        let Some((timer, at)) = self.timers.iter().copied().min_by_key(|(_, at)| *at) else {
            return;
        };
        self.timers.retain(|(armed, _)| *armed != timer);
        self.now = self.now.max(at);
        self.handle(Input::Timer(timer));
    }

    /// What comes back from the disk runs what ran, and shows what was shown.
    fn recovered(self, entropy: u64) -> Node<'f> {
        let (before, operations) = (self.replica.status(), self.replica.waiting());
        let after = Self::started(self.fleet, self.disk, self.now, entropy);
        let status = after.replica.status();
        assert_eq!((&status.run, &status.known), (&before.run, &before.known));
        assert!(status.incarnation > before.incarnation);
        assert_eq!(status.held, before.held, "{operations:?}");
        after
    }

    /// A datagram, as bytes; the checksum is put right, for it finds accidents and not forgers.
    fn datagram(&mut self, bytes: &[u8], feed: &mut Feed<'_>) {
        let sum = (xxh3_64(bytes) as u32).to_le_bytes();
        let whole = [bytes, &sum].concat();
        let Ok(mut message) = Message::decode(&whole) else { return };
        let mut again = Vec::new();
        message.encode(&mut again);
        assert_eq!(again, whole, "{message:?} has two encodings");
        let head = feed.byte();
        if head & 1 == 0 {
            // What passes the first look.
            message.known = self.replica.status().incarnation;
            message.incarnation = 1 + u64::from(head >> 6);
        }
        let from = NodeId(1 + u32::from(head >> 1 & 3));
        self.handle(Input::Message { from, message });
    }
}

/// A datagram without its checksum.
fn unsummed(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(&mut bytes);
    bytes.truncate(bytes.len() - 4);
    bytes
}

fn operate(node: &mut Node<'_>, feed: &mut Feed<'_>) {
    let registry = Registry::standard();
    let version = if node.fleet.app == "notes" { "1.1.0" } else { "1.4.0" };
    let program = registry.program(node.fleet.app, version, None).expect("a program");
    let kind = *feed.pick(&program.manifest().operations);
    let words = std::array::from_fn(|_| feed.byte().into());
    let Some(mut body) = program.operation(kind, words) else { return };
    if feed.byte().is_multiple_of(4) {
        body.bytes = feed.blob().into();
    }
    node.handle(Input::Command(Command::Operation { id: feed.byte().into(), body, stamp: None }));
}

/// What may happen to a node.
fn step(node: &mut Node<'_>, feed: &mut Feed<'_>) {
    match feed.byte() % 8 {
        0 => node.ring(),
        1 => {
            node.now = node.now + Span::from_millis(feed.number() % 1000);
            node.ring();
        }
        2 => operate(node, feed),
        3 if feed.byte().is_multiple_of(4) => {
            let Release { signed, code } = node.fleet.newer.clone();
            node.handle(Input::Command(Command::Publish { signed, code }));
        }
        4 => {
            // What it sent comes back to it, or somebody says the like.
            if let Some(message) = node.sent.last() {
                let mut bytes = unsummed(message);
                let (at, byte) = (feed.byte(), feed.byte());
                if let Some(place) = bytes.get_mut(usize::from(at)) {
                    *place ^= byte;
                }
                node.datagram(&bytes, feed);
            }
        }
        _ => {
            let bytes = feed.blob();
            node.datagram(bytes, feed);
        }
    }
}

/// Datagrams, between whatever else happens to a node.
pub(crate) fn datagrams(bytes: &[u8]) {
    let mut feed = Feed::new(bytes);
    let fleet = &FLEETS[feed.below(2)];
    let start = Time::from_nanos(1_000_000_000);
    let mut node = Node::started(fleet, fleet.genesis.clone(), start, 9);
    for _ in 0..STEPS_MAX {
        if feed.is_empty() {
            break;
        }
        if feed.byte() >= 0xf0 {
            node = node.recovered(feed.byte().into());
        } else {
            step(&mut node, &mut feed);
        }
    }
    let node = node.recovered(7);
    let disk: usize = node.disk.iter().map(Vec::len).sum();
    assert!(disk < DISK_MAX, "{disk} bytes on disk");
}

/// A node that lived for a while.
fn lived(fleet: &Fleet, steps: usize) -> Node<'_> {
    let start = Time::from_nanos(1_000_000_000);
    let mut node = Node::started(fleet, fleet.genesis.clone(), start, 9);
    let words = [2, 0, 3, 5, 8, 1, 2, 2, 0, 1, 1, 1, 1, 9, 2, 1, 4, 7, 6, 5, 3, 1, 0, 0];
    for at in 0..steps {
        let mut feed = Feed::new(&words[at % 8..]);
        operate(&mut node, &mut feed);
        node.ring();
    }
    node
}

static DISKS: LazyLock<Vec<(usize, Vec<Vec<u8>>)>> = LazyLock::new(|| {
    let disks = [(0, 0), (0, 3), (1, 0), (1, 3), (1, 12)];
    disks.into_iter().map(|(fleet, steps)| (fleet, lived(&FLEETS[fleet], steps).disk)).collect()
});

/// Records, after or in place of those that an honest node wrote. It starts, goes on, and starts again.
pub(crate) fn journal(bytes: &[u8]) {
    let mut feed = Feed::new(bytes);
    let (fleet, disk) = feed.pick(&DISKS);
    let fleet = &FLEETS[*fleet];
    let mut disk = disk.clone();
    for _ in 0..8 {
        if feed.is_empty() {
            break;
        }
        let at = feed.below(disk.len() + 1);
        match feed.byte() % 4 {
            0 => disk.insert(at, feed.blob().to_vec()),
            1 => disk.truncate(at),
            2 if at < disk.len() => {
                // A byte of a record becomes others.
                let record = &mut disk[at];
                let place = usize::from(feed.byte()) | usize::from(feed.byte()) << 8;
                let place = place.min(record.len());
                let end = record.len().min(place + usize::from(feed.byte() % 4));
                record.splice(place..end, feed.blob().iter().copied());
            }
            _ => disk.push(feed.blob().to_vec()),
        }
    }
    let start = Time::from_nanos(90_000_000_000);
    let mut node = Node::started(fleet, disk, start, 5);
    for _ in 0..6 {
        node.ring();
    }
    operate(&mut node, &mut Feed::new(&[2, 0, 3, 5, 8]));
    node.recovered(3);
}

/// What nodes send: each datagram by itself, after an operation of a client.
pub(crate) fn datagram_seeds() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (number, fleet) in FLEETS.iter().enumerate() {
        for message in lived(fleet, 12).sent {
            let bytes = unsummed(&message);
            let Ok(length) = u8::try_from(bytes.len()) else { continue };
            for from in [2, 4] {
                let head = [number as u8, 0, 5, length];
                all.push([&head, &bytes[..], &[from, 0, 0, 0, 2, 0, 1, 2, 3, 4, 0]].concat());
            }
        }
    }
    all.sort();
    all.dedup();
    all
}

/// What stands on disks, record by record.
pub(crate) fn journal_seeds() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (number, (_, disk)) in DISKS.iter().enumerate() {
        for (at, record) in disk.iter().enumerate() {
            let short = &record[..record.len().min(255)];
            all.push([&[number as u8, 0, 3, short.len() as u8], short].concat());
            for place in 0..record.len().min(40) {
                all.push(vec![number as u8, at as u8, 2, place as u8, 0, 1, 1, 1]);
            }
        }
    }
    all
}
