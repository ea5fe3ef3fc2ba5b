//! C2: nodes that delivered the same operations show the same: strong eventual consistency.

use std::collections::{BTreeMap, VecDeque};

use contract::{Encode, NodeId};
use replica::Notice;
use xxhash_rust::xxh3::xxh3_128;

use super::{
    Broken, Invariant,
    copies::{self, Copies, Pair},
};
use crate::{
    observation::{Kinds, Moment, Observation, Published, Truth},
    square::{Release, Way},
};

/// Sets of operations that are remembered: more than are new while the slowest node of a fleet catches up.
const SETS_MAX: usize = 1 << 13;
/// A state that is longer is compared with those of its own release alone.
const STATE_BYTES_MAX: usize = 4 << 10;

/// Whenever a node has delivered a set of operations that another has delivered before, in whichever order, its
/// state shows the same; and the state of a copy that forgets nothing has the same canonical bytes. Nodes of
/// different releases are compared by what the newer one shows, after migrating the older one's state.
#[derive(Default)]
pub(super) struct SameOperationsSameState {
    copies: Copies<Pair>,
    first: BTreeMap<u128, First>,
    order: VecDeque<u128>,
}

/// Who came to a set of operations first.
struct First {
    node: NodeId,
    release: usize,
    shown: u128,
    /// Of the copy that forgets nothing; `None`: its state came from a node that may have.
    whole: Option<u128>,
    /// The state; `None`: it is too long to keep.
    state: Option<Vec<u8>>,
}

impl Invariant for SameOperationsSameState {
    fn name(&self) -> &'static str {
        "C2"
    }

    fn claim(&self) -> &'static str {
        "nodes that delivered the same operations show the same, whatever the order"
    }

    fn wants(&self) -> Kinds {
        copies::wants()
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let Some(pair) = self.copies.of(truth, moment.node) else { return Ok(()) };
        let delivered = pair.observe(truth, moment, seen);
        let is_whole = |notice: &Notice| matches!(notice, Notice::CausallyDelivered(_));
        match seen {
            Observation::Notice(notice) if delivered && is_whole(notice) => {
                self.compare(truth, moment.node)
            }
            _ => Ok(()),
        }
    }
}

impl SameOperationsSameState {
    fn compare(&mut self, truth: &Truth, node: NodeId) -> Result<(), Broken> {
        let Some(Pair { forgets: copy, remembers: whole }) = self.copies.of(truth, node) else {
            return Ok(());
        };
        if truth.node(node).lied {
            return Ok(());
        }
        let (Some(shown), Some(release)) = (copy.shown(truth), copy.release) else {
            return Ok(());
        };
        let mut key = Vec::new();
        copy.delivered.encode(&mut key);
        let key = xxh3_128(&key);
        let state = copy.instance.as_ref().map(|instance| instance.export()).unwrap_or_default();
        let kept = whole.instance.as_ref().filter(|_| !whole.taken);
        let new = First {
            node,
            release,
            shown: xxh3_128(&shown),
            whole: kept.map(|instance| xxh3_128(&instance.export())),
            state: (state.len() <= STATE_BYTES_MAX).then_some(state),
        };
        let delivered = &copy.delivered;
        let Some(first) = self.first.get(&key) else {
            self.first.insert(key, new);
            self.order.push_back(key);
            if self.order.len() > SETS_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.first.remove(&oldest);
            }
            return Ok(());
        };
        let between = |what: &str| {
            let text = format!("{} and {node} delivered {delivered} and {what}", first.node);
            Err(Broken::between(first.node, node, text))
        };
        if first.release != new.release {
            return match shown_alike(truth, first, &new) {
                Some(false) => between("show different values through the newer release"),
                _ => Ok(()),
            };
        }
        if first.shown != new.shown {
            return between("show different values");
        }
        match (first.whole, new.whole) {
            (Some(one), Some(other)) if one != other => {
                between("keep different states, though they show the same")
            }
            _ => Ok(()),
        }
    }
}

/// Whether two states of different releases show the same through the newer one; `None`: there is no way.
fn shown_alike(truth: &Truth, one: &First, other: &First) -> Option<bool> {
    let version = |first: &First| &truth.releases[first.release].id().version;
    let (old, new) = if version(one) < version(other) { (one, other) } else { (other, one) };
    let named = |first: &First| {
        let Published { envelope, program, .. } = &truth.releases[first.release];
        Release::of(&envelope.id.version, &envelope.class, program)
    };
    let way = Way::new(&named(old), &named(new))?;
    let migrated = way.migrate(old.state.as_ref()?).ok()?;
    let shown = way.to.program.shown(&migrated)?.ok()?;
    Some(xxh3_128(&shown) == new.shown)
}

#[cfg(test)]
mod tests {
    use causal::Dot;

    use super::{
        super::{
            operations::testing::{body_of, operation, registers},
            testing::story,
        },
        *,
    };

    /// An addition and a multiplication, concurrent; n1 has them the other way round, and perhaps another
    /// addition under the same name.
    fn told(variant: Option<&str>, addition: u32) -> Result<(), String> {
        let (mut truth, mut told) = registers(variant);
        let multiply = body_of(&truth, "multiply", 3);
        let add = |entropy| operation(&truth, Dot::new(0, 1), &[], body_of(&truth, "add", entropy));
        let (one, other) = (add(1), add(addition));
        let factor = operation(&truth, Dot::new(1, 1), &[], multiply);
        told.extend([
            (0, one.delivered()),
            (0, factor.delivered()),
            (1, factor.delivered()),
            (1, other.delivered()),
        ]);
        story(&mut truth, &mut SameOperationsSameState::default(), &told)
    }

    #[test]
    fn nodes_that_show_different_values_after_the_same_operations_break() {
        assert_eq!(told(None, 1), Ok(()));
        let broken = told(None, 3).unwrap_err();
        assert_eq!(broken, "n0 and n1 delivered {0.1, 1.1} and show different values");
    }
}
