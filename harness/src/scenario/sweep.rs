//! The grid that a sweep lays over a scenario: the same claim under other conditions.
//!
//! An axis is a key of the scenario and the values it takes; `together` puts several keys on one axis. A
//! point of the grid sets one value of each axis. Each value must make a scenario of its own: that is
//! checked where the scenario is read.

use std::{borrow::Cow, collections::BTreeSet, path::Path};

use results::Cell;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use toml::{Spanned, Table, Value, de::DeTable};

use super::{
    Scenario,
    diagnostic::{Code, Diagnostic, Rejected},
    shape::{locate, shown, unshown},
};

/// More points than these are a mistake, not a grid.
const CELLS_MAX: usize = 10_000;
/// The key under which axes of several keys stand.
const TOGETHER: &str = "together";

/// The axes, as they are written: keys of the scenario, each with a list of values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Grid(Table);

/// Keys that change together, each with as many values.
struct Axis {
    /// Where it stands in the scenario, such as `sweep.network.loss`.
    path: String,
    keys: Vec<(String, Vec<Value>)>,
}

impl Grid {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every point, the last axis changing fastest; one without settings where there is no grid.
    pub fn cells(&self) -> Vec<Cell> {
        let mut cells = vec![Cell::default()];
        for axis in axes(&self.0).unwrap_or_default() {
            let longer = |cell: &Cell, point: usize| {
                let mut settings = cell.settings.clone();
                let set = axis.keys.iter().map(|(key, of)| (key.clone(), written(&of[point])));
                settings.extend(set);
                Cell { settings }
            };
            cells = cells
                .iter()
                .flat_map(|cell| (0..axis.points()).map(|point| longer(cell, point)))
                .collect();
        }
        cells
    }
}

impl Axis {
    fn points(&self) -> usize {
        self.keys.first().map_or(0, |(_, values)| values.len())
    }
}

impl JsonSchema for Grid {
    fn schema_name() -> Cow<'static, str> {
        "Grid".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Axes of a grid: each key of the scenario with the list of values that a \
                sweep gives it, such as `network.loss.independent = [\"0%\", \"1%\"]`. Entries of a list \
                are counted from 0, as in `release.0.at = [\"1s\", \"2s\"]`. A cell is named after the \
                last part of each key.",
            "type": "object",
            "properties": {
                "together": {
                    "description": "Keys that change together, as one axis: a table of keys, each with a \
                        list of values, all lists of the same length.",
                    "type": "array",
                    "items": { "type": "object", "additionalProperties": true }
                }
            },
            "additionalProperties": true
        })
    }
}

/// The scenario `text` with `settings`: keys, and values as a [`Cell`] has them.
///
/// Errors: a key leads nowhere, or what comes of it is no scenario; `path` is named.
pub fn with_settings(
    path: &Path,
    text: &str,
    settings: &[(String, String)],
) -> Result<Scenario, Box<Rejected>> {
    let base = Scenario::parse(path, text.to_owned())?;
    if settings.is_empty() {
        return Ok(base);
    }
    let cell = Cell { settings: settings.to_vec() };
    let set: Vec<(&str, Value)> =
        settings.iter().map(|(key, value)| (key.as_str(), value_of(value))).collect();
    changed(path, text, &set).map_err(|why| {
        let mut why = *why;
        why.title = format!("with {}: {}", cell.name(), why.title);
        let place = unshown(&why.path);
        let within = |one: &str, other: &str| format!("{one}.").starts_with(&format!("{other}."));
        let is_set = settings.iter().any(|(key, _)| within(&place, key) || within(key, &place));
        if is_set || place.is_empty() {
            // The file says something else there, or nothing.
            let label = std::mem::take(&mut why.label);
            let said = [Some(label).filter(|label| !label.is_empty()), why.help.take()];
            why.help = Some(said.into_iter().flatten().collect::<Vec<_>>().join("; "));
            why.at = None;
        } else {
            why.at = Some(locate(&DeTable::parse(text).expect("it was read before"), &place));
        }
        let (file, text) = (path.into(), text.to_owned());
        Box::new(Rejected { file, text, diagnostics: vec![why] })
    })
}

