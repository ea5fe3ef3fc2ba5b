//! Operations: issued by the app, admitted by the gate, put in causal order, and given to the app.
//!
//! The gate stands outside the causal layer: an operation of a newer release waits there, and so, in the
//! layer, does whatever follows it. Conversion stands inside: whatever was admitted is converted by the
//! release that runs when it is delivered. What the gate refuses for good is delivered as void, for others
//! follow it everywhere. Each delivery is a transaction; one's own is part of the step that issued it.
//!
//! Source: "Dynamic Software Updates using CRDTs", section 5.1.2.

use std::{collections::BTreeMap, sync::Arc};

use app::{Body, Guarantee, Incoming};
use causal::{Clock, Content as Said, Delivery, Operation, Origin, Received, Refusal};
use contract::{NodeId, Span, Time};
use upgrade::{
    bugs::Bug,
    gate::{HoldReason, Verdict},
};

use crate::{
    Notice, Replica, Timer,
    enrolling::Enrolling,
    founding::Blank,
    holding::{Held, Holding},
    joining::Joining,
    journal::Change,
    message::{BODY_BYTES_MAX, Content, Operations, Stamped},
    notice::{CausallyDelivered, Dropped, Issued, NotHeld, Outcome, Stable},
    random::Purpose,
    state::Layer,
};

/// Operations delivered after one input, so that a long queue cannot stop the node.
const DELIVERIES_MAX: usize = 256;

/// When the rest is delivered.
const REST_DELAY: Span = Span::from_millis(1);

/// When they are tried again where there was no room for what they would have sent.
const CROWD_DELAY: Span = Span::from_millis(100);

/// Outboxes may grow so many times longer than where operations are refused before nothing is delivered.
const CROWD_FACTOR: usize = 4;

/// What operations need that no crash spares.
#[derive(Debug, Default)]
pub(crate) struct Operating {
    /// Operations that wait at the gate.
    pub(crate) held: Holding,
    /// What the app was told to be stable.
    stable: Clock,
    /// Whether the app takes an operation of its own, and may not answer with another.
    issuing: bool,
    /// When a heartbeat is due.
    pub(crate) beat_at: Option<Time>,
    /// Who was asked to let this node in.
    pub(crate) joining: Option<Joining>,
    /// The last life that this incarnation asked for.
    pub(crate) life: u64,
    /// Who was let in.
    pub(crate) enrolling: Enrolling,
    /// The others that found no member, where this node is to found.
    pub(crate) blank: Blank,
    /// When this node, which is no member, heard last how far one has come.
    pub(crate) heard_member: Option<Time>,
    /// Who said last that this node is no member.
    pub(crate) accuser: Option<NodeId>,
    /// Who was told of late, and when, that it has to join again.
    pub(crate) turned_away: BTreeMap<NodeId, Time>,
    /// When this node left last because of what others said.
    pub(crate) left: Option<Time>,
    /// What a planted bug holds behind the layer.
    behind: Vec<Delivery<Stamped>>,
}

impl Replica {
    /// Whether what runs has operations.
    pub(crate) fn has_operations(&self) -> bool {
        self.state.installed.as_ref().is_some_and(|installed| installed.has_operations())
    }

    /// Issues an operation of the app: delivered here at once, and sent to every member.
    pub(crate) fn issue(&mut self, body: Body, again: bool) {
        let running = self.state.running().expect("what runs has just taken a step");
        let kind = running.program.manifest().message(body.tag).map(|kind| kind.guarantee);
        let stamp = running.stamp.clone();
        let complaint = if again || self.operating.issuing {
            Some("it broadcasts a second operation in one step")
        } else if kind != Some(Guarantee::Causal) {
            Some("it broadcasts what it does not declare as an operation")
        } else if body.bytes.len() > BODY_BYTES_MAX {
            Some("it broadcasts an operation that is longer than a datagram")
        } else {
            None
        };
        let issued = match complaint {
            Some(complaint) => Err(complaint.to_owned()),
            None => self.broadcast(Said::Payload(Stamped { stamp, body })),
        };
        if let Err(text) = issued {
            let instance = self.state.instance;
            self.notify(Notice::Faulted { instance, text });
        }
    }

