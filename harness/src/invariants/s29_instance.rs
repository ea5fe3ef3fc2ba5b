//! S29: one instance per node takes input.

use replica::Notice;

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth};

/// At most one instance of the app is active on a node, and only it is given anything.
#[derive(Default)]
pub(super) struct OneInstance {
    /// By node: the active instance.
    active: Vec<Option<u64>>,
}

impl Invariant for OneInstance {
    fn name(&self) -> &'static str {
        "S29"
    }

    fn claim(&self) -> &'static str {
        "at most one instance of the app is active on a node, and nothing reaches any other"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[
            Kind::InstanceBegan,
            Kind::InstanceEnded,
            Kind::Delivered,
            Kind::Operation,
            Kind::Ticked,
            Kind::Crashed,
        ])
    }

    fn observe(
        &mut self,
        _: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let (node, at) = (moment.node, moment.node.0 as usize);
        if at >= self.active.len() {
            self.active.resize(at + 1, None);
        }
        let active = &mut self.active[at];
        let notice = match seen {
            Observation::Crashed { .. } => {
                *active = None;
                return Ok(());
            }
            Observation::Notice(notice) => notice,
            _ => return Ok(()),
        };
        let broken = |text: String| Err(Broken::at(node, format!("{node}: {text}")));
        match notice {
            Notice::InstanceBegan { instance, .. } => match active.replace(*instance) {
                Some(old) => broken(format!("instance {instance} began beside instance {old}")),
                None => Ok(()),
            },
            Notice::InstanceEnded { instance } => match active.take() {
                Some(old) if old == *instance => Ok(()),
                _ => broken(format!("instance {instance} ended, which was not active")),
            },
            Notice::Delivered { instance, .. }
            | Notice::Operation { instance, .. }
            | Notice::Ticked { instance, .. } => match *active {
                Some(active) if active == *instance => Ok(()),
                _ => broken(format!("instance {instance}, which is not active, was given input")),
            },
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn began(truth: &Truth, instance: u64) -> (u32, Notice) {
        (0, Notice::InstanceBegan { instance, release: id(truth, ONE_FOUR) })
    }

    #[test]
    fn a_second_instance_breaks() {
        let ended = || (0, Notice::InstanceEnded { instance: 7 });
        check::<OneInstance>(
            |truth| vec![began(truth, 7), ended(), began(truth, 8)],
            |truth| vec![began(truth, 7), began(truth, 8)],
            "began beside",
        );
    }

    #[test]
    fn an_instance_that_takes_input_after_its_end_breaks() {
        let takes = |truth: &Truth| (0, delivered(truth, message(1, 0, 1), ONE_FOUR));
        check::<OneInstance>(
            |truth| vec![began(truth, 7), takes(truth)],
            |truth| {
                let ended = (0, Notice::InstanceEnded { instance: 7 });
                vec![began(truth, 7), ended, began(truth, 8), takes(truth)]
            },
            "not active",
        );
    }
}
