//! S9: exactly once, at most once, and nothing that was not sent.

use contract::NodeId;
use replica::{MessageId, Notice};

use super::{Broken, End, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Past, Truth, body_hash};

/// An exactly-once message is delivered once, or ends once and its sender is told; an at-most-once
/// message is delivered at most once; nothing is delivered that was not sent, or not as it was sent.
///
/// A receiver that lost its disk counts anew. A crash may hide that a message was sent.
#[derive(Default)]
pub(super) struct OnceAsSent;

impl Invariant for OnceAsSent {
    fn name(&self) -> &'static str {
        "S9"
    }

    fn claim(&self) -> &'static str {
        "each message arrives as often as promised, as it was sent, or its sender is told that it ended"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[Kind::Sent, Kind::Delivered, Kind::Held, Kind::NotDelivered, Kind::Nacked])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let Some(stream) = moment.stream else { return Ok(()) };
        let Observation::Notice(notice) = seen else { return Ok(()) };
        let past = moment.past;
        let told = match notice {
            Notice::Sent { .. } if past.any(Past::SENT) && !past.any(Past::HIDDEN) => {
                Err("was sent under the number of another")
            }
            Notice::Delivered { id, sent, .. } => {
                arrive(truth, moment, (stream, id.sequence), "delivered").and_then(|()| {
                    if past.body != 0 && past.body != body_hash(sent) {
                        Err("arrived as something else than was sent")
                    } else {
                        Ok(())
                    }
                })
            }
            Notice::Held { id, .. } => arrive(truth, moment, (stream, id.sequence), "held"),
            Notice::NotDelivered { id, .. } => {
                arrive(truth, moment, (stream, id.sequence), "ended")
            }
            Notice::Nacked { id, .. } => told(truth, id, past),
            _ => Ok(()),
        };
        match (told, subject(notice)) {
            (Err(what), Some(id)) if !truth.excused(stream) => Err(broken(id, what)),
            _ => Ok(()),
        }
    }

    fn finish(&mut self, truth: &Truth, end: &End) -> Result<(), Broken> {
        if !end.at_rest {
            return Ok(());
        }
        let here = |node: NodeId| end.nodes.iter().any(|resting| resting.node == node);
        for (number, stream) in truth.book.streams().iter().enumerate() {
            let kept = stream.exactly_once && here(stream.from) && here(stream.to);
            // A node that lost its disk gives up its messages, and those it had promised to keep.
            let kept = kept && truth.node(stream.from).life == 0 && truth.node(stream.to).life == 0;
            if !kept || truth.excused(number as u32) {
                continue;
            }
            let fates = Past::DELIVERED
                | Past::HELD
                | Past::ENDED
                | Past::NACKED
                | Past::ACKNOWLEDGED
                | Past::HIDDEN;
            let vanished = |past: &Past| past.any(Past::SENT) && !past.any(fates);
            if let Some(at) = stream.messages.iter().position(vanished) {
                let sequence = at as u64 + 1;
                let (from, to, incarnation) = (stream.from, stream.to, stream.incarnation);
                let id = MessageId { from, incarnation, to, sequence };
                return Err(broken(
                    &id,
                    "vanished: neither delivered nor ended, and nobody waits for it",
                ));
            }
        }
        Ok(())
    }
}

/// Whether a message may arrive now, be it to the app, to wait, or to end.
fn arrive(
    truth: &Truth,
    moment: &Moment,
    (stream, sequence): (u32, u64),
    how: &'static str,
) -> Result<(), &'static str> {
    let past = moment.past;
    if !past.any(Past::SENT) && !truth.may_hide_sent(stream, sequence) {
        return Err("arrived but was never sent");
    }
    if past.life != truth.node(moment.node).life {
        return Ok(());
    }
    match (how, past) {
        ("delivered", past) if past.any(Past::DELIVERED) => Err("was delivered again"),
        ("held", past) if past.any(Past::DELIVERED) => Err("was held after it was delivered"),
        ("held", past) if past.any(Past::HELD) => Err("was held a second time"),
        ("ended", past) if past.any(Past::DELIVERED) => Err("ended after it was delivered"),
        ("ended", past) if past.any(Past::ENDED) => Err("ended twice"),
        (_, past) if past.any(Past::ENDED) => Err("arrived after it had ended"),
        _ => Ok(()),
    }
}

/// Whether a sender may hear now that its message ended.
fn told(truth: &Truth, id: &MessageId, past: Past) -> Result<(), &'static str> {
    if truth.node(id.to).life > 0 || truth.node(id.from).life > 0 {
        // A receiver that lost its disk may take a message another way the second time, and a sender
        // that did hears what it had heard.
        return Ok(());
    }
    if past.any(Past::NACKED) {
        Err("was reported as ended twice")
    } else if past.any(Past::DELIVERED) && !past.any(Past::HIDDEN) {
        Err("was reported as ended although it was delivered")
    } else if !past.any(Past::ENDED | Past::HIDDEN) {
        Err("was reported as ended although it did not end")
    } else {
        Ok(())
    }
}

