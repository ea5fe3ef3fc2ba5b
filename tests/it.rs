//! Whole-system tests, one binary.

mod architecture;
mod determinism;
mod laws;
mod planted;
mod regress;
mod replicated;
mod scenarios;
mod shrunk;
