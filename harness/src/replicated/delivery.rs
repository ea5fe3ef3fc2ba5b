//! Replays vectors of causal delivery through the layer that nodes use.
//!
//! Schema `causal-broadcast-vectors/1`: replicas broadcast and copies arrive in some order, perhaps twice;
//! after each the file says what was delivered, what waits, what the replica has seen, and what is stable.

use std::{collections::BTreeSet, sync::Arc};

use causal::{Broadcast, Clock, Content, Limits, Operation, Origin, Payload};
use contract::{Encode, Malformed, Wire};
use serde::{Deserialize, de::IgnoredAny};

use super::vectors::{self, Fault, Names, Replayed, Unreadable};

/// The schema that is read.
pub(super) const SCHEMA: &str = "causal-broadcast-vectors/1";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "schema")]
    _schema: String,
    #[serde(rename = "seed")]
    _seed: Option<IgnoredAny>,
    cases: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    replicas: u64,
    events: Vec<Event>,
}

/// What happens at a replica, and what must be so then.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    at: u64,
    broadcast: Option<u64>,
    receive: Option<usize>,
    #[serde(default)]
    delivered: Vec<u64>,
    #[serde(default)]
    buffered: Vec<u64>,
    vc: Vec<u32>,
    stable: Vec<u32>,
}

/// A message of a case, by its number.
#[derive(Clone, Debug, PartialEq)]
struct Numbered(u64);

impl Encode for Numbered {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Wire for Numbered {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Wire::read(bytes).map(Self)
    }
}

impl Payload for Numbered {
    fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

/// Replays a file of this schema. Errors: [`Unreadable`].
pub(super) fn replay(file: serde_json::Value) -> Result<Replayed, Unreadable> {
    let file: File = vectors::of_file(file)?;
    let mut replayed = Replayed { kind: "causal_broadcast".to_owned(), ..Replayed::default() };
    if file.cases.is_empty() {
        return Err(Unreadable::Empty("cases"));
    }
    let mut names = Names::default();
    for (at, case) in file.cases.into_iter().enumerate() {
        let case: Case = vectors::of_case(at, case)?;
        match names.take(&case.name).map_err(Fault::Malformed).and_then(|()| case.replay()) {
            Ok(()) => replayed.passed += 1,
            Err(Fault::Differs(difference)) => replayed.failed.push((case.name, difference)),
            Err(Fault::Malformed(why)) => {
                return Err(Unreadable::Case(format!("{at}, `{}`", case.name), why));
            }
        }
    }
    Ok(replayed)
}

impl Case {
    fn replay(&self) -> Result<(), Fault> {
        let replicas = vectors::replicas(self.replicas).map_err(Fault::Malformed)?;
        if self.events.is_empty() {
            return Err(Fault::Malformed("`events`: expected at least one, found none".to_owned()));
        }
        let founders = || (0..replicas).map(Origin::from);
        let layer = |own| Broadcast::founder(own, founders(), Limits::default());
        let mut layers: Vec<Broadcast<Numbered>> = founders().map(layer).collect();
        let mut sent: Vec<Arc<Operation<Numbered>>> = Vec::new();
        for (number, event) in self.events.iter().enumerate() {
            event
                .replay(&mut layers, &mut sent)
                .map_err(|fault| fault.of(&format!("event {number}")))?;
        }
        Ok(())
    }
}

impl Event {
    fn replay(
        &self,
        layers: &mut [Broadcast<Numbered>],
        sent: &mut Vec<Arc<Operation<Numbered>>>,
    ) -> Result<(), Fault> {
        let malformed = |why: &str| Err(Fault::Malformed(why.to_owned()));
        let count = layers.len();
        let own = usize::try_from(self.at).ok().and_then(|at| layers.get_mut(at));
        let Some(layer) = own else {
            return malformed(&format!(
                "`at`: expected a replica below {count}, found {}",
                self.at
            ));
        };
        if self.vc.len() != count || self.stable.len() != count {
            return malformed("its clocks count other replicas than there are");
        }
        match (self.broadcast, self.receive) {
            (Some(id), None) => {
                if id != sent.len() as u64
                    || !self.delivered.is_empty()
                    || !self.buffered.is_empty()
                {
                    return malformed(
                        "messages are numbered in the order in which they are sent, and deliver none",
                    );
                }
                let issued = layer.broadcast(Content::Payload(Numbered(id)));
                sent.push(issued.map_err(|why| Fault::Differs(why.to_string()))?.operation);
            }
            (None, Some(id)) => {
                let Some(message) = sent.get(id) else {
                    return malformed("it receives a message that was never sent");
                };
                let received = layer.receive(message.dot.origin, Arc::clone(message));
                received.map_err(|why| Fault::Differs(why.to_string()))?;
                let delivered = std::iter::from_fn(|| layer.deliver());
                let delivered = delivered.map(|delivery| id_of(&delivery.operation)).collect();
                differ("it delivers", &delivered, &set("delivered", &self.delivered)?)?;
                let waiting = layer.parked().map(|(operation, _)| id_of(operation)).collect();
                differ("it keeps waiting", &waiting, &set("buffered", &self.buffered)?)?;
            }
            _ => return malformed("expected one of `broadcast` and `receive`"),
        }
        differ("it has seen", &counts(layer.delivered(), count), &self.vc)?;
        differ("it holds for stable", &counts(&layer.stable(), count), &self.stable)
    }
}

/// The `numbers` that stand under `key`. Errors: one stands there twice.
fn set(key: &str, numbers: &[u64]) -> Result<BTreeSet<u64>, Fault> {
    let mut set = BTreeSet::new();
    match numbers.iter().find(|number| !set.insert(**number)) {
        None => Ok(set),
        Some(twice) => Err(Fault::Malformed(format!(
            "`{key}`: expected each message once, found {twice} again"
        ))),
    }
}

fn id_of(operation: &Operation<Numbered>) -> u64 {
    match operation.content {
        Content::Payload(Numbered(id)) => id,
        _ => unreachable!("a case has messages and nothing else"),
    }
}

fn counts(clock: &Clock, count: usize) -> Vec<u32> {
    (0..count as u32).map(|replica| clock.get(replica)).collect()
}

fn differ<T: PartialEq + std::fmt::Debug>(
    what: &str,
    found: &T,
    expected: &T,
) -> Result<(), Fault> {
    if found == expected {
        return Ok(());
    }
    Err(Fault::Differs(format!("{what} {found:?}, expected {expected:?}")))
}
