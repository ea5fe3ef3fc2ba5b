//! S14: the hold is bounded, and what finds it full is answered.

use replica::Notice;

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Past, Truth};

/// A node holds no more messages and bytes than it may, counted here; a message that finds the hold
/// full ends with an answer, never in silence.
#[derive(Default)]
pub(super) struct HoldIsBounded {
    /// By node: whether it ever held about as much as it may.
    full: Vec<bool>,
}

impl Invariant for HoldIsBounded {
    fn name(&self) -> &'static str {
        "S14"
    }

    fn claim(&self) -> &'static str {
        "a node holds no more messages and bytes than it may, and answers those that find no room"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[Kind::Held, Kind::Acknowledged])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        match seen {
            Observation::Notice(Notice::Held { count, bytes, .. }) => {
                self.hold(truth, moment, *count, *bytes)
            }
            Observation::Notice(Notice::Acknowledged { id }) => {
                let fate = Past::DELIVERED | Past::HELD | Past::ENDED;
                let full = self.full.get(id.to.0 as usize).copied().unwrap_or_default();
                let Some(stream) = moment.stream else { return Ok(()) };
                if !full || moment.past.any(fate) || truth.excused(stream) {
                    return Ok(());
                }
                let text = format!(
                    "{} had no room for message {} of {} and gave no answer",
                    id.to, id.sequence, id.from
                );
                Err(Broken::between(id.to, id.from, text))
            }
            _ => Ok(()),
        }
    }
}

impl HoldIsBounded {
    fn hold(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        count: u32,
        says: u64,
    ) -> Result<(), Broken> {
        let node = moment.node;
        let known = truth.node(node).held.iter().map(|held| held.bytes);
        let sizes = known.chain([moment.past.size()]).map(|bytes| bytes.map(u64::from));
        let summed: Option<u64> = sizes.sum();
        // Where a crash hid how long a message is, only the node can say what it holds.
        let bytes = summed.unwrap_or(says);
        let bounds = &truth.bounds;
        let counted = truth.node(node).held.len() as u64 + 1;
        let at = node.0 as usize;
        if at >= self.full.len() {
            self.full.resize(at + 1, false);
        }
        // Full is full enough to refuse: one more body of the largest kind may not fit.
        self.full[at] |= counted >= u64::from(bounds.held_max) || bytes * 2 > bounds.held_bytes_max;
        if counted > u64::from(bounds.held_max) {
            let text = format!("{node} holds {counted} messages, {} are allowed", bounds.held_max);
            return Err(Broken::at(node, text));
        }
        if bytes > bounds.held_bytes_max {
            let text = format!("{node} holds {bytes} bytes, {} are allowed", bounds.held_bytes_max);
            return Err(Broken::at(node, text));
        }
        if u64::from(count) != counted && !truth.node(node).lied {
            let text = format!("{node} says it holds {count} messages and holds {counted}");
            return Err(Broken::at(node, text));
        }
        if says != bytes && !truth.node(node).lied {
            let text = format!("{node} says it holds {says} bytes and holds {bytes}");
            return Err(Broken::at(node, text));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn holds(truth: &Truth, count: u32) -> Vec<(u32, Notice)> {
        (1..=count).map(|n| (1, held(truth, message(2, 1, u64::from(n)), TWO, n))).collect()
    }

    #[test]
    fn a_hold_beyond_its_bound_breaks() {
        check::<HoldIsBounded>(|truth| holds(truth, 2), |truth| holds(truth, 3), "2 are allowed");
    }

    #[test]
    fn bytes_held_are_those_that_were_sent() {
        let told = |truth: &Truth, length: usize, says: u64| {
            let id = message(2, 1, 1);
            let (mut sent, mut held) = (sent(truth, id, TWO), held(truth, id, TWO, 1));
            if let Notice::Sent { body, .. } = &mut sent {
                body.bytes = vec![0; length].into();
            }
            if let Notice::Held { bytes, .. } = &mut held {
                *bytes = says;
            }
            vec![(2, sent), (1, held)]
        };
        let good = |truth: &Truth| told(truth, 100, 100);
        check::<HoldIsBounded>(
            good,
            |truth| told(truth, 101, 1),
            "holds 101 bytes, 100 are allowed",
        );
        check::<HoldIsBounded>(good, |truth| told(truth, 100, 99), "says it holds 99 bytes");
    }

    #[test]
    fn a_full_hold_that_swallows_a_message_breaks() {
        let id = message(2, 1, 3);
        let acknowledged = || (2, Notice::Acknowledged { id });
        check::<HoldIsBounded>(
            |truth| {
                let why = replica::notice::Ended::HoldFull;
                let answer = (1, Notice::NotDelivered { id, why });
                [holds(truth, 2), vec![answer, acknowledged()]].concat()
            },
            |truth| [holds(truth, 2), vec![acknowledged()]].concat(),
            "gave no answer",
        );
    }
}
