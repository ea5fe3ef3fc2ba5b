//! S7: what the app is given is of the type it declares.

use app::Body;
use replica::Notice;

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Published, Truth};

/// Every message and operation that reaches the app is of a type that the running code declares, and
/// every state that shows is of its schema.
#[derive(Default)]
pub(super) struct WellTyped;

impl Invariant for WellTyped {
    fn name(&self) -> &'static str {
        "S7"
    }

    fn claim(&self) -> &'static str {
        "what reaches the app, and its state, are of the types that the running code declares"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[Kind::Delivered, Kind::Operation, Kind::Started, Kind::Committed])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let Observation::Notice(notice) = seen else { return Ok(()) };
        let told = match notice {
            Notice::Delivered { sent, converted, .. }
            | Notice::Operation { sent, converted, .. } => {
                let body = converted.body(sent);
                truth.running(moment.node).map_or(Ok(()), |running| typed(running, body))
            }
            Notice::Committed { release, state_after, .. } => {
                let release = truth.release(&release.id).map(|index| &truth.releases[index]);
                release.map_or(Ok(()), |release| state(release, state_after))
            }
            Notice::Started { run: Some(run), state: Some(bytes), .. } => {
                let release = truth.release(run).map(|index| &truth.releases[index]);
                release.map_or(Ok(()), |release| state(release, bytes))
            }
            _ => Ok(()),
        };
        told.map_err(|text| Broken::at(moment.node, format!("{}: {text}", moment.node)))
    }
}

fn typed(running: &Published, body: &Body) -> Result<(), String> {
    let Some(kind) = running.manifest().message(body.tag) else {
        return Err(format!("{} was given #{}, which it does not declare", running.id(), body.tag));
    };
    kind.schema.check(&body.bytes).map_err(|malformed| {
        format!("{} was given a {} that is none: {malformed}", running.id(), kind.name)
    })
}

fn state(release: &Published, bytes: &[u8]) -> Result<(), String> {
    release
        .manifest()
        .state
        .check(bytes)
        .map_err(|malformed| format!("the state is none of {}: {malformed}", release.id()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_body_that_is_not_of_its_type_breaks() {
        check::<WellTyped>(
            |truth| vec![(1, delivered(truth, message(0, 1, 1), ONE_FOUR))],
            |truth| {
                let mut notice = delivered(truth, message(0, 1, 1), ONE_FOUR);
                if let Notice::Delivered { sent, .. } = &mut notice {
                    sent.bytes = vec![0xff, 0xff].into();
                }
                vec![(1, notice)]
            },
            "that is none",
        );
    }

    #[test]
    fn a_state_of_the_old_schema_breaks() {
        check::<WellTyped>(
            |truth| {
                let (before, after) = (blank(truth, ONE_FOUR, 0), blank(truth, TWO, 0));
                vec![(0, committed(truth, ONE_FOUR, TWO, &before, &after))]
            },
            |truth| vec![(0, committed(truth, ONE_FOUR, TWO, b"\x01", b"\x01"))],
            "the state is none of 2.0.0",
        );
    }
}
