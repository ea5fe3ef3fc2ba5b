//! What a rename leaves behind, and the two functions between the epoch it leaves and the one it begins.
//!
//! [`Former::forward`] and [`Former::backward`] keep order and are inverse to each other, so that where an
//! identifier is mapped to depends on the ends of a path of epochs alone. The functions that the papers
//! print are not. They are part of the wire format: the same on every replica, to the identifier.
//!
//! Names: `f_i` is an element of the former state, `N_i` its new name, `b` is the name before `N_0`. An
//! identifier that is no `f_i` keeps its place by extending its renamed predecessor. One that was made in
//! the new epoch and fits no gap of the former one is parked: just behind `f_i` (low), or just before
//! `f_(i+1)` (up).
//!
//! Order is kept of all identifiers, also of those that name an `N_i` in the former epoch, which an operation can do
//! that was made up before the rename was known. Between two `f_i` nothing rests on that name being new. Beyond the
//! ends, an identifier stays as it is or comes to extend `b`, or the last `N_i`, called `w` here; what extends
//! `w` already gets one `w` more where what follows all of its `w` is below `w`, and stays where that is above: of `x`,
//! `w·x'` and `w·y`, in this order for `x` and `x'` below `w` and `y` above, come `w·x`, `w·w·x'` and `w·y`. So it is
//! with `b` at the other end. No honest replica makes an identifier that begins with `w·w`, or with `w·x'` in the
//! former epoch: on all that they make, this is the mapping of section A.5 in the research on sequences.

use crate::{
    FormerState, Tuple,
    arena::{Arena, Beneath, Id, Run, push_run},
};

/// A rename: the document that it found, in elements numbered from 0, and the base of their new names.
#[derive(Clone, Debug)]
pub(crate) struct Former {
    state: Kept,
    length: u32,
    /// The handle of each base of `state`; empty while nothing was mapped.
    handles: Vec<u32>,
    /// The base of all new names.
    base: u32,
}

/// Where the document is.
#[derive(Clone, Debug)]
enum Kept {
    Here(FormerState),
    /// In durable storage, as bytes with this sum.
    Aside(u64),
}

/// A reserved prefix, behind or before an element of the former state.
struct Parked {
    prefix: Vec<Tuple>,
    element: Vec<Tuple>,
}

impl Parked {
    /// `tuples` without the prefix, where something is left.
    fn strip<'a>(&self, tuples: &'a [Tuple]) -> Option<&'a [Tuple]> {
        tuples.strip_prefix(&self.prefix[..]).filter(|rest| !rest.is_empty())
    }

    /// What is left once every prefix is off.
    fn bare<'a>(&self, mut tuples: &'a [Tuple]) -> &'a [Tuple] {
        while let Some(rest) = self.strip(tuples) {
            tuples = rest;
        }
        tuples
    }

    /// Whether `tuples` park here, below the gap.
    fn holds_low(&self, tuples: &[Tuple]) -> bool {
        self.bare(tuples) <= &self.element[..]
    }

    /// Whether `tuples` park here, above the gap.
    fn holds_up(&self, tuples: &[Tuple]) -> bool {
        self.bare(tuples) >= &self.element[..]
    }
}

impl Former {
    /// The rename of `state`, whose elements come to be of `base`.
    pub(crate) fn new(state: FormerState, base: u32) -> Self {
        Self::resolved(state, Vec::new(), base)
    }

    /// The same, where the handle of each base of `state` is known.
    pub(crate) fn resolved(state: FormerState, handles: Vec<u32>, base: u32) -> Self {
        Self { length: state.length(), state: Kept::Here(state), handles, base }
    }

    /// A rename of `length` elements, the document of which is aside.
    pub(crate) fn elsewhere(length: u32, sum: u64, base: u32) -> Self {
        Self { state: Kept::Aside(sum), length, handles: Vec::new(), base }
    }

    /// Finds the handles: to be done before anything is mapped.
    pub(crate) fn resolve(&mut self, arena: &mut Arena) {
        if self.handles.is_empty() {
            self.handles = self.state().resolve(arena);
        }
    }

    /// Forgets the handles, which are about to change, but that of the new names: it is now `base`.
    pub(crate) fn forget_handles(&mut self, base: u32) {
        (self.handles, self.base) = (Vec::new(), base);
    }

