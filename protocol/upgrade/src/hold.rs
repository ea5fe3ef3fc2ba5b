//! The hold: messages that wait until the node upgrades.
//!
//! First in, first out within each stream, bounded in messages and in bytes, and nothing waits for
//! ever. Whatever leaves, leaves once: delivered, expired, or refused at the door with an answer.
//!
//! Knows nothing of disks: the replica makes each entry durable before it acknowledges it.
//! Invariant: the count, the bytes, the streams and the deadlines are those of the entries.
//! Source: "Dynamic Software Updates using CRDTs", section 3.3, algorithm 2 (Q and C). Departs from it:
//! a drained message is removed (as printed, it is delivered again at every update), and Q is bounded.

use std::collections::{BTreeMap, BTreeSet};

use contract::{
    Encode, Malformed, Span, Time, Wire,
    wire::{put_varint, take_varint},
};

use crate::bugs::{Bug, Bugs};

/// What a hold may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Messages at one time.
    pub messages: u32,
    /// Bytes at one time.
    pub bytes: u64,
    /// How long a message waits before its sender is told that it will not be delivered.
    pub time_to_live: Span,
}

impl Default for Limits {
    /// Room for a burst from each node of a large fleet; a switch takes minutes at most.
    fn default() -> Self {
        Self { messages: 16_384, bytes: 16 << 20, time_to_live: Span::from_secs(600) }
    }
}

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held<S, T> {
    /// Messages of one stream leave in the order they came.
    pub stream: S,
    /// When it gives up, by the node's clock.
    pub deadline: Time,
    /// What it counts for against the limit.
    pub bytes: u32,
    /// The message.
    pub item: T,
}

/// There is no room. The hold is as before; the sender must be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hold is full: {messages} messages, {bytes} bytes")]
pub struct Full {
    /// Messages held.
    pub messages: u32,
    /// Bytes held.
    pub bytes: u64,
}

/// A message that left the hold through the gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drained<S, T, V> {
    /// Its arrival counter, for the record that says it left.
    pub counter: u64,
    /// It.
    pub held: Held<S, T>,
    /// What the gate said.
    pub verdict: V,
}

/// Messages that wait, in order of arrival.
#[derive(Clone, Debug)]
pub struct Hold<S, T> {
    limits: Limits,
    /// By arrival counter.
    entries: BTreeMap<u64, Held<S, T>>,
    /// How many entries each stream has; no stream with none.
    streams: BTreeMap<S, u32>,
    deadlines: BTreeSet<(Time, u64)>,
    bytes: u64,
    /// The next arrival's counter. Never falls, so a counter names one arrival for ever.
    next: u64,
    bugs: Bugs,
}

impl<S: Ord + Copy, T> Hold<S, T> {
    /// An empty hold.
    pub fn new(limits: Limits, bugs: Bugs) -> Self {
        Self {
            limits,
            entries: BTreeMap::new(),
            streams: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            bytes: 0,
            next: 1,
            bugs,
        }
    }

    /// Messages held.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes held.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether a message of `stream` is held: later ones must wait behind it.
    pub fn contains_stream(&self, stream: &S) -> bool {
        !self.streams.is_empty() && self.streams.contains_key(stream)
    }

