//! Every type by name: what it takes at the start, and operations to try it with.

mod joins;
mod products;

pub use joins::{JOINS, ListedJoin, VisitJoin, visit_join, visit_planted_join};
pub use products::{
    Engine, VisitPlanted, VisitProduct, bugs, engine, visit_bug, visit_planted, visit_product,
};

use crate::{
    Op, Product, Refused, Value,
    op::Reader,
    product::{Aggregate, Frame},
    types::{
        AddWins, Bounds, CounterMap, DisableWins, EachMap, EnableWins, ObservedReset, OddRegister,
        Poll, Ranged, Records, Register, RemoveWins, RemoveWinsPure, ResetWins, Reversible, Rich,
        Shapes, SignedRegister, Tropical, Unique,
    },
};

/// A type in the catalogue.
pub trait Listed: Op + Sized {
    /// Its name.
    const NAME: &'static str;
    /// What it is, in one line.
    const ABOUT: &'static str;

    /// What it can be told at the start.
    const KEYS: &'static [&'static str];

    /// Of what all replicas are told at the start; where a key is missing, something small.
    ///
    /// Errors: [`Refused`] where a key is of the wrong kind.
    fn configured(start: &Value) -> Result<Self, Refused>;

    /// Some operation that makes sense to a user who sees `value`.
    fn proposal(&self, value: &Value, draw: &mut Draw) -> Value;
}

/// Who wants to do the same with every type.
pub trait Visit {
    /// What comes of it.
    type Out;

    /// Does it with `kind`.
    fn visit<T: Listed>(self, kind: T) -> Self::Out;
}

/// Numbers without a pattern, the same for the same seed: SplitMix64.
#[derive(Clone, Debug)]
pub struct Draw(pub u64);

impl Draw {
    /// The next number.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// A number below `bound`, which is small.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.word() % bound as u64) as usize
    }

    /// A number from `least` to `most`.
    pub fn within(&mut self, least: i64, most: i64) -> i64 {
        least + self.below((most - least + 1) as usize) as i64
    }

    /// One of `choices`.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

macro_rules! catalogue {
    ($($name:literal $about:literal $keys:expr => $kind:ty, $configured:expr, $proposal:expr;)*) => {
        $(impl Listed for $kind {
            const NAME: &'static str = $name;
            const ABOUT: &'static str = $about;
            const KEYS: &'static [&'static str] = &$keys;

            fn configured(start: &Value) -> Result<Self, Refused> {
                let configured: fn(&Value) -> Result<Self, Refused> = $configured;
                configured(start)
            }

            fn proposal(&self, value: &Value, draw: &mut Draw) -> Value {
                let proposal: fn(&Value, &mut Draw) -> Value = $proposal;
                proposal(value, draw)
            }
        })*

        /// Every operation-based type: its name, and what it is.
        pub const LIST: &[(&str, &str)] = &[$(($name, $about)),*];

        /// Has `visitor` see the type called `name`, configured by `start`; a state-based one by deltas.
        ///
        /// Errors: [`Refused`] where there is no such type, or `start` is not for it.
        pub fn visit<V: Visit>(name: &str, start: &Value, visitor: V) -> Result<V::Out, Refused> {
            match name {
                $($name => Ok(visitor.visit(started::<$kind>(start)?)),)*
                _ => joins::visit_deltas(name, start, visitor),
            }
        }
    };
}

