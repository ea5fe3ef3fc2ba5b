//! A replica as bytes: what a site comes back with, and what another joins with.
//!
//! A joiner takes the document, the epochs and what waits. The names that a site has given are its own, and what
//! it has yet to tell: a site that comes back without its snapshot needs a new name.

use std::collections::BTreeSet;

use contract::wire::{Malformed, put_varint, take_array, take_byte, take_varint};

use super::{
    parts::{
        put_epoch, put_signed, put_text, put_tuple, take_count, take_epoch, take_signed, take_text,
        take_tuple, take_u32,
    },
    state::{put_state, take_whole},
    stream::{Reader, Writer},
};
use crate::{
    Dot, EpochId, Flaw, FormerState, Integrated, Moves, Naming, Options, Priority, Refused,
    Sequence, Tuple,
    arena::{Arena, Id, ROOT, Run, UNBORN},
    epochs::{Epoch, Epochs},
    former::Former,
    rename::EPOCHS_MAX,
    sequence::ELEMENTS_MAX,
};

/// What a snapshot begins with: the version of its format.
const FORMAT: u8 = 1;

impl Sequence {
    /// Everything that this replica knows, and what it has yet to [`Sequence::tell`].
    ///
    /// Nobody but this site tells that. What another replica is made of is better taken after a `tell`: it has
    /// the text as well, of which the others know nothing yet.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut out = vec![FORMAT, self.options.naming as u8, self.options.priority as u8];
        put_varint(&mut out, u64::from(self.site));
        put_varint(&mut out, u64::from(self.clock));
        let bases = Bases::of(self);
        self.put_names(&mut out, &bases);
        bases.put(&mut out, &self.arena);
        self.put_epochs(&mut out);
        put_varint(&mut out, u64::from(self.current));
        put_varint(&mut out, u64::from(self.since));
        bases.put_runs(&mut out, &self.tree.longest_runs());
        put_text(&mut out, &self.text());
        let waiting = self.waiting.all();
        put_varint(&mut out, waiting.len() as u64);
        for operation in waiting {
            // One by one, since together they may be longer than a message.
            let bytes = Writer::default().fitting(std::slice::from_ref(operation));
            contract::wire::put_blob(&mut out, &bytes);
        }
        self.put_untold(&mut out);
        out
    }

    /// The greatest offset of each base of this site that is in use, or may be again in another epoch. What
    /// goes on is always such a base: the elements of another are gone here, and no operation brings them back.
    fn put_names(&self, out: &mut Vec<u8>, bases: &Bases) {
        let used = (0_u32..).zip(&bases.numbers).filter(|(_, number)| **number != UNBORN);
        let dots = used.map(|(base, _)| self.arena.dot(base));
        let dots = dots.chain(self.epochs.dots());
        let clocks: BTreeSet<u32> =
            dots.filter(|dot| dot.site == self.site).map(|dot| dot.clock).collect();
        // What is aside may have any of them.
        let aside = self.epochs.has_aside();
        let used = |clock: &u32| aside || clocks.contains(clock);
        let given = self.given.given().iter().filter(|(clock, _)| used(clock));
        let given: Vec<_> = given.collect();
        put_varint(out, given.len() as u64);
        let mut next = 0;
        for (clock, offset) in given {
            put_varint(out, u64::from(clock - next));
            put_signed(out, i64::from(*offset));
            next = clock + 1;
        }
    }

    fn put_epochs(&self, out: &mut Vec<u8>) {
        put_varint(out, self.epochs.list().len() as u64);
        for epoch in self.epochs.list() {
            put_epoch(out, epoch.id);
            match (epoch.parent, &epoch.former) {
                (Some(parent), Some(former)) => {
                    put_varint(out, u64::from(parent));
                    match (former.here(), former.aside()) {
                        (Some(state), _) => put_state(out, state, |_| false),
                        (None, sum) => {
                            // No document has no runs.
                            put_varint(out, 0);
                            put_varint(out, u64::from(former.length()));
                            let first = self.arena.tuple(Id { base: former.base(), offset: 0 });
                            out.extend_from_slice(&first.position.to_le_bytes());
                            out.extend_from_slice(&sum.unwrap_or_default().to_le_bytes());
                        }
                    }
                }
                _ => {
                    put_varint(out, u64::from(epoch.depth));
                    put_varint(out, epoch.covered);
                }
            }
        }
    }

    /// The replica of site `site` that a snapshot describes, of that site or of another.
    ///
    /// A site that comes back with an older snapshot than its last is to apply all that it told since before it
    /// edits: it asks the others for its own operations. Names that it does not know to be given it gives twice,
    /// and replicas differ then for ever.
    ///
    /// Errors: the bytes are no snapshot, or one that no replica writes.
    pub fn restore(site: u32, moves: Moves, bytes: &[u8]) -> Result<Self, Malformed> {
        Self::restore_planted(site, moves, None, bytes)
    }

    /// [`Sequence::restore`] of a replica that is wrong, and comes back wrong.
    pub fn restore_planted(
        site: u32,
        moves: Moves,
        flaw: Option<Flaw>,
        mut bytes: &[u8],
    ) -> Result<Self, Malformed> {
        let bytes = &mut bytes;
        if take_byte(bytes)? != FORMAT {
            return Err(Malformed("a snapshot of format 1"));
        }
        let naming = match take_byte(bytes)? {
            0 => Naming::Blocks,
            1 => Naming::Elements,
            _ => return Err(Malformed("what elements are named by")),
        };
        let priority = match take_byte(bytes)? {
            0 => Priority::Lexicographic,
            1 => Priority::Depth,
            2 => Priority::Covered,
            _ => return Err(Malformed("which epoch leads")),
        };
        let options = Options { naming, priority, moves };
        let mut replica =
            Self::new(site, options).map_err(|_| Malformed("a site that there is"))?;
        replica.flaw = flaw;
        let next = replica.take_names(bytes)?;
        let bases = take_bases(bytes, &mut replica.arena)?;
        replica.epochs = take_epochs(bytes, priority, &mut replica.arena)?;
        let epochs = replica.epochs.list().len() as u32;
        replica.current = take_u32(bytes)?;
        if replica.current >= epochs {
            return Err(Malformed("an epoch of the snapshot"));
        }
        replica.leading = replica.epochs.leading();
        if replica.is_here_between(replica.current, replica.leading).is_err() {
            return Err(Malformed("the former states between its epoch and the leading one"));
        }
        replica.since = take_u32(bytes)?;
        let runs = take_runs(bytes, &replica.arena, &bases)?;
        let text = take_text(bytes)?;
        let loaded = replica.tree.load(&runs, text);
        loaded.ok_or(Malformed("as many elements as identifiers"))?;
        replica.claim_names();
        for _ in 0..take_count(bytes)? {
            let message = contract::wire::take_blob(bytes)?;
            for operation in Reader::default().read(message)? {
                match replica.apply(&operation) {
                    Ok(Integrated::Waits) => {}
                    // Its own site refuses it, and others had to keep it.
                    Err(Refused::Own(_)) if next.site != site => {}
                    _ => return Err(Malformed("an operation that waits")),
                }
            }
        }
        replica.take_untold(next, bytes)?;
        Ok(replica)
    }

    /// Makes sure that no name of this site that is in use, or that something waits for, is given again.
    pub(crate) fn claim_names(&mut self) {
        let site = self.site;
        let awaited = self.waiting.epochs().filter_map(EpochId::dot);
        let own = self.epochs.dots().chain(awaited).filter(|dot| dot.site == site);
        let mut clocks: Vec<u32> = own.map(|dot| dot.clock).collect();
        clocks.extend(self.arena.clocks(site));
        clocks.sort_unstable();
        for clock in clocks {
            match self.may_be_own(Dot { site, clock }) {
                Ok(()) => self.clock = self.clock.max(clock + 1),
                Err(_) => drop(self.made_up.insert(clock)),
            }
        }
        // What is here of a base that somebody made up does not say how far it went.
        let ends = self.tree.runs().map(|run| (self.arena.dot(run.base), run.last().offset));
        let short = ends.filter(|(dot, offset)| {
            dot.site == site && self.given.last(dot.clock).is_some_and(|last| last < *offset)
        });
        let short: BTreeSet<u32> = short.map(|(dot, _)| dot.clock).collect();
        if !short.is_empty() {
            self.given.keep(|clock| !short.contains(&clock));
        }
    }

    /// Takes over the names that were given, where they are those of this site. Returns the one that the site
    /// of the snapshot gives next.
    fn take_names(&mut self, bytes: &mut &[u8]) -> Result<Dot, Malformed> {
        let (site, clock) = (take_u32(bytes)?, take_u32(bytes)?);
        let count = take_count(bytes)?;
        if clock > 1 << 31 {
            return Err(Malformed("names that a site can give"));
        }
        let mut next = 0_u32;
        for _ in 0..count {
            let given = next.checked_add(take_u32(bytes)?).filter(|given| *given < clock);
            let given = given.ok_or(Malformed("a name that was given"))?;
            let offset = i32::try_from(take_signed(bytes)?).ok().filter(|offset| *offset >= -1);
            let offset = offset.ok_or(Malformed("an offset that was given"))?;
            if site == self.site {
                self.given.raise(given, offset);
            }
            next = given + 1;
        }
        if site == self.site {
            self.clock = clock;
        }
        Ok(Dot { site, clock })
    }
}

