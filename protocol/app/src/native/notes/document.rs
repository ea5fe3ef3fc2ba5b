//! A replica's document, and what it keeps for operations that are still under way.
//!
//! Who renames begins an epoch. Once every member is known to have that rename, somebody *announces* the
//! epoch. Whoever delivered the announcement is in that epoch or beyond, so that once the announcement is
//! stable in its turn, no operation of an older epoch comes any more, and what only those need is dropped.
//! Delivery of the rename alone would do where everybody moves at once, and loses text where somebody waits.
//!
//! Whether an operation is taken is a function of it and of its past: of which names were given there ([`Sites`])
//! and which epochs were announced there, not of what else was delivered here. So all take it, or all refuse it, but
//! for what members that lie can still bring about (docs/fuzzing.md).
//!
//! Invariant: a function of the operations delivered and of what was stable, whatever the order.
//! Source: research on sequences, section A.8; the announcement is ours: members are nobody's to count here.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use causal::{At, Clock, Dot, Origin, Stamp};
use crdt::Refused;
use sequence::{
    Author, EpochId, FormerState, Integrated, Interval, Moves, Names, Naming, Operation, Options,
    Parts, Sequence, Tuple,
};

use crate::native::{
    notes::{
        Flaw,
        kind::Edit,
        places::{Blocks, SPELLED_IN_MESSAGE_MAX},
        sites::{Named, Sites},
    },
    scramble,
    typed::Typed,
};

/// The site of a replica that edits nothing under its own name: edits are drafted, for whoever makes them.
pub(super) const NOBODY: u32 = u32::MAX >> 1;

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
    /// The newest epoch that was announced.
    pub(super) announced: EpochId,
    /// Renames that not all members are known to have, by the operation that brought them.
    pub(super) unsettled: BTreeMap<Dot, EpochId>,
    /// Announcements that not all members are known to have.
    pub(super) announcements: BTreeMap<Dot, EpochId>,
    /// The newest epoch whose announcement all members are known to have.
    pub(super) settled: EpochId,
}

