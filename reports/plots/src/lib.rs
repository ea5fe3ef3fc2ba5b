//! Draws what runs and sweeps wrote: plots, the report of a sweep, the space-time diagram of a run.
//!
//! Reads `results` and nothing else, so that last year's file still draws. Knows nothing of scenarios or
//! protocols. Invariant: the same results give the same bytes.

mod adoption;
#[cfg(test)]
mod browser;
mod canvas;
mod catalogue;
mod compare;
mod digest;
mod ecdf;
mod export;
mod frame;
mod heatmap;
mod held;
mod ink;
mod overview;
mod report;
mod scale;
pub mod statistics;
#[cfg(test)]
mod testing;
mod units;
mod view;
mod windows;

pub use canvas::{Canvas, Plot, png, svg};
pub use catalogue::{Entry, Of, PLOTS};
pub use compare::{
    COMPARE_TEMPLATE, Change, CompareError, Compared, Comparison, LEVEL, Latency, Origin, Rates,
    compare, compare_page,
};
pub use digest::{
    Axis, Cell, Digest, DigestError, Kind, MEASURES, Measure, Row, Scenario, measure, quantile,
};
pub use export::{Exported, Viewer, export};
pub use report::{TEMPLATE, TemplateError, report, report_by};
pub use units::count;
pub use view::page;
