//! Edits of this replica.

use std::ops::Range;

use smol_str::{SmolStr, ToSmolStr};

use crate::{
    Dot, Few, Naming, Operation, Refused, Sequence,
    arena::{Beneath, Id, Run, may_be_told},
    change::Nobody,
    generate::between,
    sequence::ELEMENTS_MAX,
    tree::{Count, Spot, Typing},
};

impl Sequence {
    /// Inserts `text` before element `index`. Returns what the other replicas must be told: one operation,
    /// or one an element where each has its own base.
    ///
    /// `draw(n)` is a number below `n`: where in the gap the new identifier lies. A greater one counts as
    /// `n - 1`.
    ///
    /// Errors: the index is beyond the end, the text is empty or too long, this site is out of names.
    pub fn insert(
        &mut self,
        index: u64,
        text: &str,
        draw: &mut impl FnMut(u64) -> u64,
    ) -> Result<Few<Operation>, Refused> {
        self.insert_runs(index, text, draw)?;
        let epoch = self.epoch();
        if let [run] = self.edited[..] {
            let first = self.shared(run).first;
            return Ok(Few::One(Operation::Insert { epoch, first, text: kept(text) }));
        }
        let elements = text.chars().zip(&self.edited);
        let operation = |(element, run): (char, &Run)| Operation::Insert {
            epoch,
            first: self.identifier(run.first()),
            text: element.to_smolstr(),
        };
        Ok(elements.map(operation).collect())
    }

    /// [`Sequence::insert`] without its operations: returns what was named, in document order.
    // Always, so that what is returned goes by registers where a key was pressed: from memory it is waited for.
    #[inline(always)]
    pub fn insert_runs(
        &mut self,
        index: u64,
        text: &str,
        draw: &mut impl FnMut(u64) -> u64,
    ) -> Result<&[Run], Refused> {
        // What is typed is mostly one letter: then all that is counted is one more.
        let letter = Count { chars: 1, bytes: 1, units: 1 };
        if text.len() != 1 || !self.types_on_here(index, text, letter) {
            self.insert_elsewhere(index, text, draw)?;
        }
        Ok(&self.edited)
    }

    /// Inserts `text`, of `count`, where this site goes on with what it typed last. Returns whether it does;
    /// nothing is done where not.
    // Always, as `Tree::type_on`.
    #[inline(always)]
    fn types_on_here(&mut self, index: u64, text: &str, count: Count) -> bool {
        if let Some(clock) = self.tree.typing().own
            && self.tree.cursor_index() == Some(index)
            && let Some(run) = self.tree.type_on(text, count)
        {
            self.given.go_on(clock, run.length);
            self.edited.clear();
            self.edited.push(run);
            return true;
        }
        false
    }

    #[inline(never)]
    fn insert_elsewhere(
        &mut self,
        index: u64,
        text: &str,
        draw: &mut impl FnMut(u64) -> u64,
    ) -> Result<(), Refused> {
        if text.is_empty() {
            return Err(Refused::Empty);
        }
        if self.len_utf8() + text.len() as u64 > ELEMENTS_MAX {
            return Err(Refused::Long);
        }
        let count = Count::of(text);
        if self.types_on_here(index, text, count) {
            return Ok(());
        }
        if index > self.len() {
            return Err(Refused::Range { index, length: self.len() });
        }
        self.edited.clear();
        let spot = self.tree.seek(index as u32);
        match self.options.naming {
            Naming::Blocks => self.insert_block(spot, text, count.chars, draw),
            Naming::Elements => self.insert_elements(spot, text, count.chars, draw),
        }
    }

    fn insert_block(
        &mut self,
        spot: Spot,
        text: &str,
        chars: u32,
        draw: &mut impl FnMut(u64) -> u64,
    ) -> Result<(), Refused> {
        let before = self.tree.before(spot);
        let run = match before.and_then(|last| self.appended(spot, last, chars)) {
            Some(run) => run,
            None => {
                let first = self.fresh(before, self.tree.behind(spot), draw)?;
                self.given.raise(self.arena.dot(first.base).clock, chars as i32 - 1);
                Run { base: first.base, offset: 0, length: chars }
            }
        };
        self.tree.insert(spot, run, text);
        let room = self.room_at_cursor(run);
        let own = Some(self.arena.dot(run.base).clock);
        self.tree.set_typing(Typing { last: run.last(), room, own });
        self.edited.push(run);
        Ok(())
    }

