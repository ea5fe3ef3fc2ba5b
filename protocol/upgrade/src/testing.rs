//! A toy application for this crate's tests: small enough to see through, with every flaw on demand.
//!
//! Its code is text: `toy <version> [<flaw>]`, and whatever follows. Line 1 keeps a number; line 2 a
//! number and a step; line 3 a note as well. Every call into a program or an instance is logged.

use std::sync::{Arc, Mutex};

use app::{
    Body, Context, Edge, Fault, Guarantee, Incoming, Instance, Manifest, MessageType, Meter,
    Outgoing, Program, Runtime, Schema, Step, Value,
};
use contract::{NodeId, Time};
use proptest::prelude::*;
use semver::{BuildMetadata, Prerelease, Version};

use crate::{
    bugs::Bugs,
    gate::GateMode,
    release::{ApiClass, Budget, CodeHash, Envelope, Publication, ReleaseId, Rollout, Stamp},
    switch::Host,
};

/// The tag of `add` in line 1; line 2 has 11, line 3 has 21.
pub(crate) const ADD: u32 = 1;
/// State gossip, at most once. In every line.
pub(crate) const GOSSIP: u32 = 2;
/// New in 1.4.0.
pub(crate) const ADD_MANY: u32 = 3;
/// Unversioned. In every line.
pub(crate) const PING: u32 = 90;

/// Makes toys, and keeps the log of what they did.
#[derive(Clone, Default)]
pub(crate) struct Toys(Arc<Mutex<Vec<String>>>);

impl Toys {
    /// What was called, in order; the log starts anew.
    pub(crate) fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn note(&self, text: impl ToString) {
        self.0.lock().unwrap().push(text.to_string());
    }

    pub(crate) fn host(&self) -> Host<'_> {
        self.host_with(Bugs::NONE)
    }

    pub(crate) fn host_with(&self, bugs: Bugs) -> Host<'_> {
        Host { runtime: self, node: NodeId(1), gate: GateMode::Enabled, bugs }
    }
}

struct Toy {
    manifest: Manifest,
    line: u64,
    flaw: String,
    log: Toys,
}

struct Number {
    state: Vec<u8>,
    line: u64,
    log: Toys,
}

impl Runtime for Toys {
    fn load(&self, code: &[u8]) -> Result<Arc<dyn Program>, Fault> {
        let unknown = || Fault::Refused("no toy".to_owned());
        let text = std::str::from_utf8(code).map_err(|_| unknown())?;
        let mut words = text.split(' ');
        if words.next() != Some("toy") {
            return Err(unknown());
        }
        let version: Version = words.next().unwrap().parse().map_err(|_| unknown())?;
        let flaw = words.next().unwrap_or_default().to_owned();
        let (manifest, line) = (manifest(&version, &flaw), version.major.max(1));
        Ok(Arc::new(Toy { manifest, line, flaw, log: self.clone() }))
    }
}

/// The state's schema in a line.
pub(crate) fn schema(line: u64) -> Schema {
    match line {
        1 => Schema::Int,
        2 => Schema::record([(1, "n", Schema::Int), (2, "step", Schema::Int)]),
        _ => Schema::record([
            (1, "n", Schema::Int),
            (2, "step", Schema::Int),
            (3, "note", Schema::Str),
        ]),
    }
}

/// A state of a line that holds `n`.
pub(crate) fn state(line: u64, n: i64) -> Vec<u8> {
    let fields = [(1, Value::Int(n)), (2, Value::Int(1)), (3, Value::Str("new".to_owned()))];
    let value = match line {
        1 => Value::Int(n),
        2 => Value::record(fields[..2].to_vec()),
        _ => Value::record(fields),
    };
    value.encode(&schema(line)).unwrap()
}

fn number_in(line: u64, state: &[u8]) -> Result<i64, Fault> {
    match Value::decode(&schema(line), state).map_err(|_| Fault::Malformed("state"))? {
        Value::Int(n) => Ok(n),
        Value::Rec(fields) => match fields[&1] {
            Value::Int(n) => Ok(n),
            _ => unreachable!("the schema says it is a number"),
        },
        _ => unreachable!("the schema says so"),
    }
}

fn message(tag: u32, since: [u64; 3], guarantee: Guarantee, versioned: bool) -> MessageType {
    MessageType { tag, name: "message", since, guarantee, versioned, schema: Schema::Int }
}

