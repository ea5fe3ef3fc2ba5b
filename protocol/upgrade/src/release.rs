//! Releases: what they are called, in which order they win, and what their envelope says.

use std::{cmp::Ordering, fmt, sync::Arc};

use app::value::SchemaId;
use contract::{Span, Time};
use semver::Version;

/// The content address of a release's code: BLAKE3 of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeHash(pub [u8; 32]);

/// A release's name. Totally ordered by epoch, then version by semver *precedence*, then code hash;
/// `semver`'s own order would let build metadata decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseId {
    /// Raised only to make an older version win: a downgrade, or recovery from a stolen key.
    pub epoch: u64,
    /// Above 0.0.0, which means "nothing runs".
    pub version: Version,
    /// Which code. Breaks ties between two codes published under one version.
    pub code: CodeHash,
}

/// Which messages a release understands: those of its own class, and by conversion older ones.
///
/// Written `1` for 1.x.y, `0.3` for 0.3.x, and the whole version for a pre-release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiClass {
    /// Major version 1 or later.
    Major(u64),
    /// Minor version of 0.x, where every minor may break.
    ZeroMinor(u64),
    /// A pre-release is compatible with itself alone.
    Exact(Version),
}

/// When a node switches once it has staged a release. Signed, so every node keeps to the same plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rollout {
    /// As soon as it is staged.
    AtOnce,
    /// `batch` nodes at a time in order of their ids; the next batch `gap` after the one before.
    Rolling { batch: u32, gap: Span },
    /// The nodes that a hash of node and release selects, `share_ppm` of them, switch at once; the
    /// others `soak` later.
    Canary { share_ppm: u32, soak: Span },
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

/// The release a message was sent by, as it travels: cheap to clone and to compare.
#[derive(Clone)]
pub struct Stamp(Arc<Stamped>);

/// What a stamp says.
#[derive(Debug, PartialEq, Eq)]
pub struct Stamped {
    /// The release whose code produced the message.
    pub id: ReleaseId,
    /// Its API class.
    pub class: ApiClass,
    /// The canonical bytes of both, made once.
    pub bytes: Box<[u8]>,
}

impl PartialOrd for ReleaseId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ReleaseId {
    fn cmp(&self, other: &Self) -> Ordering {
        let version = || self.version.cmp_precedence(&other.version);
        let code = || self.code.cmp(&other.code);
        self.epoch.cmp(&other.epoch).then_with(version).then_with(code)
    }
}

impl ApiClass {
    /// The class that semantic versioning gives `version`.
    pub fn of(version: &Version) -> Self {
        if !version.pre.is_empty() {
            Self::Exact(version.clone())
        } else if version.major == 0 {
            Self::ZeroMinor(version.minor)
        } else {
            Self::Major(version.major)
        }
    }
}

impl fmt::Display for ApiClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Major(major) => write!(f, "{major}"),
            Self::ZeroMinor(minor) => write!(f, "0.{minor}"),
            Self::Exact(version) => write!(f, "{version}"),
        }
    }
}

impl fmt::Display for CodeHash {
    /// The first 8 hexadecimal digits: enough to tell releases of one run apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Display for ReleaseId {
    /// `2.0.0#1f0c2a9b`, with `e1:` in front where the epoch is not 0.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch > 0 {
            write!(f, "e{}:", self.epoch)?;
        }
        write!(f, "{}#{}", self.version, self.code)
    }
}
