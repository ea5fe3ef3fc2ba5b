//! Counters: each replica counts for itself, and the greater count of each is the later one.

use std::collections::BTreeMap;

use super::{Join, Max};
use crate::{Log, Origin, Refused, Value, op::Reader};

/// A counter that grows.
#[derive(Clone, Copy, Debug)]
pub struct GCounter;

/// A counter that grows and shrinks: one of what was added, one of what was taken away.
#[derive(Clone, Copy, Debug)]
pub struct PnCounter;

/// By replica, how much; no replica stands for nothing.
type Counts = BTreeMap<Origin, Max>;

fn total(counts: &Counts) -> i128 {
    counts.values().map(|count| i128::from(count.0)).sum()
}

/// `by` counts up. Errors: [`Refused::Meaningless`] beyond 64 bits, which could not be told from less.
fn counted(counts: &Counts, by: Origin, amount: u64) -> Result<Counts, Refused> {
    let count = counts.get(&by).map_or(0, |count| count.0);
    let overflow = "a replica counts up to 2^64 - 1";
    let refused = || Refused::Meaningless(i64::try_from(amount).unwrap_or(i64::MAX), overflow);
    let count = count.checked_add(amount).ok_or_else(refused)?;
    Ok(if amount == 0 { Counts::new() } else { Counts::from([(by, Max(count))]) })
}

/// `by` counts up in place.
fn count(counts: &mut Counts, by: Origin, amount: u64) -> Result<(), Refused> {
    counts.append(&mut counted(counts, by, amount)?);
    Ok(())
}

impl Join for GCounter {
    type Operation = u64;
    type State = BTreeMap<Origin, Max>;

    fn delta(&self, state: &Counts, amount: &u64, by: Origin) -> Result<Counts, Refused> {
        counted(state, by, *amount)
    }

    fn mutate(&self, state: &mut Counts, amount: &u64, by: Origin) -> Result<(), Refused> {
        count(state, by, *amount)
    }

    fn value(&self, state: &Counts) -> Value {
        Value::Int(total(state))
    }

    fn may_follow(&self, before: &Value, after: &Value) -> bool {
        before <= after
    }

    fn meaning(&self, log: &Log<'_, u64>) -> Value {
        Value::Int(log.iter().map(|event| i128::from(event.message)).sum())
    }

    fn parse(&self, operation: &Value) -> Result<u64, Refused> {
        let read = Reader(operation);
        let amount = match read.kind() {
            "add" => read.int("arg")?,
            _ => return read.unknown("an operation `add`"),
        };
        u64::try_from(amount).map_err(|_| Refused::Meaningless(amount, "this counter only grows"))
    }
}

impl Join for PnCounter {
    type Operation = i64;
    type State = (BTreeMap<Origin, Max>, BTreeMap<Origin, Max>);

    fn delta(
        &self,
        state: &Self::State,
        by_how_much: &i64,
        by: Origin,
    ) -> Result<Self::State, Refused> {
        let amount = by_how_much.unsigned_abs();
        Ok(if *by_how_much >= 0 {
            (counted(&state.0, by, amount)?, Counts::new())
        } else {
            (Counts::new(), counted(&state.1, by, amount)?)
        })
    }

    fn mutate(
        &self,
        state: &mut Self::State,
        by_how_much: &i64,
        by: Origin,
    ) -> Result<(), Refused> {
        let counts = if *by_how_much >= 0 { &mut state.0 } else { &mut state.1 };
        count(counts, by, by_how_much.unsigned_abs())
    }

    fn value(&self, state: &Self::State) -> Value {
        Value::Int(total(&state.0) - total(&state.1))
    }

    fn meaning(&self, log: &Log<'_, i64>) -> Value {
        Value::Int(log.iter().map(|event| i128::from(event.message)).sum())
    }

    fn parse(&self, operation: &Value) -> Result<i64, Refused> {
        let read = Reader(operation);
        match read.kind() {
            "add" => read.int("arg"),
            _ => read.unknown("an operation `add`"),
        }
    }
}
