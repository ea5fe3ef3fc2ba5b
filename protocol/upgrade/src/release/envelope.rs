//! The envelope of a release: what is signed, gossiped and agreed on before any code moves.
//!
//! Invariant: an envelope that decodes names a version above 0.0.0 and a class that fits it, and every
//! number in it is within the limits below.

use std::cmp::Ordering;

use app::{Manifest, value::SchemaId};
use contract::{
    Encode, Malformed, NodeId, Span, Time, Wire,
    wire::{put_blob, put_varint, take_byte, take_varint},
};
use semver::Version;

use super::{
    ApiClass, CLASS_MISFITS, CodeHash, ReleaseId, VERSION_PART_BYTES_MAX, is_above_zero, take_text,
};

/// Bytes of an application's name: it stands in every report.
pub const APP_BYTES_MAX: usize = 64;

/// Bytes of a release's code. An envelope that announces more is refused before anything is fetched,
/// so a hostile publisher cannot make a node fetch for ever.
pub const CODE_BYTES_MAX: u64 = 64 << 20;

/// The whole of a share, in parts per million.
const WHOLE_PPM: u32 = 1_000_000;

/// The first byte of an envelope: which layout follows.
const LAYOUT: u8 = 1;

/// When a node switches once it has staged a release. Signed, so every node keeps to the same plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rollout {
    /// As soon as it is staged.
    AtOnce,
    /// `batch` nodes at a time in order of their ids; the next batch `gap` after the one before.
    Rolling {
        /// At least 1.
        batch: u32,
        /// From one batch to the next.
        gap: Span,
    },
    /// The nodes that a hash of node and release selects, `share_ppm` of them, switch at once; the
    /// others `soak` later.
    Canary {
        /// Parts per million of the nodes, at most all of them.
        share_ppm: u32,
        /// How long the others watch.
        soak: Span,
    },
}

/// What a switch to a release may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Migration cost in the code's own units, about one per element of state.
    pub fuel: u64,
    /// Bytes of migrated state.
    pub state_bytes: u64,
}

/// What is signed: everything about a release but its code, which the hash stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The application; a node of another refuses it.
    pub app: String,
    /// What the release is called.
    pub id: ReleaseId,
    /// Which messages it understands. [`ApiClass::of`] its version unless the publisher says otherwise.
    pub class: ApiClass,
    /// The schema of its state.
    pub state: SchemaId,
    /// Length of its code.
    pub code_bytes: u64,
    /// BLAKE3 of the canonical list of edges that the code's manifest declares.
    pub edges: [u8; 32],
    /// When nodes switch.
    pub rollout: Rollout,
    /// What a switch may cost.
    pub budget: Budget,
    /// Not to be activated after this time by the node's clock; `None`: never expires.
    pub expires: Option<Time>,
    /// The version of the root of trust that the publisher signed under.
    pub root: u32,
}

/// What a publisher decides; the rest of an envelope follows from the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The epoch: of two releases the one with the higher epoch is newer, whatever their versions.
    pub epoch: u64,
    /// The version.
    pub version: Version,
    /// `None`: the class that semantic versioning gives the version.
    pub class: Option<ApiClass>,
    /// When nodes switch.
    pub rollout: Rollout,
    /// What a switch may cost.
    pub budget: Budget,
    /// See [`Envelope::expires`].
    pub expires: Option<Time>,
    /// See [`Envelope::root`].
    pub root: u32,
}

/// A release cannot be published as asked. Nothing was published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// 0.0.0 and its pre-releases mean "nothing runs".
    #[error("a release needs a version above 0.0.0, found {0}")]
    NotAboveZero(Version),
    /// The class belongs to a newer line or to another version.
    #[error("version {version} cannot be of API class {class}")]
    ClassMisfits {
        /// The release's.
        version: Version,
        /// What the publisher asked for.
        class: ApiClass,
    },
    /// A rollout in batches of no node never ends.
    #[error("a rolling rollout needs batches of at least one node")]
    EmptyBatch,
    /// Some part is beyond a limit of the format.
    #[error("the {part} is beyond its limit of {limit}")]
    BeyondLimit {
        /// Which part.
        part: &'static str,
        /// What it may be at most, in the part's own unit.
        limit: u64,
    },
}

