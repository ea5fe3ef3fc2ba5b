//! Semidirect products of two classes by sums: logarithmic in the concurrent history.
//!
//! Where the acting class commutes and `y ▷ (y' ▷ x) = (y · y') ▷ x` (law L5), what acts on a message is one
//! number: the sum of what is concurrent to it. Of each origin that is a suffix, as causal delivery makes the
//! rest a prefix, and a suffix is a difference of two running sums.

use std::collections::BTreeMap;

use super::Semidirect;
use crate::{At, Clock, Log, Op, Origin, Refused, Stamp, Value};

/// A semidirect product of two classes whose greater one adds up.
pub trait Folding: Semidirect {
    /// What messages of class 1 add up to.
    type Sum: Copy + std::fmt::Debug + PartialEq + 'static;

    /// Of no message.
    fn nothing(&self) -> Self::Sum;

    /// `sum` and `message`, which is of class 1.
    fn plus(&self, sum: Self::Sum, message: &Self::Message) -> Self::Sum;

    /// What must be added to `part` to give `whole`, where `part` is a part of it.
    fn difference(&self, whole: Self::Sum, part: Self::Sum) -> Self::Sum;

    /// What is left of `x`, of class 0, beside all that `sum` is the sum of.
    fn act_all(&self, sum: Self::Sum, x: Self::Message) -> Self::Message;
}

/// A semidirect product by running sums.
#[derive(Clone, Debug)]
pub struct Aggregate<T>(pub T);

/// A state, and by origin the running sums of what may still act on concurrent messages.
#[derive(Clone, Debug, PartialEq)]
pub struct Summed<S, F> {
    /// What the messages have made of it.
    pub state: S,
    sums: BTreeMap<Origin, Sums<F>>,
}

/// The messages of class 1 of one origin.
#[derive(Clone, Debug, PartialEq)]
struct Sums<F> {
    /// The sum up to what was forgotten.
    before: F,
    /// By number: the sum up to it.
    running: Vec<(u32, F)>,
}

impl<F: Copy> Sums<F> {
    fn last(&self) -> F {
        self.running.last().map_or(self.before, |(_, sum)| *sum)
    }

    /// The sum up to the message `seq`, and how many are in it.
    fn up_to(&self, seq: u32) -> (F, usize) {
        let count = self.running.partition_point(|(at, _)| *at <= seq);
        (count.checked_sub(1).map_or(self.before, |at| self.running[at].1), count)
    }
}

impl<T: Folding> Op for Aggregate<T> {
    type Operation = T::Operation;
    type Message = T::Message;
    type State = Summed<T::State, T::Sum>;

    fn initial(&self) -> Self::State {
        assert_eq!(T::CLASSES, 2, "sums act on one class");
        Summed { state: self.0.initial(), sums: BTreeMap::new() }
    }

    fn prepare(
        &self,
        state: &Self::State,
        operation: &T::Operation,
        stamp: Stamp,
    ) -> Result<T::Message, Refused> {
        self.0.prepare(&state.state, operation, stamp)
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
            let mut left = message.clone();
            for (origin, sums) in &state.sums {
                let (seen, count) = sums.up_to(at.past.get(*origin));
                if count < sums.running.len() {
                    left = self.0.act_all(self.0.difference(sums.last(), seen), left);
                }
            }
            self.0.apply(&mut state.state, at.stamp, &left);
        } else {
            self.0.apply(&mut state.state, at.stamp, message);
            let nothing = || Sums { before: self.0.nothing(), running: Vec::new() };
            let sums = state.sums.entry(at.stamp.dot.origin).or_insert_with(nothing);
            sums.running.push((at.stamp.dot.seq, self.0.plus(sums.last(), message)));
        }
        Ok(())
    }

    fn value(&self, state: &Self::State) -> Value {
        self.0.value(&state.state)
    }

    fn forget(&self, state: &mut Self::State, stable: &Clock) {
        state.sums.retain(|origin, sums| {
            let (before, count) = sums.up_to(stable.get(*origin));
            sums.before = before;
            sums.running.drain(..count);
            !sums.running.is_empty()
        });
    }

    fn meaning(&self, log: &Log<'_, T::Message>) -> Value {
        super::closed_form(&self.0, log)
    }

    fn parse(&self, operation: &Value) -> Result<T::Operation, Refused> {
        self.0.parse(operation)
    }
}
