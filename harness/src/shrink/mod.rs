//! Shrinking: the smallest run that fails as a given one does, as a scenario that fails by itself.
//!
//! First time: what comes after the violation. Then choices in bulk (whole kinds of accident, those that
//! are no cause of the violation, those of a link or a node), nodes, single choices, and every key of the
//! scenario. Operations that stay keep their times, random faults become faults at a time, and values
//! round. A candidate counts where the same invariant breaks first, in the same words: see
//! [`crate::signature`].
//!
//! Smaller is what has fewer nodes; of as many nodes, fewer choices; then fewer releases and faults. Datagrams
//! are counted and not sought: a fleet that loses less sends more, and a rounder time may let one more through.
//!
//! What is found depends on the scenario and the seed alone, whatever the number of threads, unless
//! time runs out: then it is the smallest so far.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::atomic::AtomicUsize,
};

use contract::{NodeId, Occasion, Site, Span};
use sim::choices::Decision;

use crate::{
    invariants::Violation,
    numbers::counted,
    outcome::Outcome,
    run::{Deployed, Options},
    scenario::{Scenario, Text, deployment::DeployError},
    signature::{Signature, is_of_the_end, signature},
    story::past::Past,
};

mod case;
mod clients;
pub(crate) mod ddmin;
mod edit;
mod keys;
mod script;
mod values;
mod write;

use case::{Case, Trials};
use ddmin::minimise;

/// Rounds of the same steps at most: each ends with a smaller case, or is the last.
const ROUNDS_MAX: usize = 4;
/// A shrunk failure has no more nodes than these, where other seeds of a smaller fleet show it as well.
const NODES_WANTED: usize = 4;
/// Other seeds that are tried with a smaller fleet.
const SEEDS_TRIED: u64 = 24;
/// Time that is left after the violation, for candidates in which it shows a little later.
const SPARE: Span = Span::from_millis(400);
/// How long candidates may heal: theirs is no failure to heal.
const LIVENESS: Span = Span::from_millis(50);

/// A failure, shrunk.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The scenario that fails by itself, as text with comments. Nothing in it depends on the number of
    /// threads, so the count of runs is not in it.
    pub text: String,
    /// The same, read.
    pub scenario: Scenario,
    /// How it fails.
    pub signature: Signature,
    /// The violation that it shows.
    pub violation: Violation,
    /// What it was.
    pub before: Size,
    /// What it is.
    pub after: Size,
    /// Runs that it took.
    pub runs: usize,
    /// Time ran out before nothing more could be found.
    pub cut_short: bool,
}

/// How large a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Nodes.
    pub nodes: usize,
    /// Choices that are not benign, operations among them.
    pub choices: usize,
    /// Datagrams sent until it showed.
    pub datagrams: u64,
}

/// Where shrinking stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being tried.
    pub step: &'static str,
    /// Nodes left.
    pub nodes: usize,
    /// Choices left.
    pub choices: usize,
    /// Runs so far.
    pub runs: usize,
}

/// What was sought: datagrams were not.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (nodes, choices) = (self.nodes as u64, self.choices as u64);
        write!(f, "{}, {}", counted(nodes, "node"), counted(choices, "choice"))
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (nodes, choices) = (self.nodes as u64, self.choices as u64);
        let (nodes, choices) = (counted(nodes, "node"), counted(choices, "choice"));
        write!(f, "{}: {nodes}, {choices}, {}", self.step, counted(self.runs as u64, "run"))
    }
}

