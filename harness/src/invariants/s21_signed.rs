//! S21: only what trusted keys signed is believed, and only that runs.

use replica::Notice;
use upgrade::release::Envelope;

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Published, Truth};

/// Every envelope that a node merges, and every release that it runs, is exactly one that was honestly
/// signed and published; and none is activated after it expired.
#[derive(Default)]
pub(super) struct OnlySignedCodeRuns;

impl Invariant for OnlySignedCodeRuns {
    fn name(&self) -> &'static str {
        "S21"
    }

    fn claim(&self) -> &'static str {
        "nodes believe and run only releases that trusted keys signed, to the letter, and not expired ones"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[Kind::Merged, Kind::Committed, Kind::Started])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let node = moment.node;
        match seen {
            Observation::Notice(Notice::Merged { incoming, .. }) => {
                honest(truth, moment, incoming)
                    .map_err(|text| Broken::at(node, format!("{node} believes {text}")))?;
            }
            Observation::Notice(Notice::Committed { release, .. }) => {
                honest(truth, moment, release)
                    .map_err(|text| Broken::at(node, format!("{node} runs {text}")))?;
                let slack = truth.bounds.clock_error_max;
                if release.expires.is_some_and(|expires| moment.at > expires + slack) {
                    let text = format!("{node} runs {}, which had expired", release.id);
                    return Err(Broken::at(node, text));
                }
            }
            Observation::Notice(Notice::Started { run: Some(run), .. })
                if truth.release(run).is_none() =>
            {
                let text = format!("{node} runs {run}, which nobody trusted published");
                return Err(Broken::at(node, text));
            }
            _ => {}
        }
        Ok(())
    }
}

fn honest(truth: &Truth, moment: &Moment, envelope: &Envelope) -> Result<(), String> {
    let same = |published: &&Published| *published.envelope == *envelope;
    match truth.releases.iter().find(same) {
        Some(published) if published.at <= moment.at => Ok(()),
        Some(_) => Err(format!("{}, which is not yet published", envelope.id)),
        None => Err(format!("{}, which no trusted keys signed so", envelope.id)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use contract::Time;
    use upgrade::release::ReleaseId;

    use super::super::testing::*;
    use super::*;

    #[test]
    fn an_envelope_with_a_changed_letter_breaks() {
        check::<OnlySignedCodeRuns>(
            |truth| vec![(0, merged(truth, TWO, ONE_FOUR, TWO))],
            |truth| {
                let mut notice = merged(truth, TWO, ONE_FOUR, TWO);
                if let Notice::Merged { incoming, .. } = &mut notice {
                    let envelope = Arc::make_mut(incoming);
                    let (version, code) = (envelope.id.version.clone(), envelope.id.code);
                    envelope.id = ReleaseId::new(9, version, code);
                }
                vec![(0, notice)]
            },
            "no trusted keys signed",
        );
    }

    #[test]
    fn a_release_that_expired_or_is_not_out_yet_breaks() {
        let mut truth = truth();
        let out = committed(&truth, ONE_FOUR, TWO, b"", b"");
        truth.releases[TWO].at = Time::NEVER;
        let broken = story(&mut truth, &mut OnlySignedCodeRuns, &[(0, out)]).unwrap_err();
        assert!(broken.contains("not yet published"), "{broken}");
        truth.releases[TWO].at = Time::ZERO;
        Arc::make_mut(&mut truth.releases[TWO].envelope).expires = Some(Time::from_nanos(5));
        let late = committed(&truth, ONE_FOUR, TWO, b"", b"");
        let broken = story(&mut truth, &mut OnlySignedCodeRuns, &[(0, late)]).unwrap_err();
        assert!(broken.contains("expired"), "{broken}");
    }
}
