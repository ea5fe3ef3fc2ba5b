//! Two sweeps side by side: whether runs got slower or fail more often, by which test, and by how much.
//!
//! Scenarios are compared that both sweeps have, at the cells that both have. Where both ran the same seeds,
//! run is compared with run; otherwise sample with sample. Invariant: the same sweeps give the same answer.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    digest::{Cell, Digest, Row, Scenario, quantile},
    statistics::{
        Interval, Stratum, Tested, fisher, holm, mcnemar, quantile_ratio, rank_sum, signed_rank,
    },
};

mod page;
mod words;

pub use page::{COMPARE_TEMPLATE, compare_page};

/// A comparison may be wrong so often where nothing changed: in one of twenty comparisons, not tests.
pub const LEVEL: f64 = 0.05;

/// What two sweeps say of each other.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// [`results::FORMAT_VERSION`].
    pub format_version: u32,
    /// Whether any scenario got worse.
    pub worse: bool,
    /// What changed, in a sentence.
    pub sentence: String,
    /// The first sweep.
    pub before: Origin,
    /// The second sweep.
    pub after: Origin,
    /// The column of `results` that is compared.
    pub measure: &'static str,
    /// What it spans, after "time".
    pub spans: &'static str,
    /// [`LEVEL`].
    pub level: f64,
    /// By how much a span must change to count, as a share.
    pub tolerance: f64,
    /// The scenarios that both have, as the second sweep has them.
    pub scenarios: Vec<Compared>,
    /// Scenarios that only the first has.
    pub only_before: Vec<String>,
    /// Scenarios that only the second has.
    pub only_after: Vec<String>,
}

/// Where a sweep comes from.
#[derive(Clone, Debug, Serialize)]
pub struct Origin {
    /// Its folder.
    pub folder: String,
    /// Its build.
    pub build: String,
    /// Its seeds, as they were asked for.
    pub seeds: String,
    /// Its runs.
    pub runs: u64,
}

/// A scenario in both sweeps.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// What is to be said of it.
    pub sentence: String,
    /// Whether it got slower or fails more often.
    pub worse: bool,
    /// Whether run was compared with run.
    pub paired: bool,
    /// Whether its text is another one than before.
    pub rewritten: bool,
    /// Cells that both have.
    pub cells: u64,
    /// Cells that only one has: not compared.
    pub cells_left_out: u64,
    /// Its latency; absent where one of the sweeps has none.
    pub latency: Option<Latency>,
    /// How often it fails.
    pub failures: Rates,
}

/// How the latency of a scenario changed.
#[derive(Clone, Debug, Serialize)]
pub struct Latency {
    /// Which way.
    pub change: Change,
    /// Runs with a latency, or pairs of them.
    pub runs: (u64, u64),
    /// Pairs that differ; absent where runs were not paired.
    pub differing: Option<u64>,
    /// The median, before and after.
    pub p50_nanos: (u64, u64),
    /// The 99th percentile, before and after.
    pub p99_nanos: (u64, u64),
    /// How many times as long the typical run takes: the median over pairs that differ, or the ratio of
    /// medians.
    pub typical_ratio: f64,
    /// The ratio of the 99th percentiles, with an interval that holds for all scenarios at once.
    pub p99_ratio: Interval,
    /// The test of the typical run.
    pub tested: Tested,
    /// Its chance, after Holm's correction over all tests of the comparison.
    pub p_corrected: f64,
}

/// How the share of failures of a scenario changed.
#[derive(Clone, Debug, Serialize)]
pub struct Rates {
    /// Which way.
    pub change: Change,
    /// Runs that failed, before and after.
    pub failed: (u64, u64),
    /// Runs, before and after.
    pub runs: (u64, u64),
    /// The test.
    pub tested: Tested,
    /// Its chance, after Holm's correction over all tests of the comparison.
    pub p_corrected: f64,
}

/// Which way something changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Slower, or more failures.
    Worse,
    /// Faster, or fewer failures.
    Better,
    /// Nothing that is sure.
    None,
}

/// Sweeps cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// They have nothing in common.
    #[error(
        "{before} and {after} have no scenario in common at a point of the grid that both ran; expected two sweeps of the same scenarios"
    )]
    NothingInCommon {
        /// The folder of the first.
        before: String,
        /// The folder of the second.
        after: String,
    },
}

/// The cells of a scenario that both sweeps have runs of.
struct Common<'a> {
    before: &'a Scenario,
    after: &'a Scenario,
    cells: Vec<(&'a Cell, &'a Cell)>,
    paired: bool,
}

