//! Replays vector files of sequences: the identifiers, text and epochs that a correct replica must have.
//!
//! Schema `seq-vectors/1`. A vector has operations with their identifiers, the orders in which replicas
//! applied them, and what these showed; every replica of it starts passive. `tables` hold identifiers in
//! order, pairs of the mapping between epochs, and trees of epochs.

use sequence::{
    Dot, EpochId, Identifier, Integrated, Interval, Mapping, Operation, Options, Sequence, Tuple,
};
use serde::Deserialize;

use super::vectors::{Fault, Replayed, Unreadable};

/// The schema that is read.
pub const SCHEMA: &str = "seq-vectors/1";

/// What is replayed: the sequence, or whatever is to be compared with it.
pub trait Replica {
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
struct File {
    #[serde(default)]
    vectors: Vec<Vector>,
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
struct Span {
    id: Vec<Written>,
    end: i32,
}

#[derive(Debug, Deserialize)]
struct Vector {
    name: String,
    ops: Vec<Change>,
    replicas: Vec<Delivery>,
    #[serde(rename = "final")]
    last: Last,
}

#[derive(Debug, Deserialize)]
struct Change {
    site: u32,
    epoch: i64,
    #[serde(flatten)]
    what: What,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind")]
enum What {
    #[serde(rename = "ins")]
    Insert { id: Vec<Written>, text: String },
    #[serde(rename = "del")]
    Remove { intervals: Vec<Span> },
    #[serde(rename = "ren")]
    Rename { clock: u32, intervals: Vec<Span> },
}

#[derive(Debug, Deserialize)]
struct Delivery {
    site: u32,
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
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
    Rename(serde::de::IgnoredAny),
}

#[derive(Debug, Deserialize)]
struct Last {
    text: String,
    epoch: i64,
    intervals: Vec<Span>,
}

#[derive(Debug, Deserialize)]
struct Map {
    site: u32,
    clock: u32,
    former: Vec<Span>,
    pairs: Vec<Pair>,
}

#[derive(Debug, Deserialize)]
struct Pair {
    parent: Vec<Written>,
    child: Vec<Written>,
}

#[derive(Debug, Deserialize)]
struct Tree {
    epochs: Vec<Node>,
    order: Vec<u32>,
    leading: u32,
    gc: Vec<Gone>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: u32,
    parent: i64,
    site: u32,
}

#[derive(Debug, Deserialize)]
struct Gone {
    stable: Vec<u32>,
    lca: u32,
    required: Vec<u32>,
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
    let file: File = serde_json::from_value(file)?;
    let mut replayed = Replayed { kind: "sequence".to_owned(), ..Replayed::default() };
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
    for vector in &file.vectors {
        came(vector.name.clone(), vector.replay::<R>())?;
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
        return Err(Unreadable::Empty);
    }
    Ok(replayed)
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
    Identifier::new(tuples(written)).map_err(malformed)
}

fn intervals(spans: &[Span]) -> Result<Vec<Interval>, Fault> {
    let interval = |span: &Span| Ok(Interval { first: identifier(&span.id)?, end: span.end });
    spans.iter().map(interval).collect()
}

fn differ<T: PartialEq + std::fmt::Debug>(
    what: &str,
    found: &T,
    expected: &T,
) -> Result<(), Fault> {
    if found == expected {
        return Ok(());
    }
    Err(differs(format_args!("{what}: found {found:?}, expected {expected:?}")))
}

impl Vector {
    /// The epoch that operation `index` began; the origin below 0.
    fn epoch(&self, index: i64) -> Result<EpochId, Fault> {
        let Ok(index) = usize::try_from(index) else { return Ok(EpochId::Origin) };
        match self.ops.get(index).map(|op| (op.site, &op.what)) {
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
                Operation::Insert { epoch, first: identifier(id)?, text: text.clone() }
            }
            What::Remove { intervals: spans } => {
                Operation::Remove { epoch, intervals: intervals(spans)? }
            }
            What::Rename { clock, intervals: spans } => Operation::Rename {
                epoch,
                dot: Dot { site: change.site, clock: *clock },
                former: intervals(spans)?,
            },
        })
    }

    fn replay<R: Replica>(&self) -> Result<(), Fault> {
        let mut operations = Vec::with_capacity(self.ops.len());
        for (at, change) in self.ops.iter().enumerate() {
            let operation = self.operation(change);
            operations.push(operation.map_err(|fault| fault.of(&format!("operation {at}")))?);
        }
        for delivery in &self.replicas {
            // A passive replica has a site of its own: it took no part.
            let mut replica = R::new(u32::MAX >> 1);
            for (at, step) in delivery.steps.iter().enumerate() {
                let step_of = format!("replica {}, step {at} (op {})", delivery.site, step.op);
                let came = self.step(&mut replica, step, &operations);
                came.map_err(|fault| fault.of(&step_of))?;
            }
            let of = |fault: Fault| fault.of(&format!("replica {}, at the end", delivery.site));
            differ("text", &replica.text(), &self.last.text).map_err(of)?;
            differ("epoch", &replica.epoch(), &self.epoch(self.last.epoch)?).map_err(of)?;
            let expected = intervals(&self.last.intervals)?;
            differ("intervals", &replica.intervals(), &expected).map_err(of)?;
        }
        Ok(())
    }

