//! What holds of the counter in particular: the join, the digests, and counting across versions.

use std::sync::Arc;

use contract::NodeId;
use proptest::prelude::*;

use super::{
    APP, LIST, PUSH_EVERY, asking,
    entries::{Amount, Entries, Entry},
    one::{self, Count},
    three::{self, Folded, up_from_two},
    two::{self, UpDown, up_from_one},
};
use crate::{
    Body, Fault, Incoming, Meter, Outgoing, Program, Step,
    native::{
        Registry,
        rig::{BUDGET, Fleet, migrate},
        typed::Typed,
    },
};

fn program(version: &str, variant: Option<&str>) -> Arc<dyn Program> {
    Registry::standard().program(APP, version, variant).unwrap()
}

fn of<E: Entry>(list: impl IntoIterator<Item = (u32, E)>) -> Entries<E> {
    let mut entries = Entries::default();
    list.into_iter().for_each(|(node, entry)| entries.set(node, entry));
    entries
}

fn joined<E: Entry>(mut a: Entries<E>, b: &Entries<E>) -> Entries<E> {
    let before = a.clone();
    let step = a.join(&b.bytes()).unwrap();
    assert_eq!(step == Step::Unchanged, a == before);
    a
}

fn maps<E: Entry>(entry: impl Strategy<Value = E>) -> impl Strategy<Value = Entries<E>> {
    prop::collection::vec((prop_oneof![0..6_u32, any::<u32>()], entry), 0..8).prop_map(of)
}

fn counts() -> impl Strategy<Value = Count> {
    (0..5_u64).prop_map(|count| Count { count })
}

fn up_downs() -> impl Strategy<Value = UpDown> {
    (0..4_u64, 0..4_u64).prop_map(|(up, down)| UpDown { up, down })
}

fn foldeds() -> impl Strategy<Value = Folded> {
    (0..3_u64, 0..3_u64, 0..3_u64).prop_map(|(epoch, up, down)| Folded { epoch, up, down })
}

/// The laws of a join, on three maps.
fn is_a_join<E: Entry>(
    a: &Entries<E>,
    b: &Entries<E>,
    c: &Entries<E>,
) -> Result<(), TestCaseError> {
    let join = |a: &Entries<E>, b: &Entries<E>| joined(a.clone(), b);
    prop_assert_eq!(join(a, b), join(b, a));
    prop_assert_eq!(join(&join(a, b), c), join(a, &join(b, c)));
    prop_assert_eq!(join(a, a), a.clone());
    prop_assert_eq!(join(&join(a, b), b), join(a, b));
    Ok(())
}

/// An edge respects the join: joining then lifting is lifting then joining. Also for a message that
/// holds a map, which is how maps meet.
fn is_natural<A: Entry, B: Entry>(
    a: &Entries<A>,
    b: &Entries<A>,
    up: impl Fn(A) -> B + Copy,
    convert: impl Fn(&Body) -> Result<Body, Fault>,
    tag: u32,
) -> Result<(), TestCaseError> {
    let lift = |map: &Entries<A>| map.lift(&mut Meter::new(BUDGET), up).unwrap();
    let lifted = lift(&joined(a.clone(), b));
    prop_assert_eq!(&lifted, &joined(lift(a), &lift(b)));
    let converted = convert(&b.body(tag)).unwrap();
    prop_assert_eq!(&converted.bytes[..], &lift(b).bytes()[..]);
    prop_assert_eq!(lift(a).digest(), a.digest(), "a digest means the same on both sides");
    Ok(())
}

