//! Repeats a log of decisions; whatever the log does not name is benign.

use crate::choices::Decision;
use contract::{Aspect, Choices, Occasion, choices::WORDS};
use std::collections::BTreeMap;

/// Settles what `decisions` names as it says and everything else as benign.
///
/// Entropy that no aspect settles (what a process is given, how many clients ask) comes from `inner`.
#[derive(Clone, Debug)]
pub struct Replayed<C> {
    inner: C,
    decisions: BTreeMap<(Occasion, Aspect), u64>,
}

impl<C: Choices> Replayed<C> {
    /// Repeats `decisions`; of two for the same accident the later one counts.
    pub fn new(inner: C, decisions: impl IntoIterator<Item = Decision>) -> Self {
        let decisions = decisions
            .into_iter()
            .map(|decision| ((decision.occasion, decision.aspect), decision.value))
            .collect();
        Self { inner, decisions }
    }
}

impl<C: Choices> Choices for Replayed<C> {
    fn words(&mut self, occasion: Occasion) -> [u32; WORDS] {
        self.inner.words(occasion)
    }

    fn settle(&mut self, occasion: Occasion, aspect: Aspect, _: u64, benign: u64) -> u64 {
        self.decisions.get(&(occasion, aspect)).copied().unwrap_or(benign)
    }
}
