//! A replica taken apart, and put together again: for who keeps it in a form of its own.
//!
//! [`Sequence::parts`] is a function of what was delivered and collected, whatever the order: replicas that
//! have the same have equal parts. Which site a replica is, and which names that site gave, is no part:
//! [`Sequence::at_site`] says so.
//!
//! Of what was there when a replica was put together it is not known any more who inserted it: two bases of
//! one name are recognised among those that came since.

use crate::{
    Dot, EpochId, Flaw, FormerState, Interval, Moves, Naming, Options, Refused, Sequence,
    arena::{Run, push_run},
    epochs::{Epoch, Epochs},
    ledger::Ledger,
    untold::Untold,
};

/// What a replica is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The epoch that all others that it keeps are below.
    pub root: Root,
    /// The renames that it keeps, each behind the one that began its parent.
    pub renames: Vec<Renamed>,
    /// The epoch that it is in.
    pub current: EpochId,
    /// The identifiers of all elements, in the longest intervals.
    pub document: Vec<Interval>,
    /// The elements.
    pub text: String,
}

/// An epoch of which it does not matter any more what it left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Root {
    /// Its name.
    pub id: EpochId,
    /// Renames from the origin on.
    pub depth: u32,
    /// Elements that all renames from the origin on have covered.
    pub covered: u64,
}

/// A rename and what it left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// The name of the epoch that it began.
    pub dot: Dot,
    /// The epoch that it left.
    pub parent: EpochId,
    /// The document as it was there.
    pub former: Vec<Interval>,
}

impl Sequence {
    /// What this replica is made of. What waits for an epoch is left out.
    ///
    /// Errors: a former state is aside: all are to be taken back first.
    pub fn parts(&self) -> Result<Parts, Refused> {
        let spelled = |runs: &[Run]| runs.iter().map(|run| self.interval(*run)).collect::<Vec<_>>();
        let mut epochs: Vec<&Epoch> = self.epochs.list().iter().collect();
        epochs.sort_by_key(|epoch| (epoch.depth, epoch.id));
        let Epoch { id, depth, covered, .. } = *epochs[0];
        let mut renames = Vec::with_capacity(epochs.len() - 1);
        for epoch in epochs {
            let (EpochId::Renamed(dot), Some(parent)) = (epoch.id, epoch.parent) else { continue };
            let former = epoch.former.as_ref().and_then(|former| former.here());
            let former = former.ok_or(Refused::Offloaded(epoch.id))?.intervals();
            renames.push(Renamed { dot, parent: self.epochs.get(parent).id, former });
        }
        Ok(Parts {
            root: Root { id, depth, covered },
            renames,
            current: self.epoch(),
            document: spelled(&self.tree.longest_runs()),
            text: self.text(),
        })
    }

    /// The replica that is made of `parts`, of a site that gave none of the names in it.
    ///
    /// Errors: no replica is made of them.
    pub fn assembled(site: u32, options: Options, parts: &Parts) -> Result<Self, Refused> {
        Self::assembled_planted(site, options, None, parts)
    }

    /// [`Sequence::assembled`] of a replica that has a flaw, and of whose parts less can be asked.
    pub fn assembled_planted(
        site: u32,
        options: Options,
        flaw: Option<Flaw>,
        parts: &Parts,
    ) -> Result<Self, Refused> {
        // Nothing moves before everything is there.
        let postponed = Options { moves: Moves::AfterStable, ..options };
        let mut replica = Self::new(site, postponed)?;
        replica.plant(flaw);
        let Root { id, depth, covered } = parts.root;
        let root = Epoch { id, parent: None, depth, covered, children: 0, former: None };
        replica.epochs = Epochs::from_list(vec![root], options.priority);
        for Renamed { dot, parent, former } in &parts.renames {
            let known = replica.epochs.find(EpochId::Renamed(*dot)).is_some();
            let above = replica.epochs.find(*parent).ok_or(Refused::Unknown(*parent))?;
            if known {
                return Err(Refused::Duplicate(*dot));
            }
            replica.apply_rename(above, *dot, &FormerState::new(former)?)?;
        }
        let current = replica.epochs.find(parts.current);
        replica.current = current.ok_or(Refused::Unknown(parts.current))?;
        if !parts.document.is_empty() {
            replica.in_order(&parts.document)?;
        }
        let mut runs = Vec::with_capacity(parts.document.len());
        for interval in &parts.document {
            let base = replica.arena.intern(interval.first.base()).base;
            let (offset, length) = (interval.first.offset(), interval.length()?);
            push_run(&mut runs, Run { base, offset, length });
        }
        let elements: u64 = runs.iter().map(|run| u64::from(run.length)).sum();
        let (here, length) = (parts.text.chars().count() as u64, parts.text.len() as u64);
        if here != elements || length > crate::sequence::ELEMENTS_MAX {
            return Err(Refused::Range { index: elements, length: here });
        }
        replica.tree.load(&runs, &parts.text).expect("as many characters as identifiers");
        replica.options = options;
        Ok(replica)
    }

    /// A copy of this replica at site `site`, which names by `naming` and gave the names below `clock`, and
    /// of each of these bases the offsets up to this. Names of it that are in use count as given.
    ///
    /// Errors: no site has this name.
    pub fn at_site(
        &self,
        site: u32,
        naming: Naming,
        clock: u32,
        given: impl IntoIterator<Item = (u32, i32)>,
    ) -> Result<Self, Refused> {
        let options = Options { naming, ..self.options };
        Self::new(site, options)?;
        let mut copy = Self { site, clock, options, given: Ledger::default(), ..self.clone() };
        // What this replica has to tell, what it typed last and which bases are of others is not the copy's.
        copy.untold = Untold::default();
        copy.made_up.clear();
        copy.forget_spellings();
        copy.tree.stop_typing();
        given.into_iter().for_each(|(clock, offset)| copy.given.raise(clock, offset));
        copy.claim_names();
        Ok(copy)
    }

    /// Moves to `epoch`, whatever the policy is. Errors: it is not known, or a former state on the way is aside.
    pub fn move_to_epoch(&mut self, epoch: EpochId) -> Result<(), Refused> {
        let to = self.epochs.find(epoch).ok_or(Refused::Unknown(epoch))?;
        self.is_here_between(self.current, to)?;
        self.is_here_between(to, self.leading)?;
        self.move_to(to);
        Ok(())
    }
}
