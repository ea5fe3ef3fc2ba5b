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
//! Invariant: a function of the operations delivered. All replicas keep the names of all, so that a writer's
//! are there wherever it goes on.

use std::collections::BTreeMap;

use causal::Origin;
use contract::NodeId;
use sequence::{Dot, Interval, Parts, Sequence};

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

record! {
    /// Who is a site, and which name it gives next.
    Claim {
        1 node: u32,
        /// In two's complement.
        2 life: i64,
        3 site: u32,
        4 clock: u32,
    }
}

record! {
    /// The greatest offset of a base that its site ever gave.
    Given {
        1 site: u32,
        2 clock: u32,
        3 offset: i64,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Site {
    number: u32,
    /// Above the clocks of all names that it gave.
    clock: u32,
}

/// All writers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sites {
    claims: BTreeMap<Origin, Site>,
    /// By base: the greatest offset that was ever given.
    given: BTreeMap<Dot, i32>,
}

impl Sites {
    /// The number of a writer, whether or not it has written yet. `None`: it can have none.
    fn number(&self, origin: Origin) -> Option<u32> {
        if let Some(site) = self.claims.get(&origin) {
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
    fn lives(&self, node: NodeId) -> impl Iterator<Item = (Origin, Site)> {
        let all = Origin { node, life: 0 }..=Origin { node, life: u64::MAX };
        self.claims.range(all).map(|(origin, site)| (*origin, *site))
    }

    /// The name that a writer gives next. `None`: it can give none.
    pub(super) fn next(&self, origin: Origin) -> Option<Dot> {
        let clock = self.claims.get(&origin).map_or(begin(origin), |site| site.clock);
        self.number(origin).map(|site| Dot { site, clock })
    }

    /// Whether `origin` gave the name `dot`.
    pub(super) fn gave(&self, origin: Origin, dot: Dot) -> bool {
        let site = self.claims.get(&origin);
        site.is_some_and(|site| {
            site.number == dot.site && (begin(origin)..site.clock).contains(&dot.clock)
        })
    }

    /// Whether anybody gave the name `dot`.
    pub(super) fn is_given(&self, dot: Dot) -> bool {
        let node = NodeId((dot.site / LIVES).wrapping_sub(1));
        self.lives(node).any(|(origin, _)| self.gave(origin, dot))
    }

    /// Whether `origin` may give the name `dot`, or more of it.
    pub(super) fn may_name(&self, origin: Origin, dot: Dot) -> bool {
        let number = match self.claims.get(&origin) {
            Some(site) => site.number == dot.site,
            None => is_of(dot.site, origin),
        };
        let mut others = self.lives(origin.node).filter(|(other, _)| *other != origin);
        number && dot.clock >= begin(origin) && !others.any(|(other, _)| self.gave(other, dot))
    }

    /// Notes that `origin` gave a name.
    pub(super) fn note(&mut self, origin: Origin, dot: Dot, offset: i32) {
        let Dot { site: number, clock } = dot;
        let site = self.claims.entry(origin).or_insert(Site { number, clock: 0 });
        site.clock = site.clock.max(clock + 1);
        let given = self.given.entry(dot).or_insert(offset);
        *given = offset.max(*given);
    }

    /// The greatest offset of the base `dot` that `origin` ever gave, where it is kept.
    pub(super) fn given(&self, origin: Origin, dot: Dot) -> Option<i32> {
        self.given.get(&dot).copied().filter(|_| self.gave(origin, dot))
    }

    /// How many bases it keeps an offset of.
    pub(super) fn names(&self) -> u32 {
        self.given.len() as u32
    }

    /// Forgets offsets of bases that nothing is of any more. A base that comes back with an operation under
    /// way is not gone on with then: no name is given twice, and none is lost but for want of use.
    pub(super) fn tidy(&mut self, parts: &Parts) {
        let former = parts.renames.iter().flat_map(|renamed| &renamed.former);
        let mut used: Vec<Dot> =
            parts.document.iter().chain(former).map(|interval| interval.first.dot()).collect();
        used.sort_unstable();
        self.given.retain(|dot, _| used.binary_search(dot).is_ok());
    }

    /// A planted bug: what is gone from the document counts as never given.
    pub(super) fn forget_the_gone(&mut self, sequence: &Sequence) {
        self.given.clear();
        for Interval { first, end } in sequence.intervals() {
            let given = self.given.entry(first.dot()).or_insert(end);
            *given = end.max(*given);
        }
    }

    pub(super) fn keep(&self) -> (Vec<Claim>, Vec<Given>) {
        let claim = |(origin, site): (&Origin, &Site)| Claim {
            node: origin.node.0,
            life: origin.life.cast_signed(),
            site: site.number,
            clock: site.clock,
        };
        let given = |(dot, offset): (&Dot, &i32)| Given {
            site: dot.site,
            clock: dot.clock,
            offset: (*offset).into(),
        };
        (self.claims.iter().map(claim).collect(), self.given.iter().map(given).collect())
    }

    /// Errors: [`Fault`] where no replica keeps them, or not in this order.
    pub(super) fn restored(claims: &[Claim], given: &[Given]) -> Result<Self, Fault> {
        let mut sites = Self::default();
        for claim in claims {
            let node = NodeId(claim.node);
            let origin = Origin { node, life: claim.life.cast_unsigned() };
            let behind = sites.claims.last_key_value().is_none_or(|(last, _)| *last < origin);
            if !behind || !is_of(claim.site, origin) || claim.clock <= begin(origin) {
                return Err(Fault::Malformed("state: sites"));
            }
            sites.claims.insert(origin, Site { number: claim.site, clock: claim.clock });
        }
        for Given { site, clock, offset } in given {
            let dot = Dot { site: *site, clock: *clock };
            let behind = sites.given.last_key_value().is_none_or(|(last, _)| *last < dot);
            let offset = i32::try_from(*offset).ok().filter(|_| behind && sites.is_given(dot));
            sites.given.insert(dot, offset.ok_or(Fault::Malformed("state: names"))?);
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

    fn writes(sites: &mut Sites, origin: Origin) -> Dot {
        let dot = sites.next(origin).expect("there is one");
        assert!(sites.may_name(origin, dot));
        sites.note(origin, dot, 0);
        assert!(sites.gave(origin, dot));
        assert_eq!(sites.next(origin), Some(Dot { clock: dot.clock + 1, ..dot }));
        dot
    }

    #[test]
    fn no_two_lives_that_are_known_share_a_number() {
        let mut sites = Sites::default();
        let lives = (0..40).flat_map(|node| (0..50).map(move |at| life(node, at * 65_535)));
        let mut numbers: Vec<u32> = lives.map(|it| writes(&mut sites, it).site).collect();
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
        for _ in 0..100 {
            for (here, origin) in apart.iter_mut().zip([one, other]) {
                dots.push((origin, writes(here, origin)));
            }
        }
        for (origin, dot) in &dots {
            assert!(sites.may_name(*origin, *dot));
            sites.note(*origin, *dot, 0);
        }
        assert_eq!(sites.names(), 200);
        for (origin, dot) in &dots {
            let another = if *origin == one { other } else { one };
            assert_eq!(sites.given(*origin, *dot), Some(0));
            assert_eq!(sites.given(another, *dot), None);
            assert!(!sites.may_name(another, *dot));
        }
        let (claims, given) = sites.keep();
        assert_eq!(Sites::restored(&claims, &given), Ok(sites));
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
