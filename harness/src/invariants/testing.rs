//! What tests of invariants share: a small truth, and a story told to one invariant.

use std::sync::Arc;

use app::{Body, Fault, Manifest, Meter, Program, Runtime, native::Registry};
use contract::{NodeId, Span, Time};
use replica::notice::{Conversion, Left, MessageId, Notice, Remembered};
use semver::Version;
use upgrade::{
    release::{Budget, Envelope, Publication, ReleaseId, Rollout, Stamp},
    switch::{Composition, Migration, Quarantine, StateHash},
};

use super::Invariant;
use crate::observation::{Bounds, Observation, Published, Truth};

/// Index of 1.0.0 among the published of [`truth`].
pub(crate) const ONE: usize = 0;
/// Index of 1.4.0.
pub(crate) const ONE_FOUR: usize = 1;
/// Index of 2.0.0.
pub(crate) const TWO: usize = 2;
/// Index of 2.0.0 with another code.
pub(crate) const OTHER_TWO: usize = 3;
/// Index of 3.0.0.
pub(crate) const THREE: usize = 4;

/// A counter's release.
pub(crate) fn published(version: &str, salt: u64) -> Published {
    published_of("counter", version, None, salt)
}

/// The release of any app, or a code of it that is wrong on purpose.
pub(crate) fn published_of(
    app: &str,
    version: &str,
    variant: Option<&str>,
    salt: u64,
) -> Published {
    let code = Registry::code(app, version, variant, 8, salt);
    let program = Registry::standard().load(&code).unwrap();
    let publication = Publication {
        epoch: 0,
        version: Version::parse(version).unwrap(),
        class: None,
        rollout: Rollout::AtOnce,
        budget: Budget { fuel: 1_000, state_bytes: 1 << 16 },
        expires: None,
        root: 1,
    };
    let envelope = Envelope::for_code(program.manifest(), &code, publication).unwrap();
    let stamp = Stamp::new(envelope.id.clone(), envelope.class.clone());
    Published {
        stamp,
        envelope: Arc::new(envelope),
        program,
        at: Time::ZERO,
        by: None,
        taken: false,
        may_be_quarantined: false,
    }
}

/// Three nodes, of which n0 and n1 run 1.4.0 and n2 runs 2.0.0.
pub(crate) fn truth() -> Truth {
    let releases = [("1.0.0", 0), ("1.4.0", 0), ("2.0.0", 0), ("2.0.0", 1), ("3.0.0", 0)]
        .map(|(version, salt)| published(version, salt));
    let bounds = Bounds {
        held_max: 2,
        held_bytes_max: 100,
        held_ttl: Span::from_secs(60),
        attempts_max: 2,
        pause_max: Some(Span::from_millis(50)),
        serving_ppm: Some(500_000),
        clock_error_max: Span::from_millis(1),
    };
    let mut truth = Truth::new(releases.into(), 3, bounds);
    for node in &mut truth.nodes {
        node.peers = (0..3).map(NodeId).collect();
    }
    for (node, release) in [(0, ONE_FOUR), (1, ONE_FOUR), (2, TWO)] {
        tell(&mut truth, None, node, Observation::Joined).unwrap();
        let started = started(&truth, Some(release), &[]);
        tell(&mut truth, None, node, Observation::Notice(&started)).unwrap();
    }
    truth
}

/// Tells one observation; `Err` is what the invariant says of it.
pub(crate) fn tell(
    truth: &mut Truth,
    invariant: Option<&mut dyn Invariant>,
    node: u32,
    seen: Observation<'_>,
) -> Result<(), String> {
    tell_at(truth, invariant, Time::from_nanos(1_000_000_000), 1, node, seen)
}

/// As [`tell`], at a moment and by an input of choice.
pub(crate) fn tell_at(
    truth: &mut Truth,
    invariant: Option<&mut dyn Invariant>,
    at: Time,
    input: u64,
    node: u32,
    seen: Observation<'_>,
) -> Result<(), String> {
    let moment = truth.moment(at, NodeId(node), input, &seen);
    let told = invariant.map_or(Ok(()), |invariant| {
        if invariant.wants().has(seen.kind()) {
            invariant.observe(truth, &moment, &seen).map_err(|broken| broken.text)
        } else {
            Ok(())
        }
    });
    truth.advance(&moment, &seen);
    told
}

/// Tells a story of notices; `Err` is what the invariant says of the first one that breaks it.
pub(crate) fn story(
    truth: &mut Truth,
    invariant: &mut dyn Invariant,
    story: &[(u32, Notice)],
) -> Result<(), String> {
    story.iter().try_for_each(|(node, notice)| {
        tell(truth, Some(invariant), *node, Observation::Notice(notice))
    })
}

/// Asserts that `good` holds, and that `bad` breaks with a text that contains `says`.
pub(crate) fn check<I: Invariant + Default>(
    good: impl FnOnce(&Truth) -> Vec<(u32, Notice)>,
    bad: impl FnOnce(&Truth) -> Vec<(u32, Notice)>,
    says: &str,
) {
    let mut at = truth();
    let told = good(&at);
    assert_eq!(story(&mut at, &mut I::default(), &told), Ok(()), "the good story");
    let mut at = truth();
    let told = bad(&at);
    let broken = story(&mut at, &mut I::default(), &told).expect_err("the bad story");
    assert!(broken.contains(says), "{broken:?} does not say {says:?}");
}

pub(crate) fn id(truth: &Truth, release: usize) -> ReleaseId {
    truth.releases[release].id().clone()
}

