//! A state-based type whose replicas send each other the deltas of what they do: an operation-based one.

use super::{Join, Lattice};
use crate::{At, Clock, Event, Log, Op, Refused, Stamp, Value};

/// A state-based type, by deltas in causal order.
#[derive(Clone, Debug)]
pub struct Deltas<T>(pub T);

/// A delta, and what it came of.
#[derive(Clone, Debug, PartialEq)]
pub struct Done<O, S> {
    /// What was done. Nobody needs it but the judge.
    pub operation: O,
    /// What it takes to do it.
    pub delta: S,
}

impl<T: Join> Op for Deltas<T> {
    type Operation = T::Operation;
    type Message = Done<T::Operation, T::State>;
    type State = T::State;

    fn initial(&self) -> T::State {
        T::State::default()
    }

    fn prepare(
        &self,
        state: &T::State,
        operation: &T::Operation,
        stamp: Stamp,
    ) -> Result<Self::Message, Refused> {
        let delta = self.0.delta(state, operation, stamp.dot.origin)?;
        Ok(Done { operation: operation.clone(), delta })
    }

    fn effect(
        &self,
        state: &mut T::State,
        _: At<'_>,
        message: &Self::Message,
    ) -> Result<(), Refused> {
        state.join(&message.delta);
        Ok(())
    }

    fn value(&self, state: &T::State) -> Value {
        self.0.value(state)
    }

    /// Nothing is kept for others: what a state knows of is part of it.
    fn forget(&self, _: &mut T::State, _: &Clock) {}

    fn meaning(&self, log: &Log<'_, Self::Message>) -> Value {
        let operations = log.iter().map(|event| {
            let message = event.message.operation.clone();
            Event { stamp: event.stamp, past: event.past.clone(), message }
        });
        let operations: Vec<_> = operations.collect();
        self.0.meaning(&Log::new(&operations))
    }

    fn parse(&self, operation: &Value) -> Result<T::Operation, Refused> {
        self.0.parse(operation)
    }
}
