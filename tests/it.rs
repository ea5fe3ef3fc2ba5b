//! Whole-system tests, one binary.

mod architecture;
mod planted;
