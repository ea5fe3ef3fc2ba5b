//! The semidirect product: classes of operations of which each acts on the concurrent ones of the classes
//! below it.
//!
//! Classes stand in arbitration order: an operation of class i goes "before" a concurrent one of class
//! j > i. It does so without being undone: whichever of the two arrives later, the one of class i is
//! *acted on* by the other, `y ▷ x`, and the result is carried out.
//!
//! The history holds messages of class 1 and up in *normal form*: acted on by everything of a greater class
//! that arrived since, concurrent or not. A new message is acted on by the concurrent history, greatest class
//! first. Acting in ascending order, or with untouched originals, diverges from three classes on.
//!
//! What a type's algebra allows decides how it is carried out, the fastest first: by its [`Frame`] where what
//! acts can be undone, by sums ([`Aggregate`]) where what acts adds up, by a scan of the history ([`Product`])
//! always. The catalogue takes the first that there is.
//! Source: the paper, section 4; "multiple" products: the authors' prototype.

use std::fmt::Debug;

mod aggregate;
mod frame;
pub mod planted;

pub use aggregate::{Aggregate, Folding, Summed};
pub use frame::{Frame, Framed, Kept};

use crate::{At, Clock, Log, Op, Refused, Stamp, Value};

/// Operations in classes, of which the greater act on the lesser.
///
/// Laws, for messages that can be concurrent and states that can be reached (`x`, `y`, `z` of ascending
/// classes; primes: the same class). L0: concurrent `x`, `x'` commute. L1: `y(x(s)) = (y ▷ x)(y(s))`. L2:
/// `y ▷ (y' ▷ x) = y' ▷ (y ▷ x)`. L3: `y ▷ x` is of x's class, or nothing. L4: `z ▷ (y ▷ x) = (z ▷ y) ▷ (z ▷ x)`.
pub trait Semidirect {
    /// How many classes there are.
    const CLASSES: usize;
    /// See [`Op::Operation`].
    type Operation: Clone + Debug + PartialEq + 'static;
    /// See [`Op::Message`].
    type Message: Clone + Debug + PartialEq + 'static;
    /// What the messages change, without history.
    type State: Clone + Debug + PartialEq + 'static;

    /// See [`Op::initial`].
    fn initial(&self) -> Self::State;

    /// See [`Op::prepare`].
    fn prepare(
        &self,
        state: &Self::State,
        operation: &Self::Operation,
        stamp: Stamp,
    ) -> Result<Self::Message, Refused>;

    /// Whether any honest origin can send `message`. See [`Op::effect`].
    fn admit(&self, state: &Self::State, message: &Self::Message) -> Result<(), Refused>;

    /// Whether `message` names as new only what the origin of `stamp` may name. See [`Op::effect`].
    fn owns(&self, stamp: Stamp, message: &Self::Message) -> Result<(), Refused> {
        let _ = (stamp, message);
        Ok(())
    }

    /// The class of `message`, below [`Self::CLASSES`].
    fn class(&self, message: &Self::Message) -> usize;

    /// Carries out `message`, which was acted on by all that acts on it.
    fn apply(&self, state: &mut Self::State, stamp: Stamp, message: &Self::Message);

    /// `y ▷ x`: what is left of `x` beside the concurrent `y` of a greater class; `None`: nothing.
    fn act(&self, y: (Stamp, &Self::Message), x: (Stamp, Self::Message)) -> Option<Self::Message>;

    /// See [`Op::value`].
    fn value(&self, state: &Self::State) -> Value;

    /// See [`Op::parse`].
    fn parse(&self, operation: &Value) -> Result<Self::Operation, Refused>;
}

/// A semidirect product by history scan: right for every action, and linear in the concurrent history.
#[derive(Clone, Debug)]
pub struct Product<T>(pub T);

/// A state, and the messages that may still act on concurrent ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Acting<S, M> {
    /// What the messages have made of it.
    pub state: S,
    /// By class above 0: messages in normal form, causes first.
    history: Vec<Vec<(Stamp, M)>>,
}

impl<S, M> Acting<S, M> {
    /// How many messages are kept to act on others.
    pub fn kept(&self) -> usize {
        self.history.iter().map(Vec::len).sum()
    }

    /// What is kept to act on others, in normal form, causes first whatever the class.
    pub fn history(&self) -> impl Iterator<Item = (Stamp, &M)> {
        let mut entries: Vec<_> = self.history.iter().flatten().collect();
        entries.sort_unstable_by_key(|(stamp, _)| *stamp);
        entries.into_iter().map(|(stamp, message)| (*stamp, message))
    }
}

