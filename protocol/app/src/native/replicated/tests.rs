//! Worked cases of the paper and of the slides through the applications, and what an instance promises.

use causal::{Clock, Dot, Stamp};
use contract::{NodeId, Time};

use crate::{
    Body, Context, Fault, Incoming, Outgoing, Runtime, Step,
    native::{Registry, rig::Fleet},
    schema::put_int,
};

/// A fleet of two.
fn fleet(name: &str) -> Fleet {
    Fleet::new(Registry::standard().load(format!("native {name}\n").as_bytes()).unwrap(), 2)
}

/// The operation of the type `name` whose parts are these integers, in the bytes that a client sends.
fn body(fleet: &Fleet, name: &str, parts: &[i64]) -> Body {
    let messages = &fleet.program.manifest().messages;
    let from = |tag: u32| tag >= crate::native::OPERATIONS_FROM;
    let kind = messages.iter().find(|message| message.name == name && from(message.tag)).unwrap();
    let mut bytes = Vec::new();
    parts.iter().for_each(|part| put_int(&mut bytes, *part));
    Body { tag: kind.tag, bytes: bytes.into() }
}

/// A client's operation at a node, which delivers it to itself at once.
fn ask(fleet: &mut Fleet, at: usize, body: Body) {
    let seen = fleet.ask(at, body, 0);
    assert!(seen.did.is_ok(), "{:?}", seen.did);
    fleet.pay();
}

fn asked(fleet: &mut Fleet, at: usize, name: &str, parts: &[i64]) {
    let body = body(fleet, name, parts);
    ask(fleet, at, body);
}

/// Delivers everything everywhere, and gives what all nodes then show.
fn shared(fleet: &mut Fleet) -> String {
    for at in 0..fleet.nodes.len() {
        while let Some(stamp) = fleet.ready(at).first() {
            let seen = fleet.deliver_operation(at, *stamp);
            assert_eq!(seen.did, Ok((Step::Changed, vec![])));
        }
    }
    let states: Vec<_> = fleet.instances.iter().map(|instance| instance.export()).collect();
    let shown: Vec<_> = states.iter().map(|state| fleet.program.shown(state)).collect();
    let meaning = fleet.program.meaning(&causal::Log::new(&fleet.log));
    assert!(shown.iter().all(|shown| *shown == meaning), "{shown:?} is not {meaning:?}");
    let bytes = meaning.unwrap().unwrap();
    String::from_utf8(bytes[1..].to_vec()).expect("a short text after its length")
}

#[test]
fn the_cycle_of_the_papers_first_figure_makes_17() {
    let mut fleet = fleet("register 2.0.0");
    asked(&mut fleet, 0, "add", &[1]);
    assert_eq!(shared(&mut fleet), "1");
    asked(&mut fleet, 0, "multiply", &[2]);
    asked(&mut fleet, 0, "add", &[1]);
    asked(&mut fleet, 1, "multiply", &[3]);
    asked(&mut fleet, 1, "add", &[4]);
    assert_eq!(shared(&mut fleet), "17");
}

#[test]
fn clearing_undoes_what_is_not_later_and_its_factors() {
    let mut fleet = fleet("register 3.0.0");
    asked(&mut fleet, 0, "add", &[100]);
    asked(&mut fleet, 0, "multiply", &[5]);
    asked(&mut fleet, 1, "clear", &[]);
    asked(&mut fleet, 1, "add", &[25]);
    assert_eq!(shared(&mut fleet), "25");
}

#[test]
fn three_classes_at_once_make_306_and_never_318() {
    let mut fleet = Fleet::new(fleet("gauge 1.0.0").program, 3);
    let change = |fleet: &mut Fleet, at, arm, by: i64| {
        let mut bytes = vec![arm];
        put_int(&mut bytes, by);
        ask(fleet, at, Body { tag: 17, bytes: bytes.into() });
    };
    change(&mut fleet, 0, 3, 1);
    assert_eq!(shared(&mut fleet), "1");
    for (at, arm, by) in [(0, 3, 2), (1, 4, 3), (2, 2, 100)] {
        change(&mut fleet, at, arm, by);
    }
    assert_eq!(shared(&mut fleet), "306");
}

