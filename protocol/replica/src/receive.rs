//! Datagrams in: who sent them, whether they are late, and how far streams have come.
//!
//! A datagram of an incarnation that is over is dropped and answered, so that its sender learns. App
//! traffic is taken only by the very incarnation it was sent to: whatever a crash made this node
//! forget, a copy from before the crash cannot make it do twice.

use contract::NodeId;

use crate::{
    Message, MessageId, Notice, Replica,
    journal::Change,
    link::Meeting,
    message::{
        Ack, CLOCK_MAX, Content, Frame, INCARNATION_LEAD_MAX, INCARNATION_MAX, Item, Letter,
    },
    notice::Dropped,
    state::{HEARSAY_MAX, NODES_MAX},
};

/// Bytes of letters that came before their turn, over all peers; beyond it they are dropped, and come
/// again.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;

impl Replica {
    /// Takes one datagram in.
    pub(crate) fn receive(&mut self, from: NodeId, message: Message) {
        let Some(place) = self.meet(from) else { return };
        let Message { incarnation, known, content } = message;
        let acknowledged = match &content {
            Content::Ack(ack) => ack.epoch,
            Content::Frame(frame) => frame.ack.epoch,
            _ => 0,
        };
        if incarnation == 0 || !self.believes(place, incarnation, known.max(acknowledged)) {
            return self.drop_from(from, Dropped::Malformed);
        }
        let link = self.state.links.at_mut(place);
        if incarnation < link.incarnation {
            self.drop_from(from, Dropped::Stale);
            return self.acknowledge(place, false);
        }
        if incarnation > link.incarnation {
            link.meet(incarnation);
            self.forget_waiting(place, |_| false);
            self.touch(place);
        }
        if known > self.state.incarnation {
            self.raise(known);
        }
        self.encourage(place);
        let current = known == self.state.incarnation;
        match content {
            Content::Ack(ack) => {
                self.learn(place, &ack);
                if ack.ask {
                    self.acknowledge(place, false);
                }
            }
            Content::Frame(frame) => {
                self.learn(place, &frame.ack);
                if current {
                    self.take_frame(place, *frame);
                } else {
                    self.drop_from(from, Dropped::Stale);
                    self.acknowledge(place, false);
                }
            }
            Content::Once(once) if current => self.take_once(place, once),
            Content::Once(_) => {
                self.drop_from(from, Dropped::Stale);
                self.acknowledge(place, false);
            }
            Content::Digest(digest) => self.compare(from, &digest),
            Content::Offer(offer) => self.consider(from, &offer),
            Content::Pull => self.offer(from),
            Content::Members(nodes) => {
                nodes.iter().for_each(|node| self.learn_node(*node, HEARSAY_MAX))
            }
            Content::Request(request) => self.serve(from, &request),
            Content::Chunk(chunk) => self.take_chunk(from, &chunk),
            Content::Operations(operations) => self.take_operations(from, *operations),
            Content::Standing(standing) => self.compare_with(from, &standing),
            Content::Wanted(ranges) => self.hand_out(from, &ranges),
            Content::Enroll(enroll) => self.enroll(from, &enroll),
            Content::Resync(origin) => self.resync(from, origin),
        }
        self.flush_greeting(place);
    }

    /// Whether a peer may be in incarnation `theirs` and remember `ours` of this node. What is known
    /// already stays so where the clock falls.
    fn believes(&self, place: usize, theirs: u64, ours: u64) -> bool {
        let limit = self.now.as_nanos().min(CLOCK_MAX) + INCARNATION_LEAD_MAX;
        theirs <= limit.max(self.state.links.at(place).incarnation)
            && ours <= limit.max(self.state.incarnation)
    }

    /// A peer was heard: letters that it has not acknowledged may reach it now.
    fn encourage(&mut self, place: usize) {
        let Some(streams) = &mut self.state.links.at_mut(place).streams else { return };
        let before = streams.out.retransmit_at;
        streams.out.encourage(self.now, &self.settings.link);
        if streams.out.retransmit_at < before {
            self.touch(place);
        }
    }

