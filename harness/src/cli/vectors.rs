//! `simctl vectors`: what others say that a replicated type must show.

use std::{fs, path::PathBuf};

use clap::Args;
use serde_json::json;

use super::{
    Exit, Failure, Format, interrupt, print,
    style::{BAD, DIM, GOOD},
    words::counted,
};
use crate::{
    replicated::{
        packed,
        vectors::{Replayed, replay},
    },
    visible::visible,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  simctl vectors tests/vectors/semidirect         every file of a folder
  simctl vectors int_add_mult.json --format json  one JSON object a file

docs/vectors.md says how a vector file is laid out, with a small one of each schema to begin with.";

/// Failures of a file that are told; the others are counted.
const TOLD_MAX: usize = 5;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Vector files (schema `semidirect-vectors/1`, `causal-broadcast-vectors/1` or `seq-vectors/1`; packed
    /// with gzip where they end in .gz), or folders of them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn carry_out(arguments: &Arguments) -> Result<Exit, Failure> {
    let files = files(&arguments.paths)?;
    // Nothing is said of any before all can be read.
    interrupt::cut_short(None);
    interrupt::begins(format!("of {}", counted(files.len() as u64, "file")));
    let begun = files.iter().zip(0..).take_while(|(_, before)| {
        interrupt::done(*before);
        !interrupt::asked()
    });
    let read = begun.map(|(path, _)| {
        let text = packed::read_to_string(path)
            .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        replay(&text).map_err(|why| Failure::Usage(format!("{}: {why}", path.display())))
    });
    let replayed: Vec<Replayed> = read.collect::<Result<_, _>>()?;
    let cut = replayed.len() < files.len();
    for (path, replayed) in files.iter().zip(&replayed) {
        let path = path.display().to_string();
        print(&match arguments.format {
            Format::Human => shown(&path, replayed),
            Format::Json => line(&path, replayed),
        })?;
    }
    let passed: u64 = replayed.iter().map(|one| one.passed).sum();
    let failed: usize = replayed.iter().map(|one| one.failed.len()).sum();
    if arguments.format == Format::Human {
        let files = counted(replayed.len() as u64, "file");
        print(&format!("{files}: {passed} passed, {failed} failed\n"))?;
    }
    if cut {
        return Ok(interrupt::say_how_far());
    }
    Ok(if failed == 0 { Exit::Holds } else { Exit::Violated })
}

/// The files that `paths` name, in order of their names in each folder.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let failed = |error| Failure::Usage(format!("{}: cannot be read: {error}", path.display()));
        if !fs::metadata(path).map_err(failed)?.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        for entry in fs::read_dir(path).map_err(failed)? {
            let file = entry.map_err(failed)?.path();
            if packed::is_json(&file) {
                inside.push(file);
            }
        }
        if inside.is_empty() {
            return Err(Failure::Usage(format!(
                "{}: expected a folder with vector files (*.json or *.json.gz), found none in it",
                path.display()
            )));
        }
        inside.sort();
        files.append(&mut inside);
    }
    Ok(files)
}

fn shown(path: &str, replayed: &Replayed) -> String {
    let failed = replayed.failed.len();
    let (style, word) = if failed == 0 { (GOOD, "passed") } else { (BAD, "failed") };
    let mut text = format!(
        "{style}{word}{style:#} {path}: {} of {}\n",
        if failed == 0 { replayed.passed } else { failed as u64 },
        counted(replayed.passed + failed as u64, "case"),
    );
    for (name, difference) in replayed.failed.iter().take(TOLD_MAX) {
        text += &format!("  {}: {}\n", visible(name), visible(difference));
    }
    for (name, note) in &replayed.notes {
        text += &format!("  {DIM}note: {}: {}{DIM:#}\n", visible(name), visible(note));
    }
    if failed > TOLD_MAX {
        text += &format!("  and {} more\n", failed - TOLD_MAX);
    }
    text
}

fn line(path: &str, replayed: &Replayed) -> String {
    let failed = replayed.failed.iter();
    let failed: Vec<_> = failed
        .map(|(name, difference)| json!({ "case": name, "difference": difference }))
        .collect();
    let notes = replayed.notes.iter();
    let notes: Vec<_> = notes.map(|(name, note)| json!({ "case": name, "note": note })).collect();
    let row = json!({
        "format_version": 1,
        "path": path,
        "type": replayed.kind,
        "passed": replayed.passed,
        "failed": failed,
        "notes": notes,
    });
    format!("{row}\n")
}
