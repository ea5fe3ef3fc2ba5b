//! Sets of names: four answers to what becomes of a name that is added and removed.

use std::collections::{BTreeMap, BTreeSet};

use super::{Causal, Causally, Context, DotMap, DotSet, Join, Max};
use crate::{
    Dot, Log, Op, Origin, Refused, Value,
    op::Reader,
    types::{AddWins, SetOp},
};

/// A set that names are only added to.
#[derive(Clone, Copy, Debug)]
pub struct GSet;

/// A set that a name which was removed from never comes back to.
#[derive(Clone, Copy, Debug)]
pub struct TwoPhaseSet;

/// A set of which removals take away the additions they saw: concurrent additions win, and nothing is kept
/// of what was removed.
#[derive(Clone, Copy, Debug)]
pub struct OrSet;

/// A set that counts how often a name went in and out: the longer story wins.
/// Source: Yu, Rostad, "A Low-Cost Set CRDT Based on Causal Lengths" (2020).
#[derive(Clone, Copy, Debug)]
pub struct CausalLengthSet;

type Names = BTreeSet<String>;

fn shown<'a>(names: impl IntoIterator<Item = &'a String>) -> Value {
    Value::List(names.into_iter().map(|name| Value::from(name.as_str())).collect())
}

impl Join for GSet {
    /// What is added.
    type Operation = String;
    type State = BTreeSet<String>;

    fn delta(&self, state: &Names, name: &String, _: Origin) -> Result<Names, Refused> {
        Ok(if state.contains(name) { Names::new() } else { Names::from([name.clone()]) })
    }

    fn mutate(&self, state: &mut Names, name: &String, _: Origin) -> Result<(), Refused> {
        state.insert(name.clone());
        Ok(())
    }

    fn value(&self, state: &Names) -> Value {
        shown(state)
    }

    fn may_follow(&self, before: &Value, after: &Value) -> bool {
        matches!((before, after), (Value::List(before), Value::List(after))
            if before.iter().all(|name| after.contains(name)))
    }

    fn meaning(&self, log: &Log<'_, String>) -> Value {
        shown(log.iter().map(|event| &event.message).collect::<BTreeSet<_>>())
    }

    fn parse(&self, operation: &Value) -> Result<String, Refused> {
        let read = Reader(operation);
        match read.kind() {
            "add" => read.text("elem"),
            _ => read.unknown("an operation `add`"),
        }
    }
}

/// What `operation` adds to the names that were added and to those that were removed.
fn phases(state: &(Names, Names), operation: &SetOp) -> Result<(Names, Names), Refused> {
    match operation {
        SetOp::Add(name) => Ok((Names::from([name.clone()]), Names::new())),
        SetOp::Remove(name) if state.0.contains(name) => {
            Ok((Names::new(), Names::from([name.clone()])))
        }
        SetOp::Remove(name) => Err(Refused::NoElement(name.clone())),
        SetOp::Clear => Ok((Names::new(), state.0.difference(&state.1).cloned().collect())),
    }
}

impl Join for TwoPhaseSet {
    type Operation = SetOp;
    type State = (BTreeSet<String>, BTreeSet<String>);

    fn delta(
        &self,
        state: &Self::State,
        operation: &SetOp,
        _: Origin,
    ) -> Result<Self::State, Refused> {
        phases(state, operation)
    }

    fn mutate(&self, state: &mut Self::State, operation: &SetOp, _: Origin) -> Result<(), Refused> {
        let (mut added, mut removed) = phases(state, operation)?;
        state.0.append(&mut added);
        state.1.append(&mut removed);
        Ok(())
    }

    fn value(&self, state: &Self::State) -> Value {
        shown(state.0.difference(&state.1))
    }

    fn meaning(&self, log: &Log<'_, SetOp>) -> Value {
        let is_in = |name: &&String| {
            let removes = |other: &crate::Event<SetOp>| match &other.message {
                SetOp::Add(_) => false,
                SetOp::Remove(of) => of == *name,
                SetOp::Clear => log.iter().any(|event| {
                    event.precedes(other) && matches!(&event.message, SetOp::Add(of) if of == *name)
                }),
            };
            !log.iter().any(removes)
        };
        let added = log.iter().filter_map(|event| match &event.message {
            SetOp::Add(name) => Some(name),
            SetOp::Remove(_) | SetOp::Clear => None,
        });
        shown(added.filter(is_in).collect::<BTreeSet<_>>())
    }

