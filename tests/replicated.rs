//! Replicated types: every delivery order, what others say of them, and what is wrong on purpose.

use std::{fs, path::Path};

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
    to_the_end, vectors,
};

/// Every case of every vector file passes, and there are as many as were copied.
#[test]
fn the_vectors_pass() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/semidirect");
    let mut passed = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "json") {
            let replayed = vectors::replay(&fs::read_to_string(&path).unwrap()).unwrap();
            assert_eq!(replayed.failed, [], "{}", path.display());
            passed += replayed.passed;
        }
    }
    assert_eq!(passed, 669);
}

/// Another value anywhere in a case is noticed.
#[test]
fn a_vector_with_another_value_fails() {
    let text = include_str!("vectors/semidirect/int_add_mult.json");
    for (right, wrong) in [
        ("\"final\":17", "\"final\":18"),
        ("\"value_at_origin_after\":2", "\"value_at_origin_after\":3"),
        ("\"linear_extensions\":6", "\"linear_extensions\":7"),
    ] {
        let changed = text.replacen(right, wrong, 1);
        assert_ne!(changed, text, "{right} is somewhere");
        let replayed = vectors::replay(&changed).unwrap();
        assert_eq!(replayed.failed.len(), 1, "{wrong}: {:?}", replayed.failed);
    }
}

/// So it is in the vectors of causal delivery.
#[test]
fn a_delivery_vector_that_says_otherwise_fails() {
    let text = include_str!("vectors/semidirect/causal_broadcast.json");
    for (right, wrong) in [
        (r#""buffered":[],"delivered":[0]"#, r#""buffered":[0],"delivered":[]"#),
        (r#""stable":[0,0,0,0,0],"vc":[0,0,0,1,0]"#, r#""stable":[0,0,0,1,0],"vc":[0,0,0,1,0]"#),
        (r#""stable":[0,0,0,0,0],"vc":[0,0,0,1,0]"#, r#""stable":[0,0,0,0,0],"vc":[0,0,0,2,0]"#),
    ] {
        let changed = text.replacen(right, wrong, 1);
        assert_ne!(changed, text, "{right} is somewhere");
        let replayed = vectors::replay(&changed).unwrap();
        assert_eq!(replayed.failed.len(), 1, "{wrong}: {:?}", replayed.failed);
    }
    let unsent = text.replacen(r#""receive":0"#, r#""receive":99999"#, 1);
    assert!(vectors::replay(&unsent).is_err());
}

#[test]
fn a_file_that_is_no_vector_file_is_refused_and_so_is_a_hostile_case() {
    for text in [
        "",
        "[]",
        r#"{"schema": "semidirect-vectors/2"}"#,
        r#"{"schema": 3}"#,
        r#"{"schema": "semidirect-vectors/1", "type": "int_add_mult", "cases": []}"#,
        r#"{"schema": "semidirect-vectors/1", "type": "int_add", "cases": [
            {"name": "one", "replicas": 1, "ops": [], "final": 1}]}"#,
        r#"{"schema": "semidirect-vectors/1", "type": "int_add_mult", "params": {"start": 1},
            "cases": [{"name": "one", "replicas": 1, "ops": [], "final": 1}]}"#,
        r#"{"schema": "semidirect-vectors/1", "type": "int_add_mult", "cases": [
            {"name": "one", "replicas": 1, "ops": [], "final": 1,
             "checkpoints": [{"delivered": [0], "value": 1}]}]}"#,
    ] {
        assert!(vectors::replay(text).is_err(), "{text}");
    }
    let case = |operation: &str| {
        format!(
            r#"{{"schema": "semidirect-vectors/1", "type": "int_add_mult", "cases": [{{
                "name": "one", "replicas": 1, "final": 1, "ops": [{operation}]}}]}}"#
        )
    };
    for operation in [
        r#"{"replica": 7, "seq": 1, "vc": [1], "lamport": 0, "op": {"kind": "add", "arg": 0}, "value_at_origin_after": 1}"#,
        r#"{"replica": 0, "seq": 1, "vc": [9], "lamport": 0, "op": {"kind": "add", "arg": 0}, "value_at_origin_after": 1}"#,
        r#"{"replica": 0, "seq": 0, "vc": [0], "lamport": 0, "op": {"kind": "add", "arg": 0}, "value_at_origin_after": 1}"#,
        r#"{"replica": 0, "seq": 1, "vc": [1], "lamport": 0, "op": {"kind": "sub", "arg": 0}, "value_at_origin_after": 1}"#,
        r#"{"replica": 0, "seq": 1, "vc": [1], "lamport": 0, "op": {"kind": "add"}, "value_at_origin_after": 1}"#,
        "3",
    ] {
        let refused = vectors::replay(&case(operation)).unwrap_err();
        assert!(refused.to_string().starts_with("case 0"), "{operation}: {refused}");
    }
    // What no user could do here, others say was done: that is a difference and no malformed file.
    let done = r#"{"replica": 0, "seq": 1, "vc": [1], "lamport": 0, "op": {"kind": "add", "arg": 4}, "value_at_origin_after": 1}"#;
    let replayed = vectors::replay(&case(done)).unwrap();
    assert_eq!((replayed.passed, replayed.failed.len()), (0, 1));
}

