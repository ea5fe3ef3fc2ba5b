//! States whose removals leave no trace but in a causal context: what a state knows of and does not have was
//! removed.
//!
//! Source: "Delta State Replicated Data Types", section 7: dot sets, dot functions and dot maps, whose join
//! keeps what both have and what one has that the other does not know of.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use super::{Context, Join, Lattice};
use crate::{Dot, Log, Origin, Refused, Value};

/// Something that dots brought. Two of these join only with what their states know of.
pub trait Store: Clone + Debug + Default + PartialEq {
    /// Whether it has nothing.
    fn is_empty(&self) -> bool;

    /// Takes in what `other` has and `known` does not know of; drops what `others` know of and `other`
    /// does not have.
    fn join(&mut self, known: &Context, other: &Self, others: &Context);

    /// Whether joining it to `other`, which knows all that `known` does, leaves `other` as it is.
    fn is_within(&self, known: &Context, other: &Self) -> bool;

    /// Every dot of it.
    fn dots(&self) -> Vec<Dot>;

    /// What `dot` brought, and nothing else.
    fn only(&self, dot: Dot) -> Self;
}

/// A set of dots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DotSet(pub BTreeSet<Dot>);

/// What each dot brought, which is the same wherever the dot is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DotFun<V>(pub BTreeMap<Dot, V>);

/// Stores by key, none of them empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DotMap<K: Ord, S>(pub BTreeMap<K, S>);

impl<V> Default for DotFun<V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord, S> Default for DotMap<K, S> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl Store for DotSet {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn join(&mut self, known: &Context, other: &Self, others: &Context) {
        self.0.retain(|dot| other.0.contains(dot) || !others.covers(*dot));
        self.0.extend(other.0.iter().filter(|dot| !known.covers(**dot)));
    }

    fn is_within(&self, known: &Context, other: &Self) -> bool {
        other.0.iter().all(|dot| self.0.contains(dot) || !known.covers(*dot))
    }

    fn dots(&self) -> Vec<Dot> {
        self.0.iter().copied().collect()
    }

    fn only(&self, dot: Dot) -> Self {
        Self(self.0.get(&dot).copied().into_iter().collect())
    }
}

impl<V: Clone + Debug + PartialEq> Store for DotFun<V> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn join(&mut self, known: &Context, other: &Self, others: &Context) {
        self.0.retain(|dot, _| other.0.contains_key(dot) || !others.covers(*dot));
        let new = other.0.iter().filter(|(dot, _)| !known.covers(**dot));
        self.0.extend(new.map(|(dot, value)| (*dot, value.clone())));
    }

    fn is_within(&self, known: &Context, other: &Self) -> bool {
        other.0.keys().all(|dot| self.0.contains_key(dot) || !known.covers(*dot))
    }

    fn dots(&self) -> Vec<Dot> {
        self.0.keys().copied().collect()
    }

    fn only(&self, dot: Dot) -> Self {
        Self(self.0.get(&dot).map(|value| (dot, value.clone())).into_iter().collect())
    }
}

impl<K: Clone + Debug + Ord, S: Store> Store for DotMap<K, S> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn join(&mut self, known: &Context, other: &Self, others: &Context) {
        let nothing = S::default();
        self.0.retain(|key, store| {
            store.join(known, other.0.get(key).unwrap_or(&nothing), others);
            !store.is_empty()
        });
        for (key, store) in &other.0 {
            if !self.0.contains_key(key) {
                let mut new = S::default();
                new.join(known, store, others);
                if !new.is_empty() {
                    self.0.insert(key.clone(), new);
                }
            }
        }
    }

    fn is_within(&self, known: &Context, other: &Self) -> bool {
        let nothing = S::default();
        let own = |key| self.0.get(key).unwrap_or(&nothing);
        other.0.iter().all(|(key, store)| own(key).is_within(known, store))
    }

    fn dots(&self) -> Vec<Dot> {
        self.0.values().flat_map(Store::dots).collect()
    }

    fn only(&self, dot: Dot) -> Self {
        let each = self.0.iter().map(|(key, store)| (key.clone(), store.only(dot)));
        Self(each.filter(|(_, store)| !store.is_empty()).collect())
    }
}

/// A store and all that it knows of, what it no longer has included.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Causal<S> {
    /// What is there.
    pub store: S,
    /// What was ever there.
    pub context: Context,
}

impl<S: Store> Lattice for Causal<S> {
    fn join(&mut self, other: &Self) {
        self.store.join(&self.context, &other.store, &other.context);
        self.context.merge(&other.context);
    }

    fn is_within(&self, other: &Self) -> bool {
        self.context.is_within(&other.context) && self.store.is_within(&self.context, &other.store)
    }

    /// One for each dot: what it brought, or that it is gone.
    fn parts(&self) -> Vec<Self> {
        let part = |dot| Self { store: self.store.only(dot), context: [dot].into_iter().collect() };
        self.context.iter().map(part).collect()
    }
}

/// A type whose states are stores under a context that others may share, so that it can stand in a map.
///
/// What it shows of a store differs from what it shows of an empty one unless the store is empty.
pub trait Causally {
    /// See [`Join::Operation`].
    type Operation: Clone + Debug + PartialEq + 'static;
    /// What a replica keeps beside the context.
    type Store: Store + 'static;

    /// See [`Join::delta`].
    fn delta(
        &self,
        store: &Self::Store,
        context: &Context,
        operation: &Self::Operation,
        by: Origin,
    ) -> Result<Causal<Self::Store>, Refused>;

    /// See [`Join::mutate`].
    fn mutate(
        &self,
        store: &mut Self::Store,
        context: &mut Context,
        operation: &Self::Operation,
        by: Origin,
    ) -> Result<(), Refused>;

    /// See [`Join::value`].
    fn value(&self, store: &Self::Store) -> Value;

    /// See [`Join::meaning`].
    fn meaning(&self, log: &Log<'_, Self::Operation>) -> Value;

    /// See [`Join::parse`].
    fn parse(&self, operation: &Value) -> Result<Self::Operation, Refused>;
}

impl<T: Causally> Join for T {
    type Operation = T::Operation;
    type State = Causal<T::Store>;

    fn delta(
        &self,
        state: &Self::State,
        operation: &T::Operation,
        by: Origin,
    ) -> Result<Self::State, Refused> {
        Causally::delta(self, &state.store, &state.context, operation, by)
    }

    fn mutate(
        &self,
        state: &mut Self::State,
        operation: &T::Operation,
        by: Origin,
    ) -> Result<(), Refused> {
        Causally::mutate(self, &mut state.store, &mut state.context, operation, by)
    }

    fn value(&self, state: &Self::State) -> Value {
        Causally::value(self, &state.store)
    }

    fn meaning(&self, log: &Log<'_, T::Operation>) -> Value {
        Causally::meaning(self, log)
    }

    fn parse(&self, operation: &Value) -> Result<T::Operation, Refused> {
        Causally::parse(self, operation)
    }
}
