//! The version gate: which message the running code may see.
//!
//! A message of the running API class is delivered, an older one is converted or refused, a newer one
//! waits until the node upgrades. What the *receiver's* manifest lists as unversioned always passes.
//!
//! Knows nothing of time, the network, or what a payload means. One gate belongs to one release and
//! is replaced with it, never changed.
//! Source: "Dynamic Software Updates using CRDTs", section 3.3, algorithm 2. Departs from it: classes
//! are compared, not versions; a type that is newer within a class waits too; a message without a
//! path is refused, never delivered raw; the receiver decides what is unversioned.

use std::fmt;

use app::{Guarantee, Manifest};
use contract::{Encode, Malformed, Wire, wire::take_byte};

use crate::{
    bugs::{Bug, Bugs},
    path::{Adaptors, Path},
    release::{ApiClass, ApiClassError, Envelope, ReleaseId, Stamp},
};

/// Whether an application's messages are gated (R34).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GateMode {
    /// Messages pass by version.
    #[default]
    Enabled,
    /// Every message is delivered as it came.
    Disabled,
}

/// Decides for one release.
#[derive(Clone, Debug)]
pub struct Gate {
    release: ReleaseId,
    class: ApiClass,
    /// Ascending by tag.
    kinds: Vec<Kind>,
    adaptors: Adaptors,
    mode: GateMode,
    bugs: Bugs,
}

/// What the gate needs of a message type.
#[derive(Clone, Copy, Debug)]
struct Kind {
    tag: u32,
    versioned: bool,
    /// Whether the running version understands it already.
    understood: bool,
}

/// A message at the gate: now, or after it was held.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// Its sender's release; `None` where it carries none.
    pub stamp: Option<&'a Stamp>,
    /// Its type.
    pub tag: u32,
    /// How it was sent.
    pub guarantee: Guarantee,
    /// Whether an earlier message of its stream is held.
    pub stream_is_held: bool,
}

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The running code takes it as it is.
    Deliver,
    /// The running code takes it after these edges.
    Convert(Path),
    /// It waits.
    Hold(HoldReason),
    /// It will never be delivered here; its sender is told.
    Refuse(RefuseReason),
    /// It is newer and was sent at most once: dropped and counted.
    Shed,
}

/// Why a message waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HoldReason {
    /// It is of a newer API class than what runs.
    NewerClass,
    /// It is of the running class but of a type that a newer version brought.
    NewerTag,
    /// An earlier message of its stream waits.
    BehindHeld,
}

/// Why a message will never be delivered here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefuseReason {
    /// It is of an older class from which no edges lead here.
    NoAdaptor,
    /// Its type is unknown here, and what runs is not older than its sender.
    UnknownTag,
    /// It carries no release although this type must.
    Unstamped,
    /// It claims the running release and another class.
    ForgedStamp,
}

impl Gate {
    /// The gate of the release in `envelope`, whose code declares `manifest`.
    ///
    /// Errors: [`ApiClassError`] where the manifest names a class that cannot be.
    pub fn new(
        envelope: &Envelope,
        manifest: &Manifest,
        mode: GateMode,
        bugs: Bugs,
    ) -> Result<Self, ApiClassError> {
        let version = &envelope.id.version;
        let version = [version.major, version.minor, version.patch];
        let kind = |message: &app::MessageType| Kind {
            tag: message.tag,
            versioned: message.versioned,
            understood: message.since <= version,
        };
        let mut kinds: Vec<_> = manifest.messages.iter().map(kind).collect();
        kinds.sort_by_key(|kind| kind.tag);
        Ok(Self {
            release: envelope.id.clone(),
            class: envelope.class.clone(),
            kinds,
            adaptors: Adaptors::new(envelope.id.clone(), &envelope.class, manifest)?,
            mode,
            bugs,
        })
    }

    /// The release it decides for.
    pub fn release(&self) -> &ReleaseId {
        &self.release
    }

    /// The API class it delivers without conversion.
    pub fn class(&self) -> &ApiClass {
        &self.class
    }

    /// The paths along which it has older messages converted.
    pub fn adaptors(&self) -> &Adaptors {
        &self.adaptors
    }

