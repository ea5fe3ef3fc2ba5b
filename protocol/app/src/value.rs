//! Canonical values: what crosses from one version to another, and what people read.
//!
//! A [`Value`] is built where something looks inside: in tests, in reports, in later languages. The
//! hot path checks and moves bytes and builds none.
//!
//! Invariant: a value of a schema and its bytes determine each other.

use std::{collections::BTreeMap, fmt};

use contract::{
    Malformed,
    wire::{put_blob, put_varint, take_blob},
};

pub use crate::schema::{Field, Schema, SchemaId};
use crate::schema::{
    KeyOrder, all_read, put_int, take_arm, take_bool, take_count, take_int, take_text, within_limit,
};

/// A value of some schema. Its order has no meaning beyond being one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Nothing said.
    Unit,
    /// True or false.
    Bool(bool),
    /// A number.
    Int(i64),
    /// Text.
    Str(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Fields by number.
    Rec(BTreeMap<u32, Value>),
    /// The number of an arm, and what it holds.
    Var(u32, Box<Value>),
    /// Values in order.
    List(Vec<Value>),
    /// Values by key.
    Map(BTreeMap<Value, Value>),
    /// A value or none.
    Option(Option<Box<Value>>),
}

/// The value is not of the schema; the text says what the schema wants. Nothing was encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("value is not {0}")]
pub struct Mismatch(pub &'static str);

impl Value {
    /// A record.
    pub fn record(fields: impl IntoIterator<Item = (u32, Self)>) -> Self {
        Self::Rec(fields.into_iter().collect())
    }

    /// One arm of a variant.
    pub fn arm(id: u32, value: Self) -> Self {
        Self::Var(id, Box::new(value))
    }

    /// A map.
    pub fn map(entries: impl IntoIterator<Item = (Self, Self)>) -> Self {
        Self::Map(entries.into_iter().collect())
    }

    /// A value that is there.
    pub fn some(value: Self) -> Self {
        Self::Option(Some(Box::new(value)))
    }

    /// Reads a value of `schema` that fills `bytes`.
    ///
    /// Errors: [`Malformed`] exactly where [`Schema::check`] says so.
    pub fn decode(schema: &Schema, mut bytes: &[u8]) -> Result<Self, Malformed> {
        within_limit(bytes)?;
        let value = take(schema, &mut bytes)?;
        all_read(bytes)?;
        Ok(value)
    }

    /// The canonical bytes. Errors: [`Mismatch`] where the value is not of `schema`.
    pub fn encode(&self, schema: &Schema) -> Result<Vec<u8>, Mismatch> {
        let mut out = Vec::new();
        put(self, schema, &mut out)?;
        within_limit(&out).map_err(|_| Mismatch("small enough"))?;
        Ok(out)
    }

    /// Shows the value with the names of `schema`, as far as it is of that schema.
    pub fn named<'a>(&'a self, schema: &'a Schema) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| show(self, Some(schema), f))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self, None, f)
    }
}

fn take(schema: &Schema, bytes: &mut &[u8]) -> Result<Value, Malformed> {
    Ok(match schema {
        Schema::Unit => Value::Unit,
        Schema::Bool => Value::Bool(take_bool(bytes)?),
        Schema::Int => Value::Int(take_int(bytes)?),
        Schema::Str => Value::Str(take_text(bytes)?.to_owned()),
        Schema::Bytes => Value::Bytes(take_blob(bytes)?.to_owned()),
        Schema::Rec(fields) => {
            let take_field = |field: &Field| Ok((field.id, take(&field.schema, bytes)?));
            Value::Rec(fields.iter().map(take_field).collect::<Result<_, Malformed>>()?)
        }
        Schema::Var(arms) => {
            let arm = take_arm(arms, bytes)?;
            Value::arm(arm.id, take(&arm.schema, bytes)?)
        }
        Schema::List(of) => {
            let count = take_count(bytes)?;
            Value::List((0..count).map(|_| take(of, bytes)).collect::<Result<_, _>>()?)
        }
        Schema::Map(keys, values) => {
            let mut order = KeyOrder::default();
            let mut map = BTreeMap::new();
            for _ in 0..take_count(bytes)? {
                let before = *bytes;
                let key = take(keys, bytes)?;
                order.next(before, bytes)?;
                map.insert(key, take(values, bytes)?);
            }
            Value::Map(map)
        }
        Schema::Option(of) => {
            let some = take_bool(bytes)?;
            Value::Option(if some { Some(Box::new(take(of, bytes)?)) } else { None })
        }
    })
}