/// Why nothing could be shrunk.
#[derive(Debug, thiserror::Error)]
pub enum ShrinkError {
    /// The run does not fail.
    #[error("no invariant breaks in this run: {0}")]
    NoFailure(String),
    /// The scenario cannot be deployed.
    #[error("{0}")]
    Deploy(#[from] DeployError),
    /// A belief of ours broke: the shrunk scenario does not fail by itself.
    #[error("the shrunk scenario does not fail as the run did; this is a mistake in simctl")]
    Lost,
}

/// Shrinks the failure that `seed` shows in `scenario`. `from` is what `simctl shrink` is given for it: the
/// file, as a shell takes it, and the settings.
///
/// Once `enough` says so, no more is tried, and what is being tried is cut short; what was found by then is
/// run once more. `progress` hears of each step, first when the failure showed.
///
/// Errors: [`ShrinkError`].
pub fn shrink(
    scenario: &Scenario,
    seed: u64,
    from: &str,
    enough: &(dyn Fn() -> bool + Sync),
    progress: &mut dyn FnMut(Progress),
) -> Result<Shrunk, ShrinkError> {
    let options = Options { fingerprint: false, ..Options::default() };
    let seed = scenario.replay.as_ref().map_or(seed, |replay| *replay.seed);
    let (outcome, decisions) = Deployed::new(scenario)?.run_recorded(seed, options, None);
    let wanted = signature(&outcome).ok_or_else(|| {
        let why = outcome.shortfalls.first().map_or("it holds", String::as_str);
        ShrinkError::NoFailure(why.to_owned())
    })?;
    let before = size(scenario, &outcome, decisions.len());
    let first = outcome.violations[0].clone();
    let trials = Trials { wanted: wanted.clone(), runs: AtomicUsize::new(1), enough };
    let case = Case {
        scenario: case::tried(scenario, first.invariant),
        seed,
        decisions,
        at: first.at,
        nodes: first.nodes.clone(),
    };
    let shrinking = Shrinking { trials: &trials, at_the_end: is_of_the_end(&outcome), progress };
    let mut case = shrinking.all(case);
    let cut_short = enough();
    // However long the fleet may take to heal is part of the claim, not of the failure.
    case.scenario.phases.liveness = scenario.phases.liveness;
    let made = write::scenario(&case, &wanted, first.claim).ok_or(ShrinkError::Lost)?;
    let text = write::body(&made).ok_or(ShrinkError::Lost)?;
    let path = std::path::Path::new("shrunk.toml");
    let made = Scenario::parse(path, text.clone()).map_err(|_| ShrinkError::Lost)?;
    let outcome = Deployed::new(&made)?.run(seed, options, None);
    if signature(&outcome).as_ref() != Some(&wanted) {
        return Err(ShrinkError::Lost);
    }
    let mut shrunk = Shrunk {
        text: String::new(),
        signature: wanted,
        violation: outcome.violations[0].clone(),
        before,
        after: size(&made, &outcome, case.decisions.len()),
        scenario: made,
        runs: trials.runs.into_inner() + 1,
        cut_short,
    };
    shrunk.text = write::comments(&shrunk, from, seed) + &text;
    Ok(shrunk)
}

fn size(scenario: &Scenario, outcome: &Outcome, choices: usize) -> Size {
    Size { nodes: scenario.nodes().count(), choices, datagrams: outcome.world.sent }
}

/// The steps of shrinking.
struct Shrinking<'a> {
    trials: &'a Trials<'a>,
    /// The failure is one of the end of the liveness phase, whose bound must stay.
    at_the_end: bool,
    progress: &'a mut dyn FnMut(Progress),
}

impl Shrinking<'_> {
    fn all(mut self, case: Case) -> Case {
        let mut case = self.step("time", case, Self::time);
        case = self.step("kinds of accident", case, |it, case| it.groups(case, kind));
        case = self.step("causes", case, Self::causes);
        case = self.step("nodes", case, Self::nodes);
        case = self.step("time", case, Self::time);
        for _ in 0..ROUNDS_MAX {
            let before = (weight(&case), case.at);
            case = self.step("links and nodes", case, |it, case| it.groups(case, place));
            case = self.step("accidents", case, |it, case| it.groups(case, occasion));
            case = self.step("choices", case, |it, case| it.groups(case, single));
            case = self.step("operations", case, |it, case| clients::fewer(it.trials, case));
            case = self.step("nodes", case, Self::nodes);
            case = self.step("keys", case, |it, case| keys::without_needless(it.trials, case));
            case = self.step("random faults", case, |it, case| script::scripted(it.trials, case));
            case = self.step("time", case, Self::time);
            if (weight(&case), case.at) == before {
                break;
            }
        }
        self.step("values", case, |it, case| values::rounder(it.trials, case))
    }

    fn step(
        &mut self,
        step: &'static str,
        case: Case,
        make: impl FnOnce(&Self, Case) -> Case,
    ) -> Case {
        (self.progress)(Progress {
            step,
            nodes: case.scenario.nodes().count(),
            choices: case.decisions.len(),
            runs: self.trials.runs.load(std::sync::atomic::Ordering::Relaxed),
        });
        make(self, case)
    }

    /// Cuts off what comes after the failure.
    fn time(&self, case: Case) -> Case {
        let safety = *case.scenario.phases.safety;
        let ends: Vec<Span> = if self.at_the_end {
            // Whatever must have happened before the fleet heals is found out by trial.
            (1..8).map(|eighths| Span::from_nanos(safety.as_nanos() / 8 * eighths)).collect()
        } else {
            vec![edit::rounded_up(case.at, Span::ZERO), edit::rounded_up(case.at, SPARE)]
        };
        for end in ends.into_iter().filter(|end| *end < safety) {
            let mut scenario = edit::until(
                &case.scenario,
                edit::rounded_up(contract::Time::from_nanos(end.as_nanos()), Span::ZERO),
            );
            if !self.at_the_end {
                scenario.phases.liveness = Text(LIVENESS);
            }
            if *scenario.phases.safety < safety
                && let Some(found) = self.trials.fails(&scenario, case.seed, &case.decisions)
            {
                return found;
            }
        }
        case
    }

    /// Drops choices, as many at a time as have the same key.
    fn groups<K: Ord>(&self, case: Case, key: impl Fn(&Decision) -> K) -> Case {
        let mut groups: BTreeMap<K, Vec<Decision>> = BTreeMap::new();
        for decision in &case.decisions {
            groups.entry(key(decision)).or_default().push(*decision);
        }
        // The largest first, so that the first halves are the heaviest.
        let mut groups: Vec<Vec<Decision>> = groups.into_values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
        let joined = |groups: &[Vec<Decision>]| {
            let mut all = groups.concat();
            all.sort_unstable();
            all
        };
        let left = minimise(groups, self.trials.enough, |groups| {
            self.trials.fails(&case.scenario, case.seed, &joined(groups)).is_some()
        });
        let left = joined(&left);
        if left.len() == case.decisions.len() {
            return case;
        }
        self.trials.fails(&case.scenario, case.seed, &left).unwrap_or(case)
    }

    /// Drops choices that are no cause of the failure.
    fn causes(&self, case: Case) -> Case {
        let mut past = Past::new(false);
        if self.at_the_end || case.show(&mut past).is_none() {
            return case;
        }
        let left = past.decisions(&case.nodes, &case.decisions);
        if left.len() == case.decisions.len() {
            return case;
        }
        self.trials.fails(&case.scenario, case.seed, &left).unwrap_or(case)
    }

    /// Drops nodes.
    fn nodes(&self, case: Case) -> Case {
        let all: Vec<NodeId> = case.scenario.nodes().map(|(node, _)| node).collect();
        let with = |keep: &[NodeId]| {
            let keep: BTreeSet<NodeId> = keep.iter().copied().collect();
            let scenario = edit::only(&case.scenario, &keep)?;
            let about = |decision: &&Decision| {
                crate::choices::words::nodes(decision.occasion).iter().all(|n| keep.contains(n))
            };
            let left: Vec<Decision> = case.decisions.iter().filter(about).copied().collect();
            self.trials.fails(&scenario, case.seed, &left)
        };
        // Those that the failure shows at are kept longest, for halves are tried from the left.
        let mut ordered = all.clone();
        ordered.sort_by_key(|node| (!case.nodes.contains(node), *node));
        let keep = minimise(ordered, self.trials.enough, |keep| with(keep).is_some());
        let found = if keep.len() < all.len() { with(&keep) } else { None };
        let case = found.unwrap_or(case);
        if case.scenario.nodes().count() > NODES_WANTED { self.elsewhere(case) } else { case }
    }

    /// Looks for the same failure in a smaller fleet, with the accidents of other seeds.
    fn elsewhere(&self, case: Case) -> Case {
        use rayon::prelude::*;
        let all: Vec<NodeId> = case.scenario.nodes().map(|(node, _)| node).collect();
        let mut ordered = all;
        ordered.sort_by_key(|node| (!case.nodes.contains(node), *node));
        for count in 2..=NODES_WANTED {
            let keep = ordered.iter().take(count).copied().collect();
            let Some(scenario) = edit::only(&case.scenario, &keep) else { continue };
            let seeds: Vec<u64> =
                (0..SEEDS_TRIED).map(|step| case.seed.wrapping_add(step)).collect();
            let found = seeds
                .into_par_iter()
                .find_map_first(|seed| self.trials.fails_when_drawn(&scenario, seed));
            if let Some(found) = found {
                let found = self.groups(found, kind);
                return self.causes(found);
            }
        }
        case
    }
}

