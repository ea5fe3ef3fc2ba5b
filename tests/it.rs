//! Whole-system tests, one binary.

mod architecture;
mod determinism;
mod planted;
mod replicated;
mod scenarios;