fn put(value: &Value, schema: &Schema, out: &mut Vec<u8>) -> Result<(), Mismatch> {
    match (schema, value) {
        (Schema::Unit, Value::Unit) => {}
        (Schema::Bool, Value::Bool(bit)) => out.push(u8::from(*bit)),
        (Schema::Int, Value::Int(number)) => put_int(out, *number),
        (Schema::Str, Value::Str(text)) => put_blob(out, text.as_bytes()),
        (Schema::Bytes, Value::Bytes(blob)) => put_blob(out, blob),
        (Schema::Rec(fields), Value::Rec(values)) => {
            if fields.len() != values.len() {
                return Err(Mismatch("a record of these fields"));
            }
            for field in fields {
                let value = values.get(&field.id).ok_or(Mismatch("a record of these fields"))?;
                put(value, &field.schema, out)?;
            }
        }
        (Schema::Var(arms), Value::Var(id, value)) => {
            let arm = arms.iter().find(|arm| arm.id == *id).ok_or(Mismatch("one of these arms"))?;
            put_varint(out, u64::from(arm.id));
            put(value, &arm.schema, out)?;
        }
        (Schema::List(of), Value::List(values)) => {
            put_varint(out, values.len() as u64);
            let before = out.len();
            values.iter().try_for_each(|value| put(value, of, out))?;
            if out.len() - before < values.len() {
                return Err(Mismatch("a list of elements with bytes"));
            }
        }
        (Schema::Map(keys, values), Value::Map(map)) => put_map(map, keys, values, out)?,
        (Schema::Option(_), Value::Option(None)) => out.push(0),
        (Schema::Option(of), Value::Option(Some(value))) => {
            out.push(1);
            put(value, of, out)?;
        }
        (schema, _) => return Err(Mismatch(kind(schema))),
    }
    Ok(())
}

/// The order on the wire is that of the keys' bytes, which is not the order of the keys.
fn put_map(
    map: &BTreeMap<Value, Value>,
    keys: &Schema,
    values: &Schema,
    out: &mut Vec<u8>,
) -> Result<(), Mismatch> {
    let mut entries = Vec::with_capacity(map.len());
    for (key, value) in map {
        let mut bytes = Vec::new();
        put(key, keys, &mut bytes)?;
        if bytes.is_empty() {
            return Err(Mismatch("a map whose keys have bytes"));
        }
        entries.push((bytes, value));
    }
    entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    put_varint(out, entries.len() as u64);
    for (key, value) in entries {
        out.extend_from_slice(&key);
        put(value, values, out)?;
    }
    Ok(())
}

fn kind(schema: &Schema) -> &'static str {
    match schema {
        Schema::Unit => "a unit",
        Schema::Bool => "a bool",
        Schema::Int => "an int",
        Schema::Str => "text",
        Schema::Bytes => "bytes",
        Schema::Rec(_) => "a record",
        Schema::Var(_) => "a variant",
        Schema::List(_) => "a list",
        Schema::Map(..) => "a map",
        Schema::Option(_) => "an option",
    }
}

