//! Register 2.0.0: it is added to and multiplied, and additions go before concurrent multiplications.
//!
//! The one edge comes from 1.x. What was added there is in the value; an addition that is still under way,
//! concurrent to a multiplication, is acted on like one of this line.

use crdt::{
    Op, Product,
    product::Acting,
    types::{Register, RegisterOp},
};

use crate::{
    Body, Edge, Fault, Manifest, Meter,
    native::{
        operation,
        register::{APP, REPLICATED, drawn_factor, drawn_number, one},
        replicated::{Asked, Edition, History, broadcast, refused},
        typed::{Typed, record, variant},
        unknown_tag,
    },
};

pub(super) const ABOUT: &str =
    "a register that replicas add to and multiply; additions go before concurrent multiplications";

pub(super) const CHANGE: u32 = 2;
pub(super) const READ: u32 = one::READ;
pub(super) const CLIENT_ADD: u32 = one::CLIENT_ADD;
pub(super) const CLIENT_MULTIPLY: u32 = 18;

variant! {
    /// A broadcast operation.
    #[derive(Copy)]
    Change {
        1 Add(i64),
        2 Multiply(i64),
    }
}

record! {
    /// Multiplies with this.
    Multiply {
        1 by: i64,
    }
}

record! {
    /// The state.
    Kept {
        1 value: i64,
        /// Factors that act on additions to come.
        2 factors: History<i64>,
    }
}

/// The version, with its semidirect product or one that has a bug.
pub(super) struct Two<K>(pub(super) K);

/// The version as it ought to be.
pub(super) const fn good() -> Two<Product<Register>> {
    Two(Product(REGISTER))
}

/// The type.
pub(super) const REGISTER: Register = Register { start: 0 };

impl<K> Edition for Two<K>
where
    K: Op<Operation = RegisterOp, Message = RegisterOp, State = Acting<i64, RegisterOp>>
        + Send
        + Sync
        + 'static,
{
    type Kind = K;
    type Kept = Kept;

    fn manifest(&self) -> Manifest {
        const SINCE: [u64; 3] = [2, 0, 0];
        Manifest {
            app: APP,
            about: ABOUT,
            state: Kept::schema(),
            messages: vec![
                broadcast::<Change>(CHANGE, "change", SINCE),
                operation::<()>(READ, "read", SINCE),
                operation::<one::Add>(CLIENT_ADD, "add", SINCE),
                operation::<Multiply>(CLIENT_MULTIPLY, "multiply", SINCE),
            ],
            edges: vec![Edge {
                from_class: "1",
                to_class: "2",
                from_state: one::Kept::schema().id(),
                to_state: Kept::schema().id(),
            }],
            operations: vec!["add", "multiply", "read"],
            measures: vec!["value"],
            replicated: Some(REPLICATED),
            tick: None,
        }
    }

    fn kind(&self) -> &K {
        &self.0
    }

    fn keep(&self, state: &K::State) -> Kept {
        let factor = |(stamp, message): (_, &RegisterOp)| match *message {
            RegisterOp::Multiply(by) => (stamp, by),
            RegisterOp::Add(_) => unreachable!("nothing is added to what acts on additions"),
        };
        Kept { value: state.state, factors: state.history().map(factor).collect() }
    }

    fn restore(&self, Kept { value, factors }: Kept) -> Result<K::State, Fault> {
        Product(REGISTER).restored(value, factors.map(RegisterOp::Multiply)).map_err(refused)
    }

    fn retained(&self, state: &K::State) -> usize {
        state.kept()
    }

    fn asked(&self, state: &K::State, body: &Body) -> Result<Asked<RegisterOp>, Fault> {
        Ok(match body.tag {
            READ => <()>::read_body(body).map(|()| Asked::Tell(state.state.bytes()))?,
            CLIENT_ADD => Asked::Do(RegisterOp::Add(one::Add::read_body(body)?.by)),
            CLIENT_MULTIPLY => Asked::Do(RegisterOp::Multiply(Multiply::read_body(body)?.by)),
            _ => return Err(unknown_tag(body)),
        })
    }

    fn write(&self, message: &RegisterOp) -> Body {
        match *message {
            RegisterOp::Add(by) => Change::Add(by),
            RegisterOp::Multiply(by) => Change::Multiply(by),
        }
        .body(CHANGE)
    }

    fn read(&self, body: &Body) -> Result<RegisterOp, Fault> {
        match body.tag {
            CHANGE => Ok(match Change::read_body(body)? {
                Change::Add(by) => RegisterOp::Add(by),
                Change::Multiply(by) => RegisterOp::Multiply(by),
            }),
            _ => Err(unknown_tag(body)),
        }
    }

    fn measure(&self, state: &K::State) -> Vec<i128> {
        vec![state.state.into()]
    }

    fn migrate(&self, _: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
        migrate_from_one(state, meter)
    }

    fn convert(&self, _: usize, body: &Body) -> Result<Body, Fault> {
        convert_from_one(body)
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        Some(match kind {
            "add" => one::Add { by: drawn_number(entropy[0]) }.body(CLIENT_ADD),
            "multiply" => Multiply { by: drawn_factor(entropy[0]) }.body(CLIENT_MULTIPLY),
            "read" => ().body(READ),
            _ => return None,
        })
    }
}

fn migrate_from_one(state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
    let one::Kept { value } = one::Kept::read(state, "state of 1.x")?;
    meter.spend(1)?;
    Ok(Kept { value, factors: History::default() }.bytes())
}

fn convert_from_one(body: &Body) -> Result<Body, Fault> {
    match body.tag {
        one::ADD => Ok(Change::Add(one::Add::read_body(body)?.by).body(CHANGE)),
        one::READ | one::CLIENT_ADD => Ok(body.clone()),
        _ => Err(unknown_tag(body)),
    }
}
