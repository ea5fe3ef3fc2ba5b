//! Planted bugs: named mutations that show which invariant catches what.
//!
//! A set of bugs is a setting of a run, empty unless a test or a canary scenario asks. Each bug breaks
//! one rule at the one place that decides it; where the place is in another crate, that crate asks
//! [`Bugs::has`]. An empty set costs one test of one bit.

use std::{fmt, str::FromStr};

/// One way to get it wrong. Most are mistakes that real systems, or the paper's own listings, made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Bug {
    /// The App CRDT merges with `<=`: a duplicate of the running release is installed again.
    MergeUsesLte,
    /// The gate compares whole versions: a newer minor of the same major is held.
    GateComparesFullVersions,
    /// Draining delivers held messages and keeps them: the next switch delivers them again.
    DrainDoesNotRemove,
    /// Draining goes by a hash of the arrival counter, not by the counter.
    DrainInHashOrder,
    /// Held messages are acknowledged while they are only in memory.
    VolatileHold,
    /// Messages of the running class itself are converted.
    ConvertEqualMajor,
    /// Of two codes under one version the first one seen stays.
    FirstCodeWins,
    /// The gate switches before the new state is loaded, and stays switched where loading fails.
    GateSwitchedBeforeInit,
    /// Releases that come through a peer are believed without a look at their signatures.
    RelayUnverified,
    /// Signatures cover the code alone: version, epoch, class and the rest may be changed.
    SignatureCoversCodeOnly,
    /// Migration hands the new code an empty state, and nobody compares measures.
    MigrationOmitsZero,
    /// A migration that runs out of budget commits what it has, which is nothing.
    OutOfFuelCommitsPartial,
    /// Release gossip is stamped like an application's messages, and so held by older nodes.
    AppCrdtMessagesStamped,
    /// A migrated state is checked against the schema it came from.
    ChecksOldSchema,
    /// Each conversion is applied a second time.
    ConvertTwice,
    /// Of a path of several edges only the last converts.
    SkipEdge,
    /// What a node knows after a crash is what it runs, not the newest it had seen.
    KnownFallsOnRecovery,
    /// A node replays its journal as if it had known only the nodes that it began with.
    NodesFallOnReplay,
    /// Unversioned messages wait behind held ones, and for newer releases.
    UnversionedHeld,
    /// A message that finds the hold full vanishes without an answer.
    OverflowSilent,
    /// The old instance still takes input after a switch.
    TwoInstances,
    /// After a switch messages still carry the stamp of the release before.
    WrongStampAtCommit,
    /// A switch builds the causal layer anew and forgets what it had delivered.
    ClockLostOnReinstall,
    /// Operations are called stable once any other member is known to have them.
    StableEarly,
    /// A retired member is not waited for from the moment its retirement is delivered.
    RetireInOnePhase,
    /// The gate judges operations after the causal layer has delivered them.
    GateInsideCausal,
    /// A node that lost its disk issues operations under the name that it had.
    LifeReused,
    /// A node's own operations leave it before they are durable.
    SeqReused,
}

