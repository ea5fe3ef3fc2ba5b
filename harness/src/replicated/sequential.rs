//! Whether what replicas came to could have come of one of them alone: whether some delivery order of a
//! history, in which each operation is done again where the one before it left off, shows what all of it means.
//!
//! That none does is no fault of most types: two users who each move the end of a list have a result that
//! neither would have made alone. Of flags, and of each element of an add-wins set, some order always does.
//! Source: semidirect products of op-based CRDTs; Jagadeesan and Riely, "Eventual consistency for CRDTs" (2018).

use crdt::{Clock, Event, Log, Op, Stamp, Value};

use super::{
    Progress,
    history::{self, History, Proposal},
    search::{Scope, each_history},
};

/// Orders of one history that are tried.
pub const ORDERS_MAX: u32 = 10_000;

/// Types that one order of the operations on each element always explains.
const ALWAYS: [&str; 3] = ["enable_wins_flag", "disable_wins_flag", "add_wins_set"];

/// Whether the type called `name` has no excuse for a history that no order explains.
pub fn is_required(name: &str) -> bool {
    ALWAYS.contains(&name)
}

/// What is known of one history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Explained {
    /// By this order, of steps by their place.
    By(Vec<usize>),
    /// By none.
    Never,
    /// By none of the first [`ORDERS_MAX`].
    Unknown,
}

/// What is known of many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Histories that an order explains.
    pub explained: u64,
    /// Histories that none does.
    pub unexplained: u64,
    /// Histories of too many orders.
    pub unknown: u64,
    /// The first that none explains, made small, with what it means.
    pub example: Option<(History, Value)>,
}

/// Looks for an order that explains `history`; `None`: some step of it is refused.
pub fn explain<T: Op>(kind: &T, history: &History) -> Option<Explained> {
    let events = history::events(kind, history).ok()?;
    let mut alone = Alone {
        kind,
        history,
        means: kind.meaning(&Log::new(&events)),
        order: Vec::new(),
        past: Clock::new(),
        left: ORDERS_MAX,
    };
    let found = alone.explains(&kind.initial());
    Some(match found {
        true => Explained::By(alone.order),
        false if alone.left == 0 => Explained::Unknown,
        false => Explained::Never,
    })
}

/// Looks at the histories of `scope`; at each element of one apart where `required`. `progress` is told how many
/// histories there were, and may end it.
pub fn look<T: Op>(
    kind: &T,
    propose: Proposal<'_>,
    size: (u32, usize),
    scope: Scope,
    required: bool,
    progress: Progress<'_>,
) -> Report {
    let mut report = Report::default();
    let mut count = 0;
    each_history(kind, propose, size, scope, &mut |history| {
        match required {
            true => elements(history).iter().for_each(|part| report.take(kind, part)),
            false => report.take(kind, history),
        }
        count += 1;
        progress(count)
    });
    report
}

/// The steps on each element and on all of them, as if there were no other; a history whole where none is named.
fn elements(history: &History) -> Vec<History> {
    let element = |at: usize, of: &History| of.0[at].operation.get("elem").cloned();
    let mut names: Vec<Value> = Vec::new();
    for name in (0..history.0.len()).filter_map(|at| element(at, history)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return vec![history.clone()];
    }
    let only = |name: Value| {
        let mut part = history.clone();
        let is_other = |found: Option<Value>| found.is_some_and(|found| found != name);
        while let Some(at) = (0..part.0.len()).find(|at| is_other(element(*at, &part))) {
            part = part.without(at);
        }
        part
    };
    names.into_iter().map(only).collect()
}

/// One replica that does it all, one step after the other.
struct Alone<'a, T: Op> {
    kind: &'a T,
    history: &'a History,
    means: Value,
    /// What it has done.
    order: Vec<usize>,
    past: Clock,
    /// Orders that may still be tried.
    left: u32,
}

