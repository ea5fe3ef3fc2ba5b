//! S5: of two codes under one version everybody takes the same one, and says so.

use contract::NodeId;
use replica::Notice;
use upgrade::release::ReleaseId;

use super::{Broken, End, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth, wins};

/// A conflict that a node met and has not reported yet.
struct Met {
    node: NodeId,
    input: u64,
    winner: ReleaseId,
    loser: ReleaseId,
}

/// A node that sees two codes under one version takes the one with the higher hash and reports it.
#[derive(Default)]
pub(super) struct OneWinner {
    met: Option<Met>,
    /// What each node reported: conflicts are few.
    reported: Vec<(NodeId, u64, ReleaseId, ReleaseId)>,
}

impl Invariant for OneWinner {
    fn name(&self) -> &'static str {
        "S5"
    }

    fn claim(&self) -> &'static str {
        "of two codes under one version every node takes the one with the higher hash, and reports it"
    }

    fn wants(&self) -> Kinds {
        // What a node says after it is late shows that a report is missing.
        Kinds::of(&[
            Kind::Merged,
            Kind::Conflict,
            Kind::Crashed,
            Kind::Staged,
            Kind::Delivered,
            Kind::Ticked,
            Kind::Committed,
        ])
    }

    fn observe(
        &mut self,
        _: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        if let Some(met) = &self.met
            && met.node == moment.node
            && met.input != moment.input
        {
            if matches!(seen, Observation::Crashed { .. }) {
                self.met = None;
            } else {
                return Err(unreported(met));
            }
        }
        match seen {
            Observation::Notice(Notice::Conflict { winner, loser }) => {
                self.report(moment, winner, loser)
            }
            Observation::Notice(Notice::Merged { incoming, before: Some(before), after }) => {
                self.merge(moment, &incoming.id, before, after.as_ref())
            }
            _ => Ok(()),
        }
    }

    fn finish(&mut self, _: &Truth, _: &End) -> Result<(), Broken> {
        self.met.as_ref().map_or(Ok(()), |met| Err(unreported(met)))
    }
}

impl OneWinner {
    fn report(
        &mut self,
        moment: &Moment,
        winner: &ReleaseId,
        loser: &ReleaseId,
    ) -> Result<(), Broken> {
        if wins(winner, loser).is_le() || !same_version(winner, loser) {
            let text = format!("{} reports that {winner} wins over {loser}", moment.node);
            return Err(Broken::at(moment.node, text));
        }
        if self.met.as_ref().is_some_and(|met| met.node == moment.node && met.loser == *loser) {
            self.met = None;
        }
        let one = (moment.node, moment.input, winner.clone(), loser.clone());
        self.reported.push(one);
        Ok(())
    }

    fn merge(
        &mut self,
        moment: &Moment,
        came: &ReleaseId,
        before: &ReleaseId,
        after: Option<&ReleaseId>,
    ) -> Result<(), Broken> {
        if came.code == before.code || !same_version(came, before) {
            return Ok(());
        }
        let (winner, loser) =
            if wins(came, before).is_gt() { (came, before) } else { (before, came) };
        if after != Some(winner) {
            let text = format!("{} saw {came} and {before} and did not take {winner}", moment.node);
            return Err(Broken::at(moment.node, text));
        }
        // Only the first meeting must be reported, by this input, before or after the merge.
        let known = self
            .reported
            .iter()
            .any(|(node, _, told, lost)| *node == moment.node && told == winner && lost == loser);
        if !known {
            let (winner, loser) = (winner.clone(), loser.clone());
            self.met = Some(Met { node: moment.node, input: moment.input, winner, loser });
        }
        Ok(())
    }
}

fn same_version(one: &ReleaseId, other: &ReleaseId) -> bool {
    one.epoch == other.epoch && one.version.cmp_precedence(&other.version).is_eq()
}

fn unreported(met: &Met) -> Broken {
    let Met { node, winner, loser, .. } = met;
    Broken::at(*node, format!("{node} met {winner} and {loser} and reported no conflict"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    /// The loser and the winner of the two codes of 2.0.0.
    fn rivals() -> (usize, usize) {
        let truth = truth();
        let first_loses = id(&truth, TWO).code.0 < id(&truth, OTHER_TWO).code.0;
        if first_loses { (TWO, OTHER_TWO) } else { (OTHER_TWO, TWO) }
    }

    #[test]
    fn the_first_code_that_stays_although_it_loses_breaks() {
        let (low, high) = rivals();
        check::<OneWinner>(
            |truth| {
                let conflict = Notice::Conflict { winner: id(truth, high), loser: id(truth, low) };
                vec![(0, merged(truth, high, low, high)), (0, conflict)]
            },
            |truth| vec![(0, merged(truth, high, low, low))],
            "did not take",
        );
    }

    #[test]
    fn a_conflict_that_nobody_reports_breaks() {
        let (low, high) = rivals();
        let (mut truth, mut invariant) = (truth(), OneWinner::default());
        let merge = merged(&truth, high, low, high);
        assert_eq!(story(&mut truth, &mut invariant, &[(0, merge)]), Ok(()));
        let end = End { at: contract::Time::ZERO, at_rest: true, nodes: Vec::new() };
        let broken = invariant.finish(&truth, &end).unwrap_err();
        assert!(broken.text.contains("reported no conflict"), "{broken:?}");
    }

    #[test]
    fn a_report_of_the_wrong_winner_breaks() {
        let (low, high) = rivals();
        check::<OneWinner>(
            |_| vec![],
            |truth| vec![(0, Notice::Conflict { winner: id(truth, low), loser: id(truth, high) })],
            "reports that",
        );
    }
}
