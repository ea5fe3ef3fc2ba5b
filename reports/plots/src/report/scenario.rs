//! What a report says of one scenario.

use serde::Serialize;

use super::{
    Picture, repeat,
    verdict::{Standing, words},
};
use crate::{
    adoption::Adoption,
    digest::{Cell, Digest, Scenario, quantile},
    ecdf::{Ecdf, Key, Look},
    heatmap::{Heatmap, Quantity},
    held::Held,
    ink::DASHES,
    units::{count, counted, percent, span},
};

/// Plots of a grid with more than two axes that a report shows.
const FACETS_MAX: usize = 6;
/// Slowest runs that a report lists.
const SLOWEST: usize = 5;

#[derive(Serialize)]
pub(crate) struct Section {
    id: String,
    name: String,
    about: String,
    path: String,
    standing: Standing,
    runs: String,
    failed: u64,
    p50: String,
    p99: String,
    max: String,
    ecdfs: Vec<Picture>,
    ecdfs_left_out: usize,
    cells: Vec<CellRow>,
    has_grid: bool,
    /// Why some runs have no line, in words; empty where all have.
    without: String,
    heatmaps: Vec<Picture>,
    timelines: Vec<Example>,
    injectors: Vec<Injector>,
    goals: Vec<Goal>,
    bounds: Vec<BoundRow>,
    slowest: Vec<Slow>,
}

/// A row of the table of percentiles.
#[derive(Serialize)]
struct CellRow {
    name: String,
    /// The colour of its line, and its dashes.
    series: usize,
    dashes: String,
    runs: String,
    failed: u64,
    failed_share: String,
    spans: Vec<String>,
}

/// One run over time.
#[derive(Serialize)]
struct Example {
    caption: String,
    adoption: Option<Picture>,
    held: Option<Picture>,
    repeat: String,
}

#[derive(Serialize)]
struct Injector {
    name: String,
    configured: String,
    attempted: String,
    took_effect: String,
    share: String,
    inert: bool,
}

#[derive(Serialize)]
struct Goal {
    name: String,
    runs: String,
    share: String,
    wanted: bool,
    missing: bool,
}

/// A bound that the scenario states.
#[derive(Serialize)]
struct BoundRow {
    name: String,
    cell: String,
    limit: String,
    within: String,
    wanted: String,
    exceeded: bool,
}

#[derive(Serialize)]
struct Slow {
    span: String,
    cell: String,
    seed: u64,
    repeat: String,
}

impl Section {
    pub(crate) fn of(digest: &Digest, scenario: &Scenario, number: usize) -> Self {
        let id = format!("s{number}");
        let all = scenario.latencies();
        let at = |permille| quantile(&all, permille).map_or_else(|| "–".to_owned(), span);
        let mut ecdfs = Ecdf::of(digest, scenario, Key::Beside);
        let ecdfs_left_out = ecdfs.len().saturating_sub(FACETS_MAX);
        ecdfs.truncate(FACETS_MAX);
        let ecdfs = ecdfs
            .iter()
            .enumerate()
            .map(|(index, plot)| Picture::new(plot, &format!("{id}-ecdf{index}"), plot.caption()));
        Self {
            name: scenario.name.clone(),
            about: scenario.about.clone(),
            path: scenario.path.clone(),
            standing: Standing::of(scenario),
            runs: count(scenario.runs()),
            failed: scenario.failed(),
            p50: at(500),
            p99: at(990),
            max: at(1_000),
            ecdfs: ecdfs.collect(),
            ecdfs_left_out,
            cells: scenario.cells.iter().map(row).collect(),
            has_grid: !scenario.axes.is_empty(),
            without: without(scenario, all.len() as u64),
            heatmaps: heatmaps(digest, scenario, &id),
            timelines: timelines(scenario, &id),
            injectors: injectors(scenario),
            goals: goals(scenario),
            bounds: bounds(scenario),
            slowest: slowest(scenario),
            id,
        }
    }
}

fn row(cell: &Cell) -> CellRow {
    let look = Look::of(&cell.at);
    let at = |permille| quantile(&cell.latencies, permille).map_or_else(|| "–".to_owned(), span);
    let dashes = DASHES[look.dash].iter().map(f64::to_string).collect::<Vec<_>>().join(" ");
    CellRow {
        name: if cell.name.is_empty() { "all runs".into() } else { cell.name.clone() },
        series: look.series,
        dashes,
        runs: count(cell.runs()),
        failed: cell.failed,
        failed_share: percent(cell.failed, cell.runs()),
        spans: [500, 900, 990, 999, 1_000].map(at).into(),
    }
}

fn without(scenario: &Scenario, with: u64) -> String {
    let without = scenario.runs() - with;
    match without {
        0 => String::new(),
        _ => format!(
            "{} without a latency: a violation ended them, or no node switched.",
            counted(without, "run")
        ),
    }
}

