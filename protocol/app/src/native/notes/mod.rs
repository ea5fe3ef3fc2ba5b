//! A text that replicas write together, as a sequence of elements that have identifiers.
//!
//! 1.0.0 is Logoot: each character has an identifier of its own. 1.1.0 is LogootSplit: what is typed in a
//! row is a block. 2.x is RenamableLogootSplit: a rename makes one block of all and begins an epoch; what
//! 1.x says is of the epoch before all renames. Everything that 1.x writes is read unchanged, whichever
//! release its client was built for.
//!
//! Source: "Improving Replicated Sequences Performances"; research on sequences, section A.

use std::sync::Arc;

use sequence::{EpochId, Operation};

use crate::{
    Body, Fault, Program,
    native::{
        Listed,
        notes::{
            document::{Document, Moving, Ways},
            kind::{Change, Edit, Notes},
            places::{Piece, Span, identifier, steps},
        },
        replicated::{Asked, build},
        typed::{Typed, record},
    },
};

mod document;
mod judge;
mod kept;
mod kind;
mod one;
mod packed;
mod places;
mod sites;
mod two;

#[cfg(test)]
mod tests;

/// What releases call the application.
const APP: &str = "notes";

/// The field of the state that comes to be the same on all nodes.
const REPLICATED: &str = "document";

/// The good codes, oldest first.
pub(super) const LIST: &[Listed] = &[
    listed("1.0.0", None, one::ABOUT_ELEMENTS, || build(one::One::Elements)),
    listed("1.1.0", None, one::ABOUT_BLOCKS, || build(one::One::Blocks)),
    listed("2.0.0", None, two::ABOUT, || two(Moving::AtOnce, None)),
    listed("2.1.0", None, two::ABOUT_POSTPONES, || two(Moving::OnceAnnounced, None)),
];

/// Codes that are wrong: what checkers must find.
pub(super) const FLAWED: &[Listed] = &[
    listed(
        "2.0.0",
        Some("printed-mapping"),
        "identifiers are mapped between epochs as the papers print it, which loses order",
        || two(Moving::AtOnce, Some(Flaw::PrintedMapping)),
    ),
    listed(
        "2.0.0",
        Some("reuses-names"),
        "a rename forgets which names elements had that are gone, and gives them again",
        || two(Moving::AtOnce, Some(Flaw::ReusesNames)),
    ),
    listed(
        "2.1.0",
        Some("collects-delivered"),
        "older epochs are dropped once everybody has the rename, though some are still in them",
        || two(Moving::OnceAnnounced, Some(Flaw::CollectsDelivered)),
    ),
];

/// What is wrong with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    PrintedMapping,
    ReusesNames,
    CollectsDelivered,
}

/// Of all lines.
const READ: u32 = 16;
const CLIENT_INSERT: u32 = 17;
const CLIENT_REMOVE: u32 = 18;
const CLIENT_TYPE: u32 = 19;
const CLIENT_APPEND: u32 = 20;
const CLIENT_RUB_OUT: u32 = 21;

/// What is inserted at once is no longer, so that it fits a datagram however deep identifiers are.
const INSERTED_MAX: usize = 64;

/// No more is removed at once, for the same reason.
const REMOVED_MAX: u64 = 64;

record! {
    /// A client puts this before what it sees at an index; where the text has become shorter, at its end.
    ClientInsert {
        1 index: u64,
        2 text: String,
    }
}

record! {
    /// A client goes on at the end.
    ClientAppend {
        1 text: String,
    }
}

record! {
    /// A client takes away what it sees from an index on, so many characters, as far as they are there.
    ClientRemove {
        1 first: u64,
        2 count: u64,
    }
}

record! {
    /// A client takes away what it sees last, so many characters.
    ClientRubOut {
        1 count: u64,
    }
}

const fn listed(
    version: &'static str,
    variant: Option<&'static str>,
    about: &'static str,
    build: fn() -> Arc<dyn Program>,
) -> Listed {
    Listed { app: APP, version, variant, about, build }
}

fn two(moving: Moving, flaw: Option<Flaw>) -> Arc<dyn Program> {
    build(two::Two {
        kind: Notes(Ways { moving, flaw }),
        postpones: moving == Moving::OnceAnnounced,
    })
}

