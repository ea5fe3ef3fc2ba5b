//! What each checker sees of each planted bug: the table by which the checkers are judged.

use crdt::{
    Clock, Event, Join, Log, Op, Value,
    catalogue::{self, Draw, VisitJoin, VisitPlanted},
    join::planted::JoinBug,
};

use super::{Stability, Tried, of_collection, of_effects, of_joins};
use crate::replicated::{
    Erased,
    history::{self, Proposal},
    lattice::{Strictness, converges},
    to_the_end,
};

/// Replicas and operations of each history.
const SIZE: (u32, usize) = (3, 6);

/// Orders of a history in which plain convergence is looked for.
const ORDERS: usize = 10;

/// What found a bug: the number of the first history, from 1, in which it did.
pub type Found = Option<u64>;

/// A planted bug, and what each checker sees of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The bug.
    pub bug: &'static str,
    /// The type that it was planted in.
    pub kind: &'static str,
    /// Replicas that delivered all of a history, in ten orders at random, show the same (C1).
    pub values: Found,
    /// All orders lead to one state, over the lattice of closed sets (C5).
    pub states: Found,
    /// What is shown on the way is what the type means (C2).
    pub meaning: Found,
    /// Laws of effects, joins and deltas (C3, C4).
    pub laws: Found,
    /// A shadow that never forgets shows the same (C10).
    pub collection: Found,
}

impl Row {
    /// What each checker found, by its name.
    pub fn found(&self) -> [(&'static str, Found); 5] {
        [
            ("values", self.values),
            ("states", self.states),
            ("meaning", self.meaning),
            ("laws", self.laws),
            ("collection", self.collection),
        ]
    }
}

/// Types in which bugs of any semidirect product are planted: of two classes, and of four.
const PRODUCTS: [&str; 2] = ["int_add_mult", "int_min_max_add_mult"];

/// What goes wrong between three classes alone.
const OF_THREE: [&str; 2] = ["ascending", "keeps-originals"];

/// Every planted bug, in each type that has it. A checker that has not found it after `histories` of them
/// has not found it.
pub fn table(histories: u64) -> Vec<Row> {
    let each = catalogue::bugs().flat_map(|(bug, kind)| {
        let products = if OF_THREE.contains(&bug) { &PRODUCTS[1..] } else { &PRODUCTS };
        let kinds = kind.map_or(products.to_vec(), |kind| vec![kind]);
        kinds.into_iter().map(move |kind| row(bug, kind, histories))
    });
    each.collect()
}

/// What each checker sees of `bug` in `kind`.
fn row(bug: &'static str, kind: &'static str, histories: u64) -> Row {
    let looked = catalogue::visit_bug(kind, &Value::Null, bug, Look(histories));
    let mut row = looked.expect("a bug is planted in the types that have it");
    if let Some((.., bug)) = JoinBug::ALL.iter().find(|(name, ..)| *name == bug) {
        let by_states = catalogue::visit_planted_join(*bug, Look(histories));
        row.laws = [row.laws, by_states].into_iter().flatten().min();
    }
    Row { bug, kind, ..row }
}

struct Look(u64);

impl VisitJoin for Look {
    type Out = Found;

    fn visit<T: Join>(self, kind: T, propose: &dyn Fn(&Value, &mut Draw) -> Value) -> Found {
        when(&of_joins(&kind, propose, self.0, 1, &mut to_the_end))
    }
}

impl VisitPlanted for Look {
    type Out = Row;

    fn visit<T: Op>(self, kind: T, propose: &dyn Fn(&Value, &mut Draw) -> Value) -> Row {
        let kind = &Erased::new(&kind);
        let scope = (self.0, 1);
        let collects = of_collection(kind, propose, SIZE, scope, Stability::OfAll, &mut to_the_end);
        Row {
            bug: "",
            kind: "",
            values: first(kind, propose, self.0, |events, draw| agree(kind, events, draw)),
            states: first(kind, propose, self.0, |events, _| {
                converges(kind, events, Strictness::States)
            }),
            meaning: first(kind, propose, self.0, |events, draw| means(kind, events, draw)),
            laws: when(&of_effects(kind, propose, SIZE, scope, &mut to_the_end)),
            collection: when(&collects),
        }
    }
}

fn when(tried: &Tried) -> Found {
    tried.broken.as_ref().map(|_| tried.cases)
}

/// The number of the first history that is not well.
fn first<T: Op>(
    kind: &T,
    propose: Proposal<'_>,
    histories: u64,
    is_well: impl Fn(&[Event<T::Message>], &mut Draw) -> bool,
) -> Found {
    (1..=histories).find(|seed| {
        let mut draw = Draw(*seed);
        let history = history::random(kind, propose, SIZE.0, SIZE.1, &mut draw);
        // What a broken type refuses of its own, it has got wrong.
        !history::events(kind, &history).is_ok_and(|events| is_well(&events, &mut draw))
    })
}

/// Whether what is shown after all of `events` is the same whatever their order was.
fn agree<T: Op>(kind: &T, events: &[Event<T::Message>], draw: &mut Draw) -> bool {
    let mut shown = (0..ORDERS).map(|_| delivered(kind, events, draw, |_, _| true));
    let first = shown.next().expect("there is more than one order");
    first.is_some() && shown.all(|other| other == first)
}

/// Whether what is shown in some order is always what the type means.
fn means<T: Op>(kind: &T, events: &[Event<T::Message>], draw: &mut Draw) -> bool {
    let shown = delivered(kind, events, draw, |value, so_far| {
        let log = Log::new(events.iter().filter(|event| so_far.covers(event.stamp.dot)));
        *value == kind.meaning(&log)
    });
    shown.is_some()
}

/// What is shown after all of `events` in some order; `None`: one was refused, or something was shown that
/// `is_well` says no to.
fn delivered<T: Op>(
    kind: &T,
    events: &[Event<T::Message>],
    draw: &mut Draw,
    is_well: impl Fn(&Value, &Clock) -> bool,
) -> Option<Value> {
    let (mut state, mut clock) = (kind.initial(), Clock::new());
    for _ in 0..events.len() {
        let ready = events
            .iter()
            .filter(|event| !clock.covers(event.stamp.dot) && clock.covers_all(&event.past));
        let event = draw.pick(&ready.collect::<Vec<_>>());
        kind.effect(&mut state, event.at(), &event.message).ok()?;
        clock.advance(event.stamp.dot);
        if !is_well(&kind.value(&state), &clock) {
            return None;
        }
    }
    Some(kind.value(&state))
}
