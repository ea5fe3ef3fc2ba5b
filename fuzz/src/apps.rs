//! The bytes of applications: states, messages and operations, of every native program.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use app::{
    Body, Context, Guarantee, Incoming, Instance, Meter, Outgoing, Program, Runtime, Schema, Value,
    native::Registry,
};
use causal::{Broadcast, Content, Event, Limits, Log, Origin, Payload};
use contract::{
    Encode, Malformed, NodeId, Time, Wire,
    wire::{put_blob, put_varint, take_blob},
};

use super::Feed;

/// The programs, by number: what a byte of the corpus means stays as it is. New ones go to the end.
const NUMBERED: &[(&str, &str)] = &[
    ("counter", "1.0.0"),
    ("counter", "1.0.1"),
    ("counter", "1.4.0"),
    ("counter", "1.5.0"),
    ("counter", "2.0.0"),
    ("counter", "2.1.0"),
    ("counter", "3.0.0"),
    ("sessions", "1.0.0"),
    ("sessions", "1.1.0"),
    ("sessions", "2.0.0"),
    ("register", "1.0.0"),
    ("register", "2.0.0"),
    ("register", "3.0.0"),
    ("tally", "1.0.0"),
    ("tally", "1.1.0"),
    ("tally", "2.0.0"),
    ("text", "1.0.0"),
    ("text", "1.1.0"),
    ("text", "2.0.0"),
    ("canvas", "1.0.0"),
    ("canvas", "2.0.0"),
    ("basket", "1.0.0"),
    ("basket", "2.0.0"),
    ("gauge", "0.9.0"),
    ("gauge", "1.0.0"),
    ("gauge", "2.0.0"),
    ("notes", "1.0.0"),
    ("notes", "1.1.0"),
    ("notes", "2.0.0"),
    ("notes", "2.1.0"),
];

/// What a migration may cost.
const FUEL: u64 = 1 << 20;
/// Inputs of one run.
const STEPS_MAX: usize = 64;

struct Named {
    app: &'static str,
    program: Arc<dyn Program>,
}

static PROGRAMS: LazyLock<Vec<Named>> = LazyLock::new(|| {
    let registry = Registry::standard();
    let named = |(app, version): &(&'static str, &str)| Named {
        app,
        program: registry.program(app, version, None).expect("a program of this host"),
    };
    // Variants are wrong on purpose.
    for listed in registry.list().iter().filter(|listed| listed.variant.is_none()) {
        let name = (listed.app, listed.version);
        assert!(NUMBERED.contains(&name), "{name:?} is not fuzzed: it belongs into NUMBERED");
    }
    NUMBERED.iter().map(named).collect()
});

/// Values of the types that programs declare: a state, or what one of its messages says.
pub(crate) fn values(bytes: &[u8]) {
    let mut feed = Feed::new(bytes);
    let program = &feed.pick(&PROGRAMS).program;
    let manifest = program.manifest();
    let schema = match feed.byte() {
        0 => &manifest.state,
        which => &manifest.messages[usize::from(which) % manifest.messages.len()].schema,
    };
    let bytes = feed.rest();
    let decoded = Value::decode(schema, bytes);
    assert_eq!(schema.check(bytes), decoded.clone().map(drop));
    if let Ok(value) = decoded {
        assert_eq!(value.encode(schema).as_deref(), Ok(bytes));
        assert!(!value.named(schema).to_string().is_empty());
    }
    if let Ok(program) = Registry::standard().load(bytes) {
        assert!(!program.manifest().app.is_empty());
    }
}

/// States: refused, or taken and written again as they were; and what migrations make of them.
pub(crate) fn states(bytes: &[u8]) {
    let mut feed = Feed::new(bytes);
    let named = feed.pick(&PROGRAMS);
    let generated = feed.byte().is_multiple_of(4);
    let state = match generated {
        true => encoded(&named.program.manifest().state, &mut feed),
        false => feed.rest().to_vec(),
    };
    tried(named, &state, 0);
}

