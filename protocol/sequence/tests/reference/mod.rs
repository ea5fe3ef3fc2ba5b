//! The sequence as simply as it can be written: a vector of spelled-out identifiers with their characters,
//! and every function an element at a time. What the real one is compared with.

use std::collections::BTreeMap;

use sequence::{
    Dot, EpochId, FormerState, Identifier, Interval, Naming, Operation, Priority, Tuple,
};

/// An identifier.
pub(crate) type Id = Vec<Tuple>;

/// Which functions map identifiers between epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mapping {
    /// The order isomorphism.
    Repaired,
    /// What the papers print: not reciprocal, and no order kept across sibling epochs.
    Printed,
}

#[derive(Clone, Debug)]
pub(crate) struct Epoch {
    pub(crate) parent: EpochId,
    pub(crate) dot: Dot,
    pub(crate) former: Vec<Id>,
}

impl Epoch {
    fn position(&self) -> i32 {
        self.former[0][0].position
    }

    fn name(&self, offset: i32) -> Tuple {
        let Dot { site, clock } = self.dot;
        Tuple { position: self.position(), site, clock, offset }
    }

    fn low(&self, at: usize) -> Id {
        let mut low = self.former[at].clone();
        low.push(Tuple::MIN);
        while self.former.get(at + 1).is_some_and(|next| extends(next, &low)) {
            low.push(Tuple::MIN);
        }
        low
    }

    fn up(&self, at: usize) -> Id {
        let mut up = before(&self.former[at]);
        up.push(Tuple::MAX);
        while at > 0 && extends(&self.former[at - 1], &up) {
            up.push(Tuple::MAX);
        }
        up
    }

    fn in_low(&self, tail: &[Tuple], at: usize) -> bool {
        stripped(tail, &self.low(at)) <= &self.former[at][..]
    }

    fn in_up(&self, tail: &[Tuple], at: usize) -> bool {
        stripped(tail, &self.up(at)) >= &self.former[at][..]
    }

    /// A.5, forward.
    pub(crate) fn forward(&self, x: &Id) -> Id {
        let last = self.former.len() - 1;
        let (b, w) = (vec![self.name(-1)], vec![self.name(last as i32)]);
        if let Ok(at) = self.former.binary_search(x) {
            return vec![self.name(at as i32)];
        }
        if *x < self.former[0] {
            let tail = x.strip_prefix(&self.up(0)[..]).filter(|tail| self.in_up(tail, 0));
            let u = tail.unwrap_or(x).to_vec();
            let stays = u < b || (extends(&u, &b) && u[1..] <= b[..]);
            return if stays { u } else { [b, u].concat() };
        }
        if *x > self.former[last] {
            let tail = x.strip_prefix(&self.low(last)[..]).filter(|tail| self.in_low(tail, last));
            let u = tail.unwrap_or(x).to_vec();
            return if u < w { [w, u].concat() } else { u };
        }
        let at = self.former.partition_point(|f| f < x) - 1;
        let low = x.strip_prefix(&self.low(at)[..]).filter(|tail| self.in_low(tail, at));
        let up = x.strip_prefix(&self.up(at + 1)[..]).filter(|tail| self.in_up(tail, at + 1));
        [&[self.name(at as i32)], low.or(up).unwrap_or(x)].concat()
    }

    /// A.5, backward.
    pub(crate) fn backward(&self, y: &Id) -> Id {
        let last = self.former.len() - 1;
        let (b, w) = (vec![self.name(-1)], vec![self.name(last as i32)]);
        if *y > w {
            let u = y.strip_prefix(&w[..]).filter(|tail| *tail < &w[..]).unwrap_or(y);
            return if self.in_low(u, last) { [&self.low(last), u].concat() } else { u.to_vec() };
        }
        if *y < vec![self.name(0)] {
            let u = y.strip_prefix(&b[..]).filter(|tail| *tail > &b[..]).unwrap_or(y);
            return if self.in_up(u, 0) { [&self.up(0), u].concat() } else { u.to_vec() };
        }
        let at = y[0].offset as usize;
        let tail = &y[1..];
        if tail.is_empty() {
            self.former[at].clone()
        } else if self.in_low(tail, at) {
            [&self.low(at), tail].concat()
        } else if self.in_up(tail, at + 1) {
            [&self.up(at + 1), tail].concat()
        } else {
            tail.to_vec()
        }
    }

