//! Edits that the others have yet to be told of, as they were made: what is typed in a row is one of them.
//!
//! Invariant: `steps` are of handles as they are; `text` is that of the inserts among them, in order.

use std::{iter, ops::Range};

use crate::{
    Dot, EpochId, Few, Interval, Operation, Refused, Sequence, arena::Run, sequence::ELEMENTS_MAX,
    tree::cut,
};

/// What was done and is untold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Untold {
    /// What was done before handles came to mean other bases.
    spelled: Vec<Operation>,
    steps: Vec<Step>,
    text: String,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    epoch: u32,
    run: Run,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Insert {
        /// Bytes of the text.
        bytes: u32,
    },
    Remove,
    /// It is of the same removal as the step before it.
    RemoveToo,
}

impl Untold {
    #[inline]
    fn insert(&mut self, epoch: u32, run: Run, text: &str) {
        let more = text.len() as u32;
        self.text.push_str(text);
        if let Some(Step { epoch: same, run: whole, what: What::Insert { bytes } }) =
            self.steps.last_mut()
            && *same == epoch
            && whole.meets(run)
            // So that counts stay in 32 bits; where it is cut makes no difference.
            && let Some(sum) = bytes.checked_add(more)
        {
            whole.length += run.length;
            *bytes = sum;
            return;
        }
        self.steps.push(Step { epoch, run, what: What::Insert { bytes: more } });
    }

    /// Notes the removal of `run` alone.
    #[inline]
    fn remove(&mut self, epoch: u32, run: Run) {
        if let Some(step) = self.steps.last_mut()
            && step.epoch == epoch
            && step.run.base == run.base
        {
            match &mut step.what {
                What::Insert { bytes }
                    if step.run.end() == run.end() && run.length <= step.run.length =>
                {
                    let before = self.text.len();
                    for _ in 0..run.length {
                        self.text.pop();
                    }
                    *bytes -= (before - self.text.len()) as u32;
                    step.run.length -= run.length;
                    if step.run.length == 0 {
                        self.steps.pop();
                    }
                    return;
                }
                What::Remove if run.meets(step.run) => {
                    step.run = Run { length: step.run.length + run.length, ..run };
                    return;
                }
                What::Remove | What::RemoveToo if step.run.meets(run) => {
                    step.run.length += run.length;
                    return;
                }
                _ => (),
            }
        }
        self.steps.push(Step { epoch, run, what: What::Remove });
    }

    fn remove_all(&mut self, epoch: u32, runs: &[Run]) {
        for (at, run) in runs.iter().enumerate() {
            let what = if at == 0 { What::Remove } else { What::RemoveToo };
            self.steps.push(Step { epoch, run: *run, what });
        }
    }

    /// Spells out the steps, of each of which `spell` says the epoch and the elements.
    fn spelled(self, mut spell: impl FnMut(&Step) -> (EpochId, Interval)) -> Vec<Operation> {
        let Self { mut spelled, steps, text } = self;
        let mut at = 0;
        for removal in steps.chunk_by(|_, next| next.what == What::RemoveToo) {
            let (epoch, interval) = spell(&removal[0]);
            spelled.push(match removal[0].what {
                What::Insert { bytes } => {
                    let end = at + bytes as usize;
                    let text = text[std::mem::replace(&mut at, end)..end].into();
                    Operation::Insert { epoch, first: interval.first, text }
                }
                _ => {
                    let others = removal[1..].iter().map(|step| spell(step).1);
                    let intervals: Few<Interval> = iter::once(interval).chain(others).collect();
                    Operation::Remove { epoch, intervals }
                }
            });
        }
        spelled
    }

    /// Bytes of memory that it takes up, but for what the operations in it share.
    pub(crate) fn held(&self) -> usize {
        self.spelled.capacity() * size_of::<Operation>()
            + self.steps.capacity() * size_of::<Step>()
            + self.text.capacity()
    }
}

impl From<Vec<Operation>> for Untold {
    fn from(spelled: Vec<Operation>) -> Self {
        Self { spelled, ..Self::default() }
    }
}

