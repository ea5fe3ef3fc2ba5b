//! Operations that wait at the gate for a newer release.
//!
//! Others have them, so a crash may take them. The first half of the room is for whoever comes first; the
//! other half is shared out evenly among the origins, so that none of them, forging or merely ahead of all
//! others, takes the room of the rest. What finds none is dropped, and comes again by repair.
//!
//! Knows nothing of when they are judged again. Invariant: `bytes` and `shares` are those of `held`.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use causal::{Dot, Operation, Origin, Payload};

use crate::{message::Stamped, notice::NotHeld, settings::Causal};

/// Operations that wait at the gate, and what they take.
#[derive(Debug, Default)]
pub(crate) struct Holding {
    held: BTreeMap<Dot, Held>,
    bytes: usize,
    shares: BTreeMap<Origin, Share>,
}

/// An operation at the gate.
#[derive(Debug)]
pub(crate) struct Held {
    /// Who handed it over.
    pub(crate) via: Origin,
    pub(crate) operation: Arc<Operation<Stamped>>,
}

/// What the operations of one origin take.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    count: usize,
    bytes: usize,
}

impl Holding {
    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    pub(crate) fn get(&self, dot: Dot) -> Option<&Arc<Operation<Stamped>>> {
        self.held.get(&dot).map(|held| &held.operation)
    }

    /// The first of them by name.
    pub(crate) fn first(&self) -> Option<&Arc<Operation<Stamped>>> {
        self.held.values().next().map(|held| &held.operation)
    }

    /// How many of those from `first` to `last` wait here.
    pub(crate) fn count(&self, first: Dot, last: Dot) -> usize {
        self.held.range(first..=last).count()
    }

    /// Keeps one that is not here, where there is room: `origins` may send such. Errors: [`NotHeld`]
    /// where there is none.
    pub(crate) fn keep(
        &mut self,
        held: Held,
        settings: &Causal,
        origins: impl FnOnce() -> usize,
    ) -> Result<(), NotHeld> {
        let bytes = bytes_of(&held.operation);
        let dot = held.operation.dot;
        let (count_max, bytes_max) = (settings.held_max, settings.held_bytes_max);
        if self.held.len() >= count_max || self.bytes + bytes > bytes_max {
            return Err(NotHeld::Full);
        }
        let share = self.shares.entry(dot.origin).or_default();
        if self.held.len() >= count_max / 2 || self.bytes + bytes > bytes_max / 2 {
            let origins = origins().max(1);
            let within = share.count < count_max / 2 / origins
                && share.bytes + bytes <= bytes_max / 2 / origins;
            // One of each is kept in any case, or long ones of large fleets never were.
            if !within && share.count > 0 {
                return Err(NotHeld::Share);
            }
        }
        share.count += 1;
        share.bytes += bytes;
        self.bytes += bytes;
        match self.held.entry(dot) {
            Entry::Vacant(vacant) => _ = vacant.insert(held),
            Entry::Occupied(_) => unreachable!("the caller has seen that it is not here"),
        }
        Ok(())
    }

    /// All of them, which wait no more.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Held> + use<> {
        std::mem::take(self).held.into_values()
    }
}

/// What an operation counts for.
fn bytes_of(operation: &Operation<Stamped>) -> usize {
    let said = match &operation.content {
        causal::Content::Payload(sent) => sent.bytes(),
        _ => 0,
    };
    size_of::<Operation<Stamped>>() + operation.heads.len() * size_of::<Dot>() + said
}

#[cfg(test)]
mod tests {
    use app::Body;
    use causal::Content;
    use semver::Version;
    use upgrade::release::{ApiClass, CodeHash, ReleaseId, Stamp};

    use super::*;

    fn held(origin: u32, seq: u32, length: usize) -> Held {
        let release = ReleaseId::new(0, Version::new(2, 0, 0), CodeHash([0; 32]));
        let class: ApiClass = "2".parse().unwrap();
        let stamp = Stamp::new(release, class);
        let body = Body { tag: 1, bytes: vec![0; length].into() };
        let content = Content::Payload(Stamped { stamp, body });
        let operation = Operation { dot: Dot::new(origin, seq), heads: [].into(), content };
        Held { via: origin.into(), operation: Arc::new(operation) }
    }

    /// How many of `offered` are kept, where 10 origins share room for `count` and `bytes`.
    fn kept(count: usize, bytes: usize, offered: impl Iterator<Item = Held>) -> [usize; 3] {
        let settings = Causal { held_max: count, held_bytes_max: bytes, ..Causal::default() };
        let mut holding = Holding::default();
        let mut told = [0; 3];
        for held in offered {
            let at = match holding.keep(held, &settings, || 10) {
                Ok(()) => 0,
                Err(NotHeld::Share) => 1,
                Err(_) => 2,
            };
            told[at] += 1;
        }
        assert!(holding.len() <= count && holding.bytes <= bytes);
        assert_eq!(holding.take().count(), told[0]);
        told
    }

    #[test]
    fn who_floods_the_gate_takes_half_the_room_and_leaves_the_rest_a_share() {
        let flood = |length: usize| (1..=1000).map(move |seq| held(1, seq, length));
        let others = || (2..=10).flat_map(|origin| (1..=9).map(move |seq| held(origin, seq, 0)));
        assert_eq!(kept(200, 1 << 20, flood(0)), [100, 900, 0]);
        assert_eq!(kept(200, 1 << 20, flood(0).chain(others())), [181, 900, 0]);
        let [kept, ..] = kept(10_000, 64 << 10, flood(1 << 10).chain(others()));
        assert!((101..120).contains(&kept), "bytes are bounded and shared too: {kept}");
    }

    #[test]
    fn one_of_each_is_kept_as_long_as_there_is_any_room() {
        let long = (1..=12).map(|origin| held(origin, 1, 4 << 10));
        assert_eq!(kept(100, 40 << 10, long), [9, 0, 3]);
    }
}
