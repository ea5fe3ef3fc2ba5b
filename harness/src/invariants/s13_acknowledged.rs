//! S13: what was acknowledged is delivered, durably held, or ended with an answer.

use contract::{NodeId, Span};
use replica::{MessageId, Notice, notice::Remembered};

use super::{Broken, Invariant};
use crate::observation::{HeldMessage, Kind, Kinds, Moment, Observation, Past, Truth, wins};

/// An acknowledgement is a promise that a crash does not break: the message reached the app, waits on
/// disk, or its sender will hear that it ended.
#[derive(Default)]
pub(super) struct AcknowledgedIsKept;

impl Invariant for AcknowledgedIsKept {
    fn name(&self) -> &'static str {
        "S13"
    }

    fn claim(&self) -> &'static str {
        "an acknowledged message was delivered, waits on disk, or ended with an answer; crashes included"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[Kind::Acknowledged, Kind::Started, Kind::Held])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        match seen {
            Observation::Notice(Notice::Acknowledged { id }) => acknowledge(truth, moment, id),
            Observation::Notice(Notice::Started { messages, run, .. }) => {
                let Remembered { held, received, .. } = &**messages;
                let node = truth.node(moment.node);
                taken_in_silence(truth, moment.node, held, received)?;
                let run = run.as_ref();
                let lost = |message: &&HeldMessage| {
                    !held.contains(&message.id) && !may_have_left(truth, moment, message, run)
                };
                match node.held.iter().find(lost) {
                    Some(message) if !node.lied => Err(vanished(moment.node, &message.id)),
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}

fn acknowledge(truth: &Truth, moment: &Moment, id: &MessageId) -> Result<(), Broken> {
    let Some(stream) = moment.stream else { return Ok(()) };
    let kept = moment.past.any(Past::DELIVERED | Past::HELD | Past::ENDED);
    if kept || truth.excused(stream) {
        return Ok(());
    }
    let text = format!(
        "{} acknowledged message {} of {}, which was neither delivered nor held nor ended",
        id.to, id.sequence, id.from
    );
    Err(Broken::between(id.to, id.from, text))
}

/// A node that starts took no message before it went down but those it told of, and those that the
/// crash may have hidden.
fn taken_in_silence(
    truth: &Truth,
    node: NodeId,
    held: &[MessageId],
    received: &[MessageId],
) -> Result<(), Broken> {
    if truth.node(node).hidden || truth.node(node).lied {
        return Ok(());
    }
    for last in received.iter().filter(|last| !truth.node(last.from).lied) {
        let told = |sequence: &u64| held.contains(&MessageId { sequence: *sequence, ..*last });
        if let Some(sequence) = truth.untold(last).find(|sequence| !told(sequence)) {
            let text = format!(
                "{node} says that it took message {sequence} of {}, and nothing became of it",
                last.from
            );
            return Err(Broken::between(node, last.from, text));
        }
    }
    Ok(())
}

/// Whether a held message that a crash left no trace of may have been delivered or have expired in
/// the last record before the crash.
fn may_have_left(
    truth: &Truth,
    moment: &Moment,
    message: &HeldMessage,
    run: Option<&upgrade::release::ReleaseId>,
) -> bool {
    let Some(stream) = truth.book.find(&message.id, true) else { return true };
    let past = truth.book.past(stream, message.id.sequence);
    if past.life != truth.node(moment.node).life {
        return true;
    }
    let hidden = truth.node(moment.node).hidden;
    let ripe = match (truth.stamped(past.stamp), run) {
        (Some(sender), Some(run)) => wins(sender.id(), run).is_le(),
        _ => true,
    };
    let expiring = moment.at.since(message.at) >= half(truth.bounds.held_ttl);
    // Before it was acknowledged its sender sends it again.
    (hidden && (ripe || expiring)) || !past.any(Past::ACKNOWLEDGED) && !message.durable
}

/// Clocks may drift, so a message may expire early by the world's clock.
fn half(ttl: Span) -> Span {
    Span::from_nanos(ttl.as_nanos() / 2)
}

fn vanished(node: NodeId, id: &MessageId) -> Broken {
    let text = format!(
        "{node} held message {} of {} and holds it no more after a crash",
        id.sequence, id.from
    );
    Broken::between(node, id.from, text)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn an_acknowledgement_of_what_never_arrived_breaks() {
        let id = message(0, 1, 1);
        let acknowledged = || (0, Notice::Acknowledged { id });
        check::<AcknowledgedIsKept>(
            |truth| {
                let arrives = delivered(truth, id, ONE_FOUR);
                vec![(0, sent(truth, id, ONE_FOUR)), (1, arrives), acknowledged()]
            },
            |truth| vec![(0, sent(truth, id, ONE_FOUR)), acknowledged()],
            "neither delivered nor held nor ended",
        );
    }

    #[test]
    fn a_message_taken_without_a_trace_breaks() {
        let id = message(0, 1, 1);
        let starts = |truth: &Truth| {
            let mut notice = started(truth, Some(ONE_FOUR), &[]);
            if let Notice::Started { messages, .. } = &mut notice {
                messages.received = vec![id];
            }
            (1, notice)
        };
        check::<AcknowledgedIsKept>(
            |truth| {
                let arrives = delivered(truth, id, ONE_FOUR);
                vec![(0, sent(truth, id, ONE_FOUR)), (1, arrives), starts(truth)]
            },
            |truth| vec![(0, sent(truth, id, ONE_FOUR)), starts(truth)],
            "nothing became of it",
        );
    }

    #[test]
    fn a_held_message_that_a_crash_takes_along_breaks() {
        let id = message(2, 1, 1);
        let before = |truth: &Truth| vec![(2, sent(truth, id, TWO)), (1, held(truth, id, TWO, 1))];
        check::<AcknowledgedIsKept>(
            |truth| [before(truth), vec![(1, started(truth, Some(ONE_FOUR), &[id]))]].concat(),
            |truth| [before(truth), vec![(1, started(truth, Some(ONE_FOUR), &[]))]].concat(),
            "holds it no more after a crash",
        );
    }
}
