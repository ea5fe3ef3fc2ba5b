//! What must never happen, and what must have happened at the end: one file each.
//!
//! Every invariant sees the kinds of observation it asks for, online, and says in words what broke.
//! The run ends where one breaks, unless the scenario is a canary that wants it broken.
//!
//! Source: the statements S1 to S29, C1, and L1 to L5 of ARCHITECTURE.md, "Invariants".

use std::fmt;

use contract::{NodeId, Time};
use replica::{
    MessageId,
    status::{Status, Waiting},
};

use crate::observation::{Kind, Kinds, Moment, Observation, Truth, subject};

pub(crate) mod c1_equal;
mod c2_agree;
mod c3_meaning;
mod c4_delivery;
mod c5_everywhere;
mod c6_stable;
mod c7_collection;
mod c8_names;
pub(crate) mod copies;
pub(crate) mod l1_known;
mod l2_run;
pub(crate) mod l3_hold;
mod l4_serving;
mod l5_attempts;
pub(crate) mod operations;
mod s01_merge;
mod s02_known;
mod s03_run;
mod s04_old_news;
mod s05_conflict;
mod s06_gate;
mod s07_types;
mod s08_unversioned;
mod s09_once;
mod s10_order;
mod s12_conversion;
mod s13_acknowledged;
mod s14_hold;
mod s15_whole;
mod s16_untouched;
mod s17_measures;
mod s19_paths;
mod s20_square;
mod s21_signed;
mod s24_replay;
mod s25_budget;
mod s26_stamp;
mod s29_instance;
#[cfg(test)]
pub(crate) mod testing;

/// Every invariant, in the order of their names. A new one is a file and a line here.
fn all() -> Vec<Box<dyn Invariant>> {
    vec![
        Box::<s01_merge::MergeTakesTheHigher>::default(),
        Box::<s02_known::KnownNeverFalls>::default(),
        Box::<s03_run::RunIsCommitted>::default(),
        Box::<s04_old_news::OldNewsChangesNothing>::default(),
        Box::<s05_conflict::OneWinner>::default(),
        Box::<s06_gate::GateHolds>::default(),
        Box::<s07_types::WellTyped>::default(),
        Box::<s08_unversioned::UnversionedPasses>::default(),
        Box::<s09_once::OnceAsSent>::default(),
        Box::<s10_order::InOrder>::default(),
        Box::<s12_conversion::ConvertedOnce>::default(),
        Box::<s13_acknowledged::AcknowledgedIsKept>::default(),
        Box::<s14_hold::HoldIsBounded>::default(),
        Box::<s15_whole::OneRelease>::default(),
        Box::<s16_untouched::FailureChangesNothing>::default(),
        Box::<s17_measures::MeasuresConserved>::default(),
        Box::<s19_paths::PathsAgree>::default(),
        Box::<s20_square::SquaresCommute>::default(),
        Box::<s21_signed::OnlySignedCodeRuns>::default(),
        Box::<s24_replay::ReplayAgrees>::default(),
        Box::<s25_budget::WithinBudget>::default(),
        Box::<s26_stamp::StampedByProducer>::default(),
        Box::<s29_instance::OneInstance>::default(),
        Box::<l1_known::KnownByAll>::default(),
        Box::<l2_run::RunsWhatItKnows>::default(),
        Box::<l3_hold::HoldDrained>::default(),
        Box::<l4_serving::ServesMeanwhile>::default(),
        Box::<l5_attempts::SwitchesEnd>::default(),
        Box::<c1_equal::StatesEqual>::default(),
        Box::<c2_agree::SameOperationsSameState>::default(),
        Box::<c3_meaning::ShowsWhatItMeans>::default(),
        Box::<c4_delivery::DeliveredAfterCauses>::default(),
        Box::<c5_everywhere::DeliveredEverywhere>::default(),
        Box::<c6_stable::StableIsStable>::default(),
        Box::<c7_collection::NothingIsMissed>::default(),
        Box::<c8_names::NamesAreGivenOnce>::default(),
    ]
}

/// One claim about every run.
pub trait Invariant {
    /// Its short name, such as `S6`.
    fn name(&self) -> &'static str;

    /// The claim, one sentence for people.
    fn claim(&self) -> &'static str;

    /// What it wants to see.
    fn wants(&self) -> Kinds;

    /// Looks at one observation. `truth` is what was known before it.
    ///
    /// Errors: [`Broken`] where the claim does not hold.
    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken>;

    /// Looks at the end of the liveness phase.
    ///
    /// Errors: [`Broken`] where the claim does not hold.
    fn finish(&mut self, _truth: &Truth, _end: &End) -> Result<(), Broken> {
        Ok(())
    }
}

/// A run at its end.
#[derive(Clone, Debug)]
pub struct End {
    /// When.
    pub at: Time,
    /// Whether everything came to rest within its bound: nothing is under way any more.
    pub at_rest: bool,
    /// The nodes of the core, by id.
    pub nodes: Vec<Resting>,
}

/// A node at the end of a run.
#[derive(Clone, Debug)]
pub struct Resting {
    /// Which.
    pub node: NodeId,
    /// Where it stands; `None`: it is down although nothing keeps it so.
    pub status: Option<Status>,
    /// What it waits for.
    pub waiting: Vec<Waiting>,
    /// What its app's state says to everybody: equal on all nodes at rest.
    pub shared: Shared,
}

