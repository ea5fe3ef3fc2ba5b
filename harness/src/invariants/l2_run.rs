//! L2: in the end everybody runs what it knows, or says why not.

use super::{Broken, End, Invariant, Resting, stalls};
use crate::observation::{Kinds, Moment, Observation, Truth};

/// Within the bound every node of the core runs the release it knows, or has quarantined it for a
/// reason, which the scenario must allow.
#[derive(Default)]
pub(super) struct RunsWhatItKnows;

impl Invariant for RunsWhatItKnows {
    fn name(&self) -> &'static str {
        "L2"
    }

    fn claim(&self) -> &'static str {
        "every node comes to run the newest release it knows, or quarantines it as the scenario allows"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[])
    }

    fn observe(&mut self, _: &Truth, _: &Moment, _: &Observation<'_>) -> Result<(), Broken> {
        Ok(())
    }

    fn finish(&mut self, truth: &Truth, end: &End) -> Result<(), Broken> {
        let stuck: Vec<&Resting> =
            end.nodes.iter().filter(|resting| !is_settled(truth, resting)).collect();
        if stuck.is_empty() {
            return Ok(());
        }
        Err(stalls("not all run the newest release they know".to_owned(), &stuck))
    }
}

fn is_settled(truth: &Truth, resting: &Resting) -> bool {
    let Some(status) = &resting.status else { return false };
    let Some(known) = &status.known else { return status.run.is_none() };
    // Nobody can run what nobody has: the run then falls short of its claim, but breaks no promise.
    if status.run.as_ref() == Some(known) || truth.is_lost(known) {
        return true;
    }
    let allowed =
        truth.release(known).is_some_and(|index| truth.releases[index].may_be_quarantined);
    allowed && status.quarantined.as_ref().is_some_and(|(id, _)| id == known)
}

#[cfg(test)]
mod tests {
    use contract::Time;

    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_node_that_does_not_run_what_it_knows_breaks() {
        let finish = |run: usize, quarantined: bool, allowed: bool, lost: bool| {
            let mut truth = truth();
            truth.releases[TWO].may_be_quarantined = allowed;
            truth.nodes[0].fetched = if lost { vec![] } else { vec![id(&truth, TWO)] };
            let mut node = resting(0, Some(id(&truth, TWO)), Some(id(&truth, run)));
            if quarantined && let Some(status) = &mut node.status {
                status.quarantined = Some((id(&truth, TWO), "too dear".to_owned()));
            }
            let end = End { at: Time::ZERO, at_rest: false, nodes: vec![node] };
            RunsWhatItKnows.finish(&truth, &end)
        };
        assert_eq!(finish(TWO, false, false, false), Ok(()));
        assert_eq!(finish(ONE_FOUR, true, true, false), Ok(()));
        assert_eq!(finish(ONE_FOUR, false, true, true), Ok(()));
        assert!(finish(ONE_FOUR, false, true, false).is_err());
        assert!(finish(ONE_FOUR, true, false, false).unwrap_err().text.contains("not all run"));
    }
}
