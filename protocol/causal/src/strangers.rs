//! Members whose admission was not delivered here yet, and who answers for them.
//!
//! A stranger says with its digest who let it in, who let that one in, and so on: its lineage, nearest
//! first. The nearest of them that is known here answers for it, as long as that one is not retired: what the
//! stranger hands over is taken as if that one had handed it over. Nobody answers for those whom somebody
//! let in after he was retired, and what follows from that stands in the documentation of `members`.
//!
//! Not durable: a digest comes again.

use std::collections::BTreeMap;

use crate::{
    Origin,
    members::{Members, Standing},
};

/// Strangers of whom a lineage is remembered.
const STRANGERS_MAX: usize = 256;

#[derive(Clone, Debug, Default)]
pub(crate) struct Strangers(BTreeMap<Origin, Vec<Origin>>);

impl Strangers {
    /// `stranger` says who let it in.
    pub(crate) fn introduce(&mut self, stranger: Origin, lineage: &[Origin]) {
        if self.0.len() >= STRANGERS_MAX && !self.0.contains_key(&stranger) {
            self.0.pop_first();
        }
        self.0.insert(stranger, lineage.to_vec());
    }

    /// Whether a member in good standing answers for `stranger`.
    pub(crate) fn is_answered_for(&self, stranger: Origin, members: &Members) -> bool {
        let lineage = self.0.get(&stranger).into_iter().flatten();
        let mut known = lineage.map(|other| members.standing(*other));
        known.find(|standing| *standing != Standing::Stranger) == Some(Standing::Member)
    }

    /// Forgets those who are strangers no more.
    pub(crate) fn forget(&mut self, members: &Members) {
        self.0.retain(|stranger, _| members.standing(*stranger) == Standing::Stranger);
    }
}
