//! Sums over the runs of one scenario at one point of its grid.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the runs of one scenario at one point of its grid came to. Tallies of the same name add up in any
/// order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// The scenario's name.
    pub scenario: String,
    /// The point of the grid; empty where there is none.
    pub cell: String,
    /// Runs.
    pub runs: u64,
    /// Runs in which every invariant held and that showed what the scenario claims.
    pub holds: u64,
    /// Runs in which an invariant broke.
    pub violates: u64,
    /// Runs that did not show what the scenario claims.
    pub falls_short: u64,
    /// Runs that came out as the scenario expects.
    pub as_expected: u64,
    /// Whether its runs are of a swarm, which may leave any fault out.
    pub swarm: bool,
    /// Goals that the scenario wants reached by one run at least.
    pub wanted: Vec<String>,
    /// By goal: runs that reached it.
    pub goals: BTreeMap<String, u64>,
    /// By injector: what it did.
    pub injectors: BTreeMap<String, Injected>,
    /// Publication to running, over nodes, releases and runs: how many took at most so many nanoseconds,
    /// and more than those of the entry before. The keys are [`latency_bucket`]s.
    pub latency: BTreeMap<u64, u64>,
    /// How often a node that should have come to run a release never did.
    pub never_adopted: u64,
    /// Bounds over all runs that the scenario states, by name.
    pub bounds: BTreeMap<String, Bound>,
    /// Operations of apps that were broadcast.
    pub causal_issued: u64,
    /// Times that an app took one, at its origin and elsewhere.
    pub causal_carried_out: u64,
    /// Times that one counted as delivered, and no app took it.
    pub causal_void: u64,
    /// Times that one waited for others.
    pub causal_parked: u64,
    /// Times that one of a newer release waited at the gate.
    pub causal_held: u64,
}

/// Chances after which a fault of which nothing ever came is no matter of luck.
pub const CHANCES_MIN: u64 = 10_000;
/// Runs after which it is not, whatever its chances were.
pub const RUNS_MIN: u64 = 100;

/// A bound on how long all but some took, over all runs of a scenario at one point of its grid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bound {
    /// How many of a hundred must keep it.
    pub percent: u32,
    /// The bound.
    pub nanos: u64,
    /// How many keep it.
    pub within: u64,
    /// Of how many; those that never came are among them.
    pub of: u64,
}

impl Bound {
    /// Whether enough keep it (nearest rank). Nothing keeps every bound.
    pub fn holds(&self) -> bool {
        let needed = (u128::from(self.of) * u128::from(self.percent)).div_ceil(100);
        u128::from(self.within) >= needed
    }
}

/// The upper end of the bucket that `nanos` falls into: at most 1/128 above it.
pub const fn latency_bucket(nanos: u64) -> u64 {
    let bits = u64::BITS - nanos.leading_zeros();
    let cut = bits.saturating_sub(BUCKET_BITS);
    nanos | ((1 << cut) - 1)
}

/// Bits of a latency that tell buckets apart.
const BUCKET_BITS: u32 = 8;

/// What an injector did over several runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Injected {
    /// Runs that asked for it.
    pub configured: u64,
    /// Opportunities it had.
    pub attempted: u64,
    /// Opportunities of which something came.
    pub took_effect: u64,
}

fn raise(sum: &mut u64, more: u64) {
    *sum = sum.saturating_add(more);
}

impl Tally {
    /// Adds the runs of `other`, a tally of the same scenario and cell. Nothing counts beyond [`u64::MAX`]: only a
    /// file that somebody made up says so much.
    pub fn add(&mut self, other: &Self) {
        assert_eq!(
            (&self.scenario, &self.cell),
            (&other.scenario, &other.cell),
            "tallies of one name"
        );
        raise(&mut self.runs, other.runs);
        raise(&mut self.holds, other.holds);
        raise(&mut self.violates, other.violates);
        raise(&mut self.falls_short, other.falls_short);
        raise(&mut self.as_expected, other.as_expected);
        self.swarm |= other.swarm;
        if self.wanted.is_empty() {
            self.wanted.clone_from(&other.wanted);
        }
        for (goal, runs) in &other.goals {
            raise(self.goals.entry(goal.clone()).or_default(), *runs);
        }
        for (name, injected) in &other.injectors {
            let sum = self.injectors.entry(name.clone()).or_default();
            raise(&mut sum.configured, injected.configured);
            raise(&mut sum.attempted, injected.attempted);
            raise(&mut sum.took_effect, injected.took_effect);
        }
        for (bucket, count) in &other.latency {
            raise(self.latency.entry(*bucket).or_default(), *count);
        }
        raise(&mut self.never_adopted, other.never_adopted);
        raise(&mut self.causal_issued, other.causal_issued);
        raise(&mut self.causal_carried_out, other.causal_carried_out);
        raise(&mut self.causal_void, other.causal_void);
        raise(&mut self.causal_parked, other.causal_parked);
        raise(&mut self.causal_held, other.causal_held);
        for (name, bound) in &other.bounds {
            let Bound { percent, nanos, .. } = *bound;
            let empty = Bound { percent, nanos, ..Bound::default() };
            let sum = self.bounds.entry(name.clone()).or_insert(empty);
            raise(&mut sum.within, bound.within);
            raise(&mut sum.of, bound.of);
        }
    }

