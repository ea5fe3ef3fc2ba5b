//! S26: a message carries the release whose code produced it.

use replica::Notice;

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth, book::STRANGE};

/// What a node sends carries the release that it runs, and arrives with the stamp it was sent with:
/// retransmissions keep theirs. Types listed as unversioned carry none.
#[derive(Default)]
pub(super) struct StampedByProducer;

impl Invariant for StampedByProducer {
    fn name(&self) -> &'static str {
        "S26"
    }

    fn claim(&self) -> &'static str {
        "a message carries the release whose committed code produced it, from sending to delivery"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[Kind::Sent, Kind::Delivered])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        match seen {
            Observation::Notice(Notice::Sent { id, body, stamp, .. }) => {
                let Some(running) = truth.running(moment.node) else {
                    let text = format!("{} runs nothing and sent a message", moment.node);
                    return Err(Broken::at(moment.node, text));
                };
                let kind = running.manifest().message(body.tag);
                let versioned = kind.is_none_or(|kind| kind.versioned);
                let right = match stamp {
                    Some(stamp) => versioned && *stamp == running.stamp,
                    None => !versioned,
                };
                if right {
                    return Ok(());
                }
                let carried = stamp.as_ref().map_or("no release".to_owned(), ToString::to_string);
                let text = format!(
                    "{} runs {} and sent message {} to {} with {carried}",
                    moment.node,
                    running.id(),
                    id.sequence,
                    id.to
                );
                Err(Broken::at(moment.node, text))
            }
            Observation::Notice(Notice::Delivered { id, stamp, .. }) => {
                let sent = moment.past.stamp;
                // A body of 0: only its number is known, not what it carried.
                if moment.past.body == 0
                    || sent == STRANGE
                    || sent == truth.stamp(stamp.as_ref())
                    || moment.stream.is_some_and(|stream| truth.excused(stream))
                {
                    return Ok(());
                }
                let text = format!(
                    "message {} from {} to {} arrived with another release than it was sent with",
                    id.sequence, id.from, id.to
                );
                Err(Broken::between(id.from, id.to, text))
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
    fn a_message_with_the_release_before_breaks() {
        check::<StampedByProducer>(
            |truth| vec![(2, sent(truth, message(2, 0, 1), TWO))],
            |truth| vec![(2, sent(truth, message(2, 0, 1), ONE_FOUR))],
            "n2 runs 2.0.0",
        );
    }

    #[test]
    fn a_stamp_that_changes_on_the_way_breaks() {
        let id = message(0, 1, 1);
        check::<StampedByProducer>(
            |truth| vec![(0, sent(truth, id, ONE_FOUR)), (1, delivered(truth, id, ONE_FOUR))],
            |truth| vec![(0, sent(truth, id, ONE_FOUR)), (1, delivered(truth, id, ONE))],
            "another release",
        );
    }
}
