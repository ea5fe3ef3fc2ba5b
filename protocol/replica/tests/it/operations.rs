//! Operations across a fleet: one order of causes everywhere, whatever is lost, crashes or upgrades.

use std::collections::BTreeMap;

use causal::{Clock, Content as Said, Dot, Origin};
use contract::{NodeId, Span};
use replica::{
    Command, Message, Notice,
    message::{Content, Enroll},
    notice::{CausallyDelivered, NotEnrolled, Outcome},
};
use upgrade::{bugs::Bug, release::Rollout};

use crate::fleet::{BAD, Fleet, GOOD, Plan, Recipe, of_app};

fn tally(version: &'static str) -> Recipe {
    of_app("tally", version)
}

/// How much `times` rounds of clients count at `nodes`, `apart` from each other.
fn count(fleet: &mut Fleet, nodes: &[u32], recipe: &Recipe, times: u32, apart: Span) -> i64 {
    let mut total = 0;
    for turn in 0..times {
        for node in nodes {
            fleet.operate(*node, recipe, "up", turn % 9 + 1);
            total += i64::from(turn % 9 + 1);
            fleet.run(apart);
        }
    }
    total
}

/// Whether all nodes are members that have delivered the same and keep nothing waiting.
fn agree(fleet: &Fleet) -> bool {
    let at = |node: u32| fleet.replica(node).causal();
    let Some(first) = fleet.nodes().next().and_then(at) else { return false };
    let exports = || fleet.nodes().map(|node| fleet.replica(node).export());
    fleet.nodes().all(|node| {
        at(node).is_some_and(|status| {
            status.origin.is_some()
                && status.delivered == first.delivered
                && status.parked + status.held == 0
        })
    }) && exports().all(|export| Some(export) == exports().next())
}

fn settles(fleet: &mut Fleet) -> bool {
    fleet.network = GOOD;
    fleet.run_until(Span::from_secs(60), agree)
}

