//! A sweep as plots and reports need it: its rows by scenario and cell, with exact quantiles.
//!
//! Knows nothing of drawing. Invariant: the cells stand as the plan has them, the rows of a cell in the
//! order of the sweep, and `latencies` are sorted.

use std::collections::BTreeMap;

use results::{
    Failure, Plan, Tally, Timeline,
    store::{self, Chunk, StoreError},
};

/// A span that every run has, by which sweeps are drawn and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// The column of `results` that holds it.
    pub column: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// What it spans, to stand after "time".
    pub spans: &'static str,
}

/// What sweeps can be drawn by; the first where nothing is said.
pub const MEASURES: &[Measure] = &[
    Measure {
        column: "convergence_max_nanos",
        name: "convergence latency",
        spans: "from publication until the last node runs it",
    },
    Measure {
        column: "convergence_p99_nanos",
        name: "convergence latency of 99 % of nodes",
        spans: "from publication until 99 % of nodes run it",
    },
    Measure {
        column: "convergence_p90_nanos",
        name: "convergence latency of 90 % of nodes",
        spans: "from publication until 90 % of nodes run it",
    },
    Measure {
        column: "convergence_p50_nanos",
        name: "convergence latency of half of the nodes",
        spans: "from publication until half of the nodes run it",
    },
    Measure {
        column: "pause_max_nanos",
        name: "longest pause",
        spans: "for which a switch kept a node from its messages",
    },
    Measure {
        column: "causal_stable_p50_nanos",
        name: "stability latency of half of the operations",
        spans: "from when half of the operations are issued until their origins know that all have them",
    },
    Measure {
        column: "causal_stable_p99_nanos",
        name: "stability latency of 99 % of operations",
        spans: "from when 99 % of operations are issued until their origins know that all have them",
    },
];

/// A sweep as plots need it.
#[derive(Clone, Debug)]
pub struct Digest {
    /// What was run.
    pub plan: Plan,
    /// What [`Cell::latencies`] are.
    pub measure: Measure,
    /// Its scenarios, as the plan has them.
    pub scenarios: Vec<Scenario>,
    /// Kinds of failures, the most frequent first.
    pub kinds: Vec<Kind>,
    /// Where the sweep was ended early: how many jobs were done, of how many.
    pub ended_early: Option<(u64, u64)>,
}

/// A scenario of a sweep.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// The path it was read from.
    pub path: String,
    /// What it claims.
    pub about: String,
    /// The axes of its grid; none where there is no grid.
    pub axes: Vec<Axis>,
    /// Its cells; one without a name where there is no grid.
    pub cells: Vec<Cell>,
}

/// An axis of a grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The last part of its key, such as `loss`.
    pub name: String,
    /// Its values, in the order of the plan.
    pub values: Vec<String>,
}

/// The runs of a scenario at one point of its grid.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// Its name; empty where there is no grid.
    pub name: String,
    /// What the axes are set to: whole key and value.
    pub settings: Vec<(String, String)>,
    /// By axis: which of its values.
    pub at: Vec<usize>,
    /// Its runs, in the order of the sweep.
    pub rows: Vec<Row>,
    /// Runs that did not come out as expected.
    pub failed: u64,
    /// Whether the scenario wants its runs to violate something.
    pub canary: bool,
    /// The measure of the runs that have one, ascending: a run in which no node switched has none, nor has
    /// one that a violation ended which nobody expected.
    pub latencies: Vec<u64>,
    /// What its runs came to.
    pub tally: Tally,
    /// How its first run went.
    pub timeline: Option<Timeline>,
}

/// A run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Its seed.
    pub seed: u64,
    /// The measure; 0 where it has none.
    pub latency: u64,
    /// Whether it came out otherwise than expected.
    pub failed: bool,
}

/// Failures that are taken for one bug.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Their signature.
    pub signature: String,
    /// How many runs.
    pub runs: u64,
    /// In which scenarios, by their place in [`Digest::scenarios`], and how often.
    pub scenarios: BTreeMap<usize, u64>,
    /// The first run of this kind: scenario, cell, seed.
    pub first: (usize, usize, u64),
    /// The shortest run that shows it, where the sweep kept its story.
    pub example: Option<Failure>,
}

/// Why a sweep cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum DigestError {
    /// No such measure.
    #[error("no column `{asked}` to draw by; expected one of {}", measures())]
    UnknownMeasure {
        /// What was asked for.
        asked: String,
    },
    /// The files of the sweep are damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The plan and the rows are not of one sweep.
    #[error(
        "{folder}: a row is of scenario `{scenario}` at `{cell}`, which plan.json does not have; expected the rows of that plan"
    )]
    Unplanned {
        /// The folder.
        folder: String,
        /// The scenario of the row.
        scenario: String,
        /// Its cell.
        cell: String,
    },
    /// There is nothing to draw.
    #[error("{folder}: the sweep has no runs; expected at least one")]
    Empty {
        /// The folder.
        folder: String,
    },
}

