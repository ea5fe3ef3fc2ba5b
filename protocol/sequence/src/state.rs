//! A document without its text: what a rename leaves behind, and carries to the other replicas.
//!
//! It stands alone: its bases are a table of its own, each the element that it extends and one tuple, so that
//! what identifiers have in common is there once.
//!
//! Invariant: the bases stand in the order in which the runs name them first, each behind the one that it
//! extends; runs are sorted, and none goes on where the one before it ends. So equal documents are equal.

use std::sync::Arc;

use crate::{
    Dot, Identifier, Interval, Refused, Tuple,
    arena::{Arena, Id, ROOT, Run},
    sequence::ELEMENTS_MAX,
};

/// A base of the table, without the offset of its tuple.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// What it extends, by its number in the table; [`ROOT`] for a base of one tuple.
    pub(crate) parent: Id,
    pub(crate) position: i32,
    pub(crate) site: u32,
    pub(crate) clock: u32,
}

impl Entry {
    pub(crate) fn new(parent: Id, tuple: Tuple) -> Self {
        let Tuple { position, site, clock, .. } = tuple;
        Self { parent, position, site, clock }
    }

    pub(crate) fn dot(&self) -> Dot {
        Dot { site: self.site, clock: self.clock }
    }

    pub(crate) fn tuple(&self, offset: i32) -> Tuple {
        Tuple { position: self.position, site: self.site, clock: self.clock, offset }
    }

    fn order(&self) -> (i32, u32, u32) {
        (self.position, self.site, self.clock)
    }
}

/// The identifiers of all elements of a document, in order. Cheap to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerState(Arc<Whole>);

#[derive(Debug, PartialEq, Eq)]
struct Whole {
    /// Numbered from 1: 0 is that of [`ROOT`].
    bases: Vec<Entry>,
    /// Of bases of the table.
    runs: Vec<Run>,
    /// The number of the first element of each run.
    starts: Vec<u32>,
    length: u32,
}

impl FormerState {
    /// The document of these intervals.
    ///
    /// Errors: there are none, they do not stand in order, their offsets are negative or overflow, or there
    /// are more elements than a replica keeps.
    pub fn new(intervals: &[Interval]) -> Result<Self, Refused> {
        let mut builder = Builder::default();
        for interval in intervals {
            let length = interval.length()?;
            builder.spelled(&interval.first, length)?;
        }
        builder.finish()
    }

    /// Its elements, in the longest intervals, spelled out.
    pub fn intervals(&self) -> Vec<Interval> {
        let mut last: Option<(u32, Arc<[Tuple]>)> = None;
        let intervals = self.0.runs.iter().map(|run| {
            let base = match &last {
                Some((base, spelled)) if *base == run.base => Arc::clone(spelled),
                _ => self.spelled(run.base).into(),
            };
            last = Some((run.base, Arc::clone(&base)));
            Interval { first: Identifier::of(base, run.offset), end: run.last().offset }
        });
        intervals.collect()
    }

    /// How many elements there are.
    pub fn length(&self) -> u32 {
        self.0.length
    }

    /// How many of the longest intervals there are.
    pub fn blocks(&self) -> usize {
        self.0.runs.len()
    }

    /// Bytes of memory that it takes up, however many share it.
    pub fn held(&self) -> usize {
        self.0.bases.capacity() * size_of::<Entry>()
            + self.0.runs.capacity() * size_of::<Run>()
            + self.0.starts.capacity() * size_of::<u32>()
    }

    /// The tuples of a base, the last with offset 0.
    pub(crate) fn spelled(&self, base: u32) -> Vec<Tuple> {
        let mut tuples: Vec<Tuple> = self.climbed(base).collect();
        tuples.reverse();
        tuples
    }

    /// Whether `tuples` are those of a base, the last with offset 0.
    pub(crate) fn spells(&self, base: u32, tuples: &[Tuple]) -> bool {
        self.climbed(base).eq(tuples.iter().rev().copied())
    }

