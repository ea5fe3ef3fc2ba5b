//! Messages to the app and from it: the gate, the hold, conversion, the step, and what the app sends.
//!
//! A message is converted when it is delivered, by the release that runs then; one that waits keeps
//! the stamp and the body it came with. The cursor of its stream moves in the same record as whatever
//! became of it: the step, the hold, or the answer that it ended.

use app::{Body, Guarantee, Incoming, Outgoing, Step};
use contract::{NodeId, Span, Time};
use upgrade::{
    bugs::Bug,
    gate::{Arrival, HoldReason, Verdict},
    hold::Held,
    path::{Path, convert_along},
    release::Stamp,
};

use crate::{
    Bytes, MessageId, Notice, Replica, Timer,
    codec::FAULT_TEXT_MAX,
    journal::{Change, Origin, Waiter},
    message::{BODY_BYTES_MAX, Letter, Nack, Once},
    notice::{Conversion, Dropped, Ended},
    random::Purpose,
};

/// Letters to oneself delivered after one input, so that an app that answers itself cannot stop the
/// node.
const LOCAL_MAX: u32 = 64;

/// At-most-once letters to oneself that wait; beyond it the oldest give way, as on a network that
/// takes no more.
const LOCAL_QUEUE_MAX: usize = 1024;

/// When the rest of them is delivered.
const LOCAL_DELAY: Span = Span::from_millis(1);

/// When they are tried again where there was no room for what they would have sent.
const CROWD_DELAY: Span = Span::from_millis(100);

/// How many held messages leave the hold at a time.
const DRAIN_BATCH: usize = 256;

/// Outboxes may grow so many times longer than where operations are refused before messages are not
/// taken any more.
const CROWD_FACTOR: usize = 4;

/// A message at the app's door.
struct Parcel {
    id: MessageId,
    stamp: Option<Stamp>,
    body: Body,
    /// Edges to take it along; `None`: as it is.
    path: Option<Path>,
    was_held: bool,
    exactly_once: bool,
}

impl Replica {
    pub(crate) fn judge(&self, arrival: &Arrival<'_>) -> Verdict {
        match (self.state.running(), arrival.guarantee) {
            (Some(running), _) => running.gate.judge(arrival),
            // Whatever sent it is newer than nothing.
            (None, Guarantee::ExactlyOnce | Guarantee::Causal) => {
                Verdict::Hold(HoldReason::NewerClass)
            }
            (None, Guarantee::AtMostOnce) => Verdict::Shed,
        }
    }

    /// Takes the next exactly-once message of a stream. Says whether there was room to.
    pub(crate) fn arrive(
        &mut self,
        from: NodeId,
        epoch: u64,
        sequence: u64,
        stamp: Option<Stamp>,
        body: Body,
    ) -> bool {
        if self.crowded(CROWD_FACTOR).is_some() {
            return false;
        }
        let origin = Origin { from, epoch };
        let verdict = self.judge(&Arrival {
            stamp: stamp.as_ref(),
            tag: body.tag,
            guarantee: Guarantee::ExactlyOnce,
            stream_is_held: self.state.hold.contains_stream(&origin),
        });
        self.change(Change::Cursor { from, epoch, cursor: sequence });
        let id = MessageId { from, incarnation: epoch, to: self.settings.node, sequence };
        match verdict {
            Verdict::Hold(reason) => self.hold(id, Waiter { sequence, stamp, body }, reason),
            verdict => self.settle(id, stamp, body, verdict, false),
        }
        true
    }

    /// Delivers an exactly-once message that need not wait, or tells its sender why it ended.
    fn settle(
        &mut self,
        id: MessageId,
        stamp: Option<Stamp>,
        body: Body,
        verdict: Verdict,
        was_held: bool,
    ) {
        let path = match verdict {
            Verdict::Deliver => None,
            Verdict::Convert(path) => Some(path),
            Verdict::Refuse(reason) => return self.end(id, Ended::Refused(reason)),
            Verdict::Hold(_) | Verdict::Shed => {
                unreachable!("the gate lets an exactly-once message in, or refuses it: {verdict:?}")
            }
        };
        let parcel = Parcel { id, stamp, body, path, was_held, exactly_once: true };
        if let Err(text) = self.deliver(parcel) {
            self.end(id, Ended::Faulted(text));
        }
    }

