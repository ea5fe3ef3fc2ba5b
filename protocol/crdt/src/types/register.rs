//! An integer that is added to and multiplied: additions go before concurrent multiplications.
//!
//! Numbers wrap: the integers modulo 2^64 are a commutative ring, in which the laws hold. Floats are not. The
//! ring is the same whether its elements are read as `u64` or, as here, as `i64`.

use crate::{
    Refused, Semidirect, Stamp, Value,
    op::Reader,
    product::{Folding, Framed},
};

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

/// An integer under addition and multiplication with odd numbers, which can be undone.
///
/// Every odd number has an inverse modulo 2^64, so that factors are a group and stand in a frame. An even one,
/// 0 too, has none: what was lost is lost, and a [`Register`] must keep sums.
#[derive(Clone, Debug)]
pub struct OddRegister(pub Register);

/// An integer that is added to and negated: of a product only its sign.
#[derive(Clone, Debug)]
pub struct SignedRegister(pub Register);

/// Defines a register that takes only some factors.
macro_rules! some_factors {
    ($register:ty, $takes:expr, $why:literal) => {
        impl Semidirect for $register {
            const CLASSES: usize = 2;
            type Operation = RegisterOp;
            type Message = RegisterOp;
            type State = i64;

            fn initial(&self) -> i64 {
                self.0.start
            }

            fn prepare(
                &self,
                state: &i64,
                operation: &RegisterOp,
                _: Stamp,
            ) -> Result<RegisterOp, Refused> {
                self.admit(state, operation)?;
                Ok(*operation)
            }

            fn admit(&self, _: &i64, message: &RegisterOp) -> Result<(), Refused> {
                let takes: fn(i64) -> bool = $takes;
                match *message {
                    Multiply(by) if !takes(by) => Err(Refused::Meaningless(by, $why)),
                    _ => Ok(()),
                }
            }

            fn class(&self, message: &RegisterOp) -> usize {
                self.0.class(message)
            }

            fn apply(&self, state: &mut i64, stamp: Stamp, message: &RegisterOp) {
                self.0.apply(state, stamp, message);
            }

            fn act(&self, y: (Stamp, &RegisterOp), x: (Stamp, RegisterOp)) -> Option<RegisterOp> {
                self.0.act(y, x)
            }

            fn value(&self, state: &i64) -> Value {
                self.0.value(state)
            }

            fn parse(&self, operation: &Value) -> Result<RegisterOp, Refused> {
                let operation = self.0.parse(operation)?;
                self.admit(&self.0.start, &operation)?;
                Ok(operation)
            }
        }

        impl Framed for $register {
            /// A factor.
            type Frame = i64;

            fn identity(&self) -> i64 {
                1
            }

            fn inverse(&self, frame: i64) -> i64 {
                inverse(frame as u64) as i64
            }

            fn turned(&self, frame: i64, message: &RegisterOp) -> i64 {
                let Multiply(by) = message else { unreachable!("{message:?} acts on nothing") };
                frame.wrapping_mul(*by)
            }

            fn act_by(&self, frame: i64, message: RegisterOp) -> RegisterOp {
                match message {
                    Add(by) => Add(by.wrapping_mul(frame)),
                    Multiply(by) => Multiply(by),
                }
            }

            fn through(&self, frame: i64, state: &i64) -> i64 {
                state.wrapping_mul(frame)
            }
        }
    };
}

some_factors!(OddRegister, |by| by % 2 != 0, "a factor must be odd");
some_factors!(SignedRegister, |by| by == 1 || by == -1, "a factor must be 1 or -1");

#[cfg(test)]
mod tests {
    use super::*;

    /// Nor does an even number have an inverse: who takes one cannot stand in a frame.
    #[test]
    fn a_register_in_a_frame_takes_only_what_can_be_undone() {
        let odd = OddRegister(Register { start: 1 });
        for by in [1, -1, 3, i64::MAX, i64::MIN + 1] {
            assert_eq!(odd.admit(&0, &Multiply(by)), Ok(()));
            assert_eq!(odd.inverse(by).wrapping_mul(by), 1, "{by}");
        }
        for by in [0, 2, -6, i64::MIN] {
            assert!(odd.admit(&0, &Multiply(by)).is_err(), "{by}");
        }
        let signed = SignedRegister(Register { start: 1 });
        assert!(signed.admit(&0, &Multiply(3)).is_err());
        assert!(signed.admit(&0, &Multiply(-1)).is_ok());
    }

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