    /// The tuples of a base from the last on, which has offset 0.
    fn climbed(&self, base: u32) -> impl Iterator<Item = Tuple> {
        let mut at = Id { base, offset: 0 };
        std::iter::from_fn(move || {
            let entry = self.0.bases.get(at.base.checked_sub(1)? as usize)?;
            let tuple = entry.tuple(at.offset);
            at = entry.parent;
            Some(tuple)
        })
    }

    /// The document of `runs`, which are the longest and sorted, and the handle of each base. One of no runs is no
    /// document that a rename can find, and is only written.
    pub(crate) fn of(arena: &Arena, runs: &[Run]) -> (Self, Vec<u32>) {
        let mut numbers = vec![0_u32; arena.len()];
        let mut bases = Vec::with_capacity(runs.len());
        let mut handles = Vec::with_capacity(runs.len() + 1);
        handles.push(ROOT.base);
        let mut numbered = Vec::with_capacity(runs.len());
        let mut starts = Vec::with_capacity(runs.len());
        let (mut length, mut chain) = (0_u32, Vec::new());
        for run in runs {
            let mut base = run.base;
            while base != ROOT.base && numbers[base as usize] == 0 {
                chain.push(base);
                base = arena.parent(Id { base, offset: 0 }).base;
            }
            while let Some(base) = chain.pop() {
                let (parent, tuple) = arena.entry(base);
                let parent = Id { base: numbers[parent.base as usize], ..parent };
                bases.push(Entry::new(parent, tuple));
                handles.push(base);
                numbers[base as usize] = bases.len() as u32;
            }
            numbered.push(Run { base: numbers[run.base as usize], ..*run });
            starts.push(length);
            length += run.length;
        }
        (Self(Arc::new(Whole { bases, runs: numbered, starts, length })), handles)
    }

    /// The handle of each base, from that of the root: made known where it is new.
    pub(crate) fn resolve(&self, arena: &mut Arena) -> Vec<u32> {
        arena.extend_by_all(&self.0.bases)
    }

    /// The handle of each base that is known, from that of the root.
    pub(crate) fn look_up(&self, arena: &Arena) -> Vec<Option<u32>> {
        let mut handles = Vec::with_capacity(self.0.bases.len() + 1);
        handles.push(Some(ROOT.base));
        for entry in &self.0.bases {
            let above = handles[entry.parent.base as usize];
            let parent = above.map(|base| Id { base, ..entry.parent });
            handles.push(parent.and_then(|parent| arena.extension(parent, entry.tuple(0))));
        }
        handles
    }

    /// The bases, numbered from 1.
    pub(crate) fn bases(&self) -> &[Entry] {
        &self.0.bases
    }

    /// The runs, of bases of the table.
    pub(crate) fn runs(&self) -> &[Run] {
        &self.0.runs
    }

    /// The number of the first element of each run.
    pub(crate) fn starts(&self) -> &[u32] {
        &self.0.starts
    }

    /// The position of the first tuple of the first element.
    pub(crate) fn position(&self) -> i32 {
        let mut entry = &self.0.bases[self.0.runs[0].base as usize - 1];
        while entry.parent.base != ROOT.base {
            entry = &self.0.bases[entry.parent.base as usize - 1];
        }
        entry.position
    }
}

/// Builds a document run by run, and refuses what is none.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    bases: Vec<Entry>,
    /// The tuples of an identifier of each base.
    depths: Vec<u32>,
    runs: Vec<Run>,
    starts: Vec<u32>,
    length: u32,
    /// How many intervals were given.
    given: usize,
    /// The last element, an identifier for each of its tuples.
    path: Vec<Id>,
    /// What a new one has beyond the last.
    beyond: Vec<Id>,
}

impl Builder {
    /// The last element, an identifier for each of its tuples.
    pub(crate) fn path(&self) -> &[Id] {
        &self.path
    }

