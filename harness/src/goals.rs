//! What should happen sometimes: a run in which it never does has tested less than it says.
//!
//! A goal is reached or not, and how often. A scenario names those that it must reach, and those that it
//! must never reach.

use std::collections::{BTreeMap, BTreeSet};

use causal::{Clock, Dot, Refusal};
use replica::{
    Notice,
    notice::{CausallyDelivered, Dropped, Ended, NotEnrolled, Outcome},
};

use crate::observation::{Moment, Observation, Truth};

mod epochs;

use epochs::Epochs;

macro_rules! goals {
    ($($name:ident $text:literal $about:literal,)*) => {
        /// Something that should happen sometimes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Goal {
            $(#[doc = $about] $name,)*
        }

        impl Goal {
            /// Every goal.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name in scenarios.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// What has to happen.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => $about),* }
            }
        }
    };
}

goals! {
    Held "held" "A message waited for a newer release.",
    Converted "converted" "A message of an older class was converted and delivered.",
    HeldThenConverted "held-then-converted" "A message waited, and was then converted and delivered.",
    DrainedInOrder "drained-in-order" "Several messages that had waited were delivered in one drain.",
    Retransmitted "retransmitted" "A message was sent again for want of an acknowledgement.",
    DuplicateDropped "duplicate-dropped" "A message that came twice was recognised.",
    CrashInFetch "crash-in-fetch" "A node crashed while it fetched a release's code.",
    CrashInStage "crash-in-stage" "A node crashed with a release staged.",
    CrashInPrepare "crash-in-prepare" "A node crashed between the intent to switch and the switch.",
    CrashInCommit "crash-in-commit" "A node crashed right after a switch, before anything was drained.",
    CrashInDrain "crash-in-drain" "A node crashed while it delivered what had waited.",
    FetchResumed "fetch-resumed" "A fetch went on where a crash or another peer had left it.",
    ForgedRefused "forged-refused" "A forged envelope or code was refused.",
    RelayRefused "relay-refused" "A forged envelope that a peer passed on was refused.",
    ConflictResolved "conflict-resolved" "Two codes under one version met, and one won.",
    Quarantined "quarantined" "A node refused to run a release, and said why.",
    Nacked "nacked" "A sender was told that its message ended undelivered.",
    Expired "expired" "A message waited longer than it may, and ended.",
    HoldFull "hold-full" "A message found the hold full, and ended.",
    HotSwap "hot-swap" "A switch took over the very state, without a migration.",
    Migrated "migrated" "A switch took the state along an edge.",
    SkippedVersion "skipped-version" "A switch went over several releases at once.",
    LateJoin "late-join" "A node that joined late switched to a release of the fleet.",
    AmnesiaRecovered "amnesia-recovered" "A node that lost its disk came to run a release again.",
    PartitionBit "partition-bit" "A datagram met a partition.",
    OperationParked "operation-parked" "An operation waited for one that was missing.",
    OperationHeld "operation-held" "An operation of a newer release waited at the gate.",
    OperationBehindHeld "operation-behind-held" "An operation waited for one that the gate held.",
    OperationNotHeld "operation-not-held" "An operation of a newer release found no room at the gate, or nobody knew its origin, and was to come again.",
    Repaired "repaired" "A member sent another operations that it lacked.",
    OperationConverted "operation-converted" "An operation of an older class was converted and delivered.",
    OperationVoid "operation-void" "An operation counted as delivered, and the app could not take it.",
    OperationRejected "operation-rejected" "An operation that nothing honest explains was refused; who was retired meanwhile explains it.",
    ConcurrentOperations "concurrent-operations" "A node delivered two operations neither of which came before the other.",
    StableAdvanced "stable-advanced" "An app was told that operations are stable.",
    HistoryMigrated "history-migrated" "A switch took the state along an edge while delivered operations were not stable.",
    RebuiltWithParked "rebuilt-with-parked" "A switch took the causal layer down and up again while operations waited in it.",
    JoinedByTransfer "joined-by-transfer" "A node became a member by the state of another.",
    JoinedFromOlder "joined-from-older" "A node became a member by the state of an older release, which its own migrated.",
    JoinedAfterUpgrade "joined-after-upgrade" "A node that was to upgrade first, as the state was of a newer release, did, and became a member.",
    Founded "founded" "A node founded the membership of a fleet that nobody was a member of.",
    NewLife "new-life" "A node that had lost its disk became a member again, under another name.",
    LifeAfterRot "life-after-rot" "A node whose disk had lost durable records became a member again, under another name.",
    Retired "retired" "A member was let go.",
    StableAfterRetirement "stable-after-retirement" "Operations became stable after nobody waited any more for a member that was retired.",
    Resynced "resynced" "A node that was retired heard of it, and has to join again.",
    MembersWhileMixed "members-while-mixed" "A node became a member, or was let go, while two API classes ran.",
    Renamed "renamed" "A replica named all elements of a text anew.",
    RenamedConcurrently "renamed-concurrently" "A node delivered two renames neither of which came before the other.",
    IntegratedFromOlderEpoch "integrated-from-older-epoch" "A node delivered an edit of an epoch that the newest one it knew had come from.",
    IntegratedFromSiblingEpoch "integrated-from-sibling-epoch" "A node delivered an edit of an epoch that the newest one it knew had not come from.",
    EpochCollected "epoch-collected" "A node learnt that everybody is in an epoch or beyond, and dropped what came before.",
    ClientServedWhileMixed "client-served-while-mixed" "A client was served while two API classes ran.",
}

