//! A replica's document, and what it keeps for operations that are still under way.
//!
//! Who renames begins an epoch. Once every member is known to have that rename, somebody *announces* the
//! epoch. Whoever delivered the announcement is in that epoch or beyond, so that once the announcement is
//! stable in its turn, no operation of an older epoch comes any more, and what only those need is dropped.
//! Delivery of the rename alone would do where everybody moves at once, and loses text where somebody waits.
//!
//! Invariant: a function of the operations delivered and of what was stable, whatever the order.
//! Source: research on sequences, section A.8; the announcement is ours: members are nobody's to count here.

use std::collections::BTreeMap;

use causal::{At, Clock, Dot, Stamp};
use crdt::Refused;
use sequence::{
    Author, EpochId, FormerState, Integrated, Moves, Naming, Operation, Options, Parts, Sequence,
    Tuple,
};

use crate::native::{
    notes::{
        Flaw,
        kind::Edit,
        places::{Blocks, SPELLED_IN_MESSAGE_MAX},
        sites::Sites,
    },
    scramble,
    typed::Typed,
};

/// The site of a replica that edits nothing under its own name: edits are drafted, for whoever makes them.
pub(super) const NOBODY: u32 = u32::MAX >> 1;

/// Beyond those that were in use when it was looked last, twice counted, so many more names are kept before it
/// is looked again: which are in use is seen by a walk over all.
const NAMES_SPARE: u32 = 32;

/// New identifiers lie no further than this above what stands before them, so that a rename tells how far in
/// two bytes. They come to be hardly deeper than if they lay anywhere.
const STEP_MAX: u64 = (1 << 14) - 1;

/// A rename spells the document in no more bytes, so that it fits a datagram.
const RENAME_BYTES_MAX: usize = 48 << 10;

/// How one code keeps documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ways {
    /// When a replica moves to a newer epoch.
    pub(super) moving: Moving,
    pub(super) flaw: Option<Flaw>,
}

/// When a replica moves to a newer epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moving {
    /// When it has the rename.
    AtOnce,
    /// When it has an announcement that everybody has the rename.
    OnceAnnounced,
}

/// The state.
#[derive(Clone, Debug)]
pub(super) struct Document {
    ways: Ways,
    pub(super) sequence: Sequence,
    pub(super) sites: Sites,
    /// Names beyond which it is looked which are in use.
    pub(super) crowd: u32,
    /// The newest epoch that was announced.
    pub(super) announced: EpochId,
    /// Renames that not all members are known to have, by the operation that brought them.
    pub(super) unsettled: BTreeMap<Dot, EpochId>,
    /// Announcements that not all members are known to have.
    pub(super) announcements: BTreeMap<Dot, EpochId>,
}

/// Equal are documents that are kept alike.
impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        let Self { ways: _, sequence: _, sites, crowd, announced, unsettled, announcements } = self;
        self.parts() == other.parts()
            && *sites == other.sites
            && *crowd == other.crowd
            && *announced == other.announced
            && *unsettled == other.unsettled
            && *announcements == other.announcements
    }
}

/// Refuses what no honest replica sends.
fn dishonest(why: impl ToString) -> Refused {
    let expected = "an operation that a replica writes";
    Refused::Unknown { expected, found: why.to_string() }
}

impl Ways {
    fn options(self) -> Options {
        let moves = match self.moving {
            Moving::AtOnce => Moves::Eager,
            Moving::OnceAnnounced => Moves::AfterStable,
        };
        Options { moves, ..Options::default() }
    }

    /// The flaw that is the sequence's own.
    fn planted(self) -> Option<sequence::Flaw> {
        self.flaw.filter(|flaw| *flaw == Flaw::PrintedMapping)?;
        Some(sequence::Flaw::PrintedMapping)
    }
}

impl Document {
    pub(super) fn empty(ways: Ways) -> Self {
        let mut sequence = Sequence::new(NOBODY, ways.options()).expect("a site has this name");
        sequence.plant(ways.planted());
        Self {
            ways,
            sequence,
            sites: Sites::default(),
            crowd: NAMES_SPARE,
            announced: EpochId::Origin,
            unsettled: BTreeMap::new(),
            announcements: BTreeMap::new(),
        }
    }

    /// The document that is made of these, in the epoch that this code would be in: the code that kept it
    /// may move in another way. Errors: no replica has it.
    pub(super) fn assembled(
        ways: Ways,
        parts: &Parts,
        sites: Sites,
        announced: EpochId,
    ) -> Result<Self, sequence::Refused> {
        let (options, flaw) = (ways.options(), ways.planted());
        let mut sequence = Sequence::assembled_planted(NOBODY, options, flaw, parts)?;
        // Where it is gone, a flawed code dropped what was never announced.
        let waits = ways.moving == Moving::OnceAnnounced;
        let there = sequence.known_epochs().any(|epoch| epoch == announced);
        sequence.move_to_epoch(if waits && there {
            announced
        } else {
            sequence.leading_epoch()
        })?;
        Ok(Self { sequence, sites, announced, ..Self::empty(ways) })
    }