fn tried(named: &Named, state: &[u8], depth: u32) {
    let program = &named.program;
    let of_schema = program.manifest().state.check(state).is_ok();
    let loaded = program.load(NodeId(1), state);
    let (measured, shown) = (program.measure(state), program.shown(state));
    match &loaded {
        Ok(instance) => {
            assert!(of_schema, "a state of no schema is loaded");
            let written = instance.export();
            assert_eq!(program.manifest().state.check(&written), Ok(()));
            let again = program.load(NodeId(1), &written).map(|again| again.export());
            assert_eq!(again.as_ref(), Ok(&written), "what was exported is another state");
            assert_eq!(program.measure(&written), measured, "to load a state changes its measures");
            assert_eq!(program.shown(&written), shown, "to load a state changes what it shows");
        }
        Err(_) if !of_schema => assert!(measured.is_err()),
        Err(_) => {}
    }
    if depth > 3 {
        return;
    }
    let id = program.manifest().state.id();
    for newer in PROGRAMS.iter().filter(|newer| newer.app == named.app) {
        for (at, edge) in newer.program.manifest().edges.iter().enumerate() {
            if edge.from_state != id {
                continue;
            }
            let mut meter = Meter::new(FUEL);
            let Ok(moved) = newer.program.migrate(at, state, &mut meter) else { continue };
            assert!(of_schema, "a state of no schema migrates");
            let target = PROGRAMS.iter().find(|other| {
                other.app == named.app && other.program.manifest().state.id() == edge.to_state
            });
            let target = target.expect("an edge leads to a state of some program");
            assert_eq!(target.program.manifest().state.check(&moved), Ok(()));
            if loaded.is_ok() {
                tried(target, &moved, depth + 1);
            }
        }
    }
}

/// What an instance exports after some steps, and what clients ask: of each program.
fn honest(program: &dyn Program) -> (Vec<u8>, Vec<Body>) {
    let mut run = Run::of(program);
    let mut asked = Vec::new();
    for (at, kind) in program.manifest().operations.iter().enumerate() {
        for number in 0..3_u32 {
            let words = [number + 1, at as u32, 7 * number, 3];
            let Some(body) = program.operation(kind, words) else { continue };
            asked.push(body.clone());
            run.give(0, &Incoming::Operation { id: 1, body });
        }
    }
    asked.extend(run.sent.iter().map(|(_, _, body)| body.clone()));
    asked.extend(run.told.iter().filter_map(|operation| match &operation.content {
        Content::Payload(Said(body)) => Some(body.clone()),
        _ => None,
    }));
    (run.nodes[0].instance.export(), asked)
}

pub(crate) fn value_seeds() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (number, named) in PROGRAMS.iter().enumerate() {
        let (state, asked) = honest(&*named.program);
        all.push([&[number as u8, 0][..], &state].concat());
        let messages = &named.program.manifest().messages;
        for body in asked {
            let at = messages.iter().position(|message| message.tag == body.tag);
            let at = at.expect("a message of the manifest");
            let which = if at == 0 { messages.len() } else { at };
            all.push([&[number as u8, which as u8][..], &body.bytes].concat());
        }
    }
    all
}

pub(crate) fn state_seeds() -> Vec<Vec<u8>> {
    let state = |(number, named): (usize, &Named)| {
        let (state, _) = honest(&*named.program);
        [&[number as u8, 1][..], &state].concat()
    };
    PROGRAMS.iter().enumerate().map(state).collect()
}

/// A value of `schema`, as the fuzzer likes.
fn value(schema: &Schema, feed: &mut Feed<'_>) -> Value {
    match schema {
        Schema::Unit => Value::Unit,
        Schema::Bool => Value::Bool(feed.byte() % 2 == 1),
        Schema::Int => Value::Int(match feed.byte() {
            negative if negative % 4 == 0 => (feed.number() as i64).wrapping_neg(),
            _ => feed.number() as i64,
        }),
        Schema::Str => Value::Str(String::from_utf8_lossy(feed.blob()).into_owned()),
        Schema::Bytes => Value::Bytes(feed.blob().to_vec()),
        Schema::Rec(fields) => Value::record(
            fields.iter().map(|field| (field.id, value(&field.schema, feed))).collect::<Vec<_>>(),
        ),
        Schema::Var(arms) => {
            let arm = feed.pick(arms);
            Value::arm(arm.id, value(&arm.schema, feed))
        }
        Schema::List(of) => Value::List((0..feed.byte() % 6).map(|_| value(of, feed)).collect()),
        Schema::Map(keys, values) => {
            let count = feed.byte() % 6;
            let entry = |_| (value(keys, feed), value(values, feed));
            Value::Map((0..count).map(entry).collect::<BTreeMap<_, _>>())
        }
        Schema::Option(of) => match feed.byte() % 3 {
            0 => Value::Option(None),
            _ => Value::some(value(of, feed)),
        },
    }
}

