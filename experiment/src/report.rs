//! What a row came to: what tables and plots are made of.

use std::collections::BTreeMap;

use crate::{
    fleet::Outcome,
    renames::{self, Rename},
    row::Row,
    sample::{COLUMNS, Sample, When},
    sizes::{self, Sizes},
};

/// The mean over all bots of what their replicas took up: of a moment that one of them did not come to, as where
/// the next rename came before former states were dropped, there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// Edits that a replica had seen.
    pub step: u32,
    /// When in that step.
    pub when: When,
    values: [f64; COLUMNS.len()],
}

impl Mean {
    /// The figure of one of [`COLUMNS`].
    pub fn get(&self, column: &str) -> f64 {
        let at = COLUMNS.iter().position(|name| *name == column);
        self.values[at.expect("a column's name")]
    }
}

/// What one run of a row came to, the same on every machine.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was run.
    pub row: Row,
    /// Of every event of the run.
    pub fingerprint: u128,
    /// How long it took, in nanoseconds of virtual time.
    pub virtual_nanos: u64,
    /// Renames that were taken in full, over all bots.
    pub asked: u64,
    /// In order of time.
    pub samples: Vec<Mean>,
    /// How long operations were.
    pub sizes: Sizes,
    /// Renames as the first bot delivered them; where nobody renames, what one would be at each step.
    pub renames: Vec<Rename>,
}

/// What all rows came to that were run, by name.
pub type Reports = BTreeMap<String, Report>;

fn means(samples: &[Vec<Sample>]) -> Vec<Mean> {
    let mut moments: BTreeMap<(u32, When), Vec<Option<&Sample>>> = BTreeMap::new();
    for (bot, sample) in
        samples.iter().enumerate().flat_map(|(bot, all)| all.iter().map(move |one| (bot, one)))
    {
        let of_bots = moments.entry((sample.step, sample.when));
        of_bots.or_insert_with(|| vec![None; samples.len()])[bot] = Some(sample);
    }
    let mean = |((step, when), of_bots): ((u32, When), Vec<Option<&Sample>>)| {
        let of_bots = of_bots.into_iter().collect::<Option<Vec<_>>>()?;
        let mut sums = [0.0; COLUMNS.len()];
        for sample in &of_bots {
            for (sum, value) in sums.iter_mut().zip(sample.values()) {
                *sum += value as f64;
            }
        }
        Some(Mean { step, when, values: sums.map(|sum| sum / of_bots.len() as f64) })
    };
    moments.into_iter().filter_map(mean).collect()
}

impl Report {
    /// What `outcome` came to.
    pub fn of(outcome: &Outcome) -> Self {
        Self {
            row: Row::clone(&outcome.row),
            fingerprint: outcome.fingerprint,
            virtual_nanos: outcome.virtual_nanos,
            asked: outcome.asked,
            samples: means(&outcome.samples),
            sizes: sizes::sizes(outcome),
            renames: renames::renames(outcome),
        }
    }

    /// The sample of a step.
    pub fn at(&self, step: u32, when: When) -> Option<&Mean> {
        self.samples.iter().find(|mean| mean.step == step && mean.when == when)
    }

    /// All samples of one kind.
    pub fn all(&self, when: When) -> impl Iterator<Item = &Mean> {
        self.samples.iter().filter(move |mean| mean.when == when)
    }
}

/// The share of the text that is left over beside it after the renames of each step: where former states
/// go at once, and where they went once that was announced.
pub fn left_over(report: &Report) -> [Vec<f64>; 2] {
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
        Report::of(&fleet::run(&Row::parse("small", text).unwrap()).unwrap())
    }

    #[test]
    fn a_mean_is_over_all_bots_or_there_is_none() {
        let mut outcome = fleet::run(&Row::parse("small", SMALL).unwrap()).unwrap();
        let mean = |outcome: &fleet::Outcome| Report::of(outcome).at(600, When::Renamed).copied();
        assert!(mean(&outcome).is_some());
        let twice = *outcome.samples[1].iter().find(|one| one.step == 600).unwrap();
        outcome.samples[2].retain(|one| (one.step, one.when) != (600, When::Renamed));
        // As many as there are bots, and not one of each.
        outcome.samples[1].push(Sample { when: When::Renamed, ..twice });
        assert_eq!(mean(&outcome), None);
        assert_eq!(Report::of(&outcome).all(When::Renamed).count(), 3);
    }

    #[test]
    fn a_report_is_the_same_again() {
        let (one, two) = (report(SMALL), report(SMALL));
        assert_eq!((&one.samples, &one.sizes), (&two.samples, &two.sizes));
        // Four steps, before and after their renames.
        assert_eq!(one.samples.len(), 8);
        assert_eq!(one.sizes.renames.bytes.count, 8);
    }

    #[test]
    fn renames_are_those_that_were_made_or_what_they_would_be() {
        let plain = report(SMALL.split("\n[renames]").next().unwrap());
        let steps: Vec<u32> = plain.renames.iter().map(|rename| rename.step).collect();
        assert_eq!(steps, [300, 600, 900, 1_200]);
        assert!(plain.renames.windows(2).all(|pair| pair[0].blocks < pair[1].blocks));
        let made = report(SMALL);
        let steps: Vec<u32> = made.renames.iter().map(|rename| rename.step).collect();
        assert_eq!(steps, [300, 300, 600, 600, 900, 900, 1_200, 1_200]);
        for rename in made.renames {
            let step = made.samples.iter().find(|mean| mean.step == rename.step).unwrap();
            assert_eq!(step.when, When::Before);
            // The replicas differ by what is under way.
            assert!((step.get("chars") - rename.chars as f64).abs() < 9.0, "{rename:?}");
            assert!(rename.short < rename.bytes && rename.blocks > 30, "{rename:?}");
        }
    }
}
