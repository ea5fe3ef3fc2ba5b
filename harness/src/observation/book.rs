//! The book of messages: what became of each one so far, by nothing but the notices of both ends.
//!
//! Streams are numbered densely on first sight and messages stand in a table by sequence, so that a
//! notice costs one lookup, whatever the number of invariants that ask.
//!
//! Knows of no rule: whether something may happen is for the invariants.

use app::Body;
use contract::NodeId;
use replica::notice::MessageId;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Sequences that a stream may skip at once. Control letters share the counter, so small gaps are
/// honest; a larger one is nothing that was ever sent, and must not make the book grow.
const GAP_MAX: usize = 1 << 16;

/// Names no release: the message was unversioned.
pub const UNSTAMPED: u8 = u8::MAX;

/// Names no release that was honestly published.
pub const STRANGE: u8 = u8::MAX - 1;

/// What became of one message so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// A hash of what was sent; 0 where only its number is known.
    pub body: u32,
    /// How long what was sent is; see [`Past::size`].
    pub bytes: u32,
    /// Bits of [`Past::SENT`] and the others.
    pub flags: u8,
    /// The release that sent it, as an index of the published, [`UNSTAMPED`] or [`STRANGE`].
    pub stamp: u8,
    /// The life of the receiver in which it was delivered, held or ended.
    pub life: u8,
}

impl Past {
    /// It left the sender's app.
    pub const SENT: u8 = 1;
    /// It reached the receiver's app.
    pub const DELIVERED: u8 = 2;
    /// It waits at the receiver.
    pub const HELD: u8 = 4;
    /// It ended at the receiver undelivered.
    pub const ENDED: u8 = 8;
    /// The sender heard that it arrived.
    pub const ACKNOWLEDGED: u8 = 16;
    /// The sender heard that it ended.
    pub const NACKED: u8 = 32;
    /// A crash hid the notice that it was sent, or what became of it at the receiver.
    pub const HIDDEN: u8 = 64;

    /// How long its body is; `None` where only its number is known.
    pub const fn size(self) -> Option<u32> {
        if self.body == 0 { None } else { Some(self.bytes) }
    }

    /// Whether all of `flags` are set.
    pub const fn has(self, flags: u8) -> bool {
        self.flags & flags == flags
    }

    /// Whether any of `flags` is set.
    pub const fn any(self, flags: u8) -> bool {
        self.flags & flags != 0
    }
}

/// One stream: the messages that one sender numbers together.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Who sends.
    pub from: NodeId,
    /// Who receives.
    pub to: NodeId,
    /// The incarnation that numbers it.
    pub incarnation: u64,
    /// Under which guarantee.
    pub exactly_once: bool,
    /// The messages: sequence `i + 1` stands at `i`.
    pub messages: Vec<Past>,
    /// Crashes of the sender when it was last seen to send here.
    pub sender_crashes: u32,
    /// The stream of this sender, receiver and guarantee before this one.
    older: u32,
}

/// Every message of a run.
#[derive(Clone, Debug, Default)]
pub struct Book {
    streams: Vec<Stream>,
    newest: Links,
}

impl Book {
    /// Every stream, in order of first sight.
    pub fn streams(&self) -> &[Stream] {
        &self.streams
    }

    /// A stream by its number.
    pub fn stream(&self, stream: u32) -> &Stream {
        &self.streams[stream as usize]
    }

    /// The number of the stream that `id` is in, where it was seen before.
    pub fn find(&self, id: &MessageId, exactly_once: bool) -> Option<u32> {
        let mut at = self.newest.get(key(id, exactly_once));
        while at != Links::NONE {
            let stream = &self.streams[at as usize];
            if stream.incarnation == id.incarnation {
                return Some(at);
            }
            at = stream.older;
        }
        None
    }

    /// The number of the stream that `id` is in; it begins here where it is new.
    pub fn enter(&mut self, id: &MessageId, exactly_once: bool) -> u32 {
        if let Some(stream) = self.find(id, exactly_once) {
            return stream;
        }
        let number = u32::try_from(self.streams.len()).expect("fewer streams than memory");
        let older = self.newest.replace(key(id, exactly_once), number);
        self.streams.push(Stream {
            from: id.from,
            to: id.to,
            incarnation: id.incarnation,
            exactly_once,
            messages: Vec::new(),
            sender_crashes: 0,
            older,
        });
        number
    }

    /// What became of a message so far; blank where it was never seen.
    pub fn past(&self, stream: u32, sequence: u64) -> Past {
        let stream = &self.streams[stream as usize];
        place(sequence).and_then(|at| stream.messages.get(at)).copied().unwrap_or_default()
    }

