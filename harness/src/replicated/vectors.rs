//! Replays vector files: what a correct replica must show, whoever wrote it.
//!
//! Schema `semidirect-vectors/1`: a file names a type and has cases; a case has operations with their vector
//! clocks, what their origins show after each, what all show at the end, and what is shown on the way.

mod orders;

use std::collections::BTreeSet;

use crdt::{
    At, Clock, Dot, Event, Log, Op, Stamp, Value,
    catalogue::{self, Draw, Listed, Visit},
};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use self::orders::{any_order, reached};
use super::{
    Erased, delivery,
    history::{History, Proposal, Step},
    json,
    lattice::{Broken, SETS_MAX, Strictness, sweep},
    lists::histories::{is_list, judge},
    sequence,
    unread::unread,
};
use crate::visible::visible;

/// The schema that is read.
pub const SCHEMA: &str = "semidirect-vectors/1";

const DELIVERY: &str = delivery::SCHEMA;
const SEQUENCE: &str = sequence::SCHEMA;

/// Replicas that a case may have: a hundred times the most that we have, and still no memory to speak of.
pub(super) const REPLICAS_MAX: u32 = 1024;

/// Operations up to which a case says how many delivery orders it has.
const COUNTED_MAX: usize = 16;

/// Operations of a case: each is looked at beside all before it.
const OPERATIONS_MAX: usize = 10_000;

/// Orders that are tried of every case, one replica each.
const ORDERS: usize = 60;

/// Operations up to which the whole lattice of a case is swept.
const LATTICE_OPERATIONS_MAX: usize = 24;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    params: serde_json::Value,
    #[serde(rename = "semantics")]
    _semantics: Option<IgnoredAny>,
    #[serde(rename = "seed")]
    _seed: Option<IgnoredAny>,
    #[serde(rename = "source")]
    _source: Option<IgnoredAny>,
    cases: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    replicas: u64,
    params: Option<serde_json::Value>,
    ops: Vec<Operation>,
    #[serde(rename = "final")]
    last: serde_json::Value,
    #[serde(default)]
    checkpoints: Vec<Checkpoint>,
    linear_extensions: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Operation {
    /// Its place in the list; files may leave it and `deps` away, since the clock says the same.
    id: Option<usize>,
    replica: u32,
    seq: u32,
    vc: Vec<u32>,
    deps: Option<BTreeSet<usize>>,
    lamport: u64,
    op: serde_json::Value,
    value_at_origin_after: serde_json::Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checkpoint {
    delivered: Vec<usize>,
    value: serde_json::Value,
}

/// What came of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// The type.
    pub kind: String,
    /// Cases that passed.
    pub passed: u64,
    /// Cases that did not: name, and the first difference.
    pub failed: Vec<(String, String)>,
    /// What cases say of themselves and is not so, though nothing differs for it: name, and what.
    pub notes: Vec<(String, String)>,
}

/// Why a file cannot be replayed at all.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is no JSON.
    #[error("expected a JSON object with the key `schema`, found no JSON: {0}")]
    Json(serde_json::Error),
    /// An object in it has a key twice.
    #[error("{0}")]
    Twice(serde_json::Error),
    /// It has no schema, or another: what it has.
    #[error("`schema`: expected `{SCHEMA}`, `{DELIVERY}` or `{SEQUENCE}`, found {}", visible(.0))]
    Schema(String),
    /// It is JSON, and no object.
    #[error("expected a JSON object with the key `schema`, found {0}")]
    Object(&'static str),
    /// It is an object of another shape than its schema says.
    #[error("{}", visible(.0))]
    Shape(String),
    /// It is for a type that there is not.
    #[error("`type`: expected one of {known}, found `{name}`", known = known().join(", "), name = visible(.0))]
    Type(String),
    /// Its type cannot start so.
    #[error("type `{0}`: {why}", why = visible(&.1.to_string()))]
    Kind(String, crdt::Refused),
    /// It has nothing to replay.
    #[error("`{0}`: expected at least one, found none")]
    Empty(&'static str),
    /// A case says what cannot have been.
    #[error("case {}: {}", visible(.0), visible(.1))]
    Case(String, String),
}

/// What is wrong with a case.
#[derive(Debug)]
pub(super) enum Fault {
    /// It says what cannot have been: nobody can replay it.
    Malformed(String),
    /// A replica shows something else.
    Differs(String),
}

impl Fault {
    pub(super) fn of(self, what: &str) -> Self {
        match self {
            Self::Malformed(why) => Self::Malformed(format!("{what}: {why}")),
            Self::Differs(why) => Self::Differs(format!("{what}: {why}")),
        }
    }
}

/// The types that there are.
fn known() -> Vec<&'static str> {
    catalogue::LIST.iter().chain(catalogue::JOINS).map(|(name, _)| *name).collect()
}