    /// The time that `percent` of a hundred adoptions did not exceed, to the [`latency_bucket`]; `None`:
    /// they never came, or there were none.
    pub fn latency_percentile(&self, percent: u32) -> Option<u64> {
        let came: u128 = self.latency.values().map(|count| u128::from(*count)).sum();
        let all = came + u128::from(self.never_adopted);
        let rank = (all * u128::from(percent)).div_ceil(100).max(1);
        let mut seen = 0;
        for (bucket, count) in &self.latency {
            seen += u128::from(*count);
            if seen >= rank {
                return Some(*bucket);
            }
        }
        None
    }

    /// Bounds that too few keep.
    pub fn exceeded(&self) -> impl Iterator<Item = (&str, &Bound)> {
        let exceeded = self.bounds.iter().filter(|(_, bound)| !bound.holds());
        exceeded.map(|(name, bound)| (name.as_str(), bound))
    }

    /// Wanted goals that no run reached.
    pub fn unreached(&self) -> impl Iterator<Item = &str> {
        let reached = |goal: &str| self.goals.get(goal).is_some_and(|runs| *runs > 0);
        self.wanted.iter().map(String::as_str).filter(move |goal| !reached(goal))
    }

    /// Injectors of which nothing ever came although that is no matter of luck. Scripted faults that were
    /// due are not looked for here: of those each single run gives account.
    pub fn overdue(&self) -> impl Iterator<Item = &str> {
        let many = |sum: &Injected| !self.swarm && sum.attempted >= CHANCES_MIN;
        self.inert().filter(move |name| self.runs >= RUNS_MIN || many(&self.injectors[*name]))
    }

    /// Injectors that runs asked for and of which nothing ever came.
    pub fn inert(&self) -> impl Iterator<Item = &str> {
        let inert =
            self.injectors.iter().filter(|(_, sum)| sum.configured > 0 && sum.took_effect == 0);
        inert.map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(goal: &str, took_effect: u64) -> Tally {
        Tally {
            scenario: "major-bump".into(),
            runs: 1,
            wanted: vec!["held".into(), "converted".into()],
            goals: [(goal.to_owned(), 1)].into(),
            injectors: [("loss".into(), Injected { configured: 1, attempted: 9, took_effect })]
                .into(),
            causal_issued: took_effect,
            causal_carried_out: took_effect.saturating_mul(5),
            ..Tally::default()
        }
    }

    #[test]
    fn tallies_add_up_in_any_order() {
        let (one, two) = (tally("held", 0), tally("converted", 2));
        let (mut forwards, mut backwards) = (one.clone(), two.clone());
        forwards.add(&two);
        backwards.add(&one);
        assert_eq!(forwards, backwards);
        assert_eq!((forwards.runs, forwards.injectors["loss"].attempted), (2, 18));
        assert_eq!((forwards.causal_issued, forwards.causal_carried_out), (2, 10));
    }

    #[test]
    fn a_bucket_holds_what_is_at_most_a_little_smaller() {
        for nanos in [0, 1, 255, 256, 257, 800_000_000, u64::MAX / 3, u64::MAX] {
            let bucket = latency_bucket(nanos);
            assert!(bucket >= nanos && bucket - nanos <= nanos / 128, "{nanos} in {bucket}");
            assert_eq!(latency_bucket(bucket), bucket);
        }
    }

    #[test]
    fn a_percentile_is_that_of_the_runs_together_and_counts_what_never_came() {
        let mut tally = Tally { latency: [(100, 98), (255, 1)].into(), ..Tally::default() };
        tally.never_adopted = 1;
        assert_eq!(tally.latency_percentile(50), Some(100));
        assert_eq!(tally.latency_percentile(99), Some(255));
        assert_eq!(tally.latency_percentile(100), None);
        assert_eq!(Tally::default().latency_percentile(50), None);
    }

    #[test]
    fn more_than_can_be_counted_is_the_most_that_can() {
        let mut tally = Tally {
            runs: u64::MAX,
            latency: [(100, u64::MAX), (255, u64::MAX)].into(),
            goals: [("held".to_owned(), u64::MAX)].into(),
            never_adopted: 7,
            ..tally("held", u64::MAX)
        };
        assert_eq!(tally.latency_percentile(49), Some(100));
        assert_eq!(tally.latency_percentile(51), Some(255));
        let before = tally.clone();
        tally.add(&before);
        assert_eq!(
            (tally.runs, tally.goals["held"], tally.never_adopted),
            (u64::MAX, u64::MAX, 14)
        );
    }

    #[test]
    fn a_bound_holds_by_nearest_rank() {
        let bound = |within, of| Bound { percent: 99, nanos: 1, within, of };
        assert!(bound(99, 100).holds() && bound(1, 1).holds() && bound(0, 0).holds());
        assert!(!bound(98, 100).holds() && !bound(0, 1).holds() && !bound(99, 101).holds());
    }

    #[test]
    fn a_fault_that_never_bit_is_overdue_after_many_runs_or_chances() {
        let overdue = |runs, attempted, swarm| {
            let loss = Injected { configured: 1, attempted, took_effect: 0 };
            let injectors = [("loss".to_owned(), loss)].into();
            Tally { runs, swarm, injectors, ..Tally::default() }.overdue().count() == 1
        };
        assert!(!overdue(99, 9_999, false) && !overdue(99, 10_000, true));
        assert!(overdue(100, 0, false) && overdue(100, 0, true) && overdue(1, 10_000, false));
    }

    #[test]
    fn what_no_run_showed_is_named() {
        let mut one = tally("held", 0);
        assert_eq!(one.unreached().collect::<Vec<_>>(), ["converted"]);
        assert_eq!(one.inert().collect::<Vec<_>>(), ["loss"]);
        one.add(&tally("converted", 1));
        assert_eq!((one.unreached().count(), one.inert().count()), (0, 0));
    }
}
