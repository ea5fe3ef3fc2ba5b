//! S17: what a migration must conserve, it conserves.

use replica::Notice;

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth};

/// Every measure that both the old and the new code declare is the same before and after a switch.
/// Both are taken here, by the honest programs.
#[derive(Default)]
pub(super) struct MeasuresConserved;

impl Invariant for MeasuresConserved {
    fn name(&self) -> &'static str {
        "S17"
    }

    fn claim(&self) -> &'static str {
        "a switch conserves every measure that both releases declare"
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
            from: Some(from),
            release,
            state_before: Some(before),
            state_after,
            ..
        }) = seen
        else {
            return Ok(());
        };
        let (Some(old), Some(new)) = (truth.release(from), truth.release(&release.id)) else {
            return Ok(());
        };
        let (old, new) = (&truth.releases[old], &truth.releases[new]);
        let node = moment.node;
        let unmeasured = |which: &str, fault: app::Fault| {
            Broken::at(node, format!("{node} committed {}: its {which} state: {fault}", release.id))
        };
        let before = old.program.measure(before).map_err(|fault| unmeasured("old", fault))?;
        let after = new.program.measure(state_after).map_err(|fault| unmeasured("new", fault))?;
        let old_names = &old.manifest().measures;
        for (name, after) in new.manifest().measures.iter().zip(after) {
            let same = old_names.iter().position(|old| old == name);
            match same.map(|at| before[at]) {
                Some(before) if before != after => {
                    let id = &release.id;
                    let text =
                        format!("{node} committed {id}: `{name}` went from {before} to {after}");
                    return Err(Broken::at(node, text));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use app::{Context, Incoming};
    use contract::{NodeId, Time};

    use super::super::testing::*;
    use super::*;

    /// The state of n0 under 1.4.0 after it counted once.
    fn counted(truth: &Truth) -> Vec<u8> {
        let program = &truth.releases[ONE_FOUR].program;
        let mut instance = program.init(NodeId(0));
        let body = program.operation("increment", [1; 4]).unwrap();
        let nodes = [NodeId(0)];
        let context =
            Context { node: NodeId(0), now: Time::ZERO, nodes: &nodes, entropy: 0, next: None };
        instance.handle(context, &Incoming::Operation { id: 1, body }, &mut Vec::new()).unwrap();
        instance.export()
    }

    #[test]
    fn a_migration_that_forgets_a_count_breaks() {
        check::<MeasuresConserved>(
            |truth| {
                let before = counted(truth);
                let mut meter = app::Meter::new(1_000);
                let after = truth.releases[TWO].program.migrate(0, &before, &mut meter).unwrap();
                vec![(0, committed(truth, ONE_FOUR, TWO, &before, &after))]
            },
            |truth| {
                vec![(0, committed(truth, ONE_FOUR, TWO, &counted(truth), &blank(truth, TWO, 0)))]
            },
            "went from",
        );
    }
}
