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
