//! C4: operations are delivered once, as they were issued, after their causes, and at their origin at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use causal::{Clock, Dot, Operation, Stamp};
use contract::NodeId;
use replica::{Notice, message::Stamped};

use super::{
    Broken, Invariant,
    operations::{Places, is_excused},
};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth};

/// What is delivered was issued, by the node that its name says, with the same content, stamp and past; nothing
/// is delivered twice; everything that its origin had delivered before it was delivered before; and a node
/// delivers nothing between issuing an operation and delivering it itself.
#[derive(Default)]
pub(super) struct DeliveredAfterCauses {
    issued: BTreeMap<Dot, Issued>,
    places: Places,
    /// By node: issued and not yet delivered there.
    own: BTreeMap<NodeId, Dot>,
    /// Nodes of which a crash may have hidden that they issued something.
    hidden: BTreeSet<NodeId>,
}

struct Issued {
    stamp: Stamp,
    past: Clock,
    operation: Arc<Operation<Stamped>>,
}

impl Invariant for DeliveredAfterCauses {
    fn name(&self) -> &'static str {
        "C4"
    }

    fn claim(&self) -> &'static str {
        "operations are delivered once, as issued, after all that they follow, and at their origin at once"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[Kind::Broadcast, Kind::CausallyDelivered, Kind::BecameMember, Kind::Crashed])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let node = moment.node;
        let told = match seen {
            Observation::Crashed { lied, hidden, .. } => {
                self.own.remove(&node);
                if *lied || *hidden {
                    self.hidden.insert(node);
                }
                self.places.crash(moment, seen);
                return Ok(());
            }
            Observation::Notice(Notice::BecameMember(joined)) => {
                self.places.join(node, &joined.delivered);
                return Ok(());
            }
            Observation::Notice(Notice::Broadcast(issued)) => {
                let name = issued.operation.dot;
                self.own.insert(node, name);
                self.issued.entry(name).or_insert_with(|| Issued {
                    stamp: issued.stamp,
                    past: issued.past.clone(),
                    operation: Arc::clone(&issued.operation),
                });
                let place = self.places.of(node);
                if name.origin.node != node {
                    Err(format!("issued {name}, which is another's name"))
                } else if !place.unsure && issued.past != place.clock {
                    let clock = &place.clock;
                    Err(format!("issued {name} after {}, and had delivered {clock}", issued.past))
                } else {
                    Ok(())
                }
            }
            Observation::Notice(Notice::CausallyDelivered(told)) => {
                let delivered = self.deliver(node, told.stamp, &told.past, &told.operation);
                self.places.of(node).deliver(told.stamp, &told.past);
                delivered
            }
            _ => return Ok(()),
        };
        match told {
            Err(text) if !is_excused(truth, node) => {
                Err(Broken::at(node, format!("{node} {text}")))
            }
            _ => Ok(()),
        }
    }
}

impl DeliveredAfterCauses {
    fn deliver(
        &mut self,
        node: NodeId,
        stamp: Stamp,
        past: &Clock,
        operation: &Arc<Operation<Stamped>>,
    ) -> Result<(), String> {
        let dot = stamp.dot;
        if let Some(own) = self.own.remove(&node)
            && own != dot
        {
            return Err(format!("delivered {dot} before {own}, which it had issued itself"));
        }
        match self.issued.get(&dot) {
            None if self.hidden.contains(&dot.origin.node) => {
                let issued = Issued { stamp, past: past.clone(), operation: Arc::clone(operation) };
                self.issued.insert(dot, issued);
            }
            None => return Err(format!("delivered {dot}, which nobody issued")),
            Some(issued) if *issued.operation != **operation => {
                return Err(format!(
                    "delivered {dot} with another content than it was issued with"
                ));
            }
            Some(issued) if issued.stamp != stamp || issued.past != *past => {
                return Err(format!(
                    "delivered {dot} as if it followed {past}, and it was issued after {}",
                    issued.past
                ));
            }
            Some(_) => {}
        }
        let place = self.places.of(node);
        if place.clock.covers(dot) {
            return Err(format!("delivered {dot} twice"));
        }
        if !place.unsure && !place.clock.covers_all(past) {
            let clock = &place.clock;
            return Err(format!("delivered {dot} after {clock}, and it follows {past}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{operations::testing::operation, testing::*},
        *,
    };

    fn a() -> Dot {
        Dot::new(0, 1)
    }

    fn b() -> Dot {
        Dot::new(1, 1)
    }

    /// n0 issues A; n1, which has it, issues B.
    fn story(truth: &Truth) -> Vec<(u32, Notice)> {
        let first = operation(truth, a(), &[], body(1));
        let second = operation(truth, b(), &[a()], body(2));
        vec![
            (0, first.issued()),
            (0, first.delivered()),
            (1, first.delivered()),
            (1, second.issued()),
            (1, second.delivered()),
            (2, first.delivered()),
            (2, second.delivered()),
        ]
    }

    #[test]
    fn an_operation_before_its_causes_breaks() {
        let swapped = |truth: &Truth| {
            let mut told = story(truth);
            told.swap(5, 6);
            told
        };
        check::<DeliveredAfterCauses>(
            story,
            swapped,
            "n2 delivered 1.1 after {}, and it follows {0.1}",
        );
    }

    #[test]
    fn an_operation_that_comes_twice_breaks() {
        let twice = |truth: &Truth| {
            let mut told = story(truth);
            told.push(told[5].clone());
            told
        };
        check::<DeliveredAfterCauses>(story, twice, "n2 delivered 0.1 twice");
    }

    #[test]
    fn an_operation_that_nobody_issued_or_otherwise_breaks() {
        let invented = |truth: &Truth| story(truth).split_off(1);
        check::<DeliveredAfterCauses>(story, invented, "n0 delivered 0.1, which nobody issued");
        let changed = |truth: &Truth| {
            let mut told = story(truth);
            told[2].1 = operation(truth, a(), &[], body(9)).delivered();
            told
        };
        check::<DeliveredAfterCauses>(story, changed, "another content");
    }

    #[test]
    fn an_own_operation_that_is_not_delivered_at_once_breaks() {
        let late = |truth: &Truth| {
            let first = operation(truth, a(), &[], body(1));
            let second = operation(truth, b(), &[], body(2));
            vec![
                (0, first.issued()),
                (0, first.delivered()),
                (1, second.issued()),
                (1, first.delivered()),
            ]
        };
        check::<DeliveredAfterCauses>(story, late, "before 1.1, which it had issued itself");
    }
}
