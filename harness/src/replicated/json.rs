//! Reads JSON in which each object has each of its keys once.
//!
//! JSON lets a key stand twice and leaves open what that means; whoever takes the last one has read another
//! file than the one that was written.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::visible::visible;

mod shape;

pub(super) use shape::shaped;

/// The tree that `text` is.
///
/// Errors: it is no JSON; or, in the category of data, an object has a key twice: where.
pub(super) fn read(text: &str) -> serde_json::Result<Value> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let tree = Place::Whole.deserialize(&mut reader)?;
    reader.end()?;
    Ok(tree)
}

/// Where in the text a value stands.
#[derive(Clone, Copy)]
enum Place<'a> {
    Whole,
    Key(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

/// As in `cases[0].final`.
impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Key(Self::Whole, key) => f.write_str(&visible(key)),
            Self::Key(above, key) => write!(f, "{above}.{}", visible(key)),
            Self::Item(above, at) => write!(f, "{above}[{at}]"),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Place::Item(&self, list.len()))? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let place = Place::Key(&self, &key);
            if object.contains_key(&key) {
                return Err(A::Error::custom(format_args!(
                    "`{place}`: expected each key once, found it again"
                )));
            }
            let value = entries.next_value_seed(place)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_a_key_twice_is_read_as_anybody_reads_it() {
        for text in [
            "null",
            r#"[true, false, -1, 18446744073709551615, 1e3, 0.5, "", "a\"\u00e9"]"#,
            r#"{"a": {"a": [{"a": 1}, {"a": 2}]}, "b": {}, "": []}"#,
            "99999999999999999999999",
        ] {
            assert_eq!(read(text).unwrap(), serde_json::from_str::<Value>(text).unwrap(), "{text}");
        }
        for text in ["", "{", "[1,]", "{} {}", "1e999", "{\"a\"}", &"[".repeat(1 << 20)] {
            let expected = serde_json::from_str::<Value>(text).unwrap_err();
            let found = read(text).unwrap_err();
            assert_eq!(found.to_string(), expected.to_string(), "{text}");
            assert!(!found.is_data(), "{text}");
        }
    }

    #[test]
    fn a_key_that_an_object_has_twice_is_told_with_its_place() {
        for (text, place) in [
            (r#"{"a": 1, "b": 2, "a": 1}"#, "a"),
            (r#"{"a": [0, {"b": {"c": 1, "\u0063": 2}}]}"#, "a[1].b.c"),
            (r#"[[{"": 1, "": 2}]]"#, "[0][0]."),
            ("{\"\\u001b\": 1,\n\"\\u001b\": 2}", "\\u{1b}"),
        ] {
            let found = read(text).unwrap_err();
            let why = format!("`{place}`: expected each key once, found it again at line ");
            assert!(found.to_string().starts_with(&why), "{found}");
            assert!(found.is_data());
        }
    }
}
