//! Reliable streams over datagrams: what one node remembers of one peer.
//!
//! A stream is named by the incarnation of its sender that began it and outlives every crash that
//! leaves the sender's disk; its letters count from 1. The receiver's cursor is durable, so a letter
//! is taken once whatever is lost, repeated or reordered, on the network or in a crash. A session is
//! a pair of incarnations: letters travel only once the receiver, in its current incarnation, has said
//! where its cursor stands.
//!
//! Knows nothing of what a letter says. Sends nothing: it decides, the replica acts.
//! Invariant: the letters of an outgoing stream are those from `base` to `next`, without a gap.

use std::collections::{BTreeMap, VecDeque};

use contract::{NodeId, Span, Time};

use crate::{
    message::{Ack, Item, Letter, Once},
    notice::MessageId,
    settings,
};

/// Letters under way at a time, and letters that a receiver keeps out of order: the bits of an ack.
pub(crate) const WINDOW: usize = 64;

/// Bytes of letters in one frame: what crosses any network unfragmented, with its header.
pub(crate) const FRAME_BYTES: usize = 1100;

/// At-most-once messages that wait for a peer to name its incarnation; the oldest give way.
pub(crate) const GREETING_MAX: usize = 8;

/// The shortest wait for an acknowledgement: twice the delay of one, and a little.
const TIMEOUT_MIN: Span = Span::from_millis(20);

/// Letters after a missing one that say it is lost and not late.
const REORDER: u64 = 3;

/// Doublings of the wait for an acknowledgement; a cap on the shift, the wait has its own.
const BACKOFF_MAX: u32 = 16;

/// Everything about one peer. Small: a node of a thousand has one for each peer it ever met.
#[derive(Debug, Default)]
pub(crate) struct Link {
    /// Whose.
    pub(crate) peer: NodeId,
    /// Its incarnation, 0: not heard of since this node started.
    pub(crate) incarnation: u64,
    /// Whether it has said, in this session, where its cursor stands.
    pub(crate) open: bool,
    /// Whether the replica has it on its list of links with a deadline.
    pub(crate) busy: bool,
    /// Whether the replica has it on its list of links with letters to send.
    pub(crate) dirty: bool,
    /// At-most-once messages sent in this incarnation.
    pub(crate) once_sent: u64,
    /// Which at-most-once messages of the peer's incarnation arrived.
    pub(crate) replay: Replay,
    /// At-most-once messages that wait for the peer's incarnation.
    pub(crate) greeting: Option<Box<Greeting>>,
    /// Streams in either direction, once there is one.
    pub(crate) streams: Option<Box<Streams>>,
}

/// At-most-once messages that wait, oldest first; at most [`GREETING_MAX`].
#[derive(Debug, Default)]
pub(crate) struct Greeting(pub(crate) VecDeque<Once>);

/// The streams of one peer.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    /// To the peer.
    pub(crate) out: Outgoing,
    /// From the peer.
    pub(crate) into: Incoming,
}

/// Which of the last 64 numbers were seen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Replay {
    top: u64,
    /// Bit `i`: `top - i` was seen.
    seen: u64,
}

/// A stream to a peer.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// Durable: the incarnation that began it; 0: none did.
    pub(crate) epoch: u64,
    /// Durable: the next letter's number.
    pub(crate) next: u64,
    /// Durable: what is not known to be received, oldest first.
    pub(crate) letters: VecDeque<Outstanding>,
    /// After a recovery and until the first session: `next` as the disk had it. A peer that received
    /// that number or more has seen letters that the disk has lost.
    pub(crate) recovered: Option<u64>,
    /// When to retransmit, or to greet a peer again that has not answered.
    pub(crate) retransmit_at: Time,
    trip: Trip,
    backoff: u32,
}

/// A letter on its way.
#[derive(Debug)]
pub(crate) struct Outstanding {
    pub(crate) letter: Letter,
    sent_at: Time,
    tries: u32,
    /// Sent in this session.
    flying: bool,
    /// The peer has it, out of order, and may forget it in a crash.
    received: bool,
}