/// The bases that a snapshot names, numbered in the order of their handles: parents first.
struct Bases {
    numbers: Vec<u32>,
}

impl Bases {
    fn of(replica: &Sequence) -> Self {
        let mut numbers = vec![UNBORN; replica.arena.len()];
        let all = replica.tree.runs().map(|run| run.base);
        for mut base in all {
            while base != ROOT.base && numbers[base as usize] == UNBORN {
                numbers[base as usize] = 0;
                base = replica.arena.parent(Id { base, offset: 0 }).base;
            }
        }
        let used = numbers.iter_mut().filter(|number| **number != UNBORN);
        used.zip(1..).for_each(|(number, at)| *number = at);
        Self { numbers }
    }

    /// The number of a base, from 1; the root's is 0.
    fn number(&self, base: u32) -> u32 {
        if base == ROOT.base { 0 } else { self.numbers[base as usize] }
    }

    fn put(&self, out: &mut Vec<u8>, arena: &Arena) {
        let used = (0_u32..).zip(&self.numbers).filter(|(_, number)| **number != UNBORN);
        let used: Vec<u32> = used.map(|(base, _)| base).collect();
        put_varint(out, used.len() as u64);
        for base in used {
            let id = Id { base, offset: 0 };
            let parent = arena.parent(id);
            let back = self.number(base) - self.number(parent.base);
            put_varint(out, u64::from(back));
            put_signed(out, i64::from(parent.offset));
            put_tuple(out, arena.tuple(id));
            put_varint(out, u64::from(arena.born(base).wrapping_add(1)));
        }
    }

