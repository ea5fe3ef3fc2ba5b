//! Register 3.0.0: it counts in hundredths, and can be cleared of all that is not later.
//!
//! A clearing acts on what is concurrent to it by undoing it: additions and factors, those that were
//! retained before the upgrade included. Edges lead from 1.x and from 2.x; both ways lead to the same state.

use causal::Stamp;
use crdt::{Op, Product, Refused, Semidirect, Value, product::Acting};

use crate::{
    Body, Edge, Fault, Manifest, Meter,
    native::{
        operation,
        register::{APP, REPLICATED, drawn_factor, drawn_number, one, two},
        replicated::{Asked, Edition, History, broadcast, no_edge, refused},
        typed::{Typed, record, variant},
        unknown_tag,
    },
};

pub(super) const ABOUT: &str =
    "a register in hundredths that can be cleared; reads the states of 1.x and 2.x";

pub(super) const CHANGE: u32 = 3;
pub(super) const READ: u32 = one::READ;
pub(super) const MULTIPLY: u32 = two::CLIENT_MULTIPLY;
pub(super) const ADD: u32 = 19;
pub(super) const CLEAR: u32 = 20;
pub(super) const READ_HUNDREDTHS: u32 = 21;

/// How many of this line's units one of the older lines is.
pub(super) const HUNDREDTHS: i64 = 100;

variant! {
    /// A broadcast operation, and what is done to the register: classes in this order.
    #[derive(Copy)]
    Change {
        /// Adds so many hundredths.
        1 Add(i64),
        /// Multiplies with this.
        2 Multiply(i64),
        /// Sets to nothing, with whatever is concurrent.
        3 Clear(()),
    }
}

variant! {
    /// What acts on others.
    #[derive(Copy)]
    Retained {
        1 Multiply(i64),
        2 Clear(()),
    }
}

record! {
    /// Adds so many hundredths.
    AddHundredths {
        1 hundredths: i64,
    }
}

record! {
    /// The state.
    Kept {
        /// In hundredths.
        1 value: i64,
        2 retained: History<Retained>,
    }
}

/// The type. Numbers wrap, as in every line.
#[derive(Clone, Debug)]
pub(super) struct Clearable;

impl Semidirect for Clearable {
    const CLASSES: usize = 3;
    type Operation = Change;
    type Message = Change;
    type State = i64;

    fn initial(&self) -> i64 {
        0
    }

    fn prepare(&self, _: &i64, operation: &Change, _: Stamp) -> Result<Change, Refused> {
        Ok(*operation)
    }

    fn admit(&self, _: &i64, _: &Change) -> Result<(), Refused> {
        Ok(())
    }

    fn class(&self, message: &Change) -> usize {
        match message {
            Change::Add(_) => 0,
            Change::Multiply(_) => 1,
            Change::Clear(()) => 2,
        }
    }

    fn apply(&self, state: &mut i64, _: Stamp, message: &Change) {
        *state = match message {
            Change::Add(by) => state.wrapping_add(*by),
            Change::Multiply(by) => state.wrapping_mul(*by),
            Change::Clear(()) => 0,
        };
    }

    fn act(&self, (_, y): (Stamp, &Change), (_, x): (Stamp, Change)) -> Option<Change> {
        match (y, x) {
            (Change::Multiply(by), Change::Add(of)) => Some(Change::Add(of.wrapping_mul(*by))),
            (Change::Clear(()), Change::Add(_) | Change::Multiply(_)) => None,
            (y, x) => unreachable!("{y:?} does not act on {x:?}"),
        }
    }

    fn value(&self, state: &i64) -> Value {
        Value::from(*state)
    }

    fn parse(&self, operation: &Value) -> Result<Change, Refused> {
        let found = operation.to_string();
        Err(Refused::Unknown { expected: "an operation as a message writes it", found })
    }
}

/// The version, with its semidirect product or one that has a bug, and other flaws.
pub(super) struct Three<K> {
    pub(super) kind: K,
    pub(super) flaw: Flaw,
}

/// What is wrong with the edges.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Nothing.
    None,
    /// A migration drops what was retained.
    ForgetsHistory,
    /// The edge from 2.x takes additions for hundredths.
    BreaksSquare,
    /// The edge from 1.x takes one of its units for a thousand.
    PathDependent,
}

/// The version as it ought to be.
pub(super) const fn good() -> Three<Product<Clearable>> {
    Three { kind: Product(Clearable), flaw: Flaw::None }
}

