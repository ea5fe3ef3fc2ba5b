//! The plots of a sweep, by name.

use crate::{
    adoption::Adoption,
    canvas::Plot,
    digest::{Cell, Digest, Scenario},
    ecdf::{Ecdf, Key},
    heatmap::{Heatmap, Quantity},
    held::Held,
    overview::Overview,
};

/// A plot that can be asked for.
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// Of what it is drawn.
    pub of: Of,
}

/// Of what a plot is drawn; nothing comes of it where there is nothing to see.
pub enum Of {
    /// The whole sweep.
    Sweep(fn(&Digest) -> Option<Box<dyn Plot + '_>>),
    /// One scenario: as many plots as its grid needs.
    Scenario(fn(&Digest, &Scenario) -> Vec<Box<dyn Plot>>),
    /// One point of the grid of a scenario.
    Cell(fn(&Cell) -> Option<Box<dyn Plot + '_>>),
}

/// Every plot.
pub const PLOTS: &[Entry] = &[
    Entry {
        name: "overview",
        about: "median, 99th percentile and slowest run of every scenario on one axis",
        of: Of::Sweep(|digest| Overview::of(digest).map(boxed)),
    },
    Entry {
        name: "ecdf",
        about: "share of runs that converged within a time, a line for each cell of the grid",
        of: Of::Scenario(|digest, scenario| {
            Ecdf::of(digest, scenario, Key::Below)
                .into_iter()
                .map(|plot| Box::new(plot) as _)
                .collect()
        }),
    },
    Entry {
        name: "heatmap",
        about: "99th percentile of convergence latency over the first two axes of the grid",
        of: Of::Scenario(|digest, scenario| heatmap(digest, scenario, Quantity::P99)),
    },
    Entry {
        name: "failure-rate",
        about: "share of runs that failed over the first two axes of the grid",
        of: Of::Scenario(|digest, scenario| heatmap(digest, scenario, Quantity::FailureRate)),
    },
    Entry {
        name: "adoption",
        about: "share of the fleet at each release over the first run of a cell, with its faults",
        of: Of::Cell(|cell| cell.timeline.as_ref().and_then(Adoption::of).map(boxed)),
    },
    Entry {
        name: "held",
        about: "messages that wait for a newer release over the first run of a cell",
        of: Of::Cell(|cell| cell.timeline.as_ref().and_then(Held::of).map(boxed)),
    },
];

fn boxed<'a>(plot: impl Plot + 'a) -> Box<dyn Plot + 'a> {
    Box::new(plot)
}

fn heatmap(digest: &Digest, scenario: &Scenario, quantity: Quantity) -> Vec<Box<dyn Plot>> {
    Heatmap::of(digest, scenario, quantity).into_iter().map(|plot| Box::new(plot) as _).collect()
}
