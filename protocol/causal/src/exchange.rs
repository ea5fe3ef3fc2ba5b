//! Anti-entropy: what members tell each other so that what was lost comes again.

use std::sync::Arc;

use contract::{
    Encode, Malformed, Wire,
    wire::{put_varint, take_varint},
};

use crate::{
    Broadcast, Clock, Dot, Operation, Origin, Payload, Refusal,
    members::{LINEAGE_MAX, Standing},
};

/// How far a member has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// What it has delivered.
    pub delivered: Clock,
    /// What it has forgotten of that, and cannot hand out any more.
    pub collected: Clock,
    /// Who let it in, who let that one in, and so on, as far as others may not know it yet.
    pub lineage: Vec<Origin>,
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
        let lineage = self.own.map_or(Vec::new(), |own| self.members.lineage(own));
        Digest { delivered: self.delivered.clone(), collected: self.collected.clone(), lineage }
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
        if standing == Standing::Stranger {
            self.strangers.introduce(from, &digest.lineage);
        }
        let trusted = match standing {
            Standing::Member => true,
            Standing::Retired => return Ok(Compared::Resync),
            Standing::Stranger => self.strangers.is_answered_for(from, &self.members),
        };
        // A digest may be late, so that a member which seems to lack what was forgotten here need not;
        // what is stable it has. What somebody was let in with is in each of his digests.
        let lacks = !digest.delivered.covers_all(&self.collected);
        if standing == Standing::Stranger && (lacks || !trusted && self.is_led_astray(digest)) {
            return Ok(Compared::Resync);
        }
        if trusted && !self.delivered.covers_all(&digest.collected) {
            return Ok(Compared::Lost);
        }
        Ok(Compared::Wants(self.wants(&digest.delivered, trusted)))
    }

    /// Whether a stranger for whom nobody answers has what perhaps nobody else will ever have: operations
    /// of one that is retired, and who let him join without knowing so. Joining again is always safe; but
    /// as long as he has something of members too that might be delivered here, that comes first, lest those
    /// who merely lag behind send others away.
    fn is_led_astray(&self, digest: &Digest) -> bool {
        let (mut retired, mut members) = (false, false);
        for last in digest.delivered.beyond(&self.delivered) {
            let standing = self.members.standing(last.origin);
            let next = Dot { seq: self.delivered.get(last.origin) + 1, ..last };
            retired |= standing == Standing::Retired;
            members |= standing == Standing::Member && self.waiting().get(next).is_none();
        }
        retired && !members
    }

    /// Whether somebody who has `delivered` lacks something that is here.
    pub fn lacks(&self, delivered: &Clock) -> bool {
        self.delivered.beyond(delivered).next().is_some()
    }

    /// What of `theirs` is neither delivered here nor waits here, as ranges. Of one for whom nobody answers
    /// it leaves out what is refused when he hands it over, or that would come first for ever.
    fn wants(&mut self, theirs: &Clock, trusted: bool) -> Vec<Range> {
        let mut ranges = Vec::new();
        let taken = |last: &Dot| trusted || self.members.standing(last.origin) != Standing::Retired;
        for last in theirs.beyond(&self.delivered).filter(taken) {
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
        put_varint(out, self.lineage.len() as u64);
        self.lineage.iter().for_each(|origin| origin.encode(out));
    }
}

impl Wire for Digest {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let (delivered, collected) = (Clock::read(bytes)?, Clock::read(bytes)?);
        let count = take_varint(bytes)?;
        if count > LINEAGE_MAX as u64 {
            return Err(Malformed("a lineage"));
        }
        let lineage = (0..count).map(|_| Origin::read(bytes)).collect::<Result<_, _>>()?;
        Ok(Self { delivered, collected, lineage })
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
