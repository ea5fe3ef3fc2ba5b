//! The whole log of a run, into a replica that was never there.

use experiment::{End, Outcome, Spread};
use sequence::{Operation, Options, Sequence};

use super::HIGH;
use crate::clock::Clock;

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

/// After so many operations, so much time since the start.
type Course = Vec<(u64, u64)>;

/// Replays of one log.
#[derive(Debug, Default)]
pub(crate) struct Timed {
    courses: Vec<Course>,
    /// One by one: of inserts, of removals, of renames.
    times: [Vec<u64>; 3],
}

fn fresh() -> Sequence {
    Sequence::new(HIGH, Options::default()).expect("a small number above 0")
}

/// The course of one replay, and where it ended.
fn course(clock: Clock, operations: &[&Operation]) -> Result<(Course, Sequence), String> {
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

impl Timed {
    /// Replays what the first bot of `outcome` delivered: as a whole, and one by one.
    ///
    /// Errors: the replica that took the log in does not end as the bots did.
    pub(crate) fn round(&mut self, clock: Clock, outcome: &Outcome) -> Result<(), String> {
        let operations: Vec<&Operation> = outcome.operations().collect();
        let (course, replica) = course(clock, &operations)?;
        let (text, epoch) = (replica.text(), replica.epoch());
        if (End { text, epoch, intervals: replica.intervals() }) != outcome.end {
            return Err("a replica that took the log in ends unlike the bots".to_owned());
        }
        self.courses.push(course);
        let mut replica = fresh();
        for operation in operations {
            let (nanos, done) = clock.nanos(|| replica.apply(operation));
            done.map_err(|why| format!("replayed: {why}"))?;
            let kind = match operation {
                Operation::Insert { .. } => 0,
                Operation::Remove { .. } => 1,
                Operation::Rename { .. } => 2,
            };
            self.times[kind].push(nanos);
        }
        Ok(())
    }

    /// What it came to; `None` before the first round.
    pub(crate) fn cost(mut self) -> Option<Cost> {
        self.courses.sort_by_key(|course| course.last().map(|(_, nanos)| *nanos));
        let middle = self.courses.len() / 2;
        let course = self.courses.into_iter().nth(middle)?;
        let [inserts, removals, renames] = self.times.map(Spread::of);
        Some(Cost { course, inserts, removals, renames })
    }
}