/// A measured round trip, as RFC 6298 has it. Zero: not measured yet.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trip {
    smoothed: u64,
    variation: u64,
}

/// A stream from a peer.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// Durable: the peer's incarnation that began it; 0: nothing was ever received.
    pub(crate) epoch: u64,
    /// Durable: everything up to here is taken.
    pub(crate) cursor: u64,
    /// Letters that came before their turn.
    pub(crate) waiting: BTreeMap<u64, Letter>,
    /// When an acknowledgement is due at the latest.
    pub(crate) ack_at: Time,
}

/// What the first acknowledgement of a session says of the two disks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meeting {
    /// Both remember the same stream.
    Agreed,
    /// The peer has forgotten letters that it had acknowledged.
    PeerForgot,
    /// The peer has letters that this node has forgotten, or a later stream: this one must begin
    /// anew, after `epoch`. Letters up to `received` are the same and were received.
    Renew {
        /// The epoch that the peer remembers.
        epoch: u64,
        /// 0: none.
        received: u64,
    },
}

impl Link {
    pub(crate) fn new(peer: NodeId) -> Self {
        Self { peer, ..Self::default() }
    }

    /// A session with a new incarnation of the peer begins: whatever was volatile there is gone. What
    /// waits here for its turn the caller drops, for it counts that.
    pub(crate) fn meet(&mut self, incarnation: u64) {
        self.incarnation = incarnation;
        self.open = false;
        self.replay = Replay::default();
        if let Some(streams) = &mut self.streams {
            streams.out.land();
        }
    }

    /// How far the peer's stream has arrived here.
    pub(crate) fn ack(&self, ask: bool) -> Ack {
        let streams = self.streams.as_deref();
        streams.map_or(Ack { ask, ..Ack::default() }, |streams| streams.into.ack(ask))
    }

    pub(crate) fn streams_mut(&mut self) -> &mut Streams {
        self.streams.get_or_insert_default()
    }

    /// Exactly-once letters that the peer has not acknowledged.
    pub(crate) fn unacknowledged(&self) -> usize {
        self.streams.as_ref().map_or(0, |streams| streams.out.letters.len())
    }

    /// The earliest of its deadlines.
    pub(crate) fn deadline(&self) -> Time {
        let streams = self.streams.as_deref();
        streams.map_or(Time::NEVER, |streams| streams.out.retransmit_at.min(streams.into.ack_at))
    }
}

impl Replay {
    /// Whether `number` is seen for the first time. Numbers too old to tell count as seen.
    pub(crate) fn first(&mut self, number: u64) -> bool {
        if number > self.top {
            let ahead = number - self.top;
            self.seen = if ahead < 64 { self.seen << ahead | 1 } else { 1 };
            self.top = number;
            return true;
        }
        let behind = self.top - number;
        if behind >= 64 || self.seen >> behind & 1 == 1 {
            return false;
        }
        self.seen |= 1 << behind;
        true
    }
}

impl Default for Outgoing {
    fn default() -> Self {
        Self {
            epoch: 0,
            next: 1,
            letters: VecDeque::new(),
            recovered: None,
            retransmit_at: Time::NEVER,
            trip: Trip::default(),
            backoff: 0,
        }
    }
}

impl Outgoing {
    /// The lowest sequence not known to be received.
    pub(crate) fn base(&self) -> u64 {
        self.next - self.letters.len() as u64
    }

    /// Appends a letter and gives it its number.
    pub(crate) fn push(&mut self, letter: Letter) -> u64 {
        let sequence = self.next;
        self.next += 1;
        self.letters.push_back(Outstanding {
            letter,
            sent_at: Time::ZERO,
            tries: 0,
            flying: false,
            received: false,
        });
        sequence
    }

    /// Forgets everything up to `cursor`, which is below `next`.
    pub(crate) fn forget(&mut self, cursor: u64) {
        assert!(cursor < self.next, "only numbers that were given are received");
        while self.base() <= cursor {
            self.letters.pop_front();
        }
    }

