//! Canonical values and their schemas (being written).

/// The content address of a schema.
pub type SchemaId = [u8; 32];

/// (being written)
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schema {
    /// (being written)
    Unit,
}