    /// A message ended here undelivered: its sender will hear of it.
    pub(crate) fn end(&mut self, id: MessageId, why: Ended) {
        self.notify(Notice::NotDelivered { id, why: why.clone() });
        let nack = Nack { epoch: id.incarnation, sequence: id.sequence, why };
        self.post(id.from, Letter::Nack(Box::new(nack)));
    }

    fn hold(&mut self, id: MessageId, waiter: Waiter, reason: HoldReason) {
        let origin = Origin { from: id.from, epoch: id.incarnation };
        let (tag, stamp) = (waiter.body.tag, waiter.stamp.clone());
        let bytes = waiter.body.bytes.len() as u32;
        let (before, deadline) =
            (self.state.hold.len(), self.now + self.settings.hold.time_to_live);
        let item = waiter.clone();
        let Ok(counter) = self.state.hold.push(origin, bytes, item, self.now) else {
            return self.end(id, Ended::HoldFull);
        };
        if self.state.hold.len() == before {
            assert!(self.settings.bugs.has(Bug::OverflowSilent), "what is held is in the hold");
            return;
        }
        let durable = !self.settings.bugs.has(Bug::VolatileHold);
        if durable {
            let held = Held { stream: origin, deadline, bytes, item: waiter };
            self.note(&Change::Hold { counter, held });
        }
        let (count, bytes) = (self.state.hold.len() as u32, self.state.hold.bytes());
        let newer = stamp.clone();
        self.notify(Notice::Held { id, tag, stamp, reason, count, bytes, durable });
        self.seek(id.from, newer.as_ref());
        self.watch_hold();
    }

    /// Takes an at-most-once message that was sent to this incarnation.
    pub(crate) fn take_once(&mut self, place: usize, once: Once) {
        let link = self.state.links.at_mut(place);
        let (from, incarnation) = (link.peer, link.incarnation);
        if !link.replay.first(once.sequence) {
            return self.drop_from(from, Dropped::Duplicate);
        }
        self.admit_once(from, incarnation, once);
    }

    fn admit_once(&mut self, from: NodeId, incarnation: u64, once: Once) {
        let Once { sequence, stamp, body } = once;
        let verdict = self.judge(&Arrival {
            stamp: stamp.as_ref(),
            tag: body.tag,
            guarantee: Guarantee::AtMostOnce,
            stream_is_held: false,
        });
        let id = MessageId { from, incarnation, to: self.settings.node, sequence };
        let path = match verdict {
            Verdict::Deliver => None,
            Verdict::Convert(path) => Some(path),
            Verdict::Refuse(_) => return self.drop_from(from, Dropped::Refused),
            Verdict::Shed => {
                self.seek(from, stamp.as_ref());
                return self.drop_from(from, Dropped::Shed);
            }
            Verdict::Hold(reason) => {
                assert!(
                    self.settings.bugs.has(Bug::UnversionedHeld),
                    "what may be lost never waits"
                );
                let (tag, count) = (body.tag, self.state.hold.len() as u32);
                let bytes = self.state.hold.bytes();
                let held = Notice::Held { id, tag, stamp, reason, count, bytes, durable: false };
                return self.notify(held);
            }
        };
        let parcel = Parcel { id, stamp, body, path, was_held: false, exactly_once: false };
        if self.deliver(parcel).is_err() {
            self.drop_from(from, Dropped::Refused);
        }
    }

