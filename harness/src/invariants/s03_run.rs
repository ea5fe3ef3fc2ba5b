//! S3: what runs is known, and changes by commits alone.

use replica::Notice;
use upgrade::release::ReleaseId;

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth, wins};

/// A node runs no release above what it knows, and what it runs changes only when it commits a switch.
#[derive(Default)]
pub(super) struct RunIsCommitted;

impl Invariant for RunIsCommitted {
    fn name(&self) -> &'static str {
        "S3"
    }

    fn claim(&self) -> &'static str {
        "a node runs nothing above what it knows, and what it runs changes by committed switches alone"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[Kind::Started, Kind::Committed])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let node = truth.node(moment.node);
        let before = node.run.as_ref().map(|run| &run.id);
        let (run, known) = match seen {
            Observation::Notice(Notice::Started { run, known, .. }) => {
                (run.as_ref(), known.as_ref())
            }
            Observation::Notice(Notice::Committed { release, .. }) => {
                (Some(&release.id), node.known.as_ref())
            }
            _ => return Ok(()),
        };
        let name = |id: Option<&ReleaseId>| id.map_or("nothing".to_owned(), ReleaseId::to_string);
        let broken = |text: String| Err(Broken::at(moment.node, text));
        if run.is_some_and(|run| known.is_none_or(|known| wins(run, known).is_gt())) {
            return broken(format!("{} runs {} but knows {}", moment.node, name(run), name(known)));
        }
        match seen {
            Observation::Notice(Notice::Committed { from, .. }) if from.as_ref() != before => {
                broken(format!(
                    "{} committed a switch from {}, but it ran {}",
                    moment.node,
                    name(from.as_ref()),
                    name(before)
                ))
            }
            // A crash may fall between the record of a commit and the notice of it.
            Observation::Notice(Notice::Started { .. })
                if run != before && run != node.prepared.as_ref() && !node.lied =>
            {
                broken(format!(
                    "{} ran {} before the crash and {} after it, without a switch",
                    moment.node,
                    name(before),
                    name(run)
                ))
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
    fn a_crash_that_changes_what_runs_breaks() {
        check::<RunIsCommitted>(
            |truth| {
                let prepared = Notice::Prepared { release: id(truth, TWO), image: 0 };
                vec![(0, prepared), (0, started(truth, Some(TWO), &[]))]
            },
            |truth| vec![(0, started(truth, Some(TWO), &[]))],
            "without a switch",
        );
    }

    #[test]
    fn a_node_that_ran_nothing_comes_up_with_nothing() {
        let says = |run| {
            let mut truth = truth();
            let crashed = Observation::Crashed { amnesia: true, lied: false, hidden: false };
            tell(&mut truth, None, 0, crashed).unwrap();
            let told = [(0, started(&truth, run, &[]))];
            story(&mut truth, &mut RunIsCommitted, &told)
        };
        assert_eq!(says(None), Ok(()));
        assert!(says(Some(TWO)).unwrap_err().contains("ran nothing before the crash"));
    }

    #[test]
    fn a_commit_of_a_release_that_the_node_does_not_know_breaks() {
        check::<RunIsCommitted>(
            |truth| {
                let merged = merged(truth, TWO, ONE_FOUR, TWO);
                vec![(0, merged), (0, committed(truth, ONE_FOUR, TWO, b"", b""))]
            },
            |truth| vec![(0, committed(truth, ONE_FOUR, TWO, b"", b""))],
            "but knows 1.4.0",
        );
    }

    #[test]
    fn a_commit_from_what_did_not_run_breaks() {
        check::<RunIsCommitted>(
            |_| vec![],
            |truth| {
                let merged = merged(truth, TWO, ONE_FOUR, TWO);
                vec![(0, merged), (0, committed(truth, ONE, TWO, b"", b""))]
            },
            "but it ran 1.4.0",
        );
    }
}
