//! The strong list specification: what every replicated list must be, whatever its algorithm.
//!
//! Each list that is returned (a) has exactly the elements that were put in and not taken away by what is
//! visible; (b) is ordered by one total order of all elements that ever were; and (c) has what was just put
//! in at the index where it was put. The weak specification asks of (b) only that any two lists agree on the
//! elements that they share.
//! Source: Attiya, Burckhardt, Gotsman, Morrison, Yang, Zawirski, "Specification and Complexity of
//! Collaborative Text Editing" (PODC 2016); research on semidirect products, section D (C8, C9).

use std::{collections::BTreeSet, fmt};

pub mod histories;
mod order;
pub mod planted;
pub mod runs;

pub use order::{Cycle, Order};

/// A list that some replica returned, and what must be in it.
#[derive(Clone, Debug)]
pub struct Returned<'a, E> {
    /// The list.
    pub list: &'a [E],
    /// What the operations that are visible there put in.
    pub inserted: &'a BTreeSet<E>,
    /// What they took away.
    pub deleted: &'a BTreeSet<E>,
    /// What may be missing for a reason of the type's own, such as a range that was removed around it.
    pub excused: &'a BTreeSet<E>,
    /// What this operation put in, and at which index.
    pub inserts: Option<(&'a E, usize)>,
}

/// How a list breaks the specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw<E> {
    /// It lacks what was put in.
    Lacks(E),
    /// It has what was never put in, or was taken away.
    Has(E),
    /// It has an element twice.
    Twice(E),
    /// What was just put in is not where it was put.
    Elsewhere {
        /// What.
        element: E,
        /// Where it was put.
        index: usize,
        /// Where it is.
        found: Option<usize>,
    },
    /// No one order is that of all lists.
    Disorder {
        /// Elements in a circle, each with the list that puts it before the next.
        cycle: Cycle<E>,
        /// Whether any two lists agree on what they share: the weak specification.
        weak: bool,
    },
}

impl<E: fmt::Display> fmt::Display for Flaw<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lacks(element) => {
                write!(f, "{element} was put in, is not taken away, and is missing")
            }
            Self::Has(element) => {
                write!(f, "{element} was never put in there, or is taken away")
            }
            Self::Twice(element) => write!(f, "{element} is there twice"),
            Self::Elsewhere { element, index, found: Some(found) } => {
                write!(f, "{element} was put in at {index} and is at {found}")
            }
            Self::Elsewhere { element, index, found: None } => {
                write!(f, "{element} was put in at {index} and is nowhere")
            }
            Self::Disorder { cycle, weak } => {
                for (element, _) in &cycle.elements {
                    write!(f, "{element} stands before ")?;
                }
                let first = cycle.elements.first().map(|(element, _)| element);
                first.map_or(Ok(()), |first| write!(f, "{first}"))?;
                f.write_str(if *weak {
                    "; any two lists agree, so the weak specification holds"
                } else {
                    "; two lists disagree, so the weak specification does not hold either"
                })
            }
        }
    }
}

/// Lists that were returned.
#[derive(Clone, Debug)]
pub struct Lists<E> {
    order: Order<E>,
    kept: Vec<Vec<E>>,
}

impl<E> Default for Lists<E> {
    fn default() -> Self {
        Self { order: Order::default(), kept: Vec::new() }
    }
}

impl<E: Ord + Clone> Lists<E> {
    /// Takes a list in, and returns its number, from 0. Errors: [`Flaw`] of this list alone.
    pub fn take(&mut self, returned: &Returned<'_, E>) -> Result<usize, Flaw<E>> {
        let Returned { list, inserted, deleted, excused, inserts } = returned;
        let mut there = BTreeSet::new();
        for element in *list {
            if !there.insert(element) {
                return Err(Flaw::Twice(element.clone()));
            }
            if !inserted.contains(element) || deleted.contains(element) {
                return Err(Flaw::Has(element.clone()));
            }
        }
        let must = inserted.iter().filter(|one| !deleted.contains(*one) && !excused.contains(*one));
        if let Some(lacks) = must.into_iter().find(|element| !there.contains(element)) {
            return Err(Flaw::Lacks(lacks.clone()));
        }
        if let Some((element, index)) = inserts {
            let index = (*index).min(list.len().saturating_sub(1));
            let found = list.iter().position(|one| one == *element);
            if found != Some(index) {
                return Err(Flaw::Elsewhere { element: (*element).clone(), index, found });
            }
        }
        self.kept.push(list.to_vec());
        Ok(self.order.take(list))
    }