    /// What becomes of `arrival`. Pure: asking again says the same.
    pub fn judge(&self, arrival: &Arrival<'_>) -> Verdict {
        if self.mode == GateMode::Disabled {
            return Verdict::Deliver;
        }
        let kind = self.kind(arrival.tag);
        if kind.is_some_and(|kind| !kind.versioned) {
            return self.judge_unversioned(arrival);
        }
        let Some(stamp) = arrival.stamp else {
            return Verdict::Refuse(RefuseReason::Unstamped);
        };
        let verdict = if *stamp.class() == self.class {
            self.judge_same_class(stamp, kind.is_some_and(|kind| kind.understood))
        } else {
            self.judge_other_class(stamp)
        };
        match (verdict, arrival.guarantee) {
            (Verdict::Hold(_), Guarantee::AtMostOnce) => Verdict::Shed,
            (Verdict::Deliver | Verdict::Convert(_), Guarantee::ExactlyOnce)
                if arrival.stream_is_held =>
            {
                Verdict::Hold(HoldReason::BehindHeld)
            }
            (verdict, _) => verdict,
        }
    }

    fn kind(&self, tag: u32) -> Option<Kind> {
        self.kinds.binary_search_by_key(&tag, |kind| kind.tag).ok().map(|at| self.kinds[at])
    }

    fn judge_unversioned(&self, arrival: &Arrival<'_>) -> Verdict {
        if self.bugs.has(Bug::UnversionedHeld) {
            if arrival.stamp.is_some_and(|stamp| *stamp.id() > self.release) {
                return Verdict::Hold(HoldReason::NewerClass);
            }
            if arrival.stream_is_held {
                return Verdict::Hold(HoldReason::BehindHeld);
            }
        }
        Verdict::Deliver
    }

    fn judge_same_class(&self, stamp: &Stamp, understood: bool) -> Verdict {
        let newer = || *stamp.id() > self.release;
        if self.bugs.has(Bug::GateComparesFullVersions) && newer() {
            Verdict::Hold(HoldReason::NewerClass)
        } else if understood {
            self.as_it_is()
        } else if newer() {
            Verdict::Hold(HoldReason::NewerTag)
        } else {
            Verdict::Refuse(RefuseReason::UnknownTag)
        }
    }

    fn as_it_is(&self) -> Verdict {
        match self.adaptors.last() {
            Some(last) if self.bugs.has(Bug::ConvertEqualMajor) => Verdict::Convert(last.clone()),
            _ => Verdict::Deliver,
        }
    }

    fn judge_other_class(&self, stamp: &Stamp) -> Verdict {
        if *stamp.id() > self.release {
            Verdict::Hold(HoldReason::NewerClass)
        } else if *stamp.id() == self.release {
            Verdict::Refuse(RefuseReason::ForgedStamp)
        } else if let Some(path) = self.adaptors.path_from(stamp.class()) {
            Verdict::Convert(path.clone())
        } else {
            Verdict::Refuse(RefuseReason::NoAdaptor)
        }
    }
}

impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NewerClass => "it is of a newer API class",
            Self::NewerTag => "its type is newer than the running version",
            Self::BehindHeld => "an earlier message of its stream waits",
        })
    }
}

impl fmt::Display for RefuseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAdaptor => "no edges lead from its API class to the running one",
            Self::UnknownTag => "its type is unknown to the running release",
            Self::Unstamped => "it carries no release although its type must",
            Self::ForgedStamp => "it claims the running release with another API class",
        })
    }
}

impl Encode for HoldReason {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }
}

impl Wire for HoldReason {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        match take_byte(bytes)? {
            0 => Ok(Self::NewerClass),
            1 => Ok(Self::NewerTag),
            2 => Ok(Self::BehindHeld),
            _ => Err(Malformed("a reason to hold")),
        }
    }
}

impl Encode for RefuseReason {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }
}

impl Wire for RefuseReason {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        match take_byte(bytes)? {
            0 => Ok(Self::NoAdaptor),
            1 => Ok(Self::UnknownTag),
            2 => Ok(Self::Unstamped),
            3 => Ok(Self::ForgedStamp),
            _ => Err(Malformed("a reason to refuse")),
        }
    }
}
