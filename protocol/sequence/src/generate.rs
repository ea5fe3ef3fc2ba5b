//! New identifiers between two neighbours.
//!
//! Departs from the papers' implementation where a reserved tuple follows: it finds no identifier between
//! `x` and `x·MIN·t`, since its filler is above MIN.

use crate::{
    Dot, Tuple,
    arena::{Arena, Id, ROOT},
};

/// A base of its own for element 0, above `lower` and below `upper`.
///
/// `draw(n)` is a number below `n`, which is at least 1: where in the gap. A greater one counts as `n - 1`.
pub(crate) fn between(
    arena: &mut Arena,
    lower: Option<Id>,
    upper: Option<Id>,
    dot: Dot,
    draw: &mut impl FnMut(u64) -> u64,
) -> Id {
    let (prefix, a, z) = fork(arena, lower, upper);
    if let Some(position) = drawn(a.map(|a| arena.tuple(a)), z.map(|z| arena.tuple(z)), draw) {
        return extended(arena, prefix, position, dot);
    }
    if let Some(lower) = a.filter(|a| lower == Some(*a)) {
        let position = drawn(None, None, draw).expect("nothing is in the way");
        return extended(arena, lower, position, dot);
    }
    tight(arena, lower, upper, dot, draw)
}

/// The longest common prefix of two identifiers, and what of each is one tuple longer.
fn fork(arena: &Arena, lower: Option<Id>, upper: Option<Id>) -> (Id, Option<Id>, Option<Id>) {
    let (mut below, mut above) = (lower.unwrap_or(ROOT), upper.unwrap_or(ROOT));
    let (mut a, mut z) = (None, None);
    while arena.depth(below) > arena.depth(above) {
        (a, below) = (Some(below), arena.parent(below));
    }
    while arena.depth(above) > arena.depth(below) {
        (z, above) = (Some(above), arena.parent(above));
    }
    while below != above {
        (a, z) = (Some(below), Some(above));
        (below, above) = (arena.parent(below), arena.parent(above));
    }
    (below, a, z)
}

/// A position above that of `a` and below that of `z`, where there is one.
fn drawn(a: Option<Tuple>, z: Option<Tuple>, draw: &mut impl FnMut(u64) -> u64) -> Option<i32> {
    let floor = i64::from(Tuple::FILL.position);
    let ceiling = i64::from(Tuple::MAX.position) - 1;
    let low = a.map_or(floor, |a| i64::from(a.position).max(floor)) + 1;
    let high = z.map_or(ceiling, |z| i64::from(z.position).min(ceiling));
    if low >= high {
        return None;
    }
    let room = (high - low) as u64;
    // It is of whoever edits: what leaves the gap would put elements out of order.
    let drawn = low + draw(room).min(room - 1) as i64;
    Some(i32::try_from(drawn).expect("it is between two positions"))
}

fn extended(arena: &mut Arena, prefix: Id, position: i32, Dot { site, clock }: Dot) -> Id {
    arena.extend(prefix, Tuple { position, site, clock, offset: 0 })
}

/// [`between`] where the first tuple that differs leaves no room.
#[cold]
fn tight(
    arena: &mut Arena,
    lower: Option<Id>,
    upper: Option<Id>,
    dot: Dot,
    draw: &mut impl FnMut(u64) -> u64,
) -> Id {
    let spelled = |id: Option<Id>| id.map(|id| arena.spell(id)).unwrap_or_default();
    let made = spelled_between(&spelled(lower), &spelled(upper), dot, draw);
    arena.intern(&made)
}

/// [`between`] by identifiers that are spelled out; none has no tuples. The same, and nothing is made known.
pub(crate) fn spelled_between(
    lower: &[Tuple],
    upper: &[Tuple],
    Dot { site, clock }: Dot,
    draw: &mut impl FnMut(u64) -> u64,
) -> Vec<Tuple> {
    let mut follows_upper = true;
    let mut made = Vec::with_capacity(lower.len().max(upper.len()) + 1);
    for level in 0.. {
        let a = lower.get(level).copied();
        let z = upper.get(level).copied().filter(|_| follows_upper);
        if let Some(a) = a.filter(|_| a == z) {
            made.push(a);
            continue;
        }
        if let Some(position) = drawn(a, z, draw) {
            made.push(Tuple { position, site, clock, offset: 0 });
            return made;
        }
        let (next, follows) = match (a, z) {
            (Some(a), _) => (a, false),
            (None, Some(z)) if z == Tuple::MIN || z == Tuple::FILL => (z, true),
            (None, _) => (Tuple::FILL, false),
        };
        made.push(next);
        follows_upper = follows;
    }
    unreachable!("behind the last tuple of both there is room")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn identifiers() -> impl Strategy<Value = Vec<Tuple>> {
        let made = (-2..=2_i32, 1..=2_u32, 0..=1_u32, 0..=2_i32)
            .prop_map(|(position, site, clock, offset)| Tuple { position, site, clock, offset });
        let extreme = prop_oneof![Just(i32::MIN + 2), Just(i32::MAX - 3), Just(i32::MAX - 2)]
            .prop_map(|position| Tuple { position, site: 1, clock: 0, offset: 0 });
        let made = prop_oneof![4 => made, 1 => extreme];
        let any = prop_oneof![
            6 => made.clone(),
            1 => Just(Tuple::MIN),
            1 => Just(Tuple::MAX),
            1 => Just(Tuple::FILL),
        ];
        let inner = prop::collection::vec(any, 0..4);
        (made.clone(), inner, made).prop_map(|(first, inner, last)| {
            let mut tuples = vec![first];
            tuples.extend(inner);
            tuples.push(last);
            tuples
        })
    }

    proptest! {
        #[test]
        fn there_is_room_between_any_two(
            a in identifiers(),
            b in identifiers(),
            extends in any::<bool>(),
            share in any::<u64>(),
        ) {
            let b = if extends { [a.clone(), b].concat() } else { b };
            prop_assume!(a != b);
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            let mut arena = Arena::default();
            let ends = (arena.intern(&low), arena.intern(&high));
            let dot = Dot { site: 7, clock: 9 };
            let mut draw = |below: u64| share % below;
            for (lower, upper) in [
                (Some(ends.0), Some(ends.1)),
                (None, Some(ends.0)),
                (Some(ends.1), None),
                (None, None),
            ] {
                let spelled = |id: Option<Id>| id.map(|id| arena.spell(id)).unwrap_or_default();
                let same = spelled_between(&spelled(lower), &spelled(upper), dot, &mut draw);
                let made = between(&mut arena, lower, upper, dot, &mut draw);
                prop_assert_eq!(arena.spell(made), same);
                prop_assert!(lower.is_none_or(|lower| arena.compare(lower, made).is_lt()));
                prop_assert!(upper.is_none_or(|upper| arena.compare(made, upper).is_lt()));
                prop_assert!(crate::Identifier::new(arena.spell(made)).is_ok());
            }
        }

        #[test]
        fn between_neighbours_of_a_block_is_the_first_extended(draws in any::<u64>()) {
            let mut arena = Arena::default();
            let tuple = |offset| Tuple { position: 5, site: 1, clock: 0, offset };
            let (l, u) = (arena.intern(&[tuple(0)]), arena.intern(&[tuple(1)]));
            let dot = Dot { site: 2, clock: 0 };
            let made = between(&mut arena, Some(l), Some(u), dot, &mut |below| draws % below);
            prop_assert_eq!(arena.parent(made), l);
        }
    }
}
