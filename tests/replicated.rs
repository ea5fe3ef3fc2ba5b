//! Replicated types: every delivery order, what they mean, and what is wrong on purpose.

use crdt::{
    At, Clock, Dot, Event, Join, Log, Op, Product, Semidirect, Stamp, Value,
    catalogue::{self, Draw, Engine, Listed, Visit, VisitJoin, VisitPlanted, VisitProduct},
    join::{Deltas, PnCounter, planted::JoinBug},
    product::{Aggregate, Frame, Framed, planted::Bug},
    types::{Register, RegisterOp, Tropical},
};
use harness::replicated::{
    history,
    lattice::{Broken, Strictness, sweep, sweep_up_to},
    laws::{OfProducts, Tried, of_effects, of_joins},
    search::{Found, Scope, search},
    to_the_end,
};

struct Searched;

impl Visit for Searched {
    type Out = ();

    fn visit<T: Listed>(self, kind: T) {
        let propose = |value: &Value, draw: &mut Draw| kind.proposal(value, draw);
        let scopes = [
            (4, 9, Scope::Random { histories: 25, seed: 1 }),
            (2, 3, Scope::Exhaustive),
            (3, 2, Scope::Exhaustive),
        ];
        for (replicas, operations, scope) in scopes {
            let report = search(&kind, &propose, replicas, operations, scope, &mut to_the_end);
            assert!(report.failure.is_none(), "{}: {:?}", T::NAME, report.failure);
            assert!(report.covered.orders > 0);
        }
    }
}

#[test]
fn every_type_gives_one_state_in_every_order_and_it_is_what_the_type_means() {
    for (name, _) in catalogue::LIST.iter().chain(catalogue::JOINS) {
        catalogue::visit(name, &Value::Null, Searched).unwrap();
    }
}

struct Caught;

impl VisitPlanted for Caught {
    type Out = Option<Found>;

    fn visit<T: Op>(self, kind: T, propose: &dyn Fn(&Value, &mut Draw) -> Value) -> Option<Found> {
        search(&kind, propose, 3, 6, Scope::Random { histories: 100, seed: 1 }, &mut to_the_end)
            .failure
    }
}

/// Which check finds which bug, and how small the history gets. Two classes do not show what goes
/// wrong between three.
#[test]
fn planted_bugs_are_found_and_made_small() {
    use Bug::*;
    let caught = |name, bug| catalogue::visit_planted(name, &Value::Null, bug, Caught).unwrap();
    for bug in [Ascending, KeepsOriginals] {
        assert!(caught("int_add_mult", bug).is_none());
    }
    for bug in [Ascending, NoAction, ForgetsEarly, KeepsOriginals] {
        let found = caught("int_min_max_add_mult", bug).expect("it is found");
        let Broken::Diverges { values: [one, other], .. } = &found.broken else {
            panic!("{bug:?}: {:?}", found.broken)
        };
        assert_ne!(one, other, "{bug:?} is brought to show it");
        assert!(found.history.0.len() <= 3, "{bug:?}: {:?}", found.history);
    }
    // Replicas that converge on nonsense are seen by the meaning alone.
    for name in ["int_add_mult", "semiring_minplus", "int_min_max_add_mult", "shapes"] {
        let found = caught(name, ActsWithAll).expect("it is found");
        assert!(matches!(found.broken, Broken::Means { .. }), "{name}: {:?}", found.broken);
        assert_eq!(found.history.0.len(), 2);
    }
}

/// Running sums and the scan of the whole history are two ways to say the same.
#[test]
fn sums_and_scans_agree() {
    fn compare<T: crdt::Semidirect + crdt::product::Folding + Clone>(listed: &Aggregate<T>)
    where
        Aggregate<T>: Listed + Op<Message = T::Message>,
    {
        let scan = Product(listed.0.clone());
        let propose = |value: &Value, draw: &mut Draw| listed.proposal(value, draw);
        for seed in 0..60 {
            let history = history::random(listed, &propose, 4, 14, &mut Draw(seed));
            let events = history::events(listed, &history).unwrap();
            let (mut one, mut other) = (listed.initial(), scan.initial());
            for event in &events {
                listed.effect(&mut one, event.at(), &event.message).unwrap();
                scan.effect(&mut other, event.at(), &event.message).unwrap();
                assert_eq!(listed.value(&one), scan.value(&other), "seed {seed}");
            }
        }
    }
    compare(&Aggregate(Register { start: 3 }));
    compare(&Aggregate(Tropical { start: 3 }));
}

/// Delivers `events` in a causal order of chance. `deliver` is told the index of each, and all that is delivered with it.
fn in_some_order<M>(events: &[Event<M>], draw: &mut Draw, mut deliver: impl FnMut(usize, &Clock)) {
    let mut clock = Clock::new();
    for _ in 0..events.len() {
        let ready = (0..events.len()).filter(|at| {
            !clock.covers(events[*at].stamp.dot) && clock.covers_all(&events[*at].past)
        });
        let at = draw.pick(&ready.collect::<Vec<_>>());
        clock.advance(events[at].stamp.dot);
        deliver(at, &clock);
    }
}

