//! Codes of the register that are wrong: what checkers of replicated types and of upgrades must find.
//! Each is the good code of its version but for one flaw.

use std::sync::Arc;

use crdt::{
    Product,
    product::planted::{Bug, Planted},
};

use crate::{
    Program,
    native::{
        Listed,
        register::{
            listed,
            three::{Clearable, Flaw, Three},
            two::{REGISTER, Two},
        },
        replicated::build,
    },
};

/// The codes, by version.
pub(in crate::native) const LIST: &[Listed] = &[
    listed(
        "2.0.0",
        Some("acts-with-all"),
        "every factor it knows acts on an addition, not the concurrent ones alone",
        || two(Bug::ActsWithAll),
    ),
    listed(
        "2.0.0",
        Some("collects-early"),
        "it forgets a factor as soon as something follows it, not once it is stable",
        || two(Bug::ForgetsEarly),
    ),
    listed("3.0.0", Some("forgets-history"), "its migration drops the factors retained", || {
        three(Flaw::ForgetsHistory)
    }),
    listed(
        "3.0.0",
        Some("breaks-square"),
        "its edge from 2.x takes the state to hundredths, and additions under way as they are",
        || three(Flaw::BreaksSquare),
    ),
    listed(
        "3.0.0",
        Some("path-dependent"),
        "its edge from 1.x takes a unit for a thousand, that from 2.x for a hundred",
        || three(Flaw::PathDependent),
    ),
];

fn two(bug: Bug) -> Arc<dyn Program> {
    build(Two(Planted { kind: REGISTER, bug }))
}

fn three(flaw: Flaw) -> Arc<dyn Program> {
    build(Three { kind: Product(Clearable), flaw })
}
