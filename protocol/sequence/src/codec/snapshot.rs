//! A replica as bytes: what a site comes back with, and what another joins with.
//!
//! A joiner takes the document, the epochs and what waits. The names that a site has given are its own, and what
//! it has yet to tell: a site that comes back without its snapshot needs a new name.

use std::collections::BTreeSet;

use contract::wire::{Malformed, put_varint, take_array, take_byte, take_varint};

use super::{
    parts::{
        put_epoch, put_signed, put_text, take_count, take_epoch, take_signed, take_text, take_u32,
    },
    state::{put_state, take_whole},
    stream::Reader,
    writer::Writer,
};
use crate::{
    Dot, EpochId, Flaw, FormerState, Integrated, Moves, Names, Naming, Options, Priority, Refused,
    Sequence, Tuple,
    arena::{Arena, FORGOTTEN, Id, ROOT, Run, UNBORN},
    epochs::{Epoch, Epochs},
    former::Former,
    rename::EPOCHS_MAX,
    sequence::ELEMENTS_MAX,
};

/// What a snapshot begins with: the version of its format.
const FORMAT: u8 = 2;

impl Sequence {
    /// Everything that this replica knows, and what it has yet to [`Sequence::tell`].
    ///
    /// Nobody but this site tells that. What another replica is made of is better taken after a `tell`: it has
    /// the text as well, of which the others know nothing yet.
    pub fn snapshot(&self) -> Vec<u8> {
        let Options { naming, priority, .. } = self.options;
        let mut out = vec![FORMAT, naming as u8, priority as u8];
        put_varint(&mut out, u64::from(self.site));
        put_varint(&mut out, u64::from(self.clock));
        // The handles of its bases; the first is the root's.
        let (document, handles) = FormerState::of(&self.arena, &self.tree.longest_runs());
        let bases = &handles[1..];
        self.put_names(&mut out, bases);
        put_state(&mut out, &document, |_| false);
        put_births(&mut out, bases.iter().map(|base| self.arena.born(*base)));
        self.put_epochs(&mut out);
        put_varint(&mut out, u64::from(self.current));
        put_varint(&mut out, u64::from(self.since));
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
    fn put_names(&self, out: &mut Vec<u8>, bases: &[u32]) {
        let dots = bases.iter().map(|base| self.arena.dot(*base));
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
        Self::read_back(site, moves, Names::Watched, None, bytes)
    }

    /// [`Sequence::restore`] for a host that vouches for names: [`Names::Vouched`]. No snapshot says so itself, for
    /// whoever hands one out is not the host.
    pub fn restore_vouched(site: u32, moves: Moves, bytes: &[u8]) -> Result<Self, Malformed> {
        Self::read_back(site, moves, Names::Vouched, None, bytes)
    }

    /// [`Sequence::restore`] of a replica that is wrong, and comes back wrong.
    pub fn restore_planted(
        site: u32,
        moves: Moves,
        flaw: Option<Flaw>,
        bytes: &[u8],
    ) -> Result<Self, Malformed> {
        Self::read_back(site, moves, Names::Watched, flaw, bytes)
    }

    fn read_back(
        site: u32,
        moves: Moves,
        names: Names,
        flaw: Option<Flaw>,
        mut bytes: &[u8],
    ) -> Result<Self, Malformed> {
        let bytes = &mut bytes;
        if take_byte(bytes)? != FORMAT {
            return Err(Malformed("a snapshot of format 2"));
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
        let options = Options { naming, priority, names, moves };
        let mut replica =
            Self::new(site, options).map_err(|_| Malformed("a site that there is"))?;
        replica.flaw = flaw;
        let next = replica.take_names(bytes)?;
        let runs;
        (replica.arena, runs) = take_document(bytes)?;
        replica.epochs = take_epochs(bytes, options, &mut replica.arena)?;
        let epochs = replica.epochs.list().len() as u32;
        let known = |born| born < epochs || matches!(born, FORGOTTEN | UNBORN);
        let mut births = (0..replica.arena.len() as u32).map(|base| replica.arena.born(base));
        if !births.all(known) {
            return Err(Malformed("bases that were made in an epoch of the snapshot"));
        }
        replica.current = take_u32(bytes)?;
        if replica.current >= epochs {
            return Err(Malformed("an epoch of the snapshot"));
        }
        replica.leading = replica.epochs.leading();
        if replica.is_here_between(replica.current, replica.leading).is_err() {
            return Err(Malformed("the former states between its epoch and the leading one"));
        }
        replica.since = take_u32(bytes)?;
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

/// In which epochs bases were made, a stretch of equal ones at a time: a number, one above that of the epoch and then
/// twice as large, is odd where it follows how many there are of it beyond two.
fn put_births(out: &mut Vec<u8>, births: impl Iterator<Item = u32>) {
    let mut births = births.map(|born| u64::from(born.wrapping_add(1))).peekable();
    while let Some(born) = births.next() {
        let mut more = 0_u64;
        while births.next_if_eq(&born).is_some() {
            more += 1;
        }
        put_varint(out, born * 2 + u64::from(more > 0));
        if more > 0 {
            put_varint(out, more - 1);
        }
    }
}

/// What [`put_births`] wrote of all bases of `arena`.
fn take_births(bytes: &mut &[u8], arena: &mut Arena) -> Result<(), Malformed> {
    let mut bases = ROOT.base + 1..arena.len() as u32;
    while !bases.is_empty() {
        let head = take_varint(bytes)?;
        let born = u32::try_from(head / 2).map_err(|_| Malformed("a number of at most 32 bits"))?;
        let more = if head % 2 == 1 { take_varint(bytes)?.saturating_add(1) } else { 0 };
        if more >= bases.len() as u64 {
            return Err(Malformed("as many births as there are bases"));
        }
        let of = bases.by_ref().take(more as usize + 1);
        // What nobody brought is as it was.
        of.for_each(|base| arena.bear(base, born.wrapping_sub(1)));
    }
    Ok(())
}

/// The bases of a document, and its runs.
fn take_document(bytes: &mut &[u8]) -> Result<(Arena, Vec<Run>), Malformed> {
    if bytes.first() == Some(&0) {
        // No rename can find an empty one.
        take_byte(bytes)?;
        return Ok((Arena::default(), Vec::new()));
    }
    let document = take_whole(bytes)?;
    let mut arena = Arena::of(document.bases());
    take_births(bytes, &mut arena)?;
    Ok((arena, document.runs().to_vec()))
}

fn take_epochs(
    bytes: &mut &[u8],
    options: Options,
    arena: &mut Arena,
) -> Result<Epochs, Malformed> {
    let count = take_count(bytes)?;
    if count > EPOCHS_MAX && options.names == Names::Watched {
        return Err(Malformed("as many epochs as a replica keeps"));
    }
    let id = take_epoch(bytes)?;
    let (depth, covered) = (take_u32(bytes)?, take_varint(bytes)?);
    let root = Epoch { id, parent: None, depth, covered, children: 0, former: None };
    let mut epochs = Epochs::from_list(vec![root], options.priority);
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