    /// renameForwardPos, as printed.
    pub(crate) fn forward_printed(&self, x: &Id) -> Id {
        let last = self.former.len() - 1;
        let (first, w) = (vec![self.name(0)], vec![self.name(last as i32)]);
        if let Ok(at) = self.former.binary_search(x) {
            return vec![self.name(at as i32)];
        }
        if x < (&self.former[0]).min(&first) || x > (&self.former[last]).max(&w) {
            return x.clone();
        }
        if *x < self.former[0] {
            return [&[self.name(-1)], &x[..]].concat();
        }
        let at = self.former.partition_point(|f| f < x) - 1;
        [&[self.name(at as i32)], &x[..]].concat()
    }

    /// revertRenameId, as printed.
    pub(crate) fn backward_printed(&self, y: &Id) -> Id {
        let last = self.former.len() - 1;
        let (b, w) = (vec![self.name(-1)], vec![self.name(last as i32)]);
        if *y > w {
            let below = *y < self.former[last];
            return if below {
                [&self.former[last][..], &[Tuple::MIN], y].concat()
            } else {
                y.clone()
            };
        }
        if *y < vec![self.name(0)] {
            let tail = if extends(y, &b) { &y[1..] } else { &y[..] };
            let below = tail < &self.former[0][..];
            let parked = || [&before(&self.former[0])[..], &[Tuple::MAX], tail].concat();
            return if below { tail.to_vec() } else { parked() };
        }
        let at = y[0].offset as usize;
        let tail = &y[1..];
        if tail.is_empty() {
            self.former[at].clone()
        } else if tail < &self.former[at][..] {
            [&self.former[at][..], &[Tuple::MIN], tail].concat()
        } else if at < last && tail > &self.former[at + 1][..] {
            [&before(&self.former[at + 1])[..], &[Tuple::MAX], tail].concat()
        } else {
            tail.to_vec()
        }
    }
}

fn extends(id: &[Tuple], prefix: &[Tuple]) -> bool {
    id.len() > prefix.len() && id.starts_with(prefix)
}

fn before(id: &Id) -> Id {
    let mut id = id.clone();
    id.last_mut().expect("it has a tuple").offset -= 1;
    id
}

fn stripped<'a>(mut tail: &'a [Tuple], prefix: &[Tuple]) -> &'a [Tuple] {
    while extends(tail, prefix) {
        tail = &tail[prefix.len()..];
    }
    tail
}

/// The epochs and their functions.
#[derive(Clone, Debug)]
pub(crate) struct Epochs {
    pub(crate) all: BTreeMap<EpochId, Epoch>,
    pub(crate) mapping: Mapping,
    pub(crate) priority: Priority,
}

impl Epochs {
    /// The renames from the origin to `epoch`.
    pub(crate) fn path(&self, epoch: EpochId) -> Vec<EpochId> {
        let mut path = Vec::new();
        let mut at = epoch;
        while let Some(epoch) = self.all.get(&at) {
            path.push(at);
            at = epoch.parent;
        }
        path.reverse();
        path
    }

    /// What epochs are ordered by.
    fn key(&self, epoch: EpochId) -> (usize, Vec<EpochId>) {
        let path = self.path(epoch);
        let weight = match self.priority {
            Priority::Lexicographic => 0,
            Priority::Depth => path.len(),
            Priority::Covered => path.iter().map(|epoch| self.all[epoch].former.len()).sum(),
        };
        (weight, path)
    }

    /// The greatest epoch.
    pub(crate) fn leading(&self) -> EpochId {
        let all = self.all.keys().copied().chain([EpochId::Origin]);
        all.max_by_key(|epoch| self.key(*epoch)).expect("there is the origin")
    }

