//! A list that is wrong: what is put in at one place concurrently stands in the order in which it came.

use crdt::{At, Clock, Dot, Log, Op, Refused, Stamp, Value};

/// A list whose concurrent neighbours stand in the order of receipt, the latest first.
#[derive(Clone, Copy, Debug)]
pub struct ByReceipt;

/// What is done to a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Puts an element behind another; `None`: at the front.
    Insert(Option<Dot>, String),
    /// Takes an element away.
    Delete(Dot),
}

/// An element; a deleted one has no value and stays, for others may stand behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    dot: Dot,
    value: Option<String>,
}

impl Op for ByReceipt {
    type Operation = Value;
    type Message = Change;
    type State = Vec<Element>;

    fn initial(&self) -> Vec<Element> {
        Vec::new()
    }

    fn prepare(
        &self,
        state: &Vec<Element>,
        operation: &Value,
        _: Stamp,
    ) -> Result<Change, Refused> {
        let seen: Vec<Dot> =
            state.iter().filter(|one| one.value.is_some()).map(|one| one.dot).collect();
        let index = match operation.get("index") {
            Some(Value::Int(index)) => usize::try_from(*index).unwrap_or(usize::MAX),
            _ => usize::MAX,
        };
        let refused = Refused::OutOfRange { index, length: seen.len() };
        match (operation.get("kind"), operation.get("value")) {
            (Some(Value::Text(kind)), Some(Value::Text(value))) if kind == "insert" => {
                let left = index.checked_sub(1).map(|at| seen.get(at).copied().ok_or(refused));
                Ok(Change::Insert(left.transpose()?, value.clone()))
            }
            _ => seen.get(index).map(|dot| Change::Delete(*dot)).ok_or(refused),
        }
    }

    fn effect(
        &self,
        state: &mut Vec<Element>,
        at: At<'_>,
        message: &Change,
    ) -> Result<(), Refused> {
        match message {
            Change::Insert(left, value) => {
                let behind = left.and_then(|left| state.iter().position(|one| one.dot == left));
                let place = behind.map_or(0, |at| at + 1);
                state.insert(place, Element { dot: at.stamp.dot, value: Some(value.clone()) });
            }
            Change::Delete(dot) => {
                state.iter_mut().filter(|one| one.dot == *dot).for_each(|one| one.value = None);
            }
        }
        Ok(())
    }

    fn value(&self, state: &Vec<Element>) -> Value {
        let seen = state.iter().filter_map(|one| one.value.as_deref().map(Value::from));
        Value::List(seen.collect())
    }

    fn forget(&self, _: &mut Vec<Element>, _: &Clock) {}

    /// In the order of stamps, as if that were the order of receipt.
    fn meaning(&self, log: &Log<'_, Change>) -> Value {
        let mut state = self.initial();
        for event in log.iter() {
            // It refuses nothing.
            let _ = self.effect(&mut state, event.at(), &event.message);
        }
        self.value(&state)
    }

    fn parse(&self, operation: &Value) -> Result<Value, Refused> {
        Ok(operation.clone())
    }
}