    /// Names of the app messages among the letters.
    pub(crate) fn ids(&self, from: NodeId, to: NodeId) -> impl Iterator<Item = MessageId> {
        let (base, incarnation) = (self.base(), self.epoch);
        let apps = self.letters.iter().enumerate();
        apps.filter(|(_, letter)| matches!(letter.letter, Letter::App { .. }))
            .map(move |(at, _)| MessageId { from, incarnation, to, sequence: base + at as u64 })
    }

    /// The peer started anew: nothing that was sent to it counts as under way.
    fn land(&mut self) {
        self.rest();
        for letter in self.letters.iter_mut().take(WINDOW) {
            letter.flying = false;
            letter.received = false;
        }
    }

    /// Whatever was awaited is not any more.
    fn rest(&mut self) {
        self.backoff = 0;
        self.retransmit_at = Time::NEVER;
    }

    /// Whether the peer has been silent: one frame then asks for the others.
    pub(crate) fn probes(&self) -> bool {
        self.backoff > 0
    }

    /// What the first acknowledgement of a session says.
    pub(crate) fn meeting(&mut self, ack: &Ack) -> Meeting {
        self.rest();
        let recovered = self.recovered.take();
        if self.epoch == 0 {
            return Meeting::Agreed;
        }
        if ack.epoch > self.epoch {
            return Meeting::Renew { epoch: ack.epoch, received: 0 };
        }
        let cursor = if ack.epoch == self.epoch { ack.cursor } else { 0 };
        if cursor >= recovered.unwrap_or(self.next) {
            let received = recovered.unwrap_or(self.next) - 1;
            return Meeting::Renew { epoch: ack.epoch, received };
        }
        if cursor + 1 < self.base() { Meeting::PeerForgot } else { Meeting::Agreed }
    }

    /// Whether `ack` is of this stream and of letters that were sent.
    pub(crate) fn concerns(&self, ack: &Ack) -> bool {
        ack.epoch == self.epoch && ack.cursor < self.next && ack.cursor + 1 >= self.base()
    }

    /// Learns from an acknowledgement that concerns it, before the letters are forgotten, how long a
    /// round trip takes and what the peer has out of order. Says whether a letter seems lost.
    pub(crate) fn observe(&mut self, ack: &Ack, now: Time, settings: &settings::Link) -> bool {
        let base = self.base();
        let news = (ack.cursor + 1 - base) as usize;
        if let Some(last) = news.checked_sub(1).map(|at| &self.letters[at]) {
            // A letter that was sent again could have been acknowledged for either time.
            if last.tries == 1 && last.flying && last.sent_at < now {
                self.trip.measure(now.since(last.sent_at));
            }
            self.backoff = 0;
        }
        let more = self.letters.len() > news;
        let wait = self.wait(settings);
        if news > 0 || !more {
            self.retransmit_at = if more { now + wait } else { Time::NEVER };
        }
        let mut beyond = ack.beyond;
        let mut highest = 0;
        while beyond != 0 {
            let bit = u64::from(beyond.trailing_zeros());
            beyond &= beyond - 1;
            let at = (ack.cursor + 2 + bit).checked_sub(base).map(|at| at as usize);
            if let Some(letter) = at.and_then(|at| self.letters.get_mut(at)) {
                letter.received = letter.flying;
                highest = ack.cursor + 2 + bit;
            }
        }
        highest > ack.cursor + REORDER
    }

    /// How long to wait for an acknowledgement.
    fn wait(&self, settings: &settings::Link) -> Span {
        let wait = self.trip.timeout(settings.timeout).saturating_mul(1 << self.backoff);
        wait.min(settings.timeout_max)
    }

