//! Sets of names: three answers to an addition beside a concurrent removal.

use std::collections::{BTreeMap, BTreeSet};

use crate::{At, Clock, Dot, Event, Log, Op, Refused, Stamp, Value, op::Reader};

/// A name is in where some addition of it precedes no removal of it: removals go before concurrent
/// additions.
#[derive(Clone, Copy, Debug)]
pub struct AddWins;

/// A name is in where some addition of it follows every removal of it: a presence flag under a winning
/// reset.
#[derive(Clone, Copy, Debug)]
pub struct RemoveWins;

/// A name is in where it was added and every removal of it precedes some addition of it; emptying
/// takes away what it saw. Not a semidirect product of additions and removals, as the decomposition criterion
/// fails. Source: Baquero, Almeida, Shoker, "Pure Operation-Based Replicated Data Types", figure 18.
#[derive(Clone, Copy, Debug)]
pub struct RemoveWinsPure;

/// What is done to a set: operation and message alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetOp {
    /// Put a name in.
    Add(String),
    /// Take a name out.
    Remove(String),
    /// Take all out.
    Clear,
}

impl SetOp {
    /// Whether it takes `name` out.
    fn removes(&self, name: &str) -> bool {
        match self {
            Self::Add(_) => false,
            Self::Remove(of) => of == name,
            Self::Clear => true,
        }
    }

    fn parse(operation: &Value) -> Result<Self, Refused> {
        let read = Reader(operation);
        match read.kind() {
            "add" => Ok(Self::Add(read.text("elem")?)),
            "remove" => Ok(Self::Remove(read.text("elem")?)),
            "clear" => Ok(Self::Clear),
            _ => read.unknown("an operation `add`, `remove` or `clear`"),
        }
    }
}

/// The names of `log` for which `is_in` says so, given their additions and the removals of them.
fn names_in(
    log: &Log<'_, SetOp>,
    is_in: impl Fn(&[&Event<SetOp>], &[&Event<SetOp>]) -> bool,
) -> Value {
    let mut added: BTreeMap<&str, Vec<&Event<SetOp>>> = BTreeMap::new();
    for event in log.iter() {
        if let SetOp::Add(name) = &event.message {
            added.entry(name).or_default().push(event);
        }
    }
    let found = added.iter().filter(|(name, additions)| {
        let removals: Vec<_> = log.iter().filter(|event| event.message.removes(name)).collect();
        is_in(additions, &removals)
    });
    Value::List(found.map(|(name, _)| Value::from(*name)).collect())
}

fn shown<'a>(names: impl IntoIterator<Item = &'a String>) -> Value {
    Value::List(names.into_iter().map(|name| Value::from(name.as_str())).collect())
}

impl Op for AddWins {
    type Operation = SetOp;
    type Message = SetOp;
    /// By name that is in: the additions of it that nothing follows.
    type State = BTreeMap<String, BTreeSet<Dot>>;

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn prepare(&self, _: &Self::State, operation: &SetOp, _: Stamp) -> Result<SetOp, Refused> {
        Ok(operation.clone())
    }

    fn effect(&self, state: &mut Self::State, at: At<'_>, message: &SetOp) -> Result<(), Refused> {
        let unseen = |dots: &mut BTreeSet<Dot>| {
            dots.retain(|dot| !at.past.covers(*dot));
            !dots.is_empty()
        };
        match message {
            SetOp::Add(name) => {
                let dots = state.entry(name.clone()).or_default();
                unseen(dots);
                dots.insert(at.stamp.dot);
            }
            SetOp::Remove(name) => {
                if state.get_mut(name).is_some_and(|dots| !unseen(dots)) {
                    state.remove(name);
                }
            }
            SetOp::Clear => state.retain(|_, dots| unseen(dots)),
        }
        Ok(())
    }

    fn value(&self, state: &Self::State) -> Value {
        shown(state.keys())
    }

    fn forget(&self, _: &mut Self::State, _: &Clock) {}

    fn meaning(&self, log: &Log<'_, SetOp>) -> Value {
        names_in(log, |additions, removals| {
            let seen = |add: &Event<_>| removals.iter().any(|removal| add.precedes(*removal));
            additions.iter().any(|add| !seen(add))
        })
    }

    fn parse(&self, operation: &Value) -> Result<SetOp, Refused> {
        SetOp::parse(operation)
    }
}

