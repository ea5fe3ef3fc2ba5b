//! Whole-system tests, one binary.

mod architecture;
mod determinism;
mod planted;
mod scenarios;
