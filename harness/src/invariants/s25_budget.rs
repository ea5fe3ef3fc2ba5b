//! S25: no switch costs more than its release allows.

use app::Meter;
use replica::Notice;

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth};

/// A committed migration spent no more fuel, metered here once more, and made no more bytes of state
/// than the signed envelope allows.
#[derive(Default)]
pub(super) struct WithinBudget;

impl Invariant for WithinBudget {
    fn name(&self) -> &'static str {
        "S25"
    }

    fn claim(&self) -> &'static str {
        "no committed switch costs more fuel or bytes than its release allows"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[Kind::Committed])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let Observation::Notice(Notice::Committed {
            release,
            migration,
            state_before: Some(before),
            state_after,
            ..
        }) = seen
        else {
            return Ok(());
        };
        let Some(published) = truth.release(&release.id).map(|at| &truth.releases[at]) else {
            return Ok(());
        };
        let budget = published.envelope.budget;
        let broken = |text: String| {
            let text = format!("{} switched to {}: {text}", moment.node, release.id);
            Err(Broken::at(moment.node, text))
        };
        let edges = published.manifest().edges.len();
        let (mut state, mut meter) = (before.to_vec(), Meter::new(budget.fuel));
        for edge in migration.edges.iter().filter(|edge| (**edge as usize) < edges) {
            match published.program.migrate(*edge as usize, &state, &mut meter) {
                Ok(migrated) => state = migrated,
                Err(fault) => return broken(fault.to_string()),
            }
        }
        if migration.fuel > budget.fuel {
            return broken(format!("it spent {} of {} fuel", migration.fuel, budget.fuel));
        }
        // A hot swap makes no state.
        if !migration.hot_swap && state_after.len() as u64 > budget.state_bytes {
            return broken(format!(
                "its state has {} bytes of {}",
                state_after.len(),
                budget.state_bytes
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::testing::*;
    use super::*;

    fn switched(truth: &Truth) -> Vec<(u32, Notice)> {
        let (before, after) = (blank(truth, ONE_FOUR, 0), blank(truth, TWO, 0));
        vec![(0, committed(truth, ONE_FOUR, TWO, &before, &after))]
    }

    #[test]
    fn a_switch_over_its_budget_breaks() {
        for (fuel, bytes, says) in [(0, 1 << 16, "out of budget"), (1_000, 0, "bytes of 0")] {
            let mut truth = truth();
            let told = switched(&truth);
            assert_eq!(story(&mut truth, &mut WithinBudget, &told), Ok(()));
            let envelope = Arc::make_mut(&mut truth.releases[TWO].envelope);
            envelope.budget.fuel = fuel;
            envelope.budget.state_bytes = bytes;
            let broken = story(&mut truth, &mut WithinBudget, &told).unwrap_err();
            assert!(broken.contains(says), "{broken}");
        }
    }
}
