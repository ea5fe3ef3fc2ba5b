//! S10: messages of a stream arrive in the order in which they were sent, and drain as they came.

use replica::Notice;

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth};

/// Exactly-once messages of one stream reach the app in the order in which they were sent, whether or
/// not they waited; and a node drains what it holds in the order in which it came.
///
/// Unversioned messages may overtake held ones: the promise is to versioned ones.
#[derive(Default)]
pub(super) struct InOrder {
    /// By stream: the sequence delivered last, and the receiver's life then.
    last: Vec<(u64, u8)>,
}

impl Invariant for InOrder {
    fn name(&self) -> &'static str {
        "S10"
    }

    fn claim(&self) -> &'static str {
        "a stream's versioned messages are delivered in the order sent, and held ones in the order held"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[Kind::Delivered])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let Observation::Notice(Notice::Delivered {
            id,
            exactly_once: true,
            stamp: Some(_),
            was_held,
            ..
        }) = seen
        else {
            return Ok(());
        };
        let Some(stream) = moment.stream else { return Ok(()) };
        let node = truth.node(moment.node);
        if *was_held
            && let Some(before) = node.held.iter().take_while(|held| held.id != *id).find(|held| {
                // What a later release brought may wait on while an older one drains.
                held.id != *id && may_drain(truth, moment, &held.id)
            })
        {
            let text = format!(
                "{} delivered message {} of {}, held after message {} of {}, which still waits",
                moment.node, id.sequence, id.from, before.id.sequence, before.id.from
            );
            return Err(Broken::at(moment.node, text));
        }
        let at = stream as usize;
        if at >= self.last.len() {
            self.last.resize(at + 1, (0, 0));
        }
        let (last, life) = self.last[at];
        self.last[at] = (id.sequence, node.life);
        if life == node.life && id.sequence <= last && !truth.excused(stream) {
            let text = format!(
                "message {} from {} to {} was delivered after message {last}",
                id.sequence, id.from, id.to
            );
            return Err(Broken::between(id.from, id.to, text));
        }
        Ok(())
    }
}

/// Whether a held message could have been delivered by what runs now: the same class as the message
/// that overtook it, so nothing but the order kept it back.
fn may_drain(truth: &Truth, moment: &Moment, held: &replica::MessageId) -> bool {
    let Some(running) = truth.running(moment.node) else { return false };
    let Some(stream) = truth.book.find(held, true) else { return false };
    let stamp = truth.book.past(stream, held.sequence).stamp;
    !truth.excused(stream) && truth.stamped(stamp).is_some_and(|sender| sender.id() == running.id())
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn two(truth: &Truth, first: u64, second: u64) -> Vec<(u32, Notice)> {
        let (one, two) = (message(0, 1, 1), message(0, 1, 2));
        vec![
            (0, sent(truth, one, ONE_FOUR)),
            (0, sent(truth, two, ONE_FOUR)),
            (1, delivered(truth, message(0, 1, first), ONE_FOUR)),
            (1, delivered(truth, message(0, 1, second), ONE_FOUR)),
        ]
    }

    #[test]
    fn a_message_that_overtakes_another_of_its_stream_breaks() {
        check::<InOrder>(|truth| two(truth, 1, 2), |truth| two(truth, 2, 1), "after message 2");
    }

    #[test]
    fn a_drain_out_of_order_breaks() {
        let drain = |truth: &Truth, order: [u32; 2]| {
            let one = |from| message(from, 1, 1);
            let mut told = vec![
                (0, sent(truth, one(0), TWO)),
                (2, sent(truth, one(2), TWO)),
                (1, held(truth, one(0), TWO, 1)),
                (1, held(truth, one(2), TWO, 2)),
                (1, committed(truth, ONE_FOUR, TWO, b"", b"")),
            ];
            for from in order {
                let mut notice = delivered(truth, one(from), TWO);
                if let Notice::Delivered { was_held, .. } = &mut notice {
                    *was_held = true;
                }
                told.push((1, notice));
            }
            told
        };
        check::<InOrder>(|truth| drain(truth, [0, 2]), |truth| drain(truth, [2, 0]), "still waits");
    }
}