impl Envelope {
    /// The envelope of `code`, which declares `manifest`.
    ///
    /// Errors: [`PublishError`] where no node would accept the result.
    pub fn for_code(
        manifest: &Manifest,
        code: &[u8],
        publication: Publication,
    ) -> Result<Self, PublishError> {
        let Publication { epoch, version, class, rollout, budget, expires, root } = publication;
        if !is_above_zero(&version) {
            return Err(PublishError::NotAboveZero(version));
        }
        let class = class.unwrap_or_else(|| ApiClass::of(&version));
        if !class.fits(&version) {
            return Err(PublishError::ClassMisfits { version, class });
        }
        let within = |part, size: u64, limit: u64| {
            if size <= limit { Ok(()) } else { Err(PublishError::BeyondLimit { part, limit }) }
        };
        within("app's name", manifest.app.len() as u64, APP_BYTES_MAX as u64)?;
        within("code", code.len() as u64, CODE_BYTES_MAX)?;
        within("pre-release", version.pre.len() as u64, VERSION_PART_BYTES_MAX as u64)?;
        within("build metadata", version.build.len() as u64, VERSION_PART_BYTES_MAX as u64)?;
        if let Rollout::Canary { share_ppm, .. } = rollout {
            within("canary share", u64::from(share_ppm), u64::from(WHOLE_PPM))?;
        }
        if matches!(rollout, Rollout::Rolling { batch: 0, .. }) {
            return Err(PublishError::EmptyBatch);
        }
        Ok(Self {
            app: manifest.app.to_owned(),
            id: ReleaseId::new(epoch, version, CodeHash::of(code)),
            class,
            state: manifest.state.id(),
            code_bytes: code.len() as u64,
            edges: edges_hash(manifest),
            rollout,
            budget,
            expires,
            root,
        })
    }

    /// Whether `code` is the code that this envelope speaks of.
    pub fn accepts(&self, code: &[u8]) -> bool {
        code.len() as u64 == self.code_bytes && CodeHash::of(code) == self.id.code
    }

    /// Whether it is too late to activate it.
    pub fn expired(&self, now: Time) -> bool {
        self.expires.is_some_and(|expires| now > expires)
    }

    /// The canonical bytes: what is signed.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.encode(&mut bytes);
        bytes
    }

    /// The order in which envelopes win, total on all of them.
    ///
    /// The release decides. Envelopes that were issued twice for one release differ in what the publisher
    /// said of it: the newer root wins, then the later expiry, then the greater bytes, so that every
    /// node ends with the same one.
    pub fn precedence(&self, other: &Self) -> Ordering {
        let expiry = |envelope: &Self| envelope.expires.unwrap_or(Time::NEVER);
        let root = || self.root.cmp(&other.root);
        let later = || expiry(self).cmp(&expiry(other));
        let text =
            || if self == other { Ordering::Equal } else { self.bytes().cmp(&other.bytes()) };
        self.id.cmp(&other.id).then_with(root).then_with(later).then_with(text)
    }
}

impl Rollout {
    /// How long after it staged `release` does `node` switch, among the `nodes` it knows (ascending).
    pub fn delay(&self, release: &ReleaseId, node: NodeId, nodes: &[NodeId]) -> Span {
        match *self {
            Self::AtOnce => Span::ZERO,
            Self::Rolling { batch, gap } => {
                let before = nodes.partition_point(|other| *other < node) as u64;
                gap.saturating_mul(before / u64::from(batch.max(1)))
            }
            Self::Canary { share_ppm, soak } => {
                let mut hasher = blake3::Hasher::new_derive_key("simctl 2026-11 canary");
                let mut bytes = Vec::new();
                release.encode(&mut bytes);
                node.0.encode(&mut bytes);
                let hash = hasher.update(&bytes).finalize();
                let word = hash.as_bytes().first_chunk().expect("a hash has 8 bytes");
                let chosen =
                    u64::from_le_bytes(*word) % u64::from(WHOLE_PPM) < u64::from(share_ppm);
                if chosen { Span::ZERO } else { soak }
            }
        }
    }
}

/// BLAKE3 of the canonical list of edges that `manifest` declares: signed, so that no relay can give
/// honest code another migration.
pub fn edges_hash(manifest: &Manifest) -> [u8; 32] {
    let mut bytes = Vec::new();
    put_varint(&mut bytes, manifest.edges.len() as u64);
    for edge in &manifest.edges {
        put_blob(&mut bytes, edge.from_class.as_bytes());
        put_blob(&mut bytes, edge.to_class.as_bytes());
        edge.from_state.encode(&mut bytes);
        edge.to_state.encode(&mut bytes);
    }
    blake3::derive_key("simctl 2026-11 edges", &bytes)
}

impl Encode for Rollout {
    fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            Self::AtOnce => out.push(0),
            Self::Rolling { batch, gap } => {
                out.push(1);
                batch.encode(out);
                gap.as_nanos().encode(out);
            }
            Self::Canary { share_ppm, soak } => {
                out.push(2);
                share_ppm.encode(out);
                soak.as_nanos().encode(out);
            }
        }
    }
}