/// Refuses a number of replicas that no case has. Errors: which there may be.
pub(super) fn replicas(count: u64) -> Result<u32, String> {
    match u32::try_from(count) {
        Ok(count @ 1..=REPLICAS_MAX) => Ok(count),
        _ => Err(format!("`replicas`: expected 1 to {REPLICAS_MAX}, found {count}")),
    }
}

/// The names of cases, each once.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// Takes a name. Errors: another case has it.
    pub(super) fn take(&mut self, name: &str) -> Result<(), String> {
        match self.0.insert(name.to_owned()) {
            true => Ok(()),
            false => Err("`name`: expected one that no case before it has".to_owned()),
        }
    }
}

/// Replays the vector file `text`. Errors: [`Unreadable`].
pub fn replay(text: &str) -> Result<Replayed, Unreadable> {
    if text.trim().is_empty() {
        return Err(Unreadable::Object("nothing"));
    }
    let tree = json::read(text).map_err(|error| match error.is_data() {
        true => Unreadable::Twice(error),
        false => Unreadable::Json(error),
    })?;
    if !tree.is_object() {
        return Err(Unreadable::Object(kind_of(&tree)));
    }
    match tree.get("schema") {
        Some(schema) if schema == SCHEMA => {}
        Some(schema) if schema == DELIVERY => return delivery::replay(tree),
        Some(schema) if schema == SEQUENCE => return sequence::replay(tree),
        Some(serde_json::Value::String(other)) => {
            return Err(Unreadable::Schema(format!("`{other}`")));
        }
        Some(other) => return Err(Unreadable::Schema(kind_of(other).to_owned())),
        None => return Err(Unreadable::Schema("no such key".to_owned())),
    }
    let file: File = of_file(tree)?;
    debug_assert_eq!(file.schema, SCHEMA);
    let mut replayed = Replayed { kind: file.kind.clone(), ..Replayed::default() };
    if file.cases.is_empty() {
        return Err(Unreadable::Empty("cases"));
    }
    if !known().contains(&file.kind.as_str()) {
        return Err(Unreadable::Type(file.kind));
    }
    let mut names = Names::default();
    for (at, case) in file.cases.into_iter().enumerate() {
        let case: Case = of_case(at, case)?;
        let start = value(case.params.as_ref().unwrap_or(&file.params));
        let name = case.name.clone();
        let refused = |why| Unreadable::Case(format!("{at}, `{name}`"), why);
        names.take(&name).and_then(|()| case.possible()).map_err(refused)?;
        let named = file.kind == "unique_set_foreach";
        let came = catalogue::visit(&file.kind, &start, Replay { case, named });
        match came.map_err(|why| Unreadable::Kind(file.kind.clone(), why))? {
            Ok(note) => {
                replayed.passed += 1;
                replayed.notes.extend(note.map(|note| (name, note)));
            }
            Err(Fault::Differs(difference)) => replayed.failed.push((name, difference)),
            Err(Fault::Malformed(why)) => {
                return Err(Unreadable::Case(format!("{at}, `{name}`"), why));
            }
        }
    }
    Ok(replayed)
}

/// Takes `tree` for a file. Errors: it is of another shape.
pub(super) fn of_file<T: DeserializeOwned>(tree: serde_json::Value) -> Result<T, Unreadable> {
    json::shaped(tree).map_err(|why| Unreadable::Shape(why.to_string()))
}

/// Takes `tree` for case `at`. Errors: it is of another shape.
pub(super) fn of_case<T: DeserializeOwned>(
    at: usize,
    tree: serde_json::Value,
) -> Result<T, Unreadable> {
    json::shaped(tree).map_err(|why| Unreadable::Case(at.to_string(), why.to_string()))
}

/// What kind of JSON it is, in a word or two.
pub(super) fn kind_of(json: &serde_json::Value) -> &'static str {
    match json {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "a truth value",
        serde_json::Value::Number(_) => "a number",
        serde_json::Value::String(_) => "a text",
        serde_json::Value::Array(_) => "a list",
        serde_json::Value::Object(_) => "an object",
    }
}

