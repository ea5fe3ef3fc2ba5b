//! `simctl replay`: repeats a file of choices, and says whether the run still fails.

use std::path::{Path, PathBuf};

use clap::Args;
use contract::Occasion;
use serde::Serialize;
use sim::choices::Decision;

use super::{Exit, Failure, Format, load, print, words::counted};
use crate::{
    choices::{ChoiceFile, words},
    outcome::{Outcome, Verdict},
    run::{Deployed, Options},
    signature::{Signature, signature},
    visible::visible,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  simctl run scenarios/swarm.toml --seed 7 --record run.choices.toml
  simctl replay run.choices.toml                    # the same run again
  # the same accidents in another scenario
  simctl replay run.choices.toml --scenario b.toml

Settings that were given to the run (`--set`) are in the file, and are given again.

What it says, and what it exits with:
  still fails            1  the same invariant breaks in the same words
  fails in another way   1  some other claim breaks
  passes                 0  every choice occurred again, and nothing breaks
  no longer reachable    0  nothing breaks, but some choices were never asked
                            for: code or scenario changed, and what led to the
                            failure no longer occurs";

/// Choices that no longer occur and are named; the others are counted.
const NAMED_MAX: usize = 10;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A file that `simctl run --record` wrote.
    file: PathBuf,
    /// The scenario to repeat them in; the recorded one where nothing is said.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// How results are written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What came of a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Came {
    StillFails,
    FailsInAnotherWay,
    Passes,
    NoLongerReachable,
}

/// One replay as JSON.
#[derive(Serialize)]
struct Line<'a> {
    format_version: u32,
    came: Came,
    file: String,
    scenario: String,
    scenario_changed: bool,
    build_changed: bool,
    seed: u64,
    choices: usize,
    /// Choices that nobody asked for.
    unasked: Vec<String>,
    signature: Option<String>,
    recorded_signature: Option<String>,
    invariant: Option<&'a str>,
    text: Option<&'a str>,
    at_nanos: Option<u64>,
    fingerprint: String,
    same_fingerprint: bool,
}

pub(super) fn carry_out(arguments: &Arguments) -> Result<Exit, Failure> {
    let opened = ChoiceFile::open(&arguments.file).map_err(|error| rejected(*error))?;
    let path = match &arguments.scenario {
        Some(path) => path.clone(),
        None => found(&opened.file.scenario, &arguments.file)
            .map_err(|why| Failure::Usage(format!("{why}; --scenario FILE says where it is")))?,
    };
    let loaded = load::load_with(std::slice::from_ref(&path), &opened.file.settings)?;
    let [loaded] = &loaded[..] else {
        return Err(Failure::Usage(format!("{} is not one scenario", path.display())));
    };
    let deployed = Deployed::new(&loaded.scenario)
        .map_err(|error| Failure::Internal(format!("failed to run {}: {error}", loaded.name)))?;
    let decisions = opened.decisions(&deployed.words()).map_err(|error| rejected(*error))?;
    let file = &opened.file;
    let (outcome, replayed) =
        deployed.run_replayed(file.seed, decisions.iter().copied(), Options::default(), None);
    let unasked: Vec<Decision> = replayed.unasked().collect();
    let now = signature(&outcome);
    let came = came(file.violation.as_ref(), now.as_ref(), &outcome, &unasked);
    let fingerprint = outcome.fingerprint.map_or(String::new(), |print| format!("{print:032x}"));
    let first = outcome.violations.first();
    let line = Line {
        format_version: 1,
        came,
        file: arguments.file.display().to_string(),
        scenario: path.display().to_string(),
        scenario_changed: format!("{:032x}", loaded.hash) != file.scenario_hash,
        build_changed: super::summary::build() != file.build,
        seed: file.seed,
        choices: decisions.len(),
        unasked: deployed.words().lines(&unasked),
        signature: now.as_ref().map(Signature::id),
        recorded_signature: file.violation.as_ref().map(Signature::id),
        invariant: first.map(|first| first.invariant),
        text: first.map(|first| &*first.text),
        at_nanos: first.map(|first| first.at.as_nanos()),
        same_fingerprint: fingerprint == file.fingerprint,
        fingerprint,
    };
    print(&match arguments.format {
        Format::Json => serde_json::to_string(&line).expect("a line is JSON") + "\n",
        Format::Human => told(&line, &outcome, &unasked),
    })?;
    Ok(match came {
        Came::StillFails | Came::FailsInAnotherWay => Exit::Violated,
        Came::Passes | Came::NoLongerReachable => Exit::Holds,
    })
}

/// The recorded scenario: where it was, or where it is seen from the file of choices.
///
/// Errors: it is in neither place, in words.
pub(super) fn found(scenario: &Path, file: &Path) -> Result<PathBuf, String> {
    let beside = file.parent().map(|folder| folder.join(scenario));
    let mut places = [Some(scenario.to_owned()), beside].into_iter().flatten();
    places.find(|place| place.exists()).ok_or_else(|| {
        let (scenario, file) = (scenario.display(), file.display());
        format!("{file} was recorded of {scenario}, which is neither here nor beside it")
    })
}

fn rejected(rejected: crate::scenario::diagnostic::Rejected) -> Failure {
    Failure::Rejected(vec![rejected])
}

fn came(
    recorded: Option<&Signature>,
    now: Option<&Signature>,
    outcome: &Outcome,
    unasked: &[Decision],
) -> Came {
    match (recorded, now) {
        (Some(recorded), Some(now)) if recorded == now => Came::StillFails,
        (_, Some(_)) => Came::FailsInAnotherWay,
        (_, None) if outcome.verdict == Verdict::FallsShort && recorded.is_none() => Came::Passes,
        (_, None) if unasked.is_empty() => Came::Passes,
        (_, None) => Came::NoLongerReachable,
    }
}

fn told(line: &Line<'_>, outcome: &Outcome, unasked: &[Decision]) -> String {
    let mut text = match line.came {
        Came::StillFails => "still fails".to_owned(),
        Came::FailsInAnotherWay => "fails in another way".to_owned(),
        Came::Passes => "passes".to_owned(),
        Came::NoLongerReachable => "no longer reachable".to_owned(),
    };
    text += &format!(
        ": {}, seed {}, {}\n",
        visible(&line.scenario),
        line.seed,
        counted(line.choices as u64, "choice")
    );
    if let Some(first) = outcome.violations.first() {
        text += &format!("  {first}\n");
    }
    for (changed, what) in
        [(line.scenario_changed, "the scenario"), (line.build_changed, "the program")]
    {
        if changed {
            text += &format!("  {what} changed since this was recorded\n");
        }
    }
    if line.same_fingerprint {
        text += "  event for event the same run\n";
    }
    if !unasked.is_empty() {
        let mut occasions: Vec<Occasion> = unasked.iter().map(|one| one.occasion).collect();
        occasions.dedup();
        text += &format!(
            "  {} of {} never asked for, so what they are of no longer occurs:\n",
            unasked.len(),
            match line.choices {
                1 => "1 choice was".to_owned(),
                more => format!("{} were", counted(more as u64, "choice")),
            }
        );
        for occasion in occasions.iter().take(NAMED_MAX) {
            text += &format!("    {}\n", words::occasion(*occasion));
        }
        if let Some(more) = occasions.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
            text += &format!("    and {more} more\n");
        }
    }
    text
}
