//! Notes 1.x: no renames. 1.1.0 writes blocks.

use sequence::{EpochId, Operation};

use crate::{
    Body, Fault, Manifest,
    native::{
        notes::{
            self, APP, CLIENT_APPEND, CLIENT_INSERT, CLIENT_REMOVE, CLIENT_RUB_OUT, CLIENT_TYPE,
            ClientAppend, ClientInsert, ClientRemove, ClientRubOut, READ, REPLICATED,
            document::{Document, Moving, Ways},
            kept::PlainKept,
            kind::{Change, Edit, Notes},
            places::{Piece, Span},
        },
        operation,
        replicated::{Asked, Edition, broadcast},
        typed::{Typed, record},
        unknown_tag,
    },
};

pub(super) const ABOUT_ELEMENTS: &str =
    "text that replicas write together, each character by itself (Logoot)";
pub(super) const ABOUT_BLOCKS: &str =
    "as 1.0.0, and what is typed in a row is a block (LogootSplit)";

pub(super) const INSERT: u32 = 1;
pub(super) const REMOVE: u32 = 2;
pub(super) const BLOCK: u32 = 3;

/// What 1.0.0 does not know.
const SINCE_BLOCKS: [u64; 3] = [1, 1, 0];

/// The origin has no epoch before it and none beside it: how moves are made says nothing here.
const NOTES: Notes = Notes(WAYS);
const WAYS: Ways = Ways { moving: Moving::AtOnce, flaw: None };

record! {
    /// Characters come into being, each by itself.
    Insert {
        1 pieces: Vec<Piece>,
    }
}

record! {
    /// A block comes into being, or goes on.
    Block {
        1 piece: Piece,
    }
}

record! {
    /// Characters go.
    Remove {
        1 spans: Vec<Span>,
    }
}

/// The versions of this line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum One {
    /// 1.0.0.
    Elements,
    /// 1.1.0.
    Blocks,
}

/// What an insert brings. Errors: it is malformed, or has a block in it.
pub(super) fn inserted(body: &Body) -> Result<Vec<Piece>, Fault> {
    let Insert { pieces } = Insert::read_body(body)?;
    if !pieces.iter().all(notes::is_element) {
        return Err(Fault::Refused("each character goes in by itself".to_owned()));
    }
    Ok(pieces)
}

impl Edition for One {
    type Kind = Notes;
    type Kept = PlainKept;

    fn manifest(&self) -> Manifest {
        const SINCE: [u64; 3] = [1, 0, 0];
        let mut messages = vec![
            broadcast::<Insert>(INSERT, "insert", SINCE),
            broadcast::<Remove>(REMOVE, "remove", SINCE),
            broadcast::<Block>(BLOCK, "block", SINCE_BLOCKS),
            operation::<()>(READ, "read", SINCE),
            operation::<ClientInsert>(CLIENT_INSERT, "insert", SINCE),
            operation::<ClientRemove>(CLIENT_REMOVE, "remove", SINCE),
            operation::<ClientInsert>(CLIENT_TYPE, "type", SINCE_BLOCKS),
            operation::<ClientAppend>(CLIENT_APPEND, "append", SINCE_BLOCKS),
            operation::<ClientRubOut>(CLIENT_RUB_OUT, "rub-out", SINCE_BLOCKS),
        ];
        let mut operations = vec!["insert", "remove", "read", "type", "append", "rub-out"];
        if *self == Self::Elements {
            messages.retain(|message| message.since != SINCE_BLOCKS);
            operations.truncate(3);
        }
        Manifest {
            app: APP,
            about: if *self == Self::Elements { ABOUT_ELEMENTS } else { ABOUT_BLOCKS },
            state: PlainKept::schema(),
            messages,
            edges: vec![],
            operations,
            measures: vec!["characters"],
            replicated: Some(REPLICATED),
            tick: None,
        }
    }

    fn kind(&self) -> &Notes {
        &NOTES
    }

    fn keep(&self, document: &Document) -> PlainKept {
        PlainKept::of(document)
    }

    fn restore(&self, kept: PlainKept) -> Result<Document, Fault> {
        kept.lift().document(WAYS)
    }

    fn retained(&self, document: &Document) -> usize {
        document.retained()
    }

    fn forget(&self, document: &mut Document, stable: &causal::Clock) -> bool {
        document.forget(stable)
    }

    fn asked(&self, document: &Document, body: &Body) -> Result<Asked<Edit>, Fault> {
        let later = matches!(body.tag, CLIENT_TYPE | CLIENT_APPEND | CLIENT_RUB_OUT);
        if later && *self == Self::Elements {
            return Err(unknown_tag(body));
        }
        notes::asked(document, body)?.ok_or_else(|| unknown_tag(body))
    }

    fn write(&self, change: &Change) -> Body {
        let Change::Edit(operations) = change else { unreachable!("nothing is announced in 1.x") };
        match &operations[..] {
            [Operation::Remove { intervals, .. }] => {
                let spans = intervals.iter().map(Span::of).collect();
                Remove { spans }.body(REMOVE)
            }
            inserts => {
                let mut pieces = notes::pieces(inserts);
                match pieces.pop_if(|piece| !notes::is_element(piece)) {
                    Some(piece) => Block { piece }.body(BLOCK),
                    None => Insert { pieces }.body(INSERT),
                }
            }
        }
    }

    fn read(&self, body: &Body) -> Result<Change, Fault> {
        match (body.tag, self) {
            (INSERT, _) => notes::inserts(EpochId::Origin, inserted(body)?),
            (REMOVE, _) => notes::removal(EpochId::Origin, &Remove::read_body(body)?.spans),
            (BLOCK, Self::Blocks) => {
                notes::inserts(EpochId::Origin, vec![Block::read_body(body)?.piece])
            }
            _ => Err(unknown_tag(body)),
        }
    }

    fn measure(&self, document: &Document) -> Vec<i128> {
        notes::characters(document)
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        match (kind, self) {
            ("type" | "append" | "rub-out", Self::Elements) => None,
            _ => notes::drawn(kind, entropy),
        }
    }
}