    /// How many elements may follow `run`, which ends at the cursor, in its base and below what is behind it.
    pub(crate) fn room_at_cursor(&self, run: Run) -> u32 {
        // A character has at most 4 bytes: what is typed on is not counted each time.
        let left = (ELEMENTS_MAX.saturating_sub(self.len_utf8()) / 4) as u32;
        let most = (i32::MAX - 1).saturating_sub(run.last().offset).unsigned_abs().min(left);
        if !may_be_told(self.arena.depth(run.first())) {
            return 0;
        }
        let Some(behind) = self.tree.behind(self.tree.cursor) else { return most };
        let room = match self.arena.under(behind.first(), run.base) {
            None => return most,
            Some((offset, Beneath::Is)) => i64::from(offset) - i64::from(run.end()),
            Some((offset, Beneath::Extends)) => i64::from(offset) + 1 - i64::from(run.end()),
        };
        u32::try_from(room).unwrap_or(0).min(most)
    }

    /// `length` names that go on behind `last`, where it is the last that this site gave of its base.
    #[inline]
    fn appended(&mut self, spot: Spot, last: Id, length: u32) -> Option<Run> {
        let dot = self.arena.dot(last.base);
        if dot.site != self.site || !self.given.is_last(dot.clock, last.offset) {
            return None;
        }
        let run = self.going_on(spot, last, length)?;
        self.given.raise(dot.clock, run.last().offset);
        // One of an older epoch, mapped, is of this epoch to all others from now on.
        self.arena.bear(run.base, self.current);
        Some(run)
    }

    /// `length` names that go on behind `last`, which stands before `spot` and is the last that was given of its
    /// base, where there are as many and they stay below what is behind `spot`.
    ///
    /// The last condition is missing in the papers' implementation: behind a rename, what follows a block
    /// often extends its last element.
    #[inline]
    pub(crate) fn going_on(&self, spot: Spot, last: Id, length: u32) -> Option<Run> {
        last.offset.checked_add_unsigned(length).filter(|end| *end < i32::MAX)?;
        if !may_be_told(self.arena.depth(last)) {
            return None;
        }
        let run = Run { base: last.base, offset: last.offset + 1, length };
        self.clear(run, self.tree.behind(spot)).then_some(run)
    }

    /// Whether all of `run` is below the first of `behind`, which is above the first of `run`.
    #[inline]
    pub(crate) fn clear(&self, run: Run, behind: Option<Run>) -> bool {
        let Some(behind) = behind else { return true };
        match self.arena.under(behind.first(), run.base) {
            None => true,
            Some((offset, Beneath::Is)) => offset >= run.end(),
            Some((offset, Beneath::Extends)) => offset >= run.last().offset,
        }
    }

    fn insert_elements(
        &mut self,
        mut spot: Spot,
        text: &str,
        chars: u32,
        draw: &mut impl FnMut(u64) -> u64,
    ) -> Result<(), Refused> {
        if u64::from(self.clock) + u64::from(chars) + self.made_up.len() as u64 > 1 << 31 {
            return Err(Refused::Exhausted);
        }
        let mut at = 0;
        for character in text.chars() {
            let first = match self.fresh(self.tree.before(spot), self.tree.behind(spot), draw) {
                Ok(first) => first,
                Err(why) => {
                    // All or nothing; the names are spent.
                    let gone = std::mem::take(&mut self.edited);
                    gone.into_iter().for_each(|run| self.remove_pieces(run, &mut Nobody));
                    return Err(why);
                }
            };
            self.given.raise(self.arena.dot(first.base).clock, 0);
            let run = Run { base: first.base, offset: 0, length: 1 };
            self.tree.insert(spot, run, &text[at..at + character.len_utf8()]);
            spot = self.tree.cursor;
            at += character.len_utf8();
            self.edited.push(run);
        }
        Ok(())
    }

    /// A new base of this site between two neighbours.
    ///
    /// Errors: it would be deeper than what others take, or all names are given.
    fn fresh(
        &mut self,
        before: Option<Id>,
        behind: Option<Run>,
        draw: &mut impl FnMut(u64) -> u64,
    ) -> Result<Id, Refused> {
        let upper = behind.map(|run| run.first());
        let dot = self.next_dot()?;
        let first = between(&mut self.arena, before, upper, dot, draw);
        if !may_be_told(self.arena.depth(first)) {
            return Err(self.too_deep(dot));
        }
        self.arena.bear(first.base, self.current);
        Ok(first)
    }