/// Equal are documents that are kept alike.
impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        let Self { ways: _, sequence: _, sites, announced, unsettled, announcements, settled } =
            self;
        self.parts() == other.parts()
            && *sites == other.sites
            && *announced == other.announced
            && *settled == other.settled
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
        // What its past says of an operation is asked here: [`Document::carry_out`].
        Options { moves, names: Names::Vouched, ..Options::default() }
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
            announced: EpochId::Origin,
            unsettled: BTreeMap::new(),
            announcements: BTreeMap::new(),
            settled: EpochId::Origin,
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
        let there = sequence.knows_epoch(announced);
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
            let given = |clock| self.end(origin, sequence::Dot { clock, ..next });
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

    /// The greatest offset that a writer gave of a base, where it may go on with that.
    fn end(&self, origin: Origin, dot: sequence::Dot) -> Option<i32> {
        let end = self.sites.end(origin, dot)?;
        let forgets = self.ways.flaw == Some(Flaw::ReusesNames)
            && self.sequence.leading_epoch() != EpochId::Origin;
        if !forgets {
            return Some(end);
        }
        let intervals = self.sequence.intervals().into_iter();
        intervals.filter(|it| it.first.dot() == dot).map(|it| it.end).max()
    }

    /// Carries out what a replica was told, all of it or nothing.
    pub(super) fn carry_out(
        &mut self,
        at: At<'_>,
        operations: &[Operation],
    ) -> Result<(), Refused> {
        let mut named = Vec::new();
        for operation in operations {
            if self.ways.flaw == Some(Flaw::CollectsDelivered)
                && !self.sequence.knows_epoch(operation.epoch())
            {
                // Dropped, though what it named is given.
                for names in operations.iter().filter_map(|it| given_by(it).transpose()) {
                    self.sites.note(at.stamp.dot, names?);
                }
                return Ok(());
            }
            self.is_of_its_time(at, operation.epoch())?;
            self.names_what_was_given(at, operation, &named)?;
            if let Some(names) = given_by(operation)? {
                self.may_give(at.stamp.dot.origin, names, &named)?;
                named.push(names);
            }
        }
        self.apply_all(operations)?;
        named.into_iter().for_each(|names| self.sites.note(at.stamp.dot, names));
        for operation in operations {
            if let Operation::Rename { dot, .. } = operation {
                self.unsettled.insert(at.stamp.dot, EpochId::Renamed(*dot));
            }
        }
        Ok(())
    }

    /// Errors: no replica could write in `epoch`: its rename was not in the past of the operation, or a newer epoch
    /// was announced there.
    fn is_of_its_time(&self, at: At<'_>, epoch: EpochId) -> Result<(), Refused> {
        let began = match epoch {
            EpochId::Origin => true,
            EpochId::Renamed(dot) => self.sites.were_given(at.past, dot, 0),
        };
        if !began || !self.sequence.knows_epoch(epoch) {
            return Err(dishonest(sequence::Refused::Unknown(epoch)));
        }
        if epoch == self.sequence.leading_epoch() {
            return Ok(());
        }
        match self.announced_before(at.past).find(|announced| self.is_newer(*announced, epoch)) {
            Some(newer) => {
                let origin = at.stamp.dot.origin;
                Err(dishonest(format!("{origin} was in epoch {newer}, and writes in {epoch}")))
            }
            None => Ok(()),
        }
    }

    /// The epochs whose announcements are in a past; of those that are in everybody's, the newest.
    fn announced_before(&self, past: &Clock) -> impl Iterator<Item = EpochId> {
        let told = self.announcements.iter().filter(|(dot, _)| past.covers(**dot));
        told.map(|(_, epoch)| *epoch).chain([self.settled])
    }

    /// Whether `one` is known and has more priority than `other`.
    fn is_newer(&self, one: EpochId, other: EpochId) -> bool {
        let order = self.sequence.compare_epochs(one, other);
        order.map_or_else(|| self.sequence.knows_epoch(one), Ordering::is_gt)
    }

    /// Errors: the operation names what was not given in its past, nor by it: `beside` are what it gave before.
    /// Causes come first, so no replica writes that.
    fn names_what_was_given(
        &self,
        at: At<'_>,
        operation: &Operation,
        beside: &[Named],
    ) -> Result<(), Refused> {
        let unknown = |Tuple { site, clock, offset, .. }: Tuple| {
            let dot = sequence::Dot { site, clock };
            let is_beside = |named: &Named| named.dot == dot && offset <= named.last;
            let given = self.sites.were_given(at.past, dot, offset) || beside.iter().any(is_beside);
            (!given).then_some((dot, offset))
        };
        let made = |tuple: &Tuple| !tuple.is_reserved();
        let spelled = |Interval { first, end }: &Interval| {
            let last = first.tuples().last().map(|last| Tuple { offset: *end, ..last });
            first.tuples().chain(last).filter(made).find_map(unknown)
        };
        let unknown = match operation {
            Operation::Insert { first, .. } => {
                let inner = first.tuples().len() - 1;
                first.tuples().take(inner).filter(made).find_map(unknown)
            }
            Operation::Remove { intervals, .. } => intervals.iter().find_map(spelled),
            Operation::Rename { former, .. } => former.intervals().iter().find_map(spelled),
        };
        match unknown {
            Some((dot, offset)) => {
                let origin = at.stamp.dot.origin;
                Err(dishonest(format!("{origin} names {dot}:{offset}, which it cannot know")))
            }
            None => Ok(()),
        }
    }

    /// Errors: it is not the turn of these names: another's, one that was given before, or one further on. `before`
    /// were given just now.
    fn may_give(&self, origin: Origin, names: Named, before: &[Named]) -> Result<(), Refused> {
        let Named { dot, first, .. } = names;
        if !self.sites.may_name(origin, dot) {
            return Err(dishonest(format!("{origin} names {dot} as its own")));
        }
        let begun = before.iter().filter(|named| !self.sites.gave(origin, named.dot)).count();
        let reused = self.ways.flaw == Some(Flaw::ReusesNames) && self.sites.gave(origin, dot);
        if reused || self.sites.is_next(origin, begun as u32, names) {
            Ok(())
        } else {
            Err(dishonest(format!("{origin} gives {dot}:{first} out of turn")))
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
        self.is_of_its_time(at, epoch)?;
        if self.announced_before(at.past).any(|announced| announced == epoch) {
            return Err(dishonest(format!("{epoch} was announced before")));
        }
        self.announcements.insert(at.stamp.dot, epoch);
        if self.is_newer(epoch, self.announced) {
            self.announced = epoch;
        }
        if self.is_newer(self.announced, self.sequence.epoch()) {
            self.sequence.move_to_epoch(self.announced).map_err(dishonest)?;
        }
        Ok(())
    }

    /// The epoch that is to be announced, if any: the newest that everybody has. The one that leads may be
    /// newer yet, again and again, where many rename.
    pub(super) fn to_announce(&self) -> Option<EpochId> {
        let open: BTreeSet<EpochId> = self.unsettled.values().copied().collect();
        let newer = |epoch: &EpochId| {
            self.sequence.compare_epochs(*epoch, self.announced) == Some(Ordering::Greater)
        };
        let settled = self.sequence.known_epochs().filter(|epoch| !open.contains(epoch));
        settled
            .filter(newer)
            .max_by(|one, other| self.sequence.compare_epochs(*one, *other).expect("it keeps both"))
    }

    /// Forgets what nobody needs any more now that `stable` is. Says whether anything has changed.
    pub(super) fn forget(&mut self, stable: &Clock) -> bool {
        let before = self.retained();
        let settle = |open: &mut BTreeMap<Dot, EpochId>| {
            let settled = open.extract_if(.., |dot, _| stable.covers(*dot));
            settled.map(|(_, epoch)| epoch).collect::<Vec<_>>()
        };
        let renamed = settle(&mut self.unsettled);
        let mut everybody_is_in = settle(&mut self.announcements);
        for epoch in &everybody_is_in {
            if self.is_newer(*epoch, self.settled) {
                self.settled = *epoch;
            }
        }
        if self.ways.flaw == Some(Flaw::CollectsDelivered) {
            everybody_is_in.extend(renamed);
        }
        if !everybody_is_in.is_empty() {
            self.sequence.collect(&everybody_is_in);
        }
        self.sites.forget(stable);
        self.retained() != before
    }

    /// How much is kept for what is still under way.
    pub(super) fn retained(&self) -> usize {
        let epochs = self.sequence.known_epochs().count();
        self.unsettled.len() + self.announcements.len() + epochs - 1 + self.sites.kept()
    }
}

/// The names that an operation gives.
///
/// Errors: more than a base has.
fn given_by(operation: &Operation) -> Result<Option<Named>, Refused> {
    let (dot, first, count) = match operation {
        Operation::Insert { first, text, .. } => {
            (first.dot(), first.offset(), text.chars().count() as u64)
        }
        Operation::Rename { dot, former, .. } => (*dot, 0, former.length().into()),
        Operation::Remove { .. } => return Ok(None),
    };
    let last = i32::try_from(count).ok().and_then(|count| first.checked_add(count - 1));
    let last = last.filter(|last| *last >= first);
    let last = last.ok_or_else(|| dishonest("no names, or more than a base has"))?;
    Ok(Some(Named { dot, first, last }))
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
