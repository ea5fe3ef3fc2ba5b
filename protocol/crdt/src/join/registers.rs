//! Registers: of concurrent writes the latest counts, or all of them.

use std::collections::BTreeMap;

use super::{Causal, Causally, Context, DotFun, Join, Latest};
use crate::{Dot, Event, Log, Origin, Refused, Value, op::Reader};

/// A register of which the write with the greatest time counts, and among equal times that of the greatest
/// replica. A write is later than all that its replica knows of, whatever its clock says.
#[derive(Clone, Copy, Debug)]
pub struct LwwRegister;

/// A write of a [`LwwRegister`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LwwWrite {
    /// What the clock of the replica said.
    pub at: u64,
    /// What is written.
    pub value: Value,
}

/// A time, who wrote, and what.
type Written = (u64, Origin, Value);

/// What `write` leaves after `last`. Errors: [`Refused::Meaningless`] at the end of time.
fn written(last: Option<&Written>, write: &LwwWrite, by: Origin) -> Result<Written, Refused> {
    let next = last.map_or(Some(0), |(time, ..)| time.checked_add(1));
    let next = next.ok_or(Refused::Meaningless(i64::MAX, "no time is left to write at"))?;
    Ok((write.at.max(next), by, write.value.clone()))
}

fn shown(written: Option<&Written>) -> Value {
    written.map_or(Value::Null, |(.., value)| value.clone())
}

impl Join for LwwRegister {
    type Operation = LwwWrite;
    type State = Latest<(u64, Origin, Value)>;

    fn delta(
        &self,
        state: &Self::State,
        write: &LwwWrite,
        by: Origin,
    ) -> Result<Self::State, Refused> {
        Ok(Latest(Some(written(state.0.as_ref(), write, by)?)))
    }

    fn mutate(&self, state: &mut Self::State, write: &LwwWrite, by: Origin) -> Result<(), Refused> {
        state.0 = Some(written(state.0.as_ref(), write, by)?);
        Ok(())
    }

    fn value(&self, state: &Self::State) -> Value {
        shown(state.0.as_ref())
    }

    fn meaning(&self, log: &Log<'_, LwwWrite>) -> Value {
        let mut times: BTreeMap<Dot, Written> = BTreeMap::new();
        for event in log.iter() {
            let seen = times.iter().filter(|(dot, _)| event.past.covers(**dot));
            let last = seen.map(|(_, written)| written).max();
            // Of what was refused nobody has heard.
            if let Ok(new) = written(last, &event.message, event.stamp.dot.origin) {
                times.insert(event.stamp.dot, new);
            }
        }
        shown(times.values().max())
    }

    fn parse(&self, operation: &Value) -> Result<LwwWrite, Refused> {
        let read = Reader(operation);
        match read.kind() {
            "write" => Ok(LwwWrite { at: read.index("at")? as u64, value: read.value("value")? }),
            _ => read.unknown("an operation `write`"),
        }
    }
}

/// A register that shows every write that no other has seen.
#[derive(Clone, Copy, Debug)]
pub struct MvRegister;

impl Causally for MvRegister {
    /// What is written.
    type Operation = Value;
    type Store = DotFun<Value>;

    fn delta(
        &self,
        store: &Self::Store,
        context: &Context,
        value: &Value,
        by: Origin,
    ) -> Result<Causal<Self::Store>, Refused> {
        let new = context.next(by);
        Ok(Causal {
            store: DotFun([(new, value.clone())].into()),
            context: store.0.keys().copied().chain([new]).collect(),
        })
    }

    fn mutate(
        &self,
        store: &mut Self::Store,
        context: &mut Context,
        value: &Value,
        by: Origin,
    ) -> Result<(), Refused> {
        let new = context.next(by);
        context.insert(new);
        store.0.clear();
        store.0.insert(new, value.clone());
        Ok(())
    }

    fn value(&self, store: &Self::Store) -> Value {
        sorted(store.0.values())
    }

    fn meaning(&self, log: &Log<'_, Value>) -> Value {
        let beaten = |event: &Event<_>| log.iter().any(|other| event.precedes(other));
        sorted(log.iter().filter(|event| !beaten(event)).map(|event| &event.message))
    }

    fn parse(&self, operation: &Value) -> Result<Value, Refused> {
        let read = Reader(operation);
        match read.kind() {
            "write" => read.value("value"),
            _ => read.unknown("an operation `write`"),
        }
    }
}

/// By value: who wrote what is not shown.
fn sorted<'a>(values: impl Iterator<Item = &'a Value>) -> Value {
    let mut values: Vec<Value> = values.cloned().collect();
    values.sort();
    Value::List(values)
}
