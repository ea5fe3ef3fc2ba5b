//! A list of which ranges can be removed: insertions go before concurrent removals of a range that they
//! stand in.

use std::collections::BTreeMap;

use super::{ListOp, Position, at, between, left_of, parse};
use crate::{At, Clock, Log, Op, Refused, Stamp, Value};

/// A list of which ranges can be removed.
#[derive(Clone, Copy, Debug)]
pub struct Ranged;

/// What is done to a [`Ranged`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RangedMessage {
    /// Puts an element there.
    Insert(Position, String),
    /// Takes an element away.
    Delete(Position),
    /// Takes away what stands from one place to another, both included.
    Remove(Position, Position),
}

use RangedMessage::{Delete, Insert, Remove};

/// The state of a [`Ranged`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cleared {
    elements: BTreeMap<Position, String>,
    /// Removals that insertions may come concurrently to, causes first.
    history: Vec<(Stamp, Position, Position)>,
}

impl Op for Ranged {
    type Operation = ListOp;
    type Message = RangedMessage;
    type State = Cleared;

    fn initial(&self) -> Cleared {
        Cleared::default()
    }

    fn prepare(
        &self,
        state: &Cleared,
        operation: &ListOp,
        stamp: Stamp,
    ) -> Result<RangedMessage, Refused> {
        let seen: Vec<_> = state.elements.keys().collect();
        match operation {
            ListOp::Insert(index, value) => {
                let low = left_of(&seen, *index)?;
                let high = seen.get(*index).copied();
                Ok(Insert(Position::between(low.copied(), high, stamp.dot), value.clone()))
            }
            ListOp::Delete(index) => Ok(Delete((*at(&seen, *index)?).clone())),
            ListOp::Remove(first, last) => {
                let range = between(&seen, *first, *last)?;
                Ok(Remove(range[0].clone(), range[range.len() - 1].clone()))
            }
            ListOp::Reverse | ListOp::Format(..) => Err(Refused::Unknown {
                expected: "an operation of a list of which ranges can be removed",
                found: format!("{operation:?}"),
            }),
        }
    }

    fn effect(
        &self,
        state: &mut Cleared,
        at: At<'_>,
        message: &RangedMessage,
    ) -> Result<(), Refused> {
        match message {
            Insert(position, value) => {
                position.is_of(at.stamp.dot)?;
                let removed = state.history.iter().any(|(stamp, first, last)| {
                    !at.past.covers(stamp.dot) && first <= position && position <= last
                });
                if !removed {
                    state.elements.insert(position.clone(), value.clone());
                }
            }
            // Another may have taken it away already.
            Delete(position) => _ = state.elements.remove(position),
            Remove(first, last) => {
                state.elements.retain(|position, _| position < first || last < position);
                let place = state.history.partition_point(|(stamp, ..)| *stamp < at.stamp);
                state.history.insert(place, (at.stamp, first.clone(), last.clone()));
            }
        }
        Ok(())
    }

    fn value(&self, state: &Cleared) -> Value {
        Value::List(state.elements.values().map(|value| Value::from(value.as_str())).collect())
    }

    fn forget(&self, state: &mut Cleared, stable: &Clock) {
        state.history.retain(|(stamp, ..)| !stable.covers(stamp.dot));
    }

    fn meaning(&self, log: &Log<'_, RangedMessage>) -> Value {
        let mut elements = BTreeMap::new();
        for event in log.iter() {
            let Insert(position, value) = &event.message else { continue };
            let gone = log.iter().any(|other| match &other.message {
                Insert(..) => false,
                Delete(of) => of == position,
                Remove(first, last) => {
                    !other.precedes(event) && first <= position && position <= last
                }
            });
            if !gone {
                elements.insert(position, Value::from(value.as_str()));
            }
        }
        Value::List(elements.into_values().collect())
    }

    fn parse(&self, operation: &Value) -> Result<ListOp, Refused> {
        let read = crate::op::Reader(operation);
        match parse(operation)? {
            Some(operation) => Ok(operation),
            None if read.kind() == "range_remove" => {
                Ok(ListOp::Remove(read.index("start")?, read.index("end")?))
            }
            None => read.unknown("an operation `insert`, `delete` or `range_remove`"),
        }
    }
}