/// The `sequence`th message from one node to another.
pub(crate) fn message(from: u32, to: u32, sequence: u64) -> MessageId {
    MessageId { from: NodeId(from), incarnation: 1, to: NodeId(to), sequence }
}

/// A body of a counter's `add` (1.x), of a positive amount.
pub(crate) fn body(byte: u8) -> Body {
    Body { tag: 2, bytes: vec![2 * byte].into() }
}

pub(crate) fn started(truth: &Truth, run: Option<usize>, held: &[MessageId]) -> Notice {
    let run = run.map(|run| id(truth, run));
    Notice::Started {
        incarnation: 1,
        known: run.clone(),
        composition: run.clone().map(composition),
        run,
        state: None,
        messages: Box::new(Remembered { held: held.to_vec(), ..Remembered::default() }),
        recovered: true,
    }
}

pub(crate) fn composition(release: ReleaseId) -> Box<Composition> {
    Box::new(Composition {
        code: release.clone(),
        state: release.clone(),
        gate: release.clone(),
        adaptors: release.clone(),
        stamp: release,
    })
}

pub(crate) fn merged(truth: &Truth, incoming: usize, before: usize, after: usize) -> Notice {
    Notice::Merged {
        incoming: Arc::clone(&truth.releases[incoming].envelope),
        before: Some(id(truth, before)),
        after: Some(id(truth, after)),
    }
}

/// A commit from one release to another that says it migrated `before` into `after`.
pub(crate) fn committed(
    truth: &Truth,
    from: usize,
    to: usize,
    before: &[u8],
    after: &[u8],
) -> Notice {
    let release = Arc::clone(&truth.releases[to].envelope);
    Notice::Committed {
        from: Some(id(truth, from)),
        migration: Box::new(Migration {
            hot_swap: false,
            edges: vec![0],
            fuel: 1,
            state_before: Some(StateHash::of(before)),
            state_after: StateHash::of(after),
        }),
        state_before: Some(before.into()),
        state_after: after.into(),
        composition: composition(release.id.clone()),
        release,
    }
}

pub(crate) fn sent(truth: &Truth, id: MessageId, release: usize) -> Notice {
    let stamp = Some(truth.releases[release].stamp.clone());
    Notice::Sent { id, body: body(1), stamp, exactly_once: true }
}

pub(crate) fn held(truth: &Truth, id: MessageId, release: usize, count: u32) -> Notice {
    Notice::Held {
        id,
        tag: 2,
        stamp: Some(truth.releases[release].stamp.clone()),
        reason: upgrade::gate::HoldReason::NewerClass,
        count,
        bytes: u64::from(count),
        durable: true,
    }
}

/// A message that reaches the app as it was sent, in the instance 7.
pub(crate) fn delivered(truth: &Truth, id: MessageId, release: usize) -> Notice {
    Notice::Delivered {
        id,
        instance: 7,
        stamp: Some(truth.releases[release].stamp.clone()),
        sent: body(1),
        converted: Conversion::NONE,
        was_held: false,
        exactly_once: true,
        entropy: 0,
        at: Time::ZERO,
    }
}

/// A node gives up a release and says that nothing changed and what is left.
pub(crate) fn quarantined(truth: &Truth, release: usize, left: Left) -> Notice {
    let (release, reason) = (id(truth, release), Box::new(Quarantine::HashMismatch));
    Notice::Quarantined { release, reason, image_before: 1, image: 1, left: Box::new(left) }
}

/// The state of a counter that starts from nothing at `node`.
pub(crate) fn blank(truth: &Truth, release: usize, node: u32) -> Vec<u8> {
    truth.releases[release].program.init(NodeId(node)).export()
}

/// A program that lists one of its types as unversioned.
struct Unversioned {
    inner: Arc<dyn Program>,
    manifest: Manifest,
}

impl Program for Unversioned {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn init(&self, node: NodeId) -> Box<dyn app::Instance> {
        self.inner.init(node)
    }

    fn load(&self, node: NodeId, state: &[u8]) -> Result<Box<dyn app::Instance>, Fault> {
        self.inner.load(node, state)
    }

    fn migrate(&self, edge: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
        self.inner.migrate(edge, state, meter)
    }

    fn convert(&self, edge: usize, body: &Body) -> Result<Body, Fault> {
        self.inner.convert(edge, body)
    }

    fn measure(&self, state: &[u8]) -> Result<Vec<i128>, Fault> {
        self.inner.measure(state)
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        self.inner.operation(kind, entropy)
    }
}

/// Makes a message type of a release unversioned.
pub(crate) fn unversion(truth: &mut Truth, release: usize, tag: u32) {
    let inner = Arc::clone(&truth.releases[release].program);
    let mut manifest = inner.manifest().clone();
    for kind in manifest.messages.iter_mut().filter(|kind| kind.tag == tag) {
        kind.versioned = false;
    }
    truth.releases[release].program = Arc::new(Unversioned { inner, manifest });
}

/// A node at the end of a run that waits for nothing.
pub(crate) fn resting(
    node: u32,
    known: Option<ReleaseId>,
    run: Option<ReleaseId>,
) -> super::Resting {
    let status = replica::Status {
        incarnation: 1,
        known,
        run,
        fetching: None,
        held: 0,
        unacknowledged: 0,
        state_bytes: 0,
        quarantined: None,
        nodes: 1,
        log_bytes: 0,
        snapshot_bytes: 0,
    };
    super::Resting {
        node: NodeId(node),
        status: Some(status),
        waiting: Vec::new(),
        shared: super::Shared::Nothing,
    }
}