/// `value` as a file has it: numbers beyond 64 bits are texts.
fn written(value: &Value) -> Value {
    match value {
        Value::Int(number) if i64::try_from(*number).is_err() => Value::Text(number.to_string()),
        Value::List(values) => Value::List(values.iter().map(written).collect()),
        Value::Map(entries) => {
            Value::map(entries.iter().map(|(key, each)| (key.clone(), written(each))))
        }
        value => value.clone(),
    }
}

/// What JSON says, numbers that are not whole or need more than 64 bits as texts.
pub fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::Int(number.into()),
            (None, Some(number)) => Value::Int(number.into()),
            (None, None) => Value::Text(number.to_string()),
        },
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Array(values) => Value::List(values.iter().map(value).collect()),
        serde_json::Value::Object(entries) => {
            Value::map(entries.iter().map(|(key, each)| (key.clone(), value(each))))
        }
    }
}

impl Case {
    /// Whether such a case can be, before anything is made for it. Errors: why not.
    fn possible(&self) -> Result<(), String> {
        replicas(self.replicas)?;
        let count = self.ops.len();
        if count > OPERATIONS_MAX {
            return Err(format!("`ops`: expected at most {OPERATIONS_MAX}, found {count}"));
        }
        if self.linear_extensions.is_some() && count > COUNTED_MAX {
            return Err(format!(
                "`linear_extensions`: expected none above {COUNTED_MAX} operations, found one at {count}"
            ));
        }
        Ok(())
    }
}

impl Operation {
    /// Whether it says of itself and its causes what its clock, `past`, says of them. Errors: what it does not.
    fn agrees<M>(&self, past: &Clock, events: &[Event<M>]) -> Result<(), String> {
        let here = events.len();
        if let Some(id) = self.id
            && id != here
        {
            return Err(format!("`id`: expected {here}, found {id}"));
        }
        let seen = || events.iter().enumerate().filter(|(_, event)| past.covers(event.stamp.dot));
        let lamport = seen().map(|(_, event)| event.stamp.lamport + 1).max().unwrap_or(0);
        if self.lamport != lamport {
            return Err(format!("`lamport`: expected {lamport}, found {}", self.lamport));
        }
        let Some(deps) = &self.deps else { return Ok(()) };
        let mut below = Clock::new();
        seen().for_each(|(_, event)| below.merge(&event.past));
        let heads = seen().filter(|(_, event)| !below.covers(event.stamp.dot));
        let heads: BTreeSet<usize> = heads.map(|(at, _)| at).collect();
        if *deps != heads {
            return Err(format!("`deps`: expected {heads:?} by its clock, found {deps:?}"));
        }
        Ok(())
    }
}

struct Replay {
    case: Case,
    /// Whether values and operations name elements by the operation that created them.
    named: bool,
}

impl Replay {
    /// `json`, with the names that we give to elements.
    fn expected(&self, json: &serde_json::Value) -> Value {
        match value(json) {
            Value::Map(entries) if self.named => {
                // A key of another kind is that of no element, our own name for one included.
                let name = |key: &str| self.name(key).unwrap_or_else(|| format!("`{key}`"));
                let named = |(key, value): (String, Value)| (name(&key), value);
                Value::Map(entries.into_iter().map(named).collect())
            }
            value => value,
        }
    }

    fn operation(&self, json: &serde_json::Value) -> Value {
        let mut operation = value(json);
        if let (true, Value::Map(parts)) = (self.named, &mut operation)
            && let Some(element) = parts.get_mut("elem")
        {
            // What is no such place stays, in a kind that no name has.
            let name = self.name(&element.to_string()).map(Value::Text);
            *element = name.unwrap_or_else(|| Value::List(vec![element.clone()]));
        }
        operation
    }

    /// What `json` asks `kind` for. Errors: it asks for nothing that there is, or has a key that is not read.
    fn asked<T: Op>(&self, kind: &T, json: &serde_json::Value) -> Result<T::Operation, String> {
        let operation = self.operation(json);
        if let (true, Some(Value::List(found))) = (self.named, operation.get("elem")) {
            let found = &found[0];
            return Err(format!("`elem`: expected the place of an operation, found {found}"));
        }
        let asked = kind.parse(&operation).map_err(|why| why.to_string())?;
        match unread(kind, &operation, &asked) {
            None => Ok(asked),
            Some(key) => Err(format!("`op.{key}`: expected no such key in {operation}")),
        }
    }

    /// Our name of the element that operation `id` created.
    fn name(&self, id: &str) -> Option<String> {
        let place = id.parse::<usize>().ok().filter(|place| place.to_string() == id);
        let created = self.case.ops.get(place?)?;
        Some(Dot::new(created.replica, created.seq).to_string())
    }

