//! Schemas: the types that state and messages have, whatever the code is written in.
//!
//! First order and not recursive, so the depth of a value is known from its schema. Fields and arms
//! have explicit numbers that are never reused; names are for people and outside the identity.
//!
//! The dense encoding is a bijection: numbers are minimal, maps ascend by the bytes of their keys,
//! nothing trails. Source: research on upgrades, section a.3 ("Types", "Content addressing").

use contract::{
    Malformed,
    wire::{put_varint, take_blob, take_byte, take_varint},
};

/// The content address of a schema.
pub type SchemaId = [u8; 32];

/// Schemas nest no deeper, so that a check needs little stack.
pub const DEPTH_MAX: usize = 32;

/// A value takes no more bytes than this: what a migration may hold in memory at once.
pub const VALUE_BYTES_MAX: usize = 64 << 20;

/// Separates the hashes of schemas from all other hashes.
const DOMAIN: &[u8] = b"ty/1";

/// The type of a value.
///
/// Build the nested ones with [`Schema::record`], [`Schema::variant`], [`Schema::list`] and
/// [`Schema::map`], which assert what the encoding relies on. `==` compares names too; two schemas
/// mean the same where their [`Schema::id`]s are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schema {
    /// The one value that says nothing.
    Unit,
    /// True or false.
    Bool,
    /// A whole number of 64 bits with a sign.
    Int,
    /// Text in UTF-8.
    Str,
    /// Any bytes.
    Bytes,
    /// All of these fields, ascending by number.
    Rec(Vec<Field>),
    /// One of these arms, ascending by number.
    Var(Vec<Field>),
    /// Values of one type, in order.
    List(Box<Schema>),
    /// Values by distinct keys.
    Map(Box<Schema>, Box<Schema>),
    /// A value or none.
    Option(Box<Schema>),
}

/// A field of a record or an arm of a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// On the wire of a variant, and in the identity of both. Never reused for another meaning.
    pub id: u32,
    /// For people.
    pub name: &'static str,
    /// Of its value.
    pub schema: Schema,
}

