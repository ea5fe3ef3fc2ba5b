//! Runs of elements with their text, in the leaves of a balanced tree.
//!
//! One look-up serves identifiers and text. Inner nodes know of each child how much text is below it and
//! which identifier comes first, so that elements are found by index and by identifier alike. A run may
//! go on in the next leaf; within a leaf no two runs do.
//!
//! Knows nothing of epochs or sites: identifiers come sorted, or are put where [`Tree::find`] says.

mod edit;
mod home;
mod index;
mod load;
mod nodes;
mod text;
mod typing;

pub(crate) use nodes::Tree;
pub(crate) use text::{Count, cut};
pub(crate) use typing::Typing;

/// No node.
const NONE: u32 = u32::MAX;

/// Bytes of text in a leaf. From 1 to 8 KB make little difference to time; less is kept in vain with less.
const BYTES_MAX: usize = 2048;

/// Runs in a leaf.
const RUNS_MAX: usize = 48;

/// Children of an inner node.
const CHILDREN_MAX: usize = 16;

/// A place between two elements of a leaf.
///
/// It is behind `within` elements of run `run`. `within` is 0 only at the beginning of the leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) leaf: u32,
    pub(crate) run: usize,
    pub(crate) within: u32,
    /// Elements of the leaf before it.
    pub(crate) chars: u32,
    /// Elements of the document before the leaf; [`Spot::SOMEWHERE`] where nobody asked.
    pub(crate) start: u32,
}

impl Spot {
    const SOMEWHERE: u32 = u32::MAX;
}
