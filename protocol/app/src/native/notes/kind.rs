//! The replicated type: edits of a text, renames, and announcements of epochs.

use std::ops::Range;

use causal::{At, Clock, Log, Stamp};
use crdt::{Op, Refused, Value};
use sequence::{EpochId, Operation};

use crate::native::notes::{
    document::{Document, Ways},
    judge,
};

/// The type, as one code has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Notes(pub(super) Ways);

/// What somebody does to the text that it sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    /// Puts a text there; what is typed in a row makes a block.
    Insert(u64, String),
    /// The same, each character by itself.
    InsertApart(u64, String),
    /// Takes characters away.
    Remove(Range<u64>),
    /// Names all anew.
    Rename,
}

/// What is broadcast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// An edit: several inserts, or one operation of any kind.
    Edit(Vec<Operation>),
    /// Every member has the rename that began this epoch.
    Announce(EpochId),
}

/// What is shown of a text whose newest epoch this is.
pub(super) fn shown(text: String, newest: EpochId) -> Value {
    Value::map([("text", Value::Text(text)), ("epoch", Value::Text(newest.to_string()))])
}

impl Op for Notes {
    type Operation = Edit;
    type Message = Change;
    type State = Document;

    fn initial(&self) -> Document {
        Document::empty(self.0)
    }

    fn prepare(&self, document: &Document, edit: &Edit, stamp: Stamp) -> Result<Change, Refused> {
        document.edited(edit, stamp).map(Change::Edit)
    }

    fn effect(&self, document: &mut Document, at: At<'_>, change: &Change) -> Result<(), Refused> {
        match change {
            Change::Edit(operations) => document.carry_out(at, operations),
            Change::Announce(epoch) => document.hear(at, *epoch),
        }
    }

    fn value(&self, document: &Document) -> Value {
        shown(document.sequence.text(), document.sequence.leading_epoch())
    }

    fn forget(&self, document: &mut Document, stable: &Clock) {
        document.forget(stable);
    }

    fn meaning(&self, log: &Log<'_, Change>) -> Value {
        judge::meaning(log.iter().map(|event| &event.message))
    }

    fn parse(&self, operation: &Value) -> Result<Edit, Refused> {
        let expected = "an edit that a client of the application asks for";
        Err(Refused::Unknown { expected, found: operation.to_string() })
    }
}
