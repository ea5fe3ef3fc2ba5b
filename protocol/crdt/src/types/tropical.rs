//! An integer under minimum and addition, the tropical semiring: minima go before concurrent additions.
//!
//! Sums are kept in 128 bits: 64-bit operands cannot overflow them in any run, and a number that wraps
//! would not be ordered as the laws want.

use crate::{Refused, Semidirect, Stamp, Value, op::Reader, product::Folding};

/// An integer under minimum and addition.
#[derive(Clone, Debug)]
pub struct Tropical {
    /// What it is at the start.
    pub start: i64,
}

/// What is done to a [`Tropical`]: operation and message alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TropicalOp {
    /// Lowers it to this.
    Min(i128),
    /// Adds this.
    Plus(i128),
}

use TropicalOp::{Min, Plus};

impl Semidirect for Tropical {
    const CLASSES: usize = 2;
    type Operation = TropicalOp;
    type Message = TropicalOp;
    type State = i128;

    fn initial(&self) -> i128 {
        self.start.into()
    }

    fn prepare(&self, _: &i128, operation: &TropicalOp, _: Stamp) -> Result<TropicalOp, Refused> {
        Ok(*operation)
    }

    fn admit(&self, _: &i128, message: &TropicalOp) -> Result<(), Refused> {
        let (Min(by) | Plus(by)) = *message;
        match i64::try_from(by) {
            Ok(_) => Ok(()),
            Err(_) => Err(Refused::Unknown { expected: "a 64-bit operand", found: by.to_string() }),
        }
    }

    fn class(&self, message: &TropicalOp) -> usize {
        match message {
            Min(_) => 0,
            Plus(_) => 1,
        }
    }

    fn apply(&self, state: &mut i128, _: Stamp, message: &TropicalOp) {
        *state = match message {
            Min(with) => (*state).min(*with),
            Plus(by) => *state + by,
        };
    }

    fn act(&self, (_, y): (Stamp, &TropicalOp), (_, x): (Stamp, TropicalOp)) -> Option<TropicalOp> {
        match (y, x) {
            (Plus(by), Min(with)) => Some(Min(with + by)),
            (y, x) => unreachable!("{y:?} does not act on {x:?}"),
        }
    }

    fn value(&self, state: &i128) -> Value {
        Value::Int(*state)
    }

    fn parse(&self, operation: &Value) -> Result<TropicalOp, Refused> {
        let read = Reader(operation);
        match read.kind() {
            "min" => Ok(Min(read.int("arg")?.into())),
            "plus" => Ok(Plus(read.int("arg")?.into())),
            _ => read.unknown("an operation `min` or `plus`"),
        }
    }
}

impl Folding for Tropical {
    type Sum = i128;

    fn nothing(&self) -> i128 {
        0
    }

    fn plus(&self, sum: i128, message: &TropicalOp) -> i128 {
        let Plus(by) = *message else { unreachable!("{message:?} acts on nothing") };
        sum + by
    }

    fn difference(&self, whole: i128, part: i128) -> i128 {
        whole - part
    }

    fn act_all(&self, sum: i128, x: TropicalOp) -> TropicalOp {
        let Min(with) = x else { unreachable!("nothing acts on {x:?}") };
        Min(with + sum)
    }
}
