//! C1: in the end the states of a replicated app are equal.

use super::{Broken, End, Invariant, Resting, Shared};
use crate::observation::{Kinds, Moment, Observation, Truth};

/// Within the bound all nodes of the core that run one release have equal replicated state, where the
/// app keeps any. A state from which that cannot be read is equal to none.
#[derive(Default)]
pub(super) struct StatesEqual;

impl Invariant for StatesEqual {
    fn name(&self) -> &'static str {
        "C1"
    }

    fn claim(&self) -> &'static str {
        "once the network is well, nodes of one release come to have equal replicated states"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[])
    }

    fn observe(&mut self, _: &Truth, _: &Moment, _: &Observation<'_>) -> Result<(), Broken> {
        Ok(())
    }

    fn finish(&mut self, _: &Truth, end: &End) -> Result<(), Broken> {
        match differ(end) {
            Some((one, other)) if one.node == other.node => {
                let text = format!("the replicated state of {} cannot be read", one.node);
                Err(Broken::at(one.node, text))
            }
            Some((one, other)) => {
                let text =
                    format!("{} and {} have different replicated states", one.node, other.node);
                Err(Broken::between(one.node, other.node, text))
            }
            None => Ok(()),
        }
    }
}

/// Two nodes of one release whose replicated states differ, or one, twice, that has none to read.
pub(crate) fn differ(end: &End) -> Option<(&Resting, &Resting)> {
    let run = |resting: &Resting| resting.status.as_ref().and_then(|status| status.run.clone());
    let mut first: Vec<&Resting> = Vec::new();
    for resting in end.nodes.iter().filter(|resting| resting.shared != Shared::Nothing) {
        if resting.shared == Shared::Unreadable {
            return Some((resting, resting));
        }
        match first.iter().find(|one| run(one) == run(resting)) {
            Some(one) if one.shared != resting.shared => return Some((*one, resting)),
            Some(_) => {}
            None => first.push(resting),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use contract::Time;

    use super::super::testing::*;
    use super::*;

    #[test]
    fn states_that_stay_different_break() {
        let finish = |second: Shared| {
            let truth = truth();
            let mut nodes = vec![
                resting(0, Some(id(&truth, TWO)), Some(id(&truth, TWO))),
                resting(1, Some(id(&truth, TWO)), Some(id(&truth, TWO))),
            ];
            nodes[0].shared = Shared::Part(vec![1]);
            nodes[1].shared = second;
            StatesEqual.finish(&truth, &End { at: Time::ZERO, at_rest: true, nodes })
        };
        assert_eq!(finish(Shared::Part(vec![1])), Ok(()));
        assert!(finish(Shared::Part(vec![2])).unwrap_err().text.contains("n0 and n1"));
        assert!(finish(Shared::Unreadable).unwrap_err().text.contains("cannot be read"));
    }
}