    /// Carries the operations out at their origins, and compares what these show.
    fn events<T: Op>(&self, kind: &T) -> Result<Vec<Event<T::Message>>, Fault> {
        let mut events: Vec<Event<T::Message>> = Vec::new();
        let count = self.case.replicas as usize;
        let mut states: Vec<(T::State, Clock)> =
            (0..count).map(|_| (kind.initial(), Clock::new())).collect();
        for (id, operation) in self.case.ops.iter().enumerate() {
            let what = format!("operation {id}");
            let differs = |why: String| Fault::Differs(format!("{what}: {why}"));
            let malformed = |why: String| Fault::Malformed(format!("{what}: {why}"));
            let stamp = Stamp {
                lamport: operation.lamport,
                dot: Dot::new(operation.replica, operation.seq),
            };
            let past = self.past(operation, &events).map_err(malformed)?;
            operation.agrees(&past, &events).map_err(malformed)?;
            let (state, clock) = &mut states[operation.replica as usize];
            for event in &events {
                if past.covers(event.stamp.dot) && !clock.covers(event.stamp.dot) {
                    kind.effect(state, event.at(), &event.message)
                        .map_err(|why| differs(why.to_string()))?;
                    clock.advance(event.stamp.dot);
                }
            }
            let asked = self.asked(kind, &operation.op).map_err(malformed)?;
            let done = kind.prepare(state, &asked, stamp).and_then(|message| {
                kind.effect(state, At { stamp, past: &past }, &message)?;
                Ok(message)
            });
            let message = done.map_err(|why| differs(why.to_string()))?;
            clock.advance(stamp.dot);
            let expected = self.expected(&operation.value_at_origin_after);
            differ("its origin shows", &kind.value(state), &expected)
                .map_err(|fault| fault.of(&what))?;
            events.push(Event { stamp, past, message });
            let log = Log::new(events.iter().filter(|event| clock.covers(event.stamp.dot)));
            differ("it means", &kind.meaning(&log), &expected).map_err(|fault| fault.of(&what))?;
        }
        Ok(events)
    }

    /// Whether the lists that replicas show, where it is lists, keep the strong list specification (C8): at
    /// every origin, and on the way in several orders.
    fn lists<T: Op>(
        &self,
        kind: &T,
        propose: Proposal<'_>,
        places: impl Iterator<Item = (Dot, Clock)>,
    ) -> Result<(), Fault> {
        if !is_list(propose, &kind.value(&kind.initial())) {
            return Ok(());
        }
        let steps = places.zip(&self.case.ops).map(|((dot, past), operation)| {
            let operation = self.operation(&operation.op);
            Step { dot, past, operation }
        });
        judge(kind, &History(steps.collect())).map(drop).map_err(|found| {
            let lists =
                found.lists.iter().map(|(who, list)| format!("; {who}: {}", list.join(" ")));
            let (flaw, lists) = (&found.flaw, lists.collect::<String>());
            Fault::Differs(format!("strong list specification: {flaw}{lists}"))
        })
    }

    /// What `operation` had seen. Errors: it cannot have seen that.
    fn past<M>(&self, operation: &Operation, events: &[Event<M>]) -> Result<Clock, String> {
        let (count, replica) = (self.case.replicas, operation.replica);
        if u64::from(replica) >= count {
            return Err(format!("`replica`: expected one below {count}, found {replica}"));
        }
        if operation.vc.len() as u64 != count {
            return Err(format!("`vc`: expected {count} counts, found {}", operation.vc.len()));
        }
        let mut past = Clock::new();
        for (origin, seq) in (0..).zip(&operation.vc) {
            let own = origin == operation.replica;
            if own && (*seq != operation.seq || *seq == 0) {
                return Err(format!("its clock counts {seq} of its own, not {}", operation.seq));
            }
            let seq = seq - u32::from(own);
            let known = events.iter().filter(|event| event.stamp.dot.origin == origin.into());
            let known = known.count();
            if seq as usize > known || own && (seq as usize) < known {
                return Err(format!("it saw {seq} operations of replica {origin}, of {known}"));
            }
            if seq > 0 {
                past.advance(Dot::new(origin, seq));
            }
        }
        let open = events.iter().filter(|event| past.covers(event.stamp.dot));
        match open.into_iter().find(|event| !past.covers_all(&event.past)) {
            Some(event) => Err(format!("it saw {} and not all before that", event.stamp.dot)),
            None => Ok(past),
        }
    }

