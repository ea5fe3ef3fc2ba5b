//! Path independence: whichever edges take a state or a message from one release to another, it must come
//! out the same. A node that skips a release ends where the others are.

use std::sync::Arc;

use app::{Body, Meter, Outgoing, Program};

use super::{Broken, End, FUEL, Release, Seen, Way};

/// More chains than any app here has; further ones are left out.
const CHAINS_MAX: usize = 64;

/// Edges to apply, one after the other.
#[derive(Clone)]
pub struct Chain {
    /// Whose edges, and which, such as `2.0.0#0 3.0.0#1`.
    pub name: String,
    legs: Vec<(Arc<dyn Program>, usize)>,
}

impl Chain {
    fn migrate(&self, state: &[u8]) -> Result<Vec<u8>, String> {
        let mut meter = Meter::new(FUEL);
        let leg = |state: Vec<u8>, (program, edge): &(Arc<dyn Program>, usize)| {
            program.migrate(*edge, &state, &mut meter).map_err(|fault| fault.to_string())
        };
        self.legs.iter().try_fold(state.to_vec(), leg)
    }

    fn convert(&self, body: &Body) -> Result<Body, String> {
        let leg = |body: Body, (program, edge): &(Arc<dyn Program>, usize)| {
            program.convert(*edge, &body).map_err(|fault| fault.to_string())
        };
        self.legs.iter().try_fold(body.clone(), leg)
    }
}

/// Chains from the older release's schema to the newer one's.
pub(crate) fn of_states(way: &Way, good: &[Release]) -> Vec<Chain> {
    let ends = |program: &dyn Program, edge: usize| {
        let edge = &program.manifest().edges[edge];
        (edge.from_state, edge.to_state)
    };
    let schema = |release: &Release| release.program.manifest().state.id();
    let own = way.states.edges();
    chains(way, good, own, schema(&way.from), schema(&way.to), &ends)
}

/// Chains from the older release's class to the newer one's.
pub(crate) fn of_messages(way: &Way, good: &[Release]) -> Vec<Chain> {
    let ends = |program: &dyn Program, edge: usize| {
        let edge = &program.manifest().edges[edge];
        (edge.from_class.to_owned(), edge.to_class.to_owned())
    };
    let class = |release: &Release| release.class.to_string();
    let own = way.messages.edges();
    chains(way, good, own, class(&way.from), class(&way.to), &ends)
}

/// By place in a list of releases: whose edge, and which.
type Legs = Vec<(usize, usize)>;

/// Every chain from `from` to `to` that meets nothing twice, over the edges of the releases in between in
/// their order; the newer release's own first.
fn chains<T: PartialEq + Clone>(
    way: &Way,
    good: &[Release],
    own: &[u32],
    from: T,
    to: T,
    ends: &dyn Fn(&dyn Program, usize) -> (T, T),
) -> Vec<Chain> {
    let between = |one: &&Release| way.from.version < one.version && one.version < way.to.version;
    let releases: Vec<&Release> = good.iter().filter(between).chain([&way.to]).collect();
    let edges: Vec<(usize, usize, T, T)> = releases
        .iter()
        .enumerate()
        .flat_map(|(at, release)| {
            let count = release.program.manifest().edges.len();
            (0..count).map(move |edge| {
                let (from, to) = ends(&*release.program, edge);
                (at, edge, from, to)
            })
        })
        .collect();
    let mut found: Vec<Legs> =
        vec![own.iter().map(|edge| (releases.len() - 1, *edge as usize)).collect()];
    let mut open: Vec<(Legs, Vec<T>)> = vec![(Legs::new(), vec![from])];
    while let Some((legs, met)) = open.pop() {
        if met.last() == Some(&to) {
            if !found.contains(&legs) && found.len() < CHAINS_MAX {
                found.push(legs);
            }
            continue;
        }
        let least = legs.last().map_or(0, |(release, _)| *release);
        for (release, edge, from, to) in edges.iter().rev() {
            if *release >= least && met.last() == Some(from) && !met.contains(to) {
                let legs = [&legs[..], &[(*release, *edge)]].concat();
                open.push((legs, [&met[..], std::slice::from_ref(to)].concat()));
            }
        }
    }
    let named = |legs: Legs| {
        let names = legs.iter().map(|(at, edge)| format!("{}#{edge}", releases[*at].name));
        let name = names.collect::<Vec<_>>().join(" ");
        let leg = |(at, edge): (usize, usize)| (Arc::clone(&releases[at].program), edge);
        Chain { name, legs: legs.into_iter().map(leg).collect() }
    };
    found.into_iter().map(named).collect()
}

/// Two chains that do not agree on a state.
pub(crate) fn stray(chains: &[Chain], state: &[u8]) -> Option<Box<[End; 2]>> {
    differ(chains, &|chain| chain.migrate(state), &|one, other| one == other)
}

/// Two chains that do not agree on the state of `seen`, on what came, or on what was sent.
///
/// A message that one chain refuses and another takes is refused by a release on the way: the square of
/// that release says whether that matters.
pub(crate) fn disagree(states: &[Chain], messages: &[Chain], seen: &Seen) -> Option<Broken> {
    if let Some(ends) = stray(states, &seen.after) {
        return Some(Broken::Paths { message: None, ends });
    }
    let sent = seen.said.iter().flatten().filter_map(|outgoing| match outgoing {
        Outgoing::Send { body, .. } | Outgoing::Broadcast { body } => Some(body),
        Outgoing::Reply { .. } => None,
    });
    seen.body().into_iter().chain(sent).find_map(|body| {
        let convert = |chain: &Chain| {
            let converted = chain.convert(body);
            converted.map(|body| [&body.tag.to_be_bytes()[..], &body.bytes].concat())
        };
        let alike = |one: &Ended, other: &Ended| one.is_err() || other.is_err() || one == other;
        let ends = differ(messages, &convert, &alike)?;
        Some(Broken::Paths { message: Some(body.clone()), ends })
    })
}

/// What a chain leads to. Errors: why it cannot be taken along.
type Ended = Result<Vec<u8>, String>;

fn differ(
    chains: &[Chain],
    take: &dyn Fn(&Chain) -> Ended,
    alike: &dyn Fn(&Ended, &Ended) -> bool,
) -> Option<Box<[End; 2]>> {
    let (first, others) = chains.split_first().filter(|(_, others)| !others.is_empty())?;
    let here = take(first);
    others.iter().find_map(|other| {
        let there = take(other);
        let end = |chain: &Chain, end: &Ended| End { chain: chain.name.clone(), end: end.clone() };
        (!alike(&here, &there)).then(|| Box::new([end(first, &here), end(other, &there)]))
    })
}
