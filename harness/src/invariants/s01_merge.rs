//! S1: merging takes the higher release.

use std::cmp::Ordering;

use replica::Notice;
use upgrade::release::ReleaseId;

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth, wins};

/// Releases whose order is compared pair by pair and triple by triple; a run has a handful.
const SEEN_MAX: usize = 16;

/// After every merge a node knows the higher of what it knew and what came; and the order is one.
#[derive(Default)]
pub(super) struct MergeTakesTheHigher {
    seen: Vec<ReleaseId>,
}

impl Invariant for MergeTakesTheHigher {
    fn name(&self) -> &'static str {
        "S1"
    }

    fn claim(&self) -> &'static str {
        "after a merge a node knows the higher of what it knew and what came, in one total order"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[Kind::Merged])
    }

    fn observe(
        &mut self,
        _: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let Observation::Notice(Notice::Merged { incoming, before, after }) = seen else {
            return Ok(());
        };
        let node = moment.node;
        let came = &incoming.id;
        let higher = match before {
            Some(before) if wins(before, came).is_ge() => before,
            _ => came,
        };
        let Some(after) = after else {
            return Err(Broken::at(node, format!("{node} merged {came} and knows nothing")));
        };
        if wins(after, higher).is_ne() {
            let before = before.as_ref().map_or("nothing".to_owned(), ReleaseId::to_string);
            let text =
                format!("{node} knew {before}, merged {came} and knows {after}, not {higher}");
            return Err(Broken::at(node, text));
        }
        self.order(came).map_err(|text| Broken::at(node, text))
    }
}

impl MergeTakesTheHigher {
    /// Compares a release new to the run with all before it, as the protocol orders them.
    fn order(&mut self, came: &ReleaseId) -> Result<(), String> {
        if self.seen.len() == SEEN_MAX || self.seen.contains(came) {
            return Ok(());
        }
        self.seen.push(came.clone());
        for one in &self.seen {
            for other in &self.seen {
                if one.cmp(other) != other.cmp(one).reverse() || one.cmp(other) != wins(one, other)
                {
                    return Err(format!("{one} and {other} are not in one order"));
                }
                let up = |third: &&ReleaseId| {
                    one.cmp(other) == Ordering::Less
                        && other.cmp(third) == Ordering::Less
                        && one.cmp(third) != Ordering::Less
                };
                if let Some(third) = self.seen.iter().find(up) {
                    return Err(format!("{one}, {other} and {third} are in a circle"));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_merge_that_keeps_the_lower_release_breaks() {
        check::<MergeTakesTheHigher>(
            |truth| vec![(0, merged(truth, TWO, ONE_FOUR, TWO)), (0, merged(truth, ONE, TWO, TWO))],
            |truth| vec![(0, merged(truth, TWO, ONE_FOUR, ONE_FOUR))],
            "and knows 1.4.0",
        );
    }

    #[test]
    fn a_merge_that_takes_the_lower_of_two_codes_breaks() {
        let truth = truth();
        let (low, high) = if id(&truth, TWO) < id(&truth, OTHER_TWO) {
            (TWO, OTHER_TWO)
        } else {
            (OTHER_TWO, TWO)
        };
        check::<MergeTakesTheHigher>(
            |truth| vec![(0, merged(truth, high, low, high))],
            |truth| vec![(0, merged(truth, low, high, low))],
            "and knows 2.0.0",
        );
    }
}
