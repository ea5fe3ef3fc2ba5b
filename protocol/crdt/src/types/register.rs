//! An integer that is added to and multiplied: additions go before concurrent multiplications.
//!
//! Numbers wrap: the integers modulo 2^64 are a commutative ring, in which the laws hold. Floats are not.

use crate::{Refused, Semidirect, Stamp, Value, op::Reader, product::Folding};

/// An integer under addition and multiplication.
#[derive(Clone, Debug)]
pub struct Register {
    /// What it is at the start.
    pub start: i64,
}

/// What is done to a [`Register`]: operation and message alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterOp {
    /// Adds this.
    Add(i64),
    /// Multiplies with this.
    Multiply(i64),
}

use RegisterOp::{Add, Multiply};

impl Semidirect for Register {
    const CLASSES: usize = 2;
    type Operation = RegisterOp;
    type Message = RegisterOp;
    type State = i64;

    fn initial(&self) -> i64 {
        self.start
    }

    fn prepare(&self, _: &i64, operation: &RegisterOp, _: Stamp) -> Result<RegisterOp, Refused> {
        Ok(*operation)
    }

    fn admit(&self, _: &i64, _: &RegisterOp) -> Result<(), Refused> {
        Ok(())
    }

    fn class(&self, message: &RegisterOp) -> usize {
        match message {
            Add(_) => 0,
            Multiply(_) => 1,
        }
    }

    fn apply(&self, state: &mut i64, _: Stamp, message: &RegisterOp) {
        *state = match message {
            Add(by) => state.wrapping_add(*by),
            Multiply(by) => state.wrapping_mul(*by),
        };
    }

    fn act(&self, (_, y): (Stamp, &RegisterOp), (_, x): (Stamp, RegisterOp)) -> Option<RegisterOp> {
        match (y, x) {
            (Multiply(by), Add(of)) => Some(Add(of.wrapping_mul(*by))),
            (y, x) => unreachable!("{y:?} does not act on {x:?}"),
        }
    }

    fn value(&self, state: &i64) -> Value {
        Value::from(*state)
    }

    fn parse(&self, operation: &Value) -> Result<RegisterOp, Refused> {
        let read = Reader(operation);
        match read.kind() {
            "add" => Ok(Add(read.int("arg")?)),
            "mult" => Ok(Multiply(read.int("arg")?)),
            _ => read.unknown("an operation `add` or `mult`"),
        }
    }
}

/// A product of numbers modulo 2^64 out of which factors can be taken again: its odd part has an
/// inverse, its twos are counted and so are its zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factors {
    odd: u64,
    twos: u64,
    zeros: u64,
}

impl Factors {
    fn product(self) -> u64 {
        match u32::try_from(self.twos) {
            Ok(twos) if self.zeros == 0 => self.odd.checked_shl(twos).unwrap_or(0),
            _ => 0,
        }
    }
}

/// The inverse of an odd number modulo 2^64, by Newton's iteration: each step doubles the right bits.
fn inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    for _ in 0..5 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(inverse)));
    }
    inverse
}

impl Folding for Register {
    type Sum = Factors;

    fn nothing(&self) -> Factors {
        Factors { odd: 1, twos: 0, zeros: 0 }
    }

    fn plus(&self, sum: Factors, message: &RegisterOp) -> Factors {
        let Multiply(by) = *message else { unreachable!("{message:?} acts on nothing") };
        if by == 0 {
            return Factors { zeros: sum.zeros + 1, ..sum };
        }
        let twos = by.trailing_zeros();
        let odd = sum.odd.wrapping_mul((by >> twos) as u64);
        Factors { odd, twos: sum.twos + u64::from(twos), zeros: sum.zeros }
    }

    fn difference(&self, whole: Factors, part: Factors) -> Factors {
        Factors {
            odd: whole.odd.wrapping_mul(inverse(part.odd)),
            twos: whole.twos - part.twos,
            zeros: whole.zeros - part.zeros,
        }
    }

    fn act_all(&self, sum: Factors, x: RegisterOp) -> RegisterOp {
        let Add(of) = x else { unreachable!("nothing acts on {x:?}") };
        Add(of.wrapping_mul(sum.product() as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_can_be_taken_out_again() {
        let register = Register { start: 0 };
        let by = [3, -2, 0, 8, i64::MIN, 7, -1, 12];
        let sum = |by: &[i64]| {
            by.iter().fold(register.nothing(), |sum, by| register.plus(sum, &Multiply(*by)))
        };
        for split in 0..=by.len() {
            let rest = register.difference(sum(&by), sum(&by[..split]));
            let product = by[split..].iter().fold(1i64, |product, by| product.wrapping_mul(*by));
            assert_eq!(rest.product(), product as u64, "from {split}");
        }
    }
}