fn measures() -> String {
    MEASURES.iter().map(|measure| measure.column).collect::<Vec<_>>().join(", ")
}

/// The measure whose column is `column`.
pub fn measure(column: &str) -> Result<Measure, DigestError> {
    let found = MEASURES.iter().find(|measure| measure.column == column);
    found.copied().ok_or_else(|| DigestError::UnknownMeasure { asked: column.to_owned() })
}

fn ended_early(rows: &store::RowReader) -> Option<(u64, u64)> {
    let number = |note| rows.note(note).and_then(|text| text.parse().ok());
    let (done, planned) = (number(store::JOBS_NOTE)?, number(store::PLANNED_NOTE)?);
    (done < planned).then_some((done, planned))
}

impl Digest {
    /// Reads the rows of `sweep`.
    pub fn read(sweep: store::Sweep, measure: Measure) -> Result<Self, DigestError> {
        let folder = sweep.folder.display().to_string();
        let mut digest = Self {
            scenarios: scenarios(&sweep.plan),
            plan: sweep.plan,
            measure,
            kinds: Vec::new(),
            ended_early: ended_early(&sweep.rows),
        };
        let mut places = BTreeMap::new();
        for (index, scenario) in digest.scenarios.iter().enumerate() {
            for (number, cell) in scenario.cells.iter().enumerate() {
                places.insert((scenario.name.clone(), cell.name.clone()), (index, number));
            }
        }
        let mut kinds = BTreeMap::new();
        let columns =
            ["scenario", "cell", "seed", "outcome", "as_expected", "signature", measure.column];
        for chunk in sweep.rows.scan(&columns)? {
            digest.take(&chunk?, &places, &mut kinds, &folder)?;
        }
        if digest.runs() == 0 {
            return Err(DigestError::Empty { folder });
        }
        for tally in sweep.tallies {
            if let Some(cell) = digest.cell(&places, &tally.scenario, &tally.cell) {
                cell.tally = tally;
            }
        }
        for timeline in sweep.timelines {
            if let Some(cell) = digest.cell(&places, &timeline.scenario, &timeline.cell) {
                cell.timeline = Some(timeline);
            }
        }
        for cell in digest.scenarios.iter_mut().flat_map(|scenario| &mut scenario.cells) {
            cell.latencies =
                cell.rows.iter().map(|row| row.latency).filter(|span| *span > 0).collect();
            cell.latencies.sort_unstable();
        }
        digest.kinds = ordered(kinds, sweep.failures);
        Ok(digest)
    }

    /// Runs.
    pub fn runs(&self) -> u64 {
        self.scenarios.iter().map(Scenario::runs).sum()
    }

    /// Runs that did not come out as expected.
    pub fn failed(&self) -> u64 {
        self.scenarios.iter().map(Scenario::failed).sum()
    }

    fn cell(
        &mut self,
        places: &BTreeMap<(String, String), (usize, usize)>,
        scenario: &str,
        cell: &str,
    ) -> Option<&mut Cell> {
        let (scenario, cell) = *places.get(&(scenario.to_owned(), cell.to_owned()))?;
        Some(&mut self.scenarios[scenario].cells[cell])
    }

    fn take(
        &mut self,
        chunk: &Chunk,
        places: &BTreeMap<(String, String), (usize, usize)>,
        kinds: &mut BTreeMap<String, Kind>,
        folder: &str,
    ) -> Result<(), DigestError> {
        let (scenarios, cells) = (chunk.texts("scenario"), chunk.texts("cell"));
        let (outcomes, signatures) = (chunk.texts("outcome"), chunk.texts("signature"));
        let (seeds, spans) = (chunk.numbers("seed"), chunk.numbers(self.measure.column));
        let expected = chunk.flags("as_expected");
        let mut last = None;
        for row in 0..chunk.rows {
            let key = (scenarios.index[row], cells.index[row]);
            let place = match last {
                Some((before, place)) if before == key => place,
                _ => {
                    let name = (scenarios.get(row).to_owned(), cells.get(row).to_owned());
                    *places.get(&name).ok_or_else(|| DigestError::Unplanned {
                        folder: folder.to_owned(),
                        scenario: name.0.clone(),
                        cell: name.1.clone(),
                    })?
                }
            };
            last = Some((key, place));
            let failed = !expected[row];
            let violates = outcomes.get(row) == "violates";
            let ended_early = failed && violates;
            let latency = if ended_early { 0 } else { spans[row] };
            let cell = &mut self.scenarios[place.0].cells[place.1];
            cell.canary |= violates && !failed;
            cell.rows.push(Row { seed: seeds[row], latency, failed });
            if failed {
                cell.failed += 1;
                let signature = signatures.get(row);
                let kind = kinds.entry(signature.to_owned()).or_insert_with(|| Kind {
                    signature: signature.to_owned(),
                    runs: 0,
                    scenarios: BTreeMap::new(),
                    first: (place.0, place.1, seeds[row]),
                    example: None,
                });
                kind.runs += 1;
                *kind.scenarios.entry(place.0).or_default() += 1;
            }
        }
        Ok(())
    }
}

