//! S6: the gate. The running code sees messages of its class alone, or converted to it.

use contract::NodeId;
use replica::Notice;
use upgrade::{gate::HoldReason, release::Stamp};

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Published, Truth, wins};

/// A versioned message reaches the app only if it is of the running class and of a type that the
/// running version has, or was converted all the way to it; never one of a newer class. And one that
/// may reach it does not wait, unless an earlier one of its stream does.
#[derive(Default)]
pub(super) struct GateHolds;

impl Invariant for GateHolds {
    fn name(&self) -> &'static str {
        "S6"
    }

    fn claim(&self) -> &'static str {
        "running code sees messages of its own API class alone, or converted all the way to it"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[Kind::Delivered, Kind::Held])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let (id, stamp, body, converted) = match seen {
            Observation::Notice(Notice::Delivered { id, stamp, sent, converted, .. }) => {
                (id, stamp, converted.body(sent), converted.edges())
            }
            Observation::Notice(Notice::Held { id, tag, stamp: Some(stamp), reason, .. })
                if *reason != HoldReason::BehindHeld =>
            {
                return hold(truth, moment, id.from, *tag, stamp);
            }
            _ => return Ok(()),
        };
        let (node, from) = (moment.node, id.from);
        let Some(running) = truth.running(node) else {
            return Err(Broken::at(
                node,
                format!("{node} runs nothing and took a message of {from}"),
            ));
        };
        let Some(stamp) = stamp else { return Ok(()) };
        let broken = |what: String| {
            let text = format!("{node} runs {} and took a message of {from} {what}", running.id());
            Err(Broken::between(node, from, text))
        };
        let Some(sender) = truth.stamped(truth.stamp(Some(stamp))) else {
            return broken(format!("with the stamp of {stamp}, which nobody published"));
        };
        if sender.envelope.class == running.envelope.class {
            match running.manifest().message(body.tag) {
                None => broken(format!("of type #{}, which it does not have", body.tag)),
                Some(kind) if !running.understands(kind.since) => {
                    broken(format!("of type {}, which came later", kind.name))
                }
                Some(_) => Ok(()),
            }
        } else if wins(sender.id(), running.id()).is_gt() {
            broken(format!("of {}, which is of a newer class", sender.id()))
        } else if !is_converted(running, sender, converted) {
            broken(format!("of {}, not converted to its class", sender.id()))
        } else {
            Ok(())
        }
    }
}

/// A message waits although nothing of its stream waits before it.
fn hold(
    truth: &Truth,
    moment: &Moment,
    from: NodeId,
    tag: u32,
    stamp: &Stamp,
) -> Result<(), Broken> {
    let node = moment.node;
    let (Some(running), Some(sender)) =
        (truth.running(node), truth.stamped(truth.stamp(Some(stamp))))
    else {
        return Ok(());
    };
    let same = sender.envelope.class == running.envelope.class;
    let kind = running.manifest().message(tag);
    let understood = same && kind.is_some_and(|kind| running.understands(kind.since));
    let older = !same && wins(sender.id(), running.id()).is_lt();
    if !understood && !older {
        return Ok(());
    }
    let text = format!(
        "{node} runs {} and makes a message of {from} of {} wait, which it understands",
        running.id(),
        sender.id()
    );
    Err(Broken::between(node, from, text))
}

fn is_converted(running: &Published, sender: &Published, edges: &[u32]) -> bool {
    running.leads_here(&sender.envelope.class, edges)
}

#[cfg(test)]
mod tests {
    use replica::notice::Conversion;

    use super::super::testing::*;
    use super::*;

    fn converted(truth: &Truth, edges: &[u32]) -> Notice {
        let mut notice = delivered(truth, message(0, 2, 1), ONE_FOUR);
        if let Notice::Delivered { sent, converted, .. } = &mut notice {
            *converted = Conversion::new(edges.iter().copied(), sent.clone());
        }
        notice
    }

    #[test]
    fn a_message_of_a_newer_class_breaks() {
        check::<GateHolds>(
            |truth| vec![(1, delivered(truth, message(0, 1, 1), ONE_FOUR))],
            |truth| vec![(1, delivered(truth, message(2, 1, 1), TWO))],
            "of a newer class",
        );
    }

    #[test]
    fn a_message_of_an_older_class_that_comes_raw_breaks() {
        check::<GateHolds>(
            |truth| vec![(2, converted(truth, &[0]))],
            |truth| vec![(2, converted(truth, &[]))],
            "not converted",
        );
        check::<GateHolds>(|_| vec![], |truth| vec![(2, converted(truth, &[9]))], "not converted");
    }

    #[test]
    fn a_message_that_waits_although_it_is_understood_breaks() {
        check::<GateHolds>(
            |truth| vec![(1, held(truth, message(2, 1, 1), TWO, 1))],
            |truth| {
                vec![
                    (1, started(truth, Some(ONE), &[])),
                    (1, held(truth, message(0, 1, 1), ONE_FOUR, 1)),
                ]
            },
            "which it understands",
        );
    }

    #[test]
    fn a_type_that_came_later_breaks() {
        let newer = |truth: &Truth| {
            let mut notice = delivered(truth, message(1, 0, 1), ONE_FOUR);
            if let Notice::Delivered { sent, .. } = &mut notice {
                sent.tag = 3;
            }
            notice
        };
        check::<GateHolds>(
            |truth| vec![(0, newer(truth))],
            |truth| vec![(0, started(truth, Some(ONE), &[])), (0, newer(truth))],
            "does not have",
        );
    }
}
