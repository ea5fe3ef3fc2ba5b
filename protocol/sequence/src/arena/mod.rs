//! Bases, each kept once: an identifier is a handle of 8 bytes.
//!
//! A base is its parent identifier and a tuple without offset, so that bases form a tree and a new one
//! copies no path. Equal bases have equal handles, whatever epoch they are of.
//!
//! Invariant: a parent stands before its children; `index` lists every base but the root once.

mod index;

use std::{cmp::Ordering, sync::Arc};

use crate::{
    Dot, TUPLES_MAX, Tuple,
    arena::index::{Directories, Index},
    state::Entry,
};

/// An identifier: a base, and the offset of its last tuple.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id {
    pub(crate) base: u32,
    pub(crate) offset: i32,
}

impl Id {
    /// Whether `run` begins with the element that follows it in its base.
    #[inline]
    pub(crate) fn goes_on(self, run: Run) -> bool {
        self.base == run.base && self.offset.wrapping_add(1) == run.offset
    }
}

/// Elements with consecutive offsets of one base, in the handles of one replica.
///
/// Invariant: `length` is not 0, and no offset overflows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub(crate) base: u32,
    pub(crate) offset: i32,
    pub(crate) length: u32,
}

impl Run {
    pub(crate) fn first(self) -> Id {
        Id { base: self.base, offset: self.offset }
    }

    /// The offset after its last.
    pub(crate) fn end(self) -> i32 {
        self.offset.wrapping_add_unsigned(self.length)
    }

    pub(crate) fn last(self) -> Id {
        Id { base: self.base, offset: self.end() - 1 }
    }

    /// What is left without the first `count` elements.
    pub(crate) fn without(self, count: u32) -> Self {
        Self {
            offset: self.offset.wrapping_add_unsigned(count),
            length: self.length - count,
            ..self
        }
    }

    /// The first `count` elements.
    pub(crate) fn head(self, count: u32) -> Self {
        Self { length: count, ..self }
    }

    /// Whether `next` goes on where this ends.
    pub(crate) fn meets(self, next: Self) -> bool {
        self.base == next.base && self.end() == next.offset
    }
}

/// Whether a message has room for an identifier of so many tuples.
#[inline]
pub(crate) const fn may_be_told(depth: u32) -> bool {
    depth as usize <= TUPLES_MAX
}

/// Appends `run` to `runs`, joined with the last where it goes on there.
pub(crate) fn push_run(runs: &mut Vec<Run>, run: Run) {
    match runs.last_mut() {
        Some(last) if last.meets(run) => last.length += run.length,
        _ => runs.push(run),
    }
}

#[derive(Clone, Copy, Debug)]
struct Base {
    parent: Id,
    position: i32,
    site: u32,
    clock: u32,
    depth: u32,
    /// The epoch in which its site made it; [`UNBORN`] where it is known by mapping alone.
    born: u32,
}

/// The epoch of a base that no insert brought.
pub(crate) const UNBORN: u32 = u32::MAX;

/// The epoch of a base that was made in one which is not kept any more.
pub(crate) const FORGOTTEN: u32 = u32::MAX - 1;

/// The handle of no tuples at all, the parent of every base of one tuple.
pub(crate) const ROOT: Id = Id { base: 0, offset: 0 };

/// Which arena handles are of. That of a copy is another, for the two go on apart.
#[derive(Debug, Default)]
pub(crate) struct Token(Arc<()>);

