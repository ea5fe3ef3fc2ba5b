//! Tally 2.0.0: a sum for each topic.
//!
//! The one edge comes from 1.x. What counts nothing in the end is not kept, so that a state does not
//! depend on when it was migrated.

use std::collections::BTreeMap;

use causal::{At, Clock, Log, Stamp};
use crdt::{Op, Refused, Value};

use crate::{
    Body, Edge, Fault, Manifest, Meter,
    native::{
        operation,
        replicated::{Asked, Edition, broadcast},
        tally::{APP, one},
        typed::{Table, Typed, record},
        unknown_tag,
    },
};

pub(super) const ABOUT: &str = "a count for each topic; reads the states of 1.x";

pub(super) const COUNT: u32 = 3;
pub(super) const READ: u32 = one::READ;
pub(super) const CLIENT_UP: u32 = one::CLIENT_UP;
pub(super) const CLIENT_DOWN: u32 = one::CLIENT_DOWN;
pub(super) const CLIENT_COUNT: u32 = 19;

/// The topic of what names none: all that 1.x counted.
const UNNAMED: &str = "";

/// A topic has no more bytes.
const TOPIC_BYTES_MAX: usize = 64;

record! {
    /// Counts this much of a topic.
    Count {
        1 topic: String,
        2 by: i64,
    }
}

record! {
    /// The state.
    Kept {
        /// By topic; none is 0.
        1 sums: Table<String, i64>,
    }
}

/// The version.
pub(super) struct Two;

/// Sums by topic. Numbers wrap.
pub(super) struct Topics;

impl Op for Topics {
    type Operation = Count;
    type Message = Count;
    /// None is 0.
    type State = BTreeMap<String, i64>;

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn prepare(&self, _: &Self::State, count: &Count, _: Stamp) -> Result<Count, Refused> {
        Ok(count.clone())
    }

    fn effect(&self, sums: &mut Self::State, _: At<'_>, count: &Count) -> Result<(), Refused> {
        let sum = sums.get(&count.topic).map_or(0, |sum| *sum).wrapping_add(count.by);
        if sum == 0 {
            sums.remove(&count.topic);
        } else {
            sums.insert(count.topic.clone(), sum);
        }
        Ok(())
    }

    fn value(&self, sums: &Self::State) -> Value {
        Value::map(sums.iter().map(|(topic, sum)| (topic.clone(), Value::from(*sum))))
    }

    fn forget(&self, _: &mut Self::State, _: &Clock) {}

    fn meaning(&self, log: &Log<'_, Count>) -> Value {
        let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
        for Count { topic, by } in log.iter().map(|event| &event.message) {
            let sum = sums.entry(topic).or_default();
            *sum = sum.wrapping_add(*by);
        }
        let shown = sums.into_iter().filter(|(_, sum)| *sum != 0);
        Value::map(shown.map(|(topic, sum)| (topic, Value::from(sum))))
    }

    fn parse(&self, operation: &Value) -> Result<Count, Refused> {
        let found = operation.to_string();
        Err(Refused::Unknown { expected: "an operation as a message writes it", found })
    }
}

impl Edition for Two {
    type Kind = Topics;
    type Kept = Kept;

    fn manifest(&self) -> Manifest {
        const SINCE: [u64; 3] = [2, 0, 0];
        Manifest {
            app: APP,
            about: ABOUT,
            state: Kept::schema(),
            messages: vec![
                broadcast::<Count>(COUNT, "count", SINCE),
                operation::<()>(READ, "read", SINCE),
                operation::<one::Count>(CLIENT_UP, "up", SINCE),
                operation::<one::Count>(CLIENT_DOWN, "down", SINCE),
                operation::<Count>(CLIENT_COUNT, "count", SINCE),
            ],
            edges: vec![Edge {
                from_class: "1",
                to_class: "2",
                from_state: one::Kept::schema().id(),
                to_state: Kept::schema().id(),
            }],
            operations: vec!["up", "read", "down", "count"],
            measures: vec!["sum"],
            replicated: Some("sums"),
            tick: None,
        }
    }

    fn kind(&self) -> &Topics {
        &Topics
    }

    fn keep(&self, sums: &BTreeMap<String, i64>) -> Kept {
        let mut table = Table::default();
        for (topic, sum) in sums {
            table.insert(topic, *sum);
        }
        Kept { sums: table }
    }

    fn restore(&self, mut kept: Kept) -> Result<BTreeMap<String, i64>, Fault> {
        let sums: BTreeMap<_, _> = kept.sums.take_where(|_| true).into_iter().collect();
        if sums.values().any(|sum| *sum == 0) {
            return Err(Fault::Malformed("state: a topic of which nothing was counted"));
        }
        Ok(sums)
    }

    fn retained(&self, _: &BTreeMap<String, i64>) -> usize {
        0
    }

    fn asked(&self, sums: &BTreeMap<String, i64>, body: &Body) -> Result<Asked<Count>, Fault> {
        let unnamed = |by| Asked::Do(Count { topic: UNNAMED.to_owned(), by });
        Ok(match body.tag {
            READ => {
                <()>::read_body(body)?;
                Asked::Tell(total(sums).bytes())
            }
            CLIENT_UP => unnamed(one::up(body)?),
            CLIENT_DOWN => unnamed(-one::up(body)?),
            CLIENT_COUNT => Asked::Do(bounded(Count::read_body(body)?)?),
            _ => return Err(unknown_tag(body)),
        })
    }

    fn write(&self, count: &Count) -> Body {
        count.body(COUNT)
    }

    fn read(&self, body: &Body) -> Result<Count, Fault> {
        match body.tag {
            COUNT => bounded(Count::read_body(body)?),
            _ => Err(unknown_tag(body)),
        }
    }

    fn measure(&self, sums: &BTreeMap<String, i64>) -> Vec<i128> {
        vec![total(sums).into()]
    }

    fn migrate(&self, _: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
        let one::Kept { sum } = one::Kept::read(state, "state of 1.x")?;
        meter.spend(1)?;
        let sums = (sum != 0).then(|| (UNNAMED.to_owned(), sum));
        Ok(self.keep(&sums.into_iter().collect()).bytes())
    }

    fn convert(&self, _: usize, body: &Body) -> Result<Body, Fault> {
        let count = |by| Count { topic: UNNAMED.to_owned(), by }.body(COUNT);
        match body.tag {
            one::UP => Ok(count(one::up(body)?)),
            one::DOWN => Ok(count(-one::up(body)?)),
            READ | CLIENT_UP | CLIENT_DOWN => Ok(body.clone()),
            _ => Err(unknown_tag(body)),
        }
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        if kind != "count" {
            return one::One::Down.operation(kind, entropy);
        }
        let topic = ["tea", "coffee", "cocoa"][entropy[1] as usize % 3].to_owned();
        let by = one::drawn(entropy[0]).cast_signed() - 4;
        Some(Count { topic, by }.body(CLIENT_COUNT))
    }
}

fn total(sums: &BTreeMap<String, i64>) -> i64 {
    sums.values().fold(0, |total: i64, sum| total.wrapping_add(*sum))
}

fn bounded(count: Count) -> Result<Count, Fault> {
    if count.topic.len() > TOPIC_BYTES_MAX {
        return Err(Fault::Refused(format!("a topic of more than {TOPIC_BYTES_MAX} bytes")));
    }
    Ok(count)
}