fn broken(id: &MessageId, what: &str) -> Broken {
    let text = format!("message {} from {} to {} {what}", id.sequence, id.from, id.to);
    Broken::between(id.from, id.to, text)
}

fn subject(notice: &Notice) -> Option<&MessageId> {
    match notice {
        Notice::Sent { id, .. }
        | Notice::Delivered { id, .. }
        | Notice::Held { id, .. }
        | Notice::NotDelivered { id, .. }
        | Notice::Nacked { id, .. } => Some(id),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use replica::notice::Ended;

    use super::super::{Shared, testing::*};
    use super::*;

    fn once(truth: &Truth) -> Vec<(u32, Notice)> {
        let id = message(0, 1, 1);
        vec![(0, sent(truth, id, ONE_FOUR)), (1, delivered(truth, id, ONE_FOUR))]
    }

    fn after_once(more: impl Fn(&Truth) -> (u32, Notice), says: &str) {
        check::<OnceAsSent>(
            once,
            |truth| {
                let mut told = once(truth);
                told.push(more(truth));
                told
            },
            says,
        );
    }

    #[test]
    fn a_second_delivery_breaks() {
        after_once(|truth| (1, delivered(truth, message(0, 1, 1), ONE_FOUR)), "delivered again");
    }

    #[test]
    fn a_delivery_of_what_nobody_sent_breaks() {
        after_once(|truth| (1, delivered(truth, message(0, 1, 9), ONE_FOUR)), "never sent");
        after_once(|truth| (1, delivered(truth, message(0, 1, u64::MAX), ONE_FOUR)), "never sent");
    }

    #[test]
    fn a_crash_hides_one_input_of_a_stream_that_began_before_it() {
        let arrives = |crashed_after: u64, incarnation: u64, sequence: u64| {
            let mut truth = truth();
            for began in 1..=2 {
                let mut notice = started(&truth, Some(ONE_FOUR), &[]);
                if let Notice::Started { incarnation, .. } = &mut notice {
                    *incarnation = began;
                }
                tell(&mut truth, None, 0, Observation::Notice(&notice)).unwrap();
                if began == crashed_after {
                    let crashed =
                        Observation::Crashed { amnesia: false, lied: false, hidden: true };
                    tell(&mut truth, None, 0, crashed).unwrap();
                }
            }
            let id = replica::MessageId { incarnation, ..message(0, 1, sequence) };
            let told = [(1, delivered(&truth, id, ONE_FOUR))];
            story(&mut truth, &mut OnceAsSent, &told)
        };
        assert_eq!(arrives(1, 1, 1), Ok(()), "the stream began before the crash");
        assert_eq!(arrives(2, 2, 256), Ok(()), "the last that one input sends");
        for (crashed_after, incarnation, sequence) in [(1, 2, 1), (2, 2, 257), (0, 1, 1)] {
            let broken = arrives(crashed_after, incarnation, sequence).unwrap_err();
            assert!(broken.contains("never sent"), "{broken}");
        }
    }

    #[test]
    fn an_end_after_the_delivery_breaks() {
        let why = || Ended::HoldFull;
        after_once(
            |_| (1, Notice::NotDelivered { id: message(0, 1, 1), why: why() }),
            "ended after it was delivered",
        );
        after_once(
            |_| (0, Notice::Nacked { id: message(0, 1, 1), why: why() }),
            "it was delivered",
        );
    }

    #[test]
    fn a_body_that_changed_on_the_way_breaks() {
        check::<OnceAsSent>(
            once,
            |truth| {
                let mut told = once(truth);
                if let Notice::Delivered { sent, .. } = &mut told[1].1 {
                    *sent = body(2);
                }
                told
            },
            "something else",
        );
    }

    #[test]
    fn a_message_that_vanishes_breaks_at_the_end() {
        let finish = |held: bool| {
            let (mut truth, mut invariant) = (truth(), OnceAsSent);
            let mut told = vec![(0, sent(&truth, message(0, 1, 1), ONE_FOUR))];
            if held {
                told.push((1, super::super::testing::held(&truth, message(0, 1, 1), TWO, 1)));
            }
            story(&mut truth, &mut invariant, &told).unwrap();
            let resting = |node| super::super::Resting {
                node,
                status: None,
                waiting: vec![],
                shared: Shared::Nothing,
            };
            let nodes = vec![resting(NodeId(0)), resting(NodeId(1))];
            let end = End { at: contract::Time::ZERO, at_rest: true, nodes };
            invariant.finish(&truth, &end)
        };
        assert_eq!(finish(true), Ok(()));
        assert!(finish(false).unwrap_err().text.contains("vanished"));
    }
}