impl<K> Edition for Three<K>
where
    K: Op<Operation = Change, Message = Change, State = Acting<i64, Change>>
        + Send
        + Sync
        + 'static,
{
    type Kind = K;
    type Kept = Kept;

    fn manifest(&self) -> Manifest {
        const SINCE: [u64; 3] = [3, 0, 0];
        let edge = |from_class, from_state| Edge {
            from_class,
            to_class: "3",
            from_state,
            to_state: Kept::schema().id(),
        };
        Manifest {
            app: APP,
            about: ABOUT,
            state: Kept::schema(),
            messages: vec![
                broadcast::<Change>(CHANGE, "change", SINCE),
                operation::<()>(READ, "read", SINCE),
                operation::<two::Multiply>(MULTIPLY, "multiply", SINCE),
                operation::<AddHundredths>(ADD, "add", SINCE),
                operation::<()>(CLEAR, "clear", SINCE),
                operation::<()>(READ_HUNDREDTHS, "read-hundredths", SINCE),
            ],
            edges: vec![edge("1", one::Kept::schema().id()), edge("2", two::Kept::schema().id())],
            operations: vec!["add", "multiply", "clear", "read", "read-hundredths"],
            measures: vec!["hundredths"],
            replicated: Some(REPLICATED),
            tick: None,
        }
    }

    fn kind(&self) -> &K {
        &self.kind
    }

    fn keep(&self, state: &K::State) -> Kept {
        let retained = |(stamp, message): (_, &Change)| match *message {
            Change::Multiply(by) => (stamp, Retained::Multiply(by)),
            Change::Clear(()) => (stamp, Retained::Clear(())),
            Change::Add(_) => unreachable!("an addition acts on nothing"),
        };
        Kept { value: state.state, retained: state.history().map(retained).collect() }
    }

    fn restore(&self, Kept { value, retained }: Kept) -> Result<K::State, Fault> {
        let history = retained.map(|retained| match retained {
            Retained::Multiply(by) => Change::Multiply(by),
            Retained::Clear(()) => Change::Clear(()),
        });
        Product(Clearable).restored(value, history).map_err(refused)
    }

    fn retained(&self, state: &K::State) -> usize {
        state.kept()
    }

    fn asked(&self, state: &K::State, body: &Body) -> Result<Asked<Change>, Fault> {
        if matches!(body.tag, READ | READ_HUNDREDTHS | CLEAR) {
            <()>::read_body(body)?;
        }
        Ok(match body.tag {
            READ_HUNDREDTHS => Asked::Tell(state.state.bytes()),
            // In the unit of the older lines, in which it may have been asked.
            READ => Asked::Tell(state.state.div_euclid(HUNDREDTHS).bytes()),
            ADD => Asked::Do(Change::Add(AddHundredths::read_body(body)?.hundredths)),
            MULTIPLY => Asked::Do(Change::Multiply(two::Multiply::read_body(body)?.by)),
            CLEAR => Asked::Do(Change::Clear(())),
            _ => return Err(unknown_tag(body)),
        })
    }

    fn write(&self, message: &Change) -> Body {
        message.body(CHANGE)
    }

    fn read(&self, body: &Body) -> Result<Change, Fault> {
        match body.tag {
            CHANGE => Change::read_body(body),
            _ => Err(unknown_tag(body)),
        }
    }

    fn measure(&self, state: &K::State) -> Vec<i128> {
        vec![state.state.into()]
    }

    fn migrate(&self, edge: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
        let two::Kept { value, factors } = match edge {
            0 => {
                let one::Kept { value } = one::Kept::read(state, "state of 1.x")?;
                two::Kept { value, factors: History::default() }
            }
            1 => two::Kept::read(state, "state of 2.x")?,
            _ => return no_edge(edge),
        };
        meter.spend(1 + factors.len() as u64)?;
        let retained = match self.flaw {
            Flaw::ForgetsHistory => History::default(),
            _ => factors.map(Retained::Multiply),
        };
        Ok(Kept { value: value.wrapping_mul(self.unit(edge)), retained }.bytes())
    }

    fn convert(&self, edge: usize, body: &Body) -> Result<Body, Fault> {
        let unit = self.unit(edge);
        let change = match (edge, body.tag) {
            (0, one::ADD) => Change::Add(one::Add::read_body(body)?.by.wrapping_mul(unit)),
            (1, two::CHANGE) => match two::Change::read_body(body)? {
                two::Change::Add(by) if self.flaw == Flaw::BreaksSquare => Change::Add(by),
                two::Change::Add(by) => Change::Add(by.wrapping_mul(unit)),
                two::Change::Multiply(by) => Change::Multiply(by),
            },
            (0 | 1, one::CLIENT_ADD) => {
                let hundredths = one::Add::read_body(body)?.by.wrapping_mul(unit);
                return Ok(AddHundredths { hundredths }.body(ADD));
            }
            (0 | 1, READ) | (1, two::CLIENT_MULTIPLY) => return Ok(body.clone()),
            (0 | 1, _) => return Err(unknown_tag(body)),
            _ => return no_edge(edge),
        };
        Ok(change.body(CHANGE))
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        Some(match kind {
            "add" => {
                let hundredths = drawn_number(entropy[0]) * 25;
                AddHundredths { hundredths }.body(ADD)
            }
            "multiply" => two::Multiply { by: drawn_factor(entropy[0]) }.body(MULTIPLY),
            "clear" => ().body(CLEAR),
            "read" => ().body(READ),
            "read-hundredths" => ().body(READ_HUNDREDTHS),
            _ => return None,
        })
    }
}

impl<K> Three<K> {
    /// What one unit of the line that `edge` comes from is here.
    fn unit(&self, edge: usize) -> i64 {
        if self.flaw == Flaw::PathDependent && edge == 0 { 10 * HUNDREDTHS } else { HUNDREDTHS }
    }
}
