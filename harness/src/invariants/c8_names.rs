//! C8: a name is given to one operation.

use std::{collections::BTreeMap, sync::Arc};

use causal::{Dot, Operation};
use contract::NodeId;
use replica::{Notice, message::Stamped};

use super::{Broken, Invariant, operations::is_excused};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth};

/// No two operations that were issued, or delivered anywhere, have one name and another content: a node that
/// lost its disk begins a new life, and a node that has it counts on.
#[derive(Default)]
pub(super) struct NamesAreGivenOnce {
    known: BTreeMap<Dot, (Arc<Operation<Stamped>>, NodeId)>,
}

impl Invariant for NamesAreGivenOnce {
    fn name(&self) -> &'static str {
        "C8"
    }

    fn claim(&self) -> &'static str {
        "a node never gives two operations one name, whatever it lost"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[Kind::Broadcast, Kind::CausallyDelivered])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let operation = match seen {
            Observation::Notice(Notice::Broadcast(issued)) => &issued.operation,
            Observation::Notice(Notice::CausallyDelivered(told)) => &told.operation,
            _ => return Ok(()),
        };
        let node = moment.node;
        let known = self.known.entry(operation.dot);
        let (first, by) = known.or_insert_with(|| (Arc::clone(operation), node));
        if first == operation || is_excused(truth, operation.dot.origin.node) {
            return Ok(());
        }
        let text = format!("{} names one operation at {by} and another at {node}", operation.dot);
        Err(Broken::between(*by, node, text))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{operations::testing::operation, testing::*},
        *,
    };

    #[test]
    fn a_name_that_is_given_again_breaks() {
        let told = |truth: &Truth, second: u8| {
            let dot = Dot::new(0, 1);
            let one = operation(truth, dot, &[], body(1));
            let other = operation(truth, dot, &[], body(second));
            vec![(0, one.issued()), (0, one.delivered()), (1, other.delivered())]
        };
        check::<NamesAreGivenOnce>(
            |truth| told(truth, 1),
            |truth| told(truth, 2),
            "0.1 names one operation at n0 and another at n1",
        );
    }
}
