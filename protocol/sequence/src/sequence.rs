//! A replica: what it holds, and what can be read from it.
//!
//! Invariant: the tree is in epoch `current`, its elements sorted; `given` knows of each base of this
//! site the greatest offset that was ever given, also where the element is gone or was never seen here.

use std::{cmp::Ordering, collections::BTreeSet, ops::Range, sync::Arc};

use crate::{
    EpochId, Flaw, Identifier, Interval, Refusals, Refused, Tuple,
    arena::{Arena, Id, Run},
    epochs::{Epochs, Path, Priority},
    ledger::Ledger,
    recent::{Recent, Spelled},
    tree::Tree,
    untold::Untold,
    waiting::Waiting,
};

/// Elements that a replica holds: handles, counts and offsets have room for as many.
pub(crate) const ELEMENTS_MAX: u64 = 1 << 29;

/// What elements are named by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Naming {
    /// LogootSplit: what is typed in a row shares a base.
    #[default]
    Blocks,
    /// Logoot: each element has a base of its own.
    Elements,
}

/// Who sees to it that no name is given twice, and none before its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Names {
    /// The replica: it refuses what goes against the names that it remembers. Which those are depends on what it
    /// delivered and collected, and on whether it came back since.
    #[default]
    Watched,
    /// Its host, who knows what each operation follows and refuses by that alone, so that whatever is carried out at
    /// one replica is carried out at all. A name that it lets be given twice may leave a replica that does not come
    /// back from its snapshot.
    Vouched,
}

/// When a replica moves to the leading epoch. Any will do: what arrives is mapped to where it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Moves {
    /// At once.
    #[default]
    Eager,
    /// Once as many operations came after it took the lead.
    AfterOperations(u32),
    /// Once every member is known to have it: see [`Sequence::collect`].
    AfterStable,
}

/// How a replica works. Replicas of a document may differ in `moves` alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What elements are named by.
    pub naming: Naming,
    /// Which epoch leads.
    pub priority: Priority,
    /// Who sees to it that names are given once.
    pub names: Names,
    /// When to move to it.
    pub moves: Moves,
}

/// What became of an operation that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integrated {
    /// It is carried out.
    Done,
    /// It waits for the rename that begins its epoch.
    Waits,
}

/// A replica of a sequence. See the crate.
#[derive(Clone, Debug)]
pub struct Sequence {
    pub(crate) site: u32,
    /// The name that this site gives next.
    pub(crate) clock: u32,
    /// Names of this site beyond that which it cannot have given: somebody made them up, and they are in use.
    pub(crate) made_up: BTreeSet<u32>,
    pub(crate) options: Options,
    /// What is wrong with it, for tests of those who check it.
    pub(crate) flaw: Option<Flaw>,
    pub(crate) arena: Arena,
    pub(crate) tree: Tree,
    pub(crate) epochs: Epochs,
    pub(crate) current: u32,
    pub(crate) leading: u32,
    /// Operations since the leading epoch took the lead.
    pub(crate) since: u32,
    /// Bases of the former states that were put aside since bases were freed.
    pub(crate) aside: usize,
    /// The names that this site gave, of the bases that are in use.
    pub(crate) given: Ledger,
    /// Operations by the unknown epoch that they wait for.
    pub(crate) waiting: Waiting,
    /// What was refused since it began, or came back.
    pub(crate) refusals: Refusals,
    /// What the last edit named or took.
    pub(crate) edited: Vec<Run>,
    /// Bases that operations named of late, by where they are spelled.
    pub(crate) recent: Recent,
    /// Bases that this replica spelled of late, by their handles.
    pub(crate) spelled: Spelled,
    /// What others have yet to be told.
    pub(crate) untold: Untold,
}

