//! Priced items that replicas put in, change and take out, one by one or each of them.
//!
//! A change of each item reaches items that are put in concurrently; additions to a price go before
//! concurrent multiplications of it. 2.x counts in hundredths, and may spare what is put in concurrently.
//! What is retained is what acts on operations under way: changes of each, factors of each item, and the
//! names of what was taken out.
//!
//! Source: research on semidirect products, section A.11 (unique set with for-each).

use std::sync::Arc;

use causal::Dot;
use crdt::types::{Element, Registers, Unique, UniqueOp};

use crate::{
    Body, Fault, Program,
    native::{
        Listed,
        replicated::{Asked, build},
        typed::{Typed, record},
    },
};

mod kept;
mod one;
mod two;

#[cfg(test)]
mod tests;

/// What releases call the application.
const APP: &str = "basket";

/// The field of the state that comes to be the same on all nodes.
const REPLICATED: &str = "items";

/// The codes, oldest first.
pub(super) const LIST: &[Listed] = &[
    listed("1.0.0", one::ABOUT, || build(one::One)),
    listed("2.0.0", two::ABOUT, || build(two::Two)),
];

/// Of all lines.
const TAKE: u32 = 3;
const READ: u32 = 16;
const CLIENT_TAKE: u32 = 19;

/// The type.
const UNIQUE: Unique = Unique;

record! {
    /// Takes an item out for good.
    Take {
        1 name: Dot,
    }
}

record! {
    /// A client takes out the item at this place, in the order of names, if there is one.
    ClientTake {
        1 place: u64,
    }
}

const fn listed(
    version: &'static str,
    about: &'static str,
    build: fn() -> Arc<dyn Program>,
) -> Listed {
    Listed { app: APP, version, variant: None, about, build }
}

/// What is in the basket: name and price.
fn items(state: &Registers) -> impl Iterator<Item = (Dot, i64)> {
    state.elements.iter().filter_map(|(name, element)| match element {
        Element::Alive { register, .. } => Some((*name, register.state)),
        Element::Deleted(_) => None,
    })
}

/// Does something to the item at a place, in the order of names.
fn at_place(state: &Registers, place: u64, what: impl Fn(Dot) -> UniqueOp) -> Asked<UniqueOp> {
    let place = usize::try_from(place).unwrap_or(usize::MAX);
    match items(state).nth(place) {
        Some((name, _)) => Asked::Do(what(name)),
        None => Asked::Nothing,
    }
}

/// What a client asks for in words that all lines share; `None`: in words of its line. Prices are in units
/// of which a whole one has so many.
fn asked(state: &Registers, body: &Body, units: i64) -> Result<Option<Asked<UniqueOp>>, Fault> {
    Ok(match body.tag {
        READ => {
            <()>::read_body(body)?;
            let total = items(state).fold(0, |sum: i64, (_, price)| sum.wrapping_add(price));
            Some(Asked::Tell(total.div_euclid(units).bytes()))
        }
        CLIENT_TAKE => {
            let ClientTake { place } = ClientTake::read_body(body)?;
            Some(at_place(state, place, UniqueOp::Delete))
        }
        _ => None,
    })
}

/// How many changes, factors and names of what was taken out may still matter.
fn retained(state: &Registers) -> usize {
    let of = |element: &Element| match element {
        Element::Alive { register, .. } => register.kept(),
        Element::Deleted(_) => 1,
    };
    state.history().len() + state.elements.values().map(of).sum::<usize>()
}

/// How many items are there, as the manifest's measure.
fn count(state: &Registers) -> Vec<i128> {
    vec![items(state).count() as i128]
}

/// The place of an item, as a client draws it.
const fn drawn_place(entropy: u32) -> u64 {
    entropy as u64 % 5
}

/// An operation of a client in words that all lines share.
fn drawn(kind: &str, entropy: [u32; 4]) -> Option<Body> {
    match kind {
        "take" => Some(ClientTake { place: drawn_place(entropy[0]) }.body(CLIENT_TAKE)),
        "read" => Some(().body(READ)),
        _ => None,
    }
}