    /// `id`, which is of `from`, in `to`.
    pub(crate) fn mapped(&self, mut id: Id, from: EpochId, to: EpochId) -> Id {
        let (from, to) = (self.path(from), self.path(to));
        let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
        for epoch in from[common..].iter().rev() {
            let epoch = &self.all[epoch];
            id = match self.mapping {
                Mapping::Repaired => epoch.backward(&id),
                Mapping::Printed => epoch.backward_printed(&id),
            };
        }
        for epoch in &to[common..] {
            let epoch = &self.all[epoch];
            id = match self.mapping {
                Mapping::Repaired => epoch.forward(&id),
                Mapping::Printed => epoch.forward_printed(&id),
            };
        }
        id
    }
}

/// A replica.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub(crate) site: u32,
    pub(crate) clock: u32,
    pub(crate) naming: Naming,
    pub(crate) elements: Vec<(Id, char)>,
    pub(crate) epochs: Epochs,
    pub(crate) current: EpochId,
    pub(crate) highest: BTreeMap<u32, i32>,
}

impl Reference {
    pub(crate) fn new(site: u32, naming: Naming, priority: Priority, mapping: Mapping) -> Self {
        Self {
            site,
            clock: 0,
            naming,
            elements: Vec::new(),
            epochs: Epochs { all: BTreeMap::new(), mapping, priority },
            current: EpochId::Origin,
            highest: BTreeMap::new(),
        }
    }

    pub(crate) fn text(&self) -> String {
        self.elements.iter().map(|(_, character)| character).collect()
    }

    /// The longest intervals.
    pub(crate) fn intervals(&self) -> Vec<Interval> {
        intervals(self.elements.iter().map(|(id, _)| id))
    }

    pub(crate) fn insert(
        &mut self,
        index: usize,
        text: &str,
        draw: &mut impl FnMut(u64) -> u64,
    ) -> Vec<Operation> {
        if self.naming == Naming::Blocks {
            return vec![self.insert_block(index, text, draw)];
        }
        let each = text.char_indices().map(|(at, each)| &text[at..at + each.len_utf8()]);
        each.enumerate().map(|(at, text)| self.insert_block(index + at, text, draw)).collect()
    }

    fn insert_block(
        &mut self,
        index: usize,
        text: &str,
        draw: &mut impl FnMut(u64) -> u64,
    ) -> Operation {
        let length = text.chars().count() as i32;
        let l = index.checked_sub(1).map(|at| self.elements[at].0.clone());
        let u = self.elements.get(index).map(|(id, _)| id.clone());
        let appended = l.as_ref().filter(|_| self.naming == Naming::Blocks).and_then(|l| {
            let last = *l.last().expect("it has a tuple");
            let mine = last.site == self.site && self.highest[&last.clock] == last.offset;
            let mut end = l.clone();
            // The greatest offset is never given.
            let offset = last.offset.checked_add(length).filter(|offset| *offset < i32::MAX)?;
            end.last_mut().expect("it has a tuple").offset = offset;
            let mut first = l.clone();
            first.last_mut().expect("it has a tuple").offset += 1;
            (mine && u.as_ref().is_none_or(|u| end < *u)).then_some(first)
        });
        let first = appended.unwrap_or_else(|| {
            let clock = self.clock;
            self.clock += 1;
            between(l.as_deref(), u.as_deref(), Dot { site: self.site, clock }, draw)
        });
        let last = *first.last().expect("it has a tuple");
        self.highest.insert(last.clock, last.offset + length - 1);
        let added = numbered(&first).zip(text.chars());
        self.elements.splice(index..index, added);
        Operation::Insert {
            epoch: self.current,
            first: Identifier::new(first).expect("made in a gap"),
            text: text.into(),
        }
    }

    pub(crate) fn remove(&mut self, from: usize, to: usize) -> Operation {
        let gone: Vec<Id> = self.elements.drain(from..to).map(|(id, _)| id).collect();
        Operation::Remove { epoch: self.current, intervals: intervals(gone.iter()).into() }
    }

    pub(crate) fn rename(&mut self) -> Operation {
        let dot = Dot { site: self.site, clock: self.clock };
        self.clock += 1;
        let former = FormerState::new(&self.intervals()).expect("a document");
        let rename = Operation::Rename { epoch: self.current, dot, former };
        self.highest.insert(dot.clock, self.elements.len() as i32 - 1);
        self.apply(&rename);
        rename
    }

    pub(crate) fn apply(&mut self, operation: &Operation) {
        self.apply_at(operation, true);
    }

