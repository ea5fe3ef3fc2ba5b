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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{release::CodeHash, testing};

    #[test]
    fn r9_a_stamp_names_its_release_and_class_on_the_wire() {
        let stamp = testing::stamp("2.1.0");
        let mut bytes = Vec::new();
        stamp.encode(&mut bytes);
        let read = Stamp::decode(&bytes).unwrap();
        assert_eq!(read, stamp);
        assert_eq!((read.id(), read.class()), (stamp.id(), &ApiClass::Major(2)));
        assert_ne!(read, testing::stamp("2.1.1"));
    }

    #[test]
    fn a_stamp_read_twice_is_one_object() {
        let mut cache = StampCache::default();
        let bytes: Vec<u8> = ["1.0.0", "2.0.0", "1.0.0"]
            .iter()
            .flat_map(|version| testing::stamp(version).0.bytes.to_vec())
            .collect();
        let mut rest = &bytes[..];
        let [one, two, again] = std::array::from_fn(|_| cache.read(&mut rest).unwrap());
        assert!(rest.is_empty() && one.is_same(&again));
        assert_eq!(two, testing::stamp("2.0.0"));
    }

    #[test]
    fn a_cache_stays_small_whatever_is_forged() {
        let mut cache = StampCache::default();
        for minor in 0..1_000 {
            let stamp = testing::stamp(&format!("1.{minor}.0"));
            assert_eq!(cache.read(&mut &stamp.0.bytes[..]), Ok(stamp));
        }
        assert_eq!(cache.0.len(), CACHED_MAX);
    }

    #[test]
    fn a12_a_stamp_with_a_class_its_version_cannot_have_is_malformed() {
        let id = testing::stamp("1.0.0").id().clone();
        let forged = Stamp::new(id, ApiClass::Major(9));
        assert_eq!(Stamp::decode(&forged.0.bytes), Err(CLASS_MISFITS));
    }

    proptest! {
        #[test]
        fn a_cache_reads_what_a_stamp_reads(
            ids in prop::collection::vec(testing::ids(), 1..20),
            noise in prop::collection::vec(any::<u8>(), 0..80)
        ) {
            let mut cache = StampCache::default();
            for id in ids {
                let class = ApiClass::of(&id.version);
                let id = ReleaseId::new(id.epoch, id.version.clone(), CodeHash([1; 32]));
                let stamp = Stamp::new(id, class);
                let bytes = [&stamp.0.bytes, &noise[..]].concat();
                let (mut plain, mut cached) = (&bytes[..], &bytes[..]);
                prop_assert_eq!(cache.read(&mut cached), Stamp::read(&mut plain));
                prop_assert_eq!(plain, cached);
            }
            prop_assert_eq!(cache.read(&mut &noise[..]), Stamp::read(&mut &noise[..]));
        }
    }
}