/// What is wrong with the order of deliveries, by what notices tell. After a crash a node may have
/// delivered what no notice told of, so that only repetitions are seen until it has told of its place.
fn order(fleet: &Fleet) -> Result<(), String> {
    let mut clocks: BTreeMap<NodeId, Option<Clock>> = BTreeMap::new();
    let mut names: BTreeMap<Dot, Vec<u8>> = BTreeMap::new();
    for (at, node, notice) in &fleet.notices {
        match notice {
            Notice::Started { recovered, .. } => {
                clocks.insert(*node, (!recovered).then(Clock::new));
            }
            Notice::BecameMember(joined) => {
                clocks.insert(*node, Some(joined.delivered.clone()));
            }
            Notice::CausallyDelivered(told) => {
                let CausallyDelivered { stamp, past, operation, .. } = &**told;
                let mut bytes = Vec::new();
                contract::Encode::encode(&**operation, &mut bytes);
                if names.entry(stamp.dot).or_insert_with(|| bytes.clone()) != &bytes {
                    return Err(format!("{at}: {} is two operations", stamp.dot));
                }
                let Some(Some(clock)) = clocks.get_mut(node) else { continue };
                if !clock.covers_all(past) {
                    return Err(format!("{at}: {} at {node} before its causes", stamp.dot));
                }
                if clock.covers(stamp.dot) {
                    return Err(format!("{at}: {} at {node} again", stamp.dot));
                }
                clock.advance(stamp.dot);
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a fleet counted, over all topics.
fn value(fleet: &Fleet, node: u32) -> i64 {
    fn sum(value: &app::Value) -> i64 {
        match value {
            app::Value::Int(value) => *value,
            app::Value::Map(entries) => entries.values().map(sum).sum(),
            app::Value::Rec(fields) => fields.values().map(sum).sum(),
            other => panic!("a count, not {other:?}"),
        }
    }
    let replica = fleet.replica(node);
    let state = replica.export().unwrap();
    sum(&app::Value::decode(&replica.program().unwrap().manifest().state, &state).unwrap())
}

#[test]
fn operations_reach_everybody_once_and_in_causal_order_on_a_bad_network() {
    for seed in 0..6 {
        let old = tally("1.0.0");
        let mut fleet = Fleet::founded(4, &old, seed);
        fleet.network = BAD;
        fleet.network.bytes = seed % 2 == 0;
        fleet.run(Span::from_millis(100));
        let total = count(&mut fleet, &[1, 2, 3, 4], &old, 15, Span::from_millis(20));
        assert!(settles(&mut fleet), "seed {seed}");
        assert_eq!(value(&fleet, 1), total, "seed {seed}");
        order(&fleet).unwrap();
        assert_eq!(fleet.count(|notice| matches!(notice, Notice::OperationRefused { .. })), 0);
        assert!(fleet.count(|notice| matches!(notice, Notice::OperationParked { .. })) > 0);
    }
}

#[test]
fn a_client_reads_what_it_wrote_and_everything_becomes_stable() {
    let old = tally("1.0.0");
    let mut fleet = Fleet::founded(3, &old, 1);
    fleet.run(Span::from_millis(100));
    count(&mut fleet, &[1], &old, 3, Span::from_millis(1));
    let issued = fleet.count(|notice| matches!(notice, Notice::Broadcast(_)));
    assert_eq!((issued, value(&fleet, 1)), (3, 6), "delivered at once");
    fleet.run(Span::from_secs(10));
    for node in 1..=3 {
        let told = |(_, at, notice): &(_, NodeId, Notice)| match notice {
            Notice::Stable(stable) if at.0 == node => Some(stable.clock.get(1)),
            _ => None,
        };
        assert_eq!(fleet.notices.iter().rev().find_map(told), Some(3), "n{node}");
    }
    let beats = |notice: &Notice| match notice {
        Notice::Broadcast(issued) => issued.operation.content == Said::Heartbeat,
        _ => false,
    };
    assert!(fleet.count(beats) <= 6, "heartbeats are not answered");
}

#[test]
fn a_crash_anywhere_loses_no_operation_that_left_the_node() {
    let old = tally("1.0.0");
    let mut crashed = 0;
    for effect in (0..160).step_by(4) {
        let mut fleet = Fleet::founded(3, &old, 7);
        fleet.network = BAD;
        fleet.run(Span::from_millis(100));
        fleet.plan(Plan { node: 2, effect, amnesia: false, down: Span::from_millis(300) });
        count(&mut fleet, &[1, 2, 3], &old, 9, Span::from_millis(15));
        crashed += u32::from(!fleet.planned());
        fleet.forget_plan();
        fleet.run(Span::from_millis(400));
        assert!(settles(&mut fleet), "crash at {effect}");
        order(&fleet).unwrap_or_else(|why| panic!("crash at {effect}: {why}"));
    }
    assert!(crashed >= 16, "{crashed}");
}

#[test]
fn an_upgrade_meets_operations_at_the_gate_and_in_the_layer() {
    let (old, new) = (tally("1.0.0"), tally("2.0.0"));
    let (mut held, mut converted, mut waited, mut rebuilt) = (0, 0, 0, 0);
    for seed in 0..8 {
        let mut fleet = Fleet::founded(4, &old, seed);
        fleet.network = BAD;
        fleet.run(Span::from_millis(100));
        let mut total = count(&mut fleet, &[1, 2, 3, 4], &old, 4, Span::from_millis(10));
        fleet.command(1, new.publish());
        total += count(&mut fleet, &[1, 2, 3, 4], &old, 12, Span::from_millis(10));
        assert!(fleet.run_until(Span::from_secs(60), |fleet| fleet.all_run(&new)), "seed {seed}");
        assert!(settles(&mut fleet), "seed {seed}");
        order(&fleet).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        assert_eq!(value(&fleet, 1), total, "seed {seed}");
        let of = |wanted: fn(&CausallyDelivered) -> bool| {
            fleet.count(|notice| matches!(notice, Notice::CausallyDelivered(told) if wanted(told)))
        };
        held += fleet.count(|notice| matches!(notice, Notice::OperationHeld { .. }));
        rebuilt += fleet.count(|notice| matches!(notice, Notice::LayerRebuilt { parked: 1.. }));
        let taken = |told: &CausallyDelivered| match &told.outcome {
            Outcome::Taken { converted, .. } => !converted.is_empty(),
            _ => false,
        };
        converted +=
            fleet.count(|notice| matches!(notice, Notice::CausallyDelivered(told) if taken(told)));
        waited += of(|told| told.waited);
        assert_eq!(of(|told| matches!(told.outcome, Outcome::Void(_))), 0, "seed {seed}");
    }
    assert!(held > 0 && converted > 0 && waited > 0 && rebuilt > 0, "{held} {converted} {waited}");
}

#[test]
fn what_the_gate_holds_others_wait_for_and_a_node_says_so() {
    let (old, new) = (tally("1.0.0"), tally("2.0.0"));
    let mut fleet = Fleet::founded(3, &old, 3);
    fleet.run(Span::from_millis(100));
    // Nobody fetches, so that n1 alone runs the new release.
    fleet.adjust(|settings| settings.fetch.window = 0);
    fleet.isolated.insert(NodeId(3));
    fleet.command(1, new.publish());
    fleet.run(Span::from_secs(2));
    let newest = fleet.operate(1, &new, "up", 5);
    fleet.run(Span::from_secs(1));
    assert_eq!(newest, 1);
    fleet.isolated.clear();
    assert!(fleet.run_until(Span::from_secs(30), |fleet| fleet.all_run(&new)));
    assert!(settles(&mut fleet));
    assert_eq!(value(&fleet, 3), 5);
    order(&fleet).unwrap();
}

#[test]
fn a_joiner_goes_on_from_a_members_state() {
    for seed in 0..6 {
        let old = tally("1.0.0");
        let mut fleet = Fleet::founded(3, &old, seed);
        fleet.network = BAD;
        fleet.run(Span::from_millis(100));
        let mut total = count(&mut fleet, &[1, 2, 3], &old, 5, Span::from_millis(20));
        fleet.add(4);
        total += count(&mut fleet, &[1, 2, 3], &old, 10, Span::from_millis(30));
        let joined =
            |fleet: &Fleet| fleet.replica(4).causal().is_some_and(|status| status.origin.is_some());
        assert!(fleet.run_until(Span::from_secs(60), joined), "seed {seed}");
        total += count(&mut fleet, &[4, 1], &old, 5, Span::from_millis(20));
        assert!(settles(&mut fleet), "seed {seed}");
        assert_eq!(value(&fleet, 4), total, "seed {seed}");
        order(&fleet).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    }
}

#[test]
fn who_joins_while_others_upgrade_comes_to_agree() {
    for seed in 0..4 {
        let (old, new) = (tally("1.0.0"), tally("2.0.0"));
        let mut fleet = Fleet::founded(3, &old, seed);
        fleet.network = BAD;
        fleet.run(Span::from_millis(100));
        count(&mut fleet, &[1, 2, 3], &old, 3, Span::from_millis(10));
        fleet.command(2, new.publish());
        fleet.add(4);
        count(&mut fleet, &[1, 2, 3], &old, 10, Span::from_millis(20));
        assert!(fleet.run_until(Span::from_secs(60), |fleet| fleet.all_run(&new)), "seed {seed}");
        assert!(settles(&mut fleet), "seed {seed}");
        order(&fleet).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    }
}

#[test]
fn a_node_that_lost_its_disk_comes_back_under_another_name() {
    let old = tally("1.0.0");
    let mut fleet = Fleet::founded(3, &old, 5);
    fleet.run(Span::from_millis(100));
    let total = count(&mut fleet, &[1, 2, 3], &old, 5, Span::from_millis(10));
    fleet.run(Span::from_secs(1));
    fleet.crash(2, Span::from_millis(100), true);
    fleet.run(Span::from_millis(200));
    assert!(settles(&mut fleet));
    let more = count(&mut fleet, &[2], &old, 5, Span::from_millis(10));
    assert!(settles(&mut fleet));
    assert_eq!(value(&fleet, 1), total + more);
    assert!(!fleet.replica(2).causal().unwrap().origin.unwrap().is_founder());
    fleet.run(Span::from_secs(10));
    assert!(
        fleet.count(|notice| matches!(notice, Notice::Gone { .. })) >= 3,
        "and is waited for no more"
    );
    order(&fleet).unwrap();
}

#[test]
fn a_node_that_lost_the_end_of_its_log_comes_back_under_another_name() {
    let old = tally("1.0.0");
    for lost in 1..6 {
        let mut fleet = Fleet::founded(3, &old, lost);
        fleet.run(Span::from_millis(100));
        let mut total = count(&mut fleet, &[1, 2, 3], &old, 5, Span::from_millis(10));
        fleet.run(Span::from_secs(1));
        let left = fleet.disk(2).len() - lost as usize;
        fleet.disk(2).truncate(left);
        fleet.disk(2).push(Vec::new());
        fleet.isolated.insert(NodeId(2));
        fleet.crash(2, Span::from_millis(100), false);
        fleet.run(Span::from_millis(200));
        // Nobody tells it that it is behind, and yet it issues nothing under names that it may have given.
        count(&mut fleet, &[2], &old, 3, Span::from_millis(10));
        fleet.isolated.clear();
        assert!(settles(&mut fleet), "{lost} lost");
        total += count(&mut fleet, &[2], &old, 5, Span::from_millis(10));
        assert!(settles(&mut fleet), "{lost} lost");
        assert_eq!(value(&fleet, 1), total, "{lost} lost");
        assert!(!fleet.replica(2).causal().unwrap().origin.unwrap().is_founder());
        let names = |notice: &Notice| matches!(notice, Notice::Resynced { .. });
        assert_eq!(fleet.count(names), 1);
        order(&fleet).unwrap_or_else(|why| panic!("{lost} lost: {why}"));
    }
}

#[test]
fn a_retired_node_learns_of_it_and_joins_again() {
    let old = tally("1.0.0");
    let mut fleet = Fleet::founded(3, &old, 9);
    fleet.run(Span::from_millis(100));
    let total = count(&mut fleet, &[1, 2, 3], &old, 3, Span::from_millis(10));
    fleet.run(Span::from_secs(1));
    fleet.isolated.insert(NodeId(3));
    fleet.command(1, Command::Retire(NodeId(3)));
    fleet.command(1, Command::Retire(NodeId(77)));
    let more = count(&mut fleet, &[1, 2], &old, 5, Span::from_millis(10));
    fleet.run(Span::from_secs(10));
    assert_eq!(fleet.count(|notice| matches!(notice, Notice::RetireRefused { .. })), 1);
    assert_eq!(fleet.count(|notice| matches!(notice, Notice::Gone { .. })), 2);
    fleet.isolated.clear();
    let back = |fleet: &Fleet| fleet.count(|notice| matches!(notice, Notice::BecameMember(_))) == 1;
    assert!(fleet.run_until(Span::from_secs(60), back));
    assert_eq!(fleet.count(|notice| matches!(notice, Notice::Resynced { .. })), 1);
    assert!(settles(&mut fleet));
    assert_eq!(value(&fleet, 3), total + more);
}

/// What became of the nodes that joined.
fn joined(fleet: &Fleet) -> Vec<(NodeId, Vec<u32>)> {
    let told = fleet.notices.iter().filter_map(|(_, node, notice)| match notice {
        Notice::BecameMember(joined) => Some((*node, joined.edges.clone())),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_joiner_migrates_the_state_of_an_older_release() {
    let mut migrated = 0;
    for seed in 0..6 {
        let (old, mut new) = (tally("1.0.0"), tally("2.0.0"));
        new.rollout = Rollout::Rolling { batch: 1, gap: Span::from_secs(8) };
        let mut fleet = Fleet::founded(3, &old, seed);
        let ahead = new.release();
        fleet.adjust(move |settings| {
            if settings.node == NodeId(4) {
                settings.initial = Some(ahead.clone());
            }
        });
        fleet.network = BAD;
        fleet.run(Span::from_millis(100));
        let mut total = count(&mut fleet, &[1, 2, 3], &old, 5, Span::from_millis(20));
        fleet.add(4);
        let is_in = |fleet: &Fleet| !joined(fleet).is_empty();
        assert!(fleet.run_until(Span::from_secs(20), is_in), "seed {seed}");
        migrated += u32::from(joined(&fleet) == [(NodeId(4), vec![0])]);
        total += count(&mut fleet, &[4, 1, 2], &old, 5, Span::from_millis(20));
        assert!(fleet.run_until(Span::from_secs(90), |fleet| fleet.all_run(&new)), "seed {seed}");
        assert!(settles(&mut fleet), "seed {seed}");
        assert_eq!(value(&fleet, 4), total, "seed {seed}");
        order(&fleet).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    }
    // Others found a donor that had upgraded already.
    assert!(migrated >= 3, "{migrated}");
}

#[test]
fn a_joiner_upgrades_before_it_takes_the_state_of_a_newer_release() {
    let mut waited = 0;
    for seed in 0..6 {
        let (old, mut new) = (tally("1.0.0"), tally("2.0.0"));
        new.padding = 20 << 10;
        let mut fleet = Fleet::founded(3, &old, seed);
        fleet.network = BAD;
        fleet.run(Span::from_millis(100));
        fleet.command(2, new.publish());
        assert!(fleet.run_until(Span::from_secs(60), |fleet| fleet.all_run(&new)), "seed {seed}");
        let total = count(&mut fleet, &[1, 2, 3], &new, 5, Span::from_millis(20));
        // It asks before it has all of the code.
        fleet.adjust(|settings| settings.fetch.window = 1);
        fleet.add(4);
        fleet.run(Span::from_millis(100));
        let is_in = |fleet: &Fleet| !joined(fleet).is_empty();
        assert!(fleet.run_until(Span::from_secs(60), is_in), "seed {seed}");
        assert!(settles(&mut fleet), "seed {seed}");
        assert_eq!(value(&fleet, 4), total, "seed {seed}");
        let refused = |notice: &Notice| {
            matches!(notice, Notice::EnrollRefused { why: NotEnrolled::Newer, .. })
        };
        waited += fleet.count(refused);
    }
    assert!(waited >= 6, "{waited}");
}

#[test]
fn one_joiner_at_a_time_is_let_in_and_one_that_stays_silent_is_let_go() {
    let old = tally("1.0.0");
    let mut fleet = Fleet::founded(3, &old, 1);
    fleet.adjust(|settings| {
        settings.causal.silence = Span::from_secs(3);
        settings.causal.members_max = 5;
    });
    fleet.run(Span::from_millis(100));
    let ask = |fleet: &mut Fleet, node: u32| {
        let origin = Origin { node: NodeId(node), life: 1 };
        let enroll = Content::Enroll(Box::new(Enroll { origin, release: old.id() }));
        fleet.inject(node, 1, Message { incarnation: 1, known: 0, content: enroll });
        fleet.run(Span::from_millis(10));
    };
    let refused = |fleet: &Fleet, wanted: NotEnrolled| {
        fleet.count(|notice| matches!(notice, Notice::EnrollRefused { why, .. } if *why == wanted))
    };
    let members = |fleet: &Fleet| fleet.replica(1).causal().unwrap().members;
    (10..60).for_each(|node| ask(&mut fleet, node));
    assert_eq!((members(&fleet), refused(&fleet, NotEnrolled::Busy)), (4, 49));
    fleet.run(Span::from_secs(20));
    assert_eq!(members(&fleet), 3, "who never said anything is gone");
    ask(&mut fleet, 60);
    fleet.run(Span::from_secs(5));
    let enroll = Content::Enroll(Box::new(Enroll {
        origin: Origin { node: NodeId(60), life: 2 },
        release: old.id(),
    }));
    // The donor forgets in a crash whom it let in; the others know.
    fleet.crash(1, Span::from_millis(10), false);
    fleet.inject(60, 2, Message { incarnation: 1, known: 0, content: enroll });
    fleet.run(Span::from_millis(200));
    fleet.run(Span::from_secs(20));
    assert_eq!(members(&fleet), 3);
    assert!(settles(&mut fleet));
}

/// What a fleet with a planted bug shows under an upgrade, crashes and a lost disk.
fn planted(bug: Bug, seed: u64) -> Result<(), String> {
    let (old, new) = (tally("1.0.0"), tally("2.0.0"));
    let mut fleet = Fleet::founded(3, &old, seed);
    fleet.adjust(move |settings| settings.bugs = settings.bugs.with(bug));
    fleet.network = BAD;
    fleet.run(Span::from_millis(100));
    count(&mut fleet, &[1, 2, 3], &old, 4, Span::from_millis(10));
    match bug {
        Bug::LifeReused => fleet.crash(2, Span::from_millis(50), true),
        Bug::SeqReused => fleet.crash(2, Span::from_millis(50), false),
        _ => fleet.command(1, new.publish()),
    }
    count(&mut fleet, &[1, 2, 3], &old, 12, Span::from_millis(10));
    let settled = settles(&mut fleet);
    order(&fleet)?;
    if settled { Ok(()) } else { Err("they never agree".to_owned()) }
}

#[test]
fn planted_bugs_show() {
    for bug in [Bug::ClockLostOnReinstall, Bug::GateInsideCausal, Bug::LifeReused, Bug::SeqReused] {
        let shown = (0..6).filter(|seed| planted(bug, *seed).is_err()).count();
        assert!(shown > 0, "{bug}");
    }
}
