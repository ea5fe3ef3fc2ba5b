//! The gate, the hold and the drain, as a fleet of several versions shows them.

use std::collections::BTreeMap;

use contract::{NodeId, Span};
use replica::{Notice, Settings, Waiting, notice::Ended};
use upgrade::{
    bugs::{Bug, Bugs},
    gate::{GateMode, HoldReason},
    release::Rollout,
};

use crate::fleet::{BAD, Fleet, Recipe, counter};

/// A release that n1 installs at once, n2 five seconds later, n3 ten.
fn rolling(version: &'static str) -> Recipe {
    Recipe { rollout: Rollout::Rolling { batch: 1, gap: Span::from_secs(5) }, ..counter(version) }
}

/// Two nodes, n1 on `new` and n2 about to be, and `count` messages of n1 that n2 holds.
fn holding(count: u32, adjust: impl Fn(&mut Settings) + 'static) -> (Fleet, Recipe, Recipe) {
    let (old, new) = (counter("1.4.0"), rolling("2.0.0"));
    let mut fleet = Fleet::new(2, Some(&old), 5);
    fleet.adjust(adjust);
    fleet.run(Span::from_secs(1));
    fleet.command(1, new.publish());
    fleet.run(Span::from_millis(500));
    assert_eq!(fleet.replica(1).run(), Some(&new.id()));
    assert_eq!(fleet.replica(2).run(), Some(&old.id()));
    for amount in 1..=count {
        fleet.operate(1, &old, "add", amount % 9 + 1);
        fleet.run(Span::from_millis(10));
    }
    fleet.run(Span::from_millis(200));
    (fleet, old, new)
}

fn delivered(fleet: &Fleet) -> Vec<u64> {
    let of_two = fleet.notices.iter().filter(|(_, node, _)| *node == NodeId(2));
    of_two
        .filter_map(|(.., notice)| match notice {
            Notice::Delivered { id, was_held: true, exactly_once: true, .. } => Some(id.sequence),
            _ => None,
        })
        .collect()
}

#[test]
fn r13_held_messages_are_delivered_in_order_directly_after_the_switch() {
    let (mut fleet, _, new) = holding(20, |_| {});
    assert_eq!(fleet.replica(2).status().held, 20);
    assert!(matches!(
        fleet.replica(2).waiting()[..],
        [Waiting::SwitchAt { .. }, Waiting::NewerRelease { held: 20, .. }]
    ));
    // They are acknowledged, for they are durable.
    assert_eq!(fleet.replica(1).status().unacknowledged, 0);
    fleet.crash(2, Span::from_millis(10), false);
    assert!(fleet.run_until(Span::from_secs(10), |fleet| fleet.all_run(&new)));
    assert_eq!(delivered(&fleet), (1..=20).collect::<Vec<_>>());
    fleet.run(Span::from_secs(1));
    assert_eq!(fleet.replica(2).status().held, 0);
    fleet.check_guarantees();
}

#[test]
fn a_message_that_finds_the_hold_full_ends_and_its_sender_hears_why() {
    let (fleet, ..) = holding(20, |settings| settings.hold.messages = 5);
    assert_eq!(fleet.replica(2).status().held, 5);
    let full = |notice: &Notice| matches!(notice, Notice::Nacked { why: Ended::HoldFull, .. });
    assert_eq!(fleet.count(full), 15);
    fleet.check_guarantees();
}

#[test]
fn a_message_that_waits_too_long_ends_and_its_sender_hears_why() {
    let ttl = Span::from_secs(2);
    let (mut fleet, _, new) = holding(3, move |settings| settings.hold.time_to_live = ttl);
    fleet.run(Span::from_secs(3));
    assert_eq!(fleet.replica(2).status().held, 0);
    let expired = |notice: &Notice| matches!(notice, Notice::Nacked { why: Ended::Expired, .. });
    assert_eq!(fleet.count(expired), 3);
    // Also after a crash: they ended for good.
    fleet.crash(2, Span::from_millis(10), false);
    assert!(fleet.run_until(Span::from_secs(10), |fleet| fleet.all_run(&new)));
    assert_eq!(delivered(&fleet), []);
    fleet.check_guarantees();
}

