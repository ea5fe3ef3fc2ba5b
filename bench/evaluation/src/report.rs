//! What is timed on runs.

use std::collections::BTreeMap;

use experiment::{
    Outcome, Reports,
    published::{self, Which},
};

use crate::{
    clock::Clock,
    measure::{inserts, renames, replay},
};

/// How often each figure of time is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rounds {
    /// Renames and batches of inserts, at each step.
    pub(crate) steps: usize,
    /// Replays of the log.
    pub(crate) replays: usize,
}

/// What one run took.
#[derive(Debug)]
pub(crate) struct Timed {
    pub(crate) replay: replay::Cost,
    /// Renames of the first bot's replica, where nobody renamed before.
    pub(crate) renames: Vec<renames::Cost>,
    pub(crate) inserts: Vec<inserts::Cost>,
}

/// What all rows took that were run, by name.
pub(crate) type Times = BTreeMap<String, Timed>;

/// What the row of the papers took that is meant, whatever it is called, where it was run.
pub(crate) fn of<'a>(times: &'a Times, reports: &Reports, which: Which) -> Option<&'a Timed> {
    times.get(&published::find(reports, which)?.row.name)
}

/// What is being timed on one run.
#[derive(Debug)]
struct Timing {
    renames: Vec<renames::Timed>,
    inserts: Vec<inserts::Timed>,
    replay: replay::Timed,
}

impl Timing {
    fn new(outcome: &Outcome) -> Self {
        let row = &outcome.row;
        // As in the papers, renames are timed on documents that were never renamed.
        let plain = row.renames.is_none();
        // Inserts are timed where they are in the papers: without renames, and with one renamer.
        let inserts = plain || (row.renamers() == 1 && !row.collects());
        let states = outcome.states.iter();
        Self {
            renames: states.clone().filter(|_| plain).map(renames::Timed::new).collect(),
            inserts: states.filter(|_| inserts).map(inserts::Timed::new).collect(),
            replay: replay::Timed::default(),
        }
    }
}

/// Measures what is to be measured on runs: all of them in turns, so that a slow moment of the machine
/// strikes all alike.
///
/// Errors: the replay of a log ends otherwise than its run.
pub(crate) fn measured(
    outcomes: &[Outcome],
    clock: Clock,
    rounds: Rounds,
) -> Result<Times, String> {
    let mut timed: Vec<Timing> = outcomes.iter().map(Timing::new).collect();
    for _ in 0..rounds.steps {
        for timed in &mut timed {
            timed.renames.iter_mut().for_each(|state| state.round(clock));
            timed.inserts.iter_mut().for_each(|state| state.round(clock));
        }
    }
    for _ in 0..rounds.replays {
        for (timed, outcome) in timed.iter_mut().zip(outcomes) {
            let told = |why| format!("{}: {why}", outcome.row.name);
            timed.replay.round(clock, outcome).map_err(told)?;
        }
    }
    let ended = |(outcome, timed): (&Outcome, Timing)| {
        let ended = Timed {
            replay: timed.replay.cost().ok_or("no log was replayed")?,
            renames: timed.renames.into_iter().map(renames::Timed::cost).collect(),
            inserts: timed.inserts.into_iter().map(inserts::Timed::cost).collect(),
        };
        Ok((outcome.row.name.clone(), ended))
    };
    outcomes.iter().zip(timed).map(ended).collect()
}

#[cfg(test)]
mod tests {
    use experiment::Row;

    use super::*;

    const SMALL: &str = include_str!("../../../experiment/tests/small.toml");

    fn timed(text: &str) -> Timed {
        let outcome = experiment::run(&Row::parse("small", text).unwrap()).unwrap();
        let rounds = Rounds { steps: 1, replays: 1 };
        let times = measured(&[outcome], Clock::new(), rounds).unwrap();
        times.into_values().next().unwrap()
    }

    #[test]
    fn renames_are_timed_where_nobody_renamed_before() {
        let plain = timed(SMALL.split("\n[renames]").next().unwrap());
        let steps: Vec<u32> = plain.renames.iter().map(|cost| cost.step).collect();
        assert_eq!(steps, [300, 600, 900, 1_200]);
        assert_eq!(plain.inserts.len(), 4);
        assert!(timed(SMALL).renames.is_empty());
    }
}
