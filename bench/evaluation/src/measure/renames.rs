//! What a rename costs: whoever makes it, and those whom it reaches, at each step of a run.

use experiment::{Spread, State};
use sequence::{Operation, Sequence};

use super::{HIGH, LOW, joined};
use crate::clock::Clock;

/// What a rename of one state costs. Times in nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    pub(crate) step: u32,
    pub(crate) local: Spread,
    pub(crate) remote: Spread,
    pub(crate) greater: Spread,
    pub(crate) lesser: Spread,
    /// A copy of the text: the least that anything linear could cost.
    pub(crate) copy: Spread,
}

/// A state on which renames are timed.
#[derive(Debug)]
pub(crate) struct Timed {
    step: u32,
    low: Sequence,
    high: Sequence,
    text: String,
    /// Of each figure of [`Cost`], in their order.
    times: [Vec<u64>; 5],
}

fn renamed(clock: Clock, replica: &Sequence) -> (u64, Sequence, Operation) {
    let mut replica = replica.clone();
    let (nanos, operation) = clock.nanos(|| replica.rename().expect("a document to rename"));
    (nanos, replica, operation)
}

fn reached(clock: Clock, replica: &mut Sequence, operation: &Operation) -> u64 {
    clock.nanos(|| replica.apply(operation).expect("an honest rename")).0
}

impl Timed {
    pub(crate) fn new(state: &State) -> Self {
        let (low, high) = (joined(LOW, &state.snapshot), joined(HIGH, &state.snapshot));
        Self { step: state.step, text: low.text(), low, high, times: Default::default() }
    }

    /// Times each kind of rename once.
    pub(crate) fn round(&mut self, clock: Clock) {
        let (local, mut lesser_there, lesser) = renamed(clock, &self.low);
        let (_, mut greater_there, greater) = renamed(clock, &self.high);
        let remote = reached(clock, &mut self.high.clone(), &lesser);
        let up = reached(clock, &mut lesser_there, &greater);
        let kept = reached(clock, &mut greater_there, &lesser);
        let copied = clock.nanos(|| self.text.clone()).0;
        for (times, nanos) in self.times.iter_mut().zip([local, remote, up, kept, copied]) {
            times.push(nanos);
        }
    }

    pub(crate) fn cost(self) -> Cost {
        let [local, remote, greater, lesser, copy] = self.times.map(Spread::of);
        Cost { step: self.step, local, remote, greater, lesser, copy }
    }
}