    /// The document, which is here.
    pub(crate) fn state(&self) -> &FormerState {
        self.here().expect("a former state that is needed was taken back")
    }

    pub(crate) fn here(&self) -> Option<&FormerState> {
        match &self.state {
            Kept::Here(state) => Some(state),
            Kept::Aside(_) => None,
        }
    }

    pub(crate) fn is_here(&self) -> bool {
        self.here().is_some()
    }

    /// The sum of what is aside.
    pub(crate) fn aside(&self) -> Option<u64> {
        match self.state {
            Kept::Here(_) => None,
            Kept::Aside(sum) => Some(sum),
        }
    }

    pub(crate) fn put_aside(&mut self, sum: u64) {
        (self.state, self.handles) = (Kept::Aside(sum), Vec::new());
    }

    pub(crate) fn take_back(&mut self, state: FormerState) {
        self.state = Kept::Here(state);
    }

    /// How many elements there were.
    pub(crate) fn length(&self) -> u32 {
        self.length
    }

    pub(crate) fn base(&self) -> u32 {
        self.base
    }

    /// Bytes of memory that it takes up.
    pub(crate) fn held(&self) -> usize {
        self.here().map_or(0, FormerState::held) + self.handles.capacity() * size_of::<u32>()
    }

    fn run(&self, at: usize) -> Run {
        self.get(at).expect("a run of the former state")
    }

    #[inline]
    fn get(&self, at: usize) -> Option<Run> {
        let run = self.state().runs().get(at)?;
        Some(Run { base: self.handles[run.base as usize], ..*run })
    }

    /// How many runs, from number `from` on, come before the first of which `holds` does not hold.
    fn runs_while(&self, from: usize, holds: impl Fn(Run) -> bool) -> usize {
        let runs = &self.state().runs()[from..];
        runs.partition_point(|run| holds(Run { base: self.handles[run.base as usize], ..*run }))
    }

    pub(crate) fn name(&self, number: u32) -> Id {
        Id { base: self.base, offset: number as i32 }
    }

    pub(crate) fn element(&self, number: u32) -> Id {
        let starts = self.state().starts();
        let run = starts.partition_point(|start| *start <= number) - 1;
        self.run(run).without(number - starts[run]).first()
    }

    /// The number of the greatest element that is not above `id`, and whether it is `id`.
    pub(crate) fn floor(&self, arena: &Arena, id: Id) -> Option<(u32, bool)> {
        let at = self.runs_while(0, |run| arena.compare(run.first(), id).is_le()).checked_sub(1)?;
        let (run, start) = (self.run(at), self.state().starts()[at]);
        let last = start + run.length - 1;
        Some(match arena.under(id, run.base) {
            Some((offset, how)) if offset < run.end() => {
                (start + (offset - run.offset) as u32, how == Beneath::Is)
            }
            _ => (last, false),
        })
    }

    /// Where what fits no gap is parked behind element `number`.
    fn low(&self, arena: &Arena, number: u32) -> Parked {
        let element = arena.spell(self.element(number));
        let next = (number + 1 < self.length()).then(|| self.element(number + 1));
        Self::parked(arena, element.clone(), element, Tuple::MIN, next)
    }

    /// Where what fits no gap is parked before element `number`.
    fn up(&self, arena: &Arena, number: u32) -> Parked {
        let element = arena.spell(self.element(number));
        let mut prefix = element.clone();
        prefix.last_mut().expect("an identifier has a tuple").offset -= 1;
        let previous = number.checked_sub(1).map(|number| self.element(number));
        Self::parked(arena, element, prefix, Tuple::MAX, previous)
    }

    fn parked(
        arena: &Arena,
        element: Vec<Tuple>,
        mut prefix: Vec<Tuple>,
        reserved: Tuple,
        beside: Option<Id>,
    ) -> Parked {
        let length = prefix.len();
        let beside = match beside {
            Some(id) if arena.depth(id) as usize > length => arena.spell(id),
            _ => Vec::new(),
        };
        prefix.push(reserved);
        while beside.len() > prefix.len() && beside.starts_with(&prefix) {
            prefix.push(reserved);
        }
        Parked { prefix, element }
    }

