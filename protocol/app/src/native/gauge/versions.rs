//! Gauge 0.9.0, which can only be read, 1.0.0, in whole units, and 2.0.0, in hundredths. The first two have
//! the same states.

use crdt::{
    Op, Product,
    product::Acting,
    types::{BoundsOp, Kind},
};

use crate::{
    Body, Edge, Fault, Manifest, Meter,
    native::{
        gauge::{
            APP, BOUNDS, Number, REPLICATED,
            kept::{InHundredths, InWhole, Parts},
        },
        operation,
        replicated::{Asked, Edition, broadcast, refused},
        typed::{Typed, variant},
        unknown_tag,
    },
};

pub(super) const ABOUT_STILL: &str = "a number to be read, which nobody can change yet";
pub(super) const ABOUT_WHOLE: &str = "a number that replicas lower, raise, add to and multiply";
pub(super) const ABOUT_HUNDREDTHS: &str = "as 1.0.0, in hundredths; reads its states";

const CHANGE: u32 = 1;
const CHANGE_HUNDREDTHS: u32 = 2;
const READ: u32 = 16;
const CLIENT_CHANGE: u32 = 17;
const CLIENT_HUNDREDTHS: u32 = 18;

/// How many units of 2.0.0 one of 1.0.0 is.
const HUNDREDTHS: i64 = 100;

/// No operand of 1.0.0 is farther from 0, so that each has a place in hundredths.
const WHOLE_MAX: u64 = (i64::MAX / HUNDREDTHS) as u64;

/// A number of more bits is not multiplied any more, so that no client fills the memory.
const BITS_MAX: u64 = 4096;

variant! {
    /// What is done to the number, in whole units.
    #[derive(Copy)]
    Change {
        1 Min(i64),
        2 Max(i64),
        3 Add(i64),
        /// A count: to multiply must keep the order.
        4 Multiply(u64),
    }
}

variant! {
    /// What is done to the number, in hundredths.
    #[derive(Copy)]
    ChangeHundredths {
        4 Multiply(u64),
        5 Min(i64),
        6 Max(i64),
        7 Add(i64),
    }
}

/// What a version counts in, and what follows from that.
pub(super) trait Unit: Sized + Send + Sync + 'static {
    /// The state.
    type Kept: Typed + From<Parts> + Into<Parts>;
    /// An operation, broadcast or asked for.
    type Change: Typed + TryFrom<BoundsOp, Error = Fault>;

    /// The tag of a broadcast operation, and of a client's.
    const TAGS: (u32, u32);
    const SINCE: [u64; 3];
    const ABOUT: &'static str;
    /// How many of them a whole one has.
    const OF_WHOLE: i64;
    /// Whether there are operations at all.
    const CHANGES: bool = true;

    fn edges() -> Vec<Edge>;

    fn operation(change: Self::Change) -> Result<BoundsOp, Fault>;
}

/// Of 0.9.0: that of 1.0.0.
pub(super) struct Still;

/// Of 1.0.0.
pub(super) struct Whole;

/// Of 2.0.0.
pub(super) struct Hundredth;

/// A version, with its semidirect product or one that has a bug.
pub(super) struct Version<K, U>(pub(super) K, pub(super) U);

fn operation_of(kind: Kind, by: impl Into<Number>) -> BoundsOp {
    BoundsOp { kind, by: by.into() }
}

/// An operand as it is written.
fn written<T: TryFrom<Number>>(by: Number) -> Result<T, Fault> {
    T::try_from(by).map_err(|_| Fault::Malformed("operand"))
}

macro_rules! changes {
    ($($name:ident),*) => {
        $(impl TryFrom<BoundsOp> for $name {
            type Error = Fault;

            fn try_from(BoundsOp { kind, by }: BoundsOp) -> Result<Self, Fault> {
                Ok(match kind {
                    Kind::Min => Self::Min(written(by)?),
                    Kind::Max => Self::Max(written(by)?),
                    Kind::Add => Self::Add(written(by)?),
                    Kind::Multiply => Self::Multiply(written(by)?),
                })
            }
        }

        impl From<$name> for BoundsOp {
            fn from(change: $name) -> Self {
                match change {
                    $name::Min(by) => operation_of(Kind::Min, by),
                    $name::Max(by) => operation_of(Kind::Max, by),
                    $name::Add(by) => operation_of(Kind::Add, by),
                    $name::Multiply(by) => operation_of(Kind::Multiply, by),
                }
            }
        })*
    };
}

changes!(Change, ChangeHundredths);

impl Unit for Still {
    type Kept = InWhole;
    type Change = Change;

    const TAGS: (u32, u32) = Whole::TAGS;
    const SINCE: [u64; 3] = [0, 9, 0];
    const ABOUT: &'static str = ABOUT_STILL;
    const OF_WHOLE: i64 = 1;
    const CHANGES: bool = false;

    fn edges() -> Vec<Edge> {
        vec![]
    }

    fn operation(_: Change) -> Result<BoundsOp, Fault> {
        Err(Fault::Refused("nobody can change the number yet".to_owned()))
    }
}

impl Unit for Whole {
    type Kept = InWhole;
    type Change = Change;

    const TAGS: (u32, u32) = (CHANGE, CLIENT_CHANGE);
    const SINCE: [u64; 3] = [1, 0, 0];
    const ABOUT: &'static str = ABOUT_WHOLE;
    const OF_WHOLE: i64 = 1;

    fn edges() -> Vec<Edge> {
        let state = InWhole::schema().id();
        vec![Edge { from_class: "0.9", to_class: "1", from_state: state, to_state: state }]
    }