catalogue! {
    "int_add_mult" "an integer; additions go before concurrent multiplications" ["init"] =>
        Aggregate<Register>,
        |start| Ok(Self(Register { start: number(start, "init", 1)? })),
        |_, draw| match draw.below(5) {
            0..3 => of("add", [("arg", draw.within(-5, 7))]),
            _ => of("mult", [("arg", draw.pick(&[-2, -1, 0, 2, 3]))]),
        };
    "int_add_mult_odd" "an integer; additions go before concurrent multiplications with odd numbers" ["init"] =>
        Frame<OddRegister>,
        |start| Ok(Self(OddRegister(Register { start: number(start, "init", 1)? }))),
        |_, draw| match draw.below(5) {
            0..3 => of("add", [("arg", draw.within(-5, 7))]),
            _ => of("mult", [("arg", draw.pick(&[-3, -1, 3, 5, 7]))]),
        };
    "int_add_negate" "an integer; additions go before concurrent negations" ["init"] =>
        Frame<SignedRegister>,
        |start| Ok(Self(SignedRegister(Register { start: number(start, "init", 1)? }))),
        |_, draw| match draw.below(5) {
            0..3 => of("add", [("arg", draw.within(-5, 7))]),
            _ => of("mult", [("arg", -1)]),
        };
    "semiring_minplus" "an integer; minima go before concurrent additions" ["init"] =>
        Aggregate<Tropical>,
        |start| Ok(Self(Tropical { start: number(start, "init", 50)? })),
        |_, draw| match draw.below(2) {
            0 => of("min", [("arg", draw.within(-20, 40))]),
            _ => of("plus", [("arg", draw.within(-9, 9))]),
        };
    "int_min_max_add_mult" "an integer; minima, maxima, additions and multiplications, in this order" ["init"] =>
        Product<Bounds>,
        |start| Ok(Self(Bounds { start: number(start, "init", 1)? })),
        |_, draw| match draw.below(5) {
            0 => of("mult", [("arg", draw.within(0, 3))]),
            kind => of(["min", "max", "add", "add"][kind - 1], [("arg", draw.within(-12, 20))]),
        };
    "shapes" "shapes in the plane; translations go before rotations, and both before reflections" ["shapes"] =>
        Frame<Shapes>,
        |start| Ok(Self(Shapes { start: points(start)? })),
        |value, draw| match draw.below(5) {
            0..3 => of("translate", [
                ("shape", draw.below(length(value)) as i64),
                ("dx", draw.within(-4, 4)),
                ("dy", draw.within(-4, 4)),
            ]),
            3 => of("rotate_all", [("quarter", draw.within(1, 3))]),
            _ => of("reflect_all", [("axis", draw.pick(&["x", "y"]))]),
        };
    "int_register_resets" "an add/mult register with a reset that undoes what it saw and one that wins" ["init", "reset_value"] =>
        ResetWins<ObservedReset<Aggregate<Register>>>,
        |start| {
            let first = number(start, "init", 0)?;
            let later = number(start, "reset_value", first)?;
            let [inner, after] = [first, later].map(|start| ObservedReset {
                inner: Aggregate(Register { start }),
                after: Aggregate(Register { start: later }),
                name: "reset",
            });
            Ok(Self { inner, after, name: "reset_strong" })
        },
        |_, draw| match draw.below(10) {
            0..5 => of("add", [("arg", draw.within(-5, 9))]),
            5..7 => of("mult", [("arg", draw.pick(&[-1, 2, 3]))]),
            kind => plain(if kind < 9 { "reset" } else { "reset_strong" }),
        };
    "add_wins_set_resets" "an add-wins set with a reset that undoes what it saw and one that wins" [] =>
        ResetWins<ObservedReset<AddWins>>,
        |_| {
            let observed = ObservedReset { inner: AddWins, after: AddWins, name: "reset" };
            Ok(Self { inner: observed.clone(), after: observed, name: "reset_strong" })
        },
        |value, draw| match draw.below(10) {
            0 => plain("reset"),
            1 => plain("reset_strong"),
            _ => set(value, draw),
        };
    "enable_wins_flag" "a flag that is down at the start; enabling wins" [] =>
        EnableWins, |_| Ok(Self), |_, draw| plain(draw.pick(&["enable", "disable"]));
    "disable_wins_flag" "a flag that is up at the start; disabling wins" [] =>
        DisableWins, |_| Ok(Self), |_, draw| plain(draw.pick(&["enable", "disable"]));
    "add_wins_set" "a set of names; additions win" [] =>
        AddWins, |_| Ok(Self), set;
    "remove_wins_set" "a set of names; a name is in that was added after every removal of it" [] =>
        RemoveWins, |_| Ok(Self), set;
    "remove_wins_set_pure" "a set of names; a name is in of which every removal precedes some addition" [] =>
        RemoveWinsPure, |_| Ok(Self), set;
    "map_of_counters" "counters by key; whatever is done to a key survives concurrent deletions" [] =>
        CounterMap,
        |_| Ok(Self),
        |_, draw| {
            let key = draw.pick(&["k1", "k2"]);
            match draw.below(12) {
                0 => plain("clear"),
                1..3 => of("touch", [("key", key)]),
                3..6 => of("delete", [("key", key)]),
                _ => Value::map([
                    ("kind", Value::from("add")),
                    ("key", Value::from(key)),
                    ("arg", Value::from(draw.within(-4, 9))),
                ]),
            }
        };
    "unique_set_foreach" "registers named by who created them, and operations for each of them" [] =>
        Unique, |_| Ok(Self), unique;
    "map_foreach" "registers by key, and multiplications of each of them" [] =>
        EachMap<Register>,
        |_| Ok(Self(Register { start: 0 })),
        |_, draw| {
            let key = draw.pick(&["k1", "k2", "k3"]);
            let op = match draw.below(6) {
                0..3 => of("add", [("arg", draw.within(-4, 9))]),
                _ => of("mult", [("arg", draw.pick(&[2, 3, -1, 0]))]),
            };
            if op.get("kind") == Some(&Value::from("add")) || draw.below(3) == 0 {
                Value::map([("kind", Value::from("update")), ("key", Value::from(key)), ("op", op)])
            } else {
                Value::map([("kind", Value::from("for_each")), ("op", op)])
            }
        };
    "poll" "votes; who voted before the poll was closed cannot change that concurrently" [] =>
        Poll,
        |_| Ok(Self { records: Records::WhoWasSeen }),
        |_, draw| match draw.below(4) {
            0 => plain("close"),
            _ => of("vote", [
                ("voter", draw.pick(&["ann", "bob", "eve"])),
                ("choice", draw.pick(&["x", "y"])),
            ]),
        };
    "list_reverse" "a list that can be turned round" [] =>
        Frame<Reversible>,
        |_| Ok(Self(Reversible)),
        |value, draw| list(value, draw).unwrap_or_else(|| plain("reverse"));
    "list_range_remove" "a list of which ranges can be removed, with what is put into them concurrently" [] =>
        Ranged,
        |_| Ok(Self),
        |value, draw| list(value, draw).unwrap_or_else(|| {
            let start = draw.below(length(value));
            let end = start + draw.below((length(value) - start).min(3));
            of("range_remove", [("start", start as i64), ("end", end as i64)])
        });
    "rich_text" "text with attributes, which what is typed takes over from its left" [] =>
        Rich,
        |_| Ok(Self),
        |value, draw| list(value, draw).unwrap_or_else(|| {
            let start = draw.below(length(value));
            Value::map([
                ("kind", Value::from("format")),
                ("start", Value::from(start as i64)),
                ("end", Value::from((start + draw.below(length(value) - start)) as i64)),
                ("key", Value::from(draw.pick(&["b", "i"]))),
                ("value", draw.pick(&[Some(true), Some(true), None]).map_or(Value::Null, Value::from)),
            ])
        });
}

