//! Counter 2.0.0: it also counts down, so an entry holds what went up and what went down.
//!
//! The one edge comes from 1.x, where everything that was counted went up.

use crate::{
    Body, Edge, Fault, Guarantee, Manifest, Meter,
    native::{
        counter::{
            APP, Edition, REPLICATED, Request, TICK,
            entries::{self, Entries, Entry, State},
            one::{self, Count, small},
            state_id,
        },
        message, operation,
        typed::{Typed, record, variant},
        unknown_tag,
    },
};

pub(super) const ABOUT: &str = "a counter that goes up and down; reads the states of 1.x";

pub(super) const MAP: u32 = 5;
pub(super) const DIGEST: u32 = 6;
pub(super) const ADD: u32 = 7;
pub(super) const ADD_MANY: u32 = 8;
pub(super) const INCREMENT: u32 = one::INCREMENT;
pub(super) const READ: u32 = one::READ;
pub(super) const DECREMENT: u32 = 20;
pub(super) const SEND_ADD: u32 = 21;
pub(super) const SEND_ADD_MANY: u32 = 22;

record! {
    /// What one node counted.
    #[derive(Copy, Default)]
    UpDown {
        1 up: u64,
        2 down: u64,
    }
}

variant! {
    /// How much to count, and which way.
    #[derive(Copy)]
    Amount {
        1 Up(u64),
        2 Down(u64),
    }
}

record! {
    /// Count this much.
    Add {
        1 by: Amount,
    }
}

record! {
    /// Count all of these.
    AddMany {
        1 by: Vec<Amount>,
    }
}

record! {
    /// A map in brief.
    Digest {
        1 digest: i64,
        /// How many entries.
        2 count: u64,
        /// Whether the sender could read the map of this version.
        3 answer: bool,
    }
}

/// The version.
pub(super) struct Two;

impl Entry for UpDown {
    fn join(self, other: Self) -> Self {
        Self { up: self.up.max(other.up), down: self.down.max(other.down) }
    }

    /// Ups and downs together fit the integer, so that neither alone nor their place overflows.
    fn credited(self, amount: entries::Amount) -> Option<Self> {
        let up = self.up.checked_add(amount.plus)?;
        let down = self.down.checked_add(amount.minus)?;
        i64::try_from(up.checked_add(down)?).is_ok().then_some(Self { up, down })
    }

    fn total(self) -> i64 {
        let part = |part| i64::try_from(part).expect("a count fits the schema's integer");
        part(self.up) - part(self.down)
    }

    fn place(self) -> (u64, u64) {
        (0, self.up.wrapping_add(self.down))
    }
}

impl From<Amount> for entries::Amount {
    fn from(amount: Amount) -> Self {
        match amount {
            Amount::Up(plus) => Self { plus, minus: 0 },
            Amount::Down(minus) => Self { plus: 0, minus },
        }
    }
}

impl Edition for Two {
    type Entry = UpDown;

    fn manifest(&self) -> Manifest {
        use Guarantee::{AtMostOnce, ExactlyOnce};
        const SINCE: [u64; 3] = [2, 0, 0];
        Manifest {
            app: APP,
            about: ABOUT,
            state: State::<UpDown>::schema(),
            messages: vec![
                message::<Entries<UpDown>>(MAP, "map", SINCE, AtMostOnce),
                message::<Digest>(DIGEST, "digest", SINCE, AtMostOnce),
                message::<Add>(ADD, "add", SINCE, ExactlyOnce),
                message::<AddMany>(ADD_MANY, "add-many", SINCE, ExactlyOnce),
                operation::<one::Add>(INCREMENT, "increment", SINCE),
                operation::<()>(READ, "read", SINCE),
                operation::<one::Add>(DECREMENT, "decrement", SINCE),
                operation::<Add>(SEND_ADD, "add", SINCE),
                operation::<AddMany>(SEND_ADD_MANY, "add-many", SINCE),
            ],
            edges: vec![from_one_edge()],
            operations: vec!["increment", "decrement", "add", "read", "add-many"],
            measures: vec!["total"],
            replicated: Some(REPLICATED),
            tick: Some(TICK),
        }
    }

