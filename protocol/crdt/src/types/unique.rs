//! A set of registers that are named by the operation that created them, and operations for each of them.
//!
//! A for-each reaches what was created before it and what is created concurrently: creations go before
//! concurrent for-eaches, with the for-each's own stamp. A prior for-each reaches only what it saw. Inside
//! a register additions go before concurrent multiplications. Deletion is for ever.
//! Source: Weidner et al., "For-Each Operations in Collaborative Apps" (2023).

use std::collections::BTreeMap;

use super::{Register, RegisterOp};
use crate::{
    At, Clock, Dot, Event, Log, Op, Product, Refused, Stamp, Value, op::Reader, product::Acting,
};

/// A set of registers.
#[derive(Clone, Copy, Debug)]
pub struct Unique;

/// What is done to a [`Unique`]: operation and message alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UniqueOp {
    /// Creates a register that starts so; the operation's dot names it.
    Create(i64),
    /// Does this to one register.
    Change(Dot, RegisterOp),
    /// Deletes a register.
    Delete(Dot),
    /// Does this to every register that was not created later.
    ForEach(RegisterOp),
    /// Does this to every register that was created before.
    ForEachPrior(RegisterOp),
}

use UniqueOp::{Change, Create, Delete, ForEach, ForEachPrior};

/// A register of a [`Unique`].
#[derive(Clone, Debug, PartialEq)]
pub enum Element {
    /// It is there.
    Alive {
        /// What it started with.
        start: i64,
        /// What was made of it.
        register: Acting<i64, RegisterOp>,
    },
    /// It was deleted; this is the first deletion. The name stays known as long as others may name it.
    Deleted(Stamp),
}

/// The state of a [`Unique`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registers {
    /// By name.
    pub elements: BTreeMap<Dot, Element>,
    /// For-eaches that creations may come concurrently to, causes first.
    history: Vec<Event<RegisterOp>>,
}

fn product(start: i64) -> Product<Register> {
    Product(Register { start })
}

impl Element {
    fn change(&mut self, at: At<'_>, operation: &RegisterOp) -> Result<(), Refused> {
        match self {
            Self::Alive { start, register } => product(*start).effect(register, at, operation),
            Self::Deleted(_) => Ok(()),
        }
    }

    fn delete(&mut self, by: Stamp) {
        *self = Self::Deleted(if let Self::Deleted(first) = *self { first.min(by) } else { by });
    }
}

impl Registers {
    /// The registers with this history, which is in order of stamps.
    ///
    /// Errors: [`Refused::Unknown`] where it is not.
    pub fn restored(
        elements: BTreeMap<Dot, Element>,
        history: Vec<Event<RegisterOp>>,
    ) -> Result<Self, Refused> {
        if !history.is_sorted_by(|a, b| a.stamp < b.stamp) {
            let found = format!("{history:?}");
            return Err(Refused::Unknown { expected: "history in order of stamps", found });
        }
        Ok(Self { elements, history })
    }

    /// For-eaches that creations may come concurrently to, causes first.
    pub fn history(&self) -> &[Event<RegisterOp>] {
        &self.history
    }

    /// What `at` follows and names. Who names what is not in its past makes that up.
    fn element(&mut self, at: At<'_>, name: Dot) -> Result<&mut Element, Refused> {
        let element = self.elements.get_mut(&name).filter(|_| at.past.covers(name));
        element.ok_or_else(|| Refused::NoElement(name.to_string()))
    }
}

impl Op for Unique {
    type Operation = UniqueOp;
    type Message = UniqueOp;
    type State = Registers;

    fn initial(&self) -> Registers {
        Registers::default()
    }

    fn prepare(
        &self,
        state: &Registers,
        operation: &UniqueOp,
        _: Stamp,
    ) -> Result<UniqueOp, Refused> {
        match operation {
            Change(name, _) | Delete(name)
                if !matches!(state.elements.get(name), Some(Element::Alive { .. })) =>
            {
                Err(Refused::NoElement(name.to_string()))
            }
            _ => Ok(*operation),
        }
    }

