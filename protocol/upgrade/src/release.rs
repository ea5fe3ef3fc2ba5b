//! Releases: what they are called, in which order they win, and what their envelope says.
//!
//! Three things that one version number conflates are kept apart: the order of releases
//! ([`ReleaseId`]), which messages fit ([`ApiClass`]) and which state fits (`app`'s `SchemaId`).
//!
//! Knows nothing of keys, gates or migrations. Every encoding is canonical and total on hostile bytes.
//! Source: "Dynamic Software Updates using CRDTs", section 3.1; semantic versioning 2.0.0, section 11.

use std::{cmp::Ordering, fmt, fmt::Write as _, ops::Deref, str::FromStr, sync::Arc};

use contract::{
    Encode, Malformed, Wire,
    wire::{put_blob, put_varint, take_blob, take_byte, take_varint},
};
use semver::{BuildMetadata, Prerelease, Version};

mod envelope;
mod stamp;

pub use envelope::{
    APP_BYTES_MAX, Budget, CODE_BYTES_MAX, Envelope, Publication, PublishError, Rollout, edges_hash,
};
pub use stamp::{Stamp, StampCache, Stamped};

/// Bytes of a version's pre-release or build part; far more than people write.
pub const VERSION_PART_BYTES_MAX: usize = 64;

/// Why a version that means "nothing runs", or less, was refused (R1).
pub const NOT_ABOVE_ZERO: Malformed = Malformed("a version above 0.0.0");

/// Why a class that the version cannot have was refused.
pub const CLASS_MISFITS: Malformed = Malformed("a class that fits the version");

/// The content address of a release's code: BLAKE3 of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeHash(pub [u8; 32]);

/// A release's name. Totally ordered by epoch, then version by semver *precedence*, then code hash;
/// `semver`'s own order would let build metadata decide. Build metadata only separates what is else
/// equal, so that `==` and the order agree.
///
/// Cheap to clone and to compare: every node, message and notice names releases.
#[derive(Clone)]
pub struct ReleaseId(Arc<Named>);

/// What names a release.
#[derive(Debug, PartialEq, Eq)]
pub struct Named {
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

impl CodeHash {
    /// The address of `code`.
    pub fn of(code: &[u8]) -> Self {
        Self(*blake3::hash(code).as_bytes())
    }
}

impl ReleaseId {
    /// The name of the release that `epoch`, `version` and `code` make.
    pub fn new(epoch: u64, version: Version, code: CodeHash) -> Self {
        Self(Arc::new(Named { epoch, version, code }))
    }

    /// Whether both carry the same epoch and version, as precedence sees them: at most one of two such
    /// codes can win.
    pub fn same_version(&self, other: &Self) -> bool {
        self.epoch == other.epoch && self.version.cmp_precedence(&other.version).is_eq()
    }
}

impl Deref for ReleaseId {
    type Target = Named;

    fn deref(&self) -> &Named {
        &self.0
    }
}

impl PartialEq for ReleaseId {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for ReleaseId {}

impl fmt::Debug for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Named { epoch, version, code } = &**self;
        let mut shown = f.debug_struct("ReleaseId");
        shown.field("epoch", epoch).field("version", version).field("code", code).finish()
    }
}

impl PartialOrd for ReleaseId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ReleaseId {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        let version = || self.version.cmp_precedence(&other.version);
        let code = || self.code.cmp(&other.code);
        let build = || self.version.build.cmp(&other.version.build);
        self.epoch.cmp(&other.epoch).then_with(version).then_with(code).then_with(build)
    }
}

/// Whether `version` may name a release at all: it lies above 0.0.0, the bottom of the lattice.
pub fn is_above_zero(version: &Version) -> bool {
    version.cmp_precedence(&Version::new(0, 0, 0)).is_gt()
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

    /// Whether `text` is how this class is written. Costs no allocation.
    pub fn is_written(&self, text: &str) -> bool {
        let mut left = Left(text);
        write!(left, "{self}").is_ok() && left.0.is_empty()
    }

    /// Whether a release of `version` may claim this class: its own or an older line's, never a newer
    /// one's, and never another version's exact class.
    pub fn fits(&self, version: &Version) -> bool {
        match self {
            Self::Major(major) => (1..=version.major).contains(major),
            Self::ZeroMinor(minor) => version.major > 0 || *minor <= version.minor,
            Self::Exact(exact) => exact == version && !version.pre.is_empty(),
        }
    }
}

