//! Anti-entropy: what members tell each other so that what was lost comes again.

use std::sync::Arc;

use contract::{Encode, Malformed, Wire, wire::take_varint};

use crate::{Broadcast, Clock, Dot, Operation, Origin, Payload, Refusal, members::Standing};

/// How far a member has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// What it has delivered.
    pub delivered: Clock,
    /// What it has forgotten of that, and cannot hand out any more.
    pub collected: Clock,
}

/// Operations of one origin that somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    /// The first of them.
    pub first: Dot,
    /// How many follow it.
    pub more: u32,
}

/// What follows from a member's digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// It has operations that are missing here, these among them. None: nothing is missing here.
    Wants(Vec<Range>),
    /// It is retired, or others forgot what it never had: it has to join again.
    Resync,
    /// It has forgotten what was never here: this node has to join again.
    Lost,
}

/// Operations handed out for one request, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How many.
    pub count_max: usize,
    /// Bytes of them, about.
    pub bytes_max: usize,
}

/// Ranges in one request, at most.
pub const RANGES_MAX: usize = 1024;

impl<P: Payload> Broadcast<P> {
    /// How far this node has come.
    pub fn digest(&self) -> Digest {
        Digest { delivered: self.delivered.clone(), collected: self.collected.clone() }
    }

    /// Compares what `from` has with what is here. Where more is missing than fits a request, each asks
    /// for another part, so that what can be delivered next is asked for some day.
    ///
    /// Errors: [`Refusal::Future`] where it has what this node never issued, or has forgotten what it
    /// does not have.
    pub fn compare(&mut self, from: Origin, digest: &Digest) -> Result<Compared, Refusal> {
        let issued = self.own().map(|origin| Dot { origin, seq: digest.delivered.get(origin) });
        let never = issued.filter(|issued| !self.delivered.covers(*issued));
        let mut ahead = digest.collected.beyond(&digest.delivered);
        if let Some(dot) = never.or_else(|| ahead.next()) {
            return Err(Refusal::Future(dot));
        }
        let standing = self.members.standing(from);
        // A digest may be late, so that a member which seems to lack what was forgotten here need not;
        // what is stable it has.
        let astray = standing == Standing::Stranger && self.is_led_astray(digest);
        if standing == Standing::Retired || astray {
            return Ok(Compared::Resync);
        }
        if standing == Standing::Member && !self.delivered.covers_all(&digest.collected) {
            return Ok(Compared::Lost);
        }
        Ok(Compared::Wants(self.wants(&digest.delivered)))
    }

    /// Whether a stranger has what perhaps nobody else will ever have: operations of one that is retired,
    /// and who let him join without knowing so. Joining again is always safe; but as long as he has
    /// something of members too that is not here yet, that comes first, lest those who merely lag behind send others away.
    fn is_led_astray(&self, digest: &Digest) -> bool {
        let (mut retired, mut members) = (false, false);
        for last in digest.delivered.beyond(&self.delivered) {
            let standing = self.members.standing(last.origin);
            retired |= standing == Standing::Retired;
            members |= standing == Standing::Member && self.waiting().get(last).is_none();
        }
        !digest.delivered.covers_all(&self.collected) || retired && !members
    }

    /// Whether somebody who has `delivered` lacks something that is here.
    pub fn lacks(&self, delivered: &Clock) -> bool {
        self.delivered.beyond(delivered).next().is_some()
    }

    /// What of `theirs` is neither delivered here nor waits here, as ranges.
    fn wants(&mut self, theirs: &Clock) -> Vec<Range> {
        let mut ranges = Vec::new();
        for last in theirs.beyond(&self.delivered) {
            let mut first = Dot { seq: self.delivered.get(last.origin) + 1, ..last };
            let parked = self.waiting().of(first).into_iter();
            for parked in parked.chain([Dot { seq: u32::MAX, ..last }]) {
                let until = parked.seq.min(last.seq.saturating_add(1));
                if first.seq < until {
                    ranges.push(Range { first, more: until - first.seq - 1 });
                }
                first.seq = until.saturating_add(1);
            }
        }
        let most = self.ranges_max();
        if ranges.len() > most {
            let start = self.turn.wrapping_mul(most) % ranges.len();
            self.turn = self.turn.wrapping_add(1);
            ranges.rotate_left(start);
            ranges.truncate(most);
        }
        ranges
    }

    /// What there is of `ranges` here, causes first, as much as one answer may hold.
    pub fn serve(&self, ranges: &[Range], answer: Answer) -> Vec<Arc<Operation<P>>> {
        let mut found = Vec::new();
        // Each operation is looked at once, however often it is asked for.
        let mut ranges = ranges.to_vec();
        ranges.sort_unstable();
        let mut next = Dot::NONE;
        for range in ranges {
            let Dot { origin, seq } = range.first;
            let until = seq.saturating_add(range.more);
            let served = if next.origin == origin { next.seq } else { 0 };
            let seqs = seq.max(self.collected.get(origin) + 1).max(served)..=until;
            let entries = seqs.map_while(|seq| self.entry(Dot { seq, origin }));
            found.extend(entries.map(|entry| ((entry.lamport, entry.operation.dot), entry)));
            next = Dot { origin, seq: served.max(until.saturating_add(1)) };
        }
        found.sort_unstable_by_key(|(place, _)| *place);
        let mut bytes = 0;
        let fits = found.into_iter().take(answer.count_max).take_while(|(_, entry)| {
            let first = bytes == 0;
            bytes += crate::waiting::Waiting::bytes_of(&entry.operation);
            first || bytes <= answer.bytes_max
        });
        fits.map(|(_, entry)| Arc::clone(&entry.operation)).collect()
    }
}

impl Encode for Digest {
    fn encode(&self, out: &mut Vec<u8>) {
        self.delivered.encode(out);
        self.collected.encode(out);
    }
}

impl Wire for Digest {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(Self { delivered: Clock::read(bytes)?, collected: Clock::read(bytes)? })
    }
}

impl Encode for Range {
    fn encode(&self, out: &mut Vec<u8>) {
        self.first.encode(out);
        self.more.encode(out);
    }
}

impl Wire for Range {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let first = Dot::read(bytes)?;
        let more = u32::try_from(take_varint(bytes)?)
            .ok()
            .filter(|more| first.seq.checked_add(*more).is_some());
        Ok(Self { first, more: more.ok_or(Malformed("operations that there can be"))? })
    }
}
