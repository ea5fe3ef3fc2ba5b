//! A map of counters: a key is there where something done to it precedes no deletion of it.
//!
//! Deletion is the observed reset of the key's counter; whatever is done to a key brings it back.

use std::collections::BTreeMap;

use crate::{At, Clock, Dot, Log, Op, Refused, Stamp, Value, op::Reader};

/// A map from names to counters.
#[derive(Clone, Copy, Debug)]
pub struct CounterMap;

/// What is done to a [`CounterMap`]: operation and message alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CounterMapOp {
    /// Puts a key there.
    Touch(String),
    /// Adds to a key's counter.
    Add(String, i64),
    /// Takes a key away.
    Delete(String),
    /// Takes all keys away.
    Clear,
}

use CounterMapOp::{Add, Clear, Delete, Touch};

impl Op for CounterMap {
    type Operation = CounterMapOp;
    type Message = CounterMapOp;
    /// By key: what was added that no deletion has seen.
    type State = BTreeMap<String, BTreeMap<Dot, i64>>;

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn prepare(
        &self,
        _: &Self::State,
        operation: &CounterMapOp,
        _: Stamp,
    ) -> Result<CounterMapOp, Refused> {
        Ok(operation.clone())
    }

    fn effect(
        &self,
        state: &mut Self::State,
        at: At<'_>,
        message: &CounterMapOp,
    ) -> Result<(), Refused> {
        let survives = |added: &mut BTreeMap<Dot, i64>| {
            added.retain(|dot, _| !at.past.covers(*dot));
            !added.is_empty()
        };
        let mut add = |key: &String, by| {
            state.entry(key.clone()).or_default().insert(at.stamp.dot, by);
        };
        match message {
            Touch(key) => add(key, 0),
            Add(key, by) => add(key, *by),
            Delete(key) => {
                if state.get_mut(key).is_some_and(|added| !survives(added)) {
                    state.remove(key);
                }
            }
            Clear => state.retain(|_, added| survives(added)),
        }
        Ok(())
    }

    fn value(&self, state: &Self::State) -> Value {
        let sum =
            |added: &BTreeMap<Dot, i64>| added.values().fold(0i64, |sum, by| sum.wrapping_add(*by));
        Value::map(state.iter().map(|(key, added)| (key.clone(), Value::from(sum(added)))))
    }

    /// What is stable is before every deletion that comes, so its sum is enough.
    fn forget(&self, state: &mut Self::State, stable: &Clock) {
        for added in state.values_mut() {
            let (old, new): (BTreeMap<_, _>, _) =
                std::mem::take(added).into_iter().partition(|(dot, _)| stable.covers(*dot));
            *added = new;
            if let Some((dot, _)) = old.first_key_value() {
                let sum = old.values().fold(0i64, |sum, by| sum.wrapping_add(*by));
                added.insert(*dot, sum);
            }
        }
    }

    fn meaning(&self, log: &Log<'_, CounterMapOp>) -> Value {
        let mut found: BTreeMap<&String, i64> = BTreeMap::new();
        for event in log.iter() {
            let (key, by) = match &event.message {
                Touch(key) => (key, 0),
                Add(key, by) => (key, *by),
                Delete(_) | Clear => continue,
            };
            let seen = log.iter().any(|other| {
                let deletes = match &other.message {
                    Delete(of) => of == key,
                    Clear => true,
                    Touch(_) | Add(..) => false,
                };
                deletes && event.precedes(other)
            });
            if !seen {
                let sum = found.entry(key).or_default();
                *sum = sum.wrapping_add(by);
            }
        }
        Value::map(found.into_iter().map(|(key, sum)| (key.clone(), Value::from(sum))))
    }

    fn parse(&self, operation: &Value) -> Result<CounterMapOp, Refused> {
        let read = Reader(operation);
        match read.kind() {
            "touch" => Ok(Touch(read.text("key")?)),
            "add" => Ok(Add(read.text("key")?, read.int("arg")?)),
            "delete" => Ok(Delete(read.text("key")?)),
            "clear" => Ok(Clear),
            _ => read.unknown("an operation `touch`, `add`, `delete` or `clear`"),
        }
    }
}