/// What is left of a text after what was written, which it must begin with.
struct Left<'a>(&'a str);

impl fmt::Write for Left<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(part).ok_or(fmt::Error)?;
        Ok(())
    }
}

/// The text is no API class.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an API class such as `1`, `0.3` or `2.0.0-rc.1`, found `{0}`")]
pub struct ApiClassError(String);

impl FromStr for ApiClass {
    type Err = ApiClassError;

    fn from_str(text: &str) -> Result<Self, ApiClassError> {
        let class = if let Ok(version) = text.parse::<Version>() {
            (!version.pre.is_empty()).then_some(Self::Exact(version))
        } else if let Some(minor) = text.strip_prefix("0.") {
            minor.parse().ok().map(Self::ZeroMinor)
        } else {
            text.parse().ok().filter(|major| *major > 0).map(Self::Major)
        };
        class
            .filter(|class| class.to_string() == text)
            .ok_or_else(|| ApiClassError(text.to_owned()))
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

/// Numbers first and as numbers: a version is read far more often than it is shown.
fn put_version(out: &mut Vec<u8>, version: &Version) {
    put_varint(out, version.major);
    put_varint(out, version.minor);
    put_varint(out, version.patch);
    put_blob(out, version.pre.as_bytes());
    put_blob(out, version.build.as_bytes());
}

fn take_version(bytes: &mut &[u8]) -> Result<Version, Malformed> {
    let (major, minor, patch) = (take_varint(bytes)?, take_varint(bytes)?, take_varint(bytes)?);
    let pre = take_text(bytes, VERSION_PART_BYTES_MAX)?;
    let pre = Prerelease::new(pre).map_err(|_| Malformed("a pre-release of a version"))?;
    let build = take_text(bytes, VERSION_PART_BYTES_MAX)?;
    let build = BuildMetadata::new(build).map_err(|_| Malformed("build metadata of a version"))?;
    Ok(Version { major, minor, patch, pre, build })
}

/// Takes a text of at most `length_max` bytes.
pub(crate) fn take_text<'a>(bytes: &mut &'a [u8], length_max: usize) -> Result<&'a str, Malformed> {
    let text = take_blob(bytes)?;
    if text.len() > length_max {
        return Err(Malformed("a shorter text"));
    }
    std::str::from_utf8(text).map_err(|_| Malformed("a text in UTF-8"))
}

impl Encode for CodeHash {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Wire for CodeHash {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Wire::read(bytes).map(Self)
    }
}

impl Encode for ReleaseId {
    fn encode(&self, out: &mut Vec<u8>) {
        self.epoch.encode(out);
        put_version(out, &self.version);
        self.code.encode(out);
    }
}

impl Wire for ReleaseId {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let id = Self::new(Wire::read(bytes)?, take_version(bytes)?, Wire::read(bytes)?);
        if is_above_zero(&id.version) { Ok(id) } else { Err(NOT_ABOVE_ZERO) }
    }
}

impl Encode for ApiClass {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Major(major) => {
                out.push(0);
                major.encode(out);
            }
            Self::ZeroMinor(minor) => {
                out.push(1);
                minor.encode(out);
            }
            Self::Exact(version) => {
                out.push(2);
                put_version(out, version);
            }
        }
    }
}

