//! A scenario without what it does not need: any key and any table that can go.

use std::path::Path;

use rayon::prelude::*;
use toml::{Table, Value};

use super::case::{Case, Trials};
use crate::scenario::Scenario;

/// Keys that stay: without them a file is no scenario, or another claim.
const KEPT: [&str; 5] = ["about", "app", "expect.outcome", "fleet.without", "phases"];
/// Keys that are tried at a time; more would be tried in vain after the first that can go.
const BATCH: usize = 8;

/// A step into a table or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// Takes every key away that the failure does not need, from the whole to its parts.
pub(super) fn without_needless(trials: &Trials<'_>, case: Case) -> Case {
    let Some(mut table) = table(&case.scenario) else { return case };
    let mut case = case;
    let mut next = 0;
    loop {
        // What was kept stands before `next`, and stays where it is: a key's path is tried once.
        let paths = paths(&table, &KEPT);
        if next >= paths.len() {
            return case;
        }
        let batch = &paths[next..paths.len().min(next + BATCH)];
        let tried = batch.par_iter().enumerate().find_map_first(|(at, path)| {
            let smaller = removed(&table, path)?;
            let scenario = read(&smaller)?;
            let found = if scenario == case.scenario {
                case.clone()
            } else {
                trials.fails(&scenario, case.seed, &case.decisions)?
            };
            Some((at, smaller, found))
        });
        match tried {
            Some((at, smaller, found)) => (next, table, case) = (next + at, smaller, found),
            None => next += batch.len(),
        }
    }
}

/// A scenario as a table.
pub(super) fn table(scenario: &Scenario) -> Option<Table> {
    Table::try_from(scenario).ok()
}

/// `scenario` as a table in which nothing says what would be so anyway.
pub(super) fn terse(scenario: &Scenario) -> Option<Table> {
    // No choice goes without saying, and there may be very many: they stand aside meanwhile.
    let mut whole = table(scenario)?;
    let replay = whole.remove("replay");
    let scenario = Scenario { replay: None, ..scenario.clone() };
    let mut terse = whole;
    let mut next = 0;
    while let Some(path) = paths(&terse, &[]).get(next) {
        match removed(&terse, path).filter(|smaller| read(smaller).as_ref() == Some(&scenario)) {
            Some(smaller) => terse = smaller,
            None => next += 1,
        }
    }
    terse.extend(replay.map(|replay| ("replay".to_owned(), replay)));
    Some(terse)
}

/// The scenario that `table` is, where it is one.
pub(super) fn read(table: &Table) -> Option<Scenario> {
    Scenario::parse(Path::new("shrunk.toml"), toml::to_string(table).ok()?).ok()
}

/// Every key and list item, a whole before its parts; those of `kept` stay, and so does what is in them.
fn paths(table: &Table, kept: &[&str]) -> Vec<Vec<Step>> {
    let mut found = Vec::new();
    let mut path = Vec::new();
    walk_table(table, kept, &mut path, &mut found);
    found
}

fn walk_table(table: &Table, kept: &[&str], path: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    for (key, value) in table {
        path.push(Step::Key(key.clone()));
        walk(value, kept, path, found);
        path.pop();
    }
}

fn walk(value: &Value, kept: &[&str], path: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    let name = shown(path);
    if !kept.iter().any(|kept| name == *kept || kept.starts_with(&format!("{name}."))) {
        found.push(path.clone());
    }
    if kept.contains(&name.as_str()) {
        return;
    }
    match value {
        Value::Table(table) => walk_table(table, kept, path, found),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Step::Index(index));
                walk(item, kept, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

fn shown(path: &[Step]) -> String {
    let step = |step: &Step| match step {
        Step::Key(key) => key.clone(),
        Step::Index(index) => index.to_string(),
    };
    path.iter().map(step).collect::<Vec<_>>().join(".")
}

/// `table` without what is at `path`.
fn removed(table: &Table, path: &[Step]) -> Option<Table> {
    let mut made = table.clone();
    let (last, way) = path.split_last()?;
    let Some((Step::Key(first), way)) = way.split_first() else {
        let Step::Key(key) = last else { return None };
        made.remove(key)?;
        return Some(made);
    };
    let mut at = made.get_mut(first)?;
    for step in way {
        at = match step {
            Step::Key(key) => at.as_table_mut()?.get_mut(key)?,
            Step::Index(index) => at.as_array_mut()?.get_mut(*index)?,
        };
    }
    match last {
        Step::Key(key) => _ = at.as_table_mut()?.remove(key)?,
        Step::Index(index) => {
            let items = at.as_array_mut()?;
            if *index >= items.len() {
                return None;
            }
            items.remove(*index);
        }
    }
    Some(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terse_scenario_says_what_differs_from_nothing_said_and_reads_back() {
        let text = "about = \"a\"\napp = \"counter\"\n[fleet]\nnodes = 3\nruns = \"1.4.0\"\n\
                    trust = { keys = 3, threshold = 2 }\n[phases]\nsafety = \"20s\"\n\
                    [network]\nloss = { independent = \"2%\" }\n";
        let scenario = Scenario::parse(Path::new("s.toml"), text.to_owned()).unwrap();
        let terse = terse(&scenario).unwrap();
        assert_eq!(read(&terse), Some(scenario));
        let fleet: Vec<&String> = terse["fleet"].as_table().unwrap().keys().collect();
        assert_eq!(fleet, ["nodes", "runs"]);
        assert!(!terse.contains_key("random") && terse.contains_key("network"));
    }

    #[test]
    fn choices_stay_as_they_are_and_nothing_else_stays_for_them() {
        let text = "about = \"a\"\napp = \"counter\"\n[fleet]\nnodes = 3\nruns = \"1.4.0\"\n\
                    [phases]\nsafety = \"20s\"\n\
                    [replay]\nseed = \"7\"\nchoices = [\"send n0->n1 #3 lost\", \"send n0->n1 #4 lost\"]\n";
        let scenario = Scenario::parse(Path::new("s.toml"), text.to_owned()).unwrap();
        let terse = terse(&scenario).unwrap();
        assert_eq!(terse["replay"], table(&scenario).unwrap()["replay"]);
        assert_eq!(read(&terse), Some(scenario));
        assert!(!terse.contains_key("random"));
    }
}
