//! Text with attributes: formats go before concurrent insertions.
//!
//! A character takes over the attributes of the one that stood to its left when it was inserted, from
//! concurrent formats too: `insert(c, left) ▷ format(T) = format(T + c)` where `left` is in `T`. Of several
//! formats of one character and attribute the one with the greatest stamp counts.

use std::collections::{BTreeMap, BTreeSet};

use super::{ListOp, Position, at, between, left_of, parse};
use crate::{At, Clock, Dot, Log, Op, Refused, Stamp, Value};

/// Text with attributes.
#[derive(Clone, Copy, Debug)]
pub struct Rich;

/// What is done to a [`Rich`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RichMessage {
    /// Puts a character there; the operation's dot names it.
    Insert {
        /// Where.
        at: Position,
        /// What.
        value: String,
        /// The character that stood to its left.
        left: Option<Dot>,
    },
    /// Takes a character away.
    Delete(Dot),
    /// Gives characters an attribute; `Null` takes it away.
    Format(Vec<Dot>, String, Value),
}

use RichMessage::{Delete, Format, Insert};

/// A character of a [`Text`].
#[derive(Clone, Debug, PartialEq)]
pub struct Character {
    /// Where it stands.
    pub at: Position,
    /// What it is.
    pub value: String,
    /// The first deletion of it. It stays as long as others may stand to its right that do not know.
    pub deleted: Option<Stamp>,
    /// What it was given and when; `Null`: what it was deprived of.
    pub attributes: BTreeMap<String, (Stamp, Value)>,
}

/// The state of a [`Rich`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    characters: BTreeMap<Dot, Character>,
    /// Who stands where, the deleted too.
    order: BTreeMap<Position, Dot>,
    /// Insertions that formats may come concurrently to, and what was to their left; causes first.
    history: Vec<(Stamp, Option<Dot>)>,
}

impl Text {
    /// The text of these characters by name, the deleted too, and this history, causes first.
    ///
    /// Errors: [`Refused::Unknown`] where two share a name or a place, or history has another order.
    pub fn restored(
        characters: impl IntoIterator<Item = (Dot, Character)>,
        history: Vec<(Stamp, Option<Dot>)>,
    ) -> Result<Self, Refused> {
        if !history.is_sorted_by(|(a, _), (b, _)| a < b) {
            let found = format!("{history:?}");
            return Err(Refused::Unknown { expected: "history in order of stamps", found });
        }
        let mut text = Self { history, ..Self::default() };
        for (name, character) in characters {
            let taken = text.order.insert(character.at.clone(), name).is_some();
            if text.characters.insert(name, character).is_some() || taken {
                let found = name.to_string();
                return Err(Refused::Unknown { expected: "a character for each place", found });
            }
        }
        Ok(text)
    }

    /// The characters by name, the deleted too, in the order in which they stand.
    pub fn characters(&self) -> impl Iterator<Item = (Dot, &Character)> {
        self.order.values().map(|name| (*name, &self.characters[name]))
    }

    /// Insertions that formats may come concurrently to, and what was to their left; causes first.
    pub fn history(&self) -> &[(Stamp, Option<Dot>)] {
        &self.history
    }

    /// How many characters are seen.
    pub fn len(&self) -> usize {
        self.characters.values().filter(|character| character.deleted.is_none()).count()
    }

    /// Whether no character is seen.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The characters that are seen, in order.
    fn seen(&self) -> Vec<Dot> {
        let seen = self.order.values().filter(|dot| self.characters[dot].deleted.is_none());
        seen.copied().collect()
    }

    fn place(
        &self,
        seen: &[Dot],
        index: usize,
        dot: Dot,
    ) -> Result<(Position, Option<Dot>), Refused> {
        let left = left_of(seen, index)?.copied();
        let low = left.map(|left| &self.characters[&left].at);
        let high = match low {
            // What is deleted still has its place.
            Some(low) => self.order.keys().find(|place| *place > low),
            None => self.order.keys().next(),
        };
        Ok((Position::between(low, high, dot), left))
    }

    /// Errors: [`Refused::NoElement`] where what stands at `at` follows no character of this name.
    fn known(&self, at: At<'_>, name: Dot) -> Result<(), Refused> {
        if at.past.covers(name) && self.characters.contains_key(&name) {
            Ok(())
        } else {
            Err(Refused::NoElement(name.to_string()))
        }
    }
}

fn shown(value: &str, attributes: BTreeMap<String, Value>) -> Value {
    Value::List(vec![Value::from(value), Value::Map(attributes)])
}

impl Op for Rich {
    type Operation = ListOp;
    type Message = RichMessage;
    type State = Text;

    fn initial(&self) -> Text {
        Text::default()
    }

    fn prepare(
        &self,
        state: &Text,
        operation: &ListOp,
        stamp: Stamp,
    ) -> Result<RichMessage, Refused> {
        let seen = state.seen();
        match operation {
            ListOp::Insert(index, value) => {
                let (at, left) = state.place(&seen, *index, stamp.dot)?;
                Ok(Insert { at, value: value.clone(), left })
            }
            ListOp::Delete(index) => Ok(Delete(*at(&seen, *index)?)),
            ListOp::Format(first, last, key, value) => {
                Ok(Format(between(&seen, *first, *last)?.to_vec(), key.clone(), value.clone()))
            }
            ListOp::Reverse | ListOp::Remove(..) => Err(Refused::Unknown {
                expected: "an operation of text with attributes",
                found: format!("{operation:?}"),
            }),
        }
    }