impl Sequence {
    /// An empty document at site `site`, which is from 1 to 2^31 - 1 and which no other replica has.
    ///
    /// Errors: no site has this name.
    pub fn new(site: u32, options: Options) -> Result<Self, Refused> {
        let first = Tuple { position: 0, site, clock: 0, offset: 0 };
        first.check().map_err(|_| Refused::Site(site))?;
        Ok(Self {
            site,
            clock: 0,
            made_up: BTreeSet::new(),
            options,
            flaw: None,
            arena: Arena::default(),
            tree: Tree::default(),
            epochs: Epochs::new(options.priority),
            current: 0,
            leading: 0,
            since: 0,
            aside: 0,
            given: Ledger::default(),
            waiting: Waiting::default(),
            refusals: Refusals::default(),
            edited: Vec::new(),
            recent: Recent::default(),
            spelled: Spelled::default(),
            untold: Untold::default(),
        })
    }

    /// Whose replica it is.
    pub fn site(&self) -> u32 {
        self.site
    }

    /// How many elements there are.
    pub fn len(&self) -> u64 {
        u64::from(self.tree.count().chars)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the text in UTF-8.
    pub fn len_utf8(&self) -> u64 {
        u64::from(self.tree.count().bytes)
    }

    /// Code units of the text in UTF-16.
    pub fn len_utf16(&self) -> u64 {
        u64::from(self.tree.count().units)
    }

    /// The whole text.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.tree.count().bytes as usize);
        self.tree.read(0, self.tree.count().chars, &mut text);
        text
    }

    /// The text of the elements in `range`.
    ///
    /// Errors: it ends before it begins, or beyond the end.
    pub fn slice(&self, range: Range<u64>) -> Result<String, Refused> {
        let (from, to) = self.within(&range)?;
        let mut text = String::new();
        self.tree.read(from, to, &mut text);
        Ok(text)
    }

    /// Bytes of UTF-8 before element `index`. Errors: it is beyond the end.
    pub fn index_to_utf8(&self, index: u64) -> Result<u64, Refused> {
        let (index, _) = self.within(&(index..self.len()))?;
        Ok(u64::from(self.tree.count_before(index).bytes))
    }

    /// Code units of UTF-16 before element `index`. Errors: it is beyond the end.
    pub fn index_to_utf16(&self, index: u64) -> Result<u64, Refused> {
        let (index, _) = self.within(&(index..self.len()))?;
        Ok(u64::from(self.tree.count_before(index).units))
    }

    /// The element that byte `byte` of UTF-8 is of. Errors: it is beyond the end.
    pub fn index_of_utf8(&self, byte: u64) -> Result<u64, Refused> {
        let byte = below(byte, self.len_utf8())?;
        Ok(u64::from(self.tree.index_of_byte(byte)))
    }

    /// The element that code unit `unit` of UTF-16 is of. Errors: it is beyond the end.
    pub fn index_of_utf16(&self, unit: u64) -> Result<u64, Refused> {
        let unit = below(unit, self.len_utf16())?;
        Ok(u64::from(self.tree.index_of_unit(unit)))
    }

    /// The identifiers of all elements, in the longest intervals. Converged replicas have the same.
    pub fn intervals(&self) -> Vec<Interval> {
        self.tree.longest_runs().into_iter().map(|run| self.interval(run)).collect()
    }

    /// How many such intervals there are.
    pub fn blocks(&self) -> usize {
        self.tree.longest_runs().len()
    }

    /// The tuples of the deepest identifier.
    pub fn depth(&self) -> u32 {
        self.tree.runs().map(|run| self.arena.depth(run.first())).max().unwrap_or(0)
    }

    /// The epoch that the replica is in.
    pub fn epoch(&self) -> EpochId {
        self.epochs.get(self.current).id
    }

    /// The greatest epoch that it knows.
    pub fn leading_epoch(&self) -> EpochId {
        self.epochs.get(self.leading).id
    }

    /// The epochs that it keeps, the root first and each behind its parent.
    pub fn known_epochs(&self) -> impl Iterator<Item = EpochId> {
        self.epochs.list().iter().map(|epoch| epoch.id)
    }

    /// Whether it keeps `epoch`.
    pub fn knows_epoch(&self, epoch: EpochId) -> bool {
        self.epochs.find(epoch).is_some()
    }

    /// Which of two epochs leads: the greater. `None` where one is not kept. In few steps, however many there are.
    pub fn compare_epochs(&self, one: EpochId, other: EpochId) -> Option<Ordering> {
        Some(self.epochs.compare(self.epochs.find(one)?, self.epochs.find(other)?))
    }

