//! `simctl merge`: puts the shards of a sweep together.

use std::path::{Path, PathBuf};

use clap::Args;
use results::{
    Cost, Plan,
    store::{self, durable},
};

use super::{
    Exit, Failure, quoted,
    sweep::{self, Output},
};
use crate::sweep::{
    Trouble, cells,
    folder::{assemble, cost_of, remove_temporary},
    gather::{Gathered, repeat},
    part::{Finished, Label},
    plan, shard,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  simctl merge DIR  the results of all shards, as one machine gives them
  # what is missing is printed as a list for an array job
  hq submit --array 3,7-9 ...";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder into which the shards were written.
    folder: PathBuf,
    #[command(flatten)]
    output: Output,
}

pub(super) fn carry_out(arguments: &Arguments) -> Result<Exit, Failure> {
    let folder = &arguments.folder;
    let shown = quoted(folder);
    if !folder.exists() {
        let why = format!("{shown} is not there: expected a folder that shards were written into");
        return Err(Failure::Usage(why));
    }
    let plan = plan::there(folder)?.ok_or_else(|| {
        Failure::Usage(format!("{shown} has no plan.json: no shard was ever begun there"))
    })?;
    plan::check(&plan)?;
    sweep::refuse_junit(&arguments.output, &[], Some(folder))?;
    let (parts, mut gathered) = parts(folder, &plan)?;
    let places = cells::places(&plan).map_err(Failure::Rejected)?;
    // A shard may come from where scenarios had other paths: what is merged is of the plan that lies here.
    for ((cell, _), failure) in &mut gathered.failures {
        let place = places.get(*cell).ok_or_else(|| {
            let (name, shown) = (&failure.scenario, &shown);
            Failure::Usage(format!(
                "a shard in {shown} tells of a failure of `{name}` at no point of the plan"
            ))
        })?;
        failure.repeat = repeat(place, failure.seed);
    }
    let jobs = plan::check(&plan)?.count();
    assemble(folder, &plan, &parts, jobs, &gathered).map_err(Trouble::Store)?;
    let mut cost = Cost::default();
    for number in 0..plan.shards {
        cost.add(&cost_of(&shard::cost_file(folder, number, plan.shards)));
    }
    let path = folder.join(store::COST);
    let text = serde_json::to_string_pretty(&cost).expect("a cost is JSON") + "\n";
    durable::write(&path, text.as_bytes()).map_err(Trouble::Store)?;
    // Whoever was killed left a file that nobody will ever finish.
    remove_temporary(folder).map_err(Trouble::Store)?;
    sweep::conclude(&arguments.output, &plan, &places, &gathered, None)
}

/// The files of all shards, in order, and what they came to.
///
/// Errors: some are missing, which are listed; one is damaged or of another plan.
fn parts(folder: &Path, plan: &Plan) -> Result<(Vec<PathBuf>, Gathered), Failure> {
    let of = plan.shards;
    let (mut parts, mut missing, mut gathered) = (Vec::new(), Vec::new(), Gathered::default());
    let (id, jobs) = (plan::id(plan), plan::check(plan)?);
    for number in 0..of {
        let path = shard::file(folder, number, of);
        if !path.exists() {
            missing.push(number);
            continue;
        }
        let part = Finished::read(&path).map_err(Trouble::Store)?;
        let label = Label { sweep: id.clone(), shard: Some((number, of)) };
        if part.label != label || part.jobs != jobs.shard(number, of) {
            let why = format!(
                "{} is of {}, not of {label}: a mix of plans cannot be merged",
                path.display(),
                part.label
            );
            return Err(Failure::Usage(why));
        }
        gathered.add(part.gathered);
        parts.push(path);
    }
    strangers(folder, of)?;
    if missing.is_empty() {
        return Ok((parts, gathered));
    }
    let list = shard::listed(&missing);
    let count = missing.len();
    Err(Failure::Usage(format!(
        "{count} of {of} shards are missing in {}; to run them: --array={list}",
        quoted(folder)
    )))
}

/// Errors: `folder` has shards of a plan with another number of shards.
fn strangers(folder: &Path, of: u32) -> Result<(), Failure> {
    let ours = format!("-of-{of:05}.parquet");
    let entries = std::fs::read_dir(folder)
        .map_err(|error| Failure::Usage(format!("{} cannot be read: {error}", quoted(folder))))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("shard-") && name.ends_with(".parquet") && !name.ends_with(&ours) {
            return Err(Failure::Usage(format!(
                "{} is of another plan, which has not {of} shards: a mix of plans cannot be merged",
                entry.path().display()
            )));
        }
    }
    Ok(())
}
