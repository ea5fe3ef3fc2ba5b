//! Rounder values: a failure that shows with `2s` need not be told with `2031734us`.

use std::path::Path;

use contract::Span;
use toml::{Table, Value};

use super::{
    case::{Case, Trials},
    keys,
};
use crate::{choices::names, scenario::Scenario};

/// Steps to which lengths of time are rounded, in nanoseconds, the roundest first.
const STEPS: [u64; 5] = [1_000_000_000, 500_000_000, 100_000_000, 10_000_000, 1_000_000];
/// Keys whose times are rounded: of what happens, not of what the network is like.
const TIMES: [&str; 8] = ["at", "from", "until", "down", "lasts", "gap", "by", "gossip"];

/// Makes the values of a case rounder, where the failure stays.
pub(super) fn rounder(trials: &Trials<'_>, mut case: Case) -> Case {
    for index in 0..case.decisions.len() {
        // A trial drops what nobody asked for.
        let Some(decision) = case.decisions.get(index).copied() else { break };
        if (trials.enough)() {
            return case;
        }
        let named = names::aspect(decision.occasion.site, decision.aspect);
        if named.is_none_or(|named| named.value != names::Value::Span) {
            continue;
        }
        let rounder = candidates(decision.value).find_map(|value| {
            let mut decisions = case.decisions.clone();
            decisions[index].value = value;
            trials.fails(&case.scenario, case.seed, &decisions)
        });
        case = rounder.unwrap_or(case);
    }
    let Some(table) = keys::table(&case.scenario) else { return case };
    for place in 0..times(&table).len() {
        let Some(table) = keys::table(&case.scenario) else { break };
        let Some(span) = times(&table).get(place).copied() else { break };
        let rounder = candidates(span.as_nanos()).find_map(|nanos| {
            let mut made = table.clone();
            replace(&mut made, place, &Span::from_nanos(nanos).to_string());
            let text = toml::to_string(&made).ok()?;
            let scenario = Scenario::parse(Path::new("shrunk.toml"), text).ok()?;
            trials.fails(&scenario, case.seed, &case.decisions)
        });
        case = rounder.unwrap_or(case);
    }
    case
}

/// Rounder values for `nanos`, the roundest first; none where it is as round already.
fn candidates(nanos: u64) -> impl Iterator<Item = u64> {
    let is_rounder = move |step: &u64| !nanos.is_multiple_of(*step);
    // Nothing is rounded to nothing, and two steps may round to the same.
    let mut last = 0;
    STEPS.into_iter().take_while(is_rounder).filter_map(move |step| {
        let rounded = nanos.saturating_add(step / 2) / step * step;
        let is_new = rounded != last;
        last = rounded;
        is_new.then_some(rounded)
    })
}

/// The times in a table, in order.
fn times(table: &Table) -> Vec<Span> {
    let mut found = Vec::new();
    visit(&mut table.clone(), &mut |text| found.extend(text.parse::<Span>()));
    found
}

/// Gives the time in `place` another text.
fn replace(table: &mut Table, place: usize, text: &str) {
    let mut at = 0;
    visit(table, &mut |old| {
        if old.parse::<Span>().is_ok() {
            if at == place {
                text.clone_into(old);
            }
            at += 1;
        }
    });
}

fn visit(table: &mut Table, each: &mut impl FnMut(&mut String)) {
    for (key, value) in table.iter_mut() {
        visit_value(key, value, each);
    }
}

fn visit_value(key: &str, value: &mut Value, each: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) if TIMES.contains(&key) => each(text),
        Value::Table(table) => {
            for (key, value) in table.iter_mut() {
                visit_value(key, value, each);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| visit_value(key, item, each)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_gets_rounder_step_by_step() {
        let of = |nanos| candidates(nanos).collect::<Vec<_>>();
        assert_eq!(
            of(1_931_734_000),
            [2_000_000_000, 1_900_000_000, 1_930_000_000, 1_932_000_000],
            "each once, the roundest first"
        );
        assert_eq!(of(u64::MAX)[0], u64::MAX / STEPS[0] * STEPS[0], "there is nothing above");
        assert!(of(12_345).is_empty(), "nothing is rounded to nothing");
        assert!(of(2_000_000_000).is_empty());
        assert_eq!(of(1_500_000_000), [2_000_000_000]);
    }
}
