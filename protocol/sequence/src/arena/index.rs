//! Where bases are found: by the name of their last tuple.

use std::collections::BTreeMap;

use crate::{
    Tuple,
    arena::{Arena, Id, ROOT},
};

/// Clocks for each base of a site up to which a directory of them is made.
const SPREAD_MAX: usize = 8;

/// The bases of each site.
///
/// Invariant: those of a site stand in the order of [`Arena::key`].
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// Of the sites in the order in which they came: none makes way for another, however many there are.
    lists: Vec<(u32, Vec<u32>)>,
    /// Which of `lists` is a site's.
    by_site: BTreeMap<u32, usize>,
    /// How often an entry made way for another.
    #[cfg(test)]
    pub(super) moved: usize,
}

/// Where a base belongs that is not listed.
pub(super) enum Place {
    /// Its site has none.
    NewSite,
    /// Which list, and where in that.
    At(usize, usize),
}

impl Index {
    #[inline]
    fn list_of(&self, site: u32) -> Option<usize> {
        match self.lists.last() {
            Some((last, _)) if *last == site => Some(self.lists.len() - 1),
            _ => self.by_site.get(&site).copied(),
        }
    }

    /// The bases of `site`.
    pub(super) fn of(&self, site: u32) -> &[u32] {
        self.list_of(site).map_or(&[][..], |list| &self.lists[list].1)
    }

    /// The list of `site`, which may be a new one.
    fn list_for(&mut self, site: u32) -> usize {
        self.list_of(site).unwrap_or_else(|| {
            self.by_site.insert(site, self.lists.len());
            self.lists.push((site, Vec::new()));
            self.lists.len() - 1
        })
    }

    /// Lists `base`, of `site`, at its place.
    pub(super) fn list(&mut self, place: Place, site: u32, base: u32) {
        let (list, at) = match place {
            Place::NewSite => (self.list_for(site), 0),
            Place::At(list, at) => (list, at),
        };
        let bases = &mut self.lists[list].1;
        #[cfg(test)]
        {
            self.moved += bases.len() - at;
        }
        bases.insert(at, base);
    }

    /// Bytes of memory that the lists take up.
    pub(super) fn held(&self) -> usize {
        self.lists.iter().map(|(_, bases)| bases.capacity() * size_of::<u32>()).sum()
    }
}

/// The bases of a site by their clocks, for who is about to look for many.
#[derive(Debug)]
pub(super) struct Directory {
    first: u32,
    /// From clock `first` on: a base with this clock; [`ROOT`]'s where there is none.
    bases: Vec<u32>,
}

/// Those of all sites that were looked for.
#[derive(Debug, Default)]
pub(super) struct Directories {
    made: Vec<Directory>,
    by_site: BTreeMap<u32, usize>,
    /// The site that was looked for last, and which is its directory: mostly it is looked for again.
    last: Option<(u32, usize)>,
}

impl Directories {
    /// That of `site`.
    pub(super) fn of(&mut self, arena: &Arena, site: u32) -> &Directory {
        let at = match self.last {
            Some((last, at)) if last == site => at,
            _ => *self.by_site.entry(site).or_insert_with(|| {
                self.made.push(arena.directory(site));
                self.made.len() - 1
            }),
        };
        self.last = Some((site, at));
        &self.made[at]
    }
}

impl Arena {
    /// The base of `tuple` below `parent`, or its place in the index.
    pub(super) fn find(&self, parent: Id, tuple: Tuple) -> Result<u32, Place> {
        let Some(list) = self.index.list_of(tuple.site) else { return Err(Place::NewSite) };
        let bases = &self.index.lists[list].1;
        if bases.last().is_none_or(|last| self.base(*last).clock < tuple.clock) {
            return Err(Place::At(list, bases.len()));
        }
        let key = (tuple.clock, parent.base, parent.offset, tuple.position);
        let guess = self.guess(bases, tuple.clock);
        if self.key(bases[guess]) == key {
            return Ok(bases[guess]);
        }
        let at = Self::reach(bases, guess, |base| self.key(base) < key);
        match bases.get(at) {
            Some(base) if self.key(*base) == key => Ok(*base),
            _ => Err(Place::At(list, at)),
        }
    }

    /// Which of `bases`, those of a site, has `clock` if names are evenly spread: mostly none is missing.
    #[inline]
    fn guess(&self, bases: &[u32], clock: u32) -> usize {
        let greatest = bases.len() - 1;
        let (first, last) = (self.base(bases[0]).clock, self.base(bases[greatest]).clock);
        let from = clock.clamp(first, last) - first;
        match last - first {
            0 => 0,
            span if span as usize == greatest => from as usize,
            span => (u64::from(from) * greatest as u64 / u64::from(span)) as usize,
        }
    }

    /// The bases of `site` by their clocks. Empty where these are too far apart.
    fn directory(&self, site: u32) -> Directory {
        let bases = self.index.of(site);
        let clock = |base: &u32| self.base(*base).clock;
        let first = bases.first().map_or(0, clock);
        let span = bases.last().map_or(0, |last| (clock(last) - first) as usize + 1);
        let span = if span <= SPREAD_MAX * bases.len() { span } else { 0 };
        let mut directory = vec![ROOT.base; span];
        if span > 0 {
            bases.iter().for_each(|base| directory[(clock(base) - first) as usize] = *base);
        }
        Directory { first, bases: directory }
    }