fn heatmaps(digest: &Digest, scenario: &Scenario, id: &str) -> Vec<Picture> {
    let each = [(Quantity::P99, "p99"), (Quantity::FailureRate, "rate")];
    let plots = each.into_iter().filter_map(|(quantity, name)| {
        let plot = Heatmap::of(digest, scenario, quantity)?;
        Some(Picture::new(&plot, &format!("{id}-{name}"), plot.caption()))
    });
    plots.collect()
}

/// The first runs of the first cell and of that with the slowest runs.
fn timelines(scenario: &Scenario, id: &str) -> Vec<Example> {
    let worst = scenario
        .cells
        .iter()
        .enumerate()
        .max_by_key(|(index, cell)| (quantile(&cell.latencies, 990), std::cmp::Reverse(*index)))
        .map_or(0, |(index, _)| index);
    let mut shown = vec![0];
    if worst != 0 {
        shown.push(worst);
    }
    let each = shown.into_iter().filter_map(|index| {
        let cell = &scenario.cells[index];
        let timeline = cell.timeline.as_ref()?;
        let place = match (&*cell.name, index) {
            ("", _) => String::new(),
            (name, 0) => format!(" at {name}, the first point of the grid"),
            (name, _) => format!(" at {name}, the slowest point of the grid"),
        };
        let adoption = Adoption::of(timeline).map(|plot| {
            let mut caption = "Share of the fleet at each release".to_owned();
            if !timeline.windows.is_empty() {
                caption += "; faults above";
            }
            if (1..timeline.ended_nanos).contains(&timeline.safety_ended_nanos) {
                caption += "; dotted where the network becomes well for good";
            }
            Picture::new(&plot, &format!("{id}-adoption{index}"), caption + ".")
        });
        let held = Held::of(timeline).map(|plot| {
            let mut caption = "Messages held for a newer release".to_owned();
            if !timeline.windows.is_empty() {
                caption += "; shaded while any fault lasts";
            }
            Picture::new(&plot, &format!("{id}-held{index}"), caption + ".")
        });
        (adoption.is_some() || held.is_some()).then(|| Example {
            caption: match held {
                Some(_) => format!("Seed {}{place}.", timeline.seed),
                None => format!("Seed {}{place}; no message was held.", timeline.seed),
            },
            adoption,
            held,
            repeat: repeat(scenario, cell, timeline.seed),
        })
    });
    each.collect()
}

fn injectors(scenario: &Scenario) -> Vec<Injector> {
    let tally = scenario.tally();
    let inert: Vec<&str> = tally.inert().collect();
    let each = tally.injectors.iter().map(|(name, sum)| Injector {
        name: name.clone(),
        configured: count(sum.configured),
        attempted: count(sum.attempted),
        took_effect: count(sum.took_effect),
        share: percent(sum.took_effect, sum.attempted),
        inert: inert.contains(&&**name),
    });
    each.collect()
}

fn goals(scenario: &Scenario) -> Vec<Goal> {
    let tally = scenario.tally();
    let mut names: Vec<&String> = tally.wanted.iter().chain(tally.goals.keys()).collect();
    names.sort();
    names.dedup();
    // The wanted ones first: they decide.
    names.sort_by_key(|name| !tally.wanted.contains(name));
    let each = names.into_iter().map(|name| {
        let runs = tally.goals.get(name).copied().unwrap_or(0);
        let wanted = tally.wanted.contains(name);
        Goal {
            name: name.clone(),
            runs: count(runs),
            share: percent(runs, tally.runs),
            wanted,
            missing: wanted && runs == 0,
        }
    });
    each.collect()
}

fn bounds(scenario: &Scenario) -> Vec<BoundRow> {
    let each = scenario.cells.iter().flat_map(|cell| {
        cell.tally.bounds.iter().map(|(name, bound)| BoundRow {
            name: words(name),
            cell: cell.name.clone(),
            limit: span(bound.nanos),
            within: percent(bound.within, bound.of),
            wanted: percent(u64::from(bound.percent), 100),
            exceeded: !bound.holds(),
        })
    });
    each.collect()
}

fn slowest(scenario: &Scenario) -> Vec<Slow> {
    let mut rows = Vec::new();
    for cell in &scenario.cells {
        // Only what is as slow as the slowest of its cell can be among the slowest of all.
        let from = cell.latencies.len().saturating_sub(SLOWEST);
        let least = cell.latencies.get(from).copied().unwrap_or(u64::MAX);
        rows.extend(cell.rows.iter().filter(|row| row.latency >= least).map(|row| (row, cell)));
    }
    rows.sort_by_key(|(row, cell)| (std::cmp::Reverse(row.latency), &cell.name, row.seed));
    let slow = rows.into_iter().take(SLOWEST).map(|(row, cell)| Slow {
        span: span(row.latency),
        cell: cell.name.clone(),
        seed: row.seed,
        repeat: repeat(scenario, cell, row.seed),
    });
    slow.collect()
}
