//! Operations that came before their causes.
//!
//! Each waits under one operation that is missing, and is looked at again when that was delivered and at
//! no other time: an operation moves at most as often as it has causes, however many others wait.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque, btree_map::Entry},
    sync::Arc,
};

use crate::{Clock, Content, Dot, Operation, Origin, Payload};

/// Operations that were received and not delivered.
#[derive(Clone, Debug)]
pub(crate) struct Waiting<P> {
    /// Those that miss something.
    parked: BTreeMap<Dot, Parked<P>>,
    /// By what is missing: which wait for it.
    under: BTreeMap<Dot, Vec<Dot>>,
    /// Those that miss nothing, in the order in which that came about: mostly few, so that what passes
    /// by pays nothing for what waits.
    ready: VecDeque<Parked<P>>,
    /// Their names.
    named: BTreeSet<Dot>,
    bytes: usize,
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Parked<P> {
    pub(crate) operation: Arc<Operation<P>>,
    /// Who handed it over.
    pub(crate) via: Origin,
    /// What it waits for; `None`: nothing.
    pub(crate) missing: Option<Dot>,
    /// Whether it ever waited.
    pub(crate) waited: bool,
    /// Heads before this one are delivered.
    checked: u32,
    bytes: usize,
}

/// What an operation takes beside its payload, about.
const OVERHEAD_BYTES: usize = 64;

impl<P> Default for Waiting<P> {
    fn default() -> Self {
        let (parked, under) = (BTreeMap::new(), BTreeMap::new());
        Self { parked, under, ready: VecDeque::new(), named: BTreeSet::new(), bytes: 0 }
    }
}

impl<P: Payload> Waiting<P> {
    pub(crate) fn len(&self) -> usize {
        self.parked.len() + self.ready.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn get(&self, dot: Dot) -> Option<&Parked<P>> {
        if self.named.contains(&dot) {
            return self.ready.iter().find(|ready| ready.operation.dot == dot);
        }
        self.parked.get(&dot)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Parked<P>> {
        self.parked.values().chain(&self.ready)
    }

    /// Those of one origin from its operation `from` on, ascending.
    pub(crate) fn of(&self, from: Dot) -> Vec<Dot> {
        let all = from..=Dot { seq: u32::MAX, ..from };
        let parked = self.parked.range(all.clone()).map(|(dot, _)| *dot);
        let mut found: Vec<Dot> = parked.chain(self.named.range(all).copied()).collect();
        found.sort_unstable();
        found
    }

    /// Bytes that `operation` would take.
    pub(crate) fn bytes_of(operation: &Operation<P>) -> usize {
        let payload = match &operation.content {
            Content::Payload(payload) => payload.bytes(),
            _ => 0,
        };
        payload + operation.heads.len() * size_of::<Dot>() + OVERHEAD_BYTES
    }

    /// Puts an operation under what it misses, or among those that are ready. Says what it misses.
    pub(crate) fn put(
        &mut self,
        operation: Arc<Operation<P>>,
        via: Origin,
        delivered: &Clock,
    ) -> Option<Dot> {
        let (dot, bytes) = (operation.dot, Self::bytes_of(&operation));
        self.bytes += bytes;
        let mut parked = Parked { operation, via, missing: None, waited: false, checked: 0, bytes };
        let missing = parked.find_missing(delivered);
        match missing {
            Some(missing) => {
                self.parked.insert(dot, parked);
                self.under.entry(missing).or_default().push(dot);
            }
            None => self.make_ready(parked),
        }
        missing
    }

    fn make_ready(&mut self, parked: Parked<P>) {
        self.named.insert(parked.operation.dot);
        self.ready.push_back(parked);
    }

    /// Looks again at those that waited for `dot`, which was delivered.
    pub(crate) fn wake(&mut self, dot: Dot, delivered: &Clock) {
        for waiter in self.under.remove(&dot).unwrap_or_default() {
            let Entry::Occupied(mut parked) = self.parked.entry(waiter) else { continue };
            match parked.get_mut().find_missing(delivered) {
                Some(missing) => self.under.entry(missing).or_default().push(waiter),
                None => {
                    let parked = parked.remove();
                    self.make_ready(parked);
                }
            }
        }
    }

    /// Takes the next that is ready.
    pub(crate) fn take(&mut self) -> Option<Parked<P>> {
        let parked = self.ready.pop_front()?;
        self.named.remove(&parked.operation.dot);
        self.bytes -= parked.bytes;
        Some(parked)
    }

    /// Whether some operation is ready.
    pub(crate) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Drops those of which `keep` says no, and gives them.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Parked<P>) -> bool) -> Vec<Parked<P>> {
        let gone = self.parked.extract_if(.., |_, parked| !keep(parked));
        let mut gone: Vec<Parked<P>> = gone.map(|(_, parked)| parked).collect();
        let (kept, lost): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.ready).into_iter().partition(|one| keep(one));
        self.ready = kept;
        gone.extend(lost);
        let mut orphaned: BTreeMap<Dot, BTreeSet<Dot>> = BTreeMap::new();
        for parked in &gone {
            let dot = parked.operation.dot;
            self.named.remove(&dot);
            self.bytes -= parked.bytes;
            if let Some(missing) = parked.missing {
                orphaned.entry(missing).or_default().insert(dot);
            }
        }
        for (missing, gone) in orphaned {
            if let Some(waiters) = self.under.get_mut(&missing) {
                waiters.retain(|waiter| !gone.contains(waiter));
                if waiters.is_empty() {
                    self.under.remove(&missing);
                }
            }
        }
        gone
    }

