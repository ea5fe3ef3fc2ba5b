//! A shrunk failure as a scenario that fails by itself, with comments that say what it shows.

use toml::{Table, Value};

use super::{Shrunk, case::Case, keys};
use crate::{
    run::Deployed,
    scenario::{Replay, Scenario, Text},
    signature::Signature,
};

/// The order of tables in the text; what is not named comes before `expect`.
const ORDER: [&str; 13] = [
    "about", "app", "fleet", "network", "disk", "clocks", "protocol", "causal", "workload",
    "release", "fault", "random", "phases",
];

/// The scenario of a case: its choices are in it.
pub(super) fn scenario(case: &Case, signature: &Signature, claim: &str) -> Option<Scenario> {
    let words = Deployed::new(&case.scenario).ok()?.words();
    let mut scenario = case.scenario.clone();
    scenario.about = format!("A failure: {} does not hold ({claim})", signature.invariant);
    scenario.replay = Some(Replay { seed: Text(case.seed), choices: words.lines(&case.decisions) });
    Some(scenario)
}

/// `scenario` as text.
pub(super) fn body(scenario: &Scenario) -> Option<String> {
    let mut table = keys::terse(scenario)?;
    let mut text = String::new();
    for key in ["about", "app"] {
        text += &format!("{key} = {}\n", table.remove(key)?);
    }
    let names: Vec<String> = table.keys().cloned().collect();
    let place = |name: &String| {
        let known = ORDER.iter().position(|known| known == name);
        known.unwrap_or(ORDER.len() + usize::from(name == "replay"))
    };
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort_by_key(|name| (place(name), name.clone()));
    for name in names {
        let value = table.remove(&name)?;
        text += "\n";
        text += &section(&name, value)?;
    }
    Some(text)
}

/// One table with its values on a line each: what is nested stands in its line.
fn section(name: &str, value: Value) -> Option<String> {
    match value {
        Value::Table(table) if name == "replay" => {
            let mut text = format!("[replay]\nseed = {}\nchoices = [\n", table.get("seed")?);
            for choice in table.get("choices").and_then(Value::as_array).into_iter().flatten() {
                text += &format!("  {choice},\n");
            }
            Some(text + "]\n")
        }
        Value::Table(table) => Some(format!("[{name}]\n{}", lines(&table))),
        Value::Array(items) => {
            let mut text = String::new();
            for (at, item) in items.into_iter().enumerate() {
                let gap = if at == 0 { "" } else { "\n" };
                text += &format!("{gap}[[{name}]]\n{}", lines(item.as_table()?));
            }
            Some(text)
        }
        value => Some(format!("{name} = {value}\n")),
    }
}

fn lines(table: &Table) -> String {
    table.iter().map(|(key, value)| format!("{key} = {value}\n")).collect()
}

/// What stands above a shrunk scenario.
pub(super) fn comments(shrunk: &Shrunk, from: &str, seed: u64) -> String {
    let Shrunk { violation, before, after, .. } = shrunk;
    // A comment ends with its line, whatever paths and violations say.
    let line = |text: &str| -> String {
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    };
    let from = line(from);
    format!(
        "# A failure, shrunk by `simctl shrink {from} --seed {seed}`.\n\
         # It shows {} at {}: {}.\n\
         # Of {before} are left {after}.\n\
         # `simctl explain` with this file tells the story; `[replay]` names everything that goes wrong.\n\
         # Once it is mended, `outcome` below becomes \"holds\", and this file keeps it so.\n",
        violation.invariant,
        violation.at,
        line(&violation.text),
    )
}