/// Mistakes in the grid of a scenario that is right without it.
pub(super) fn mistakes(text: &str, table: &Spanned<DeTable<'_>>) -> Vec<Diagnostic> {
    let whole: Table = toml::from_str(text).expect("it was read before");
    let Some(Value::Table(grid)) = whole.get("sweep") else { return Vec::new() };
    let mistake = |path: &str, code: Code, title: String, label: String, help: Option<String>| {
        let at = Some(locate(table, path));
        Diagnostic { code, title, at, label, path: shown(path), help }
    };
    let axes = match axes(grid) {
        Ok(axes) => axes,
        Err((path, title)) => {
            let label = "expected keys of the scenario, each with a list of values".to_owned();
            return vec![mistake(&path, Code::WrongType, title, label, None)];
        }
    };
    let points = axes.iter().try_fold(1_usize, |points, axis| points.checked_mul(axis.points()));
    if points.is_none_or(|points| points > CELLS_MAX) {
        let title = format!("the grid has more than {CELLS_MAX} points");
        return vec![mistake("sweep", Code::BadQuantity, title, "expected fewer".into(), None)];
    }
    let mut found: Vec<Diagnostic> = repeated(&axes)
        .into_iter()
        .map(|(path, title, label)| {
            mistake(&path, Code::Contradiction, title, label.to_owned(), None)
        })
        .collect();
    for axis in &axes {
        for point in 0..axis.points() {
            let set: Vec<(&str, Value)> =
                axis.keys.iter().map(|(key, of)| (key.as_str(), of[point].clone())).collect();
            if let Err(why) = changed(Path::new(""), text, &set) {
                let path = match &axis.keys[..] {
                    [_] => format!("{}.{point}", axis.path),
                    _ => axis.path.clone(),
                };
                let title = format!("with this value: {}", why.title);
                found.push(mistake(&path, why.code, title, why.label, why.help));
            }
        }
    }
    found
}

/// Keys that are on two axes, and points that an axis has twice: where, what is wrong, what was expected.
fn repeated(axes: &[Axis]) -> Vec<(String, String, &'static str)> {
    let mut found = Vec::new();
    let mut keys: BTreeSet<&str> = BTreeSet::new();
    for axis in axes {
        for (key, _) in &axis.keys {
            if !keys.insert(key) {
                let title = format!("`{key}` is on two axes of the grid");
                found.push((axis.path.clone(), title, "expected each key on one axis"));
            }
        }
        // Points of one name are one cell, whatever they are in TOML.
        let point = |point: usize| -> Vec<String> {
            axis.keys.iter().map(|(_, values)| written(&values[point])).collect()
        };
        let mut points = BTreeSet::new();
        for number in 0..axis.points() {
            if !points.insert(point(number)) {
                let path = match &axis.keys[..] {
                    [_] => format!("{}.{number}", axis.path),
                    _ => axis.path.clone(),
                };
                let title = format!("the axis has {} twice", point(number).join(" with "));
                found.push((path, title, "expected each point once"));
            }
        }
    }
    found
}

/// The axes that `grid` writes down, in order. Errors: where it writes something else, and what is wrong.
fn axes(grid: &Table) -> Result<Vec<Axis>, (String, String)> {
    let mut found = Vec::new();
    for (key, value) in grid {
        if key == TOGETHER {
            together(value, &mut found)?;
            continue;
        }
        let mut keys = Vec::new();
        leaves(key, value, "sweep", &mut keys)?;
        let alone = |(key, values): (String, Vec<Value>)| Axis {
            path: format!("sweep.{key}"),
            keys: vec![(key, values)],
        };
        found.extend(keys.into_iter().map(alone));
    }
    Ok(found)
}

fn together(value: &Value, found: &mut Vec<Axis>) -> Result<(), (String, String)> {
    let wrong = |at: String, why: &str| Err((at, why.to_owned()));
    let path = format!("sweep.{TOGETHER}");
    let Value::Array(groups) = value else { return wrong(path, "`together` is no list of tables") };
    for (index, group) in groups.iter().enumerate() {
        let path = format!("{path}.{index}");
        let Value::Table(group) = group else { return wrong(path, "this is no table") };
        let mut keys = Vec::new();
        for (key, value) in group {
            leaves(key, value, &path, &mut keys)?;
        }
        let Some((_, first)) = keys.first() else { return wrong(path, "nothing changes here") };
        let points = first.len();
        if keys.iter().any(|(_, values)| values.len() != points) {
            return wrong(path, "keys that change together have lists of the same length");
        }
        found.push(Axis { path, keys });
    }
    Ok(())
}

/// The lists below `value`, which stands at `key` within `around`.
fn leaves(
    key: &str,
    value: &Value,
    around: &str,
    keys: &mut Vec<(String, Vec<Value>)>,
) -> Result<(), (String, String)> {
    let path = || format!("{around}.{key}");
    match value {
        Value::Array(values) if values.is_empty() => Err((path(), "this axis has no value".into())),
        Value::Array(values) => {
            keys.push((key.to_owned(), values.clone()));
            Ok(())
        }
        Value::Table(table) if !table.is_empty() => {
            for (step, value) in table {
                leaves(&format!("{key}.{step}"), value, around, keys)?;
            }
            Ok(())
        }
        _ => Err((path(), "this is no list of values".into())),
    }
}

