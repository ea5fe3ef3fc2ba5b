//! S12: conversions are exactly the path from the sender's release to the running one, each edge once.

use replica::Notice;

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Published, Truth};

/// A message of the running class is delivered as it was sent; one of an older class is what the
/// running code's edges make of it, one after the other, each once. Computed here once more.
#[derive(Default)]
pub(super) struct ConvertedOnce;

impl Invariant for ConvertedOnce {
    fn name(&self) -> &'static str {
        "S12"
    }

    fn claim(&self) -> &'static str {
        "what is delivered is what the path from the sender's release makes of it, each edge once"
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
        let Observation::Notice(Notice::Delivered { id, stamp, sent, body, converted, .. }) = seen
        else {
            return Ok(());
        };
        let Some(running) = truth.running(moment.node) else { return Ok(()) };
        let broken = |text: String| Err(Broken::between(moment.node, id.from, text));
        let sender = truth.stamped(truth.stamp(stamp.as_ref()));
        let same = sender.is_none_or(|sender| sender.envelope.class == running.envelope.class);
        if same && !converted.is_empty() {
            return broken(format!(
                "{} converted a message of {}, which is of its own class",
                moment.node, id.from
            ));
        }
        match expected(running, sent, converted) {
            Ok(expected) if expected == *body => Ok(()),
            Ok(_) => broken(format!(
                "{} was given something else than edges {converted:?} make of message {} of {}",
                moment.node, id.sequence, id.from
            )),
            Err(text) => broken(format!(
                "{} was given what cannot be: edges {converted:?} refuse message {} of {}: {text}",
                moment.node, id.sequence, id.from
            )),
        }
    }
}

fn expected(running: &Published, sent: &app::Body, edges: &[u32]) -> Result<app::Body, String> {
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
        if let Notice::Delivered { sent, body, converted, .. } = &mut notice {
            *converted = vec![0];
            *body = truth.releases[TWO].program.convert(0, sent).unwrap();
            if times == 0 {
                *body = sent.clone();
            }
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
