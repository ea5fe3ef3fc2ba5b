//! What a rename costs: whoever makes it, and those whom it reaches, at each step of a run.

use sequence::{Operation, Sequence, Writer};

use super::{HIGH, LOW, joined};
use crate::{
    bot::State,
    clock::{Clock, Spread},
    objects::{self, Naming},
};

/// What a rename of one state costs. Times in nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    pub(crate) step: u32,
    pub(crate) chars: u64,
    pub(crate) blocks: u64,
    /// The operation, encoded alone.
    pub(crate) bytes: u64,
    /// The operation in the papers' measure.
    pub(crate) objects: u64,
    pub(crate) local: Spread,
    pub(crate) remote: Spread,
    pub(crate) greater: Spread,
    pub(crate) lesser: Spread,
    /// A copy of the text: the least that anything linear could cost.
    pub(crate) copy: Spread,
}

fn renamed(clock: Clock, replica: &Sequence) -> (u64, Sequence, Operation) {
    let mut replica = replica.clone();
    let (nanos, operation) = clock.nanos(|| replica.rename().expect("a document to rename"));
    (nanos, replica, operation)
}

fn reached(clock: Clock, replica: &mut Sequence, operation: &Operation) -> u64 {
    clock.nanos(|| replica.apply(operation).expect("an honest rename")).0
}

/// The cost at `state`, over so many rounds.
pub(crate) fn cost(clock: Clock, state: &State, rounds: usize) -> Cost {
    let (low, high) = (joined(LOW, &state.snapshot), joined(HIGH, &state.snapshot));
    let text = low.text();
    let operation = renamed(clock, &low).2;
    let mut times: [Vec<u64>; 5] = Default::default();
    for _ in 0..rounds {
        let (local, mut lesser_there, lesser) = renamed(clock, &low);
        let (_, mut greater_there, greater) = renamed(clock, &high);
        let remote = reached(clock, &mut high.clone(), &lesser);
        let up = reached(clock, &mut lesser_there, &greater);
        let kept = reached(clock, &mut greater_there, &lesser);
        let copied = clock.nanos(|| text.clone()).0;
        for (times, nanos) in times.iter_mut().zip([local, remote, up, kept, copied]) {
            times.push(nanos);
        }
    }
    let [local, remote, greater, lesser, copy] = times.map(Spread::of);
    let bytes = Writer::default().write(std::slice::from_ref(&operation));
    Cost {
        step: state.step,
        chars: low.len(),
        blocks: low.blocks() as u64,
        bytes: bytes.expect("a replica makes none that no message can hold").len() as u64,
        objects: objects::operation(&operation, Naming::Renamable),
        local,
        remote,
        greater,
        lesser,
        copy,
    }
}
