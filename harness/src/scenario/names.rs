//! Names that scenarios may use for what other modules define.

/// Every invariant.
pub(super) fn invariants() -> Vec<&'static str> {
    crate::invariants::list().into_iter().map(|listed| listed.name).collect()
}

/// Every goal.
pub(super) fn goals() -> Vec<&'static str> {
    "held converted held-then-converted drained-in-order retransmitted duplicate-dropped \
     crash-in-fetch crash-in-stage crash-in-prepare crash-in-commit crash-in-drain fetch-resumed \
     forged-refused conflict-resolved quarantined nacked expired hold-full hot-swap \
     skipped-version late-join amnesia-recovered partition-bit client-served-while-mixed"
        .split_whitespace()
        .collect()
}
