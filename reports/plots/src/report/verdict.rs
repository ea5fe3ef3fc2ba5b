//! What a sweep came to, in a sentence.

use serde::Serialize;

use super::of_runs;
use crate::{
    digest::{Cell, Digest, Scenario},
    units::{capitalised, count, counted, span},
};

/// What a sweep came to.
#[derive(Serialize)]
pub(crate) struct Verdict {
    /// Whether everything is as the scenarios claim.
    pub(crate) holds: bool,
    /// The shortest form, for the title of a window.
    pub(crate) title: String,
    /// The sentence.
    pub(crate) sentence: String,
    /// What else is to be said.
    pub(crate) more: Vec<String>,
}

/// What a scenario came to.
#[derive(Serialize)]
pub(crate) struct Standing {
    pub(crate) holds: bool,
    /// A word or two.
    pub(crate) word: String,
    /// The sentence.
    pub(crate) sentence: String,
}

impl Verdict {
    pub(crate) fn of(digest: &Digest) -> Self {
        let (runs, failed) = (digest.runs(), digest.failed());
        let all = digest.scenarios.len() as u64;
        let standings: Vec<Standing> = digest.scenarios.iter().map(Standing::of).collect();
        let fallen = standings.iter().filter(|standing| !standing.holds).count() as u64;
        let scenarios = match all {
            2 => "both claims".to_owned(),
            1 => format!("the claim of {}", digest.scenarios[0].name),
            _ => format!("all {}", counted(all, "claim")),
        };
        let of_all = match all {
            1 => String::new(),
            _ => format!(", in {} of {}", count(fallen), counted(all, "scenario")),
        };
        let kinds = counted(digest.kinds.len() as u64, "way");
        let sentence = match failed {
            _ if fallen == 0 => {
                let runs = counted(runs, "run");
                format!("Holds: {scenarios} stood in {}{runs}.", if all == 1 { "" } else { "all " })
            }
            0 => format!(
                "Falls short: nothing broke in {}, but not all was shown{of_all}.",
                counted(runs, "run")
            ),
            1 => format!("Does not hold: 1 run of {} failed{of_all}.", count(runs)),
            _ => format!("Does not hold: {} failed, in {kinds}{of_all}.", of_runs(failed, runs)),
        };
        let title = match fallen {
            0 => "holds".to_owned(),
            _ => format!("{} of {} do not hold", count(fallen), counted(all, "scenario")),
        };
        let named = digest.scenarios.iter().zip(&standings);
        let more = named
            .filter(|(_, standing)| !standing.holds)
            .map(|(scenario, standing)| format!("{}. {}.", scenario.name, standing.sentence));
        let early = digest.ended_early.map(|(done, planned)| {
            format!("The sweep was ended early, after {} of {} runs.", count(done), count(planned))
        });
        Self { holds: fallen == 0, title, sentence, more: early.into_iter().chain(more).collect() }
    }
}

impl Standing {
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let (runs, failed) = (scenario.runs(), scenario.failed());
        let mut parts = Vec::new();
        if failed > 0 {
            parts.push(format!("{} failed", of_runs(failed, runs)));
        }
        parts.extend(shortfalls(scenario));
        let word = match failed {
            _ if parts.is_empty() => "holds".to_owned(),
            0 => "falls short".to_owned(),
            _ => format!("{} failed", count(failed)),
        };
        let holds = parts.is_empty();
        let sentence = match holds {
            true if runs == 0 => "no run of it is in the sweep".to_owned(),
            true => match at_most(runs) {
                Some(most) => format!(
                    "{} came out as expected; with 95\u{a0}% confidence, fewer than 1 in {} does not",
                    of_runs(runs, runs),
                    count(most)
                ),
                None => format!("{} came out as expected", of_runs(runs, runs)),
            },
            false => parts.join("; "),
        };
        Self { holds, word, sentence: capitalised(&sentence) }
    }
}