proptest! {
    #[test]
    fn join_is_a_join_of_counts(a in maps(counts()), b in maps(counts()), c in maps(counts())) {
        is_a_join(&a, &b, &c)?;
    }

    #[test]
    fn join_is_a_join_of_ups_and_downs(
        a in maps(up_downs()), b in maps(up_downs()), c in maps(up_downs()),
    ) {
        is_a_join(&a, &b, &c)?;
    }

    #[test]
    fn join_is_a_join_of_folded_counts(
        a in maps(foldeds()), b in maps(foldeds()), c in maps(foldeds()),
    ) {
        is_a_join(&a, &b, &c)?;
    }

    #[test]
    fn r21_every_edge_respects_the_join(
        a in maps(counts()), b in maps(counts()), c in maps(up_downs()), d in maps(up_downs()),
    ) {
        is_natural(&a, &b, up_from_one, two::convert_from_one, one::MAP)?;
        is_natural(&c, &d, up_from_two, three::convert_from_two, two::MAP)?;
    }

    #[test]
    fn a_map_reads_back_and_its_digest_tells_it_from_others(
        a in maps(up_downs()), b in maps(up_downs()),
    ) {
        let read = Entries::<UpDown>::read(&a.bytes(), "map").unwrap();
        prop_assert_eq!(&read, &a);
        prop_assert_eq!(Entries::<UpDown>::schema().check(&a.bytes()), Ok(()));
        let places = |map: &Entries<UpDown>| {
            map.iter().map(|(node, entry)| (node, entry.place())).collect::<Vec<_>>()
        };
        prop_assert_eq!(a.digest() == b.digest(), places(&a) == places(&b));
    }

    #[test]
    fn hostile_maps_are_refused_or_joined_and_never_half(
        a in maps(counts()),
        bytes in prop::collection::vec(prop_oneof![0..8_u8, any::<u8>()], 0..24),
    ) {
        let mut map = a.clone();
        match map.join(&bytes) {
            Ok(_) => prop_assert_eq!(Entries::<Count>::schema().check(&bytes), Ok(())),
            Err(_) => prop_assert_eq!(&map, &a),
        }
        prop_assert_eq!(&of(map.iter()), &map, "order and digest are kept");
    }
}

/// Lets a fleet gossip until all maps are equal, each tick from every node.
fn gossip(fleet: &mut Fleet) {
    for round in 0..64 {
        for at in 0..fleet.nodes.len() {
            fleet.give(at, Incoming::Tick, PUSH_EVERY * (round + at as u64) + 1).did.unwrap();
        }
        fleet.settle();
    }
}

fn read(fleet: &mut Fleet, at: usize) -> i64 {
    let body = fleet.program.operation("read", [0; 4]).unwrap();
    fleet.ask(at, body, 0).did.unwrap();
    let (_, result) = fleet.replies.last().unwrap();
    i64::read(result, "reply").unwrap()
}

fn increment(by: u64) -> Body {
    one::Add { by }.body(one::INCREMENT)
}

#[test]
fn r21_value_id_and_map_survive_any_number_of_updates() {
    let mut fleet = Fleet::new(program("1.0.0", None), 3);
    let mut total = 0;
    let ways = [("1.0.1", None), ("1.4.0", None), ("2.0.0", Some(0)), ("3.0.0", Some(1))];
    for (version, edge) in ways {
        for at in 0..3_usize {
            let by = 10 + at as u64;
            assert!(fleet.ask(at, increment(by), 0).did.is_ok());
            fleet.ask(at, fleet.program.operation("add", [4, 0, 0, 0]).unwrap(), at as u64);
            total += i64::try_from(by).unwrap();
        }
        // Additions sent before the update are counted after it.
        let by: Vec<_> = fleet.in_flight.iter().map(|(_, _, body)| body.bytes.clone()).collect();
        assert_eq!(by.len(), 3);
        total += if fleet.program.manifest().message(two::ADD).is_none() { 3 * 5 } else { 3 * 2 };
        let measured = fleet.measured(0);
        fleet.upgrade(&program(version, None), edge);
        assert_eq!(fleet.measured(0), measured, "{version}");
        fleet.settle();
        assert_eq!(fleet.measured(0), i128::from(total), "{version}");
    }
    gossip(&mut fleet);
    for at in 0..3 {
        assert_eq!(read(&mut fleet, at), total);
    }
}

#[test]
fn r21_increments_of_old_and_new_nodes_merge() {
    let (old, new) = (program("1.4.0", None), program("2.0.0", None));
    let mut fleet = Fleet::new(Arc::clone(&old), 2);
    fleet.ask(0, increment(5), 0).did.unwrap();
    fleet.upgrade_node(1, &new, Some(0));
    fleet.ask(1, increment(7), 0).did.unwrap();

    // The old node pushes its map, which the new node joins once converted.
    fleet.give(0, Incoming::Tick, 0).did.unwrap();
    let (from, _, body) = fleet.in_flight.pop().unwrap();
    let body = new.convert(0, &body).unwrap();
    let seen = fleet.give(1, Incoming::Message { from, body }, 0);
    assert_eq!(seen.did, Ok((Step::Changed, vec![])));
    fleet.upgrade_node(0, &new, Some(0));
    fleet.program = new;
    assert_eq!(fleet.measured(0), 12);
    gossip(&mut fleet);
    assert_eq!((read(&mut fleet, 0), read(&mut fleet, 1)), (12, 12));
}