/// The replicated part of an app's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shared {
    /// The app replicates nothing, or none runs.
    Nothing,
    /// There should be one, and the state does not have it as its schema says.
    Unreadable,
    /// Its canonical bytes.
    Part(Vec<u8>),
}

/// A claim does not hold: where, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The nodes it shows at.
    pub nodes: Vec<NodeId>,
    /// What was seen and what should have been.
    pub text: String,
}

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Its short name, such as `S6`.
    pub invariant: &'static str,
    /// What it claims.
    pub claim: &'static str,
    /// When it showed, by the world's clock.
    pub at: Time,
    /// The nodes it shows at.
    pub nodes: Vec<NodeId>,
    /// What was seen and what should have been.
    pub text: String,
    /// The message at whose notice it showed, and whether that is sent exactly once; `None`: it showed at
    /// no message.
    pub message: Option<(MessageId, bool)>,
}

/// Names an invariant for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its short name, such as `S6`.
    pub name: &'static str,
    /// The claim, one sentence.
    pub claim: &'static str,
}

/// Every invariant with its claim, for `simctl explain`.
pub fn list() -> Vec<Listed> {
    let listed = |one: Box<dyn Invariant>| Listed { name: one.name(), claim: one.claim() };
    all().into_iter().map(listed).collect()
}

impl Broken {
    /// A claim that does not hold at one node.
    pub fn at(node: NodeId, text: impl Into<String>) -> Self {
        Self { nodes: vec![node], text: text.into() }
    }

    /// A claim that does not hold between two nodes.
    pub fn between(one: NodeId, other: NodeId, text: impl Into<String>) -> Self {
        Self { nodes: vec![one, other], text: text.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {} ({})", self.invariant, self.at, self.text, self.claim)
    }
}

/// Nodes that a stall names in full; the others are like them.
const STALLED_SHOWN_MAX: usize = 4;

/// A claim that does not hold at the end, with what each node waits for.
fn stalls(what: String, nodes: &[&Resting]) -> Broken {
    let mut text = what;
    for resting in nodes.iter().take(STALLED_SHOWN_MAX) {
        let waits: Vec<String> = resting.waiting.iter().map(Waiting::to_string).collect();
        let waits = match (&resting.status, waits.is_empty()) {
            (None, _) => "is down".to_owned(),
            (Some(_), true) => "waits for nothing it can name".to_owned(),
            (Some(_), false) => waits.join("; "),
        };
        text.push_str(&format!("; {}: {waits}", resting.node));
    }
    if let Some(more) = nodes.len().checked_sub(STALLED_SHOWN_MAX).filter(|more| *more > 0) {
        text.push_str(&format!("; and {more} more"));
    }
    Broken { nodes: nodes.iter().map(|resting| resting.node).collect(), text }
}

/// The invariants of one run. All look on to its end, and each is reported once, where it broke first.
pub struct Checks {
    invariants: Vec<Box<dyn Invariant>>,
    /// For each kind, the invariants that want it.
    by_kind: Vec<Vec<u8>>,
    violations: Vec<Violation>,
}

impl Default for Checks {
    /// Every invariant there is.
    fn default() -> Self {
        Self::of(all())
    }
}

impl Checks {
    fn of(invariants: Vec<Box<dyn Invariant>>) -> Self {
        let wanting = |kind: &Kind| {
            let wants = |at: &u8| invariants[usize::from(*at)].wants().has(*kind);
            (0..invariants.len() as u8).filter(wants).collect()
        };
        let by_kind = Kind::ALL.iter().map(wanting).collect();
        Self { invariants, by_kind, violations: Vec::new() }
    }

    /// No invariant: nothing is checked.
    pub fn none() -> Self {
        Self::of(Vec::new())
    }

    /// Shows an observation to whoever wants it. `true`: some claim broke just now.
    pub fn observe(&mut self, truth: &Truth, moment: &Moment, seen: &Observation<'_>) -> bool {
        let before = self.violations.len();
        for at in &self.by_kind[seen.kind() as usize] {
            let invariant = &mut self.invariants[usize::from(*at)];
            if let Err(broken) = invariant.observe(truth, moment, seen) {
                let subject = match seen {
                    Observation::Notice(notice) => subject(notice),
                    _ => None,
                };
                let message = subject.map(|(id, exactly_once)| (*id, exactly_once));
                let violation = Violation { message, ..violation(&**invariant, moment.at, broken) };
                report(&mut self.violations, violation);
            }
        }
        self.violations.len() > before
    }

    /// Shows the end of the run to all.
    pub fn finish(&mut self, truth: &Truth, end: &End) {
        for invariant in &mut self.invariants {
            if let Err(broken) = invariant.finish(truth, end) {
                let violation = violation(&**invariant, end.at, broken);
                report(&mut self.violations, violation);
            }
        }
    }

    /// What broke, in the order in which it showed.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// How many invariants look on.
    pub fn len(&self) -> usize {
        self.invariants.len()
    }

    /// Whether nothing is checked.
    pub fn is_empty(&self) -> bool {
        self.invariants.is_empty()
    }
}

fn violation(invariant: &dyn Invariant, at: Time, broken: Broken) -> Violation {
    let Broken { nodes, text } = broken;
    let (invariant, claim) = (invariant.name(), invariant.claim());
    Violation { invariant, claim, at, nodes, text, message: None }
}

/// Keeps the first violation of each invariant: what follows is usually its consequence.
fn report(violations: &mut Vec<Violation>, violation: Violation) {
    if violations.iter().all(|before| before.invariant != violation.invariant) {
        violations.push(violation);
    }
}