/// What a file says twice must be the same twice, and a key that nobody reads is a mistake.
#[test]
fn a_vector_that_contradicts_itself_or_has_another_key_is_refused() {
    let operation = r#""op": {"kind": "add", "arg": 0}, "value_at_origin_after": 1}"#;
    let file = format!(
        r#"{{"schema": "semidirect-vectors/1", "type": "int_add_mult", "cases": [{{
            "name": "one", "replicas": 2, "final": 1, "linear_extensions": 2, "checkpoints": [], "ops": [
            {{"id": 0, "replica": 0, "seq": 1, "vc": [1, 0], "deps": [], "lamport": 0, {operation},
            {{"id": 1, "replica": 1, "seq": 1, "vc": [0, 1], "deps": [], "lamport": 0, {operation},
            {{"id": 2, "replica": 0, "seq": 2, "vc": [2, 1], "deps": [0, 1], "lamport": 1, {operation}]}}]}}"#
    );
    assert_eq!(vectors::replay(&file).unwrap().passed, 1);
    for (right, wrong, why) in [
        (
            "\"replicas\": 2",
            "\"replicas\": 4000000000",
            "`replicas`: expected 1 to 1024, found 4000000000",
        ),
        ("\"replicas\": 2", "\"replicas\": 0", "`replicas`: expected 1 to 1024, found 0"),
        ("\"replica\": 1", "\"replica\": 9", "`replica`: expected one below 2, found 9"),
        ("\"vc\": [2, 1]", "\"vc\": [2]", "`vc`: expected 2 counts, found 1"),
        ("\"id\": 1", "\"id\": 2", "`id`: expected 1, found 2"),
        (
            "\"deps\": [0, 1]",
            "\"deps\": [0, 2]",
            "`deps`: expected {0, 1} by its clock, found {0, 2}",
        ),
        ("\"deps\": [0, 1]", "\"deps\": [0]", "`deps`"),
        ("\"lamport\": 1", "\"lamport\": 2", "`lamport`: expected 1, found 2"),
        ("\"checkpoints\"", "\"checkpoint\"", "`checkpoint`"),
        ("\"deps\"", "\"dep\"", "`dep`"),
        ("\"cases\"", "\"case\": 1, \"cases\"", "`case`"),
        ("int_add_mult", "int_add", "`type`: expected one of int_add_mult, "),
    ] {
        let text = file.replacen(right, wrong, 1);
        assert_ne!(text, file, "{right} is somewhere");
        let refused = vectors::replay(&text).unwrap_err().to_string();
        assert!(refused.contains(why), "{wrong}: {refused}");
    }
    let case = file.split_once("\"cases\": [").unwrap().1.strip_suffix("]}").unwrap();
    let twice = file.replacen(case, &format!("{case}, {case}"), 1);
    assert!(vectors::replay(&twice).unwrap_err().to_string().contains("`name`"));
    let alone = |count: u32| {
        let rows: Vec<String> = (0..count)
            .map(|at| {
                format!(
                    r#"{{"replica": 0, "seq": {0}, "vc": [{0}], "lamport": {at}, {operation}"#,
                    at + 1
                )
            })
            .collect();
        format!(
            r#"{{"schema": "semidirect-vectors/1", "type": "int_add_mult", "cases": [{{
                "name": "one", "replicas": 1, "final": 1, "linear_extensions": 1, "ops": [{}]}}]}}"#,
            rows.join(",")
        )
    };
    assert_eq!(vectors::replay(&alone(16)).unwrap().passed, 1);
    let refused = vectors::replay(&alone(17)).unwrap_err().to_string();
    assert!(refused.contains("`linear_extensions`"), "{refused}");
}

