//! What holds of the session store in particular.

use std::sync::Arc;

use contract::{NodeId, Time};

use super::{
    APP, Form, NAME_BYTES_MAX, PENDING_MAX, State, TICK,
    one::{self, Outcome},
    owner,
    two::{self, Told},
};
use crate::{
    Body, Context, Fault, Incoming, Program, Step,
    native::{
        Registry,
        rig::Fleet,
        typed::{Table, Typed},
    },
};

fn program(version: &str) -> Arc<dyn Program> {
    Registry::standard().program(APP, version, None).unwrap()
}

fn put(name: &str, value: &str) -> Body {
    let (name, value) = (name.to_owned(), value.to_owned());
    one::ClientPut { name, value }.body(one::CLIENT_PUT)
}

fn get(name: &str) -> Body {
    one::ClientNamed { name: name.to_owned() }.body(one::CLIENT_GET)
}

fn get_full(name: &str) -> Body {
    two::ClientNamed { name: name.to_owned(), form: Form::Full(()) }.body(two::CLIENT_GET)
}

fn put_for(name: &str, life: u64) -> Body {
    let (name, value, form) = (name.to_owned(), "v".to_owned(), Form::Full(()));
    two::ClientPut { name, value, life: Some(life), form }.body(two::CLIENT_PUT)
}

fn told(fleet: &Fleet) -> Outcome {
    Outcome::read(&fleet.replies.last().unwrap().1, "reply").unwrap()
}

fn told_full(fleet: &Fleet) -> Told {
    Told::read(&fleet.replies.last().unwrap().1, "reply").unwrap()
}

/// A name that the node at `at` owns.
fn name_of(fleet: &Fleet, at: usize) -> String {
    let owner_of = |name: &String| {
        let nodes = &fleet.nodes;
        owner(Context { node: nodes[0], now: Time::ZERO, nodes, entropy: 0, next: None }, name)
    };
    (0..).map(|n| format!("user-{n}")).find(|name| owner_of(name) == fleet.nodes[at]).unwrap()
}

#[test]
fn what_a_client_keeps_at_one_node_a_client_finds_at_another() {
    for version in ["1.0.0", "1.1.0"] {
        let mut fleet = Fleet::new(program(version), 3);
        let name = name_of(&fleet, 2);
        fleet.ask(0, put(&name, "blue"), 0).did.unwrap();
        assert_eq!(fleet.measured(2), 1, "one client waits");
        fleet.settle();
        assert_eq!((told(&fleet), fleet.measured(2)), (Outcome::Done(()), 0));
        fleet.ask(1, get(&name), 0).did.unwrap();
        fleet.settle();
        assert_eq!(told(&fleet), Outcome::Found("blue".to_owned()));
        fleet.ask(2, get(&name), 0).did.unwrap();
        assert_eq!(told(&fleet), Outcome::Found("blue".to_owned()), "the owner answers at once");
        assert_eq!(fleet.measured(0), 1);
    }
}

#[test]
fn a_login_begins_a_session_and_counts_and_a_delete_ends_it() {
    let mut fleet = Fleet::new(program("1.1.0"), 1);
    let mut ask = |kind| {
        let body = fleet.program.operation(kind, [5, 6, 7, 8]).unwrap();
        fleet.ask(0, body, 0).did.unwrap();
        (told(&fleet), fleet.measured(0), fleet.measured(1))
    };
    assert_eq!(ask("touch"), (Outcome::Missing(()), 0, 0));
    assert_eq!(ask("login"), (Outcome::Found(String::new()), 1, 1));
    assert_eq!(ask("put"), (Outcome::Done(()), 1, 1));
    assert_eq!(ask("login"), (Outcome::Found("00000006".to_owned()), 1, 2));
    assert_eq!(ask("touch"), (Outcome::Done(()), 1, 3));
    assert_eq!(ask("delete"), (Outcome::Done(()), 0, 0));
    assert_eq!(ask("delete"), (Outcome::Missing(()), 0, 0));
}

#[test]
fn a_touch_is_understood_from_1_1_on() {
    let touch = one::Named { id: 1, name: "a".to_owned() }.body(one::TOUCH);
    let take = |version| {
        let incoming = Incoming::Message { from: NodeId(2), body: touch.clone() };
        Fleet::new(program(version), 1).give(0, incoming, 0).did.map(|(step, _)| step)
    };
    assert_eq!(take("1.0.0"), Err(Fault::Refused("no message #6 here".to_owned())));
    assert_eq!(take("1.1.0"), Ok(Step::Unchanged));
}

/// F11: asked at 1.x, upgraded, answered by a node of 1.x; and F10: answered as it was asked.
#[test]
fn a_request_outlives_the_upgrade_of_the_node_that_asked() {
    let (old, new) = (program("1.1.0"), program("2.0.0"));
    let mut fleet = Fleet::new(Arc::clone(&old), 2);
    let name = name_of(&fleet, 1);
    fleet.ask(0, put(&name, "blue"), 0).did.unwrap();
    fleet.upgrade_node(0, &new, Some(0));
    fleet.deliver(0).did.unwrap();
    let (from, to, answer) = fleet.in_flight.pop().unwrap();
    assert_eq!((answer.tag, to), (one::ANSWER, NodeId(1)));
    let body = new.convert(0, &answer).unwrap();
    let seen = fleet.give(0, Incoming::Message { from, body: body.clone() }, 0);
    assert!(matches!(seen.did, Ok((Step::Changed, _))));
    assert_eq!(told(&fleet), Outcome::Done(()));
    let again = fleet.give(0, Incoming::Message { from, body }, 0);
    assert_eq!(again.did, Ok((Step::Unchanged, vec![])), "a client is answered once");

    fleet.upgrade_node(1, &new, Some(0));
    fleet.ask(0, get_full(&name), 0).did.unwrap();
    fleet.settle();
    let outcome = Outcome::Found("blue".to_owned());
    assert_eq!(told_full(&fleet), Told { outcome, life: None });
}

