//! Whole-system tests, one binary.

mod architecture;
mod determinism;
mod fuzzed;
mod laws;
mod planted;
mod planted_types;
mod regress;
mod replicated;
mod scenarios;
mod sequence;
mod shrunk;
mod vectors;
