//! `simctl export`: a run as other viewers read it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Exit, Failure, aside, interrupt, result_file, view};
use crate::shell::{self, setting};

pub(super) const EXAMPLES: &str = "\
Examples:
  simctl export perfetto a.toml --seed 7      for ui.perfetto.dev
  simctl export chrome a.toml --out run.json  for chrome://tracing
  simctl export shiviz a.toml                 for bestchai.bitbucket.io/shiviz
  simctl export perfetto run.diagram          a run that was kept
  # what happened before what
  simctl export dot a.toml --out - | dot -Tsvg > causes.svg";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Which viewer.
    #[arg(value_enum)]
    viewer: Viewer,
    /// A scenario (`*.toml`), or a run that `--trace-format diagram` kept.
    run: PathBuf,
    /// The seed to run; 1 where nothing is said.
    #[arg(long)]
    seed: Option<u64>,
    /// Give a key of the scenario another value, as `simctl run --set` does; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
    /// Where to write; `-` is standard output. Named after scenario and seed where nothing is said.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Which viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Viewer {
    /// Perfetto: tracks, flows and counters as protobuf.
    Perfetto,
    /// Chrome's trace events as JSON, which many viewers read; Perfetto's own format says more.
    Chrome,
    /// ShiViz: events with vector clocks; for small runs.
    Shiviz,
    /// Graphviz: what happened before what; before the violation, where there is one.
    Dot,
}

impl Viewer {
    fn of(self) -> plots::Viewer {
        match self {
            Self::Perfetto => plots::Viewer::Perfetto,
            Self::Chrome => plots::Viewer::Chrome,
            Self::Shiviz => plots::Viewer::Shiviz,
            Self::Dot => plots::Viewer::Dot,
        }
    }

    /// What a file for it is called behind its name.
    fn ending(self) -> &'static str {
        match self {
            Self::Perfetto => "pftrace",
            Self::Chrome => "trace.json",
            Self::Shiviz => "shiviz.log",
            Self::Dot => "dot",
        }
    }
}

pub(super) fn carry_out(arguments: &Arguments) -> Result<Exit, Failure> {
    let Arguments { viewer, run, seed, set, out } = arguments;
    if let Some(out) = out {
        result_file::refuse("the export", out, &[run])?;
    }
    interrupt::cut_short(None);
    let Some(diagram) = view::diagram(run, *seed, set)? else { return Ok(Exit::Interrupted) };
    let exported = plots::export(&diagram, viewer.of());
    // What the diagram itself left out is told with the rest of it.
    for left_out in exported.left_out.iter().filter(|text| !diagram.left_out.contains(text)) {
        aside::note(&format!("left out, for there was too much: {left_out}\n"));
    }
    let scenario = shell::file_name(&diagram.scenario);
    let named = format!("{scenario}-seed-{}.{}", diagram.seed, viewer.ending());
    let out = out.clone().unwrap_or_else(|| PathBuf::from(named));
    view::write("the export", &out, &exported.bytes, &[&diagram])
}
