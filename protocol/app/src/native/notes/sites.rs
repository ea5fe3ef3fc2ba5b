//! Who has which site, and which names it gave.
//!
//! A sequence knows writers by numbers of 31 bits, and what they name by another 31; the causal layer knows
//! them by a node and its life, 96 bits. So no function of a writer alone keeps all apart, and a writer that
//! waits until nobody can have its number could not write while a member is silent. What is done instead: a
//! founder's number is its node's, and its names begin at 0. Each node has a range of numbers for its later
//! lives, of which one takes the one that its name falls on; where another life that is known here has that
//! already, the next. Two lives that never heard of each other may share a number, once in 65,535 times; but
//! each gives its names from another one on, which its name says as well, so that even then they give none
//! twice: as long as each gave fewer than n, but once in 2^29 / n times of those. Then each replica refuses what
//! the one writes that it heard of second.
//!
//! **What an operation can know.** Causes come first, so an honest operation names nothing but what its past
//! brought, or it itself. Whoever delivers it here may have been given more since, or less than others; so what
//! is asked is not what was given here but what was given in the *past of the operation*, which is the same
//! wherever it is delivered: all refuse it, or all take it. For that, each name that a member may not have is
//! kept with the operation that gave it. What is stable is in the past of whatever is delivered from then on,
//! and needs none.
//!
//! **How far a base reaches** is kept of few. A writer begins bases in the order of their clocks, and goes on
//! with one of its last [`OPEN`] alone, at the element behind its last: that too is the same for all who
//! deliver its operations, in their order. Whatever older base an operation names beyond its end, nobody will
//! ever give that: to take it does no harm.
//!
//! Invariant: a function of the operations delivered, and of what was stable. All replicas keep the names of all,
//! so that a writer's are there wherever it goes on.

use std::collections::BTreeMap;

use causal::{Clock, Origin};
use contract::NodeId;
use sequence::Dot;

use crate::{
    Fault,
    native::{scramble, typed::record},
};

/// Numbers that a node has for its lives.
const LIVES: u32 = 1 << 16;

/// Bits of where a later life begins to give names. As many names and more are left to it.
const BEGIN_BITS: u32 = 30;

/// Nodes from here on have no numbers: the greatest is nobody's.
const NODES_MAX: u32 = (1 << 15) - 2;

/// Bases that a writer may go on with, its last ones: as many places as it comes back to. How far they reach is
/// kept for ever.
const OPEN: u32 = 16;

/// Clocks from here on are nobody's.
const CLOCKS_MAX: u32 = 1 << 31;

record! {
    /// Who is a site, and which names it gave.
    Claim {
        1 node: u32,
        /// In two's complement.
        2 life: i64,
        3 site: u32,
        /// Of the base that it begins next.
        4 clock: u32,
        /// The greatest offsets that it gave of its last bases, the newest last.
        5 ends: Vec<u32>,
        /// Operations of its that began bases, and that not all are known to have.
        6 begun: Vec<Begun>,
        /// Operations of its that went on with bases, and that not all are known to have.
        7 grown: Vec<Grown>,
    }
}

record! {
    /// An operation began this base, and those up to where the next one begins.
    Begun {
        1 clock: u32,
        2 operation: u32,
    }
}

record! {
    /// An operation went on with this base from this element on.
    Grown {
        1 clock: u32,
        2 operation: u32,
        3 from: u32,
    }
}

/// Elements of a base that an operation gives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    pub(super) dot: Dot,
    pub(super) first: i32,
    pub(super) last: i32,
}

/// A writer.
///
/// Invariant: `ends` are of the bases before `clock`, of the open ones at least and of those that were open in the
/// past of whatever may still come; `begun` ascend by both, `grown` by base and then by operation, and with these
/// rises where they begin.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Site {
    number: u32,
    /// Of the base that it begins next.
    clock: u32,
    ends: Vec<u32>,
    begun: Vec<Begun>,
    grown: Vec<Grown>,
}

impl Site {
    /// The greatest offset of a base, where it is kept.
    fn end(&self, clock: u32) -> Option<i32> {
        let behind = self.clock.checked_sub(clock)? as usize;
        let at = self.ends.len().checked_sub(behind)?;
        self.ends.get(at).map(|end| end.cast_signed())
    }