    /// Waits for an answer until a time that `jitter` puts off, twice as long as the last time.
    pub(crate) fn back_off(&mut self, settings: &settings::Link, later: impl FnOnce(Span) -> Time) {
        assert!(!self.letters.is_empty(), "only a letter waits for an answer");
        self.retransmit_at = later(self.wait(settings));
        self.backoff = (self.backoff + 1).min(BACKOFF_MAX);
    }

    /// The peer was heard: a wait that grew long while it was silent is cut to one that did not.
    pub(crate) fn encourage(&mut self, now: Time, settings: &settings::Link) {
        if self.backoff == 0 || self.retransmit_at == Time::NEVER {
            return;
        }
        let (first, wait) = (self.letters.front(), self.trip.timeout(settings.timeout));
        let sent_at = first.map_or(Time::ZERO, |letter| letter.sent_at);
        self.retransmit_at = self.retransmit_at.min((sent_at + wait).max(now));
    }

    /// Waits for an answer to what was just sent, unless it already does.
    pub(crate) fn expect(&mut self, settings: &settings::Link, later: impl FnOnce(Span) -> Time) {
        if self.retransmit_at == Time::NEVER {
            self.retransmit_at = later(self.wait(settings));
        }
    }

    /// Marks what must be sent again: after a timeout everything under way, else (where later letters
    /// overtook it) what was sent at least a round trip ago.
    ///
    /// What a peer has out of order it may drop again, and a late answer may tell of what it has
    /// dropped since: a timeout believes none of it (RFC 2018, section 8).
    pub(crate) fn lose(&mut self, now: Time, timeout: bool) {
        let base = self.base();
        let received = self.letters.iter().take(WINDOW).rposition(|letter| letter.received);
        let overtaken = received.map_or(base, |at| (base + at as u64 + 1).saturating_sub(REORDER));
        let trip = Span::from_nanos(self.trip.smoothed);
        for (at, letter) in self.letters.iter_mut().take(WINDOW).enumerate() {
            if timeout {
                (letter.flying, letter.received) = (false, false);
            }
            let late = base + (at as u64) < overtaken && letter.sent_at + trip <= now;
            if letter.flying && !letter.received && late {
                letter.flying = false;
            }
        }
    }

    /// Takes the letters of one frame: the oldest that wait and may be sent. `again` counts those that
    /// were sent before.
    pub(crate) fn take(&mut self, now: Time, again: &mut u32) -> Vec<Item> {
        let base = self.base();
        let mut items = Vec::new();
        let mut bytes = 0;
        for (at, outstanding) in self.letters.iter_mut().take(WINDOW).enumerate() {
            if outstanding.flying {
                continue;
            }
            bytes += weight(&outstanding.letter);
            if bytes > FRAME_BYTES && !items.is_empty() {
                break;
            }
            *again += u32::from(outstanding.tries > 0);
            outstanding.tries = outstanding.tries.saturating_add(1);
            outstanding.sent_at = now;
            outstanding.flying = true;
            let letter = outstanding.letter.clone();
            items.push(Item { sequence: base + at as u64, letter });
        }
        items
    }
}

/// About how many bytes a letter takes in a frame.
fn weight(letter: &Letter) -> usize {
    match letter {
        Letter::App { body, .. } => body.bytes.len() + 16,
        Letter::Nack(_) => 64,
        Letter::Piece(piece) => piece.bytes.len() + 16,
    }
}

impl Trip {
    /// Takes one measurement in.
    pub(crate) fn measure(&mut self, span: Span) {
        let sample = span.as_nanos().max(1);
        if self.smoothed == 0 {
            (self.smoothed, self.variation) = (sample, sample / 2);
            return;
        }
        let off = self.smoothed.abs_diff(sample);
        self.variation = self.variation - self.variation / 4 + off / 4;
        self.smoothed = (self.smoothed - self.smoothed / 8 + sample / 8).max(1);
    }

    /// How long to wait before something counts as lost; `guess` where nothing was measured.
    pub(crate) fn timeout(&self, guess: Span) -> Span {
        if self.smoothed == 0 {
            return guess;
        }
        Span::from_nanos(self.smoothed.saturating_add(self.variation.saturating_mul(4)))
            .max(TIMEOUT_MIN)
    }
}

