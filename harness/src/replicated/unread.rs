//! Keys of an operation that its type does not read.

use crdt::{Op, Value};

/// Where the only operations stand that a type reads inside of another.
const INNER: &str = "op";

/// A key of `operation`, which `kind` reads as `asked`, that it does not look at: without it the same is read.
pub(super) fn unread<T: Op>(kind: &T, operation: &Value, asked: &T::Operation) -> Option<String> {
    let same = |changed: Value| kind.parse(&changed).is_ok_and(|read| read == *asked);
    first(operation, &same)
}

/// The first key of `operation`, or of the one inside, without which it is still the `same`.
fn first(operation: &Value, same: &dyn Fn(Value) -> bool) -> Option<String> {
    let Value::Map(parts) = operation else { return None };
    for (key, part) in parts {
        let mut others = parts.clone();
        others.remove(key);
        if same(Value::Map(others.clone())) {
            return Some(key.clone());
        }
        if key == INNER {
            let within = |changed: Value| {
                let mut parts = others.clone();
                parts.insert(key.clone(), changed);
                same(Value::Map(parts))
            };
            if let Some(inner) = first(part, &within) {
                return Some(format!("{key}.{inner}"));
            }
        }
    }
    None
}
