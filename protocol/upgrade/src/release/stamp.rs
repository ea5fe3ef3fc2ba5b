//! The stamp of a message: which release's code produced it.
//!
//! Every versioned message carries one, so a stamp is made once per release, shared by pointer, and
//! written as the bytes it caches.

use std::{collections::VecDeque, fmt, sync::Arc};

use contract::{Encode, Malformed, Wire, wire::take_bytes};

use super::{ApiClass, CLASS_MISFITS, ReleaseId};

/// Stamps a cache keeps: the few releases that run in a fleet at one time, and some to spare. Forged
/// stamps can only push out honest ones, which then cost an allocation again.
const CACHED_MAX: usize = 8;

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

impl Stamp {
    /// The stamp of release `id` of class `class`.
    pub fn new(id: ReleaseId, class: ApiClass) -> Self {
        let mut bytes = Vec::new();
        id.encode(&mut bytes);
        class.encode(&mut bytes);
        Self(Arc::new(Stamped { id, class, bytes: bytes.into() }))
    }

    /// The release whose code produced the message.
    pub fn id(&self) -> &ReleaseId {
        &self.0.id
    }

    /// Its API class.
    pub fn class(&self) -> &ApiClass {
        &self.0.class
    }

    /// Whether both are the same object: `true` implies equal, and costs nothing.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl PartialEq for Stamp {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || self.0.bytes == other.0.bytes
    }
}

impl Eq for Stamp {}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Stamp {
    /// The release, and its class where the version does not imply it: `2.0.0#1f0c2a9b`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id())?;
        if *self.class() == ApiClass::of(&self.id().version) {
            Ok(())
        } else {
            write!(f, " of class {}", self.class())
        }
    }
}

impl Encode for Stamp {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.bytes);
    }
}

impl Wire for Stamp {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let whole = *bytes;
        let (id, class): (ReleaseId, ApiClass) = (Wire::read(bytes)?, Wire::read(bytes)?);
        if !class.fits(&id.version) {
            return Err(CLASS_MISFITS);
        }
        let read = &whole[..whole.len() - bytes.len()];
        Ok(Self(Arc::new(Stamped { id, class, bytes: read.into() })))
    }
}

/// Stamps lately read, so that bytes on the wire cost no allocation per message.
#[derive(Clone, Debug, Default)]
pub struct StampCache(VecDeque<Stamp>);

impl StampCache {
    /// Keeps `stamp`, such as that of the release that runs.
    pub fn keep(&mut self, stamp: &Stamp) {
        if self.0.contains(stamp) {
            return;
        }
        if self.0.len() == CACHED_MAX {
            self.0.pop_front();
        }
        self.0.push_back(stamp.clone());
    }

    /// Reads a stamp as [`Stamp::read`] does, and shares it with those read before.
    ///
    /// An encoding delimits itself, so bytes that begin with a stamp's encoding are that stamp.
    pub fn read(&mut self, bytes: &mut &[u8]) -> Result<Stamp, Malformed> {
        if let Some(stamp) = self.0.iter().find(|stamp| bytes.starts_with(&stamp.0.bytes)) {
            take_bytes(bytes, stamp.0.bytes.len())?;
            return Ok(stamp.clone());
        }
        let stamp = Stamp::read(bytes)?;
        self.keep(&stamp);
        Ok(stamp)
    }
}
