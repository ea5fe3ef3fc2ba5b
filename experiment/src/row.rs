//! A row of the evaluation: who edits, how fast, who renames and when. Strict TOML, one file a row.

use std::{fmt, num::NonZeroU32, ops::Range, path::Path};

use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::DeTable;

/// What one run of the papers' experiment is.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
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
    #[schemars(range(min = 1, max = 100))]
    pub replicas: NonZeroU32,
    /// Edits of all bots together; each makes as many.
    #[schemars(range(min = 1, max = 5_000_000))]
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
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Latency {
    /// The least.
    pub min_millis: u64,
    /// The most.
    #[schemars(range(max = 60_000))]
    pub max_millis: u64,
}

/// What a bot does: one character at a time, at a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Bots {
    /// Between two edits, on average.
    #[schemars(range(min = 1, max = 60_000))]
    pub pause_millis: u64,
    /// A pause is uniform, at most this much longer or shorter.
    pub spread_millis: u64,
    /// How often the cursor jumps before an edit.
    #[schemars(range(max = 100))]
    pub jump_percent: u64,
    /// How often an edit removes what is left of the cursor.
    #[schemars(range(max = 100))]
    pub remove_percent: u64,
    /// Once the text is as long, `full_remove_percent` takes the place of `remove_percent` for good.
    pub full_chars: u64,
    /// See `full_chars`.
    #[schemars(range(max = 100))]
    pub full_remove_percent: u64,
}

/// Who renames, and what becomes of former states.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Renames {
    /// The first so many bots.
    #[schemars(range(min = 1, max = 100))]
    pub renamers: NonZeroU32,
    /// Each renames whenever it has seen so many more edits.
    pub every: NonZeroU32,
    /// When former states are dropped.
    pub collect: Collect,
}

/// When a replica drops former states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Collect {
    /// Never.
    Never,
    /// Once all others announced that they moved on.
    Announced,
}

/// Bots: more would not be the experiment, and each costs a replica.
const REPLICAS_MAX: u32 = 100;
/// More edits than these take a run hours, and its log all memory.
const OPERATIONS_MAX: u32 = 5_000_000;
/// Samples of a replica: each encodes the whole document twice.
const SAMPLES_MAX: u32 = 1_000;
/// Pauses and latencies: longer ones do not fit into virtual time with as many edits as there may be.
const MILLIS_MAX: u64 = 60_000;

/// Why a text is no row: the first mistake in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where, in bytes of the text; `None` where that is nowhere.
    pub at: Option<Range<usize>>,
    /// The line of it, from 1 on.
    pub line: Option<usize>,
    /// The key that is to blame, with those around it, where only others show that it is wrong.
    pub key: Option<&'static str>,
    /// What is wrong, or what was expected of that key.
    pub why: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}")?;
            f.write_str(if self.key.is_some() { ", " } else { ": " })?;
        }
        if let Some(key) = self.key {
            write!(f, "key `{key}`: expected ")?;
        }
        f.write_str(&self.why)
    }
}

impl Mistake {
    fn new(text: &str, at: Option<Range<usize>>, key: Option<&'static str>, why: String) -> Self {
        let line = at.as_ref().and_then(|at| text.get(..at.start));
        let line = line.map(|before| before.matches('\n').count() + 1);
        Self { at, line, key, why }
    }
}