impl Schema {
    /// A record of these fields.
    pub fn record(fields: impl Into<Vec<(u32, &'static str, Self)>>) -> Self {
        Self::Rec(ascending(fields.into())).shallow()
    }

    /// A variant of these arms.
    pub fn variant(arms: impl Into<Vec<(u32, &'static str, Self)>>) -> Self {
        Self::Var(ascending(arms.into())).shallow()
    }

    /// A list.
    pub fn list(of: Self) -> Self {
        assert!(of.width_min() > 0, "elements without bytes could be counted but not bounded");
        Self::List(Box::new(of)).shallow()
    }

    /// A map.
    pub fn map(keys: Self, values: Self) -> Self {
        assert!(keys.width_min() > 0, "a key without bytes names nothing");
        Self::Map(Box::new(keys), Box::new(values)).shallow()
    }

    /// A value or none.
    pub fn option(of: Self) -> Self {
        Self::Option(Box::new(of)).shallow()
    }

    /// The content address: a hash of the structure and the numbers, not of the names.
    pub fn id(&self) -> SchemaId {
        let mut bytes = DOMAIN.to_vec();
        self.structure(&mut bytes);
        *blake3::hash(&bytes).as_bytes()
    }

    /// Whether `bytes` are the canonical encoding of a value of this type; builds none.
    ///
    /// Errors: [`Malformed`] where they are not, in which case [`crate::Value::decode`] refuses too.
    pub fn check(&self, mut bytes: &[u8]) -> Result<(), Malformed> {
        within_limit(bytes)?;
        self.skip(&mut bytes)?;
        all_read(bytes)
    }

    /// Moves `bytes` past one value of this type. Errors: as [`Schema::check`].
    pub fn skip(&self, bytes: &mut &[u8]) -> Result<(), Malformed> {
        match self {
            Self::Unit => Ok(()),
            Self::Bool => take_bool(bytes).map(drop),
            Self::Int => take_number(bytes).map(drop),
            Self::Str => take_text(bytes).map(drop),
            Self::Bytes => take_blob(bytes).map(drop),
            Self::Rec(fields) => fields.iter().try_for_each(|field| field.schema.skip(bytes)),
            Self::Var(arms) => take_arm(arms, bytes)?.schema.skip(bytes),
            Self::List(of) => {
                for _ in 0..take_count(bytes)? {
                    of.skip(bytes)?;
                }
                Ok(())
            }
            Self::Map(keys, values) => {
                let mut order = KeyOrder::default();
                for _ in 0..take_count(bytes)? {
                    let before = *bytes;
                    keys.skip(bytes)?;
                    order.next(before, bytes)?;
                    values.skip(bytes)?;
                }
                Ok(())
            }
            Self::Option(of) => {
                if take_bool(bytes)? {
                    of.skip(bytes)?;
                }
                Ok(())
            }
        }
    }

    /// The fewest bytes that a value of this type takes.
    fn width_min(&self) -> usize {
        match self {
            Self::Unit => 0,
            Self::Rec(fields) => fields.iter().map(|field| field.schema.width_min()).sum(),
            _ => 1,
        }
    }

    fn depth(&self) -> usize {
        match self {
            Self::Unit | Self::Bool | Self::Int | Self::Str | Self::Bytes => 1,
            Self::Rec(fields) | Self::Var(fields) => {
                1 + fields.iter().map(|field| field.schema.depth()).max().unwrap_or(0)
            }
            Self::List(of) | Self::Option(of) => 1 + of.depth(),
            Self::Map(keys, values) => 1 + keys.depth().max(values.depth()),
        }
    }

    fn shallow(self) -> Self {
        assert!(self.depth() <= DEPTH_MAX, "a schema nests at most {DEPTH_MAX} deep");
        self
    }

    /// Appends the canonical bytes of the schema itself, without names.
    fn structure(&self, out: &mut Vec<u8>) {
        let fields_of = |out: &mut Vec<u8>, kind, fields: &[Field]| {
            out.push(kind);
            put_varint(out, fields.len() as u64);
            for field in fields {
                put_varint(out, u64::from(field.id));
                field.schema.structure(out);
            }
        };
        match self {
            Self::Unit => out.push(0),
            Self::Bool => out.push(1),
            Self::Int => out.push(2),
            Self::Str => out.push(3),
            Self::Bytes => out.push(4),
            Self::Rec(fields) => fields_of(out, 5, fields),
            Self::Var(arms) => fields_of(out, 6, arms),
            Self::List(of) => {
                out.push(7);
                of.structure(out);
            }
            Self::Map(keys, values) => {
                out.push(8);
                keys.structure(out);
                values.structure(out);
            }
            Self::Option(of) => {
                out.push(9);
                of.structure(out);
            }
        }
    }
}

/// Appends a signed number: zigzag, then minimal base 128.
pub fn put_int(out: &mut Vec<u8>, value: i64) {
    put_varint(out, (value << 1 ^ value >> 63) as u64);
}

/// Takes what [`put_int`] wrote. Errors: [`Malformed`] for a longer form of the same number.
#[inline]
pub fn take_int(bytes: &mut &[u8]) -> Result<i64, Malformed> {
    let zigzag = take_number(bytes)?;
    Ok((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
}

/// Takes a byte that is 0 or 1. Errors: [`Malformed`] for any other.
pub fn take_bool(bytes: &mut &[u8]) -> Result<bool, Malformed> {
    match take_byte(bytes)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed("0 or 1")),
    }
}

/// Takes text. Errors: [`Malformed`] where it is not UTF-8 or longer than what is there.
pub fn take_text<'a>(bytes: &mut &'a [u8]) -> Result<&'a str, Malformed> {
    str::from_utf8(take_blob(bytes)?).map_err(|_| Malformed("text in UTF-8"))
}

/// Takes the length of a list or map.
///
/// Errors: [`Malformed`] for more elements than bytes follow: each takes at least one, so a loop over
/// the count is bounded by what was received.
pub fn take_count(bytes: &mut &[u8]) -> Result<usize, Malformed> {
    let count = take_number(bytes)?;
    usize::try_from(count)
        .ok()
        .filter(|count| *count <= bytes.len())
        .ok_or(Malformed("as many elements as counted"))
}

/// A varint; most are one byte.
#[inline]
fn take_number(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    match **bytes {
        [first @ ..0x80, ref rest @ ..] => {
            *bytes = rest;
            Ok(u64::from(first))
        }
        _ => take_varint(bytes),
    }
}

/// Refuses bytes after a value.
pub fn all_read(rest: &[u8]) -> Result<(), Malformed> {
    if rest.is_empty() { Ok(()) } else { Err(Malformed("bytes after the value")) }
}

/// Checks that the keys of a map ascend by their bytes, which also refuses a key that comes twice.
#[derive(Default)]
pub(crate) struct KeyOrder<'a> {
    last: Option<&'a [u8]>,
}