#[test]
fn a_converted_digest_is_not_answered_with_a_map_that_its_sender_could_not_read() {
    for (old, new, edge) in [("1.4.0", "2.0.0", 0), ("2.0.0", "3.0.0", 1)] {
        let (old, new) = (program(old, None), program(new, None));
        let mut fleet = Fleet::new(old, 2);
        fleet.ask(0, increment(5), 0).did.unwrap();
        fleet.give(0, Incoming::Tick, 1).did.unwrap();
        let (from, _, body) = fleet.in_flight.pop().unwrap();
        let asked = fleet.give(1, Incoming::Message { from, body: body.clone() }, 0).did.unwrap();
        assert_eq!(asked.1.len(), 1, "a node of the same line answers");
        fleet.upgrade_node(1, &new, Some(edge));
        let body = new.convert(edge, &body).unwrap();
        let asked = fleet.give(1, Incoming::Message { from, body }, 0).did.unwrap();
        assert_eq!(asked, (Step::Unchanged, vec![]));
    }
}

#[test]
fn a_digest_tells_what_went_down_too() {
    for version in ["2.0.0", "3.0.0"] {
        let mut fleet = Fleet::new(program(version, None), 2);
        fleet.ask(0, increment(9), 0).did.unwrap();
        gossip(&mut fleet);
        fleet.ask(0, one::Add { by: 4 }.body(two::DECREMENT), 0).did.unwrap();
        gossip(&mut fleet);
        assert_eq!((read(&mut fleet, 0), read(&mut fleet, 1)), (5, 5), "{version}");
    }
}

#[test]
fn a_fleet_that_agrees_exchanges_digests_and_no_answers() {
    for listed in LIST {
        let mut fleet = Fleet::new((listed.build)(), 4);
        (0..4).for_each(|at| drop(fleet.ask(at, increment(1 + at as u64), 0)));
        gossip(&mut fleet);
        for at in 0..4 {
            fleet.give(at, Incoming::Tick, 1).did.unwrap();
            let (_, _, body) = &fleet.in_flight[0];
            assert!(body.bytes.len() < 16);
            let seen = fleet.deliver(0);
            assert_eq!(seen.did, Ok((Step::Unchanged, vec![])));
        }
    }
}

#[test]
fn r14_a_node_of_any_version_tells_its_map_when_it_is_asked() {
    let ask = |version: &str| {
        let program = program(version, None);
        let kind = program.manifest().message(asking::ASK).cloned();
        let mut fleet = Fleet::new(program, 2);
        let body = fleet.program.operation("ask", [0; 4]).unwrap();
        fleet.ask(0, body, 0).did.unwrap();
        let (from, to, body) = fleet.in_flight.pop().unwrap();
        fleet.give(1, Incoming::Message { from, body: body.clone() }, 0).did.unwrap();
        let (_, answered, map) = fleet.in_flight.pop().unwrap();
        assert_eq!((to, answered), (NodeId(2), NodeId(1)));
        let kind = kind.expect("it is declared");
        assert!(!kind.versioned);
        (body, kind.schema, map.tag)
    };
    let (older, newer) = (ask("1.5.0"), ask("2.1.0"));
    assert_eq!((&older.0, &older.1), (&newer.0, &newer.1), "no version says it in another way");
    assert_eq!((older.2, newer.2), (one::MAP, two::MAP));
}

#[test]
fn a_lone_node_counts_and_gossips_with_nobody() {
    let mut fleet = Fleet::new(program("1.4.0", None), 1);
    assert_eq!(fleet.give(0, Incoming::Tick, 0).did, Ok((Step::Unchanged, vec![])));
    let add = fleet.program.operation("add", [1, 0, 0, 0]).unwrap();
    fleet.ask(0, add, 9).did.unwrap();
    fleet.settle();
    assert_eq!(read(&mut fleet, 0), 2, "it adds at itself");
}

