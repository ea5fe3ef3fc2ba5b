//! An edit of a replicated text costs what it changes, however long the text is: asked for, broadcast and delivered.
//!
//! One test and so one thread: the allocator counts for the whole process. A copy of the text, of its blocks or of
//! its names is as many allocations as there are leaves, so that one would show.

use app::{
    Context, Incoming, Instance, Outgoing, Value,
    native::Registry,
    schema::{Schema, put_int},
};
use causal::{Clock, Dot, Stamp};
use common::counting::{Counting, allocations};
use contract::{NodeId, Time};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Edits that are counted.
const EDITS: u64 = 200;

/// So often a replica is told that all is stable. Which names are in use is looked at every so often then, and more
/// rarely the more there are.
const STABLE_EVERY: u32 = 50;

/// A replica that is alone, and what it delivered.
struct Alone {
    instance: Box<dyn Instance>,
    types: (u32, Schema),
    removes: u32,
    delivered: u32,
    length: u64,
    entropy: u64,
}

impl Alone {
    fn new(version: &str) -> Self {
        let program = Registry::standard().program("notes", version, None).expect("it is listed");
        let asked = |name| {
            let all = &program.manifest().messages;
            all.iter().rfind(|message| message.name == name).expect("clients ask for it")
        };
        let types = (asked("type").tag, asked("type").schema.clone());
        let removes = asked("remove").tag;
        let instance = program.init(NodeId(0));
        Self { instance, types, removes, delivered: 0, length: 0, entropy: 7 }
    }

    fn index(&mut self) -> u64 {
        self.entropy = self.entropy.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        (self.entropy >> 33) % (self.length + 1)
    }

    fn types(&mut self, text: &str) {
        let index = Value::Int(self.index() as i64);
        let value = Value::record([(1, index), (2, Value::Str(text.to_owned()))]);
        let bytes = value.encode(&self.types.1).expect("of the schema");
        self.asks(app::Body { tag: self.types.0, bytes: bytes.into() });
        self.length += text.len() as u64;
    }

    fn removes(&mut self) {
        let first = self.index().min(self.length - 1);
        let mut bytes = Vec::new();
        put_int(&mut bytes, first as i64);
        put_int(&mut bytes, 1);
        self.asks(app::Body { tag: self.removes, bytes: bytes.into() });
        self.length -= 1;
    }

    /// Asks for an edit, and delivers what is broadcast.
    fn asks(&mut self, body: app::Body) {
        let dot = Dot::new(0, self.delivered + 1);
        let stamp = Stamp { lamport: u64::from(self.delivered), dot };
        let mut out = Vec::new();
        let (node, now) = (NodeId(0), Time::ZERO);
        let context = Context { node, now, nodes: &[], entropy: 0, next: Some(stamp) };
        let asked = Incoming::Operation { id: 0, body };
        self.instance.handle(context, &asked, &mut out).expect("it can be done");
        let told = out.into_iter().find_map(|outgoing| match outgoing {
            Outgoing::Broadcast { body } => Some(body),
            _ => None,
        });
        let past: Clock = [Dot::new(0, self.delivered)].into_iter().collect();
        let body = told.expect("an edit is broadcast");
        let delivered = Incoming::Delivered { stamp, past, body };
        self.instance.handle(context, &delivered, &mut Vec::new()).expect("it is taken");
        self.delivered += 1;
        if self.delivered.is_multiple_of(STABLE_EVERY) {
            let clock = [Dot::new(0, self.delivered)].into_iter().collect();
            let stable = Incoming::Stable { clock };
            self.instance.handle(context, &stable, &mut Vec::new()).expect("it is taken");
        }
    }
}

/// Allocations of so many edits of a text that is about so long, in blocks of three.
fn counted(version: &str, length: u64) -> u64 {
    let mut alone = Alone::new(version);
    while alone.length < length {
        alone.types("abc");
    }
    let before = allocations();
    for edit in 0..EDITS {
        if edit % 2 == 0 { alone.types("x") } else { alone.removes() }
    }
    allocations() - before
}

#[test]
fn an_edit_costs_what_it_changes_however_long_the_text_is() {
    for version in ["1.1.0", "2.0.0", "2.1.0"] {
        let (short, long) = (counted(version, 2_000), counted(version, 40_000));
        assert!(short > EDITS, "what is counted is counted");
        assert!(long < 2 * short, "{version}: {short} allocations, and {long} in a longer text");
    }
}