/// Writes `value`; where `schema` does not know a number, or is not given, the number stands alone.
fn show(value: &Value, schema: Option<&Schema>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Value::Unit => f.write_str("()"),
        Value::Bool(bit) => write!(f, "{bit}"),
        Value::Int(number) => write!(f, "{number}"),
        Value::Str(text) => write!(f, "{text:?}"),
        Value::Bytes(blob) => {
            f.write_str("0x")?;
            blob.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
        }
        Value::Rec(values) => {
            let one = |(id, value): (&u32, &Value), f: &mut fmt::Formatter<'_>| {
                show_name(*id, field(schema, *id), f)?;
                f.write_str(": ")?;
                show(value, field(schema, *id).map(|field| &field.schema), f)
            };
            show_all('{', values, '}', one, f)
        }
        Value::Var(id, value) => {
            show_name(*id, field(schema, *id), f)?;
            f.write_str("(")?;
            show(value, field(schema, *id).map(|arm| &arm.schema), f)?;
            f.write_str(")")
        }
        Value::List(values) => {
            let of = if let Some(Schema::List(of)) = schema { Some(&**of) } else { None };
            show_all('[', values, ']', |value, f| show(value, of, f), f)
        }
        Value::Map(map) => {
            let (keys, values) = match schema {
                Some(Schema::Map(keys, values)) => (Some(&**keys), Some(&**values)),
                _ => (None, None),
            };
            let one = |(key, value): (&Value, &Value), f: &mut fmt::Formatter<'_>| {
                show(key, keys, f)?;
                f.write_str(" -> ")?;
                show(value, values, f)
            };
            show_all('{', map, '}', one, f)
        }
        Value::Option(None) => f.write_str("none"),
        Value::Option(Some(value)) => {
            let of = if let Some(Schema::Option(of)) = schema { Some(&**of) } else { None };
            f.write_str("some ")?;
            show(value, of, f)
        }
    }
}

fn show_all<T>(
    open: char,
    all: impl IntoIterator<Item = T>,
    close: char,
    one: impl Fn(T, &mut fmt::Formatter<'_>) -> fmt::Result,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    write!(f, "{open}")?;
    for (at, item) in all.into_iter().enumerate() {
        f.write_str(if at == 0 { "" } else { ", " })?;
        one(item, f)?;
    }
    write!(f, "{close}")
}

fn show_name(id: u32, field: Option<&Field>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match field {
        Some(field) => f.write_str(field.name),
        None => write!(f, "#{id}"),
    }
}

fn field(schema: Option<&Schema>, id: u32) -> Option<&Field> {
    match schema {
        Some(Schema::Rec(fields) | Schema::Var(fields)) => {
            fields.iter().find(|field| field.id == id)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (Schema, Value) {
        let schema = Schema::record([
            (1, "id", Schema::Int),
            (2, "seen", Schema::map(Schema::Int, Schema::option(Schema::Str))),
            (5, "last", Schema::variant([(3, "raw", Schema::Bytes), (4, "none", Schema::Unit)])),
        ]);
        let value = Value::record([
            (1, Value::Int(-7)),
            (
                2,
                Value::map([
                    (Value::Int(-1), Value::Option(None)),
                    (Value::Int(1), Value::some(Value::Str("a b".to_owned()))),
                ]),
            ),
            (5, Value::arm(3, Value::Bytes(vec![0xde, 0xad]))),
        ]);
        (schema, value)
    }

    #[test]
    fn people_read_names_where_there_is_a_schema() {
        let (schema, value) = sample();
        assert_eq!(
            value.named(&schema).to_string(),
            r#"{id: -7, seen: {-1 -> none, 1 -> some "a b"}, last: raw(0xdead)}"#
        );
        assert_eq!(
            value.to_string(),
            r##"{#1: -7, #2: {-1 -> none, 1 -> some "a b"}, #5: #3(0xdead)}"##
        );
    }

    #[test]
    fn a_value_has_these_bytes_for_ever() {
        let (schema, value) = sample();
        let bytes = [13, 2, 1, 0, 2, 1, 3, b'a', b' ', b'b', 3, 2, 0xde, 0xad];
        assert_eq!(value.encode(&schema).as_deref(), Ok(&bytes[..]));
        assert_eq!(Value::decode(&schema, &bytes), Ok(value));
    }

    #[test]
    fn a_value_of_another_schema_is_not_encoded() {
        let (schema, value) = sample();
        assert_eq!(value.encode(&Schema::Int), Err(Mismatch("an int")));
        assert_eq!(Value::Int(1).encode(&schema), Err(Mismatch("a record")));
        assert_eq!(
            Value::record([(1, Value::Int(1))]).encode(&schema),
            Err(Mismatch("a record of these fields"))
        );
        assert_eq!(
            Value::arm(9, Value::Unit).encode(&Schema::variant([(1, "one", Schema::Unit)])),
            Err(Mismatch("one of these arms"))
        );
    }
}
