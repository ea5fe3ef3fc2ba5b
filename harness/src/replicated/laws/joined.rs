//! Laws of state-based types, over the states that a run of a few replicas reaches.
//!
//! Source: Shapiro et al. (2011) for joins; Almeida, Shoker, Baquero (2018) for deltas; Enes et al. (2019) for
//! parts.

use crdt::{Join, Lattice, Origin, Value, catalogue::Draw};

use super::{Broken, Law, Tried, cases, simpler, term};
use crate::replicated::{Progress, history::Proposal};

const IDEMPOTENT: Law = Law { name: "idempotent", says: "x ∨ x = x" };
const COMMUTATIVE: Law = Law { name: "commutative", says: "x ∨ y = y ∨ x" };
const ASSOCIATIVE: Law = Law { name: "associative", says: "(x ∨ y) ∨ z = x ∨ (y ∨ z)" };
const LEAST: Law = Law { name: "least", says: "⊥ ∨ x = x" };
const ORDER: Law = Law { name: "order", says: "x ≤ y exactly where x ∨ y = y" };
const INFLATION: Law = Law { name: "inflation", says: "x ≤ m(x)" };
const MONOTONE: Law =
    Law { name: "monotone", says: "where x ≤ y, the value of y may follow that of x" };
const DELTA: Law = Law { name: "delta", says: "m(x) = x ∨ delta(m, x)" };
const GROUPS: Law = Law {
    name: "delta-groups",
    says: "all deltas, grouped, repeated, in any order, make one state",
};
const SUBSUMED: Law =
    Law { name: "subsumed", says: "a state that has a delta takes it again unchanged" };
const PARTS: Law = Law { name: "parts", says: "x is the join of its parts" };
const IRREDUNDANT: Law =
    Law { name: "irredundant", says: "x is not the join of fewer of its parts" };
const IRREDUCIBLE: Law = Law { name: "irreducible", says: "a part has no parts but itself" };

/// Steps of a run.
const STEPS: usize = 9;

/// Replicas of a run.
const REPLICAS: usize = 3;

/// Orders in which all deltas of a run are joined.
const ORDERS: u64 = 4;

/// What happens to a replica.
#[derive(Clone, Debug)]
enum Step {
    /// It does this.
    Operate(usize, Value),
    /// It takes in the state of another.
    Merge(usize, usize),
    /// It takes in one of the deltas that there are, counted from the first one.
    Take(usize, usize),
}

/// What a run reached.
struct Reached<S> {
    /// Every state, each once.
    states: Vec<S>,
    /// What each operation found, its delta, and what it left.
    done: Vec<(S, S, S)>,
    /// Where each replica ended.
    last: Vec<S>,
}

/// Tries the laws of a state-based type on `count` runs. `progress` is told how many there were, and
/// may end it.
pub fn of_joins<T: Join>(
    kind: &T,
    propose: Proposal<'_>,
    count: u64,
    seed: u64,
    progress: Progress<'_>,
) -> Tried {
    let check = |run: &Vec<Step>, tried: &mut Tried| check(kind, &reached(kind, run), tried);
    cases(
        count,
        seed,
        progress,
        |draw| drawn(kind, propose, draw),
        |run| smaller(run),
        check,
        |run| told(run),
    )
}

fn drawn<T: Join>(kind: &T, propose: Proposal<'_>, draw: &mut Draw) -> Vec<Step> {
    let mut run = Vec::new();
    for _ in 0..STEPS {
        let replica = draw.below(REPLICAS);
        let so_far = reached(kind, &run);
        let other = (replica + 1 + draw.below(REPLICAS - 1)) % REPLICAS;
        run.push(match draw.below(10) {
            0..2 => Step::Merge(replica, other),
            2..4 if !so_far.done.is_empty() => Step::Take(replica, draw.below(so_far.done.len())),
            _ => Step::Operate(replica, propose(&kind.value(&so_far.last[replica]), draw)),
        });
    }
    run
}

/// Does what `run` says; what a type refuses is left out.
fn reached<T: Join>(kind: &T, run: &[Step]) -> Reached<T::State> {
    let start = T::State::default();
    let mut reached = Reached {
        states: vec![start.clone()],
        done: Vec::new(),
        last: (0..REPLICAS).map(|_| start.clone()).collect(),
    };
    for step in run {
        let replica = match step {
            Step::Operate(replica, operation) => {
                let by = Origin::from(*replica as u32);
                let before = reached.last[*replica].clone();
                let Ok(operation) = kind.parse(operation) else { continue };
                let Ok(delta) = kind.delta(&before, &operation, by) else { continue };
                let mut after = before.clone();
                if kind.mutate(&mut after, &operation, by).is_err() {
                    // Half of a pair that must agree: shown as a delta that does not fit.
                    after = T::State::default();
                }
                reached.last[*replica] = after.clone();
                reached.done.push((before, delta.clone(), after));
                reached.see(delta);
                *replica
            }
            Step::Merge(replica, other) => {
                let other = reached.last[*other].clone();
                reached.last[*replica].join(&other);
                *replica
            }
            Step::Take(replica, delta) => {
                let Some((_, delta, _)) = reached.done.get(*delta).cloned() else { continue };
                reached.last[*replica].join(&delta);
                *replica
            }
        };
        let state = reached.last[replica].clone();
        reached.see(state);
    }
    reached
}

impl<S: PartialEq> Reached<S> {
    fn see(&mut self, state: S) {
        if !self.states.contains(&state) {
            self.states.push(state);
        }
    }
}

