//! L4: the fleet serves while it upgrades.

use replica::Notice;

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth};

/// No switch keeps a node from its messages for longer than the scenario allows, and at every instant
/// of the safety phase the share of nodes that it asks for is up and runs something.
#[derive(Default)]
pub(super) struct ServesMeanwhile {
    /// By node: whether it is in the fleet, and whether it serves.
    nodes: Vec<(bool, bool)>,
    /// The share was there once: the fleet has begun.
    began: bool,
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
            Kind::Committed,
            Kind::Started,
            Kind::Crashed,
            Kind::Joined,
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
        if let Observation::Notice(Notice::Committed { release, pause, .. }) = seen
            && let Some(max) = truth.bounds.pause_max
            && *pause > max
        {
            let text = format!("{node} paused for {pause} to switch to {}", release.id);
            return Err(Broken::at(node, text));
        }
        let Some(share) = truth.bounds.serving_ppm else { return Ok(()) };
        if self.nodes.len() < truth.nodes.len() {
            self.nodes.resize(truth.nodes.len(), (false, false));
        }
        let (joined, serves) = &mut self.nodes[node.0 as usize];
        match seen {
            Observation::Joined => *joined = true,
            Observation::Left => (*joined, *serves) = (false, false),
            Observation::Crashed { .. } | Observation::Paused => *serves = false,
            Observation::Resumed => *serves = truth.node(node).run.is_some(),
            Observation::Notice(Notice::Started { run, .. }) => *serves = run.is_some(),
            Observation::Notice(Notice::Committed { .. }) => *serves = !truth.node(node).paused,
            _ => {}
        }
        let joined = self.nodes.iter().filter(|(joined, _)| *joined).count() as u64;
        let serving = self.nodes.iter().filter(|(_, serves)| *serves).count() as u64;
        let enough = serving * 1_000_000 >= joined * u64::from(share);
        self.began |= enough && serving > 0;
        if enough || !self.began || truth.calm {
            return Ok(());
        }
        let idle = (0..).zip(&self.nodes).filter(|(_, (joined, serves))| *joined && !serves);
        let nodes = idle.map(|(node, _)| contract::NodeId(node)).collect();
        Err(Broken { nodes, text: format!("only {serving} of {joined} nodes serve") })
    }
}

#[cfg(test)]
mod tests {
    use contract::Span;

    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_switch_that_takes_too_long_breaks() {
        check::<ServesMeanwhile>(
            |truth| vec![(0, committed(truth, ONE_FOUR, TWO, b"", b""))],
            |truth| {
                let mut notice = committed(truth, ONE_FOUR, TWO, b"", b"");
                if let Notice::Committed { pause, .. } = &mut notice {
                    *pause = Span::from_secs(1);
                }
                vec![(0, notice)]
            },
            "paused for 1s",
        );
    }

    #[test]
    fn a_fleet_of_which_too_few_serve_breaks() {
        let (mut truth, mut invariant) = (truth(), ServesMeanwhile::default());
        for node in 0..3 {
            tell(&mut truth, Some(&mut invariant), node, Observation::Joined).unwrap();
        }
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
