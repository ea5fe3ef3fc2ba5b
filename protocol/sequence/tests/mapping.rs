//! What a rename makes of identifiers is the same the other way round and keeps their order: of all that may
//! stand in an operation, those too that name the rename before anybody could know of it.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sequence::{Dot, EpochId, FormerState, Identifier, Interval, Mapping, Operation, Tuple};

/// The base of what the rename names is `NAMES`, at one of the positions that occur.
const NAMES: Dot = Dot { site: 2, clock: 1 };

fn position() -> impl Strategy<Value = i32> {
    prop_oneof![8 => -1..=1, 1 => Just(i32::MIN + 1), 1 => Just(i32::MAX - 1)]
}

fn tuple() -> impl Strategy<Value = Tuple> {
    let typed = (position(), 1..=3_u32, 0..=2_i32);
    let typed = typed.prop_map(|(position, site, offset)| (position, site, 0, offset));
    let renamed = (position(), -2..=4_i32)
        .prop_map(|(position, offset)| (position, NAMES.site, NAMES.clock, offset));
    let made = prop_oneof![typed, renamed].prop_map(|(position, site, clock, offset)| Tuple {
        position,
        site,
        clock,
        offset,
    });
    let reserved = prop_oneof![Just(Tuple::MIN), Just(Tuple::MAX), Just(Tuple::FILL)];
    prop_oneof![6 => made, 1 => reserved]
}

/// Elements, each by any tuples at all. Tuples come again: what stands in one identifier stands in others.
fn elements(most: usize) -> impl Strategy<Value = BTreeSet<Identifier>> {
    let pool = prop::collection::vec(tuple(), 1..5);
    let picks =
        prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 1..5), 1..most);
    (pool, picks).prop_map(|(pool, picks)| {
        let spelled = |pick: &Vec<prop::sample::Index>| {
            let tuples: Vec<Tuple> = pick.iter().map(|index| *index.get(&pool)).collect();
            Identifier::new(tuples).ok().filter(|id| id.offset() >= 0)
        };
        picks.iter().filter_map(spelled).collect()
    })
}

fn names(id: &Identifier) -> bool {
    id.tuples().any(|tuple| (tuple.site, tuple.clock) == (NAMES.site, NAMES.clock))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_identifier_comes_back_from_either_side_and_all_stay_in_order(
        all in elements(24),
        found in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
    ) {
        let elements: Vec<&Identifier> = all.iter().filter(|id| !names(id)).collect();
        if elements.is_empty() {
            return Ok(());
        }
        let found: BTreeSet<&Identifier> = found.iter().map(|index| *index.get(&elements)).collect();
        let interval = |first: &Identifier| Interval { first: first.clone(), end: first.offset() };
        let intervals: Vec<Interval> = found.into_iter().map(interval).collect();
        let former = FormerState::new(&intervals).expect("a document");
        let rename = Operation::Rename { epoch: EpochId::Origin, dot: NAMES, former };
        let mut mapping = Mapping::new(&rename).expect("a rename");
        let mut forward = |id: &Identifier| mapping.forward(id).expect("an identifier");
        let mapped: Vec<Identifier> = all.iter().map(&mut forward).collect();
        prop_assert!(mapped.is_sorted_by(|a, b| a < b), "{all:?} become {mapped:?}");
        for (id, mapped) in all.iter().zip(&mapped) {
            prop_assert_eq!(&mapping.backward(mapped).expect("an identifier"), id);
        }
        let mut backward = |id: &Identifier| mapping.backward(id).expect("an identifier");
        let restored: Vec<Identifier> = all.iter().map(&mut backward).collect();
        prop_assert!(restored.is_sorted_by(|a, b| a < b), "{all:?} were {restored:?}");
        for (id, restored) in all.iter().zip(&restored) {
            prop_assert_eq!(&mapping.forward(restored).expect("an identifier"), id);
        }
    }
}
