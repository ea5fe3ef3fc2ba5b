//! Laws of semidirect products, over concurrent messages of a history, what acts on them, and states that
//! are reached.
//!
//! Source: the paper, section 3, and its notes on classes beyond two; the numbers are those of
//! [`crdt::Semidirect`].

use std::{fmt::Debug, ops::ControlFlow};

use crdt::{
    Event, Product, Semidirect, Stamp,
    catalogue::{Draw, VisitProduct},
    product::{Folding, Framed},
};

use super::{
    Broken, Law, Tried, cases,
    effects::{concurrent, delivered, sets},
    term,
};
use crate::replicated::history::{self, History, Proposal};

const L0: Law = Law { name: "L0", says: "x(x'(s)) = x'(x(s)), of one class" };
const L1: Law = Law { name: "L1", says: "y(x(s)) = (y ▷ x)(y(s))" };
const L2: Law =
    Law { name: "L2", says: "y ▷ (y' ▷ x) = y' ▷ (y ▷ x), y and y' of one class" };
const L3: Law = Law { name: "L3", says: "y ▷ x is of the class of x, or nothing" };
const L4: Law = Law { name: "L4", says: "z ▷ (y ▷ x) = (z ▷ y) ▷ (z ▷ x)" };
const L5: Law =
    Law { name: "L5", says: "(y + y') ▷ x = y' ▷ (y ▷ x), and nothing ▷ x = x" };
const PARTS: Law = Law { name: "L5-parts", says: "(whole - part) ▷ (part ▷ x) = whole ▷ x" };
const FRAME: Law = Law { name: "frame", says: "a frame turned by y acts as y" };
const INVERSE: Law = Law { name: "frame-inverse", says: "f⁻¹ ▷ (f ▷ x) = x" };
const TURNS: Law =
    Law { name: "frame-turns", says: "f turned by y and y' is f turned by y' and y" };
const SEEN: Law = Law { name: "frame-seen", says: "f · x(s) = (f ▷ x)(f · s)" };

/// A message and its stamp.
type Stamped<M> = (Stamp, M);

/// Tries the laws of a semidirect product on histories.
#[derive(Debug)]
pub struct OfProducts<P> {
    /// Replicas of each history.
    pub replicas: u32,
    /// Operations of each history.
    pub operations: usize,
    /// How many histories.
    pub histories: u64,
    /// The seed of the first one.
    pub seed: u64,
    /// Is told how many there were, and may end it.
    pub progress: P,
}

/// What else is to be tried of an algebra: on a state, and on two messages of which the second's class is
/// the same or greater.
type More<'a, T> = &'a dyn Fn(
    &<T as Semidirect>::State,
    &Stamped<<T as Semidirect>::Message>,
    &Stamped<<T as Semidirect>::Message>,
    &mut Tried,
) -> Result<(), Box<Broken>>;

impl<P: FnMut(u64) -> ControlFlow<()>> VisitProduct for OfProducts<P> {
    type Out = Tried;

    fn scan<T: Semidirect + Clone>(self, kind: T, propose: Proposal<'_>) -> Tried {
        self.try_on(&kind, propose, &|_, _, _, _| Ok(()))
    }

    fn sums<T: Folding + Clone>(self, kind: T, propose: Proposal<'_>) -> Tried {
        self.try_on(&kind, propose, &|_, x, y, tried| of_sums(&kind, x, y, tried))
    }

    fn frame<T: Framed + Clone>(self, kind: T, propose: Proposal<'_>) -> Tried {
        self.try_on(&kind, propose, &|state, x, y, tried| of_frame(&kind, state, x, y, tried))
    }
}

impl<P: FnMut(u64) -> ControlFlow<()>> OfProducts<P> {
    fn try_on<T: Semidirect + Clone>(
        mut self,
        kind: &T,
        propose: Proposal<'_>,
        more: More<'_, T>,
    ) -> Tried {
        let product = Product(kind.clone());
        let check = |history: &History, tried: &mut Tried| match history::events(&product, history)
        {
            Ok(events) => of_events(&product, &events, more, tried),
            // Steps were taken away that others needed.
            Err(_) => Ok(()),
        };
        let draw = |draw: &mut Draw| {
            history::random(&product, propose, self.replicas, self.operations, draw)
        };
        let (count, seed) = (self.histories, self.seed);
        cases(count, seed, &mut self.progress, draw, History::smaller, check, History::told)
    }
}