    /// Whether, before it began the base `next`, it gave element `offset` of the base `clock` by one of its first
    /// `seen` operations.
    fn gave_by(&self, seen: u32, clock: u32, offset: i32) -> bool {
        let unseen = self.begun.partition_point(|begun| begun.operation <= seen);
        let next = self.begun.get(unseen).map_or(self.clock, |begun| begun.clock);
        if clock >= next {
            return false;
        }
        if next - clock > OPEN {
            return true;
        }
        let later =
            self.grown.partition_point(|grown| (grown.clock, grown.operation) <= (clock, seen));
        match self.grown.get(later).filter(|grown| grown.clock == clock) {
            Some(grown) => offset < grown.from.cast_signed(),
            None => self.end(clock).is_none_or(|end| offset <= end),
        }
    }

    /// Notes that its operation `seq` gave these.
    fn note(&mut self, seq: u32, Named { dot, first, last }: Named) {
        let last = last.cast_unsigned();
        let Some(behind) = self.clock.checked_sub(dot.clock).filter(|behind| *behind > 0) else {
            if self.begun.last().is_none_or(|begun| begun.operation < seq) {
                self.begun.push(Begun { clock: dot.clock, operation: seq });
            }
            self.ends.push(last);
            self.clock = dot.clock + 1;
            return;
        };
        let at = self.ends.len().checked_sub(behind as usize);
        let Some(end) = at.and_then(|at| self.ends.get_mut(at)) else { return };
        // A planted bug alone gives again what was given.
        if first.cast_unsigned() > *end {
            let grown = Grown { clock: dot.clock, operation: seq, from: first.cast_unsigned() };
            let at = self.grown.partition_point(|it| (it.clock, it.operation) < (dot.clock, seq));
            self.grown.insert(at, grown);
        }
        *end = last.max(*end);
    }

    /// Forgets which of its operations gave what, of the first `seen`, and how far bases reach that nobody goes on
    /// with.
    fn forget(&mut self, seen: u32) {
        let settled = self.begun.partition_point(|begun| begun.operation <= seen);
        self.begun.drain(..settled);
        self.grown.retain(|grown| grown.operation > seen);
        let next = self.begun.first().map_or(self.clock, |begun| begun.clock);
        let open = (self.clock - next).saturating_add(OPEN) as usize;
        self.ends.drain(..self.ends.len().saturating_sub(open));
    }

    fn kept(&self) -> usize {
        self.ends.len() + self.begun.len() + self.grown.len()
    }

    /// Whether a replica can keep this of a writer whose first base is `first`.
    fn is_sound(&self, first: u32) -> bool {
        let given = first + 1..CLOCKS_MAX + 1;
        let next = self.begun.first().map_or(self.clock, |begun| begun.clock);
        let bases = self.clock.wrapping_sub(first) as usize;
        let open = self.clock.wrapping_sub(next).saturating_add(OPEN) as usize;
        let begun = |begun: &Begun| (first..self.clock).contains(&begun.clock);
        let grown = |grown: &Grown| {
            let end = self.end(grown.clock).map(i32::cast_unsigned);
            grown.from > 0 && end.is_some_and(|end| grown.from <= end)
        };
        let rises = |one: &Grown, other: &Grown| {
            one.clock < other.clock
                || one.clock == other.clock
                    && one.operation < other.operation
                    && one.from < other.from
        };
        given.contains(&self.clock)
            && (bases.min(open)..=bases).contains(&self.ends.len())
            && self.ends.iter().all(|end| *end < i32::MAX.cast_unsigned())
            && self.begun.iter().all(begun)
            && self.begun.is_sorted_by(|one, other| {
                one.clock < other.clock && one.operation < other.operation
            })
            && self.grown.iter().all(grown)
            && self.grown.is_sorted_by(rises)
    }
}

/// All writers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sites(BTreeMap<Origin, Site>);

impl Sites {
    /// The number of a writer, whether or not it has written yet. `None`: it can have none.
    fn number(&self, origin: Origin) -> Option<u32> {
        if let Some(site) = self.0.get(&origin) {
            return Some(site.number);
        }
        let first = first_of(origin.node)?;
        if origin.is_founder() {
            return Some(first);
        }
        let hash = (scramble(origin.life) % u64::from(LIVES - 1)) as u32;
        let mut tried = (0..LIVES - 1).map(|step| first + 1 + (hash + step) % (LIVES - 1));
        tried.find(|number| !self.lives(origin.node).any(|(_, site)| site.number == *number))
    }

    /// The lives of a node that wrote.
    fn lives(&self, node: NodeId) -> impl Iterator<Item = (Origin, &Site)> {
        let all = Origin { node, life: 0 }..=Origin { node, life: u64::MAX };
        self.0.range(all).map(|(origin, site)| (*origin, site))
    }

