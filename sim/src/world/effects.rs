//! Effects: carried out one by one, in order, and held back behind a record that is not yet durable.

use super::{Item, Rare, World};
use crate::{
    event::{Event, Watch},
    fingerprint::Kind,
    node::State,
};
use contract::{Aspect, Choices, Effect, Input, Occasion, Process, Record, Site, Span};

/// How long until a record is durable, in nanoseconds.
const PERSIST_LATENCY: Aspect = Aspect("persist-latency-nanos");

impl<P: Process, C: Choices> World<P, C> {
    /// Hands an input to a node that is up, and carries out what the process asks for.
    #[inline(always)]
    pub(crate) fn feed<W: Watch<P>>(&mut self, slot: u32, input: Input<P>, watch: &mut W) {
        let core = &mut self.core;
        let node = &mut core.nodes[slot as usize];
        node.inputs += 1;
        let ordinal = node.inputs;
        let now = node.clock.read(core.now);
        let process = node.process.as_mut().expect("a node that is up has a process");
        process.handle(now, input, &mut core.effects);
        if core.effects.is_empty() {
            return;
        }
        let mut effects = std::mem::take(&mut core.effects);
        if node.barrier {
            node.cold.backlog.extend(effects.drain(..).map(|effect| (ordinal, effect)));
        } else {
            self.carry_out(slot, ordinal, &mut effects, watch);
        }
        self.core.effects = effects;
    }

    /// Carries out `effects` until the node crashes or a record holds the rest back.
    #[inline(always)]
    fn carry_out<W: Watch<P>>(
        &mut self,
        slot: u32,
        input: u64,
        effects: &mut Vec<Effect<P>>,
        watch: &mut W,
    ) {
        let incarnation = self.core.nodes[slot as usize].incarnation;
        let mut rest = effects.drain(..);
        while let Some(effect) = rest.next() {
            let persists = matches!(effect, Effect::Persist(_));
            self.effect(slot, input, effect, watch);
            if !self.core.orders.is_empty() {
                self.obey(watch);
                if self.core.nodes[slot as usize].incarnation != incarnation {
                    return;
                }
            }
            if persists && self.core.nodes[slot as usize].barrier {
                let backlog = &mut self.core.nodes[slot as usize].cold.backlog;
                return backlog.extend(rest.map(|effect| (input, effect)));
            }
        }
    }

    /// Carries out what waits behind a barrier that is gone, up to the next one.
    pub(crate) fn flush<W: Watch<P>>(&mut self, slot: u32, watch: &mut W) {
        let incarnation = self.core.nodes[slot as usize].incarnation;
        loop {
            let node = &mut self.core.nodes[slot as usize];
            if node.incarnation != incarnation || node.barrier || node.state != State::Up {
                return;
            }
            let Some((input, effect)) = node.cold.backlog.pop_front() else { return };
            self.effect(slot, input, effect, watch);
            if !self.core.orders.is_empty() {
                self.obey(watch);
            }
        }
    }

    #[inline(always)]
    fn effect<W: Watch<P>>(&mut self, slot: u32, input: u64, effect: Effect<P>, watch: &mut W) {
        match effect {
            Effect::Send { to, message } => self.send(slot, input, to, message, watch),
            Effect::Arm { timer, at } => self.core.arm(slot, timer, at),
            Effect::Persist(record) => self.persist(slot, input, record, watch),
            Effect::Notify(notice) => {
                let core = &mut self.core;
                let node = core.nodes[slot as usize].id;
                core.counts.notices += 1;
                core.fingerprint.take_encoded(Kind::Notice, core.now, node.0, input, &notice);
                self.emit(Event::Notice { node, notice: &notice, input }, watch);
            }
        }
    }

    fn persist<W: Watch<P>>(&mut self, slot: u32, input: u64, record: Record, watch: &mut W) {
        let core = &mut self.core;
        let node = &mut core.nodes[slot as usize];
        let (id, incarnation) = (node.id, node.incarnation);
        let occasion =
            Occasion { site: Site::Persist, entity: u64::from(id.0), index: node.cold.disk.writes };
        node.cold.disk.writes += 1;
        let (bytes, replace) = match &record {
            Record::Append(bytes) => (bytes, false),
            Record::Replace(bytes) => (bytes, true),
        };
        let numbers = [input, (bytes.len() as u64) << 1 | u64::from(replace)];
        core.fingerprint.take(Kind::Persist, core.now, id.0, numbers, |page| {
            page.extend_from_slice(bytes);
        });
        let event = Event::Persisting { node: id, record: bytes, replace, input };
        self.emit(event, watch);
        self.core.nodes[slot as usize].cold.disk.begin(record);
        self.core.nodes[slot as usize].barrier = true;
        let latency = &self.settings.disk.latency;
        let least = latency.least();
        let drawn = latency.draw(self.choices.words(occasion)[0]);
        let takes = self.choices.settle(occasion, PERSIST_LATENCY, drawn, least);
        if takes == 0 && self.core.orders.is_empty() {
            self.settle_record(slot, watch);
        } else {
            let rare = self.core.rares.put(Rare::Durable { node: slot, incarnation });
            self.core.push(self.core.now + Span::from_nanos(takes), Item::Rare(rare));
        }
    }

    /// The record in flight is durable.
    pub(crate) fn durable<W: Watch<P>>(&mut self, slot: u32, watch: &mut W) {
        self.settle_record(slot, watch);
        if !self.core.orders.is_empty() {
            self.obey(watch);
        }
        self.flush(slot, watch);
    }

    fn settle_record<W: Watch<P>>(&mut self, slot: u32, watch: &mut W) {
        let core = &mut self.core;
        let node = &mut core.nodes[slot as usize];
        let (bytes, replace) = node.cold.disk.settle();
        node.barrier = false;
        let id = node.id;
        core.counts.records += 1;
        core.counts.record_bytes += bytes as u64;
        core.fingerprint.take(Kind::Durable, core.now, id.0, [bytes as u64, 0], |_| {});
        self.emit(Event::Persisted { node: id, bytes, replace }, watch);
    }
}
