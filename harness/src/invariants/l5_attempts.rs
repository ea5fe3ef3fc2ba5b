//! L5: however often crashes interrupt a switch, it ends.

use contract::NodeId;
use replica::Notice;
use upgrade::release::ReleaseId;

use super::{Broken, End, Invariant, Resting, stalls};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth};

/// A node begins a switch no more often than it may, counting across crashes, and in the end no switch
/// is begun and neither committed nor given up.
#[derive(Default)]
pub(super) struct SwitchesEnd {
    /// Switches begun and not ended: node, its life, release and how often.
    begun: Vec<(NodeId, u8, ReleaseId, u32)>,
}

impl Invariant for SwitchesEnd {
    fn name(&self) -> &'static str {
        "L5"
    }

    fn claim(&self) -> &'static str {
        "a switch that crashes interrupt is retried a bounded number of times, then committed or given up"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[Kind::Prepared, Kind::Committed, Kind::Quarantined])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let node = moment.node;
        match seen {
            Observation::Notice(Notice::Prepared { release, .. }) => {
                let life = truth.node(node).life;
                let same = |(at, of, id, _): &&mut (NodeId, u8, ReleaseId, u32)| {
                    *at == node && *of == life && id == release
                };
                let Some((.., times)) = self.begun.iter_mut().find(same) else {
                    self.begun.push((node, life, release.clone(), 1));
                    return Ok(());
                };
                *times += 1;
                if *times <= truth.bounds.attempts_max {
                    return Ok(());
                }
                let text = format!("{node} began to switch to {release} {times} times");
                Err(Broken::at(node, text))
            }
            Observation::Notice(Notice::Committed { .. } | Notice::Quarantined { .. }) => {
                self.begun.retain(|(at, ..)| *at != node);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn finish(&mut self, truth: &Truth, end: &End) -> Result<(), Broken> {
        let stuck: Vec<&Resting> = end
            .nodes
            .iter()
            .filter(|resting| truth.node(resting.node).prepared.is_some())
            .collect();
        if stuck.is_empty() {
            return Ok(());
        }
        Err(stalls("a switch was begun and neither committed nor given up".to_owned(), &stuck))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_switch_that_is_begun_over_and_over_breaks() {
        let begins = |truth: &Truth, times: usize| {
            let prepared = |_| (0, Notice::Prepared { release: id(truth, TWO), image: 0 });
            (0..times).map(prepared).collect()
        };
        check::<SwitchesEnd>(|truth| begins(truth, 2), |truth| begins(truth, 3), "3 times");
    }

    #[test]
    fn a_switch_that_never_ends_breaks() {
        let (mut truth, mut invariant) = (truth(), SwitchesEnd::default());
        let prepared = Notice::Prepared { release: id(&truth, TWO), image: 0 };
        story(&mut truth, &mut invariant, &[(0, prepared)]).unwrap();
        let nodes = vec![resting(0, Some(id(&truth, TWO)), Some(id(&truth, ONE_FOUR)))];
        let end = End { at: contract::Time::ZERO, at_rest: false, nodes };
        assert!(invariant.finish(&truth, &end).unwrap_err().text.contains("neither committed"));
        truth.nodes[0].prepared = None;
        assert_eq!(invariant.finish(&truth, &end), Ok(()));
    }
}
