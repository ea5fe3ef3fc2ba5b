//! `simctl explain FAILURE`: what happened, in causal order, up to the claim that broke.

use std::path::Path;

use super::{Exit, Failure, load, print, replay::found};
use crate::{
    choices::{self, ChoiceFile},
    file,
    run::{Deployed, Options},
    story::{past::Past, tell},
    visible::visible,
};

/// Whether `word` names a file rather than something that can be looked up.
pub(super) fn is_a_failure(word: &str) -> bool {
    let path = Path::new(word);
    path.is_file() || path.extension().is_some_and(|ending| ending == "toml")
}

/// Tells the story of the run that `path` and `seed` name: a scenario, or a file of choices.
pub(super) fn carry_out(
    path: &Path,
    seed: Option<u64>,
    set: &[(String, String)],
) -> Result<Exit, Failure> {
    let word = visible(&path.display().to_string());
    let recorded = file::read(path, choices::file::FILE_BYTES_MAX)
        .is_ok_and(|bytes| is_of_choices(&String::from_utf8_lossy(&bytes)));
    let opened = match recorded {
        true => Some(ChoiceFile::open(path).map_err(|error| Failure::Rejected(vec![*error]))?),
        false => None,
    };
    if opened.is_some() && (seed.is_some() || !set.is_empty()) {
        let why = format!(
            "{word} is a file of choices, which has its seed and settings: leave --seed and --set out"
        );
        return Err(Failure::Usage(why));
    }
    let (scenario, set) = match &opened {
        Some(opened) => {
            let why = |why| Failure::Usage(format!("{why}; put it there"));
            (found(&opened.file.scenario, path).map_err(why)?, &opened.file.settings[..])
        }
        None => (path.to_owned(), set),
    };
    let loaded = load::load_with(&[scenario], set)?;
    let [loaded] = &loaded[..] else {
        return Err(Failure::Usage(format!("{word} is not one scenario")));
    };
    let deployed = Deployed::new(&loaded.scenario)
        .map_err(|error| Failure::Internal(format!("failed to run {}: {error}", loaded.name)))?;
    let mut past = Past::new(true);
    let options = Options::default();
    let outcome = match &opened {
        Some(opened) => {
            let decisions = opened.decisions(&deployed.words());
            let decisions = decisions.map_err(|error| Failure::Rejected(vec![*error]))?;
            deployed.run_replayed(opened.file.seed, decisions, options, Some(&mut past)).0
        }
        None => {
            let seed = seed.unwrap_or(super::run::SEED);
            deployed.run(seed, options, Some(&mut past))
        }
    };
    let head =
        format!("{}\n{}, seed {}\n\n", super::claimed(&loaded.scenario.about), word, outcome.seed);
    match tell(&loaded.scenario, &outcome, &past) {
        Some(story) => print(&(head + &story.text()))?,
        None => {
            let why = outcome.shortfalls.first().map_or("every invariant holds", String::as_str);
            print(&format!("{head}Nothing broke: {why}.\n"))?;
        }
    }
    Ok(Exit::Holds)
}

/// Whether a file is one of choices: its first key is its format.
fn is_of_choices(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.next().is_some_and(|line| line.starts_with("format"))
}