#[test]
fn r12_a_newer_message_type_of_the_same_class_is_held_too() {
    let (old, new) = (counter("1.0.1"), rolling("1.4.0"));
    let mut fleet = Fleet::new(2, Some(&old), 5);
    fleet.run(Span::from_secs(1));
    fleet.command(1, new.publish());
    fleet.run(Span::from_millis(500));
    fleet.operate(1, &new, "add-many", 3);
    fleet.operate(1, &new, "add", 4);
    fleet.run(Span::from_millis(500));
    let reasons: Vec<_> = fleet
        .notices
        .iter()
        .filter_map(|(.., notice)| match notice {
            Notice::Held { reason, .. } => Some(*reason),
            _ => None,
        })
        .collect();
    assert_eq!(reasons, [HoldReason::NewerTag, HoldReason::BehindHeld]);
    assert!(fleet.run_until(Span::from_secs(10), |fleet| fleet.all_run(&new)));
    fleet.run(Span::from_secs(1));
    assert_eq!(delivered(&fleet), [1, 2]);
    assert_eq!(fleet.total(), 3 + 4);
}

#[test]
fn r14_r15_r18_three_majors_serve_at_once_and_messages_skip() {
    let (old, two, three) = (counter("1.4.0"), counter("2.0.0"), counter("3.0.0"));
    let mut fleet = Fleet::new(3, Some(&old), 5);
    // Each node keeps to its own version for a while.
    fleet.run(Span::from_secs(1));
    fleet.isolated = [NodeId(1)].into();
    fleet.command(2, two.publish());
    fleet.run(Span::from_secs(3));
    fleet.isolated = [NodeId(1), NodeId(2)].into();
    fleet.command(3, three.publish());
    fleet.run(Span::from_secs(3));
    let majors: Vec<_> =
        (1..=3).map(|node| fleet.replica(node).run().unwrap().version.major).collect();
    assert_eq!(majors, [1, 2, 3]);
    fleet.isolated.clear();
    let mut total = 0;
    for turn in 0..30_u32 {
        fleet.operate(turn % 3 + 1, &old, "add", turn % 9 + 1);
        total += i128::from(turn % 9 + 1);
        fleet.run(Span::from_millis(5));
    }
    assert!(fleet.run_until(Span::from_secs(20), |fleet| fleet.all_run(&three)));
    assert!(fleet.run_until(Span::from_secs(20), Fleet::at_rest));
    fleet.check_guarantees();
    assert_eq!(fleet.total(), total);
    let refused = |notice: &Notice| matches!(notice, Notice::OperationRefused { .. });
    assert_eq!(fleet.count(refused), 0);
    let mut paths = BTreeMap::new();
    for (.., notice) in &fleet.notices {
        if let Notice::Delivered { converted, .. } = notice {
            *paths.entry(converted.edges().len()).or_insert(0) += 1;
        }
    }
    assert!(paths.len() == 3, "as it is, over one edge, over two: {paths:?}");
}

#[test]
fn r20_one_instance_at_a_time_whatever_the_number_of_updates() {
    let recipes = ["1.0.0", "1.0.1", "1.4.0", "2.0.0", "3.0.0"].map(counter);
    let mut fleet = Fleet::new(3, Some(&recipes[0]), 5);
    fleet.network = BAD;
    fleet.run(Span::from_secs(1));
    for (turn, recipe) in recipes.iter().enumerate() {
        fleet.operate(1, &recipes[0], "increment", 2);
        fleet.run(Span::from_millis(10));
        fleet.command(turn as u32 % 3 + 1, recipe.publish());
        assert!(fleet.run_until(Span::from_secs(60), |fleet| fleet.all_run(recipe)));
        fleet.crash(turn as u32 % 3 + 1, Span::from_millis(50), false);
        fleet.run(Span::from_millis(100));
    }
    let mut alive: BTreeMap<NodeId, u64> = BTreeMap::new();
    for (_, node, notice) in &fleet.notices {
        match notice {
            Notice::Started { .. } => {
                alive.remove(node);
            }
            Notice::InstanceBegan { instance, .. } => {
                assert_eq!(alive.insert(*node, *instance), None, "{node} has two instances");
            }
            Notice::InstanceEnded { instance } => {
                assert_eq!(alive.remove(node), Some(*instance));
            }
            Notice::Delivered { instance, .. }
            | Notice::Operation { instance, .. }
            | Notice::Ticked { instance, .. } => assert_eq!(alive.get(node), Some(instance)),
            _ => {}
        }
    }
    assert_eq!(fleet.total(), 10);
}