    fn request<'a>(&self, body: &'a Body) -> Result<Request<'a, UpDown>, Fault> {
        match body.tag {
            MAP => Ok(Request::Join(&body.bytes)),
            _ => request(body),
        }
    }

    fn map_tag(&self) -> u32 {
        MAP
    }

    fn compare(&self, map: &Entries<UpDown>) -> Body {
        compare(map)
    }

    fn migrate(&self, edge: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
        match edge {
            0 => migrate_from_one(state, meter),
            _ => Err(Fault::Refused(format!("no edge {edge}"))),
        }
    }

    fn convert(&self, edge: usize, body: &Body) -> Result<Body, Fault> {
        match edge {
            0 => convert_from_one(body),
            _ => Err(Fault::Refused(format!("no edge {edge}"))),
        }
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        drawn(kind, entropy)
    }
}

/// What every message means that holds no map.
pub(super) fn request<'a, E>(body: &Body) -> Result<Request<'a, E>, Fault> {
    Ok(match body.tag {
        DIGEST => {
            let Digest { digest, count, answer } = Digest::read_body(body)?;
            Request::Compare { digest, count, answer }
        }
        ADD => Request::Count(Add::read_body(body)?.by.into()),
        ADD_MANY => {
            let many = AddMany::read_body(body)?;
            Request::Count(entries::Amount::sum(many.by.into_iter().map(Into::into))?)
        }
        INCREMENT => Request::Count(Amount::Up(one::Add::read_body(body)?.by).into()),
        DECREMENT => Request::Count(Amount::Down(one::Add::read_body(body)?.by).into()),
        READ => {
            <()>::read_body(body)?;
            Request::Read
        }
        SEND_ADD => {
            Add::read_body(body)?;
            Request::Forward(ADD)
        }
        SEND_ADD_MANY => {
            AddMany::read_body(body)?;
            Request::Forward(ADD_MANY)
        }
        _ => return Err(unknown_tag(body)),
    })
}

pub(super) fn compare<E: Entry>(map: &Entries<E>) -> Body {
    Digest { digest: map.digest(), count: map.len() as u64, answer: true }.body(DIGEST)
}

/// An operation of a client.
pub(super) fn drawn(kind: &str, entropy: [u32; 4]) -> Option<Body> {
    let amount = |entropy: u32| match entropy % 3 {
        0 => Amount::Down(small(entropy / 3)),
        _ => Amount::Up(small(entropy / 3)),
    };
    Some(match kind {
        "increment" => one::Add { by: small(entropy[0]) }.body(INCREMENT),
        "decrement" => one::Add { by: small(entropy[0]) }.body(DECREMENT),
        "add" => Add { by: amount(entropy[0]) }.body(SEND_ADD),
        "add-many" => {
            let count = 1 + entropy[3] as usize % 3;
            AddMany { by: entropy[..count].iter().copied().map(amount).collect() }
                .body(SEND_ADD_MANY)
        }
        "read" => ().body(READ),
        _ => return None,
    })
}

pub(super) fn from_one_edge() -> Edge {
    Edge {
        from_class: "1",
        to_class: "2",
        from_state: state_id::<Count>(),
        to_state: state_id::<UpDown>(),
    }
}

/// Everything that 1.x counted went up.
pub(super) fn up_from_one(entry: Count) -> UpDown {
    UpDown { up: entry.count, down: 0 }
}

pub(super) fn migrate_from_one(state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
    let State { id, map } = State::<Count>::read(state, "state of 1.x")?;
    Ok(State { id, map: map.lift(meter, up_from_one)? }.bytes())
}

/// Takes a message of 1.x to 2.x. Its digest stays the same, but whoever sent it cannot read an
/// answer, which would only be held there.
pub(super) fn convert_from_one(body: &Body) -> Result<Body, Fault> {
    let many = |body| {
        let by = one::AddMany::read_body(body)?.by.into_iter().map(Amount::Up).collect();
        Ok::<_, Fault>(AddMany { by })
    };
    let add = |body| Ok::<_, Fault>(Add { by: Amount::Up(one::Add::read_body(body)?.by) });
    Ok(match body.tag {
        one::MAP => {
            let map = Entries::<Count>::read_body(body)?;
            map.lift(&mut Meter::new(u64::MAX), up_from_one)?.body(MAP)
        }
        one::DIGEST => {
            let one::Digest { digest, count } = one::Digest::read_body(body)?;
            Digest { digest, count, answer: false }.body(DIGEST)
        }
        one::ADD => add(body)?.body(ADD),
        one::ADD_MANY => many(body)?.body(ADD_MANY),
        one::SEND_ADD => add(body)?.body(SEND_ADD),
        one::SEND_ADD_MANY => many(body)?.body(SEND_ADD_MANY),
        one::INCREMENT | one::READ => body.clone(),
        _ => return Err(unknown_tag(body)),
    })
}
