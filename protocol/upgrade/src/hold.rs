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

    /// Takes out what the gate lets through, in order of arrival, at most `count_max` messages.
    ///
    /// `admit` is told whether an earlier message of the same stream stays; it answers `None` for what
    /// must wait on. A caller drains until it gets fewer than `count_max`.
    pub fn drain<V>(
        &mut self,
        count_max: usize,
        mut admit: impl FnMut(&Held<S, T>, bool) -> Option<V>,
    ) -> Vec<Drained<S, T, V>>
    where
        T: Clone,
    {
        let mut staying = BTreeSet::new();
        let mut admitted = Vec::new();
        for (counter, held) in &self.entries {
            if admitted.len() == count_max {
                break;
            }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TIME_TO_LIVE: Span = Span::from_nanos(100);

    fn hold(messages: u32, bytes: u64) -> Hold<u32, u64> {
        hold_with(messages, bytes, Bugs::NONE)
    }

    fn hold_with(messages: u32, bytes: u64, bugs: Bugs) -> Hold<u32, u64> {
        Hold::new(Limits { messages, bytes, time_to_live: TIME_TO_LIVE }, bugs)
    }

    fn at(nanos: u64) -> Time {
        Time::from_nanos(nanos)
    }

    fn items(drained: &[Drained<u32, u64, ()>]) -> Vec<u64> {
        drained.iter().map(|drained| drained.held.item).collect()
    }

    /// Holds items 1, 2, ... of the given streams.
    fn filled(streams: &[u32], bugs: Bugs) -> Hold<u32, u64> {
        let mut hold = hold_with(100, 1_000, bugs);
        for (item, stream) in (1..).zip(streams) {
            hold.push(*stream, 1, item, at(item)).unwrap();
        }
        hold
    }

    #[test]
    fn r13_what_the_gate_lets_through_leaves_in_order_of_arrival() {
        let mut hold = filled(&[5, 3, 5, 4, 3], Bugs::NONE);
        let drained = hold.drain(usize::MAX, |held, _| (held.stream != 4).then_some(()));
        assert_eq!(items(&drained), [1, 2, 3, 5]);
        assert_eq!((hold.len(), hold.bytes()), (1, 1));
        assert!(hold.contains_stream(&4) && !hold.contains_stream(&3));
    }

    #[test]
    fn what_was_drained_is_gone() {
        let mut hold = filled(&[1, 1], Bugs::NONE);
        assert_eq!(items(&hold.drain(usize::MAX, |_, _| Some(()))), [1, 2]);
        assert!(hold.drain(usize::MAX, |_, _| Some(())).is_empty() && hold.is_empty());
        assert_eq!((hold.bytes(), hold.next_deadline()), (0, Time::NEVER));
    }

    #[test]
    fn a_drain_in_small_steps_leaves_in_the_same_order() {
        let mut hold = filled(&[1, 2, 1, 2, 1], Bugs::NONE);
        let mut left = Vec::new();
        loop {
            let drained = items(&hold.drain(2, |held, _| (held.item != 4).then_some(())));
            left.extend_from_slice(&drained);
            if drained.len() < 2 {
                break;
            }
        }
        assert_eq!((left, hold.len()), (vec![1, 2, 3, 5], 1));
    }

    #[test]
    fn the_gate_is_told_what_waits_behind_what() {
        let mut hold = filled(&[1, 2, 1, 1], Bugs::NONE);
        let admit = |held: &Held<u32, u64>, behind: bool| (held.item != 1 && !behind).then_some(());
        let drained = hold.drain(usize::MAX, admit);
        assert_eq!(items(&drained), [2], "1 stays, so 3 and 4 must not overtake it");
    }

    #[test]
    fn s14_a_message_beyond_either_limit_is_refused_at_the_door() {
        let mut hold = hold(2, 10);
        assert_eq!(hold.push(1, 4, 1, at(0)), Ok(1));
        assert_eq!(hold.push(1, 7, 2, at(0)), Err(Full { messages: 1, bytes: 4 }));
        assert_eq!(hold.push(1, 6, 3, at(0)), Ok(2));
        assert_eq!(hold.push(1, 0, 4, at(0)), Err(Full { messages: 2, bytes: 10 }));
        assert_eq!(hold.remove(1).map(|held| held.item), Some(1));
        assert_eq!(hold.push(1, 4, 5, at(0)), Ok(3));
    }

    #[test]
    fn a13_a_flood_of_one_stream_stays_within_the_limits() {
        let mut hold = hold(64, 4_096);
        let held = (0..10_000).filter(|item| hold.push(1, 100, *item, at(0)).is_ok()).count();
        assert_eq!((held, hold.len(), hold.bytes()), (40, 40, 4_000));
    }

    #[test]
    fn what_waited_too_long_leaves_in_order_and_alone() {
        let mut hold = hold(9, 99);
        for (item, now) in [(1, 50), (2, 10), (3, 51)] {
            hold.push(item as u32, 1, item, at(now)).unwrap();
        }
        assert_eq!(hold.next_deadline(), at(110));
        assert!(hold.expired(at(109)).is_empty());
        let gone: Vec<u64> = hold.expired(at(150)).iter().map(|(counter, _)| *counter).collect();
        assert_eq!(gone, [1, 2]);
        assert_eq!((hold.len(), hold.next_deadline()), (1, at(151)));
    }

    #[test]
    fn a_counter_names_one_arrival_for_ever() {
        let mut hold = filled(&[1, 1], Bugs::NONE);
        hold.drain(usize::MAX, |_, _| Some(()));
        assert_eq!((hold.next_counter(), hold.push(1, 1, 9, at(0))), (3, Ok(3)));
    }

    #[test]
    fn every_planted_bug_of_the_hold_shows() {
        let mut kept = filled(&[1], Bug::DrainDoesNotRemove.into());
        assert_eq!(items(&kept.drain(usize::MAX, |_, _| Some(()))), [1]);
        assert_eq!(items(&kept.drain(usize::MAX, |_, _| Some(()))), [1]);
        let mut mixed = filled(&[1; 20], Bug::DrainInHashOrder.into());
        assert!(!items(&mixed.drain(usize::MAX, |_, _| Some(()))).is_sorted());
        let mut silent = hold_with(0, 0, Bug::OverflowSilent.into());
        assert_eq!((silent.push(1, 1, 1, at(0)), silent.len()), (Ok(1), 0));
    }

    #[test]
    fn counters_out_of_order_in_a_record_are_refused() {
        let limits = Limits::default();
        let entry = [1, 0, 1, 7];
        let record = |next: u8, counters: &[u8]| {
            let mut bytes = vec![next, counters.len() as u8];
            counters.iter().for_each(|counter| {
                bytes.push(*counter);
                bytes.extend(entry);
            });
            Hold::<u32, u64>::read(&mut &bytes[..], limits, Bugs::NONE).map(|hold| hold.len())
        };
        assert_eq!(record(3, &[1, 2]), Ok(2));
        for (next, counters) in [(3, &[2, 1][..]), (3, &[1, 1]), (2, &[2]), (3, &[0]), (0, &[])] {
            assert!(record(next, counters).is_err(), "{next} {counters:?}");
        }
    }

    /// What can happen to a hold.
    #[derive(Clone, Debug)]
    enum Event {
        Push { stream: u32, bytes: u32 },
        Drain { modulus: u64 },
        Expire { after: u64 },
        Remove { counter: u64 },
    }

    fn events() -> impl Strategy<Value = Event> {
        prop_oneof![
            6 => (0..4_u32, 0..9_u32).prop_map(|(stream, bytes)| Event::Push { stream, bytes }),
            1 => (1..5_u64).prop_map(|modulus| Event::Drain { modulus }),
            1 => (0..60_u64).prop_map(|after| Event::Expire { after }),
            1 => (0..40_u64).prop_map(|counter| Event::Remove { counter }),
        ]
    }

    proptest! {
        /// The model is a plain list of (counter, stream, bytes, deadline).
        #[test]
        fn a_hold_is_a_bounded_list(events in prop::collection::vec(events(), 0..60)) {
            let mut hold = hold(8, 30);
            let mut model: Vec<(u64, u32, u32, u64)> = Vec::new();
            let mut now = 0;
            for event in events {
                now += 1;
                match event {
                    Event::Push { stream, bytes } => {
                        let used: u32 = model.iter().map(|entry| entry.2).sum();
                        let fits = model.len() < 8 && used + bytes <= 30;
                        let pushed = hold.push(stream, bytes, 7, at(now));
                        prop_assert_eq!(pushed.is_ok(), fits);
                        if let Ok(counter) = pushed {
                            model.push((counter, stream, bytes, now + 100));
                        }
                    }
                    Event::Drain { modulus } => {
                        let gone = |stream: u32| u64::from(stream) % modulus == 0;
                        let drained = hold.drain(usize::MAX, |held, _| gone(held.stream).then_some(()));
                        let drained: Vec<_> = drained.iter().map(|left| left.counter).collect();
                        let expected: Vec<_> =
                            model.iter().filter(|entry| gone(entry.1)).map(|entry| entry.0).collect();
                        prop_assert_eq!(drained, expected);
                        model.retain(|entry| !gone(entry.1));
                    }
                    Event::Expire { after } => {
                        now += after;
                        let expired = hold.expired(at(now)).len();
                        let before = model.len();
                        model.retain(|entry| entry.3 > now);
                        prop_assert_eq!(expired, before - model.len());
                    }
                    Event::Remove { counter } => {
                        let there = model.iter().any(|entry| entry.0 == counter);
                        prop_assert_eq!(hold.remove(counter).is_some(), there);
                        model.retain(|entry| entry.0 != counter);
                    }
                }
                prop_assert!(model.iter().map(|entry| entry.0).eq(hold.iter().map(|(counter, _)| counter)));
                prop_assert_eq!(hold.bytes(), u64::from(model.iter().map(|entry| entry.2).sum::<u32>()));
                for stream in 0..4 {
                    let there = model.iter().any(|entry| entry.1 == stream);
                    prop_assert_eq!(hold.contains_stream(&stream), there);
                }
                let next = model.iter().map(|entry| at(entry.3)).min().unwrap_or(Time::NEVER);
                prop_assert_eq!(hold.next_deadline(), next);
                let mut bytes = Vec::new();
                hold.encode(&mut bytes);
                let read = Hold::<u32, u64>::read(&mut &bytes[..], Limits::default(), Bugs::NONE);
                let read = read.unwrap();
                prop_assert!(read.iter().eq(hold.iter()));
                prop_assert_eq!(read.next_counter(), hold.next_counter());
            }
        }

        #[test]
        fn hostile_records_are_refused(noise in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut rest = &noise[..];
            if let Ok(hold) = Hold::<u32, u64>::read(&mut rest, Limits::default(), Bugs::NONE) {
                let mut bytes = Vec::new();
                hold.encode(&mut bytes);
                prop_assert_eq!(&bytes[..], &noise[..noise.len() - rest.len()]);
            }
        }
    }
}
