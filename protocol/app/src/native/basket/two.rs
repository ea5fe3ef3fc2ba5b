//! Basket 2.0.0: prices are in hundredths, and a change of each item may spare what is put in concurrently.
//!
//! The one edge comes from 1.x, whose changes of each item never spare one.

use causal::Dot;
use crdt::types::{RegisterOp, Registers, Unique, UniqueOp};

use crate::{
    Body, Edge, Fault, Manifest, Meter,
    native::{
        basket::{
            self, APP, CLIENT_TAKE, READ, REPLICATED, TAKE, UNIQUE, at_place, drawn_place,
            kept::{self, Change as _, Priced, scaled},
            one,
        },
        operation,
        replicated::{Asked, Edition, broadcast},
        typed::{Typed, record, variant},
        unknown_tag,
    },
};

pub(super) const ABOUT: &str = "items priced in hundredths; reads the states of 1.x";

pub(super) const PUT: u32 = 5;
pub(super) const CHANGE: u32 = 6;
pub(super) const EACH: u32 = 7;
pub(super) const CLIENT_PUT: u32 = 21;
pub(super) const CLIENT_CHANGE: u32 = 22;
pub(super) const CLIENT_EACH: u32 = 23;

/// How many units of this line one of 1.x is.
const HUNDREDTHS: i64 = 100;

/// The state of this line.
pub(super) type Kept = kept::Kept<Item, Change>;

record! {
    /// An item.
    Item {
        /// What it was put in for, in hundredths.
        3 start: i64,
        4 hundredths: i64,
    }
}

variant! {
    /// What becomes of a price.
    #[derive(Copy)]
    Change {
        2 Multiply(i64),
        /// So many hundredths more.
        3 Add(i64),
    }
}

record! {
    /// Puts an item in at this price; the operation's dot names it.
    Put {
        2 hundredths: i64,
    }
}

record! {
    /// Changes the price of an item.
    ChangeOne {
        1 name: Dot,
        2 change: Change,
    }
}

record! {
    /// Changes the price of each item.
    ChangeEach {
        1 change: Change,
        /// Whether items that are put in concurrently are spared.
        2 spares: bool,
    }
}

record! {
    /// A client changes the price of the item at this place, in the order of names, if there is one.
    ClientChange {
        1 place: u64,
        2 change: Change,
    }
}

/// The version.
pub(super) struct Two;

impl Priced for Item {
    fn new(start: i64, hundredths: i64) -> Self {
        Self { start, hundredths }
    }

    fn start(&self) -> i64 {
        self.start
    }

    fn price(&self) -> i64 {
        self.hundredths
    }
}

impl kept::Change for Change {
    fn of(operation: RegisterOp) -> Self {
        match operation {
            RegisterOp::Add(by) => Self::Add(by),
            RegisterOp::Multiply(by) => Self::Multiply(by),
        }
    }

    fn operation(&self) -> RegisterOp {
        match *self {
            Self::Add(by) => RegisterOp::Add(by),
            Self::Multiply(by) => RegisterOp::Multiply(by),
        }
    }
}

impl From<one::Change> for Change {
    fn from(change: one::Change) -> Self {
        Self::of(scaled(change.operation(), HUNDREDTHS))
    }
}

impl From<ChangeEach> for UniqueOp {
    fn from(ChangeEach { change, spares }: ChangeEach) -> Self {
        let by = change.operation();
        if spares { Self::ForEachPrior(by) } else { Self::ForEach(by) }
    }
}

impl Edition for Two {
    type Kind = Unique;
    type Kept = Kept;

    fn manifest(&self) -> Manifest {
        const SINCE: [u64; 3] = [2, 0, 0];
        Manifest {
            app: APP,
            about: ABOUT,
            state: Kept::schema(),
            messages: vec![
                broadcast::<basket::Take>(TAKE, "take", SINCE),
                broadcast::<Put>(PUT, "put", SINCE),
                broadcast::<ChangeOne>(CHANGE, "change", SINCE),
                broadcast::<ChangeEach>(EACH, "change-each", SINCE),
                operation::<()>(READ, "read", SINCE),
                operation::<basket::ClientTake>(CLIENT_TAKE, "take", SINCE),
                operation::<Put>(CLIENT_PUT, "put", SINCE),
                operation::<ClientChange>(CLIENT_CHANGE, "change", SINCE),
                operation::<ChangeEach>(CLIENT_EACH, "change-each", SINCE),
            ],
            edges: vec![Edge {
                from_class: "1",
                to_class: "2",
                from_state: one::Kept::schema().id(),
                to_state: Kept::schema().id(),
            }],
            operations: vec!["put", "change", "take", "change-each", "read"],
            measures: vec!["items"],
            replicated: Some(REPLICATED),
            tick: None,
        }
    }