/// Compares `before` with `after`. A span counts as changed where it is surely so, and by more than the share
/// `tolerance`.
pub fn compare(
    before: (&str, &Digest),
    after: (&str, &Digest),
    tolerance: f64,
) -> Result<Comparison, CompareError> {
    assert_eq!(before.1.measure, after.1.measure, "the same is compared");
    let mut common = Vec::new();
    for scenario in &after.1.scenarios {
        let earlier = before.1.scenarios.iter().find(|one| one.name == scenario.name);
        common.extend(earlier.and_then(|earlier| Common::of(earlier, scenario)));
    }
    if common.is_empty() {
        let (before, after) = (before.0.to_owned(), after.0.to_owned());
        return Err(CompareError::NothingInCommon { before, after });
    }
    let confidence = 1.0 - LEVEL / common.len() as f64;
    let mut scenarios: Vec<Compared> =
        common.iter().map(|one| one.compared(confidence, before.1, after.1)).collect();
    correct(&mut scenarios);
    for scenario in &mut scenarios {
        scenario.judge(tolerance);
    }
    let only = |one: &Digest, other: &Digest| -> Vec<String> {
        let names: BTreeSet<&String> = other.scenarios.iter().map(|one| &one.name).collect();
        let names = one.scenarios.iter().map(|one| &one.name).filter(|name| !names.contains(name));
        names.cloned().collect()
    };
    Ok(Comparison {
        format_version: results::FORMAT_VERSION,
        worse: scenarios.iter().any(|scenario| scenario.worse),
        sentence: words::sentence(&scenarios),
        before: Origin::of(before),
        after: Origin::of(after),
        measure: after.1.measure.column,
        spans: after.1.measure.spans,
        level: LEVEL,
        tolerance,
        only_before: only(before.1, after.1),
        only_after: only(after.1, before.1),
        scenarios,
    })
}

impl Origin {
    fn of((folder, digest): (&str, &Digest)) -> Self {
        Self {
            folder: folder.to_owned(),
            build: digest.plan.build.clone(),
            seeds: digest.plan.seed_base.clone(),
            runs: digest.runs(),
        }
    }
}

impl<'a> Common<'a> {
    /// `None` where no cell has runs in both.
    fn of(before: &'a Scenario, after: &'a Scenario) -> Option<Self> {
        let cells = after.cells.iter().filter_map(|cell| {
            let earlier = before.cells.iter().find(|one| one.name == cell.name)?;
            (cell.runs() > 0 && earlier.runs() > 0).then_some((earlier, cell))
        });
        let cells: Vec<_> = cells.collect();
        let seeds = |cell: &Cell| cell.rows.iter().map(|row| row.seed).collect::<BTreeSet<u64>>();
        let paired = cells.iter().all(|(one, two)| seeds(one) == seeds(two));
        (!cells.is_empty()).then_some(Self { before, after, cells, paired })
    }

    fn compared(&self, confidence: f64, before: &Digest, after: &Digest) -> Compared {
        let hash = |digest: &Digest| {
            let planned = digest.plan.scenarios.iter().find(|one| one.name == self.after.name);
            planned.map(|planned| planned.hash.clone())
        };
        let left_out = self.before.cells.len() + self.after.cells.len() - 2 * self.cells.len();
        Compared {
            name: self.after.name.clone(),
            sentence: String::new(),
            worse: false,
            paired: self.paired,
            rewritten: hash(before) != hash(after),
            cells: self.cells.len() as u64,
            cells_left_out: left_out as u64,
            latency: self.latency(confidence),
            failures: self.failures(),
        }
    }

    /// The same seed at the same cell in both sweeps.
    fn pairs(&self) -> Vec<(Row, Row)> {
        let mut pairs = Vec::new();
        for (before, after) in &self.cells {
            let earlier: BTreeMap<u64, &Row> =
                before.rows.iter().map(|row| (row.seed, row)).collect();
            let later: BTreeMap<u64, &Row> = after.rows.iter().map(|row| (row.seed, row)).collect();
            pairs
                .extend(later.iter().filter_map(|(seed, row)| Some((**earlier.get(seed)?, **row))));
        }
        pairs
    }