/// The state of a [`RemoveWins`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Guarded {
    names: BTreeSet<String>,
    /// Removals that additions may come concurrently to, and of what; nothing stands for all.
    removals: BTreeMap<Dot, Option<String>>,
}

impl Op for RemoveWins {
    type Operation = SetOp;
    type Message = SetOp;
    type State = Guarded;

    fn initial(&self) -> Guarded {
        Guarded::default()
    }

    fn prepare(&self, _: &Guarded, operation: &SetOp, _: Stamp) -> Result<SetOp, Refused> {
        Ok(operation.clone())
    }

    fn effect(&self, state: &mut Guarded, at: At<'_>, message: &SetOp) -> Result<(), Refused> {
        match message {
            SetOp::Add(name) => {
                let concerns = |of: &Option<String>| of.as_ref().is_none_or(|of| of == name);
                let mut removals = state.removals.iter().filter(|(_, of)| concerns(of));
                if removals.all(|(dot, _)| at.past.covers(*dot)) {
                    state.names.insert(name.clone());
                }
            }
            SetOp::Remove(name) => {
                state.names.remove(name);
                state.removals.insert(at.stamp.dot, Some(name.clone()));
            }
            SetOp::Clear => {
                state.names.clear();
                state.removals.insert(at.stamp.dot, None);
            }
        }
        Ok(())
    }

    fn value(&self, state: &Guarded) -> Value {
        shown(&state.names)
    }

    fn forget(&self, state: &mut Guarded, stable: &Clock) {
        state.removals.retain(|dot, _| !stable.covers(*dot));
    }

    fn meaning(&self, log: &Log<'_, SetOp>) -> Value {
        names_in(log, |additions, removals| {
            let after_all = |add: &Event<_>| removals.iter().all(|removal| removal.precedes(add));
            additions.iter().any(|add| after_all(add))
        })
    }

    fn parse(&self, operation: &Value) -> Result<SetOp, Refused> {
        SetOp::parse(operation)
    }
}

/// Additions and removals of a name that nothing follows, in the state of a [`RemoveWinsPure`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    additions: BTreeSet<Dot>,
    removals: BTreeSet<Dot>,
}

impl Op for RemoveWinsPure {
    type Operation = SetOp;
    type Message = SetOp;
    type State = BTreeMap<String, Standing>;

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn prepare(&self, _: &Self::State, operation: &SetOp, _: Stamp) -> Result<SetOp, Refused> {
        Ok(operation.clone())
    }

    fn effect(&self, state: &mut Self::State, at: At<'_>, message: &SetOp) -> Result<(), Refused> {
        let name = match message {
            SetOp::Add(name) | SetOp::Remove(name) => Some(name),
            SetOp::Clear => None,
        };
        state.retain(|of, standing| {
            if name.is_none_or(|name| name == of) {
                standing.additions.retain(|dot| !at.past.covers(*dot));
                standing.removals.retain(|dot| !at.past.covers(*dot));
            }
            !standing.additions.is_empty() || !standing.removals.is_empty()
        });
        let dot = at.stamp.dot;
        match message {
            SetOp::Add(name) => _ = state.entry(name.clone()).or_default().additions.insert(dot),
            SetOp::Remove(name) => _ = state.entry(name.clone()).or_default().removals.insert(dot),
            SetOp::Clear => {}
        }
        Ok(())
    }

    fn value(&self, state: &Self::State) -> Value {
        let is_in = |(_, standing): &(&String, &Standing)| {
            !standing.additions.is_empty() && standing.removals.is_empty()
        };
        shown(state.iter().filter(is_in).map(|(name, _)| name))
    }

    fn forget(&self, _: &mut Self::State, _: &Clock) {}

    fn meaning(&self, log: &Log<'_, SetOp>) -> Value {
        let clears: Vec<_> = log.iter().filter(|event| event.message == SetOp::Clear).collect();
        let rest = log.filter(|event| !clears.iter().any(|clear| event.precedes(*clear)));
        names_in(&rest, |additions, removals| {
            let beaten = |removal: &Event<_>| additions.iter().any(|add| removal.precedes(*add));
            let mut removals = removals.iter().filter(|event| event.message != SetOp::Clear);
            removals.all(|removal| beaten(removal))
        })
    }

    fn parse(&self, operation: &Value) -> Result<SetOp, Refused> {
        SetOp::parse(operation)
    }
}
