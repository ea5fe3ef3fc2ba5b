//! A basket as values of a schema.

use std::collections::BTreeMap;

use causal::{Clock, Dot, Event, Stamp};
use contract::Malformed;
use crdt::{
    Product,
    types::{Element, Register, RegisterOp, Registers},
};

use crate::{
    Fault, Meter,
    native::{
        replicated::{History, refused},
        typed::{Table, Typed},
    },
    schema::Schema,
};

/// A price as some line writes it, and what it was when the item was put in.
pub(super) trait Priced: Typed {
    fn new(start: i64, price: i64) -> Self;

    fn start(&self) -> i64;

    fn price(&self) -> i64;
}

/// A change of a price as some line writes it.
pub(super) trait Change: Typed {
    fn of(operation: RegisterOp) -> Self;

    fn operation(&self) -> RegisterOp;
}

/// A change of each item, which items put in concurrently take on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Each<C> {
    /// What its origin had delivered.
    past: Clock,
    change: C,
}

/// The state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept<P, C> {
    items: Table<Dot, P>,
    /// By item: factors that act on additions to come, where there are any.
    factors: Table<Dot, History<i64>>,
    /// What was taken out, and first when, as long as others may name it.
    taken: Table<Dot, Stamp>,
    each: History<Each<C>>,
}

const fn register(start: i64) -> Product<Register> {
    Product(Register { start })
}

impl<P: Priced, C: Change> Kept<P, C> {
    pub(super) fn of(state: &Registers) -> Self {
        let factor = |(stamp, message): (Stamp, &RegisterOp)| match *message {
            RegisterOp::Multiply(by) => (stamp, by),
            RegisterOp::Add(_) => unreachable!("an addition acts on nothing"),
        };
        let (mut items, mut factors) = (Table::default(), Table::default());
        let mut taken = Table::default();
        for (name, element) in &state.elements {
            match element {
                Element::Alive { start, register } => {
                    items.insert(name, P::new(*start, register.state));
                    if register.kept() > 0 {
                        factors.insert(name, register.history().map(factor).collect());
                    }
                }
                Element::Deleted(first) => _ = taken.insert(name, *first),
            }
        }
        let each = state.history().iter().map(|event| {
            (event.stamp, Each { past: event.past.clone(), change: C::of(event.message) })
        });
        Self { items, factors, taken, each: each.collect() }
    }

    /// Errors: [`Fault::Malformed`] where an item is there and taken out, or factors are of none.
    pub(super) fn registers(mut self) -> Result<Registers, Fault> {
        const NAMES: Fault = Fault::Malformed("state: names");
        let taken = self.taken.take_where(|_| true).into_iter();
        let mut elements: BTreeMap<_, _> =
            taken.map(|(name, first)| (name, Element::Deleted(first))).collect();
        for (name, priced) in self.items.take_where(|_| true) {
            let start = priced.start();
            let history = self.factors.remove(&name).unwrap_or_default();
            let history = history.map(RegisterOp::Multiply);
            let register = register(start).restored(priced.price(), history).map_err(refused)?;
            if elements.insert(name, Element::Alive { start, register }).is_some() {
                return Err(NAMES);
            }
        }
        if self.factors.len() > 0 {
            return Err(NAMES);
        }
        let event = |(stamp, Each { past, change }): (Stamp, Each<C>)| Event {
            stamp,
            past,
            message: change.operation(),
        };
        Registers::restored(elements, self.each.into_iter().map(event).collect()).map_err(refused)
    }

    /// The same basket in units of another line, of which one of this has so many; a unit of the meter
    /// for each item.
    pub(super) fn lift<Q: Priced, D: Change>(
        self,
        meter: &mut Meter,
        units: i64,
    ) -> Result<Kept<Q, D>, Fault> {
        meter.spend(1 + (self.items.len() + self.taken.len() + self.each.len()) as u64)?;
        let price =
            |old: P| Q::new(old.start().wrapping_mul(units), old.price().wrapping_mul(units));
        let change = |Each { past, change }: Each<C>| Each {
            past,
            change: D::of(scaled(change.operation(), units)),
        };
        Ok(Kept {
            items: self.items.map(price),
            factors: self.factors,
            taken: self.taken,
            each: self.each.map(change),
        })
    }
}

/// The same change in other units, of which one has so many.
pub(super) const fn scaled(operation: RegisterOp, units: i64) -> RegisterOp {
    match operation {
        RegisterOp::Add(by) => RegisterOp::Add(by.wrapping_mul(units)),
        RegisterOp::Multiply(by) => RegisterOp::Multiply(by),
    }
}

/// The last operation of each origin, ascending by origin.
impl Typed for Clock {
    fn schema() -> Schema {
        Schema::list(Dot::schema())
    }

    fn put(&self, out: &mut Vec<u8>) {
        self.iter().collect::<Vec<_>>().put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let dots = Vec::<Dot>::take(bytes)?;
        let named = dots.iter().all(|last| last.seq > 0);
        if named && dots.is_sorted_by(|a, b| a.origin < b.origin) {
            Ok(dots.into_iter().collect())
        } else {
            Err(Malformed("the origins of a clock, ascending"))
        }
    }
}

impl<C: Typed> Typed for Each<C> {
    fn schema() -> Schema {
        Schema::record([(1, "past", Clock::schema()), (2, "change", C::schema())])
    }

    fn put(&self, out: &mut Vec<u8>) {
        self.past.put(out);
        self.change.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(Self { past: Clock::take(bytes)?, change: C::take(bytes)? })
    }
}

impl<P: Typed, C: Typed> Typed for Kept<P, C> {
    fn schema() -> Schema {
        Schema::record([
            (1, "items", Table::<Dot, P>::schema()),
            (2, "factors", Table::<Dot, History<i64>>::schema()),
            (3, "taken", Table::<Dot, Stamp>::schema()),
            (4, "each", History::<Each<C>>::schema()),
        ])
    }

    fn put(&self, out: &mut Vec<u8>) {
        self.items.put(out);
        self.factors.put(out);
        self.taken.put(out);
        self.each.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(Self {
            items: Table::take(bytes)?,
            factors: Table::take(bytes)?,
            taken: Table::take(bytes)?,
            each: History::take(bytes)?,
        })
    }
}
