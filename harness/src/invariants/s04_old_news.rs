//! S4: old news changes nothing.

use replica::Notice;
use upgrade::release::ReleaseId;

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth, wins};

/// Merging a release that is no news switches nothing: neither again to what runs, nor back.
#[derive(Default)]
pub(super) struct OldNewsChangesNothing;

impl Invariant for OldNewsChangesNothing {
    fn name(&self) -> &'static str {
        "S4"
    }

    fn claim(&self) -> &'static str {
        "merging a release that a node runs already, or an older one, switches nothing"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[Kind::Staged, Kind::Prepared, Kind::Committed])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let (release, does): (&ReleaseId, _) = match seen {
            Observation::Notice(Notice::Staged { release, .. }) => (release, "stages"),
            Observation::Notice(Notice::Prepared { release, .. }) => (release, "prepares"),
            Observation::Notice(Notice::Committed { release, .. }) => (&release.id, "commits"),
            _ => return Ok(()),
        };
        match &truth.node(moment.node).run {
            Some(run) if wins(release, &run.id).is_le() => {
                let text = format!("{} runs {} and {does} {release}", moment.node, run.id);
                Err(Broken::at(moment.node, text))
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
    fn a_release_that_is_installed_again_breaks() {
        check::<OldNewsChangesNothing>(
            |truth| {
                let prepared = Notice::Prepared { release: id(truth, TWO), image: 0 };
                vec![(0, merged(truth, ONE_FOUR, ONE_FOUR, ONE_FOUR)), (0, prepared)]
            },
            |truth| {
                let again = Notice::Prepared { release: id(truth, ONE_FOUR), image: 0 };
                vec![(0, merged(truth, ONE_FOUR, ONE_FOUR, ONE_FOUR)), (0, again)]
            },
            "runs 1.4.0",
        );
    }
}