    fn put_runs(&self, out: &mut Vec<u8>, runs: &[Run]) {
        put_varint(out, runs.len() as u64);
        let mut last = 0;
        for run in runs {
            let number = i64::from(self.number(run.base));
            put_signed(out, number - last);
            put_signed(out, i64::from(run.offset));
            put_varint(out, u64::from(run.length));
            last = number;
        }
    }
}

/// The handles of the bases by their numbers, from that of the root.
fn take_bases(bytes: &mut &[u8], arena: &mut Arena) -> Result<Vec<u32>, Malformed> {
    let count = take_count(bytes)?;
    let mut bases = vec![ROOT.base];
    for number in 1..=count {
        let back =
            usize::try_from(take_varint(bytes)?).ok().filter(|back| (1..=number).contains(back));
        let parent = number - back.ok_or(Malformed("a base that stands before"))?;
        let offset = i32::try_from(take_signed(bytes)?);
        let offset = offset.map_err(|_| Malformed("an offset of 32 bits"))?;
        let tuple = take_tuple(bytes)?;
        let born = take_u32(bytes)?.wrapping_sub(1);
        let parent = if parent == 0 { ROOT } else { Id { base: bases[parent], offset } };
        if parent != ROOT {
            // What is a parent is part of an identifier, offset and all.
            let tuple = Tuple { offset, ..arena.tuple(parent) };
            tuple.check().map_err(|_| Malformed("a tuple that a site makes"))?;
        } else if tuple == Tuple::MIN || tuple == Tuple::MAX {
            return Err(Malformed("an identifier that does not begin with a reserved tuple"));
        }
        tuple.check().map_err(|_| Malformed("a tuple that a site makes"))?;
        let id = arena.extend(parent, tuple);
        if id.base as usize != number {
            return Err(Malformed("a base that is not there yet"));
        }
        if born != UNBORN {
            arena.bear(id.base, born);
        }
        bases.push(id.base);
    }
    Ok(bases)
}

