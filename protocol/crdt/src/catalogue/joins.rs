//! The state-based types by name.

use super::{Draw, Listed, Visit, no_type, of, plain, set, started};
use crate::{
    Refused, Value,
    join::{
        CausalLengthSet, Deltas, DisableWinsFlag, EnableWinsFlag, GCounter, GSet, Join,
        LwwRegister, MvRegister, OrMap, OrSet, PnCounter, TwoPhaseSet,
        planted::{Amnesiac, JoinBug, Overwriting, Unseeing, Untied},
    },
};

/// A state-based type in the catalogue.
pub trait ListedJoin: Join + Sized {
    /// Its name.
    const NAME: &'static str;
    /// What it is, in one line.
    const ABOUT: &'static str;
}

/// Who wants to do the same with every state-based type, or with one that has a bug.
pub trait VisitJoin {
    /// What comes of it.
    type Out;

    /// Does it with `kind`; `propose` says what a user who sees a value might do.
    fn visit<T: Join>(self, kind: T, propose: &dyn Fn(&Value, &mut Draw) -> Value) -> Self::Out;
}

macro_rules! joins {
    ($($name:literal $about:literal => $kind:ty, $new:expr, $proposal:expr;)*) => {
        $(impl ListedJoin for $kind {
            const NAME: &'static str = $name;
            const ABOUT: &'static str = $about;
        }

        impl Listed for Deltas<$kind> {
            const NAME: &'static str = $name;
            const ABOUT: &'static str = $about;
            const KEYS: &'static [&'static str] = &[];

            fn configured(_: &Value) -> Result<Self, Refused> {
                Ok(Self($new))
            }

            fn proposal(&self, value: &Value, draw: &mut Draw) -> Value {
                let proposal: fn(&Value, &mut Draw) -> Value = $proposal;
                proposal(value, draw)
            }
        })*

        /// Every state-based type: its name, and what it is.
        pub const JOINS: &[(&str, &str)] = &[$(($name, $about)),*];

        /// Has `visitor` see the state-based type called `name`, by deltas.
        pub(super) fn visit_deltas<V: Visit>(
            name: &str,
            start: &Value,
            visitor: V,
        ) -> Result<V::Out, Refused> {
            match name {
                $($name => Ok(visitor.visit(started::<Deltas<$kind>>(start)?)),)*
                _ => no_type(name),
            }
        }

        /// Has `visitor` see the state-based type called `name`.
        ///
        /// Errors: [`Refused`] where there is no such type.
        pub fn visit_join<V: VisitJoin>(name: &str, visitor: V) -> Result<V::Out, Refused> {
            match name {
                $($name => Ok(visitor.visit($new, &$proposal)),)*
                _ => no_type(name),
            }
        }

        /// What a user of the state-based type called `name` might do.
        fn proposed(name: &str, value: &Value, draw: &mut Draw) -> Value {
            match name {
                $($name => $proposal(value, draw),)*
                _ => unreachable!("{name} is no state-based type"),
            }
        }
    };
}

joins! {
    "g_counter" "a counter that grows: a count for each replica, of which the greater counts" =>
        GCounter, GCounter, |_: &Value, draw: &mut Draw| of("add", [("arg", draw.within(0, 5))]);
    "pn_counter" "a counter that grows and shrinks: two that grow" =>
        PnCounter, PnCounter, |_: &Value, draw: &mut Draw| of("add", [("arg", draw.within(-5, 7))]);
    "lww_register" "a register of which the latest write counts, by time and replica" =>
        LwwRegister, LwwRegister, |_: &Value, draw: &mut Draw| Value::map([
            ("kind", Value::from("write")),
            ("at", Value::from(draw.within(0, 3))),
            ("value", Value::from(draw.pick(&["a", "b", "c"]))),
        ]);
    "mv_register" "a register that shows every write that no other has seen" =>
        MvRegister, MvRegister, |_: &Value, draw: &mut Draw| write(draw);
    "g_set" "a set of names that are only added" =>
        GSet, GSet,
        |_: &Value, draw: &mut Draw| of("add", [("elem", draw.pick(&["a", "b", "c", "d"]))]);
    "two_phase_set" "a set of names; a name that was removed never comes back" =>
        TwoPhaseSet, TwoPhaseSet, set;
    "or_set" "a set of names; removals take away the additions they saw, and keep nothing" =>
        OrSet, OrSet, set;
    "causal_length_set" "a set of names; the longest story of going in and out wins" =>
        CausalLengthSet, CausalLengthSet, set;
    "ew_flag" "a flag that is down at the start; enabling wins" =>
        EnableWinsFlag, EnableWinsFlag,
        |_: &Value, draw: &mut Draw| plain(draw.pick(&["enable", "disable"]));
    "dw_flag" "a flag that is up at the start; disabling wins" =>
        DisableWinsFlag, DisableWinsFlag,
        |_: &Value, draw: &mut Draw| plain(draw.pick(&["enable", "disable"]));
    "or_map" "registers by key; an update that a removal did not see survives it" =>
        OrMap<MvRegister>, OrMap(MvRegister), |_: &Value, draw: &mut Draw| keyed(draw, write);
    "or_map_of_sets" "sets by key; an update that a removal did not see survives it" =>
        OrMap<OrSet>, OrMap(OrSet),
        |_: &Value, draw: &mut Draw| keyed(draw, |draw| set(&Value::Null, draw));
}

fn write(draw: &mut Draw) -> Value {
    of("write", [("value", draw.pick(&["a", "b", "c"]))])
}

fn keyed(draw: &mut Draw, inner: fn(&mut Draw) -> Value) -> Value {
    let key = draw.pick(&["k1", "k2"]);
    match draw.below(12) {
        0 => plain("clear"),
        1..4 => of("remove", [("key", key)]),
        _ => Value::map([
            ("kind", Value::from("update")),
            ("key", Value::from(key)),
            ("op", inner(draw)),
        ]),
    }
}

/// Has `visitor` see a state-based type with `bug`.
pub fn visit_planted_join<V: VisitJoin>(bug: JoinBug, visitor: V) -> V::Out {
    let (_, name, _) = JoinBug::ALL.iter().find(|(.., one)| *one == bug).expect("all are listed");
    let propose = |value: &Value, draw: &mut Draw| proposed(name, value, draw);
    match bug {
        JoinBug::LastMergeWins => visitor.visit(Overwriting, &propose),
        JoinBug::TiesByReceipt => visitor.visit(Untied, &propose),
        JoinBug::ReusesOrigin => visitor.visit(Amnesiac, &propose),
        JoinBug::ForgetsContext => visitor.visit(Unseeing, &propose),
    }
}
