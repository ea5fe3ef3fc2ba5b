//! A map of causal types under one context: what is removed is what was seen, and concurrent updates
//! survive.
//!
//! A key is there as long as its value has something. Removing a key takes away all that its value was seen to
//! have; an update concurrent to that stays, and it alone. Values may be maps themselves.
//! Source: "Delta State Replicated Data Types", section 7.4.

use std::collections::BTreeMap;

use super::{Causal, Causally, Context, DotMap, Store};
use crate::{Event, Log, Origin, Refused, Value, op::Reader};

/// A map from names to values of the type `T`.
#[derive(Clone, Copy, Debug)]
pub struct OrMap<T>(pub T);

/// What is done to an [`OrMap`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrMapOp<O> {
    /// Does this to the value of a key.
    Update(String, O),
    /// Takes a key away.
    Remove(String),
    /// Takes all keys away.
    Clear,
}

use OrMapOp::{Clear, Remove, Update};

impl<T: Causally> Causally for OrMap<T> {
    type Operation = OrMapOp<T::Operation>;
    type Store = DotMap<String, T::Store>;

    fn delta(
        &self,
        store: &Self::Store,
        context: &Context,
        operation: &Self::Operation,
        by: Origin,
    ) -> Result<Causal<Self::Store>, Refused> {
        let gone =
            |dots: Vec<_>| Causal { store: DotMap::default(), context: dots.into_iter().collect() };
        Ok(match operation {
            Update(key, operation) => {
                let nothing = T::Store::default();
                let value = store.0.get(key).unwrap_or(&nothing);
                let delta = self.0.delta(value, context, operation, by)?;
                let entry = (!delta.store.is_empty()).then(|| (key.clone(), delta.store));
                Causal { store: DotMap(entry.into_iter().collect()), context: delta.context }
            }
            Remove(key) => gone(store.0.get(key).map(Store::dots).unwrap_or_default()),
            Clear => gone(store.dots()),
        })
    }

    fn mutate(
        &self,
        store: &mut Self::Store,
        context: &mut Context,
        operation: &Self::Operation,
        by: Origin,
    ) -> Result<(), Refused> {
        match operation {
            Update(key, operation) => {
                let mut value = store.0.get(key).cloned().unwrap_or_default();
                self.0.mutate(&mut value, context, operation, by)?;
                if value.is_empty() {
                    store.0.remove(key);
                } else {
                    store.0.insert(key.clone(), value);
                }
            }
            Remove(key) => _ = store.0.remove(key),
            Clear => store.0.clear(),
        }
        Ok(())
    }

    fn value(&self, store: &Self::Store) -> Value {
        Value::map(store.0.iter().map(|(key, value)| (key.clone(), self.0.value(value))))
    }

    fn meaning(&self, log: &Log<'_, Self::Operation>) -> Value {
        let mut updates: BTreeMap<&String, Vec<Event<T::Operation>>> = BTreeMap::new();
        for event in log.iter() {
            let Update(key, operation) = &event.message else { continue };
            let removes = |other: &&Event<_>| match &other.message {
                Update(..) => false,
                Remove(of) => of == key,
                Clear => true,
            };
            if !log.iter().filter(removes).any(|other| event.precedes(other)) {
                let message = operation.clone();
                let inner = Event { stamp: event.stamp, past: event.past.clone(), message };
                updates.entry(key).or_default().push(inner);
            }
        }
        let nothing = self.0.value(&T::Store::default());
        let values =
            updates.into_iter().map(|(key, inner)| (key, self.0.meaning(&Log::new(&inner))));
        Value::map(
            values.filter(|(_, value)| *value != nothing).map(|(key, value)| (key.clone(), value)),
        )
    }

    fn parse(&self, operation: &Value) -> Result<Self::Operation, Refused> {
        let read = Reader(operation);
        match read.kind() {
            "update" => Ok(Update(read.text("key")?, self.0.parse(&read.value("op")?)?)),
            "remove" => Ok(Remove(read.text("key")?)),
            "clear" => Ok(Clear),
            _ => read.unknown("an operation `update`, `remove` or `clear`"),
        }
    }
}
