//! C5: in the end every operation is delivered at every member.

use std::collections::BTreeSet;

use app::Guarantee;
use causal::{Clock, Origin};
use contract::NodeId;
use replica::Notice;

use super::{Broken, End, Invariant, Resting, operations::Places, stalls};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth};

/// Within the bound every node of the core has delivered every operation that some node of the core has
/// delivered, where its release has operations. Who was retired and has not joined again is excused, and so
/// is a node that gave up a release, which may have issued some.
#[derive(Default)]
pub(super) struct DeliveredEverywhere {
    places: Places,
    retired: BTreeSet<Origin>,
    /// Nodes that were retired and have not joined since.
    out: BTreeSet<NodeId>,
}

impl Invariant for DeliveredEverywhere {
    fn name(&self) -> &'static str {
        "C5"
    }

    fn claim(&self) -> &'static str {
        "once the network is well, every operation is delivered at every member"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[
            Kind::CausallyDelivered,
            Kind::BecameMember,
            Kind::Retired,
            Kind::Resynced,
            Kind::Crashed,
        ])
    }

    fn observe(
        &mut self,
        _: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let node = moment.node;
        match seen {
            Observation::Crashed { .. } => self.places.crash(moment, seen),
            Observation::Notice(Notice::CausallyDelivered(told)) => {
                self.places.of(node).deliver(told.stamp, &told.past);
            }
            Observation::Notice(Notice::BecameMember(joined)) => {
                self.places.join(node, &joined.delivered);
                self.out.remove(&node);
            }
            Observation::Notice(Notice::Retired { origin } | Notice::Resynced { origin, .. })
                if self.retired.insert(*origin) =>
            {
                self.out.insert(origin.node);
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, truth: &Truth, end: &End) -> Result<(), Broken> {
        let members: Vec<&Resting> =
            end.nodes.iter().filter(|resting| self.is_member(truth, resting)).collect();
        let mut all = Clock::new();
        for resting in &members {
            all.merge(&self.places.of(resting.node).clock);
        }
        let behind: Vec<&Resting> = members
            .into_iter()
            .filter(|resting| {
                let place = self.places.of(resting.node);
                !place.unsure && place.clock != all
            })
            .collect();
        match behind.first() {
            None => Ok(()),
            Some(first) => {
                let clock = &self.places.of(first.node).clock;
                let missing = all.beyond(clock).next();
                let missing = missing.map_or_else(String::new, |dot| format!(" up to {dot}"));
                let what =
                    format!("{} lacks operations{missing}, which others delivered", first.node);
                Err(stalls(what, &behind))
            }
        }
    }
}

impl DeliveredEverywhere {
    fn is_member(&self, truth: &Truth, resting: &Resting) -> bool {
        let causal = truth.running(resting.node).is_some_and(|release| {
            let kinds = &release.manifest().messages;
            kinds.iter().any(|kind| kind.guarantee == Guarantee::Causal)
        });
        let gave_up = !truth.node(resting.node).quarantined.is_empty();
        causal && !gave_up && !self.out.contains(&resting.node) && !truth.node(resting.node).lied
    }
}

#[cfg(test)]
mod tests {
    use causal::Dot;
    use contract::Time;

    use super::{
        super::{
            operations::testing::{body_of, operation, registers},
            testing::*,
        },
        *,
    };

    #[test]
    fn an_operation_that_some_node_never_gets_breaks() {
        let finish = |receivers: &[u32]| {
            let (mut truth, _) = registers(None);
            let told = operation(&truth, Dot::new(0, 1), &[], body_of(&truth, "add", 1));
            let notices: Vec<_> = receivers.iter().map(|node| (*node, told.delivered())).collect();
            let mut invariant = DeliveredEverywhere::default();
            story(&mut truth, &mut invariant, &notices).unwrap();
            let run = || Some(id(&truth, ONE_FOUR));
            let nodes = vec![resting(0, run(), run()), resting(1, run(), run())];
            invariant.finish(&truth, &End { at: Time::ZERO, at_rest: true, nodes })
        };
        assert_eq!(finish(&[0, 1]), Ok(()));
        let broken = finish(&[0]).unwrap_err();
        assert!(broken.text.starts_with("n1 lacks operations up to 0.1"), "{}", broken.text);
    }
}