/// The scenario `text` with other values, and without its grid.
fn changed(path: &Path, text: &str, set: &[(&str, Value)]) -> Result<Scenario, Box<Diagnostic>> {
    let lost = |title: String, label: &str| {
        let (code, label, path) = (Code::UnknownKey, label.to_owned(), String::new());
        Box::new(Diagnostic { code, title, at: None, label, path, help: None })
    };
    let mut table: Table = toml::from_str(text).expect("it was read before");
    table.remove("sweep");
    for (key, value) in set {
        let place = place(&mut table, key).ok_or_else(|| {
            lost(format!("`{key}` leads nowhere"), "expected a key of the scenario")
        })?;
        *place = value.clone();
    }
    let text = toml::to_string(&table)
        .map_err(|error| lost(error.to_string(), "expected a value that TOML has"))?;
    Scenario::parse(path, text).map_err(|rejected| {
        let first = rejected.diagnostics.into_iter().next();
        Box::new(first.expect("what is rejected has a mistake"))
    })
}

/// Where `key`, such as `network.loss` or `release.0.version`, stands in `table`; tables on the way are
/// made, items of lists are not.
fn place<'t>(table: &'t mut Table, key: &str) -> Option<&'t mut Value> {
    let mut steps = key.split('.');
    let missing = || Value::Table(Table::new());
    let mut at = table.entry(steps.next()?).or_insert_with(missing);
    for step in steps {
        at = match at {
            Value::Table(table) => table.entry(step).or_insert_with(missing),
            Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?)?,
            // What was a word, such as a choice, becomes a table that says more.
            other => {
                *other = missing();
                other.as_table_mut()?.entry(step).or_insert_with(missing)
            }
        };
    }
    Some(at)
}

/// `value` as a cell has it: text without quotes, unless it would read as something else.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) if as_toml(text).is_none() => text.clone(),
        other => other.to_string(),
    }
}

/// The value that a cell, or somebody at a command line, writes as `text`.
fn value_of(text: &str) -> Value {
    as_toml(text).unwrap_or_else(|| Value::String(text.to_owned()))
}