    /// The identifier in the new epoch of `x`, which is one of the former epoch.
    pub(crate) fn forward(&self, arena: &mut Arena, x: Id) -> Id {
        match self.floor(arena, x) {
            Some((number, true)) => self.name(number),
            Some((number, false)) if number + 1 < self.length() => {
                self.forward_within(arena, number, x)
            }
            Some(_) => self.forward_above(arena, x),
            None => self.forward_below(arena, x),
        }
    }

    fn forward_within(&self, arena: &mut Arena, number: u32, x: Id) -> Id {
        let spelled = arena.spell(x);
        let name = self.name(number);
        if spelled.iter().any(|tuple| tuple.is_reserved()) {
            let (low, up) = (self.low(arena, number), self.up(arena, number + 1));
            let parked = low.strip(&spelled).filter(|rest| low.holds_low(rest));
            let parked = parked.or_else(|| up.strip(&spelled).filter(|rest| up.holds_up(rest)));
            if let Some(rest) = parked {
                return arena.extend_all(name, rest);
            }
        }
        arena.extend_all(name, &spelled)
    }

    fn forward_below(&self, arena: &mut Arena, x: Id) -> Id {
        let spelled = arena.spell(x);
        let up = self.up(arena, 0);
        let rest = up.strip(&spelled).filter(|rest| up.holds_up(rest)).unwrap_or(&spelled);
        let before = Id { base: self.base, offset: -1 };
        let b = [arena.tuple(before)];
        if behind_all(rest, b) < &b[..] {
            arena.intern(rest)
        } else {
            arena.extend_all(before, rest)
        }
    }

    fn forward_above(&self, arena: &mut Arena, x: Id) -> Id {
        let spelled = arena.spell(x);
        let low = self.low(arena, self.length() - 1);
        let rest = low.strip(&spelled).filter(|rest| low.holds_low(rest)).unwrap_or(&spelled);
        let last = self.name(self.length() - 1);
        let w = [arena.tuple(last)];
        if behind_all(rest, w) < &w[..] { arena.extend_all(last, rest) } else { arena.intern(rest) }
    }

    /// The identifier in the former epoch of `y`, which is one of the new epoch.
    pub(crate) fn backward(&self, arena: &mut Arena, y: Id) -> Id {
        let spelled = arena.spell(y);
        let (w, b) = (self.name(self.length() - 1), Id { base: self.base, offset: -1 });
        let (w, b) = ([arena.tuple(w)], [arena.tuple(b)]);
        let ancestor = arena.ancestor(y, 1);
        let named = (ancestor.base == self.base && ancestor.offset >= 0)
            .then_some(ancestor.offset as u32)
            .filter(|number| *number < self.length());
        match named {
            Some(number) if spelled.len() == 1 => self.element(number),
            Some(number) if number + 1 < self.length() => {
                self.backward_within(arena, number, &spelled[1..])
            }
            _ if spelled[..] > w[..] => {
                let tail = spelled.strip_prefix(&w).filter(|tail| behind_all(tail, w) < &w[..]);
                let rest = tail.unwrap_or(&spelled);
                let low = self.low(arena, self.length() - 1);
                let parks = low.holds_low(rest);
                self.park(arena, parks.then_some(low), rest)
            }
            _ => {
                let tail = spelled.strip_prefix(&b).filter(|tail| behind_all(tail, b) > &b[..]);
                let rest = tail.unwrap_or(&spelled);
                let up = self.up(arena, 0);
                let parks = up.holds_up(rest);
                self.park(arena, parks.then_some(up), rest)
            }
        }
    }

    fn backward_within(&self, arena: &mut Arena, number: u32, rest: &[Tuple]) -> Id {
        let low = self.low(arena, number);
        if low.holds_low(rest) {
            return self.park(arena, Some(low), rest);
        }
        let up = self.up(arena, number + 1);
        let parks = up.holds_up(rest);
        self.park(arena, parks.then_some(up), rest)
    }

    fn park(&self, arena: &mut Arena, parked: Option<Parked>, rest: &[Tuple]) -> Id {
        match parked {
            Some(parked) => arena.intern(&[&parked.prefix, rest].concat()),
            None => arena.intern(rest),
        }
    }