fn encoded(schema: &Schema, feed: &mut Feed<'_>) -> Vec<u8> {
    value(schema, feed).encode(schema).expect("a value of the schema")
}

/// An operation on its way.
#[derive(Clone, Debug, PartialEq)]
struct Said(Body);

impl Encode for Said {
    fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.0.tag.into());
        put_blob(out, &self.0.bytes);
    }
}

impl Wire for Said {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(Self(Body { tag: u32::read(bytes)?, bytes: take_blob(bytes)?.into() }))
    }
}

impl Payload for Said {
    fn bytes(&self) -> usize {
        self.0.bytes.len() + 20
    }
}

struct Node {
    id: NodeId,
    instance: Box<dyn Instance>,
    layer: Broadcast<Said>,
    /// What it delivered, but for what it refused.
    taken: Vec<Event<Body>>,
}

const NODES: [NodeId; 3] = [NodeId(1), NodeId(2), NodeId(3)];

/// Instances of one program: what clients ask, what peers say, and operations as the layer delivers them.
struct Run<'p> {
    program: &'p dyn Program,
    causal: bool,
    nodes: Vec<Node>,
    sent: Vec<(NodeId, NodeId, Body)>,
    told: Vec<causal::Operation<Said>>,
    steps: u64,
}

impl<'p> Run<'p> {
    fn of(program: &'p dyn Program) -> Self {
        let messages = &program.manifest().messages;
        let causal = messages.iter().any(|message| message.guarantee == Guarantee::Causal);
        let node = |id: NodeId| {
            let founders = NODES.map(|node| Origin::from(node.0));
            let layer = Broadcast::founder(id.0.into(), founders, Limits::default());
            Node { id, instance: program.init(id), layer, taken: Vec::new() }
        };
        let nodes = NODES.map(node).into();
        Self { program, causal, nodes, sent: vec![], told: vec![], steps: 0 }
    }

    /// Says whether it was taken.
    fn give(&mut self, at: usize, incoming: &Incoming) -> bool {
        self.steps += 1;
        let node = &mut self.nodes[at];
        let now = Time::from_nanos(self.steps * 1_000_000_000);
        let next = node.layer.next_stamp().filter(|_| self.causal);
        let entropy = self.steps.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let context = Context { node: node.id, now, nodes: &NODES, entropy, next };
        let before = node.instance.export();
        let mut out = Vec::new();
        let did = node.instance.handle(context, incoming, &mut out);
        let after = node.instance.export();
        let manifest = self.program.manifest();
        assert_eq!(manifest.state.check(&after), Ok(()), "a state of no schema");
        if did.is_err() {
            assert_eq!(after, before, "{did:?} changed something");
            return false;
        }
        let from = node.id;
        for outgoing in out {
            match outgoing {
                Outgoing::Send { to, body } => {
                    let declared = manifest.message(body.tag).expect("a message of the manifest");
                    assert_eq!(declared.schema.check(&body.bytes), Ok(()));
                    self.sent.push((from, to, body));
                }
                Outgoing::Reply { .. } => {}
                Outgoing::Broadcast { body } => {
                    let declared = manifest.message(body.tag).expect("a message of the manifest");
                    assert_eq!(declared.schema.check(&body.bytes), Ok(()));
                    self.broadcast(at, body);
                }
            }
        }
        true
    }

    fn broadcast(&mut self, at: usize, body: Body) {
        let said = Content::Payload(Said(body));
        let Ok(delivery) = self.nodes[at].layer.broadcast(said) else { return };
        self.told.push((*delivery.operation).clone());
        self.delivered(at, delivery);
    }

