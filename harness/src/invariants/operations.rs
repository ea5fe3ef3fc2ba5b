//! What invariants of operations have in common: what each node has delivered, as it told.

use std::collections::BTreeMap;

use causal::{Clock, Dot, Operation, Stamp};
use contract::NodeId;

use crate::observation::{Moment, Observation, Truth};

/// What each node has delivered.
#[derive(Default)]
pub(super) struct Places(Vec<Place>);

/// What one node has delivered.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// What it told of, and what that followed.
    pub(super) clock: Clock,
    /// It was seen to deliver or issue an operation, or to join.
    pub(super) member: bool,
    /// A crash may have hidden the last that it delivered.
    pub(super) unsure: bool,
}

impl Places {
    /// The place of a node.
    pub(super) fn of(&mut self, node: NodeId) -> &mut Place {
        let at = node.0 as usize;
        if at >= self.0.len() {
            self.0.resize_with(at + 1, Place::default);
        }
        &mut self.0[at]
    }

    /// Takes in a crash.
    pub(super) fn crash(&mut self, moment: &Moment, seen: &Observation<'_>) {
        if let Observation::Crashed { amnesia, lied, hidden } = seen {
            let place = self.of(moment.node);
            if *amnesia {
                *place = Place::default();
            }
            place.unsure |= *hidden || *lied;
        }
    }

    /// A node joined with what it was given.
    pub(super) fn join(&mut self, node: NodeId, delivered: &Clock) {
        *self.of(node) = Place { clock: delivered.clone(), member: true, unsure: false };
    }
}

impl Place {
    /// It delivered an operation.
    pub(super) fn deliver(&mut self, stamp: Stamp, past: &Clock) {
        self.member = true;
        if self.unsure {
            self.clock.merge(past);
        }
        self.clock.advance(stamp.dot);
    }
}

/// What operations follow, as their direct causes say. The clocks that notices carry are what the layer makes
/// of these, and may be wrong as it may.
#[derive(Default)]
pub(super) struct Pasts(BTreeMap<Dot, Clock>);

impl Pasts {
    /// What `operation` follows. Where a crash hid what it names, it is what was told of it.
    pub(super) fn of<P>(&mut self, operation: &Operation<P>, told: &Clock) -> &Clock {
        let Operation { dot, heads, .. } = operation;
        if !self.0.contains_key(dot) {
            let before = (dot.seq > 1).then(|| Dot { seq: dot.seq - 1, ..*dot });
            let mut past = Clock::new();
            let known = heads.iter().copied().chain(before).all(|cause| {
                let Some(follows) = self.0.get(&cause) else { return false };
                past.merge(follows);
                past.advance(cause);
                true
            });
            self.0.insert(*dot, if known { past } else { told.clone() });
        }
        &self.0[dot]
    }
}

/// Whether nothing can be promised of a node: its disk lied.
pub(super) fn is_excused(truth: &Truth, node: NodeId) -> bool {
    truth.node(node).lied
}

#[cfg(test)]
pub(crate) mod testing {
    use std::sync::Arc;

    use app::{Body, Context, Incoming, Outgoing};
    use causal::{Clock, Content, Dot, Operation, Stamp};
    use contract::{NodeId, Time};
    use replica::{
        Notice,
        message::Stamped,
        notice::{CausallyDelivered, Conversion, Issued, Outcome},
    };

    use super::super::testing::*;
    use crate::observation::Truth;

    /// An operation, and where it stands.
    #[derive(Clone)]
    pub(crate) struct Told {
        pub(crate) stamp: Stamp,
        pub(crate) past: Clock,
        pub(crate) operation: Arc<Operation<Stamped>>,
    }

    /// The operation `dot`, of 1.4.0, which follows `past`.
    pub(crate) fn operation(truth: &Truth, dot: Dot, past: &[Dot], body: Body) -> Told {
        let stamp = truth.releases[ONE_FOUR].stamp.clone();
        let content = Content::Payload(Stamped { stamp, body });
        Told {
            stamp: Stamp { lamport: past.len() as u64, dot },
            past: past.iter().copied().collect(),
            operation: Arc::new(Operation { dot, heads: past.into(), content }),
        }
    }

    impl Told {
        pub(crate) fn issued(&self) -> Notice {
            let Self { stamp, past, operation } = self.clone();
            Notice::Broadcast(Box::new(Issued { stamp, past, operation, metadata_bytes: 1 }))
        }

        pub(crate) fn delivered(&self) -> Notice {
            let Self { stamp, past, operation } = self.clone();
            let outcome = Outcome::Taken {
                instance: 7,
                converted: Conversion::NONE,
                entropy: 0,
                at: Time::ZERO,
            };
            Notice::CausallyDelivered(Box::new(CausallyDelivered {
                stamp,
                past,
                operation,
                waited: false,
                outcome,
            }))
        }
    }

    pub(crate) fn stable(dots: &[Dot]) -> Notice {
        let clock = dots.iter().copied().collect();
        let (instance, entropy, at) = (7, 0, Time::ZERO);
        Notice::Stable(Box::new(replica::notice::Stable { clock, instance, entropy, at }))
    }

    /// The truth of a fleet whose 1.4.0 is this code of the register, and its beginning.
    pub(crate) fn registers(variant: Option<&str>) -> (Truth, Vec<(u32, Notice)>) {
        let mut truth = truth();
        let registry = app::native::Registry::standard();
        truth.releases[ONE_FOUR].program = registry.program("register", "2.0.0", variant).unwrap();
        let begins = |node: u32| {
            let mut notice = started(&truth, Some(ONE_FOUR), &[]);
            if let Notice::Started { state, .. } = &mut notice {
                *state = Some(blank(&truth, ONE_FOUR, node).into());
            }
            (node, notice)
        };
        let story = vec![begins(0), begins(1)];
        (truth, story)
    }

    /// What the register broadcasts for an operation of this kind.
    pub(crate) fn body_of(truth: &Truth, kind: &str, entropy: u32) -> Body {
        let program = &truth.releases[ONE_FOUR].program;
        let body = program.operation(kind, [entropy; 4]).unwrap();
        let nodes = [NodeId(0)];
        let next = Some(Stamp { lamport: 0, dot: Dot::new(0, 1) });
        let context = Context { node: NodeId(0), now: Time::ZERO, nodes: &nodes, entropy: 0, next };
        let mut said = Vec::new();
        let mut instance = program.init(NodeId(0));
        instance.handle(context, &Incoming::Operation { id: 1, body }, &mut said).unwrap();
        match said.remove(0) {
            Outgoing::Broadcast { body } => body,
            other => panic!("{other:?}"),
        }
    }
}
