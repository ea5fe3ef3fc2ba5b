//! S19: whichever releases a node skips, its state comes out the same.

use contract::Time;
use replica::Notice;

use super::{Broken, Invariant};
use crate::{
    observation::{Kind, Kinds, Moment, Observation, Published, Truth},
    square::{
        Release, Way,
        chains::{of_states, stray},
    },
};

/// Every chain of edges of the releases published so far that leads from the schema before a switch to the one
/// after it makes the same of the node's state. Computed here by the honest codes.
#[derive(Default)]
pub(super) struct PathsAgree;

impl Invariant for PathsAgree {
    fn name(&self) -> &'static str {
        "S19"
    }

    fn claim(&self) -> &'static str {
        "every path of edges takes a state to the same end, whichever releases a node skips"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[Kind::Committed])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let Observation::Notice(Notice::Committed {
            from: Some(from),
            release,
            state_before: Some(state),
            ..
        }) = seen
        else {
            return Ok(());
        };
        let (Some(old), Some(new)) = (truth.release(from), truth.release(&release.id)) else {
            return Ok(());
        };
        let Some(way) = Way::new(&named(&truth.releases[old]), &named(&truth.releases[new])) else {
            return Ok(());
        };
        let out = truth.releases.iter().filter(|release| release.at != Time::NEVER);
        let mut between: Vec<Release> = out.map(named).collect();
        between.sort_by(|one, other| one.version.cmp(&other.version));
        let Some(ends) = stray(&of_states(&way, &between), state) else { return Ok(()) };
        let [one, other] = &*ends;
        let node = moment.node;
        let text = format!(
            "{node} switched from {} to {}: edges {} and edges {} take its state to different ends",
            way.from.name, way.to.name, one.chain, other.chain
        );
        Err(Broken::at(node, text))
    }
}

fn named(published: &Published) -> Release {
    Release::of(&published.envelope.id.version, &published.envelope.class, &published.program)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn an_edge_of_its_own_that_leads_elsewhere_breaks() {
        let told = |variant: Option<&str>, between: bool| {
            let mut truth = truth();
            let registry = app::native::Registry::standard();
            truth.releases[THREE].program = registry.program("counter", "3.0.0", variant).unwrap();
            if !between {
                for release in &mut truth.releases {
                    if release.id().version.major == 2 {
                        release.at = Time::NEVER;
                    }
                }
            }
            let before = blank(&truth, ONE_FOUR, 0);
            let after = blank(&truth, THREE, 0);
            let notices = [(0, committed(&truth, ONE_FOUR, THREE, &before, &after))];
            story(&mut truth, &mut PathsAgree, &notices)
        };
        assert_eq!(told(None, true), Ok(()));
        let broken = told(Some("strays"), true).unwrap_err();
        assert!(
            broken.ends_with(
                "edges 3.0.0#0 3.0.0#1 and edges 2.0.0#0 3.0.0#1 take its state to different ends"
            ),
            "{broken}"
        );
        assert_eq!(told(Some("strays"), false), Ok(()), "there is one path before 2.0.0 is out");
    }
}