    /// What it is made of, in the epoch that leads: when this code moves there is nothing to keep.
    pub(super) fn parts(&self) -> Parts {
        if self.sequence.epoch() == self.sequence.leading_epoch() {
            return parts(&self.sequence);
        }
        let mut sequence = self.sequence.clone();
        sequence.move_to_leading();
        parts(&sequence)
    }

    /// What all replicas must be told of an edit. Nothing is changed: it is carried out when it comes back.
    pub(super) fn edited(&self, edit: &Edit, stamp: Stamp) -> Result<Vec<Operation>, Refused> {
        let origin = stamp.dot.origin;
        let found = || format!("{origin}, which no site is free for");
        let expected = "a writer with a site";
        let next = self.sites.next(origin);
        let next = next.ok_or_else(|| Refused::Unknown { expected, found: found() })?;
        let insert = |naming, index: u64, text: &str| {
            let given = |clock| self.sites.given(origin, sequence::Dot { clock, ..next });
            let (author, mut draw) = (Author { next, naming }, draws(stamp.dot));
            self.sequence.drafted_insert(author, given, index, text, &mut draw)
        };
        let operations = match edit {
            Edit::Insert(index, text) => insert(Naming::Blocks, *index, text),
            Edit::InsertApart(index, text) => insert(Naming::Elements, *index, text),
            Edit::Remove(range) => self.sequence.drafted_remove(range.clone()).map(|it| vec![it]),
            Edit::Rename => self.sequence.drafted_rename(next).map(|it| vec![it]),
        };
        let operations = operations.map_err(dishonest)?;
        if let [Operation::Rename { former, .. }] = &operations[..] {
            fits_a_datagram(former)?;
        }
        Ok(operations)
    }

    pub(super) fn knows(&self, epoch: EpochId) -> bool {
        self.sequence.known_epochs().any(|known| known == epoch)
    }

    /// Carries out what a replica was told, all of it or nothing.
    pub(super) fn carry_out(
        &mut self,
        at: At<'_>,
        operations: &[Operation],
    ) -> Result<(), Refused> {
        let origin = at.stamp.dot.origin;
        let mut names = Vec::new();
        for operation in operations {
            if !self.knows(operation.epoch()) {
                if self.ways.flaw == Some(Flaw::CollectsDelivered) {
                    return Ok(());
                }
                return Err(dishonest(sequence::Refused::Unknown(operation.epoch())));
            }
            let named = match operation {
                Operation::Insert { first, text, .. } => {
                    let last = i32::try_from(text.chars().count()).ok();
                    let last = last.and_then(|count| first.offset().checked_add(count - 1));
                    (first.dot(), last.ok_or_else(|| dishonest("more than a base names"))?)
                }
                Operation::Rename { dot, former, .. } => {
                    let count = i32::try_from(former.length()).ok();
                    let last = count.and_then(|count| count.checked_sub(1));
                    (*dot, last.ok_or_else(|| dishonest("more than a base names"))?)
                }
                Operation::Remove { .. } => continue,
            };
            if !self.sites.may_name(origin, named.0) {
                return Err(dishonest(format!("{origin} names {} as its own", named.0)));
            }
            if let Some(dot) = self.not_yet_given(operation, &names) {
                return Err(dishonest(format!("{origin} writes beside {dot}, which nobody gave")));
            }
            names.push(named);
        }
        self.apply_all(operations)?;
        names.into_iter().for_each(|(dot, last)| self.sites.note(origin, dot, last));
        for operation in operations {
            if let Operation::Rename { dot, .. } = operation {
                self.unsettled.insert(at.stamp.dot, EpochId::Renamed(*dot));
                if self.ways.flaw == Some(Flaw::ReusesNames) {
                    self.sites.forget_the_gone(&self.sequence);
                }
            }
        }
        Ok(())
    }

    /// A name that an operation takes for one that was given, where none has given it, or none but a rename that the
    /// operation does not know of: causes come first, so no replica writes that. Whoever gives it later on would
    /// find it in use. `beside` were given just now.
    ///
    /// It asks what was given here, which may be more than what the operation followed: a member who guesses a name
    /// that is about to be given is refused by some and believed by others.
    fn not_yet_given(
        &self,
        operation: &Operation,
        beside: &[(sequence::Dot, i32)],
    ) -> Option<sequence::Dot> {
        let is_given = |dot| self.sites.is_given(dot) || beside.iter().any(|given| given.0 == dot);
        let made = |tuple: &Tuple| !tuple.is_reserved();
        let dot = |Tuple { site, clock, .. }| sequence::Dot { site, clock };
        match operation {
            Operation::Insert { first, .. } => {
                let inner = first.tuples().len() - 1;
                let inner = first.tuples().take(inner).filter(made);
                inner.map(dot).find(|dot| !is_given(*dot))
            }
            Operation::Rename { former, .. } => {
                let intervals = former.intervals();
                let all = intervals.iter().flat_map(|interval| interval.first.tuples());
                let unknown = all.filter(made).map(dot).find(|dot| !is_given(*dot));
                // Where that rename is not there yet, its name is one that nobody gave.
                unknown.or_else(|| self.sequence.foresees(operation))
            }
            Operation::Remove { .. } => None,
        }
    }