    /// [`Self::apply`], without a move where `moves` says so.
    pub(crate) fn apply_at(&mut self, operation: &Operation, moves: bool) {
        match operation {
            Operation::Insert { epoch, first, text } => {
                for (id, character) in numbered(&first.to_vec()).zip(text.chars()) {
                    let id = self.epochs.mapped(id, *epoch, self.current);
                    if let Err(at) = self.elements.binary_search_by(|(other, _)| other.cmp(&id)) {
                        self.elements.insert(at, (id, character));
                    }
                }
            }
            Operation::Remove { epoch, intervals } => {
                for id in intervals.iter().flat_map(spelled) {
                    let id = self.epochs.mapped(id, *epoch, self.current);
                    if let Ok(at) = self.elements.binary_search_by(|(other, _)| other.cmp(&id)) {
                        self.elements.remove(at);
                    }
                }
            }
            Operation::Rename { epoch, dot, former } => {
                let former = former.intervals().iter().flat_map(spelled).collect();
                let epoch = Epoch { parent: *epoch, dot: *dot, former };
                self.epochs.all.insert(EpochId::Renamed(*dot), epoch);
                if moves {
                    self.move_to(self.epochs.leading());
                }
            }
        }
    }

    pub(crate) fn move_to(&mut self, epoch: EpochId) {
        let from = std::mem::replace(&mut self.current, epoch);
        for (id, _) in &mut self.elements {
            *id = self.epochs.mapped(std::mem::take(id), from, epoch);
        }
    }
}

/// The identifiers from `first` on.
fn numbered(first: &[Tuple]) -> impl Iterator<Item = Id> + use<> {
    let first = first.to_vec();
    (0..).map(move |step| {
        let mut id = first.clone();
        id.last_mut().expect("it has a tuple").offset += step;
        id
    })
}

/// All identifiers of an interval.
pub(crate) fn spelled(interval: &Interval) -> impl Iterator<Item = Id> {
    let length = interval.length().expect("a valid interval");
    numbered(&interval.first.to_vec()).take(length as usize)
}

fn intervals<'a>(ids: impl Iterator<Item = &'a Id>) -> Vec<Interval> {
    let mut intervals: Vec<Interval> = Vec::new();
    for id in ids {
        let last = *id.last().expect("it has a tuple");
        if let Some(interval) = intervals.last_mut() {
            let base = |id: &[Tuple]| {
                let mut id = id.to_vec();
                id.last_mut().expect("it has a tuple").offset = 0;
                id
            };
            if interval.end + 1 == last.offset && base(&interval.first.to_vec()) == base(id) {
                interval.end = last.offset;
                continue;
            }
        }
        let first = Identifier::new(id.clone()).expect("a valid identifier");
        intervals.push(Interval { first, end: last.offset });
    }
    intervals
}

/// A.2, a new base.
fn between(
    l: Option<&[Tuple]>,
    u: Option<&[Tuple]>,
    dot: Dot,
    draw: &mut impl FnMut(u64) -> u64,
) -> Id {
    let mut made = Vec::new();
    let mut tight = true;
    for level in 0.. {
        let a = l.and_then(|l| l.get(level)).copied();
        let z = u.filter(|_| tight).and_then(|u| u.get(level)).copied();
        if a.is_some() && a == z {
            made.extend(a);
            continue;
        }
        let lowest = -(1_i64 << 31) + 1;
        let highest = (1_i64 << 31) - 2;
        let low = a.map_or(lowest, |a| i64::from(a.position).max(lowest)) + 1;
        let high = z.map_or(highest, |z| i64::from(z.position).min(highest));
        if low < high {
            let position = (low + draw((high - low) as u64) as i64) as i32;
            made.push(Tuple { position, site: dot.site, clock: dot.clock, offset: 0 });
            return made;
        }
        match (a, z) {
            (Some(a), _) => {
                made.push(a);
                tight = false;
            }
            (None, Some(z)) if z == Tuple::MIN || z == Tuple::FILL => made.push(z),
            (None, _) => {
                made.push(Tuple::FILL);
                tight = false;
            }
        }
    }
    unreachable!("there is room behind both")
}
