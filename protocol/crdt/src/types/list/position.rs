//! Positions in a list: dense, unique, and ordered alike everywhere.
//!
//! Source: Weiss, Urso, Molli, "Logoot" (2009): a path of digits, each made unique by the dot of the
//! operation that chose it.

use std::sync::Arc;

use crate::{Dot, Refused};

/// A place in a list. Ordered like words in a lexicon: a prefix comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(Arc<[(u32, Dot)]>);

/// Stands where a path must be longer than the one below it. No operation has the number 0.
const FILLER: (u32, Dot) = (0, Dot::NONE);

/// The greatest step from one neighbour: whoever types on leaves room for few and uses up little.
const STEP: u32 = 1 << 10;

/// Paths that are longer than any honest one.
const LENGTH_MAX: usize = 1 << 16;

impl Position {
    /// A place between two neighbours for what `dot` inserts; where a neighbour is missing, the list ends.
    pub fn between(low: Option<&Self>, high: Option<&Self>, dot: Dot) -> Self {
        let mut low = low.map_or(&[][..], |position| &position.0);
        let mut high = high.map(|position| &position.0[..]);
        let mut path = Vec::new();
        loop {
            let below = low.first().copied();
            let above = high.and_then(|high| high.first()).copied();
            let least = below.map_or(0, |(digit, _)| digit);
            let room = above.map_or(u32::MAX, |(digit, _)| digit) - least;
            if room > 1 {
                path.push((least + (room / 2).min(STEP), dot));
                return Self(path.into());
            }
            let step = below.unwrap_or(FILLER);
            path.push(step);
            low = low.get(1..).unwrap_or(&[]);
            // Above a step that is below its bound, everything is.
            high = if above == Some(step) { high.map(|high| &high[1..]) } else { None };
        }
    }

    /// Its path: digits, and who made each unique.
    pub fn path(&self) -> &[(u32, Dot)] {
        &self.0
    }

    /// The place with this path. Errors: [`Refused::Unknown`] where no place has it.
    pub fn with_path(path: Vec<(u32, Dot)>) -> Result<Self, Refused> {
        if path.is_empty() || path.len() > LENGTH_MAX {
            let found = format!("one of {} digits", path.len());
            return Err(Refused::Unknown { expected: "a path that leads somewhere", found });
        }
        Ok(Self(path.into()))
    }

    /// Whether `dot` can have chosen it. Errors: [`Refused::Unknown`] where it cannot.
    pub fn is_of(&self, dot: Dot) -> Result<(), Refused> {
        let chosen = self.0.last().is_some_and(|(_, by)| *by == dot);
        if chosen && self.0.len() <= LENGTH_MAX {
            return Ok(());
        }
        Err(Refused::Unknown { expected: "a position of one's own", found: format!("{self:?}") })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever was inserted where, by whom, there is room between each two neighbours.
        #[test]
        fn between_two_places_there_is_always_a_third(
            inserts in proptest::collection::vec((any::<prop::sample::Index>(), 0..3u32), 1..200),
        ) {
            let mut list: Vec<Position> = Vec::new();
            for (seq, (place, origin)) in inserts.into_iter().enumerate() {
                let dot = Dot::new(origin, seq as u32 + 1);
                let place = place.index(list.len() + 1);
                let low = place.checked_sub(1).map(|at| &list[at]);
                let new = Position::between(low, list.get(place), dot);
                prop_assert!(low.is_none_or(|low| *low < new));
                prop_assert!(list.get(place).is_none_or(|high| new < *high));
                prop_assert!(new.is_of(dot).is_ok());
                list.insert(place, new);
            }
        }
    }

    #[test]
    fn two_who_insert_at_one_place_choose_places_between_which_there_is_room() {
        let one = Position::between(None, None, Dot::new(1, 1));
        let two = Position::between(None, None, Dot::new(2, 1));
        assert!(one < two);
        let three = Position::between(Some(&one), Some(&two), Dot::new(1, 2));
        assert!(one < three && three < two);
    }
}