fn take_runs(bytes: &mut &[u8], arena: &Arena, bases: &[u32]) -> Result<Vec<Run>, Malformed> {
    let count = take_count(bytes)?;
    let mut runs: Vec<Run> = Vec::new();
    let (mut last, mut total) = (0_i64, 0_u64);
    for _ in 0..count {
        let number = last.checked_add(take_signed(bytes)?);
        let at = number.and_then(|number| usize::try_from(number).ok()).filter(|at| *at > 0);
        let base = at.and_then(|at| bases.get(at)).ok_or(Malformed("a base of the snapshot"))?;
        last = number.unwrap_or_default();
        let offset = i32::try_from(take_signed(bytes)?).ok().filter(|offset| *offset >= 0);
        let offset = offset.ok_or(Malformed("an offset that is not negative"))?;
        let length = take_u32(bytes)?;
        total += u64::from(length);
        let fits = i64::from(offset) + i64::from(length) <= i64::from(i32::MAX);
        if length == 0 || !fits || total > ELEMENTS_MAX {
            return Err(Malformed("offsets that follow each other"));
        }
        let run = Run { base: *base, offset, length };
        if arena.tuple(run.first()).is_reserved() {
            return Err(Malformed("an identifier that does not end in a reserved tuple"));
        }
        match runs.last() {
            Some(last) if last.meets(run) => return Err(Malformed("the longest runs")),
            Some(last) if arena.compare(last.last(), run.first()).is_ge() => {
                return Err(Malformed("runs in order"));
            }
            _ => runs.push(run),
        }
    }
    Ok(runs)
}

fn take_epochs(
    bytes: &mut &[u8],
    priority: Priority,
    arena: &mut Arena,
) -> Result<Epochs, Malformed> {
    let count = take_count(bytes)?;
    if count > EPOCHS_MAX {
        return Err(Malformed("as many epochs as a replica keeps"));
    }
    let id = take_epoch(bytes)?;
    let (depth, covered) = (take_u32(bytes)?, take_varint(bytes)?);
    let root = Epoch { id, parent: None, depth, covered, children: 0, former: None };
    let mut epochs = Epochs::from_list(vec![root], priority);
    for at in 1..count {
        let id = take_epoch(bytes)?;
        let parent = take_u32(bytes)?;
        let (state, elsewhere) = match bytes.first() {
            Some(0) => (None, Some(take_elsewhere(bytes)?)),
            _ => (Some(take_whole(bytes)?), None),
        };
        let position = state.as_ref().map(FormerState::position);
        let position = position.or(elsewhere.map(|(position, ..)| position));
        let EpochId::Renamed(Dot { site, clock }) = id else {
            return Err(Malformed("an epoch that a rename begins"));
        };
        let position = position.ok_or(Malformed("a former state"))?;
        let tuple = Tuple { position, site, clock, offset: 0 };
        let named = tuple.check().is_ok() && site != 0;
        if !named || parent as usize >= at || epochs.find(id).is_some() {
            return Err(Malformed("an epoch that a rename begins"));
        }
        let base = arena.extend(ROOT, tuple).base;
        let former = match (state, elsewhere) {
            (Some(state), _) => Former::new(state, base),
            (None, Some((_, length, sum))) => Former::elsewhere(length, sum, base),
            (None, None) => return Err(Malformed("a former state")),
        };
        let epoch = epochs.add(id, parent, former);
        arena.bear(base, epoch);
    }
    Ok(epochs)
}

/// The first position, the length and the sum of a former state that is aside.
fn take_elsewhere(bytes: &mut &[u8]) -> Result<(i32, u32, u64), Malformed> {
    take_byte(bytes)?;
    let length = take_u32(bytes)?;
    if length == 0 || u64::from(length) > ELEMENTS_MAX {
        return Err(Malformed("as many elements as a document has"));
    }
    let position = i32::from_le_bytes(take_array(bytes)?);
    Ok((position, length, u64::from_le_bytes(take_array(bytes)?)))
}
