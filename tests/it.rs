//! Whole-system tests, one binary.

mod architecture;
mod determinism;
mod planted;
mod regress;
mod replicated;
mod scenarios;
mod shrunk;