#[test]
fn a_converted_operation_is_answered_in_the_form_of_1_x() {
    let new = program("2.0.0");
    let mut fleet = Fleet::new(Arc::clone(&new), 2);
    let name = name_of(&fleet, 1);
    fleet.ask(0, new.convert(0, &get(&name)).unwrap(), 0).did.unwrap();
    fleet.settle();
    assert_eq!(told(&fleet), Outcome::Missing(()));
}

#[test]
fn a_session_ends_when_its_life_is_over() {
    // A step of the rig takes a second.
    let second = 1_000_000_000;
    let mut fleet = Fleet::new(program("2.0.0"), 1);
    fleet.ask(0, put_for("a", 3 * second), 0).did.unwrap();
    fleet.ask(0, get_full("a"), 0).did.unwrap();
    let outcome = Outcome::Found("v".to_owned());
    assert_eq!(told_full(&fleet), Told { outcome, life: Some(2 * second) });
    assert_eq!(fleet.give(0, Incoming::Tick, 0).did, Ok((Step::Unchanged, vec![])));
    fleet.ask(0, get_full("a"), 0).did.unwrap();
    assert_eq!(told_full(&fleet).outcome, Outcome::Missing(()), "over, though not yet swept");
    assert_eq!(fleet.measured(0), 1);
    assert_eq!(fleet.give(0, Incoming::Tick, 0).did, Ok((Step::Changed, vec![])));
    assert_eq!(fleet.measured(0), 0);
}

#[test]
fn a_touch_without_a_life_leaves_the_end_as_it_was() {
    let second = 1_000_000_000;
    let mut fleet = Fleet::new(program("2.0.0"), 1);
    let mut touch = |life| {
        let touch = two::ClientTouch { name: "a".to_owned(), life, form: Form::Full(()) };
        fleet.ask(0, put_for("a", 9 * second), 0).did.unwrap();
        fleet.ask(0, touch.body(two::CLIENT_TOUCH), 0).did.unwrap();
        told_full(&fleet).life
    };
    assert_eq!((touch(None), touch(Some(5 * second))), (Some(8 * second), Some(5 * second)));
}

#[test]
fn a_client_is_told_when_no_answer_comes() {
    let mut fleet = Fleet::new(program("1.0.0"), 2);
    let name = name_of(&fleet, 1);
    fleet.ask(0, get(&name), 0).did.unwrap();
    let mut ticks = 0;
    while fleet.replies.is_empty() {
        fleet.give(0, Incoming::Tick, 0).did.unwrap();
        ticks += 1;
    }
    assert_eq!((told(&fleet), fleet.measured(2)), (Outcome::Late(()), 0));
    assert_eq!(ticks * TICK.as_nanos(), 301 * TICK.as_nanos());
    fleet.settle();
    assert_eq!(fleet.replies.len(), 1, "the late answer goes nowhere");
}

#[test]
fn a_node_waits_for_no_more_answers_than_its_limit() {
    let mut fleet = Fleet::new(program("1.0.0"), 2);
    let name = name_of(&fleet, 1);
    let mut pending = Table::default();
    for id in 0..PENDING_MAX as i64 {
        pending.insert(&id, one::Waiting { since: 0 });
    }
    let state = State::<one::One> { sessions: Table::default(), pending }.bytes();
    fleet.instances[0] = fleet.program.load(NodeId(1), &state).unwrap();
    let seen = fleet.ask(0, get(&name), 0);
    assert!(matches!(seen.did, Err(Fault::Refused(_))));
    assert_eq!(seen.before, seen.after);
}

#[test]
fn a_name_past_its_limit_is_refused() {
    let mut fleet = Fleet::new(program("1.0.0"), 1);
    assert!(fleet.ask(0, put(&"n".repeat(NAME_BYTES_MAX), "v"), 0).did.is_ok());
    assert!(fleet.ask(0, put(&"n".repeat(NAME_BYTES_MAX + 1), "v"), 0).did.is_err());
}

#[test]
fn a_node_that_joins_takes_over_only_its_own_names() {
    let owners = |count: u32| {
        let nodes: Vec<_> = (1..=count).map(NodeId).collect();
        let context =
            Context { node: NodeId(1), now: Time::ZERO, nodes: &nodes, entropy: 0, next: None };
        (0..1_000).map(|n| owner(context, &format!("user-{n}"))).collect::<Vec<_>>()
    };
    let (four, five) = (owners(4), owners(5));
    for node in 1..=4 {
        let share = four.iter().filter(|owner| **owner == NodeId(node)).count();
        assert!((200..300).contains(&share), "{share} of 1000 names at n{node}");
    }
    let moved: Vec<_> = four.iter().zip(&five).filter(|(before, after)| before != after).collect();
    assert!((150..250).contains(&moved.len()));
    assert!(moved.iter().all(|(_, after)| **after == NodeId(5)));
}
