//! Names that scenarios may use for what other modules define.

/// Every invariant.
pub(super) fn invariants() -> Vec<&'static str> {
    crate::invariants::list().into_iter().map(|listed| listed.name).collect()
}

/// Every goal.
pub(super) fn goals() -> Vec<&'static str> {
    crate::goals::Goal::ALL.iter().map(|goal| goal.name()).collect()
}
