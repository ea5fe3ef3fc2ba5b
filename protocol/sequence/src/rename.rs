//! Renames: new epochs, moves between them, and the end of those that nobody needs.

use crate::{
    Dot, EpochId, Flaw, FormerState, Moves, Operation, Refused, Sequence, Tuple,
    arena::{Arena, ROOT, Run},
    epochs::Epochs,
    former::Former,
    state::Entry,
};

/// Epochs beyond which a replica makes no rename of its own before some are collected.
pub(crate) const OWN_EPOCHS_MAX: usize = 1 << 14;

/// Epochs beyond which it takes none of others. An honest one is never refused: so many more than their own
/// limit cannot be under way. One whose host vouches for names takes all: how many it keeps depends on what it
/// collected, and whatever handed them over holds them as well.
pub(crate) const EPOCHS_MAX: usize = 1 << 15;

/// What [`Sequence::collect`] dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Epochs, each with its former state.
    pub epochs: usize,
    /// Bases that only those referred to.
    pub bases: usize,
}

impl Sequence {
    /// Names all elements anew, as one block. Returns what the other replicas must be told.
    ///
    /// Where moves are postponed the replica first moves to the leading epoch, so that the new one leads.
    ///
    /// What is untold stays of the epoch that it was made in: [`Sequence::tell`] it before the rename is told, or
    /// at least before this replica is taken to have announced the new epoch.
    ///
    /// Errors: the document is empty, this site is out of names, or too many epochs wait to be collected.
    pub fn rename(&mut self) -> Result<Operation, Refused> {
        if self.is_empty() {
            return Err(Refused::Empty);
        }
        self.may_begin(OWN_EPOCHS_MAX)?;
        let dot = self.next_dot()?;
        self.move_to(self.leading);
        let epoch = self.epoch();
        let (former, handles) = FormerState::of(&self.arena, &self.tree.longest_runs());
        let base = self.name(dot, &former);
        let length = former.length();
        self.begin(self.current, dot, Former::resolved(former.clone(), handles, base));
        // The document is what was renamed: there is nothing to map.
        self.tree.rename(&[Run { base, offset: 0, length }]);
        self.moved_to(self.leading);
        Ok(Operation::Rename { epoch, dot, former })
    }

    /// The rename that began `epoch`, for who asks for it; `None` where it is not known, the
    /// root, or aside.
    pub fn rename_of(&self, epoch: EpochId) -> Option<Operation> {
        let EpochId::Renamed(dot) = epoch else { return None };
        let known = self.epochs.get(self.epochs.find(epoch)?);
        let (parent, former) = (known.parent?, known.former.as_ref()?.here()?);
        let epoch = self.epochs.get(parent).id;
        Some(Operation::Rename { epoch, dot, former: former.clone() })
    }

    /// Moves to the leading epoch, whatever the policy is.
    pub fn move_to_leading(&mut self) {
        self.move_to(self.leading);
    }

    /// Errors: `limit` epochs are kept already.
    pub(crate) fn may_begin(&self, limit: usize) -> Result<(), Refused> {
        let epochs = self.epochs.list().len();
        if epochs < limit { Ok(()) } else { Err(Refused::Epochs(epochs)) }
    }

    /// The base that all elements of `former` come to have by the rename `dot`.
    fn name(&mut self, dot: Dot, former: &FormerState) -> u32 {
        let Dot { site, clock } = dot;
        let tuple = Tuple { position: former.position(), site, clock, offset: 0 };
        self.arena.extend(ROOT, tuple).base
    }

    /// Adds the epoch that `dot` begins below `parent`. Returns its handle.
    fn begin(&mut self, parent: u32, dot: Dot, former: Former) -> u32 {
        let base = former.base();
        if dot.site == self.site {
            self.given.raise(dot.clock, former.length() as i32 - 1);
        }
        let epoch = self.epochs.add(EpochId::Renamed(dot), parent, former);
        self.arena.bear(base, epoch);
        if self.epochs.compare(epoch, self.leading).is_gt() {
            (self.leading, self.since) = (epoch, 0);
        }
        epoch
    }

    /// Carries out the rename `dot` of `parent`, but not what waited for it.
    pub(crate) fn apply_rename(
        &mut self,
        parent: u32,
        dot: Dot,
        former: &FormerState,
    ) -> Result<(), Refused> {
        dot.check()?;
        let known = self.epochs.find(EpochId::Renamed(dot)).map(|known| self.epochs.get(known));
        if known.is_some_and(|known| known.is(parent, former)) {
            return Ok(());
        }
        let mut names_itself = false;
        let names = former.bases().iter().map(Entry::dot);
        let names = names.inspect(|name| names_itself |= *name == dot);
        let next = self.next_after(names.chain([dot]));
        if names_itself {
            return Err(Refused::Future { epoch: self.epochs.get(parent).id, dot });
        }
        let next = next?;
        // Below itself a rename's base is gone on with; above, nobody can have made one of its name.
        let above = |born| self.epochs.reaches(born, parent);
        if known.is_some() || self.arena.births(dot).any(above) {
            return Err(Refused::Duplicate(dot));
        }
        if self.watches_names() {
            self.may_begin(EPOCHS_MAX)?;
        }
        // It may lead, and what waits for it is mapped at once.
        self.is_here_between(parent, self.current)?;
        self.clock = next;
        let base = self.name(dot, former);
        self.begin(parent, dot, Former::new(former.clone(), base));
        if self.options.moves == Moves::Eager {
            self.move_to(self.leading);
        }
        Ok(())
    }