/// Which goals a run reached, and how often.
#[derive(Clone, Debug, Default)]
pub struct Goals {
    reached: BTreeMap<Goal, u64>,
    /// By node.
    nodes: Vec<Progress>,
    /// By release of the truth: how many nodes run it.
    running: Vec<u32>,
    epochs: Epochs,
}

/// Where a node stands in a switch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    None,
    Fetch,
    Stage,
    Prepare,
    Commit,
    Drain,
}

#[derive(Clone, Debug, Default)]
struct Progress {
    phase: Phase,
    /// It joined after the start.
    late: bool,
    /// It lost its disk and has not run anything since.
    blank: bool,
    /// What it runs, as an index of the truth's releases.
    runs: Option<usize>,
    /// Messages delivered in the present drain.
    drained: u32,
    /// It lost its disk and has not become a member since.
    nameless: bool,
    /// It asked to be let in by a node of a newer release.
    behind: bool,
    /// Its disk lost durable records, and it has not become a member since.
    rotten: bool,
    /// It waits for a member no more.
    let_go: bool,
    /// The last operation of an app that it delivered.
    last: Option<Dot>,
    /// What its app was told to be stable.
    stable: Clock,
    /// Operations that wait at its gate.
    held: BTreeSet<Dot>,
}

impl Goals {
    /// How often `goal` was reached.
    pub fn count(&self, goal: Goal) -> u64 {
        self.reached.get(&goal).copied().unwrap_or(0)
    }

    /// The goals that were reached.
    pub fn reached(&self) -> impl Iterator<Item = Goal> {
        Goal::ALL.iter().copied().filter(|goal| self.count(*goal) > 0)
    }

    /// The goals among `never` that were reached all the same, in words.
    pub fn unwanted(&self, never: &[String]) -> impl Iterator<Item = String> {
        let unwanted = self.reached().filter(|goal| never.iter().any(|name| name == goal.name()));
        unwanted.map(|goal| format!("the goal {} was reached and must never be", goal.name()))
    }

    /// Counts `goal` once more.
    pub fn reach(&mut self, goal: Goal) {
        *self.reached.entry(goal).or_default() += 1;
    }

    /// Looks at one observation. `truth` is what was known before it.
    pub fn observe(&mut self, truth: &Truth, moment: &Moment, seen: &Observation<'_>) {
        if self.nodes.is_empty() {
            self.nodes.resize(truth.nodes.len(), Progress::default());
            self.running.resize(truth.releases.len(), 0);
        }
        match seen {
            Observation::Notice(notice) => self.notice(truth, moment, notice),
            Observation::Crashed { amnesia, lied, .. } => {
                self.node(moment).rotten |= *lied;
                self.crash(moment, *amnesia);
            }
            Observation::Joined => {
                self.node(moment).late = moment.at.as_nanos() > 0;
            }
            Observation::Left => self.runs(moment, None),
            _ => {}
        }
    }

    fn node(&mut self, moment: &Moment) -> &mut Progress {
        &mut self.nodes[moment.node.0 as usize]
    }

    fn crash(&mut self, moment: &Moment, amnesia: bool) {
        let node = self.node(moment);
        node.blank |= amnesia;
        node.nameless |= amnesia;
        node.held.clear();
        node.drained = 0;
        match std::mem::take(&mut node.phase) {
            Phase::None => {}
            Phase::Fetch => self.reach(Goal::CrashInFetch),
            Phase::Stage => self.reach(Goal::CrashInStage),
            Phase::Prepare => self.reach(Goal::CrashInPrepare),
            Phase::Commit => self.reach(Goal::CrashInCommit),
            Phase::Drain => self.reach(Goal::CrashInDrain),
        }
        self.runs(moment, None);
    }

    fn runs(&mut self, moment: &Moment, release: Option<usize>) {
        if let Some(before) = std::mem::replace(&mut self.node(moment).runs, release) {
            self.running[before] -= 1;
        }
        if let Some(release) = release {
            self.running[release] += 1;
        }
    }

