//! The fingerprint of a run: 128 bits over every event, in order.
//!
//! Events append their canonical bytes to a page; a full page is folded into the state, which begins
//! the next page. Two runs with the same fingerprint had, but for a collision, the same events.

use contract::{Encode, Time};
use xxhash_rust::xxh3::xxh3_128;

/// Bytes after which a page is folded: long enough for the fast path of the hash, short enough to
/// stay in the nearest cache.
const PAGE_BYTES: usize = 4096;

/// A running hash over events. Switched off it costs one comparison an event.
#[derive(Clone, Debug)]
pub struct Fingerprint {
    on: bool,
    page: Vec<u8>,
    events: u64,
}

/// What kind of event a record is: its first byte. Numbers are never reused.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    Start = 1,
    Crash = 2,
    Recover = 3,
    Leave = 4,
    Pause = 5,
    Resume = 6,
    Send = 7,
    Deliver = 8,
    Undeliverable = 9,
    Command = 10,
    Timer = 11,
    Persist = 12,
    Durable = 13,
    Notice = 14,
    Fault = 15,
}

impl Fingerprint {
    pub(crate) fn new(on: bool) -> Self {
        let mut page = Vec::new();
        if on {
            page.reserve(2 * PAGE_BYTES);
            page.extend_from_slice(&[0; 16]);
        }
        Self { on, page, events: 0 }
    }

    /// The fingerprint of the events so far; 0 where it is switched off.
    pub fn value(&self) -> u128 {
        if self.on { xxh3_128(&self.page) } else { 0 }
    }

    /// How many events it covers.
    pub fn events(&self) -> u64 {
        self.events
    }

    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    /// Takes an event: its kind, moment and node, two numbers, and content appended by `content`.
    #[inline(always)]
    pub(crate) fn take(
        &mut self,
        kind: Kind,
        at: Time,
        node: u32,
        numbers: [u64; 2],
        content: impl FnOnce(&mut Vec<u8>),
    ) {
        if self.on {
            self.head(kind, at, node, numbers);
            content(&mut self.page);
        }
    }

    fn head(&mut self, kind: Kind, at: Time, node: u32, numbers: [u64; 2]) {
        if self.page.len() >= PAGE_BYTES {
            self.fold();
        }
        self.events += 1;
        let mut head = [0; 32];
        head[0] = kind as u8;
        head[4..8].copy_from_slice(&node.to_le_bytes());
        head[8..16].copy_from_slice(&at.as_nanos().to_le_bytes());
        head[16..24].copy_from_slice(&numbers[0].to_le_bytes());
        head[24..32].copy_from_slice(&numbers[1].to_le_bytes());
        self.page.extend_from_slice(&head);
    }

    /// As [`Fingerprint::take`], for content that encodes itself.
    #[inline(always)]
    pub(crate) fn take_encoded(
        &mut self,
        kind: Kind,
        at: Time,
        node: u32,
        number: u64,
        content: &impl Encode,
    ) {
        self.take(kind, at, node, [number, 0], |page| {
            // The length stands before the content, so that no two sequences of events agree.
            let from = page.len();
            page.extend_from_slice(&[0; 4]);
            content.encode(page);
            let bytes = (page.len() - from - 4) as u32;
            page[from..from + 4].copy_from_slice(&bytes.to_le_bytes());
        });
    }

    fn fold(&mut self) {
        let state = xxh3_128(&self.page);
        self.page.clear();
        self.page.extend_from_slice(&state.to_le_bytes());
    }
}
