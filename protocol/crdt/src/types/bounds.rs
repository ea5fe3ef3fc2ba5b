//! An integer under minimum, maximum, addition and multiplication: four classes, in this order.
//!
//! Numbers are exact: wrapped ones would not be ordered as the laws want. Factors are not negative, as
//! multiplication must keep the order.

use num_bigint::BigInt;

use crate::{Refused, Semidirect, Stamp, Value, op::Reader};

/// An integer under minimum, maximum, addition and multiplication.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// What it is at the start.
    pub start: i64,
}

/// What is done to a [`Bounds`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundsOp {
    /// How.
    pub kind: Kind,
    /// With what.
    pub by: BigInt,
}

/// How a [`Bounds`] is changed, in arbitration order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Lowered to it.
    Min,
    /// Raised to it.
    Max,
    /// Added to.
    Add,
    /// Multiplied; never with less than 0.
    Multiply,
}

impl Semidirect for Bounds {
    const CLASSES: usize = 4;
    type Operation = BoundsOp;
    type Message = BoundsOp;
    type State = BigInt;

    fn initial(&self) -> BigInt {
        self.start.into()
    }

    fn prepare(&self, _: &BigInt, operation: &BoundsOp, _: Stamp) -> Result<BoundsOp, Refused> {
        Ok(operation.clone())
    }

    fn admit(&self, _: &BigInt, message: &BoundsOp) -> Result<(), Refused> {
        match i64::try_from(&message.by) {
            Ok(by) if by < 0 && message.kind == Kind::Multiply => {
                Err(Refused::Meaningless(by, "a factor must not be negative"))
            }
            Ok(_) => Ok(()),
            Err(_) => Err(Refused::Unknown {
                expected: "a 64-bit operand",
                found: message.by.to_string(),
            }),
        }
    }

    fn class(&self, message: &BoundsOp) -> usize {
        message.kind as usize
    }

    fn apply(&self, state: &mut BigInt, _: Stamp, message: &BoundsOp) {
        match message.kind {
            Kind::Min if message.by < *state => state.clone_from(&message.by),
            Kind::Max if message.by > *state => state.clone_from(&message.by),
            Kind::Min | Kind::Max => {}
            Kind::Add => *state += &message.by,
            Kind::Multiply => *state *= &message.by,
        }
    }

    fn act(&self, (_, y): (Stamp, &BoundsOp), (_, mut x): (Stamp, BoundsOp)) -> Option<BoundsOp> {
        // Each does to the operand what it does to the state.
        let mut by = std::mem::take(&mut x.by);
        match y.kind {
            Kind::Max if y.by > by => by.clone_from(&y.by),
            Kind::Min | Kind::Max => {}
            Kind::Add => by += &y.by,
            Kind::Multiply => by *= &y.by,
        }
        Some(BoundsOp { kind: x.kind, by })
    }

    fn value(&self, state: &BigInt) -> Value {
        i128::try_from(state).map_or_else(|_| Value::Text(state.to_string()), Value::Int)
    }

    fn parse(&self, operation: &Value) -> Result<BoundsOp, Refused> {
        let read = Reader(operation);
        let kind = match read.kind() {
            "min" => Kind::Min,
            "max" => Kind::Max,
            "add" => Kind::Add,
            "mult" => Kind::Multiply,
            _ => return read.unknown("an operation `min`, `max`, `add` or `mult`"),
        };
        let operation = BoundsOp { kind, by: read.int("arg")?.into() };
        self.admit(&self.initial(), &operation)?;
        Ok(operation)
    }
}
