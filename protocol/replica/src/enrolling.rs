//! Letting others in, and letting them go.
//!
//! A member lets in one joiner at a time, and a node only now and then: each time costs everybody an
//! operation and a row. Who was let in and never says anything is retired, for everybody waits to hear of
//! it: first by whoever let it in, later by any other.

use std::collections::BTreeMap;

use causal::{Clock, Content as Said, Origin};
use contract::{Encode, NodeId, Span, Time};

use crate::{
    Notice, Replica,
    joining::Given,
    message::{Content, Enroll, Letter, PIECE_BYTES, PIECES_MAX, Piece},
    notice::{Dropped, NotEnrolled},
    state::Layer,
};

/// Who was let in, as far as this incarnation saw.
#[derive(Debug, Default)]
pub(crate) struct Enrolling {
    /// Who has said nothing yet.
    silent: BTreeMap<Origin, Silent>,
    /// When which node was let in last. What is longer ago than the gap is forgotten.
    last: BTreeMap<NodeId, Time>,
}

#[derive(Debug)]
struct Silent {
    /// This node let it in.
    is_own: bool,
    /// When it is retired.
    until: Time,
}

impl Replica {
    /// A peer asks to be let in.
    pub(crate) fn enroll(&mut self, from: NodeId, enroll: &Enroll) {
        let Enroll { origin, release } = enroll;
        if origin.node != from {
            return self.drop_from(from, Dropped::Malformed);
        }
        if origin.is_founder() {
            return self.hear_blank(from);
        }
        let member = self.state.layer.as_ref().filter(|layer| layer.own().is_some());
        if member.is_some_and(|layer| layer.is_member(*origin) || layer.is_retired(*origin)) {
            return self.drop_from(from, Dropped::Duplicate);
        }
        if let Err(why) = self.may_enroll(enroll) {
            self.notify(Notice::EnrollRefused { node: from, why });
            if why == NotEnrolled::Newer {
                self.offer(from);
            }
            return self.tell(from, Content::Resync(*origin));
        }
        if self.known().is_some_and(|known| known < release) {
            self.tell(from, Content::Pull);
        }
        if self.broadcast(Said::Join(*origin)).is_err() {
            return;
        }
        let state = self.transfer();
        let count = state.len().div_ceil(PIECE_BYTES) as u32;
        assert!(count <= PIECES_MAX, "it was asked before how long the state is");
        self.notify(Notice::Enrolled { origin: *origin });
        for (index, bytes) in (0..).zip(state.chunks(PIECE_BYTES)) {
            let piece = Piece { origin: *origin, index, count, bytes: bytes.into() };
            self.post(from, Letter::Piece(Box::new(piece)));
        }
    }

    /// Whether a node may be let in now. Errors: why not.
    fn may_enroll(&mut self, enroll: &Enroll) -> Result<(), NotEnrolled> {
        let layer = self.state.layer.as_ref().filter(|layer| layer.own().is_some());
        let Some(layer) = layer.filter(|_| self.has_operations()) else {
            return Err(NotEnrolled::NoMember);
        };
        let members = layer.members().count();
        let added = layer.join_bytes_max(enroll.origin);
        if self.crowded(1).is_some() {
            return Err(NotEnrolled::Busy);
        }
        if self.run() > Some(&enroll.release) {
            return Err(NotEnrolled::Newer);
        }
        if members >= self.settings.causal.members_max {
            return Err(NotEnrolled::Full);
        }
        let Enrolling { silent, last } = &mut self.operating.enrolling;
        if silent.values().any(|silent| silent.is_own) {
            return Err(NotEnrolled::Busy);
        }
        // A joiner whose donor fails it asks another after its patience: half of that is not in its way.
        let gap = Span::from_nanos(self.settings.causal.patience.as_nanos() / 2);
        let now = self.now;
        last.retain(|_, at| *at <= now && now < *at + gap);
        if last.contains_key(&enroll.origin.node) {
            return Err(NotEnrolled::Early);
        }
        if self.transfer().len() + added > PIECES_MAX as usize * PIECE_BYTES {
            return Err(NotEnrolled::TooLong);
        }
        Ok(())
    }

    /// The state of this instant, for a joiner.
    fn transfer(&self) -> Vec<u8> {
        let running = self.state.running().expect("who lets others in runs something");
        let (release, schema) = (running.envelope.id.clone(), running.schema());
        let mut bytes = Vec::new();
        Given { release, schema, state: running.instance.export().into() }.encode(&mut bytes);
        let layer = self.state.layer.as_ref().expect("who lets others in is a member");
        layer.export(&mut bytes);
        bytes
    }

    /// `by` let `joiner` in: from now on it is waited for.
    pub(crate) fn watch_joiner(&mut self, by: Origin, joiner: Origin) {
        let is_own = self.state.layer.as_ref().and_then(Layer::issues_as) == Some(by);
        let wait = self.settings.causal.silence;
        let until = self.now + if is_own { wait } else { wait + wait };
        self.operating.enrolling.silent.insert(joiner, Silent { is_own, until });
        self.operating.enrolling.last.insert(joiner.node, self.now);
    }

    /// A member was heard of, or is none any more.
    pub(crate) fn hear_joiner(&mut self, origin: Origin) {
        self.operating.enrolling.silent.remove(&origin);
    }

    /// Looks for members that have said nothing yet: a crash, or joining, took what was known of them.
    pub(crate) fn watch_silent(&mut self) {
        let Some(layer) = &self.state.layer else { return };
        let own = layer.issues_as();
        let says_nothing = |member: &Origin| silent(layer.delivered(), *member);
        let others = layer.members().filter(|member| Some(*member) != own);
        let members: Vec<Origin> = others.filter(says_nothing).collect();
        let wait = self.settings.causal.silence;
        let until = self.now + wait + wait;
        let found = members.into_iter().map(|member| (member, Silent { is_own: false, until }));
        self.operating.enrolling.silent.extend(found);
    }

    /// Retires members that were let in and said nothing for too long.
    pub(crate) fn retire_silent(&mut self) {
        let enrolling = &mut self.operating.enrolling;
        let now = self.now;
        let over = enrolling.silent.extract_if(.., |_, silent| silent.until <= now);
        let over: Vec<Origin> = over.map(|(origin, _)| origin).collect();
        for origin in over {
            let layer = self.state.layer.as_ref();
            let still =
                |layer: &&Layer| layer.is_member(origin) && silent(layer.delivered(), origin);
            // Where no name is left to say so under, another says it.
            if layer.filter(still).is_some() {
                let _ = self.broadcast(Said::Retire(origin));
            }
        }
    }

    /// Lets a member go whom everybody waits for in vain.
    pub(crate) fn retire(&mut self, node: NodeId) {
        if let Err(reason) = self.try_retire(node) {
            self.notify(Notice::RetireRefused { node, reason });
        }
    }

    fn try_retire(&mut self, node: NodeId) -> Result<(), String> {
        let layer = self.state.layer.as_ref().ok_or_else(|| "this node is no member".to_owned())?;
        let lives =
            layer.members().filter(|member| member.node == node && layer.is_member(*member));
        let lives: Vec<Origin> = lives.collect();
        if lives.is_empty() {
            return Err(format!("{node} is no member"));
        }
        lives.into_iter().try_for_each(|origin| self.broadcast(Said::Retire(origin)))
    }
}

/// Whether a member that was let in has never said anything.
fn silent(delivered: &Clock, member: Origin) -> bool {
    !member.is_founder() && delivered.get(member) == 0
}
