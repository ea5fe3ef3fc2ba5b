//! Laws of every operation-based type: what concurrent messages do, whichever of them comes first.

use crdt::{Clock, Dot, Event, Log, Op, Refused, catalogue::Draw};

use super::{Broken, Law, Tried, cases, term};
use crate::replicated::{
    Progress,
    history::{self, History, Proposal},
};

const COMMUTE: Law =
    Law { name: "commute", says: "concurrent messages leave the same state in either order (C3)" };
const ACCEPTED: Law =
    Law { name: "accepted", says: "an honest message is accepted wherever its past is (L6)" };
const PREPARE: Law = Law {
    name: "prepare",
    says: "where the same was delivered, the same operation is the same message (L6)",
};

/// Tries the laws of an operation-based type on `count` histories. `progress` is told how many there were,
/// and may end it.
pub fn of_effects<T: Op>(
    kind: &T,
    propose: Proposal<'_>,
    (replicas, operations): (u32, usize),
    (count, seed): (u64, u64),
    progress: Progress<'_>,
) -> Tried {
    let check = |history: &History, tried: &mut Tried| match history::events(kind, history) {
        Ok(events) => of_pairs(kind, propose, &events, tried),
        // Steps were taken away that others needed.
        Err(_) => Ok(()),
    };
    let draw = |draw: &mut Draw| history::random(kind, propose, replicas, operations, draw);
    cases(count, seed, progress, draw, History::smaller, check, History::told)
}

/// Every two concurrent events of `events`, at the least state that has both their pasts and at the
/// greatest one without both.
fn of_pairs<T: Op>(
    kind: &T,
    propose: Proposal<'_>,
    events: &[Event<T::Message>],
    tried: &mut Tried,
) -> Result<(), Box<Broken>> {
    for (x, y) in concurrent(events) {
        for set in sets(events, x, y) {
            let before = delivered(kind, &set);
            let Ok(state) = before else {
                let why = before.err();
                return tried.law(ACCEPTED, false, || vec![term("why", &why)]);
            };
            let both = [x, y].map(|first| {
                let second = if first.stamp == x.stamp { y } else { x };
                let mut state = state.clone();
                kind.effect(&mut state, first.at(), &first.message)?;
                kind.effect(&mut state, second.at(), &second.message)?;
                Ok::<_, Refused>(state)
            });
            tried.law(ACCEPTED, both.iter().all(Result::is_ok), || {
                vec![
                    term("state", &state),
                    term("x", &x.message),
                    term("y", &y.message),
                    term("x first", &both[0]),
                    term("y first", &both[1]),
                ]
            })?;
            let [Ok(one), Ok(other)] = both else { continue };
            tried.law(COMMUTE, one == other, || {
                vec![
                    term("state", &state),
                    term("x", &x.message),
                    term("y", &y.message),
                    term("x first", &one),
                    term("y first", &other),
                ]
            })?;
            prepares(kind, propose, (&one, &other), &set, tried)?;
        }
    }
    Ok(())
}

/// What a newcomer who has seen all of it would send.
fn prepares<T: Op>(
    kind: &T,
    propose: Proposal<'_>,
    (one, other): (&T::State, &T::State),
    set: &[&Event<T::Message>],
    tried: &mut Tried,
) -> Result<(), Box<Broken>> {
    let lamport = set.iter().map(|event| event.stamp.lamport + 3).max().unwrap_or(2);
    let stamp = crdt::Stamp { lamport, dot: Dot::new(99, 1) };
    for operation in history::alphabet(propose, &kind.value(one)) {
        let Ok(operation) = kind.parse(&operation) else { continue };
        let messages = [one, other].map(|state| kind.prepare(state, &operation, stamp));
        tried.law(PREPARE, messages[0] == messages[1], || {
            vec![
                term("state", one),
                term("other", other),
                term("operation", &operation),
                term("here", &messages[0]),
                term("there", &messages[1]),
            ]
        })?;
    }
    Ok(())
}

/// Every two events of which neither came before the other.
pub(super) fn concurrent<M>(events: &[Event<M>]) -> impl Iterator<Item = (&Event<M>, &Event<M>)> {
    let pairs = events.iter().enumerate();
    pairs
        .flat_map(move |(at, x)| events[at + 1..].iter().map(move |y| (x, y)))
        .filter(|(x, y)| x.concurrent(*y))
}

/// Two closed sets with all that came before `x` and `y` and without both: the least and the greatest.
pub(super) fn sets<'a, M>(
    events: &'a [Event<M>],
    x: &Event<M>,
    y: &Event<M>,
) -> Vec<Vec<&'a Event<M>>> {
    let mut past: Clock = x.past.clone();
    past.merge(&y.past);
    let least: Vec<_> = events.iter().filter(|event| past.covers(event.stamp.dot)).collect();
    let without = |event: &&Event<M>| {
        [x, y].iter().all(|one| one.stamp != event.stamp && !one.precedes(*event))
    };
    let greatest: Vec<_> = events.iter().filter(without).collect();
    if greatest.len() == least.len() { vec![least] } else { vec![least, greatest] }
}

/// The state after these events, causes first.
pub(super) fn delivered<T: Op>(
    kind: &T,
    events: &[&Event<T::Message>],
) -> Result<T::State, Refused> {
    let mut state = kind.initial();
    for event in Log::new(events.iter().copied()).iter() {
        kind.effect(&mut state, event.at(), &event.message)?;
    }
    Ok(state)
}
