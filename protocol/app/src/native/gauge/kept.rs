//! A gauge as values of a schema.

use contract::{
    Malformed,
    wire::{put_blob, take_blob},
};
use crdt::{
    product::Acting,
    types::{BoundsOp, Kind},
};

use crate::{
    native::{
        gauge::Number,
        replicated::History,
        typed::{Typed, record, variant},
    },
    schema::Schema,
};

/// A number of any size, in the fewest bytes: two's complement, the greatest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::native) struct Exact(pub(super) Number);

variant! {
    /// What acts on others, as it is acted on itself by now.
    Acted {
        2 Max(Exact),
        3 Add(Exact),
        4 Multiply(Exact),
    }
}

record! {
    /// The state in whole units.
    InWhole {
        1 value: Exact,
        2 retained: History<Acted>,
    }
}

record! {
    /// The state in hundredths.
    InHundredths {
        3 value: Exact,
        4 retained: History<Acted>,
    }
}

/// A state, in whatever unit.
pub(super) struct Parts {
    pub(super) value: Exact,
    pub(super) retained: History<Acted>,
}

impl Parts {
    pub(super) fn of(state: &Acting<Number, BoundsOp>) -> Self {
        let acted = |(stamp, BoundsOp { kind, by }): (_, &BoundsOp)| {
            let by = Exact(by.clone());
            let acted = match kind {
                Kind::Max => Acted::Max(by),
                Kind::Add => Acted::Add(by),
                Kind::Multiply => Acted::Multiply(by),
                Kind::Min => unreachable!("lowering acts on nothing"),
            };
            (stamp, acted)
        };
        Self { value: Exact(state.state.clone()), retained: state.history().map(acted).collect() }
    }

    /// The value, and what acts on others.
    pub(super) fn taken_apart(self) -> (Number, History<BoundsOp>) {
        let Exact(value) = self.value;
        let history = self.retained.map(|acted| {
            let (kind, Exact(by)) = match acted {
                Acted::Max(by) => (Kind::Max, by),
                Acted::Add(by) => (Kind::Add, by),
                Acted::Multiply(by) => (Kind::Multiply, by),
            };
            BoundsOp { kind, by }
        });
        (value, history)
    }

    /// The same in units of which one of these has so many. A factor has none.
    pub(super) fn scaled(self, units: i64) -> Self {
        let scaled = |Exact(by): Exact| Exact(by * units);
        Self {
            value: scaled(self.value),
            retained: self.retained.map(|acted| match acted {
                Acted::Max(by) => Acted::Max(scaled(by)),
                Acted::Add(by) => Acted::Add(scaled(by)),
                factor @ Acted::Multiply(_) => factor,
            }),
        }
    }
}

macro_rules! keeps_parts {
    ($($name:ident),*) => {
        $(impl From<$name> for Parts {
            fn from($name { value, retained }: $name) -> Self {
                Self { value, retained }
            }
        }

        impl From<Parts> for $name {
            fn from(Parts { value, retained }: Parts) -> Self {
                Self { value, retained }
            }
        })*
    };
}

keeps_parts!(InWhole, InHundredths);

impl Typed for Exact {
    fn schema() -> Schema {
        Schema::Bytes
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_blob(out, &self.0.to_signed_bytes_be());
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let blob = take_blob(bytes)?;
        let number = Number::from_signed_bytes_be(blob);
        if number.to_signed_bytes_be() == blob {
            Ok(Self(number))
        } else {
            Err(Malformed("a number in the fewest bytes"))
        }
    }
}