impl Wire for Rollout {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        match take_byte(bytes)? {
            0 => Ok(Self::AtOnce),
            1 => match Wire::read(bytes)? {
                0 => Err(Malformed("a batch of at least one node")),
                batch => Ok(Self::Rolling { batch, gap: Span::from_nanos(take_varint(bytes)?) }),
            },
            2 => match Wire::read(bytes)? {
                share_ppm if share_ppm <= WHOLE_PPM => {
                    Ok(Self::Canary { share_ppm, soak: Span::from_nanos(take_varint(bytes)?) })
                }
                _ => Err(Malformed("a share of at most all nodes")),
            },
            _ => Err(Malformed("a kind of rollout")),
        }
    }
}

impl Encode for Envelope {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(LAYOUT);
        put_blob(out, self.app.as_bytes());
        self.id.encode(out);
        self.class.encode(out);
        self.state.encode(out);
        self.code_bytes.encode(out);
        self.edges.encode(out);
        self.rollout.encode(out);
        self.budget.fuel.encode(out);
        self.budget.state_bytes.encode(out);
        match self.expires {
            None => out.push(0),
            Some(expires) => {
                out.push(1);
                expires.as_nanos().encode(out);
            }
        }
        self.root.encode(out);
    }
}

impl Wire for Envelope {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        if take_byte(bytes)? != LAYOUT {
            return Err(Malformed("the layout of envelopes that this host reads"));
        }
        let envelope = Self {
            app: take_text(bytes, APP_BYTES_MAX)?.to_owned(),
            id: Wire::read(bytes)?,
            class: Wire::read(bytes)?,
            state: Wire::read(bytes)?,
            code_bytes: Wire::read(bytes)?,
            edges: Wire::read(bytes)?,
            rollout: Wire::read(bytes)?,
            budget: Budget { fuel: Wire::read(bytes)?, state_bytes: Wire::read(bytes)? },
            expires: match take_byte(bytes)? {
                0 => None,
                1 => Some(Time::from_nanos(take_varint(bytes)?)),
                _ => return Err(Malformed("an expiry or none")),
            },
            root: Wire::read(bytes)?,
        };
        if !envelope.class.fits(&envelope.id.version) {
            return Err(CLASS_MISFITS);
        }
        if envelope.code_bytes > CODE_BYTES_MAX {
            return Err(Malformed("code of a size that a node fetches"));
        }
        Ok(envelope)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use expect_test::expect;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{envelopes, manifest, publication, release, release_with};

    fn publish(version: &str, change: impl FnOnce(&mut Publication)) -> Result<(), PublishError> {
        let mut publication = publication(version.parse().unwrap());
        change(&mut publication);
        let manifest = manifest(&publication.version, "");
        Envelope::for_code(&manifest, b"code", publication).map(|_| ())
    }

    #[test]
    fn r1_nothing_is_published_at_0_0_0() {
        assert_eq!(
            publish("0.0.0", |_| ()),
            Err(PublishError::NotAboveZero(Version::new(0, 0, 0)))
        );
        assert_eq!(publish("0.0.1", |_| ()), Ok(()));
    }

    #[test]
    fn what_no_node_would_accept_is_not_published() {
        let newer = ApiClass::Major(2);
        assert_eq!(
            publish("1.0.0", |publication| publication.class = Some(newer.clone())),
            Err(PublishError::ClassMisfits {
                version: Version::new(1, 0, 0),
                class: newer.clone()
            })
        );
        let empty = Rollout::Rolling { batch: 0, gap: Span::ZERO };
        assert_eq!(
            publish("1.0.0", |publication| publication.rollout = empty),
            Err(PublishError::EmptyBatch)
        );
        let all_and_one = Rollout::Canary { share_ppm: 1_000_001, soak: Span::ZERO };
        assert_eq!(
            publish("1.0.0", |publication| publication.rollout = all_and_one),
            Err(PublishError::BeyondLimit { part: "canary share", limit: 1_000_000 })
        );
        assert_eq!(
            publish(&format!("1.0.0-{}", "a".repeat(65)), |_| ()),
            Err(PublishError::BeyondLimit { part: "pre-release", limit: 64 })
        );
    }