    fn operation(change: Change) -> Result<BoundsOp, Fault> {
        match change {
            Change::Min(by) | Change::Max(by) | Change::Add(by)
                if by.unsigned_abs() > WHOLE_MAX =>
            {
                Err(Fault::Refused(format!("an operand beyond {WHOLE_MAX}")))
            }
            change => Ok(change.into()),
        }
    }
}

impl Unit for Hundredth {
    type Kept = InHundredths;
    type Change = ChangeHundredths;

    const TAGS: (u32, u32) = (CHANGE_HUNDREDTHS, CLIENT_HUNDREDTHS);
    const SINCE: [u64; 3] = [2, 0, 0];
    const ABOUT: &'static str = ABOUT_HUNDREDTHS;
    const OF_WHOLE: i64 = HUNDREDTHS;

    fn edges() -> Vec<Edge> {
        let (from_state, to_state) = (InWhole::schema().id(), InHundredths::schema().id());
        let edge = |from_class| Edge { from_class, to_class: "2", from_state, to_state };
        vec![edge("1"), edge("0.9")]
    }

    fn operation(change: ChangeHundredths) -> Result<BoundsOp, Fault> {
        Ok(change.into())
    }
}

impl<K, U: Unit> Edition for Version<K, U>
where
    K: Op<Operation = BoundsOp, Message = BoundsOp, State = Acting<Number, BoundsOp>>
        + Send
        + Sync
        + 'static,
{
    type Kind = K;
    type Kept = U::Kept;

    fn manifest(&self) -> Manifest {
        let (change, client) = U::TAGS;
        let mut messages = vec![
            broadcast::<U::Change>(change, "change", U::SINCE),
            operation::<()>(READ, "read", U::SINCE),
            operation::<U::Change>(client, "change", U::SINCE),
        ];
        let mut operations = vec!["change", "read"];
        if !U::CHANGES {
            messages.retain(|message| message.tag == READ);
            operations.retain(|name| *name == "read");
        }
        Manifest {
            app: APP,
            about: U::ABOUT,
            state: U::Kept::schema(),
            messages,
            edges: U::edges(),
            operations,
            measures: vec![],
            replicated: Some(REPLICATED),
            tick: None,
        }
    }

    fn kind(&self) -> &K {
        &self.0
    }

    fn keep(&self, state: &K::State) -> U::Kept {
        Parts::of(state).into()
    }

    fn restore(&self, kept: U::Kept) -> Result<K::State, Fault> {
        let parts: Parts = kept.into();
        let (value, history) = parts.taken_apart();
        Product(BOUNDS).restored(value, history).map_err(refused)
    }

    fn retained(&self, state: &K::State) -> usize {
        state.kept()
    }

    fn asked(&self, state: &K::State, body: &Body) -> Result<Asked<BoundsOp>, Fault> {
        match body.tag {
            READ => {
                <()>::read_body(body)?;
                Ok(Asked::Tell(whole(&state.state, U::OF_WHOLE).to_string().bytes()))
            }
            tag if tag == U::TAGS.1 => {
                let asked = U::operation(U::Change::read_body(body)?)?;
                if asked.kind == Kind::Multiply
                    && whole(&state.state, U::OF_WHOLE).bits() > BITS_MAX
                {
                    return Err(Fault::Refused(format!("a number of more than {BITS_MAX} bits")));
                }
                Ok(Asked::Do(asked))
            }
            _ => Err(unknown_tag(body)),
        }
    }

    fn write(&self, message: &BoundsOp) -> Body {
        let change = U::Change::try_from(message.clone());
        change.expect("what was asked for is in the range of operands").body(U::TAGS.0)
    }

    fn read(&self, body: &Body) -> Result<BoundsOp, Fault> {
        if body.tag == U::TAGS.0 {
            U::operation(U::Change::read_body(body)?)
        } else {
            Err(unknown_tag(body))
        }
    }

    fn measure(&self, _: &K::State) -> Vec<i128> {
        vec![]
    }

    fn migrate(&self, _: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
        let parts: Parts = InWhole::read(state, "state of 1.x")?.into();
        meter.spend(1 + parts.retained.len() as u64)?;
        Ok(U::Kept::from(parts.scaled(U::OF_WHOLE)).bytes())
    }

    fn convert(&self, _: usize, body: &Body) -> Result<Body, Fault> {
        let tag = match body.tag {
            CHANGE => U::TAGS.0,
            CLIENT_CHANGE => U::TAGS.1,
            READ => return Ok(body.clone()),
            _ => return Err(unknown_tag(body)),
        };
        let mut operation = Whole::operation(Change::read_body(body)?)?;
        if operation.kind != Kind::Multiply {
            operation.by *= U::OF_WHOLE;
        }
        Ok(U::Change::try_from(operation)?.body(tag))
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        let by = |least: i64, most: i64| least + i64::from(entropy[1]) % (most - least + 1);
        let operation = match (kind, entropy[0] % 5) {
            ("read", _) => return Some(().body(READ)),
            _ if !U::CHANGES => return None,
            ("change", 0) => operation_of(Kind::Min, by(-12, 20)),
            ("change", 1) => operation_of(Kind::Max, by(-12, 20)),
            ("change", 2) => operation_of(Kind::Multiply, by(0, 3)),
            ("change", _) => operation_of(Kind::Add, by(-12, 20)),
            _ => return None,
        };
        let change = U::Change::try_from(operation).expect("a small operand");
        Some(change.body(U::TAGS.1))
    }
}

/// A number in whole units, rounded down.
fn whole(number: &Number, of_whole: i64) -> Number {
    let towards_zero = number / of_whole;
    let beyond = &towards_zero * of_whole > *number;
    towards_zero - i64::from(beyond)
}
