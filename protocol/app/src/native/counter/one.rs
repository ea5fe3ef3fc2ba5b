//! Counter 1.x: it only counts up. 1.0.1 mends a read, 1.4.0 counts many amounts at once.

use crate::{
    Body, Context, Fault, Guarantee, Manifest, Meter,
    native::{
        counter::{
            APP, Edition, REPLICATED, Request, TICK,
            entries::{Amount, Entries, Entry, State},
        },
        message, operation,
        typed::{Typed, record},
        unknown_tag,
    },
};

pub(super) const ABOUT_FIRST: &str =
    "a counter that only grows; a read forgets what nodes counted that left";
pub(super) const ABOUT_FIXED: &str = "as 1.0.0, and a read counts nodes that left";
pub(super) const ABOUT_MANY: &str = "as 1.0.1, and one message adds many amounts";

pub(super) const MAP: u32 = 1;
pub(super) const ADD: u32 = 2;
pub(super) const ADD_MANY: u32 = 3;
pub(super) const DIGEST: u32 = 4;
pub(super) const INCREMENT: u32 = 16;
pub(super) const SEND_ADD: u32 = 17;
pub(super) const READ: u32 = 18;
pub(super) const SEND_ADD_MANY: u32 = 19;

record! {
    /// How much one node counted.
    #[derive(Copy, Default)]
    Count {
        1 count: u64,
    }
}

record! {
    /// Count this much.
    Add {
        1 by: u64,
    }
}

record! {
    /// Count all of these.
    AddMany {
        1 by: Vec<u64>,
    }
}

record! {
    /// A map in brief.
    Digest {
        1 digest: i64,
        /// How many entries.
        2 count: u64,
    }
}

/// The versions of this line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum One {
    /// 1.0.0.
    First,
    /// 1.0.1.
    Fixed,
    /// 1.4.0.
    Many,
}

impl Entry for Count {
    fn join(self, other: Self) -> Self {
        Self { count: self.count.max(other.count) }
    }

    fn credited(self, amount: Amount) -> Option<Self> {
        assert!(amount.minus == 0, "no message of this line counts down");
        let count = self.count.checked_add(amount.plus)?;
        i64::try_from(count).is_ok().then_some(Self { count })
    }

    fn total(self) -> i64 {
        i64::try_from(self.count).expect("a count fits the schema's integer")
    }

    fn place(self) -> (u64, u64) {
        (0, self.count)
    }
}

impl Edition for One {
    type Entry = Count;

    fn manifest(&self) -> Manifest {
        use Guarantee::{AtMostOnce, ExactlyOnce};
        const FIRST: [u64; 3] = [1, 0, 0];
        const MANY: [u64; 3] = [1, 4, 0];
        let mut messages = vec![
            message::<Entries<Count>>(MAP, "map", FIRST, AtMostOnce),
            message::<Add>(ADD, "add", FIRST, ExactlyOnce),
            message::<AddMany>(ADD_MANY, "add-many", MANY, ExactlyOnce),
            message::<Digest>(DIGEST, "digest", FIRST, AtMostOnce),
            operation::<Add>(INCREMENT, "increment", FIRST),
            operation::<Add>(SEND_ADD, "add", FIRST),
            operation::<()>(READ, "read", FIRST),
            operation::<AddMany>(SEND_ADD_MANY, "add-many", MANY),
        ];
        let mut operations = vec!["increment", "add", "read", "add-many"];
        if *self != Self::Many {
            messages.retain(|message| message.since != MANY);
            operations.pop();
        }
        Manifest {
            app: APP,
            about: match self {
                Self::First => ABOUT_FIRST,
                Self::Fixed => ABOUT_FIXED,
                Self::Many => ABOUT_MANY,
            },
            state: State::<Count>::schema(),
            messages,
            edges: vec![],
            operations,
            measures: vec!["total"],
            replicated: Some(REPLICATED),
            tick: Some(TICK),
        }
    }

    fn request<'a>(&self, body: &'a Body) -> Result<Request<'a, Count>, Fault> {
        Ok(match body.tag {
            MAP => Request::Join(&body.bytes),
            DIGEST => {
                let Digest { digest, count } = Digest::read_body(body)?;
                Request::Compare { digest, count, answer: true }
            }
            ADD | INCREMENT => Request::Count(amount(Add::read_body(body)?.by)),
            READ => {
                <()>::read_body(body)?;
                Request::Read
            }
            SEND_ADD => {
                Add::read_body(body)?;
                Request::Forward(ADD)
            }
            ADD_MANY if *self == Self::Many => {
                let many = AddMany::read_body(body)?;
                Request::Count(Amount::sum(many.by.into_iter().map(amount))?)
            }
            SEND_ADD_MANY if *self == Self::Many => {
                AddMany::read_body(body)?;
                Request::Forward(ADD_MANY)
            }
            _ => return Err(unknown_tag(body)),
        })
    }

    fn map_tag(&self) -> u32 {
        MAP
    }

    fn compare(&self, map: &Entries<Count>) -> Body {
        Digest { digest: map.digest(), count: map.len() as u64 }.body(DIGEST)
    }

    fn read(&self, map: &Entries<Count>, context: Context<'_>) -> i128 {
        if *self != Self::First {
            return map.total();
        }
        context.nodes.iter().map(|node| i128::from(map.get(node.0).total())).sum()
    }

    fn migrate(&self, edge: usize, _: &[u8], _: &mut Meter) -> Result<Vec<u8>, Fault> {
        Err(Fault::Refused(format!("no edge {edge}")))
    }

    fn convert(&self, edge: usize, _: &Body) -> Result<Body, Fault> {
        Err(Fault::Refused(format!("no edge {edge}")))
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        Some(match kind {
            "increment" => Add { by: small(entropy[0]) }.body(INCREMENT),
            "add" => Add { by: small(entropy[0]) }.body(SEND_ADD),
            "read" => ().body(READ),
            "add-many" if *self == Self::Many => {
                let count = 1 + entropy[3] as usize % 3;
                AddMany { by: entropy[..count].iter().copied().map(small).collect() }
                    .body(SEND_ADD_MANY)
            }
            _ => return None,
        })
    }
}

/// An amount that a person can add up in a trace.
pub(super) fn small(entropy: u32) -> u64 {
    1 + u64::from(entropy % 9)
}

fn amount(plus: u64) -> Amount {
    Amount { plus, minus: 0 }
}
