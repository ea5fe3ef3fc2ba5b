//! Replays vector files of sequences: the identifiers, text and epochs that a correct replica must have.
//!
//! Schema `seq-vectors/1`. A vector has operations with their identifiers, the orders in which replicas
//! applied them, and what these showed; every replica of it starts passive. `tables` hold identifiers in
//! order, pairs of the mapping between epochs, and trees of epochs.

use std::collections::BTreeSet;

use sequence::{
    Dot, EpochId, FormerState, Identifier, Integrated, Interval, Mapping, Operation, Options,
    Refused, Sequence, Tuple,
};
use serde::{Deserialize, de::IgnoredAny};

use super::vectors::{self, Fault, Names, REPLICAS_MAX, Replayed, Unreadable};
use shown::Shown;
use tables::{Map, Tree};

mod orders;
mod shown;
mod tables;

/// The schema that is read.
pub const SCHEMA: &str = "seq-vectors/1";

/// What is replayed: the sequence, or whatever is to be compared with it.
pub trait Replica: Clone {
    /// An empty one.
    fn new(site: u32) -> Self;
    /// Carries an operation out. Errors: why it did not.
    fn apply(&mut self, operation: &Operation) -> Result<(), String>;
    /// All text.
    fn text(&self) -> String;
    /// How many elements.
    fn count(&self) -> u64;
    /// The current epoch.
    fn epoch(&self) -> EpochId;
    /// All identifiers, in the longest intervals.
    fn intervals(&self) -> Vec<Interval>;
    /// Panics where a belief is broken.
    fn check(&self) {}
}

impl Replica for Sequence {
    fn new(site: u32) -> Self {
        Self::new(site, Options::default()).expect("vectors name sites above 0")
    }

    fn apply(&mut self, operation: &Operation) -> Result<(), String> {
        match Self::apply(self, operation) {
            Ok(Integrated::Done) => Ok(()),
            Ok(Integrated::Waits) => Err("it waits for its epoch".to_owned()),
            Err(why) => Err(why.to_string()),
        }
    }

    fn text(&self) -> String {
        Self::text(self)
    }

    fn count(&self) -> u64 {
        Self::len(self)
    }

    fn epoch(&self) -> EpochId {
        Self::epoch(self)
    }

    fn intervals(&self) -> Vec<Interval> {
        Self::intervals(self)
    }

    fn check(&self) {
        Self::check(self);
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "schema")]
    _schema: IgnoredAny,
    #[serde(rename = "file")]
    _file: Option<IgnoredAny>,
    #[serde(rename = "about")]
    _about: Option<IgnoredAny>,
    #[serde(default)]
    vectors: Vec<serde_json::Value>,
    #[serde(default)]
    order: Vec<Vec<Written>>,
    #[serde(default)]
    maps: Vec<Map>,
    #[serde(default)]
    epochs: Vec<Tree>,
}

/// A tuple: position, site, clock, offset.
type Written = (i32, u32, u32, i32);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Span {
    id: Vec<Written>,
    end: i32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    #[serde(rename = "note")]
    _note: Option<IgnoredAny>,
    #[serde(rename = "seed")]
    _seed: Option<IgnoredAny>,
    #[serde(rename = "source")]
    _source: Option<IgnoredAny>,
    #[serde(rename = "stats")]
    _stats: Option<IgnoredAny>,
    #[serde(rename = "delivery")]
    promise: Option<Promise>,
    sites: Vec<u32>,
    ops: Vec<Change>,
    replicas: Vec<Delivery>,
    #[serde(rename = "final")]
    last: Last,
}

/// What delivery promises of the order of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Promise {
    #[serde(rename = "causal")]
    Causal,
    #[serde(rename = "rls", alias = "any-order")]
    Epochs,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "Row")]
struct Change {
    site: u32,
    epoch: i64,
    deps: Vec<u64>,
    what: What,
}

#[derive(Debug)]
enum What {
    Insert { id: Vec<Written>, text: String },
    Remove { intervals: Vec<Span> },
    Rename { clock: u32, intervals: Vec<Span> },
}

