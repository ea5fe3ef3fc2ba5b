//! Lattices that others are made of: the greater of two, sets, maps and pairs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use super::Lattice;

/// A number of which the greater counts; the least is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Max(pub u64);

/// Something of which the greater counts; the least is nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latest<T>(pub Option<T>);

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl Lattice for Max {
    fn join(&mut self, other: &Self) {
        *self = (*self).max(*other);
    }

    fn is_within(&self, other: &Self) -> bool {
        self <= other
    }

    fn parts(&self) -> Vec<Self> {
        if self.0 == 0 { Vec::new() } else { vec![*self] }
    }
}

impl<T: Clone + Debug + Ord> Lattice for Latest<T> {
    fn join(&mut self, other: &Self) {
        if self.0 < other.0 {
            self.0.clone_from(&other.0);
        }
    }

    fn is_within(&self, other: &Self) -> bool {
        self.0 <= other.0
    }

    fn parts(&self) -> Vec<Self> {
        if self.0.is_none() { Vec::new() } else { vec![self.clone()] }
    }
}

impl<T: Clone + Debug + Ord> Lattice for BTreeSet<T> {
    fn join(&mut self, other: &Self) {
        self.extend(other.iter().cloned());
    }

    fn is_within(&self, other: &Self) -> bool {
        self.is_subset(other)
    }

    fn parts(&self) -> Vec<Self> {
        self.iter().map(|one| Self::from([one.clone()])).collect()
    }
}

/// By key. Whoever puts a least element under a key breaks equality: leave the key out.
impl<K: Clone + Debug + Ord, V: Lattice> Lattice for BTreeMap<K, V> {
    fn join(&mut self, other: &Self) {
        for (key, value) in other {
            match self.get_mut(key) {
                Some(own) => own.join(value),
                None => _ = self.insert(key.clone(), value.clone()),
            }
        }
    }

    fn is_within(&self, other: &Self) -> bool {
        let within =
            |key: &K, value: &V| other.get(key).is_some_and(|other| value.is_within(other));
        self.iter().all(|(key, value)| within(key, value))
    }

    fn parts(&self) -> Vec<Self> {
        let each = self.iter().flat_map(|(key, value)| {
            value.parts().into_iter().map(|part| Self::from([(key.clone(), part)]))
        });
        each.collect()
    }
}

impl<A: Lattice, B: Lattice> Lattice for (A, B) {
    fn join(&mut self, other: &Self) {
        self.0.join(&other.0);
        self.1.join(&other.1);
    }

    fn is_within(&self, other: &Self) -> bool {
        self.0.is_within(&other.0) && self.1.is_within(&other.1)
    }

    fn parts(&self) -> Vec<Self> {
        let ones = self.0.parts().into_iter().map(|part| (part, B::default()));
        ones.chain(self.1.parts().into_iter().map(|part| (A::default(), part))).collect()
    }
}
