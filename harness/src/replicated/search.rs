//! Looks for a history that a type gets wrong, and makes it small.

use std::ops::ControlFlow;

use crdt::{Clock, Dot, Op, catalogue::Draw};

use super::{
    Progress,
    history::{self, History, Proposal, Step},
    lattice::{Broken, Covered, EVENTS_MAX, Strictness, sweep},
};

/// What is looked through.
#[derive(Clone, Copy, Debug)]
pub enum Scope {
    /// So many histories at random, from this seed on.
    Random {
        /// How many.
        histories: u64,
        /// The first one's seed.
        seed: u64,
    },
    /// Every shape with every assignment of one operation of each kind.
    Exhaustive,
}

/// What a search found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Histories that were looked at.
    pub histories: u64,
    /// Over all of them.
    pub covered: Covered,
    /// Histories that were cut short at [`super::lattice::SETS_MAX`] sets.
    pub cut: u64,
    /// The smallest history that the first failure came down to.
    pub failure: Option<Found>,
}

/// A history that a type gets wrong.
#[derive(Clone, Debug)]
pub struct Found {
    /// Which.
    pub history: History,
    /// How many operations it had when it was found.
    pub found_with: usize,
    /// What is wrong.
    pub broken: Broken,
}

/// Sweeps histories of `operations` operations at `replicas` replicas until one fails. `progress` is told
/// how many there were, and may end it.
pub fn search<T: Op>(
    kind: &T,
    propose: Proposal<'_>,
    replicas: u32,
    operations: usize,
    scope: Scope,
    progress: Progress<'_>,
) -> Report {
    let mut report = Report::default();
    each_history(kind, propose, (replicas, operations), scope, &mut |history| {
        report.look(kind, propose, history);
        let on = progress(report.histories);
        if report.failure.is_some() { ControlFlow::Break(()) } else { on }
    });
    report
}

/// Has `each` see the histories of `scope`, of so many operations at so many replicas, until it has seen enough.
pub fn each_history<T: Op>(
    kind: &T,
    propose: Proposal<'_>,
    (replicas, operations): (u32, usize),
    scope: Scope,
    each: &mut dyn FnMut(&History) -> ControlFlow<()>,
) {
    match scope {
        Scope::Random { histories, seed } => {
            for number in 0..histories {
                let mut draw = Draw(seed.wrapping_add(number));
                let history = history::random(kind, propose, replicas, operations, &mut draw);
                if each(&history).is_break() {
                    break;
                }
            }
        }
        Scope::Exhaustive => {
            let mut on = ControlFlow::Continue(());
            for shape in history::shapes(replicas, operations) {
                history::assignments(kind, propose, &shape, &mut |history| {
                    if on.is_continue() {
                        on = each(history);
                    }
                });
                if on.is_break() {
                    break;
                }
            }
        }
    }
}

impl Report {
    fn look<T: Op>(&mut self, kind: &T, propose: Proposal<'_>, history: &History) {
        self.histories += 1;
        match verdict(kind, history, Strictness::States) {
            Ok(Some(covered)) => {
                self.covered.sets += covered.sets;
                self.covered.edges += covered.edges;
                self.cut += u64::from(covered.cut);
                self.covered.cut |= covered.cut;
                self.covered.orders = self.covered.orders.saturating_add(covered.orders);
            }
            // An operation that makes no sense where others were made is no history.
            Ok(None) => {}
            Err(broken) => {
                let found_with = history.0.len();
                let shown = if broken.is_hidden() { shown(kind, propose, history) } else { None };
                let (history, broken) = match shown {
                    Some((longer, shown)) => smallest(kind, longer, shown, Strictness::Values),
                    None => smallest(kind, history.clone(), *broken, Strictness::States),
                };
                self.failure = Some(Found { history, found_with, broken });
            }
        }
    }
}

/// What a sweep of `history` says; `None`: some step of it cannot be done.
fn verdict<T: Op>(
    kind: &T,
    history: &History,
    strictness: Strictness,
) -> Result<Option<Covered>, Box<Broken>> {
    match history::events(kind, history) {
        Ok(events) => sweep(kind, &events, strictness).map(Some),
        Err(_) => Ok(None),
    }
}

/// States that differ and show alike come to show it with the right message: `history`, or with one step
/// more of somebody who has seen nothing, in which values differ.
fn shown<T: Op>(kind: &T, propose: Proposal<'_>, history: &History) -> Option<(History, Broken)> {
    let newcomer = history.0.iter().map(|step| step.dot.origin.node.0 + 1).max().unwrap_or(0);
    let start = kind.value(&kind.initial());
    let longer = history::alphabet(propose, &start).into_iter().map(|operation| {
        let dot = Dot::new(newcomer, 1);
        let mut longer = history.clone();
        longer.0.push(Step { dot, past: Clock::new(), operation });
        longer
    });
    let fits = |history: &History| history.0.len() <= EVENTS_MAX;
    let mut candidates = std::iter::once(history.clone()).chain(longer).filter(fits);
    candidates.find_map(|candidate| match verdict(kind, &candidate, Strictness::Values) {
        Err(broken) if !broken.is_hidden() => Some((candidate, *broken)),
        _ => None,
    })
}

/// Takes steps away, and makes numbers small, as long as the history fails in the same way.
fn smallest<T: Op>(
    kind: &T,
    mut history: History,
    mut broken: Broken,
    strictness: Strictness,
) -> (History, Broken) {
    'smaller: loop {
        for candidate in history.smaller() {
            match verdict(kind, &candidate, strictness) {
                Err(still) if still.is_like(&broken) => {
                    (history, broken) = (candidate, *still);
                    continue 'smaller;
                }
                _ => {}
            }
        }
        return (history, broken);
    }
}