    /// Those that wait for each other in a circle, and so for ever: what is left once those are taken
    /// away that wait for none of the others or that none of the others waits for.
    pub(crate) fn circles(&self) -> Vec<Dot> {
        let mut causes: BTreeMap<Dot, Vec<Dot>> = BTreeMap::new();
        let mut effects: BTreeMap<Dot, Vec<Dot>> = BTreeMap::new();
        for (dot, parked) in &self.parked {
            let before = (dot.seq > 1).then(|| Dot { seq: dot.seq - 1, ..*dot });
            let named = parked.operation.heads.iter().copied().chain(before);
            for cause in named.filter(|cause| self.parked.contains_key(cause)) {
                causes.entry(*dot).or_default().push(cause);
                effects.entry(cause).or_default().push(*dot);
            }
        }
        let left = trimmed(self.parked.keys().copied().collect(), &causes, &effects);
        trimmed(left, &effects, &causes)
    }
}

/// `dots` without those that have no `before` among them, again and again.
fn trimmed(
    dots: Vec<Dot>,
    before: &BTreeMap<Dot, Vec<Dot>>,
    after: &BTreeMap<Dot, Vec<Dot>>,
) -> Vec<Dot> {
    let mut counts: BTreeMap<Dot, usize> = dots.iter().map(|dot| (*dot, 0)).collect();
    for dot in &dots {
        let inside = before.get(dot).into_iter().flatten();
        let count = inside.filter(|cause| counts.contains_key(cause)).count();
        counts.insert(*dot, count);
    }
    let mut free: Vec<Dot> = dots.iter().copied().filter(|dot| counts[dot] == 0).collect();
    while let Some(dot) = free.pop() {
        counts.remove(&dot);
        for other in after.get(&dot).into_iter().flatten() {
            if let Some(count) = counts.get_mut(other) {
                *count -= 1;
                if *count == 0 {
                    free.push(*other);
                }
            }
        }
    }
    counts.into_keys().collect()
}

impl<P> Parked<P> {
    fn find_missing(&mut self, delivered: &Clock) -> Option<Dot> {
        let dot = self.operation.dot;
        let before = Dot { seq: dot.seq - 1, ..dot };
        self.missing = if delivered.covers(before) {
            let heads = &self.operation.heads[self.checked as usize..];
            let covered = heads.iter().take_while(|head| delivered.covers(**head)).count();
            self.checked += covered as u32;
            heads.get(covered).copied()
        } else {
            Some(before)
        };
        self.waited |= self.missing.is_some();
        self.missing
    }
}
