//! From paths to scenarios: a file, a folder of them, or several of either.

use std::{
    fs,
    path::{Path, PathBuf},
};

use xxhash_rust::xxh3::xxh3_128;

use super::Failure;
use crate::{
    scenario::{
        Scenario,
        diagnostic::{Code, Rejected},
        sweep::with_settings,
    },
    visible::visible,
};

/// A scenario and where it came from.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    pub(super) path: PathBuf,
    /// The file without folder and ending.
    pub(super) name: String,
    /// A hash of the text.
    pub(super) hash: u128,
    /// The text.
    pub(super) text: String,
    /// Keys that were given other values than the text says.
    pub(super) settings: Vec<(String, String)>,
    pub(super) scenario: Scenario,
}

/// Reads and checks every scenario at `paths`, in the order given, a folder's by name.
///
/// Errors: [`Failure::Rejected`] with the mistakes of all files.
pub(super) fn load(paths: &[PathBuf]) -> Result<Vec<Loaded>, Failure> {
    load_with(paths, &[])
}

/// As [`load`], with other values for some keys.
pub(super) fn load_with(
    paths: &[PathBuf],
    settings: &[(String, String)],
) -> Result<Vec<Loaded>, Failure> {
    let (mut loaded, mut rejected) = (Vec::new(), Vec::new());
    for path in paths {
        match files(path) {
            Ok(files) => {
                for file in files {
                    match read(&file, settings) {
                        Ok(one) => loaded.push(one),
                        Err(mistakes) => rejected.push(*mistakes),
                    }
                }
            }
            Err(mistakes) => rejected.push(*mistakes),
        }
    }
    if rejected.is_empty() { Ok(loaded) } else { Err(Failure::Rejected(rejected)) }
}

/// The files that `path` names: itself, or those of a folder by name.
///
/// Errors: the folder cannot be read, or has none.
pub(super) fn files(path: &Path) -> Result<Vec<PathBuf>, Box<Rejected>> {
    files_of(path, "scenario", "`simctl new` writes a scenario to begin with")
}

/// As [`files`], of which each is a `kind`; `help` is said where there is none.
pub(super) fn files_of(path: &Path, kind: &str, help: &str) -> Result<Vec<PathBuf>, Box<Rejected>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let whole = |code, title: String, help| Box::new(Rejected::whole(path, code, title, help));
    let unreadable = |error: std::io::Error| {
        whole(Code::Unreadable, format!("the folder cannot be read: {error}"), None)
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_some_and(|ending| ending == "toml") {
            let plain = file.strip_prefix(".").map(Path::to_owned);
            files.push(plain.unwrap_or(file));
        }
    }
    if files.is_empty() {
        let title = format!("there is no {kind} (`*.toml`) in this folder");
        return Err(whole(Code::NothingToRun, title, Some(help.to_owned())));
    }
    files.sort();
    Ok(files)
}

impl Loaded {
    /// Its name as it stands in a result for people: on one line, wherever it goes.
    pub(super) fn shown(&self) -> String {
        visible(&self.name)
    }
}

fn read(path: &Path, settings: &[(String, String)]) -> Result<Loaded, Box<Rejected>> {
    let text = Scenario::text(path)?;
    let hash = xxh3_128(text.as_bytes());
    let scenario = with_settings(path, &text, settings)?;
    let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into());
    Ok(Loaded { path: path.to_owned(), name, hash, text, settings: settings.to_vec(), scenario })
}
