//! A datagram enters a link: what becomes of it is settled here, at once.

use super::{Core, Flight, Head, Item, Wire, World};
use crate::{
    event::{Event, Fate, Watch},
    fingerprint::Kind,
    ledger::{Injector, Ledger},
    network::{Class, LinkState, LossOdds, Tail, UNRESOLVED},
    node::Node,
    queue::Wheel,
    sample::{below, within},
};
use contract::{
    Aspect, Choices, Encode as _, NodeId, Occasion, Process, Site, Span, Time, Wire as _,
    choices::link,
};
use std::hint::black_box;

/// It is lost; benign as 0.
const LOST: Aspect = Aspect("lost");
/// How long it travels, in nanoseconds; benign as the least.
const LATENCY: Aspect = Aspect("latency-nanos");
/// How much longer it travels so that others overtake it, in nanoseconds; benign as 0.
const DELAY: Aspect = Aspect("reorder-nanos");
/// It has a second copy; benign as 0.
const DUPLICATED: Aspect = Aspect("duplicated");
/// How long the second copy travels, in nanoseconds; benign as the least.
const COPY_LATENCY: Aspect = Aspect("duplicate-latency-nanos");
/// Where its bits are flipped, plus one; 0 where they are not, which is benign.
const CORRUPTED: Aspect = Aspect("corrupted");

/// Which word decides what. A word decides one thing only, so that no fault moves another.
mod word {
    pub(super) const LOSS: usize = 0;
    pub(super) const SPELL: usize = 1;
    pub(super) const LATENCY: usize = 2;
    pub(super) const DUPLICATE: usize = 3;
    pub(super) const COPY_LATENCY: usize = 4;
    pub(super) const REORDER: usize = 5;
    pub(super) const CORRUPT: usize = 6;
    pub(super) const POSITION: usize = 7;
}

/// What the choices make of a datagram.
#[derive(Clone, Copy, Debug, Default)]
struct Lot {
    lost: bool,
    latency: u64,
    delay: u64,
    copy_latency: Option<u64>,
    /// Which bits are flipped.
    corrupt: Option<u32>,
}

/// Bits that a corruption flips at most.
const FLIPS_MAX: u32 = 3;

/// A datagram that entered its link.
#[derive(Clone, Copy)]
struct Entered {
    /// The receiver's slot.
    receiver: u32,
    from: NodeId,
    to: NodeId,
    number: u64,
    input: u64,
    size: usize,
}

impl<P: Process, C: Choices> World<P, C> {
    /// Sends `message` from the node in a slot: the datagram enters its link now.
    #[inline(always)]
    pub(crate) fn send<W: Watch<P>>(
        &mut self,
        sender: u32,
        input: u64,
        to: NodeId,
        message: P::Message,
        watch: &mut W,
    ) {
        let core = &mut self.core;
        let size = if core.encodes || W::DATAGRAMS { core.encode(&message) } else { 0 };
        core.counts.sent += 1;
        core.counts.sent_bytes += size as u64;
        let from = core.nodes[sender as usize].id;
        let Some(receiver) = core.directory.find(to) else {
            core.counts.undeliverable += 1;
            let entered = Entered { receiver: 0, from, to, number: 0, input, size };
            return self.show(entered, &message, Fate::Nowhere, watch);
        };
        let cut = core.troubled && core.meets_trouble(from, to);
        let (class, number) = match core.links.touch(sender, receiver) {
            Some(state) => {
                let mut class = state.class();
                if class == UNRESOLVED {
                    class = core.rules.resolve(from, to);
                    state.set_class(class);
                    foresee(&core.nodes, &core.queue, receiver);
                }
                (class, state.enter())
            }
            None => {
                foresee(&core.nodes, &core.queue, receiver);
                (core.rules.resolve(from, to), 0)
            }
        };
        let class = core.rules.class(class);
        let entered = Entered { receiver, from, to, number, input, size };
        let Some(loss) = class.plain.filter(|_| !cut) else {
            return self.send_odd(sender, entered, cut, message, watch);
        };
        // What follows does what `send_odd` does, for the links that most worlds mostly have.
        let occasion = occasion(entered);
        let words = self.choices.words(occasion);
        let lost = u64::from(loss.hit(words[word::LOSS]));
        let lost = self.choices.settle(occasion, LOST, lost, 0) != 0;
        let latency = class.latency(words[word::LATENCY]);
        let latency = self.choices.settle(occasion, LATENCY, latency, class.least);
        core.ledger.attempt(Injector::Loss, lost);
        if lost {
            core.counts.lost += 1;
            return self.show(entered, &message, Fate::Lost, watch);
        }
        let arrives = core.now + Span::from_nanos(latency);
        let fate = Fate::Travels { arrives, copy: None, corrupted: false, reordered: false };
        self.show(entered, &message, fate, watch);
        self.core.fly(entered, false, arrives, message);
    }

