//! Identifiers, spelled out: what operations carry, and what decides where an element stands.
//!
//! Tuples are ordered by their fields, identifiers by their tuples, and a prefix is less than what extends
//! it: between `(base, o)` and `(base, o + 1)` lie exactly the identifiers that extend `(base, o)`.
//!
//! Knows nothing of text, nor of who delivers what. Source: "Improving Replicated Sequences
//! Performances", specifications 5 and 6.

use std::{cmp::Ordering, sync::Arc};

use crate::Refused;

/// Tuples that an identifier may have. Each rename that an identifier crosses without being part of it
/// adds one, so this is also how many epochs a replica may sleep through.
pub const TUPLES_MAX: usize = 1 << 16;

/// A step of an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tuple {
    /// Where among its neighbours.
    pub position: i32,
    /// Who made it; 0 for the reserved tuples alone.
    pub site: u32,
    /// Which of its maker's bases; with the site it names the base.
    pub clock: u32,
    /// Which element of the block.
    pub offset: i32,
}

impl Tuple {
    /// Below every tuple. Only renaming makes it.
    pub const MIN: Self = Self::reserved(i32::MIN);
    /// Above every tuple. Only renaming makes it.
    pub const MAX: Self = Self::reserved(i32::MAX);
    /// Below every tuple that a site makes: the filler where a generator finds no room.
    pub const FILL: Self = Self::reserved(i32::MIN + 1);

    const fn reserved(position: i32) -> Self {
        Self { position, site: 0, clock: 0, offset: 0 }
    }

    /// Whether it is one of the three that no site makes.
    pub fn is_reserved(self) -> bool {
        self == Self::MIN || self == Self::MAX || self == Self::FILL
    }

    /// The name of the base that it is of.
    pub(crate) fn dot(self) -> Dot {
        Dot { site: self.site, clock: self.clock }
    }

    /// Errors: no honest site makes it.
    pub(crate) fn check(self) -> Result<(), Refused> {
        const HALF: u32 = 1 << 31;
        let made = self.site != 0
            && self.site < HALF
            && self.clock < HALF
            && self.position > i32::MIN
            && self.position < i32::MAX
            && self.offset > i32::MIN
            && self.offset < i32::MAX;
        if made || self.is_reserved() { Ok(()) } else { Err(Refused::Tuple(self)) }
    }
}

/// A site and a count of its own: names a base, and a rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dot {
    /// Who.
    pub site: u32,
    /// Which of its bases and renames, from 0.
    pub clock: u32,
}

impl Dot {
    /// Errors: no site gives it.
    pub(crate) fn check(self) -> Result<(), Refused> {
        let Self { site, clock } = self;
        Tuple { position: 0, site, clock, offset: 0 }.check()?;
        // The tuples that only renaming makes are of site 0.
        if site == 0 { Err(Refused::Reserved) } else { Ok(()) }
    }
}

impl std::fmt::Display for Dot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.site, self.clock)
    }
}

/// Where an element stands: at least one tuple, the last of which is not reserved.
///
/// Elements of one base share what they have in common, so that a copy costs nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identifier {
    /// All tuples, the last with offset 0.
    base: Arc<[Tuple]>,
    offset: i32,
}

impl Identifier {
    /// An identifier of these tuples.
    ///
    /// Errors: none at all or too many; a tuple that no site makes; it begins with what only renaming
    /// makes, or ends in a reserved one.
    pub fn new(tuples: impl Into<Vec<Tuple>>) -> Result<Self, Refused> {
        let mut tuples = tuples.into();
        let (Some(first), Some(last)) = (tuples.first(), tuples.last()) else {
            return Err(Refused::Empty);
        };
        if tuples.len() > TUPLES_MAX {
            return Err(Refused::Long);
        }
        tuples.iter().try_for_each(|tuple| tuple.check())?;
        if last.is_reserved() || *first == Tuple::MIN || *first == Tuple::MAX {
            return Err(Refused::Reserved);
        }
        let at = tuples.len() - 1;
        let offset = std::mem::take(&mut tuples[at].offset);
        Ok(Self { base: tuples.into(), offset })
    }

    /// The element `offset` of a base that is spelled out already.
    pub(crate) fn of(base: Arc<[Tuple]>, offset: i32) -> Self {
        Self { base, offset }
    }

    /// All tuples, the last with offset 0.
    pub(crate) fn base(&self) -> &Arc<[Tuple]> {
        &self.base
    }

    /// What it is made of.
    pub fn tuples(&self) -> impl ExactSizeIterator<Item = Tuple> {
        let last = self.base.len() - 1;
        self.base.iter().enumerate().map(move |(at, tuple)| {
            let offset = if at == last { self.offset } else { tuple.offset };
            Tuple { offset, ..*tuple }
        })
    }