    fn delivered(&mut self, at: usize, delivery: causal::Delivery<Said>) {
        let Content::Payload(Said(body)) = &delivery.operation.content else { return };
        let (stamp, past, body) = (delivery.stamp, delivery.past, body.clone());
        let event = Event { stamp, past: past.clone(), message: body.clone() };
        if self.give(at, &Incoming::Delivered { stamp, past, body }) {
            self.nodes[at].taken.push(event);
        }
    }

    fn hand_over(&mut self, at: usize, index: usize) {
        let operation = Arc::new(self.told[index].clone());
        let via = operation.dot.origin;
        let _came = self.nodes[at].layer.receive(via, operation);
        while let Some(delivery) = self.nodes[at].layer.deliver() {
            self.delivered(at, delivery);
        }
    }

    fn step(&mut self, feed: &mut Feed<'_>) {
        let at = feed.below(2);
        let kind = feed.byte();
        match kind % 8 {
            0 => _ = self.give(at, &Incoming::Tick),
            1 if !self.sent.is_empty() => {
                let (from, _, body) = self.sent[feed.below(self.sent.len())].clone();
                self.give(at, &Incoming::Message { from, body });
            }
            2 if !self.told.is_empty() => {
                let index = feed.below(self.told.len());
                self.hand_over(at, index);
            }
            3 if self.causal => {
                let clock = self.nodes[at].layer.stable();
                self.give(at, &Incoming::Stable { clock });
            }
            4 | 5 => {
                let kinds = &self.program.manifest().operations;
                let kind = *feed.pick(kinds);
                let words = std::array::from_fn(|_| feed.byte().into());
                if let Some(body) = self.program.operation(kind, words) {
                    self.give(at, &Incoming::Operation { id: 1, body });
                }
            }
            _ => self.forge(at, kind, feed),
        }
    }

    /// What no honest peer or client says.
    fn forge(&mut self, at: usize, kind: u8, feed: &mut Feed<'_>) {
        let messages = &self.program.manifest().messages;
        let declared = feed.pick(messages);
        let bytes = match kind / 8 % 2 {
            0 => feed.blob().to_vec(),
            _ => encoded(&declared.schema, feed),
        };
        let body = Body { tag: declared.tag, bytes: bytes.into() };
        match declared.guarantee {
            // A peer's instance broadcasts whatever it likes.
            Guarantee::Causal => self.broadcast_of_peer(body),
            _ if kind & 128 > 0 => _ = self.give(at, &Incoming::Operation { id: 2, body }),
            _ => _ = self.give(at, &Incoming::Message { from: NODES[1], body }),
        }
    }

    /// The third node has a layer that is sound, and an instance that is not.
    fn broadcast_of_peer(&mut self, body: Body) {
        let layer = &mut self.nodes[2].layer;
        if let Ok(delivery) = layer.broadcast(Content::Payload(Said(body))) {
            self.told.push((*delivery.operation).clone());
        }
    }
}

/// Instances that take what comes, whatever it is; those that delivered the same took the same and show
/// the same.
pub(crate) fn steps(bytes: &[u8]) {
    let mut feed = Feed::new(bytes);
    let named = feed.pick(&PROGRAMS);
    let program = &*named.program;
    let mut run = Run::of(program);
    for _ in 0..STEPS_MAX {
        if feed.is_empty() {
            break;
        }
        run.step(&mut feed);
    }
    for at in 0..2 {
        for index in 0..run.told.len() {
            run.hand_over(at, index);
        }
    }
    for node in &run.nodes[..2] {
        let state = node.instance.export();
        let again = program.load(node.id, &state).map(|again| again.export());
        assert_eq!(again, Ok(state), "its own state");
    }
    if run.causal {
        let taken = |at: usize| {
            let stamps = run.nodes[at].taken.iter().map(|event| event.stamp);
            stamps.collect::<BTreeSet<_>>()
        };
        assert_eq!(taken(0), taken(1), "what one refuses all refuse");
        let log = Log::new(&run.nodes[0].taken);
        let meant = program.meaning(&log);
        let found = program.shown(&run.nodes[0].instance.export());
        assert_eq!(found, meant, "what the operations mean");
        let shown = |node: &Node| program.shown(&node.instance.export());
        assert_eq!(shown(&run.nodes[0]), shown(&run.nodes[1]), "the same operations");
    }
}
