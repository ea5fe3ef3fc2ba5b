//! The App CRDT: the newest release a node knows.
//!
//! The value is one envelope, the order is [`Envelope::precedence`], and merging keeps the greater: a
//! join. What a node *runs* is another matter, decided by the switch.
//!
//! Knows nothing of code, gossip or signatures; only verified envelopes may be merged.
//! Invariant: the value never falls, and merging what it already is or exceeds changes nothing but a
//! counter.
//! Source: "Dynamic Software Updates using CRDTs", section 3.1, algorithm 1. Departs from it: the order
//! is strict, so that duplicates do nothing, and two codes under one version have one winner.

use std::{cmp::Ordering, collections::BTreeSet, sync::Arc};

use crate::{
    bugs::{Bug, Bugs},
    release::{Envelope, ReleaseId},
};

/// Conflicts remembered so that each is reported once. Only holders of trusted keys can cause any.
const CONFLICTS_MAX: usize = 64;

/// The newest release a node knows.
#[derive(Clone, Debug, Default)]
pub struct AppCrdt {
    known: Option<Arc<Envelope>>,
    older: u64,
    /// Codes that lost a conflict, as far as they were reported.
    losers: BTreeSet<ReleaseId>,
    bugs: Bugs,
}

/// What merging an envelope did to the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merged {
    /// The release is newer than what was known: it is known from now on.
    Raised {
        /// What was known; `None`: nothing.
        from: Option<ReleaseId>,
        /// What is known now.
        to: ReleaseId,
    },
    /// The known release was issued again, with another expiry or plan, and that envelope is kept.
    Reissued,
    /// It is what was known.
    Same,
    /// What was known is newer; only a counter moved.
    Older,
}

/// Two codes under one epoch and version: a publisher's mistake, or a stolen key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Whom everybody prefers: the greater code hash.
    pub winner: ReleaseId,
    /// The other.
    pub loser: ReleaseId,
}

/// What merging an envelope did and found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// What it did.
    pub merged: Merged,
    /// A conflict that was not reported before.
    pub conflict: Option<Conflict>,
}

impl AppCrdt {
    /// Knows nothing yet.
    pub fn new(bugs: Bugs) -> Self {
        Self { bugs, ..Self::default() }
    }

    /// Knows `known`, as its last durable record said.
    pub fn recover(known: Option<Arc<Envelope>>, bugs: Bugs) -> Self {
        Self { known, bugs, ..Self::default() }
    }

    /// The newest release known.
    pub fn known(&self) -> Option<&Arc<Envelope>> {
        self.known.as_ref()
    }

    /// How many envelopes were merged that were older than what was known.
    pub fn older(&self) -> u64 {
        self.older
    }

    /// Merges a verified envelope: from a publisher or a peer, it makes no difference (R5).
    pub fn merge(&mut self, incoming: Arc<Envelope>) -> Merge {
        let conflict = self.conflict(&incoming.id);
        let merged = match self.order(&incoming) {
            Ordering::Greater => {
                let from = self.known.as_ref().map(|known| known.id.clone());
                let to = incoming.id.clone();
                self.known = Some(incoming);
                if from.as_ref() == Some(&to) && !self.bugs.has(Bug::MergeUsesLte) {
                    Merged::Reissued
                } else {
                    Merged::Raised { from, to }
                }
            }
            Ordering::Equal => Merged::Same,
            Ordering::Less => {
                self.older += 1;
                Merged::Older
            }
        };
        Merge { merged, conflict }
    }

    /// How `incoming` stands to what is known.
    fn order(&self, incoming: &Envelope) -> Ordering {
        let Some(known) = &self.known else { return Ordering::Greater };
        let conflicts = incoming.id.same_version(&known.id) && incoming.id.code != known.id.code;
        if self.bugs.has(Bug::FirstCodeWins) && conflicts {
            return Ordering::Less;
        }
        match incoming.precedence(known) {
            Ordering::Equal if self.bugs.has(Bug::MergeUsesLte) => Ordering::Greater,
            order => order,
        }
    }