    /// Counts an operation towards a postponed move, and moves when it is time.
    #[inline]
    pub(crate) fn count_towards_move(&mut self) {
        if self.current == self.leading {
            return;
        }
        self.since = self.since.saturating_add(1);
        if matches!(self.options.moves, Moves::AfterOperations(count) if self.since >= count) {
            self.move_to(self.leading);
        }
    }

    /// `runs`, which are sorted and of `epoch`, in the current epoch.
    pub(crate) fn mapped(&mut self, runs: Vec<Run>, epoch: u32) -> Vec<Run> {
        self.mapped_between(runs, epoch, self.current)
    }

    fn mapped_between(&mut self, runs: Vec<Run>, from: u32, to: u32) -> Vec<Run> {
        map_between(&mut self.epochs, &mut self.arena, self.flaw, runs, (from, to))
    }

    /// Maps the document to `epoch`.
    pub(crate) fn move_to(&mut self, epoch: u32) {
        if epoch == self.current {
            return;
        }
        let runs = self.tree.longest_runs();
        let runs = self.mapped_between(runs, self.current, epoch);
        match self.flaw {
            Some(Flaw::PrintedMapping) => self.scatter(&runs),
            _ => self.tree.rename(&runs),
        }
        self.moved_to(epoch);
    }

    /// Notes that the document is one of `epoch` now.
    fn moved_to(&mut self, epoch: u32) {
        self.current = epoch;
        self.since = 0;
        if self.flaw == Some(Flaw::ReusesNames) {
            self.forget_names();
        }
    }

    /// [`Sequence::collect`], by the epoch that each member was in when it made the last operation of its that
    /// was delivered here; after a rename, that is the one that it began. All members are named, this one too.
    ///
    /// Where every move is eager, an epoch whose rename every member has delivered is announced as well.
    ///
    /// Neither holds of a member that [`Sequence::has_untold`]: it announces no more than it did before it made
    /// the first edit that is untold. What it tells of an epoch that was dropped waits for ever.
    pub fn collect_announced(&mut self, announced: impl IntoIterator<Item = EpochId>) -> Collected {
        let least = match self.flaw {
            Some(Flaw::CollectsDelivered) => Some(self.leading),
            _ => {
                let known = announced.into_iter().map(|id| self.epochs.find(id).unwrap_or(0));
                known.min_by(|a, b| self.epochs.compare(*a, *b))
            }
        };
        least.map_or_else(Collected::default, |least| self.collect(&[self.epochs.get(least).id]))
    }

    /// Drops the epochs that nobody can need, once every member announces that it is in one of `stable`, or
    /// beyond: no operation of an epoch before the greatest of them is under way any more, or untold.
    ///
    /// The origin counts as stable. An epoch that is not known is ignored: it was collected before.
    pub fn collect(&mut self, stable: &[EpochId]) -> Collected {
        let stable: Vec<u32> = stable.iter().filter_map(|id| self.epochs.find(*id)).collect();
        if stable.contains(&self.leading) {
            self.move_to(self.leading);
        }
        let required = self.epochs.required(&stable);
        if !required.potential.contains(&self.current) {
            self.move_to(self.leading);
        }
        let (epochs, bases) = (self.epochs.list().len(), self.arena.len());
        if required.kept.len() == epochs {
            return Collected::default();
        }
        self.spell_untold();
        let moved = self.epochs.keep(&required.kept);
        self.current = moved[&self.current];
        self.leading = moved[&self.leading];
        self.compact(|epoch| moved.get(&epoch).copied());
        Collected { epochs: epochs - self.epochs.list().len(), bases: bases - self.arena.len() }
    }

    /// Frees the bases that neither the document refers to nor an epoch that is kept brought about: that a
    /// former state has them does not count, which makes them known again when it is needed.
    pub(crate) fn compact(&mut self, epochs: impl Fn(u32) -> Option<u32>) {
        self.spell_untold();
        let named = self.epochs.list().iter().filter_map(|epoch| epoch.former.as_ref());
        let named = named.map(|former| former.base());
        let used: Vec<u32> = self.tree.runs().map(|run| run.base).chain(named).collect();
        let moved = self.arena.compact(used, epochs);
        self.forget_spellings();
        self.aside = 0;
        // What is aside may have any name.
        if !self.epochs.has_aside() {
            let dots = self.epochs.dots().filter(|dot| dot.site == self.site);
            let mut own: Vec<u32> = dots.map(|dot| dot.clock).collect();
            own.extend(self.arena.clocks(self.site));
            own.sort_unstable();
            self.given.keep(|clock| own.binary_search(&clock).is_ok());
        }
        self.tree.rebase(|base| moved[base as usize]);
        for epoch in self.epochs.list_mut() {
            if let Some(former) = &mut epoch.former {
                former.forget_handles(moved[former.base() as usize]);
            }
        }
    }
}

/// Maps `runs`, which are sorted, from the first of two epochs to the second.
pub(crate) fn map_between(
    epochs: &mut Epochs,
    arena: &mut Arena,
    flaw: Option<Flaw>,
    mut runs: Vec<Run>,
    (from, to): (u32, u32),
) -> Vec<Run> {
    let path = epochs.path(from, to);
    let printed = flaw == Some(Flaw::PrintedMapping);
    for epoch in path.revert {
        let former = epochs.resolved(epoch, arena);
        runs = if printed {
            former.backward_printed(arena, &runs)
        } else {
            former.backward_runs(arena, &runs)
        };
    }
    for epoch in path.apply {
        let former = epochs.resolved(epoch, arena);
        runs = if printed {
            former.forward_printed(arena, &runs)
        } else {
            former.forward_runs(arena, &runs)
        };
    }
    runs
}