    /// The epochs that it keeps, from the one that all others lead to the leading one.
    pub fn epochs_by_priority(&self) -> Vec<EpochId> {
        let mut epochs: Vec<u32> = (0..self.epochs.list().len() as u32).collect();
        epochs.sort_by(|a, b| self.epochs.compare(*a, *b));
        epochs.into_iter().map(|epoch| self.epochs.get(epoch).id).collect()
    }

    /// What is taken back and carried out on the way from one epoch to another; nothing where one is not kept.
    pub fn path(&self, from: EpochId, to: EpochId) -> Option<Path> {
        let path = self.epochs.path(self.epochs.find(from)?, self.epochs.find(to)?);
        let id = |epoch: u32| self.epochs.get(epoch).id;
        let ids = |epochs: Vec<u32>| epochs.into_iter().map(id).collect();
        Some(Path { revert: ids(path.revert), meet: id(path.meet), apply: ids(path.apply) })
    }

    /// How many operations wait for an epoch. A removal that no message has room for counts as several.
    pub fn waiting(&self) -> usize {
        self.waiting.count()
    }

    /// Bytes of memory that these take up.
    pub fn waiting_bytes(&self) -> usize {
        self.waiting.bytes()
    }

    /// What was refused of others, by reason, since the replica began or came back.
    pub fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// Bytes of memory that elements, text, bases and what is untold take up; those of former states are not
    /// counted.
    pub fn held(&self) -> usize {
        self.tree.held()
            + self.arena.held()
            + self.given.held()
            + self.recent.held()
            + self.spelled.held()
            + self.untold.held()
    }

    /// Bytes of memory that the former states take up. What an operation shares with them is counted.
    pub fn held_by_former_states(&self) -> usize {
        let formers = self.epochs.list().iter().filter_map(|epoch| epoch.former.as_ref());
        formers.map(|former| former.held()).sum()
    }

    /// `run`, spelled out.
    pub fn interval(&self, run: Run) -> Interval {
        Interval { first: self.identifier(run.first()), end: run.last().offset }
    }

    /// Whether it refuses what goes against the names that it remembers.
    #[inline]
    pub(crate) fn watches_names(&self) -> bool {
        self.options.names == Names::Watched
    }

    pub(crate) fn identifier(&self, id: Id) -> Identifier {
        // Not checked: renames that it slept through may have made it longer than others may send.
        let mut tuples = self.arena.spell(id);
        tuples.last_mut().expect("an identifier has a tuple").offset = 0;
        Identifier::of(tuples.into(), id.offset)
    }

    /// [`Sequence::interval`], which shares the base with one that was spelled of late.
    #[inline]
    pub(crate) fn shared(&mut self, run: Run) -> Interval {
        let end = run.last().offset;
        if let Some(tuples) = self.spelled.get(run.base) {
            return Interval { first: Identifier::of(Arc::clone(tuples), run.offset), end };
        }
        let first = self.identifier(run.first());
        self.spelled.put(run.base, Arc::clone(first.base()));
        Interval { first, end }
    }

    /// Forgets what was spelled: handles are about to mean other bases.
    pub(crate) fn forget_spellings(&mut self) {
        (self.recent, self.spelled) = (Recent::default(), Spelled::default());
    }

    /// `range`, where it is one of this document.
    pub(crate) fn within(&self, range: &Range<u64>) -> Result<(u32, u32), Refused> {
        let Range { start: from, end: to } = *range;
        let within = (below(from, self.len())?, below(to, self.len())?);
        if from > to { Err(Refused::Backwards { from, to }) } else { Ok(within) }
    }

    /// Checks the invariants of the structure. Panics where one is broken: for tests.
    pub fn check(&self) {
        self.tree.check(&self.arena);
        assert!(
            self.epochs.list().iter().all(|epoch| epoch.parent.is_none() == epoch.former.is_none())
        );
        assert_eq!(self.leading, self.epochs.leading());
    }
}

fn below(index: u64, length: u64) -> Result<u32, Refused> {
    match u32::try_from(index) {
        Ok(small) if index <= length => Ok(small),
        _ => Err(Refused::Range { index, length }),
    }
}