#[test]
fn r34_without_a_gate_messages_are_delivered_as_they_came() {
    let (mut fleet, _, new) = holding(0, |settings| settings.gate = GateMode::Disabled);
    for amount in 1..=5 {
        fleet.operate(1, &new, "add", amount);
    }
    fleet.run(Span::from_millis(200));
    assert_eq!(fleet.replica(2).status().held, 0);
    let raw = |notice: &Notice| match notice {
        Notice::Delivered { id, stamp: Some(stamp), converted, .. } => {
            id.to == NodeId(2) && stamp.id().version.major == 2 && converted.is_empty()
        }
        Notice::NotDelivered { id, why: Ended::Faulted(_) } => id.to == NodeId(2),
        _ => false,
    };
    assert!(fleet.count(raw) >= 5);
}

#[test]
fn d16_a_message_of_an_unknown_release_asks_its_sender_for_it() {
    let (old, new) = (counter("1.4.0"), counter("2.0.0"));
    let mut fleet = Fleet::new(2, Some(&old), 5);
    fleet.adjust(|settings| {
        settings.gossip.period = Span::from_secs(3600);
        settings.gossip.fanout = 0;
    });
    fleet.run(Span::from_secs(1));
    fleet.command(1, new.publish());
    fleet.run(Span::from_millis(10));
    fleet.operate(1, &old, "add", 1);
    assert!(fleet.run_until(Span::from_secs(20), |fleet| fleet.all_run(&new)));
}

