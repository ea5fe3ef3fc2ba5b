//! C6: what is called stable is.

use causal::Clock;
use replica::Notice;

use super::{
    Broken, Invariant,
    operations::{Pasts, Places, is_excused},
};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth};

/// What the app is told to be stable was delivered there, never becomes less, and nothing that is delivered
/// later is concurrent to any of it, by the causes that operations name.
#[derive(Default)]
pub(super) struct StableIsStable {
    places: Places,
    pasts: Pasts,
    /// By node: what it was told.
    stable: Vec<Clock>,
}

impl Invariant for StableIsStable {
    fn name(&self) -> &'static str {
        "C6"
    }

    fn claim(&self) -> &'static str {
        "nothing that is delivered is concurrent to what the app was told to be stable"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[
            Kind::Broadcast,
            Kind::CausallyDelivered,
            Kind::BecameMember,
            Kind::Stable,
            Kind::Crashed,
        ])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let node = moment.node;
        let at = node.0 as usize;
        if at >= self.stable.len() {
            self.stable.resize_with(at + 1, Clock::new);
        }
        let told: Result<(), String> = match seen {
            Observation::Crashed { amnesia, .. } => {
                if *amnesia {
                    self.stable[at] = Clock::new();
                }
                self.places.crash(moment, seen);
                return Ok(());
            }
            Observation::Notice(Notice::BecameMember(joined)) => {
                self.stable[at] = Clock::new();
                self.places.join(node, &joined.delivered);
                return Ok(());
            }
            Observation::Notice(Notice::Broadcast(issued)) => {
                self.pasts.of(&issued.operation, &issued.past);
                return Ok(());
            }
            Observation::Notice(Notice::CausallyDelivered(told)) => {
                self.places.of(node).deliver(told.stamp, &told.past);
                let stable = &self.stable[at];
                let past = self.pasts.of(&told.operation, &told.past);
                if past.covers_all(stable) {
                    return Ok(());
                }
                let dot = told.stamp.dot;
                Err(format!(
                    "delivered {dot}, which follows {past}, and was told that {stable} is stable"
                ))
            }
            Observation::Notice(Notice::Stable(told)) => {
                let before = std::mem::replace(&mut self.stable[at], told.clock.clone());
                let place = self.places.of(node);
                if !told.clock.covers_all(&before) {
                    Err(format!("was told that {} is stable, and {before} before", told.clock))
                } else if !place.unsure && !place.clock.covers_all(&told.clock) {
                    let clock = &place.clock;
                    Err(format!("was told that {} is stable, and delivered {clock}", told.clock))
                } else {
                    return Ok(());
                }
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

#[cfg(test)]
mod tests {
    use causal::Dot;
    use contract::NodeId;

    use super::{
        super::{
            operations::testing::{operation, stable},
            testing::*,
        },
        *,
    };

    /// n0 has A and is told that it is stable; then comes what had not seen A.
    fn told(truth: &Truth, late: bool) -> Vec<(u32, Notice)> {
        let (a, b) = (Dot::new(0, 1), Dot::new(1, 1));
        let first = operation(truth, a, &[], body(1));
        let second = operation(truth, b, &[], body(2));
        let mut told = vec![(0, first.delivered()), (0, second.delivered())];
        told.insert(if late { 2 } else { 1 }, (0, stable(&[a])));
        told
    }

    #[test]
    fn what_is_concurrent_to_something_stable_breaks() {
        check::<StableIsStable>(
            |truth| told(truth, true),
            |truth| told(truth, false),
            "n0 delivered 1.1, which follows {}, and was told that {0.1} is stable",
        );
    }

    #[test]
    fn a_clock_that_says_more_than_the_causes_are_is_not_believed() {
        let lies = |truth: &Truth| {
            let mut told = told(truth, false);
            for (_, notice) in &mut told {
                if let Notice::CausallyDelivered(told) = notice
                    && told.stamp.dot == Dot::new(1, 1)
                {
                    told.past.advance(Dot::new(0, 1));
                }
            }
            told
        };
        check::<StableIsStable>(
            |truth| told(truth, true),
            lies,
            "n0 delivered 1.1, which follows {}, and was told that {0.1} is stable",
        );
    }

    #[test]
    fn what_is_stable_and_not_here_breaks() {
        check::<StableIsStable>(
            |truth| told(truth, true),
            |_| vec![(0, stable(&[Dot::new(2, 1)]))],
            "n0 was told that {2.1} is stable, and delivered {}",
        );
        assert_eq!(StableIsStable::default().places.of(NodeId(0)).clock, Clock::new());
    }
}