#[test]
fn a_read_of_the_first_version_forgets_nodes_that_left_and_the_patch_does_not() {
    let reads = |version| {
        let mut fleet = Fleet::new(program(version, None), 3);
        (0..3).for_each(|at| drop(fleet.ask(at, increment(1), 0)));
        gossip(&mut fleet);
        fleet.nodes.pop();
        fleet.instances.pop();
        read(&mut fleet, 0)
    };
    assert_eq!((reads("1.0.0"), reads("1.0.1"), reads("1.4.0")), (2, 3, 3));
}

#[test]
fn many_amounts_are_counted_from_1_4_on() {
    let many = one::AddMany { by: vec![1, 2, 3] }.body(one::ADD_MANY);
    let take = |version| {
        let mut fleet = Fleet::new(program(version, None), 1);
        let incoming = Incoming::Message { from: NodeId(2), body: many.clone() };
        fleet.give(0, incoming, 0).did.map(|_| fleet.measured(0))
    };
    assert_eq!(take("1.0.1"), Err(Fault::Refused("no message #3 here".to_owned())));
    assert_eq!(take("1.4.0"), Ok(6));
    let manifest = |version| program(version, None).manifest().message(one::ADD_MANY).cloned();
    assert_eq!(manifest("1.0.1"), None);
    assert_eq!(manifest("1.4.0").map(|message| message.since), Some([1, 4, 0]));
}

#[test]
fn an_operation_is_no_message_and_a_message_no_operation() {
    for listed in LIST {
        let mut fleet = Fleet::new((listed.build)(), 1);
        let from = NodeId(2);
        let seen = fleet.give(0, Incoming::Message { from, body: increment(1) }, 0);
        assert_eq!(seen.did, Err(Fault::Refused("no message #16 here".to_owned())));
        let add = fleet.program.manifest().messages.iter().find(|message| message.name == "add");
        let body = Body { tag: add.unwrap().tag, bytes: increment(1).bytes };
        assert!(fleet.ask(0, body, 0).did.is_err());
    }
}

#[test]
fn a_count_past_the_integer_is_refused_without_effect() {
    for listed in LIST {
        let mut fleet = Fleet::new((listed.build)(), 1);
        let most = i64::MAX as u64;
        assert!(fleet.ask(0, increment(most), 0).did.is_ok());
        assert_eq!(read(&mut fleet, 0), i64::MAX);
        let seen = fleet.ask(0, increment(1), 0);
        assert!(matches!(seen.did, Err(Fault::Refused(_))), "{}", listed.version);
        assert_eq!(seen.before, seen.after);
    }
}

#[test]
fn extreme_entries_of_a_hostile_peer_stop_no_node() {
    let most = i64::MAX as u64;
    let map = of((1..4).map(|node| (node, Folded { epoch: most, up: most, down: most })));
    let mut fleet = Fleet::new(program("3.0.0", None), 2);
    let incoming = Incoming::Message { from: NodeId(2), body: map.body(three::MAP) };
    assert!(fleet.give(0, incoming, 0).did.is_ok());
    let fold = fleet.program.operation("fold", [0; 4]).unwrap();
    let seen = fleet.ask(0, fold, 0);
    assert_eq!(seen.did, Err(Fault::Refused("no further form of the entry".to_owned())));
    assert!(fleet.ask(0, increment(1), 0).did.is_err());
    assert_eq!(read(&mut fleet, 0), 0);
}

#[test]
fn a_fold_says_the_same_and_an_older_map_does_not_undo_it() {
    let mut fleet = Fleet::new(program("3.0.0", None), 2);
    fleet.ask(0, increment(9), 0).did.unwrap();
    fleet.ask(0, one::Add { by: 4 }.body(two::DECREMENT), 0).did.unwrap();
    gossip(&mut fleet);
    let fold = fleet.program.operation("fold", [0; 4]).unwrap();
    assert!(matches!(fleet.ask(0, fold, 0).did, Ok((Step::Changed, _))));
    assert_eq!(fleet.measured(0), 5);
    // The other node still holds 9 up and 4 down, and pushes that.
    fleet.give(1, Incoming::Tick, 0).did.unwrap();
    let seen = fleet.deliver(0);
    assert_eq!(seen.did, Ok((Step::Unchanged, vec![])));
    gossip(&mut fleet);
    assert_eq!((read(&mut fleet, 0), read(&mut fleet, 1)), (5, 5));
    fleet.ask(0, increment(1), 0).did.unwrap();
    assert_eq!(fleet.measured(0), 6);
}

