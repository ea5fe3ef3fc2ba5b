//! What may be forgotten (C10): a replica that forgets what is stable shows at every step what its shadow
//! shows that forgets nothing.

use crdt::{Clock, Dot, Event, Op, Origin, catalogue::Draw};

use super::{Broken, Law, Tried, cases, term};
use crate::replicated::{
    Progress,
    history::{self, History, Proposal},
};

const STABLE: Law =
    Law { name: "stable", says: "what is stable is in the past of all that comes later (C10)" };
const COLLECTION: Law = Law {
    name: "collection",
    says: "who forgets what is stable shows what a shadow shows that never forgets (C10)",
};

/// Orders in which a history is delivered.
const ORDERS: u64 = 4;

/// What is taken to be stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stability {
    /// What all replicas are known to have seen.
    OfAll,
    /// What some other replica is known to have seen: too early. For tests of this check alone.
    OfSomebody,
}

/// Tries on `count` histories whether `forget` forgets what is missed later. `progress` is told how many
/// there were, and may end it.
pub fn of_collection<T: Op>(
    kind: &T,
    propose: Proposal<'_>,
    (replicas, operations): (u32, usize),
    (count, seed): (u64, u64),
    stability: Stability,
    progress: Progress<'_>,
) -> Tried {
    let check = |history: &History, tried: &mut Tried| match history::events(kind, history) {
        Ok(events) => (0..ORDERS)
            .try_for_each(|order| shadowed(kind, &events, stability, &mut Draw(order), tried)),
        // Steps were taken away that others needed.
        Err(_) => Ok(()),
    };
    let draw = |draw: &mut Draw| history::random(kind, propose, replicas, operations, draw);
    cases(count, seed, progress, draw, History::smaller, check, History::told)
}

/// Delivers `events` in some order to two copies, of which one forgets what is stable after every step.
fn shadowed<T: Op>(
    kind: &T,
    events: &[Event<T::Message>],
    stability: Stability,
    draw: &mut Draw,
    tried: &mut Tried,
) -> Result<(), Box<Broken>> {
    let (mut keeps, mut forgets) = (kind.initial(), kind.initial());
    let (mut clock, mut known) = (Clock::new(), Clock::new());
    let mut order = Vec::new();
    while let Some(event) = ready(events, &clock, draw) {
        order.push(event.stamp.dot.to_string());
        if stability == Stability::OfAll {
            tried.law(STABLE, event.past.covers_all(&known), || {
                vec![("delivered".into(), order.join(" ")), term("stable", &known)]
            })?;
        }
        let kept = kind.effect(&mut keeps, event.at(), &event.message);
        let forgotten = kind.effect(&mut forgets, event.at(), &event.message);
        clock.advance(event.stamp.dot);
        let (value, shadow) = (kind.value(&forgets), kind.value(&keeps));
        tried.law(COLLECTION, value == shadow && kept == forgotten, || {
            vec![
                ("delivered".into(), order.join(" ")),
                ("shows".into(), value.to_string()),
                ("its shadow".into(), shadow.to_string()),
            ]
        })?;
        known = stable(events, &clock, stability);
        kind.forget(&mut forgets, &known);
    }
    Ok(())
}

/// Some event that can be delivered next, if there is any.
fn ready<'a, M>(events: &'a [Event<M>], clock: &Clock, draw: &mut Draw) -> Option<&'a Event<M>> {
    let can = |event: &&Event<M>| !clock.covers(event.stamp.dot) && clock.covers_all(&event.past);
    let ready: Vec<_> = events.iter().filter(can).collect();
    if ready.is_empty() { None } else { Some(draw.pick(&ready)) }
}

/// What somebody who has delivered `clock` knows that all replicas of the history have seen: of each what its
/// last delivered message had seen, for what it sends next has seen that too.
fn stable<M>(events: &[Event<M>], clock: &Clock, stability: Stability) -> Clock {
    let mut origins: Vec<Origin> = events.iter().map(|event| event.stamp.dot.origin).collect();
    origins.sort_unstable();
    origins.dedup();
    let row = |origin: &Origin| {
        let dot = Dot { origin: *origin, seq: clock.get(*origin) };
        let event = events.iter().find(|event| event.stamp.dot == dot)?;
        let mut seen = event.past.clone();
        seen.advance(dot);
        Some(seen)
    };
    let rows: Vec<Clock> = origins.iter().map(|origin| row(origin).unwrap_or_default()).collect();
    let mut stable = Clock::new();
    for origin in &origins {
        let seen = rows.iter().map(|row| row.get(*origin));
        let seq = match stability {
            Stability::OfAll => seen.min(),
            // Its own row does not count: of oneself everybody has seen everything.
            Stability::OfSomebody => {
                let others = origins.iter().zip(seen).filter(|(of, _)| *of != origin);
                others.map(|(_, seq)| seq).max()
            }
        };
        if let Some(seq @ 1..) = seq {
            stable.advance(Dot { origin: *origin, seq });
        }
    }
    stable
}
