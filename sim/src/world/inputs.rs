//! Inputs: what the queue brings to a node, and what happens where the node cannot take it.

use super::{Head, Item, Rare, World};
use crate::{
    event::{Event, View, Watch, Why},
    fingerprint::Kind,
    ledger::Injector,
    network::Met,
    node::State,
    timers::Armed,
    world::Order,
};
use contract::{Choices, Input, NodeId, Process, Time, Wire as _};

/// Events that wait for a paused node at most; a datagram beyond them is dropped.
const WAITING_MAX: usize = 1 << 16;
/// Effects that wait for a disk at most; while there are more, datagrams to the node are dropped.
const BACKLOG_MAX: usize = 1 << 16;

impl<P: Process, C: Choices> World<P, C> {
    /// Shows an event to the watcher and keeps what it orders.
    #[inline(always)]
    pub(crate) fn emit<W: Watch<P>>(&mut self, event: Event<'_, P>, watch: &mut W) {
        match watch.event(self.core.now, event, &View { core: &self.core }) {
            crate::Control::Continue => {}
            crate::Control::Crash { node, down_for, damage } => {
                self.core.orders.push_back(Order::Crash { node, down_for, damage });
            }
            crate::Control::Stop => self.core.orders.push_back(Order::Stop),
        }
    }

    /// Shows an event, obeys, and says whether the node is still in this incarnation.
    #[inline(always)]
    fn survives<W: Watch<P>>(&mut self, slot: u32, event: Event<'_, P>, watch: &mut W) -> bool {
        let before = self.core.nodes[slot as usize].incarnation;
        self.emit(event, watch);
        if !self.core.orders.is_empty() {
            self.obey(watch);
        }
        self.core.nodes[slot as usize].incarnation == before
    }

    /// A datagram reaches the end of its link.
    #[inline(always)]
    pub(crate) fn arrive<W: Watch<P>>(&mut self, slot: u32, watch: &mut W) {
        let head = self.core.flights.get(slot).head;
        if self.may_arrive(Item::Datagram(slot), head, watch) {
            let flight = self.core.flights.take(slot);
            self.deliver(head, flight.message, watch);
        }
    }

    /// A datagram of bytes reaches the end of its link.
    pub(crate) fn open<W: Watch<P>>(&mut self, slot: u32, watch: &mut W) {
        let head = self.core.letters.get(slot).head;
        if !self.may_arrive(Item::Letter(slot), head, watch) {
            return;
        }
        let bytes = self.core.letters.take(slot).message;
        let decoded = P::Message::decode(&bytes);
        self.core.recycle(bytes);
        match decoded {
            Ok(message) => self.deliver(head, message, watch),
            Err(_) => self.undeliverable(head, Why::Malformed, watch),
        }
    }

    #[inline(always)]
    fn deliver<W: Watch<P>>(&mut self, head: Head, message: P::Message, watch: &mut W) {
        let core = &mut self.core;
        let Head { from, number, copy, .. } = head;
        core.counts.delivered += 1;
        if core.fingerprint.is_on() || W::DATAGRAMS {
            let node = &core.nodes[head.to as usize];
            let (to, input) = (node.id, node.inputs + 1);
            let numbers = [number, u64::from(from.0) << 1 | u64::from(copy)];
            core.fingerprint.take(Kind::Deliver, core.now, to.0, numbers, |_| {});
            if W::DATAGRAMS {
                let event = Event::Delivered { from, to, number, copy, message: &message, input };
                if !self.survives(head.to, event, watch) {
                    return;
                }
            }
        }
        self.feed(head.to, Input::Message { from, message }, watch);
    }

    /// Whether a datagram gets past cuts, clogs and the state of its receiver. Where it does not, it
    /// was dropped or waits.
    #[inline(always)]
    fn may_arrive<W: Watch<P>>(&mut self, item: Item, head: Head, watch: &mut W) -> bool {
        let node = &self.core.nodes[head.to as usize];
        let clear = node.state == State::Up && !node.barrier && !self.core.troubled;
        clear || self.meets_no_trouble(item, head, watch)
    }

    #[inline(never)]
    fn meets_no_trouble<W: Watch<P>>(&mut self, item: Item, head: Head, watch: &mut W) -> bool {
        let core = &mut self.core;
        let from = head.from;
        let node = &mut core.nodes[head.to as usize];
        let (to, state) = (node.id, node.state);
        let crowded = node.cold.backlog.len() > BACKLOG_MAX;
        let ledger = &mut core.ledger;
        let why = if core.cuts.meet(from, to, |injector| ledger.took_effect(injector)) {
            Why::Cut
        } else {
            match core.clogs.meet(from, to, item.bits()) {
                Met::Clear => match state {
                    State::Up if crowded => Why::Overflowed,
                    State::Up => return true,
                    State::Paused if node.cold.waiting.len() < WAITING_MAX => {
                        node.cold.waiting.push(item.bits());
                        return false;
                    }
                    State::Paused => Why::Overflowed,
                    State::Down => Why::Down,
                    State::Absent | State::Gone => Why::Absent,
                },
                Met::Held { first } => {
                    if first {
                        core.ledger.took_effect(Injector::Clog);
                    }
                    return false;
                }
                Met::Overflowed => Why::Overflowed,
            }
        };
        self.drop_datagram(item, why, watch);
        false
    }

