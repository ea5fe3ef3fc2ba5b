//! S25: a switch goes the way that its release declares, and costs no more than it allows.

use app::Meter;
use replica::Notice;
use upgrade::path::Path;

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth};

/// A committed migration applied the edges that lead from the state of what ran, found here in both
/// manifests, and was a hot swap where there is none to apply. Along them it spent no more fuel, metered
/// here once more, and made no more bytes of state than the signed envelope allows.
#[derive(Default)]
pub(super) struct WithinBudget;

impl Invariant for WithinBudget {
    fn name(&self) -> &'static str {
        "S25"
    }

    fn claim(&self) -> &'static str {
        "a switch applies the edges that its release declares, for no more fuel and bytes than it allows"
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
            state_before,
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
        let ran = truth.node(moment.node).run.is_some();
        if state_before.is_some() != ran {
            return broken(format!(
                "it {} and shows {} state before",
                if ran { "ran code" } else { "ran nothing" },
                if ran { "no" } else { "a" }
            ));
        }
        let path = match (ran, truth.running(moment.node)) {
            (false, _) => Some(Path::over([])),
            (true, Some(running)) => published.state_path(running),
            // What ran is not honest: that is for S21 to say, and nobody knows its schema.
            (true, None) => return Ok(()),
        };
        let Some(path) = path else {
            return broken("no edges lead there from what it ran".to_owned());
        };
        if migration.edges != path.edges() {
            let edges = &migration.edges;
            return broken(format!("it applied edges {edges:?}, the path is {:?}", path.edges()));
        }
        if migration.hot_swap != (ran && path.edges().is_empty()) {
            let says = if migration.hot_swap { "a hot swap" } else { "none" };
            return broken(format!("it says {says}, the path is {:?}", path.edges()));
        }
        let mut state = state_before.as_deref().unwrap_or_default().to_vec();
        let mut meter = Meter::new(budget.fuel);
        for edge in path.edges() {
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
            let mut truth = super::super::testing::truth();
            let envelope = Arc::make_mut(&mut truth.releases[TWO].envelope);
            envelope.budget.fuel = fuel;
            envelope.budget.state_bytes = bytes;
            let broken = story(&mut truth, &mut WithinBudget, &told).unwrap_err();
            assert!(broken.contains(says), "{broken}");
        }
    }

    #[test]
    fn a_switch_that_leaves_the_declared_path_breaks() {
        let told = |truth: &Truth, edges: &[u32], swapped: bool, shows: bool| {
            let mut told = switched(truth);
            if let Notice::Committed { migration, state_before, .. } = &mut told[0].1 {
                migration.edges = edges.to_vec();
                migration.hot_swap = swapped;
                if !shows {
                    *state_before = None;
                }
            }
            told
        };
        for (edges, swapped, shows, says) in [
            (&[][..], false, true, "it applied edges []"),
            (&[0, 0], false, true, "it applied edges [0, 0]"),
            (&[0], true, true, "it says a hot swap"),
            (&[0], false, false, "shows no state before"),
        ] {
            check::<WithinBudget>(switched, |truth| told(truth, edges, swapped, shows), says);
        }
    }
}