/// What the toy of this version and flaw declares.
pub(crate) fn manifest(version: &Version, flaw: &str) -> Manifest {
    let line = version.major.max(1);
    let add = ADD + 10 * (line as u32 - 1);
    let mut messages = vec![
        message(add, [line, 0, 0], Guarantee::ExactlyOnce, true),
        message(GOSSIP, [line, 0, 0], Guarantee::AtMostOnce, true),
        message(PING, [0, 0, 0], Guarantee::ExactlyOnce, false),
    ];
    if line == 1 && (version.minor >= 4 || flaw == "early") {
        messages.push(message(ADD_MANY, [1, 4, 0], Guarantee::ExactlyOnce, true));
    }
    messages.sort_by_key(|message| message.tag);
    let edge = |from: u64, classes: (&'static str, &'static str)| Edge {
        from_class: classes.0,
        to_class: classes.1,
        from_state: schema(from).id(),
        to_state: schema(from + 1).id(),
    };
    let mut edges = vec![edge(1, ("1", "2")), edge(2, ("2", "3"))];
    edges.truncate(if flaw == "no-edge" { 0 } else { line as usize - 1 });
    if flaw == "bad-class" {
        edges[0].from_class = "one";
    }
    Manifest {
        app: if flaw == "other-app" { "other" } else { "toy" },
        about: "a toy",
        state: schema(line),
        messages,
        edges,
        operations: Vec::new(),
        measures: vec!["total"],
        replicated: None,
        tick: None,
    }
}

impl Program for Toy {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn init(&self, _: NodeId) -> Box<dyn Instance> {
        self.log.note(format!("init {}", self.line));
        let state = state(self.line, 0);
        Box::new(Number { state, line: self.line, log: self.log.clone() })
    }

    fn load(&self, _: NodeId, state: &[u8]) -> Result<Box<dyn Instance>, Fault> {
        self.log.note(format!("load {}", self.line));
        number_in(self.line, state)?;
        if self.flaw == "refuses" {
            return Err(Fault::Refused("not this one".to_owned()));
        }
        let (state, line) = (state.to_vec(), self.line);
        Ok(Box::new(Number { state, line, log: self.log.clone() }))
    }

    fn migrate(&self, edge: usize, bytes: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
        self.log.note(format!("migrate {edge}"));
        let n = number_in(edge as u64 + 1, bytes)?;
        for _ in 0..10 {
            meter.spend(if self.flaw == "endless" { u64::MAX } else { 1 })?;
        }
        match self.flaw.as_str() {
            "fails" => Err(Fault::Refused("an odd state".repeat(100))),
            "ill-typed" => Ok(bytes.to_vec()),
            "loses" => Ok(state(edge as u64 + 2, 0)),
            "bloats" => Ok(vec![0; 1 << 20]),
            _ => Ok(state(edge as u64 + 2, n)),
        }
    }

    fn convert(&self, edge: usize, body: &Body) -> Result<Body, Fault> {
        let add = ADD + 10 * edge as u32;
        if body.tag != add {
            return Err(Fault::Refused(format!("#{} means nothing", body.tag)));
        }
        let bytes = [&body.bytes[..], &[edge as u8]].concat();
        Ok(Body { tag: add + 10, bytes: bytes.into() })
    }

    fn measure(&self, state: &[u8]) -> Result<Vec<i128>, Fault> {
        number_in(self.line, state).map(|n| vec![i128::from(n)])
    }

    fn operation(&self, _: &str, _: [u32; 4]) -> Option<Body> {
        None
    }
}

impl Instance for Number {
    fn handle(
        &mut self,
        _: Context<'_>,
        incoming: &Incoming,
        _: &mut Vec<Outgoing>,
    ) -> Result<Step, Fault> {
        let Incoming::Message { body, .. } = incoming else { return Ok(Step::Unchanged) };
        let Ok(Value::Int(by)) = Value::decode(&Schema::Int, &body.bytes) else {
            return Err(Fault::Malformed("message"));
        };
        self.state = state(self.line, number_in(self.line, &self.state)? + by);
        Ok(Step::Changed)
    }

    fn export(&self) -> Vec<u8> {
        self.log.note(format!("export {}", self.line));
        self.state.clone()
    }
}