/// Every bug with its name and what it does, in order of the enum.
const TABLE: [(Bug, &str, &str); 28] = [
    (Bug::MergeUsesLte, "merge-uses-lte", "merging a release a node already has installs it again"),
    (
        Bug::GateComparesFullVersions,
        "gate-compares-full-versions",
        "the gate holds messages of a newer minor of the same major",
    ),
    (Bug::DrainDoesNotRemove, "drain-does-not-remove", "drained messages stay held and come again"),
    (
        Bug::DrainInHashOrder,
        "drain-in-hash-order",
        "held messages are drained in an arbitrary order",
    ),
    (Bug::VolatileHold, "volatile-hold", "held messages are acknowledged before they are durable"),
    (Bug::ConvertEqualMajor, "convert-equal-major", "messages of the running class are converted"),
    (Bug::FirstCodeWins, "first-code-wins", "of two codes under one version the first seen stays"),
    (
        Bug::GateSwitchedBeforeInit,
        "gate-switched-before-init",
        "the gate switches before the new state loads, and stays so where loading fails",
    ),
    (Bug::RelayUnverified, "relay-unverified", "releases relayed by a peer are not verified"),
    (
        Bug::SignatureCoversCodeOnly,
        "signature-covers-code-only",
        "signatures cover the code but neither version nor epoch",
    ),
    (Bug::MigrationOmitsZero, "migration-omits-zero", "migration drops the state"),
    (
        Bug::OutOfFuelCommitsPartial,
        "out-of-fuel-commits-partial",
        "a migration that runs out of budget commits a partial state",
    ),
    (
        Bug::AppCrdtMessagesStamped,
        "app-crdt-messages-stamped",
        "release gossip passes the gate, and older nodes hold it",
    ),
    (
        Bug::ChecksOldSchema,
        "checks-old-schema",
        "a migrated state is checked against the old schema",
    ),
    (Bug::ConvertTwice, "convert-twice", "each conversion is applied twice"),
    (Bug::SkipEdge, "skip-edge", "of several conversions only the last is applied"),
    (
        Bug::KnownFallsOnRecovery,
        "known-falls-on-recovery",
        "after a crash a node forgets releases that it knew but did not run",
    ),
    (
        Bug::NodesFallOnReplay,
        "nodes-fall-on-replay",
        "a node replays its journal as if it had known only the nodes that it began with",
    ),
    (Bug::UnversionedHeld, "unversioned-held", "unversioned messages are held"),
    (Bug::OverflowSilent, "overflow-silent", "a message that finds the hold full vanishes"),
    (Bug::TwoInstances, "two-instances", "the old instance still takes input after a switch"),
    (
        Bug::WrongStampAtCommit,
        "wrong-stamp-at-commit",
        "after a switch messages carry the stamp of the release before",
    ),
    (
        Bug::ClockLostOnReinstall,
        "clock-lost-on-reinstall",
        "a switch forgets which operations were delivered",
    ),
    (
        Bug::StableEarly,
        "stable-early",
        "operations are called stable once any other member has them",
    ),
    (
        Bug::RetireInOnePhase,
        "retire-in-one-phase",
        "a retired member is not waited for from its retirement on",
    ),
    (
        Bug::GateInsideCausal,
        "gate-inside-causal",
        "operations of newer releases are held after the causal layer has delivered them",
    ),
    (
        Bug::LifeReused,
        "life-reused",
        "a node that lost its disk issues operations under its old name",
    ),
    (Bug::SeqReused, "seq-reused", "own operations leave a node before they are durable"),
];

impl Bug {
    /// Every bug there is.
    pub const ALL: [Self; TABLE.len()] = {
        let mut all = [Self::MergeUsesLte; TABLE.len()];
        let mut at = 0;
        while at < TABLE.len() {
            all[at] = TABLE[at].0;
            at += 1;
        }
        all
    };

    /// Its name in scenarios, such as `merge-uses-lte`.
    pub const fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// What it does, for people.
    pub const fn about(self) -> &'static str {
        TABLE[self as usize].2
    }
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no bug.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a planted bug such as `merge-uses-lte`, found `{0}`")]
pub struct BugError(String);

impl FromStr for Bug {
    type Err = BugError;

    fn from_str(text: &str) -> Result<Self, BugError> {
        Self::ALL
            .into_iter()
            .find(|bug| bug.name() == text)
            .ok_or_else(|| BugError(text.to_owned()))
    }
}

/// The bugs planted in a run; none by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bugs(u32);

impl Bugs {
    /// No bug at all: how everything ships.
    pub const NONE: Self = Self(0);

    /// These bugs and `bug`.
    pub const fn with(self, bug: Bug) -> Self {
        Self(self.0 | 1 << bug as u8)
    }

    /// Whether `bug` is planted.
    pub const fn has(self, bug: Bug) -> bool {
        self.0 & 1 << bug as u8 != 0
    }

    /// The planted bugs, in order of [`Bug::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Bug> {
        Bug::ALL.into_iter().filter(move |bug| self.has(*bug))
    }
}

impl From<Bug> for Bugs {
    fn from(bug: Bug) -> Self {
        Self::NONE.with(bug)
    }
}

impl FromIterator<Bug> for Bugs {
    fn from_iter<I: IntoIterator<Item = Bug>>(bugs: I) -> Self {
        bugs.into_iter().fold(Self::NONE, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_of_the_enum_and_names_differ() {
        for (at, bug) in Bug::ALL.into_iter().enumerate() {
            assert_eq!(bug as usize, at, "{bug}");
            assert_eq!(bug.name().parse(), Ok(bug));
            assert!(!bug.about().is_empty());
        }
        assert_eq!("P1".parse::<Bug>(), Err(BugError("P1".to_owned())));
    }

    #[test]
    fn a_set_has_what_was_planted_and_nothing_else() {
        assert_eq!(Bugs::NONE.iter().count(), 0);
        let bugs = Bugs::from_iter([Bug::SkipEdge, Bug::MergeUsesLte]);
        assert_eq!(bugs.iter().collect::<Vec<_>>(), [Bug::MergeUsesLte, Bug::SkipEdge]);
    }
}
