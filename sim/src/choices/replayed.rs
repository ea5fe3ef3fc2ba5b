//! Repeats a log of decisions; whatever the log does not name is benign.

use crate::choices::Decision;
use contract::{Aspect, Choices, Occasion, choices::WORDS};
use std::collections::BTreeMap;

/// Settles what `decisions` names as it says and everything else as benign.
///
/// Entropy that no aspect settles (what a process is given, when a fault would strike) comes from
/// `inner`.
#[derive(Clone, Debug)]
pub struct Replayed<C> {
    inner: C,
    decisions: BTreeMap<(Occasion, Aspect), Entry>,
}

/// A decision to repeat.
#[derive(Clone, Copy, Debug)]
struct Entry {
    value: u64,
    /// Somebody asked for it.
    asked: bool,
}

impl<C: Choices> Replayed<C> {
    /// Repeats `decisions`; of two for the same accident the later one counts.
    pub fn new(inner: C, decisions: impl IntoIterator<Item = Decision>) -> Self {
        let entry = |decision: Decision| {
            let entry = Entry { value: decision.value, asked: false };
            ((decision.occasion, decision.aspect), entry)
        };
        Self { inner, decisions: decisions.into_iter().map(entry).collect() }
    }

    /// Decisions that nobody asked for so far, in the order of their occasions.
    pub fn unasked(&self) -> impl Iterator<Item = Decision> {
        let unasked = self.decisions.iter().filter(|(_, entry)| !entry.asked);
        unasked.map(|((occasion, aspect), entry)| Decision {
            occasion: *occasion,
            aspect: *aspect,
            value: entry.value,
        })
    }
}

impl<C: Choices> Choices for Replayed<C> {
    fn words(&mut self, occasion: Occasion) -> [u32; WORDS] {
        self.inner.words(occasion)
    }

    fn settle(&mut self, occasion: Occasion, aspect: Aspect, _: u64, benign: u64) -> u64 {
        match self.decisions.get_mut(&(occasion, aspect)) {
            Some(entry) => {
                entry.asked = true;
                entry.value
            }
            None => benign,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choices::Benign;
    use contract::Site;

    #[test]
    fn what_is_named_is_repeated_and_the_rest_is_benign() {
        let occasion = |index| Occasion { site: Site::Send, entity: 7, index };
        let lost = Aspect("lost");
        let decision = |index| Decision { occasion: occasion(index), aspect: lost, value: 1 };
        let mut replayed = Replayed::new(Benign, [decision(3), decision(9)]);
        let asked: Vec<u64> =
            (0..5).map(|index| replayed.settle(occasion(index), lost, 1, 0)).collect();
        assert_eq!(asked, [0, 0, 0, 1, 0]);
        assert_eq!(replayed.settle(occasion(3), Aspect("latency"), 5, 2), 2);
        assert_eq!(replayed.unasked().collect::<Vec<_>>(), [decision(9)]);
    }
}
