//! The jobs of a plan, by number.

use results::Plan;

/// One run to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Which scenario of the plan.
    pub scenario: usize,
    /// Which cell, counted over all scenarios of the plan.
    pub cell: usize,
    /// The seed.
    pub seed: u64,
}

/// The jobs of a plan. See [`Plan`] for their order.
#[derive(Clone, Debug)]
pub struct Jobs {
    /// Seeds that once failed, and recorded runs.
    regress: Vec<Job>,
    /// Scenario and cell of those that take every seed of the range.
    cells: Vec<(usize, usize)>,
    /// By scenario: seeds that once failed, which the range leaves out.
    known: Vec<Vec<u64>>,
    first: u64,
    count: u64,
}

/// A plan has more jobs than can be numbered, or seeds beyond the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the range of seeds overflows: {count} seeds from {first}")]
pub struct Overflow {
    first: u64,
    count: u64,
}

impl Jobs {
    /// The jobs of `plan`. Errors: [`Overflow`].
    pub fn new(plan: &Plan) -> Result<Self, Overflow> {
        let (first, seeds) = (plan.seed_first, plan.seed_count);
        let overflow = Overflow { first, count: seeds };
        first.checked_add(seeds).ok_or(overflow)?;
        let (mut regress, mut cells, mut known) = (Vec::new(), Vec::new(), Vec::new());
        let mut next = 0;
        for (scenario, planned) in plan.scenarios.iter().enumerate() {
            let own = next..next + planned.cells.len();
            next = own.end;
            let mut once = planned.regress.clone();
            if let Some(seed) = planned.replay {
                once = vec![seed];
            } else {
                cells.extend(own.clone().map(|cell| (scenario, cell)));
            }
            once.sort_unstable();
            for seed in &once {
                let job = |cell| Job { scenario, cell, seed: *seed };
                regress.extend(own.clone().map(job));
            }
            known.push(once);
        }
        let drawn = (cells.len() as u64).checked_mul(seeds).ok_or(overflow)?;
        let count = drawn.checked_add(regress.len() as u64).ok_or(overflow)?;
        Ok(Self { regress, cells, known, first, count })
    }

    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The job of number `index`; `None` where a seed comes up again, and nothing is run.
    pub fn get(&self, index: u64) -> Option<Job> {
        assert!(index < self.count, "job {index} of {}", self.count);
        let regress = self.regress.len() as u64;
        let Some(drawn) = index.checked_sub(regress) else {
            return Some(self.regress[index as usize]);
        };
        let width = self.cells.len() as u64;
        let (scenario, cell) = self.cells[(drawn % width) as usize];
        let seed = self.first + drawn / width;
        let again = self.known[scenario].binary_search(&seed).is_ok();
        (!again).then_some(Job { scenario, cell, seed })
    }

    /// The numbers of shard `shard` of `of`: all shards together have each number once.
    pub fn shard(&self, shard: u32, of: u32) -> std::ops::Range<u64> {
        assert!(shard < of, "shard {shard} of {of}");
        let at = |shard: u32| (u128::from(self.count) * u128::from(shard) / u128::from(of)) as u64;
        at(shard)..at(shard + 1)
    }
}

#[cfg(test)]
mod tests {
    use results::{Cell, Planned};

    use super::*;

    fn plan(first: u64, count: u64) -> Plan {
        let planned = |regress: &[u64], cells| Planned {
            regress: regress.to_vec(),
            cells: vec![Cell::default(); cells],
            ..Planned::default()
        };
        let scenarios = vec![planned(&[6, 90], 2), planned(&[], 1)];
        Plan { seed_first: first, seed_count: count, scenarios, ..Plan::default() }
    }

    #[test]
    fn what_once_failed_comes_first_and_then_each_scenario_gets_each_seed() {
        let jobs = Jobs::new(&plan(5, 2)).unwrap();
        let all: Vec<Option<(usize, usize, u64)>> = (0..jobs.count())
            .map(|index| jobs.get(index).map(|job| (job.scenario, job.cell, job.seed)))
            .collect();
        assert_eq!(
            all,
            [
                Some((0, 0, 6)),
                Some((0, 1, 6)),
                Some((0, 0, 90)),
                Some((0, 1, 90)),
                Some((0, 0, 5)),
                Some((0, 1, 5)),
                Some((1, 2, 5)),
                None,
                None,
                Some((1, 2, 6)),
            ]
        );
    }

    #[test]
    fn a_recorded_run_is_run_once_at_each_point_whatever_the_seeds() {
        let mut plan = plan(5, 2);
        plan.scenarios[0].replay = Some(6);
        let jobs = Jobs::new(&plan).unwrap();
        let all: Vec<Option<(usize, usize, u64)>> = (0..jobs.count())
            .map(|index| jobs.get(index).map(|job| (job.scenario, job.cell, job.seed)))
            .collect();
        assert_eq!(all, [(0, 0, 6), (0, 1, 6), (1, 2, 5), (1, 2, 6)].map(Some));
        plan.scenarios.truncate(1);
        assert_eq!(Jobs::new(&plan).unwrap().count(), 2);
    }

    #[test]
    fn shards_are_the_whole_and_nothing_twice() {
        let jobs = Jobs::new(&plan(0, 33)).unwrap();
        for of in [1, 2, 7, 103, 200] {
            let mut next = 0;
            for shard in 0..of {
                let numbers = jobs.shard(shard, of);
                assert_eq!(numbers.start, next);
                next = numbers.end;
            }
            assert_eq!(next, jobs.count());
        }
    }

    #[test]
    fn a_range_that_cannot_be_numbered_is_refused() {
        assert!(Jobs::new(&plan(u64::MAX - 1, 1)).is_ok());
        assert!(Jobs::new(&plan(u64::MAX, 1)).is_err());
        let said = Jobs::new(&plan(0, u64::MAX / 2)).unwrap_err().to_string();
        assert_eq!(said, "the range of seeds overflows: 9223372036854775807 seeds from 0");
    }
}