    fn step<R: Replica>(
        &self,
        replica: &mut R,
        step: &Step,
        operations: &[Operation],
    ) -> Result<(), Fault> {
        let operation = operations.get(step.op);
        let operation = operation.ok_or_else(|| malformed("there is no such operation"))?;
        let before = step.local.as_ref().map(|local| local.edited(&replica.text()));
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

impl Local {
    /// `text` with the edit.
    fn edited(&self, text: &str) -> String {
        let mut characters: Vec<char> = text.chars().collect();
        let length = characters.len();
        match self {
            Self::Ins(at, added) => {
                let at = (*at).min(length);
                characters.splice(at..at, added.chars());
            }
            Self::Del(at, count) => {
                let at = (*at).min(length);
                characters.drain(at..at.saturating_add(*count).min(length));
            }
            Self::Rename(_) => {}
        }
        characters.into_iter().collect()
    }
}

/// Whether a replica that gets the identifiers in a wild order has them in this one.
fn order(ids: &[Vec<Written>]) -> Result<(), Fault> {
    let spelled: Vec<Vec<Tuple>> = ids.iter().map(|id| tuples(id)).collect();
    if let Some(at) = spelled.windows(2).position(|pair| pair[0] >= pair[1]) {
        return Err(differs(format_args!("identifier {at} is not below the next")));
    }
    let mut replica = Sequence::new(1, Options::default()).map_err(malformed)?;
    let letter = |at: usize| char::from_u32(0x4e00 + at as u32).expect("a letter");
    let mut expected = String::new();
    let mut wild: Vec<usize> = (0..ids.len()).collect();
    wild.sort_by_key(|at| at.wrapping_mul(0x9e37_79b9) & 0xffff);
    let fits = |at: usize| ids[at].last().is_some_and(|last| last.3 >= 0);
    for at in wild.into_iter().filter(|at| fits(*at)) {
        let first = identifier(&ids[at])?;
        let text = letter(at).to_string();
        let insert = Operation::Insert { epoch: EpochId::Origin, first, text };
        match replica.apply(&insert) {
            Ok(_) => {}
            Err(sequence::Refused::Duplicate(_)) => continue,
            Err(why) => return Err(differs(format_args!("identifier {at}: {why}"))),
        }
        replica.check();
        expected.push(letter(at));
    }
    let mut sorted: Vec<char> = expected.chars().collect();
    sorted.sort_unstable();
    differ("order", &replica.text(), &sorted.into_iter().collect())
}

impl Map {
    /// Whether a replica that has a parent's element shows the child's after the rename, and the reverse.
    fn hold(&self) -> Result<(), Fault> {
        let dot = Dot { site: self.site, clock: self.clock };
        let former = intervals(&self.former)?;
        let rename = Operation::Rename { epoch: EpochId::Origin, dot, former };
        let mut mapping = Mapping::new(&rename).map_err(malformed)?;
        for (at, pair) in self.pairs.iter().enumerate() {
            let (parent, child) = (identifier(&pair.parent)?, identifier(&pair.child)?);
            let forward = mapping.forward(&parent).map_err(differs)?;
            let backward = mapping.backward(&child).map_err(differs)?;
            differ(&format!("pair {at}, forward"), &forward, &child)?;
            differ(&format!("pair {at}, backward"), &backward, &parent)?;
        }
        Ok(())
    }
}

impl Tree {
    /// The name of an epoch. Numbers count in every row, so they are clocks.
    fn name(&self, id: u32) -> Result<EpochId, Fault> {
        let node = self.epochs.iter().find(|node| node.id == id);
        let node = node.ok_or_else(|| malformed(format_args!("there is no epoch {id}")))?;
        Ok(match node.parent {
            ..0 => EpochId::Origin,
            _ => EpochId::Renamed(Dot { site: node.site, clock: id }),
        })
    }

    fn names(&self, ids: &[u32]) -> Result<Vec<EpochId>, Fault> {
        ids.iter().map(|id| self.name(*id)).collect()
    }

    /// A replica that knows all epochs of the row.
    fn replica(&self) -> Result<Sequence, Fault> {
        let mut replica = Sequence::new(u32::MAX >> 1, Options::default()).map_err(malformed)?;
        let first = identifier(&[(0, 1 << 20, 0, 0)])?;
        let insert = Operation::Insert {
            epoch: EpochId::Origin,
            first: first.clone(),
            text: "x".to_owned(),
        };
        replica.apply(&insert).map_err(malformed)?;
        for node in self.epochs.iter().filter(|node| node.parent >= 0) {
            let epoch = self.name(u32::try_from(node.parent).map_err(malformed)?)?;
            let dot = Dot { site: node.site, clock: node.id };
            // The only element, as its epoch names it.
            let first = match epoch {
                EpochId::Origin => first.clone(),
                EpochId::Renamed(Dot { site, clock }) => identifier(&[(0, site, clock, 0)])?,
            };
            let former = vec![Interval { first, end: 0 }];
            let rename = Operation::Rename { epoch, dot, former };
            replica.apply(&rename).map_err(malformed)?;
        }
        Ok(replica)
    }

    fn hold(&self) -> Result<(), Fault> {
        let replica = self.replica()?;
        differ("leading", &replica.epoch(), &self.name(self.leading)?)?;
        differ("order", &replica.epochs_by_priority(), &self.names(&self.order)?)?;
        for (at, gone) in self.gc.iter().enumerate() {
            let mut replica = replica.clone();
            replica.collect(&self.names(&gone.stable)?);
            replica.check();
            let mut kept: Vec<EpochId> = replica.known_epochs().collect();
            differ(&format!("collection {at}, root"), &kept[0], &self.name(gone.lca)?)?;
            let mut expected = self.names(&gone.required)?;
            kept.sort_unstable();
            expected.sort_unstable();
            differ(&format!("collection {at}, kept"), &kept, &expected)?;
        }
        Ok(())
    }
}
