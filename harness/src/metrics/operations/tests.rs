//! What a story of broadcast operations comes to: which goals it reaches, and its numbers.

use app::Body;
use causal::{Clock, Dot, Refusal};
use replica::{
    Notice,
    notice::{BecameMember, Conversion},
};
use upgrade::{
    gate::HoldReason,
    path::{Converted, Path},
};

use super::*;
use crate::{
    goals::{Goal, Goals},
    invariants::{
        operations::testing::{Told as Issued, operation, stable},
        testing::*,
    },
    observation::Truth,
};

/// What happens in a story.
enum Happens {
    Told(Notice),
    Crashed { amnesia: bool },
}

/// The goals that a story reaches, and its numbers; what happens comes a second apart, node by node.
fn story(truth: &mut Truth, story: Vec<(u32, Happens)>) -> (Vec<&'static str>, Told) {
    let (mut goals, mut operations) = (Goals::default(), Operations::new(truth.nodes.len()));
    let second = |number: u64| Time::from_nanos(number * 1_000_000_000);
    let ended = second(story.len() as u64 + 1);
    for ((node, happens), number) in story.iter().zip(1..) {
        let seen = match happens {
            Happens::Told(notice) => Observation::Notice(notice),
            Happens::Crashed { amnesia } => {
                Observation::Crashed { amnesia: *amnesia, lied: false, hidden: false }
            }
        };
        let moment = truth.moment(second(number), NodeId(*node), number, &seen);
        goals.observe(truth, &moment, &seen);
        operations.observe(&moment, &seen);
        truth.advance(&moment, &seen);
    }
    (goals.reached().map(Goal::name).collect(), operations.told(ended))
}

fn told(notices: Vec<(u32, Notice)>) -> (Vec<&'static str>, Told) {
    let story = notices.into_iter().map(|(node, notice)| (node, Happens::Told(notice)));
    self::story(&mut truth(), story.collect())
}

fn a() -> Dot {
    Dot::new(0, 1)
}

fn b() -> Dot {
    Dot::new(1, 1)
}

fn issued(dot: Dot, past: &[Dot]) -> Issued {
    operation(&truth(), dot, past, body(1))
}

/// An operation that comes to this, where it is delivered.
fn comes_to(outcome: Outcome) -> Notice {
    let mut notice = issued(a(), &[]).delivered();
    if let Notice::CausallyDelivered(told) = &mut notice {
        told.outcome = outcome;
    }
    notice
}

fn parked(dot: Dot, missing: Dot, count: u32) -> Notice {
    Notice::OperationParked { dot, missing, count }
}

fn held(dot: Dot) -> Notice {
    Notice::OperationHeld { dot, reason: HoldReason::NewerClass, count: 1 }
}

fn became_member(node: u32) -> Notice {
    Notice::BecameMember(Box::new(BecameMember {
        origin: Dot::new(node, 1).origin,
        donor: NodeId(0),
        release: id(&truth(), ONE_FOUR),
        edges: Vec::new(),
        state: [].into(),
        delivered: Clock::new(),
        instance: 9,
    }))
}

fn starts(node: u32, release: usize) -> (u32, Notice) {
    (node, started(&truth(), Some(release), &[]))
}

#[test]
fn operations_one_of_which_came_first_are_not_concurrent_and_two_of_which_neither_did_are() {
    let after = told(vec![(0, issued(a(), &[]).delivered()), (0, issued(b(), &[a()]).delivered())]);
    assert_eq!(after.0, Vec::<&str>::new());
    let apart = told(vec![(0, issued(a(), &[]).delivered()), (0, issued(b(), &[]).delivered())]);
    assert_eq!(apart.0, ["concurrent-operations"]);
    assert_eq!((apart.1.carried_out, apart.1.void), (2, 0));
}

#[test]
fn an_operation_is_converted_or_void_or_for_no_app() {
    let body = Body { tag: 2, bytes: [].into() };
    let converted = Conversion::from(Converted { body, path: Path::over([0]) });
    let taken = |converted| Outcome::Taken { instance: 7, converted, entropy: 0, at: Time::ZERO };
    let (goals, numbers) = told(vec![(0, comes_to(taken(converted)))]);
    assert_eq!((goals.as_slice(), numbers.carried_out), (["operation-converted"].as_slice(), 1));
    let (goals, numbers) = told(vec![(0, comes_to(Outcome::Void("no path".to_owned())))]);
    assert_eq!(goals, ["operation-void"]);
    assert_eq!((numbers.carried_out, numbers.void), (0, 1));
    let (goals, numbers) = told(vec![(0, comes_to(Outcome::Control))]);
    assert_eq!(
        (goals.len(), numbers),
        (0, Told::default()),
        "a heartbeat is no operation of an app"
    );
    assert_eq!(told(vec![(0, comes_to(taken(Conversion::NONE)))]).0.len(), 0);
}

#[test]
fn what_waits_is_counted_where_it_waits_for_as_long_as_it_does() {
    let mut waited = issued(b(), &[a()]).delivered();
    if let Notice::CausallyDelivered(told) = &mut waited {
        told.waited = true;
    }
    let (goals, numbers) =
        told(vec![(2, parked(b(), a(), 1)), (2, issued(a(), &[]).delivered()), (2, waited)]);
    assert_eq!(goals, ["operation-parked"]);
    assert_eq!((numbers.parked, numbers.parked_max), (1, 1));
    // Two seconds of four, at one node of three.
    assert_eq!(numbers.parked_mean_thousandths, 166);
}

