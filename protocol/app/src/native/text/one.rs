//! Text 1.x: attributes are on or off. 1.1.0 underlines.

use causal::Dot;
use crdt::{
    Value,
    types::{
        ListOp, Rich,
        list::{RichMessage, Text},
    },
};

use crate::{
    Body, Fault, Manifest,
    native::{
        operation,
        replicated::{Asked, Edition, broadcast},
        text::{
            self, APP, CLIENT_DELETE, CLIENT_INSERT, DELETE, INSERT, READ, REPLICATED, RICH, Range,
            kept::{self, Attribute},
        },
        typed::{Typed, record, variant},
        unknown_tag,
    },
};

pub(super) const ABOUT_FIRST: &str = "text that replicas write together, in bold and italics";
pub(super) const ABOUT_UNDERLINE: &str = "as 1.0.0, and it can be underlined";

pub(super) const FORMAT: u32 = 3;
pub(super) const UNDERLINE: u32 = 4;
pub(super) const CLIENT_FORMAT: u32 = 19;
pub(super) const CLIENT_UNDERLINE: u32 = 20;

/// What 1.0.0 does not know.
const SINCE_UNDERLINE: [u64; 3] = [1, 1, 0];

pub(super) const BOLD: &str = "bold";
pub(super) const ITALIC: &str = "italic";
pub(super) const UNDERLINED: &str = "underlined";

/// The state of this line.
pub(super) type Kept = kept::Kept<bool>;

variant! {
    /// An attribute of 1.0.0.
    #[derive(Copy)]
    Key {
        1 Bold(()),
        2 Italic(()),
    }
}

record! {
    /// Gives these characters an attribute, or takes it away.
    Format {
        1 names: Vec<Dot>,
        2 key: Key,
        3 on: bool,
    }
}

record! {
    /// Underlines these characters, or does not any more.
    Underline {
        1 names: Vec<Dot>,
        2 on: bool,
    }
}

record! {
    /// A client formats what it sees.
    ClientFormat {
        1 range: Range,
        2 key: Key,
        3 on: bool,
    }
}

record! {
    /// A client underlines what it sees.
    ClientUnderline {
        1 range: Range,
        2 on: bool,
    }
}

/// The versions of this line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum One {
    /// 1.0.0.
    First,
    /// 1.1.0.
    Underline,
}

impl Attribute for bool {
    fn value(self) -> Value {
        if self { Value::Bool(true) } else { Value::Null }
    }

    fn of(value: &Value) -> Self {
        *value != Value::Null
    }
}

impl Key {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Bold(()) => BOLD,
            Self::Italic(()) => ITALIC,
        }
    }
}

impl Edition for One {
    type Kind = Rich;
    type Kept = Kept;

    fn manifest(&self) -> Manifest {
        const SINCE: [u64; 3] = [1, 0, 0];
        let mut messages = vec![
            broadcast::<text::Insert>(INSERT, "insert", SINCE),
            broadcast::<text::Delete>(DELETE, "delete", SINCE),
            broadcast::<Format>(FORMAT, "format", SINCE),
            broadcast::<Underline>(UNDERLINE, "underline", SINCE_UNDERLINE),
            operation::<()>(READ, "read", SINCE),
            operation::<text::ClientInsert>(CLIENT_INSERT, "insert", SINCE),
            operation::<text::ClientDelete>(CLIENT_DELETE, "delete", SINCE),
            operation::<ClientFormat>(CLIENT_FORMAT, "format", SINCE),
            operation::<ClientUnderline>(CLIENT_UNDERLINE, "underline", SINCE_UNDERLINE),
        ];
        let mut operations = vec!["insert", "delete", "format", "read", "underline"];
        if *self == Self::First {
            messages.retain(|message| message.since != SINCE_UNDERLINE);
            operations.pop();
        }
        Manifest {
            app: APP,
            about: if *self == Self::First { ABOUT_FIRST } else { ABOUT_UNDERLINE },
            state: Kept::schema(),
            messages,
            edges: vec![],
            operations,
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
        let (range, key, on) = match (body.tag, self) {
            (CLIENT_FORMAT, _) => {
                let ClientFormat { range, key, on } = ClientFormat::read_body(body)?;
                (range, key.name(), on)
            }
            (CLIENT_UNDERLINE, Self::Underline) => {
                let ClientUnderline { range, on } = ClientUnderline::read_body(body)?;
                (range, UNDERLINED, on)
            }
            _ => return Err(unknown_tag(body)),
        };
        Ok(text::format(text, &range, key.to_owned(), on.value()))
    }

    fn write(&self, message: &RichMessage) -> Body {
        let format = |names: &Vec<Dot>, key: &str, value| {
            let (names, on) = (names.clone(), bool::of(value));
            match key {
                UNDERLINED => Underline { names, on }.body(UNDERLINE),
                BOLD => Format { names, key: Key::Bold(()), on }.body(FORMAT),
                _ => Format { names, key: Key::Italic(()), on }.body(FORMAT),
            }
        };
        text::written(message).unwrap_or_else(|| match message {
            RichMessage::Format(names, key, value) => format(names, key, value),
            other => unreachable!("all lines write {other:?} alike"),
        })
    }

    fn read(&self, body: &Body) -> Result<RichMessage, Fault> {
        if let Some(message) = text::read(body)? {
            return Ok(message);
        }
        let (names, key, on) = match (body.tag, self) {
            (FORMAT, _) => {
                let Format { names, key, on } = Format::read_body(body)?;
                (names, key.name(), on)
            }
            (UNDERLINE, Self::Underline) => {
                let Underline { names, on } = Underline::read_body(body)?;
                (names, UNDERLINED, on)
            }
            _ => return Err(unknown_tag(body)),
        };
        Ok(RichMessage::Format(names, key.to_owned(), on.value()))
    }

    fn measure(&self, text: &Text) -> Vec<i128> {
        text::characters(text)
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        let (range, on) = (text::drawn_range(entropy), !entropy[3].is_multiple_of(3));
        Some(match (kind, self) {
            ("format", _) => {
                let key =
                    if entropy[1].is_multiple_of(2) { Key::Bold(()) } else { Key::Italic(()) };
                ClientFormat { range, key, on }.body(CLIENT_FORMAT)
            }
            ("underline", Self::Underline) => ClientUnderline { range, on }.body(CLIENT_UNDERLINE),
            ("underline", Self::First) => return None,
            _ => return text::drawn(kind, entropy),
        })
    }
}
