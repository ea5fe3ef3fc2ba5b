//! Datagrams out: greetings, letters, acknowledgements, and sending again what is not acknowledged.
//!
//! Links with something to send are on one list, links with a deadline on another, so that nothing
//! is paid for the many that rest. One timer stands for all deadlines; it may ring early, never late.

use contract::Time;

use crate::{
    MessageId, Notice, Replica, Timer,
    journal::Change,
    link::GREETING_MAX,
    message::{Ack, Content, Frame, Letter, Once},
    random::Purpose,
};

/// Which links need attention, and when.
#[derive(Debug)]
pub(crate) struct Deadlines {
    /// Links that may have something to send now.
    dirty: Vec<u32>,
    /// Links with a deadline.
    busy: Vec<u32>,
    /// When the timer rings.
    armed: Time,
    /// No link's deadline is earlier.
    earliest: Time,
    /// Whether the timer rang for this input.
    rang: bool,
    /// Bytes of letters that came before their turn, at most.
    pub(crate) waiting: usize,
    /// Links whose outbox is or was lately full.
    pub(crate) crowded: Vec<u32>,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            dirty: Vec::new(),
            busy: Vec::new(),
            armed: Time::NEVER,
            earliest: Time::NEVER,
            rang: false,
            waiting: 0,
            crowded: Vec::new(),
        }
    }
}

impl Deadlines {
    /// The timer rang: it is not armed any more.
    pub(crate) fn ring(&mut self) {
        self.armed = Time::NEVER;
        self.rang = true;
    }
}

impl Replica {
    /// Puts a link on the list of those that may have something to send.
    pub(crate) fn touch(&mut self, place: usize) {
        let link = self.state.links.at_mut(place);
        if !std::mem::replace(&mut link.dirty, true) {
            self.deadlines.dirty.push(place as u32);
        }
    }

    /// Queues a letter to a peer, durably, and gives its name.
    pub(crate) fn post(&mut self, to: contract::NodeId, letter: Letter) -> MessageId {
        let place = self.state.links.place(to);
        self.change(Change::Push { to, letter });
        let out = &self.state.links.at_mut(place).streams_mut().out;
        let (incarnation, sequence) = (out.epoch, out.next - 1);
        if out.letters.len() >= self.settings.link.outbox_max as usize
            && !self.deadlines.crowded.contains(&(place as u32))
        {
            self.deadlines.crowded.push(place as u32);
        }
        self.touch(place);
        MessageId { from: self.settings.node, incarnation, to, sequence }
    }

    /// A peer to which `times` as many letters are under way as may be.
    pub(crate) fn crowded(&mut self, times: usize) -> Option<contract::NodeId> {
        if self.deadlines.crowded.is_empty() {
            return None;
        }
        let (links, most) = (&self.state.links, self.settings.link.outbox_max as usize);
        let crowd = &mut self.deadlines.crowded;
        crowd.retain(|place| links.at(*place as usize).unacknowledged() >= most);
        let full = |place: &&u32| links.at(**place as usize).unacknowledged() >= times * most;
        crowd.iter().find(full).map(|place| links.at(*place as usize).peer)
    }

    /// Sends an at-most-once message, or asks the peer for its incarnation first.
    pub(crate) fn send_once(&mut self, place: usize, once: Once) {
        let link = self.state.links.at_mut(place);
        let (to, known) = (link.peer, link.incarnation);
        if known != 0 {
            return self.send(to, known, Content::Once(once));
        }
        let greeting = &mut link.greeting.get_or_insert_default().0;
        if greeting.len() == GREETING_MAX {
            greeting.pop_front();
        }
        greeting.push_back(once);
        let ack = link.ack(true);
        self.send(to, 0, Content::Ack(ack));
    }

    /// Sends what waited for a peer to name its incarnation.
    pub(crate) fn flush_greeting(&mut self, place: usize) {
        let link = self.state.links.at_mut(place);
        if let Some(greeting) = link.greeting.take() {
            let (to, known) = (link.peer, link.incarnation);
            greeting.0.into_iter().for_each(|once| self.send(to, known, Content::Once(once)));
        }
    }

    /// Tells a peer how far its stream has come, now.
    pub(crate) fn acknowledge(&mut self, place: usize, ask: bool) {
        let link = self.state.links.at_mut(place);
        let (to, known, ack) = (link.peer, link.incarnation, link.ack(ask));
        if let Some(streams) = &mut link.streams {
            streams.into.ack_at = Time::NEVER;
        }
        self.send(to, known, Content::Ack(ack));
    }

    /// Tells a peer how far its stream has come, at `at` the latest.
    pub(crate) fn acknowledge_by(&mut self, place: usize, at: Time) {
        let into = &mut self.state.links.at_mut(place).streams_mut().into;
        into.ack_at = into.ack_at.min(at);
        self.touch(place);
    }

