//! A replicated type behind a pointer: what looks at types is compiled once, and not once for each of them.
//!
//! The checks of this folder stay generic, for who wants one type at full speed. The commands look at every type of
//! the catalogue, each with every check, and take this.
//!
//! Invariant: an [`Erased`] is given only operations, messages and states that it gave itself.

use std::{
    any::Any,
    fmt::{Debug, Formatter, Result as Written},
};

use crdt::{At, Clock, Event, Log, Op, Refused, Stamp, Value};

/// A replicated type of which nobody knows which one it is.
pub struct Erased<'a>(&'a dyn Kind);

impl<'a> Erased<'a> {
    /// Of `kind`.
    pub fn new<T: Op>(kind: &'a T) -> Self {
        Self(kind)
    }
}

impl Debug for Erased<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        f.debug_struct("Erased").finish_non_exhaustive()
    }
}

/// An operation, a message or a state of some type.
pub struct Term(Box<dyn Inner>);

impl Term {
    fn new(inner: impl Inner) -> Self {
        Self(Box::new(inner))
    }

    fn of<T: 'static>(&self) -> &T {
        let inner: &dyn Any = &*self.0;
        inner.downcast_ref().expect("terms stay with the type that made them")
    }

    fn of_mut<T: 'static>(&mut self) -> &mut T {
        let inner: &mut dyn Any = &mut *self.0;
        inner.downcast_mut().expect("terms stay with the type that made them")
    }
}

impl Clone for Term {
    fn clone(&self) -> Self {
        Self(self.0.copy())
    }
}

impl PartialEq for Term {
    fn eq(&self, other: &Self) -> bool {
        self.0.equals(&*other.0)
    }
}

impl Debug for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        self.0.fmt(f)
    }
}

trait Inner: Any + Debug {
    fn copy(&self) -> Box<dyn Inner>;
    fn equals(&self, other: &dyn Any) -> bool;
}

impl<T: Clone + Debug + PartialEq + 'static> Inner for T {
    fn copy(&self) -> Box<dyn Inner> {
        Box::new(self.clone())
    }

    fn equals(&self, other: &dyn Any) -> bool {
        other.downcast_ref() == Some(self)
    }
}

/// [`Op`], in terms.
trait Kind {
    fn initial(&self) -> Term;
    fn prepare(&self, state: &Term, operation: &Term, stamp: Stamp) -> Result<Term, Refused>;
    fn effect(&self, state: &mut Term, at: At<'_>, message: &Term) -> Result<(), Refused>;
    fn value(&self, state: &Term) -> Value;
    fn forget(&self, state: &mut Term, stable: &Clock);
    fn meaning(&self, log: &Log<'_, Term>) -> Value;
    fn parse(&self, operation: &Value) -> Result<Term, Refused>;
}

impl<T: Op> Kind for T {
    fn initial(&self) -> Term {
        Term::new(Op::initial(self))
    }

    fn prepare(&self, state: &Term, operation: &Term, stamp: Stamp) -> Result<Term, Refused> {
        Op::prepare(self, state.of(), operation.of(), stamp).map(Term::new)
    }

    fn effect(&self, state: &mut Term, at: At<'_>, message: &Term) -> Result<(), Refused> {
        Op::effect(self, state.of_mut(), at, message.of())
    }

    fn value(&self, state: &Term) -> Value {
        Op::value(self, state.of())
    }

    fn forget(&self, state: &mut Term, stable: &Clock) {
        Op::forget(self, state.of_mut(), stable);
    }

    fn meaning(&self, log: &Log<'_, Term>) -> Value {
        let events: Vec<Event<T::Message>> = log
            .iter()
            .map(|event| Event {
                stamp: event.stamp,
                past: event.past.clone(),
                message: event.message.of::<T::Message>().clone(),
            })
            .collect();
        Op::meaning(self, &Log::new(&events))
    }

    fn parse(&self, operation: &Value) -> Result<Term, Refused> {
        Op::parse(self, operation).map(Term::new)
    }
}

impl Op for Erased<'_> {
    type Operation = Term;
    type Message = Term;
    type State = Term;

    fn initial(&self) -> Term {
        self.0.initial()
    }

    fn prepare(&self, state: &Term, operation: &Term, stamp: Stamp) -> Result<Term, Refused> {
        self.0.prepare(state, operation, stamp)
    }

    fn effect(&self, state: &mut Term, at: At<'_>, message: &Term) -> Result<(), Refused> {
        self.0.effect(state, at, message)
    }

    fn value(&self, state: &Term) -> Value {
        self.0.value(state)
    }

    fn forget(&self, state: &mut Term, stable: &Clock) {
        self.0.forget(state, stable);
    }

    fn meaning(&self, log: &Log<'_, Term>) -> Value {
        self.0.meaning(log)
    }

    fn parse(&self, operation: &Value) -> Result<Term, Refused> {
        self.0.parse(operation)
    }
}

#[cfg(test)]
mod tests {
    use crdt::catalogue::Draw;

    use super::*;
    use crate::replicated::{
        laws::of_effects,
        lists::planted::ByReceipt,
        search::{Scope, search},
        to_the_end,
    };

    fn shown<T: Op>(kind: &T) -> (String, String) {
        let propose = |_: &Value, draw: &mut Draw| {
            Value::map([
                ("kind", Value::from("insert")),
                ("index", Value::Int(0)),
                ("value", Value::from(draw.pick(&["a", "b"]))),
            ])
        };
        let scope = Scope::Random { histories: 20, seed: 1 };
        let searched = search(kind, &propose, 2, 3, scope, &mut to_the_end);
        assert!(searched.failure.is_some(), "{searched:?}");
        let tried = of_effects(kind, &propose, (2, 3), (20, 1), &mut to_the_end);
        assert!(tried.broken.is_some(), "{tried:?}");
        (format!("{searched:?}"), format!("{tried:?}"))
    }

    #[test]
    fn what_breaks_a_type_breaks_it_erased_and_reads_the_same() {
        assert_eq!(shown(&Erased::new(&ByReceipt)), shown(&ByReceipt));
    }

    #[test]
    #[should_panic(expected = "terms stay with the type that made them")]
    fn a_term_of_another_type_is_a_broken_belief() {
        Op::value(&Erased::new(&ByReceipt), &Term::new(7u8));
    }
}
