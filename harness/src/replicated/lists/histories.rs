//! Lists that a type returns, over histories: at every origin after each operation, and at replicas that
//! deliver all of them in some order.

use std::{collections::BTreeSet, ops::ControlFlow};

use crdt::{Clock, Dot, Event, Log, Op, Value, catalogue::Draw};

use super::{
    super::{
        Progress,
        history::{self, History, Proposal, Step},
        search::{Scope, each_history},
    },
    Cycle, Flaw, Lists, Returned,
};

/// Orders in which some replica delivers all of a history, each step of which it returns a list.
const ORDERS: usize = 8;

/// What came of a search.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Histories that were looked at.
    pub histories: u64,
    /// Lists that were returned.
    pub lists: u64,
    /// The smallest history that the first failure came down to.
    pub failure: Option<Found>,
}

/// Lists that break the specification.
#[derive(Clone, Debug)]
pub struct Found {
    /// The history; each element is named after the operation that put it in.
    pub history: History,
    /// How many operations it had when it was found.
    pub found_with: usize,
    /// What is wrong.
    pub flaw: Flaw<String>,
    /// The lists that show it: who returned each after which operations, and the list.
    pub lists: Vec<(String, Vec<String>)>,
}

/// Whether what users do to a type is what they do to lists.
pub fn is_list(propose: Proposal<'_>, value: &Value) -> bool {
    let inserts = |operation: &Value| {
        operation.get("kind") == Some(&Value::from("insert")) && operation.get("index").is_some()
    };
    history::alphabet(propose, value).iter().any(inserts)
}

/// Looks at the lists of histories of `operations` operations at `replicas` replicas until one is wrong.
/// `progress` is told how many histories there were, and may end it.
pub fn search<T: Op>(
    kind: &T,
    propose: Proposal<'_>,
    replicas: u32,
    operations: usize,
    scope: Scope,
    progress: Progress<'_>,
) -> Report {
    let mut report = Report::default();
    report.look(kind, &super::runs::two_rounds());
    each_history(kind, propose, (replicas, operations), scope, &mut |history| {
        report.look(kind, history);
        let on = progress(report.histories);
        if report.failure.is_some() { ControlFlow::Break(()) } else { on }
    });
    report
}

impl Report {
    fn look<T: Op>(&mut self, kind: &T, history: &History) {
        if self.failure.is_some() {
            return;
        }
        self.histories += 1;
        match judge(kind, history) {
            Ok(lists) => self.lists += lists,
            Err(found) => self.failure = Some(smallest(kind, *found)),
        }
    }
}

/// Judges the lists of one history. Returns how many there were. Errors: those that are wrong.
pub fn judge<T: Op>(kind: &T, history: &History) -> Result<u64, Box<Found>> {
    let history = named(history);
    // An operation that makes no sense where others were made is no history.
    let Ok(events) = history::events(kind, &history) else { return Ok(0) };
    let mut judged =
        Judged { acts: Vec::new(), history: &history, told: Vec::new(), lists: Lists::default() };
    for (at, step) in history.0.iter().enumerate() {
        let Some((before, after)) = around(kind, &events, at) else { return Ok(0) };
        judged.acts.push(Act::of(&step.operation, step.dot, &before));
        let mut clock = step.past.clone();
        clock.advance(step.dot);
        let inserts = match &judged.acts[at] {
            Act::Insert(element, index) => Some((element.clone(), *index)),
            _ => None,
        };
        judged.take(format!("at its origin after {}", step.dot), &clock, &after, inserts)?;
    }
    let mut draw = Draw(0);
    for number in 0..ORDERS {
        let mut state = kind.initial();
        let (mut clock, mut order) = (Clock::new(), Vec::new());
        while order.len() < events.len() {
            let ready = events
                .iter()
                .filter(|event| !clock.covers(event.stamp.dot) && clock.covers_all(&event.past));
            let ready: Vec<_> = ready.collect();
            // The order of the history, and one that is hardly like it; then any.
            let event = match number {
                0 => ready[0],
                1 => ready[ready.len() - 1],
                _ => draw.pick(&ready),
            };
            // What an honest replica sent and another refuses is seen by the sweep.
            let Ok(()) = kind.effect(&mut state, event.at(), &event.message) else { return Ok(0) };
            clock.advance(event.stamp.dot);
            order.push(event.stamp.dot.to_string());
            let Some(list) = elements(&kind.value(&state)) else { return Ok(0) };
            judged.take(format!("after {}", order.join(" ")), &clock, &list, None)?;
        }
    }
    judged.agree()?;
    Ok(judged.lists.len() as u64)
}

