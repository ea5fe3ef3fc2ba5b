//! L1: in the end everybody knows the newest release.

use upgrade::release::ReleaseId;

use super::{Broken, End, Invariant, stalls};
use crate::observation::{Kinds, Moment, Observation, Truth, wins};

/// Within the bound after healing, every node of the core knows the newest release that any of them
/// knows; and something came of every release that was published.
#[derive(Default)]
pub(super) struct KnownByAll;

impl Invariant for KnownByAll {
    fn name(&self) -> &'static str {
        "L1"
    }

    fn claim(&self) -> &'static str {
        "once the network is well, every node learns of the newest release within the bound"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[])
    }

    fn observe(&mut self, _: &Truth, _: &Moment, _: &Observation<'_>) -> Result<(), Broken> {
        Ok(())
    }

    fn finish(&mut self, truth: &Truth, end: &End) -> Result<(), Broken> {
        let unheard = truth.releases.iter().find(|release| {
            !release.taken && release.by.is_some_and(|node| !truth.node(node).gone)
        });
        if let Some(release) = unheard {
            let text = format!("{} was published, and nothing came of it", release.id());
            return Err(Broken { nodes: release.by.into_iter().collect(), text });
        }
        let Some(newest) = expected(end) else { return Ok(()) };
        let behind: Vec<_> = end
            .nodes
            .iter()
            .filter(|resting| {
                let known = resting.status.as_ref().and_then(|status| status.known.as_ref());
                known.is_none_or(|known| wins(known, newest).is_lt())
            })
            .collect();
        if behind.is_empty() {
            return Ok(());
        }
        Err(stalls(format!("{newest} was published, and not all know of it"), &behind))
    }
}

/// The newest release that some node of the core knows: one that all who knew it lost, nobody can learn.
pub(crate) fn expected(end: &End) -> Option<&ReleaseId> {
    let known = end.nodes.iter().filter_map(|resting| resting.status.as_ref()?.known.as_ref());
    known.max_by(|left, right| wins(left, right))
}

#[cfg(test)]
mod tests {
    use contract::{NodeId, Time};

    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_node_that_never_hears_of_the_newest_release_breaks() {
        let finish = |last: usize| {
            let truth = truth();
            let nodes = vec![
                resting(0, Some(id(&truth, TWO)), Some(id(&truth, TWO))),
                resting(1, Some(id(&truth, last)), Some(id(&truth, last))),
            ];
            KnownByAll.finish(&truth, &End { at: Time::ZERO, at_rest: false, nodes })
        };
        assert_eq!(finish(TWO), Ok(()));
        let broken = finish(ONE_FOUR).unwrap_err();
        assert_eq!(broken.nodes, [NodeId(1)]);
        assert!(broken.text.contains("not all know"), "{broken:?}");
    }

    #[test]
    fn a_release_of_which_nothing_comes_breaks() {
        let mut truth = truth();
        truth.releases[THREE].by = Some(NodeId(0));
        let nodes = vec![resting(0, Some(id(&truth, TWO)), Some(id(&truth, TWO)))];
        let end = End { at: Time::ZERO, at_rest: true, nodes };
        assert!(KnownByAll.finish(&truth, &end).unwrap_err().text.contains("nothing came of it"));
        truth.releases[THREE].taken = true;
        assert_eq!(KnownByAll.finish(&truth, &end), Ok(()));
    }
}