#[test]
fn an_operation_waits_behind_one_at_the_gate_only_where_that_is_still_there() {
    let behind = |between: Vec<(u32, Notice)>| {
        let mut notices = vec![(2, held(a()))];
        notices.extend(between);
        notices.push((2, parked(b(), a(), 1)));
        told(notices).0
    };
    let both = ["operation-parked", "operation-held"];
    assert_eq!(behind(vec![]), [both[0], both[1], "operation-behind-held"]);
    assert_eq!(behind(vec![(2, issued(a(), &[]).delivered())]), both);
    assert_eq!(behind(vec![(2, Notice::LayerRebuilt { parked: 0 })]), both);
    let elsewhere = told(vec![(1, held(a())), (2, parked(b(), a(), 1))]);
    assert_eq!((elsewhere.0.as_slice(), elsewhere.1.held), (both.as_slice(), 1));
    let crashed = vec![
        (2, Happens::Told(held(a()))),
        (2, Happens::Crashed { amnesia: false }),
        (2, Happens::Told(parked(b(), a(), 1))),
    ];
    assert_eq!(
        story(&mut truth(), crashed).0,
        both,
        "a crash does not spare what waits at the gate"
    );
}

#[test]
fn a_layer_is_rebuilt_with_what_waits_in_it_or_with_nothing() {
    assert_eq!(told(vec![(0, Notice::LayerRebuilt { parked: 0 })]).0.len(), 0);
    assert_eq!(told(vec![(0, Notice::LayerRebuilt { parked: 2 })]).0, ["rebuilt-with-parked"]);
}

#[test]
fn what_nothing_honest_explains_is_refused_and_counted() {
    let why = Refusal::Future(a());
    let (goals, numbers) = told(vec![(0, Notice::OperationRejected { from: NodeId(1), why })]);
    assert_eq!((goals.as_slice(), numbers.rejected), (["operation-rejected"].as_slice(), 1));
    let why = Refusal::Retired(a().origin);
    let (goals, numbers) = told(vec![(0, Notice::OperationRejected { from: NodeId(1), why })]);
    assert_eq!((goals.len(), numbers.rejected), (0, 1));
}

#[test]
fn operations_are_stable_once_their_origin_says_so_and_count_from_when_they_were_issued() {
    let own = issued(a(), &[]);
    let (goals, numbers) = told(vec![
        (0, own.issued()),
        (0, own.delivered()),
        (1, stable(&[a()])),
        (0, stable(&[a()])),
    ]);
    assert_eq!(goals, ["stable-advanced"]);
    assert_eq!((numbers.issued, numbers.metadata_mean_thousandths()), (1, 1_000));
    assert_eq!(
        numbers.stability.spans(),
        [Span::from_secs(3)],
        "what another was told is no matter"
    );
}

#[test]
fn a_history_migrates_only_where_something_of_it_is_not_stable() {
    let migrates = |between: Option<Notice>| {
        let mut notices = vec![(0, issued(a(), &[]).delivered())];
        notices.extend(between.map(|notice| (0, notice)));
        notices.push((0, committed(&truth(), ONE_FOUR, TWO, b"", b"")));
        told(notices).0
    };
    assert_eq!(migrates(None), ["migrated", "history-migrated"]);
    assert_eq!(migrates(Some(stable(&[a()]))), ["migrated", "stable-advanced"]);
}

#[test]
fn who_becomes_a_member_after_it_lost_its_disk_has_a_new_life() {
    let joins = |amnesia| {
        let crash = (2, Happens::Crashed { amnesia });
        story(&mut truth(), vec![crash, (2, Happens::Told(became_member(2)))])
    };
    assert_eq!(joins(false).0, ["joined-by-transfer"]);
    let (goals, numbers) = joins(true);
    assert_eq!(
        (goals.as_slice(), numbers.joined),
        (["joined-by-transfer", "new-life"].as_slice(), 1)
    );
}

#[test]
fn a_member_that_is_let_go_counts_once_and_is_waited_for_until_all_know() {
    let origin = b().origin;
    let let_go = (0, Notice::Retired { origin });
    let knows = (0, Notice::Gone { origin });
    let (goals, numbers) = told(vec![let_go.clone(), (2, Notice::Retired { origin })]);
    assert_eq!((goals.as_slice(), numbers.retired), (["retired"].as_slice(), 1));
    let early = told(vec![let_go.clone(), (0, stable(&[a()])), knows.clone()]);
    assert_eq!(early.0, ["stable-advanced", "retired"]);
    let late = told(vec![let_go, knows, (0, stable(&[a()]))]);
    assert_eq!(late.0, ["stable-advanced", "retired", "stable-after-retirement"]);
    let (goals, numbers) = told(vec![(1, Notice::Resynced { origin, from: NodeId(0) })]);
    assert_eq!((goals.as_slice(), numbers.resynced), (["resynced"].as_slice(), 1));
}

#[test]
fn members_change_while_mixed_only_where_two_classes_run() {
    let change = |releases: [usize; 2]| {
        let origin = b().origin;
        let starts = [starts(0, releases[0]), starts(1, releases[1])];
        told(starts.into_iter().chain([(0, Notice::Retired { origin })]).collect()).0
    };
    assert_eq!(change([ONE, ONE_FOUR]), ["retired"]);
    assert_eq!(change([ONE_FOUR, TWO]), ["retired", "members-while-mixed"]);
}

#[test]
fn nothing_is_told_of_a_run_without_operations() {
    assert!(told(vec![starts(0, ONE_FOUR)]).1.is_empty());
    assert!(!told(vec![(0, issued(a(), &[]).issued())]).1.is_empty());
}