    fn conflict(&mut self, incoming: &ReleaseId) -> Option<Conflict> {
        let known = &self.known.as_ref()?.id;
        if !incoming.same_version(known) || incoming.code == known.code {
            return None;
        }
        let (winner, loser) =
            if incoming.code > known.code { (incoming, known) } else { (known, incoming) };
        if self.losers.contains(loser) {
            return None;
        }
        let conflict = Conflict { winner: winner.clone(), loser: loser.clone() };
        if self.losers.len() == CONFLICTS_MAX {
            self.losers.pop_first();
        }
        self.losers.insert(conflict.loser.clone());
        Some(conflict)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{envelopes, release, release_with};

    fn merged(crdt: &mut AppCrdt, incoming: &Arc<Envelope>) -> Merged {
        crdt.merge(Arc::clone(incoming)).merged
    }

    fn raised(from: Option<&Arc<Envelope>>, to: &Arc<Envelope>) -> Merged {
        Merged::Raised { from: from.map(|from| from.id.clone()), to: to.id.clone() }
    }

    #[test]
    fn r2_only_a_newer_release_raises_what_is_known() {
        let [(_, old), (_, new)] = ["1.4.0", "2.0.0"].map(release);
        let mut crdt = AppCrdt::new(Bugs::NONE);
        assert_eq!(merged(&mut crdt, &old), raised(None, &old));
        assert_eq!(merged(&mut crdt, &new), raised(Some(&old), &new));
        assert_eq!(merged(&mut crdt, &old), Merged::Older);
        assert_eq!(crdt.known(), Some(&new));
    }

    #[test]
    fn s4_a_duplicate_does_nothing_however_often_it_comes() {
        let (_, envelope) = release("1.0.0");
        let mut crdt = AppCrdt::new(Bugs::NONE);
        merged(&mut crdt, &envelope);
        for _ in 0..3 {
            let merge = crdt.merge(Arc::clone(&envelope));
            assert_eq!(merge, Merge { merged: Merged::Same, conflict: None });
        }
        assert_eq!(crdt.older(), 0);
        let mut crdt = AppCrdt::recover(Some(Arc::clone(&envelope)), Bug::MergeUsesLte.into());
        assert_eq!(merged(&mut crdt, &envelope), raised(Some(&envelope), &envelope));
    }

    #[test]
    fn a4_a_replayed_older_release_moves_nothing_but_a_counter() {
        let [(_, old), (_, new)] = ["1.4.0", "2.0.0"].map(release);
        let mut crdt = AppCrdt::recover(Some(Arc::clone(&new)), Bugs::NONE);
        for replays in 1..=3 {
            assert_eq!(merged(&mut crdt, &old), Merged::Older);
            assert_eq!((crdt.known(), crdt.older()), (Some(&new), replays));
        }
    }

    #[test]
    fn r5_a_publisher_and_a_peer_raise_it_alike() {
        let [(_, old), (_, new)] = ["1.4.0", "2.0.0"].map(release);
        let mut publisher = AppCrdt::recover(Some(Arc::clone(&old)), Bugs::NONE);
        let mut peer = publisher.clone();
        let told = publisher.merge(Arc::clone(&new));
        assert_eq!(peer.merge(Arc::clone(publisher.known().unwrap())), told);
    }

    #[test]
    fn r28_a17_of_two_codes_under_one_version_the_greater_hash_wins_everywhere() {
        let codes = ["2.0.0", "2.0.0 other"].map(release).map(|(_, envelope)| envelope);
        let [winner, loser] =
            if codes[0].id > codes[1].id { [0, 1] } else { [1, 0] }.map(|at| &codes[at]);
        let conflict = Conflict { winner: winner.id.clone(), loser: loser.id.clone() };
        for order in [[winner, loser], [loser, winner]] {
            let mut crdt = AppCrdt::new(Bugs::NONE);
            crdt.merge(Arc::clone(order[0]));
            assert_eq!(crdt.merge(Arc::clone(order[1])).conflict, Some(conflict.clone()));
            assert_eq!(crdt.known(), Some(winner));
            assert_eq!(crdt.merge(Arc::clone(loser)).conflict, None, "it is reported once");
        }
        let mut crdt = AppCrdt::recover(Some(Arc::clone(loser)), Bug::FirstCodeWins.into());
        assert_eq!(merged(&mut crdt, winner), Merged::Older);
    }

    #[test]
    fn a_higher_epoch_makes_an_older_version_win() {
        let (_, new) = release("2.0.0");
        let (_, back) = release_with("1.4.0", |publication| publication.epoch = 1);
        let mut crdt = AppCrdt::recover(Some(Arc::clone(&new)), Bugs::NONE);
        assert_eq!(merged(&mut crdt, &back), raised(Some(&new), &back));
    }

    #[test]
    fn a_release_issued_again_is_kept_without_being_newer() {
        let (_, never) = release("1.0.0");
        let (_, soon) = release_with("1.0.0", |publication| {
            publication.expires = Some(contract::Time::from_nanos(1));
        });
        let mut crdt = AppCrdt::recover(Some(Arc::clone(&soon)), Bugs::NONE);
        assert_eq!(merged(&mut crdt, &never), Merged::Reissued);
        assert_eq!(merged(&mut crdt, &soon), Merged::Older);
        assert_eq!(crdt.known(), Some(&never));
    }

    /// What is known after merging `envelopes` in order.
    fn joined<'a>(envelopes: impl IntoIterator<Item = &'a Envelope>) -> Option<Arc<Envelope>> {
        let mut crdt = AppCrdt::new(Bugs::NONE);
        for envelope in envelopes {
            crdt.merge(Arc::new(envelope.clone()));
        }
        crdt.known
    }

    proptest! {
        #[test]
        fn r4_merging_is_a_join(a in envelopes(), b in envelopes(), c in envelopes()) {
            let max = [&a, &b, &c].into_iter().max_by(|x, y| x.precedence(y)).cloned().map(Arc::new);
            for order in [[&a, &b, &c], [&a, &c, &b], [&b, &a, &c], [&b, &c, &a], [&c, &a, &b], [&c, &b, &a]] {
                prop_assert_eq!(&joined(order), &max);
            }
            let left = joined([&a, &b]).unwrap();
            let right = joined([&b, &c]).unwrap();
            prop_assert_eq!(joined([&*left, &c]), joined([&a, &*right]));
            prop_assert_eq!(joined([&a, &a, &a]), joined([&a]));
        }

        #[test]
        fn s2_what_is_known_never_falls(envelopes in prop::collection::vec(envelopes(), 0..20)) {
            let mut crdt = AppCrdt::new(Bugs::NONE);
            for envelope in envelopes {
                let before = crdt.known().cloned();
                crdt.merge(Arc::new(envelope.clone()));
                let after = crdt.known().unwrap();
                prop_assert!(after.precedence(&envelope).is_ge());
                prop_assert!(before.is_none_or(|before| after.precedence(&before).is_ge()));
            }
        }
    }
}
