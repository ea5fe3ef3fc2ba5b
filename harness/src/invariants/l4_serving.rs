//! L4: the fleet serves while it upgrades.

use contract::{Span, Time};
use replica::Notice;

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth};

/// No switch keeps a node from its messages for longer than the scenario allows, and at every instant
/// of the safety phase the share of nodes that it asks for is up and runs something.
#[derive(Default)]
pub(super) struct ServesMeanwhile {
    /// By node: whether it ever served and did not leave, and whether it serves.
    nodes: Vec<(bool, bool)>,
    /// By node: when it began the switch it is in.
    prepared: Vec<Option<Time>>,
}

impl Invariant for ServesMeanwhile {
    fn name(&self) -> &'static str {
        "L4"
    }

    fn claim(&self) -> &'static str {
        "no switch pauses a node for longer than allowed, and the asked share of nodes always serves"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[
            Kind::Prepared,
            Kind::Committed,
            Kind::Started,
            Kind::Crashed,
            Kind::Left,
            Kind::Paused,
            Kind::Resumed,
        ])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let node = moment.node;
        self.pause(truth, moment, seen)?;
        let Some(share) = truth.bounds.serving_ppm else { return Ok(()) };
        if self.nodes.len() < truth.nodes.len() {
            self.nodes.resize(truth.nodes.len(), (false, false));
        }
        let (counts, serves) = &mut self.nodes[node.0 as usize];
        match seen {
            Observation::Left => (*counts, *serves) = (false, false),
            Observation::Crashed { .. } | Observation::Paused => *serves = false,
            Observation::Resumed => *serves = truth.node(node).run.is_some(),
            Observation::Notice(Notice::Started { run, .. }) => *serves = run.is_some(),
            Observation::Notice(Notice::Committed { .. }) => *serves = !truth.node(node).paused,
            _ => {}
        }
        // A node that only just joined is nobody's loss.
        *counts |= *serves;
        let fleet = self.nodes.iter().filter(|(counts, _)| *counts).count() as u64;
        let serving = self.nodes.iter().filter(|(_, serves)| *serves).count() as u64;
        if truth.calm || serving * 1_000_000 >= fleet * u64::from(share) {
            return Ok(());
        }
        let idle = (0..).zip(&self.nodes).filter(|(_, (counts, serves))| *counts && !serves);
        let nodes = idle.map(|(node, _)| contract::NodeId(node)).collect();
        Err(Broken { nodes, text: format!("only {serving} of {fleet} nodes serve") })
    }
}

impl ServesMeanwhile {
    /// Measures a switch by the world's clock, from its intent to its commit: inputs of a node wait for
    /// each other, so nothing is handled in between.
    fn pause(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let (node, at) = (moment.node, moment.node.0 as usize);
        if at >= self.prepared.len() {
            self.prepared.resize(at + 1, None);
        }
        let prepared = match seen {
            Observation::Notice(Notice::Prepared { .. }) => {
                self.prepared[at] = Some(moment.at);
                return Ok(());
            }
            Observation::Notice(Notice::Committed { .. }) => self.prepared[at].take(),
            _ => return Ok(()),
        };
        let pause = prepared.map_or(Span::ZERO, |prepared| moment.at.since(prepared));
        match truth.bounds.pause_max {
            Some(max) if pause > max => {
                let text = format!("{node} paused for {pause} to switch, at most {max} is allowed");
                Err(Broken::at(node, text))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {

    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_switch_that_takes_too_long_breaks() {
        let switch = |millis: u64| {
            let (mut truth, mut invariant) = (truth(), ServesMeanwhile::default());
            let prepared = Notice::Prepared { release: id(&truth, TWO), image: 0 };
            let committed = committed(&truth, ONE_FOUR, TWO, b"", b"");
            [(0, prepared), (millis, committed)].iter().try_for_each(|(millis, notice)| {
                let at = Time::ZERO + Span::from_millis(*millis);
                let seen = Observation::Notice(notice);
                tell_at(&mut truth, Some(&mut invariant), at, 1, 0, seen)
            })
        };
        assert_eq!(switch(50), Ok(()));
        assert!(switch(51).unwrap_err().contains("paused for 51ms"));
    }

    #[test]
    fn a_fleet_of_which_too_few_serve_breaks() {
        let (mut truth, mut invariant) = (truth(), ServesMeanwhile::default());
        for node in 0..3 {
            let starts = started(&truth, Some(ONE_FOUR), &[]);
            story(&mut truth, &mut invariant, &[(node, starts)]).unwrap();
        }
        let crash = Observation::Crashed { amnesia: false, lied: false, hidden: false };
        assert_eq!(tell(&mut truth, Some(&mut invariant), 0, crash), Ok(()));
        let broken = tell(&mut truth, Some(&mut invariant), 1, crash).unwrap_err();
        assert!(broken.contains("only 1 of 3"), "{broken}");
    }
}
