//! Resets of any type: one that undoes what it saw, and one that wins over all that did not see it.
//!
//! The observed reset is a semidirect product in which operations act on concurrent resets: a reset
//! carries the operations that it must play again, `op ▷ reset(list) = reset(list + op)`. The winning one is
//! the other way round: a reset leaves nothing of a concurrent operation.

use crate::{At, Clock, Event, Log, Op, Refused, Stamp, Value, op::Reader};

/// A type that can be reset; what is concurrent to a reset survives it.
#[derive(Clone, Debug)]
pub struct ObservedReset<T> {
    /// The type as it starts.
    pub inner: T,
    /// The type as it starts over.
    pub after: T,
    /// What the operation is called.
    pub name: &'static str,
}

/// A type that can be reset; nothing survives that is not after every reset.
#[derive(Clone, Debug)]
pub struct ResetWins<T> {
    /// The type as it starts.
    pub inner: T,
    /// The type as it starts over.
    pub after: T,
    /// What the operation is called.
    pub name: &'static str,
}

/// What is done to a type that can be reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetOp<O> {
    /// What the type itself can do.
    Inner(O),
    /// Start over.
    Reset,
}

use ResetOp::{Inner, Reset};

/// The state of an [`ObservedReset`].
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed<S, M> {
    state: S,
    /// Operations that no reset has seen, and so may be concurrent to one that comes; causes first.
    unseen: Vec<Event<M>>,
}

impl<T: Op> Op for ObservedReset<T> {
    type Operation = ResetOp<T::Operation>;
    type Message = ResetOp<T::Message>;
    type State = Replayed<T::State, T::Message>;

    fn initial(&self) -> Self::State {
        Replayed { state: self.inner.initial(), unseen: Vec::new() }
    }

    fn prepare(
        &self,
        state: &Self::State,
        operation: &Self::Operation,
        stamp: Stamp,
    ) -> Result<Self::Message, Refused> {
        prepare(&self.inner, &state.state, operation, stamp)
    }

    fn effect(
        &self,
        state: &mut Self::State,
        at: At<'_>,
        message: &Self::Message,
    ) -> Result<(), Refused> {
        match message {
            Inner(message) => {
                self.inner.effect(&mut state.state, at, message)?;
                let place = state.unseen.partition_point(|event| event.stamp < at.stamp);
                let event =
                    Event { stamp: at.stamp, past: at.past.clone(), message: message.clone() };
                state.unseen.insert(place, event);
            }
            Reset => {
                state.unseen.retain(|event| !at.past.covers(event.stamp.dot));
                state.state = self.after.initial();
                for event in &state.unseen {
                    // What an element that is gone was asked for is gone with it.
                    let _ = self.after.effect(&mut state.state, event.at(), &event.message);
                }
            }
        }
        Ok(())
    }

    fn value(&self, state: &Self::State) -> Value {
        self.inner.value(&state.state)
    }

    fn forget(&self, state: &mut Self::State, stable: &Clock) {
        state.unseen.retain(|event| !stable.covers(event.stamp.dot));
        self.inner.forget(&mut state.state, stable);
    }

    fn meaning(&self, log: &Log<'_, Self::Message>) -> Value {
        let is_reset = |event: &&Event<_>| matches!(event.message, Reset);
        let resets: Vec<_> = log.iter().filter(is_reset).collect();
        let seen = |event: &Event<_>| resets.iter().any(|reset| event.precedes(*reset));
        let kind = if resets.is_empty() { &self.inner } else { &self.after };
        meaning_of_rest(kind, log, |event| !seen(event))
    }

    fn parse(&self, operation: &Value) -> Result<Self::Operation, Refused> {
        parse(self.name, &self.inner, operation)
    }
}

/// The state of a [`ResetWins`].
#[derive(Clone, Debug, PartialEq)]
pub struct Guarded<S> {
    state: S,
    /// Resets that operations may come concurrently to, causes first.
    resets: Vec<Stamp>,
}

impl<T: Op> Op for ResetWins<T> {
    type Operation = ResetOp<T::Operation>;
    type Message = ResetOp<T::Message>;
    type State = Guarded<T::State>;

    fn initial(&self) -> Self::State {
        Guarded { state: self.inner.initial(), resets: Vec::new() }
    }

    fn prepare(
        &self,
        state: &Self::State,
        operation: &Self::Operation,
        stamp: Stamp,
    ) -> Result<Self::Message, Refused> {
        prepare(&self.inner, &state.state, operation, stamp)
    }

    fn effect(
        &self,
        state: &mut Self::State,
        at: At<'_>,
        message: &Self::Message,
    ) -> Result<(), Refused> {
        match message {
            Inner(message) => {
                if state.resets.iter().all(|reset| at.past.covers(reset.dot)) {
                    self.inner.effect(&mut state.state, at, message)?;
                }
            }
            Reset => {
                state.state = self.after.initial();
                let place = state.resets.partition_point(|stamp| *stamp < at.stamp);
                state.resets.insert(place, at.stamp);
            }
        }
        Ok(())
    }

    fn value(&self, state: &Self::State) -> Value {
        self.inner.value(&state.state)
    }

    fn forget(&self, state: &mut Self::State, stable: &Clock) {
        state.resets.retain(|stamp| !stable.covers(stamp.dot));
        self.inner.forget(&mut state.state, stable);
    }

    fn meaning(&self, log: &Log<'_, Self::Message>) -> Value {
        let is_reset = |event: &&Event<_>| matches!(event.message, Reset);
        let resets: Vec<_> = log.iter().filter(is_reset).collect();
        let kind = if resets.is_empty() { &self.inner } else { &self.after };
        meaning_of_rest(kind, log, |event| resets.iter().all(|reset| reset.precedes(event)))
    }

    fn parse(&self, operation: &Value) -> Result<Self::Operation, Refused> {
        parse(self.name, &self.inner, operation)
    }
}

/// What the operations of the inner type mean that `survives` says survive.
fn meaning_of_rest<T: Op>(
    kind: &T,
    log: &Log<'_, ResetOp<T::Message>>,
    mut survives: impl FnMut(&Event<ResetOp<T::Message>>) -> bool,
) -> Value {
    let inner = log.iter().filter(|event| survives(event)).filter_map(|event| {
        let Inner(message) = &event.message else { return None };
        Some(Event { stamp: event.stamp, past: event.past.clone(), message: message.clone() })
    });
    let inner: Vec<_> = inner.collect();
    kind.meaning(&Log::new(&inner))
}

/// The message of `operation`: a reset is its own, and needs no state.
fn prepare<T: Op>(
    inner: &T,
    state: &T::State,
    operation: &ResetOp<T::Operation>,
    stamp: Stamp,
) -> Result<ResetOp<T::Message>, Refused> {
    match operation {
        Inner(operation) => Ok(Inner(inner.prepare(state, operation, stamp)?)),
        Reset => Ok(Reset),
    }
}

fn parse<T: Op>(
    name: &str,
    inner: &T,
    operation: &Value,
) -> Result<ResetOp<T::Operation>, Refused> {
    if Reader(operation).kind() == name {
        return Ok(Reset);
    }
    inner.parse(operation).map(Inner)
}