    #[test]
    fn the_bytes_of_an_envelope_never_change() {
        let change = |publication: &mut Publication| {
            publication.epoch = 300;
            publication.rollout = Rollout::Rolling { batch: 2, gap: Span::from_nanos(5) };
            publication.expires = Some(Time::from_nanos(9));
        };
        let (_, envelope) = release_with("2.1.0-rc.1", change);
        let envelope = Envelope { state: [1; 32], edges: [2; 32], ..Envelope::clone(&envelope) };
        let hex: Vec<String> = envelope
            .bytes()
            .chunks(32)
            .map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect())
            .collect();
        expect![[r#"
            0103746f79ac020201000472632e3100f95e72172bb59e423c188e01f6321233
            c9e4393adc4dd81899c9fbd8b22b0301020201000472632e3100010101010101
            01010101010101010101010101010101010101010101010101010e0202020202
            02020202020202020202020202020202020202020202020202020201020564e8
            07010901"#]]
        .assert_eq(&hex.join("\n"));
    }

    #[test]
    fn only_the_code_that_was_hashed_is_accepted() {
        let (code, envelope) = release("1.0.0");
        assert!(envelope.accepts(&code));
        assert!(!envelope.accepts(&[&code[..], b" "].concat()));
        for at in 0..code.len() {
            let mut tampered = code.clone();
            tampered[at] ^= 1;
            assert!(!envelope.accepts(&tampered), "byte {at}");
        }
    }

    #[test]
    fn a8_an_envelope_that_announces_endless_code_is_malformed() {
        let (_, envelope) = release("1.0.0");
        let endless = Envelope { code_bytes: CODE_BYTES_MAX + 1, ..Envelope::clone(&envelope) };
        assert_eq!(
            Envelope::decode(&endless.bytes()),
            Err(Malformed("code of a size that a node fetches"))
        );
    }

    #[test]
    fn an_envelope_expires_after_its_last_instant() {
        let (_, envelope) =
            release_with("1.0.0", |publication| publication.expires = Some(Time::from_nanos(5)));
        assert!(!envelope.expired(Time::from_nanos(5)));
        assert!(envelope.expired(Time::from_nanos(6)));
        assert!(!release("1.0.0").1.expired(Time::NEVER));
    }

    #[test]
    fn edges_differ_wherever_their_hash_is_to_tell_them_apart() {
        let of = |version: &str, flaw| edges_hash(&manifest(&version.parse().unwrap(), flaw));
        let hashes = [of("1.0.0", ""), of("2.0.0", ""), of("3.0.0", ""), of("2.0.0", "bad-class")];
        assert_eq!(BTreeSet::from(hashes).len(), hashes.len());
        assert_eq!(of("1.0.0", ""), of("2.0.0", "no-edge"), "no edges are no edges");
    }

    #[test]
    fn a_rolling_rollout_goes_batch_by_batch_in_order_of_nodes() {
        let (_, envelope) = release("1.0.0");
        let rollout = Rollout::Rolling { batch: 2, gap: Span::from_nanos(10) };
        let nodes = [1, 4, 5, 9, 12].map(NodeId);
        let delays = nodes.map(|node| rollout.delay(&envelope.id, node, &nodes).as_nanos());
        assert_eq!(delays, [0, 0, 10, 10, 20]);
        assert_eq!(Rollout::AtOnce.delay(&envelope.id, NodeId(9), &nodes), Span::ZERO);
    }

    #[test]
    fn a_canary_is_about_its_share_and_others_for_each_release() {
        let soak = Span::from_secs(1);
        let rollout = Rollout::Canary { share_ppm: 250_000, soak };
        let canaries = |release: &ReleaseId| -> BTreeSet<u32> {
            let at_once = |node: &u32| rollout.delay(release, NodeId(*node), &[]) == Span::ZERO;
            (0..1_000).filter(at_once).collect()
        };
        let (one, two) = (canaries(&release("1.0.0").1.id), canaries(&release("1.0.1").1.id));
        for chosen in [&one, &two] {
            assert!((200..300).contains(&chosen.len()), "{}", chosen.len());
        }
        assert_ne!(one, two);
    }

    #[test]
    fn of_two_envelopes_for_one_release_the_later_expiry_wins() {
        let at = |expires| release_with("1.0.0", |publication| publication.expires = expires).1;
        let (early, late, never) =
            (at(Some(Time::from_nanos(1))), at(Some(Time::from_nanos(2))), at(None));
        assert_eq!(late.precedence(&early), Ordering::Greater);
        assert_eq!(never.precedence(&late), Ordering::Greater);
    }

    proptest! {
        #[test]
        fn an_envelope_reads_back_as_written(envelope in envelopes()) {
            prop_assert_eq!(Envelope::decode(&envelope.bytes()), Ok(envelope));
        }

        #[test]
        fn hostile_bytes_are_refused_or_are_the_bytes_of_what_they_say(
            envelope in envelopes(), at in any::<prop::sample::Index>(), put in any::<u8>(),
            noise in prop::collection::vec(any::<u8>(), 0..64)
        ) {
            let mut bytes = envelope.bytes();
            let at = at.index(bytes.len());
            bytes[at] = put;
            for bytes in [&bytes[..], &bytes[..at], &noise] {
                if let Ok(read) = Envelope::decode(bytes) {
                    prop_assert_eq!(read.bytes(), bytes);
                }
            }
        }

        #[test]
        fn the_precedence_of_envelopes_is_total(a in envelopes(), b in envelopes()) {
            prop_assert_eq!(a.precedence(&b), b.precedence(&a).reverse());
            prop_assert_eq!(a.precedence(&b).is_eq(), a == b);
        }
    }
}