#[test]
fn a_format_reaches_what_is_typed_into_it_at_the_same_time() {
    let insert = |index: i64, value: &str| {
        let mut bytes = Vec::new();
        put_int(&mut bytes, index);
        bytes.push(value.len() as u8);
        bytes.extend_from_slice(value.as_bytes());
        Body { tag: 17, bytes: bytes.into() }
    };
    let mut fleet = fleet("text 1.0.0");
    ask(&mut fleet, 0, insert(0, "a"));
    ask(&mut fleet, 0, insert(9, "b"));
    assert_eq!(shared(&mut fleet), r#"[["a",{}],["b",{}]]"#);
    // Both characters, in bold.
    ask(&mut fleet, 0, Body { tag: 19, bytes: vec![0, 4, 1, 1].into() });
    ask(&mut fleet, 1, insert(1, "x"));
    let bold = r#"[["a",{"bold":true}],["x",{"bold":true}],["b",{"bold":true}]]"#;
    assert_eq!(shared(&mut fleet), bold);
}

#[test]
fn a_move_is_turned_and_reflected_with_the_plane() {
    let mut fleet = fleet("canvas 2.0.0");
    asked(&mut fleet, 0, "rotate", &[1]);
    // The second coordinate.
    ask(&mut fleet, 0, Body { tag: 20, bytes: vec![2].into() });
    asked(&mut fleet, 1, "shift", &[0, 3, 0]);
    // (2, 4) moved to (5, 4), turned to (-4, 5), reflected to (-4, -5).
    let shown = shared(&mut fleet);
    assert!(shown.contains(r#""x":-4,"y":-5"#), "{shown}");
}

#[test]
fn a_change_of_each_reaches_what_is_put_in_at_the_same_time_unless_it_spares_it() {
    for (spares, prices) in [(0, [10, 14]), (1, [10, 7])] {
        let mut fleet = fleet("basket 2.0.0");
        asked(&mut fleet, 0, "put", &[5]);
        shared(&mut fleet);
        // Twice the price.
        ask(&mut fleet, 0, Body { tag: 23, bytes: vec![2, 4, spares].into() });
        asked(&mut fleet, 1, "put", &[7]);
        let shown = shared(&mut fleet);
        assert_eq!(shown, format!(r#"{{"1.1":{},"2.1":{}}}"#, prices[0], prices[1]));
    }
}

#[test]
fn an_operation_that_cannot_be_broadcast_is_refused_and_a_read_is_not() {
    let fleet = fleet("tally 1.0.0");
    let mut instance = fleet.program.init(NodeId(1));
    let context = Context { node: NodeId(1), now: Time::ZERO, nodes: &[], entropy: 0, next: None };
    let mut try_it = |name| {
        let incoming = Incoming::Operation { id: 7, body: body(&fleet, name, &[3][..]) };
        let mut out = vec![];
        instance.handle(context, &incoming, &mut out).map(|step| (step, out))
    };
    let refused = Fault::Refused("no operation can be broadcast now".to_owned());
    assert_eq!(try_it("up"), Err(refused));
    let incoming = Incoming::Operation { id: 7, body: body(&fleet, "read", &[]) };
    let mut out = vec![];
    assert_eq!(instance.handle(context, &incoming, &mut out), Ok(Step::Unchanged));
    assert_eq!(out, [Outgoing::Reply { id: 7, result: vec![0].into() }]);
}

#[test]
fn what_a_client_asks_for_is_carried_out_when_it_comes_back_and_not_before() {
    let mut fleet = fleet("tally 1.0.0");
    let up = body(&fleet, "up", &[3]);
    let seen = fleet.ask(0, up, 0);
    assert_eq!(seen.before, seen.after);
    let Ok((Step::Unchanged, out)) = seen.did else { panic!("it changed the state") };
    assert!(matches!(out[..], [Outgoing::Broadcast { .. }, Outgoing::Reply { .. }]));
    let own = fleet.pay().expect("it has broadcast");
    assert_eq!(own.did, Ok((Step::Changed, vec![])));
    assert_ne!(own.before, own.after);
}

#[test]
fn an_operation_of_no_honest_instance_changes_nothing_and_means_nothing() {
    let mut fleet = fleet("canvas 1.0.0");
    asked(&mut fleet, 0, "rotate", &[1]);
    // A shape that is not there, and five quarter turns.
    for (tag, parts) in [(1, vec![9, 0, 0]), (2, vec![5])] {
        let mut bytes = Vec::new();
        parts.iter().for_each(|part| put_int(&mut bytes, *part));
        let stamp = Stamp { lamport: 1, dot: Dot::new(2, 1) };
        let mut past = Clock::new();
        past.advance(Dot::new(1, 1));
        let body = Body { tag, bytes: bytes.into() };
        let log = [
            fleet.log[0].clone(),
            causal::Event { stamp, past: past.clone(), message: body.clone() },
        ];
        let seen = fleet.give(0, Incoming::Delivered { stamp, past, body }, 0);
        assert!(matches!(seen.did, Err(Fault::Refused(_))), "{:?}", seen.did);
        assert_eq!(seen.before, seen.after);
        let meaning = fleet.program.meaning(&causal::Log::new(&log));
        assert_eq!(meaning, fleet.program.shown(&seen.after));
    }
}

#[test]
fn a_state_that_no_replica_has_is_not_loaded() {
    // Factors in the wrong order; an item that is there and taken out; a shape too few.
    let register = fleet("register 2.0.0");
    let factor = |lamport: i64, by: i64| {
        let mut bytes = Vec::new();
        [lamport, 1, 0, 1, by].iter().for_each(|part| put_int(&mut bytes, *part));
        bytes
    };
    let state = |factors: [Vec<u8>; 2]| [&[0, 2][..], &factors.concat()].concat();
    let load = |state: &[u8]| register.program.load(NodeId(1), state).map(drop);
    assert_eq!(load(&state([factor(0, 2), factor(1, 3)])), Ok(()));
    assert!(load(&state([factor(1, 3), factor(0, 2)])).is_err());
    let canvas = fleet("canvas 1.0.0");
    assert_eq!(
        canvas.program.load(NodeId(1), &[0, 0]).map(drop),
        Err(Fault::Malformed("state: shapes"))
    );
}
