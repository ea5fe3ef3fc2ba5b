//! What a sweep runs: fixed before it begins, the same for all of its shards.

use serde::{Deserialize, Serialize};

/// What a sweep runs. A job is one scenario at one point of its grid with one seed. Jobs are numbered:
/// first the seeds that once failed and recorded runs, scenario by scenario, seed by seed, cell by cell; then
/// seed by seed, scenario by scenario, cell by cell, so that a sweep that is cut short has done as much of
/// each scenario. A seed that comes up again is left out, and recorded runs take none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// [`crate::FORMAT_VERSION`] of whoever wrote it.
    pub format_version: u32,
    /// Which build it is for: a seed means nothing to another one.
    pub build: String,
    /// How the seeds were asked for, such as `0..1000`, `random` or a commit.
    pub seed_base: String,
    /// The first seed.
    pub seed_first: u64,
    /// How many seeds.
    pub seed_count: u64,
    /// How many shards the jobs are divided into.
    pub shards: u32,
    /// What is run with each seed.
    pub scenarios: Vec<Planned>,
}

/// A scenario of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Planned {
    /// Its name: its file without folder and ending.
    pub name: String,
    /// The path it was read from, for whoever repeats a run.
    pub path: String,
    /// Its text, hashed: 32 hexadecimal digits.
    pub hash: String,
    /// Its text: a shard needs no other file.
    pub text: String,
    /// The sentence that says what it claims.
    pub about: String,
    /// Seeds that once failed and are run first, besides the others: ascending, each once.
    pub regress: Vec<u64>,
    /// It is a recorded run, of this seed: no other seed would change anything, so it is run once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<u64>,
    /// The points of its grid; one without settings where there is no grid.
    pub cells: Vec<Cell>,
}

/// A point of a grid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cell {
    /// What the axes are set to, in their order: key in the scenario (such as `network.loss`) and value as
    /// it is written there, text without its quotes unless it would read as something else.
    pub settings: Vec<(String, String)>,
}

impl Cell {
    /// The cell's name: `key=value` parts with a space between, keys by their last part.
    pub fn name(&self) -> String {
        let part = |(key, value): &(String, String)| {
            format!("{}={value}", key.rsplit('.').next().unwrap_or(key))
        };
        self.settings.iter().map(part).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_named_by_what_it_sets() {
        let cell = Cell {
            settings: vec![
                ("network.loss".into(), "5%".into()),
                ("fleet.nodes".into(), "7".into()),
            ],
        };
        assert_eq!(cell.name(), "loss=5% nodes=7");
        assert_eq!(Cell::default().name(), "");
    }
}
