//! The tree of epochs: which rename follows which, which epoch leads, and which nobody needs any more.
//!
//! Any order in which a child is above its parent will do, so long as it is a function of the renames
//! alone: the mapping between two epochs does not depend on the path.

use std::{cmp::Ordering, collections::BTreeMap, collections::BTreeSet};

use crate::{Dot, EpochId, FormerState, arena::Arena, codec, former::Former, left::Left};

/// Which of two epochs leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Priority {
    /// The names of the renames from the root on, compared in turn; the papers' order. One replica with a
    /// high name can drag all others off a branch with many renames.
    #[default]
    Lexicographic,
    /// The one with more renames from the root on; names where they are as many.
    Depth,
    /// The one whose renames have covered more elements; names where they are as many.
    Covered,
}

#[derive(Clone, Debug)]
pub(crate) struct Epoch {
    pub(crate) id: EpochId,
    pub(crate) parent: Option<u32>,
    /// Renames from the origin on, also from before the root that is kept.
    pub(crate) depth: u32,
    /// Elements that all renames from the origin on have covered.
    pub(crate) covered: u64,
    /// Renames of it that are known.
    pub(crate) children: u32,
    /// What its rename left behind; the root's is not kept.
    pub(crate) former: Option<Former>,
}

impl Epoch {
    /// Whether it was begun by a rename of `parent` that found `former`.
    pub(crate) fn is(&self, parent: u32, former: &FormerState) -> bool {
        let same = |own: &Former| match own.aside() {
            Some(sum) => codec::sum(&codec::written(former)) == sum,
            None => own.here() == Some(former),
        };
        self.parent == Some(parent) && self.former.as_ref().is_some_and(same)
    }
}

/// All epochs that are kept. Handles are numbers; a parent's is below those of its children.
#[derive(Clone, Debug)]
pub(crate) struct Epochs {
    list: Vec<Epoch>,
    /// One for each of `list`.
    climbs: Vec<Climb>,
    by_id: BTreeMap<EpochId, u32>,
    priority: Priority,
}

/// How to go up from an epoch in few steps: from `n` renames below the root there are about `2 log n` to any
/// epoch above, by parents and by jumps. How far a jump goes is a function of the level alone.
///
/// Source: Myers, "An applicative random-access stack", 1983.
#[derive(Clone, Copy, Debug)]
struct Climb {
    /// Renames from the root on that is kept.
    level: u32,
    /// An epoch above; the root's is itself.
    jump: u32,
}

/// Where two epochs meet.
struct Fork {
    /// Their lowest common ancestor.
    meet: u32,
    /// The epochs below it on the way to each of the two; none where it is that one.
    sides: (Option<u32>, Option<u32>),
}

/// The steps from one epoch to another: up to the lowest common ancestor, then down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path<E = EpochId> {
    /// Renames to take back, in order, each named by the epoch that it began.
    pub revert: Vec<E>,
    /// The lowest common ancestor, where the path turns.
    pub meet: E,
    /// Renames to carry out, in order.
    pub apply: Vec<E>,
}

impl Epochs {
    pub(crate) fn new(priority: Priority) -> Self {
        let origin = Epoch {
            id: EpochId::Origin,
            parent: None,
            depth: 0,
            covered: 0,
            children: 0,
            former: None,
        };
        Self::from_list(vec![origin], priority)
    }

    /// Epochs that were read from a snapshot, parents first.
    pub(crate) fn from_list(mut list: Vec<Epoch>, priority: Priority) -> Self {
        list.iter_mut().for_each(|epoch| epoch.children = 0);
        let mut climbs = Vec::with_capacity(list.len());
        for at in 0..list.len() {
            let parent = list[at].parent;
            if let Some(parent) = parent {
                list[parent as usize].children += 1;
            }
            climbs.push(Climb::below(parent, &climbs));
        }
        let by_id = list.iter().zip(0..).map(|(epoch, at)| (epoch.id, at)).collect();
        Self { list, climbs, by_id, priority }
    }

