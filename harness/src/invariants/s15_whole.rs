//! S15: code, state, gate, adaptors and stamp of a node are of one release.

use replica::Notice;
use upgrade::{release::ReleaseId, switch::Composition};

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth};

/// Wherever a node can be looked at, every part of what runs is of the release that it runs.
#[derive(Default)]
pub(super) struct OneRelease;

impl Invariant for OneRelease {
    fn name(&self) -> &'static str {
        "S15"
    }

    fn claim(&self) -> &'static str {
        "code, state, gate, adaptors and stamp of a node are all of the one release that it runs"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[Kind::Started, Kind::Committed])
    }

    fn observe(
        &mut self,
        _: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let (run, composition) = match seen {
            Observation::Notice(Notice::Started { run, composition, .. }) => {
                match (run, composition) {
                    (Some(run), Some(composition)) => (run, composition),
                    (None, None) => return Ok(()),
                    _ => {
                        let text = format!(
                            "{} runs a release without parts, or parts of none",
                            moment.node
                        );
                        return Err(Broken::at(moment.node, text));
                    }
                }
            }
            Observation::Notice(Notice::Committed { release, composition, .. }) => {
                (&release.id, composition)
            }
            _ => return Ok(()),
        };
        match other(run, composition) {
            Some((part, of)) => {
                let text = format!("{} runs {run}, but its {part} is of {of}", moment.node);
                Err(Broken::at(moment.node, text))
            }
            None => Ok(()),
        }
    }
}

fn other<'a>(run: &ReleaseId, parts: &'a Composition) -> Option<(&'static str, &'a ReleaseId)> {
    let Composition { code, state, gate, adaptors, stamp } = parts;
    [
        ("code", code),
        ("state", state),
        ("gate", gate),
        ("adaptor table", adaptors),
        ("stamp", stamp),
    ]
    .into_iter()
    .find(|(_, part)| *part != run)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_gate_of_another_release_breaks() {
        check::<OneRelease>(
            |truth| vec![(0, committed(truth, ONE_FOUR, TWO, b"", b""))],
            |truth| {
                let mut notice = committed(truth, ONE_FOUR, TWO, b"", b"");
                if let Notice::Committed { composition, .. } = &mut notice {
                    composition.gate = id(truth, ONE_FOUR);
                }
                vec![(0, notice)]
            },
            "its gate is of 1.4.0",
        );
    }
}