/// A type in a frame and the scan of its whole history are two ways to say the same: what users ask for, they
/// show alike after every delivery in every order, and it is what either means.
struct FramesAgree;

impl VisitProduct for FramesAgree {
    type Out = bool;

    fn scan<T: Semidirect + Clone>(self, _: T, _: history::Proposal<'_>) -> bool {
        false
    }

    fn frame<T: Framed + Clone>(self, kind: T, propose: history::Proposal<'_>) -> bool {
        let (frame, scan) = (Frame(kind.clone()), Product(kind));
        for seed in 0..60 {
            let mut draw = Draw(seed);
            let history = history::random(&scan, propose, 4, 14, &mut draw);
            let framed = history::events(&frame, &history).unwrap();
            let scanned = history::events(&scan, &history).unwrap();
            for _ in 0..5 {
                let (mut one, mut other) = (frame.initial(), scan.initial());
                in_some_order(&framed, &mut draw, |at, _| {
                    frame.effect(&mut one, framed[at].at(), &framed[at].message).unwrap();
                    scan.effect(&mut other, scanned[at].at(), &scanned[at].message).unwrap();
                    assert_eq!(frame.value(&one), scan.value(&other), "seed {seed}");
                });
            }
            assert_eq!(frame.meaning(&Log::new(&framed)), scan.meaning(&Log::new(&scanned)));
        }
        true
    }
}

#[test]
fn frames_and_scans_agree() {
    for (name, _) in catalogue::LIST {
        let Some(engine) = catalogue::engine(name) else { continue };
        let framed = catalogue::visit_product(name, &Value::Null, FramesAgree).unwrap();
        assert_eq!(
            framed,
            engine == Engine::Frame,
            "{name} takes the fastest that its algebra allows"
        );
    }
}

/// Both counters on one history show the same wherever the same was delivered.
#[test]
fn the_counter_by_operations_and_the_one_by_states_agree() {
    let by_operations = Aggregate(Register { start: 0 });
    let by_states = Deltas(PnCounter);
    let propose = |value: &Value, draw: &mut Draw| by_states.proposal(value, draw);
    for seed in 0..100 {
        let mut draw = Draw(seed);
        let history = history::random(&by_states, &propose, 4, 12, &mut draw);
        let deltas = history::events(&by_states, &history).unwrap();
        let additions = history::events(&by_operations, &history).unwrap();
        let (mut one, mut other) = (by_states.initial(), by_operations.initial());
        in_some_order(&deltas, &mut draw, |at, _| {
            by_states.effect(&mut one, deltas[at].at(), &deltas[at].message).unwrap();
            by_operations.effect(&mut other, additions[at].at(), &additions[at].message).unwrap();
            assert_eq!(by_states.value(&one), by_operations.value(&other), "seed {seed}");
        });
    }
}

struct LawsHold;

impl Visit for LawsHold {
    type Out = Tried;

    fn visit<T: Listed>(self, kind: T) -> Tried {
        of_effects(
            &kind,
            &|value, draw| kind.proposal(value, draw),
            (3, 6),
            (30, 1),
            &mut to_the_end,
        )
    }
}

impl VisitJoin for LawsHold {
    type Out = Tried;

    fn visit<T: Join>(self, kind: T, propose: &dyn Fn(&Value, &mut Draw) -> Value) -> Tried {
        of_joins(&kind, propose, 60, 1, &mut to_the_end)
    }
}

/// Each law of each type is tried, and holds.
#[test]
fn the_laws_hold() {
    for (name, _) in catalogue::LIST {
        let mut tried = catalogue::visit(name, &Value::Null, LawsHold).unwrap();
        if let Some(engine) = catalogue::engine(name) {
            let progress = to_the_end;
            let of_products =
                OfProducts { replicas: 4, operations: 7, histories: 40, seed: 1, progress };
            tried.add(catalogue::visit_product(name, &Value::Null, of_products).unwrap());
            let of_engine: &[&str] = match engine {
                Engine::Frame => &["frame", "frame-inverse", "frame-seen", "frame-turns"],
                Engine::Sums => &["L5", "L5-parts"],
                Engine::Scan => &["L4"],
            };
            for law in ["L0", "L1", "L2", "L3"].iter().chain(of_engine) {
                assert!(tried.counts.contains_key(law), "{name}: {law} was not tried");
            }
        }
        assert_eq!(tried.broken, None, "{name}");
    }
    for (name, _) in catalogue::JOINS {
        let tried = catalogue::visit_join(name, LawsHold).unwrap();
        assert_eq!((tried.broken, tried.counts.len()), (None, 13), "{name}");
    }
}

#[test]
fn a_join_that_is_wrong_breaks_a_law_in_a_run_of_few_steps() {
    for (name, _, bug) in JoinBug::ALL {
        let broken = catalogue::visit_planted_join(bug, LawsHold).broken.expect(name);
        assert!(broken.run.len() <= 3, "{name}: {broken:?}");
    }
}