    /// Issues anything. Errors: why not, in words; nothing has changed then.
    pub(crate) fn broadcast(&mut self, said: Said<Stamped>) -> Result<(), String> {
        let layer = self.state.layer.as_mut().ok_or_else(|| Refusal::NoMember.to_string())?;
        let delivery = layer.broadcast(said).map_err(|why| why.to_string())?;
        let operation = Arc::clone(&delivery.operation);
        if !self.settings.bugs.has(Bug::SeqReused) {
            self.note(&Change::Operation(Arc::clone(&operation)));
        }
        self.operating.beat_at = None;
        self.notify(Notice::Broadcast(Box::new(Issued {
            stamp: delivery.stamp,
            past: delivery.past.clone(),
            metadata_bytes: operation.metadata_bytes() as u32,
            operation: Arc::clone(&operation),
        })));
        let nested = std::mem::replace(&mut self.operating.issuing, true);
        self.hand_over(delivery);
        self.operating.issuing = nested;
        let via = operation.dot.origin;
        for to in self.members() {
            let operations = vec![Arc::clone(&operation)];
            self.tell(to, Content::Operations(Box::new(Operations { via, operations })));
        }
        Ok(())
    }

    /// The nodes of all members but this one.
    pub(crate) fn members(&self) -> Vec<NodeId> {
        let Some(layer) = &self.state.layer else { return Vec::new() };
        let mut nodes: Vec<NodeId> = layer.members().map(|member| member.node).collect();
        nodes.dedup();
        nodes.retain(|node| *node != self.settings.node);
        nodes
    }

    /// Takes operations that a peer sent.
    pub(crate) fn take_operations(&mut self, from: NodeId, operations: Operations) {
        let Operations { via, operations } = operations;
        if self.state.layer.is_none() {
            return self.drop_from(from, Dropped::Unasked);
        }
        if via.node != from {
            return self.drop_from(from, Dropped::Malformed);
        }
        for operation in operations {
            self.admit(via, operation);
        }
    }

    /// Lets an operation through the gate into the layer, or holds it.
    fn admit(&mut self, via: Origin, operation: Arc<Operation<Stamped>>) {
        let Some(layer) = &mut self.state.layer else { return };
        let dot = operation.dot;
        if let Said::Payload(sent) = &operation.content
            && !layer.delivered().covers(dot)
            && let Verdict::Hold(reason) = self.judge_operation(sent)
            && !self.settings.bugs.has(Bug::GateInsideCausal)
        {
            return self.hold_operation(via, operation, reason);
        }
        let layer = self.state.layer.as_mut().expect("it was there");
        match layer.receive(via, operation) {
            Ok(Received::Ready) => {}
            Ok(Received::Parked(missing)) => {
                let count = layer.parked_size().0 as u32;
                self.notify(Notice::OperationParked { dot, missing, count });
            }
            Ok(Received::Duplicate) => self.drop_from(via.node, Dropped::Duplicate),
            Ok(Received::Dropped) => self.drop_from(via.node, Dropped::Crowded),
            Err(why) => self.reject(via, why),
        }
    }

    pub(crate) fn judge_operation(&self, sent: &Stamped) -> Verdict {
        self.judge(&sent.arrival())
    }

    /// Tells of a refusal, and tells who is retired that he is.
    pub(crate) fn reject(&mut self, via: Origin, why: Refusal) {
        if why == Refusal::Retired(via) {
            self.tell(via.node, Content::Resync(via));
        }
        self.notify(Notice::OperationRejected { from: via.node, why });
    }

