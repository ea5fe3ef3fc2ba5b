//! What a sweep came to: what failed, what no run showed, and which bounds were not kept.
//!
//! A fault that was asked for and bit in no run of a place is a shortfall once there were 100 runs of the
//! place. With fewer the rule of a single run holds, with the chances of all runs added up: a scripted
//! fault must bite, one that strikes at random must once it had 10,000 chances, and in a swarm none must.
//! A run whose scripted fault never bit is a failure by itself, so that those are among the failures.
//! `simctl explain 1` and the report (by [`Tally::overdue`]) say the same.

use std::sync::LazyLock;

use contract::Span;
use results::{Bound, Failure, Tally};

use super::{cells::Place, gather::Gathered, runner::Ended};
use crate::{numbers::counted, trace::time};

/// What the runs at one place came to.
#[derive(Clone, Debug)]
pub struct Judged<'s> {
    /// The place.
    pub place: &'s Place,
    /// The sums.
    pub tally: &'s Tally,
    /// Runs that did not come out as expected, one of each kind, the most frequent first.
    pub failures: Vec<&'s Failure>,
    /// What the runs together do not show, in words.
    pub shortfalls: Vec<String>,
}

impl Judged<'_> {
    /// Whether everything is as the scenario claims.
    pub fn holds(&self) -> bool {
        self.failures.is_empty() && self.shortfalls.is_empty()
    }
}

/// The sums of no runs.
static NO_RUNS: LazyLock<Tally> = LazyLock::new(Tally::default);

/// Judges `gathered`, which the runs at `places` came to until they `ended`. A place where nothing was run
/// shows nothing, which is a shortfall. Where failures ended the sweep, such places are left out. Where a
/// file asked it to stop, how far it came is chance: nothing is a shortfall until it has gone on.
pub fn judge<'s>(places: &'s [Place], gathered: &'s Gathered, ended: Ended) -> Vec<Judged<'s>> {
    let complete = matches!(ended, Ended::Over | Ended::Time);
    let judged = places.iter().enumerate().filter_map(|(cell, place)| {
        let Some(tally) = gathered.tallies.get(&cell) else {
            let shortfalls = vec!["no run of it".to_owned()];
            let nothing = Judged { place, tally: &NO_RUNS, failures: Vec::new(), shortfalls };
            return complete.then_some(nothing);
        };
        let own = gathered.failures.range((cell, String::new())..(cell + 1, String::new()));
        let mut failures: Vec<&Failure> = own.map(|(_, failure)| failure).collect();
        failures.sort_by_key(|failure| (u64::MAX - failure.runs, &failure.signature));
        let shortfalls = match ended {
            Ended::StopFile | Ended::Interrupted => Vec::new(),
            Ended::Over | Ended::Time | Ended::Failures => shortfalls(place, tally),
        };
        Some(Judged { place, tally, failures, shortfalls })
    });
    judged.collect()
}

fn shortfalls(place: &Place, tally: &Tally) -> Vec<String> {
    let mut found = Vec::new();
    let runs = counted(tally.runs, "run");
    for goal in tally.unreached() {
        found.push(format!("goal `{goal}` was reached in none of {runs}"));
    }
    // A canary ends with what it is for, often before its faults had their chance.
    if !place.is_canary() {
        for injector in tally.overdue() {
            let chances = tally.injectors[injector].attempted;
            found.push(format!(
                "fault `{injector}` never took effect in {runs} ({chances} chances)"
            ));
        }
    }
    for (name, bound) in tally.exceeded() {
        found.push(exceeded(name, bound, tally));
    }
    found
}

