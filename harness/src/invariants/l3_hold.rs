//! L3: in the end nothing is held that could be delivered, and nothing is under way.

use super::{Broken, End, Invariant, Resting, stalls};
use crate::observation::{Kinds, Moment, Observation, Truth, wins};

/// Within the bound no node of the core holds a message that the release it runs understands, and no
/// message between nodes of the core is unacknowledged.
#[derive(Default)]
pub(super) struct HoldDrained;

impl Invariant for HoldDrained {
    fn name(&self) -> &'static str {
        "L3"
    }

    fn claim(&self) -> &'static str {
        "held messages are delivered once the release they wait for runs, and nothing stays under way"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[])
    }

    fn observe(&mut self, _: &Truth, _: &Moment, _: &Observation<'_>) -> Result<(), Broken> {
        Ok(())
    }

    fn finish(&mut self, truth: &Truth, end: &End) -> Result<(), Broken> {
        let holds: Vec<&Resting> =
            end.nodes.iter().filter(|resting| holds_ripe(truth, resting)).collect();
        if !holds.is_empty() {
            return Err(stalls("messages are held that could be delivered".to_owned(), &holds));
        }
        if end.at_rest {
            return Ok(());
        }
        let restless = |resting: &&Resting| {
            resting.status.as_ref().is_some_and(|status| status.unacknowledged > 0)
                && resting.waiting.iter().any(|waiting| {
                    matches!(waiting, replica::Waiting::Acknowledgement { peer, .. }
                        if !truth.node(*peer).gone)
                })
        };
        let restless: Vec<&Resting> = end.nodes.iter().filter(restless).collect();
        if restless.is_empty() {
            return Ok(());
        }
        Err(stalls("messages between healthy nodes stay unacknowledged".to_owned(), &restless))
    }
}

/// Whether a node holds a message that its running release does not have to wait for.
pub(crate) fn holds_ripe(truth: &Truth, resting: &Resting) -> bool {
    let Some(run) = resting.status.as_ref().and_then(|status| status.run.as_ref()) else {
        return false;
    };
    truth.node(resting.node).held.iter().any(|held| {
        let stream = truth.book.find(&held.id, true);
        let stamp = stream.map(|stream| truth.book.past(stream, held.id.sequence).stamp);
        let sender = stamp.and_then(|stamp| truth.stamped(stamp));
        sender.is_some_and(|sender| wins(sender.id(), run).is_le())
    })
}

#[cfg(test)]
mod tests {
    use contract::Time;

    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_message_that_stays_held_although_its_release_runs_breaks() {
        let finish = |run: usize| {
            let mut truth = truth();
            let id = message(2, 0, 1);
            let told = [(2, sent(&truth, id, TWO)), (0, held(&truth, id, TWO, 1))];
            story(&mut truth, &mut HoldDrained, &told).unwrap();
            let run = Some(super::super::testing::id(&truth, run));
            let nodes = vec![resting(0, run.clone(), run)];
            HoldDrained.finish(&truth, &End { at: Time::ZERO, at_rest: true, nodes })
        };
        assert_eq!(finish(ONE_FOUR), Ok(()));
        assert!(finish(TWO).unwrap_err().text.contains("could be delivered"));
    }
}
