//! Joining, leaving, and being let go.
//!
//! A node without a place among the members asks one that runs the same release. That one issues `Join`
//! and sends its state of that very instant: the app's and the layer's. Each attempt is a life of its own, so
//! that nobody ever believes the joiner to have what it was sent by another.

use std::sync::Arc;

use causal::{Content as Said, Heir, Origin};
use contract::{
    Encode, Malformed, NodeId, Time, Wire,
    wire::{put_blob, take_blob},
};
use upgrade::release::ReleaseId;

use crate::{
    Bytes, Notice, Replica, Settings, Timer,
    journal::{Adopted, CHANGES, Change},
    message::{Content, Enroll, Letter, PIECE_BYTES, PIECES_MAX, Piece},
    notice::{BecameMember, Dropped},
    random::Purpose,
    state::Layer,
};

/// Who was asked to let this node in, and what came of it.
#[derive(Debug)]
pub(crate) struct Joining {
    pub(crate) donor: NodeId,
    origin: Origin,
    /// When another is asked.
    until: Time,
    pieces: Vec<Option<Bytes>>,
}

impl Replica {
    /// The records of a founder: of a node that broadcasts operations from the beginning of the fleet,
    /// as do all of `founders`. A driver puts them on its disk before its first start, and never again:
    /// whoever loses them has to be let in by the others.
    pub fn genesis(settings: &Settings, founders: &[NodeId]) -> Vec<Vec<u8>> {
        let mut nodes: Vec<NodeId> = founders.iter().copied().chain([settings.node]).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let mut record = vec![CHANGES];
        Change::Found(nodes).encode(None, &mut record);
        vec![record]
    }

    /// Asks a member to be let in, or asks again.
    pub(crate) fn ask_to_join(&mut self) {
        let Some(release) = self.run().cloned() else { return };
        let pending = self.operating.joining.as_ref().filter(|joining| joining.until > self.now);
        let (donor, origin) = match pending {
            Some(joining) => (joining.donor, joining.origin),
            None => {
                let Some(donor) = self.any_peer(Purpose::Causal) else { return };
                let origin = Origin { node: self.settings.node, life: self.fresh_life() };
                let until = self.draws.later(self.now, self.settings.causal.patience);
                let pieces = Vec::new();
                self.operating.joining = Some(Joining { donor, origin, until, pieces });
                (donor, origin)
            }
        };
        self.tell(donor, Content::Enroll(Box::new(Enroll { origin, release })));
    }

    /// A life that nobody was asked for before: an incarnation, a new one where this one was used.
    fn fresh_life(&mut self) -> u64 {
        if self.operating.life >= self.state.incarnation {
            self.raise(self.state.incarnation);
        }
        self.operating.life = self.state.incarnation;
        self.state.incarnation
    }

    /// A peer asks to be let in.
    pub(crate) fn enroll(&mut self, from: NodeId, enroll: &Enroll) {
        let Enroll { origin, release } = enroll;
        if origin.node != from || origin.is_founder() {
            return self.drop_from(from, Dropped::Malformed);
        }
        let same = self.run() == Some(release) && self.has_operations();
        let fits = |layer: &&Layer| {
            let known = layer.is_member(*origin) || layer.is_retired(*origin);
            layer.own().is_some() && !known
        };
        if !same || self.state.layer.as_ref().filter(fits).is_none() || self.crowded(1).is_some() {
            return self.drop_from(from, Dropped::Unasked);
        }
        if self.broadcast(Said::Join(*origin)).is_err() {
            return;
        }
        let state = self.transfer(release);
        let count = state.len().div_ceil(PIECE_BYTES) as u32;
        self.notify(Notice::Enrolled { origin: *origin });
        for (index, bytes) in (0..).zip(state.chunks(PIECE_BYTES)) {
            let piece = Piece { origin: *origin, index, count, bytes: bytes.into() };
            self.post(from, Letter::Piece(Box::new(piece)));
        }
    }

    /// The state of this instant, for a joiner.
    fn transfer(&self, release: &ReleaseId) -> Vec<u8> {
        let mut bytes = Vec::new();
        release.encode(&mut bytes);
        put_blob(&mut bytes, &self.export().expect("what runs has a state"));
        let layer = self.state.layer.as_ref().expect("who lets others in is a member");
        layer.export(&mut bytes);
        bytes
    }

    /// A part of the state arrived.
    pub(crate) fn take_piece(&mut self, from: NodeId, piece: Piece) {
        let Piece { origin, index, count, bytes } = piece;
        let asked = self.operating.joining.as_mut().filter(|joining| {
            let fits = joining.pieces.is_empty() || joining.pieces.len() == count as usize;
            joining.origin == origin && joining.donor == from && fits && index < count
        });
        let Some(joining) = asked.filter(|_| count <= PIECES_MAX) else {
            return self.drop_from(from, Dropped::Unasked);
        };
        joining.pieces.resize(count as usize, None);
        joining.pieces[index as usize] = Some(bytes);
        if joining.pieces.iter().all(Option::is_some) {
            let state: Vec<u8> =
                joining.pieces.iter().flatten().flat_map(|part| part.iter().copied()).collect();
            self.operating.joining = None;
            if self.go_on_from(from, origin, &state).is_err() {
                self.drop_from(from, Dropped::Malformed);
            }
        }
    }

    /// Becomes a member. Errors: [`Malformed`] where the state is of another release, or none; the next
    /// attempt is another life.
    fn go_on_from(
        &mut self,
        donor: NodeId,
        origin: Origin,
        mut bytes: &[u8],
    ) -> Result<(), Malformed> {
        let release = ReleaseId::read(&mut bytes)?;
        let state: Bytes = take_blob(&mut bytes)?.into();
        if self.run() != Some(&release) {
            return Err(Malformed("a state of the release that runs"));
        }
        let adopted = Adopted { origin, state: Arc::clone(&state), layer: bytes.into() };
        let layer = Layer::import(&mut bytes, Heir::Joiner(origin), self.settings.causal.limits)?;
        self.state.adopt(&adopted, &self.settings)?;
        self.note(&Change::Adopt(Box::new(adopted)));
        self.forget_operations();
        let (instance, delivered) = (self.state.instance, layer.delivered().clone());
        let joined = BecameMember { origin, donor, state, delivered, instance };
        self.notify(Notice::BecameMember(Box::new(joined)));
        self.tell_standing(donor);
        Ok(())
    }

    /// A peer says that `origin` is no member any more.
    pub(crate) fn resync(&mut self, from: NodeId, origin: Origin) {
        let own = self.state.layer.as_ref().and_then(Layer::issues_as);
        if own == Some(origin) {
            self.leave(from, origin);
        } else {
            self.drop_from(from, Dropped::Unasked);
        }
    }

    /// Is a member no more, and asks to be let in again.
    pub(crate) fn leave(&mut self, from: NodeId, origin: Origin) {
        self.change(Change::Leave);
        self.forget_operations();
        self.operating.life = self.operating.life.max(origin.life);
        self.notify(Notice::Resynced { origin, from });
        self.arm(Timer::Compare, self.now);
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