#[test]
fn state_of_another_node_is_refused() {
    let program = program("1.0.0", None);
    let state = program.init(NodeId(1)).export();
    assert_eq!(
        program.load(NodeId(2), &state).err(),
        Some(Fault::Refused("state of n1 given to n2".to_owned()))
    );
}

#[test]
fn a_thousand_nodes_stand_in_one_map() {
    let map = of((0..1_000).map(|node| (node, Count { count: u64::from(node) })));
    let mut fleet = Fleet::new(program("1.4.0", None), 2);
    let incoming = Incoming::Message { from: NodeId(2), body: map.body(one::MAP) };
    assert!(matches!(fleet.give(0, incoming.clone(), 0).did, Ok((Step::Changed, _))));
    assert_eq!(fleet.give(0, incoming, 0).did, Ok((Step::Unchanged, vec![])));
    assert_eq!(read(&mut fleet, 0), 499_500);
    let migrated = migrate(&program("2.0.0", None), 0, &fleet.instances[0].export());
    assert!(migrated.is_ok());
}

/// What becomes of a count of 3 at `node` under a flawed 2.0.0: its measures, and whether its state
/// is of its schema.
fn flawed(variant: &str, node: u32) -> Result<(Vec<i128>, bool), Fault> {
    let mut fleet = Fleet::new(program("1.4.0", None), node);
    let at = node as usize - 1;
    fleet.ask(at, increment(3), 0).did.unwrap();
    let flawed = program("2.0.0", Some(variant));
    let state = migrate(&flawed, 0, &fleet.instances[at].export())?;
    let sound = flawed.manifest().state.check(&state).is_ok();
    Ok((flawed.measure(&state).unwrap_or_default(), sound))
}

#[test]
fn every_flaw_shows_and_nothing_else_does() {
    assert_eq!(flawed("other", 1), Ok((vec![3], true)));
    assert_eq!(
        flawed("over-budget", 1),
        Err(Fault::OverBudget { spent: u64::MAX, budget: BUDGET })
    );
    assert!(matches!(flawed("fails-on-n1", 1), Err(Fault::Refused(_))));
    assert_eq!(flawed("fails-on-n1", 2), Ok((vec![3], true)));
    assert!(matches!(flawed("fails-on-odd", 2), Err(Fault::Refused(_))));
    assert_eq!(flawed("drops-count", 1), Ok((vec![0], true)));
    assert_eq!(flawed("ill-typed", 1), Ok((vec![], false)));
    assert_eq!(flawed("fresh", 1), Ok((vec![], true)));
    assert!(matches!(flawed("no-edge", 1), Err(Fault::Refused(_))));
    assert!(program("2.0.0", Some("no-edge")).manifest().edges.is_empty());

    let add = one::Add { by: 2 }.body(one::ADD);
    let converted = |variant| program("2.0.0", Some(variant)).convert(0, &add);
    assert_eq!(converted("other"), Ok(two::Add { by: two::Amount::Up(2) }.body(two::ADD)));
    assert!(matches!(converted("no-convert"), Err(Fault::Refused(_))));
    assert_eq!(
        converted("mistranslates"),
        Ok(two::Add { by: two::Amount::Up(2_000) }.body(two::ADD))
    );

    let impure = program("2.0.0", Some("impure"));
    let state = program("1.4.0", None).init(NodeId(1)).export();
    assert_ne!(migrate(&impure, 0, &state), migrate(&impure, 0, &state));
}

#[test]
fn the_sum_of_many_amounts_is_refused_past_the_integer() {
    let amount = Amount { plus: u64::MAX, minus: 0 };
    assert!(Amount::sum([amount, amount]).is_err());
    assert_eq!(Amount::sum([]), Ok(Amount::default()));
}

#[test]
fn a_forwarded_addition_is_the_same_bytes_to_another_node() {
    for listed in LIST {
        let mut fleet = Fleet::new((listed.build)(), 3);
        for entropy in 0..4 {
            let body = fleet.program.operation("add", [5, 0, 0, 0]).unwrap();
            let (step, out) = fleet.ask(1, body.clone(), entropy).did.unwrap();
            assert_eq!(step, Step::Unchanged);
            let Outgoing::Send { to, body: sent } = &out[0] else { panic!("no message: {out:?}") };
            assert_eq!(sent.bytes, body.bytes);
            assert_eq!(*to, [NodeId(1), NodeId(3)][entropy as usize % 2]);
        }
    }
}