/// A type that is told `start`. Errors: [`Refused`] where it does not take that.
fn started<T: Listed>(start: &Value) -> Result<T, Refused> {
    let unknown = match start {
        Value::Map(keys) => keys.keys().find(|key| !T::KEYS.contains(&key.as_str())),
        Value::Null => None,
        _ => {
            let expected = "what it starts with to be keys and values";
            return Err(Refused::Unknown { expected, found: start.to_string() });
        }
    };
    if let Some(key) = unknown {
        let known = T::KEYS.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" and ");
        let known = if known.is_empty() { "none".to_owned() } else { known };
        return Err(Refused::NoKey { found: key.clone(), known });
    }
    T::configured(start)
}

fn no_type<T>(name: &str) -> Result<T, Refused> {
    Err(Refused::Unknown { expected: "the name of a type", found: name.to_owned() })
}

fn plain(kind: &str) -> Value {
    Value::map([("kind", Value::from(kind))])
}

fn of<V: Into<Value>, const N: usize>(kind: &str, parts: [(&str, V); N]) -> Value {
    let parts = parts.into_iter().map(|(key, value)| (key, value.into()));
    Value::map([("kind", Value::from(kind))].into_iter().chain(parts))
}

fn length(value: &Value) -> usize {
    match value {
        Value::List(values) => values.len(),
        Value::Map(values) => values.len(),
        _ => 0,
    }
}

fn number(start: &Value, key: &'static str, otherwise: i64) -> Result<i64, Refused> {
    if start.get(key).is_none() { Ok(otherwise) } else { Reader(start).int(key) }
}

fn points(start: &Value) -> Result<Vec<(i64, i64)>, Refused> {
    let expected = "a list of points such as [[1, 2], [-3, 4]]";
    let refused = || Refused::Key { key: "shapes", expected, found: start.to_string() };
    let int = |value: &Value| match value {
        Value::Int(value) => i64::try_from(*value).map_err(|_| refused()),
        _ => Err(refused()),
    };
    let point = |value: &Value| match value {
        Value::List(parts) if parts.len() == 2 => Ok((int(&parts[0])?, int(&parts[1])?)),
        _ => Err(refused()),
    };
    match start.get("shapes") {
        None => Ok(vec![(1, 2), (-3, 4)]),
        Some(Value::List(points)) if !points.is_empty() => points.iter().map(point).collect(),
        Some(_) => Err(refused()),
    }
}

fn set(_: &Value, draw: &mut Draw) -> Value {
    match draw.below(10) {
        0 => plain("clear"),
        _ => of(draw.pick(&["add", "add", "remove"]), [("elem", draw.pick(&["a", "b", "c"]))]),
    }
}

fn unique(value: &Value, draw: &mut Draw) -> Value {
    let names: Vec<&str> = match value {
        Value::Map(elements) => elements.keys().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    match draw.below(12) {
        0..4 => of("create", [("arg", draw.within(1, 9))]),
        _ if names.is_empty() => of("create", [("arg", draw.within(1, 9))]),
        4..6 => Value::map([
            ("kind", Value::from("elem_add")),
            ("elem", Value::from(draw.pick(&names))),
            ("arg", Value::from(draw.within(-3, 5))),
        ]),
        6 => of("delete", [("elem", draw.pick(&names))]),
        kind => Value::map([
            ("kind", Value::from(if kind < 10 { "for_each" } else { "for_each_prior" })),
            ("op", Value::from(draw.pick(&["add", "mult"]))),
            ("arg", Value::from(draw.pick(&[2, 3, -1, 10]))),
        ]),
    }
}

/// What can be done to any list; `None`: what only this one can.
fn list(value: &Value, draw: &mut Draw) -> Option<Value> {
    let count = length(value);
    match draw.below(10) {
        kind if kind < 6 || count == 0 => Some(Value::map([
            ("kind", Value::from("insert")),
            ("index", Value::from(draw.below(count + 1) as i64)),
            ("value", Value::from(draw.pick(&["a", "b", "c", "d", "e", "f"]))),
        ])),
        6 => Some(of("delete", [("index", draw.below(count) as i64)])),
        _ => None,
    }
}
