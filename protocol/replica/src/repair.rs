//! Repair: members compare how far they have come, send what others lack, and say what they have.
//!
//! Every period a node tells another how far it has come; who lacks something asks for ranges of it. A
//! member to whose news others wait to listen says nothing but what it has delivered: a heartbeat.

use std::collections::btree_map::Entry;

use causal::{Answer, Compared, Digest, Origin, Range};
use contract::{NodeId, Time};

use crate::{
    Notice, Replica, Timer,
    message::{Content, OPERATIONS_MAX, Operations, Standing},
    notice::Dropped,
    random::Purpose,
};

impl Replica {
    /// Arms what operations need, where what runs has any.
    pub(crate) fn arm_operations(&mut self) {
        if self.has_operations() {
            let at = self.draws.later(self.now, self.settings.causal.period);
            self.arm(Timer::Compare, at);
        }
    }

    /// Tells a peer how far this node has come, or asks one to let it in.
    pub(crate) fn compare_again(&mut self) {
        if !self.has_operations() {
            return;
        }
        self.arm_operations();
        match &mut self.state.layer {
            Some(layer) if layer.own().is_some() => {
                layer.refuse_circles();
                self.tell_refused();
                self.retire_silent();
                if let Some(peer) = self.any_peer(Purpose::Causal) {
                    self.tell_standing(peer);
                }
            }
            Some(layer) => {
                let (origin, node) = (layer.issues_as(), self.settings.node);
                origin.into_iter().for_each(|origin| self.leave(node, origin));
            }
            None => self.ask_to_join(),
        }
    }

    /// Tells `to` how far this node has come.
    pub(crate) fn tell_standing(&mut self, to: NodeId) {
        let Some(layer) = &self.state.layer else { return };
        if let Some(origin) = layer.own() {
            let digest = layer.digest();
            self.tell(to, Content::Standing(Box::new(Standing { origin, digest })));
        }
    }

    /// Compares how far a peer has come with what is here, and asks for what is missing.
    pub(crate) fn compare_with(&mut self, from: NodeId, standing: &Standing) {
        let Standing { origin, digest } = standing;
        if origin.node != from {
            return self.drop_from(from, Dropped::Malformed);
        }
        let Some(layer) = &mut self.state.layer else {
            self.operating.heard_member = Some(self.now);
            return;
        };
        match layer.compare(*origin, digest) {
            Ok(Compared::Wants(ranges)) if ranges.is_empty() => {
                if layer.lacks(&digest.delivered) {
                    self.tell_standing(from);
                }
            }
            Ok(Compared::Wants(mut ranges)) => {
                // Who joined while this node was away is a stranger, and may say that this node is none.
                let accused = self.operating.accuser == Some(from);
                let parted = self.was_parted(digest).filter(|_| accused);
                ranges.retain(|range| !self.waits_at_the_gate(range));
                if let Some(own) = parted {
                    self.leave_as_told(from, own);
                } else if !ranges.is_empty() {
                    let operations = ranges.iter().map(|range| u64::from(range.more) + 1).sum();
                    self.notify(Notice::RepairAsked { to: from, operations });
                    self.tell(from, Content::Wanted(ranges.into()));
                }
            }
            Ok(Compared::Resync) => self.turn_away(*origin),
            Ok(Compared::Lost) => match self.was_parted(digest) {
                Some(own) => self.leave_as_told(from, own),
                None => self.drop_from(from, Dropped::Malformed),
            },
            Err(why) => match self.forgot_its_own(standing) {
                Some(own) => self.leave_as_told(from, own),
                None => self.reject(*origin, why),
            },
        }
    }

    /// Tells a node that it is no member, and shows it, once a period: it may say the same of this one.
    fn turn_away(&mut self, origin: Origin) {
        let (now, gap) = (self.now, self.settings.causal.period);
        self.operating.turned_away.retain(|_, told| *told + gap > now);
        if let Entry::Vacant(told) = self.operating.turned_away.entry(origin.node) {
            told.insert(now);
            self.tell(origin.node, Content::Resync(origin));
            self.tell_standing(origin.node);
        }
    }

    /// The name under which this node had a place among the members, where a peer has forgotten what was
    /// never here: all members had it. Only one that has what is known to be stable here is believed.
    fn was_parted(&self, digest: &Digest) -> Option<Origin> {
        let layer = self.state.layer.as_ref()?;
        let forgotten = !layer.delivered().covers_all(&digest.collected);
        let sound = digest.delivered.covers_all(&layer.stable());
        layer.issues_as().filter(|_| forgotten && sound)
    }

    /// Whether a member that has what all have also has operations of this node that this node knows
    /// nothing of: its disk lost them, and nobody noticed. Gives the name that it has lost so.
    fn forgot_its_own(&self, standing: &Standing) -> Option<Origin> {
        let Standing { origin, digest } = standing;
        let layer = self.state.layer.as_ref()?;
        let own = layer.own()?;
        let more = digest.delivered.get(own) > layer.delivered().get(own);
        let sound = digest.delivered.covers_all(&layer.stable());
        (layer.is_member(*origin) && more && sound).then_some(own)
    }

    /// Whether all of a range is here and waits for a newer release.
    fn waits_at_the_gate(&self, range: &Range) -> bool {
        let last = causal::Dot { seq: range.first.seq.saturating_add(range.more), ..range.first };
        let held = self.operating.held.count(range.first, last);
        held as u64 > u64::from(range.more)
    }

    /// Sends what there is of what a peer wants.
    pub(crate) fn hand_out(&mut self, to: NodeId, ranges: &[Range]) {
        let Some(layer) = &self.state.layer else { return };
        let Some(via) = layer.own() else { return };
        let bytes_max = self.settings.causal.answer_bytes_max;
        let operations = layer.serve(ranges, Answer { count_max: OPERATIONS_MAX, bytes_max });
        if !operations.is_empty() {
            let count = operations.len() as u32;
            self.notify(Notice::RepairAnswered { to, operations: count });
            self.tell(to, Content::Operations(Box::new(Operations { via, operations })));
        }
    }

    /// Arms the heartbeat where one is owed.
    pub(crate) fn watch_heartbeat(&mut self) {
        let owes = self.state.layer.as_ref().is_some_and(|layer| layer.owes_heartbeat());
        if owes && self.operating.beat_at.is_none() && self.has_operations() {
            let at = self.draws.later(self.now, self.settings.causal.heartbeat);
            self.operating.beat_at = Some(at);
            self.arm(Timer::Heartbeat, at);
        }
    }

    /// Says what was delivered, where nothing else was said since.
    pub(crate) fn beat(&mut self) {
        let due = self.operating.beat_at.is_some_and(|at: Time| at <= self.now);
        let owes = self.state.layer.as_ref().is_some_and(|layer| layer.owes_heartbeat());
        if due && owes && self.has_operations() {
            // Names run out: after four billion operations of one life.
            if let Err(text) = self.broadcast(causal::Content::Heartbeat) {
                let instance = self.state.instance;
                self.notify(Notice::Faulted { instance, text });
            }
        }
        self.operating.beat_at = None;
    }
}
