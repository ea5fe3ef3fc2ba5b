//! Makes a failing fleet small: fewer moves first, then smaller arguments.

use app::{Body, Schema, Value};

use super::{Broken, Move, Seen, What};
use crate::shrink::ddmin::minimise;

/// Fleets that are played for the sake of smaller arguments.
const TRIALS_MAX: usize = 2_000;

/// Moves of which the last shows what is broken.
#[derive(Clone, Debug)]
pub(super) struct Failing {
    pub(super) moves: Vec<Move>,
    pub(super) seen: Seen,
    pub(super) broken: Broken,
}

/// Plays moves: where they fail in the same way, up to there.
type Trial<'a> = &'a (dyn Fn(&[Move], &Broken) -> Option<Failing> + Sync);

/// The smallest that fails as `failing` does. `schema` knows the messages of a release by their tags.
pub(super) fn smallest(
    failing: Failing,
    trial: Trial<'_>,
    schema: &dyn Fn(&str, u32) -> Option<Schema>,
) -> Failing {
    let broken = failing.broken.clone();
    let mut smallest = fewer(failing, trial);
    let mut trials = 0;
    'smaller: loop {
        for at in 0..smallest.moves.len() {
            for step in simpler(&smallest.moves[at], schema) {
                trials += 1;
                if trials > TRIALS_MAX {
                    return smallest;
                }
                let mut moves = smallest.moves.clone();
                moves[at] = step;
                if let Some(found) = trial(&moves, &broken) {
                    smallest =
                        if found.moves.len() < moves.len() { found } else { fewer(found, trial) };
                    continue 'smaller;
                }
            }
        }
        return smallest;
    }
}

fn fewer(failing: Failing, trial: Trial<'_>) -> Failing {
    let broken = failing.broken.clone();
    let moves = minimise(failing.moves.clone(), &|| false, |moves| trial(moves, &broken).is_some());
    trial(&moves, &broken).unwrap_or(failing)
}

/// The same move with a little less in it.
fn simpler(step: &Move, schema: &dyn Fn(&str, u32) -> Option<Schema>) -> Vec<Move> {
    let mut found = Vec::new();
    if step.entropy > 0 {
        let smaller = [0, 1].into_iter().filter(|entropy| *entropy < step.entropy);
        found.extend(smaller.map(|entropy| Move { entropy, ..step.clone() }));
    }
    let What::Ask { release, body } = &step.what else { return found };
    let Some(schema) = schema(release, body.tag) else { return found };
    let Ok(value) = Value::decode(&schema, &body.bytes) else { return found };
    for simpler in smaller(&value) {
        // A record of another arm is no value of the schema, and an argument past a bound is refused later.
        let Ok(bytes) = simpler.encode(&schema) else { continue };
        let body = Body { tag: body.tag, bytes: bytes.into() };
        let what = What::Ask { release: release.clone(), body };
        found.push(Move { what, ..step.clone() });
    }
    found
}

/// Values that are smaller than `value` in one place.
fn smaller(value: &Value) -> Vec<Value> {
    match value {
        Value::Unit | Value::Bool(_) | Value::Bytes(_) | Value::Option(None) => Vec::new(),
        Value::Int(number) => {
            let candidates = [0, 1, 2, number / 2];
            let smaller = |one: &i64| one.unsigned_abs() < number.unsigned_abs();
            candidates.into_iter().filter(smaller).map(Value::Int).collect()
        }
        Value::Str(text) => {
            let first = text.chars().next().map(String::from);
            let shorter = first.filter(|first| first.len() < text.len());
            shorter.into_iter().map(Value::Str).collect()
        }
        Value::Rec(fields) => {
            let each = fields.iter().flat_map(|(id, field)| {
                smaller(field).into_iter().map(|field| {
                    let mut fields = fields.clone();
                    fields.insert(*id, field);
                    Value::Rec(fields)
                })
            });
            each.collect()
        }
        Value::Var(arm, value) => {
            smaller(value).into_iter().map(|value| Value::arm(*arm, value)).collect()
        }
        Value::Option(Some(inner)) => {
            let none = [Value::Option(None)].into_iter();
            none.chain(smaller(inner).into_iter().map(Value::some)).collect()
        }
        Value::List(values) => {
            let without = (0..values.len()).map(|at| [&values[..at], &values[at + 1..]].concat());
            let with = values.iter().enumerate().flat_map(|(at, value)| {
                smaller(value).into_iter().map(move |value| {
                    let mut values = values.clone();
                    values[at] = value;
                    values
                })
            });
            without.chain(with).map(Value::List).collect()
        }
        Value::Map(entries) => {
            let without = entries.keys().map(|key| {
                let mut entries = entries.clone();
                entries.remove(key);
                Value::Map(entries)
            });
            without.collect()
        }
    }
}