    /// The name that a writer gives next. `None`: it can give none.
    pub(super) fn next(&self, origin: Origin) -> Option<Dot> {
        let clock = self.0.get(&origin).map_or(begin(origin), |site| site.clock);
        self.number(origin).map(|site| Dot { site, clock })
    }

    /// Whether `origin` gave the name `dot`.
    pub(super) fn gave(&self, origin: Origin, dot: Dot) -> bool {
        let site = self.0.get(&origin);
        site.is_some_and(|site| {
            site.number == dot.site && (begin(origin)..site.clock).contains(&dot.clock)
        })
    }

    /// Whether an operation of `past` gave element `offset` of the base `dot`: the same wherever it is asked. True
    /// also beyond the end of a base that its writer goes on with no more.
    pub(super) fn were_given(&self, past: &Clock, dot: Dot, offset: i32) -> bool {
        let node = NodeId((dot.site / LIVES).wrapping_sub(1));
        self.lives(node).any(|(origin, site)| {
            site.number == dot.site
                && dot.clock >= begin(origin)
                && site.gave_by(past.get(origin), dot.clock, offset)
        })
    }

    /// Whether `origin` may give the name `dot`: it is of its number, and none of its node's other lives gave it.
    pub(super) fn may_name(&self, origin: Origin, dot: Dot) -> bool {
        let number = match self.0.get(&origin) {
            Some(site) => site.number == dot.site,
            None => is_of(dot.site, origin),
        };
        let mut others = self.lives(origin.node).filter(|(other, _)| *other != origin);
        number && dot.clock >= begin(origin) && !others.any(|(other, _)| self.gave(other, dot))
    }

    /// Whether it is the turn of `named`, once an operation of `origin` has begun so many bases: a new base from
    /// its first element on, or more of one that is open, behind its last. So each name is given once.
    pub(super) fn is_next(&self, origin: Origin, begun: u32, named: Named) -> bool {
        let site = self.0.get(&origin);
        let next = site.map_or(begin(origin), |site| site.clock);
        match named.dot.clock.checked_sub(next) {
            Some(ahead) => ahead == begun && named.first == 0,
            None => {
                let end = self.end(origin, named.dot);
                end.and_then(|end| end.checked_add(1)) == Some(named.first)
            }
        }
    }

    /// Notes what the operation `dot` gave, all of which was next.
    pub(super) fn note(&mut self, dot: causal::Dot, named: Named) {
        let new = || Site {
            number: named.dot.site,
            clock: begin(dot.origin),
            ends: Vec::new(),
            begun: Vec::new(),
            grown: Vec::new(),
        };
        self.0.entry(dot.origin).or_insert_with(new).note(dot.seq, named);
    }

    /// The greatest offset that `origin` gave of the base `dot`, where it may go on with that.
    pub(super) fn end(&self, origin: Origin, dot: Dot) -> Option<i32> {
        let site = self.0.get(&origin).filter(|site| site.number == dot.site)?;
        site.end(dot.clock).filter(|_| site.clock - dot.clock <= OPEN)
    }

    /// Forgets what serves only operations to come that have not all of `stable` in their past: there are none.
    pub(super) fn forget(&mut self, stable: &Clock) {
        self.0.iter_mut().for_each(|(origin, site)| site.forget(stable.get(*origin)));
    }

    /// How much is kept of names.
    pub(super) fn kept(&self) -> usize {
        self.0.values().map(Site::kept).sum()
    }

    pub(super) fn keep(&self) -> Vec<Claim> {
        let claim = |(origin, site): (&Origin, &Site)| {
            let Site { number, clock, ends, begun, grown } = site.clone();
            let (node, life) = (origin.node.0, origin.life.cast_signed());
            Claim { node, life, site: number, clock, ends, begun, grown }
        };
        self.0.iter().map(claim).collect()
    }

    /// Errors: [`Fault`] where no replica keeps them, or not in this order.
    pub(super) fn restored(claims: Vec<Claim>) -> Result<Self, Fault> {
        let mut sites = Self::default();
        for Claim { node, life, site: number, clock, ends, begun, grown } in claims {
            let origin = Origin { node: NodeId(node), life: life.cast_unsigned() };
            let behind = sites.0.last_key_value().is_none_or(|(last, _)| *last < origin);
            let site = Site { number, clock, ends, begun, grown };
            if !behind || !is_of(number, origin) || !site.is_sound(begin(origin)) {
                return Err(Fault::Malformed("state: sites"));
            }
            sites.0.insert(origin, site);
        }
        Ok(sites)
    }
}

