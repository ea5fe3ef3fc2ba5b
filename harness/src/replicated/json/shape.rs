//! A tree of JSON as its schema says, or where it is of another shape, in the words of the file.

use std::fmt;

use serde::{
    de::{
        self, DeserializeOwned, DeserializeSeed, Deserializer, Error as _, Expected, MapAccess,
        SeqAccess, Unexpected, Visitor,
        value::{MapAccessDeserializer, StringDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::{Map, Value, map};

use super::{super::vectors::kind_of, Place};

/// Takes `tree` for a `T`. Errors: [`Misshapen`].
pub(in crate::replicated) fn shaped<T: DeserializeOwned>(tree: Value) -> Result<T, Misshapen> {
    T::deserialize(Part { value: tree, place: &Place::Whole })
}

/// A tree is of another shape than its schema says.
#[derive(Debug)]
pub(in crate::replicated) struct Misshapen {
    /// Where, as in `ops[0].seq`; empty of the whole.
    place: String,
    /// What was expected, and found.
    why: String,
}

impl Misshapen {
    /// The same, at `place`, unless it is known where within that.
    fn at(self, place: &Place<'_>) -> Self {
        match self.place.is_empty() {
            true => Self { place: place.to_string(), ..self },
            false => self,
        }
    }
}

impl std::error::Error for Misshapen {}

impl fmt::Display for Misshapen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place.is_empty() {
            true => f.write_str(&self.why),
            false => write!(f, "`{}`: {}", self.place, self.why),
        }
    }
}

impl de::Error for Misshapen {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Self { place: String::new(), why: why.to_string() }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("expected {}, found {}", wanted(expected), spelled(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn invalid_length(found: usize, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("expected {}, found a list of {found}", wanted(expected)))
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        Self::custom(format_args!("expected {}, found `{found}`", listed(known)))
    }

    fn unknown_field(found: &str, known: &'static [&'static str]) -> Self {
        Self::custom(format_args!("expected the keys {}, found `{found}`", listed(known)))
    }

    fn missing_field(missing: &'static str) -> Self {
        Self::custom(format_args!("expected the key `{missing}`, found none"))
    }
}

fn listed(known: &[&str]) -> String {
    match known {
        [] => "none".to_owned(),
        [only] => format!("`{only}`"),
        [first @ .., last] => format!("`{}` or `{last}`", first.join("`, `")),
    }
}

/// What was expected, where it is named by a type of this language.
fn wanted(expected: &dyn Expected) -> String {
    let whole = |least: i128, most: i128| format!("a whole number from {least} to {most}");
    let expected = expected.to_string();
    match expected.as_str() {
        "u32" => whole(0, u32::MAX.into()),
        "u64" | "usize" => whole(0, u64::MAX.into()),
        "i32" => whole(i32::MIN.into(), i32::MAX.into()),
        "i64" => whole(i64::MIN.into(), i64::MAX.into()),
        "a string" => "a text".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a tuple of size 4" => "a list of 4".to_owned(),
        other if other.starts_with("tuple variant ") && other.ends_with(" with 2 elements") => {
            "a list of 2".to_owned()
        }
        other if other.starts_with("struct ") => "an object".to_owned(),
        _ => expected,
    }
}

fn spelled(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Unsigned(value) => value.to_string(),
        Unexpected::Signed(value) => value.to_string(),
        Unexpected::Float(value) => format!("{value:?}"),
        Unexpected::Str(text) => format!("the text `{text}`"),
        Unexpected::Unit => "null".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "an object".to_owned(),
        other => other.to_string(),
    }
}

/// A part of a tree, and where it stands.
struct Part<'a> {
    value: Value,
    place: &'a Place<'a>,
}

