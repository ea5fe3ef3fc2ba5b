//! A number that replicas lower, raise, add to and multiply: four classes, in this order.
//!
//! 0.9.0 only shows it: a fleet that begins with that gets its first operations by an upgrade. 2.x counts in hundredths. All but lowering acts on others, so nearly everything that is not stable is
//! retained, as acted on by what came since, and has to migrate in that form.
//!
//! Source: research on semidirect products, section A.11 (min/max/add/mult).

use std::sync::Arc;

use crdt::{
    Product, Semidirect,
    product::planted::{Bug, Planted},
    types::Bounds,
};

use crate::{
    Program,
    native::{Listed, replicated::build},
};

mod kept;
mod versions;

#[cfg(test)]
mod tests;

use versions::{Hundredth, Still, Version, Whole};

/// What releases call the application.
const APP: &str = "gauge";

/// The field of the state that comes to be the same on all nodes.
const REPLICATED: &str = "value";

/// A number of any size: the laws want an order, which wrapped numbers have not.
type Number = <Bounds as Semidirect>::State;

/// The good codes, oldest first.
pub(super) const LIST: &[Listed] = &[
    listed("0.9.0", None, versions::ABOUT_STILL, || build(Version(Product(BOUNDS), Still))),
    listed("1.0.0", None, versions::ABOUT_WHOLE, || build(Version(Product(BOUNDS), Whole))),
    listed("2.0.0", None, versions::ABOUT_HUNDREDTHS, || {
        build(Version(Product(BOUNDS), Hundredth))
    }),
];

/// Codes that are wrong: what checkers must find.
pub(super) const FLAWED: &[Listed] = &[listed(
    "1.0.0",
    Some("ascending"),
    "what is retained acts as it was sent, lesser classes first, as a published library has it",
    || build(Version(Planted { kind: BOUNDS, bug: Bug::Ascending }, Whole)),
)];

/// The type.
const BOUNDS: Bounds = Bounds { start: 0 };

const fn listed(
    version: &'static str,
    variant: Option<&'static str>,
    about: &'static str,
    build: fn() -> Arc<dyn Program>,
) -> Listed {
    Listed { app: APP, version, variant, about, build }
}
