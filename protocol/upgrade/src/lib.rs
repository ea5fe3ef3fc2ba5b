//! Upgrading code that is running: the App CRDT, the version gate, migration, the switch, signatures.
//!
//! Pure decisions and data: no layer here sends, arms or persists anything. The replica composes them
//! into a process.
//!
//! - [`release`]: what a release is called and what its signed envelope says.
//! - [`trust`]: whose releases a node believes, verified before anything inside is parsed.
//! - [`lattice`]: the App CRDT, the newest release a node knows.
//! - [`gate`]: which message the running code may see. [`hold`]: the ones that wait.
//! - [`path`]: chains of edges along which state migrates and messages convert.
//! - [`switch`]: from verified to committed, or back to exactly what was. [`quarantine`]: why back.
//! - [`bugs`]: mutations of all these, for tests of whoever watches.
//!
//! Source: "Dynamic Software Updates using CRDTs", sections 3 and 4.4; ARCHITECTURE.md lists the
//! rulings where the printed algorithms are defective.

pub mod bugs;
pub mod gate;
pub mod hold;
pub mod lattice;
pub mod path;
pub mod quarantine;
pub mod release;
pub mod switch;
pub mod trust;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
