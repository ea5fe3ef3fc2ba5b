//! Operations of other replicas, in whatever order they come.
//!
//! An operation is checked as a whole before anything changes. What is of another epoch is mapped to the
//! current one first; what falls apart on the way is carried out in pieces.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    Change, Dot, EpochId, Identifier, Integrated, Interval, Operation, Refused, Sequence, Tuple,
    arena::{Arena, Beneath, Id, Run},
    change::{Nobody, Told},
    recent::Resolved,
    sequence::ELEMENTS_MAX,
    tree::{Count, Spot, Typing, cut},
};

/// Names by which a site may have been ahead of what it was restored to: no more than it gives between two
/// snapshots. Without a limit one operation that another made up could use up all names of a site.
const AHEAD_MAX: u32 = 1 << 16;

impl Sequence {
    /// Carries out an operation of another replica, or of this one before it was restored.
    ///
    /// What was carried out before is ignored: elements that are there are not inserted again. An operation
    /// whose epoch is not known yet waits for it.
    ///
    /// Errors: [`Refused`]; the replica is as it was.
    pub fn apply(&mut self, operation: &Operation) -> Result<Integrated, Refused> {
        if self.apply_at_cursor(operation) {
            return Ok(Integrated::Done);
        }
        self.apply_told(operation, &mut Nobody)
    }

    /// [`Sequence::apply`], of which changes `told` hears.
    pub(crate) fn apply_told<T: Told>(
        &mut self,
        operation: &Operation,
        told: &mut T,
    ) -> Result<Integrated, Refused> {
        let done = self.carry_out(operation, told);
        self.counted(done)
    }

    /// Counts a refusal.
    pub(crate) fn counted<T>(&mut self, done: Result<T, Refused>) -> Result<T, Refused> {
        if let Err(why) = &done {
            self.refusals.count(why);
        }
        done
    }

    fn carry_out<T: Told>(
        &mut self,
        operation: &Operation,
        told: &mut T,
    ) -> Result<Integrated, Refused> {
        let Some(epoch) = self.epochs.find(operation.epoch()) else {
            let dot = operation.epoch().dot();
            dot.map_or(Ok(()), Dot::check)?;
            // A site that came back may have begun it before: it does not begin it again.
            let next = self.next_after(dot.into_iter())?;
            self.waiting.push(operation)?;
            self.clock = next;
            return Ok(Integrated::Waits);
        };
        self.carry_out_of(epoch, operation, told)?;
        if let Operation::Rename { dot, .. } = operation {
            self.release(EpochId::Renamed(*dot), told);
        }
        Ok(Integrated::Done)
    }

    fn carry_out_of<T: Told>(
        &mut self,
        epoch: u32,
        operation: &Operation,
        told: &mut T,
    ) -> Result<(), Refused> {
        match operation {
            Operation::Insert { first, text, .. } => {
                self.integrate_insert(epoch, first, text, told)
            }
            Operation::Remove { intervals, .. } => self.integrate_remove(epoch, intervals, told),
            Operation::Rename { dot, former, .. } => self.apply_rename(epoch, *dot, former),
        }
    }

    /// Carries out an operation that goes on where the last one ended, as most do. Returns whether it is one.
    #[inline]
    fn apply_at_cursor(&mut self, operation: &Operation) -> bool {
        match operation {
            Operation::Insert { epoch, first, text } => {
                let base = self.recent.foreign(first.base());
                self.types_on(*epoch, base, first.offset(), text)
            }
            Operation::Remove { epoch, intervals } => match &intervals[..] {
                [Interval { first, end }] => {
                    let base = self.recent.foreign(first.base());
                    self.rubs_out(*epoch, base, first.offset(), *end)
                }
                _ => false,
            },
            Operation::Rename { .. } => false,
        }
    }

    /// Carries out an insert that goes on where the last edit ended: what there is to check was checked then.
    /// `base` is the handle of its base, where that is known and of another site. Returns whether it is one;
    /// nothing is done where not.
    #[inline]
    pub(crate) fn types_on(
        &mut self,
        epoch: EpochId,
        base: Option<u32>,
        offset: i32,
        text: &str,
    ) -> bool {
        let Id { base: last, offset: before } = self.tree.typing().last;
        offset.checked_sub(1) == Some(before)
            && base == Some(last)
            && self.stays_in(epoch)
            && !text.is_empty()
            && self.tree.type_on(text, Count::of(text)).is_some()
    }

    /// [`Sequence::types_on`] for the removal of the elements from `offset` to `end`.
    #[inline]
    pub(crate) fn rubs_out(
        &mut self,
        epoch: EpochId,
        base: Option<u32>,
        offset: i32,
        end: i32,
    ) -> bool {
        let last = self.tree.typing().last;
        let here = end == last.offset
            && base == Some(last.base)
            && self.stays_in(epoch)
            && (0..=end).contains(&offset);
        if here {
            self.edited.clear();
        }
        here && self.tree.rub_out(end.abs_diff(offset) + 1, &mut self.edited)
    }