impl<'a> KeyOrder<'a> {
    /// A key was read: it stands in `before` up to where `after` begins. Returns its bytes.
    pub(crate) fn next(&mut self, before: &'a [u8], after: &[u8]) -> Result<&'a [u8], Malformed> {
        let key = &before[..before.len() - after.len()];
        if self.last.is_some_and(|last| last >= key) {
            return Err(Malformed("keys that ascend"));
        }
        self.last = Some(key);
        Ok(key)
    }
}

/// The arm whose number comes next.
pub(crate) fn take_arm<'a>(arms: &'a [Field], bytes: &mut &[u8]) -> Result<&'a Field, Malformed> {
    let id = take_number(bytes)?;
    arms.binary_search_by_key(&id, |arm| u64::from(arm.id))
        .map(|at| &arms[at])
        .map_err(|_| Malformed("an arm of the variant"))
}

/// Refuses more bytes than a value may take.
pub(crate) fn within_limit(bytes: &[u8]) -> Result<(), Malformed> {
    if bytes.len() <= VALUE_BYTES_MAX { Ok(()) } else { Err(Malformed("a value of fewer bytes")) }
}

fn ascending(fields: Vec<(u32, &'static str, Schema)>) -> Vec<Field> {
    assert!(fields.is_sorted_by(|a, b| a.0 < b.0), "fields ascend by number, each number once");
    fields.into_iter().map(|(id, name, schema)| Field { id, name, schema }).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn hex(id: SchemaId) -> String {
        id.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn check_id(schema: &Schema, id: Expect) {
        id.assert_eq(&hex(schema.id()));
    }

    #[test]
    fn a_schema_keeps_its_address_for_ever() {
        check_id(
            &Schema::Unit,
            expect!["11609d47273c0cfe82e14c3a3d505acc2ecdc20e58ce4c109c6c170291721c94"],
        );
        check_id(
            &Schema::map(Schema::Int, Schema::list(Schema::Str)),
            expect!["694945634778803ac93c824a55e844ccceaa4f760a5cb472eb5d6b3c4895e771"],
        );
        check_id(
            &Schema::record([
                (1, "on", Schema::Bool),
                (4, "of", Schema::variant([(2, "raw", Schema::Bytes), (3, "none", Schema::Unit)])),
                (9, "to", Schema::option(Schema::Int)),
            ]),
            expect!["1d714e85eee9a85481df9d2b4eeb795e754dd4b5fea17a4ad7e86e7fc9a5e49e"],
        );
    }

    #[test]
    fn names_are_outside_the_identity_and_numbers_inside() {
        let of = |id, name| Schema::record([(id, name, Schema::Int)]).id();
        assert_eq!(of(1, "count"), of(1, "total"));
        assert_ne!(of(1, "count"), of(2, "count"));
        assert_ne!(
            Schema::record([(1, "a", Schema::Int)]),
            Schema::record([(1, "b", Schema::Int)])
        );
        assert_ne!(
            Schema::record([(1, "a", Schema::Int)]).id(),
            Schema::variant([(1, "a", Schema::Int)]).id()
        );
    }

    #[test]
    fn every_second_form_of_a_value_is_refused() {
        let map = Schema::map(Schema::Int, Schema::Unit);
        for (schema, bytes, expected) in [
            (&Schema::Bool, &[2][..], "0 or 1"),
            (&Schema::Int, &[0x80, 0], "the shortest form of a number"),
            (&Schema::Unit, &[0], "bytes after the value"),
            (&Schema::Str, &[1, 0xff], "text in UTF-8"),
            (&Schema::Str, &[2, b'a'], "more bytes"),
            (&map, &[2, 4, 2], "keys that ascend"),
            (&map, &[2, 4, 4], "keys that ascend"),
            (&map, &[200, 1, 4], "as many elements as counted"),
            (&Schema::variant([(1, "one", Schema::Unit)]), &[2], "an arm of the variant"),
        ] {
            assert_eq!(schema.check(bytes), Err(Malformed(expected)), "{schema:?} {bytes:?}");
        }
        assert_eq!(map.check(&[2, 2, 4]), Ok(()));
    }

    #[test]
    fn the_extreme_numbers_have_one_form() {
        for value in [0, -1, 1, 63, 64, -64, -65, i64::MAX, i64::MIN] {
            let mut bytes = Vec::new();
            put_int(&mut bytes, value);
            assert_eq!(take_int(&mut &bytes[..]), Ok(value));
        }
    }

    #[test]
    #[should_panic(expected = "elements without bytes")]
    fn a_list_of_nothings_is_no_schema() {
        Schema::list(Schema::record([(1, "nothing", Schema::Unit)]));
    }

    #[test]
    #[should_panic(expected = "each number once")]
    fn a_number_names_one_field() {
        Schema::record([(1, "a", Schema::Int), (1, "b", Schema::Int)]);
    }

    #[test]
    #[should_panic(expected = "at most 32 deep")]
    fn a_schema_does_not_nest_without_end() {
        let mut schema = Schema::Int;
        for _ in 0..DEPTH_MAX {
            schema = Schema::option(schema);
        }
    }
}
