//! Shapes in the plane that replicas move one by one and turn all together.
//!
//! 1.x moves and turns; 2.x reflects too, and measures in half steps. A move goes before concurrent turns,
//! and both before concurrent reflections. What is retained is what turned the plane, for moves and turns
//! that are still under way.
//!
//! Source: research on semidirect products, section A.11 (shapes).

use std::sync::Arc;

use crdt::{
    Product,
    product::planted::{Bug, Planted},
    types::Shapes,
};

use crate::{
    Program,
    native::{Listed, replicated::build, typed::record},
};

mod one;
mod two;

#[cfg(test)]
mod tests;

/// What releases call the application.
const APP: &str = "canvas";

/// The field of the state that comes to be the same on all nodes.
const REPLICATED: &str = "shapes";

/// The good codes, oldest first.
pub(super) const LIST: &[Listed] = &[
    listed("1.0.0", None, one::ABOUT, || build(one::One(Product(shapes(1))))),
    listed("2.0.0", None, two::ABOUT, || build(two::Two(Product(shapes(two::HALVES))))),
];

/// Codes that are wrong: what checkers must find.
pub(super) const FLAWED: &[Listed] = &[listed(
    "2.0.0",
    Some("ascending"),
    "what is retained acts as it was sent, lesser classes first, as a published library has it",
    || build(two::Two(Planted { kind: shapes(two::HALVES), bug: Bug::Ascending })),
)];

/// Of all lines.
const ROTATE: u32 = 2;
const READ: u32 = 16;
const CLIENT_ROTATE: u32 = 18;

/// Where the shapes are at the start, in whole steps.
const STARTS: [(i64, i64); 4] = [(1, 2), (-3, 4), (5, 0), (0, -2)];

record! {
    /// Turns all about the origin.
    Rotate {
        /// So many quarter turns counter-clockwise, 0 to 3.
        1 quarters: u64,
    }
}

record! {
    /// Where a shape is, in whole steps: what a client is told.
    Whole {
        1 x: i64,
        2 y: i64,
    }
}

const fn listed(
    version: &'static str,
    variant: Option<&'static str>,
    about: &'static str,
    build: fn() -> Arc<dyn Program>,
) -> Listed {
    Listed { app: APP, version, variant, about, build }
}

/// The type, in units of which a step has so many.
fn shapes(units: i64) -> Shapes {
    Shapes { start: STARTS.map(|(x, y)| (units * x, units * y)).to_vec() }
}

/// How far a client moves a shape.
const fn drawn_move(entropy: u32) -> i64 {
    entropy as i64 % 9 - 4
}