    pub(crate) fn list(&self) -> &[Epoch] {
        &self.list
    }

    pub(crate) fn list_mut(&mut self) -> &mut [Epoch] {
        &mut self.list
    }

    pub(crate) fn get(&self, epoch: u32) -> &Epoch {
        &self.list[epoch as usize]
    }

    pub(crate) fn find(&self, id: EpochId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// Adds the epoch `id`, which is not known, below `parent`.
    pub(crate) fn add(&mut self, id: EpochId, parent: u32, former: Former) -> u32 {
        let above = self.get(parent);
        let epoch = Epoch {
            id,
            parent: Some(parent),
            depth: above.depth.saturating_add(1),
            covered: above.covered.saturating_add(u64::from(former.length())),
            children: 0,
            former: Some(former),
        };
        self.list[parent as usize].children += 1;
        self.list.push(epoch);
        self.climbs.push(Climb::below(Some(parent), &self.climbs));
        let added = (self.list.len() - 1) as u32;
        self.by_id.insert(id, added);
        added
    }

    /// Whether a rename is known that is neither `epoch` nor above it.
    pub(crate) fn has_elsewhere(&self, epoch: u32) -> bool {
        self.list.len() > self.climb(epoch).level as usize + 1
    }

    /// The former state of `epoch`, which has a parent, with its bases known to `arena`.
    pub(crate) fn resolved(&mut self, epoch: u32, arena: &mut Arena) -> &Former {
        let former = self.list[epoch as usize].former.as_mut();
        let former = former.expect("an epoch with a parent has a former state");
        former.resolve(arena);
        former
    }

    /// Whether a former state is aside.
    pub(crate) fn has_aside(&self) -> bool {
        let mut formers = self.list.iter().filter_map(|epoch| epoch.former.as_ref());
        formers.any(|former| !former.is_here())
    }

    /// The names of all epochs, and of the bases that those former states have which are here: elements
    /// come back under them.
    pub(crate) fn dots(&self) -> impl Iterator<Item = Dot> {
        let renames = self.list.iter().filter_map(|epoch| epoch.id.dot());
        let formers = self.list.iter().filter_map(|epoch| epoch.former.as_ref());
        let here = formers.filter_map(|former| former.here());
        renames.chain(here.flat_map(FormerState::bases).map(|base| base.dot()))
    }

    /// The bases in the documents that the known renames of `epoch` found.
    pub(crate) fn left_by_renames_of(&self, epoch: u32) -> Left<'_> {
        let renames = self.list.iter().filter(|rename| rename.parent == Some(epoch));
        Left::of(renames.filter_map(|rename| rename.former.as_ref()?.here()).collect())
    }

    /// How many elements the rename `dot` named, where it is known and neither `epoch` nor above it.
    pub(crate) fn named_elsewhere(&self, epoch: u32, dot: Dot) -> Option<i32> {
        let rename = self.find(EpochId::Renamed(dot))?;
        let former = self.get(rename).former.as_ref()?;
        (!self.reaches(rename, epoch)).then_some(former.length() as i32)
    }

    fn climb(&self, epoch: u32) -> Climb {
        self.climbs[epoch as usize]
    }

    /// The parent of an epoch that is not the root.
    fn parent(&self, epoch: u32) -> u32 {
        self.get(epoch).parent.expect("only the root has no parent")
    }

    /// Whether `above` is an ancestor of `below`, or is it.
    pub(crate) fn reaches(&self, above: u32, mut below: u32) -> bool {
        // Handles fall towards the root: no jump that ends at `above` or behind it leaves it out.
        while below > above {
            let jump = self.climb(below).jump;
            below = if jump >= above { jump } else { self.parent(below) };
        }
        above == below
    }

