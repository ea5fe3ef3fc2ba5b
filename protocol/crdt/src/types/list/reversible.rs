//! A list that can be turned round: insertions go before concurrent reversals.
//!
//! A reversal mirrors what is inserted concurrently: the gap it goes into, and who stands first of those who
//! insert there. Reversals are a group of two, so that elements stay where they stood in the list as it began,
//! and an insertion ships one bit: which way round its origin sees the list. In terms of the first frame it is
//! always the same.

use std::collections::BTreeMap;

use super::{ListOp, Position, at, left_of, parse};
use crate::{Refused, Semidirect, Stamp, Value, product::Framed};

/// A list that can be turned round.
#[derive(Clone, Copy, Debug)]
pub struct Reversible;

/// What is done to a [`Reversible`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReversibleMessage {
    /// Puts an element there, in a list that is turned round or not.
    Insert {
        /// Where, in the list as it began.
        place: Position,
        /// What.
        value: String,
        /// Whether the list is turned round.
        turned: bool,
    },
    /// Takes an element away.
    Delete(Position),
    /// Turns the list round.
    Reverse,
}

use ReversibleMessage::{Delete, Insert, Reverse};

/// The state of a [`Reversible`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turned {
    /// Where they stood in the list as it began. What was meant for a list that is turned the other way stands
    /// behind all others; where everything acts that must, there is none of it.
    elements: BTreeMap<(bool, Position), String>,
    reversed: bool,
}

impl Turned {
    /// The elements as they are seen, and whether they stray.
    fn seen(&self) -> Vec<(&(bool, Position), &String)> {
        let elements = self.elements.iter();
        if self.reversed { elements.rev().collect() } else { elements.collect() }
    }
}

/// The place of an element; `None`: it strays, and has none among the others.
fn place_among<'a, V>(element: &(&'a (bool, Position), V)) -> Option<&'a Position> {
    let (strays, place) = element.0;
    (!strays).then_some(place)
}

impl Reversible {
    /// The message of `operation`, for a list that is turned round or not.
    fn prepared(
        state: &Turned,
        turned: bool,
        operation: &ListOp,
        stamp: Stamp,
    ) -> Result<ReversibleMessage, Refused> {
        // As the user sees it, whose list may be turned once more.
        let mut seen = state.seen();
        if turned {
            seen.reverse();
        }
        let reversed = state.reversed != turned;
        match operation {
            ListOp::Insert(index, value) => {
                left_of(&seen, *index)?;
                let before = seen[..*index].iter().rev().find_map(place_among);
                let after = seen[*index..].iter().find_map(place_among);
                let (low, high) = if reversed { (after, before) } else { (before, after) };
                let place = Position::between(low, high, stamp.dot);
                Ok(Insert { place, value: value.clone(), turned: state.reversed })
            }
            ListOp::Delete(index) => Ok(Delete(at(&seen, *index)?.0.1.clone())),
            ListOp::Reverse => Ok(Reverse),
            ListOp::Remove(..) | ListOp::Format(..) => Err(Refused::Unknown {
                expected: "an operation of a list that can be turned round",
                found: format!("{operation:?}"),
            }),
        }
    }
}

impl Semidirect for Reversible {
    const CLASSES: usize = 2;
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
        Self::prepared(state, false, operation, stamp)
    }

    fn admit(&self, _: &Turned, _: &ReversibleMessage) -> Result<(), Refused> {
        Ok(())
    }

    fn owns(&self, stamp: Stamp, message: &ReversibleMessage) -> Result<(), Refused> {
        match message {
            Insert { place, .. } => place.is_of(stamp.dot),
            Delete(_) | Reverse => Ok(()),
        }
    }

    fn class(&self, message: &ReversibleMessage) -> usize {
        match message {
            Insert { .. } | Delete(_) => 0,
            Reverse => 1,
        }
    }

    fn apply(&self, state: &mut Turned, _: Stamp, message: &ReversibleMessage) {
        match message {
            Insert { place, value, turned } => {
                let strays = *turned != state.reversed;
                state.elements.insert((strays, place.clone()), value.clone());
            }
            // Another may have taken it away already.
            Delete(place) => {
                for strays in [false, true] {
                    state.elements.remove(&(strays, place.clone()));
                }
            }
            Reverse => state.reversed = !state.reversed,
        }
    }

    fn act(
        &self,
        (_, y): (Stamp, &ReversibleMessage),
        (_, x): (Stamp, ReversibleMessage),
    ) -> Option<ReversibleMessage> {
        assert_eq!(*y, Reverse, "only reversals act");
        Some(self.act_by(true, x))
    }

    fn value(&self, state: &Turned) -> Value {
        let seen = state.seen();
        Value::List(seen.into_iter().map(|(_, value)| Value::from(value.as_str())).collect())
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

impl Framed for Reversible {
    /// Whether the list is turned round.
    type Frame = bool;

    fn identity(&self) -> bool {
        false
    }

    fn inverse(&self, frame: bool) -> bool {
        frame
    }

    fn turned(&self, frame: bool, _: &ReversibleMessage) -> bool {
        !frame
    }

    fn act_by(&self, frame: bool, message: ReversibleMessage) -> ReversibleMessage {
        match message {
            Insert { place, value, turned } => Insert { place, value, turned: turned != frame },
            Delete(_) | Reverse => message,
        }
    }

    fn through(&self, frame: bool, state: &Turned) -> Turned {
        Turned { elements: state.elements.clone(), reversed: state.reversed != frame }
    }

    fn prepare_in(
        &self,
        frame: bool,
        state: &Turned,
        operation: &ListOp,
        stamp: Stamp,
    ) -> Result<ReversibleMessage, Refused> {
        Self::prepared(state, frame, operation, stamp)
    }
}
