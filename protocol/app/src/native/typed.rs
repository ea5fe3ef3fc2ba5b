//! Rust types that have a schema: what native code reads and writes in place of built values.
//!
//! Invariant: what [`Typed::put`] writes, the schema accepts. [`Typed::take`] may refuse more than
//! the schema does, such as a negative count; it never accepts more.

use std::{collections::BTreeMap, marker::PhantomData};

use contract::{
    Malformed,
    wire::{put_blob, put_varint},
};

use crate::{
    Body, Fault,
    schema::{
        KeyOrder, Schema, all_read, put_int, take_bool, take_count, take_int, take_text,
        within_limit,
    },
};

/// Most messages take no more bytes, so that writing one allocates once.
const SMALL: usize = 64;

/// A Rust type whose values are canonical values of one schema.
pub(super) trait Typed: Sized {
    /// The schema.
    fn schema() -> Schema;

    /// Appends the canonical bytes.
    fn put(&self, out: &mut Vec<u8>);

    /// Takes one value from the front of `bytes`.
    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed>;

    /// The canonical bytes.
    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SMALL);
        self.put(&mut out);
        out
    }

    /// Reads a value that fills `bytes`. Errors: [`Fault::Malformed`] `what`.
    fn read(mut bytes: &[u8], what: &'static str) -> Result<Self, Fault> {
        let mut read = || {
            within_limit(bytes)?;
            let value = Self::take(&mut bytes)?;
            all_read(bytes)?;
            Ok(value)
        };
        read().map_err(|Malformed(_)| Fault::Malformed(what))
    }

    /// Reads a message or operation. Errors: [`Fault::Malformed`].
    fn read_body(body: &Body) -> Result<Self, Fault> {
        Self::read(&body.bytes, "message")
    }

    /// A message or operation with this value.
    fn body(&self, tag: u32) -> Body {
        Body { tag, bytes: self.bytes().into() }
    }
}

impl Typed for () {
    fn schema() -> Schema {
        Schema::Unit
    }

    fn put(&self, _: &mut Vec<u8>) {}

    fn take(_: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(())
    }
}

impl Typed for bool {
    fn schema() -> Schema {
        Schema::Bool
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        take_bool(bytes)
    }
}

impl Typed for i64 {
    fn schema() -> Schema {
        Schema::Int
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_int(out, *self);
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        take_int(bytes)
    }
}

/// A count: an integer of the schema that is not negative, so at most `i64::MAX`.
impl Typed for u64 {
    fn schema() -> Schema {
        Schema::Int
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_int(out, i64::try_from(*self).expect("a count fits the schema's integer"));
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Self::try_from(take_int(bytes)?).map_err(|_| Malformed("a count"))
    }
}

/// The number of a node.
impl Typed for u32 {
    fn schema() -> Schema {
        Schema::Int
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_int(out, i64::from(*self));
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Self::try_from(take_int(bytes)?).map_err(|_| Malformed("a node"))
    }
}

impl Typed for String {
    fn schema() -> Schema {
        Schema::Str
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_blob(out, self.as_bytes());
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        take_text(bytes).map(str::to_owned)
    }
}

impl<T: Typed> Typed for Option<T> {
    fn schema() -> Schema {
        Schema::option(T::schema())
    }

    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(if take_bool(bytes)? { Some(T::take(bytes)?) } else { None })
    }
}

impl<T: Typed> Typed for Vec<T> {
    fn schema() -> Schema {
        Schema::list(T::schema())
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, self.len() as u64);
        self.iter().for_each(|value| value.put(out));
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        (0..take_count(bytes)?).map(|_| T::take(bytes)).collect()
    }
}

/// A map kept by the bytes of its keys, which is the order on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table<K, V> {
    entries: BTreeMap<Vec<u8>, V>,
    keys: PhantomData<K>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), keys: PhantomData }
    }
}

impl<K: Typed, V> Table<K, V> {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(&key.bytes())
    }

    pub(super) fn insert(&mut self, key: &K, value: V) -> Option<V> {
        self.entries.insert(key.bytes(), value)
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        self.entries.remove(&key.bytes())
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.values()
    }

    /// Takes out the entries whose value `gone` names, in the order of the wire.
    pub(super) fn take_where(&mut self, gone: impl Fn(&V) -> bool) -> Vec<(K, V)> {
        let taken = self.entries.extract_if(.., |_, value| gone(value));
        let whole = |bytes: Vec<u8>| K::take(&mut &bytes[..]).expect("a key was put by its type");
        taken.map(|(key, value)| (whole(key), value)).collect()
    }

    /// The same keys with other values.
    pub(super) fn map<W>(self, to: impl Fn(V) -> W) -> Table<K, W> {
        let entries = self.entries.into_iter().map(|(key, value)| (key, to(value))).collect();
        Table { entries, keys: PhantomData }
    }
}