    /// Converts a message and gives it to the app. Errors: what the code said where it faulted; the
    /// state is then as before.
    fn deliver(&mut self, parcel: Parcel) -> Result<(), String> {
        let Parcel { id, stamp, body: sent, path, was_held, exactly_once } = parcel;
        let converted = match self.convert(&sent, path.as_ref()) {
            Ok(converted) => converted,
            Err(fault) => return Err(self.faulted(&fault)),
        };
        let entropy = self.draws.word(Purpose::Step);
        let body = converted.body(&sent).clone();
        let incoming = Incoming::Message { from: id.from, body };
        if let Err(fault) = self.step(incoming, entropy) {
            return Err(self.faulted(&fault));
        }
        let (instance, at) = (self.state.instance, self.now);
        self.steps += 1;
        self.notify(Notice::Delivered {
            id,
            instance,
            stamp,
            sent,
            converted,
            was_held,
            exactly_once,
            entropy,
            at,
        });
        self.carry_out();
        Ok(())
    }

    pub(crate) fn convert(
        &self,
        body: &Body,
        path: Option<&Path>,
    ) -> Result<Conversion, app::Fault> {
        match (path, self.state.running()) {
            (Some(path), Some(running)) => {
                let bugs = self.settings.bugs;
                convert_along(&*running.program, path, body, bugs).map(Conversion::from)
            }
            _ => Ok(Conversion::NONE),
        }
    }

    /// Tells of a fault, and gives its text as it may travel.
    pub(crate) fn faulted(&mut self, fault: &app::Fault) -> String {
        let mut text = fault.to_string();
        text.truncate(text.floor_char_boundary(FAULT_TEXT_MAX));
        let (instance, notice) = (self.state.instance, text.clone());
        self.notify(Notice::Faulted { instance, text: notice });
        text
    }

    /// Does what the app's step wants done.
    pub(crate) fn carry_out(&mut self) {
        let mut wanted = std::mem::take(&mut self.wanted);
        let mut issued = false;
        for outgoing in wanted.drain(..) {
            match outgoing {
                Outgoing::Send { to, body } => self.send_body(to, body),
                Outgoing::Reply { id, result } => self.notify(Notice::Replied { id, result }),
                Outgoing::Broadcast { body } => {
                    let again = std::mem::replace(&mut issued, true);
                    self.issue(body, again);
                }
            }
        }
        self.wanted = wanted;
    }

    /// Sends what the app sends, under the guarantee and the stamp that its release declares.
    fn send_body(&mut self, to: NodeId, body: Body) {
        let running = self.state.running().expect("what runs has just taken a step");
        let kind = running.program.manifest().message(body.tag);
        let kind = kind.map(|kind| (kind.guarantee, kind.versioned.then(|| running.stamp.clone())));
        let complaint = if body.bytes.len() > BODY_BYTES_MAX {
            Some("it sends a message that is longer than a datagram")
        } else if self.state.nodes.binary_search(&to).is_err() {
            Some("it sends a message to a node that it does not know")
        } else {
            None
        };
        let (Some((guarantee, stamp)), None) = (kind, complaint) else {
            let text = complaint.unwrap_or("it sends a message of a type that it does not declare");
            let (instance, text) = (self.state.instance, text.to_owned());
            return self.notify(Notice::Faulted { instance, text });
        };
        let exactly_once = guarantee == Guarantee::ExactlyOnce;
        if exactly_once {
            let letter = Letter::App { stamp: stamp.clone(), body: body.clone() };
            let id = self.post(to, letter);
            return self.notify(Notice::Sent { id, body, stamp, exactly_once });
        }
        let place = self.state.links.place(to);
        let link = self.state.links.at_mut(place);
        link.once_sent += 1;
        let (from, incarnation) = (self.settings.node, self.state.incarnation);
        let id = MessageId { from, incarnation, to, sequence: link.once_sent };
        let once = Once { sequence: id.sequence, stamp: stamp.clone(), body: body.clone() };
        self.notify(Notice::Sent { id, body, stamp, exactly_once });
        if to == from {
            if self.local.len() == LOCAL_QUEUE_MAX {
                self.local.pop_front();
                self.drop_from(from, Dropped::Crowded);
            }
            self.local.push_back(once);
        } else {
            self.send_once(place, once);
        }
    }

