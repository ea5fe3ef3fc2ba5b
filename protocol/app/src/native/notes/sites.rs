//! Who has which site, and which names it gave.
//!
//! A sequence knows writers by small numbers, the causal layer by a node and its life, which no number of
//! 31 bits has room for. A founder's number is its node's. A later life of a node gets one out of a range
//! that its node has for itself, as its name falls; where another life that it knows of has that already,
//! the next. Two lives of one node that never heard of each other still fall on the same once in 65,535
//! times: each replica then refuses what the one writes that it heard of second.
//!
//! Invariant: a function of the operations delivered. All replicas keep the names of all, so that a writer's
//! are there wherever it goes on.

use std::collections::BTreeMap;

use causal::Origin;
use sequence::{Dot, Interval, Parts, Sequence};

use crate::{
    Fault,
    native::{scramble, typed::record},
};

/// Numbers that a node has for its lives.
const LIVES: u32 = 1 << 16;

/// Nodes from here on have no numbers.
const NODES_MAX: u32 = (1 << 15) - 1;

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
    pub(super) fn number(&self, origin: Origin) -> Option<u32> {
        if let Some(site) = self.claims.get(&origin) {
            return Some(site.number);
        }
        let first = first_of(origin)?;
        if origin.is_founder() {
            return Some(first);
        }
        let hash = (scramble(origin.life) % u64::from(LIVES - 1)) as u32;
        let tried = (0..LIVES - 1).map(|step| first + 1 + (hash + step) % (LIVES - 1));
        tried.into_iter().find(|number| self.holder(*number).is_none())
    }

    fn holder(&self, number: u32) -> Option<Origin> {
        let lives = self.claims.iter().find(|(_, site)| site.number == number);
        lives.map(|(origin, _)| *origin)
    }

    /// Whether `origin` may give names as `number`.
    pub(super) fn may_name(&self, origin: Origin, number: u32) -> bool {
        match self.claims.get(&origin) {
            Some(site) => site.number == number,
            None => {
                let life = first_of(origin).and_then(|first| number.checked_sub(first));
                let own =
                    life.is_some_and(|life| (life == 0) == origin.is_founder() && life < LIVES);
                own && self.holder(number).is_none()
            }
        }
    }

    /// Notes that `origin` gave a name.
    pub(super) fn note(&mut self, origin: Origin, dot: Dot, offset: i32) {
        let Dot { site: number, clock } = dot;
        let site = self.claims.entry(origin).or_insert(Site { number, clock: 0 });
        site.clock = site.clock.max(clock + 1);
        let given = self.given.entry(dot).or_insert(offset);
        *given = offset.max(*given);
    }

    /// The clock of a site, and the offsets that it gave.
    pub(super) fn names(&self, number: u32) -> (u32, impl Iterator<Item = (u32, i32)>) {
        let clock = self.claims.values().find(|site| site.number == number);
        let all = Dot { site: number, clock: 0 }..=Dot { site: number, clock: u32::MAX };
        let given = self.given.range(all).map(|(dot, offset)| (dot.clock, *offset));
        (clock.map_or(0, |site| site.clock), given)
    }

    /// How many bases it keeps an offset of.
    pub(super) fn given(&self) -> usize {
        self.given.len()
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
            let node = contract::NodeId(claim.node);
            let origin = Origin { node, life: claim.life.cast_unsigned() };
            let behind = sites.claims.last_key_value().is_none_or(|(last, _)| *last < origin);
            if !behind || !sites.may_name(origin, claim.site) {
                return Err(Fault::Malformed("state: sites"));
            }
            sites.claims.insert(origin, Site { number: claim.site, clock: claim.clock });
        }
        for Given { site, clock, offset } in given {
            let dot = Dot { site: *site, clock: *clock };
            let behind = sites.given.last_key_value().is_none_or(|(last, _)| *last < dot);
            let (next, _) = sites.names(*site);
            let offset = i32::try_from(*offset).ok().filter(|_| behind && *clock < next);
            sites.given.insert(dot, offset.ok_or(Fault::Malformed("state: names"))?);
        }
        Ok(sites)
    }
}

/// The number of a node's life as a founder.
fn first_of(origin: Origin) -> Option<u32> {
    (origin.node.0 < NODES_MAX).then(|| (origin.node.0 + 1) * LIVES)
}

#[cfg(test)]
mod tests {
    use contract::NodeId;

    use super::*;

    fn life(node: u32, life: u64) -> Origin {
        Origin { node: NodeId(node), life }
    }

    #[test]
    fn no_two_lives_that_are_known_share_a_number() {
        let mut sites = Sites::default();
        let mut numbers = Vec::new();
        for origin in (0..40).flat_map(|node| (0..50).map(move |at| life(node, at * 65_535))) {
            let number = sites.number(origin).expect("there is one");
            assert!(sites.may_name(origin, number));
            sites.note(origin, Dot { site: number, clock: 0 }, 0);
            assert_eq!(sites.number(origin), Some(number));
            numbers.push(number);
        }
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 40 * 50);
        let (first, other) = (sites.number(life(0, 0)).unwrap(), life(0, 7));
        assert!(!sites.may_name(other, first) && !sites.may_name(life(99, 0), first));
    }

    #[test]
    fn a_node_beyond_all_numbers_has_none() {
        assert_eq!(Sites::default().number(life(NODES_MAX, 0)), None);
        assert!(!Sites::default().may_name(life(u32::MAX, 0), 5));
    }
}