    /// Whether nothing is to be done for the epoch of an operation of `epoch`.
    #[inline]
    pub(crate) fn stays_in(&self, epoch: EpochId) -> bool {
        let here = self.epochs.get(self.current);
        here.id == epoch && here.children == 0 && self.current == self.leading
    }

    /// Carries out what waited for `epoch`, and in turn what waited for that, in the order in which it came.
    /// What turns out to be refused now is counted and dropped: it was never carried out anywhere.
    fn release<T: Told>(&mut self, epoch: EpochId, told: &mut T) {
        let mut ready: BTreeMap<u64, Operation> = self.waiting.take(epoch).into_iter().collect();
        while let Some((_, operation)) = ready.pop_first() {
            let known = self.epochs.find(operation.epoch()).expect("its rename is carried out");
            let done = self.carry_out_of(known, &operation, told);
            if let (Ok(()), Operation::Rename { dot, .. }) = (self.counted(done), &operation) {
                ready.extend(self.waiting.take(EpochId::Renamed(*dot)));
            }
        }
    }

    #[inline]
    pub(crate) fn apply_insert(
        &mut self,
        epoch: u32,
        first: &Identifier,
        text: &str,
    ) -> Result<(), Refused> {
        self.integrate_insert(epoch, first, text, &mut Nobody)
    }

    fn integrate_insert<T: Told>(
        &mut self,
        epoch: u32,
        first: &Identifier,
        text: &str,
        told: &mut T,
    ) -> Result<(), Refused> {
        let length = self.insertable(epoch, first, text)?;
        let offset = first.offset();
        let base = match self.recent.get(first.base()) {
            Some(known) if known.foreign => known.base,
            _ => {
                self.may_be_own(first.dot())?;
                let base = self.resolve(epoch, first)?;
                self.restored(first.dot(), offset + (length - 1) as i32);
                base
            }
        };
        let run = Run { base, offset, length };
        if epoch == self.current {
            self.insert_pieces(run, text, told);
        } else {
            let mut rest = text;
            for run in self.mapped(vec![run], epoch) {
                rest = self.insert_head(run, rest, told);
            }
        }
        self.count_towards_move();
        Ok(())
    }

    /// How many elements there are in `text`, where an operation of `epoch` can insert them from `first` on.
    pub(crate) fn insertable(
        &self,
        epoch: u32,
        first: &Identifier,
        text: &str,
    ) -> Result<u32, Refused> {
        let length = self.insertable_here(first.offset(), text)?;
        self.is_here_between(epoch, self.current)?;
        if self.foresees(epoch, first.dot(), first.offset()) {
            return Err(Refused::Future { epoch: self.epochs.get(epoch).id, dot: first.dot() });
        }
        Ok(length)
    }

    /// [`Sequence::insertable`], where the operation stays in its epoch and no rename is known that is not above
    /// that: of its first element only `offset` is to be checked.
    pub(crate) fn insertable_here(&self, offset: i32, text: &str) -> Result<u32, Refused> {
        let count = Count::of(text);
        if count.chars == 0 {
            return Err(Refused::Empty);
        }
        if self.len_utf8() + text.len() as u64 > ELEMENTS_MAX {
            return Err(Refused::Long);
        }
        let end = i64::from(offset) + i64::from(count.chars);
        if offset < 0 || end > i64::from(i32::MAX) {
            return Err(Refused::Offsets { begin: offset, end });
        }
        Ok(count.chars)
    }

    /// The name that this site gives next once an insert of `epoch` has brought a base named `dot` behind
    /// `inner`; `known` is its handle, where it has one.
    ///
    /// Errors: another base was made in `epoch` under this name; `inner` has a name of this site that it cannot
    /// have given.
    pub(crate) fn next_behind(
        &self,
        inner: &[Tuple],
        dot: Dot,
        known: Option<u32>,
        epoch: u32,
    ) -> Result<u32, Refused> {
        if known.is_some_and(|base| self.arena.is_born(base)) {
            return Ok(self.clock);
        }
        if self.watches_names() && self.arena.twin(dot, known, epoch) {
            return Err(Refused::Duplicate(dot));
        }
        self.next_after(inner.iter().map(|tuple| tuple.dot()))
    }

    /// The name that this site gives next once it has seen these: it may have given them before it came back, as
    /// what it was told of may be of before that, and a rename must not be named as something is.
    ///
    /// Errors: it cannot have given one of them.
    pub(crate) fn next_after(&self, names: impl Iterator<Item = Dot>) -> Result<u32, Refused> {
        match names.filter(|dot| dot.site == self.site).max() {
            Some(own) => self.may_be_own(own).map(|()| self.clock.max(own.clock + 1)),
            None => Ok(self.clock),
        }
    }

