//! Text that replicas write together: what is typed takes over the attributes of what stands to its left,
//! from concurrent formats too.
//!
//! 1.x knows attributes that are on or off; 1.1.0 adds one, by an operation that 1.0.0 does not know. 2.x
//! knows attributes that have values. What every line retains is where characters were inserted, for formats
//! that are still under way.
//!
//! Source: research on semidirect products, section A.11 (rich text).

use std::sync::Arc;

use causal::Dot;
use crdt::types::{
    ListOp, Rich,
    list::{RichMessage, Text},
};

use crate::{
    Body, Fault, Program,
    native::{
        Listed,
        replicated::{Asked, build},
        typed::{Typed, record},
    },
};

mod kept;
mod one;
mod two;

#[cfg(test)]
mod tests;

/// What releases call the application.
const APP: &str = "text";

/// The field of the state that comes to be the same on all nodes.
const REPLICATED: &str = "text";

/// The codes, oldest first.
pub(super) const LIST: &[Listed] = &[
    listed("1.0.0", one::ABOUT_FIRST, || build(one::One::First)),
    listed("1.1.0", one::ABOUT_UNDERLINE, || build(one::One::Underline)),
    listed("2.0.0", two::ABOUT, || build(two::Two)),
];

/// Of all lines.
const INSERT: u32 = 1;
const DELETE: u32 = 2;
const READ: u32 = 16;
const CLIENT_INSERT: u32 = 17;
const CLIENT_DELETE: u32 = 18;

/// What is inserted at once is no longer.
const VALUE_BYTES_MAX: usize = 16;

/// One operation formats no more characters, so that it fits a datagram.
const FORMATTED_MAX: usize = 64;

record! {
    /// Puts a character there; the operation's dot names it.
    Insert {
        1 at: kept::Place,
        2 value: String,
        /// The character that stood to its left.
        3 left: Option<Dot>,
    }
}

record! {
    /// Takes this character away.
    Delete {
        1 name: Dot,
    }
}

record! {
    /// A client types this before what it sees at an index; where the text has become shorter, at its end.
    ClientInsert {
        1 index: u64,
        2 value: String,
    }
}

record! {
    /// A client deletes what it sees at an index, if anything.
    ClientDelete {
        1 index: u64,
    }
}

record! {
    /// What a client sees from one index on, so many characters, as far as they are there.
    Range {
        1 first: u64,
        2 count: u64,
    }
}

const fn listed(
    version: &'static str,
    about: &'static str,
    build: fn() -> Arc<dyn Program>,
) -> Listed {
    Listed { app: APP, version, variant: None, about, build }
}

/// What a client asks for in words that all lines share; `None`: in words of its line.
fn asked(text: &Text, body: &Body) -> Result<Option<Asked<ListOp>>, Fault> {
    Ok(Some(match body.tag {
        READ => {
            <()>::read_body(body)?;
            let seen = text.characters().filter(|(_, character)| character.deleted.is_none());
            Asked::Tell(
                seen.map(|(_, character)| character.value.as_str()).collect::<String>().bytes(),
            )
        }
        CLIENT_INSERT => {
            let ClientInsert { index, value } = ClientInsert::read_body(body)?;
            let index = usize::try_from(index).unwrap_or(usize::MAX).min(text.len());
            Asked::Do(ListOp::Insert(index, bounded(value)?))
        }
        CLIENT_DELETE => {
            let index = usize::try_from(ClientDelete::read_body(body)?.index);
            match index {
                Ok(index) if index < text.len() => Asked::Do(ListOp::Delete(index)),
                _ => Asked::Nothing,
            }
        }
        _ => return Ok(None),
    }))
}

/// Gives a range an attribute, as far as there are characters.
fn format(
    text: &Text,
    Range { first, count }: &Range,
    key: String,
    value: crdt::Value,
) -> Asked<ListOp> {
    let bound = |number: &u64| usize::try_from(*number).unwrap_or(usize::MAX);
    let first = bound(first);
    let count = bound(count).min(FORMATTED_MAX).min(text.len().saturating_sub(first));
    match count.checked_sub(1) {
        Some(further) => Asked::Do(ListOp::Format(first, first + further, key, value)),
        None => Asked::Nothing,
    }
}

/// A broadcast operation that all lines write alike; `None`: it is a format.
fn written(message: &RichMessage) -> Option<Body> {
    match message {
        RichMessage::Insert { at, value, left } => {
            let at = kept::Place::of(at);
            Some(Insert { at, value: value.clone(), left: *left }.body(INSERT))
        }
        RichMessage::Delete(name) => Some(Delete { name: *name }.body(DELETE)),
        RichMessage::Format(..) => None,
    }
}

/// The other way; `None`: it is of one line.
fn read(body: &Body) -> Result<Option<RichMessage>, Fault> {
    Ok(match body.tag {
        INSERT => {
            let Insert { at, value, left } = Insert::read_body(body)?;
            Some(RichMessage::Insert { at: at.position()?, value: bounded(value)?, left })
        }
        DELETE => Some(RichMessage::Delete(Delete::read_body(body)?.name)),
        _ => None,
    })
}

fn bounded(value: String) -> Result<String, Fault> {
    if value.len() > VALUE_BYTES_MAX {
        return Err(Fault::Refused(format!("more than {VALUE_BYTES_MAX} bytes at once")));
    }
    Ok(value)
}

/// How many insertions and deleted characters others may still refer to.
fn retained(text: &Text) -> usize {
    let deleted = text.characters().filter(|(_, character)| character.deleted.is_some());
    text.history().len() + deleted.count()
}

/// How many characters are there, as the manifest's measure.
fn characters(text: &Text) -> Vec<i128> {
    vec![text.len() as i128]
}

/// An operation of a client in words that all lines share.
fn drawn(kind: &str, entropy: [u32; 4]) -> Option<Body> {
    let index = u64::from(entropy[0] % 12);
    Some(match kind {
        "insert" => {
            let value = ["a", "b", "c", "d", "e", " "][entropy[1] as usize % 6].to_owned();
            ClientInsert { index, value }.body(CLIENT_INSERT)
        }
        "delete" => ClientDelete { index }.body(CLIENT_DELETE),
        "read" => ().body(READ),
        _ => return None,
    })
}

/// A range of a client.
fn drawn_range(entropy: [u32; 4]) -> Range {
    Range { first: u64::from(entropy[0] % 8), count: u64::from(1 + entropy[2] % 5) }
}

/// The type.
const RICH: Rich = Rich;
