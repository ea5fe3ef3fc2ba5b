//! The jobs of a plan, by number.

use std::ops::Range;

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
    /// By scenario: its seeds that once failed, or its recorded run.
    once: Vec<Once>,
    /// Scenario and cell of those that take every seed of the range.
    cells: Vec<(usize, usize)>,
    first: u64,
    count: u64,
}

/// Seeds that each cell of a scenario takes before those of the range, which leaves them out: none is listed
/// for each cell, for there may be many of both.
#[derive(Clone, Debug)]
struct Once {
    /// Ascending.
    seeds: Vec<u64>,
    /// The scenario's cells.
    cells: Range<usize>,
    /// The number after its last job.
    end: u64,
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
        let (mut once, mut cells) = (Vec::new(), Vec::new());
        let (mut next, mut end) = (0, 0_u64);
        for (scenario, planned) in plan.scenarios.iter().enumerate() {
            let own = next..next + planned.cells.len();
            next = own.end;
            let mut listed = planned.regress.clone();
            if let Some(seed) = planned.replay {
                listed = vec![seed];
            } else {
                cells.extend(own.clone().map(|cell| (scenario, cell)));
            }
            listed.sort_unstable();
            let jobs = (own.len() as u64).checked_mul(listed.len() as u64).ok_or(overflow)?;
            end = end.checked_add(jobs).ok_or(overflow)?;
            once.push(Once { seeds: listed, cells: own, end });
        }
        let drawn = (cells.len() as u64).checked_mul(seeds).ok_or(overflow)?;
        let count = drawn.checked_add(end).ok_or(overflow)?;
        Ok(Self { once, cells, first, count })
    }

    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The job of number `index`; `None` where a seed comes up again, and nothing is run.
    pub fn get(&self, index: u64) -> Option<Job> {
        assert!(index < self.count, "job {index} of {}", self.count);
        let scenario = self.once.partition_point(|once| once.end <= index);
        let start = scenario.checked_sub(1).map_or(0, |before| self.once[before].end);
        let within = index - start;
        if let Some(Once { seeds, cells, .. }) = self.once.get(scenario) {
            let (seed, cell) = (within / cells.len() as u64, within % cells.len() as u64);
            let (seed, cell) = (seeds[seed as usize], cells.start + cell as usize);
            return Some(Job { scenario, cell, seed });
        }
        let width = self.cells.len() as u64;
        let (scenario, cell) = self.cells[(within % width) as usize];
        let seed = self.first + within / width;
        let again = self.once[scenario].seeds.binary_search(&seed).is_ok();
        (!again).then_some(Job { scenario, cell, seed })
    }

    /// The numbers of shard `shard` of `of`: all shards together have each number once.
    pub fn shard(&self, shard: u32, of: u32) -> Range<u64> {
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
    fn a_plan_of_billions_of_jobs_takes_the_room_of_its_seeds_and_cells() {
        let many = 1 << 16;
        let planned = Planned {
            regress: (0..many).collect(),
            cells: vec![Cell::default(); many as usize],
            ..Planned::default()
        };
        let plan = Plan { seed_count: 1, scenarios: vec![planned], ..Plan::default() };
        let jobs = Jobs::new(&plan).unwrap();
        assert_eq!(jobs.count(), many * many + many);
        let last = Job { scenario: 0, cell: many as usize - 1, seed: many - 1 };
        assert_eq!(jobs.get(many * many - 1), Some(last));
        assert_eq!(jobs.get(many * many), None, "the range begins with a seed that came before");
    }

    #[test]
    fn a_range_that_cannot_be_numbered_is_refused() {
        assert!(Jobs::new(&plan(u64::MAX - 1, 1)).is_ok());
        assert!(Jobs::new(&plan(u64::MAX, 1)).is_err());
        let said = Jobs::new(&plan(0, u64::MAX / 2)).unwrap_err().to_string();
        assert_eq!(said, "the range of seeds overflows: 9223372036854775807 seeds from 0");
    }
}
