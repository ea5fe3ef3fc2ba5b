//! What all rows came to: what tables and plots are made of.

use std::collections::BTreeMap;

use crate::{
    clock::Clock,
    fleet::Outcome,
    measure::{inserts, renames, replay, sizes},
    row::Row,
    sample::{COLUMNS, Sample, When},
};

/// How often each figure of time is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rounds {
    /// Renames and batches of inserts, at each step.
    pub(crate) steps: usize,
    /// Replays of the log.
    pub(crate) replays: usize,
}

/// The mean over all bots of what their replicas took up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mean {
    pub(crate) step: u32,
    pub(crate) when: When,
    values: [f64; COLUMNS.len()],
}

impl Mean {
    /// The figure of one of [`COLUMNS`].
    pub(crate) fn get(&self, column: &str) -> f64 {
        let at = COLUMNS.iter().position(|name| *name == column);
        self.values[at.expect("a column's name")]
    }
}

/// One row, run and measured.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) row: Row,
    pub(crate) fingerprint: u128,
    pub(crate) virtual_nanos: u64,
    /// Renames that were taken in full, over all bots.
    pub(crate) asked: u64,
    pub(crate) samples: Vec<Mean>,
    pub(crate) sizes: sizes::Sizes,
    pub(crate) replay: replay::Cost,
    /// Renames of the first bot's replica, where nobody renamed before.
    pub(crate) renames: Vec<renames::Cost>,
    pub(crate) inserts: Vec<inserts::Cost>,
}

/// All rows that were run, by name.
pub(crate) type Reports = BTreeMap<String, Report>;

fn means(samples: &[Vec<Sample>]) -> Vec<Mean> {
    let mut sums: BTreeMap<(u32, When), (f64, [f64; COLUMNS.len()])> = BTreeMap::new();
    for sample in samples.iter().flatten() {
        let (count, sum) = sums.entry((sample.step, sample.when)).or_default();
        *count += 1.0;
        for (sum, value) in sum.iter_mut().zip(sample.values()) {
            *sum += value as f64;
        }
    }
    let mean = |((step, when), (count, sum)): ((u32, When), (f64, [f64; COLUMNS.len()]))| Mean {
        step,
        when,
        values: sum.map(|sum| sum / count),
    };
    sums.into_iter().map(mean).collect()
}

/// What is timed on one run.
#[derive(Debug)]
struct Timed {
    renames: Vec<renames::Timed>,
    inserts: Vec<inserts::Timed>,
    replay: replay::Timed,
}

impl Timed {
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
) -> Result<Reports, String> {
    let mut timed: Vec<Timed> = outcomes.iter().map(Timed::new).collect();
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
    let report = |(outcome, timed): (&Outcome, Timed)| {
        let report = Report {
            row: Row::clone(&outcome.row),
            fingerprint: outcome.fingerprint,
            virtual_nanos: outcome.virtual_nanos,
            asked: outcome.asked,
            samples: means(&outcome.samples),
            sizes: sizes::sizes(outcome),
            replay: timed.replay.cost().ok_or("no log was replayed")?,
            renames: timed.renames.into_iter().map(renames::Timed::cost).collect(),
            inserts: timed.inserts.into_iter().map(inserts::Timed::cost).collect(),
        };
        Ok((outcome.row.name.clone(), report))
    };
    outcomes.iter().zip(timed).map(report).collect()
}

impl Report {
    /// The sample of a step.
    pub(crate) fn at(&self, step: u32, when: When) -> Option<&Mean> {
        self.samples.iter().find(|mean| mean.step == step && mean.when == when)
    }

    /// All samples of one kind.
    pub(crate) fn all(&self, when: When) -> impl Iterator<Item = &Mean> {
        self.samples.iter().filter(move |mean| mean.when == when)
    }
}

/// The share of the text that is left over beside it after the renames of each step: where former states
/// go at once, and where they went once that was announced.
pub(crate) fn left_over(report: &Report) -> [Vec<f64>; 2] {
    let share = |bytes: &'static str| {
        move |mean: &Mean| (mean.get(bytes) - mean.get("chars")) / mean.get("chars")
    };
    let at_once = report.all(When::Renamed).map(share("bytes_collected")).collect();
    [at_once, report.all(When::Collected).map(share("bytes")).collect()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fleet, row::tests::SMALL};

    fn report(text: &str) -> Report {
        let outcome = fleet::run(&Row::parse("small", text).unwrap()).unwrap();
        let rounds = Rounds { steps: 1, replays: 1 };
        let reports = measured(&[outcome], Clock::new(), rounds).unwrap();
        reports.into_values().next().unwrap()
    }

    #[test]
    fn what_is_no_time_is_the_same_again() {
        let (one, two) = (report(SMALL), report(SMALL));
        assert_eq!((&one.samples, &one.sizes), (&two.samples, &two.sizes));
        // Four steps, before and after their renames.
        assert_eq!(one.samples.len(), 8);
        assert_eq!(one.sizes.renames.bytes.count, 8);
    }

    #[test]
    fn renames_are_timed_where_nobody_renamed_before() {
        let plain = report(SMALL.split("\n[renames]").next().unwrap());
        assert_eq!(
            plain.renames.iter().map(|cost| cost.step).collect::<Vec<_>>(),
            [300, 600, 900, 1_200]
        );
        assert_eq!(plain.inserts.len(), 4);
        assert!(plain.renames.windows(2).all(|pair| pair[0].blocks < pair[1].blocks));
        assert!(report(SMALL).renames.is_empty());
    }
}
