//! Types as they are got wrong, each in a way of its own: what checkers must find. For tests of checkers alone.

use super::{ObservedReset, Registers, ResetOp, Reversible, Unique, UniqueOp};
use crate::{
    At, Clock, Event, Log, Op, Product, Refused, Semidirect, Stamp, Value,
    product::{Frame, Framed, Kept},
};

/// A way to get one type wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeBug {
    /// An insertion into a list that is turned round does not say so.
    FrameIgnored,
    /// Of an observed reset: operations discard what they saw, in place of resets.
    DiscardsSwapped,
    /// A for-each for what was there before reaches concurrent creations.
    PriorReachesAll,
    /// What a dynamic action goes by is recorded of all that a replica has, not of what the message saw.
    RecordsAll,
}

impl TypeBug {
    /// Every bug, by name, and the type that has it.
    pub const ALL: [(&'static str, &'static str, Self); 4] = [
        ("frame-ignored", "list_reverse", Self::FrameIgnored),
        ("discards-swapped", "int_register_resets", Self::DiscardsSwapped),
        ("prior-reaches-all", "unique_set_foreach", Self::PriorReachesAll),
        ("records-all", "poll", Self::RecordsAll),
    ];
}

/// A list whose insertions do not say which way round their origin sees it.
#[derive(Clone, Copy, Debug)]
pub struct FrameIgnored;

/// What travels, and what was meant by it, for the judge.
#[derive(Clone, Debug, PartialEq)]
pub struct Meant<M> {
    meant: M,
    sent: M,
}

impl Op for FrameIgnored {
    type Operation = <Reversible as Semidirect>::Operation;
    type Message = Meant<<Reversible as Semidirect>::Message>;
    type State = Kept<<Reversible as Semidirect>::State, bool>;

    fn initial(&self) -> Self::State {
        Frame(Reversible).initial()
    }

    fn prepare(
        &self,
        state: &Self::State,
        operation: &Self::Operation,
        stamp: Stamp,
    ) -> Result<Self::Message, Refused> {
        let seen = Reversible.through(state.frame, &state.state);
        let meant = Reversible.prepare(&seen, operation, stamp)?;
        Ok(Meant { sent: meant.clone(), meant })
    }

    fn effect(
        &self,
        state: &mut Self::State,
        at: At<'_>,
        message: &Self::Message,
    ) -> Result<(), Refused> {
        Frame(Reversible).effect(state, at, &message.sent)
    }

    fn value(&self, state: &Self::State) -> Value {
        Frame(Reversible).value(state)
    }

    fn forget(&self, _: &mut Self::State, _: &Clock) {}

    fn meaning(&self, log: &Log<'_, Self::Message>) -> Value {
        let meant = log.iter().map(|event| {
            let message = event.message.meant.clone();
            Event { stamp: event.stamp, past: event.past.clone(), message }
        });
        Product(Reversible).meaning(&Log::new(&meant.collect::<Vec<_>>()))
    }

    fn parse(&self, operation: &Value) -> Result<Self::Operation, Refused> {
        Reversible.parse(operation)
    }
}

/// An observed reset that keeps what it saw, and operations that discard what they saw.
#[derive(Clone, Debug)]
pub struct DiscardsSwapped<T>(pub ObservedReset<T>);

impl<T: Op> Op for DiscardsSwapped<T> {
    type Operation = ResetOp<T::Operation>;
    type Message = ResetOp<T::Message>;
    type State = (T::State, Vec<Event<T::Message>>);

    fn initial(&self) -> Self::State {
        (self.0.inner.initial(), Vec::new())
    }

    fn prepare(
        &self,
        (state, _): &Self::State,
        operation: &Self::Operation,
        stamp: Stamp,
    ) -> Result<Self::Message, Refused> {
        match operation {
            ResetOp::Inner(operation) => {
                Ok(ResetOp::Inner(self.0.inner.prepare(state, operation, stamp)?))
            }
            ResetOp::Reset => Ok(ResetOp::Reset),
        }
    }

    fn effect(
        &self,
        (state, unseen): &mut Self::State,
        at: At<'_>,
        message: &Self::Message,
    ) -> Result<(), Refused> {
        match message {
            ResetOp::Inner(message) => {
                self.0.inner.effect(state, at, message)?;
                unseen.retain(|event| !at.past.covers(event.stamp.dot));
                let place = unseen.partition_point(|event| event.stamp < at.stamp);
                let event =
                    Event { stamp: at.stamp, past: at.past.clone(), message: message.clone() };
                unseen.insert(place, event);
            }
            ResetOp::Reset => {
                *state = self.0.after.initial();
                for event in unseen.iter().filter(|event| !at.past.covers(event.stamp.dot)) {
                    self.0.after.effect(state, event.at(), &event.message)?;
                }
            }
        }
        Ok(())
    }

    fn value(&self, (state, _): &Self::State) -> Value {
        self.0.inner.value(state)
    }

    fn forget(&self, (_, unseen): &mut Self::State, stable: &Clock) {
        unseen.retain(|event| !stable.covers(event.stamp.dot));
    }

    fn meaning(&self, log: &Log<'_, Self::Message>) -> Value {
        self.0.meaning(log)
    }

    fn parse(&self, operation: &Value) -> Result<Self::Operation, Refused> {
        self.0.parse(operation)
    }
}

/// A unique set whose for-each for what was there before is one for all.
#[derive(Clone, Copy, Debug)]
pub struct PriorReachesAll;

impl Op for PriorReachesAll {
    type Operation = UniqueOp;
    type Message = UniqueOp;
    type State = Registers;

    fn initial(&self) -> Registers {
        Unique.initial()
    }

    fn prepare(
        &self,
        state: &Registers,
        operation: &UniqueOp,
        stamp: Stamp,
    ) -> Result<UniqueOp, Refused> {
        Unique.prepare(state, operation, stamp)
    }

    fn effect(&self, state: &mut Registers, at: At<'_>, message: &UniqueOp) -> Result<(), Refused> {
        let message = match message {
            UniqueOp::ForEachPrior(operation) => UniqueOp::ForEach(*operation),
            message => *message,
        };
        Unique.effect(state, at, &message)
    }

    fn value(&self, state: &Registers) -> Value {
        Unique.value(state)
    }

    fn forget(&self, state: &mut Registers, stable: &Clock) {
        Unique.forget(state, stable);
    }

    fn meaning(&self, log: &Log<'_, UniqueOp>) -> Value {
        Unique.meaning(log)
    }

    fn parse(&self, operation: &Value) -> Result<UniqueOp, Refused> {
        Unique.parse(operation)
    }
}
