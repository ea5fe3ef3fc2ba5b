//! Text 2.0.0: an attribute has a value, such as a weight or a colour.
//!
//! The one edge comes from 1.x: what was on there has one of the values that there are here. Two keys of
//! 1.x never become one, so the later of two formats stays the later.

use causal::Dot;
use crdt::{
    Value,
    types::{
        ListOp, Rich,
        list::{RichMessage, Text},
    },
};

use crate::{
    Body, Edge, Fault, Manifest, Meter,
    native::{
        operation,
        replicated::{Asked, Edition, broadcast},
        text::{
            self, APP, CLIENT_DELETE, CLIENT_INSERT, DELETE, INSERT, READ, REPLICATED, RICH, Range,
            kept::{self, Attribute},
            one,
        },
        typed::{Typed, record},
        unknown_tag,
    },
};

pub(super) const ABOUT: &str = "text whose attributes have values; reads the states of 1.x";

pub(super) const MARK: u32 = 5;
pub(super) const CLIENT_MARK: u32 = 21;

/// A key or a value has no more bytes.
const NAME_BYTES_MAX: usize = 32;

/// The state of this line.
pub(super) type Kept = kept::Kept<Option<String>>;

record! {
    /// Gives these characters an attribute of this value, or takes it away.
    Mark {
        1 names: Vec<Dot>,
        2 key: String,
        3 value: Option<String>,
    }
}

record! {
    /// A client marks what it sees.
    ClientMark {
        1 range: Range,
        2 key: String,
        3 value: Option<String>,
    }
}

/// The version.
pub(super) struct Two;

impl Attribute for Option<String> {
    fn value(self) -> Value {
        self.map_or(Value::Null, Value::Text)
    }

    fn of(value: &Value) -> Self {
        match value {
            Value::Text(value) => Some(value.clone()),
            _ => None,
        }
    }
}

impl Edition for Two {
    type Kind = Rich;
    type Kept = Kept;

    fn manifest(&self) -> Manifest {
        const SINCE: [u64; 3] = [2, 0, 0];
        Manifest {
            app: APP,
            about: ABOUT,
            state: Kept::schema(),
            messages: vec![
                broadcast::<text::Insert>(INSERT, "insert", SINCE),
                broadcast::<text::Delete>(DELETE, "delete", SINCE),
                broadcast::<Mark>(MARK, "mark", SINCE),
                operation::<()>(READ, "read", SINCE),
                operation::<text::ClientInsert>(CLIENT_INSERT, "insert", SINCE),
                operation::<text::ClientDelete>(CLIENT_DELETE, "delete", SINCE),
                operation::<ClientMark>(CLIENT_MARK, "mark", SINCE),
            ],
            edges: vec![Edge {
                from_class: "1",
                to_class: "2",
                from_state: one::Kept::schema().id(),
                to_state: Kept::schema().id(),
            }],
            operations: vec!["insert", "delete", "mark", "read"],
            measures: vec!["characters"],
            replicated: Some(REPLICATED),
            tick: None,
        }
    }

    fn kind(&self) -> &Rich {
        &RICH
    }

    fn keep(&self, text: &Text) -> Kept {
        Kept::of(text)
    }

    fn restore(&self, kept: Kept) -> Result<Text, Fault> {
        kept.text()
    }

    fn retained(&self, text: &Text) -> usize {
        text::retained(text)
    }

    fn asked(&self, text: &Text, body: &Body) -> Result<Asked<ListOp>, Fault> {
        if let Some(asked) = text::asked(text, body)? {
            return Ok(asked);
        }
        if body.tag != CLIENT_MARK {
            return Err(unknown_tag(body));
        }
        let ClientMark { range, key, value } = ClientMark::read_body(body)?;
        bounded(&key, value.as_ref())?;
        Ok(text::format(text, &range, key, value.value()))
    }

    fn write(&self, message: &RichMessage) -> Body {
        text::written(message).unwrap_or_else(|| match message {
            RichMessage::Format(names, key, value) => {
                let (names, key) = (names.clone(), key.clone());
                Mark { names, key, value: Attribute::of(value) }.body(MARK)
            }
            other => unreachable!("all lines write {other:?} alike"),
        })
    }

    fn read(&self, body: &Body) -> Result<RichMessage, Fault> {
        if let Some(message) = text::read(body)? {
            return Ok(message);
        }
        if body.tag != MARK {
            return Err(unknown_tag(body));
        }
        let Mark { names, key, value } = Mark::read_body(body)?;
        bounded(&key, value.as_ref())?;
        Ok(RichMessage::Format(names, key, value.value()))
    }

    fn measure(&self, text: &Text) -> Vec<i128> {
        text::characters(text)
    }

    fn migrate(&self, _: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
        let old = one::Kept::read(state, "state of 1.x")?;
        Ok(old.lift(meter, |key, on| (valued(&key).0, value_from_one(&key, on)))?.bytes())
    }

    fn convert(&self, _: usize, body: &Body) -> Result<Body, Fault> {
        let mark = |names, key: &str, on| {
            let value = value_from_one(key, on);
            Mark { names, key: valued(key).0, value }.body(MARK)
        };
        let client = |range, key: &str, on| {
            let value = value_from_one(key, on);
            ClientMark { range, key: valued(key).0, value }.body(CLIENT_MARK)
        };
        Ok(match body.tag {
            INSERT | DELETE | READ | CLIENT_INSERT | CLIENT_DELETE => body.clone(),
            one::FORMAT => {
                let one::Format { names, key, on } = one::Format::read_body(body)?;
                mark(names, key.name(), on)
            }
            one::UNDERLINE => {
                let one::Underline { names, on } = one::Underline::read_body(body)?;
                mark(names, one::UNDERLINED, on)
            }
            one::CLIENT_FORMAT => {
                let one::ClientFormat { range, key, on } = one::ClientFormat::read_body(body)?;
                client(range, key.name(), on)
            }
            one::CLIENT_UNDERLINE => {
                let one::ClientUnderline { range, on } = one::ClientUnderline::read_body(body)?;
                client(range, one::UNDERLINED, on)
            }
            _ => return Err(unknown_tag(body)),
        })
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        if kind != "mark" {
            return text::drawn(kind, entropy);
        }
        let (key, values) = [
            ("weight", ["bold", "light"]),
            ("slant", ["italic", "oblique"]),
            ("colour", ["red", "blue"]),
        ][entropy[1] as usize % 3];
        let value = values.get(entropy[3] as usize % 3).map(|value| (*value).to_owned());
        let range = text::drawn_range(entropy);
        Some(ClientMark { range, key: key.to_owned(), value }.body(CLIENT_MARK))
    }
}

/// What a key of 1.x is called here, and the value that it has where it is on.
fn valued(key: &str) -> (String, String) {
    let (key, value) = match key {
        one::BOLD => ("weight", "bold"),
        one::ITALIC => ("slant", "italic"),
        one::UNDERLINED => ("line", "under"),
        other => (other, "on"),
    };
    (key.to_owned(), value.to_owned())
}

fn value_from_one(key: &str, on: bool) -> Option<String> {
    on.then(|| valued(key).1)
}

fn bounded(key: &str, value: Option<&String>) -> Result<(), Fault> {
    if key.len().max(value.map_or(0, String::len)) > NAME_BYTES_MAX {
        return Err(Fault::Refused(format!("an attribute of more than {NAME_BYTES_MAX} bytes")));
    }
    Ok(())
}