/// The same history in which each element is named after the operation that put it in.
fn named(history: &History) -> History {
    let steps = history.0.iter().map(|step| {
        let mut step = step.clone();
        if let Value::Map(parts) = &mut step.operation
            && parts.get("kind") == Some(&Value::from("insert"))
            && let Some(value) = parts.get_mut("value")
        {
            *value = Value::from(step.dot.to_string().as_str());
        }
        step
    });
    History(steps.collect())
}

/// What the origin of an event shows before it and after it; `None`: no list.
fn around<T: Op>(
    kind: &T,
    events: &[Event<T::Message>],
    at: usize,
) -> Option<(Vec<String>, Vec<String>)> {
    let event = &events[at];
    let mut state = kind.initial();
    let seen = events.iter().filter(|other| event.past.covers(other.stamp.dot));
    for other in Log::new(seen).iter() {
        kind.effect(&mut state, other.at(), &other.message).ok()?;
    }
    let before = elements(&kind.value(&state))?;
    kind.effect(&mut state, event.at(), &event.message).ok()?;
    Some((before, elements(&kind.value(&state))?))
}

/// The elements of a list that is shown; `None`: it is none.
fn elements(value: &Value) -> Option<Vec<String>> {
    let element = |value: &Value| match value {
        Value::Text(text) => Some(text.clone()),
        // With its attributes.
        Value::List(parts) => match parts.first() {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    };
    match value {
        Value::List(values) => values.iter().map(element).collect(),
        _ => None,
    }
}

/// What an operation does to a list.
enum Act {
    /// Puts this in at this index.
    Insert(String, usize),
    /// Takes these away.
    Delete(Vec<String>),
    /// Takes these away, and what is put between them concurrently.
    Clear(Vec<String>),
    /// Turns it round.
    Turn,
    /// Something that is no matter of order.
    Other,
}

impl Act {
    /// What `operation` does to the list `before`.
    fn of(operation: &Value, dot: Dot, before: &[String]) -> Self {
        let index = |key: &str| match operation.get(key) {
            Some(Value::Int(index)) => usize::try_from(*index).unwrap_or(usize::MAX),
            _ => usize::MAX,
        };
        let Some(Value::Text(kind)) = operation.get("kind") else { return Self::Other };
        match kind.as_str() {
            "insert" => Self::Insert(dot.to_string(), index("index")),
            "delete" => Self::Delete(before.get(index("index")).cloned().into_iter().collect()),
            "range_remove" => {
                let range = before.get(index("start")..=index("end").min(before.len() - 1));
                Self::Clear(range.unwrap_or_default().to_vec())
            }
            "reverse" => Self::Turn,
            _ => Self::Other,
        }
    }
}

struct Judged<'a> {
    history: &'a History,
    /// What each operation does, as far as judged.
    acts: Vec<Act>,
    lists: Lists<String>,
    /// Who returned each list.
    told: Vec<String>,
}

impl Judged<'_> {
    /// Judges a list that was returned where `clock` is visible.
    fn take(
        &mut self,
        told: String,
        clock: &Clock,
        shown: &[String],
        inserts: Option<(String, usize)>,
    ) -> Result<(), Box<Found>> {
        let (mut inserted, mut deleted, mut excused) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut turned = false;
        for (step, act) in self.visible(clock) {
            match act {
                Act::Insert(element, _) => _ = inserted.insert(element.clone()),
                Act::Delete(elements) => deleted.extend(elements.iter().cloned()),
                Act::Clear(elements) => {
                    deleted.extend(elements.iter().cloned());
                    let concurrent = self.visible(clock).filter(|(other, _)| {
                        !step.past.covers(other.dot) && !other.past.covers(step.dot)
                    });
                    excused.extend(concurrent.map(|(other, _)| other.dot.to_string()));
                }
                Act::Turn => turned = !turned,
                Act::Other => {}
            }
        }
        // The one order is that of the list as it would be had nobody turned it.
        let mut list = shown.to_vec();
        let mut inserts = inserts;
        if turned {
            list.reverse();
            let last = list.len().saturating_sub(1);
            inserts = inserts.map(|(element, index)| (element, last - index.min(last)));
        }
        let returned = Returned {
            list: &list,
            inserted: &inserted,
            deleted: &deleted,
            excused: &excused,
            inserts: inserts.as_ref().map(|(element, index)| (element, *index)),
        };
        match self.lists.take(&returned) {
            Ok(_) => {
                self.told.push(told);
                Ok(())
            }
            Err(flaw) => Err(self.found(flaw, vec![(told, shown.to_vec())])),
        }
    }

    fn visible(&self, clock: &Clock) -> impl Iterator<Item = (&Step, &Act)> {
        let steps = self.history.0.iter().zip(&self.acts);
        steps.filter(move |(step, _)| clock.covers(step.dot))
    }

    fn agree(&self) -> Result<(), Box<Found>> {
        self.lists.agree().map_err(|flaw| {
            let mut lists = Vec::new();
            if let Flaw::Disorder { cycle: Cycle { elements }, .. } = &flaw {
                for (_, list) in elements {
                    lists.push((self.told[*list].clone(), self.lists.list(*list).to_vec()));
                }
            }
            self.found(flaw, lists)
        })
    }

    fn found(&self, flaw: Flaw<String>, lists: Vec<(String, Vec<String>)>) -> Box<Found> {
        let history = self.history.clone();
        Box::new(Found { found_with: history.0.len(), history, flaw, lists })
    }
}

