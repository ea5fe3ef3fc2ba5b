//! Operations that came before their causes.
//!
//! Each waits under one operation that is missing, and is looked at again when that was delivered and at
//! no other time: an operation moves at most as often as it has causes, however many others wait. What is
//! kept of one lies in one slot of a list, and those that wait for the same are linked through their slots;
//! where which is, pages say of adjacent names. So little memory is touched that what waits long costs hardly
//! more than what waits briefly.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use crate::{Clock, Content, Dot, Operation, Origin, Payload};

/// Operations that were received and not delivered.
#[derive(Clone, Debug)]
pub(crate) struct Waiting<P> {
    /// Those that miss something.
    slots: Vec<Option<Parked<P>>>,
    /// Empty slots.
    free: Vec<u32>,
    /// What waits by name, and what waits for a name.
    pages: Pages,
    /// Those that miss nothing, in the order in which that came about: mostly few, so that what passes
    /// by pays nothing for what waits.
    ready: VecDeque<Ready<P>>,
    /// Their names.
    named: BTreeSet<Dot>,
    bytes: usize,
}

/// One that misses something.
#[derive(Clone, Debug)]
pub(crate) struct Parked<P> {
    pub(crate) operation: Arc<Operation<P>>,
    /// Who handed it over.
    pub(crate) via: Origin,
    /// Causes before this one are delivered, and this one is missing.
    checked: u32,
    /// The slot of another that misses the same and came before it, or [`NONE`].
    next: u32,
}

/// One that misses nothing.
#[derive(Clone, Debug)]
pub(crate) struct Ready<P> {
    pub(crate) operation: Arc<Operation<P>>,
    /// Who handed it over.
    pub(crate) via: Origin,
    /// Whether it ever missed something.
    pub(crate) waited: bool,
}

/// Pages by origin and number; none is empty. What follows one operation mostly is on its page: the one that
/// was looked at last is found at once.
#[derive(Clone, Debug, Default)]
struct Pages {
    by_number: BTreeMap<Number, u32>,
    pages: Vec<Page>,
    /// Places of pages that are not in use.
    free: Vec<u32>,
    last: Option<(Number, u32)>,
}

/// The number of a page: its origin, and how many of the same size are before it.
type Number = (Origin, u32);

/// What waits of operations with adjacent names, and what waits for them: slots, or [`NONE`].
#[derive(Clone, Debug)]
struct Page {
    /// The operation's own.
    own: [u32; PAGE],
    /// That of the last which came of those that miss it.
    under: [u32; PAGE],
    /// How many of both there are.
    used: u32,
}

/// Names on a page: two lines of a cache for each list.
const PAGE: usize = 32;

/// No slot.
const NONE: u32 = u32::MAX;

/// What an operation takes beside its payload, about.
const OVERHEAD_BYTES: usize = 64;

impl<P> Default for Waiting<P> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            pages: Pages::default(),
            ready: VecDeque::new(),
            named: BTreeSet::new(),
            bytes: 0,
        }
    }
}

impl<P: Payload> Waiting<P> {
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len() + self.ready.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn get(&self, dot: Dot) -> Option<&Arc<Operation<P>>> {
        if self.named.contains(&dot) {
            let ready = self.ready.iter().find(|ready| ready.operation.dot == dot);
            return ready.map(|ready| &ready.operation);
        }
        let (page, at) = place(dot);
        let slot = self.pages.get(page)?.own[at];
        self.slots.get(slot as usize)?.as_ref().map(|parked| &parked.operation)
    }

