//! Draws what runs and sweeps wrote: plots, the report of a sweep, the space-time diagram of a run.
//!
//! Reads `results` and nothing else, so that last year's file still draws. Knows nothing of scenarios or
//! protocols. Invariant: the same results give the same bytes.