/// A history wider than can be swept is cut short, and that is said.
#[test]
fn a_sweep_that_is_cut_short_says_so() {
    let kind = Aggregate(Register { start: 1 });
    let propose = |value: &Value, draw: &mut Draw| kind.proposal(value, draw);
    let history = history::random(&kind, &propose, 4, 16, &mut Draw(1));
    let events = history::events(&kind, &history).unwrap();
    let whole = sweep(&kind, &events, Strictness::States).unwrap();
    let part = sweep_up_to(whole.sets / 2, &kind, &events, Strictness::States).unwrap();
    assert!(!whole.cut && whole.orders > 0);
    assert!(part.cut && part.orders == 0 && part.sets <= whole.sets / 2, "{part:?} of {whole:?}");
}

struct Forgetful;

impl Visit for Forgetful {
    type Out = u64;

    /// A random history is delivered in some order to two copies, of which one forgets what is stable
    /// after every step.
    fn visit<T: Listed>(self, kind: T) -> u64 {
        let propose = |value: &Value, draw: &mut Draw| kind.proposal(value, draw);
        let mut forgot = 0;
        for seed in 0..100 {
            let mut draw = Draw(seed);
            let history = history::random(&kind, &propose, 3, 12, &mut draw);
            let events = history::events(&kind, &history).unwrap();
            let (mut keeps, mut forgets) = (kind.initial(), kind.initial());
            in_some_order(&events, &mut draw, |at, clock| {
                let event = &events[at];
                kind.effect(&mut keeps, event.at(), &event.message).unwrap();
                kind.effect(&mut forgets, event.at(), &event.message).unwrap();
                kind.forget(&mut forgets, &stable(3, clock, &events));
                assert_eq!(kind.value(&keeps), kind.value(&forgets), "{} seed {seed}", T::NAME);
                forgot += u64::from(keeps != forgets);
            });
        }
        forgot
    }
}

/// What somebody who has delivered `clock` knows that all replicas have seen: of each what its last
/// delivered message had seen, for what it sends next has seen that too.
fn stable<M>(replicas: u32, clock: &Clock, events: &[Event<M>]) -> Clock {
    let known = |replica: u32| {
        let dot = Dot::new(replica, clock.get(replica));
        let event = events.iter().find(|event| event.stamp.dot == dot)?;
        let mut seen = event.past.clone();
        seen.advance(dot);
        Some(seen)
    };
    let known: Vec<Clock> =
        (0..replicas).map(|replica| known(replica).unwrap_or_default()).collect();
    let mut stable = Clock::new();
    for origin in 0..replicas {
        let seq = known.iter().map(|clock| clock.get(origin)).min().unwrap_or(0);
        if seq > 0 {
            stable.advance(Dot::new(origin, seq));
        }
    }
    stable
}

#[test]
fn what_is_forgotten_once_it_is_stable_is_never_missed() {
    for (name, _) in catalogue::LIST {
        let forgot = catalogue::visit(name, &Value::Null, Forgetful).unwrap();
        // Flags and add-wins sets keep nothing for others, nor does what stands in a frame.
        let nothing =
            ["enable_wins_flag", "disable_wins_flag", "add_wins_set", "remove_wins_set_pure"];
        let keeps = !nothing.contains(name) && catalogue::engine(name) != Some(Engine::Frame);
        assert_eq!(forgot > 0, keeps, "{name} forgot {forgot} times");
    }
}

/// What no honest replica sends is refused with a reason, and changes nothing.
#[test]
fn forged_messages_are_refused() {
    use crdt::types::{Ranged, Rich, Unique, UniqueOp, list::RichMessage};
    let stamp = Stamp { lamport: 0, dot: Dot::new(0, 1) };
    let past = Clock::new();
    let at = At { stamp, past: &past };
    let nowhere = Dot::new(9, 9);
    let mut state = Unique.initial();
    let forged = UniqueOp::Change(nowhere, RegisterOp::Add(1));
    let why = Unique.effect(&mut state, at, &forged).unwrap_err();
    assert_eq!((why.to_string(), &state), ("there is no element 9.9".into(), &Unique.initial()));
    let mut text = Rich.initial();
    for forged in
        [RichMessage::Delete(nowhere), RichMessage::Format(vec![nowhere], "b".into(), Value::Null)]
    {
        assert!(Rich.effect(&mut text, at, &forged).is_err(), "{forged:?}");
    }
    assert_eq!(text, Rich.initial());
    // A position of another's choosing would let one replica write over what another wrote.
    let other = Stamp { lamport: 0, dot: nowhere };
    let insert = crdt::types::ListOp::Insert(0, "x".into());
    let message = Ranged.prepare(&Ranged.initial(), &insert, other).unwrap();
    assert!(Ranged.effect(&mut Ranged.initial(), at, &message).is_err());
    let log = Log::new([]);
    assert_eq!(Unique.meaning(&log), Unique.value(&Unique.initial()));
}