    /// Adds a base that is named next. Returns its number.
    ///
    /// It may be deeper than what others may send: renames that its site slept through made it so.
    ///
    /// Errors: no identifier has such a tuple there, or the tuple of its parent with this offset.
    pub(crate) fn base(&mut self, parent: Id, tuple: Tuple) -> Result<u32, Refused> {
        let tuple = Tuple { offset: 0, ..tuple };
        tuple.check()?;
        let depth = match parent.base.checked_sub(1) {
            Some(at) => {
                self.bases[at as usize].tuple(parent.offset).check()?;
                self.depths[at as usize] + 1
            }
            None if tuple == Tuple::MIN || tuple == Tuple::MAX => return Err(Refused::Reserved),
            None => 1,
        };
        self.bases.push(Entry::new(parent, tuple));
        self.depths.push(depth);
        Ok(self.bases.len() as u32)
    }

    /// Adds `length` elements from `first` on.
    pub(crate) fn spelled(&mut self, first: &Identifier, length: u32) -> Result<(), Refused> {
        let mut parent = ROOT;
        let mut shared = true;
        for (level, tuple) in first.tuples().enumerate() {
            let above = level.checked_sub(1).map(|above| self.path.get(above).copied());
            shared = shared && above.is_none_or(|above| above == Some(parent));
            let known = self.path.get(level).filter(|_| shared).map(|id| id.base);
            let of = |base: &u32| self.bases[*base as usize - 1] == Entry::new(parent, tuple);
            let base = match known.filter(of) {
                Some(base) => base,
                None => {
                    shared = false;
                    self.base(parent, tuple)?
                }
            };
            parent = Id { base, offset: tuple.offset };
        }
        self.run(Run { base: parent.base, offset: parent.offset, length })
    }

    /// Adds the elements of `run`, of a base of the table; no offset overflows.
    pub(crate) fn run(&mut self, run: Run) -> Result<(), Refused> {
        let (begin, end) = (run.offset, i64::from(run.offset) + i64::from(run.length));
        if begin < 0 || run.length == 0 || end > i64::from(i32::MAX) {
            return Err(Refused::Offsets { begin, end: end - 1 });
        }
        if self.bases[run.base as usize - 1].tuple(0).is_reserved() {
            return Err(Refused::Reserved);
        }
        if u64::from(self.length) + u64::from(run.length) > ELEMENTS_MAX {
            return Err(Refused::Long);
        }
        if !self.goes_up(run.first()) {
            return Err(Refused::Order(self.given));
        }
        self.given += 1;
        self.path.last_mut().expect("an element has a tuple").offset = run.last().offset;
        match self.runs.last_mut() {
            Some(last) if last.meets(run) => last.length += run.length,
            _ => {
                self.runs.push(run);
                self.starts.push(self.length);
            }
        }
        self.length += run.length;
        Ok(())
    }

    /// Makes `next` the last element, where it is above the one that was.
    fn goes_up(&mut self, next: Id) -> bool {
        // Up to where the paths of the two meet; what was met before costs nothing again.
        let mut at = next;
        let mut level = self.depths[next.base as usize - 1] as usize - 1;
        let met = loop {
            if self.path.get(level).is_some_and(|last| last.base == at.base) {
                break true;
            }
            self.beyond.push(at);
            if level == 0 {
                break false;
            }
            (at, level) = (self.bases[at.base as usize - 1].parent, level - 1);
        };
        let order = |id: &Id| self.bases[id.base as usize - 1].order();
        let above = if met {
            let (last, deeper) = (self.path[level].offset, self.path.get(level + 1));
            let apart = match (deeper, self.beyond.last()) {
                (None, beyond) => beyond.is_some(),
                (Some(_), None) => false,
                (Some(last), Some(next)) => order(last) < order(next),
            };
            at.offset > last || (at.offset == last && apart)
        } else {
            let next = self.beyond.last().expect("it is not met at the first tuple");
            self.path.first().is_none_or(|last| order(last) < order(next))
        };
        if !above {
            return false;
        }
        self.path.truncate(level);
        if met {
            self.path.push(at);
        }
        self.path.extend(self.beyond.drain(..).rev());
        true
    }

    /// The document. Errors: there is nothing in it.
    pub(crate) fn finish(self) -> Result<FormerState, Refused> {
        if self.runs.is_empty() {
            return Err(Refused::Empty);
        }
        let Self { bases, runs, starts, length, .. } = self;
        Ok(FormerState(Arc::new(Whole { bases, runs, starts, length })))
    }
}
