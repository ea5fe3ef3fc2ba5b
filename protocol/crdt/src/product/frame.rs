//! Semidirect products whose acting messages can be undone: no history and no clocks.
//!
//! Where what acts makes up a group, the state is kept in the *frame* in which it began, and beside it the
//! element `T` of the group that all acting messages come to. What is seen is `T · state`. A message travels in
//! terms of that first frame, `T⁻¹ ▷ x` with the `T` of its origin; taken in, it commutes with every other one.
//! For the normal form of `x` is `T T₀⁻¹ ▷ x`, with the `T₀` that its origin had seen: what is not before it.
//! Source: the paper's construction for groups; semidirect products of groups gave the name.

use std::fmt::Debug;

use super::{Semidirect, closed_form};
use crate::{At, Clock, Event, Log, Op, Refused, Stamp, Value};

/// A semidirect product whose messages of class 1 and up make up a group.
///
/// Laws, for frames `f`, messages `x` and acting messages `y` in terms of the first frame: `1 ▷ x = x`; `f⁻¹ ▷
/// (f ▷ x) = x`; [`Framed::turned`] commutes; `f · x(s) = (f ▷ x)(f · s)` and `(f turned by y) · s = (f ▷ y)(f · s)`.
pub trait Framed: Semidirect {
    /// An element of the group.
    type Frame: Copy + Debug + PartialEq + 'static;

    /// What no message comes to.
    fn identity(&self) -> Self::Frame;

    /// What undoes `frame`.
    fn inverse(&self, frame: Self::Frame) -> Self::Frame;

    /// What `frame` and an acting message, in terms of the first frame, come to.
    fn turned(&self, frame: Self::Frame, message: &Self::Message) -> Self::Frame;

    /// `frame ▷ message`: what the message is in terms of what is seen. An acting one is acted on by
    /// greater classes alone.
    fn act_by(&self, frame: Self::Frame, message: Self::Message) -> Self::Message;

    /// `frame · state`: what is seen of the state.
    fn through(&self, frame: Self::Frame, state: &Self::State) -> Self::State;

    /// What `operation` of a user who sees `frame · state` is, in terms of the first frame. Where this can be
    /// had for less than all of what is seen, a type says how.
    ///
    /// Errors: as [`Op::prepare`].
    fn prepare_in(
        &self,
        frame: Self::Frame,
        state: &Self::State,
        operation: &Self::Operation,
        stamp: Stamp,
    ) -> Result<Self::Message, Refused> {
        let message = self.prepare(&self.through(frame, state), operation, stamp)?;
        Ok(self.act_by(self.inverse(frame), message))
    }
}

/// A semidirect product by its frame: constant in the history, which it does not have.
#[derive(Clone, Debug)]
pub struct Frame<T>(pub T);

/// A state as it would be had nothing acted, and what all that acted comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept<S, F> {
    /// In terms of the first frame.
    pub state: S,
    /// What it is seen through.
    pub frame: F,
}

impl<T: Framed> Frame<T> {
    /// The messages of `log` as their origins meant them, which travel in other terms.
    fn meant(&self, log: &Log<'_, T::Message>) -> Vec<Event<T::Message>> {
        let meant = log.iter().map(|event| {
            let before = log
                .iter()
                .filter(|other| other.precedes(event) && self.0.class(&other.message) > 0);
            let frame =
                before.fold(self.0.identity(), |frame, other| self.0.turned(frame, &other.message));
            let message = self.0.act_by(frame, event.message.clone());
            Event { stamp: event.stamp, past: event.past.clone(), message }
        });
        meant.collect()
    }
}

impl<T: Framed> Op for Frame<T> {
    type Operation = T::Operation;
    type Message = T::Message;
    type State = Kept<T::State, T::Frame>;

    fn initial(&self) -> Self::State {
        Kept { state: self.0.initial(), frame: self.0.identity() }
    }

    fn prepare(
        &self,
        state: &Self::State,
        operation: &T::Operation,
        stamp: Stamp,
    ) -> Result<T::Message, Refused> {
        self.0.prepare_in(state.frame, &state.state, operation, stamp)
    }

    fn effect(
        &self,
        state: &mut Self::State,
        at: At<'_>,
        message: &T::Message,
    ) -> Result<(), Refused> {
        self.0.admit(&state.state, message)?;
        self.0.owns(at.stamp, message)?;
        if self.0.class(message) == 0 {
            self.0.apply(&mut state.state, at.stamp, message);
        } else {
            state.frame = self.0.turned(state.frame, message);
        }
        Ok(())
    }

    fn value(&self, state: &Self::State) -> Value {
        self.0.value(&self.0.through(state.frame, &state.state))
    }

    fn forget(&self, _: &mut Self::State, _: &Clock) {}

    fn meaning(&self, log: &Log<'_, T::Message>) -> Value {
        closed_form(&self.0, &Log::new(&self.meant(log)))
    }

    fn parse(&self, operation: &Value) -> Result<T::Operation, Refused> {
        self.0.parse(operation)
    }
}
