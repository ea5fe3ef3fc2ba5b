//! A map of values of any semidirect product, and operations for each of them.
//!
//! An operation for each reaches every key: additions to a key go before concurrent multiplications of all. It
//! is of an acting class and leaves the value that keys begin with as it is, so that it makes no difference
//! whether a key that nobody has touched is there: such a key is a copy of one that took in all operations for
//! each. Keys stay: removals would need an order of their own. Values nest: what a key holds is a product itself.
//! Source: Weidner et al., "For-Each Operations in Collaborative Apps" (2023), with keys in place of names.

use std::collections::BTreeMap;

use crate::{
    At, Clock, Event, Log, Op, Product, Refused, Semidirect, Stamp, Value, op::Reader,
    product::Acting,
};

/// A map from names to values of the product `T`.
#[derive(Clone, Debug)]
pub struct EachMap<T>(pub T);

/// What is done to an [`EachMap`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EachMapOp<O> {
    /// Does this to the value of one key, which is there from then on.
    Update(String, O),
    /// Does this to the value of every key.
    ForEach(O),
}

use EachMapOp::{ForEach, Update};

/// The state of an [`EachMap`].
#[derive(Clone, Debug, PartialEq)]
pub struct Values<S, M> {
    values: BTreeMap<String, Acting<S, M>>,
    /// What a key is that nobody has touched.
    untouched: Acting<S, M>,
}

impl<T: Semidirect + Clone> EachMap<T> {
    fn product(&self) -> Product<T> {
        Product(self.0.clone())
    }

    /// Whether `message` can be done to all. Errors: it can be told whether a key was there.
    fn reaches_all(&self, stamp: Stamp, message: &T::Message) -> Result<(), Refused> {
        let start = self.0.initial();
        let mut after = start.clone();
        self.0.admit(&start, message)?;
        self.0.apply(&mut after, stamp, message);
        if self.0.class(message) > 0 && after == start {
            return Ok(());
        }
        let expected = "for each, an operation that acts and leaves what keys begin with";
        Err(Refused::Unknown { expected, found: format!("{message:?}") })
    }
}

impl<T: Semidirect + Clone> Op for EachMap<T> {
    type Operation = EachMapOp<T::Operation>;
    type Message = EachMapOp<T::Message>;
    type State = Values<T::State, T::Message>;

    fn initial(&self) -> Self::State {
        Values { values: BTreeMap::new(), untouched: self.product().initial() }
    }

    fn prepare(
        &self,
        state: &Self::State,
        operation: &Self::Operation,
        stamp: Stamp,
    ) -> Result<Self::Message, Refused> {
        match operation {
            Update(key, operation) => {
                let value = state.values.get(key).unwrap_or(&state.untouched);
                Ok(Update(key.clone(), self.0.prepare(&value.state, operation, stamp)?))
            }
            ForEach(operation) => {
                let message = self.0.prepare(&state.untouched.state, operation, stamp)?;
                self.reaches_all(stamp, &message)?;
                Ok(ForEach(message))
            }
        }
    }

    fn effect(
        &self,
        state: &mut Self::State,
        at: At<'_>,
        message: &Self::Message,
    ) -> Result<(), Refused> {
        let product = self.product();
        match message {
            Update(key, message) => {
                let mut value = state.values.get(key).unwrap_or(&state.untouched).clone();
                product.effect(&mut value, at, message)?;
                state.values.insert(key.clone(), value);
            }
            ForEach(message) => {
                self.reaches_all(at.stamp, message)?;
                for value in state.values.values_mut().chain([&mut state.untouched]) {
                    product.effect(value, at, message)?;
                }
            }
        }
        Ok(())
    }

    fn value(&self, state: &Self::State) -> Value {
        let shown = |value: &Acting<T::State, T::Message>| self.0.value(&value.state);
        Value::map(state.values.iter().map(|(key, value)| (key.clone(), shown(value))))
    }

    fn forget(&self, state: &mut Self::State, stable: &Clock) {
        let product = self.product();
        let all = state.values.values_mut().chain([&mut state.untouched]);
        all.for_each(|value| product.forget(value, stable));
    }

    fn meaning(&self, log: &Log<'_, Self::Message>) -> Value {
        let mut found = BTreeMap::new();
        for event in log.iter() {
            let Update(key, _) = &event.message else { continue };
            let reaching = log.iter().filter_map(|event| {
                let message = match &event.message {
                    Update(of, message) if of == key => message.clone(),
                    ForEach(message) => message.clone(),
                    Update(..) => return None,
                };
                Some(Event { stamp: event.stamp, past: event.past.clone(), message })
            });
            let reaching: Vec<_> = reaching.collect();
            found.insert(key.clone(), self.product().meaning(&Log::new(&reaching)));
        }
        Value::Map(found)
    }

    fn parse(&self, operation: &Value) -> Result<Self::Operation, Refused> {
        let read = Reader(operation);
        let inner = || self.0.parse(&read.value("op")?);
        match read.kind() {
            "update" => Ok(Update(read.text("key")?, inner()?)),
            "for_each" => Ok(ForEach(inner()?)),
            _ => read.unknown("an operation `update` or `for_each`"),
        }
    }
}