fn as_toml(text: &str) -> Option<Value> {
    let table: Table = toml::from_str(&format!("value = {text}")).ok()?;
    // A line break in the text could begin another key.
    if table.len() == 1 { table.get("value").cloned() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = r#"
about = "a patch arrives"
app = "counter"
[fleet]
nodes = 3
runs = "1.0.0"
[[release]]
version = "1.0.1"
at = "2s"
node = "n0"
"#;

    fn read(grid: &str) -> Result<Scenario, Box<Rejected>> {
        Scenario::parse(Path::new("a.toml"), format!("{BASE}{grid}"))
    }

    fn names(grid: &str) -> Vec<String> {
        read(grid).unwrap().sweep.cells().iter().map(Cell::name).collect()
    }

    fn complaint(grid: &str) -> String {
        read(grid).unwrap_err().to_string()
    }

    #[test]
    fn axes_multiply_and_the_last_changes_fastest() {
        let grid = "[sweep]\nfleet.nodes = [3, 5]\nnetwork.latency = [\"1ms\", \"2ms\"]";
        assert!(read(grid).is_err(), "a latency is no bare time");
        let grid = "[sweep]\nfleet.nodes = [3, 5]\nrelease.0.at = [\"1s\", \"2s\"]";
        assert_eq!(
            names(grid),
            ["nodes=3 at=1s", "nodes=3 at=2s", "nodes=5 at=1s", "nodes=5 at=2s"]
        );
        assert_eq!(names(""), [""]);
    }

    #[test]
    fn a_pair_of_versions_is_one_axis() {
        let grid = r#"
            [[sweep.together]]
            fleet.runs = ["1.0.0", "1.4.0"]
            release.0.version = ["1.0.1", "2.0.0"]
        "#;
        assert_eq!(names(grid), ["runs=1.0.0 version=1.0.1", "runs=1.4.0 version=2.0.0"]);
    }

    #[test]
    fn how_long_a_partition_lasts_is_an_axis_and_so_is_whether_there_is_one() {
        let partition =
            r#"{ partition = { groups = [["n0"], ["n1"]], from = "1s", until = "2s" } }"#;
        let until = format!(
            "fault = [{partition}]\n{BASE}[sweep]\nfault.0.partition.until = [\"2s\", \"4s\"]\n"
        );
        let cells = Scenario::parse(Path::new("a.toml"), until).unwrap().sweep.cells();
        assert_eq!(cells.iter().map(Cell::name).collect::<Vec<_>>(), ["until=2s", "until=4s"]);
        let whether = format!("[sweep]\nfault = [[], [{partition}]]\n");
        let cells = read(&whether).unwrap().sweep.cells();
        let text = format!("{BASE}{whether}");
        let faults = |cell: &Cell| {
            with_settings(Path::new("a.toml"), &text, &cell.settings).unwrap().faults.len()
        };
        assert_eq!(cells.iter().map(faults).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn a_point_of_the_grid_is_the_scenario_with_its_values() {
        let text = format!("{BASE}[sweep]\nfleet.nodes = [3, 5]\n");
        let set = |key: &str, value: &str| {
            with_settings(Path::new("a.toml"), &text, &[(key.to_owned(), value.to_owned())])
        };
        assert_eq!(set("fleet.nodes", "5").unwrap().fleet.nodes, 5);
        assert!(set("fleet.nodes", "5").unwrap().sweep.is_empty());
        assert!(set("network.loss.independent", "2%").is_ok(), "tables on the way are made");
        let wrong = set("fleet.nodes", "5%").unwrap_err().to_string();
        assert!(
            wrong.starts_with("a.toml: S0003: with nodes=5%: text does not belong here"),
            "{wrong}"
        );
        let wrong = set("release.7.at", "5s").unwrap_err().to_string();
        assert!(wrong.contains("`release.7.at` leads nowhere"), "{wrong}");
    }

    #[test]
    fn a_value_that_makes_no_scenario_is_shown_where_it_stands() {
        let said = complaint("[sweep]\nfleet.nodes = [3, 0]\n");
        assert!(said.starts_with("a.toml:12:19: "), "{said}");
        let said = complaint("[sweep]\nfleet.knots = [3, 5]\n");
        assert!(said.contains("with this value: unknown key `knots`"), "{said}");
    }

    #[test]
    fn what_is_no_axis_is_a_mistake() {
        assert!(complaint("[sweep]\nfleet.nodes = 3\n").contains("this is no list of values"));
        assert!(complaint("[sweep]\nfleet.nodes = []\n").contains("this axis has no value"));
        let uneven = "[[sweep.together]]\nfleet.nodes = [3, 5]\nrelease.0.at = [\"1s\"]\n";
        assert!(complaint(uneven).contains("lists of the same length"));
        let many =
            format!("[sweep]\nfleet.nodes = {:?}\nrelease.0.at = {:?}\n", [3; 200], ["1s"; 200]);
        assert!(complaint(&many).contains("the grid has more than 10000 points"));
    }

    #[test]
    fn what_would_give_two_cells_of_one_name_is_a_mistake() {
        let said = complaint("[sweep]\nfleet.nodes = [3, 5, 3]\n");
        assert!(said.starts_with("a.toml:12:22: "), "{said}");
        assert!(said.contains("the axis has 3 twice"), "{said}");
        let pair = "fleet.nodes = [3, 3]\nrelease.0.at = [\"1s\", \"1s\"]\n";
        let said = complaint(&format!("[[sweep.together]]\n{pair}"));
        assert!(said.contains("the axis has 3 with 1s twice"), "{said}");
        let pair = "fleet.nodes = [3, 3]\nrelease.0.at = [\"1s\", \"2s\"]\n";
        assert!(read(&format!("[[sweep.together]]\n{pair}")).is_ok(), "the points differ");
        let both = "[sweep]\nfleet.nodes = [3, 5]\n[[sweep.together]]\nfleet.nodes = [4, 7]\n";
        assert!(complaint(both).contains("`fleet.nodes` is on two axes of the grid"));
    }

    #[test]
    fn the_examples_of_the_schema_are_axes() {
        let said = Grid::json_schema(&mut SchemaGenerator::default());
        let said = said.get("description").and_then(|text| text.as_str()).unwrap();
        let examples: Vec<&str> = said.split('`').filter(|text| text.contains(" = [")).collect();
        assert_eq!(examples.len(), 2);
        assert!(read(&format!("[sweep]\n{}\n", examples.join("\n"))).is_ok(), "{examples:?}");
    }

    #[test]
    fn texts_that_look_like_other_values_keep_their_quotes() {
        for (value, shown) in [
            (Value::String("5%".into()), "5%"),
            (Value::String("7".into()), "\"7\""),
            (Value::Integer(7), "7"),
            (Value::String("2.0.0".into()), "2.0.0"),
            (Value::String("a\nb = 1".into()), "a\nb = 1"),
        ] {
            assert_eq!(written(&value), shown);
            assert_eq!(value_of(shown), value);
        }
    }
}