    /// [`Arena::extension`] by a tuple whose site `directory` is of.
    #[inline]
    pub(super) fn extension_by(
        &self,
        directory: &Directory,
        parent: Id,
        tuple: Tuple,
    ) -> Option<u32> {
        let at = tuple.clock.wrapping_sub(directory.first) as usize;
        if let Some(base) = directory.bases.get(at) {
            let known = self.base(*base);
            let same = known.parent == parent && known.position == tuple.position;
            if same && *base != ROOT.base {
                return Some(*base);
            }
        }
        self.extension(parent, tuple)
    }

    /// How many of `bases` come before the first of which `below` does not hold.
    fn reach(bases: &[u32], guess: usize, below: impl Fn(u32) -> bool) -> usize {
        // Steps from the guess double until the place is between two of them.
        let (mut low, mut high) = (guess, guess);
        let mut step = 1;
        if below(bases[guess]) {
            low += 1;
            high = low;
            while high < bases.len() && below(bases[high]) {
                low = high + 1;
                high = (high + step).min(bases.len());
                step *= 2;
            }
        } else {
            while low > 0 && !below(bases[low - 1]) {
                high = low - 1;
                low = low.saturating_sub(step);
                step *= 2;
            }
        }
        low + bases[low..high].partition_point(|base| below(*base))
    }

    /// Where the bases of `clock` begin among `bases`, which are those of one site.
    pub(super) fn place(&self, bases: &[u32], clock: u32) -> usize {
        if bases.last().is_none_or(|last| self.base(*last).clock < clock) {
            return bases.len();
        }
        Self::reach(bases, self.guess(bases, clock), |base| self.base(base).clock < clock)
    }

    /// Lists the bases from handle `first` on, of which none is listed: at once, so that no order of names makes it
    /// long.
    pub(super) fn list_from(&mut self, first: u32) {
        let named = |base| {
            let dot = self.dot(base);
            (dot.site, dot.clock, base)
        };
        let mut named: Vec<(u32, u32, u32)> = (first..self.len() as u32).map(named).collect();
        named.sort_unstable();
        // Few have a name together.
        let together = named.chunk_by_mut(|one, next| (one.0, one.1) == (next.0, next.1));
        together.for_each(|bases| bases.sort_unstable_by_key(|(.., base)| self.key(*base)));
        for named in named.chunk_by(|one, next| one.0 == next.0) {
            let list = self.index.list_for(named[0].0);
            let mut bases = std::mem::take(&mut self.index.lists[list].1);
            self.merge(&mut bases, named);
            self.index.lists[list].1 = bases;
        }
    }

    /// Puts `fresh`, which ascend, among `bases`, each of which makes way once.
    fn merge(&mut self, bases: &mut Vec<u32>, fresh: &[(u32, u32, u32)]) {
        let ascend = |one: u32, next: u32| self.key(one) < self.key(next);
        assert!(fresh.is_sorted_by(|one, next| ascend(one.2, next.2)), "each base is there once");
        let mut end = bases.len();
        bases.reserve_exact(fresh.len());
        bases.resize(end + fresh.len(), ROOT.base);
        for (before, (.., base)) in fresh.iter().enumerate().rev() {
            let key = self.key(*base);
            let at = bases[..end].partition_point(|base| self.key(*base) < key);
            assert!(at == end || self.key(bases[at]) > key, "each base is there once");
            bases.copy_within(at..end, at + before + 1);
            bases[at + before] = *base;
            #[cfg(test)]
            {
                self.index.moved += end - at;
            }
            end = at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FormerState, Identifier, Interval, arena::UNBORN};

    /// Elements of as many sites, or of one, whose numbers or names fall as documents go on.
    fn falling(count: u32, sites: bool) -> FormerState {
        let interval = |at: u32| {
            let name = count - at;
            let (site, clock) = if sites { (name, 0) } else { (1, name) };
            let tuple = Tuple { position: at as i32, site, clock, offset: 0 };
            Interval { first: Identifier::new([tuple]).expect("an identifier"), end: 0 }
        };
        let intervals: Vec<Interval> = (0..count).map(interval).collect();
        FormerState::new(&intervals).expect("a document")
    }

    #[test]
    fn no_order_of_names_makes_it_long_to_list_what_a_rename_found() {
        const COUNT: u32 = 1 << 12;
        for sites in [true, false] {
            let mut arena = Arena::default();
            for half in [COUNT / 2, COUNT] {
                falling(half, sites).resolve(&mut arena);
            }
            assert!(arena.index.moved <= COUNT as usize, "{} moved", arena.index.moved);
            // All are found, and once.
            let known = arena.len();
            falling(COUNT, sites).resolve(&mut arena);
            assert_eq!(arena.len(), known);
            assert!(arena.clocks(1).is_sorted_by(|one, next| one <= next));
        }
    }

    #[test]
    fn what_was_read_back_is_listed_at_once_where_handles_are_given_anew() {
        let mut arena = Arena::of(falling(1 << 12, false).bases());
        let used: Vec<u32> = (2..arena.len() as u32).collect();
        let moved = arena.compact(used, |_| None);
        assert_eq!((arena.index.moved, moved[1], moved[2]), (0, UNBORN, 1));
        assert!(arena.clocks(1).is_sorted());
    }

    #[test]
    fn a_site_makes_way_for_none() {
        let mut arena = Arena::default();
        for (at, site) in (1..=1_000).rev().enumerate() {
            arena.extend(ROOT, Tuple { position: 0, site, clock: 0, offset: 0 });
            assert_eq!(arena.index.lists[0].0, 1_000);
            assert_eq!(arena.index.lists[at].0, site);
        }
        assert!((1..=1_000).all(|site| arena.clocks(site) == [0]));
    }
}