    /// The base of `first`, made known where it is new.
    fn resolve(&mut self, epoch: u32, first: &Identifier) -> Result<u32, Refused> {
        let tuples = first.base();
        if let Some(known) = self.recent.get(tuples) {
            return Ok(known.base);
        }
        let (nearest, length) = self.arena.nearest(tuples);
        let known = (length == tuples.len()).then_some(nearest.base);
        let inner = &tuples[..tuples.len() - 1];
        self.clock = self.next_behind(inner, first.dot(), known, epoch)?;
        let base = self.arena.extend_all(nearest, &tuples[length..]).base;
        self.arena.bear(base, epoch);
        self.resolve_to(first, base);
        Ok(base)
    }

    fn resolve_to(&mut self, identifier: &Identifier, base: u32) {
        let foreign = identifier.dot().site != self.site;
        self.recent.put(Resolved { tuples: Arc::clone(identifier.base()), base, foreign });
    }

    /// The base of `identifier`, where it is known.
    #[inline]
    fn known(&mut self, identifier: &Identifier) -> Option<u32> {
        if let Some(known) = self.recent.get(identifier.base()) {
            return Some(known.base);
        }
        let base = self.arena.look_up(identifier.base())?.base;
        // It may be known by mapping alone: whoever inserts there is still checked.
        if self.arena.is_born(base) {
            self.resolve_to(identifier, base);
        }
        Some(base)
    }

    /// Errors: `dot` is of this site, which cannot have given it.
    #[inline]
    pub(crate) fn may_be_own(&self, dot: Dot) -> Result<(), Refused> {
        if dot.site == self.site && dot.clock >= self.clock.saturating_add(AHEAD_MAX) {
            return Err(Refused::Own(dot));
        }
        Ok(())
    }

    /// Notes a name of this site that comes back to it.
    pub(crate) fn restored(&mut self, dot: Dot, offset: i32) {
        if dot.site == self.site {
            self.clock = self.clock.max(dot.clock + 1);
            self.given.raise(dot.clock, offset);
        }
    }