    /// The link to a sender. A sender that was not known is from now on; `None` where there are too
    /// many, or the sender claims to be this node.
    fn meet(&mut self, from: NodeId) -> Option<usize> {
        if let Some(place) = self.state.links.find(from) {
            return (from != self.settings.node).then_some(place);
        }
        self.learn_node(from, NODES_MAX);
        let known = self.state.nodes.binary_search(&from).is_ok();
        (known && from != self.settings.node).then(|| self.state.links.place(from))
    }

    /// Knows of `node` from now on, where fewer than `limit` are known.
    fn learn_node(&mut self, node: NodeId, limit: u32) {
        if self.state.nodes.len() < limit as usize && self.state.nodes.binary_search(&node).is_err()
        {
            self.change(Change::Node(node));
            self.learned.push((self.steps, node));
        }
    }

    pub(crate) fn drop_from(&mut self, from: NodeId, why: Dropped) {
        self.notify(Notice::Dropped { from, why });
    }

    /// A peer remembers incarnation `above` of this node: this one must be higher.
    pub(crate) fn raise(&mut self, above: u64) {
        assert!(above < INCARNATION_MAX, "what is not believed raises nothing");
        self.change(Change::Raise(above + 1));
    }

    /// Learns how far the peer has received this node's stream.
    fn learn(&mut self, place: usize, ack: &Ack) {
        if ack.epoch > self.state.incarnation {
            self.raise(ack.epoch);
        }
        let link = self.state.links.at_mut(place);
        let opening = !std::mem::replace(&mut link.open, true);
        if link.streams.is_none() {
            return;
        }
        if opening {
            self.open(place, ack);
            self.touch(place);
        }
        let node = self.settings.node;
        let link = self.state.links.at_mut(place);
        let peer = link.peer;
        let out = &mut link.streams_mut().out;
        if !out.concerns(ack) {
            return;
        }
        let lossy = out.observe(ack, self.now, &self.settings.link);
        let received = (ack.cursor + 1 - out.base()) as usize;
        for (at, sequence) in (out.base()..=ack.cursor).enumerate() {
            if matches!(out.letters[at].letter, Letter::App { .. }) {
                let id = MessageId { from: node, incarnation: out.epoch, to: peer, sequence };
                let notice = Notice::Acknowledged { id };
                self.effects.push(contract::Effect::Notify(notice));
            }
        }
        out.forget(ack.cursor);
        if lossy {
            out.lose(self.now, false);
        }
        if lossy || received > 0 {
            self.touch(place);
        }
    }

    /// The first acknowledgement of a session: do both disks remember the same?
    fn open(&mut self, place: usize, ack: &Ack) {
        let node = self.settings.node;
        let link = self.state.links.at_mut(place);
        let peer = link.peer;
        let out = &mut link.streams_mut().out;
        match out.meeting(ack) {
            Meeting::Agreed => {}
            Meeting::PeerForgot => {
                let unacknowledged = out.ids(node, peer).collect();
                self.notify(Notice::PeerLost { peer, unacknowledged });
            }
            Meeting::Renew { epoch, received } => {
                if self.state.incarnation <= epoch {
                    self.raise(epoch);
                }
                let epoch = self.state.incarnation;
                let ids = |replica: &Self| -> Vec<MessageId> {
                    let streams = replica.state.links.at(place).streams.as_deref();
                    streams.map_or(Vec::new(), |streams| streams.out.ids(node, peer).collect())
                };
                let mut before = ids(self);
                self.change(Change::Renew { to: peer, epoch, received });
                let after = ids(self);
                for id in before.drain(..before.len() - after.len()) {
                    self.notify(Notice::Acknowledged { id });
                }
                self.notify(Notice::Renumbered { peer, before, after });
            }
        }
    }