    /// Drops a datagram at the end of its link.
    pub(crate) fn drop_datagram<W: Watch<P>>(&mut self, item: Item, why: Why, watch: &mut W) {
        let head = match item {
            Item::Datagram(slot) => self.core.flights.take(slot).head,
            Item::Letter(slot) => {
                let letter = self.core.letters.take(slot);
                self.core.recycle(letter.message);
                letter.head
            }
            Item::Timer(_) | Item::Rare(_) => unreachable!("only datagrams are dropped"),
        };
        self.undeliverable(head, why, watch);
    }

    fn undeliverable<W: Watch<P>>(&mut self, head: Head, why: Why, watch: &mut W) {
        let Head { from, number, copy, .. } = head;
        let to = self.core.nodes[head.to as usize].id;
        let core = &mut self.core;
        match why {
            Why::Cut => core.counts.cut += 1,
            Why::Overflowed => core.counts.overflowed += 1,
            Why::Malformed => core.counts.mangled += 1,
            Why::Down | Why::Absent => core.counts.undeliverable += 1,
        }
        let numbers = [number, u64::from(from.0) << 1 | u64::from(copy)];
        core.fingerprint.take(Kind::Undeliverable, core.now, to.0, numbers, |page| {
            page.push(why as u8);
        });
        if W::DATAGRAMS {
            self.emit(Event::Undeliverable { from, to, number, copy, why }, watch);
        }
    }

    /// A timer of a node may be due: the event with this sequence number was planned for it.
    #[inline(always)]
    pub(crate) fn fire<W: Watch<P>>(&mut self, slot: u32, sequence: u64, watch: &mut W) {
        let core = &mut self.core;
        let node = &mut core.nodes[slot as usize];
        let planned = |planned: Option<(u64, u64)>| planned.is_some_and(|(_, own)| own == sequence);
        let Some(at) = node.timers.position(|armed| planned(armed.planned)) else {
            return;
        };
        node.timers[at].planned = None;
        if node.clock.read(core.now) < node.timers[at].due {
            return core.plan_timer(slot, at);
        }
        if node.state == State::Paused {
            node.cold.waiting.push(Item::Timer(slot).bits());
            return;
        }
        assert_eq!(node.state, State::Up, "a node that is down has no timers");
        // It stays in its place until the process had its chance to arm it again.
        let timer = node.timers[at].timer;
        node.timers[at].due = Time::NEVER;
        let (id, input) = (node.id, node.inputs + 1);
        core.counts.timers += 1;
        core.fingerprint.take_encoded(Kind::Timer, core.now, id.0, input, &timer);
        if self.survives(slot, Event::Timer { node: id, timer, input }, watch) {
            self.feed(slot, Input::Timer(timer), watch);
        }
        let timers = &mut self.core.nodes[slot as usize].timers;
        let own = |armed: &Armed<P::Timer>| armed.timer == timer;
        let at = if timers.get(at).is_some_and(own) { Some(at) } else { timers.position(own) };
        if let Some(at) = at
            && timers[at].due == Time::NEVER
        {
            timers.swap_remove(at);
        }
    }

    /// Something rare happens.
    pub(crate) fn rare<W: Watch<P>>(&mut self, slot: u32, watch: &mut W) {
        if let Rare::Command { node, .. } = self.core.rares.get(slot)
            && let Some(node) = self.core.directory.find(*node)
            && self.core.nodes[node as usize].state == State::Paused
            && self.core.nodes[node as usize].cold.waiting.len() < WAITING_MAX
        {
            self.core.nodes[node as usize].cold.waiting.push(Item::Rare(slot).bits());
            return;
        }
        match self.core.rares.take(slot) {
            Rare::Join(node) => self.join(node, watch),
            Rare::Command { node, command } => self.ask(node, command, watch),
            Rare::Durable { node, incarnation } => {
                if self.core.nodes[node as usize].incarnation == incarnation {
                    self.durable(node, watch);
                }
            }
            Rare::Recover { node, incarnation } => {
                if self.core.nodes[node as usize].incarnation == incarnation {
                    self.recover(node, watch);
                }
            }
            Rare::Resume { node, incarnation } => {
                let paused = &self.core.nodes[node as usize];
                if paused.incarnation == incarnation && paused.cold.paused_until <= self.core.now {
                    self.resume(node, watch);
                }
            }
            Rare::Fault(fault) => {
                if !self.core.calm {
                    self.begin_fault(fault, watch);
                }
            }
            Rare::EndFault(id) => self.end_fault(id, watch),
            Rare::Chance(chance) => self.strike(chance, watch),
            Rare::Calm(gone) => self.make_calm(&gone, watch),
        }
    }

    /// A client or operator asks for something.
    pub(crate) fn ask<W: Watch<P>>(&mut self, node: NodeId, command: P::Command, watch: &mut W) {
        let core = &mut self.core;
        let slot = core.directory.find(node);
        let up = slot.filter(|slot| core.nodes[*slot as usize].state == State::Up);
        let input = up.map_or(0, |slot| core.nodes[slot as usize].inputs + 1);
        core.fingerprint.take_encoded(Kind::Command, core.now, node.0, input, &command);
        let event = Event::Command { node, command: &command, accepted: up.is_some(), input };
        match up {
            Some(slot) => {
                core.counts.commands += 1;
                if self.survives(slot, event, watch) {
                    self.feed(slot, Input::Command(command), watch);
                }
            }
            None => {
                core.counts.refused += 1;
                self.emit(event, watch);
            }
        }
    }
}