/// How much is left to explain.
fn weight(case: &Case) -> (usize, usize, usize) {
    let scenario = &case.scenario;
    let parts = scenario.releases.len() + scenario.faults.len();
    (scenario.nodes().count(), case.decisions.len(), parts)
}

fn kind(decision: &Decision) -> (Site, contract::Aspect) {
    (decision.occasion.site, decision.aspect)
}

fn place(decision: &Decision) -> (Site, u64) {
    (decision.occasion.site, decision.occasion.entity)
}

fn occasion(decision: &Decision) -> Occasion {
    decision.occasion
}

fn single(decision: &Decision) -> Decision {
    *decision
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::atomic::Ordering};

    use super::*;

    /// No gate, over a major version: S6 breaks.
    const FAILS: &str = r#"
about = "without a gate, old nodes see what they cannot understand"
app = "sessions"
[fleet]
nodes = 3
runs = "1.0.0"
[protocol]
gate = false
[workload]
rate = "20/s"
[[release]]
version = "2.0.0"
at = "300ms"
node = "n0"
rollout = { rolling = { batch = 1, gap = "1s" } }
[phases]
safety = "2s"
"#;

    #[test]
    fn a_candidate_that_is_under_way_when_time_runs_out_is_cut_short() {
        let scenario = Scenario::parse(Path::new("s.toml"), FAILS.to_owned()).expect("a good one");
        let asked = AtomicUsize::new(0);
        let shrunk_once_asked = |times| {
            asked.store(0, Ordering::Relaxed);
            let enough = || asked.fetch_add(1, Ordering::Relaxed) >= times;
            shrink(&scenario, 1, "s.toml", &enough, &mut |_| {}).expect("it fails")
        };
        // Once before the first candidate, then by its run: one that went on would have been taken.
        for times in [1, 2] {
            let shrunk = shrunk_once_asked(times);
            assert!(shrunk.cut_short);
            assert_eq!((shrunk.runs, shrunk.after), (3, shrunk.before), "asked {times} times");
        }
        assert!(shrunk_once_asked(usize::MAX).after.choices < shrunk_once_asked(1).before.choices);
    }
}
