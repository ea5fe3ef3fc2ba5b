//! Text and indices, in every unit, through every edit.

use proptest::prelude::*;
use sequence::{Options, Refused, Sequence};

fn edits() -> impl Strategy<Value = Vec<(prop::sample::Index, usize, String)>> {
    let text = prop_oneof![
        4 => "[aé語𝒳]{0,6}",
        1 => "[ab]{2000,5000}",
        1 => "[é語𝒳]{800,2500}",
    ];
    prop::collection::vec((any::<prop::sample::Index>(), 0..2500_usize, text), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_sequence_reads_as_the_text_that_was_edited(edits in edits(), draws in any::<u64>()) {
        let mut replica = Sequence::new(1, Options::default()).expect("1 is a site");
        let mut text: Vec<char> = Vec::new();
        let mut draw = |below: u64| draws % below;
        for (place, removed, inserted) in edits {
            let at = place.index(text.len() + 1);
            let end = text.len().min(at + removed);
            if end > at {
                replica.remove(at as u64..end as u64).expect("inside");
            }
            if !inserted.is_empty() {
                replica.insert(at as u64, &inserted, &mut draw).expect("inside");
            }
            text.splice(at..end, inserted.chars());
            replica.check();
            prop_assert_eq!(replica.text(), text.iter().collect::<String>());
            let (from, to) = (at.min(text.len()), text.len().min(at + 7));
            let slice = replica.slice(from as u64..to as u64);
            prop_assert_eq!(slice, Ok(text[from..to].iter().collect::<String>()));
            let before: String = text[..from].iter().collect();
            let (bytes, units) = (before.len() as u64, before.encode_utf16().count() as u64);
            prop_assert_eq!(replica.index_to_utf8(from as u64), Ok(bytes));
            prop_assert_eq!(replica.index_to_utf16(from as u64), Ok(units));
            prop_assert_eq!(replica.index_of_utf8(bytes), Ok(from as u64));
            prop_assert_eq!(replica.index_of_utf16(units), Ok(from as u64));
            if let Some(next) = text.get(from) {
                let last = (next.len_utf8() - 1) as u64;
                prop_assert_eq!(replica.index_of_utf8(bytes + last), Ok(from as u64));
                let last = (next.len_utf16() - 1) as u64;
                prop_assert_eq!(replica.index_of_utf16(units + last), Ok(from as u64));
            }
        }
        let length = text.len() as u64;
        prop_assert_eq!(replica.len(), length);
        let beyond = Refused::Range { index: length + 1, length };
        prop_assert_eq!(replica.index_to_utf8(length + 1), Err(beyond));
    }
}