    /// What it is made of, to keep.
    pub fn to_vec(&self) -> Vec<Tuple> {
        self.tuples().collect()
    }

    /// The offset of its last tuple: which element of its base it is.
    pub fn offset(&self) -> i32 {
        self.offset
    }

    /// The name of its base.
    pub fn dot(&self) -> Dot {
        self.base.last().expect("an identifier has a tuple").dot()
    }
}

impl Ord for Identifier {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.base, &other.base) {
            return self.offset.cmp(&other.offset);
        }
        // What they share is skipped, but for the last tuple of each, whose offset stands elsewhere.
        let inner = self.base.len().min(other.base.len()) - 1;
        let pairs = self.base[..inner].iter().zip(&other.base[..inner]);
        let shared = pairs.take_while(|(a, b)| a == b).count();
        self.tuples().skip(shared).cmp(other.tuples().skip(shared))
    }
}

impl PartialOrd for Identifier {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Elements with consecutive offsets of one base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// The first.
    pub first: Identifier,
    /// The offset of the last, not below that of the first.
    pub end: i32,
}

impl Interval {
    /// How many elements.
    ///
    /// Errors: it ends before it begins, or no offset follows its end.
    pub fn length(&self) -> Result<u32, Refused> {
        length(self.first.offset, self.end)
    }
}

/// How many offsets there are from `begin` to `end`.
///
/// Errors: as [`Interval::length`].
pub(crate) fn length(begin: i32, end: i32) -> Result<u32, Refused> {
    if end < begin || end == i32::MAX {
        return Err(Refused::Offsets { begin, end: i64::from(end) });
    }
    let length = i64::from(end) - i64::from(begin) + 1;
    u32::try_from(length).map_err(|_| Refused::Offsets { begin, end: i64::from(end) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tuple(position: i32, site: u32, clock: u32, offset: i32) -> Tuple {
        Tuple { position, site, clock, offset }
    }

    #[test]
    fn what_extends_an_element_lies_between_it_and_the_next() {
        let id = |tuples: &[Tuple]| Identifier::new(tuples).expect("a valid identifier");
        let (a, b) = (id(&[tuple(5, 1, 0, 3)]), id(&[tuple(5, 1, 0, 4)]));
        for position in [i32::MIN + 2, 0, i32::MAX - 3] {
            let between = id(&[tuple(5, 1, 0, 3), tuple(position, 9, 9, 0)]);
            assert!(a < between && between < b);
        }
    }

    #[test]
    fn what_no_site_makes_is_refused() {
        let refused = |tuples: &[Tuple]| Identifier::new(tuples).expect_err("refused");
        let fine = tuple(0, 1, 0, 0);
        assert_eq!(refused(&[]), Refused::Empty);
        for reserved in [Tuple::MIN, Tuple::MAX, Tuple::FILL] {
            assert_eq!(refused(&[fine, reserved]), Refused::Reserved);
        }
        assert_eq!(refused(&[Tuple::MIN, fine]), Refused::Reserved);
        for bad in [
            tuple(0, 0, 0, 0),
            tuple(i32::MIN, 0, 1, 0),
            tuple(i32::MIN, 1, 0, 0),
            tuple(i32::MAX, 1, 0, 0),
            tuple(0, 1 << 31, 0, 0),
            tuple(0, 1, u32::MAX, 0),
            tuple(0, 1, 0, i32::MAX),
            tuple(0, 1, 0, i32::MIN),
        ] {
            assert_eq!(refused(&[bad, fine]), Refused::Tuple(bad));
        }
        assert_eq!(refused(&vec![fine; TUPLES_MAX + 1]), Refused::Long);
    }

    #[test]
    fn an_identifier_is_made_of_what_it_was_made_of() {
        let tuples = [tuple(5, 1, 0, 3), tuple(-1, 2, 7, 4)];
        let id = Identifier::new(tuples).expect("valid");
        assert_eq!((id.to_vec(), id.offset()), (tuples.to_vec(), 4));
        assert_eq!(id.dot(), Dot { site: 2, clock: 7 });
        assert_ne!(id, Identifier::new([tuples[0], tuple(-1, 2, 7, 5)]).expect("valid"));
    }

    #[test]
    fn an_interval_that_ends_before_it_begins_is_refused() {
        let first = Identifier::new([tuple(0, 1, 0, 3)]).expect("valid");
        let of = |end| Interval { first: first.clone(), end }.length();
        assert_eq!(of(3), Ok(1));
        assert_eq!(of(9), Ok(7));
        assert_eq!(of(2), Err(Refused::Offsets { begin: 3, end: 2 }));
        assert_eq!(of(i32::MAX), Err(Refused::Offsets { begin: 3, end: i64::from(i32::MAX) }));
    }
}