#[test]
fn a_delivery_vector_that_cannot_be_is_refused_before_anything_is_made_for_it() {
    let file = r#"{"schema": "causal-broadcast-vectors/1", "cases": [{"name": "one", "replicas": 2, "events": [
        {"at": 0, "broadcast": 0, "vc": [1, 0], "stable": [0, 0]}]}]}"#;
    assert_eq!(vectors::replay(file).unwrap().passed, 1);
    for (right, wrong, why) in [
        (
            "\"replicas\": 2",
            "\"replicas\": 4000000000",
            "`replicas`: expected 1 to 1024, found 4000000000",
        ),
        ("\"replicas\": 2", "\"replicas\": 0", "`replicas`: expected 1 to 1024, found 0"),
        ("\"at\": 0", "\"at\": 4294967296", "`at`: expected a replica below 2, found 4294967296"),
        ("\"vc\"", "\"buffered\": [0], \"vc\"", "deliver none"),
        ("{\"at\": 0, \"broadcast\": 0, \"vc\": [1, 0], \"stable\": [0, 0]}", "", "`events`"),
    ] {
        let text = file.replacen(right, wrong, 1);
        assert_ne!(text, file, "{right} is somewhere");
        let refused = vectors::replay(&text).unwrap_err().to_string();
        assert!(refused.contains(why), "{wrong}: {refused}");
    }
    let case = file.split_once("\"cases\": [").unwrap().1.strip_suffix("]}").unwrap();
    let twice = file.replacen(case, &format!("{case}, {case}"), 1);
    assert!(vectors::replay(&twice).unwrap_err().to_string().contains("`name`"));
}

#[test]
fn control_characters_of_a_file_are_spelled_out() {
    let file = r#"{"schema": "causal-broadcast-vectors/1", "cases": [
        {"name": "a\u001b[2J\nb", "replicas": 2, "events": []}]}"#;
    let refused = vectors::replay(file).unwrap_err().to_string();
    assert!(refused.contains(r"a\u{1b}[2J\nb"), "{refused}");
}

#[test]
fn what_is_no_object_is_told_so() {
    for (text, found) in
        [("[]", "a list"), ("3", "a number"), ("null", "null"), ("\"x\"", "a text")]
    {
        let refused = vectors::replay(text).unwrap_err().to_string();
        assert_eq!(refused, format!("expected a JSON object, found {found}"));
    }
}

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
                let (mut one, mut other, mut clock) =
                    (frame.initial(), scan.initial(), Clock::new());
                for _ in 0..framed.len() {
                    let ready = (0..framed.len()).filter(|at| {
                        !clock.covers(framed[*at].stamp.dot) && clock.covers_all(&framed[*at].past)
                    });
                    let at = draw.pick(&ready.collect::<Vec<_>>());
                    frame.effect(&mut one, framed[at].at(), &framed[at].message).unwrap();
                    scan.effect(&mut other, scanned[at].at(), &scanned[at].message).unwrap();
                    clock.advance(framed[at].stamp.dot);
                    assert_eq!(frame.value(&one), scan.value(&other), "seed {seed}");
                }
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
        let mut clock = Clock::new();
        let (mut one, mut other) = (by_states.initial(), by_operations.initial());
        for _ in 0..deltas.len() {
            let ready = (0..deltas.len()).filter(|at| {
                !clock.covers(deltas[*at].stamp.dot) && clock.covers_all(&deltas[*at].past)
            });
            let at = draw.pick(&ready.collect::<Vec<_>>());
            by_states.effect(&mut one, deltas[at].at(), &deltas[at].message).unwrap();
            by_operations.effect(&mut other, additions[at].at(), &additions[at].message).unwrap();
            clock.advance(deltas[at].stamp.dot);
            assert_eq!(by_states.value(&one), by_operations.value(&other), "seed {seed}");
        }
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
            let (mut keeps, mut forgets, mut clock) =
                (kind.initial(), kind.initial(), Clock::new());
            for _ in 0..events.len() {
                let ready = events.iter().filter(|event| {
                    !clock.covers(event.stamp.dot) && clock.covers_all(&event.past)
                });
                let event = draw.pick(&ready.collect::<Vec<_>>());
                kind.effect(&mut keeps, event.at(), &event.message).unwrap();
                kind.effect(&mut forgets, event.at(), &event.message).unwrap();
                clock.advance(event.stamp.dot);
                kind.forget(&mut forgets, &stable(3, &clock, &events));
                assert_eq!(kind.value(&keeps), kind.value(&forgets), "{} seed {seed}", T::NAME);
                forgot += u64::from(keeps != forgets);
            }
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