    /// How many lists there were.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Whether one order is that of all lists. Errors: [`Flaw::Disorder`].
    pub fn agree(&self) -> Result<(), Flaw<E>> {
        match self.order.total() {
            Ok(_) => Ok(()),
            Err(cycle) => Err(Flaw::Disorder { cycle, weak: self.are_compatible() }),
        }
    }

    /// The list of this number.
    pub fn list(&self, number: usize) -> &[E] {
        &self.kept[number]
    }

    /// Whether any two lists agree on what they share.
    fn are_compatible(&self) -> bool {
        let mut before: BTreeSet<(&E, &E)> = BTreeSet::new();
        for list in &self.kept {
            for (at, one) in list.iter().enumerate() {
                before.extend(list[at + 1..].iter().map(|other| (one, other)));
            }
        }
        before.iter().all(|(one, other)| !before.contains(&(*other, *one)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(
        list: &str,
        inserted: &str,
        deleted: &str,
        at: Option<(char, usize)>,
    ) -> Option<Flaw<char>> {
        let set = |text: &str| text.chars().collect::<BTreeSet<_>>();
        let list: Vec<char> = list.chars().collect();
        let returned = Returned {
            list: &list,
            inserted: &set(inserted),
            deleted: &set(deleted),
            excused: &set("z"),
            inserts: at.as_ref().map(|(element, index)| (element, *index)),
        };
        Lists::default().take(&returned).err()
    }

    #[test]
    fn a_list_has_what_was_put_in_and_not_taken_away_where_it_was_put() {
        assert_eq!(take("bxa", "abcx", "c", Some(('x', 1))), None);
        assert_eq!(take("xab", "abx", "", Some(('x', 0))), None);
        assert_eq!(take("abx", "abx", "", Some(('x', 9))), None, "past the end is the end");
        assert_eq!(take("ab", "abz", "", None), None, "excused");
        assert_eq!(take("a", "ab", "", None), Some(Flaw::Lacks('b')));
        assert_eq!(take("ab", "ab", "b", None), Some(Flaw::Has('b')));
        assert_eq!(take("aq", "a", "", None), Some(Flaw::Has('q')));
        assert_eq!(take("aba", "ab", "", None), Some(Flaw::Twice('a')));
        let elsewhere = Flaw::Elsewhere { element: 'x', index: 1, found: Some(2) };
        assert_eq!(take("abx", "abx", "", Some(('x', 1))), Some(elsewhere));
    }

    #[test]
    fn the_weak_specification_is_the_weaker_one() {
        let agree = |lists: &[&str]| {
            let mut all = Lists::default();
            for list in lists {
                let list: Vec<char> = list.chars().collect();
                let inserted = list.iter().copied().collect();
                let none = BTreeSet::new();
                let returned = Returned {
                    list: &list,
                    inserted: &inserted,
                    deleted: &none,
                    excused: &none,
                    inserts: None,
                };
                all.take(&returned).unwrap();
            }
            all.agree()
        };
        assert_eq!(agree(&["ab", "bc", "abc"]), Ok(()));
        // A server that forgets what it deleted may order its neighbours anew: Jupiter, PODC 2016, figure 7.
        let weak = |flaw: Result<(), Flaw<char>>| match flaw {
            Err(Flaw::Disorder { weak, .. }) => Some(weak),
            _ => None,
        };
        assert_eq!(weak(agree(&["xa", "bx", "ab"])), Some(true));
        assert_eq!(weak(agree(&["ab", "ba"])), Some(false));
    }
}