fn check<T: Join>(
    kind: &T,
    reached: &Reached<T::State>,
    tried: &mut Tried,
) -> Result<(), Box<Broken>> {
    for x in &reached.states {
        of_one(x, tried)?;
        for y in &reached.states {
            of_two(kind, x, y, tried)?;
            for z in &reached.states {
                let (one, other) = (x.joined(y).joined(z), x.joined(&y.joined(z)));
                tried.law(ASSOCIATIVE, one == other, || {
                    vec![
                        term("x", x),
                        term("y", y),
                        term("z", z),
                        term("left", &one),
                        term("right", &other),
                    ]
                })?;
            }
        }
    }
    for (before, delta, after) in &reached.done {
        let joined = before.joined(delta);
        tried.law(DELTA, *after == joined, || {
            vec![
                term("x", before),
                term("delta", delta),
                term("m(x)", after),
                term("joined", &joined),
            ]
        })?;
        tried.law(INFLATION, before.is_within(after), || {
            vec![term("x", before), term("m(x)", after)]
        })?;
    }
    of_groups(reached, tried)
}

fn of_one<S: Lattice>(x: &S, tried: &mut Tried) -> Result<(), Box<Broken>> {
    let twice = x.joined(x);
    tried.law(IDEMPOTENT, twice == *x, || vec![term("x", x), term("left", &twice)])?;
    let from_nothing = S::default().joined(x);
    tried.law(LEAST, from_nothing == *x, || vec![term("x", x), term("left", &from_nothing)])?;
    let parts = x.parts();
    let join = |parts: &mut dyn Iterator<Item = &S>| {
        let mut joined = S::default();
        parts.for_each(|part| joined.join(part));
        joined
    };
    let whole = join(&mut parts.iter());
    tried.law(PARTS, whole == *x, || {
        vec![term("x", x), term("parts", &parts), term("joined", &whole)]
    })?;
    for (left_out, part) in parts.iter().enumerate() {
        let mut others = parts.iter().enumerate().filter(|(at, _)| *at != left_out);
        let fewer = join(&mut others.by_ref().map(|(_, part)| part));
        tried.law(IRREDUNDANT, fewer != *x, || vec![term("x", x), term("left out", part)])?;
        let own = part.parts();
        tried.law(IRREDUCIBLE, own == [part.clone()], || {
            vec![term("part", part), term("parts", &own)]
        })?;
    }
    Ok(())
}

fn of_two<T: Join>(
    kind: &T,
    x: &T::State,
    y: &T::State,
    tried: &mut Tried,
) -> Result<(), Box<Broken>> {
    let (one, other) = (x.joined(y), y.joined(x));
    tried.law(COMMUTATIVE, one == other, || {
        vec![term("x", x), term("y", y), term("left", &one), term("right", &other)]
    })?;
    tried.law(ORDER, x.is_within(y) == (one == *y), || {
        vec![term("x", x), term("y", y), term("x ≤ y", &x.is_within(y)), term("x ∨ y", &one)]
    })?;
    if x.is_within(y) {
        let (before, after) = (kind.value(x), kind.value(y));
        tried.law(MONOTONE, kind.may_follow(&before, &after), || {
            vec![
                term("x", x),
                term("y", y),
                ("shows first".into(), before.to_string()),
                ("then".into(), after.to_string()),
            ]
        })?;
    }
    Ok(())
}

/// Whatever way all deltas take, they make what all replicas have together.
fn of_groups<S: Lattice>(reached: &Reached<S>, tried: &mut Tried) -> Result<(), Box<Broken>> {
    let mut whole = S::default();
    reached.last.iter().for_each(|state| whole.join(state));
    let deltas: Vec<&S> = reached.done.iter().map(|(_, delta, _)| delta).collect();
    for seed in 0..ORDERS {
        let mut draw = Draw(seed);
        let mut left = deltas.clone();
        // Every delta, some twice, in groups of up to three that are joined first.
        (0..deltas.len() / 2).for_each(|_| left.push(draw.pick(&deltas)));
        let mut joined = S::default();
        while !left.is_empty() {
            let mut group = S::default();
            for _ in 0..=draw.below(3).min(left.len() - 1) {
                let at = draw.below(left.len());
                group.join(left.swap_remove(at));
            }
            joined.join(&group);
        }
        tried.law(GROUPS, joined == whole, || {
            vec![term("by deltas", &joined), term("by states", &whole)]
        })?;
    }
    for delta in deltas {
        let again = whole.joined(delta);
        tried.law(SUBSUMED, again == whole, || {
            vec![term("state", &whole), term("delta", delta), term("joined", &again)]
        })?;
    }
    Ok(())
}

fn smaller(run: &[Step]) -> Vec<Vec<Step>> {
    let shorter = (0..run.len()).rev().map(|at| {
        let mut shorter = run.to_vec();
        shorter.remove(at);
        shorter
    });
    let simpler = run.iter().enumerate().flat_map(|(at, step)| {
        let Step::Operate(replica, operation) = step else { return Vec::new() };
        let with = |operation| {
            let mut run = run.to_vec();
            run[at] = Step::Operate(*replica, operation);
            run
        };
        simpler(operation).into_iter().map(with).collect()
    });
    shorter.chain(simpler).collect()
}

fn told(run: &[Step]) -> Vec<String> {
    let mut deltas = 0;
    let step = |step: &Step| match step {
        Step::Operate(replica, operation) => {
            deltas += 1;
            format!("{replica} does {operation} (delta {})", deltas - 1)
        }
        Step::Merge(replica, other) => format!("{replica} takes in the state of {other}"),
        Step::Take(replica, delta) => format!("{replica} takes in delta {delta}"),
    };
    run.iter().map(step).collect()
}
