//! Where the elements of a base were seen last: most are still there, and need no search.

use super::{NONE, Spot, Tree, nodes::Leaf};
use crate::arena::{Arena, Id, ROOT};

impl Tree {
    /// Notes that elements of `base` are in `leaf`.
    #[inline]
    pub(crate) fn came_home(&mut self, base: u32, leaf: u32) {
        let at = base as usize;
        if at >= self.homes.len() {
            if at >= self.homes.capacity() {
                // A quarter more: what is kept in vain is a part of every document.
                self.homes.reserve_exact(at + 1 - self.homes.len() + self.homes.len() / 4 + 16);
            }
            self.homes.resize(at + 1, NONE);
        }
        self.homes[at] = leaf;
    }

    /// Notes that the runs of `leaf` came there from another.
    pub(super) fn moved_home(&mut self, leaf: u32) {
        for run in &self.leaves[leaf as usize].runs {
            if let Some(home) = self.homes.get_mut(run.base as usize) {
                *home = leaf;
            }
        }
    }

    /// The place behind `within` elements of run `run` of `leaf`, with `chars` elements of the leaf before it.
    fn spot(&self, leaf: u32, run: usize, within: u32, chars: u32) -> Spot {
        let start = Spot::SOMEWHERE;
        match (within, run) {
            (0, 1..) => {
                let within = self.leaf(leaf).runs[run - 1].length;
                Spot { leaf, run: run - 1, within, chars, start }
            }
            _ => Spot { leaf, run, within, chars, start },
        }
    }

    /// The place before `id`, where it stands in the leaf in which its base was seen last.
    #[inline]
    pub(crate) fn at_home(&self, id: Id) -> Option<Spot> {
        let leaf = *self.homes.get(id.base as usize)?;
        let mut chars = 0;
        for (at, run) in self.leaves.get(leaf as usize)?.runs.iter().enumerate() {
            if run.base == id.base && run.offset <= id.offset && id.offset < run.end() {
                let within = run.offset.abs_diff(id.offset);
                return Some(self.spot(leaf, at, within, chars + within));
            }
            chars += run.length;
        }
        None
    }

    /// The place of `id`, which is not there and whose base is new, where it is easily found: at the cursor,
    /// or behind the element that it extends.
    pub(crate) fn near(&self, arena: &Arena, id: Id) -> Option<Spot> {
        if self.fits(arena, id, self.cursor) {
            return Some(self.cursor);
        }
        let parent = arena.parent(id);
        if parent == ROOT {
            return None;
        }
        let spot = self.at_home(parent)?;
        let run = self.leaf(spot.leaf).runs[spot.run];
        let behind = if spot.within < run.length {
            Spot { within: spot.within + 1, chars: spot.chars + 1, ..spot }
        } else {
            Spot { run: spot.run + 1, within: 1, chars: spot.chars + 1, ..spot }
        };
        self.fits(arena, id, behind).then_some(behind)
    }

    /// [`Tree::find`], which looks into the leaf of the cursor first.
    pub(crate) fn find_from(&self, arena: &Arena, id: Id) -> (Spot, bool) {
        let leaf = self.cursor.leaf;
        let Leaf { runs, next, .. } = self.leaf(leaf);
        let begins = runs.first().is_some_and(|run| arena.compare(run.first(), id).is_le());
        let ends = || match *next {
            NONE => true,
            next => {
                let first = self.leaf(next).runs.first();
                first.is_some_and(|run| arena.compare(id, run.first()).is_lt())
            }
        };
        if begins && ends() { self.find_in(arena, leaf, id) } else { self.find(arena, id) }
    }

    /// Whether `id` is above what is before `spot`, and below what is behind it.
    fn fits(&self, arena: &Arena, id: Id, spot: Spot) -> bool {
        let above = self.before(spot).is_none_or(|last| arena.compare(last, id).is_lt());
        above && self.behind(spot).is_none_or(|next| arena.compare(id, next.first()).is_lt())
    }
}