/// Adds `by` to a toy of any line.
pub(crate) fn add(instance: &mut dyn Instance, by: i64) {
    let context = Context { node: NodeId(1), now: Time::ZERO, nodes: &[], entropy: 0, next: None };
    let bytes = Value::Int(by).encode(&Schema::Int).unwrap().into();
    let incoming = Incoming::Message { from: NodeId(2), body: Body { tag: ADD, bytes } };
    assert_eq!(instance.handle(context, &incoming, &mut Vec::new()), Ok(Step::Changed));
}

/// A toy's code and its envelope.
pub(crate) fn release(text: &str) -> (Vec<u8>, Arc<Envelope>) {
    release_with(text, |_| ())
}

/// As [`release`], with another publication than the default one.
pub(crate) fn release_with(
    text: &str,
    change: impl FnOnce(&mut Publication),
) -> (Vec<u8>, Arc<Envelope>) {
    let code = format!("toy {text}").into_bytes();
    let mut words = text.split(' ');
    let version: Version = words.next().unwrap().parse().unwrap();
    let manifest = manifest(&version, words.next().unwrap_or_default());
    let mut publication = publication(version);
    change(&mut publication);
    let envelope = Envelope::for_code(&manifest, &code, publication).unwrap();
    (code, Arc::new(envelope))
}

/// What is published unless a test says otherwise.
pub(crate) fn publication(version: Version) -> Publication {
    Publication {
        epoch: 0,
        version,
        class: None,
        rollout: Rollout::AtOnce,
        budget: Budget { fuel: 100, state_bytes: 1_000 },
        expires: None,
        root: 1,
    }
}

/// The stamp of a release that is named alone.
pub(crate) fn stamp(version: &str) -> Stamp {
    let version: Version = version.parse().unwrap();
    let class = ApiClass::of(&version);
    Stamp::new(ReleaseId::new(0, version, CodeHash([7; 32])), class)
}

/// Versions above 0.0.0: few enough that equal ones meet, wide enough to break an encoding.
pub(crate) fn versions() -> impl Strategy<Value = Version> {
    let numbers = || prop_oneof![4 => 0..3_u64, 1 => any::<u64>()];
    let pre = prop_oneof![3 => Just(""), 1 => Just("rc.1"), 1 => Just("rc.2")];
    let build = prop_oneof![3 => Just(""), 1 => Just("x.01"), 1 => Just("y")];
    (numbers(), numbers(), numbers(), pre, build)
        .prop_map(|(major, minor, patch, pre, build)| Version {
            major,
            minor,
            patch,
            pre: Prerelease::new(pre).unwrap(),
            build: BuildMetadata::new(build).unwrap(),
        })
        .prop_filter("above 0.0.0", crate::release::is_above_zero)
}

/// Names of releases that often meet under one version.
pub(crate) fn ids() -> impl Strategy<Value = ReleaseId> {
    (0..3_u64, versions(), 0..3_u8)
        .prop_map(|(epoch, version, code)| ReleaseId::new(epoch, version, CodeHash([code; 32])))
}

/// Envelopes that often differ in one thing alone.
pub(crate) fn envelopes() -> impl Strategy<Value = Envelope> {
    let rollouts = prop_oneof![
        Just(Rollout::AtOnce),
        (1..5_u32, any::<u32>()).prop_map(|(batch, gap)| Rollout::Rolling {
            batch,
            gap: contract::Span::from_nanos(gap.into()),
        }),
        (0..=1_000_000_u32, any::<u32>()).prop_map(|(share_ppm, soak)| Rollout::Canary {
            share_ppm,
            soak: contract::Span::from_nanos(soak.into()),
        }),
    ];
    let expiries = prop_oneof![Just(None), (0..4_u64).prop_map(|at| Some(Time::from_nanos(at)))];
    (ids(), rollouts, expiries, 0..3_u32, 0..2_u64).prop_map(
        |(id, rollout, expires, root, code_bytes)| Envelope {
            app: "toy".to_owned(),
            class: ApiClass::of(&id.version),
            id,
            state: [1; 32],
            code_bytes,
            edges: [2; 32],
            rollout,
            budget: Budget { fuel: 1, state_bytes: u64::MAX },
            expires,
            root,
        },
    )
}
