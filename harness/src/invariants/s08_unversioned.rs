//! S8: unversioned messages pass, and only those that the receiver lists.

use replica::Notice;

use super::{Broken, Invariant};
use crate::observation::{Kind, Kinds, Moment, Observation, Truth};

/// A message without a release is of a type that the receiver's code lists as unversioned; and such a
/// message is never held and never converted.
#[derive(Default)]
pub(super) struct UnversionedPasses;

impl Invariant for UnversionedPasses {
    fn name(&self) -> &'static str {
        "S8"
    }

    fn claim(&self) -> &'static str {
        "only types that the receiver lists as unversioned pass without a release, and those always pass"
    }

    fn wants(&self) -> Kinds {
        Kinds::of(&[Kind::Delivered, Kind::Held])
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let node = moment.node;
        let Some(running) = truth.running(node) else { return Ok(()) };
        let listed = |tag: u32| running.manifest().message(tag).map(|kind| !kind.versioned);
        let broken = |tag: u32, what: &str| {
            Err(Broken::at(node, format!("{node} runs {} and {what} #{tag}", running.id())))
        };
        match seen {
            Observation::Notice(Notice::Delivered { stamp, sent, converted, was_held, .. }) => {
                match listed(converted.body(sent).tag) {
                    Some(true) if !converted.is_empty() || *was_held => {
                        broken(sent.tag, "held or converted the unversioned")
                    }
                    Some(true) => Ok(()),
                    _ if stamp.is_none() => {
                        broken(sent.tag, "took without a release the versioned")
                    }
                    _ => Ok(()),
                }
            }
            Observation::Notice(Notice::Held { tag, .. }) if listed(*tag) == Some(true) => {
                broken(*tag, "holds the unversioned")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn an_unversioned_message_that_waits_breaks() {
        let (mut truth, mut invariant) = (truth(), UnversionedPasses);
        let waits = held(&truth, message(2, 1, 1), TWO, 1);
        assert_eq!(story(&mut truth, &mut invariant, &[(1, waits.clone())]), Ok(()));
        unversion(&mut truth, ONE_FOUR, 2);
        let broken = story(&mut truth, &mut invariant, &[(1, waits)]).unwrap_err();
        assert!(broken.contains("holds the unversioned"), "{broken}");
    }

    #[test]
    fn a_versioned_type_without_its_release_breaks() {
        check::<UnversionedPasses>(
            |truth| vec![(1, delivered(truth, message(0, 1, 1), ONE_FOUR))],
            |truth| {
                let mut notice = delivered(truth, message(0, 1, 1), ONE_FOUR);
                if let Notice::Delivered { stamp, .. } = &mut notice {
                    *stamp = None;
                }
                vec![(1, notice)]
            },
            "without a release",
        );
    }
}
