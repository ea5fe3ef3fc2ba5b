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
struct Element {
    start: i64,
    /// `None`: deleted. The name stays known, as operations on it may be under way.
    register: Option<Acting<i64, RegisterOp>>,
}

/// The state of a [`Unique`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registers {
    elements: BTreeMap<Dot, Element>,
    /// For-eaches that creations may come concurrently to, causes first.
    history: Vec<Event<RegisterOp>>,
}

fn product(start: i64) -> Product<Register> {
    Product(Register { start })
}

impl Element {
    fn change(&mut self, at: At<'_>, operation: &RegisterOp) -> Result<(), Refused> {
        match &mut self.register {
            Some(register) => product(self.start).effect(register, at, operation),
            None => Ok(()),
        }
    }
}

impl Registers {
    fn element(&mut self, name: Dot) -> Result<&mut Element, Refused> {
        self.elements.get_mut(&name).ok_or_else(|| Refused::NoElement(name.to_string()))
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
                if state.elements.get(name).is_none_or(|element| element.register.is_none()) =>
            {
                Err(Refused::NoElement(name.to_string()))
            }
            _ => Ok(*operation),
        }
    }

    fn effect(&self, state: &mut Registers, at: At<'_>, message: &UniqueOp) -> Result<(), Refused> {
        match message {
            Create(start) => {
                let register = Some(product(*start).initial());
                let mut element = Element { start: *start, register };
                let concurrent = |event: &&Event<_>| !at.past.covers(event.stamp.dot);
                for event in state.history.iter().filter(concurrent) {
                    element.change(event.at(), &event.message)?;
                }
                state.elements.insert(at.stamp.dot, element);
            }
            Change(name, operation) => state.element(*name)?.change(at, operation)?,
            Delete(name) => state.element(*name)?.register = None,
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
        let shown = state.elements.iter().filter_map(|(name, element)| {
            Some((name.to_string(), Value::from(element.register.as_ref()?.state)))
        });
        Value::map(shown)
    }

    fn forget(&self, state: &mut Registers, stable: &Clock) {
        state.history.retain(|event| !stable.covers(event.stamp.dot));
        for element in state.elements.values_mut() {
            if let Some(register) = &mut element.register {
                product(element.start).forget(register, stable);
            }
        }
    }

    fn meaning(&self, log: &Log<'_, UniqueOp>) -> Value {
        let mut found = BTreeMap::new();
        for created in log.iter() {
            let (name, Create(start)) = (created.stamp.dot, created.message) else { continue };
            if log.iter().any(|event| event.message == Delete(name)) {
                continue;
            }
            let reaching = log.iter().filter_map(|event| {
                let operation = match event.message {
                    Change(of, operation) if of == name => operation,
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