/// Every two concurrent messages of `events`, as sent and as acted on by a third, at states that have both
/// their pasts; and every three.
fn of_events<T: Semidirect + Clone>(
    product: &Product<T>,
    events: &[Event<T::Message>],
    more: More<'_, T>,
    tried: &mut Tried,
) -> Result<(), Box<Broken>> {
    let kind = &product.0;
    for (one, other) in concurrent(events) {
        let class = |event: &Event<T::Message>| kind.class(&event.message);
        let (lesser, greater) =
            if class(one) <= class(other) { (one, other) } else { (other, one) };
        for set in sets(events, one, other) {
            // Whether messages are accepted is tried of every type.
            let Ok(state) = delivered(product, &set) else { continue };
            for x in forms(kind, events, lesser) {
                for y in forms(kind, events, greater) {
                    of_two(kind, &state.state, &x, &y, tried)?;
                    more(&state.state, &x, &y, tried)?;
                }
            }
        }
        let thirds = events.iter().filter(|third| third.concurrent(one) && third.concurrent(other));
        for third in thirds.filter(|third| class(third) >= class(greater)) {
            of_three(
                kind,
                [lesser, greater, third].map(|event| (event.stamp, &event.message)),
                tried,
            )?;
        }
    }
    Ok(())
}

/// A message as it was sent, and as each concurrent one of a greater class leaves it.
fn forms<T: Semidirect>(
    kind: &T,
    events: &[Event<T::Message>],
    event: &Event<T::Message>,
) -> Vec<Stamped<T::Message>> {
    let sent = (event.stamp, event.message.clone());
    let acting = events
        .iter()
        .filter(|by| by.concurrent(event) && kind.class(&by.message) > kind.class(&event.message));
    let acted =
        acting.filter_map(|by| Some((sent.0, kind.act((by.stamp, &by.message), sent.clone())?)));
    std::iter::once(sent.clone()).chain(acted).collect()
}

/// `y ▷ x`, where something is left of `x`.
fn act<T: Semidirect>(
    kind: &T,
    (stamp, y): &Stamped<T::Message>,
    x: &Option<Stamped<T::Message>>,
) -> Option<Stamped<T::Message>> {
    let x = x.clone()?;
    Some((x.0, kind.act((*stamp, y), x)?))
}

/// `state` after these, in this order.
fn after<'a, T: Semidirect>(
    kind: &T,
    state: &T::State,
    messages: impl IntoIterator<Item = &'a Stamped<T::Message>>,
) -> T::State
where
    T::Message: 'a,
{
    let mut state = state.clone();
    messages.into_iter().for_each(|(stamp, message)| kind.apply(&mut state, *stamp, message));
    state
}

fn of_two<T: Semidirect>(
    kind: &T,
    state: &T::State,
    x: &Stamped<T::Message>,
    y: &Stamped<T::Message>,
    tried: &mut Tried,
) -> Result<(), Box<Broken>> {
    let terms = |left: &dyn Debug, right: &dyn Debug| {
        vec![
            term("s", state),
            term("x", &x.1),
            term("y", &y.1),
            term("left", &left),
            term("right", &right),
        ]
    };
    if kind.class(&x.1) == kind.class(&y.1) {
        let (left, right) = (after(kind, state, [y, x]), after(kind, state, [x, y]));
        return tried.law(L0, left == right, || terms(&left, &right));
    }
    let acted = act(kind, y, &Some(x.clone()));
    let keeps = acted.as_ref().is_none_or(|(_, message)| kind.class(message) == kind.class(&x.1));
    tried.law(L3, keeps, || vec![term("x", &x.1), term("y", &y.1), term("y ▷ x", &acted)])?;
    let (left, right) =
        (after(kind, state, [x, y]), after(kind, state, [y].into_iter().chain(&acted)));
    tried.law(L1, left == right, || terms(&left, &right))
}