    /// The epoch at `level` above `epoch`, or it itself.
    fn at_level(&self, mut epoch: u32, level: u32) -> u32 {
        while self.climb(epoch).level > level {
            let jump = self.climb(epoch).jump;
            epoch = if self.climb(jump).level >= level { jump } else { self.parent(epoch) };
        }
        epoch
    }

    /// Where `a` and `b` meet.
    fn fork(&self, a: u32, b: u32) -> Fork {
        let (high, low) = (self.climb(a).level, self.climb(b).level);
        if high < low {
            let Fork { meet, sides: (b, a) } = self.fork(b, a);
            return Fork { meet, sides: (a, b) };
        }
        if self.at_level(a, low) == b {
            return Fork { meet: b, sides: ((a != b).then(|| self.at_level(a, low + 1)), None) };
        }
        let (mut a, mut b) = (self.at_level(a, low), b);
        while self.parent(a) != self.parent(b) {
            // At one level, jumps are as long: where they end in one epoch, that may be too far up.
            let jumps = (self.climb(a).jump, self.climb(b).jump);
            (a, b) = if jumps.0 == jumps.1 { (self.parent(a), self.parent(b)) } else { jumps };
        }
        Fork { meet: self.parent(a), sides: (Some(a), Some(b)) }
    }

    /// The steps from one epoch to another.
    pub(crate) fn path(&self, mut from: u32, mut to: u32) -> Path<u32> {
        let (mut revert, mut apply) = (Vec::new(), Vec::new());
        // Handles fall towards the root: whichever is greater is not above the other.
        while from != to {
            if from > to {
                revert.push(from);
                from = self.parent(from);
            } else {
                apply.push(to);
                to = self.parent(to);
            }
        }
        apply.reverse();
        Path { revert, meet: from, apply }
    }

    /// Which of two epochs leads: the greater.
    pub(crate) fn compare(&self, a: u32, b: u32) -> Ordering {
        let weight = |epoch: u32| match self.priority {
            Priority::Lexicographic => 0,
            Priority::Depth => u64::from(self.get(epoch).depth),
            Priority::Covered => self.get(epoch).covered,
        };
        let names = match self.fork(a, b).sides {
            (Some(a), Some(b)) => self.get(a).id.cmp(&self.get(b).id),
            (Some(_), None) => Ordering::Greater,
            (None, Some(_)) => Ordering::Less,
            (None, None) => Ordering::Equal,
        };
        weight(a).cmp(&weight(b)).then(names)
    }

    /// The epoch that all replicas will come to.
    pub(crate) fn leading(&self) -> u32 {
        let all = 0..self.list.len() as u32;
        all.max_by(|a, b| self.compare(*a, *b)).expect("there is a root")
    }

    /// The epochs that operations can still be of, or pass through, once every member is known to have the
    /// renames of `stable`: the greatest of these, all above it, and the paths between them.
    ///
    /// Returns those that can be current, and all that are required, both ascending by handle.
    pub(crate) fn required(&self, stable: &[u32]) -> Required {
        let root = 0;
        let max = stable.iter().copied().max_by(|a, b| self.compare(*a, *b)).unwrap_or(root);
        let all = 0..self.list.len() as u32;
        let potential: Vec<u32> = all.filter(|epoch| self.compare(*epoch, max).is_ge()).collect();
        let meet = potential.iter().copied().fold(max, |meet, epoch| self.fork(meet, epoch).meet);
        let mut kept = BTreeSet::from([meet]);
        for epoch in &potential {
            let mut at = *epoch;
            while kept.insert(at) {
                at = self.get(at).parent.expect("the meet is above it");
            }
        }
        Required { potential, meet, kept: kept.into_iter().collect() }
    }