impl Sequence {
    /// [`Sequence::insert`], told later: by [`Sequence::tell`], before this replica's next epoch is announced.
    ///
    /// Errors: as there; there is no more to tell than before.
    #[inline]
    pub fn insert_untold(
        &mut self,
        index: u64,
        text: &str,
        draw: &mut impl FnMut(u64) -> u64,
    ) -> Result<(), Refused> {
        self.insert_runs(index, text, draw)?;
        if let [run] = self.edited[..] {
            self.untold.insert(self.current, run, text);
            return Ok(());
        }
        let mut rest = text;
        for run in &self.edited {
            let (head, tail) = cut(rest, run.length);
            self.untold.insert(self.current, *run, head);
            rest = tail;
        }
        Ok(())
    }

    /// [`Sequence::remove`], told later: by [`Sequence::tell`], before this replica's next epoch is announced.
    ///
    /// Errors: as there; there is no more to tell than before.
    #[inline]
    pub fn remove_untold(&mut self, range: Range<u64>) -> Result<(), Refused> {
        self.remove_runs(range)?;
        match self.edited[..] {
            [run] => self.untold.remove(self.current, run),
            _ => self.untold.remove_all(self.current, &self.edited),
        }
        Ok(())
    }

    /// Whether there is something to [`Sequence::tell`].
    pub fn has_untold(&self) -> bool {
        !self.untold.spelled.is_empty() || !self.untold.steps.is_empty()
    }

    /// What the other replicas must be told of [`Sequence::insert_untold`] and [`Sequence::remove_untold`], in
    /// order and in few operations. It counts as told then.
    ///
    /// Inserts and removals that went on where the last one ended are part of it, and what was rubbed out
    /// before it was ever told is not told. Operations of others, and renames, may have been carried out in
    /// between. A snapshot has what is untold, for this site to tell when it comes back.
    ///
    /// Each is of the epoch that it was made in. Others must not have collected that: what they are told of an
    /// epoch that they dropped waits there for ever. So a replica that has something untold announces no epoch
    /// beyond that of its last `tell`, whether it began one by [`Sequence::rename`] or moved there.
    pub fn tell(&mut self) -> Vec<Operation> {
        self.spell_untold();
        std::mem::take(&mut self.untold).spelled
    }

    /// Spells out what is untold: handles, or epochs, are about to mean others.
    pub(crate) fn spell_untold(&mut self) {
        let untold = std::mem::take(&mut self.untold);
        let spell = |step: &Step| (self.epochs.get(step.epoch).id, self.shared(step.run));
        self.untold = untold.spelled(spell).into();
    }

    /// What [`Sequence::tell`] would say. It stays untold.
    pub(crate) fn untold_operations(&self) -> Vec<Operation> {
        let spell = |step: &Step| (self.epochs.get(step.epoch).id, self.interval(step.run));
        self.untold.clone().spelled(spell)
    }

    /// Whether `operation` can be an edit that the site of `next`, which is the name that it gives next, has yet
    /// to tell. Its epoch may be collected.
    ///
    /// Errors: why it cannot.
    pub(crate) fn may_be_untold(&self, next: Dot, operation: &Operation) -> Result<(), Refused> {
        match operation {
            Operation::Insert { first, text, .. } => {
                let (dot, begin) = (first.dot(), first.offset());
                let end = i64::from(begin) + text.chars().count() as i64;
                if text.is_empty() {
                    return Err(Refused::Empty);
                }
                if text.len() as u64 > ELEMENTS_MAX {
                    return Err(Refused::Long);
                }
                if begin < 0 || end > i64::from(i32::MAX) {
                    return Err(Refused::Offsets { begin, end });
                }
                let own = dot.site == next.site && dot.clock < next.clock;
                // Where all of the base is gone, it is not known how far it went.
                let last = if next.site == self.site { self.given.last(dot.clock) } else { None };
                if !own || last.is_some_and(|last| i64::from(last) < end - 1) {
                    return Err(Refused::Own(dot));
                }
                Ok(())
            }
            Operation::Remove { intervals, .. } => self.in_order(intervals),
            Operation::Rename { .. } => Err(Refused::Apart),
        }
    }
}