    /// Delivers `order` to a replica that has nothing. Returns what it shows.
    fn delivered<T: Op>(
        kind: &T,
        order: impl IntoIterator<Item = impl std::borrow::Borrow<Event<T::Message>>>,
    ) -> Result<Value, Fault> {
        let mut state = kind.initial();
        for event in order {
            let event = event.borrow();
            kind.effect(&mut state, event.at(), &event.message)
                .map_err(|why| Fault::Differs(why.to_string()))?;
        }
        Ok(kind.value(&state))
    }
}

fn differ(what: &str, found: &Value, expected: &Value) -> Result<(), Fault> {
    let (found, expected) = (written(found), written(expected));
    if found == expected {
        return Ok(());
    }
    Err(Fault::Differs(format!("{what} {found}, expected {expected}")))
}

impl Visit for Replay {
    type Out = Result<Option<String>, Fault>;

    fn visit<T: Listed>(self, kind: T) -> Self::Out {
        self.on(&Erased::new(&kind), &|value, draw| kind.proposal(value, draw))
    }
}

impl Replay {
    /// Returns what was not tried, if anything.
    fn on(&self, kind: &Erased<'_>, propose: Proposal<'_>) -> Result<Option<String>, Fault> {
        let mut note = None;
        let events = self.events(kind)?;
        let places = events.iter().map(|event| (event.stamp.dot, event.past.clone()));
        self.lists(kind, propose, places)?;
        let last = self.expected(&self.case.last);
        if events.len() <= LATTICE_OPERATIONS_MAX {
            let covered = sweep(kind, &events, Strictness::States)
                .map_err(|broken| Fault::Differs(told(&broken)))?;
            match self.case.linear_extensions {
                Some(count) if !covered.cut && covered.orders != u128::from(count) => {
                    let orders = covered.orders;
                    let why = format!("it has {orders} delivery orders, expected {count}");
                    return Err(Fault::Differs(why));
                }
                _ => {}
            }
            note = covered.cut.then(|| {
                format!("no order was tried to its end but {ORDERS}: there are more than {SETS_MAX} sets of its operations")
            });
        }
        let mut draw = Draw(0);
        for _ in 0..ORDERS {
            let found = Self::delivered(kind, any_order(&events, &mut draw))?;
            differ("at the end it shows", &found, &last)?;
        }
        for (at, checkpoint) in self.case.checkpoints.iter().enumerate() {
            let what = format!("at checkpoint {at}");
            let delivered = reached(&events, &checkpoint.delivered)
                .map_err(|why| Fault::Malformed(format!("{what}: {why}")))?;
            let found = Self::delivered(kind, delivered)?;
            differ(&format!("{what} it shows"), &found, &self.expected(&checkpoint.value))?;
        }
        Ok(note)
    }
}

/// What is broken, in a line.
pub fn told(broken: &Broken) -> String {
    match broken {
        Broken::Diverges { orders: [one, other], values: [here, there] } => {
            let why = if here == there { "states differ that show alike" } else { "they differ" };
            format!("{why}: {here} after {one:?}, {there} after {other:?}")
        }
        Broken::Means { order, value, meaning } => {
            format!("after {order:?} it shows {value}, expected {meaning}")
        }
        Broken::Refuses { order, why } => format!("after {order:?} the last is refused: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::lists::planted::ByReceipt, *};

    #[test]
    fn lists_of_a_case_that_have_no_one_order_are_told() {
        let insert = |replica: u32| {
            let vc = if replica == 0 { "[1,0]" } else { "[0,1]" };
            format!(
                r#"{{"replica":{replica},"seq":1,"vc":{vc},"lamport":0,"value_at_origin_after":["{replica}"],
                "op":{{"kind":"insert","index":0,"value":"{replica}"}}}}"#
            )
        };
        let case = format!(
            r#"{{"name":"two","replicas":2,"final":[],"ops":[{},{}]}}"#,
            insert(0),
            insert(1)
        );
        let case: Case = serde_json::from_str(&case).unwrap();
        let replay = Replay { case, named: false };
        let propose = |_: &Value, _: &mut Draw| {
            Value::map([("kind", Value::from("insert")), ("index", Value::Int(0))])
        };
        let places =
            || [(Dot::new(0, 1), Clock::new()), (Dot::new(1, 1), Clock::new())].into_iter();
        let Err(Fault::Differs(why)) = replay.lists(&ByReceipt, &propose, places()) else {
            panic!("lists in the order of receipt have no one order")
        };
        assert!(why.starts_with("strong list specification: 0.1 stands before 1.1"), "{why}");
    }
}
