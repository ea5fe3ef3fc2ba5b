//! The semidirect products among the types, and by what their algebra lets them be carried out.

use super::{Draw, Listed, no_type, started};
use crate::{
    Op, Product, Refused, Semidirect, Value,
    product::{
        Aggregate, Folding, Frame, Framed,
        planted::{Bug, Planted},
    },
    types::{Bounds, OddRegister, Register, Reversible, Shapes, SignedRegister, Tropical},
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