/// `history` without the step `at`, and what stood behind what it put in one place further to the front.
fn closed_up(history: &History, at: usize) -> History {
    let gone = &history.0[at];
    let index = |operation: &Value| match operation.get("index") {
        Some(Value::Int(index)) => Some(*index),
        _ => None,
    };
    let mut moved = history.clone();
    for step in &mut moved.0 {
        let behind = step.past.covers(gone.dot) && index(&step.operation) > index(&gone.operation);
        if let Value::Map(parts) = &mut step.operation
            && let Some(Value::Int(index)) = parts.get_mut("index")
            && behind
        {
            *index -= 1;
        }
    }
    moved.without(at)
}

/// Takes operations away as long as lists are wrong in the same way.
fn smallest<T: Op>(kind: &T, found: Found) -> Found {
    let found_with = found.found_with;
    let mut smallest = found;
    'smaller: loop {
        let history = &smallest.history;
        for at in (0..history.0.len()).rev() {
            for candidate in [history.without(at), closed_up(history, at)] {
                if let Err(still) = judge(kind, &candidate)
                    && std::mem::discriminant(&still.flaw) == std::mem::discriminant(&smallest.flaw)
                {
                    smallest = *still;
                    continue 'smaller;
                }
            }
        }
        return Found { found_with, ..smallest };
    }
}

#[cfg(test)]
mod tests {
    use crdt::{
        catalogue::{self, Listed, Visit},
        types::Ranged,
    };

    use super::{super::planted::ByReceipt, *};
    use crate::replicated::to_the_end;

    const SCOPE: Scope = Scope::Random { histories: 150, seed: 1 };

    struct Searched;

    impl Visit for Searched {
        type Out = Option<Report>;

        fn visit<T: Listed>(self, kind: T) -> Option<Report> {
            let propose = |value: &Value, draw: &mut Draw| kind.proposal(value, draw);
            let start = kind.value(&kind.initial());
            is_list(&propose, &start)
                .then(|| search(&kind, &propose, 4, 10, SCOPE, &mut to_the_end))
        }
    }

    #[test]
    fn every_list_of_the_catalogue_keeps_the_strong_specification() {
        let mut lists = Vec::new();
        for (name, _) in catalogue::LIST {
            let Some(report) = catalogue::visit(name, &Value::Null, Searched).unwrap() else {
                continue;
            };
            assert!(report.failure.is_none(), "{name}: {:?}", report.failure);
            assert_eq!(report.histories, 151);
            assert!(report.lists > 10_000, "{name}: {}", report.lists);
            lists.push(*name);
        }
        assert_eq!(lists, ["list_reverse", "list_range_remove", "rich_text"]);
    }

    #[test]
    fn a_tie_that_is_broken_by_receipt_is_found_and_made_small() {
        let propose = |value: &Value, draw: &mut Draw| Ranged.proposal(value, draw);
        let only_lists = |value: &Value, draw: &mut Draw| loop {
            let operation = propose(value, draw);
            if operation.get("kind") != Some(&Value::from("range_remove")) {
                break operation;
            }
        };
        let report = search(&ByReceipt, &only_lists, 3, 8, SCOPE, &mut to_the_end);
        let found = report.failure.expect("it is found");
        let Flaw::Disorder { cycle, weak: false } = &found.flaw else { panic!("{:?}", found.flaw) };
        assert_eq!((found.history.0.len(), cycle.elements.len(), found.lists.len()), (2, 2, 2));
    }
}