/// What a client asks for in words that all lines share; `None`: in words of its line.
fn asked(document: &Document, body: &Body) -> Result<Option<Asked<Edit>>, Fault> {
    let length = document.sequence.len();
    let bounded = |text: String| match text.chars().count() {
        1..=INSERTED_MAX => Ok(text),
        _ => Err(Fault::Refused(format!("1 to {INSERTED_MAX} characters go in at once"))),
    };
    Ok(Some(match body.tag {
        READ => {
            <()>::read_body(body)?;
            Asked::Tell(document.sequence.text().bytes())
        }
        CLIENT_INSERT => {
            let ClientInsert { index, text } = ClientInsert::read_body(body)?;
            Asked::Do(Edit::InsertApart(index.min(length), bounded(text)?))
        }
        CLIENT_TYPE => {
            let ClientInsert { index, text } = ClientInsert::read_body(body)?;
            Asked::Do(Edit::Insert(index.min(length), bounded(text)?))
        }
        CLIENT_APPEND => {
            let ClientAppend { text } = ClientAppend::read_body(body)?;
            Asked::Do(Edit::Insert(length, bounded(text)?))
        }
        CLIENT_REMOVE => {
            let ClientRemove { first, count } = ClientRemove::read_body(body)?;
            let end = first.saturating_add(count.min(REMOVED_MAX)).min(length);
            if first < end { Asked::Do(Edit::Remove(first..end)) } else { Asked::Nothing }
        }
        CLIENT_RUB_OUT => {
            let ClientRubOut { count } = ClientRubOut::read_body(body)?;
            let first = length.saturating_sub(count.min(REMOVED_MAX));
            if first < length { Asked::Do(Edit::Remove(first..length)) } else { Asked::Nothing }
        }
        _ => return Ok(None),
    }))
}

/// Inserts as they are broadcast, and the epoch that they are of.
fn pieces(operations: &[Operation]) -> Vec<Piece> {
    let piece = |operation: &Operation| match operation {
        Operation::Insert { first, text, .. } => {
            Some(Piece { at: steps(first), text: text.to_string() })
        }
        _ => None,
    };
    operations.iter().filter_map(piece).collect()
}

/// Whether it is a character by itself, which 1.0.0 knows.
fn is_element(piece: &Piece) -> bool {
    piece.at.last().is_some_and(|last| last.offset == 0) && piece.text.chars().count() == 1
}

/// The other way.
fn inserts(epoch: EpochId, pieces: Vec<Piece>) -> Result<Change, Fault> {
    if pieces.is_empty() || pieces.len() > INSERTED_MAX {
        return Err(Fault::Refused(format!("1 to {INSERTED_MAX} pieces go in at once")));
    }
    let insert = |Piece { at, text }: Piece| {
        Ok(Operation::Insert { epoch, first: identifier(&at)?, text: text.into() })
    };
    pieces.into_iter().map(insert).collect::<Result<_, Fault>>().map(Change::Edit)
}

fn removal(epoch: EpochId, spans: &[Span]) -> Result<Change, Fault> {
    let intervals = spans.iter().map(Span::interval).collect::<Result<_, Fault>>()?;
    Ok(Change::Edit(vec![Operation::Remove { epoch, intervals }]))
}

/// How many characters are there, as the manifest's measure.
fn characters(document: &Document) -> Vec<i128> {
    vec![document.sequence.len().into()]
}

/// An operation of a client in words that all lines share.
fn drawn(kind: &str, entropy: [u32; 4]) -> Option<Body> {
    let index = u64::from(entropy[0] % 64);
    let word = || {
        let letters = ['a', 'b', 'c', 'd', 'e', 'é', '語', ' '];
        let letter = |at: u32| letters[(entropy[2] >> (3 * at)) as usize % letters.len()];
        (0..1 + entropy[1] % 4).map(letter).collect::<String>()
    };
    Some(match kind {
        "insert" => ClientInsert { index, text: word() }.body(CLIENT_INSERT),
        "type" => ClientInsert { index, text: word() }.body(CLIENT_TYPE),
        "append" => ClientAppend { text: word() }.body(CLIENT_APPEND),
        "remove" => {
            let count = u64::from(1 + entropy[1] % 3);
            ClientRemove { first: index, count }.body(CLIENT_REMOVE)
        }
        "rub-out" => ClientRubOut { count: u64::from(1 + entropy[1] % 3) }.body(CLIENT_RUB_OUT),
        "read" => ().body(READ),
        _ => return None,
    })
}