    /// What became of a message, to write down; `None` for a number that nothing honest has.
    pub fn past_mut(&mut self, stream: u32, sequence: u64) -> Option<&mut Past> {
        let messages = &mut self.streams[stream as usize].messages;
        let at = place(sequence).filter(|at| *at < messages.len() + GAP_MAX)?;
        if at >= messages.len() {
            messages.resize(at + 1, Past::default());
        }
        Some(&mut messages[at])
    }

    /// The stream, to write down when it was last sent on.
    pub fn stream_mut(&mut self, stream: u32) -> &mut Stream {
        &mut self.streams[stream as usize]
    }
}

/// Names what a message says, so that what arrives can be compared with what was sent. Never 0.
pub fn body_hash(body: &Body) -> u32 {
    (xxh3_64_with_seed(&body.bytes, u64::from(body.tag)) as u32).max(1)
}

fn place(sequence: u64) -> Option<usize> {
    usize::try_from(sequence.checked_sub(1)?).ok()
}

/// Sender, receiver and guarantee as one number. Node ids of a run are below 2^31.
fn key(id: &MessageId, exactly_once: bool) -> u64 {
    u64::from(id.from.0) << 32 | u64::from(id.to.0) << 1 | u64::from(exactly_once)
}

/// From a link to its newest stream: open addressing, touched only where a message goes, and never
/// walked through, so that its order shows nowhere.
#[derive(Clone, Debug, Default)]
struct Links {
    /// Keys one up, so that 0 is a free place, each with its value.
    places: Vec<(u64, u32)>,
    used: usize,
}

impl Links {
    const NONE: u32 = u32::MAX;

    fn get(&self, key: u64) -> u32 {
        if self.places.is_empty() {
            return Self::NONE;
        }
        let place = self.places[self.probe(key)];
        if place.0 == 0 { Self::NONE } else { place.1 }
    }

    /// Puts `value` under `key` and returns what was there.
    fn replace(&mut self, key: u64, value: u32) -> u32 {
        if (self.used + 1) * 2 > self.places.len() {
            self.grow();
        }
        let at = self.probe(key);
        let before = std::mem::replace(&mut self.places[at], (key + 1, value));
        if before.0 == 0 {
            self.used += 1;
            return Self::NONE;
        }
        before.1
    }

    fn grow(&mut self) {
        let larger = vec![(0, 0); (self.places.len() * 2).max(64)];
        for (key, value) in std::mem::replace(&mut self.places, larger) {
            if key != 0 {
                let at = self.probe(key - 1);
                self.places[at] = (key, value);
            }
        }
    }

    /// Where `key` is, or the free place where it belongs. There is always a free one.
    fn probe(&self, key: u64) -> usize {
        let mask = self.places.len() - 1;
        let mut at = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & mask;
        while self.places[at].0 != 0 && self.places[at].0 != key + 1 {
            at = (at + 1) & mask;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(from: u32, to: u32, incarnation: u64, sequence: u64) -> MessageId {
        MessageId { from: NodeId(from), incarnation, to: NodeId(to), sequence }
    }

    #[test]
    fn streams_differ_by_sender_receiver_incarnation_and_guarantee() {
        let mut book = Book::default();
        let mut numbers = Vec::new();
        for from in 0..20 {
            for to in 0..20 {
                for incarnation in [7, 9] {
                    for exactly_once in [true, false] {
                        let id = id(from, to, incarnation, 1);
                        assert_eq!(book.find(&id, exactly_once), None);
                        let stream = book.enter(&id, exactly_once);
                        assert_eq!(book.enter(&id, exactly_once), stream);
                        numbers.push((id, exactly_once, stream));
                    }
                }
            }
        }
        for (at, (id, exactly_once, stream)) in numbers.into_iter().enumerate() {
            assert_eq!(stream as usize, at);
            assert_eq!(book.find(&id, exactly_once), Some(stream));
        }
    }

    #[test]
    fn a_message_is_remembered_and_a_wild_number_is_not() {
        let mut book = Book::default();
        let stream = book.enter(&id(0, 1, 1, 1), true);
        book.past_mut(stream, 3).unwrap().flags |= Past::SENT;
        assert!(book.past(stream, 3).has(Past::SENT));
        assert_eq!(book.past(stream, 2), Past::default());
        assert_eq!(book.past(stream, 4), Past::default());
        assert!(book.past_mut(stream, u64::MAX).is_none());
        assert!(book.past_mut(stream, 0).is_none());
        assert_eq!(book.stream(stream).messages.len(), 3);
    }
}
