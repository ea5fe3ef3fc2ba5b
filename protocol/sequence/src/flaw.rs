//! Ways to get a sequence wrong, for tests that show that a checker sees them. Nothing here is fast.
//!
//! The mapping as the papers print it is not reciprocal and keeps no order across sibling epochs: what a
//! replica shows then depends on the way that its epochs took. Source: "Improving Replicated Sequences
//! Performances", algorithms renameId and revertRenameId.

use crate::{
    Sequence, Tuple,
    arena::{Arena, Id, Run, push_run},
    former::Former,
    tree::Tree,
};

/// What is wrong with a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Identifiers are mapped between epochs as the papers print it.
    PrintedMapping,
    /// A rename, and a move to another epoch, forget which names were given to elements that are gone.
    ReusesNames,
    /// [`Sequence::collect_announced`] takes it that every member is where this replica is: a rename that
    /// was delivered counts, whoever postpones the move to it.
    CollectsDelivered,
}

impl Flaw {
    /// Every flaw, by name.
    pub const ALL: [(&'static str, Self); 3] = [
        ("printed-mapping", Self::PrintedMapping),
        ("reuses-names", Self::ReusesNames),
        ("collects-delivered", Self::CollectsDelivered),
    ];
}

impl Sequence {
    /// Makes the replica wrong, or right again. A replica that was restored is right.
    pub fn plant(&mut self, flaw: Option<Flaw>) {
        self.flaw = flaw;
    }

    /// Puts the elements where their new identifiers `runs` belong, which are in no order: of two that come
    /// to have the same, the first stays.
    pub(crate) fn scatter(&mut self, runs: &[Run]) {
        let text = self.text();
        let ids = runs.iter().flat_map(|run| (0..run.length).map(|at| run.without(at).first()));
        let mut elements: Vec<(Id, char)> = ids.zip(text.chars()).collect();
        elements.sort_by(|(a, _), (b, _)| self.arena.compare(*a, *b));
        elements.dedup_by_key(|(id, _)| *id);
        let mut sorted = Vec::new();
        for (Id { base, offset }, _) in &elements {
            push_run(&mut sorted, Run { base: *base, offset: *offset, length: 1 });
        }
        let text: String = elements.into_iter().map(|(_, element)| element).collect();
        self.tree = Tree::default();
        let loaded = self.tree.load(&sorted, &text);
        loaded.expect("an element has an identifier and a character");
    }

    /// Forgets the names of elements that are gone.
    pub(crate) fn forget_names(&mut self) {
        self.given.keep(|_| false);
        for run in self.tree.runs() {
            let dot = self.arena.dot(run.base);
            if dot.site == self.site {
                self.given.raise(dot.clock, run.last().offset);
            }
        }
    }
}

impl Former {
    /// [`Former::forward_runs`] as printed, an element at a time.
    pub(crate) fn forward_printed(&self, arena: &mut Arena, runs: &[Run]) -> Vec<Run> {
        let first = self.name(0);
        let last = self.name(self.length() - 1);
        let ends = (self.element(0), self.element(self.length() - 1));
        each(arena, runs, |arena, x| {
            let spelled = arena.spell(x);
            match self.floor(arena, x) {
                Some((number, true)) => self.name(number),
                Some((number, false)) => {
                    let beyond = arena.compare(x, ends.1).is_gt() && arena.compare(x, last).is_gt();
                    if beyond { x } else { arena.extend_all(self.name(number), &spelled) }
                }
                None if arena.compare(x, first).is_lt() => x,
                None => arena.extend_all(Id { offset: -1, ..first }, &spelled),
            }
        })
    }

    /// [`Former::backward_runs`] as printed, an element at a time.
    pub(crate) fn backward_printed(&self, arena: &mut Arena, runs: &[Run]) -> Vec<Run> {
        let last = self.length() - 1;
        let element = |arena: &Arena, number: u32| arena.spell(self.element(number));
        each(arena, runs, |arena, y| {
            let tail = arena.spell(y);
            if arena.compare(y, self.name(last)).is_gt() {
                let f = element(arena, last);
                let below = tail < f;
                return if below { parked(arena, f, Tuple::MIN, &tail) } else { y };
            }
            if arena.compare(y, self.name(0)).is_lt() {
                let b = [arena.tuple(Id { base: self.base(), offset: -1 })];
                let tail = tail.strip_prefix(&b).filter(|rest| !rest.is_empty()).unwrap_or(&tail);
                let f = element(arena, 0);
                let below = tail < &f[..];
                return if below { arena.intern(tail) } else { before(arena, f, tail) };
            }
            let (number, tail) = (tail[0].offset as u32, &tail[1..]);
            if tail.is_empty() {
                return self.element(number);
            }
            let f = element(arena, number);
            if tail < &f[..] {
                return parked(arena, f, Tuple::MIN, tail);
            }
            let next = (number < last).then(|| element(arena, number + 1));
            match next.filter(|next| tail > &next[..]) {
                Some(next) => before(arena, next, tail),
                None => arena.intern(tail),
            }
        })
    }
}

fn each(arena: &mut Arena, runs: &[Run], mut map: impl FnMut(&mut Arena, Id) -> Id) -> Vec<Run> {
    let mut mapped = Vec::new();
    for run in runs {
        for at in 0..run.length {
            let Id { base, offset } = map(arena, run.without(at).first());
            push_run(&mut mapped, Run { base, offset, length: 1 });
        }
    }
    mapped
}

fn parked(arena: &mut Arena, mut prefix: Vec<Tuple>, reserved: Tuple, tail: &[Tuple]) -> Id {
    prefix.push(reserved);
    prefix.extend(tail);
    arena.intern(&prefix)
}

fn before(arena: &mut Arena, mut element: Vec<Tuple>, tail: &[Tuple]) -> Id {
    element.last_mut().expect("an identifier has a tuple").offset -= 1;
    parked(arena, element, Tuple::MAX, tail)
}