    /// As [`World::send`], on a link that is cut, or whose datagrams may meet more than loss.
    #[inline(never)]
    fn send_odd<W: Watch<P>>(
        &mut self,
        sender: u32,
        entered: Entered,
        cut: bool,
        message: P::Message,
        watch: &mut W,
    ) {
        let core = &mut self.core;
        let state = core.links.state(sender, entered.receiver);
        // Its class was just resolved, and where it has no room for it, is resolved again.
        let class = match state.class() {
            UNRESOLVED => core.rules.resolve(entered.from, entered.to),
            class => class,
        };
        let class = core.rules.class(class);
        let lot = if class.draws {
            Lot::draw(class, occasion(entered), state, &mut self.choices)
        } else {
            Lot { latency: class.least, ..Lot::default() }
        };
        let now = core.now.as_nanos();
        let mut waits = false;
        let arrives = if class.remembers {
            let tail = core.links.tail(sender, entered.receiver);
            waits = tail.busy_until > now;
            tail.arrival(class, now, entered.size, lot)
        } else {
            Some(now.saturating_add(lot.latency).saturating_add(lot.delay))
        };
        if class.draws || class.remembers {
            account(class, lot, cut, (waits, arrives.is_some()), &mut core.ledger);
        }
        if cut {
            core.counts.cut += 1;
            self.show(entered, &message, Fate::Cut, watch);
        } else if let Some(arrives) = arrives {
            if lot.lost {
                core.counts.lost += 1;
                self.show(entered, &message, Fate::Lost, watch);
            } else {
                self.launch(entered, lot, Time::from_nanos(arrives), message, watch);
            }
        } else {
            core.counts.overflowed += 1;
            self.show(entered, &message, Fate::Overflowed, watch);
        }
    }

    /// Puts a datagram that is not lost on its way, and its copy.
    fn launch<W: Watch<P>>(
        &mut self,
        entered: Entered,
        lot: Lot,
        arrives: Time,
        message: P::Message,
        watch: &mut W,
    ) {
        let core = &mut self.core;
        core.counts.reordered += u64::from(lot.delay > 0);
        let copy = lot.copy_latency.map(|latency| core.now + Span::from_nanos(latency));
        if copy.is_none() && lot.corrupt.is_none() {
            let reordered = lot.delay > 0;
            let fate = Fate::Travels { arrives, copy, corrupted: false, reordered };
            self.show(entered, &message, fate, watch);
            self.core.fly(entered, false, arrives, message);
            return;
        }
        self.launch_odd(entered, lot, arrives, copy, message, watch);
    }

    /// As [`World::launch`], for a datagram that is corrupted or has a copy.
    #[cold]
    fn launch_odd<W: Watch<P>>(
        &mut self,
        entered: Entered,
        lot: Lot,
        arrives: Time,
        copy: Option<Time>,
        message: P::Message,
        watch: &mut W,
    ) {
        let core = &mut self.core;
        let mut fate = Fate::Travels {
            arrives,
            copy,
            corrupted: lot.corrupt.is_some(),
            reordered: lot.delay > 0,
        };
        let mut carried = None;
        if let Some(position) = lot.corrupt {
            core.encode(&message);
            let mut bytes = core.scratch.clone();
            flip(&mut bytes, position);
            core.counts.corrupted += 1;
            carried = P::Message::decode(&bytes).ok();
            if carried.is_none() {
                core.counts.mangled += 1;
                fate = Fate::Mangled { copy };
            }
        }
        self.show(entered, &message, fate, watch);
        let core = &mut self.core;
        if let Some(copy) = copy {
            core.counts.duplicated += 1;
            // The copy was made before the bits were flipped, and so is whole.
            core.fly(entered, true, copy, message.clone());
        }
        match fate {
            Fate::Mangled { .. } => {}
            _ => core.fly(entered, false, arrives, carried.unwrap_or(message)),
        }
    }

    /// Shows a datagram that entered its link to the fingerprint and the watcher.
    #[inline(always)]
    fn show<W: Watch<P>>(
        &mut self,
        entered: Entered,
        message: &P::Message,
        fate: Fate,
        watch: &mut W,
    ) {
        let Entered { from, to, number, input, size, .. } = entered;
        let core = &mut self.core;
        if core.fingerprint.is_on() {
            core.take_sent(entered, fate);
        }
        if W::DATAGRAMS {
            self.emit(Event::Sent { from, to, number, message, size, fate, input }, watch);
        }
    }
}

