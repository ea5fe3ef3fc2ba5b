//! The semidirect products among the types, and by what their algebra lets them be carried out.

use super::{Draw, Listed, VisitJoin, no_type, started, visit, visit_planted_join};
use crate::{
    Op, Product, Refused, Semidirect, Value,
    join::{Deltas, Join, planted::JoinBug},
    product::{
        Aggregate, Folding, Frame, Framed,
        planted::{Bug, Planted},
    },
    types::{
        Bounds, ObservedReset, OddRegister, Poll, Records, Register, ResetWins, Reversible, Shapes,
        SignedRegister, Tropical,
        planted::{DiscardsSwapped, FrameIgnored, PriorReachesAll, TypeBug},
    },
};

/// How a semidirect product is carried out. The first that its algebra allows is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// What acts can be undone: by its frame.
    Frame,
    /// What acts adds up: by sums.
    Sums,
    /// Always: by a scan of the history.
    Scan,
}

/// Who wants to do the same with semidirect products, whatever carries them out.
pub trait VisitProduct: Sized {
    /// What comes of it.
    type Out;

    /// Does it with a type of which no more is known; `propose` says what a user who sees a value might do.
    fn scan<T: Semidirect + Clone>(
        self,
        kind: T,
        propose: &dyn Fn(&Value, &mut Draw) -> Value,
    ) -> Self::Out;

    /// Does it with a type of which what acts adds up.
    fn sums<T: Folding + Clone>(
        self,
        kind: T,
        propose: &dyn Fn(&Value, &mut Draw) -> Value,
    ) -> Self::Out {
        self.scan(kind, propose)
    }

    /// Does it with a type of which what acts can be undone.
    fn frame<T: Framed + Clone>(
        self,
        kind: T,
        propose: &dyn Fn(&Value, &mut Draw) -> Value,
    ) -> Self::Out {
        self.scan(kind, propose)
    }
}

/// Who wants to do the same with types that have a bug.
pub trait VisitPlanted {
    /// What comes of it.
    type Out;

    /// Does it with `kind`; `propose` says what a user who sees a value might do.
    fn visit<T: Op>(self, kind: T, propose: &dyn Fn(&Value, &mut Draw) -> Value) -> Self::Out;
}

macro_rules! products {
    ($($kind:ty: $by:ident $engine:ident;)*) => {
        /// How the type called `name` is carried out; `None`: it is no semidirect product of this form.
        pub fn engine(name: &str) -> Option<Engine> {
            match name {
                $(<$kind>::NAME => Some(Engine::$engine),)*
                _ => None,
            }
        }

        /// Has `visitor` see the semidirect product called `name`, configured by `start`.
        ///
        /// Errors: [`Refused`] where there is none, or `start` is not for it.
        pub fn visit_product<V: VisitProduct>(
            name: &str,
            start: &Value,
            visitor: V,
        ) -> Result<V::Out, Refused> {
            match name {
                $(<$kind>::NAME => {
                    let listed: $kind = started(start)?;
                    Ok(visitor.$by(listed.0.clone(), &|value, draw| listed.proposal(value, draw)))
                })*
                _ => no_type(name),
            }
        }
    };
}

products! {
    Frame<OddRegister>: frame Frame;
    Frame<SignedRegister>: frame Frame;
    Frame<Shapes>: frame Frame;
    Frame<Reversible>: frame Frame;
    Aggregate<Register>: sums Sums;
    Aggregate<Tropical>: sums Sums;
    Product<Bounds>: scan Scan;
}

/// Has `visitor` see the type called `name` with a bug, configured by `start`.
///
/// Errors: [`Refused`] where there is no such semidirect product, or `start` is not for it.
pub fn visit_planted<V: VisitPlanted>(
    name: &str,
    start: &Value,
    bug: Bug,
    visitor: V,
) -> Result<V::Out, Refused> {
    struct Plant<V>(Bug, V);

    impl<V: VisitPlanted> VisitProduct for Plant<V> {
        type Out = V::Out;

        fn scan<T: Semidirect + Clone>(
            self,
            kind: T,
            propose: &dyn Fn(&Value, &mut Draw) -> Value,
        ) -> V::Out {
            self.1.visit(Planted { kind, bug: self.0 }, propose)
        }
    }

    visit_product(name, start, Plant(bug, visitor))
}

/// Every bug by name, and the type that it is planted in; `None`: in any semidirect product.
pub fn bugs() -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    let products = Bug::ALL.iter().map(|(name, _)| (*name, None));
    let types = TypeBug::ALL.iter().map(|(name, kind, _)| (*name, Some(*kind)));
    let joins = JoinBug::ALL.iter().map(|(name, kind, _)| (*name, Some(*kind)));
    products.chain(types).chain(joins)
}

/// Has `visitor` see the type called `name` with the bug called `bug`, a state-based one by deltas.
///
/// Errors: [`Refused`] where the type has no such bug, or `start` is not for it.
pub fn visit_bug<V: VisitPlanted>(
    name: &str,
    start: &Value,
    bug: &str,
    visitor: V,
) -> Result<V::Out, Refused> {
    struct ByDeltas<V>(V);

    impl<V: VisitPlanted> VisitJoin for ByDeltas<V> {
        type Out = V::Out;

        fn visit<T: Join>(self, kind: T, propose: &dyn Fn(&Value, &mut Draw) -> Value) -> V::Out {
            self.0.visit(Deltas(kind), propose)
        }
    }

    let is = |(known, kind): (&str, &str)| known == bug && kind == name;
    if let Some((.., bug)) = JoinBug::ALL.iter().find(|(known, kind, _)| is((known, kind))) {
        return Ok(visit_planted_join(*bug, ByDeltas(visitor)));
    }
    if let Some((.., bug)) = TypeBug::ALL.iter().find(|(known, kind, _)| is((known, kind))) {
        let propose = |value: &Value, draw: &mut Draw| {
            let proposal = visit(name, &Value::Null, Proposes(value, draw));
            proposal.expect("a bug is of a type that there is")
        };
        return match bug {
            TypeBug::FrameIgnored => Ok(visitor.visit(FrameIgnored, &propose)),
            TypeBug::PriorReachesAll => Ok(visitor.visit(PriorReachesAll, &propose)),
            TypeBug::RecordsAll => {
                Ok(visitor.visit(Poll { records: Records::WhoIsThere }, &propose))
            }
            TypeBug::DiscardsSwapped => {
                let listed: ResetWins<ObservedReset<Aggregate<Register>>> = started(start)?;
                Ok(visitor.visit(DiscardsSwapped(listed.inner), &propose))
            }
        };
    }
    match Bug::ALL.iter().find(|(known, _)| *known == bug) {
        Some((_, bug)) if engine(name).is_some() => visit_planted(name, start, *bug, visitor),
        _ => {
            let expected = "a bug that is planted in this type";
            Err(Refused::Unknown { expected, found: bug.to_owned() })
        }
    }
}

/// Asks a type what a user might do.
struct Proposes<'a>(&'a Value, &'a mut Draw);

impl super::Visit for Proposes<'_> {
    type Out = Value;

    fn visit<T: Listed>(self, kind: T) -> Value {
        kind.proposal(self.0, self.1)
    }
}
