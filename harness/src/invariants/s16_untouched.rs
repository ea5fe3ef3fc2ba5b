//! S16: a switch that fails leaves the node as it was, to the bit.

use std::collections::BTreeSet;

use replica::{Notice, notice::MessageId};

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth};

/// When a release is quarantined, state, held messages, streams and the tick hash as they did before, and
/// it does not run. Both hashes are the node's own; but which messages it holds is compared with what it
/// showed to come and go, and S24 compares the state with what its inputs give.
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
        let Observation::Notice(quarantined) = seen else { return Ok(()) };
        let Notice::Quarantined { release, reason, image_before, image, left } = quarantined else {
            return Ok(());
        };
        let node = moment.node;
        if image != image_before {
            let text = format!("{node} gave up {release} ({reason}) and is not what it was before");
            return Err(Broken::at(node, text));
        }
        let known = truth.node(node);
        let held: BTreeSet<MessageId> = known.held.iter().map(|held| held.id).collect();
        if !known.lied && held != left.held.iter().copied().collect() {
            let (now, before) = (left.held.len(), held.len());
            let text = format!(
                "{node} gave up {release} ({reason}) and holds {now} messages, not the {before} that \
                 came to wait"
            );
            return Err(Broken::at(node, text));
        }
        match &known.run {
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
    use replica::notice::Left;

    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_failed_switch_that_leaves_a_trace_breaks() {
        let failed = |truth: &Truth, wrong| {
            let mut notice = quarantined(truth, TWO, Left::default());
            if let Notice::Quarantined { image, .. } = &mut notice {
                *image ^= wrong;
            }
            vec![(0, notice)]
        };
        check::<FailureChangesNothing>(
            |truth| failed(truth, 0),
            |truth| failed(truth, 1),
            "not what it was before",
        );
    }

    #[test]
    fn a_failed_switch_that_loses_what_waits_breaks() {
        let failed = |truth: &Truth, kept: usize| {
            let (first, second) = (message(2, 0, 1), message(2, 0, 2));
            let left = Left { state: None, held: vec![second, first][2 - kept..].to_vec() };
            vec![
                (0, held(truth, first, TWO, 1)),
                (0, held(truth, second, TWO, 2)),
                (0, quarantined(truth, TWO, left)),
            ]
        };
        check::<FailureChangesNothing>(
            |truth| failed(truth, 2),
            |truth| failed(truth, 1),
            "holds 1 messages, not the 2 that came to wait",
        );
    }
}
