//! One order for many lists: is there a total order that every list agrees with?
//!
//! Each list is a chain, so the pairs of neighbours say all that it says: an order exists exactly if the graph
//! of these pairs has no cycle. What is kept and looked at is linear in the total length of the lists.

use std::collections::{BTreeMap, BTreeSet};

/// Lists of elements, by the pairs of neighbours in them.
#[derive(Clone, Debug)]
pub struct Order<E> {
    places: BTreeMap<E, usize>,
    elements: Vec<E>,
    /// From an element to the next one in some list, and the first list that says so.
    edges: Vec<BTreeMap<usize, usize>>,
    lists: usize,
}

/// Elements that lists put in a circle: each is said to stand before the next, and the last before the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle<E> {
    /// The elements, each with the list that puts it before the next one.
    pub elements: Vec<(E, usize)>,
}

impl<E> Default for Order<E> {
    fn default() -> Self {
        Self { places: BTreeMap::new(), elements: Vec::new(), edges: Vec::new(), lists: 0 }
    }
}

impl<E: Ord + Clone> Order<E> {
    /// Takes a list in, and returns its number, from 0.
    pub fn take(&mut self, list: &[E]) -> usize {
        let number = self.lists;
        self.lists += 1;
        let mut before = None;
        for element in list {
            let place = self.place(element);
            if let Some(before) = before {
                let edges: &mut BTreeMap<usize, usize> = &mut self.edges[before];
                edges.entry(place).or_insert(number);
            }
            before = Some(place);
        }
        number
    }

    fn place(&mut self, element: &E) -> usize {
        if let Some(place) = self.places.get(element) {
            return *place;
        }
        let place = self.elements.len();
        self.places.insert(element.clone(), place);
        self.elements.push(element.clone());
        self.edges.push(BTreeMap::new());
        place
    }

    /// An order that all lists agree with.
    ///
    /// Errors: a shortest [`Cycle`] of the fewest lists, counted from the first: they alone agree on none.
    pub fn total(&self) -> Result<Vec<E>, Cycle<E>> {
        let Err(_) = self.sorted(self.lists) else {
            let sorted = self.sorted(self.lists).expect("it was sorted just now");
            return Ok(sorted.into_iter().map(|place| self.elements[place].clone()).collect());
        };
        // The fewest first lists that agree on none: with one less there is an order.
        let (mut fine, mut broken) = (0, self.lists);
        while broken - fine > 1 {
            let middle = fine + (broken - fine) / 2;
            match self.sorted(middle) {
                Ok(_) => fine = middle,
                Err(_) => broken = middle,
            }
        }
        let left = self.sorted(broken).expect_err("the last of them closes a cycle");
        Err(self.shortest(&left, broken))
    }

    /// Places in an order that the first `lists` agree with. Errors: the places that none has.
    fn sorted(&self, lists: usize) -> Result<Vec<usize>, BTreeSet<usize>> {
        let mut waits = vec![0_usize; self.elements.len()];
        for place in 0..self.elements.len() {
            self.next(place, lists).for_each(|next| waits[next] += 1);
        }
        let mut ready: Vec<usize> = (0..waits.len()).rev().filter(|at| waits[*at] == 0).collect();
        let mut sorted = Vec::with_capacity(waits.len());
        while let Some(place) = ready.pop() {
            sorted.push(place);
            for next in self.next(place, lists) {
                waits[next] -= 1;
                if waits[next] == 0 {
                    ready.push(next);
                }
            }
        }
        if sorted.len() == self.elements.len() {
            return Ok(sorted);
        }
        Err((0..waits.len()).filter(|place| waits[*place] > 0).collect())
    }

    fn next(&self, place: usize, lists: usize) -> impl Iterator<Item = usize> + '_ {
        let known = self.edges[place].iter().filter(move |(_, list)| **list < lists);
        known.map(|(next, _)| *next)
    }

    /// A shortest cycle through one of `left`, which must have some.
    fn shortest(&self, left: &BTreeSet<usize>, lists: usize) -> Cycle<E> {
        let mut best: Option<Vec<usize>> = None;
        for start in left {
            if let Some(cycle) = self.cycle(*start, lists)
                && best.as_ref().is_none_or(|best| cycle.len() < best.len())
            {
                best = Some(cycle);
            }
        }
        let cycle = best.expect("what cannot be sorted has a cycle");
        let next = cycle.iter().cycle().skip(1);
        let elements = cycle
            .iter()
            .zip(next)
            .map(|(place, next)| (self.elements[*place].clone(), self.edges[*place][next]));
        Cycle { elements: elements.collect() }
    }

    /// A shortest way from `start` back to it.
    fn cycle(&self, start: usize, lists: usize) -> Option<Vec<usize>> {
        let mut from: BTreeMap<usize, usize> = BTreeMap::new();
        let mut open = std::collections::VecDeque::from([start]);
        while let Some(place) = open.pop_front() {
            for next in self.next(place, lists) {
                if next == start {
                    let back = |place: &usize| from.get(place).copied();
                    let mut way: Vec<usize> = std::iter::successors(Some(place), back).collect();
                    way.reverse();
                    return Some(way);
                }
                if next != start && !from.contains_key(&next) {
                    from.insert(next, place);
                    open.push_back(next);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(lists: &[&str]) -> Result<String, Cycle<char>> {
        let mut order = Order::default();
        for list in lists {
            order.take(&list.chars().collect::<Vec<_>>());
        }
        order.total().map(|total| total.into_iter().collect())
    }

    #[test]
    fn lists_that_agree_have_an_order_and_all_elements_are_in_it() {
        for (lists, expected) in [
            (&[][..], ""),
            (&["", "a", ""], "a"),
            (&["ac", "bc", "ab"], "abc"),
            (&["ad", "bd", "cd", "bc", "ab"], "abcd"),
        ] {
            assert_eq!(order(lists).as_deref(), Ok(expected), "{lists:?}");
        }
    }

    #[test]
    fn lists_that_put_elements_in_a_circle_are_named() {
        let cycle = order(&["xy", "ab", "xa", "ba", "qr"]).unwrap_err();
        assert_eq!(cycle.elements, [('a', 1), ('b', 3)]);
        // Any two of these agree; the three do not.
        let cycle = order(&["ab", "bc", "ca"]).unwrap_err();
        assert_eq!(cycle.elements, [('a', 0), ('b', 1), ('c', 2)]);
        assert_eq!(order(&["aa"]).unwrap_err().elements, [('a', 0)]);
    }

    proptest! {
        #[test]
        fn parts_of_one_order_agree_and_a_pair_the_other_way_round_does_not(
            parts in proptest::collection::vec(proptest::collection::vec(any::<bool>(), 12), 1..12),
            one in 0..11_usize,
        ) {
            let mut order = Order::default();
            for part in &parts {
                let list: Vec<usize> = (0..12).filter(|at| part[*at]).collect();
                order.take(&list);
            }
            let total = order.total().unwrap();
            for part in &parts {
                let places = (0..12).filter(|at| part[*at]);
                let places: Vec<_> = places.map(|at| total.iter().position(|one| *one == at)).collect();
                prop_assert!(places.is_sorted());
            }
            order.take(&(0..12).collect::<Vec<_>>());
            prop_assert!(order.total().is_ok());
            let last = order.take(&[one + 1, one]);
            let cycle = order.total().unwrap_err();
            prop_assert_eq!(cycle.elements.len(), 2);
            prop_assert!(cycle.elements.contains(&(one + 1, last)));
        }
    }
}
