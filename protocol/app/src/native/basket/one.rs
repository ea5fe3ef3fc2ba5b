//! Basket 1.0.0: prices are whole.

use causal::Dot;
use crdt::types::{RegisterOp, Registers, Unique, UniqueOp};

use crate::{
    Body, Fault, Manifest,
    native::{
        basket::{
            self, APP, CLIENT_TAKE, READ, REPLICATED, TAKE, UNIQUE, at_place, drawn_place,
            kept::{self, Priced},
        },
        operation,
        replicated::{Asked, Edition, broadcast},
        typed::{Typed, record, variant},
        unknown_tag,
    },
};

pub(super) const ABOUT: &str = "priced items that replicas change one by one and each of them";

pub(super) const PUT: u32 = 1;
pub(super) const CHANGE: u32 = 2;
pub(super) const EACH: u32 = 4;
pub(super) const CLIENT_PUT: u32 = 17;
pub(super) const CLIENT_CHANGE: u32 = 18;
pub(super) const CLIENT_EACH: u32 = 20;

/// The state of this line.
pub(super) type Kept = kept::Kept<Item, Change>;

record! {
    /// An item.
    Item {
        /// What it was put in for.
        1 start: i64,
        2 price: i64,
    }
}

variant! {
    /// What becomes of a price.
    #[derive(Copy)]
    Change {
        1 Add(i64),
        2 Multiply(i64),
    }
}

record! {
    /// Puts an item in at this price; the operation's dot names it.
    Put {
        1 price: i64,
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
    /// Changes the price of each item, those put in concurrently too.
    ChangeEach {
        1 change: Change,
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
pub(super) struct One;

impl Priced for Item {
    fn new(start: i64, price: i64) -> Self {
        Self { start, price }
    }

    fn start(&self) -> i64 {
        self.start
    }

    fn price(&self) -> i64 {
        self.price
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

impl Edition for One {
    type Kind = Unique;
    type Kept = Kept;

    fn manifest(&self) -> Manifest {
        const SINCE: [u64; 3] = [1, 0, 0];
        Manifest {
            app: APP,
            about: ABOUT,
            state: Kept::schema(),
            messages: vec![
                broadcast::<Put>(PUT, "put", SINCE),
                broadcast::<ChangeOne>(CHANGE, "change", SINCE),
                broadcast::<basket::Take>(TAKE, "take", SINCE),
                broadcast::<ChangeEach>(EACH, "change-each", SINCE),
                operation::<()>(READ, "read", SINCE),
                operation::<Put>(CLIENT_PUT, "put", SINCE),
                operation::<ClientChange>(CLIENT_CHANGE, "change", SINCE),
                operation::<basket::ClientTake>(CLIENT_TAKE, "take", SINCE),
                operation::<ChangeEach>(CLIENT_EACH, "change-each", SINCE),
            ],
            edges: vec![],
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
        use kept::Change as _;
        if let Some(asked) = basket::asked(state, body, 1)? {
            return Ok(asked);
        }
        Ok(match body.tag {
            CLIENT_PUT => Asked::Do(UniqueOp::Create(Put::read_body(body)?.price)),
            CLIENT_CHANGE => {
                let ClientChange { place, change } = ClientChange::read_body(body)?;
                at_place(state, place, |name| UniqueOp::Change(name, change.operation()))
            }
            CLIENT_EACH => {
                Asked::Do(UniqueOp::ForEach(ChangeEach::read_body(body)?.change.operation()))
            }
            _ => return Err(unknown_tag(body)),
        })
    }

    fn write(&self, message: &UniqueOp) -> Body {
        let change = <Change as kept::Change>::of;
        match *message {
            UniqueOp::Create(price) => Put { price }.body(PUT),
            UniqueOp::Change(name, by) => ChangeOne { name, change: change(by) }.body(CHANGE),
            UniqueOp::Delete(name) => basket::Take { name }.body(TAKE),
            UniqueOp::ForEach(by) => ChangeEach { change: change(by) }.body(EACH),
            UniqueOp::ForEachPrior(_) => unreachable!("nobody spares an item in this line"),
        }
    }

    fn read(&self, body: &Body) -> Result<UniqueOp, Fault> {
        use kept::Change as _;
        Ok(match body.tag {
            PUT => UniqueOp::Create(Put::read_body(body)?.price),
            CHANGE => {
                let ChangeOne { name, change } = ChangeOne::read_body(body)?;
                UniqueOp::Change(name, change.operation())
            }
            TAKE => UniqueOp::Delete(basket::Take::read_body(body)?.name),
            EACH => UniqueOp::ForEach(ChangeEach::read_body(body)?.change.operation()),
            _ => return Err(unknown_tag(body)),
        })
    }

    fn measure(&self, state: &Registers) -> Vec<i128> {
        basket::count(state)
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        let change = drawn_change(entropy);
        Some(match kind {
            "put" => Put { price: i64::from(1 + entropy[0] % 9) }.body(CLIENT_PUT),
            "change" => ClientChange { place: drawn_place(entropy[0]), change }.body(CLIENT_CHANGE),
            "change-each" => ChangeEach { change }.body(CLIENT_EACH),
            _ => return basket::drawn(kind, entropy),
        })
    }
}

/// A change as a client draws one: a factor often enough 0, so that products stay small.
fn drawn_change(entropy: [u32; 4]) -> Change {
    match entropy[1] % 2 {
        0 => Change::Add(i64::from(entropy[2] % 9) - 3),
        _ => Change::Multiply([-1, 0, 1, 2, 2, 3][entropy[2] as usize % 6]),
    }
}
