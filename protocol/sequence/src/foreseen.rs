//! Elements that a rename named which is neither the epoch of the operation nor above it: nobody brings them there or
//! takes them away, for in that epoch they have the identifiers that the rename found.
//!
//! What stands before the last tuple is another matter. An element that was made below a rename may have a tuple of it
//! anywhere, and where the document above has no gap for it, it is parked there with all of its tuples (A.5). Whoever
//! writes beside it names them, in an epoch above the rename or beside it. So names there say nothing of who could know
//! what: that is for whoever knows what an operation follows, as those do who deliver in causal order. The mapping keeps
//! the order of all identifiers, whoever made them, so that they do no harm.

use crate::{Dot, Flaw, Sequence};

impl Sequence {
    /// Whether element `offset` of a base named `dot` is one that a rename named which is neither `epoch` nor above it.
    #[inline]
    pub(crate) fn foresees(&self, epoch: u32, dot: Dot, offset: i32) -> bool {
        let nobody_asks = !self.watches_names() || self.flaw == Some(Flaw::PrintedMapping);
        if nobody_asks || !self.epochs.has_elsewhere(epoch) {
            return false;
        }
        self.epochs.named_elsewhere(epoch, dot).is_some_and(|named| offset < named)
    }
}