impl Scenario {
    /// Runs.
    pub fn runs(&self) -> u64 {
        self.cells.iter().map(Cell::runs).sum()
    }

    /// Runs that did not come out as expected.
    pub fn failed(&self) -> u64 {
        self.cells.iter().map(|cell| cell.failed).sum()
    }

    /// The measure over all cells, ascending.
    pub fn latencies(&self) -> Vec<u64> {
        let mut all: Vec<u64> =
            self.cells.iter().flat_map(|cell| cell.latencies.iter().copied()).collect();
        all.sort_unstable();
        all
    }

    /// What all runs came to.
    pub fn tally(&self) -> Tally {
        let mut sum = Tally { scenario: self.name.clone(), ..Tally::default() };
        for cell in &self.cells {
            let of_all =
                Tally { scenario: self.name.clone(), cell: String::new(), ..cell.tally.clone() };
            sum.add(&of_all);
        }
        sum
    }
}

impl Cell {
    /// Runs.
    pub fn runs(&self) -> u64 {
        self.rows.len() as u64
    }
}

/// The value that `permille` thousandths of `sorted` do not exceed: the nearest rank, so one that is there.
pub fn quantile(sorted: &[u64], permille: u64) -> Option<u64> {
    let rank = (sorted.len() as u64 * permille).div_ceil(1_000).max(1);
    sorted.get(rank as usize - 1).copied()
}

fn scenarios(plan: &Plan) -> Vec<Scenario> {
    let each = plan.scenarios.iter().map(|planned| {
        let mut axes: Vec<Axis> = Vec::new();
        let mut cells = Vec::new();
        for cell in &planned.cells {
            let at = cell.settings.iter().enumerate().map(|(number, (key, value))| {
                let name = key.rsplit('.').next().unwrap_or(key);
                if axes.len() <= number {
                    axes.push(Axis { name: name.to_owned(), values: Vec::new() });
                }
                let values = &mut axes[number].values;
                values.iter().position(|one| one == value).unwrap_or_else(|| {
                    values.push(value.clone());
                    values.len() - 1
                })
            });
            let at = at.collect();
            let settings = cell.settings.clone();
            cells.push(Cell { name: cell.name(), settings, at, ..Cell::default() });
        }
        if cells.is_empty() {
            cells.push(Cell::default());
        }
        Scenario {
            name: planned.name.clone(),
            path: planned.path.clone(),
            about: planned.about.clone(),
            axes,
            cells,
        }
    });
    each.collect()
}

fn ordered(mut kinds: BTreeMap<String, Kind>, failures: Vec<Failure>) -> Vec<Kind> {
    for failure in failures {
        let Some(kind) = kinds.get_mut(&failure.signature) else { continue };
        let shorter = |kept: &Failure| failure.datagrams < kept.datagrams;
        if kind.example.as_ref().is_none_or(shorter) {
            kind.example = Some(failure);
        }
    }
    let mut kinds: Vec<Kind> = kinds.into_values().collect();
    kinds.sort_by(|one, two| two.runs.cmp(&one.runs).then(one.signature.cmp(&two.signature)));
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn rows_come_to_their_cells() {
        let digest = testing::digest(60);
        let major = &digest.scenarios[0];
        assert_eq!(major.axes[0].values, ["0%", "5%", "20%"]);
        assert_eq!(major.cells.len(), 6);
        assert_eq!(major.cells[5].at, [2, 1]);
        assert!(major.cells.iter().all(|cell| cell.runs() == 60));
        assert_eq!(digest.runs(), 60 * 7);
    }

    #[test]
    fn a_run_that_broke_off_has_no_latency() {
        let digest = testing::digest(400);
        let failed = digest.failed();
        let with: u64 = digest.scenarios.iter().map(|one| one.latencies().len() as u64).sum();
        assert!(failed > 0, "the sweep has failures");
        assert_eq!(with, digest.runs() - failed);
        assert_eq!(digest.kinds.iter().map(|kind| kind.runs).sum::<u64>(), failed);
        assert!(digest.kinds[0].runs >= digest.kinds[1].runs);
    }

    #[test]
    fn quantiles_are_values_that_are_there() {
        let sorted: Vec<u64> = (1..=100).collect();
        assert_eq!(
            [500, 990, 999, 1_000].map(|part| quantile(&sorted, part)),
            [Some(50), Some(99), Some(100), Some(100)]
        );
        assert_eq!(quantile(&[7], 1), Some(7));
        assert_eq!(quantile(&[], 500), None);
    }

    #[test]
    fn a_measure_that_is_none_is_named() {
        let error = measure("latency").unwrap_err().to_string();
        assert!(
            error.starts_with("no column `latency` to draw by; expected one of convergence_max")
        );
    }
}