    fn latency(&self, confidence: f64) -> Option<Latency> {
        let pool = |side: fn(&(&'a Cell, &'a Cell)) -> &'a Cell| {
            let mut all: Vec<u64> =
                self.cells.iter().flat_map(|pair| side(pair).latencies.iter().copied()).collect();
            all.sort_unstable();
            all
        };
        let (mut before, mut after) = (pool(|pair| pair.0), pool(|pair| pair.1));
        let (mut differing, mut typical_ratio) = (None, None);
        let tested = if self.paired {
            let pairs = self.pairs();
            let spans: Vec<(u64, u64)> = pairs
                .iter()
                .map(|(before, after)| (before.latency, after.latency))
                .filter(|(before, after)| *before > 0 && *after > 0)
                .collect();
            (before, after) = spans.iter().copied().unzip();
            before.sort_unstable();
            after.sort_unstable();
            let mut ratios: Vec<f64> = spans
                .iter()
                .filter(|(before, after)| before != after)
                .map(|(before, after)| *after as f64 / *before as f64)
                .collect();
            ratios.sort_by(f64::total_cmp);
            differing = Some(ratios.len() as u64);
            typical_ratio = Some(ratios.get(ratios.len() / 2).copied().unwrap_or(1.0));
            // Ratios, not differences: a cell of slow runs must not outweigh the others.
            let steps: Vec<i64> = ratios.iter().map(|ratio| (ratio.ln() * 1e12) as i64).collect();
            signed_rank(&steps)
        } else {
            let strata: Vec<Stratum> = self
                .cells
                .iter()
                .map(|(before, after)| Stratum {
                    before: before.latencies.clone(),
                    after: after.latencies.clone(),
                })
                .collect();
            rank_sum(&strata)
        };
        let at = |permille| Some((quantile(&before, permille)?, quantile(&after, permille)?));
        let p50_nanos = at(500)?;
        Some(Latency {
            change: Change::None,
            runs: (before.len() as u64, after.len() as u64),
            differing,
            p50_nanos,
            p99_nanos: at(990)?,
            typical_ratio: typical_ratio
                .unwrap_or_else(|| p50_nanos.1 as f64 / p50_nanos.0.max(1) as f64),
            p99_ratio: quantile_ratio(&before, &after, 990, confidence)?,
            tested,
            p_corrected: 1.0,
        })
    }

    fn failures(&self) -> Rates {
        let sum = |side: fn(&(&'a Cell, &'a Cell)) -> &'a Cell| {
            let sum = |(failed, runs): (u64, u64), cell: &Cell| {
                (failed + cell.failed, runs + cell.runs())
            };
            self.cells.iter().map(side).fold((0, 0), sum)
        };
        let (before, after) = (sum(|pair| pair.0), sum(|pair| pair.1));
        let tested = if self.paired {
            let pairs = self.pairs();
            let count =
                |only: fn(&(Row, Row)) -> bool| pairs.iter().filter(|pair| only(pair)).count();
            let worse = count(|(before, after)| !before.failed && after.failed) as u64;
            let better = count(|(before, after)| before.failed && !after.failed) as u64;
            mcnemar(worse, better)
        } else {
            fisher((before.0, after.0), (before.1, after.1))
        };
        Rates {
            change: Change::None,
            failed: (before.0, after.0),
            runs: (before.1, after.1),
            tested,
            p_corrected: 1.0,
        }
    }
}

/// Holm's correction over all tests of a comparison.
fn correct(scenarios: &mut [Compared]) {
    let mut chances: Vec<f64> = Vec::new();
    for scenario in scenarios.iter() {
        chances.extend(scenario.latency.as_ref().map(|latency| latency.tested.p));
        chances.push(scenario.failures.tested.p);
    }
    let mut corrected = holm(&chances).into_iter();
    let mut next = || corrected.next().expect("one for each chance");
    for scenario in scenarios {
        if let Some(latency) = &mut scenario.latency {
            latency.p_corrected = next();
        }
        scenario.failures.p_corrected = next();
    }
}

impl Compared {
    /// Says what changed, once chances are corrected.
    fn judge(&mut self, tolerance: f64) {
        let more = 1.0 + tolerance;
        if let Some(latency) = &mut self.latency {
            let sure = latency.p_corrected < LEVEL;
            let (typical, tail) = (latency.typical_ratio, latency.p99_ratio);
            latency.change = if (sure && typical > more) || tail.low > more {
                Change::Worse
            } else if (sure && typical < 1.0 / more) || tail.high < 1.0 / more {
                Change::Better
            } else {
                Change::None
            };
        }
        let rates = &mut self.failures;
        if rates.p_corrected < LEVEL {
            let share = |(failed, runs): (u64, u64)| failed as f64 / runs as f64;
            let before = share((rates.failed.0, rates.runs.0));
            let after = share((rates.failed.1, rates.runs.1));
            rates.change = if after > before { Change::Worse } else { Change::Better };
        }
        let latency = self.latency.as_ref().map_or(Change::None, |latency| latency.change);
        self.worse = [latency, self.failures.change].contains(&Change::Worse);
        self.sentence = words::scenario(self);
    }
}

#[cfg(test)]
mod tests;
