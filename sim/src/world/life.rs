//! The life of a node: it joins, starts, crashes, recovers, pauses and leaves. And how faults begin.

use super::{Item, Order, Rare, World};
use crate::{
    choices::word_pair,
    clock::{Clock, Step},
    disk::Damage,
    event::{Cause, Event, Phase, Watch, Why},
    fault::{Family, Fault},
    fingerprint::Kind,
    ledger::Injector,
    node::State,
};
use contract::{Aspect, Choices, Input, NodeId, Occasion, Process, Site, Span, Time};
use std::collections::BTreeSet;

/// How far ahead a clock starts, in nanoseconds; benign as 0.
const SKEW: Aspect = Aspect("skew-nanos");
/// How a clock drifts, in parts per million plus a million; benign as a million.
const DRIFT: Aspect = Aspect("drift-ppm-from-minus-million");

impl<P: Process, C: Choices> World<P, C> {
    /// Draws the skew and drift of a new node's clock.
    pub(crate) fn draw_clock(&mut self, slot: u32) {
        let core = &mut self.core;
        let clocks = self.settings.clocks;
        let node = &mut core.nodes[slot as usize];
        let occasion = Occasion { site: Site::Clock, entity: u64::from(node.id.0), index: 0 };
        let words = self.choices.words(occasion);
        let (skew, drift) = Clock::draw(clocks, [words[0], words[1]]);
        let skew = self.choices.settle(occasion, SKEW, skew.as_nanos(), 0);
        let drift =
            self.choices.settle(occasion, DRIFT, (i64::from(drift) + 1_000_000) as u64, 1_000_000);
        let drift = (drift.min(2_000_000) as i64 - 1_000_000) as i32;
        if clocks.skew_max > Span::ZERO {
            core.ledger.attempt(Injector::ClockSkew, skew != 0);
        }
        if clocks.drift_ppm_max > 0 {
            core.ledger.attempt(Injector::ClockDrift, drift != 0);
        }
        node.clock.step(core.now, Step::Forward(Span::from_nanos(skew)));
        node.clock.drift(core.now, drift);
    }

    pub(crate) fn join<W: Watch<P>>(&mut self, slot: u32, watch: &mut W) {
        let node = &self.core.nodes[slot as usize];
        if node.state != State::Absent {
            return;
        }
        let id = node.id;
        if !self.core.calm {
            for family in Family::OF_NODES {
                self.first_chance(family, Some(id));
            }
        }
        self.start(slot, watch);
    }

    fn start<W: Watch<P>>(&mut self, slot: u32, watch: &mut W) {
        let core = &mut self.core;
        let id = core.nodes[slot as usize].id;
        let process = (self.spawn)(id);
        let node = &mut core.nodes[slot as usize];
        node.state = State::Up;
        node.process = Some(process);
        let earlier = node.cold.starts;
        node.cold.starts += 1;
        let occasion =
            Occasion { site: Site::Start, entity: u64::from(id.0), index: u64::from(earlier) };
        let words = self.choices.words(occasion);
        let entropy = word_pair(words[0], words[1]);
        let records = node.cold.disk.records().to_vec();
        let incarnation = node.incarnation;
        let numbers = [entropy, records.len() as u64];
        core.fingerprint.take(Kind::Start, core.now, id.0, numbers, |_| {});
        let event = Event::Started { node: id, records: records.len(), entropy, earlier };
        self.emit(event, watch);
        if !self.core.orders.is_empty() {
            self.obey(watch);
        }
        if self.core.nodes[slot as usize].incarnation == incarnation {
            self.feed(slot, Input::Start { records, entropy }, watch);
        }
    }

    /// Carries out what the watcher ordered.
    #[cold]
    pub(crate) fn obey<W: Watch<P>>(&mut self, watch: &mut W) {
        while let Some(order) = self.core.orders.pop_front() {
            match order {
                Order::Crash { node, down_for, damage } => {
                    self.crash(node, down_for, damage, Cause::Watch, watch);
                }
                Order::Stop => self.core.stopping = true,
            }
        }
    }