impl<'de> Deserializer<'de> for Part<'_> {
    type Error = Misshapen;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misshapen> {
        let Self { value, place } = self;
        match value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => visitor.visit_u64(number),
                (_, Some(number), _) => visitor.visit_i64(number),
                (.., Some(number)) => visitor.visit_f64(number),
                _ => unreachable!("JSON has no other numbers"),
            },
            Value::String(text) => visitor.visit_string(text),
            Value::Array(values) => {
                let count = values.len();
                let mut items = Items { left: values.into_iter().enumerate(), place };
                let visited = visitor.visit_seq(&mut items)?;
                match count - items.left.len() {
                    read if read == count => Ok(visited),
                    read => {
                        Err(Misshapen::invalid_length(count, &format!("a list of {read}").as_str()))
                    }
                }
            }
            Value::Object(entries) => visitor.visit_map(Entries::of(entries, place)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misshapen> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misshapen> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misshapen> {
        match self.value {
            Value::String(text) => {
                StringDeserializer::new(text).deserialize_enum(name, variants, visitor)
            }
            Value::Object(entries) if entries.len() == 1 => {
                let entry = MapAccessDeserializer::new(Entries::of(entries, self.place));
                entry.deserialize_enum(name, variants, visitor)
            }
            other => {
                let (known, found) = (listed(variants), kind_of(&other));
                Err(Misshapen::custom(format_args!("expected {known}, found {found}")))
            }
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misshapen> {
        // Fields would be read from a list in their order.
        match self.value {
            Value::Array(_) => Err(Misshapen::custom("expected an object, found a list")),
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// The items of a list.
struct Items<'a> {
    left: std::iter::Enumerate<std::vec::IntoIter<Value>>,
    place: &'a Place<'a>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Misshapen;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Misshapen> {
        let Some((at, value)) = self.left.next() else { return Ok(None) };
        let place = Place::Item(self.place, at);
        let item = seed.deserialize(Part { value, place: &place });
        item.map(Some).map_err(|error| error.at(&place))
    }
}

/// The entries of an object.
struct Entries<'a> {
    left: map::IntoIter,
    /// What stands under the key that was read last.
    value: Option<(String, Value)>,
    place: &'a Place<'a>,
}

impl<'a> Entries<'a> {
    fn of(entries: Map<String, Value>, place: &'a Place<'a>) -> Self {
        Self { left: entries.into_iter(), value: None, place }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Misshapen;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Misshapen> {
        let Some((key, value)) = self.left.next() else { return Ok(None) };
        let read = seed.deserialize(StringDeserializer::new(key.clone()));
        self.value = Some((key, value));
        read.map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Misshapen> {
        let (key, value) = self.value.take().expect("a key comes before its value");
        let place = Place::Key(self.place, &key);
        seed.deserialize(Part { value, place: &place }).map_err(|error| error.at(&place))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "what is read is not looked at")]
    struct Whole {
        count: u32,
        #[serde(default)]
        parts: Vec<Part>,
        seen: Option<BTreeSet<u64>>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "what is read is not looked at")]
    #[serde(rename_all = "lowercase")]
    enum Part {
        Pair(i32, String),
        None,
    }

    #[test]
    fn a_tree_of_the_shape_is_taken() {
        for tree in [
            json!({"count": 1}),
            json!({"count": 0, "seen": null, "parts": [{"pair": [-1, "a"]}, "none"]}),
            json!({"count": u32::MAX, "seen": [3, u64::MAX]}),
        ] {
            shaped::<Whole>(tree).unwrap();
        }
    }

    #[test]
    fn a_tree_of_another_shape_is_told_by_the_key_and_in_words_of_the_file() {
        for (tree, why) in [
            (json!(3), "expected an object, found 3"),
            (json!([1]), "expected an object, found a list"),
            (json!([]), "expected an object, found a list"),
            (json!({}), "expected the key `count`, found none"),
            (
                json!({"count": 1, "more": 2}),
                "expected the keys `count`, `parts` or `seen`, found `more`",
            ),
            (
                json!({"count": -2}),
                "`count`: expected a whole number from 0 to 4294967295, found -2",
            ),
            (
                json!({"count": 1e23}),
                "`count`: expected a whole number from 0 to 4294967295, found 1e23",
            ),
            (
                json!({"count": 1, "seen": [0, "a"]}),
                "`seen[1]`: expected a whole number from 0 to 18446744073709551615, found the text `a`",
            ),
            (json!({"count": 1, "parts": {}}), "`parts`: expected a list, found an object"),
            (
                json!({"count": 1, "parts": [3]}),
                "`parts[0]`: expected `pair` or `none`, found a number",
            ),
            (
                json!({"count": 1, "parts": ["some"]}),
                "`parts[0]`: expected `pair` or `none`, found `some`",
            ),
            (
                json!({"count": 1, "parts": [{"pair": [1]}]}),
                "`parts[0].pair`: expected a list of 2, found a list of 1",
            ),
            (
                json!({"count": 1, "parts": [{"pair": [1, "a", 2]}]}),
                "`parts[0].pair`: expected a list of 2, found a list of 3",
            ),
            (
                json!({"count": 1, "parts": [{"pair": [1, null]}]}),
                "`parts[0].pair[1]`: expected a text, found null",
            ),
        ] {
            assert_eq!(shaped::<Whole>(tree).unwrap_err().to_string(), why);
        }
    }
}
