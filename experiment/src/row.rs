//! A row of the evaluation: who edits, how fast, who renames and when. Strict TOML, one file a row.

use std::{num::NonZeroU32, path::Path};

use serde::Deserialize;

/// What one run of the papers' experiment is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Row {
    /// The file's name without its ending.
    #[serde(skip)]
    pub name: String,
    /// What it shows, in a sentence.
    pub about: String,
    /// What all randomness is drawn from.
    pub seed: u64,
    /// Bots, each with a replica of its own.
    pub replicas: NonZeroU32,
    /// Edits of all bots together; each makes as many.
    pub operations: NonZeroU32,
    /// Edits that a replica sees between two samples of its size.
    pub sample_every: NonZeroU32,
    /// How long a message travels.
    pub latency: Latency,
    /// What bots do.
    pub bots: Bots,
    /// Who renames; nobody without it.
    pub renames: Option<Renames>,
}

/// Uniform, drawn anew for each message.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Latency {
    /// The least.
    pub min_millis: u64,
    /// The most.
    pub max_millis: u64,
}

/// What a bot does: one character at a time, at a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Bots {
    /// Between two edits, on average.
    pub pause_millis: u64,
    /// A pause is uniform, at most this much longer or shorter.
    pub spread_millis: u64,
    /// How often the cursor jumps before an edit.
    pub jump_percent: Percent,
    /// How often an edit removes what is left of the cursor.
    pub remove_percent: Percent,
    /// Once the text is as long, `full_remove_percent` takes the place of `remove_percent` for good.
    pub full_chars: u64,
    /// See `full_chars`.
    pub full_remove_percent: Percent,
}

/// Who renames, and what becomes of former states.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Renames {
    /// The first so many bots.
    pub renamers: NonZeroU32,
    /// Each renames whenever it has seen so many more edits.
    pub every: NonZeroU32,
    /// When former states are dropped.
    pub collect: Collect,
}

/// When a replica drops former states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Collect {
    /// Never.
    Never,
    /// Once all others announced that they moved on.
    Announced,
}

/// A share, of a hundred.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "u64")]
pub struct Percent(
    /// At most 100.
    pub u64,
);

impl TryFrom<u64> for Percent {
    type Error = String;

    fn try_from(percent: u64) -> Result<Self, String> {
        match percent {
            0..=100 => Ok(Self(percent)),
            _ => Err(format!("expected a percentage of at most 100, found {percent}")),
        }
    }
}

/// Bots: more would not be the experiment, and each costs a replica.
const REPLICAS_MAX: u32 = 100;

impl Row {
    /// Reads a row.
    ///
    /// Errors: a fragment that names the file, the line, the key and what was expected.
    pub fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|why| format!("{shown}: {why}"))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Self::parse(&name, &text).map_err(|why| format!("{shown}: {why}"))
    }

    /// The row that `text` describes.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let mut row: Self = toml::from_str(text).map_err(|why| why.to_string())?;
        name.clone_into(&mut row.name);
        match row.fault() {
            None => Ok(row),
            Some((key, expected)) => {
                let line =
                    line_of(text, key).map_or_else(String::new, |line| format!("line {line}, "));
                Err(format!("{line}key `{key}`: expected {expected}"))
            }
        }
    }

    /// The first key that does not fit the others, and what was expected of it.
    fn fault(&self) -> Option<(&'static str, String)> {
        let Bots { pause_millis, spread_millis, .. } = self.bots;
        let Latency { min_millis, max_millis } = self.latency;
        let renamers = self.renames.map_or(0, |renames| renames.renamers.get());
        let replicas = self.replicas.get();
        if replicas > REPLICAS_MAX {
            return Some(("replicas", format!("at most {REPLICAS_MAX}")));
        }
        if !self.operations.get().is_multiple_of(replicas) {
            return Some(("operations", format!("a multiple of the {replicas} replicas")));
        }
        if spread_millis >= pause_millis {
            return Some(("spread-millis", format!("less than pause-millis, {pause_millis}")));
        }
        if max_millis < min_millis {
            return Some(("max-millis", format!("at least min-millis, {min_millis}")));
        }
        if renamers > replicas {
            return Some(("renamers", format!("at most the {replicas} replicas")));
        }
        None
    }

    /// Edits of one bot.
    pub fn operations_each(&self) -> u32 {
        self.operations.get() / self.replicas
    }

    /// Who renames after how many edits, where anybody does.
    pub fn renamers(&self) -> u32 {
        self.renames.map_or(0, |renames| renames.renamers.get())
    }

    /// Whether former states are dropped.
    pub fn collects(&self) -> bool {
        self.renames.is_some_and(|renames| renames.collect == Collect::Announced)
    }
}

/// The line, from 1 on, in which `key` has its value: of its own or in a table.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let names = |part: &str| part.trim_end().rsplit([' ', '{', ',']).next() == Some(key);
    let of_key = |line: &str| line.split('=').any(names);
    text.lines().position(of_key).map(|at| at + 1)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const SMALL: &str = include_str!("../tests/small.toml");

    #[test]
    fn a_row_is_read_as_it_is_written() {
        let row = Row::parse("small", SMALL).unwrap();
        assert_eq!((row.name.as_str(), row.operations_each(), row.renamers()), ("small", 300, 2));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line_and_key() {
        let cases = [
            ("replicas = 4", "replicas = 0", "line 3"),
            ("operations = 1_200", "operations = 1_201", "line 4, key `operations`"),
            ("renamers = 2", "renamers = 5", "line 17, key `renamers`: expected at most the 4"),
            ("jump-percent = 5", "jump-percent = 101", "line 11"),
            ("spread-millis = 50", "spread-millis = 200", "line 10, key `spread-millis`"),
            ("max-millis = 100", "max-millis = 100, loss = 1", "unknown field `loss`"),
            ("max-millis = 100", "max-millis = 1", "line 6, key `max-millis`: expected at least"),
            ("\"never\"", "\"later\"", "unknown variant `later`"),
            ("seed = 7\n", "", "missing field `seed`"),
        ];
        for (found, put, expected) in cases {
            assert!(SMALL.contains(found), "{found}");
            let why = Row::parse("small", &SMALL.replace(found, put)).unwrap_err();
            assert!(why.contains(expected), "{why}");
        }
    }
}