    /// Inserts `run` with as many characters from the front of `text`. Returns the others.
    fn insert_head<'a, T: Told>(&mut self, run: Run, text: &'a str, told: &mut T) -> &'a str {
        let (head, rest) = cut(text, run.length);
        self.insert_pieces(run, head, told);
        rest
    }

    /// Inserts `run`, which is of the current epoch, between what is there.
    #[inline]
    pub(crate) fn insert_pieces<T: Told>(&mut self, mut run: Run, mut text: &str, told: &mut T) {
        let cursor = self.tree.cursor;
        if self.tree.before(cursor).is_some_and(|last| last.goes_on(run))
            && self.clear(run, self.tree.behind(cursor))
        {
            return self.insert_last_piece(cursor, run, text, told);
        }
        loop {
            let (spot, there) = self.place_of(run.first());
            let behind = self.tree.behind(spot);
            let here = match behind {
                Some(behind) if there => run.length.min(behind.length),
                Some(behind) => room(&self.arena, run, behind),
                None => run.length,
            };
            if here == run.length {
                if !there {
                    self.insert_last_piece(spot, run, text, told);
                }
                return;
            }
            let (head, rest) = cut(text, here);
            if !there {
                self.insert_piece(spot, run.head(here), head, told);
            }
            (run, text) = (run.without(here), rest);
        }
    }

    /// [`crate::tree::Tree::find`], without a search where it can be.
    fn place_of(&self, id: Id) -> (Spot, bool) {
        if let Some(spot) = self.tree.at_home(id) {
            return (spot, true);
        }
        match self.tree.near(&self.arena, id) {
            Some(spot) => (spot, false),
            None => self.tree.find_from(&self.arena, id),
        }
    }

    /// Inserts `run` at `spot`, and notes what can follow it: most that is typed is typed on.
    fn insert_last_piece<T: Told>(&mut self, spot: Spot, run: Run, text: &str, told: &mut T) {
        self.insert_piece(spot, run, text, told);
        let room = self.room_at_cursor(run);
        self.tree.set_typing(Typing { last: run.last(), room, own: None });
        self.tree.came_home(run.base, self.tree.cursor.leaf);
    }

    #[inline]
    fn insert_piece<T: Told>(&mut self, spot: Spot, run: Run, text: &str, told: &mut T) {
        if T::ASKS {
            told.tell(Change::Inserted { at: self.tree.count_at(spot).into(), text });
        }
        self.tree.insert(spot, run, text);
    }

    #[inline]
    pub(crate) fn apply_remove(
        &mut self,
        epoch: u32,
        intervals: &[Interval],
    ) -> Result<(), Refused> {
        self.integrate_remove(epoch, intervals, &mut Nobody)
    }

    fn integrate_remove<T: Told>(
        &mut self,
        epoch: u32,
        intervals: &[Interval],
        told: &mut T,
    ) -> Result<(), Refused> {
        self.is_here_between(epoch, self.current)?;
        self.in_order(intervals)?;
        let mut firsts = intervals.iter().map(|interval| &interval.first);
        let foreseen = firsts.find(|first| self.foresees(epoch, first.dot(), first.offset()));
        let length = self.len();
        if epoch == self.current {
            for interval in intervals {
                // All that is there has a base that is known.
                if let Some(base) = self.known(&interval.first) {
                    let (offset, length) = (interval.first.offset(), interval.length()?);
                    self.remove_pieces(Run { base, offset, length }, told);
                }
            }
        } else {
            let mut runs = Vec::with_capacity(intervals.len());
            for interval in intervals {
                let base = self.arena.intern(interval.first.base()).base;
                let (offset, length) = (interval.first.offset(), interval.length()?);
                runs.push(Run { base, offset, length });
            }
            for run in self.mapped(runs, epoch) {
                self.remove_pieces(run, told);
            }
        }
        // Where it finds something, somebody gave the name twice, and that was taken before the rename was known.
        if let Some(first) = foreseen.filter(|_| self.len() == length) {
            return Err(Refused::Future { epoch: self.epochs.get(epoch).id, dot: first.dot() });
        }
        self.count_towards_move();
        Ok(())
    }

    /// Removes what there is of `run`, which is of the current epoch.
    #[inline]
    pub(crate) fn remove_pieces<T: Told>(&mut self, mut run: Run, told: &mut T) {
        self.edited.clear();
        let cursor = self.tree.cursor;
        if let Some(spot) = self.tree.rubbed_out(cursor, run) {
            return self.remove_piece(spot, run.length, told);
        }
        let behind = self.tree.behind(cursor);
        if behind.is_some_and(|it| it.first() == run.first() && it.length >= run.length) {
            return self.remove_piece(cursor, run.length, told);
        }
        loop {
            let (spot, there) = match self.tree.at_home(run.first()) {
                Some(spot) => (spot, true),
                None => {
                    let found = self.tree.find_from(&self.arena, run.first());
                    self.tree.came_home(run.base, found.0.leaf);
                    found
                }
            };
            let Some(behind) = self.tree.behind(spot) else { return };
            let here = if there {
                let here = run.length.min(behind.length);
                self.remove_piece(spot, here, told);
                here
            } else {
                room(&self.arena, run, behind)
            };
            if here == run.length {
                return;
            }
            run = run.without(here);
        }
    }

    #[inline]
    fn remove_piece<T: Told>(&mut self, spot: Spot, length: u32, told: &mut T) {
        if !T::ASKS {
            return self.tree.remove(spot, length, &mut self.edited);
        }
        let (from, whole) = (self.tree.count_at(spot), self.tree.count());
        self.tree.remove(spot, length, &mut self.edited);
        let mut to = whole;
        to -= self.tree.count();
        to += from;
        told.tell(Change::Removed { from: from.into(), to: to.into() });
    }

    /// Whether an operation can name `intervals`, in this order.
    pub(crate) fn in_order(&self, intervals: &[Interval]) -> Result<(), Refused> {
        if intervals.is_empty() {
            return Err(Refused::Empty);
        }
        for (at, interval) in intervals.iter().enumerate() {
            interval.length()?;
            let begin = interval.first.offset();
            if begin < 0 {
                return Err(Refused::Offsets { begin, end: i64::from(interval.end) });
            }
            if at > 0 && !above(&intervals[at - 1], &interval.first) {
                return Err(Refused::Order(at));
            }
        }
        Ok(())
    }
}

/// How many elements of `run` are below the first of `behind`, which is above the first of `run`.
fn room(arena: &Arena, run: Run, behind: Run) -> u32 {
    let room = match arena.under(behind.first(), run.base) {
        None => return run.length,
        Some((offset, Beneath::Is)) => i64::from(offset) - i64::from(run.offset),
        Some((offset, Beneath::Extends)) => i64::from(offset) - i64::from(run.offset) + 1,
    };
    run.length.min(u32::try_from(room).expect("the first of the run is below"))
}

/// Whether `next` is above all of `interval`.
#[inline]
fn above(interval: &Interval, next: &Identifier) -> bool {
    if Arc::ptr_eq(interval.first.base(), next.base()) {
        return interval.end < next.offset();
    }
    Identifier::of(Arc::clone(interval.first.base()), interval.end) < *next
}