    /// Crashes a node; whether it was up.
    pub(crate) fn crash<W: Watch<P>>(
        &mut self,
        id: NodeId,
        down_for: Option<Span>,
        damage: Damage,
        cause: Cause,
        watch: &mut W,
    ) -> bool {
        let core = &mut self.core;
        let Some(slot) = core.directory.find(id) else { return false };
        if !matches!(core.nodes[slot as usize].state, State::Up | State::Paused) {
            return false;
        }
        let waiting = self.stop(slot, State::Down);
        let core = &mut self.core;
        let node = &mut core.nodes[slot as usize];
        let (in_flight, records) = (node.cold.disk.is_busy(), node.cold.disk.records().len());
        let incarnation = node.incarnation;
        let lost = node.cold.disk.crash(damage);
        core.counts.crashes += 1;
        let tried = [
            (Injector::Torn, damage.in_flight == crate::disk::InFlight::Torn, lost.torn),
            (Injector::LostTail, damage.lost_tail > 0, lost.tail > 0),
            (Injector::Rotten, damage.rotten.is_some(), lost.rotten > 0),
            (Injector::Amnesia, damage.amnesia, lost.amnesia > 0),
        ];
        for (injector, _, took_effect) in tried.into_iter().filter(|(_, tried, _)| *tried) {
            core.ledger.attempt(injector, took_effect);
        }
        let left = core.nodes[slot as usize].cold.disk.records().len();
        let numbers = [(records as u64) << 32 | left as u64, u64::from(in_flight)];
        core.fingerprint.take(Kind::Crash, core.now, id.0, numbers, |_| {});
        if let Some(down_for) = down_for {
            let rare = core.rares.put(Rare::Recover { node: slot, incarnation });
            core.push(core.now + down_for, Item::Rare(rare));
        }
        self.emit(Event::Crashed { node: id, down_for, cause, lost }, watch);
        self.drop_waiting(waiting, Why::Down, watch);
        true
    }

    /// Takes a node's process away, and gives back what waited for it.
    fn stop(&mut self, slot: u32, state: State) -> Vec<u32> {
        let node = &mut self.core.nodes[slot as usize];
        node.state = state;
        node.process = None;
        node.incarnation += 1;
        node.timers.clear();
        node.cold.backlog.clear();
        node.barrier = false;
        node.cold.paused_until = Time::ZERO;
        std::mem::take(&mut node.cold.waiting)
    }

    fn drop_waiting<W: Watch<P>>(&mut self, waiting: Vec<u32>, why: Why, watch: &mut W) {
        for item in waiting {
            match Item::of(item) {
                item @ (Item::Datagram(_) | Item::Letter(_)) => {
                    self.drop_datagram(item, why, watch);
                }
                Item::Timer(_) => {}
                Item::Rare(slot) => match self.core.rares.take(slot) {
                    Rare::Command { node, command } => self.ask(node, command, watch),
                    _ => unreachable!("of rare things only commands wait"),
                },
            }
        }
    }

    pub(crate) fn recover<W: Watch<P>>(&mut self, slot: u32, watch: &mut W) {
        let core = &mut self.core;
        let node = &core.nodes[slot as usize];
        if node.state != State::Down {
            return;
        }
        let id = node.id;
        core.fingerprint.take(Kind::Recover, core.now, id.0, [0, 0], |_| {});
        self.emit(Event::Recovered { node: id }, watch);
        self.start(slot, watch);
    }

    /// Pauses a node; whether it was up. A pause within a pause lasts until both are over.
    pub(crate) fn pause<W: Watch<P>>(&mut self, id: NodeId, lasts: Span, watch: &mut W) -> bool {
        let core = &mut self.core;
        let Some(slot) = core.directory.find(id) else { return false };
        let node = &mut core.nodes[slot as usize];
        if !matches!(node.state, State::Up | State::Paused) {
            return false;
        }
        node.state = State::Paused;
        let until = core.now + lasts;
        node.cold.paused_until = node.cold.paused_until.max(until);
        let rare = Rare::Resume { node: slot, incarnation: node.incarnation };
        let rare = core.rares.put(rare);
        core.push(until, Item::Rare(rare));
        core.fingerprint.take(Kind::Pause, core.now, id.0, [lasts.as_nanos(), 0], |_| {});
        self.emit(Event::Paused { node: id, lasts }, watch);
        true
    }