    fn parse(&self, operation: &Value) -> Result<SetOp, Refused> {
        AddWins.parse(operation)
    }
}

impl Causally for OrSet {
    type Operation = SetOp;
    type Store = DotMap<String, DotSet>;

    fn delta(
        &self,
        store: &Self::Store,
        context: &Context,
        operation: &SetOp,
        by: Origin,
    ) -> Result<Causal<Self::Store>, Refused> {
        use super::Store;
        let of = |name: &String| store.0.get(name).map(Store::dots).unwrap_or_default();
        Ok(match operation {
            SetOp::Add(name) => {
                let new = context.next(by);
                Causal {
                    store: DotMap([(name.clone(), DotSet([new].into()))].into()),
                    context: of(name).into_iter().chain([new]).collect(),
                }
            }
            SetOp::Remove(name) => {
                Causal { store: DotMap::default(), context: of(name).into_iter().collect() }
            }
            SetOp::Clear => {
                Causal { store: DotMap::default(), context: store.dots().into_iter().collect() }
            }
        })
    }

    fn mutate(
        &self,
        store: &mut Self::Store,
        context: &mut Context,
        operation: &SetOp,
        by: Origin,
    ) -> Result<(), Refused> {
        match operation {
            SetOp::Add(name) => {
                let new = context.next(by);
                context.insert(new);
                store.0.insert(name.clone(), DotSet([new].into()));
            }
            SetOp::Remove(name) => _ = store.0.remove(name),
            SetOp::Clear => store.0.clear(),
        }
        Ok(())
    }

    fn value(&self, store: &Self::Store) -> Value {
        shown(store.0.keys())
    }

    fn meaning(&self, log: &Log<'_, SetOp>) -> Value {
        AddWins.meaning(log)
    }

    fn parse(&self, operation: &Value) -> Result<SetOp, Refused> {
        AddWins.parse(operation)
    }
}

/// By name, how often it went in and out; odd: it is in.
type Lengths = BTreeMap<String, Max>;

fn is_in(length: u64) -> bool {
    length % 2 == 1
}

/// What `operation` makes of `lengths`: those that change.
fn lengthened(lengths: &Lengths, operation: &SetOp) -> Lengths {
    let length = |name: &String| lengths.get(name).map_or(0, |length| length.0);
    let (name, into) = match operation {
        SetOp::Add(name) => (name, true),
        SetOp::Remove(name) => (name, false),
        SetOp::Clear => {
            let inside = lengths.iter().filter(|(_, length)| is_in(length.0));
            return inside.map(|(name, length)| (name.clone(), Max(length.0 + 1))).collect();
        }
    };
    let length = length(name);
    if is_in(length) == into {
        return Lengths::new();
    }
    Lengths::from([(name.clone(), Max(length + 1))])
}

fn inside(lengths: &Lengths) -> Value {
    shown(lengths.iter().filter(|(_, length)| is_in(length.0)).map(|(name, _)| name))
}

impl Join for CausalLengthSet {
    type Operation = SetOp;
    type State = BTreeMap<String, Max>;

    fn delta(&self, state: &Lengths, operation: &SetOp, _: Origin) -> Result<Lengths, Refused> {
        Ok(lengthened(state, operation))
    }

    fn mutate(&self, state: &mut Lengths, operation: &SetOp, _: Origin) -> Result<(), Refused> {
        state.append(&mut lengthened(state, operation));
        Ok(())
    }

    fn value(&self, state: &Lengths) -> Value {
        inside(state)
    }

    /// The longest chain of operations on a name of which each changed what its replica saw.
    fn meaning(&self, log: &Log<'_, SetOp>) -> Value {
        let mut after: BTreeMap<Dot, Lengths> = BTreeMap::new();
        let longest = |some: &mut dyn Iterator<Item = &Lengths>| {
            let mut longest = Lengths::new();
            for (name, length) in some.flatten() {
                let most = longest.entry(name.clone()).or_insert(*length);
                *most = (*most).max(*length);
            }
            longest
        };
        for event in log.iter() {
            let mut seen = after.iter().filter(|(dot, _)| event.past.covers(**dot));
            let before = longest(&mut seen.by_ref().map(|(_, lengths)| lengths));
            after.insert(event.stamp.dot, lengthened(&before, &event.message));
        }
        inside(&longest(&mut after.values()))
    }

    fn parse(&self, operation: &Value) -> Result<SetOp, Refused> {
        AddWins.parse(operation)
    }
}