impl<T: Semidirect> Product<T> {
    /// The state that has `history`, which is as [`Acting::history`] gives it.
    ///
    /// Errors: [`Refused`] where it is in another order, or a message of it acts on nothing.
    pub fn restored(
        &self,
        state: T::State,
        history: impl IntoIterator<Item = (Stamp, T::Message)>,
    ) -> Result<Acting<T::State, T::Message>, Refused> {
        let mut restored = Acting { state, ..self.initial() };
        let mut last = None;
        for (stamp, message) in history {
            if last >= Some(stamp) {
                let found = format!("{} after what it precedes", stamp.dot);
                return Err(Refused::Unknown { expected: "history in order of stamps", found });
            }
            last = Some(stamp);
            let Some(above) = self.0.class(&message).checked_sub(1) else {
                let found = format!("{message:?}");
                return Err(Refused::Unknown { expected: "a message that acts on others", found });
            };
            restored.history[above].push((stamp, message));
        }
        Ok(restored)
    }
}

impl<T: Semidirect> Product<T> {
    /// `message` as the concurrent history leaves it; `None`: nothing is left.
    fn acted(
        &self,
        history: &[Vec<(Stamp, T::Message)>],
        at: At<'_>,
        message: &T::Message,
    ) -> Option<T::Message> {
        let class = self.0.class(message);
        let mut left = message.clone();
        for entries in history[class..].iter().rev() {
            for (stamp, entry) in entries {
                if !at.past.covers(stamp.dot) {
                    left = self.0.act((*stamp, entry), (at.stamp, left))?;
                }
            }
        }
        Some(left)
    }
}

impl<T: Semidirect> Op for Product<T> {
    type Operation = T::Operation;
    type Message = T::Message;
    type State = Acting<T::State, T::Message>;

    fn initial(&self) -> Self::State {
        let history = (1..T::CLASSES).map(|_| Vec::new()).collect();
        Acting { state: self.0.initial(), history }
    }

    fn prepare(
        &self,
        state: &Self::State,
        operation: &T::Operation,
        stamp: Stamp,
    ) -> Result<T::Message, Refused> {
        self.0.prepare(&state.state, operation, stamp)
    }

    fn effect(
        &self,
        state: &mut Self::State,
        at: At<'_>,
        message: &T::Message,
    ) -> Result<(), Refused> {
        self.0.admit(&state.state, message)?;
        self.0.owns(at.stamp, message)?;
        let Some(message) = self.acted(&state.history, at, message) else { return Ok(()) };
        self.0.apply(&mut state.state, at.stamp, &message);
        let class = self.0.class(&message);
        for entries in state.history[..class.saturating_sub(1)].iter_mut() {
            // What of the lesser classes acts from now on must act as if it stood before this one.
            let acted = |(stamp, entry): (Stamp, T::Message)| {
                Some((stamp, self.0.act((at.stamp, &message), (stamp, entry))?))
            };
            *entries = std::mem::take(entries).into_iter().filter_map(acted).collect();
        }
        if let Some(above) = class.checked_sub(1) {
            let entries = &mut state.history[above];
            let place = entries.partition_point(|(stamp, _)| *stamp < at.stamp);
            entries.insert(place, (at.stamp, message));
        }
        Ok(())
    }

    fn value(&self, state: &Self::State) -> Value {
        self.0.value(&state.state)
    }

    fn forget(&self, state: &mut Self::State, stable: &Clock) {
        for entries in &mut state.history {
            entries.retain(|(stamp, _)| !stable.covers(stamp.dot));
        }
    }

    fn meaning(&self, log: &Log<'_, T::Message>) -> Value {
        closed_form(&self.0, log)
    }

    fn parse(&self, operation: &Value) -> Result<T::Operation, Refused> {
        self.0.parse(operation)
    }
}

/// What `log` means: the normal form of a message is what all of greater classes that does not precede it
/// leaves of it; the greatest class goes first, causes first in each.
/// Source: the paper, section 3; it asks of L1, L2 and L4 that they hold for causally later `y` too.
fn closed_form<T: Semidirect>(kind: &T, log: &Log<'_, T::Message>) -> Value {
    let mut state = kind.initial();
    // The greatest class stays in front.
    let mut acting: Vec<(Stamp, T::Message)> = Vec::new();
    for class in (0..T::CLASSES).rev() {
        let mut normal = Vec::new();
        for event in log.iter().filter(|event| kind.class(&event.message) == class) {
            let mut others = acting.iter().filter(|(stamp, _)| !event.past.covers(stamp.dot));
            let left = others.try_fold(event.message.clone(), |left, (stamp, by)| {
                kind.act((*stamp, by), (event.stamp, left))
            });
            if let Some(left) = left {
                kind.apply(&mut state, event.stamp, &left);
                normal.push((event.stamp, left));
            }
        }
        acting.extend(normal);
    }
    kind.value(&state)
}
