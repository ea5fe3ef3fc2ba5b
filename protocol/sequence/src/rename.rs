//! Renames: new epochs, moves between them, and the end of those that nobody needs.

use crate::{
    Dot, EpochId, Flaw, Interval, Moves, Operation, Refused, Sequence, Tuple,
    arena::{ROOT, Run, push_run},
    former::Former,
};

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
    /// Errors: the document is empty or too long, this site is out of names.
    pub fn rename(&mut self) -> Result<Operation, Refused> {
        if self.is_empty() {
            return Err(Refused::Empty);
        }
        let dot = self.next_dot()?;
        self.move_to(self.leading);
        let epoch = self.epoch();
        let runs = self.tree.longest_runs();
        let former = runs.iter().map(|run| self.interval(*run)).collect();
        self.begin(self.current, dot, runs);
        self.move_to(self.leading);
        Ok(Operation::Rename { epoch, dot, former })
    }

    /// Moves to the leading epoch, whatever the policy is.
    pub fn move_to_leading(&mut self) {
        self.move_to(self.leading);
    }

    /// Adds the epoch that `dot` begins below `parent`. Returns its handle.
    fn begin(&mut self, parent: u32, dot: Dot, runs: Vec<Run>) -> u32 {
        let first = self.arena.ancestor(runs[0].first(), 1);
        let position = self.arena.tuple(first).position;
        let Dot { site, clock } = dot;
        let tuple = Tuple { position, site, clock, offset: 0 };
        let base = self.arena.extend(ROOT, tuple).base;
        let former = Former::new(runs, base);
        if site == self.site {
            self.given.raise(clock, former.length() as i32 - 1);
        }
        let epoch = self.epochs.add(EpochId::Renamed(dot), parent, former);
        self.arena.bear(base, epoch);
        if self.epochs.compare(epoch, self.leading).is_gt() {
            (self.leading, self.since) = (epoch, 0);
        }
        epoch
    }

    pub(crate) fn apply_rename(
        &mut self,
        parent: u32,
        dot: Dot,
        former: &[Interval],
    ) -> Result<(), Refused> {
        let Dot { site, clock } = dot;
        let tuple = Tuple { position: 0, site, clock, offset: 0 };
        tuple.check()?;
        if site == 0 {
            return Err(Refused::Reserved);
        }
        self.in_order(parent, former)?;
        let mut length = 0_u64;
        for interval in former {
            length += u64::from(interval.length()?);
            let names = |tuple: Tuple| (tuple.site, tuple.clock) == (site, clock);
            if interval.first.tuples().any(names) {
                let epoch = self.epochs.get(parent).id;
                return Err(Refused::Future { epoch, dot });
            }
        }
        if length > crate::sequence::ELEMENTS_MAX {
            return Err(Refused::Long);
        }
        self.may_be_own(dot)?;
        if let Some(known) = self.epochs.find(EpochId::Renamed(dot)) {
            return if self.is_known(known, parent, former)? {
                Ok(())
            } else {
                Err(Refused::Duplicate(dot))
            };
        }
        let mut runs = Vec::with_capacity(former.len());
        for interval in former {
            let base = self.arena.intern(interval.first.base()).base;
            let (offset, length) = (interval.first.offset(), interval.length()?);
            push_run(&mut runs, Run { base, offset, length });
        }
        if site == self.site {
            self.clock = self.clock.max(clock + 1);
        }
        self.begin(parent, dot, runs);
        if self.options.moves == Moves::Eager {
            self.move_to(self.leading);
        }
        // Those that waited and are refused now were never carried out anywhere.
        self.release(EpochId::Renamed(dot));
        Ok(())
    }

    /// Whether the rename that began `epoch` is the one of `parent` that left `former`.
    fn is_known(&self, epoch: u32, parent: u32, former: &[Interval]) -> Result<bool, Refused> {
        let mut runs = Vec::with_capacity(former.len());
        for interval in former {
            let Some(id) = self.arena.look_up(interval.first.base()) else { return Ok(false) };
            let (offset, length) = (interval.first.offset(), interval.length()?);
            push_run(&mut runs, Run { base: id.base, offset, length });
        }
        let epoch = self.epochs.get(epoch);
        let left = epoch.former.as_ref().map(|former| former.runs());
        Ok(epoch.parent == Some(parent) && left == Some(&runs[..]))
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

    fn mapped_between(&mut self, mut runs: Vec<Run>, from: u32, to: u32) -> Vec<Run> {
        let path = self.epochs.path(from, to);
        let kept = "an epoch with a parent has a former state";
        for epoch in path.revert {
            let former = self.epochs.get(epoch).former.as_ref().expect(kept);
            runs = match self.flaw {
                Some(Flaw::PrintedMapping) => former.backward_printed(&mut self.arena, &runs),
                _ => former.backward_runs(&mut self.arena, &runs),
            };
        }
        for epoch in path.apply {
            let former = self.epochs.get(epoch).former.as_ref().expect(kept);
            runs = match self.flaw {
                Some(Flaw::PrintedMapping) => former.forward_printed(&mut self.arena, &runs),
                _ => former.forward_runs(&mut self.arena, &runs),
            };
        }
        runs
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
    /// beyond: no operation of an epoch before the greatest of them is under way any more.
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
        let moved = self.epochs.keep(&required.kept);
        self.current = moved[&self.current];
        self.leading = moved[&self.leading];
        self.compact(|epoch| moved.get(&epoch).copied().unwrap_or(0));
        Collected { epochs: epochs - self.epochs.list().len(), bases: bases - self.arena.len() }
    }

    /// Frees the bases that neither the document nor a former state refers to.
    fn compact(&mut self, epochs: impl Fn(u32) -> u32) {
        let formers = self.epochs.list().iter().filter_map(|epoch| epoch.former.as_ref());
        let former_bases = formers
            .flat_map(|former| former.runs().iter().map(|run| run.base).chain([former.base()]));
        let used = self.tree.runs().map(|run| run.base).chain(former_bases);
        let moved = self.arena.compact(used, epochs);
        (self.resolved, self.spelled) = (None, None);
        let own = self.arena.clocks(self.site);
        self.given.keep(|clock| own.binary_search(&clock).is_ok());
        self.tree.rebase(|base| moved[base as usize]);
        for epoch in self.epochs.list_mut() {
            if let Some(former) = &mut epoch.former {
                former.rebase(|base| moved[base as usize]);
            }
        }
    }
}
