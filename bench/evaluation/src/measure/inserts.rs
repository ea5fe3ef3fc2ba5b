//! What an insert costs at each step of a run: here, from elsewhere, and from another epoch.

use experiment::{Rng, Spread, State};
use sequence::{Few, Operation, Sequence};

use super::{HIGH, LOW, joined};
use crate::clock::Clock;

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

/// A replica that types, and one that hears of it.
#[derive(Debug)]
struct Pair {
    author: Sequence,
    receiver: Sequence,
    rng: Rng,
    local: Vec<u64>,
    remote: Vec<u64>,
}

/// A state on which inserts are timed.
#[derive(Debug)]
pub(crate) struct Timed {
    step: u32,
    same: Pair,
    previous: Pair,
    concurrent: Pair,
}

fn typed(author: &mut Sequence, rng: &mut Rng) -> Few<Operation> {
    let index = rng.below(author.len() + 1);
    let letter = char::from(b'a' + rng.below(26) as u8);
    let text = letter.encode_utf8(&mut [0; 4]).to_owned();
    let mut draw = |bound| rng.below(bound);
    author.insert(index, &text, &mut draw).expect("the index is in the text, and names are left")
}

impl Pair {
    fn new(author: Sequence, receiver: Sequence) -> Self {
        Self { author, receiver, rng: Rng::new(1), local: Vec::new(), remote: Vec::new() }
    }

    /// Times some inserts, here and there: after as many that are not timed, as whoever was at work before
    /// left another replica in the caches.
    fn round(&mut self, clock: Clock) {
        self.batch(clock);
        let (local, remote) = self.batch(clock);
        self.local.push(local / TOGETHER as u64);
        self.remote.push(remote / TOGETHER as u64);
    }

    /// Nanoseconds of some inserts, here and there.
    fn batch(&mut self, clock: Clock) -> (u64, u64) {
        let Self { author, receiver, rng, .. } = self;
        let work = || (0..TOGETHER).map(|_| typed(author, rng)).collect::<Vec<_>>();
        let (local, operations) = clock.nanos(work);
        let operations: Vec<Operation> = operations.into_iter().flatten().collect();
        let applied = || operations.iter().all(|operation| receiver.apply(operation).is_ok());
        let (remote, all) = clock.nanos(applied);
        assert!(all, "an honest insert is taken");
        (local, remote)
    }
}

fn renamed(mut replica: Sequence) -> (Sequence, Operation) {
    let operation = replica.rename().expect("a document to rename");
    (replica, operation)
}

impl Timed {
    pub(crate) fn new(state: &State) -> Self {
        let low = || joined(LOW, &state.snapshot);
        let high = || joined(HIGH, &state.snapshot);
        let (author, lesser) = renamed(low());
        let (mut receiver, _) = renamed(high());
        receiver.apply(&lesser).expect("an honest rename");
        Self {
            step: state.step,
            same: Pair::new(low(), high()),
            previous: Pair::new(low(), renamed(high()).0),
            concurrent: Pair::new(author, receiver),
        }
    }

    /// Times some inserts of each kind.
    pub(crate) fn round(&mut self, clock: Clock) {
        for pair in [&mut self.same, &mut self.previous, &mut self.concurrent] {
            pair.round(clock);
        }
    }

    pub(crate) fn cost(self) -> Cost {
        Cost {
            step: self.step,
            local: Spread::of(self.same.local),
            remote: Spread::of(self.same.remote),
            previous: Spread::of(self.previous.remote),
            concurrent: Spread::of(self.concurrent.remote),
        }
    }
}