#[test]
fn an_operation_of_a_newer_client_is_refused_with_a_reason() {
    let (old, new) = (counter("1.4.0"), counter("2.0.0"));
    let mut fleet = Fleet::new(1, Some(&old), 5);
    fleet.run(Span::from_secs(1));
    fleet.operate(1, &new, "increment", 1);
    fleet.run(Span::from_secs(1));
    let reason = fleet.notices.iter().find_map(|(.., notice)| match notice {
        Notice::OperationRefused { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    assert_eq!(reason.as_deref(), Some("it is of a newer API class"));
}

#[test]
fn r5_a_publish_and_a_merge_tell_the_same() {
    let (old, new) = (counter("1.4.0"), counter("2.0.0"));
    let mut fleet = Fleet::new(2, Some(&old), 5);
    fleet.run(Span::from_secs(1));
    fleet.command(1, new.publish());
    fleet.run(Span::from_secs(10));
    let kinds = |node: u32| -> Vec<String> {
        let of = fleet.notices.iter().filter(|(_, of, _)| of.0 == node);
        let mut kinds: Vec<_> = of
            .filter_map(|(.., notice)| {
                let text = format!("{notice:?}");
                let kind = text.split([' ', '{']).next().unwrap().to_owned();
                let kept = ["Fetched", "Staged", "Prepared", "Committed", "InstanceBegan"];
                kept.contains(&&*kind).then_some(kind)
            })
            .collect();
        kinds.dedup();
        kinds
    };
    assert_eq!(kinds(1), kinds(2));
}

/// Plants `bug`, runs `scenario` with and without it, and compares what `symptom` counts.
fn check_bug(bug: Bug, scenario: impl Fn(Bugs) -> Fleet, symptom: impl Fn(&Fleet) -> bool) {
    assert!(!symptom(&scenario(Bugs::NONE)), "{bug}: the symptom shows without the bug");
    assert!(symptom(&scenario(bug.into())), "{bug}: no symptom");
}

fn held_then_switched(bugs: Bugs) -> Fleet {
    let (mut fleet, ..) = holding(20, move |settings| settings.bugs = bugs);
    fleet.crash(2, Span::from_millis(10), false);
    fleet.run(Span::from_secs(10));
    fleet.command(1, counter("3.0.0").publish());
    fleet.run(Span::from_secs(10));
    fleet
}

#[test]
fn planted_bugs_of_the_hold_show() {
    let sorted = |fleet: &Fleet| delivered(fleet).is_sorted();
    check_bug(Bug::VolatileHold, held_then_switched, |fleet| delivered(fleet).len() < 20);
    check_bug(Bug::DrainDoesNotRemove, held_then_switched, |fleet| delivered(fleet).len() > 20);
    check_bug(Bug::DrainInHashOrder, held_then_switched, |fleet| !sorted(fleet));
    check_bug(
        Bug::OverflowSilent,
        |bugs| {
            let adjust = move |settings: &mut Settings| {
                settings.bugs = bugs;
                settings.hold.messages = 5;
            };
            holding(20, adjust).0
        },
        |fleet| fleet.count(|notice| matches!(notice, Notice::Nacked { .. })) == 0,
    );
}

#[test]
fn planted_bugs_of_the_switch_show() {
    let scenario = |bugs: Bugs| {
        let (old, new) = (counter("1.4.0"), rolling("2.0.0"));
        let mut fleet = Fleet::new(3, Some(&old), 5);
        fleet.adjust(move |settings| settings.bugs = bugs);
        fleet.run(Span::from_secs(1));
        fleet.command(1, new.publish());
        fleet.run(Span::from_secs(2));
        fleet.crash(3, Span::from_millis(10), false);
        fleet.run(Span::from_millis(20));
        fleet
    };
    let ended = |fleet: &Fleet| fleet.count(|it| matches!(it, Notice::InstanceEnded { .. }));
    check_bug(Bug::TwoInstances, scenario, |fleet| ended(fleet) == 0);
    check_bug(Bug::KnownFallsOnRecovery, scenario, |fleet| {
        fleet.replica(3).known().unwrap().version.major == 1
    });
    check_bug(Bug::WrongStampAtCommit, scenario, |fleet| {
        fleet.count(|notice| match notice {
            Notice::Committed { composition, .. } => !composition.is_whole(),
            _ => false,
        }) > 0
    });
    check_bug(Bug::AppCrdtMessagesStamped, scenario, |fleet| {
        fleet.replica(2).known().unwrap().version.major == 1
    });
    let again = |fleet: &Fleet| {
        fleet.count(|notice| match notice {
            Notice::Committed { from: Some(from), release, .. } => *from == release.id,
            _ => false,
        })
    };
    check_bug(Bug::MergeUsesLte, scenario, |fleet| again(fleet) > 0);
}

#[test]
fn planted_bugs_of_trust_and_of_failure_show() {
    let failing = |bugs: Bugs| {
        let bad = Recipe { variant: Some("over-budget"), ..counter("2.0.0") };
        let mut fleet = Fleet::new(2, Some(&counter("1.4.0")), 5);
        fleet.adjust(move |settings| settings.bugs = bugs);
        fleet.operate(1, &counter("1.4.0"), "increment", 5);
        fleet.run(Span::from_secs(1));
        fleet.command(1, bad.publish());
        fleet.run(Span::from_secs(10));
        fleet
    };
    let differs = |fleet: &Fleet| {
        fleet.count(|notice| match notice {
            Notice::Quarantined { image_before, image, .. } => image_before != image,
            _ => false,
        }) > 0
    };
    check_bug(Bug::GateSwitchedBeforeInit, failing, differs);
    let forging = |bugs: Bugs| {
        let (old, new) = (counter("1.4.0"), counter("2.0.0"));
        let mut fleet = Fleet::new(2, Some(&old), 5);
        fleet.adjust(move |settings| settings.bugs = bugs);
        fleet.run(Span::from_secs(1));
        let mallory = upgrade::trust::SigningKey::from_seed([66; 32]);
        let signed = upgrade::trust::sign(&new.envelope(), &[&mallory]).bytes();
        let content = replica::message::Content::Offer(replica::message::Offer {
            signed: signed.into(),
            whole: true,
        });
        fleet.inject(1, 2, replica::Message { incarnation: 1_000_000_000, known: 0, content });
        fleet.run(Span::from_secs(1));
        fleet
    };
    check_bug(Bug::RelayUnverified, forging, |fleet| {
        fleet.replica(2).known().unwrap().version.major == 2
    });
}

#[test]
fn r36_a_switch_comes_between_operations_and_never_within_one() {
    let (old, new) = (counter("1.4.0"), counter("2.0.0"));
    let mut fleet = Fleet::new(2, Some(&old), 5);
    fleet.run(Span::from_secs(1));
    fleet.command(1, new.publish());
    for _ in 0..100 {
        fleet.operate(1, &old, "read", 1);
        fleet.operate(2, &old, "add", 1);
        fleet.run(Span::from_micros(100));
    }
    fleet.run(Span::from_secs(5));
    assert!(fleet.all_run(&new));
    let mut open: BTreeMap<NodeId, u64> = BTreeMap::new();
    for (_, node, notice) in &fleet.notices {
        match notice {
            Notice::Operation { id, .. } => assert_eq!(open.insert(*node, *id), None),
            Notice::Replied { id, .. } => assert_eq!(open.remove(node), Some(*id)),
            Notice::Prepared { .. } | Notice::Committed { .. } => {
                assert_eq!(open.get(node), None, "an operation is under way");
            }
            _ => {}
        }
    }
    assert_eq!(fleet.count(|notice| matches!(notice, Notice::Replied { .. })), 200);
}