    fn effect(&self, state: &mut Text, at: At<'_>, message: &RichMessage) -> Result<(), Refused> {
        match message {
            Insert { at: position, value, left } => {
                position.is_of(at.stamp.dot)?;
                left.map_or(Ok(()), |left| state.known(at, left))?;
                let left_of = left.map(|left| state.characters[&left].attributes.clone());
                let character = Character {
                    at: position.clone(),
                    value: value.clone(),
                    deleted: None,
                    attributes: left_of.unwrap_or_default(),
                };
                state.characters.insert(at.stamp.dot, character);
                state.order.insert(position.clone(), at.stamp.dot);
                let place = state.history.partition_point(|(stamp, _)| *stamp < at.stamp);
                state.history.insert(place, (at.stamp, *left));
            }
            Delete(name) => {
                state.known(at, *name)?;
                let character = state.characters.get_mut(name).expect("it is known");
                let first = character.deleted.map_or(at.stamp, |stamp| stamp.min(at.stamp));
                character.deleted = Some(first);
            }
            Format(names, key, value) => {
                names.iter().try_for_each(|name| state.known(at, *name))?;
                let mut targets: BTreeSet<Dot> = names.iter().copied().collect();
                for (stamp, left) in &state.history {
                    if !at.past.covers(stamp.dot)
                        && left.is_some_and(|left| targets.contains(&left))
                    {
                        targets.insert(stamp.dot);
                    }
                }
                for target in targets {
                    let Some(character) = state.characters.get_mut(&target) else { continue };
                    let newer = |(stamp, _): &(Stamp, Value)| *stamp < at.stamp;
                    if character.attributes.get(key).is_none_or(newer) {
                        character.attributes.insert(key.clone(), (at.stamp, value.clone()));
                    }
                }
            }
        }
        Ok(())
    }

    fn value(&self, state: &Text) -> Value {
        let seen = state.seen().into_iter().map(|dot| {
            let character = &state.characters[&dot];
            let attributes = character.attributes.iter();
            let there = attributes.filter(|(_, (_, value))| *value != Value::Null);
            let there = there.map(|(key, (_, value))| (key.clone(), value.clone()));
            shown(&character.value, there.collect())
        });
        Value::List(seen.collect())
    }

    fn forget(&self, state: &mut Text, stable: &Clock) {
        state.history.retain(|(stamp, _)| !stable.covers(stamp.dot));
        let order = &mut state.order;
        state.characters.retain(|_, character| {
            let gone = character.deleted.is_some_and(|stamp| stable.covers(stamp.dot));
            if gone {
                order.remove(&character.at);
            }
            !gone
        });
    }

    fn meaning(&self, log: &Log<'_, RichMessage>) -> Value {
        // What names what it does not follow is refused everywhere.
        let log = &log.filter(|event| {
            let follows = |name: &Dot| event.past.covers(*name);
            match &event.message {
                Insert { at, left, .. } => {
                    at.is_of(event.stamp.dot).is_ok() && left.iter().all(follows)
                }
                Delete(name) => follows(name),
                Format(names, ..) => names.iter().all(follows),
            }
        });
        let insertion = |event: &crate::Event<RichMessage>| match &event.message {
            Insert { left, .. } => Some((event.stamp.dot, *left, event.past.clone())),
            _ => None,
        };
        let insertions: Vec<_> = log.iter().filter_map(insertion).collect();
        let mut winners: BTreeMap<(Dot, &String), (Stamp, &Value)> = BTreeMap::new();
        for event in log.iter() {
            let Format(names, key, value) = &event.message else { continue };
            let mut targets: BTreeSet<Dot> = names.iter().copied().collect();
            for (dot, left, _) in &insertions {
                let inherits = left.is_some_and(|left| targets.contains(&left));
                if inherits && !event.past.covers(*dot) {
                    targets.insert(*dot);
                }
            }
            for target in targets {
                let winner = winners.entry((target, key)).or_insert((event.stamp, value));
                *winner = (*winner).max((event.stamp, value));
            }
        }
        let deleted = |dot| log.iter().any(|event| event.message == Delete(dot));
        let mut order = BTreeMap::new();
        for event in log.iter() {
            let Insert { at, value, .. } = &event.message else { continue };
            if !deleted(event.stamp.dot) {
                order.insert(at, (event.stamp.dot, value));
            }
        }
        let seen = order.into_values().map(|(dot, value)| {
            let own =
                winners.iter().filter(|((of, _), (_, value))| *of == dot && **value != Value::Null);
            shown(
                value,
                own.map(|((_, key), (_, value))| ((*key).clone(), (*value).clone())).collect(),
            )
        });
        Value::List(seen.collect())
    }

    fn parse(&self, operation: &Value) -> Result<ListOp, Refused> {
        let read = crate::op::Reader(operation);
        match parse(operation)? {
            Some(operation) => Ok(operation),
            None if read.kind() == "format" => Ok(ListOp::Format(
                read.index("start")?,
                read.index("end")?,
                read.text("key")?,
                read.value("value")?,
            )),
            None => read.unknown("an operation `insert`, `delete` or `format`"),
        }
    }
}
