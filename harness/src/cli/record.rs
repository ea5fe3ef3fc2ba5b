//! `simctl run --record`: one run, and a file with every choice of it that was not benign.

use std::path::Path;

use super::{
    Exit, Failure, Format, json, print, quoted, result_file, run::Job, summary, words::counted,
};
use crate::{
    choices::ChoiceFile,
    outcome::Verdict,
    run::{Deployed, Options},
    signature::signature,
};

/// Runs `job` and writes its choices to the file `to`.
pub(super) fn carry_out(job: &Job<'_>, to: &Path, format: Format) -> Result<Exit, Failure> {
    let deployed = Deployed::new(&job.loaded.scenario).map_err(|error| {
        Failure::Internal(format!("failed to run {}: {error}", job.loaded.name))
    })?;
    let (outcome, decisions) = deployed.run_recorded(job.seed, Options::default(), None);
    let file = ChoiceFile {
        scenario: job.loaded.path.clone(),
        scenario_hash: format!("{:032x}", job.loaded.hash),
        settings: job.loaded.settings.clone(),
        seed: outcome.seed,
        build: summary::build().to_owned(),
        fingerprint: outcome.fingerprint.map_or(String::new(), |print| format!("{print:032x}")),
        verdict: match outcome.verdict {
            Verdict::Holds => "holds",
            Verdict::Violates => "violates",
            Verdict::FallsShort => "falls-short",
            Verdict::Interrupted => "interrupted",
        }
        .to_owned(),
        violation: signature(&outcome),
        choices: deployed.words().lines(&decisions),
    };
    result_file::write("the file of choices", to, file.text().as_bytes())?;
    let expected = outcome.is_as_expected();
    print(&match format {
        Format::Json => json::line(job, &outcome, summary::GoalsOf::Run),
        Format::Human => {
            let again = format!(
                "\n{} in {}; to repeat: simctl replay {}\n",
                counted(decisions.len() as u64, "choice"),
                to.display(),
                quoted(to)
            );
            summary::full(job, &outcome) + &again + &summary::reason(&outcome)
        }
    })?;
    Ok(if expected { Exit::Holds } else { Exit::Violated })
}