    fn effect(&self, state: &mut Registers, at: At<'_>, message: &UniqueOp) -> Result<(), Refused> {
        match message {
            Create(start) => {
                let register = product(*start).initial();
                let mut element = Element::Alive { start: *start, register };
                let concurrent = |event: &&Event<_>| !at.past.covers(event.stamp.dot);
                for event in state.history.iter().filter(concurrent) {
                    element.change(event.at(), &event.message)?;
                }
                state.elements.insert(at.stamp.dot, element);
            }
            Change(name, operation) => state.element(at, *name)?.change(at, operation)?,
            Delete(name) => state.element(at, *name)?.delete(at.stamp),
            ForEach(operation) => {
                for element in state.elements.values_mut() {
                    element.change(at, operation)?;
                }
                let place = state.history.partition_point(|event| event.stamp < at.stamp);
                let event = Event { stamp: at.stamp, past: at.past.clone(), message: *operation };
                state.history.insert(place, event);
            }
            ForEachPrior(operation) => {
                let seen = state.elements.iter_mut().filter(|(name, _)| at.past.covers(**name));
                for (_, element) in seen {
                    element.change(at, operation)?;
                }
            }
        }
        Ok(())
    }

    fn value(&self, state: &Registers) -> Value {
        let shown = state.elements.iter().filter_map(|(name, element)| match element {
            Element::Alive { register, .. } => {
                Some((name.to_string(), Value::from(register.state)))
            }
            Element::Deleted(_) => None,
        });
        Value::map(shown)
    }

    fn forget(&self, state: &mut Registers, stable: &Clock) {
        state.history.retain(|event| !stable.covers(event.stamp.dot));
        state.elements.retain(|_, element| match element {
            Element::Alive { start, register } => {
                product(*start).forget(register, stable);
                true
            }
            Element::Deleted(first) => !stable.covers(first.dot),
        });
    }

    fn meaning(&self, log: &Log<'_, UniqueOp>) -> Value {
        let mut found = BTreeMap::new();
        for created in log.iter() {
            let (name, Create(start)) = (created.stamp.dot, created.message) else { continue };
            let deletes =
                |event: &Event<_>| event.message == Delete(name) && created.precedes(event);
            if log.iter().any(deletes) {
                continue;
            }
            let reaching = log.iter().filter_map(|event| {
                let operation = match event.message {
                    Change(of, operation) if of == name && created.precedes(event) => operation,
                    ForEach(operation) if !event.precedes(created) => operation,
                    ForEachPrior(operation) if created.precedes(event) => operation,
                    _ => return None,
                };
                Some(Event { stamp: event.stamp, past: event.past.clone(), message: operation })
            });
            let reaching: Vec<_> = reaching.collect();
            found.insert(name.to_string(), product(start).meaning(&Log::new(&reaching)));
        }
        Value::Map(found)
    }

    fn parse(&self, operation: &Value) -> Result<UniqueOp, Refused> {
        let read = Reader(operation);
        let name = || {
            let text = read.text("elem")?;
            text.parse().map_err(|_| Refused::NoElement(text))
        };
        let each = || match read.text("op")?.as_str() {
            "add" => Ok(RegisterOp::Add(read.int("arg")?)),
            "mult" => Ok(RegisterOp::Multiply(read.int("arg")?)),
            _ => read.unknown("an `op` of `add` or `mult`"),
        };
        match read.kind() {
            "create" => Ok(Create(read.int("arg")?)),
            "elem_add" => Ok(Change(name()?, RegisterOp::Add(read.int("arg")?))),
            "elem_mult" => Ok(Change(name()?, RegisterOp::Multiply(read.int("arg")?))),
            "delete" => Ok(Delete(name()?)),
            "for_each" => Ok(ForEach(each()?)),
            "for_each_prior" => Ok(ForEachPrior(each()?)),
            _ => read.unknown("an operation `create`, `elem_add`, `delete` or `for_each`"),
        }
    }
}
