//! A register that replicas change by operations: the type is another in each line.
//!
//! 1.x is only added to, and nothing acts on anything. 2.x multiplies too: a semidirect product, in which a
//! multiplication acts on concurrent additions, those of 1.x included. 3.x counts in hundredths and clears:
//! a third class, which acts on both others. New classes stand above the old ones, so that what acts on
//! others is all that an older line had to retain for a newer one.
//!
//! Source: research on semidirect products, sections 0.1 and A.2 (the upgrade square).

use std::sync::Arc;

use crate::{
    Program,
    native::{Listed, replicated::build},
};

mod flawed;
mod one;
mod three;
mod two;

#[cfg(test)]
mod tests;

pub(super) use flawed::LIST as FLAWED;

/// What releases call the application.
const APP: &str = "register";

/// The field of the state that comes to be the same on all nodes.
const REPLICATED: &str = "value";

/// The good codes, oldest first.
pub(super) const LIST: &[Listed] = &[
    listed("1.0.0", None, one::ABOUT, || build(one::One)),
    listed("2.0.0", None, two::ABOUT, || build(two::good())),
    listed("3.0.0", None, three::ABOUT, || build(three::good())),
];

const fn listed(
    version: &'static str,
    variant: Option<&'static str>,
    about: &'static str,
    build: fn() -> Arc<dyn Program>,
) -> Listed {
    Listed { app: APP, version, variant, about, build }
}

/// A number as a client draws one.
const fn drawn_number(entropy: u32) -> i64 {
    entropy as i64 % 13 - 5
}

/// A factor as a client draws one: often enough 0, so that products stay small.
const fn drawn_factor(entropy: u32) -> i64 {
    [-1, 0, 1, 2, 2, 3][entropy as usize % 6]
}