impl Row {
    /// Reads the row in the file `path`.
    ///
    /// Errors: a fragment that names the file, the line, the key and what was expected.
    pub fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|why| format!("{shown}: {why}"))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Self::parse(&name, &text).map_err(|why| format!("{shown}: {why}"))
    }

    /// The row called `name` that `text` describes.
    pub fn parse(name: &str, text: &str) -> Result<Self, Mistake> {
        let mut row: Self = toml::from_str(text)
            .map_err(|why| Mistake::new(text, why.span(), None, why.message().to_owned()))?;
        name.clone_into(&mut row.name);
        match row.fault() {
            None => Ok(row),
            Some((key, expected)) => {
                Err(Mistake::new(text, place_of(text, key), Some(key), expected))
            }
        }
    }

    /// The first key that does not fit the others, with those around it, and what was expected of it.
    fn fault(&self) -> Option<(&'static str, String)> {
        let Bots { pause_millis, spread_millis, .. } = self.bots;
        let Latency { min_millis, max_millis } = self.latency;
        let (replicas, operations) = (self.replicas.get(), self.operations.get());
        let every_min = operations.div_ceil(SAMPLES_MAX);
        let at_most = |most: u64| format!("at most {most}");
        let checks = [
            (replicas > REPLICAS_MAX, "replicas", at_most(REPLICAS_MAX.into())),
            (operations > OPERATIONS_MAX, "operations", at_most(OPERATIONS_MAX.into())),
            (
                !operations.is_multiple_of(replicas),
                "operations",
                format!("a multiple of the {replicas} replicas"),
            ),
            (
                self.sample_every.get() < every_min,
                "sample-every",
                format!("at least {every_min}, for {operations} operations"),
            ),
            (self.bots.jump_percent > 100, "bots.jump-percent", at_most(100)),
            (self.bots.remove_percent > 100, "bots.remove-percent", at_most(100)),
            (self.bots.full_remove_percent > 100, "bots.full-remove-percent", at_most(100)),
            (pause_millis == 0, "bots.pause-millis", "at least 1".to_owned()),
            (pause_millis > MILLIS_MAX, "bots.pause-millis", at_most(MILLIS_MAX)),
            (
                spread_millis >= pause_millis,
                "bots.spread-millis",
                format!("less than pause-millis, {pause_millis}"),
            ),
            (max_millis > MILLIS_MAX, "latency.max-millis", at_most(MILLIS_MAX)),
            (
                max_millis < min_millis,
                "latency.max-millis",
                format!("at least min-millis, {min_millis}"),
            ),
            (
                self.renamers() > replicas,
                "renames.renamers",
                format!("at most the {replicas} replicas"),
            ),
        ];
        let wrong = checks.into_iter().find(|(wrong, ..)| *wrong);
        wrong.map(|(_, key, expected)| (key, expected))
    }

    /// Edits of one bot.
    pub fn operations_each(&self) -> u32 {
        self.operations.get() / self.replicas
    }

    /// Who renames after how many edits, where anybody does.
    pub fn renamers(&self) -> u32 {
        self.renames.map_or(0, |renames| renames.renamers.get())
    }

    /// How often everybody who renames is to have renamed at the end.
    pub fn steps(&self) -> usize {
        self.renames.map_or(0, |renames| (self.operations.get() / renames.every) as usize)
    }

    /// Whether former states are dropped.
    pub fn collects(&self) -> bool {
        self.renames.is_some_and(|renames| renames.collect == Collect::Announced)
    }
}

/// Where the value of `key`, such as `bots.pause-millis`, stands in `text`.
fn place_of(text: &str, key: &str) -> Option<Range<usize>> {
    let table = DeTable::parse(text).ok()?;
    let (mut at, mut inside) = (table.span(), Some(table.get_ref()));
    for step in key.split('.') {
        let value = inside?.get(step)?;
        (at, inside) = (value.span(), value.get_ref().as_table());
    }
    Some(at)
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
            (
                "operations = 1_200",
                "operations = 9_000_000",
                "line 4, key `operations`: expected at",
            ),
            (
                "sample-every = 300",
                "sample-every = 1",
                "line 5, key `sample-every`: expected at least 2",
            ),
            (
                "renamers = 2",
                "renamers = 5",
                "line 17, key `renames.renamers`: expected at most the 4",
            ),
            (
                "jump-percent = 5",
                "jump-percent = 101",
                "line 11, key `bots.jump-percent`: expected at most 100",
            ),
            ("pause-millis = 200", "pause-millis = 90_000", "line 9, key `bots.pause-millis`"),
            (
                "pause-millis = 200",
                "pause-millis = 0",
                "line 9, key `bots.pause-millis`: expected at",
            ),
            ("spread-millis = 50", "spread-millis = 200", "line 10, key `bots.spread-millis`"),
            ("max-millis = 100", "max-millis = 100, loss = 1", "unknown field `loss`"),
            (
                "max-millis = 100",
                "max-millis = 1",
                "line 6, key `latency.max-millis`: expected at l",
            ),
            ("\"never\"", "\"later\"", "unknown variant `later`"),
            ("seed = 7\n", "", "missing field `seed`"),
        ];
        for (found, put, expected) in cases {
            assert!(SMALL.contains(found), "{found}");
            let why = Row::parse("small", &SMALL.replace(found, put)).unwrap_err();
            assert!(why.to_string().contains(expected), "{why}");
        }
    }
}
