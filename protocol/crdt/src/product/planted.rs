//! The semidirect product as it is got wrong: what checkers must find. For tests of checkers alone.

use super::{Acting, Product, Semidirect};
use crate::{At, Clock, Log, Op, Refused, Stamp, Value};

/// A way to get a semidirect product wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// The history acts in ascending order of classes and is kept as it was sent, as a published library does
    /// it. Replicas diverge from three classes on.
    Ascending,
    /// Every message of the history acts, not the concurrent ones alone. Replicas converge, on nonsense.
    ActsWithAll,
    /// Nothing acts.
    NoAction,
    /// A message leaves the history as soon as one that follows it arrives.
    ForgetsEarly,
    /// The history is not acted on by what arrives later.
    KeepsOriginals,
    /// A message is acted on by earlier ones of its own origin, which it follows.
    OwnAct,
    /// The last message of each origin that was seen counts as one that was not.
    OffByOne,
    /// Every message is carried out twice.
    Twice,
    /// The state is moved, by an upgrade or to another node, and its history is left behind.
    MovesWithoutHistory,
}

impl Bug {
    /// Every bug, by name.
    pub const ALL: [(&'static str, Self); 9] = [
        ("ascending", Self::Ascending),
        ("acts-with-all", Self::ActsWithAll),
        ("no-action", Self::NoAction),
        ("forgets-early", Self::ForgetsEarly),
        ("keeps-originals", Self::KeepsOriginals),
        ("own-act", Self::OwnAct),
        ("off-by-one", Self::OffByOne),
        ("twice", Self::Twice),
        ("moves-without-history", Self::MovesWithoutHistory),
    ];
}

/// How many messages are in the history when the state is moved.
const MOVED_AT: usize = 2;

/// A semidirect product with a bug.
#[derive(Clone, Debug)]
pub struct Planted<T> {
    /// The type.
    pub kind: T,
    /// What is wrong.
    pub bug: Bug,
}

impl<T: Semidirect> Planted<T> {
    /// `message` as the history leaves it, wrongly.
    fn acted(
        &self,
        history: &[Vec<(Stamp, T::Message)>],
        at: At<'_>,
        message: &T::Message,
    ) -> Option<T::Message> {
        let class = self.kind.class(message);
        let mut classes: Vec<_> = history[class..].iter().rev().collect();
        if self.bug == Bug::Ascending {
            classes.reverse();
        }
        let concerned = |stamp: Stamp| match self.bug {
            Bug::NoAction => false,
            Bug::ActsWithAll => true,
            Bug::OwnAct if stamp.dot.origin == at.stamp.dot.origin => true,
            Bug::OffByOne => stamp.dot.seq >= at.past.get(stamp.dot.origin),
            _ => !at.past.covers(stamp.dot),
        };
        let mut acting = classes.into_iter().flatten().filter(|(stamp, _)| concerned(*stamp));
        acting.try_fold(message.clone(), |left, (stamp, by)| {
            self.kind.act((*stamp, by), (at.stamp, left))
        })
    }
}

impl<T: Semidirect + Clone> Op for Planted<T> {
    type Operation = T::Operation;
    type Message = T::Message;
    type State = Acting<T::State, T::Message>;

    fn initial(&self) -> Self::State {
        Product(self.kind.clone()).initial()
    }

    fn prepare(
        &self,
        state: &Self::State,
        operation: &T::Operation,
        stamp: Stamp,
    ) -> Result<T::Message, Refused> {
        self.kind.prepare(&state.state, operation, stamp)
    }

    fn effect(
        &self,
        state: &mut Self::State,
        at: At<'_>,
        message: &T::Message,
    ) -> Result<(), Refused> {
        self.kind.admit(&state.state, message)?;
        self.kind.owns(at.stamp, message)?;
        let Some(left) = self.acted(&state.history, at, message) else { return Ok(()) };
        for _ in 0..if self.bug == Bug::Twice { 2 } else { 1 } {
            self.kind.apply(&mut state.state, at.stamp, &left);
        }
        let class = self.kind.class(&left);
        if self.bug != Bug::KeepsOriginals && self.bug != Bug::NoAction {
            for entries in &mut state.history[..class.saturating_sub(1)] {
                let acted = |(stamp, entry): (Stamp, T::Message)| {
                    Some((stamp, self.kind.act((at.stamp, &left), (stamp, entry))?))
                };
                *entries = std::mem::take(entries).into_iter().filter_map(acted).collect();
            }
        }
        if self.bug == Bug::ForgetsEarly {
            for entries in &mut state.history {
                entries.retain(|(stamp, _)| !at.past.covers(stamp.dot));
            }
        }
        if self.bug == Bug::MovesWithoutHistory && state.kept() == MOVED_AT {
            state.history.iter_mut().for_each(Vec::clear);
        }
        if let Some(above) = class.checked_sub(1) {
            let kept = if self.bug == Bug::Ascending { message.clone() } else { left };
            let entries = &mut state.history[above];
            let place = entries.partition_point(|(stamp, _)| *stamp < at.stamp);
            entries.insert(place, (at.stamp, kept));
        }
        Ok(())
    }

    fn value(&self, state: &Self::State) -> Value {
        self.kind.value(&state.state)
    }

    fn forget(&self, state: &mut Self::State, stable: &Clock) {
        Product(self.kind.clone()).forget(state, stable);
    }

    fn meaning(&self, log: &Log<'_, T::Message>) -> Value {
        super::closed_form(&self.kind, log)
    }

    fn parse(&self, operation: &Value) -> Result<T::Operation, Refused> {
        self.kind.parse(operation)
    }
}
