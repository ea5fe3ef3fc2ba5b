//! A text as values of a schema.

use std::collections::BTreeMap;

use causal::{Dot, Stamp};
use contract::Malformed;
use crdt::{
    Value,
    types::list::{Character, Position, Text},
};

use crate::{
    Fault, Meter,
    native::{
        replicated::{History, refused},
        typed::{Table, Typed, record},
    },
    schema::Schema,
};

record! {
    /// A step of a place.
    Step {
        1 digit: u32,
        2 by: Dot,
    }
}

/// Where a character stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::native) struct Place(Vec<Step>);

/// A value that an attribute has in some line.
pub(super) trait Attribute: Typed {
    fn value(self) -> Value;

    fn of(value: &Value) -> Self;
}

/// A character as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter<A> {
    name: Dot,
    at: Place,
    value: String,
    /// By key: what was given or taken away, and when.
    attributes: Table<String, (Stamp, A)>,
}

/// The state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept<A> {
    /// What is seen, in order.
    text: Vec<Letter<A>>,
    /// What was deleted, and when, as long as others may stand beside it.
    deleted: Vec<(Stamp, Letter<A>)>,
    /// Insertions that formats may come concurrently to, and what was to their left.
    insertions: History<Option<Dot>>,
}

impl Place {
    pub(super) fn of(position: &Position) -> Self {
        Self(position.path().iter().map(|(digit, by)| Step { digit: *digit, by: *by }).collect())
    }

    pub(super) fn position(self) -> Result<Position, Fault> {
        let path = self.0.into_iter().map(|Step { digit, by }| (digit, by)).collect();
        Position::with_path(path).map_err(refused)
    }
}

impl<A: Attribute> Letter<A> {
    fn of(name: Dot, character: &Character) -> Self {
        let Character { at, value, attributes, deleted: _ } = character;
        let mut table = Table::default();
        for (key, (stamp, value)) in attributes {
            table.insert(key, (*stamp, A::of(value)));
        }
        Self { name, at: Place::of(at), value: value.clone(), attributes: table }
    }

    fn character(mut self, deleted: Option<Stamp>) -> Result<(Dot, Character), Fault> {
        let attributes = self.attributes.take_where(|_| true).into_iter();
        let attributes: BTreeMap<_, _> =
            attributes.map(|(key, (stamp, value))| (key, (stamp, value.value()))).collect();
        let at = self.at.position()?;
        Ok((self.name, Character { at, value: self.value, deleted, attributes }))
    }

    fn lift<B>(mut self, up: &impl Fn(String, A) -> (String, B)) -> Letter<B> {
        let mut attributes = Table::default();
        for (key, (stamp, value)) in self.attributes.take_where(|_| true) {
            let (key, value) = up(key, value);
            attributes.insert(&key, (stamp, value));
        }
        Letter { name: self.name, at: self.at, value: self.value, attributes }
    }
}

impl<A: Attribute> Kept<A> {
    pub(super) fn of(text: &Text) -> Self {
        let mut kept = Self { text: vec![], deleted: vec![], insertions: History::default() };
        for (name, character) in text.characters() {
            let letter = Letter::of(name, character);
            match character.deleted {
                None => kept.text.push(letter),
                Some(by) => kept.deleted.push((by, letter)),
            }
        }
        kept.insertions = text.history().iter().copied().collect();
        kept
    }

    pub(super) fn text(self) -> Result<Text, Fault> {
        let seen = self.text.into_iter().map(|letter| letter.character(None));
        let deleted = self.deleted.into_iter();
        let deleted = deleted.map(|(by, letter)| letter.character(Some(by)));
        let characters = seen.chain(deleted).collect::<Result<Vec<_>, _>>()?;
        Text::restored(characters, self.insertions.into_iter().collect()).map_err(refused)
    }

    /// The same text with attributes of another line, a unit of the meter for each character.
    pub(super) fn lift<B>(
        self,
        meter: &mut Meter,
        up: impl Fn(String, A) -> (String, B),
    ) -> Result<Kept<B>, Fault> {
        meter.spend(1 + (self.text.len() + self.deleted.len()) as u64)?;
        let deleted = self.deleted.into_iter();
        Ok(Kept {
            text: self.text.into_iter().map(|letter| letter.lift(&up)).collect(),
            deleted: deleted.map(|(by, letter)| (by, letter.lift(&up))).collect(),
            insertions: self.insertions,
        })
    }
}

impl Typed for Place {
    fn schema() -> Schema {
        Vec::<Step>::schema()
    }

    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Vec::take(bytes).map(Self)
    }
}

impl<A: Typed> Typed for Letter<A> {
    fn schema() -> Schema {
        Schema::record([
            (1, "name", Dot::schema()),
            (2, "at", Place::schema()),
            (3, "value", Schema::Str),
            (4, "attributes", Table::<String, (Stamp, A)>::schema()),
        ])
    }

    fn put(&self, out: &mut Vec<u8>) {
        self.name.put(out);
        self.at.put(out);
        self.value.put(out);
        self.attributes.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(Self {
            name: Dot::take(bytes)?,
            at: Place::take(bytes)?,
            value: String::take(bytes)?,
            attributes: Table::take(bytes)?,
        })
    }
}

impl<A: Typed> Typed for Kept<A> {
    fn schema() -> Schema {
        Schema::record([
            (1, "text", Schema::list(Letter::<A>::schema())),
            (2, "deleted", Schema::list(<(Stamp, Letter<A>)>::schema())),
            (3, "insertions", History::<Option<Dot>>::schema()),
        ])
    }

    fn put(&self, out: &mut Vec<u8>) {
        self.text.put(out);
        self.deleted.put(out);
        self.insertions.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(Self {
            text: Vec::take(bytes)?,
            deleted: Vec::take(bytes)?,
            insertions: History::take(bytes)?,
        })
    }
}