    /// Takes the name back that was given last. Returns why.
    #[cold]
    #[inline(never)]
    fn too_deep(&mut self, dot: Dot) -> Refused {
        self.clock = dot.clock;
        Refused::Long
    }

    /// A name that this site has never given.
    pub(crate) fn next_dot(&mut self) -> Result<Dot, Refused> {
        while self.made_up.first().is_some_and(|name| *name <= self.clock) {
            let name = self.made_up.pop_first();
            self.clock += u32::from(name == Some(self.clock));
        }
        if self.clock >= 1 << 31 {
            return Err(Refused::Exhausted);
        }
        self.clock += 1;
        Ok(Dot { site: self.site, clock: self.clock - 1 })
    }

    /// Removes the elements in `range`. Returns what the other replicas must be told.
    ///
    /// Errors: the range is empty, runs backwards, or reaches beyond the end; some of it is deeper than messages
    /// name, as what a rename found under way can be: the next rename names that anew.
    pub fn remove(&mut self, range: Range<u64>) -> Result<Operation, Refused> {
        self.remove_runs(range)?;
        let epoch = self.epoch();
        if let [run] = self.edited[..] {
            return Ok(Operation::Remove { epoch, intervals: Few::One(self.shared(run)) });
        }
        let edited = std::mem::take(&mut self.edited);
        let intervals = edited.iter().map(|run| self.shared(*run)).collect();
        self.edited = edited;
        Ok(Operation::Remove { epoch, intervals })
    }

    /// [`Sequence::remove`] without its operation: returns what was removed, in document order.
    // Always, as `Sequence::insert_runs`.
    #[inline(always)]
    pub fn remove_runs(&mut self, range: Range<u64>) -> Result<&[Run], Refused> {
        self.edited.clear();
        if self.arena.is_deep() || !self.rubs_here(&range) {
            self.remove_elsewhere(&range)?;
        }
        Ok(&self.edited)
    }

    /// Removes the elements in `range` where that begins or ends at the cursor. Returns whether it did: nothing is
    /// done where it takes more than a look at one leaf.
    #[inline]
    fn rubs_here(&mut self, range: &Range<u64>) -> bool {
        let Some(at) = self.tree.cursor_index() else { return false };
        match range.end.checked_sub(range.start) {
            Some(chars @ 1..=ELEMENTS_MAX) if at == range.end => {
                self.tree.rub_out(chars as u32, &mut self.edited)
            }
            Some(chars @ 1..=ELEMENTS_MAX) if at == range.start => {
                self.tree.rub_ahead(chars as u32, &mut self.edited)
            }
            _ => false,
        }
    }

    #[inline(never)]
    fn remove_elsewhere(&mut self, range: &Range<u64>) -> Result<(), Refused> {
        let (from, to) = self.within(range)?;
        if from == to {
            return Err(Refused::Empty);
        }
        if self.arena.is_deep() {
            self.may_be_told(&self.tree.runs_behind(from, to - from))?;
        }
        let spot = self.tree.seek(from);
        self.tree.remove(spot, to - from, &mut self.edited);
        Ok(())
    }

    /// Errors: one of `runs` is deeper than messages name, until the next rename names it anew.
    pub(crate) fn may_be_told(&self, runs: &[Run]) -> Result<(), Refused> {
        let told = runs.iter().all(|run| may_be_told(self.arena.depth(run.first())));
        if told { Ok(()) } else { Err(Refused::Long) }
    }
}

/// What may be typed by one key.
const KEYS: &str = {
    const BYTES: [u8; 128] = {
        let mut bytes = [0; 128];
        let mut at = 0;
        while at < 128 {
            bytes[at] = at as u8;
            at += 1;
        }
        bytes
    };
    match str::from_utf8(&BYTES) {
        Ok(keys) => keys,
        Err(_) => panic!("ASCII is UTF-8"),
    }
};

/// `text` in an operation: what is typed is mostly one letter, of which there need not be a copy.
#[inline]
fn kept(text: &str) -> SmolStr {
    match *text.as_bytes() {
        [key @ ..0x80] => SmolStr::new_static(&KEYS[usize::from(key)..=usize::from(key)]),
        _ => text.into(),
    }
}
