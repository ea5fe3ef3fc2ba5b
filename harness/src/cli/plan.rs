//! `simctl plan`: fixes what a sweep runs, and divides it into shards.

use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use clap::Args;
use results::Plan;

use super::{
    Exit, Failure, aside,
    load::{self, Loaded},
    quoted, result_file, summary,
    words::counted,
};
use crate::sweep::{
    Trouble, corpus,
    plan::{self, Source},
    seeds::{SeedBase, SeedRange, Seeds},
};

pub(super) const EXAMPLES: &str = "\
Examples:
  simctl plan scenarios --seeds 0..1000000 --shards 64 --out plan.json
  # then, anywhere, with the shard's number from the engine's environment:
  simctl sweep --plan plan.json --shard auto --out DIR
  # and once all of them are done:
  simctl merge DIR";

/// Seeds of a sweep that nobody asked for in numbers and that no time limits.
const SEEDS: u64 = 1_000;
/// Seeds of a sweep that only time limits: more than any machine runs.
const SEEDS_OF_TIME: u64 = 1_000_000_000;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Scenario files, or folders of them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    seeds: AskedSeeds,
    /// How many shards: of 1 to 10 minutes each, and not more than 1,000 for Slurm's default limit.
    #[arg(long, default_value = "1")]
    shards: NonZeroU32,
    /// The file to write; `-` is standard output.
    #[arg(long, value_name = "FILE", default_value = "plan.json")]
    out: PathBuf,
}

/// Which seeds are run.
#[derive(Debug, Args)]
pub(super) struct AskedSeeds {
    /// Seeds, such as `0..100000`: from the first on, without the last. 0..1000 where nothing is said, and
    /// as many as there is time for with `simctl sweep --for`.
    #[arg(long, value_name = "FROM..TO", conflicts_with_all = ["seeds_from", "count"])]
    seeds: Option<SeedRange>,
    /// Where seeds begin: a commit's hash, the same for everyone, or `random`.
    #[arg(long, value_name = "COMMIT|random")]
    seeds_from: Option<SeedBase>,
    /// How many seeds from there; as many as of --seeds where nothing is said.
    #[arg(long, requires = "seeds_from")]
    count: Option<u64>,
}

impl AskedSeeds {
    /// The seeds; `timed`: time ends the sweep, not their number.
    pub(super) fn chosen(&self, timed: bool) -> Result<Seeds, Failure> {
        let many = if timed { SEEDS_OF_TIME } else { SEEDS };
        match (&self.seeds, &self.seeds_from) {
            (Some(range), _) => Ok((*range).into()),
            (None, None) => Ok(SeedRange { from: 0, to: many }.into()),
            (None, Some(base)) => Ok(base.seeds(self.count.unwrap_or(many))?),
        }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        use results::store::StoreError;
        match trouble {
            Trouble::Usage(why) => Self::Usage(why),
            // What was given is wrong, and no fault of this machine's.
            Trouble::Store(
                error @ (StoreError::Damaged { .. }
                | StoreError::Foreign { .. }
                | StoreError::UnknownColumn { .. }
                | StoreError::Io { doing: "read", .. }),
            ) => Self::Usage(error.to_string()),
            other => Self::Internal(other.to_string()),
        }
    }
}

pub(super) fn carry_out(arguments: &Arguments) -> Result<Exit, Failure> {
    let loaded = load::load(&arguments.paths)?;
    let kept: Vec<PathBuf> = loaded.iter().map(|one| corpus::file(&one.path)).collect();
    let inputs: Vec<&Path> =
        loaded.iter().map(|one| &*one.path).chain(kept.iter().map(|path| &**path)).collect();
    result_file::refuse("the plan", &arguments.out, &inputs)?;
    let seeds = arguments.seeds.chosen(false)?;
    let plan = make(&loaded, &seeds, arguments.shards.get())?;
    let jobs = plan::check(&plan)?;
    result_file::write("the plan", &arguments.out, plan::text(&plan).as_bytes())?;
    let to = if result_file::is_standard_output(&arguments.out) {
        "plan".to_owned()
    } else {
        quoted(&arguments.out)
    };
    aside::note(&format!(
        "{to}: {}, {} in {}\n",
        said(&plan),
        counted(jobs.count(), "run"),
        counted(plan.shards.into(), "shard"),
    ));
    Ok(Exit::Holds)
}

/// A plan of `loaded`, with the seeds that once failed beside each.
pub(super) fn make(loaded: &[Loaded], seeds: &Seeds, shards: u32) -> Result<Plan, Failure> {
    let mut sources = Vec::new();
    for one in loaded {
        sources.push(Source {
            name: one.name.clone(),
            path: one.path.clone(),
            text: one.text.clone(),
            scenario: one.scenario.clone(),
            regress: corpus::read(&one.path)?,
        });
    }
    Ok(plan::plan(&sources, seeds, shards, summary::build())?)
}

/// Which sweep it is, in words.
pub(super) fn said(plan: &Plan) -> String {
    let Plan { seed_base, seed_first, seed_count, scenarios, .. } = plan;
    let range = format!("{seed_first}..{}", seed_first + seed_count);
    let from = if *seed_base == range { String::new() } else { format!(" ({seed_base})") };
    let cells: usize = scenarios.iter().map(|planned| planned.cells.len()).sum();
    let grid = if cells == scenarios.len() {
        String::new()
    } else {
        format!(" at {}", counted(cells as u64, "point"))
    };
    let recorded = scenarios.iter().filter(|planned| planned.replay.is_some()).count() as u64;
    let once = match (recorded, scenarios.len()) {
        (0, _) => String::new(),
        (1, 1) => " (a recorded run, which is run once)".to_owned(),
        (1, _) => " (1 of them a recorded run, which is run once)".to_owned(),
        (more, _) => format!(" ({more} of them recorded runs, which are run once)"),
    };
    let scenarios = counted(scenarios.len() as u64, "scenario");
    format!("{scenarios}{once}{grid}, seeds {range}{from}")
}
