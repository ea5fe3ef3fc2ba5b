//! A list that can be turned round: insertions go before concurrent reversals.
//!
//! Reversals are a group of two, so elements stay in the frame in which the list began, and a reversal
//! only changes how it is looked at. Then everything commutes: no history and no clocks.
//! Source: the paper's construction for groups; here the group is Z/2.

use std::collections::BTreeMap;

use super::{ListOp, Position, at, parse};
use crate::{At, Clock, Log, Op, Refused, Stamp, Value};

/// A list that can be turned round.
#[derive(Clone, Copy, Debug)]
pub struct Reversible;

/// What is done to a [`Reversible`], in the frame in which it began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReversibleMessage {
    /// Puts an element there.
    Insert(Position, String),
    /// Takes an element away.
    Delete(Position),
    /// Turns the list round.
    Reverse,
}

use ReversibleMessage::{Delete, Insert, Reverse};

/// The state of a [`Reversible`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turned {
    elements: BTreeMap<Position, String>,
    reversed: bool,
}

impl Turned {
    fn seen(&self) -> Vec<(&Position, &String)> {
        if self.reversed {
            self.elements.iter().rev().collect()
        } else {
            self.elements.iter().collect()
        }
    }

    fn value(&self) -> Value {
        let seen = self.seen();
        Value::List(seen.into_iter().map(|(_, value)| Value::from(value.as_str())).collect())
    }
}

impl Op for Reversible {
    type Operation = ListOp;
    type Message = ReversibleMessage;
    type State = Turned;

    fn initial(&self) -> Turned {
        Turned::default()
    }

    fn prepare(
        &self,
        state: &Turned,
        operation: &ListOp,
        stamp: Stamp,
    ) -> Result<ReversibleMessage, Refused> {
        let seen = state.seen();
        match operation {
            ListOp::Insert(index, value) => {
                let before = index.checked_sub(1).map(|index| at(&seen, index)).transpose()?;
                let (before, after) = (
                    before.map(|(position, _)| *position),
                    seen.get(*index).map(|(place, _)| *place),
                );
                let (low, high) = if state.reversed { (after, before) } else { (before, after) };
                Ok(Insert(Position::between(low, high, stamp.dot), value.clone()))
            }
            ListOp::Delete(index) => Ok(Delete(at(&seen, *index)?.0.clone())),
            ListOp::Reverse => Ok(Reverse),
            ListOp::Remove(..) | ListOp::Format(..) => Err(other(operation)),
        }
    }

    fn effect(
        &self,
        state: &mut Turned,
        at: At<'_>,
        message: &ReversibleMessage,
    ) -> Result<(), Refused> {
        match message {
            Insert(position, value) => {
                position.is_of(at.stamp.dot)?;
                state.elements.insert(position.clone(), value.clone());
            }
            // Another may have taken it away already.
            Delete(position) => _ = state.elements.remove(position),
            Reverse => state.reversed = !state.reversed,
        }
        Ok(())
    }

    fn value(&self, state: &Turned) -> Value {
        state.value()
    }

    fn forget(&self, _: &mut Turned, _: &Clock) {}

    fn meaning(&self, log: &Log<'_, ReversibleMessage>) -> Value {
        let deleted = |position: &Position| {
            log.iter().any(|event| matches!(&event.message, Delete(of) if of == position))
        };
        let mut turned = Turned::default();
        for event in log.iter() {
            if let Insert(position, value) = &event.message
                && !deleted(position)
            {
                turned.elements.insert(position.clone(), value.clone());
            }
        }
        turned.reversed = log.iter().filter(|event| event.message == Reverse).count() % 2 == 1;
        turned.value()
    }

    fn parse(&self, operation: &Value) -> Result<ListOp, Refused> {
        let read = crate::op::Reader(operation);
        match parse(operation)? {
            Some(operation) => Ok(operation),
            None if read.kind() == "reverse" => Ok(ListOp::Reverse),
            None => read.unknown("an operation `insert`, `delete` or `reverse`"),
        }
    }
}

fn other(operation: &ListOp) -> Refused {
    Refused::Unknown {
        expected: "an operation of a list that can be turned round",
        found: format!("{operation:?}"),
    }
}