impl Clone for Token {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Token {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Token {
    /// The same, for who keeps handles.
    pub(crate) fn shared(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// All bases that a replica knows.
#[derive(Clone, Debug)]
pub(crate) struct Arena {
    token: Token,
    bases: Vec<Base>,
    index: Index,
    /// Whether there was a base that no message has room for since handles were given last: renames alone make such
    /// that stay.
    deep: bool,
}

impl Default for Arena {
    fn default() -> Self {
        let root = Base { parent: ROOT, position: 0, site: 0, clock: 0, depth: 0, born: UNBORN };
        Self { token: Token::default(), bases: vec![root], index: Index::default(), deep: false }
    }
}

impl Arena {
    #[inline]
    pub(crate) fn token(&self) -> &Token {
        &self.token
    }

    pub(crate) fn len(&self) -> usize {
        self.bases.len()
    }

    /// Whether there is a base that no message has room for.
    #[inline]
    pub(crate) fn is_deep(&self) -> bool {
        self.deep
    }

    #[inline]
    fn base(&self, base: u32) -> &Base {
        &self.bases[base as usize]
    }

    pub(crate) fn parent(&self, id: Id) -> Id {
        self.base(id.base).parent
    }

    pub(crate) fn depth(&self, id: Id) -> u32 {
        self.base(id.base).depth
    }

    pub(crate) fn dot(&self, base: u32) -> Dot {
        let base = self.base(base);
        Dot { site: base.site, clock: base.clock }
    }

    pub(crate) fn tuple(&self, id: Id) -> Tuple {
        let base = self.base(id.base);
        Tuple { position: base.position, site: base.site, clock: base.clock, offset: id.offset }
    }

    /// What `base` extends, and its tuple with offset 0.
    pub(crate) fn entry(&self, base: u32) -> (Id, Tuple) {
        let Base { parent, position, site, clock, .. } = *self.base(base);
        (parent, Tuple { position, site, clock, offset: 0 })
    }

    /// The arena of these bases, each there once and behind what it extends: numbers from 1 become handles.
    pub(crate) fn of(entries: &[Entry]) -> Self {
        let mut arena = Self::default();
        arena.bases.reserve_exact(entries.len());
        for entry in entries {
            arena.push(entry.parent, entry.tuple(0));
        }
        arena.list_from(1);
        arena
    }

    fn key(&self, base: u32) -> (u32, u32, i32, i32) {
        let base = self.base(base);
        (base.clock, base.parent.base, base.parent.offset, base.position)
    }

    /// The base of `tuple` below `parent`, where it is known.
    pub(crate) fn extension(&self, parent: Id, tuple: Tuple) -> Option<u32> {
        self.find(parent, tuple).ok()
    }

    /// The identifier that extends `parent` by `tuple`. [`ROOT`] extends to one tuple.
    pub(crate) fn extend(&mut self, parent: Id, tuple: Tuple) -> Id {
        let base = match self.find(parent, tuple) {
            Ok(base) => base,
            Err(place) => {
                let base = self.push(parent, tuple);
                self.index.list(place, tuple.site, base);
                base
            }
        };
        Id { base, offset: tuple.offset }
    }

    /// The handle of a base that is not known, and is to be listed.
    fn push(&mut self, parent: Id, tuple: Tuple) -> u32 {
        let base = u32::try_from(self.bases.len()).expect("fewer than 2^32 bases fit memory");
        let depth = self.base(parent.base).depth + 1;
        self.deep |= !may_be_told(depth);
        let Tuple { position, site, clock, .. } = tuple;
        if self.bases.len() == self.bases.capacity() {
            // A quarter more: what is kept in vain is a part of every document.
            self.bases.reserve_exact(self.bases.len() / 4 + 16);
        }
        self.bases.push(Base { parent, position, site, clock, depth, born: UNBORN });
        base
    }

    /// The handles of these bases, each there once and behind what it extends, from that of the root: made known
    /// where they are new.
    pub(crate) fn extend_by_all(&mut self, entries: &[Entry]) -> Vec<u32> {
        let first = self.bases.len() as u32;
        let mut handles = Vec::with_capacity(entries.len() + 1);
        handles.push(ROOT.base);
        let mut directories = Directories::default();
        for entry in entries {
            let parent = Id { base: handles[entry.parent.base as usize], ..entry.parent };
            let tuple = entry.tuple(0);
            // What extends a new base is new.
            let known = if parent.base < first {
                self.extension_by(directories.of(self, tuple.site), parent, tuple)
            } else {
                None
            };
            handles.push(known.unwrap_or_else(|| self.push(parent, tuple)));
        }
        self.list_from(first);
        handles
    }

    /// The identifier of `tuples` below `parent`.
    pub(crate) fn extend_all(&mut self, parent: Id, tuples: &[Tuple]) -> Id {
        tuples.iter().fold(parent, |id, tuple| self.extend(id, *tuple))
    }

    /// The identifier of these tuples.
    pub(crate) fn intern(&mut self, tuples: &[Tuple]) -> Id {
        let (id, known) = self.nearest(tuples);
        self.extend_all(id, &tuples[known..])
    }

    /// The identifier of as many of these tuples as are known, and how many they are.
    ///
    /// What is new mostly extends an element that is known: all of the tuples and all but the last are found
    /// at once.
    pub(crate) fn nearest(&self, tuples: &[Tuple]) -> (Id, usize) {
        let but_last = tuples.len().saturating_sub(1);
        let known = |length: usize| self.known(&tuples[..length]).map(|id| (id, length));
        let found = known(tuples.len()).or_else(|| known(but_last));
        let (mut id, mut length) = found.unwrap_or((ROOT, 0));
        while let Some(tuple) = tuples.get(length)
            && let Ok(base) = self.find(id, *tuple)
        {
            id = Id { base, offset: tuple.offset };
            length += 1;
        }
        (id, length)
    }

    /// The identifier of these tuples, where its base is known: found by its last tuple alone.
    fn known(&self, tuples: &[Tuple]) -> Option<Id> {
        let last = *tuples.last()?;
        let bases = self.index.of(last.site);
        let base = *bases.get(self.place(bases, last.clock))?;
        let mut id = Id { base, offset: last.offset };
        if self.depth(id) as usize != tuples.len() {
            return None;
        }
        let found = id;
        for tuple in tuples.iter().rev() {
            if self.tuple(id) != *tuple {
                return None;
            }
            id = self.parent(id);
        }
        Some(found)
    }

    /// The identifier of these tuples, where every base on the way is known.
    pub(crate) fn look_up(&self, tuples: &[Tuple]) -> Option<Id> {
        let (id, known) = self.nearest(tuples);
        (known == tuples.len()).then_some(id)
    }

    /// Notes that `base` was made in `epoch`, unless it is known to be older.
    pub(crate) fn bear(&mut self, base: u32, epoch: u32) {
        let born = &mut self.bases[base as usize].born;
        if *born == UNBORN {
            *born = epoch;
        }
    }

    /// The epoch in which `base` was made; [`UNBORN`] where no insert brought it.
    pub(crate) fn born(&self, base: u32) -> u32 {
        self.base(base).born
    }

    /// The clocks of the bases of `site`, ascending.
    pub(crate) fn clocks(&self, site: u32) -> Vec<u32> {
        let bases = self.index.of(site);
        bases.iter().map(|base| self.base(*base).clock).collect()
    }

    /// Whether an insert brought `base`.
    pub(crate) fn is_born(&self, base: u32) -> bool {
        self.base(base).born != UNBORN
    }

    /// The bases named `dot`.
    fn all_named(&self, dot: Dot) -> impl Iterator<Item = u32> {
        let bases = self.index.of(dot.site);
        let from = self.place(bases, dot.clock);
        let named = bases[from..].iter().copied();
        named.take_while(move |base| self.base(*base).clock == dot.clock)
    }

    /// Whether another base than `base` was made in `epoch` under the same name.
    pub(crate) fn twin(&self, dot: Dot, base: Option<u32>, epoch: u32) -> bool {
        let mut others = self.all_named(dot).filter(|other| Some(*other) != base);
        others.any(|other| self.base(other).born == epoch)
    }

    /// The epochs in which bases named `dot` were made.
    pub(crate) fn births(&self, dot: Dot) -> impl Iterator<Item = u32> {
        self.all_named(dot).map(|base| self.base(base).born).filter(|born| *born != UNBORN)
    }

    /// The tuples of the base of `dot` that was made in `epoch`, the last with offset 0.
    pub(crate) fn named(&self, dot: Dot, epoch: u32) -> Option<Vec<Tuple>> {
        let base = self.all_named(dot).find(|base| self.base(*base).born == epoch)?;
        Some(self.spell(Id { base, offset: 0 }))
    }

    /// Bytes of memory that it takes up, with what is reserved.
    pub(crate) fn held(&self) -> usize {
        self.bases.capacity() * size_of::<Base>() + self.index.held()
    }

    /// Keeps the bases of `used`, those that were made in an epoch which is kept, and what they extend.
    /// Returns the new handles of the old. `epochs` says where an epoch has gone that is kept.
    pub(crate) fn compact(
        &mut self,
        used: Vec<u32>,
        epochs: impl Fn(u32) -> Option<u32>,
    ) -> Vec<u32> {
        let mut moved = vec![UNBORN; self.bases.len()];
        moved[ROOT.base as usize] = ROOT.base;
        let own = |base: &Base| base.born < FORGOTTEN && epochs(base.born).is_some();
        let born = (0_u32..).zip(&self.bases).filter(|(_, base)| own(base)).map(|(at, _)| at);
        for mut base in used.into_iter().chain(born) {
            while moved[base as usize] == UNBORN {
                moved[base as usize] = 0;
                base = self.base(base).parent.base;
            }
        }
        let old = std::mem::take(self);
        for (at, base) in old.bases.iter().enumerate().skip(1) {
            if moved[at] == UNBORN {
                continue;
            }
            let Base { parent, position, site, clock, .. } = *base;
            let parent = Id { base: moved[parent.base as usize], offset: parent.offset };
            let to = self.push(parent, Tuple { position, site, clock, offset: 0 });
            if base.born != UNBORN {
                let born = if base.born == FORGOTTEN { None } else { epochs(base.born) };
                self.bear(to, born.unwrap_or(FORGOTTEN));
            }
            moved[at] = to;
        }
        self.list_from(ROOT.base + 1);
        moved
    }

    /// The tuples of `id`, appended to `out`.
    pub(crate) fn spell_into(&self, id: Id, out: &mut Vec<Tuple>) {
        let from = out.len();
        let mut at = id;
        while at.base != ROOT.base {
            out.push(self.tuple(at));
            at = self.parent(at);
        }
        out[from..].reverse();
    }

    /// The tuples of `id`.
    pub(crate) fn spell(&self, id: Id) -> Vec<Tuple> {
        let mut tuples = Vec::with_capacity(self.depth(id) as usize);
        self.spell_into(id, &mut tuples);
        tuples
    }

    /// What `id` extends, or is, that has `depth` tuples; `depth` is not above that of `id`.
    pub(crate) fn ancestor(&self, mut id: Id, depth: u32) -> Id {
        while self.depth(id) > depth {
            id = self.parent(id);
        }
        id
    }

    /// The offset at which `id` stands in or below `base`, and whether it is the element itself.
    pub(crate) fn under(&self, id: Id, base: u32) -> Option<(i32, Beneath)> {
        if id.base == base {
            return Some((id.offset, Beneath::Is));
        }
        let depth = self.bases[base as usize].depth;
        if self.depth(id) <= depth {
            return None;
        }
        let ancestor = self.ancestor(id, depth);
        (ancestor.base == base).then_some((ancestor.offset, Beneath::Extends))
    }

    /// The order of identifiers.
    #[inline]
    pub(crate) fn compare(&self, a: Id, b: Id) -> Ordering {
        if a.base == b.base {
            return a.offset.cmp(&b.offset);
        }
        self.compare_apart(a, b)
    }

    fn compare_apart(&self, a: Id, b: Id) -> Ordering {
        let (deep_a, deep_b) = (self.depth(a), self.depth(b));
        let (mut a, mut b) = (self.ancestor(a, deep_b), self.ancestor(b, deep_a));
        if a.base == b.base {
            // The shorter is less where the longer extends it.
            return a.offset.cmp(&b.offset).then(deep_a.cmp(&deep_b));
        }
        loop {
            let (base_a, base_b) = (self.base(a.base), self.base(b.base));
            if base_a.parent == base_b.parent {
                let tuple = |base: &Base| (base.position, base.site, base.clock);
                return tuple(base_a).cmp(&tuple(base_b));
            }
            if base_a.parent.base == base_b.parent.base {
                return base_a.parent.offset.cmp(&base_b.parent.offset);
            }
            (a, b) = (base_a.parent, base_b.parent);
        }
    }
}

/// How an identifier stands to a base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beneath {
    /// It is an element of the base.
    Is,
    /// It extends one.
    Extends,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tuples() -> impl Strategy<Value = Vec<Tuple>> {
        let tuple = (-1..=1_i32, 1..=2_u32, 0..=1_u32, -1..=1_i32)
            .prop_map(|(position, site, clock, offset)| Tuple { position, site, clock, offset });
        prop::collection::vec(tuple, 1..=4)
    }

    proptest! {
        #[test]
        fn handles_are_ordered_as_what_they_stand_for(ids in prop::collection::vec(tuples(), 1..20)) {
            let mut arena = Arena::default();
            let handles: Vec<Id> = ids.iter().map(|tuples| arena.intern(tuples)).collect();
            for (tuples, id) in ids.iter().zip(&handles) {
                prop_assert_eq!(&arena.spell(*id), tuples);
                prop_assert_eq!(arena.intern(tuples), *id);
                for (others, other) in ids.iter().zip(&handles) {
                    prop_assert_eq!(arena.compare(*id, *other), tuples.cmp(others));
                }
            }
        }

        #[test]
        fn an_identifier_stands_under_what_its_prefixes_are_of(of in tuples(), base in tuples()) {
            let mut arena = Arena::default();
            let (id, base) = (arena.intern(&of), arena.intern(&base));
            let spelled = arena.spell(base);
            let (last, parent) = spelled.split_last().expect("it has a tuple");
            let expected = of.get(parent.len()).filter(|tuple| {
                let under = Tuple { offset: 0, ..**tuple } == Tuple { offset: 0, ..*last };
                under && of[..parent.len()] == *parent
            });
            let how = if of.len() == spelled.len() { Beneath::Is } else { Beneath::Extends };
            prop_assert_eq!(arena.under(id, base.base), expected.map(|tuple| (tuple.offset, how)));
        }
    }
}