    fn apply_all(&mut self, operations: &[Operation]) -> Result<(), Refused> {
        let [operation] = operations else {
            return self.sequence.apply_together(operations).map_err(dishonest);
        };
        match self.sequence.apply(operation) {
            Ok(Integrated::Done) => Ok(()),
            Ok(Integrated::Waits) => unreachable!("its epoch is known"),
            Err(why) => Err(dishonest(why)),
        }
    }

    /// Takes it that everybody has the rename of `epoch`.
    pub(super) fn hear(&mut self, at: At<'_>, epoch: EpochId) -> Result<(), Refused> {
        if !self.knows(epoch) {
            return Err(dishonest(sequence::Refused::Unknown(epoch)));
        }
        self.announcements.insert(at.stamp.dot, epoch);
        let order = self.sequence.epochs_by_priority();
        let place = |epoch| order.iter().position(|other| *other == epoch);
        if place(epoch) > place(self.announced) {
            self.announced = epoch;
        }
        if place(self.announced) > place(self.sequence.epoch()) {
            self.sequence.move_to_epoch(self.announced).map_err(dishonest)?;
        }
        Ok(())
    }

    /// The epoch that is to be announced, if any: the newest that everybody has. The one that leads may be
    /// newer yet, again and again, where many rename.
    pub(super) fn to_announce(&self) -> Option<EpochId> {
        let order = self.sequence.epochs_by_priority();
        let announced = order.iter().position(|epoch| *epoch == self.announced)?;
        let newer = order[announced + 1..].iter().rev();
        let mut settled = newer.filter(|epoch| self.unsettled.values().all(|open| open != *epoch));
        settled.next().copied()
    }

    /// Forgets what nobody needs any more now that `stable` is. Says whether anything has changed.
    pub(super) fn forget(&mut self, stable: &Clock) -> bool {
        let before = (self.retained(), self.crowd);
        let settle = |open: &mut BTreeMap<Dot, EpochId>| {
            let settled = open.extract_if(.., |dot, _| stable.covers(*dot));
            settled.map(|(_, epoch)| epoch).collect::<Vec<_>>()
        };
        let renamed = settle(&mut self.unsettled);
        let mut everybody_is_in = settle(&mut self.announcements);
        if self.ways.flaw == Some(Flaw::CollectsDelivered) {
            everybody_is_in.extend(renamed);
        }
        if !everybody_is_in.is_empty() {
            self.sequence.collect(&everybody_is_in);
        }
        if !everybody_is_in.is_empty() || self.sites.names() > self.crowd {
            self.sites.tidy(&parts(&self.sequence));
            self.crowd = self.crowd_max();
        }
        (self.retained(), self.crowd) != before
    }

    /// The greatest `crowd` that these names leave: it was set when there were as many, or fewer.
    pub(super) fn crowd_max(&self) -> u32 {
        self.sites.names().saturating_mul(2).saturating_add(NAMES_SPARE)
    }

    /// Whether this code may have fewer names than when it set `crowd`.
    pub(super) fn loses_names(&self) -> bool {
        self.ways.flaw == Some(Flaw::ReusesNames)
    }

    /// How much is kept for what is still under way.
    pub(super) fn retained(&self) -> usize {
        let epochs = self.sequence.known_epochs().count();
        self.unsettled.len() + self.announcements.len() + epochs - 1 + self.sites.names() as usize
    }
}

/// Errors: a rename that left this document would be too long.
fn fits_a_datagram(former: &FormerState) -> Result<(), Refused> {
    let blocks = Blocks::of(&former.intervals());
    let bytes = blocks.bytes().len();
    if bytes > RENAME_BYTES_MAX || blocks.document(SPELLED_IN_MESSAGE_MAX).is_err() {
        let expected = "a document that a rename has room for";
        let found = format!("{bytes} bytes of identifiers, where {RENAME_BYTES_MAX} fit");
        return Err(Refused::Unknown { expected, found });
    }
    Ok(())
}

fn parts(sequence: &Sequence) -> Parts {
    sequence.parts().expect("an app puts no former state aside")
}

/// Where in a gap new identifiers fall, as the name of the operation has it: the same wherever it is made
/// again.
pub(super) fn draws(dot: Dot) -> impl FnMut(u64) -> u64 {
    let node = u64::from(dot.origin.node.0) << 32 | u64::from(dot.seq);
    let mut word = scramble(node ^ scramble(dot.origin.life));
    move |below| {
        word = scramble(word.wrapping_add(0x9e37_79b9_7f4a_7c15));
        word % below.min(STEP_MAX)
    }
}
