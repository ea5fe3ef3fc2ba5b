//! Release gossip: how the newest signed envelope reaches every node, with its publisher gone.
//!
//! A node passes on the very bytes that were signed, so any other can verify them. Push for speed, to
//! a few peers at once; a digest to some peer now and then for certainty. Unversioned: no gate stops
//! it, or nodes that differ would never meet again.
//! Source: "Dynamic Software Updates using CRDTs", sections 3.1 and 4.4.

use std::{cmp::Ordering, sync::Arc};

use contract::NodeId;
use upgrade::{
    bugs::Bug,
    lattice::Merged,
    release::{Envelope, Stamp},
    trust::Refusal,
};

use crate::{
    Bytes, Notice, Replica, Timer,
    code::Code,
    journal::Change,
    message::{Content, Digest, MEMBERS_MAX, Offer},
    random::Purpose,
    state::verified,
};

impl Replica {
    /// Tells some peer what this node knows, and arms the timer for the next.
    pub(crate) fn gossip(&mut self) {
        if let Some(peer) = self.any_peer(Purpose::Gossip) {
            self.digest(peer, true);
        }
        self.arm_gossip();
    }

    pub(crate) fn arm_gossip(&mut self) {
        let period = self.settings.gossip.period;
        let quarter = contract::Span::from_nanos(period.as_nanos() / 4 * 3);
        // From three quarters of the period to five.
        let spread = self.draws.below(Purpose::Jitter, (period.as_nanos() / 2) as usize + 1);
        let at = self.now + quarter + contract::Span::from_nanos(spread as u64);
        self.arm(Timer::Gossip, at);
    }

    /// Tells `to` what this node knows of releases.
    pub(crate) fn digest(&mut self, to: NodeId, reply: bool) {
        let known = self.state.known();
        let digest = Digest {
            known: known.map(|known| known.id.clone()),
            mark: self.state.mark,
            whole: self.state.code.whole().is_some(),
            reply,
            nodes: self.state.nodes.len() as u32,
        };
        self.tell(to, Content::Digest(digest));
    }

    /// Offers `to` the newest release this node knows.
    pub(crate) fn offer(&mut self, to: NodeId) {
        if let Some(signed) = self.state.signed.clone() {
            let whole = self.state.code.whole().is_some();
            self.tell(to, Content::Offer(Offer { signed, whole }));
        }
    }

    /// Compares what a peer knows with what this node does, and tells or asks for the difference.
    pub(crate) fn compare(&mut self, from: NodeId, digest: &Digest) {
        if (digest.nodes as usize) < self.state.nodes.len() {
            self.introduce(from);
        }
        let own = self.state.known().map(|known| &known.id);
        match own.cmp(&digest.known.as_ref()) {
            Ordering::Less => self.tell(from, Content::Pull),
            Ordering::Greater => self.offer(from),
            Ordering::Equal if digest.mark != self.state.mark => self.offer(from),
            Ordering::Equal => {
                if digest.whole {
                    self.has_code(from);
                } else {
                    self.lacks_code(from);
                }
                if digest.reply {
                    self.digest(from, false);
                }
            }
        }
    }

    /// Names some nodes to a peer that knows fewer.
    fn introduce(&mut self, to: NodeId) {
        let count = self.state.nodes.len();
        let first = self.draws.below(Purpose::Gossip, count);
        let nodes = self.state.nodes.iter().cycle().skip(first).take(count.min(MEMBERS_MAX));
        let nodes = nodes.copied().collect();
        self.tell(to, Content::Members(nodes));
    }

    /// A message is of a release that this node does not know: its sender does (D16).
    pub(crate) fn seek(&mut self, from: NodeId, stamp: Option<&Stamp>) {
        let newer = stamp
            .is_some_and(|stamp| self.state.known().is_none_or(|known| *stamp.id() > known.id));
        if newer && from != self.settings.node {
            self.tell(from, Content::Pull);
        }
    }

    /// Takes an offered envelope in, if it is signed by whom this node believes.
    pub(crate) fn consider(&mut self, from: NodeId, offer: &Offer) {
        match verified(&self.settings, &mut self.verifier, &offer.signed, true) {
            Ok(envelope) => {
                if self.stamped_by_bug(&envelope) {
                    return;
                }
                let merged = self.merge(&offer.signed, &envelope, Some(from));
                if offer.whole && self.state.known().is_some_and(|known| known.id == envelope.id) {
                    self.has_code(from);
                }
                if merged == Merged::Older {
                    self.offer(from);
                }
            }
            Err(refusal) => self.forged(from, refusal),
        }
    }

    /// A planted bug: gossip passes the gate like a message of the release it speaks of, and waits
    /// for what it brings.
    fn stamped_by_bug(&self, envelope: &Envelope) -> bool {
        self.settings.bugs.has(Bug::AppCrdtMessagesStamped)
            && self.state.running().is_some_and(|running| {
                envelope.id > running.envelope.id && envelope.class != running.envelope.class
            })
    }

    fn forged(&mut self, from: NodeId, refusal: Refusal) {
        self.notify(Notice::Forged { from, refusal });
    }

    /// Takes a release from a local publisher: the same path, with the code at hand.
    pub(crate) fn publish(&mut self, signed: &Bytes, code: &Bytes) {
        let node = self.settings.node;
        let envelope = match verified(&self.settings, &mut self.verifier, signed, false) {
            Ok(envelope) => envelope,
            Err(refusal) => return self.forged(node, refusal),
        };
        self.merge(signed, &envelope, None);
        let wanted = self.state.known().is_some_and(|known| known.id == envelope.id);
        if !envelope.accepts(code) {
            let release = envelope.id.clone();
            self.notify(Notice::BadCode { release, from: node });
        } else if wanted && matches!(self.state.code, Code::Parts(_)) {
            self.change(Change::Whole(Arc::clone(code)));
            self.fetched();
        }
    }

    /// Merges a verified envelope and passes it on where it is news. `from`: whom not to tell.
    fn merge(&mut self, signed: &Bytes, envelope: &Arc<Envelope>, from: Option<NodeId>) -> Merged {
        let id = |replica: &Self| replica.state.known().map(|known| known.id.clone());
        let before = id(self);
        let merge = self.state.merge(signed, envelope);
        let news = matches!(merge.merged, Merged::Raised { .. } | Merged::Reissued);
        if news {
            self.note(&Change::Known(Arc::clone(signed)));
            self.progress = true;
        }
        let (incoming, after) = (Arc::clone(envelope), id(self));
        self.notify(Notice::Merged { incoming, before, after });
        if let Some(conflict) = merge.conflict {
            let (winner, loser) = (conflict.winner, conflict.loser);
            self.notify(Notice::Conflict { winner, loser });
        }
        let again =
            matches!(&merge.merged, Merged::Raised { from, to } if from.as_ref() == Some(to));
        if matches!(merge.merged, Merged::Raised { .. }) {
            self.again = again;
            self.staged = None;
            self.stop_fetching();
        }
        if news && !again {
            self.push(from, |replica, peer| replica.offer(peer));
        }
        merge.merged
    }

    /// Tells a few peers at random, `except` excepted.
    pub(crate) fn push(&mut self, except: Option<NodeId>, tell: impl Fn(&mut Self, NodeId)) {
        for _ in 0..self.settings.gossip.fanout {
            if let Some(peer) = self.any_peer(Purpose::Gossip)
                && Some(peer) != except
            {
                tell(self, peer);
            }
        }
    }
}
