//! Register 1.0.0: it is only added to.

use crate::{
    Body, Fault, Manifest,
    native::{
        operation,
        register::{APP, REPLICATED, drawn_number},
        replicated::{Asked, Edition, Sum, broadcast},
        typed::{Typed, record},
        unknown_tag,
    },
};

pub(super) const ABOUT: &str = "a register that replicas add to";

pub(super) const ADD: u32 = 1;
pub(super) const READ: u32 = 16;
pub(super) const CLIENT_ADD: u32 = 17;

record! {
    /// Adds this.
    Add {
        1 by: i64,
    }
}

record! {
    /// The state.
    Kept {
        1 value: i64,
    }
}

/// The version.
pub(super) struct One;

impl Edition for One {
    type Kind = Sum;
    type Kept = Kept;

    fn manifest(&self) -> Manifest {
        const SINCE: [u64; 3] = [1, 0, 0];
        Manifest {
            app: APP,
            about: ABOUT,
            state: Kept::schema(),
            messages: vec![
                broadcast::<Add>(ADD, "add", SINCE),
                operation::<()>(READ, "read", SINCE),
                operation::<Add>(CLIENT_ADD, "add", SINCE),
            ],
            edges: vec![],
            operations: vec!["add", "read"],
            measures: vec!["value"],
            replicated: Some(REPLICATED),
            tick: None,
        }
    }

    fn kind(&self) -> &Sum {
        &Sum
    }

    fn keep(&self, value: &i64) -> Kept {
        Kept { value: *value }
    }

    fn restore(&self, kept: Kept) -> Result<i64, Fault> {
        Ok(kept.value)
    }

    fn retained(&self, _: &i64) -> usize {
        0
    }

    fn asked(&self, value: &i64, body: &Body) -> Result<Asked<i64>, Fault> {
        match body.tag {
            READ => <()>::read_body(body).map(|()| Asked::Tell(value.bytes())),
            CLIENT_ADD => Ok(Asked::Do(Add::read_body(body)?.by)),
            _ => Err(unknown_tag(body)),
        }
    }

    fn write(&self, by: &i64) -> Body {
        Add { by: *by }.body(ADD)
    }

    fn read(&self, body: &Body) -> Result<i64, Fault> {
        match body.tag {
            ADD => Ok(Add::read_body(body)?.by),
            _ => Err(unknown_tag(body)),
        }
    }

    fn measure(&self, value: &i64) -> Vec<i128> {
        vec![(*value).into()]
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        Some(match kind {
            "add" => Add { by: drawn_number(entropy[0]) }.body(CLIENT_ADD),
            "read" => ().body(READ),
            _ => return None,
        })
    }
}