impl Wire for ApiClass {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        match take_byte(bytes)? {
            0 => Wire::read(bytes).map(Self::Major),
            1 => Wire::read(bytes).map(Self::ZeroMinor),
            2 => take_version(bytes).map(Self::Exact),
            _ => Err(Malformed("a kind of API class")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{ids, versions};

    fn id(version: &str, code: u8) -> ReleaseId {
        ReleaseId::new(0, version.parse().unwrap(), CodeHash([code; 32]))
    }

    #[test]
    fn r1_every_release_lies_above_0_0_0() {
        for (version, above) in
            [("0.0.0", false), ("0.0.0-rc.1", false), ("0.0.0+a", false), ("0.0.1-rc.1", true)]
        {
            assert_eq!(is_above_zero(&version.parse().unwrap()), above, "{version}");
            let mut bytes = Vec::new();
            id(version, 1).encode(&mut bytes);
            let expected = if above { Ok(id(version, 1)) } else { Err(NOT_ABOVE_ZERO) };
            assert_eq!(ReleaseId::decode(&bytes), expected, "{version}");
        }
    }

    #[test]
    fn releases_win_by_epoch_then_precedence_then_code() {
        let ascending = [
            id("0.9.0", 9),
            id("1.0.0-rc.1", 9),
            id("1.0.0-rc.2", 1),
            id("1.0.0+b", 1),
            id("1.0.0+a", 2),
            id("1.0.0+b", 2),
            id("1.0.1", 0),
            id("1.10.0", 0),
            ReleaseId::new(1, "0.1.0".parse().unwrap(), CodeHash([0; 32])),
        ];
        assert!(ascending.is_sorted_by(|a, b| a < b), "{ascending:?}");
    }

    #[test]
    fn a_version_has_the_class_that_semantic_versioning_gives_it() {
        for (version, class) in [
            ("1.4.2", "1"),
            ("2.0.0+build", "2"),
            ("0.3.9", "0.3"),
            ("0.0.7", "0.0"),
            ("2.0.0-rc.1", "2.0.0-rc.1"),
            ("0.3.0-rc.1+x", "0.3.0-rc.1+x"),
        ] {
            let version = version.parse().unwrap();
            assert_eq!(ApiClass::of(&version).to_string(), class);
            assert!(ApiClass::of(&version).is_written(class));
            for other in ["", &class[1..], &format!("{class}0"), &format!("0{class}")] {
                assert!(!ApiClass::of(&version).is_written(other), "{class} is not {other}");
            }
            assert_eq!(class.parse(), Ok(ApiClass::of(&version)));
            assert!(ApiClass::of(&version).fits(&version));
        }
        for text in ["", "0", "01", "0.", "0.01", "1.2", "1.2.3", "v1", "-1", "1 "] {
            assert_eq!(text.parse::<ApiClass>(), Err(ApiClassError(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_class_of_a_newer_line_or_of_another_version_fits_no_release() {
        for (class, version) in [
            ("2", "1.9.0"),
            ("1", "0.9.0"),
            ("0.4", "0.3.0"),
            ("2.0.0-rc.1", "2.0.0"),
            ("2.0.0-rc.1", "2.0.0-rc.2"),
        ] {
            let class: ApiClass = class.parse().unwrap();
            assert!(!class.fits(&version.parse().unwrap()), "{class} {version}");
        }
        assert!(ApiClass::Major(1).fits(&Version::new(2, 0, 0)));
        assert!(!ApiClass::Major(0).fits(&Version::new(2, 0, 0)));
        assert!(ApiClass::ZeroMinor(9).fits(&Version::new(1, 0, 0)));
    }

    proptest! {
        #[test]
        fn an_id_and_a_class_read_back_as_written(id in ids(), version in versions()) {
            let mut bytes = Vec::new();
            id.encode(&mut bytes);
            prop_assert_eq!(ReleaseId::decode(&bytes), Ok(id));
            let class = ApiClass::of(&version);
            bytes.clear();
            class.encode(&mut bytes);
            prop_assert_eq!(ApiClass::decode(&bytes), Ok(class));
        }

        #[test]
        fn the_order_of_releases_is_total_and_agrees_with_equality(
            a in ids(), b in ids(), c in ids()
        ) {
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            prop_assert_eq!(a.cmp(&b).is_eq(), a == b);
            prop_assert!(!(a <= b && b <= c) || a <= c);
        }
    }
}