impl<P: Process> Core<P> {
    /// Encodes `message` into the scratch; returns its length.
    #[inline(always)]
    fn encode(&mut self, message: &P::Message) -> usize {
        self.scratch.clear();
        message.encode(&mut self.scratch);
        self.scratch.len()
    }

    /// Counts the cuts and degradations that a datagram meets; whether it is cut.
    #[cold]
    fn meets_trouble(&mut self, from: NodeId, to: NodeId) -> bool {
        if self.rules.meet_degraded(from, to) {
            self.ledger.took_effect(Injector::Degrade);
        }
        let ledger = &mut self.ledger;
        self.cuts.meet(from, to, |injector| ledger.took_effect(injector))
    }

    #[inline(always)]
    fn fly(&mut self, entered: Entered, copy: bool, arrives: Time, message: P::Message) {
        let Entered { from, receiver, number, .. } = entered;
        let head = Head { from, to: receiver, number, copy };
        let item = match self.wire {
            Wire::Typed => Item::Datagram(self.flights.put(Flight { head, message })),
            Wire::Bytes => {
                let mut bytes = self.spare.pop().unwrap_or_default();
                bytes.clear();
                message.encode(&mut bytes);
                Item::Letter(self.letters.put(Flight { head, message: bytes }))
            }
        };
        self.push(arrives, item);
    }

    /// Takes a sent datagram, whose bytes are in the scratch, into the fingerprint.
    #[inline(never)]
    fn take_sent(&mut self, entered: Entered, fate: Fate) {
        let copied = |copy: Option<Time>| copy.map_or(0, Time::as_nanos);
        let (kind, arrives, copy) = match fate {
            Fate::Travels { arrives, copy, corrupted, reordered } => {
                (1 | u8::from(corrupted) << 4 | u8::from(reordered) << 5, arrives, copied(copy))
            }
            Fate::Mangled { copy } => (2, Time::ZERO, copied(copy)),
            Fate::Lost => (3, Time::ZERO, 0),
            Fate::Overflowed => (4, Time::ZERO, 0),
            Fate::Cut => (5, Time::ZERO, 0),
            Fate::Nowhere => (6, Time::ZERO, 0),
        };
        let mut head = [0; 17];
        head[..4].copy_from_slice(&entered.to.0.to_le_bytes());
        head[4] = kind;
        head[5..9].copy_from_slice(&(self.scratch.len() as u32).to_le_bytes());
        head[9..].copy_from_slice(&copy.to_le_bytes());
        let numbers = [entered.number, arrives.as_nanos()];
        self.fingerprint.take(Kind::Send, self.now, entered.from.0, numbers, |page| {
            page.extend_from_slice(&head);
            page.extend_from_slice(&self.scratch);
        });
    }
}

/// Reads of the nodes that will be wanted soon: the receiver, and whoever's timer is due next. Where
/// most links are new each is a miss of the cache, and these come while that one is waited for.
#[inline(always)]
fn foresee<P: Process>(nodes: &[Node<P>], queue: &Wheel, receiver: u32) {
    if let Some(node) = nodes.get(receiver as usize) {
        black_box((node.inputs, node.process.is_some()));
    }
    if let Some(Item::Timer(slot)) = queue.next_in_lane().map(Item::of)
        && let Some(node) = nodes.get(slot as usize)
    {
        black_box((node.inputs, node.process.is_some(), node.timers.len()));
    }
}

/// The occasion of a datagram that entered its link.
#[inline(always)]
fn occasion(entered: Entered) -> Occasion {
    let Entered { from, to, number, .. } = entered;
    Occasion { site: Site::Send, entity: link(from.0, to.0), index: number }
}