    fn is_mixed(&self, truth: &Truth) -> bool {
        let classes = (0..).zip(&self.running).filter(|(_, count)| **count > 0);
        let mut classes = classes.map(|(at, _): (usize, _)| &truth.releases[at].envelope.class);
        classes.next().is_some_and(|first| classes.any(|class| class != first))
    }

    fn notice(&mut self, truth: &Truth, moment: &Moment, notice: &Notice) {
        for goal in self.epochs.reached(truth, moment.node, notice) {
            self.reach(goal);
        }
        match notice {
            Notice::Delivered { converted, was_held, .. } => {
                if !converted.is_empty() {
                    self.reach(Goal::Converted);
                }
                if *was_held {
                    self.drain(moment, !converted.is_empty());
                }
            }
            Notice::Held { .. } => self.reach(Goal::Held),
            Notice::Retransmitted { .. } => self.reach(Goal::Retransmitted),
            Notice::Dropped { why: Dropped::Duplicate, .. } => self.reach(Goal::DuplicateDropped),
            Notice::NotDelivered { why: Ended::Expired, .. } => self.reach(Goal::Expired),
            Notice::NotDelivered { why: Ended::HoldFull, .. } => self.reach(Goal::HoldFull),
            Notice::Nacked { .. } => self.reach(Goal::Nacked),
            Notice::Operation { .. } if self.is_mixed(truth) => {
                self.reach(Goal::ClientServedWhileMixed);
            }
            Notice::Started { run, .. } => {
                let run = run.as_ref().and_then(|run| truth.release(run));
                self.runs(moment, run);
            }
            _ if self.operation(truth, moment, notice) => {}
            _ => self.release(truth, moment, notice),
        }
    }

    /// What concerns operations that are broadcast, and members; `false`: it is something else.
    fn operation(&mut self, truth: &Truth, moment: &Moment, notice: &Notice) -> bool {
        match notice {
            Notice::CausallyDelivered(told) => self.carried_out(moment, told),
            Notice::Stable(stable) => {
                self.reach(Goal::StableAdvanced);
                let node = self.node(moment);
                node.stable.clone_from(&stable.clock);
                if node.let_go {
                    self.reach(Goal::StableAfterRetirement);
                }
            }
            Notice::OperationParked { missing, .. } => {
                self.reach(Goal::OperationParked);
                if self.node(moment).held.contains(missing) {
                    self.reach(Goal::OperationBehindHeld);
                }
            }
            Notice::OperationHeld { dot, .. } => {
                self.node(moment).held.insert(*dot);
                self.reach(Goal::OperationHeld);
            }
            // Who is let go, or comes back under another life, leaves operations under way.
            Notice::OperationRejected { why: Refusal::Retired(_), .. } => {}
            Notice::OperationRejected { .. } => self.reach(Goal::OperationRejected),
            Notice::OperationNotHeld { .. } => self.reach(Goal::OperationNotHeld),
            Notice::RepairAnswered { .. } => self.reach(Goal::Repaired),
            Notice::Founded { .. } => self.reach(Goal::Founded),
            Notice::LayerRebuilt { parked } => {
                self.node(moment).held.clear();
                if *parked > 0 {
                    self.reach(Goal::RebuiltWithParked);
                }
            }
            Notice::EnrollRefused { node, why: NotEnrolled::Newer } => {
                if let Some(joiner) = self.nodes.get_mut(node.0 as usize) {
                    joiner.behind = true;
                }
            }
            Notice::BecameMember(joined) => {
                self.reach(Goal::JoinedByTransfer);
                if !joined.edges.is_empty() {
                    self.reach(Goal::JoinedFromOlder);
                }
                if std::mem::take(&mut self.node(moment).behind) {
                    self.reach(Goal::JoinedAfterUpgrade);
                }
                if std::mem::take(&mut self.node(moment).nameless) {
                    self.reach(Goal::NewLife);
                }
                if std::mem::take(&mut self.node(moment).rotten) {
                    self.reach(Goal::LifeAfterRot);
                }
                self.members(truth);
            }
            Notice::Retired { .. } => {
                self.reach(Goal::Retired);
                self.members(truth);
            }
            Notice::Gone { .. } => self.node(moment).let_go = true,
            Notice::Resynced { .. } => self.reach(Goal::Resynced),
            _ => return false,
        }
        true
    }

    fn members(&mut self, truth: &Truth) {
        if self.is_mixed(truth) {
            self.reach(Goal::MembersWhileMixed);
        }
    }

    fn carried_out(&mut self, moment: &Moment, told: &CausallyDelivered) {
        let dot = told.stamp.dot;
        let node = self.node(moment);
        node.held.remove(&dot);
        match &told.outcome {
            Outcome::Control => return,
            Outcome::Void(_) => return self.reach(Goal::OperationVoid),
            Outcome::Taken { converted, .. } if !converted.is_empty() => {
                self.reach(Goal::OperationConverted);
            }
            Outcome::Taken { .. } => {}
        }
        let before = self.node(moment).last.replace(dot);
        if before.is_some_and(|before| !told.past.covers(before)) {
            self.reach(Goal::ConcurrentOperations);
        }
    }

