//! What a sweep runs, fixed before it begins.

use std::{
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
};

use results::{
    Plan, Planned,
    store::{self, StoreError, durable},
};
use xxhash_rust::xxh3::xxh3_128;

use super::{Trouble, jobs::Jobs, seeds::Seeds};
use crate::scenario::Scenario;

/// No engine takes an array of more shards.
const SHARDS_MAX: u32 = 100_000;

/// A scenario as it was read, to be planned.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Where it was read from.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// What it means.
    pub scenario: Scenario,
    /// Seeds that once failed.
    pub regress: Vec<u64>,
}

/// Plans a sweep of `sources` over `seeds` in `shards` shards, for the program `build`.
///
/// Errors: two scenarios share a name, by which results tell them apart; there are too many jobs.
pub fn plan(sources: &[Source], seeds: &Seeds, shards: u32, build: &str) -> Result<Plan, Trouble> {
    let mut scenarios: Vec<Planned> = Vec::new();
    for source in sources {
        if let Some(other) = scenarios.iter().find(|other| other.name == source.name) {
            return Err(Trouble::Usage(format!(
                "{} and {} share the name `{}`, by which results tell scenarios apart",
                other.path,
                source.path.display(),
                source.name
            )));
        }
        let replay = source.scenario.replay.as_ref().map(|replay| *replay.seed);
        let mut regress = source.regress.clone();
        regress.sort_unstable();
        regress.dedup();
        scenarios.push(Planned {
            name: source.name.clone(),
            path: source.path.display().to_string(),
            hash: format!("{:032x}", xxh3_128(source.text.as_bytes())),
            text: source.text.clone(),
            about: source.scenario.about.clone(),
            regress,
            replay,
            cells: source.scenario.sweep.cells(),
        });
    }
    let plan = Plan {
        format_version: results::FORMAT_VERSION,
        build: build.to_owned(),
        seed_base: seeds.base.clone(),
        seed_first: seeds.first,
        seed_count: seeds.count,
        shards,
        scenarios,
    };
    check(&plan)?;
    Ok(plan)
}

/// Checks that `plan`, which somebody may have written by hand, can be carried out.
pub fn check(plan: &Plan) -> Result<Jobs, Trouble> {
    let wrong = |why: &str| Err(Trouble::Usage(format!("the plan makes no sense: {why}")));
    if plan.seed_count == 0 {
        return Err(Trouble::Usage("the range of seeds is empty".to_owned()));
    }
    if !(1..=SHARDS_MAX).contains(&plan.shards) {
        return wrong(&format!("it has {} shards; expected 1 to {SHARDS_MAX}", plan.shards));
    }
    if plan.scenarios.is_empty() || plan.scenarios.iter().any(|planned| planned.cells.is_empty()) {
        return wrong("there is nothing to run");
    }
    let known = |planned: &Planned| planned.regress.is_sorted_by(|one, other| one < other);
    if !plan.scenarios.iter().all(known) {
        return wrong("seeds that once failed are not in ascending order");
    }
    for planned in &plan.scenarios {
        if planned.hash != format!("{:032x}", xxh3_128(planned.text.as_bytes())) {
            return wrong(&format!("the text of `{}` is not that of its hash", planned.name));
        }
    }
    Jobs::new(plan).map_err(|error| Trouble::Usage(error.to_string()))
}

/// The name of the sweep that `plan` is: 32 hexadecimal digits, the same whatever the number of shards,
/// however its seeds were asked for, and wherever its scenarios lay. Two checkouts agree on it.
pub fn id(plan: &Plan) -> String {
    let mut plain = Plan { shards: 0, seed_base: String::new(), ..plan.clone() };
    plain.scenarios.iter_mut().for_each(|planned| planned.path.clear());
    let text = serde_json::to_string(&plain).expect("a plan is JSON");
    format!("{:032x}", xxh3_128(text.as_bytes()))
}

/// The text of `plan.json`.
pub fn text(plan: &Plan) -> String {
    let mut text = serde_json::to_string_pretty(plan).expect("a plan is JSON");
    writeln!(text).expect("a string takes everything");
    text
}

/// Writes `plan` into `folder`, or finds it there. Errors: another plan is there.
pub fn claim(folder: &Path, plan: &Plan) -> Result<(), Trouble> {
    let path = folder.join(store::PLAN);
    match there(folder)? {
        None => Ok(durable::write(&path, text(plan).as_bytes())?),
        Some(found) if id(&found) != id(plan) => Err(mixed(&path, &id(&found), &id(plan))),
        Some(found) if found.shards != plan.shards => {
            let (found, wanted) = (found.shards, plan.shards);
            let shown = path.display();
            Err(Trouble::Usage(format!("{shown} is of {found} shards, and this plan of {wanted}")))
        }
        Some(_) => Ok(()),
    }
}

/// The plan in `folder`, where one is. Errors: it is damaged, or of a newer simctl.
pub fn there(folder: &Path) -> Result<Option<Plan>, Trouble> {
    let path = folder.join(store::PLAN);
    match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            Err(Trouble::Usage(format!("{} is a file: expected a folder", folder.display())))
        }
        _ => Ok(Some(of_today(&path)?)),
    }
}

/// `plan` as it goes on in `folder`: where the same sweep was begun there from other paths, those stay, so
/// that all that is written is of one plan.
pub fn as_begun(folder: &Path, plan: Plan) -> Result<Plan, Trouble> {
    let begun = there(folder)?;
    let same = |found: &Plan| found.shards == plan.shards && id(found) == id(&plan);
    Ok(begun.filter(same).unwrap_or(plan))
}

/// Reads the plan `path`. Errors: it is damaged, or may say what this program knows nothing of.
fn of_today(path: &Path) -> Result<Plan, Trouble> {
    let plan = store::read_plan(path)?;
    let (found, known) = (plan.format_version, results::FORMAT_VERSION);
    if found > known {
        let why = format!("it has format version {found}, and this simctl reads up to {known}");
        return Err(StoreError::Foreign { path: path.into(), why }.into());
    }
    Ok(plan)
}

/// Reads the plan `path` and checks it for the program `build`.
///
/// Errors: it is damaged, makes no sense, or is for another program.
pub fn read(path: &Path, build: &str) -> Result<Plan, Trouble> {
    let plan = of_today(path)?;
    let shown = path.display();
    if plan.build != build {
        let theirs = &plan.build;
        return Err(Trouble::Usage(format!(
            "{shown} is for simctl {theirs}, and this is simctl {build}: a seed means nothing to another"
        )));
    }
    check(&plan).map_err(|trouble| match trouble {
        Trouble::Usage(why) => Trouble::Usage(format!("{shown}: {why}")),
        other => other,
    })?;
    Ok(plan)
}

/// `path` is of the sweep `found`, not of `wanted`.
pub fn mixed(path: &Path, found: &str, wanted: &str) -> Trouble {
    let error = StoreError::Foreign {
        path: path.into(),
        why: format!(
            "another sweep is there ({found}, not {wanted}): scenarios, seeds or program differ; \
             choose another folder"
        ),
    };
    Trouble::Store(error)
}
