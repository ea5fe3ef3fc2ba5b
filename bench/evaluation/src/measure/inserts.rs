//! What an insert costs at each step of a run: here, from elsewhere, and from another epoch.

use common::Rng;
use sequence::{Operation, Sequence};

use super::{HIGH, LOW, joined};
use crate::{
    bot::State,
    clock::{Clock, Spread},
};

/// Inserts that are timed together, as one of them is shorter than a look at the clock.
const TOGETHER: usize = 25;

/// Nanoseconds an insert, at random places of one state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) step: u32,
    pub(crate) local: Spread,
    pub(crate) remote: Spread,
    /// At a replica that renamed: the insert is of the epoch before.
    pub(crate) previous: Spread,
    /// At a replica that renamed, from one that renamed as well: one epoch back, another one on.
    pub(crate) concurrent: Spread,
}

fn typed(author: &mut Sequence, rng: &mut Rng) -> Vec<Operation> {
    let index = rng.below(author.len() + 1);
    let letter = char::from(b'a' + rng.below(26) as u8);
    let text = letter.encode_utf8(&mut [0; 4]).to_owned();
    let mut draw = |bound| rng.below(bound);
    author.insert(index, &text, &mut draw).expect("the index is in the text, and names are left")
}

/// Inserts of `author` that reach `receiver`: what they cost the one and the other.
fn pair(clock: Clock, mut author: Sequence, mut receiver: Sequence, rounds: usize) -> [Spread; 2] {
    let mut rng = Rng::new(1);
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        let work = || (0..TOGETHER).map(|_| typed(&mut author, &mut rng)).collect::<Vec<_>>();
        let (local, operations) = clock.nanos(work);
        let operations: Vec<Operation> = operations.into_iter().flatten().collect();
        let applied = || operations.iter().all(|operation| receiver.apply(operation).is_ok());
        let (remote, all) = clock.nanos(applied);
        assert!(all, "an honest insert is taken");
        times[0].push(local / TOGETHER as u64);
        times[1].push(remote / TOGETHER as u64);
    }
    times.map(Spread::of)
}

/// The cost at `state`, over so many rounds.
pub(crate) fn cost(clock: Clock, state: &State, rounds: usize) -> Cost {
    let low = || joined(LOW, &state.snapshot);
    let high = || joined(HIGH, &state.snapshot);
    let renamed = |mut replica: Sequence| {
        let operation = replica.rename().expect("a document to rename");
        (replica, operation)
    };
    let [local, remote] = pair(clock, low(), high(), rounds);
    let [_, previous] = pair(clock, low(), renamed(high()).0, rounds);
    let (author, lesser) = renamed(low());
    let (mut receiver, _) = renamed(high());
    receiver.apply(&lesser).expect("an honest rename");
    let [_, concurrent] = pair(clock, author, receiver, rounds);
    Cost { step: state.step, local, remote, previous, concurrent }
}