impl Default for Incoming {
    fn default() -> Self {
        Self { epoch: 0, cursor: 0, waiting: BTreeMap::new(), ack_at: Time::NEVER }
    }
}

impl Incoming {
    fn ack(&self, ask: bool) -> Ack {
        let mut beyond = 0;
        for sequence in self.waiting.keys() {
            let bit = sequence.wrapping_sub(self.cursor + 2);
            assert!(bit < WINDOW as u64, "what waits is within the window");
            beyond |= 1 << bit;
        }
        Ack { epoch: self.epoch, cursor: self.cursor, beyond, ask }
    }

    /// Whether a letter that came before its turn may wait for it.
    pub(crate) fn within(&self, sequence: u64) -> bool {
        sequence > self.cursor + 1 && sequence - self.cursor - 2 < WINDOW as u64
    }
}

/// Links by peer. Dense, in order of first contact; found by binary search over names.
#[derive(Debug, Default)]
pub(crate) struct Links {
    names: Vec<NodeId>,
    places: Vec<u32>,
    links: Vec<Link>,
}

impl Links {
    /// Where the link to `peer` is.
    pub(crate) fn find(&self, peer: NodeId) -> Option<usize> {
        self.names.binary_search(&peer).ok().map(|at| self.places[at] as usize)
    }

    /// Where the link to `peer` is, made if it was not.
    pub(crate) fn place(&mut self, peer: NodeId) -> usize {
        match self.names.binary_search(&peer) {
            Ok(at) => self.places[at] as usize,
            Err(at) => {
                let place = self.links.len();
                self.names.insert(at, peer);
                self.places.insert(at, place as u32);
                self.links.push(Link::new(peer));
                place
            }
        }
    }