    /// All of them, each with what it misses.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<Operation<P>>, Option<Dot>)> {
        let parked = self.parked().map(|parked| (&parked.operation, parked.missing()));
        parked.chain(self.ready.iter().map(|ready| (&ready.operation, None)))
    }

    /// Those that miss something, ascending.
    fn parked(&self) -> impl Iterator<Item = &Parked<P>> {
        let slots = self.pages.from(Number::default()).flat_map(|(_, page)| page.own);
        slots.filter_map(|slot| self.slots.get(slot as usize)?.as_ref())
    }

    /// Those of one origin from its operation `from` on, ascending.
    pub(crate) fn of(&self, from: Dot) -> Vec<Dot> {
        let until = Dot { seq: u32::MAX, ..from };
        let pages = self.pages.from(place(from).0);
        let pages = pages.take_while(|((origin, _), _)| *origin == from.origin);
        let mut found: Vec<Dot> = self.named.range(from..=until).copied().collect();
        for ((origin, number), page) in pages {
            let first = number * PAGE as u32;
            let parked = (first..).zip(page.own).filter(|(_, slot)| *slot != NONE);
            let parked = parked.map(|(seq, _)| Dot { origin, seq });
            found.extend(parked.filter(|dot| dot.seq >= from.seq));
        }
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
        self.bytes += Self::bytes_of(&operation);
        let mut parked = Parked { operation, via, checked: 0, next: NONE };
        let missing = parked.find_missing(delivered);
        match missing {
            Some(missing) => self.park(parked, missing),
            None => self.make_ready(parked, false),
        }
        missing
    }

    fn park(&mut self, parked: Parked<P>, missing: Dot) {
        let dot = parked.operation.dot;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() as u32 - 1
        });
        self.slots[slot as usize] = Some(parked);
        let (page, at) = place(dot);
        let before = self.pages.put(page, slot, |page| &mut page.own[at]);
        assert_eq!(before, NONE, "one of a name waits");
        self.hang(slot, missing);
    }

    /// Links the operation in `slot` to those that miss `missing`.
    fn hang(&mut self, slot: u32, missing: Dot) {
        let (page, at) = place(missing);
        let next = self.pages.put(page, slot, |page| &mut page.under[at]);
        self.slots[slot as usize].as_mut().expect("it was put there").next = next;
    }

    /// Takes those that miss `missing` off their place. Gives their slots, in the order in which they came.
    fn unhang(&mut self, missing: Dot) -> Vec<u32> {
        let mut slots = Vec::new();
        let (page, at) = place(missing);
        let mut slot = self.pages.take(page, |page| &mut page.under[at]);
        while slot != NONE {
            slots.push(slot);
            slot = self.slots[slot as usize].as_ref().map_or(NONE, |parked| parked.next);
        }
        slots.reverse();
        slots
    }

    /// Takes an operation out of its slot.
    fn unpark(&mut self, dot: Dot) -> Parked<P> {
        let (page, at) = place(dot);
        let slot = self.pages.take(page, |page| &mut page.own[at]);
        self.free.push(slot);
        self.slots[slot as usize].take().expect("its page says that it is there")
    }

    fn make_ready(&mut self, parked: Parked<P>, waited: bool) {
        let Parked { operation, via, .. } = parked;
        self.named.insert(operation.dot);
        self.ready.push_back(Ready { operation, via, waited });
    }

    /// Looks again at those that waited for `dot`, which was delivered.
    pub(crate) fn wake(&mut self, dot: Dot, delivered: &Clock) {
        if self.slots.len() == self.free.len() {
            return;
        }
        for slot in self.unhang(dot) {
            let parked = self.slots[slot as usize].as_mut().expect("it waits");
            match parked.find_missing(delivered) {
                Some(missing) => self.hang(slot, missing),
                None => {
                    let dot = parked.operation.dot;
                    let parked = self.unpark(dot);
                    self.make_ready(parked, true);
                }
            }
        }
    }

    /// Takes the next that is ready.
    pub(crate) fn take(&mut self) -> Option<Ready<P>> {
        let ready = self.ready.pop_front()?;
        self.named.remove(&ready.operation.dot);
        self.bytes -= Self::bytes_of(&ready.operation);
        Some(ready)
    }

    /// Whether some operation is ready.
    pub(crate) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Drops those of which `keep` says no, and gives them with who handed them over.
    pub(crate) fn retain(
        &mut self,
        keep: impl Fn(&Operation<P>, Origin) -> bool,
    ) -> Vec<(Origin, Arc<Operation<P>>)> {
        let lost = self.parked().filter(|parked| !keep(&parked.operation, parked.via));
        let lost: Vec<(Dot, Option<Dot>)> =
            lost.map(|parked| (parked.operation.dot, parked.missing())).collect();
        let orphaned: BTreeSet<Dot> = lost.iter().filter_map(|(_, missing)| *missing).collect();
        let hung: Vec<(Dot, Vec<u32>)> =
            orphaned.into_iter().map(|missing| (missing, self.unhang(missing))).collect();
        let mut gone: Vec<(Origin, Arc<Operation<P>>)> = Vec::new();
        for (dot, _) in lost {
            let Parked { operation, via, .. } = self.unpark(dot);
            gone.push((via, operation));
        }
        for (missing, slots) in hung {
            for slot in slots {
                if self.slots[slot as usize].is_some() {
                    self.hang(slot, missing);
                }
            }
        }
        for ready in std::mem::take(&mut self.ready) {
            if keep(&ready.operation, ready.via) {
                self.ready.push_back(ready);
            } else {
                self.named.remove(&ready.operation.dot);
                gone.push((ready.via, ready.operation));
            }
        }
        self.bytes -= gone.iter().map(|(_, operation)| Self::bytes_of(operation)).sum::<usize>();
        gone
    }

    /// Those that wait for each other in a circle, and so for ever: what is left once those are taken
    /// away that wait for none of the others or that none of the others waits for.
    pub(crate) fn circles(&self) -> Vec<Dot> {
        let mut causes: BTreeMap<Dot, Vec<Dot>> = BTreeMap::new();
        let mut effects: BTreeMap<Dot, Vec<Dot>> = BTreeMap::new();
        let dots: Vec<Dot> = self.parked().map(|parked| parked.operation.dot).collect();
        for parked in self.parked() {
            let dot = parked.operation.dot;
            let waits = |cause: &Dot| dots.binary_search(cause).is_ok();
            for cause in parked.operation.causes().filter(waits) {
                causes.entry(dot).or_default().push(cause);
                effects.entry(cause).or_default().push(dot);
            }
        }
        let left = trimmed(dots, &causes, &effects);
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
    /// What it misses: its predecessor, or the head at which looking stopped.
    fn missing(&self) -> Option<Dot> {
        self.operation.causes().nth(self.checked as usize)
    }

    /// Looks on from where it stopped.
    fn find_missing(&mut self, delivered: &Clock) -> Option<Dot> {
        let causes = self.operation.causes().skip(self.checked as usize);
        let covered = causes.take_while(|cause| delivered.covers(*cause)).count();
        self.checked += covered as u32;
        self.missing()
    }
}