    /// Keeps an operation at the gate, where a member issued it and there is room; otherwise it comes again.
    fn hold_operation(
        &mut self,
        via: Origin,
        operation: Arc<Operation<Stamped>>,
        reason: HoldReason,
    ) {
        let Some(layer) = &self.state.layer else { return };
        let dot = operation.dot;
        if layer.is_retired(via) {
            return self.reject(via, Refusal::Retired(via));
        }
        if layer.issues_as() == Some(dot.origin) {
            return self.reject(via, Refusal::Future(dot));
        }
        if let Some(held) = self.operating.held.get(dot) {
            return match **held == *operation {
                true => self.drop_from(via.node, Dropped::Duplicate),
                false => self.reject(via, Refusal::Reused(dot)),
            };
        }
        let sent = match &operation.content {
            Said::Payload(sent) => Some(sent.stamp.clone()),
            _ => None,
        };
        let ahead = dot.seq - layer.delivered().get(dot.origin);
        let kept = if layer.row(dot.origin).is_none() {
            Err(NotHeld::Stranger)
        } else if ahead > self.settings.causal.limits.gap_max {
            Err(NotHeld::Ahead)
        } else {
            let held = Held { via, operation };
            self.operating.held.keep(held, &self.settings.causal, || layer.members().count())
        };
        let count = self.operating.held.len() as u32;
        match kept {
            Ok(()) => self.notify(Notice::OperationHeld { dot, reason, count }),
            Err(why) => self.notify(Notice::OperationNotHeld { dot, why }),
        }
        // Whoever issued it knows the release that it waits for.
        self.seek(via.node, sent.as_ref());
    }

    /// Delivers what can be, each operation in a transaction of its own.
    pub(crate) fn deliver_operations(&mut self) {
        let Some(layer) = &self.state.layer else { return };
        let mut wait = layer.is_ready().then_some(REST_DELAY);
        for _ in 0..DELIVERIES_MAX {
            if wait.is_some() && self.crowded(CROWD_FACTOR).is_some() {
                wait = Some(CROWD_DELAY);
                break;
            }
            self.begin();
            let delivery = self.state.layer.as_mut().and_then(Layer::deliver);
            let Some(delivery) = delivery else {
                wait = None;
                break;
            };
            self.note(&Change::Operation(Arc::clone(&delivery.operation)));
            self.hand_over(delivery);
            self.commit();
        }
        self.begin();
        self.tell_refused();
        self.tell_stable();
        self.commit();
        self.watch_heartbeat();
        if let Some(wait) = wait {
            self.arm(Timer::Local, self.now + wait);
        }
    }

    /// Tells of operations that were found to be impossible when their causes were there.
    pub(crate) fn tell_refused(&mut self) {
        let Some(layer) = &mut self.state.layer else { return };
        for (operation, why) in layer.take_refused() {
            let from = operation.dot.origin.node;
            self.notify(Notice::OperationRejected { from, why });
        }
    }

    /// Gives a delivered operation to the app, converted by what runs now.
    fn hand_over(&mut self, delivery: Delivery<Stamped>) {
        self.hear_joiner(delivery.stamp.dot.origin);
        if let Said::Join(joiner) = delivery.operation.content {
            self.watch_joiner(delivery.stamp.dot.origin, joiner);
        }
        delivery.retired.iter().for_each(|origin| self.hear_joiner(*origin));
        let retired = delivery.retired.iter().map(|origin| Notice::Retired { origin: *origin });
        let gone = delivery.gone.iter().map(|origin| Notice::Gone { origin: *origin });
        let members: Vec<Notice> = retired.chain(gone).collect();
        members.into_iter().for_each(|notice| self.notify(notice));
        let outcome = match &delivery.operation.content {
            Said::Payload(sent) => match self.give(&delivery, sent) {
                Some(outcome) => outcome,
                None => return self.operating.behind.push(delivery),
            },
            _ => Outcome::Control,
        };
        let taken = matches!(outcome, Outcome::Taken { .. });
        let Delivery { stamp, past, operation, waited, .. } = delivery;
        self.steps += u64::from(taken);
        let told = CausallyDelivered { stamp, past, operation, waited, outcome };
        self.notify(Notice::CausallyDelivered(Box::new(told)));
        if taken {
            self.carry_out();
        }
    }