impl Lot {
    fn draw<C: Choices>(
        class: &Class,
        occasion: Occasion,
        state: &mut LinkState,
        choices: &mut C,
    ) -> Self {
        let words = choices.words(occasion);
        let mut settle = |aspect, drawn, benign| choices.settle(occasion, aspect, drawn, benign);
        let mut lot = Self::default();
        if let Some(lost) = class.loss.draw(words[word::LOSS], words[word::SPELL], state) {
            lot.lost = settle(LOST, u64::from(lost), 0) != 0;
        }
        lot.latency = class.least;
        if class.varies {
            lot.latency = settle(LATENCY, class.latency(words[word::LATENCY]), class.least);
        }
        if !class.odd {
            return lot;
        }
        if !class.reorder.is_none() {
            let word = words[word::REORDER];
            let hit = class.reorder.hit(word);
            let by = if hit { within(class.reorder.again(word), 1, class.reorder_by) } else { 0 };
            lot.delay = settle(DELAY, by, 0);
        }
        if !class.duplicate.is_none() {
            let drawn = class.duplicate.hit(words[word::DUPLICATE]);
            if settle(DUPLICATED, u64::from(drawn), 0) != 0 {
                let drawn = class.latency(words[word::COPY_LATENCY]);
                lot.copy_latency = Some(settle(COPY_LATENCY, drawn, class.least));
            }
        }
        if !class.corrupt.is_none() {
            let hit = class.corrupt.hit(words[word::CORRUPT]);
            let position = if hit { u64::from(words[word::POSITION]) + 1 } else { 0 };
            lot.corrupt = settle(CORRUPTED, position, 0).checked_sub(1).map(|at| at as u32);
        }
        lot
    }
}

impl LossOdds {
    /// Whether a datagram is lost; `None` where none ever is. Moves the link's spell on.
    fn draw(&self, loss: u32, spell: u32, state: &mut LinkState) -> Option<bool> {
        match self {
            Self::None => None,
            Self::Independent(odds) => Some(odds.hit(loss)),
            Self::Bursty { bad: turns_bad, good, loss_good, loss_bad } => {
                let bad = if state.is_bad() { !good.hit(spell) } else { turns_bad.hit(spell) };
                state.set_bad(bad);
                Some(if bad { loss_bad } else { loss_good }.hit(loss))
            }
        }
    }
}

impl Tail {
    /// When a datagram that enters now arrives; `None` where the queue has no room for it.
    fn arrival(&mut self, class: &Class, now: u64, size: usize, lot: Lot) -> Option<u64> {
        let mut enters = now;
        if let Some(bandwidth) = class.bandwidth {
            const NANOS: u128 = 1_000_000_000;
            let rate = u128::from(bandwidth.bits_per_second.max(1));
            let wait = u128::from(self.busy_until.saturating_sub(now));
            // Whatever waits has not entered yet: its bytes are what the link passes in that time.
            let queued = (wait * rate).div_ceil(8 * NANOS);
            if queued + size as u128 > u128::from(bandwidth.queue_bytes) && wait > 0 {
                return None;
            }
            let takes = (size as u128 * 8 * NANOS).div_ceil(rate);
            enters = u64::try_from(u128::from(now) + wait + takes).unwrap_or(u64::MAX);
            self.busy_until = enters;
        }
        let mut arrives = enters.saturating_add(lot.latency).saturating_add(lot.delay);
        if class.fifo && !lot.lost {
            arrives = arrives.max(self.latest);
            self.latest = arrives;
        }
        Some(arrives)
    }
}

/// Enters what a link did, or might have done, to a datagram into the ledger. A fault takes effect
/// only where it decides what becomes of the datagram: nothing more happens to one that met a cut, a
/// full queue or its loss, in this order.
#[inline]
fn account(
    class: &Class,
    lot: Lot,
    cut: bool,
    (waits, has_room): (bool, bool),
    ledger: &mut Ledger,
) {
    let enters = !cut && has_room;
    if !matches!(class.loss, LossOdds::None) {
        ledger.attempt(Injector::Loss, lot.lost && enters);
    }
    if !class.odd && class.bandwidth.is_none() {
        return;
    }
    let travels = enters && !lot.lost;
    if !class.duplicate.is_none() {
        ledger.attempt(Injector::Duplicate, lot.copy_latency.is_some() && travels);
    }
    if !class.reorder.is_none() {
        ledger.attempt(Injector::Reorder, lot.delay > 0 && travels);
    }
    if !class.corrupt.is_none() {
        ledger.attempt(Injector::Corrupt, lot.corrupt.is_some() && travels);
    }
    if class.bandwidth.is_some() {
        ledger.attempt(Injector::Bandwidth, (waits || !has_room) && !cut);
    }
}

/// Flips one to three bits of `bytes`, as `position` says.
fn flip(bytes: &mut [u8], position: u32) {
    if bytes.is_empty() {
        return;
    }
    let bits = bytes.len() as u64 * 8;
    for flip in 0..=position % FLIPS_MAX {
        // An odd multiplier spreads the flips over the message.
        let word = position.wrapping_add(flip.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b);
        let bit = below(word, bits);
        bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
    }
}