fn exceeded(name: &str, bound: &Bound, tally: &Tally) -> String {
    let limit = time(Span::from_nanos(bound.nanos));
    let is = match tally.latency_percentile(bound.percent) {
        Some(nanos) => format!("about {}", time(Span::from_nanos(nanos))),
        None => "never".to_owned(),
    };
    format!(
        "{name} is {is}, not <= {limit} ({} of {} adoptions are within)",
        bound.within, bound.of
    )
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use results::Injected;

    use super::*;
    use crate::scenario::Scenario;

    fn place(expect: &str) -> Place {
        let text = format!(
            "about = \"a\"\napp = \"counter\"\n[fleet]\nnodes = 3\nruns = \"1.0.0\"\n[expect]\n{expect}"
        );
        Place {
            scenario: 0,
            name: "a".into(),
            path: PathBuf::from("a.toml"),
            hash: String::new(),
            cell: String::new(),
            settings: Vec::new(),
            stated: Scenario::parse(Path::new("a.toml"), text).unwrap(),
        }
    }

    fn check(expect: &str, tally: Tally, shortfalls: &[&str]) {
        let gathered = Gathered { tallies: [(0, tally)].into(), ..Gathered::default() };
        let places = [place(expect)];
        let judged = judge(&places, &gathered, Ended::Over);
        assert_eq!(judged[0].shortfalls, shortfalls);
        assert_eq!(judged[0].holds(), shortfalls.is_empty());
    }

    fn inert() -> Tally {
        let loss = Injected { configured: 100, attempted: 12, took_effect: 0 };
        Tally { runs: 100, injectors: [("loss".into(), loss)].into(), ..Tally::default() }
    }

    #[test]
    fn a_fault_that_never_bit_fails_the_sweep_but_no_canary() {
        check("", inert(), &["fault `loss` never took effect in 100 runs (12 chances)"]);
        check("outcome = { violates = [\"S6\"] }", inert(), &[]);
        check("", Tally { runs: 99, ..inert() }, &[]);
    }

    #[test]
    fn a_place_that_was_never_run_falls_short_unless_the_sweep_was_cut_short() {
        let (places, gathered) = ([place("")], Gathered::default());
        let judged = judge(&places, &gathered, Ended::Over);
        assert_eq!((judged[0].shortfalls[0].as_str(), judged[0].holds()), ("no run of it", false));
        assert_eq!(judge(&places, &gathered, Ended::Failures).len(), 0);
        assert_eq!(judge(&places, &gathered, Ended::StopFile).len(), 0);
    }

    #[test]
    fn a_goal_that_no_run_reached_fails_the_sweep_once_nobody_stopped_it() {
        let tally = Tally { runs: 1, wanted: vec!["held".into()], ..Tally::default() };
        let gathered = Gathered { tallies: [(0, tally.clone())].into(), ..Gathered::default() };
        let places = [place("sometimes = [\"held\"]")];
        assert!(judge(&places, &gathered, Ended::StopFile)[0].holds());
        assert!(!judge(&places, &gathered, Ended::Time)[0].holds());
        check("sometimes = [\"held\"]", tally, &["goal `held` was reached in none of 1 run"]);
    }

    #[test]
    fn a_bound_over_all_runs_fails_the_sweep_where_too_few_keep_it() {
        let bound = |within| Bound { percent: 99, nanos: 800_000_000, within, of: 100 };
        let tally = |within| Tally {
            runs: 20,
            latency: [(700_000_000, within), (912_000_000, 100 - within)].into(),
            bounds: [("convergence_p99".into(), bound(within))].into(),
            ..Tally::default()
        };
        check("", tally(99), &[]);
        check(
            "",
            tally(98),
            &["convergence_p99 is about 912ms, not <= 800ms (98 of 100 adoptions are within)"],
        );
    }

    #[test]
    fn the_most_frequent_failure_is_told_first() {
        let failure = |signature: &str, runs| Failure {
            signature: signature.into(),
            runs,
            ..Failure::default()
        };
        let gathered = Gathered {
            tallies: [(0, Tally::default())].into(),
            failures: [("a", 1), ("b", 9), ("c", 9)]
                .map(|(name, runs)| ((0, name.to_owned()), failure(name, runs)))
                .into(),
            ..Gathered::default()
        };
        let places = [place("")];
        let judged = judge(&places, &gathered, Ended::Over);
        let order: Vec<&str> = judged[0].failures.iter().map(|one| &*one.signature).collect();
        assert_eq!(order, ["b", "c", "a"]);
    }
}