/// Three in order of their classes.
fn of_three<T: Semidirect>(
    kind: &T,
    three: [(Stamp, &T::Message); 3],
    tried: &mut Tried,
) -> Result<(), Box<Broken>> {
    let [x, y, z] = three.map(|(stamp, message)| (stamp, message.clone()));
    let [first, second, third] = [&x, &y, &z].map(|one| kind.class(&one.1));
    if first == second {
        return Ok(());
    }
    let (law, left, right) = if second == third {
        let both = |one, other| act(kind, one, &act(kind, other, &Some(x.clone())));
        (L2, both(&y, &z), both(&z, &y))
    } else {
        let left = act(kind, &z, &act(kind, &y, &Some(x.clone())));
        let moved = act(kind, &z, &Some(x.clone()));
        let right = match act(kind, &z, &Some(y.clone())) {
            Some(y) => act(kind, &y, &moved),
            None => moved,
        };
        (L4, left, right)
    };
    tried.law(law, left == right, || {
        vec![
            term("x", &x.1),
            term("y", &y.1),
            term("z", &z.1),
            term("left", &left),
            term("right", &right),
        ]
    })
}

/// Of sums of `y`, which add up with themselves here.
fn of_sums<T: Folding>(
    kind: &T,
    x: &Stamped<T::Message>,
    y: &Stamped<T::Message>,
    tried: &mut Tried,
) -> Result<(), Box<Broken>> {
    if kind.class(&y.1) == 0 {
        return Ok(());
    }
    if kind.class(&x.1) > 0 {
        // Two that act: what one of them leaves of the sum of both is the other.
        let part = kind.plus(kind.nothing(), &x.1);
        let whole = kind.plus(part, &y.1);
        let left = kind.difference(whole, part);
        let right = kind.plus(kind.nothing(), &y.1);
        return tried.law(PARTS, left == right, || {
            vec![
                term("part", &part),
                term("whole", &whole),
                term("left", &left),
                term("right", &right),
            ]
        });
    }
    let sum = kind.plus(kind.plus(kind.nothing(), &y.1), &y.1);
    let left = Some((x.0, kind.act_all(sum, x.1.clone())));
    let right = act(kind, y, &act(kind, y, &Some(x.clone())));
    let none = kind.act_all(kind.nothing(), x.1.clone());
    tried.law(L5, left == right && none == x.1, || {
        vec![
            term("x", &x.1),
            term("y", &y.1),
            term("left", &left),
            term("right", &right),
            term("nothing ▷ x", &none),
        ]
    })
}

/// Of frames; messages are read as if they were in terms of the first frame.
fn of_frame<T: Framed>(
    kind: &T,
    state: &T::State,
    x: &Stamped<T::Message>,
    y: &Stamped<T::Message>,
    tried: &mut Tried,
) -> Result<(), Box<Broken>> {
    if kind.class(&y.1) == 0 {
        return Ok(());
    }
    let frame = kind.turned(kind.identity(), &y.1);
    let terms = |left: &dyn Debug, right: &dyn Debug| {
        vec![
            term("s", state),
            term("x", &x.1),
            term("y", &y.1),
            term("left", &left),
            term("right", &right),
        ]
    };
    let back = kind.act_by(kind.inverse(frame), kind.act_by(frame, x.1.clone()));
    tried.law(INVERSE, back == x.1, || terms(&back, &x.1))?;
    let seen = kind.through(frame, state);
    let meant = (x.0, kind.act_by(frame, x.1.clone()));
    let right = after(kind, &seen, [&meant]);
    if kind.class(&x.1) == 0 {
        let acted = act(kind, y, &Some(x.clone()));
        tried.law(FRAME, acted.as_ref() == Some(&meant), || terms(&meant, &acted))?;
        let left = kind.through(frame, &after(kind, state, [x]));
        return tried.law(SEEN, left == right, || terms(&left, &right));
    }
    let turned = kind.turned(frame, &x.1);
    let left = kind.through(turned, state);
    tried.law(SEEN, left == right, || terms(&left, &right))?;
    let other = kind.turned(kind.turned(kind.identity(), &x.1), &y.1);
    tried.law(TURNS, turned == other, || terms(&turned, &other))
}