    /// Delivers what the node sent to itself, each message in a transaction of its own. At-most-once
    /// and exactly-once messages take turns, so that neither starves the other.
    pub(crate) fn deliver_local(&mut self) {
        let (node, mut crowded) = (self.settings.node, false);
        for turn in 0..LOCAL_MAX {
            self.begin();
            let letter = if crowded { None } else { self.own_letter() };
            if letter.is_none() && self.local.is_empty() {
                return if crowded {
                    self.arm(Timer::Local, self.now + CROWD_DELAY)
                };
            }
            let once =
                if letter.is_some() && turn % 2 == 1 { None } else { self.local.pop_front() };
            if let Some(once) = once {
                self.admit_once(node, self.state.incarnation, once);
            } else if let Some((epoch, sequence, letter)) = letter {
                crowded = !self.take_letter(node, epoch, sequence, letter);
            }
            self.commit();
        }
        self.arm(Timer::Local, self.now + LOCAL_DELAY);
    }

    /// The next exactly-once letter of this node to itself: its stream's epoch, its number, and what
    /// it says.
    fn own_letter(&self) -> Option<(u64, u64, Letter)> {
        let place = self.state.links.find(self.settings.node)?;
        let out = &self.state.links.at(place).streams.as_deref()?.out;
        Some((out.epoch, out.base(), out.letters.front()?.letter.clone()))
    }

    /// Takes an operation of a local client in, or refuses it with a reason.
    pub(crate) fn operate(&mut self, id: u64, sent: &Body, stamp: Option<&Stamp>) {
        if let Err(reason) = self.try_operate(id, sent, stamp) {
            self.notify(Notice::OperationRefused { id, reason });
        }
    }

    fn try_operate(&mut self, id: u64, sent: &Body, stamp: Option<&Stamp>) -> Result<(), String> {
        if let Some(peer) = self.crowded(1) {
            return Err(format!("{peer} has not acknowledged what was sent to it so far"));
        }
        let running = self.state.running().ok_or_else(|| "nothing runs here yet".to_owned())?;
        let verdict = running.gate.judge(&Arrival {
            stamp: Some(stamp.unwrap_or(&running.stamp)),
            tag: sent.tag,
            guarantee: Guarantee::ExactlyOnce,
            stream_is_held: false,
        });
        let path = match verdict {
            Verdict::Deliver => None,
            Verdict::Convert(path) => Some(path),
            Verdict::Hold(reason) => return Err(reason.to_string()),
            Verdict::Refuse(reason) => return Err(reason.to_string()),
            Verdict::Shed => return Err("it is of a newer API class".to_owned()),
        };
        let converted = self.convert(sent, path.as_ref()).map_err(|fault| fault.to_string())?;
        let entropy = self.draws.word(Purpose::Step);
        let incoming = Incoming::Operation { id, body: converted.body(sent).clone() };
        self.step(incoming, entropy).map_err(|fault| fault.to_string())?;
        let (instance, at, sent) = (self.state.instance, self.now, sent.clone());
        self.steps += 1;
        self.notify(Notice::Operation { id, instance, sent, converted, entropy, at });
        self.carry_out();
        Ok(())
    }

    /// Gives the app its tick and arms the next.
    pub(crate) fn tick(&mut self) {
        let Some(period) = self.tick_period() else { return };
        self.tick_at = self.now + period;
        self.arm(Timer::Tick, self.tick_at);
        self.tick_ghost();
        if self.crowded(1).is_some() {
            return;
        }
        let entropy = self.draws.word(Purpose::Step);
        let (instance, at) = (self.state.instance, self.now);
        match self.step(Incoming::Tick, entropy) {
            Ok(Step::Changed) => {
                self.steps += 1;
                self.notify(Notice::Ticked { instance, entropy, at });
            }
            Ok(Step::Unchanged) => {}
            Err(fault) => {
                self.faulted(&fault);
            }
        }
        self.carry_out();
    }