/// The number of a node's life as a founder.
fn first_of(node: NodeId) -> Option<u32> {
    (node.0 < NODES_MAX).then(|| (node.0 + 1) * LIVES)
}

/// Whether `origin` may have this number.
fn is_of(number: u32, origin: Origin) -> bool {
    let life = first_of(origin.node).and_then(|first| number.checked_sub(first));
    life.is_some_and(|life| (life == 0) == origin.is_founder() && life < LIVES)
}

/// The clock of the first name that a writer gives.
fn begin(origin: Origin) -> u32 {
    // Scrambled twice: what numbers have in common clocks are not to have.
    let hash = scramble(scramble(origin.life).wrapping_add(0x9e37_79b9_7f4a_7c15));
    if origin.is_founder() { 0 } else { (hash >> (u64::BITS - BEGIN_BITS)) as u32 }
}

#[cfg(test)]
pub(super) use tests::of_one_number;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::notes::document::NOBODY;

    fn life(node: u32, life: u64) -> Origin {
        Origin { node: NodeId(node), life }
    }

    /// Elements `first` to `last` of a base.
    fn named(dot: Dot, first: i32, last: i32) -> Named {
        Named { dot, first, last }
    }

    /// A writer begins a base by its operation `seq`.
    fn writes(sites: &mut Sites, origin: Origin, seq: u32) -> Dot {
        let dot = sites.next(origin).expect("there is one");
        let first = named(dot, 0, 0);
        assert!(sites.may_name(origin, dot) && sites.is_next(origin, 0, first));
        sites.note(causal::Dot { origin, seq }, first);
        assert!(sites.gave(origin, dot) && !sites.is_next(origin, 0, first));
        assert_eq!(sites.next(origin), Some(Dot { clock: dot.clock + 1, ..dot }));
        dot
    }

    fn kept_again(sites: &Sites) {
        assert_eq!(Sites::restored(sites.keep()).as_ref(), Ok(sites));
    }

    #[test]
    fn no_two_lives_that_are_known_share_a_number() {
        let mut sites = Sites::default();
        let lives = (0..40).flat_map(|node| (0..50).map(move |at| life(node, at * 65_535)));
        let mut numbers: Vec<u32> = lives.map(|it| writes(&mut sites, it, 1).site).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 40 * 50);
        let first = sites.next(life(0, 0)).unwrap();
        assert!(!sites.may_name(life(0, 7), first) && !sites.may_name(life(99, 0), first));
    }

    /// Two lives of node 0 that have one number as long as neither has heard of the other.
    pub(in crate::native::notes) fn of_one_number() -> [Origin; 2] {
        let mut seen = BTreeMap::new();
        let number = |life: Origin| Sites::default().next(life).expect("there is one").site;
        let lives = (1..).map(|at| life(0, at));
        let mut both = lives.filter_map(|it| Some([seen.insert(number(it), it)?, it]));
        both.next().expect("there are more lives than numbers")
    }

    #[test]
    fn two_lives_of_one_number_that_never_heard_of_each_other_give_no_name_twice() {
        let [one, other] = of_one_number();
        let (mut apart, mut sites) = ([Sites::default(), Sites::default()], Sites::default());
        let mut dots = Vec::new();
        for seq in 1..=OPEN {
            for (here, origin) in apart.iter_mut().zip([one, other]) {
                dots.push((origin, seq, writes(here, origin, seq)));
            }
        }
        for (origin, seq, dot) in &dots {
            assert!(sites.may_name(*origin, *dot));
            sites.note(causal::Dot { origin: *origin, seq: *seq }, named(*dot, 0, 0));
        }
        for (origin, seq, dot) in &dots {
            let another = if *origin == one { other } else { one };
            assert_eq!(sites.end(*origin, *dot), Some(0));
            assert_eq!(sites.end(another, *dot), None);
            assert!(!sites.may_name(another, *dot));
            let past = |origin, seq| Clock::from_iter([causal::Dot { origin, seq }]);
            assert!(sites.were_given(&past(*origin, *seq), *dot, 0));
            assert!(!sites.were_given(&past(*origin, seq - 1), *dot, 0));
            assert!(!sites.were_given(&past(another, u32::MAX), *dot, 0));
        }
        kept_again(&sites);
    }

    #[test]
    fn names_are_given_in_turn_and_only_the_last_bases_grow() {
        let (mut sites, origin) = (Sites::default(), life(3, 0));
        let first = writes(&mut sites, origin, 1);
        let next = sites.next(origin).expect("there is one");
        let ahead = Dot { clock: next.clock + 1, ..next };
        for (begun, names, may) in [
            (0, named(next, 0, 5), true),
            (0, named(next, 1, 5), false),
            (0, named(ahead, 0, 0), false),
            (1, named(ahead, 0, 0), true),
            (0, named(first, 0, 0), false),
            (0, named(first, 1, 1), true),
            (0, named(first, 2, 2), false),
        ] {
            assert_eq!(sites.is_next(origin, begun, names), may, "{names:?}");
        }
        for seq in 2..OPEN + 2 {
            assert!(sites.is_next(origin, 0, named(first, 1, 1)), "{seq}");
            assert_eq!(sites.end(origin, first), Some(0));
            writes(&mut sites, origin, seq);
        }
        assert!(!sites.is_next(origin, 0, named(first, 1, 1)));
        assert_eq!(sites.end(origin, first), None);
    }

    #[test]
    fn what_was_given_is_asked_of_a_past_and_not_of_whoever_delivers() {
        let (mut sites, origin) = (Sites::default(), life(3, 9));
        let past = |seq| Clock::from_iter([causal::Dot { origin, seq }]);
        let base = writes(&mut sites, origin, 1);
        sites.note(causal::Dot { origin, seq: 2 }, named(base, 1, 4));
        let other = writes(&mut sites, origin, 3);
        sites.note(causal::Dot { origin, seq: 4 }, named(base, 5, 6));
        for stable in 0..=4 {
            let before = sites.kept();
            sites.forget(&past(stable));
            assert_eq!(sites.kept() < before, stable > 0);
            kept_again(&sites);
            // Whatever still comes has all that is stable in its past.
            for seen in stable..=5 {
                let given = |dot, offset| sites.were_given(&past(seen), dot, offset);
                let end = [-2, 0, 4, 4, 6, 6][seen as usize];
                assert!((-1..8).all(|offset| given(base, offset) == (offset <= end)), "{seen}");
                assert_eq!(given(other, 0), seen >= 3);
            }
        }
        assert_eq!(sites.keep()[0].ends, [6, 0]);
    }

    #[test]
    fn what_is_kept_of_names_does_not_grow_where_all_is_stable() {
        let (mut sites, origin) = (Sites::default(), life(0, 0));
        for seq in 1..100 {
            writes(&mut sites, origin, seq);
            sites.forget(&Clock::from_iter([causal::Dot { origin, seq }]));
            assert_eq!(sites.kept(), seq.min(OPEN) as usize);
            kept_again(&sites);
        }
    }

    #[test]
    fn sites_that_no_replica_keeps_are_refused() {
        let (mut sites, origin) = (Sites::default(), life(2, 0));
        let base = writes(&mut sites, origin, 1);
        writes(&mut sites, origin, 2);
        sites.note(causal::Dot { origin, seq: 3 }, named(base, 1, 4));
        sites.note(causal::Dot { origin, seq: 4 }, named(base, 5, 6));
        let refused = |why: &str, change: &dyn Fn(&mut Claim)| {
            let mut claims = sites.keep();
            change(&mut claims[0]);
            assert!(Sites::restored(claims).is_err(), "{why}");
        };
        kept_again(&sites);
        refused("another's number", &|claim| claim.site += LIVES);
        refused("it gave nothing", &|claim| claim.clock = 0);
        refused("a base without an end", &|claim| _ = claim.ends.pop());
        refused("more ends than bases", &|claim| claim.ends.push(0));
        refused("an end beyond all", &|claim| claim.ends[0] = u32::MAX);
        refused("a base that is not there", &|claim| claim.begun[1].clock = 2);
        refused("bases in another order", &|claim| claim.begun.swap(0, 1));
        refused("one operation twice", &|claim| claim.begun[1].operation = 1);
        refused("what grew from nothing", &|claim| claim.grown[0].from = 0);
        refused("what grew beyond its end", &|claim| claim.grown[1].from = 7);
        refused("what grew in another order", &|claim| claim.grown.swap(0, 1));
        refused("nobody's clocks", &|claim| claim.clock = u32::MAX);
    }

    #[test]
    fn no_life_has_the_number_of_nobody() {
        let first = first_of(NodeId(NODES_MAX - 1)).expect("the last that has some");
        assert!(first + (LIVES - 1) < NOBODY);
    }

    #[test]
    fn a_node_beyond_all_numbers_has_none() {
        assert_eq!(Sites::default().next(life(NODES_MAX, 0)), None);
        assert!(!Sites::default().may_name(life(u32::MAX, 0), Dot { site: 5, clock: 0 }));
    }
}
