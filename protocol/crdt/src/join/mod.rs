//! State-based replicated types: what replicas exchange is states, or small ones that are called deltas.
//!
//! States are a join semilattice: whatever a replica takes in, in whatever order and however often, it ends
//! with the least state that has all of it. A mutator gives a *delta*: what must be joined to the state for
//! the operation to be done. A delta is a state, so that deltas join into groups, and a whole state stands for
//! all deltas that made it.
//!
//! Knows no network and no clock. Invariant: no two replicas use one [`Origin`], and whoever has lost its state
//! takes a new one: its next dot or count would otherwise be one that it has used before.
//! Source: Shapiro et al., "Conflict-Free Replicated Data Types" (2011); Almeida, Shoker, Baquero, "Delta
//! State Replicated Data Types" (2018); decomposition: Enes et al., "Efficient Synchronization of State-Based
//! CRDTs" (2019).

use std::fmt::Debug;

mod context;
mod counters;
mod deltas;
mod flags;
mod lattices;
mod map;
pub mod planted;
mod registers;
mod sets;
mod store;

pub use context::Context;
pub use counters::{GCounter, PnCounter};
pub use deltas::{Deltas, Done};
pub use flags::{DisableWinsFlag, EnableWinsFlag};
pub use lattices::{Latest, Max};
pub use map::{OrMap, OrMapOp};
pub use registers::{LwwRegister, LwwWrite, MvRegister};
pub use sets::{CausalLengthSet, GSet, OrSet, TwoPhaseSet};
pub use store::{Causal, Causally, DotFun, DotMap, DotSet, Store};

use crate::{Log, Origin, Refused, Value};

/// A state of a join semilattice; the default is the least.
pub trait Lattice: Clone + Debug + Default + PartialEq {
    /// Takes in all that `other` has.
    fn join(&mut self, other: &Self);

    /// Whether `other` has all that `self` has, so that joining them gives `other`.
    fn is_within(&self, other: &Self) -> bool;

    /// The smallest states of which this one is the join. None can be left out, and none can be
    /// taken apart.
    fn parts(&self) -> Vec<Self>;

    /// What both have.
    fn joined(&self, other: &Self) -> Self {
        let mut joined = self.clone();
        joined.join(other);
        joined
    }
}

/// A state-based replicated type.
pub trait Join {
    /// What a user asks for.
    type Operation: Clone + Debug + PartialEq + 'static;
    /// What a replica keeps, and what it sends.
    type State: Lattice + 'static;

    /// What must be joined to `state` to carry out `operation` at the replica `by`, whose own state it is.
    ///
    /// Errors: [`Refused`] where the operation has no meaning in this state.
    fn delta(
        &self,
        state: &Self::State,
        operation: &Self::Operation,
        by: Origin,
    ) -> Result<Self::State, Refused>;

    /// Carries out `operation` in place, which joining its delta would do too.
    ///
    /// Errors: as [`Join::delta`]; the state is as before.
    fn mutate(
        &self,
        state: &mut Self::State,
        operation: &Self::Operation,
        by: Origin,
    ) -> Result<(), Refused>;

    /// What the user sees.
    fn value(&self, state: &Self::State) -> Value;

    /// Whether a user who saw `before` may see `after` once its replica has taken more in. Always, where
    /// the type promises nothing.
    fn may_follow(&self, before: &Value, after: &Value) -> bool {
        let _ = (before, after);
        true
    }

    /// What the user must see after `log`, by the definition of the type, which knows no states. An
    /// operation's past is what the state had in it. See [`crate::Op::meaning`].
    fn meaning(&self, log: &Log<'_, Self::Operation>) -> Value;

    /// Reads an operation. See [`crate::Op::parse`].
    ///
    /// Errors: [`Refused`] where the type has no such operation.
    fn parse(&self, operation: &Value) -> Result<Self::Operation, Refused>;
}
