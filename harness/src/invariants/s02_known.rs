//! S2: what a node knows never falls.

use replica::Notice;
use upgrade::release::ReleaseId;

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth, wins};

/// The newest release a node knows never falls, crashes included. A node that loses its disk begins
/// anew, and a disk that lies excuses it.
#[derive(Default)]
pub(super) struct KnownNeverFalls;

impl Invariant for KnownNeverFalls {
    fn name(&self) -> &'static str {
        "S2"
    }

    fn claim(&self) -> &'static str {
        "the newest release a node knows never falls, crashes included"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[Kind::Started, Kind::Merged])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let known = match seen {
            Observation::Notice(Notice::Started { known, .. }) => known,
            Observation::Notice(Notice::Merged { after, .. }) => after,
            _ => return Ok(()),
        };
        let node = truth.node(moment.node);
        let fell = match (&node.known, known) {
            (Some(before), Some(now)) => wins(now, before).is_lt(),
            (Some(_), None) => true,
            (None, _) => false,
        };
        if !fell || node.lied {
            return Ok(());
        }
        let name =
            |id: &Option<ReleaseId>| id.as_ref().map_or("nothing".to_owned(), ReleaseId::to_string);
        let (before, now) = (name(&node.known), name(known));
        Err(Broken::at(moment.node, format!("{} knew {before} and now knows {now}", moment.node)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_node_that_forgets_a_release_in_a_crash_breaks() {
        check::<KnownNeverFalls>(
            |truth| {
                vec![(0, merged(truth, TWO, ONE_FOUR, TWO)), (0, started(truth, Some(TWO), &[]))]
            },
            |truth| {
                let forgets = started(truth, Some(ONE_FOUR), &[]);
                vec![(0, merged(truth, TWO, ONE_FOUR, TWO)), (0, forgets)]
            },
            "knew 2.0.0",
        );
    }

    #[test]
    fn a_node_that_lost_its_disk_may_begin_anew() {
        let mut truth = truth();
        let crash = Observation::Crashed { amnesia: true, lied: false, hidden: false };
        tell(&mut truth, None, 2, crash).unwrap();
        let anew = started(&truth, Some(ONE), &[]);
        assert_eq!(story(&mut truth, &mut KnownNeverFalls, &[(2, anew)]), Ok(()));
    }
}
