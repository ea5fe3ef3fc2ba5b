//! Transactions: the durable changes of one input become one record, in front of all that depends
//! on it.
//!
//! Between [`Replica::begin`] and [`Replica::commit`] changes are made and journalled, messages and
//! notices are appended; the commit puts the record before them.

use app::{Body, Step};
use causal::Delivery;
use contract::{Effect, NodeId, Record, Time};
use xxhash_rust::xxh3::xxh3_128;

use crate::{
    Notice, Replica, Timer,
    journal::{CHANGES, Change, LOG_FACTOR},
    message::{Content, Message, Stamped},
    state::Ground,
};

impl Replica {
    /// Opens a transaction. The one before is closed.
    pub(crate) fn begin(&mut self) {
        assert!(self.record.is_empty(), "a transaction ends before the next begins");
        self.mark = self.effects.len();
    }

    /// Makes a change and journals it.
    pub(crate) fn change(&mut self, change: Change) {
        self.note(&change);
        let mut ground = Ground { settings: &self.settings, verifier: &mut self.verifier };
        let applied = self.state.apply(&change, &mut ground);
        assert!(applied.is_ok(), "a change of ours fits our state: {change:?}: {applied:?}");
    }

    /// Journals a change that was made already.
    pub(crate) fn note(&mut self, change: &Change) {
        if self.record.is_empty() {
            self.record.push(CHANGES);
        }
        if let Change::Operation(operation) = change {
            self.noted = Some(operation.dot);
        }
        change.encode(self.state.stamp(), &mut self.record);
    }

    /// Closes the transaction: what it changed becomes durable before what it says shows.
    pub(crate) fn commit(&mut self) {
        if !self.record.is_empty() {
            self.log_bytes += self.record.len() as u64;
            let record = Record::Append(self.record.as_slice().to_vec());
            self.record.clear();
            self.noted = None;
            self.effects.insert(self.mark, Effect::Persist(record));
        }
        self.mark = self.effects.len();
    }

    /// Replaces all records by one snapshot. Gives its length.
    pub(crate) fn snapshot(&mut self) -> u64 {
        assert!(self.record.is_empty(), "a snapshot is taken between transactions");
        let mut snapshot = Vec::with_capacity(self.snapshot_bytes as usize);
        self.state.encode(&self.settings, &mut snapshot);
        self.snapshot_bytes = snapshot.len() as u64;
        self.log_bytes = 0;
        self.effects.push(Effect::Persist(Record::Replace(snapshot)));
        self.mark = self.effects.len();
        self.snapshot_bytes
    }

    /// Takes a snapshot where the log has grown too long.
    pub(crate) fn compact(&mut self) {
        let allowed = self.settings.log_bytes_min.max(LOG_FACTOR * self.snapshot_bytes);
        if self.log_bytes > allowed {
            let bytes = self.snapshot();
            let state = self.state.running().map(|running| running.instance.export());
            let state = xxh3_128(&state.unwrap_or_default());
            self.notify(Notice::Compacted { state, bytes });
        }
    }

    pub(crate) fn notify(&mut self, notice: Notice) {
        self.effects.push(Effect::Notify(notice));
    }

    pub(crate) fn arm(&mut self, timer: Timer, at: Time) {
        self.effects.push(Effect::Arm { timer, at });
    }

    /// Sends a datagram to `to`, whose incarnation is `known`; 0: nobody has told.
    pub(crate) fn send(&mut self, to: NodeId, known: u64, content: Content) {
        let message = Message { incarnation: self.state.incarnation, known, content };
        self.effects.push(Effect::Send { to, message });
    }

    /// Sends a datagram that any incarnation of `to` may take.
    pub(crate) fn tell(&mut self, to: NodeId, content: Content) {
        let known = self.state.links.find(to).map_or(0, |at| self.state.links.at(at).incarnation);
        self.send(to, known, content);
    }

    /// Lets the app take a step and journals it where it changed something. What the app wants done
    /// is in `self.wanted` then.
    pub(crate) fn step(
        &mut self,
        incoming: app::Incoming,
        entropy: u64,
    ) -> Result<Step, app::Fault> {
        let step = self.try_step(&incoming, entropy);
        if let Ok(Step::Changed) = step {
            self.note(&Change::Step { now: self.now, entropy, incoming });
        }
        step
    }

    /// Lets the app take a delivered operation, as `body`. Where the operation is in the open record it need
    /// not stand there twice.
    pub(crate) fn step_delivered(
        &mut self,
        delivery: &Delivery<Stamped>,
        body: Body,
        entropy: u64,
    ) -> Result<Step, app::Fault> {
        let (stamp, past) = (delivery.stamp, delivery.past.clone());
        let incoming = app::Incoming::Delivered { stamp, past, body };
        if self.noted != Some(stamp.dot) {
            return self.step(incoming, entropy);
        }
        let step = self.try_step(&incoming, entropy);
        if let Ok(Step::Changed) = step {
            self.note(&Change::Taken { now: self.now, entropy });
        }
        step
    }

    fn try_step(&mut self, incoming: &app::Incoming, entropy: u64) -> Result<Step, app::Fault> {
        self.wanted.clear();
        let (node, now) = (self.settings.node, self.now);
        let step = self.state.step(node, now, entropy, incoming, &mut self.wanted);
        if step.is_err() {
            self.wanted.clear();
        }
        step
    }
}
