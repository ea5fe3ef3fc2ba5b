//! S16: a switch that fails leaves the node as it was, to the bit.

use replica::Notice;

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth};

/// When a release is quarantined, state, held messages, streams and the tick hash as they did before, and
/// it does not run. Both hashes are the node's own; S24 compares the state with what its inputs give.
#[derive(Default)]
pub(super) struct FailureChangesNothing;

impl Invariant for FailureChangesNothing {
    fn name(&self) -> &'static str {
        "S16"
    }

    fn claim(&self) -> &'static str {
        "a switch that fails leaves state, held messages, streams and tick as they were, to the bit"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[Kind::Quarantined])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let Observation::Notice(Notice::Quarantined { release, reason, image_before, image }) =
            seen
        else {
            return Ok(());
        };
        let node = moment.node;
        if image != image_before {
            let text = format!("{node} gave up {release} ({reason}) and is not what it was before");
            return Err(Broken::at(node, text));
        }
        match &truth.node(node).run {
            Some(run) if run.id == *release => {
                let text = format!("{node} gave up {release} ({reason}) and runs it all the same");
                Err(Broken::at(node, text))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use upgrade::switch::Quarantine;

    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_failed_switch_that_leaves_a_trace_breaks() {
        let quarantined = |truth: &Truth, image| {
            let (release, reason) = (id(truth, TWO), Box::new(Quarantine::HashMismatch));
            vec![(0, Notice::Quarantined { release, reason, image_before: 1, image })]
        };
        check::<FailureChangesNothing>(
            |truth| quarantined(truth, 1),
            |truth| quarantined(truth, 2),
            "not what it was before",
        );
    }
}
