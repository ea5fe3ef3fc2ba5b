//! State-based types as they are got wrong: what checkers must find. For tests of checkers alone.

use std::collections::BTreeMap;

use super::{
    Causal, Causally, Context, DotMap, GCounter, Join, Lattice, LwwRegister, LwwWrite, OrSet,
};
use crate::{Log, Origin, Refused, Value, types::SetOp};

/// A way to get a state-based type wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinBug {
    /// A counter takes each count over from whom it merges with, not the greater one.
    LastMergeWins,
    /// Of writes at one time the one that was merged last counts, not that of the greater replica.
    TiesByReceipt,
    /// A replica that lost its state goes on under its old name.
    ReusesOrigin,
    /// A removal does not say what it saw.
    ForgetsContext,
}

impl JoinBug {
    /// Every bug, by name, and the type that has it.
    pub const ALL: [(&'static str, &'static str, Self); 4] = [
        ("last-merge-wins", "g_counter", Self::LastMergeWins),
        ("ties-by-receipt", "lww_register", Self::TiesByReceipt),
        ("reuses-origin", "g_counter", Self::ReusesOrigin),
        ("forgets-context", "or_set", Self::ForgetsContext),
    ];
}

/// A counter that takes each count over from whom it merges with.
#[derive(Clone, Copy, Debug)]
pub struct Overwriting;

/// Counts that are overwritten.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overwritten(BTreeMap<Origin, super::Max>);

impl Lattice for Overwritten {
    fn join(&mut self, other: &Self) {
        self.0.extend(&other.0);
    }

    fn is_within(&self, other: &Self) -> bool {
        self.0.is_within(&other.0)
    }

    fn parts(&self) -> Vec<Self> {
        self.0.parts().into_iter().map(Self).collect()
    }
}

impl Join for Overwriting {
    type Operation = u64;
    type State = Overwritten;

    fn delta(
        &self,
        state: &Overwritten,
        operation: &u64,
        by: Origin,
    ) -> Result<Overwritten, Refused> {
        GCounter.delta(&state.0, operation, by).map(Overwritten)
    }

    fn mutate(&self, state: &mut Overwritten, operation: &u64, by: Origin) -> Result<(), Refused> {
        GCounter.mutate(&mut state.0, operation, by)
    }

    fn value(&self, state: &Overwritten) -> Value {
        GCounter.value(&state.0)
    }

    fn meaning(&self, log: &Log<'_, u64>) -> Value {
        GCounter.meaning(log)
    }

    fn parse(&self, operation: &Value) -> Result<u64, Refused> {
        GCounter.parse(operation)
    }
}

/// A register that keeps of equal times what came last.
#[derive(Clone, Copy, Debug)]
pub struct Untied;

/// A time and what was written then.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timed(Option<(u64, Value)>);

impl Lattice for Timed {
    fn join(&mut self, other: &Self) {
        let time = |timed: &Self| timed.0.as_ref().map(|(time, _)| *time);
        if time(other) >= time(self) {
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

impl Join for Untied {
    type Operation = LwwWrite;
    type State = Timed;

    fn delta(&self, state: &Timed, write: &LwwWrite, _: Origin) -> Result<Timed, Refused> {
        let next = state.0.as_ref().map_or(0, |(time, _)| time.saturating_add(1));
        Ok(Timed(Some((write.at.max(next), write.value.clone()))))
    }

    fn mutate(&self, state: &mut Timed, write: &LwwWrite, by: Origin) -> Result<(), Refused> {
        *state = self.delta(state, write, by)?;
        Ok(())
    }

    fn value(&self, state: &Timed) -> Value {
        state.0.as_ref().map_or(Value::Null, |(_, value)| value.clone())
    }

    fn meaning(&self, log: &Log<'_, LwwWrite>) -> Value {
        LwwRegister.meaning(log)
    }

    fn parse(&self, operation: &Value) -> Result<LwwWrite, Refused> {
        LwwRegister.parse(operation)
    }
}

/// A counter of which a replica that counted loses what it had, and counts on.
#[derive(Clone, Copy, Debug)]
pub struct Amnesiac;

/// What is left at `by`: a replica that has counted to more than 3 has just lost its disk.
fn left(state: &BTreeMap<Origin, super::Max>, by: Origin) -> BTreeMap<Origin, super::Max> {
    let lost = state.get(&by).is_some_and(|count| count.0 > 3);
    if lost { BTreeMap::new() } else { state.clone() }
}

impl Join for Amnesiac {
    type Operation = u64;
    type State = BTreeMap<Origin, super::Max>;

    fn delta(&self, state: &Self::State, amount: &u64, by: Origin) -> Result<Self::State, Refused> {
        GCounter.delta(&left(state, by), amount, by)
    }

    fn mutate(&self, state: &mut Self::State, amount: &u64, by: Origin) -> Result<(), Refused> {
        *state = left(state, by);
        GCounter.mutate(state, amount, by)
    }

    fn value(&self, state: &Self::State) -> Value {
        GCounter.value(state)
    }

    fn meaning(&self, log: &Log<'_, u64>) -> Value {
        GCounter.meaning(log)
    }

    fn parse(&self, operation: &Value) -> Result<u64, Refused> {
        GCounter.parse(operation)
    }
}

/// A set whose removals do not say what they saw.
#[derive(Clone, Copy, Debug)]
pub struct Unseeing;

impl Causally for Unseeing {
    type Operation = SetOp;
    type Store = DotMap<String, super::DotSet>;

    fn delta(
        &self,
        store: &Self::Store,
        context: &Context,
        operation: &SetOp,
        by: Origin,
    ) -> Result<Causal<Self::Store>, Refused> {
        let mut delta = Causally::delta(&OrSet, store, context, operation, by)?;
        if delta.store.0.is_empty() {
            delta.context = Context::default();
        }
        Ok(delta)
    }

    fn mutate(
        &self,
        store: &mut Self::Store,
        context: &mut Context,
        operation: &SetOp,
        by: Origin,
    ) -> Result<(), Refused> {
        Causally::mutate(&OrSet, store, context, operation, by)
    }

    fn value(&self, store: &Self::Store) -> Value {
        Causally::value(&OrSet, store)
    }

    fn meaning(&self, log: &Log<'_, SetOp>) -> Value {
        Causally::meaning(&OrSet, log)
    }

    fn parse(&self, operation: &Value) -> Result<SetOp, Refused> {
        Causally::parse(&OrSet, operation)
    }
}