    /// [`Former::forward`] of all elements of `runs`, which are sorted: a walk in step.
    pub(crate) fn forward_runs(&self, arena: &mut Arena, runs: &[Run]) -> Vec<Run> {
        let mut mapped = Vec::with_capacity(runs.len());
        let mut at = 0;
        for run in runs {
            let mut rest = *run;
            loop {
                let x = rest.first();
                at += self.skip(arena, at, x);
                let here = match self.get(at) {
                    Some(former) if former.base == rest.base && former.offset <= rest.offset => {
                        let within = (rest.offset - former.offset) as u32;
                        let here = rest.length.min(former.length - within);
                        let offset = (self.state().starts()[at] + within) as i32;
                        push_run(&mut mapped, Run { base: self.base, offset, length: here });
                        here
                    }
                    former => {
                        let here = Self::apart(arena, former, rest);
                        let mut forward = |id| self.forward(arena, id);
                        map_part(&mut forward, rest.head(here), &mut mapped);
                        here
                    }
                };
                if here == rest.length {
                    break;
                }
                rest = rest.without(here);
            }
        }
        mapped
    }

    /// How many runs, from number `from` on, end below `x`.
    fn skip(&self, arena: &Arena, from: usize, x: Id) -> usize {
        let below = |run: Run| arena.compare(run.last(), x).is_lt();
        match (self.get(from), self.get(from + 1)) {
            (None, _) => 0,
            (Some(first), _) if !below(first) => 0,
            (_, Some(second)) if !below(second) => 1,
            _ => self.runs_while(from, below),
        }
    }

    /// How many elements of `run` stand before the first element of `former` that is above its first.
    fn apart(arena: &Arena, former: Option<Run>, run: Run) -> u32 {
        let Some(former) = former else { return run.length };
        let above = match arena.under(run.first(), former.base) {
            Some((offset, _)) if offset >= former.offset => {
                Id { base: former.base, offset: offset + 1 }
            }
            _ => former.first(),
        };
        match arena.under(above, run.base) {
            Some((offset, how)) => {
                let apart =
                    i64::from(offset) - i64::from(run.offset) + i64::from(how == Beneath::Extends);
                run.length.min(u32::try_from(apart).expect("it is above the first of the run"))
            }
            None => run.length,
        }
    }

    /// [`Former::backward`] of all elements of `runs`, which are sorted.
    pub(crate) fn backward_runs(&self, arena: &mut Arena, runs: &[Run]) -> Vec<Run> {
        let mut mapped = Vec::with_capacity(runs.len() + self.state().blocks());
        for run in runs {
            let mut rest = *run;
            if rest.base == self.base && rest.offset >= 0 {
                let named = self.length().saturating_sub(rest.offset as u32).min(rest.length);
                self.restore(rest.head(named), &mut mapped);
                if named == rest.length {
                    continue;
                }
                rest = rest.without(named);
            }
            map_part(&mut |id| self.backward(arena, id), rest, &mut mapped);
        }
        mapped
    }

    /// The former runs of elements under their new names.
    fn restore(&self, run: Run, mapped: &mut Vec<Run>) {
        let (mut number, end) = (run.offset as u32, run.end() as u32);
        if number == end {
            return;
        }
        let starts = self.state().starts();
        let mut at = starts.partition_point(|start| *start <= number) - 1;
        while number < end {
            let former = self.run(at).without(number - starts[at]);
            let here = former.length.min(end - number);
            push_run(mapped, former.head(here));
            number += here;
            at += 1;
        }
    }
}

/// `tuples` without all that are `name` in front: what says on which side they are of an end that they may extend.
fn behind_all(tuples: &[Tuple], [name]: [Tuple; 1]) -> &[Tuple] {
    let named = tuples.iter().take_while(|tuple| **tuple == name).count();
    &tuples[named..]
}

/// Maps `part` by its ends: where both stay in one base with their offsets, so does all between them, since
/// the map keeps order. Halves it where they do not.
fn map_part(map: &mut impl FnMut(Id) -> Id, part: Run, mapped: &mut Vec<Run>) {
    let mut left = vec![part];
    while let Some(part) = left.pop() {
        let first = map(part.first());
        let stays = part.length == 1 || {
            let last = map(part.last());
            first.base == last.base
                && first.offset == part.offset
                && last.offset == part.last().offset
        };
        if stays {
            push_run(mapped, Run { base: first.base, offset: first.offset, length: part.length });
        } else {
            let half = part.length / 2;
            left.extend([part.without(half), part.head(half)]);
        }
    }
}