    fn tick_period(&self) -> Option<Span> {
        let period = self.state.running()?.program.manifest().tick?;
        Some(period.max(app::TICK_MIN))
    }

    /// Arms the tick of what runs now, somewhere within the first period, or disarms it.
    pub(crate) fn arm_tick(&mut self) {
        self.tick_at = match self.tick_period() {
            Some(period) => {
                let nanos = self.draws.below(Purpose::Jitter, period.as_nanos() as usize);
                self.now + Span::from_nanos(nanos as u64 + 1)
            }
            None => Time::NEVER,
        };
        self.arm(Timer::Tick, self.tick_at);
    }

    /// A planted bug: the instance that ended still takes its tick.
    fn tick_ghost(&mut self) {
        let Some((instance, ghost)) = &mut self.ghost else { return };
        let (node, nodes) = (self.settings.node, &self.state.nodes);
        let (now, instance) = (self.now, *instance);
        let entropy = self.draws.word(Purpose::Step);
        let context = app::Context { node, now, nodes, entropy, next: None };
        if ghost.instance.handle(context, &Incoming::Tick, &mut Vec::new()).is_ok() {
            self.steps += 1;
            self.notify(Notice::Ticked { instance, entropy, at: now });
        }
    }

    /// Delivers held messages that the gate lets through now, each in a transaction of its own: a
    /// crash loses none of them and repeats none. Gives how many.
    pub(crate) fn drain(&mut self) -> u32 {
        let mut count = 0;
        let keeps = self.settings.bugs.has(Bug::DrainDoesNotRemove);
        let durable = !keeps && !self.settings.bugs.has(Bug::VolatileHold);
        loop {
            let Some(installed) = &self.state.installed else { return count };
            let gate = &installed.running.gate;
            let batch = self.state.hold.drain(DRAIN_BATCH, |held, behind| {
                let arrival = Arrival {
                    stamp: held.item.stamp.as_ref(),
                    tag: held.item.body.tag,
                    guarantee: Guarantee::ExactlyOnce,
                    stream_is_held: behind,
                };
                match gate.judge(&arrival) {
                    Verdict::Hold(_) => None,
                    verdict => Some(verdict),
                }
            });
            let full = batch.len() == DRAIN_BATCH;
            for drained in batch {
                self.begin();
                if durable {
                    self.note(&Change::Unhold(drained.counter));
                }
                let Held { stream, item, .. } = drained.held;
                let Waiter { sequence, stamp, body } = item;
                let id = self.id_of(stream, sequence);
                self.settle(id, stamp, body, drained.verdict, true);
                self.commit();
                count += 1;
            }
            if !full || keeps {
                self.watch_hold();
                return count;
            }
        }
    }

    fn id_of(&self, origin: Origin, sequence: u64) -> MessageId {
        let Origin { from, epoch } = origin;
        MessageId { from, incarnation: epoch, to: self.settings.node, sequence }
    }

    /// Ends what was held for too long.
    pub(crate) fn expire(&mut self) {
        self.hold_at = Time::NEVER;
        let durable = !self.settings.bugs.has(Bug::VolatileHold);
        for (counter, held) in self.state.hold.expired(self.now) {
            if durable {
                self.note(&Change::Unhold(counter));
            }
            let id = self.id_of(held.stream, held.item.sequence);
            self.end(id, Ended::Expired);
        }
        self.watch_hold();
    }

    /// Arms the timer of the hold for the first message that gives up.
    pub(crate) fn watch_hold(&mut self) {
        let at = self.state.hold.next_deadline();
        if at != self.hold_at {
            self.hold_at = at;
            self.arm(Timer::Hold, at);
        }
    }

    /// Names of the messages that are held.
    pub(crate) fn held_ids(&self) -> Vec<MessageId> {
        let held = self.state.hold.iter();
        held.map(|(_, held)| self.id_of(held.stream, held.item.sequence)).collect()
    }

    /// The exported state, where something runs.
    pub(crate) fn exported(&self) -> Option<Bytes> {
        self.state.running().map(|running| running.instance.export().into())
    }
}