impl<T: Op> Alone<'_, T> {
    /// Whether some order of what is left leads from `state` to what the history means. If so it is in `order`.
    fn explains(&mut self, state: &T::State) -> bool {
        if self.order.len() == self.history.0.len() {
            self.left -= 1;
            return self.kind.value(state) == self.means;
        }
        for at in 0..self.history.0.len() {
            let step = &self.history.0[at];
            let ready = !self.past.covers(step.dot) && self.past.covers_all(&step.past);
            if !ready || self.left == 0 {
                continue;
            }
            let Some(next) = self.done(state, at) else {
                self.left -= 1;
                continue;
            };
            let before = self.past.clone();
            self.past.advance(step.dot);
            self.order.push(at);
            if self.explains(&next) {
                return true;
            }
            self.order.pop();
            self.past = before;
        }
        false
    }

    /// The state once the step `at` was done in `state`; `None`: it makes no sense there.
    fn done(&self, state: &T::State, at: usize) -> Option<T::State> {
        let step = &self.history.0[at];
        let stamp = Stamp { lamport: self.order.len() as u64, dot: step.dot };
        let operation = self.kind.parse(&step.operation).ok()?;
        let message = self.kind.prepare(state, &operation, stamp).ok()?;
        let event = Event { stamp, past: self.past.clone(), message };
        let mut next = state.clone();
        self.kind.effect(&mut next, event.at(), &event.message).ok()?;
        Some(next)
    }
}

impl Report {
    fn take<T: Op>(&mut self, kind: &T, history: &History) {
        match explain(kind, history) {
            Some(Explained::By(_)) => self.explained += 1,
            Some(Explained::Unknown) => self.unknown += 1,
            Some(Explained::Never) => {
                self.unexplained += 1;
                if self.example.is_none() {
                    let small = smallest(kind, history.clone());
                    let means =
                        history::meaning(kind, &small).expect("its steps were done just now");
                    self.example = Some((small, means));
                }
            }
            None => {}
        }
    }
}

/// Takes steps away, and makes numbers small, as long as nothing explains the history.
fn smallest<T: Op>(kind: &T, mut history: History) -> History {
    let never = |history: &History| explain(kind, history) == Some(Explained::Never);
    while let Some(smaller) = history.smaller().into_iter().find(never) {
        history = smaller;
    }
    history
}

#[cfg(test)]
mod tests {
    use crdt::catalogue::{self, Draw, Listed, Visit};

    use super::*;
    use crate::replicated::to_the_end;

    struct Count(u64);

    impl Visit for Count {
        type Out = (Report, bool);

        fn visit<T: Listed>(self, kind: T) -> Self::Out {
            let propose = |value: &Value, draw: &mut Draw| kind.proposal(value, draw);
            let scope = Scope::Random { histories: self.0, seed: 1 };
            let report = look(&kind, &propose, (3, 5), scope, false, &mut to_the_end);
            let example = report.example.clone();
            let unexplained =
                example.is_some_and(|(small, _)| explain(&kind, &small) == Some(Explained::Never));
            (report, unexplained)
        }
    }

    fn counted(name: &str) -> (Report, bool) {
        catalogue::visit(name, &Value::Map([].into()), Count(200)).unwrap()
    }

    #[test]
    fn a_flag_comes_to_nothing_that_one_replica_could_not_come_to() {
        for name in ["enable_wins_flag", "disable_wins_flag"] {
            let (report, _) = counted(name);
            assert_eq!(
                (report.explained, report.unexplained, report.unknown),
                (200, 0, 0),
                "{name}"
            );
        }
    }

    #[test]
    fn a_set_is_explained_element_by_element_and_not_as_a_whole() {
        let (whole, unexplained) = counted("add_wins_set");
        assert!(whole.unexplained > 0 && unexplained, "{whole:?}");
        let (small, _) = whole.example.unwrap();
        assert!(small.0.len() <= 4, "{small:?}");
        let parts = elements(&small);
        assert!(
            parts.len() > 1 && parts.iter().all(|part| part.0.len() < small.0.len()),
            "{parts:?}"
        );
    }
}