impl Pages {
    fn get(&self, number: Number) -> Option<&Page> {
        let place = match self.last {
            Some((last, place)) if last == number => place,
            _ => *self.by_number.get(&number)?,
        };
        Some(&self.pages[place as usize])
    }

    /// Those from this one on, ascending.
    fn from(&self, first: Number) -> impl Iterator<Item = (Number, &Page)> {
        self.by_number.range(first..).map(|(number, place)| (*number, &self.pages[*place as usize]))
    }

    /// Puts `slot` in a place on a page. Gives what stood there.
    fn put(&mut self, number: Number, slot: u32, of: impl Fn(&mut Page) -> &mut u32) -> u32 {
        let place = self.find(number).unwrap_or_else(|| self.open(number));
        let page = &mut self.pages[place as usize];
        let before = std::mem::replace(of(page), slot);
        page.used += u32::from(before == NONE);
        before
    }

    /// Empties a place on a page, which goes where nothing is left on it. Gives what stood there.
    fn take(&mut self, number: Number, of: impl Fn(&mut Page) -> &mut u32) -> u32 {
        let Some(place) = self.find(number) else { return NONE };
        let page = &mut self.pages[place as usize];
        let before = std::mem::replace(of(page), NONE);
        page.used -= u32::from(before != NONE);
        if page.used == 0 {
            self.by_number.remove(&number);
            self.free.push(place);
            self.last = None;
        }
        before
    }

    fn find(&mut self, number: Number) -> Option<u32> {
        if let Some((last, place)) = self.last
            && last == number
        {
            return Some(place);
        }
        let place = *self.by_number.get(&number)?;
        self.last = Some((number, place));
        Some(place)
    }

    /// A new page.
    fn open(&mut self, number: Number) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            self.pages.push(Page::default());
            self.pages.len() as u32 - 1
        });
        self.by_number.insert(number, place);
        self.last = Some((number, place));
        place
    }
}

impl Default for Page {
    fn default() -> Self {
        Self { own: [NONE; PAGE], under: [NONE; PAGE], used: 0 }
    }
}

/// The page that an operation is on, and where there.
fn place(dot: Dot) -> (Number, usize) {
    ((dot.origin, dot.seq / PAGE as u32), dot.seq as usize % PAGE)
}
