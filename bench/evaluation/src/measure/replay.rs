//! The whole log of a run, into a replica that was never there.

use sequence::{Operation, Options, Sequence};

use super::HIGH;
use crate::{
    clock::{Clock, Spread},
    fleet::{End, Outcome},
};

/// Operations between two looks at the clock.
const STRIDE: usize = 2_500;

/// What the replay of a log costs, in nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    /// After so many operations, so much time since the start: of the median replay.
    pub(crate) course: Vec<(u64, u64)>,
    /// One by one, by kind.
    pub(crate) inserts: Spread,
    pub(crate) removals: Spread,
    pub(crate) renames: Spread,
}

impl Cost {
    pub(crate) fn total(&self) -> u64 {
        self.course.last().map_or(0, |(_, nanos)| *nanos)
    }
}

fn fresh() -> Sequence {
    Sequence::new(HIGH, Options::default()).expect("a small number above 0")
}

/// The course of one replay, and where it ended.
fn course(clock: Clock, operations: &[&Operation]) -> Result<(Vec<(u64, u64)>, Sequence), String> {
    let mut replica = fresh();
    let (mut course, mut total, mut count) = (vec![(0, 0)], 0, 0);
    for stride in operations.chunks(STRIDE) {
        let apply = || stride.iter().try_for_each(|one| replica.apply(one).map(|_| ()));
        let (nanos, done) = clock.nanos(apply);
        done.map_err(|why| format!("replayed: {why}"))?;
        (total, count) = (total + nanos, count + stride.len() as u64);
        course.push((count, total));
    }
    Ok((course, replica))
}

/// The cost of replaying what the first bot of `outcome` delivered.
///
/// Errors: the replica that took the log in does not end as the bots did.
pub(crate) fn cost(clock: Clock, outcome: &Outcome, rounds: usize) -> Result<Cost, String> {
    let operations: Vec<&Operation> = outcome.operations().collect();
    let mut courses = Vec::new();
    for _ in 0..rounds.max(1) {
        let (course, replica) = course(clock, &operations)?;
        let (text, epoch) = (replica.text(), replica.epoch());
        let end = End { text, epoch, intervals: replica.intervals() };
        if end != outcome.end {
            return Err("a replica that took the log in ends unlike the bots".to_owned());
        }
        courses.push(course);
    }
    courses.sort_by_key(|course| course.last().map(|(_, nanos)| *nanos));
    let mut replica = fresh();
    let mut times: [Vec<u64>; 3] = Default::default();
    for operation in operations {
        let (nanos, _) = clock.nanos(|| replica.apply(operation));
        let kind = match operation {
            Operation::Insert { .. } => 0,
            Operation::Remove { .. } => 1,
            Operation::Rename { .. } => 2,
        };
        times[kind].push(nanos);
    }
    let [inserts, removals, renames] = times.map(Spread::of);
    Ok(Cost { course: courses.swap_remove(courses.len() / 2), inserts, removals, renames })
}