    /// Drops all epochs but `kept`, the first of which becomes the root. Returns the new handles of the old.
    pub(crate) fn keep(&mut self, kept: &[u32]) -> BTreeMap<u32, u32> {
        let moved: BTreeMap<u32, u32> = kept.iter().copied().zip(0..).collect();
        let mut list = Vec::with_capacity(kept.len());
        for old in kept {
            let mut epoch = self.get(*old).clone();
            epoch.parent = epoch.parent.and_then(|parent| moved.get(&parent).copied());
            if epoch.parent.is_none() {
                assert!(list.is_empty(), "one root");
                epoch.former = None;
            }
            list.push(epoch);
        }
        *self = Self::from_list(list, self.priority);
        moved
    }
}

impl Climb {
    /// That of an epoch below `parent`, one of `climbs`; of the root, below nothing.
    fn below(parent: Option<u32>, climbs: &[Self]) -> Self {
        let Some(parent) = parent else { return Self { level: 0, jump: 0 } };
        let at = |epoch: u32| climbs[epoch as usize];
        let above = at(parent);
        let (once, twice) = (at(above.jump), at(at(above.jump).jump));
        // Two jumps of one length, one behind the other, are one of twice the length.
        let doubled = above.level - once.level == once.level - twice.level;
        Self { level: above.level + 1, jump: if doubled { once.jump } else { parent } }
    }
}

/// What [`Epochs::required`] finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Required {
    pub(crate) potential: Vec<u32>,
    pub(crate) meet: u32,
    pub(crate) kept: Vec<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The epochs in which each is below the one that `parents` says.
    fn tree(parents: &[u32]) -> Epochs {
        let mut epochs = Epochs::new(Priority::Lexicographic);
        for (clock, parent) in (0..).zip(parents) {
            let id = EpochId::Renamed(Dot { site: 1, clock });
            epochs.add(id, *parent, Former::elsewhere(1, 0, 0));
        }
        epochs
    }

    #[track_caller]
    fn check(epochs: &Epochs) {
        let all = 0..epochs.list().len() as u32;
        for (a, b) in all.clone().flat_map(|a| all.clone().map(move |b| (a, b))) {
            let Path { revert, meet, apply } = epochs.path(a, b);
            let fork = epochs.fork(a, b);
            assert_eq!(fork.meet, meet, "where {a} and {b} meet");
            assert_eq!(fork.sides, (revert.last().copied(), apply.first().copied()));
            assert_eq!(epochs.reaches(a, b), revert.is_empty(), "whether {a} is above {b}");
        }
        let elsewhere = |epoch| all.clone().any(|other| !epochs.reaches(other, epoch));
        assert!(all.clone().all(|epoch| epochs.has_elsewhere(epoch) == elsewhere(epoch)));
    }

    #[test]
    fn jumps_lead_where_parents_do() {
        check(&tree(&[]));
        check(&tree(&Vec::from_iter(0..100)));
        check(&tree(&[0; 20]));
        // Two chains that take turns.
        check(&tree(&Vec::from_iter((0..100_u32).map(|at| at.saturating_sub(1)))));
        let mut state = 1_u32;
        let drawn = |at: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            at - (state >> 16) % (at + 1).min(4)
        };
        let mut epochs = tree(&Vec::from_iter((0..100).map(drawn)));
        check(&epochs);
        // And below another root.
        let kept: Vec<u32> = (0..100).filter(|epoch| epochs.reaches(5, *epoch)).collect();
        epochs.keep(&kept);
        check(&epochs);
    }

    /// So that a walk is of few steps, whatever the tree: a restore asks for as many as there are bases.
    #[test]
    fn a_long_chain_is_climbed_in_few_steps() {
        let epochs = tree(&Vec::from_iter(0..1 << 14));
        for above in (0..1 << 14).step_by(97) {
            let (mut at, mut steps) = (1_u32 << 14, 0);
            while at > above {
                let jump = epochs.climb(at).jump;
                at = if jump >= above { jump } else { epochs.parent(at) };
                steps += 1;
            }
            assert!(steps <= 3 * 14, "{steps} steps to {above}");
        }
    }
}
