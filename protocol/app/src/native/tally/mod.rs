//! The paper's operation-based counter: what is broadcast is what was counted, not the counts.
//!
//! 1.1.0 also counts down, by an operation that 1.0.0 does not know. 2.x counts by topic, and what older
//! lines counted has a topic of its own. Nothing acts on anything, so there is nothing to retain: what an
//! upgrade puts at risk here is the layer that delivers, once and in causal order.
//!
//! Source: "Dynamic Software Updates using CRDTs", section 5.1.2.

use std::sync::Arc;

use crate::{
    Program,
    native::{Listed, replicated::build},
};

mod one;
mod two;

#[cfg(test)]
mod tests;

/// What releases call the application.
const APP: &str = "tally";

/// The codes, oldest first.
pub(super) const LIST: &[Listed] = &[
    listed("1.0.0", one::ABOUT_FIRST, || build(one::One::First)),
    listed("1.1.0", one::ABOUT_DOWN, || build(one::One::Down)),
    listed("2.0.0", two::ABOUT, || build(two::Two)),
];

const fn listed(
    version: &'static str,
    about: &'static str,
    build: fn() -> Arc<dyn Program>,
) -> Listed {
    Listed { app: APP, version, variant: None, about, build }
}
