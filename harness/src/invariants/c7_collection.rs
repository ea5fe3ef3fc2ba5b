//! C7: what was forgotten is never missed.

use contract::NodeId;

use super::{
    Broken, Invariant,
    copies::{self, Copies, Pair},
};
use crate::observation::{Kinds, Moment, Observation, Truth};

/// A copy of a node's instance that is never told that anything is stable, and so forgets nothing, shows the
/// same after every operation.
#[derive(Default)]
pub(super) struct NothingIsMissed {
    copies: Copies<Pair>,
}

impl Invariant for NothingIsMissed {
    fn name(&self) -> &'static str {
        "C7"
    }

    fn claim(&self) -> &'static str {
        "a node that forgets what is stable shows the same as one that never does"
    }

    fn wants(&self) -> Kinds {
        copies::wants()
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let Some(pair) = self.copies.of(truth, moment.node) else { return Ok(()) };
        if pair.observe(truth, moment, seen) { compare(truth, moment.node, pair) } else { Ok(()) }
    }
}

fn compare(truth: &Truth, node: NodeId, pair: &Pair) -> Result<(), Broken> {
    let Pair { forgets, remembers } = pair;
    match (forgets.shown(truth), remembers.shown(truth)) {
        (Some(here), Some(there)) if here != there => {
            let delivered = &forgets.delivered;
            let text = format!(
                "{node} forgot what was stable, and after {delivered} no longer shows what it would have shown"
            );
            Err(Broken::at(node, text))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use causal::Dot;

    use super::{
        super::{
            operations::testing::{body_of, operation, registers, stable},
            testing::story,
        },
        *,
    };

    /// n0 has a factor, and an addition that is concurrent to it comes before or after the factor is stable.
    fn told(early: bool) -> Result<(), String> {
        let (mut truth, mut told) = registers(None);
        let factor = Dot::new(1, 1);
        let multiply = operation(&truth, factor, &[], body_of(&truth, "multiply", 3));
        let add = operation(&truth, Dot::new(0, 1), &[], body_of(&truth, "add", 8));
        told.extend([(0, multiply.delivered()), (0, add.delivered())]);
        told.insert(told.len() - usize::from(early), (0, stable(&[factor])));
        story(&mut truth, &mut NothingIsMissed::default(), &told)
    }

    #[test]
    fn what_is_forgotten_early_is_missed() {
        assert_eq!(told(false), Ok(()));
        assert!(told(true).unwrap_err().starts_with("n0 forgot what was stable, and after"));
    }
}