    /// Sends everything that is due on any link, and arms the timer for what is not.
    pub(crate) fn transmit(&mut self) {
        if std::mem::take(&mut self.deadlines.rang) {
            self.remind_links();
        }
        let mut dirty = std::mem::take(&mut self.deadlines.dirty);
        for place in dirty.drain(..) {
            self.state.links.at_mut(place as usize).dirty = false;
            self.pump(place as usize);
            self.watch(place as usize);
        }
        self.deadlines.dirty = dirty;
        if self.deadlines.earliest < self.deadlines.armed {
            self.deadlines.armed = self.deadlines.earliest;
            self.arm(Timer::Link, self.deadlines.armed);
        }
    }

    /// Makes every deadline of a link fall due now.
    pub(crate) fn hurry_links(&mut self) {
        for place in &self.deadlines.busy {
            if let Some(streams) = &mut self.state.links.at_mut(*place as usize).streams {
                for at in [&mut streams.out.retransmit_at, &mut streams.into.ack_at] {
                    *at = if *at == Time::NEVER { *at } else { self.now };
                }
            }
        }
        self.deadlines.ring();
    }

    /// The timer rang: finds the links whose deadline it was.
    fn remind_links(&mut self) {
        self.deadlines.earliest = Time::NEVER;
        let mut busy = std::mem::take(&mut self.deadlines.busy);
        for place in &busy {
            self.state.links.at_mut(*place as usize).busy = false;
        }
        for place in busy.drain(..) {
            self.touch(place as usize);
        }
        // The list is rebuilt as links are looked at; its allocation is kept.
        busy.append(&mut self.deadlines.busy);
        self.deadlines.busy = busy;
    }

    /// Puts a link on the list of those with a deadline, if it has one.
    fn watch(&mut self, place: usize) {
        let link = self.state.links.at_mut(place);
        let deadline = link.deadline();
        if deadline == Time::NEVER {
            return;
        }
        self.deadlines.earliest = self.deadlines.earliest.min(deadline);
        if !std::mem::replace(&mut link.busy, true) {
            self.deadlines.busy.push(place as u32);
        }
    }

    /// Sends what is due on one link.
    fn pump(&mut self, place: usize) {
        let link = self.state.links.at_mut(place);
        if link.peer == self.settings.node || link.streams.is_none() {
            return;
        }
        if link.open {
            self.send_letters(place);
        } else {
            self.greet(place);
        }
        let link = self.state.links.at_mut(place);
        if link.streams_mut().into.ack_at <= self.now {
            self.acknowledge(place, false);
        }
    }

    /// Asks a peer that has not answered yet where its cursor stands.
    fn greet(&mut self, place: usize) {
        let link = self.state.links.at_mut(place);
        let out = &mut link.streams_mut().out;
        let awaited = out.retransmit_at != Time::NEVER && out.retransmit_at > self.now;
        if out.letters.is_empty() || awaited {
            return;
        }
        let draws = &mut self.draws;
        out.back_off(&self.settings.link, |span| draws.later(self.now, span));
        self.acknowledge(place, true);
    }

    fn send_letters(&mut self, place: usize) {
        let mut again = 0;
        let link = self.state.links.at_mut(place);
        let to = link.peer;
        let out = &mut link.streams_mut().out;
        if out.retransmit_at <= self.now {
            let draws = &mut self.draws;
            out.lose(self.now, true);
            out.back_off(&self.settings.link, |span| draws.later(self.now, span));
        }
        loop {
            let link = self.state.links.at_mut(place);
            let (known, ack) = (link.incarnation, link.ack(false));
            let streams = link.streams_mut();
            let (epoch, base) = (streams.out.epoch, streams.out.base());
            let items = streams.out.take(self.now, &mut again);
            if items.is_empty() {
                break;
            }
            streams.into.ack_at = Time::NEVER;
            let draws = &mut self.draws;
            streams.out.expect(&self.settings.link, |span| draws.later(self.now, span));
            let probe = streams.out.probes();
            let frame = Frame { ack, epoch, base, items };
            self.send(to, known, Content::Frame(Box::new(frame)));
            if probe {
                break;
            }
        }
        if again > 0 {
            self.notify(Notice::Retransmitted { to, count: again });
        }
    }

    /// A peer at random, this node excepted.
    pub(crate) fn any_peer(&mut self, purpose: Purpose) -> Option<contract::NodeId> {
        let nodes = &self.state.nodes;
        let others = nodes.len().checked_sub(1).filter(|others| *others > 0)?;
        let at = self.draws.below(purpose, others);
        let own = nodes.binary_search(&self.settings.node).map_or(nodes.len(), |own| own);
        Some(nodes[if at < own { at } else { at + 1 }])
    }
}

/// What a link acknowledges before it has any stream.
const _: () = assert!(size_of::<Ack>() <= 32, "an acknowledgement travels inline");