    pub(crate) fn resume<W: Watch<P>>(&mut self, slot: u32, watch: &mut W) {
        let core = &mut self.core;
        let node = &mut core.nodes[slot as usize];
        if node.state != State::Paused {
            return;
        }
        node.state = State::Up;
        node.cold.paused_until = Time::ZERO;
        let (id, incarnation) = (node.id, node.incarnation);
        let waiting = std::mem::take(&mut node.cold.waiting);
        let waited = waiting.len();
        for item in waiting {
            match Item::of(item) {
                Item::Timer(_) => core.plan_waiting_timer(slot),
                item => _ = core.push(core.now, item),
            }
        }
        core.fingerprint.take(Kind::Resume, core.now, id.0, [waited as u64, 0], |_| {});
        self.emit(Event::Resumed { node: id, waited }, watch);
        if !self.core.orders.is_empty() {
            self.obey(watch);
        }
        if self.core.nodes[slot as usize].incarnation == incarnation {
            self.flush(slot, watch);
        }
    }

    /// Makes a node leave for ever; whether it had not left before.
    pub(crate) fn leave<W: Watch<P>>(&mut self, id: NodeId, watch: &mut W) -> bool {
        let core = &mut self.core;
        let Some(slot) = core.directory.find(id) else { return false };
        if core.nodes[slot as usize].state == State::Gone {
            return false;
        }
        let waiting = self.stop(slot, State::Gone);
        let core = &mut self.core;
        core.nodes[slot as usize].cold.disk = Default::default();
        core.fingerprint.take(Kind::Leave, core.now, id.0, [0, 0], |_| {});
        self.emit(Event::Left { node: id }, watch);
        self.drop_waiting(waiting, Why::Absent, watch);
        true
    }

    pub(crate) fn begin_fault<W: Watch<P>>(&mut self, fault: Fault, watch: &mut W) {
        let core = &mut self.core;
        let id = core.faults_begun;
        core.faults_begun += 1;
        core.fingerprint.take(Kind::Fault, core.now, 0, [id, 0], |page| {
            page.extend_from_slice(fault.to_string().as_bytes());
        });
        self.emit(Event::Fault { fault: &fault, phase: Phase::Begins }, watch);
        fault.begin(id, self, watch);
        let core = &mut self.core;
        if let Some(lasts) = fault.window() {
            let rare = core.rares.put(Rare::EndFault(id));
            core.push(core.now + lasts, Item::Rare(rare));
        }
        if fault.is_held() {
            core.held.insert(id, fault);
        }
    }

    pub(crate) fn end_fault<W: Watch<P>>(&mut self, id: u64, watch: &mut W) {
        let Some(fault) = self.core.held.remove(&id) else { return };
        fault.end(id, self);
        let core = &mut self.core;
        core.fingerprint.take(Kind::Fault, core.now, 0, [id, 1], |_| {});
        self.emit(Event::Fault { fault: &fault, phase: Phase::Ends }, watch);
    }

    pub(crate) fn make_calm<W: Watch<P>>(&mut self, gone: &BTreeSet<NodeId>, watch: &mut W) {
        self.core.calm = true;
        let held: Vec<u64> = self.core.held.keys().copied().collect();
        for id in held {
            self.end_fault(id, watch);
        }
        for node in gone {
            self.leave(*node, watch);
        }
        for slot in 0..self.core.nodes.len() as u32 {
            match self.core.nodes[slot as usize].state {
                State::Paused => self.resume(slot, watch),
                State::Down => self.recover(slot, watch),
                State::Absent | State::Up | State::Gone => {}
            }
            if !self.core.orders.is_empty() {
                self.obey(watch);
            }
        }
    }
}

impl<P: Process> super::Core<P> {
    /// Plans the first of the timers that came due during a pause, now that it is over.
    fn plan_waiting_timer(&mut self, slot: u32) {
        let timers = &self.nodes[slot as usize].timers;
        let waiting = (0..timers.len()).filter(|at| timers[*at].planned.is_none());
        if let Some(at) = waiting.min_by_key(|at| (timers[*at].due, timers[*at].timer)) {
            self.plan_timer(slot, at);
        }
    }
}
