//! The codec of values, over generated schemas.

use std::collections::BTreeMap;

use app::{Schema, Value};
use proptest::prelude::*;

/// Schemas of every kind, built as code builds them.
fn schemas() -> impl Strategy<Value = Schema> {
    let leaf = prop_oneof![
        Just(Schema::Unit),
        Just(Schema::Bool),
        Just(Schema::Int),
        Just(Schema::Str),
        Just(Schema::Bytes),
    ];
    // A list's elements and a map's keys take at least a byte, so they are boxed in an option.
    leaf.prop_recursive(4, 24, 4, |inner| {
        let fields = || {
            prop::collection::btree_map(0..200_u32, inner.clone(), 1..4).prop_map(|fields| {
                fields.into_iter().map(|(id, schema)| (id, "f", schema)).collect::<Vec<_>>()
            })
        };
        prop_oneof![
            fields().prop_map(Schema::record),
            fields().prop_map(Schema::variant),
            inner.clone().prop_map(|of| Schema::list(Schema::option(of))),
            (inner.clone(), inner.clone())
                .prop_map(|(keys, values)| Schema::map(Schema::option(keys), values)),
            inner.prop_map(Schema::option),
        ]
    })
}

/// A value of `schema` that spends `entropy` from its end; a spent one gives small values.
fn value(schema: &Schema, entropy: &mut Vec<u64>) -> Value {
    let draw = entropy.pop().unwrap_or(0);
    match schema {
        Schema::Unit => Value::Unit,
        Schema::Bool => Value::Bool(draw % 2 == 1),
        Schema::Int => Value::Int(draw.cast_signed() >> (draw % 64)),
        Schema::Str => Value::Str("aé\u{1f600}".chars().cycle().take(draw as usize % 70).collect()),
        Schema::Bytes => Value::Bytes(draw.to_le_bytes()[..draw as usize % 9].to_vec()),
        Schema::Rec(fields) => Value::record(
            fields
                .iter()
                .map(|field| (field.id, value(&field.schema, entropy)))
                .collect::<Vec<_>>(),
        ),
        Schema::Var(arms) => {
            let arm = &arms[draw as usize % arms.len()];
            Value::arm(arm.id, value(&arm.schema, entropy))
        }
        Schema::List(of) => Value::List((0..draw % 4).map(|_| value(of, entropy)).collect()),
        Schema::Map(keys, values) => Value::Map(
            (0..draw % 4)
                .map(|_| (value(keys, entropy), value(values, entropy)))
                .collect::<BTreeMap<_, _>>(),
        ),
        Schema::Option(_) if draw.is_multiple_of(3) => Value::Option(None),
        Schema::Option(of) => Value::some(value(of, entropy)),
    }
}

fn typed() -> impl Strategy<Value = (Schema, Value)> {
    (schemas(), prop::collection::vec(any::<u64>(), 0..60)).prop_map(|(schema, mut entropy)| {
        let value = value(&schema, &mut entropy);
        (schema, value)
    })
}

/// Decoding, checking and encoding say the same of these bytes.
fn agree(schema: &Schema, bytes: &[u8]) -> Result<(), TestCaseError> {
    let decoded = Value::decode(schema, bytes);
    prop_assert_eq!(schema.check(bytes), decoded.clone().map(drop));
    if let Ok(value) = decoded {
        prop_assert_eq!(value.encode(schema), Ok(bytes.to_vec()));
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_value_reads_back_from_its_bytes((schema, value) in typed()) {
        let bytes = value.encode(&schema).unwrap();
        prop_assert_eq!(schema.check(&bytes), Ok(()));
        prop_assert_eq!(Value::decode(&schema, &bytes), Ok(value));
    }

    #[test]
    fn hostile_bytes_are_refused_or_are_the_bytes_of_their_value(
        (schema, _) in typed(),
        bytes in prop::collection::vec(prop_oneof![0..8_u8, any::<u8>()], 0..40),
    ) {
        agree(&schema, &bytes)?;
    }

    #[test]
    fn bytes_gone_wrong_are_refused_or_are_the_bytes_of_another_value(
        (schema, value) in typed(),
        at in any::<prop::sample::Index>(),
        flip in 1..=255_u8,
        cut in any::<prop::sample::Index>(),
        more in any::<u8>(),
    ) {
        let bytes = value.encode(&schema).unwrap();
        prop_assert!(schema.check(&[&bytes[..], &[more]].concat()).is_err(), "trailing byte");
        if !bytes.is_empty() {
            agree(&schema, &bytes[..cut.index(bytes.len())])?;
            let mut wrong = bytes;
            let at = at.index(wrong.len());
            wrong[at] ^= flip;
            agree(&schema, &wrong)?;
        }
    }

    #[test]
    fn a_value_shows_itself_with_or_without_names((schema, value) in typed()) {
        prop_assert!(!value.to_string().is_empty());
        prop_assert!(!value.named(&schema).to_string().contains("#"));
    }
}