    /// These links are as a disk had them: see [`Outgoing::recovered`].
    pub(crate) fn recovered(&mut self) {
        for streams in self.links.iter_mut().filter_map(|link| link.streams.as_mut()) {
            streams.out.recovered = (streams.out.epoch > 0).then_some(streams.out.next);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.links.len()
    }

    pub(crate) fn at(&self, place: usize) -> &Link {
        &self.links[place]
    }

    pub(crate) fn at_mut(&mut self, place: usize) -> &mut Link {
        &mut self.links[place]
    }

    /// The link to `peer`, made if it was not.
    pub(crate) fn to(&mut self, peer: NodeId) -> &mut Link {
        let place = self.place(peer);
        &mut self.links[place]
    }

    /// In order of the peers' names: the same whatever the order of first contact.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Link> {
        self.places.iter().map(|place| &self.links[*place as usize])
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use app::Body;

    use super::*;

    fn letter() -> Letter {
        Letter::App { stamp: None, body: Body { tag: 1, bytes: Arc::from([0; 100]) } }
    }

    /// A stream of epoch 5 with the letters from `base` to `next`.
    fn stream(base: u64, next: u64) -> Outgoing {
        let mut out = Outgoing { epoch: 5, next: base, ..Outgoing::default() };
        (base..next).for_each(|_| {
            out.push(letter());
        });
        assert_eq!((out.base(), out.next), (base, next));
        out
    }

    fn ack(epoch: u64, cursor: u64, beyond: u64) -> Ack {
        Ack { epoch, cursor, beyond, ask: false }
    }

    fn at(millis: u64) -> Time {
        Time::ZERO + Span::from_millis(millis)
    }

    fn sequences(items: &[Item]) -> Vec<u64> {
        items.iter().map(|item| item.sequence).collect()
    }

    #[test]
    fn a_number_is_new_once_in_any_order() {
        let mut replay = Replay::default();
        let seen: Vec<bool> =
            [3, 1, 3, 2, 1, 70, 6, 7, 7, 69].into_iter().map(|it| replay.first(it)).collect();
        // 6 is too old to tell after 70, and 7 just not.
        assert_eq!(seen, [true, true, false, true, false, true, false, true, false, true]);
    }

    #[test]
    fn a_first_answer_tells_which_disk_forgot() {
        let check = |recovered, epoch, cursor| {
            let mut out = Outgoing { recovered, ..stream(4, 8) };
            out.meeting(&ack(epoch, cursor, 0))
        };
        assert_eq!(check(None, 5, 3), Meeting::Agreed, "all that was acknowledged is there");
        assert_eq!(check(Some(8), 5, 7), Meeting::Agreed, "and more");
        assert_eq!(check(None, 5, 2), Meeting::PeerForgot);
        assert_eq!(check(None, 0, 0), Meeting::PeerForgot, "the whole stream");
        assert_eq!(check(None, 4, 9), Meeting::PeerForgot, "or all but an older one");
        assert_eq!(check(Some(6), 5, 6), Meeting::Renew { epoch: 5, received: 5 });
        assert_eq!(check(None, 5, 8), Meeting::Renew { epoch: 5, received: 7 });
        assert_eq!(check(None, 6, 1), Meeting::Renew { epoch: 6, received: 0 });
    }

    #[test]
    fn a_forged_acknowledgement_concerns_nobody() {
        let out = stream(4, 8);
        for (epoch, cursor, concerns) in [
            (5, 3, true),
            (5, 7, true),
            (5, 2, false),
            (5, 8, false),
            (5, u64::MAX, false),
            (4, 3, false),
        ] {
            assert_eq!(out.concerns(&ack(epoch, cursor, u64::MAX)), concerns, "{epoch} {cursor}");
        }
    }

    #[test]
    fn what_overtaking_letters_say_is_lost_is_sent_again_at_once() {
        let settings = settings::Link::default();
        let mut out = stream(1, 9);
        let mut again = 0;
        assert_eq!(sequences(&out.take(at(0), &mut again)), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert!(out.take(at(0), &mut again).is_empty(), "all are under way");
        // 1 arrived, 2 did not, 3 to 6 did.
        let seen = ack(5, 1, 0b1111);
        assert!(out.observe(&seen, at(10), &settings));
        out.forget(1);
        out.lose(at(10), false);
        assert_eq!(sequences(&out.take(at(10), &mut again)), [2]);
        assert_eq!(again, 1);
        // After a timeout everything comes again, for the peer may have dropped what it had.
        out.lose(at(500), true);
        assert_eq!(sequences(&out.take(at(500), &mut again)), [2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn a_frame_is_no_longer_than_a_datagram_and_a_window_no_longer_than_its_bits() {
        let mut out = stream(1, 201);
        let mut again = 0;
        let frames: Vec<_> = std::iter::repeat_with(|| sequences(&out.take(at(0), &mut again)))
            .take_while(|frame| !frame.is_empty())
            .collect();
        assert_eq!(frames.concat(), (1..=WINDOW as u64).collect::<Vec<_>>());
        assert!(frames.iter().all(|frame| frame.len() * 116 <= FRAME_BYTES), "{frames:?}");
    }

    #[test]
    fn a_wait_doubles_up_to_its_limit_and_is_measured() {
        let settings = settings::Link::default();
        let mut out = stream(1, 2);
        let waits: Vec<_> = (0..6)
            .map(|_| {
                out.back_off(&settings, |span| Time::ZERO + span);
                out.retransmit_at.as_nanos() / 1_000_000
            })
            .collect();
        assert_eq!(waits, [200, 400, 800, 1600, 3000, 3000]);
        let mut trip = Trip::default();
        (0..50).for_each(|_| trip.measure(Span::from_millis(40)));
        let wait = trip.timeout(settings.timeout);
        assert!(wait >= Span::from_millis(40) && wait < Span::from_millis(60), "{wait}");
    }

    #[test]
    fn a_link_at_rest_is_small() {
        assert!(size_of::<Link>() <= 88, "{}", size_of::<Link>());
    }
}