    fn kind(&self) -> &Unique {
        &UNIQUE
    }

    fn keep(&self, state: &Registers) -> Kept {
        Kept::of(state)
    }

    fn restore(&self, kept: Kept) -> Result<Registers, Fault> {
        kept.registers()
    }

    fn retained(&self, state: &Registers) -> usize {
        basket::retained(state)
    }

    fn asked(&self, state: &Registers, body: &Body) -> Result<Asked<UniqueOp>, Fault> {
        if let Some(asked) = basket::asked(state, body, HUNDREDTHS)? {
            return Ok(asked);
        }
        Ok(match body.tag {
            CLIENT_PUT => Asked::Do(UniqueOp::Create(Put::read_body(body)?.hundredths)),
            CLIENT_CHANGE => {
                let ClientChange { place, change } = ClientChange::read_body(body)?;
                at_place(state, place, |name| UniqueOp::Change(name, change.operation()))
            }
            CLIENT_EACH => Asked::Do(ChangeEach::read_body(body)?.into()),
            _ => return Err(unknown_tag(body)),
        })
    }

    fn write(&self, message: &UniqueOp) -> Body {
        let each = |by, spares| ChangeEach { change: Change::of(by), spares }.body(EACH);
        match *message {
            UniqueOp::Create(hundredths) => Put { hundredths }.body(PUT),
            UniqueOp::Change(name, by) => ChangeOne { name, change: Change::of(by) }.body(CHANGE),
            UniqueOp::Delete(name) => basket::Take { name }.body(TAKE),
            UniqueOp::ForEach(by) => each(by, false),
            UniqueOp::ForEachPrior(by) => each(by, true),
        }
    }

    fn read(&self, body: &Body) -> Result<UniqueOp, Fault> {
        Ok(match body.tag {
            PUT => UniqueOp::Create(Put::read_body(body)?.hundredths),
            CHANGE => {
                let ChangeOne { name, change } = ChangeOne::read_body(body)?;
                UniqueOp::Change(name, change.operation())
            }
            TAKE => UniqueOp::Delete(basket::Take::read_body(body)?.name),
            EACH => ChangeEach::read_body(body)?.into(),
            _ => return Err(unknown_tag(body)),
        })
    }

    fn measure(&self, state: &Registers) -> Vec<i128> {
        basket::count(state)
    }

    fn migrate(&self, _: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
        let kept: Kept = one::Kept::read(state, "state of 1.x")?.lift(meter, HUNDREDTHS)?;
        Ok(kept.bytes())
    }

    fn convert(&self, _: usize, body: &Body) -> Result<Body, Fault> {
        let put = |tag| {
            let hundredths = one::Put::read_body(body)?.price.wrapping_mul(HUNDREDTHS);
            Ok(Put { hundredths }.body(tag))
        };
        let each = |tag| {
            let change = one::ChangeEach::read_body(body)?.change.into();
            Ok(ChangeEach { change, spares: false }.body(tag))
        };
        match body.tag {
            TAKE | READ | CLIENT_TAKE => Ok(body.clone()),
            one::PUT => put(PUT),
            one::CLIENT_PUT => put(CLIENT_PUT),
            one::EACH => each(EACH),
            one::CLIENT_EACH => each(CLIENT_EACH),
            one::CHANGE => {
                let one::ChangeOne { name, change } = one::ChangeOne::read_body(body)?;
                Ok(ChangeOne { name, change: change.into() }.body(CHANGE))
            }
            one::CLIENT_CHANGE => {
                let one::ClientChange { place, change } = one::ClientChange::read_body(body)?;
                Ok(ClientChange { place, change: change.into() }.body(CLIENT_CHANGE))
            }
            _ => Err(unknown_tag(body)),
        }
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        let change = match entropy[1] % 2 {
            0 => Change::Add((i64::from(entropy[2] % 9) - 3) * 25),
            _ => Change::Multiply([-1, 0, 1, 2, 2, 3][entropy[2] as usize % 6]),
        };
        let spares = entropy[3].is_multiple_of(2);
        Some(match kind {
            "put" => Put { hundredths: i64::from(1 + entropy[0] % 9) * 50 }.body(CLIENT_PUT),
            "change" => ClientChange { place: drawn_place(entropy[0]), change }.body(CLIENT_CHANGE),
            "change-each" => ChangeEach { change, spares }.body(CLIENT_EACH),
            _ => return basket::drawn(kind, entropy),
        })
    }
}
