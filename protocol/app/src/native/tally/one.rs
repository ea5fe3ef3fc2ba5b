//! Tally 1.x: one sum. 1.1.0 counts down too.

use crate::{
    Body, Fault, Manifest,
    native::{
        operation,
        replicated::{Asked, Edition, Sum, broadcast},
        tally::APP,
        typed::{Typed, record},
        unknown_tag,
    },
};

pub(super) const ABOUT_FIRST: &str = "a count whose replicas broadcast what they count";
pub(super) const ABOUT_DOWN: &str = "as 1.0.0, and it counts down too";

pub(super) const UP: u32 = 1;
pub(super) const DOWN: u32 = 2;
pub(super) const READ: u32 = 16;
pub(super) const CLIENT_UP: u32 = 17;
pub(super) const CLIENT_DOWN: u32 = 18;

/// 1.0.0 knows none of these.
const SINCE_DOWN: [u64; 3] = [1, 1, 0];

record! {
    /// Counts this much.
    Count {
        1 by: u64,
    }
}

record! {
    /// The state.
    Kept {
        1 sum: i64,
    }
}

/// The versions of this line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum One {
    /// 1.0.0.
    First,
    /// 1.1.0.
    Down,
}

impl Edition for One {
    type Kind = Sum;
    type Kept = Kept;

    fn manifest(&self) -> Manifest {
        const SINCE: [u64; 3] = [1, 0, 0];
        let mut messages = vec![
            broadcast::<Count>(UP, "up", SINCE),
            broadcast::<Count>(DOWN, "down", SINCE_DOWN),
            operation::<()>(READ, "read", SINCE),
            operation::<Count>(CLIENT_UP, "up", SINCE),
            operation::<Count>(CLIENT_DOWN, "down", SINCE_DOWN),
        ];
        let mut operations = vec!["up", "read", "down"];
        if *self == Self::First {
            messages.retain(|message| message.since != SINCE_DOWN);
            operations.pop();
        }
        Manifest {
            app: APP,
            about: if *self == Self::First { ABOUT_FIRST } else { ABOUT_DOWN },
            state: Kept::schema(),
            messages,
            edges: vec![],
            operations,
            measures: vec!["sum"],
            replicated: Some("sum"),
            tick: None,
        }
    }

    fn kind(&self) -> &Sum {
        &Sum
    }

    fn keep(&self, sum: &i64) -> Kept {
        Kept { sum: *sum }
    }

    fn restore(&self, kept: Kept) -> Result<i64, Fault> {
        Ok(kept.sum)
    }

    fn retained(&self, _: &i64) -> usize {
        0
    }

    fn asked(&self, sum: &i64, body: &Body) -> Result<Asked<i64>, Fault> {
        match (body.tag, self) {
            (READ, _) => <()>::read_body(body).map(|()| Asked::Tell(sum.bytes())),
            (CLIENT_UP, _) => Ok(Asked::Do(up(body)?)),
            (CLIENT_DOWN, Self::Down) => Ok(Asked::Do(-up(body)?)),
            _ => Err(unknown_tag(body)),
        }
    }

    fn write(&self, by: &i64) -> Body {
        let tag = if *by < 0 { DOWN } else { UP };
        Count { by: by.unsigned_abs() }.body(tag)
    }

    fn read(&self, body: &Body) -> Result<i64, Fault> {
        match (body.tag, self) {
            (UP, _) => up(body),
            (DOWN, Self::Down) => Ok(-up(body)?),
            _ => Err(unknown_tag(body)),
        }
    }

    fn measure(&self, sum: &i64) -> Vec<i128> {
        vec![(*sum).into()]
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        let count = Count { by: drawn(entropy[0]) };
        Some(match (kind, self) {
            ("up", _) => count.body(CLIENT_UP),
            ("down", Self::Down) => count.body(CLIENT_DOWN),
            ("read", _) => ().body(READ),
            _ => return None,
        })
    }
}

/// What a client counts at once.
pub(super) const fn drawn(entropy: u32) -> u64 {
    1 + entropy as u64 % 9
}

/// How much is counted, up. A count fits the schema's integer, so its negative does too.
pub(super) fn up(body: &Body) -> Result<i64, Fault> {
    Ok(Count::read_body(body)?.by.cast_signed())
}