/// What the runs of a scenario together do not show, as the sweep judged it: point by point of the grid.
fn shortfalls(scenario: &Scenario) -> Vec<String> {
    let mut found: Vec<(String, Vec<&str>)> = Vec::new();
    for cell in &scenario.cells {
        for shortfall in shortfalls_at(cell) {
            match found.iter_mut().find(|(one, _)| *one == shortfall) {
                Some((_, cells)) => cells.push(&cell.name),
                None => found.push((shortfall, vec![&cell.name])),
            }
        }
    }
    let all = scenario.cells.len();
    let told = found.into_iter().map(|(shortfall, cells)| match &cells[..] {
        cells if cells.len() == all => shortfall,
        [only] => format!("{shortfall} at {only}"),
        [first, more @ ..] => {
            format!("{shortfall} at {first} and {} more", counted(more.len() as u64, "point"))
        }
        [] => shortfall,
    });
    told.collect()
}

fn shortfalls_at(cell: &Cell) -> Vec<String> {
    let tally = &cell.tally;
    let mut found: Vec<String> =
        tally.unreached().map(|goal| format!("the goal {goal} was never reached")).collect();
    // A canary ends with what it is for, often before its faults had their chance.
    if !cell.canary {
        let inert = tally.overdue().map(|fault| format!("the fault {fault} never took effect"));
        found.extend(inert);
    }
    let exceeded = tally
        .exceeded()
        .map(|(name, bound)| format!("{} is not within {}", words(name), span(bound.nanos)));
    found.extend(exceeded);
    found
}

/// The name of a bound as people read it.
pub(crate) fn words(bound: &str) -> String {
    bound.replace('_', " ")
}

/// The n of "fewer than 1 in n", the exact bound at 95 % after `runs` runs without a failure; `None` where
/// they are too few to say anything.
fn at_most(runs: u64) -> Option<u64> {
    const DOUBT: f64 = 0.05;
    // The rate at which so many runs pass by luck once in twenty: (1 - rate)^runs = 0.05.
    let rate = 1.0 - DOUBT.powf(1.0 / runs as f64);
    let most = (1.0 / rate).floor();
    (most >= 2.0).then_some(most as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn no_failure_in_many_runs_bounds_the_rate() {
        // The rule of three, exactly: Hanley and Lippman-Hand, 1983.
        assert_eq!(at_most(1), None);
        assert_eq!(at_most(100), Some(33));
        assert_eq!(at_most(1_000_000), Some(333_808));
    }

    #[test]
    fn the_sentence_says_how_many_failed_and_where() {
        let digest = testing::digest(400);
        let verdict = Verdict::of(&digest);
        let plain = verdict.sentence.replace('\u{a0}', " ");
        assert!(!verdict.holds);
        let failed = digest.failed();
        assert_eq!(
            plain,
            format!(
                "Does not hold: {failed} of 2,800 runs failed, in 2 ways, in 1 of 2 scenarios."
            )
        );
    }

    #[test]
    fn a_sweep_that_was_ended_early_says_so() {
        let mut digest = testing::digest(6);
        assert!(!Verdict::of(&digest).more.iter().any(|one| one.contains("ended early")));
        digest.ended_early = Some((42, 1_000));
        let more = Verdict::of(&digest).more;
        assert_eq!(more[0], "The sweep was ended early, after 42 of 1,000 runs.");
    }

    #[test]
    fn a_bound_that_one_point_of_the_grid_does_not_keep_is_told_with_it() {
        let mut digest = testing::digest(6);
        let bound = results::Bound { percent: 99, nanos: 800_000_000, within: 9, of: 10 };
        let cell = &mut digest.scenarios[0].cells[4];
        cell.tally.bounds.insert("convergence_p99".into(), bound);
        let standing = Standing::of(&digest.scenarios[0]);
        assert_eq!(standing.word, "falls short");
        let plain = standing.sentence.replace('\u{a0}', " ");
        assert_eq!(plain, "Convergence p99 is not within 800 ms at loss=20% nodes=5");
    }

    #[test]
    fn a_goal_that_no_run_reached_makes_a_sweep_fall_short() {
        let mut digest = testing::digest(6);
        for cell in &mut digest.scenarios[0].cells {
            cell.tally.goals.clear();
        }
        let verdict = Verdict::of(&digest);
        assert!(verdict.sentence.starts_with("Falls short: nothing broke"), "{}", verdict.sentence);
        assert_eq!(
            verdict.more,
            ["major-bump. The goal converted was never reached; the goal held was never reached."]
        );
    }
}