    fn take_frame(&mut self, place: usize, frame: Frame) {
        if !frame.is_sound() {
            let from = self.state.links.at(place).peer;
            return self.drop_from(from, Dropped::Malformed);
        }
        let Frame { ack, epoch, base, items } = frame;
        let link = self.state.links.at_mut(place);
        let from = link.peer;
        let into = &link.streams_mut().into;
        let cursor = into.cursor;
        if epoch < into.epoch {
            self.drop_from(from, Dropped::Stale);
            return self.acknowledge_by(place, self.now);
        }
        if epoch > into.epoch || base > cursor + 1 {
            // Nothing below the base will come again: either a new stream, or this node has forgotten.
            let same = epoch == into.epoch;
            self.forget_waiting(place, |sequence| same && sequence > base);
            self.change(Change::Cursor { from, epoch, cursor: base - 1 });
        }
        let mut at_once = ack.ask;
        for item in items {
            at_once |= !self.take_item(place, epoch, item);
        }
        let delay = self.settings.link.ack_delay;
        self.acknowledge_by(place, if at_once { self.now } else { self.now + delay });
    }

    /// Takes a letter, or keeps it for its turn. Says whether it came in its turn and was taken.
    fn take_item(&mut self, place: usize, epoch: u64, item: Item) -> bool {
        let link = self.state.links.at_mut(place);
        let from = link.peer;
        let into = &mut link.streams_mut().into;
        if item.sequence <= into.cursor || into.waiting.contains_key(&item.sequence) {
            self.drop_from(from, Dropped::Duplicate);
            return false;
        }
        if item.sequence > into.cursor + 1 {
            let within = into.within(item.sequence);
            let bytes = self.deadlines.waiting + weight(&item.letter);
            if within && bytes <= WAITING_BYTES_MAX {
                self.deadlines.waiting = bytes;
                let into = &mut self.state.links.at_mut(place).streams_mut().into;
                into.waiting.insert(item.sequence, item.letter);
            } else {
                self.drop_from(from, Dropped::BeyondWindow);
            }
            return false;
        }
        let mut taken = self.take_letter(from, epoch, item.sequence, item.letter);
        while taken {
            let into = &mut self.state.links.at_mut(place).streams_mut().into;
            let next = into.cursor + 1;
            let Some(letter) = into.waiting.remove(&next) else { break };
            self.deadlines.waiting -= weight(&letter);
            taken = self.take_letter(from, epoch, next, letter);
        }
        taken
    }

    /// Drops the letters from a peer that wait for their turn, but those with a number to `keep`.
    fn forget_waiting(&mut self, place: usize, keep: impl Fn(u64) -> bool) {
        let Some(streams) = &mut self.state.links.at_mut(place).streams else { return };
        let mut freed = 0;
        streams.into.waiting.retain(|sequence, letter| {
            let kept = keep(*sequence);
            freed += if kept { 0 } else { weight(letter) };
            kept
        });
        self.deadlines.waiting -= freed;
    }

    /// Takes the next letter of a stream. Says whether there was room to.
    pub(crate) fn take_letter(
        &mut self,
        from: NodeId,
        epoch: u64,
        sequence: u64,
        letter: Letter,
    ) -> bool {
        match letter {
            Letter::App { stamp, body } => self.arrive(from, epoch, sequence, stamp, body),
            Letter::Nack(nack) => {
                self.change(Change::Cursor { from, epoch, cursor: sequence });
                let to = from;
                let (from, incarnation) = (self.settings.node, nack.epoch);
                let id = MessageId { from, incarnation, to, sequence: nack.sequence };
                self.notify(Notice::Nacked { id, why: nack.why });
                true
            }
            Letter::Piece(piece) => {
                self.change(Change::Cursor { from, epoch, cursor: sequence });
                self.take_piece(from, *piece);
                true
            }
        }
    }
}

/// What a waiting letter counts for.
fn weight(letter: &Letter) -> usize {
    match letter {
        Letter::App { body, .. } => body.bytes.len() + 64,
        Letter::Nack(_) => 64,
        Letter::Piece(piece) => piece.bytes.len() + 64,
    }
}
