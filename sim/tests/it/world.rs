//! What a world promises: order, barriers, crashes, clocks, and who is there.

use contract::NodeId;
use expect_test::expect;
use sim::{
    Control, Stopped,
    clock::Step,
    disk::{Damage, InFlight},
    fault::{Crash, Fault, Leave, SetClock},
    ledger::Injector,
};

use crate::probe::{Do, at, calm, check, fault, log, log_and, millis, slow_disk, tell, world};

#[test]
fn effects_show_in_order_and_a_record_holds_later_ones_back() {
    check(
        slow_disk(),
        2,
        vec![
            (
                10,
                0,
                vec![
                    Do::Say(1),
                    Do::Append("a"),
                    Do::Say(2),
                    Do::Send(1, 7, 0),
                    Do::Append("b"),
                    Do::Say(3),
                ],
            ),
            (12, 0, vec![Do::Say(4)]),
        ],
        &["n0 said", "n0 persisted", "n0 appends", "n0->n1", "n1 got"],
        expect![[r#"
            0.010000s n0 said 1
            0.010000s n0 appends a
            0.015000s n0 persisted
            0.015000s n0 said 2
            0.015000s n0->n1 sends 7: Travels { arrives: Time(16000000), copy: None, corrupted: false, reordered: false }
            0.015000s n0 appends b
            0.016000s n0->n1 delivers 7
            0.016000s n1 got 7 (0) from n0
            0.020000s n0 persisted
            0.020000s n0 said 3
            0.020000s n0 said 4
        "#]],
    );
}

#[test]
fn a_node_finds_what_its_disk_was_provided_with_until_it_loses_that_disk() {
    let mut world = world(calm(), 1, 2);
    world.provide(NodeId(1), vec![b"a".to_vec()]);
    for (when, amnesia) in [(10, false), (20, true)] {
        let damage = Damage { amnesia, ..Damage::default() };
        let crash = Crash { node: NodeId(1), down_for: Some(millis(5)), damage };
        world.schedule(at(when), Fault::Crash(crash));
    }
    let mut log = log();
    world.run(at(1_000), &mut log);
    let born: Vec<&str> =
        log.lines.iter().filter_map(|line| line.split_once(" born ")).map(|(_, it)| it).collect();
    assert_eq!(born, ["[]", "[\"a\"]", "[\"a\"]", "[]"]);
}

#[test]
fn a_disk_without_latency_is_no_barrier() {
    check(
        calm(),
        1,
        vec![(10, 0, vec![Do::Append("a"), Do::Say(1)])],
        &["n0"],
        expect![[r#"
            0.000000s n0 starts with 0 records, 0 starts before
            0.000000s n0 born []
            0.010000s n0 is told
            0.010000s n0 appends a
            0.010000s n0 persisted
            0.010000s n0 said 1
        "#]],
    );
}

#[test]
fn a_watcher_can_crash_a_node_between_any_two_effects() {
    let orders = || {
        vec![
            Do::Say(1),
            Do::Send(1, 7, 0),
            Do::Append("a"),
            Do::Say(2),
            Do::Arm(1, millis(1)),
            Do::Say(3),
        ]
    };
    let points =
        ["n0 said 1", "n0->n1 sends 7", "n0 appends a", "n0 persisted", "n0 said 2", "n0 said 3"];
    let mut survived = Vec::new();
    for point in points {
        let mut world = world(slow_disk(), 1, 2);
        tell(&mut world, 10, 0, orders());
        let mut log = log_and(|line| match line.starts_with(point) {
            true => Control::Crash {
                node: NodeId(0),
                down_for: Some(millis(50)),
                damage: Damage::default(),
            },
            false => Control::Continue,
        });
        world.run(at(500), &mut log);
        let count = |part: &str| log.with(part).len();
        survived.push([
            count("n1 got 7"),
            count("n0 said 2"),
            count("n0 rang"),
            count("n0 born [\"a\"]"),
        ]);
        assert_eq!(count("n0 crashes"), 1, "{point}");
    }
    // What was sent is sent; what was durable is found again; a timer dies with its node.
    assert_eq!(
        survived,
        [[0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 1], [1, 1, 0, 1], [1, 1, 0, 1]]
    );
}

#[test]
fn a_crash_loses_tears_or_keeps_the_record_in_flight() {
    for (in_flight, found) in [
        (InFlight::Lost, "born [\"a\"]"),
        (InFlight::Torn, "born [\"a\"]"),
        (InFlight::Kept, "born [\"a\", \"b\"]"),
    ] {
        let mut settings = slow_disk();
        let damage = Damage { in_flight, ..Damage::default() };
        let crash = Crash { node: NodeId(0), down_for: Some(millis(10)), damage };
        settings.faults = vec![fault(22, Fault::Crash(crash))];
        let mut world = world(settings, 1, 1);
        tell(&mut world, 10, 0, vec![Do::Append("a")]);
        tell(&mut world, 20, 0, vec![Do::Append("b"), Do::Say(1)]);
        let mut log = log();
        world.run(at(100), &mut log);
        assert_eq!(log.with(found).len(), 1, "{}", log.text());
        assert_eq!(log.with("said").len(), 0, "what waited for the record never shows");
        let torn = world.ledger().row(Injector::Torn);
        assert_eq!(
            (torn.attempted, torn.took_effect),
            if in_flight == InFlight::Torn { (1, 1) } else { (0, 0) }
        );
    }
}

#[test]
fn a_node_that_is_down_loses_datagrams_timers_and_commands() {
    let mut settings = calm();
    let crash = Crash { node: NodeId(0), down_for: Some(millis(100)), damage: Damage::default() };
    settings.faults = vec![fault(20, Fault::Crash(crash))];
    check(
        settings,
        2,
        vec![
            (10, 0, vec![Do::Arm(1, millis(30)), Do::Arm(2, millis(300))]),
            (50, 1, vec![Do::Send(0, 9, 0)]),
            (60, 0, vec![Do::Say(1)]),
            (130, 0, vec![Do::Say(2)]),
        ],
        &["n0"],
        expect![[r#"
            0.000000s n0 starts with 0 records, 0 starts before
            0.000000s n0 born []
            0.010000s n0 is told
            0.020000s begins: crash n0 for 100ms
            0.020000s n0 crashes, losing Lost { in_flight: false, torn: false, tail: 0, rotten: 0, amnesia: 0 }
            0.050000s n1->n0 sends 9: Travels { arrives: Time(51000000), copy: None, corrupted: false, reordered: false }
            0.051000s n1->n0 drops number 0: Down
            0.060000s n0 is deaf
            0.120000s n0 recovers
            0.120000s n0 starts with 0 records, 1 starts before
            0.120000s n0 born []
            0.130000s n0 is told
            0.130000s n0 said 2
        "#]],
    );
}

#[test]
fn a_timer_that_is_armed_again_moves_and_never_disarms() {
    check(
        calm(),
        1,
        vec![
            (10, 0, vec![Do::Arm(1, millis(50)), Do::Arm(2, millis(10)), Do::Arm(3, millis(10))]),
            (15, 0, vec![Do::Arm(1, millis(100)), Do::Arm(2, millis(1)), Do::Disarm(3)]),
            (20, 0, vec![Do::Arm(1, millis(30))]),
        ],
        &["rang"],
        expect![[r#"
            0.016000s n0 rang 2 at its 0.016000s
            0.050000s n0 rang 1 at its 0.050000s
        "#]],
    );
}

#[test]
fn a_clock_is_skewed_drifts_and_steps_and_timers_follow_it() {
    let mut settings = calm();
    let node = NodeId(0);
    settings.faults = vec![
        fault(10, Fault::SetClock(SetClock::Step { node, step: Step::Forward(millis(100)) })),
        fault(20, Fault::SetClock(SetClock::Drift { node, ppm: 500_000 })),
        fault(60, Fault::SetClock(SetClock::Step { node, step: Step::Back(millis(50)) })),
    ];
    check(
        settings,
        1,
        vec![
            (5, 0, vec![Do::Arm(1, millis(50))]),
            (20, 0, vec![Do::Arm(2, millis(30))]),
            (50, 0, vec![Do::Arm(3, millis(30))]),
        ],
        &["rang"],
        expect![[r#"
            0.010000s n0 rang 1 at its 0.110000s
            0.040000s n0 rang 2 at its 0.150000s
            0.103333334s n0 rang 3 at its 0.195000001s
        "#]],
    );
}

#[test]
fn nodes_join_later_and_leave_for_ever() {
    let mut settings = calm();
    settings.faults = vec![fault(50, Fault::Leave(Leave { node: NodeId(0) }))];
    let mut world = world(settings, 1, 1);
    world.add_node(NodeId(7), at(30));
    tell(&mut world, 10, 0, vec![Do::Send(7, 1, 0), Do::Send(8, 1, 0)]);
    tell(&mut world, 40, 0, vec![Do::Send(7, 2, 0)]);
    tell(&mut world, 60, 7, vec![Do::Send(0, 3, 0)]);
    tell(&mut world, 70, 0, vec![Do::Say(1)]);
    let mut log = log();
    assert_eq!(world.run(at(100), &mut log), Stopped::Idle);
    assert_eq!(log.with("got"), ["0.041000s n7 got 2 (0) from n0"]);
    assert_eq!(log.with("Absent").len(), 2);
    assert_eq!(log.with("Nowhere").len(), 1);
    assert_eq!(log.with("deaf").len(), 1);
    assert!(!world.is_up(NodeId(0)) && world.is_up(NodeId(7)));
}
