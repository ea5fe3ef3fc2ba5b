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
    /// Goals that the scenario wants reached by one run at least.
    pub wanted: Vec<String>,
    /// By goal: runs that reached it.
    pub goals: BTreeMap<String, u64>,
    /// By injector: what it did.
    pub injectors: BTreeMap<String, Injected>,
}

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

impl Tally {
    /// Adds the runs of `other`, a tally of the same scenario and cell.
    pub fn add(&mut self, other: &Self) {
        assert_eq!(
            (&self.scenario, &self.cell),
            (&other.scenario, &other.cell),
            "tallies of one name"
        );
        self.runs += other.runs;
        self.holds += other.holds;
        self.violates += other.violates;
        self.falls_short += other.falls_short;
        self.as_expected += other.as_expected;
        if self.wanted.is_empty() {
            self.wanted.clone_from(&other.wanted);
        }
        for (goal, runs) in &other.goals {
            *self.goals.entry(goal.clone()).or_default() += runs;
        }
        for (name, injected) in &other.injectors {
            let sum = self.injectors.entry(name.clone()).or_default();
            sum.configured += injected.configured;
            sum.attempted += injected.attempted;
            sum.took_effect += injected.took_effect;
        }
    }

    /// Wanted goals that no run reached.
    pub fn unreached(&self) -> impl Iterator<Item = &str> {
        let reached = |goal: &str| self.goals.get(goal).is_some_and(|runs| *runs > 0);
        self.wanted.iter().map(String::as_str).filter(move |goal| !reached(goal))
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
