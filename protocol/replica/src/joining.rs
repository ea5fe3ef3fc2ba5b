//! Joining, and leaving.
//!
//! A node without a place among the members asks one. That one issues `Join` and sends its state of that
//! very instant: the app's and the layer's. Each attempt is a life of its own, so that nobody ever believes
//! the joiner to have what it was sent by another. Where the donor runs an older release, the joiner's own
//! migrates the state; where it runs a newer one, the joiner has to upgrade first, and asks again.

use std::sync::Arc;

use app::{Meter, SchemaId};
use causal::{Heir, Origin};
use contract::{
    Encode, Malformed, NodeId, Time, Wire,
    wire::{put_blob, take_array, take_blob},
};
use upgrade::{
    path::{migrate_along, state_path},
    release::ReleaseId,
};

use crate::{
    Bytes, Notice, Replica, Settings, Timer,
    journal::{Adopted, CHANGES, Change},
    message::{Content, Enroll, PIECES_MAX, Piece},
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

/// What a donor gives away, in front of its layer.
pub(crate) struct Given {
    /// The release that it runs.
    pub(crate) release: ReleaseId,
    /// The schema of the state.
    pub(crate) schema: SchemaId,
    /// The exported state of the app.
    pub(crate) state: Bytes,
}

impl Encode for Given {
    fn encode(&self, out: &mut Vec<u8>) {
        self.release.encode(out);
        out.extend_from_slice(&self.schema);
        put_blob(out, &self.state);
    }
}

impl Wire for Given {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let (release, schema) = (ReleaseId::read(bytes)?, take_array(bytes)?);
        Ok(Self { release, schema, state: take_blob(bytes)?.into() })
    }
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
        self.miss_members();
    }

    /// A life that nobody was asked for before: an incarnation, a new one where this one was used.
    pub(crate) fn fresh_life(&mut self) -> u64 {
        if self.operating.life >= self.state.incarnation {
            self.raise(self.state.incarnation);
        }
        self.operating.life = self.state.incarnation;
        self.state.incarnation
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
            if let Err(text) = self.go_on_from(from, origin, &state) {
                let instance = self.state.instance;
                self.notify(Notice::Faulted { instance, text });
            }
        }
    }

    /// Becomes a member. Errors: why not, in words; the next attempt is another life.
    fn go_on_from(
        &mut self,
        donor: NodeId,
        origin: Origin,
        mut bytes: &[u8],
    ) -> Result<(), String> {
        let of_state = |malformed: Malformed| format!("the state of {donor}: {malformed}");
        let given = Given::read(&mut bytes).map_err(of_state)?;
        let (state, edges) = self.migrated(&given)?;
        let adopted = Adopted { origin, state: Arc::clone(&state), layer: bytes.into() };
        let limits = self.settings.causal.limits;
        let layer = Layer::import(&mut bytes, Heir::Joiner(origin), limits).map_err(of_state)?;
        self.state.adopt(&adopted, &self.settings).map_err(of_state)?;
        self.note(&Change::Adopt(Box::new(adopted)));
        self.forget_operations();
        self.watch_silent();
        let (instance, delivered) = (self.state.instance, layer.delivered().clone());
        let release = given.release;
        let joined = BecameMember { origin, donor, release, edges, state, delivered, instance };
        self.notify(Notice::BecameMember(Box::new(joined)));
        self.tell_standing(donor);
        Ok(())
    }

    /// The state that was given, as what runs here reads it, and the edges that it took: a donor of an
    /// older release gives an older state, which goes the way of any upgrade. Operations of that release
    /// that are still to come are converted when they are delivered, as everywhere.
    fn migrated(&self, given: &Given) -> Result<(Bytes, Vec<u32>), String> {
        let running = self.state.running().ok_or("nothing runs here that could take a state")?;
        if given.release > running.envelope.id {
            return Err(format!("the state of {} is newer than what runs here", given.release));
        }
        let program = &*running.program;
        let path = state_path(program.manifest(), given.schema)
            .ok_or_else(|| format!("no edge leads here from the state of {}", given.release))?;
        let budget = running.envelope.budget;
        let mut meter = Meter::new(budget.fuel);
        let state = migrate_along(program, &path, &given.state, &mut meter)
            .map_err(|fault| format!("the state of {}: {fault}", given.release))?;
        let edges = path.edges().to_vec();
        if !edges.is_empty() && state.len() as u64 > budget.state_bytes {
            return Err(format!("the state of {} becomes too long", given.release));
        }
        let checked = program.manifest().state.check(&state);
        checked.map_err(|malformed| format!("the state of {}: {malformed}", given.release))?;
        Ok((state.into(), edges))
    }

    /// A peer says that `origin` is no member. Who asked to become one asks another. Who believes to be one
    /// wants to see it: what tells of it, or that others have forgotten what it lacks, see
    /// [`Replica::compare_with`].
    pub(crate) fn resync(&mut self, from: NodeId, origin: Origin) {
        let joining = self.operating.joining.as_ref();
        let denied = joining.is_some_and(|asked| asked.donor == from && asked.origin == origin);
        let own = self.state.layer.as_ref().and_then(Layer::issues_as);
        if denied {
            self.operating.joining = None;
        } else if own == Some(origin) {
            self.operating.accuser = Some(from);
        } else {
            self.drop_from(from, Dropped::Unasked);
        }
    }

    /// Leaves as a peer's clocks have it, where that was not done a moment ago: nobody proves who he is,
    /// and joining costs everybody something.
    pub(crate) fn leave_as_told(&mut self, from: NodeId, origin: Origin) {
        let patience = self.settings.causal.patience;
        let (now, left) = (self.now, self.operating.left);
        if left.is_some_and(|left| left <= now && now < left + patience) {
            return self.drop_from(from, Dropped::Unasked);
        }
        self.operating.left = Some(now);
        self.leave(from, origin);
    }

    /// Is a member no more, and asks to be let in again.
    pub(crate) fn leave(&mut self, from: NodeId, origin: Origin) {
        self.change(Change::Leave);
        self.forget_operations();
        self.operating.life = self.operating.life.max(origin.life);
        self.notify(Notice::Resynced { origin, from });
        self.arm(Timer::Compare, self.now);
    }
}
