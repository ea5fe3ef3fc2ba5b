//! A minor release of any line whose nodes may ask each other for the map, whatever each of them runs.
//!
//! To ask says the same in every version and always will, so the message is unversioned: it passes the
//! gate of an older node at once, even past messages that wait there. The answer is a versioned map.

use crate::{
    Body, Context, Fault, Guarantee, Manifest, MessageType, Meter,
    native::{
        counter::{Edition, Request, entries::Entries},
        message, operation,
        typed::Typed,
    },
};

pub(super) const ABOUT_ONE: &str = "as 1.4.0, and nodes of any version ask each other for the map";
pub(super) const ABOUT_TWO: &str = "as 2.0.0, and nodes of any version ask each other for the map";

/// Of no line: the lines never use this tag for anything else.
pub(super) const ASK: u32 = 10;
pub(super) const SEND_ASK: u32 = 24;

/// The version: the one it adds to, what people read of it, and since when it asks.
pub(super) struct Asking<N> {
    pub(super) edition: N,
    pub(super) about: &'static str,
    pub(super) since: [u64; 3],
}

impl<N: Edition> Edition for Asking<N> {
    type Entry = N::Entry;

    fn manifest(&self) -> Manifest {
        let mut manifest = self.edition.manifest();
        let ask = message::<()>(ASK, "ask", self.since, Guarantee::ExactlyOnce);
        manifest.messages.push(MessageType { versioned: false, ..ask });
        manifest.messages.push(operation::<()>(SEND_ASK, "ask", self.since));
        manifest.messages.sort_by_key(|message| message.tag);
        manifest.operations.push("ask");
        Manifest { about: self.about, ..manifest }
    }

    fn request<'a>(&self, body: &'a Body) -> Result<Request<'a, N::Entry>, Fault> {
        match body.tag {
            ASK => <()>::read_body(body).map(|()| Request::Tell),
            SEND_ASK => <()>::read_body(body).map(|()| Request::Forward(ASK)),
            _ => self.edition.request(body),
        }
    }

    fn map_tag(&self) -> u32 {
        self.edition.map_tag()
    }

    fn compare(&self, map: &Entries<N::Entry>) -> Body {
        self.edition.compare(map)
    }

    fn read(&self, map: &Entries<N::Entry>, context: Context<'_>) -> i128 {
        self.edition.read(map, context)
    }

    fn migrate(&self, edge: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
        self.edition.migrate(edge, state, meter)
    }

    fn convert(&self, edge: usize, body: &Body) -> Result<Body, Fault> {
        match body.tag {
            ASK | SEND_ASK => Ok(body.clone()),
            _ => self.edition.convert(edge, body),
        }
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        if kind == "ask" { Some(().body(SEND_ASK)) } else { self.edition.operation(kind, entropy) }
    }
}