/// A change as it is written: each kind has keys of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    site: u32,
    kind: Kind,
    epoch: i64,
    deps: Vec<u64>,
    id: Option<Vec<Written>>,
    text: Option<String>,
    clock: Option<u32>,
    intervals: Option<Vec<Span>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Kind {
    #[serde(rename = "ins")]
    Insert,
    #[serde(rename = "del")]
    Remove,
    #[serde(rename = "ren")]
    Rename,
}

impl TryFrom<Row> for Change {
    type Error = &'static str;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        let what = match (row.kind, row.id, row.text, row.clock, row.intervals) {
            (Kind::Insert, Some(id), Some(text), None, None) => What::Insert { id, text },
            (Kind::Remove, None, None, None, Some(intervals)) => What::Remove { intervals },
            (Kind::Rename, None, None, Some(clock), Some(intervals)) => {
                What::Rename { clock, intervals }
            }
            (Kind::Insert, ..) => return Err("kind `ins`: expected `id` and `text` beside it"),
            (Kind::Remove, ..) => return Err("kind `del`: expected `intervals` beside it"),
            (Kind::Rename, ..) => {
                return Err("kind `ren`: expected `clock` and `intervals` beside it");
            }
        };
        Ok(Self { site: row.site, epoch: row.epoch, deps: row.deps, what })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Delivery {
    site: u32,
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    op: usize,
    len: u64,
    local: Option<Local>,
    text: Option<String>,
    epoch: Option<i64>,
    blocks: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Local {
    Ins(usize, String),
    Del(usize, usize),
    Rename(bool),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Last {
    text: String,
    epoch: i64,
    intervals: Vec<Span>,
    #[serde(rename = "native_blocks")]
    _native_blocks: Option<IgnoredAny>,
}

/// Replays a vector file on the sequence.
///
/// Errors: [`Unreadable`].
pub fn replay(file: serde_json::Value) -> Result<Replayed, Unreadable> {
    replay_on::<Sequence>(file)
}

/// Replays the vectors of a file on `R`, and its tables on the sequence.
///
/// Errors: [`Unreadable`].
pub fn replay_on<R: Replica>(file: serde_json::Value) -> Result<Replayed, Unreadable> {
    let file: File = vectors::of_file(file)?;
    let mut replayed = Replayed { kind: "sequence".to_owned(), ..Replayed::default() };
    let mut notes = Vec::new();
    let mut came = |name: String, came: Result<(), Fault>| match came {
        Ok(()) => {
            replayed.passed += 1;
            Ok(())
        }
        Err(Fault::Differs(why)) => {
            replayed.failed.push((name, why));
            Ok(())
        }
        Err(Fault::Malformed(why)) => Err(Unreadable::Case(name, why)),
    };
    let mut names = Names::default();
    for (at, vector) in file.vectors.into_iter().enumerate() {
        let vector: Vector = vectors::of_case(at, vector)?;
        let possible = names.take(&vector.name).map_err(Fault::Malformed);
        let possible = possible.and_then(|()| vector.possible());
        if let (Ok(()), Some(note)) = (&possible, vector.out_of_order()) {
            notes.push((vector.name.clone(), note));
        }
        came(vector.name.clone(), possible.and_then(|()| vector.replay::<R>()))?;
    }
    if !file.order.is_empty() {
        came("order".to_owned(), order(&file.order))?;
    }
    for (at, map) in file.maps.iter().enumerate() {
        came(format!("map {at}"), map.hold())?;
    }
    for (at, tree) in file.epochs.iter().enumerate() {
        came(format!("epochs {at}"), tree.hold())?;
    }
    if replayed.passed == 0 && replayed.failed.is_empty() {
        return Err(Unreadable::Empty("vectors"));
    }
    replayed.notes = notes;
    Ok(replayed)
}

/// The site of a passive replica: it took no part, so that its site is none of these.
fn passive(sites: &[u32]) -> u32 {
    let passive = (1..u32::MAX >> 1).rev().find(|site| !sites.contains(site));
    passive.expect("there are more sites than a file names")
}

fn tuples(written: &[Written]) -> Vec<Tuple> {
    let tuple = |(position, site, clock, offset): &Written| Tuple {
        position: *position,
        site: *site,
        clock: *clock,
        offset: *offset,
    };
    written.iter().map(tuple).collect()
}

fn malformed(why: impl std::fmt::Display) -> Fault {
    Fault::Malformed(why.to_string())
}

fn differs(why: impl std::fmt::Display) -> Fault {
    Fault::Differs(why.to_string())
}

fn identifier(written: &[Written]) -> Result<Identifier, Fault> {
    Identifier::new(tuples(written)).map_err(|why| match why {
        Refused::Tuple(tuple) => {
            malformed(format_args!("no site makes the tuple {}", tuple.shown()))
        }
        why => malformed(why),
    })
}

fn intervals(spans: &[Span]) -> Result<Vec<Interval>, Fault> {
    let interval = |span: &Span| Ok(Interval { first: identifier(&span.id)?, end: span.end });
    spans.iter().map(interval).collect()
}

fn differ<T: Shown>(what: &str, found: &T, expected: &T) -> Result<(), Fault> {
    if found == expected {
        return Ok(());
    }
    let (found, expected) = (found.shown(), expected.shown());
    Err(differs(format_args!("{what}: found {found}, expected {expected}")))
}

impl Change {
    /// Whether its `deps` count no more than was `before` it, and of its own site all. Errors: they do not.
    fn counts(&self, before: &[(u32, u64)]) -> Result<(), Fault> {
        let (sites, found) = (before.len(), self.deps.len());
        if found != sites {
            return Err(malformed(format!("`deps`: expected {sites} counts, found {found}")));
        }
        for ((site, before), found) in before.iter().zip(&self.deps) {
            if found > before || *site == self.site && found < before {
                return Err(malformed(format!(
                    "`deps`: it counts {found} operations of site {site}, of {before} before it"
                )));
            }
        }
        Ok(())
    }
}

impl Vector {
    /// Whether such a vector can be, before any of it is replayed.
    fn possible(&self) -> Result<(), Fault> {
        if !(1..=REPLICAS_MAX as usize).contains(&self.sites.len()) {
            let found = self.sites.len();
            return Err(malformed(format_args!(
                "`sites`: expected 1 to {REPLICAS_MAX}, found {found}"
            )));
        }
        let sites: BTreeSet<u32> = self.sites.iter().copied().collect();
        if sites.len() < self.sites.len() || sites.contains(&0) {
            return Err(malformed("`sites`: expected each once and none 0"));
        }
        if self.replicas.is_empty() {
            return Err(malformed("`replicas`: expected at least one, found none"));
        }
        let listed = |site: u32| match sites.contains(&site) {
            true => Ok(()),
            false => Err(malformed(format_args!("`site`: expected one of `sites`, found {site}"))),
        };
        let mut renamed = BTreeSet::new();
        let mut before: Vec<(u32, u64)> = self.sites.iter().map(|site| (*site, 0)).collect();
        for (at, change) in self.ops.iter().enumerate() {
            let of = |fault: Fault| fault.of(&format!("operation {at}"));
            listed(change.site).map_err(of)?;
            change.counts(&before).map_err(of)?;
            if change.epoch >= at as i64 {
                let found = change.epoch;
                let why = format!("`epoch`: expected an operation before it, found {found}");
                return Err(of(malformed(why)));
            }
            if let What::Rename { clock, .. } = change.what
                && !renamed.insert((change.site, clock))
            {
                return Err(of(malformed(format!(
                    "`clock`: its site renamed with {clock} before"
                ))));
            }
            for (_, count) in before.iter_mut().filter(|(site, _)| *site == change.site) {
                *count += 1;
            }
        }
        for (at, delivery) in self.replicas.iter().enumerate() {
            listed(delivery.site).map_err(|fault| fault.of(&format!("replica {at}")))?;
        }
        Ok(())
    }

    /// Where the file says that replicas apply everything once and after all that it follows, the first step
    /// of one that does not. It is told and no more: two vectors that everybody has are so.
    fn out_of_order(&self) -> Option<String> {
        let promised = self.promise == Some(Promise::Causal);
        self.replicas.iter().filter(|_| promised).find_map(|delivery| {
            let mut applied: Vec<(u32, u64)> = self.sites.iter().map(|site| (*site, 0)).collect();
            delivery.steps.iter().enumerate().find_map(|(at, step)| {
                let change = self.ops.get(step.op)?;
                let mut pairs = applied.iter_mut().zip(&change.deps);
                pairs.find_map(|((site, applied), before)| {
                    let own = *site == change.site;
                    if *applied < *before || own && *applied > *before {
                        return Some(format!(
                            "replica {}, step {at} (op {}): `delivery` is causal, and it comes after \
                             {applied} operations of site {site}, not {before}",
                            delivery.site, step.op
                        ));
                    }
                    *applied += u64::from(own);
                    None
                })
            })
        })
    }

    /// The epoch that operation `index` began; -1 is the origin.
    fn epoch(&self, index: i64) -> Result<EpochId, Fault> {
        if index == -1 {
            return Ok(EpochId::Origin);
        }
        let at = usize::try_from(index).ok();
        match at.and_then(|at| self.ops.get(at)).map(|op| (op.site, &op.what)) {
            Some((site, What::Rename { clock, .. })) => {
                Ok(EpochId::Renamed(Dot { site, clock: *clock }))
            }
            _ => Err(malformed(format_args!("operation {index} is no rename"))),
        }
    }

    fn operation(&self, change: &Change) -> Result<Operation, Fault> {
        let epoch = self.epoch(change.epoch)?;
        Ok(match &change.what {
            What::Insert { id, text } => {
                Operation::Insert { epoch, first: identifier(id)?, text: text.as_str().into() }
            }
            What::Remove { intervals: spans } => {
                Operation::Remove { epoch, intervals: intervals(spans)?.into() }
            }
            What::Rename { clock, intervals: spans } => {
                let dot = Dot { site: change.site, clock: *clock };
                let former = FormerState::new(&intervals(spans)?).map_err(malformed)?;
                let rename = Operation::Rename { epoch, dot, former: former.clone() };
                // What no replica would take, even one that has nothing, is no difference.
                let alone = Operation::Rename { epoch: EpochId::Origin, dot, former };
                Mapping::new(&alone).map_err(malformed)?;
                rename
            }
        })
    }

    fn replay<R: Replica>(&self) -> Result<(), Fault> {
        let mut operations = Vec::with_capacity(self.ops.len());
        for (at, change) in self.ops.iter().enumerate() {
            let operation = self.operation(change);
            operations.push(operation.map_err(|fault| fault.of(&format!("operation {at}")))?);
        }
        for delivery in &self.replicas {
            let mut replica = R::new(passive(&self.sites));
            for (at, step) in delivery.steps.iter().enumerate() {
                let step_of = format!("replica {}, step {at} (op {})", delivery.site, step.op);
                let came = self.step(&mut replica, step, &operations);
                came.map_err(|fault| fault.of(&step_of))?;
            }
            let of = |fault: Fault| fault.of(&format!("replica {}, at the end", delivery.site));
            self.is_last(&replica).map_err(of)?;
        }
        self.agree_in_every_order::<R>(&operations)
    }

    /// Whether a replica has what all have at the end.
    fn is_last<R: Replica>(&self, replica: &R) -> Result<(), Fault> {
        differ("text", &replica.text(), &self.last.text)?;
        differ("epoch", &replica.epoch(), &self.epoch(self.last.epoch)?)?;
        differ("intervals", &replica.intervals(), &intervals(&self.last.intervals)?)
    }

    fn step<R: Replica>(
        &self,
        replica: &mut R,
        step: &Step,
        operations: &[Operation],
    ) -> Result<(), Fault> {
        let operation = operations.get(step.op);
        let operation = operation.ok_or_else(|| malformed("there is no such operation"))?;
        let before = match &step.local {
            Some(local) => Some(local.edited(&replica.text())?),
            None => None,
        };
        if let (Some(Local::Rename(_)), Operation::Rename { former, .. }) = (&step.local, operation)
        {
            differ("what it renames", &replica.intervals(), &former.intervals())?;
        }
        replica.apply(operation).map_err(differs)?;
        replica.check();
        differ("length", &replica.count(), &step.len)?;
        if let Some(expected) = before {
            differ("text after the local edit", &replica.text(), &expected)?;
        }
        if let Some(text) = &step.text {
            differ("text", &replica.text(), text)?;
        }
        if let Some(epoch) = step.epoch {
            differ("epoch", &replica.epoch(), &self.epoch(epoch)?)?;
        }
        match step.blocks {
            Some(blocks) => differ("blocks", &replica.intervals().len(), &blocks),
            None => Ok(()),
        }
    }
}

/// As it is written.
impl std::fmt::Display for Local {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let written = match self {
            Self::Ins(at, added) => serde_json::json!({ "ins": [at, added] }),
            Self::Del(at, count) => serde_json::json!({ "del": [at, count] }),
            Self::Rename(begins) => serde_json::json!({ "rename": begins }),
        };
        write!(f, "{written}")
    }
}

impl Local {
    /// `text` with the edit. Errors: it reaches beyond the end.
    fn edited(&self, text: &str) -> Result<String, Fault> {
        let mut characters: Vec<char> = text.chars().collect();
        let length = characters.len();
        let beyond = || {
            malformed(format_args!(
                "`local`: expected an edit within {length} elements, found {self}"
            ))
        };
        match self {
            Self::Ins(at, added) => {
                let at = Some(*at).filter(|at| *at <= length).ok_or_else(beyond)?;
                characters.splice(at..at, added.chars());
            }
            Self::Del(at, count) => {
                let end = at.checked_add(*count).filter(|end| *end <= length).ok_or_else(beyond)?;
                characters.drain(*at..end);
            }
            Self::Rename(true) => {}
            Self::Rename(false) => return Err(malformed("`local`: expected `rename` to be true")),
        }
        Ok(characters.into_iter().collect())
    }
}

/// Whether a replica that gets the identifiers in a wild order has them in this one.
fn order(ids: &[Vec<Written>]) -> Result<(), Fault> {
    let spelled: Vec<Vec<Tuple>> = ids.iter().map(|id| tuples(id)).collect();
    if let Some(at) = spelled.windows(2).position(|pair| pair[0] >= pair[1]) {
        return Err(differs(format_args!("identifier {at} is not below the next")));
    }
    let sites: Vec<u32> = ids.iter().flatten().map(|(_, site, ..)| *site).collect();
    let mut replica = Sequence::new(passive(&sites), Options::default()).map_err(malformed)?;
    let letter = |at: usize| char::from_u32(0x4e00 + at as u32).expect("a letter");
    let mut expected = String::new();
    let mut wild: Vec<usize> = (0..ids.len()).collect();
    wild.sort_by_key(|at| at.wrapping_mul(0x9e37_79b9) & 0xffff);
    let fits = |at: usize| ids[at].last().is_some_and(|last| last.3 >= 0);
    for at in wild.into_iter().filter(|at| fits(*at)) {
        let first = identifier(&ids[at])?;
        let text = letter(at).to_string().into();
        let insert = Operation::Insert { epoch: EpochId::Origin, first, text };
        match replica.apply(&insert) {
            Ok(_) => {}
            Err(Refused::Duplicate(_)) => continue,
            Err(why) => return Err(differs(format_args!("identifier {at}: {why}"))),
        }
        replica.check();
        expected.push(letter(at));
    }
    let mut sorted: Vec<char> = expected.chars().collect();
    sorted.sort_unstable();
    differ("order", &replica.text(), &sorted.into_iter().collect())
}