    /// Lets the app take an operation; `None`: a planted bug holds it.
    fn give(&mut self, delivery: &Delivery<Stamped>, sent: &Stamped) -> Option<Outcome> {
        let path = match self.judge_operation(sent) {
            Verdict::Deliver => None,
            Verdict::Convert(path) => Some(path),
            Verdict::Hold(_) if self.settings.bugs.has(Bug::GateInsideCausal) => return None,
            Verdict::Hold(reason) => return Some(Outcome::Void(reason.to_string())),
            Verdict::Refuse(reason) => return Some(Outcome::Void(reason.to_string())),
            Verdict::Shed => return Some(Outcome::Void("it is of a newer API class".to_owned())),
        };
        let converted = match self.convert(&sent.body, path.as_ref()) {
            Ok(converted) => converted,
            Err(fault) => return Some(Outcome::Void(self.faulted(&fault))),
        };
        let entropy = self.draws.word(Purpose::Step);
        let body = converted.body(&sent.body).clone();
        Some(match self.step_delivered(delivery, body, entropy) {
            Ok(_) => {
                let (instance, at) = (self.state.instance, self.now);
                Outcome::Taken { instance, converted, entropy, at }
            }
            Err(fault) => Outcome::Void(self.faulted(&fault)),
        })
    }

    /// Tells the app what is stable, where that is more than it was told.
    fn tell_stable(&mut self) {
        let Some(layer) = self.state.layer.as_ref().filter(|_| self.has_operations()) else {
            return;
        };
        let clock = layer.stable();
        if clock == self.operating.stable {
            return;
        }
        self.operating.stable = clock.clone();
        let entropy = self.draws.word(Purpose::Step);
        if let Err(fault) = self.step(Incoming::Stable { clock: clock.clone() }, entropy) {
            self.faulted(&fault);
            return;
        }
        let (instance, at) = (self.state.instance, self.now);
        self.steps += 1;
        self.notify(Notice::Stable(Box::new(Stable { clock, instance, entropy, at })));
        self.carry_out();
    }

    /// A switch takes the layer down and builds it up again from its exported state. Gives what waited
    /// in it.
    pub(crate) fn rebuild_layer(&mut self) -> Vec<(Origin, Arc<Operation<Stamped>>)> {
        let Some(layer) = self.state.layer.take() else { return Vec::new() };
        let settings = &self.settings;
        if settings.bugs.has(Bug::ClockLostOnReinstall) {
            let nodes: Vec<NodeId> = layer.members().map(|member| member.node).collect();
            self.state.found(&nodes, settings);
            return layer.into_parked().collect();
        }
        let mut bytes = Vec::new();
        layer.export(&mut bytes);
        let limits = settings.causal.limits;
        let mut new = Layer::import(&mut &bytes[..], causal::Heir::Same, limits)
            .expect("the layer reads back what it wrote");
        new.plant(crate::state::flaw(settings.bugs));
        self.state.layer = Some(new);
        layer.into_parked().collect()
    }

    /// After a switch: what waited in the layer goes back there, and what waited at the gate is judged
    /// again.
    pub(crate) fn receive_again(&mut self, parked: Vec<(Origin, Arc<Operation<Stamped>>)>) {
        if self.state.layer.is_none() {
            return;
        }
        self.begin();
        let count = parked.len() as u32;
        self.notify(Notice::LayerRebuilt { parked: count });
        let held = self.operating.held.take().map(|held| (held.via, held.operation));
        for (via, operation) in parked.into_iter().chain(held) {
            self.admit(via, operation);
        }
        self.commit();
        for delivery in std::mem::take(&mut self.operating.behind) {
            self.begin();
            self.hand_over(delivery);
            self.commit();
        }
        self.progress = true;
    }

    /// Forgets what belonged to a former life.
    pub(crate) fn forget_operations(&mut self) {
        self.operating.held = Holding::default();
        self.operating.blank.clear();
        self.operating.accuser = None;
        self.operating.behind.clear();
        self.operating.stable = Clock::new();
        self.operating.beat_at = None;
        self.operating.enrolling = Enrolling::default();
    }
}