    /// What is held, in order of arrival, with its counters.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Held<S, T>)> {
        self.entries.iter().map(|(counter, held)| (*counter, held))
    }

    /// The counter that the next arrival gets, for the record that must be durable first.
    pub fn next_counter(&self) -> u64 {
        self.next
    }

    /// Holds a message that arrived at `now` and counts for `bytes`. Gives its arrival counter.
    ///
    /// Errors: [`Full`]; the message is not held then, and its sender must be told.
    pub fn push(&mut self, stream: S, bytes: u32, item: T, now: Time) -> Result<u64, Full> {
        let room = (self.entries.len() as u64) < u64::from(self.limits.messages)
            && self.bytes + u64::from(bytes) <= self.limits.bytes;
        let counter = self.next;
        if !room {
            if self.bugs.has(Bug::OverflowSilent) {
                self.next += 1;
                return Ok(counter);
            }
            return Err(Full { messages: self.entries.len() as u32, bytes: self.bytes });
        }
        let deadline = now + self.limits.time_to_live;
        self.restore(counter, Held { stream, deadline, bytes, item });
        Ok(counter)
    }

    /// Puts an entry back as a record says, whatever the limits: it was promised.
    pub fn restore(&mut self, counter: u64, held: Held<S, T>) {
        self.next = self.next.max(counter.saturating_add(1));
        self.bytes += u64::from(held.bytes);
        *self.streams.entry(held.stream).or_insert(0) += 1;
        self.deadlines.insert((held.deadline, counter));
        let before = self.entries.insert(counter, held);
        assert!(before.is_none(), "an arrival is held once");
    }

    /// Takes an entry out, as a record says that it left.
    pub fn remove(&mut self, counter: u64) -> Option<Held<S, T>> {
        let held = self.entries.remove(&counter)?;
        self.bytes -= u64::from(held.bytes);
        let left = self.streams.get_mut(&held.stream).expect("a held message's stream is counted");
        *left -= 1;
        if *left == 0 {
            self.streams.remove(&held.stream);
        }
        self.deadlines.remove(&(held.deadline, counter));
        Some(held)
    }

    /// When the next entry gives up; [`Time::NEVER`] where nothing is held.
    pub fn next_deadline(&self) -> Time {
        self.deadlines.first().map_or(Time::NEVER, |(deadline, _)| *deadline)
    }

    /// Takes out what gave up by `now`, in order of arrival. Each sender must be told.
    pub fn expired(&mut self, now: Time) -> Vec<(u64, Held<S, T>)> {
        let gone = |(deadline, _): &&(Time, u64)| *deadline <= now;
        let mut counters: Vec<u64> =
            self.deadlines.iter().take_while(gone).map(|(_, counter)| *counter).collect();
        counters.sort_unstable();
        let taken = |counter| self.remove(counter).map(|held| (counter, held));
        counters.into_iter().filter_map(taken).collect()
    }

    /// Takes out what the gate lets through, in order of arrival.
    ///
    /// `admit` is told whether an earlier message of the same stream stays; it answers `None` for what
    /// must wait on.
    pub fn drain<V>(
        &mut self,
        mut admit: impl FnMut(&Held<S, T>, bool) -> Option<V>,
    ) -> Vec<Drained<S, T, V>>
    where
        T: Clone,
    {
        let mut staying = BTreeSet::new();
        let mut admitted = Vec::new();
        for (counter, held) in &self.entries {
            match admit(held, staying.contains(&held.stream)) {
                Some(verdict) => admitted.push((*counter, verdict)),
                None => {
                    staying.insert(held.stream);
                }
            }
        }
        if self.bugs.has(Bug::DrainInHashOrder) {
            admitted.sort_by_key(|(counter, _)| *blake3::hash(&counter.to_le_bytes()).as_bytes());
        }
        let taken = |(counter, verdict)| {
            let held = if self.bugs.has(Bug::DrainDoesNotRemove) {
                self.entries.get(&counter).cloned()
            } else {
                self.remove(counter)
            };
            Drained { counter, held: held.expect("an admitted message is held"), verdict }
        };
        admitted.into_iter().map(taken).collect()
    }

    /// Reads back what [`Hold::encode`] wrote.
    ///
    /// Errors: [`Malformed`] as for [`Wire::read`].
    pub fn read(bytes: &mut &[u8], limits: Limits, bugs: Bugs) -> Result<Self, Malformed>
    where
        S: Wire,
        T: Wire,
    {
        let mut hold = Self::new(limits, bugs);
        let next = take_varint(bytes)?;
        let mut after = 0;
        for _ in 0..take_varint(bytes)? {
            let counter = take_varint(bytes)?;
            if counter <= after || counter >= next {
                return Err(Malformed("arrival counters in order"));
            }
            after = counter;
            hold.restore(counter, Wire::read(bytes)?);
        }
        hold.next = next.max(1);
        if hold.next == next { Ok(hold) } else { Err(Malformed("counters from 1")) }
    }
}

impl<S: Encode, T: Encode> Encode for Hold<S, T> {
    fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.next);
        put_varint(out, self.entries.len() as u64);
        for (counter, held) in &self.entries {
            put_varint(out, *counter);
            held.encode(out);
        }
    }
}

impl<S: Encode, T: Encode> Encode for Held<S, T> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.stream.encode(out);
        self.deadline.as_nanos().encode(out);
        self.bytes.encode(out);
        self.item.encode(out);
    }
}

impl<S: Wire, T: Wire> Wire for Held<S, T> {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(Self {
            stream: Wire::read(bytes)?,
            deadline: Time::from_nanos(take_varint(bytes)?),
            bytes: Wire::read(bytes)?,
            item: Wire::read(bytes)?,
        })
    }
}
