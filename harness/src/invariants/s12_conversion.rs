//! S12: conversions are exactly the path from the sender's release to the running one, each edge once.

use std::collections::VecDeque;

use app::Body;
use replica::{
    Notice,
    notice::{Conversion, Ended},
};
use upgrade::gate::RefuseReason;

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Published, Truth};

/// A message of the running class is delivered as it was sent; one of an older class is what the
/// running code's edges make of it, one after the other, each once. Computed here once more. And none
/// ends for want of a conversion that the running code has.
#[derive(Default)]
pub(super) struct ConvertedOnce {
    /// By stream: exactly-once messages on their way or held, oldest first.
    on_the_way: Vec<VecDeque<(u64, Body)>>,
}

impl Invariant for ConvertedOnce {
    fn name(&self) -> &'static str {
        "S12"
    }

    fn claim(&self) -> &'static str {
        "messages are what the path of edges from their release makes of them, and none ends for want of one"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[Kind::Sent, Kind::Delivered, Kind::NotDelivered, Kind::Operation])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let Observation::Notice(notice) = seen else { return Ok(()) };
        match notice {
            Notice::Sent { id, body, exactly_once: true, .. } => {
                self.send(moment, id.sequence, body);
                Ok(())
            }
            Notice::Delivered { id, stamp, sent, converted, .. } => {
                self.take(moment, id.sequence);
                let sender = truth.stamped(truth.stamp(stamp.as_ref()));
                compare(truth, moment, sender, sent, converted)
                    .map_err(|text| Broken::between(moment.node, id.from, text))
            }
            Notice::Operation { id, sent, converted, .. } => {
                compare(truth, moment, truth.client_of(*id), sent, converted)
                    .map_err(|text| Broken::at(moment.node, text))
            }
            Notice::NotDelivered { id, why } => {
                let Some(body) = self.take(moment, id.sequence) else { return Ok(()) };
                if !matches!(why, Ended::Faulted(_) | Ended::Refused(RefuseReason::NoAdaptor)) {
                    return Ok(());
                }
                convertible(truth, moment, &body)
                    .map_err(|text| Broken::between(moment.node, id.from, text))
            }
            _ => Ok(()),
        }
    }
}

impl ConvertedOnce {
    fn send(&mut self, moment: &Moment, sequence: u64, body: &Body) {
        let Some(stream) = moment.stream.map(|stream| stream as usize) else { return };
        if stream >= self.on_the_way.len() {
            self.on_the_way.resize_with(stream + 1, VecDeque::new);
        }
        self.on_the_way[stream].push_back((sequence, body.clone()));
    }

    /// What is taken out of a stream; it is taken in order.
    fn take(&mut self, moment: &Moment, sequence: u64) -> Option<Body> {
        let waiting = self.on_the_way.get_mut(moment.stream? as usize)?;
        while waiting.front().is_some_and(|(first, _)| *first < sequence) {
            waiting.pop_front();
        }
        let is_next = waiting.front().is_some_and(|(first, _)| *first == sequence);
        if is_next { waiting.pop_front().map(|(_, body)| body) } else { None }
    }
}

/// Whether what the app was given is what the edges make of what was sent.
fn compare(
    truth: &Truth,
    moment: &Moment,
    sender: Option<&Published>,
    sent: &Body,
    converted: &Conversion,
) -> Result<(), String> {
    let (body, edges) = (converted.body(sent), converted.edges());
    let Some(running) = truth.running(moment.node) else { return Ok(()) };
    let node = moment.node;
    let same = sender.is_none_or(|sender| sender.envelope.class == running.envelope.class);
    if same && !edges.is_empty() {
        return Err(format!("{node} converted what is of its own class, {}", running.id()));
    }
    if edges.is_empty() && body == sent {
        return Ok(());
    }
    if let Some(sender) = sender
        && !same
        && !running.leads_here(&sender.envelope.class, edges)
    {
        return Err(format!("{node} converted along {edges:?}, no path from {}", sender.id()));
    }
    match expected(running, sent, edges) {
        Ok(expected) if expected == *body => Ok(()),
        Ok(_) => Err(format!("{node} was given something else than edges {edges:?} make")),
        Err(text) => Err(format!("{node} was given what edges {edges:?} refuse: {text}")),
    }
}

/// Errors: a message ended although the running code has a path that converts it.
fn convertible(truth: &Truth, moment: &Moment, body: &Body) -> Result<(), String> {
    let (Some(running), Some(sender)) =
        (truth.running(moment.node), truth.stamped(moment.past.stamp))
    else {
        return Ok(());
    };
    let declared = running.manifest().edges.len() as u32;
    let from = &sender.envelope.class;
    // Edges stand oldest first, so the path is the shortest row of them that leads here.
    let Some(first) = (0..declared)
        .rev()
        .find(|first| running.leads_here(from, &(*first..declared).collect::<Vec<_>>()))
    else {
        return Ok(());
    };
    let path: Vec<u32> = (first..declared).collect();
    match expected(running, body, &path) {
        Ok(converted) if is_typed(running, &converted) => Err(format!(
            "{} ended a message of {}, which edges {path:?} convert",
            moment.node,
            sender.id()
        )),
        _ => Ok(()),
    }
}

fn is_typed(running: &Published, body: &Body) -> bool {
    let kind = running.manifest().message(body.tag);
    kind.is_some_and(|kind| kind.schema.check(&body.bytes).is_ok())
}

fn expected(running: &Published, sent: &Body, edges: &[u32]) -> Result<Body, String> {
    let mut body = sent.clone();
    for edge in edges {
        let edge = usize::try_from(*edge).map_err(|_| "no such edge".to_owned())?;
        if edge >= running.manifest().edges.len() {
            return Err("no such edge".to_owned());
        }
        body = running.program.convert(edge, &body).map_err(|fault| fault.to_string())?;
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn converted(truth: &Truth, times: usize) -> Vec<(u32, Notice)> {
        let mut notice = delivered(truth, message(0, 2, 1), ONE_FOUR);
        if let Notice::Delivered { sent, converted, .. } = &mut notice {
            let body = match times {
                0 => sent.clone(),
                _ => truth.releases[TWO].program.convert(0, sent).unwrap(),
            };
            *converted = Conversion::new([0], body);
        }
        vec![(2, notice)]
    }

    #[test]
    fn a_message_that_was_not_converted_as_said_breaks() {
        check::<ConvertedOnce>(
            |truth| converted(truth, 1),
            |truth| converted(truth, 0),
            "something else",
        );
    }

    #[test]
    fn a_message_that_ends_although_it_converts_breaks() {
        let ends = |truth: &Truth, why: Ended| {
            let id = message(0, 2, 1);
            vec![(0, sent(truth, id, ONE_FOUR)), (2, Notice::NotDelivered { id, why })]
        };
        check::<ConvertedOnce>(
            |truth| ends(truth, Ended::HoldFull),
            |truth| ends(truth, Ended::Faulted("no".to_owned())),
            "which edges [0] convert",
        );
    }

    #[test]
    fn a_message_of_the_running_class_that_was_converted_breaks() {
        check::<ConvertedOnce>(
            |_| vec![],
            |truth| {
                let mut told = converted(truth, 1);
                if let Notice::Delivered { stamp, .. } = &mut told[0].1 {
                    *stamp = Some(truth.releases[TWO].stamp.clone());
                }
                told
            },
            "its own class",
        );
    }
}
