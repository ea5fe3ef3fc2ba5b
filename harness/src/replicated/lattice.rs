//! Every delivery order of a history at once, over the lattice of its causally closed sets.
//!
//! Whatever order led to a set of delivered messages, the state must be the same; so one state is kept of each
//! set, and each message that is ready there is delivered to it. Two ways into one set that do not agree are
//! two diverging orders; if all agree, all orders agree at every step, by induction. There are far fewer sets
//! than orders: 756 edges against 3.5 million orders in the median history of 16 operations at 4 replicas.

use std::collections::BTreeMap;

use crdt::{Event, Log, Op, Refused, Value};

/// How far a sweep went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Covered {
    /// Causally closed sets.
    pub sets: u64,
    /// Deliveries from one set to the next.
    pub edges: u64,
    /// Delivery orders that are covered by this. Counting stops at the greatest number.
    pub orders: u128,
    /// Whether the sweep ended before all sets, at [`SETS_MAX`]; then no order is covered whole.
    pub cut: bool,
}

/// What a sweep found. Orders are of events by their place in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Two orders of the same messages lead to states that differ, and perhaps show different values.
    Diverges {
        /// The two.
        orders: [Vec<usize>; 2],
        /// What a user sees after each.
        values: [Value; 2],
    },
    /// All orders agree so far, but not on what the type means.
    Means {
        /// One of them.
        order: Vec<usize>,
        /// What a user sees.
        value: Value,
        /// What it should be.
        meaning: Value,
    },
    /// A message that an honest replica sent was refused.
    Refuses {
        /// After this order the last of it was.
        order: Vec<usize>,
        /// Why.
        why: Refused,
    },
}

/// Events that a sweep can take: sets of them are words.
pub const EVENTS_MAX: usize = 64;

/// Sets after which a sweep is cut short: wide histories have more of them than there is memory.
pub const SETS_MAX: u64 = 200_000;

/// What counts as a divergence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// States that differ, whatever they show: they may show it later.
    States,
    /// States that show different values. States that only differ are followed side by side.
    Values,
}

/// States of one set that differ and show alike, as many as are followed.
const VARIANTS_MAX: usize = 4;

/// A set that was reached, by one order.
struct Reached<S> {
    state: S,
    order: Vec<usize>,
}

/// All ways in which a set was reached that are told apart, and how many orders lead to it.
struct Place<S> {
    variants: Vec<Reached<S>>,
    orders: u128,
}

/// Sweeps the lattice of `events`, causes first, at most [`EVENTS_MAX`]; at each set compares with what the
/// type means.
pub fn sweep<T: Op>(
    kind: &T,
    events: &[Event<T::Message>],
    strictness: Strictness,
) -> Result<Covered, Box<Broken>> {
    sweep_up_to(SETS_MAX, kind, events, strictness)
}

/// As [`sweep`], cut short where there are more than `sets_max` sets.
pub fn sweep_up_to<T: Op>(
    sets_max: u64,
    kind: &T,
    events: &[Event<T::Message>],
    strictness: Strictness,
) -> Result<Covered, Box<Broken>> {
    explore(sets_max, kind, events, (strictness, true))
}

/// Whether all orders of `events` agree, on sense or on nonsense: what the type means is not asked.
pub fn converges<T: Op>(kind: &T, events: &[Event<T::Message>], strictness: Strictness) -> bool {
    explore(SETS_MAX, kind, events, (strictness, false)).is_ok()
}

fn explore<T: Op>(
    sets_max: u64,
    kind: &T,
    events: &[Event<T::Message>],
    (strictness, judged): (Strictness, bool),
) -> Result<Covered, Box<Broken>> {
    assert!(events.len() <= EVENTS_MAX, "sets of events are words");
    let before = |event: &Event<_>| {
        let precede = events.iter().enumerate().filter(|(_, other)| other.precedes(event));
        precede.fold(0u64, |set, (at, _)| set | 1 << at)
    };
    let causes: Vec<u64> = events.iter().map(before).collect();
    let first = Reached { state: kind.initial(), order: Vec::new() };
    let mut level = BTreeMap::from([(0u64, Place { variants: vec![first], orders: 1 })]);
    let mut covered = Covered::default();
    loop {
        let mut next: BTreeMap<u64, Place<T::State>> = BTreeMap::new();
        for (set, place) in &level {
            covered.sets += 1;
            let ready =
                (0..events.len()).filter(|at| set >> at & 1 == 0 && causes[*at] & !set == 0);
            let ready: Vec<usize> = ready.collect();
            covered.edges += ready.len() as u64;
            for (variant, reached) in place.variants.iter().enumerate() {
                if judged {
                    check(kind, events, reached)?;
                }
                for at in &ready {
                    let new = deliver(kind, events, reached, *at)?;
                    let into = next.entry(set | 1 << at).or_insert_with(Place::default);
                    into.take(kind, new, strictness)?;
                    if variant == 0 {
                        into.orders = into.orders.saturating_add(place.orders);
                    }
                }
            }
        }
        if next.is_empty() {
            covered.orders = level.values().map(|place| place.orders).sum();
            return Ok(covered);
        }
        if covered.sets + next.len() as u64 > sets_max {
            return Ok(Covered { cut: true, ..covered });
        }
        level = next;
    }
}

impl Broken {
    /// Whether two failures are of one kind.
    pub fn is_like(&self, other: &Self) -> bool {
        let shows = |broken: &Self| match broken {
            Self::Diverges { values: [one, other], .. } => Some(one != other),
            _ => None,
        };
        std::mem::discriminant(self) == std::mem::discriminant(other) && shows(self) == shows(other)
    }

    /// Whether states differ that show alike.
    pub fn is_hidden(&self) -> bool {
        matches!(self, Self::Diverges { values: [one, other], .. } if one == other)
    }
}

impl<S> Default for Place<S> {
    fn default() -> Self {
        Self { variants: Vec::new(), orders: 0 }
    }
}

impl<S: PartialEq> Place<S> {
    /// Another way to get here.
    fn take<T: Op<State = S>>(
        &mut self,
        kind: &T,
        new: Reached<S>,
        strictness: Strictness,
    ) -> Result<(), Box<Broken>> {
        if self.variants.iter().any(|known| known.state == new.state) {
            return Ok(());
        }
        if let Some(known) = self.variants.first() {
            let values = [kind.value(&known.state), kind.value(&new.state)];
            if strictness == Strictness::States || values[0] != values[1] {
                let orders = [known.order.clone(), new.order];
                return Err(Box::new(Broken::Diverges { orders, values }));
            }
        }
        if self.variants.len() < VARIANTS_MAX {
            self.variants.push(new);
        }
        Ok(())
    }
}

fn deliver<T: Op>(
    kind: &T,
    events: &[Event<T::Message>],
    reached: &Reached<T::State>,
    at: usize,
) -> Result<Reached<T::State>, Box<Broken>> {
    let mut order = reached.order.clone();
    order.push(at);
    let mut state = reached.state.clone();
    match kind.effect(&mut state, events[at].at(), &events[at].message) {
        Ok(()) => Ok(Reached { state, order }),
        Err(why) => Err(Box::new(Broken::Refuses { order, why })),
    }
}

fn check<T: Op>(
    kind: &T,
    events: &[Event<T::Message>],
    reached: &Reached<T::State>,
) -> Result<(), Box<Broken>> {
    let meaning = kind.meaning(&Log::new(reached.order.iter().map(|at| &events[*at])));
    let value = kind.value(&reached.state);
    if value == meaning {
        return Ok(());
    }
    Err(Box::new(Broken::Means { order: reached.order.clone(), value, meaning }))
}