    fn drain(&mut self, moment: &Moment, converted: bool) {
        let node = self.node(moment);
        node.drained += 1;
        node.phase = Phase::Drain;
        if node.drained == 2 {
            self.reach(Goal::DrainedInOrder);
        }
        if converted {
            self.reach(Goal::HeldThenConverted);
        }
    }

    /// What concerns releases: the few.
    fn release(&mut self, truth: &Truth, moment: &Moment, notice: &Notice) {
        match notice {
            Notice::Merged { incoming, before, after }
                if before != after && truth.is_published(&incoming.id) =>
            {
                self.node(moment).phase = Phase::Fetch;
            }
            Notice::Fetched { .. } => self.node(moment).phase = Phase::None,
            Notice::Staged { release, .. } if truth.is_published(release) => {
                self.node(moment).phase = Phase::Stage;
            }
            Notice::Prepared { release, .. } if truth.is_published(release) => {
                self.node(moment).phase = Phase::Prepare;
            }
            Notice::Committed { from, release, migration, .. } => {
                if from.is_some() && migration.hot_swap {
                    self.reach(Goal::HotSwap);
                }
                if from.is_some() && !migration.edges.is_empty() {
                    self.reach(Goal::Migrated);
                }
                let node = self.node(moment);
                let unstable = node.last.is_some_and(|last| !node.stable.covers(last));
                if unstable && !migration.edges.is_empty() {
                    self.reach(Goal::HistoryMigrated);
                }
                if migration.edges.len() > 1 {
                    self.reach(Goal::SkippedVersion);
                }
                let published = truth.is_published(&release.id);
                let node = self.node(moment);
                node.phase = if published { Phase::Commit } else { Phase::None };
                node.drained = 0;
                let (late, blank) = (node.late && from.is_some(), std::mem::take(&mut node.blank));
                if late {
                    self.reach(Goal::LateJoin);
                }
                if blank {
                    self.reach(Goal::AmnesiaRecovered);
                }
                self.runs(moment, truth.release(&release.id));
            }
            Notice::Drained { .. } => {
                let node = self.node(moment);
                node.phase = Phase::None;
                node.drained = 0;
            }
            Notice::Quarantined { .. } => {
                self.node(moment).phase = Phase::None;
                self.reach(Goal::Quarantined);
            }
            Notice::FetchResumed { have, .. } if *have > 0 => self.reach(Goal::FetchResumed),
            Notice::Forged { from, .. } => {
                self.reach(Goal::ForgedRefused);
                if *from != moment.node {
                    self.reach(Goal::RelayRefused);
                }
            }
            Notice::BadCode { .. } => self.reach(Goal::ForgedRefused),
            Notice::Conflict { .. } => self.reach(Goal::ConflictResolved),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::testing::*;

    #[test]
    fn names_differ_and_each_goal_says_what_it_is() {
        for goal in Goal::ALL {
            let same = Goal::ALL.iter().filter(|other| other.name() == goal.name()).count();
            assert_eq!(same, 1, "{}", goal.name());
            assert!(goal.about().ends_with('.'), "{}", goal.about());
        }
    }

    #[test]
    fn a_crash_counts_for_the_phase_it_hits() {
        let mut truth = truth();
        truth.releases[ONE_FOUR].by = None;
        truth.releases[TWO].by = Some(contract::NodeId(0));
        let mut goals = Goals::default();
        let installing = Notice::Prepared { release: id(&truth, ONE_FOUR), image: 0 };
        let prepared = Notice::Prepared { release: id(&truth, TWO), image: 0 };
        let commit = committed(&truth, ONE_FOUR, TWO, b"", b"");
        let crash = Observation::Crashed { amnesia: false, lied: false, hidden: false };
        let story = [
            Observation::Notice(&installing),
            crash,
            Observation::Notice(&prepared),
            crash,
            Observation::Notice(&commit),
            crash,
            crash,
        ];
        for seen in story {
            let moment = truth.moment(contract::Time::ZERO, contract::NodeId(0), 1, &seen);
            goals.observe(&truth, &moment, &seen);
            truth.advance(&moment, &seen);
        }
        let reached: Vec<_> = goals.reached().map(Goal::name).collect();
        assert_eq!(reached, ["crash-in-prepare", "crash-in-commit", "migrated"]);
        assert_eq!(goals.count(Goal::CrashInCommit), 1);
        assert_eq!(
            goals.count(Goal::CrashInPrepare),
            1,
            "what a node starts with is not rolled out"
        );
    }
}