impl<K: Typed, V: Typed> Typed for Table<K, V> {
    fn schema() -> Schema {
        Schema::map(K::schema(), V::schema())
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, self.entries.len() as u64);
        for (key, value) in &self.entries {
            out.extend_from_slice(key);
            value.put(out);
        }
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let mut order = KeyOrder::default();
        let mut entries = BTreeMap::new();
        for _ in 0..take_count(bytes)? {
            let before = *bytes;
            K::take(bytes)?;
            let key = order.next(before, bytes)?;
            entries.insert(key.to_owned(), V::take(bytes)?);
        }
        Ok(Self { entries, keys: PhantomData })
    }
}

/// Declares a struct that is a record of the schema language: number, name and type of each field.
macro_rules! record {
    ($(#[$about:meta])* $name:ident {
        $($(#[$field_about:meta])* $id:literal $field:ident: $type:ty),* $(,)?
    }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(in crate::native) struct $name {
            $($(#[$field_about])* pub(in crate::native) $field: $type),*
        }

        impl $crate::native::typed::Typed for $name {
            fn schema() -> $crate::schema::Schema {
                $crate::schema::Schema::record([
                    $(($id, stringify!($field), <$type as $crate::native::typed::Typed>::schema())),*
                ])
            }

            fn put(&self, out: &mut Vec<u8>) {
                $($crate::native::typed::Typed::put(&self.$field, out);)*
            }

            fn take(bytes: &mut &[u8]) -> Result<Self, contract::Malformed> {
                Ok(Self { $($field: $crate::native::typed::Typed::take(bytes)?),* })
            }
        }
    };
}

/// Declares an enum that is a variant of the schema language: number, name and type of each arm.
macro_rules! variant {
    ($(#[$about:meta])* $name:ident {
        $($(#[$arm_about:meta])* $id:literal $arm:ident($type:ty)),* $(,)?
    }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(in crate::native) enum $name { $($(#[$arm_about])* $arm($type)),* }

        impl $crate::native::typed::Typed for $name {
            fn schema() -> $crate::schema::Schema {
                $crate::schema::Schema::variant([
                    $(($id, stringify!($arm), <$type as $crate::native::typed::Typed>::schema())),*
                ])
            }

            fn put(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$arm(value) => {
                        contract::wire::put_varint(out, $id);
                        $crate::native::typed::Typed::put(value, out);
                    })*
                }
            }

            fn take(bytes: &mut &[u8]) -> Result<Self, contract::Malformed> {
                match contract::wire::take_varint(bytes)? {
                    $($id => Ok(Self::$arm($crate::native::typed::Typed::take(bytes)?)),)*
                    _ => Err(contract::Malformed("an arm of the variant")),
                }
            }
        }
    };
}

pub(super) use {record, variant};

#[cfg(test)]
mod tests {
    use super::*;

    record! {
        /// Each kind of field once.
        Everything {
            1 on: bool,
            2 by: i64,
            3 count: u64,
            7 name: Option<String>,
            9 table: Table<String, Vec<Way>>,
        }
    }

    variant! {
        /// A bare arm and one that holds something.
        Way { 1 Up(u64), 4 Nowhere(()) }
    }

    fn everything() -> Everything {
        let mut table = Table::default();
        table.insert(&"long".to_owned(), vec![Way::Up(9), Way::Nowhere(())]);
        table.insert(&"z".to_owned(), vec![]);
        Everything { on: true, by: -3, count: 300, name: None, table }
    }

    #[test]
    fn what_is_put_the_schema_accepts_and_the_type_reads_back() {
        let bytes = everything().bytes();
        assert_eq!(Everything::schema().check(&bytes), Ok(()));
        assert_eq!(Everything::read(&bytes, "sample"), Ok(everything()));
        for cut in 0..bytes.len() {
            assert!(Everything::schema().check(&bytes[..cut]).is_err());
            assert_eq!(Everything::read(&bytes[..cut], "sample"), Err(Fault::Malformed("sample")));
        }
    }

    #[test]
    fn a_count_is_not_negative_though_its_schema_would_allow_it() {
        let bytes = (-1_i64).bytes();
        assert_eq!(Schema::Int.check(&bytes), Ok(()));
        assert_eq!(u64::read(&bytes, "count"), Err(Fault::Malformed("count")));
    }

    #[test]
    fn a_table_gives_back_what_it_took_out() {
        let mut table = everything().table;
        assert_eq!(table.take_where(Vec::is_empty), [("z".to_owned(), vec![])]);
        assert_eq!(table.len(), 1);
        assert_eq!(table.get(&"z".to_owned()), None);
    }
}
