//! What a world promises: order, barriers, crashes, cuts, clogs, pauses, clocks, and determinism.

mod probe;

use contract::{NodeId, Span, Time};
use expect_test::{Expect, expect};
use probe::{Do, Probe, at, calm, chatter, log, log_and, millis, tell, uniform, with_link, world};
use sim::{
    Control, Event, Settings, Stopped, View, Watch, Wire,
    clock::{self, Step},
    disk::{Damage, InFlight, Risk},
    fault::{
        ClockSteps, Clog, Clogs, Crash, Crashes, Degrade, Fault, Leave, Partition, Partitions,
        Pause, Pauses, Profile, Scheduled, SetClock, Swizzle,
    },
    ledger::Injector,
    network::{Bandwidth, Direction, Latency, Link, Loss, Override, Shape},
};
use std::collections::BTreeSet;

fn slow_disk() -> Settings {
    let mut settings = calm();
    settings.disk.latency = Latency::Constant(millis(5));
    settings
}

fn fault(when: u64, fault: Fault) -> Scheduled {
    Scheduled { at: at(when), fault }
}

fn set(nodes: &[u32]) -> BTreeSet<NodeId> {
    nodes.iter().copied().map(NodeId).collect()
}

/// Runs `orders` (when, node, what) in `settings` and shows the lines that contain a part of `shown`.
fn check(
    settings: Settings,
    nodes: u32,
    orders: Vec<(u64, u32, Vec<Do>)>,
    shown: &[&str],
    expect: Expect,
) {
    let mut world = world(settings, 1, nodes);
    for (when, node, what) in orders {
        tell(&mut world, when, node, what);
    }
    let mut log = log();
    world.run(at(1_000), &mut log);
    let lines = log.lines.iter().filter(|line| shown.iter().any(|part| line.contains(part)));
    expect.assert_eq(&lines.map(|line| format!("{line}\n")).collect::<String>());
}

fn everything() -> Settings {
    let mut settings = with_link(Link {
        latency: uniform(millis(1), millis(10)),
        loss: Loss::Bursty {
            bad_ppm: 20_000,
            good_ppm: 200_000,
            loss_good_ppm: 1_000,
            loss_bad_ppm: 500_000,
        },
        duplicate_ppm: 20_000,
        reorder_ppm: 20_000,
        reorder_by: millis(20),
        corrupt_ppm: 20_000,
        bandwidth: Some(Bandwidth { bits_per_second: 1_000_000, queue_bytes: 2_000 }),
        fifo: false,
    });
    settings.disk.latency =
        Latency::Exponential { min: millis(1), mean: millis(3), max: millis(50) };
    settings.clocks = clock::Settings { skew_max: millis(50), drift_ppm_max: 200 };
    let risk = Risk {
        torn_ppm: 300_000,
        kept_ppm: 300_000,
        lost_tail_ppm: 300_000,
        lost_tail_max: 3,
        rotten_ppm: 100_000,
        amnesia_ppm: 100_000,
    };
    let (lasts_min, lasts_max) = (millis(50), millis(500));
    settings.profile = Profile {
        crashes: Some(Crashes {
            every: millis(3_000),
            down_min: lasts_min,
            down_max: lasts_max,
            risk,
        }),
        pauses: Some(Pauses { every: millis(3_000), lasts_min, lasts_max }),
        clock_steps: Some(ClockSteps { every: millis(3_000), by_max: millis(100) }),
        partitions: Some(Partitions {
            every: millis(1_000),
            lasts_min,
            lasts_max,
            one_way_ppm: 300_000,
        }),
        clogs: Some(Clogs { every: millis(1_000), lasts_min, lasts_max, swizzle_ppm: 300_000 }),
    };
    settings
}

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
fn a_partition_drops_what_is_in_flight_and_heals() {
    for direction in [Direction::Both, Direction::Out] {
        let shape = Shape::Cut { from: NodeId(0), to: NodeId(1) };
        let mut settings = calm();
        let partition = Partition { shape, direction, lasts: Some(millis(10)) };
        // A datagram sent at 10 ms arrives at 11; the cut begins between.
        settings.faults = vec![Scheduled {
            at: at(10) + Span::from_micros(500),
            fault: Fault::Partition(partition),
        }];
        let mut world = world(settings, 1, 3);
        for when in [10, 15, 30] {
            for (from, to) in [(0, 1), (1, 0)] {
                tell(&mut world, when, from, vec![Do::Send(to, when, 0)]);
            }
        }
        let mut log = log();
        world.run(at(100), &mut log);
        let one_way = direction == Direction::Out;
        assert_eq!(log.with("n1 got").len(), 1, "{}", log.text());
        assert_eq!(log.with("n0 got").len(), if one_way { 3 } else { 1 }, "{}", log.text());
        let row = world.ledger().row(Injector::Cut);
        assert_eq!((row.configured, row.attempted, row.took_effect), (true, 1, 1));
        assert_eq!(world.counts().cut, if one_way { 2 } else { 4 });
    }
}

/// Who reaches whom among four nodes under a partition, as rows of `.` and `x`.
fn reach(shape: Shape, direction: Direction) -> Vec<String> {
    let mut settings = calm();
    settings.faults = vec![fault(1, Fault::Partition(Partition { shape, direction, lasts: None }))];
    let mut world = world(settings, 1, 4);
    world.run(at(2), &mut ());
    let row = |from| {
        (0..4).map(|to| if world.reachable(NodeId(from), NodeId(to)) { '.' } else { 'x' }).collect()
    };
    (0..4).map(row).collect()
}

#[test]
fn partitions_have_their_shapes() {
    let split = || Shape::Split(vec![set(&[0, 1]), set(&[2])]);
    assert_eq!(reach(split(), Direction::Both), ["..x.", "..x.", "xx..", "...."]);
    assert_eq!(reach(split(), Direction::Out), ["..x.", "..x.", "....", "...."]);
    assert_eq!(reach(split(), Direction::In), ["....", "....", "xx..", "...."]);
    let isolate = || Shape::Isolate(NodeId(1));
    assert_eq!(reach(isolate(), Direction::Both), [".x..", "x.xx", ".x..", ".x.."]);
    assert_eq!(reach(isolate(), Direction::Out), ["....", "x.xx", "....", "...."]);
    assert_eq!(reach(isolate(), Direction::In), [".x..", "....", ".x..", ".x.."]);
    let bridge = Shape::Bridge { left: set(&[0]), right: set(&[1, 2]), bridge: NodeId(3) };
    assert_eq!(reach(bridge, Direction::Both), [".xx.", "x...", "x...", "...."]);
    let ring = || Shape::Ring([0, 2, 1, 3].map(NodeId).to_vec());
    assert_eq!(reach(ring(), Direction::Both), [".x..", "x...", "...x", "..x."]);
    assert_eq!(reach(ring(), Direction::Out), [".x.x", "x.x.", "x..x", ".xx."].map(str::to_owned));
}

#[test]
fn a_clog_holds_and_then_delivers_in_order() {
    let mut settings = calm();
    let clog = Clog { from: Some(NodeId(0)), to: None, lasts: Some(millis(50)) };
    settings.faults = vec![fault(10, Fault::Clog(clog))];
    check(
        settings,
        2,
        vec![
            (9, 0, vec![Do::Send(1, 1, 0)]),
            (20, 0, vec![Do::Send(1, 2, 0), Do::Send(1, 3, 0)]),
            (30, 0, vec![Do::Send(1, 4, 0)]),
            (30, 1, vec![Do::Send(0, 5, 0)]),
            (70, 0, vec![Do::Send(1, 6, 0)]),
        ],
        &["got", "clog"],
        expect![[r#"
            0.010000s begins: clog all links from n0 for 50ms
            0.031000s n0 got 5 (0) from n1
            0.060000s ends: clog all links from n0 for 50ms
            0.060000s n1 got 1 (0) from n0
            0.060000s n1 got 2 (0) from n0
            0.060000s n1 got 3 (0) from n0
            0.060000s n1 got 4 (0) from n0
            0.071000s n1 got 6 (0) from n0
        "#]],
    );
}

#[test]
fn a_swizzle_clears_in_another_order_than_it_clogs() {
    let mut settings = calm();
    let nodes: Vec<_> = (0..5).map(NodeId).collect();
    let swizzle = Swizzle { nodes, gap: millis(10), hold: millis(100), lot: 3 };
    settings.faults = vec![fault(10, Fault::Swizzle(swizzle))];
    let mut world = world(settings, 1, 6);
    let mut log = log();
    world.run(at(1_000), &mut log);
    let order = |verb: &str| -> Vec<String> {
        let lines = log.with("clog all links from").into_iter().filter(|line| line.contains(verb));
        lines.map(|line| line.split("from ").nth(1).unwrap()[..2].to_owned()).collect()
    };
    let (clogged, cleared) = (order("begins"), order("ends"));
    assert_eq!(clogged, ["n0", "n1", "n2", "n3", "n4"]);
    assert_eq!(cleared.iter().collect::<BTreeSet<_>>(), clogged.iter().collect());
    assert_ne!(cleared, clogged);
}

#[test]
fn a_paused_node_takes_its_inputs_late_and_in_order() {
    let mut settings = slow_disk();
    settings.faults = vec![fault(12, Fault::Pause(Pause { node: NodeId(0), lasts: millis(40) }))];
    check(
        settings,
        2,
        vec![
            (10, 0, vec![Do::Append("a"), Do::Say(1), Do::Arm(1, millis(12))]),
            (18, 0, vec![Do::Say(2)]),
            (20, 1, vec![Do::Send(0, 8, 0)]),
            (30, 0, vec![Do::Say(3)]),
        ],
        &["n0 said", "n0 got", "n0 rang", "n0 pauses", "n0 resumes", "n0 persisted"],
        expect![[r#"
            0.012000s n0 pauses for 40ms
            0.015000s n0 persisted
            0.052000s n0 resumes, 3 waited
            0.052000s n0 said 1
            0.052000s n0 said 2
            0.052000s n0 got 8 (0) from n1
            0.052000s n0 said 3
            0.052000s n0 rang 1 at its 0.052000s
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

#[test]
fn calm_ends_every_fault_and_leaves_out_the_gone() {
    let mut world = chatter(everything(), 5, 8, millis(5));
    world.run(at(10_000), &mut ());
    world.calm(&set(&[3]));
    let crashes = world.counts().crashes;
    assert!(crashes > 5, "the profile never struck, so this tests nothing");
    let mut log = log();
    world.run(at(20_000), &mut log);
    assert_eq!(world.counts().crashes, crashes);
    assert_eq!(log.with("begins:").len(), 0);
    let up: Vec<bool> = (0..8).map(|node| world.is_up(NodeId(node))).collect();
    assert_eq!(up, [true, true, true, false, true, true, true, true]);
    let cut = |from, to| from != 3 && to != 3 && !world.reachable(NodeId(from), NodeId(to));
    assert!(!(0..8).any(|from| (0..8).any(|to| cut(from, to))));
    // Every timer that a pause or a crash held up rings again.
    assert!(
        (0..8)
            .filter(|node| *node != 3)
            .all(|node| !log.with(&format!("n{node} timer")).is_empty())
    );
}

#[test]
fn a_stopped_run_goes_on_as_if_it_had_not_stopped() {
    let whole = {
        let mut world = chatter(everything(), 9, 5, millis(2));
        world.run(at(3_000), &mut ());
        world.fingerprint()
    };
    let mut world = chatter(everything(), 9, 5, millis(2));
    let mut stops = 0;
    let mut watch =
        log_and(
            |line| if line.contains("delivers 100") { Control::Stop } else { Control::Continue },
        );
    for until in (0..=3_000).step_by(7).chain([3_000]) {
        while world.run(at(until), &mut watch) == Stopped::ByWatch {
            stops += 1;
        }
    }
    assert!(stops > 3);
    assert_eq!(world.fingerprint(), whole);
}

#[test]
fn whoever_has_seen_enough_is_asked_although_nothing_is_shown() {
    struct Blind;
    impl Watch<Probe> for Blind {
        const DATAGRAMS: bool = false;
        fn event(&mut self, _: Time, _: Event<'_, Probe>, _: &View<'_, Probe>) -> Control {
            Control::Continue
        }
        fn has_enough(&self) -> bool {
            true
        }
    }
    let [mut whole, mut halting] = [(); 2].map(|()| chatter(everything(), 9, 5, millis(2)));
    whole.run(at(3_000), &mut ());
    let mut stops = 0;
    while halting.run(at(3_000), &mut Blind) == Stopped::ByWatch {
        stops += 1;
    }
    assert!(stops > 1, "it is obeyed each time");
    assert_eq!(halting.fingerprint(), whole.fingerprint());
}

#[test]
fn the_same_seed_gives_the_same_run_typed_or_in_bytes_watched_or_not() {
    let run = |seed, wire, watched: bool| {
        let mut world = chatter(Settings { wire, ..everything() }, seed, 6, millis(2));
        if watched {
            world.run(at(5_000), &mut log());
        } else {
            world.run(at(5_000), &mut ());
        }
        (world.fingerprint(), world.counts(), world.fingerprints().events())
    };
    let typed = run(1, Wire::Typed, false);
    assert!(typed.1.corrupted > typed.1.mangled && typed.1.mangled > 0 && typed.1.duplicated > 0);
    assert_eq!(run(1, Wire::Typed, false), typed);
    assert_eq!(run(1, Wire::Typed, true), typed);
    assert_eq!(run(1, Wire::Bytes, false), typed);
    assert_ne!(run(2, Wire::Typed, false).0, typed.0);
}

#[test]
fn every_injector_that_is_asked_for_takes_effect() {
    let mut settings = everything();
    settings.profile.crashes.as_mut().unwrap().every = millis(1_000);
    let degraded = Override { from: None, to: Some(NodeId(2)), link: Link::default() };
    settings.faults = vec![
        fault(100, Fault::Degrade(Degrade { links: degraded, lasts: Some(millis(500)) })),
        fault(
            200,
            Fault::Partition(Partition {
                shape: Shape::Cut { from: NodeId(1), to: NodeId(2) },
                direction: Direction::Out,
                lasts: Some(millis(500)),
            }),
        ),
        fault(59_000, Fault::Leave(Leave { node: NodeId(5) })),
    ];
    // Half a kilobyte each millisecond is more than a megabit carries.
    let mut world = chatter(settings, 3, 6, millis(4));
    for when in (0..60_000).step_by(25) {
        let orders = vec![
            Do::Append("some record"),
            Do::Append("another"),
            Do::Send(1, when, 1_500),
            Do::Send(1, when, 1_500),
        ];
        tell(&mut world, when, (when / 25 % 6) as u32, orders);
    }
    world.run(at(60_000), &mut ());
    let inert: Vec<_> = world.ledger().inert().map(Injector::name).collect();
    assert_eq!(inert, Vec::<&str>::new());
    assert!(
        world.ledger().rows().all(|(_, row)| row.configured && row.took_effect <= row.attempted)
    );
}

#[test]
fn the_ledger_and_the_counts_agree_on_what_took_effect() {
    let mut world = chatter(everything(), 3, 6, millis(1));
    world.run(at(20_000), &mut ());
    let took = |injector| world.ledger().row(injector).took_effect;
    let counts = world.counts();
    assert!(counts.cut > 0 && counts.lost > 0, "some datagrams meet more than one fault");
    assert_eq!(took(Injector::Loss), counts.lost);
    assert_eq!(took(Injector::Duplicate), counts.duplicated);
    assert_eq!(took(Injector::Reorder), counts.reordered);
    assert_eq!(took(Injector::Corrupt), counts.corrupted);
    assert!(took(Injector::Bandwidth) > counts.overflowed, "some waited, and found room");
}

#[test]
fn a_swarm_switches_families_and_says_which() {
    let families = |seed| {
        let settings = Settings { swarm: true, ..everything() };
        let world = chatter(settings, seed, 3, millis(5));
        let profile = &world.settings().profile;
        let link = &world.settings().network.default;
        [
            profile.crashes.is_some(),
            profile.pauses.is_some(),
            profile.clock_steps.is_some(),
            profile.partitions.is_some(),
            profile.clogs.is_some(),
            link.duplicate_ppm > 0,
            link.reorder_ppm > 0,
            link.corrupt_ppm > 0,
            world.settings().clocks.drift_ppm_max > 0,
        ]
    };
    let runs: Vec<_> = (0..200).map(families).collect();
    for family in 0..9 {
        let on = runs.iter().filter(|run| run[family]).count();
        // 200 fair coins: 100 +- 5 x 7.1.
        assert!((65..=135).contains(&on), "family {family} is on in {on} of 200");
    }
    assert_eq!(runs, (0..200).map(families).collect::<Vec<_>>());
}

#[test]
fn nothing_is_asked_of_a_world_without_faults() {
    let mut world = chatter(calm(), 1, 3, millis(5));
    world.run(at(1_000), &mut ());
    assert!(world.ledger().rows().all(|(_, row)| row == sim::ledger::Row::default()));
    assert_eq!(world.counts().sent - world.counts().delivered, 3);
    assert_eq!(world.now(), at(1_000));
    assert_eq!(world.process(NodeId(0)).map(|probe| probe.rung), Some(200));
    assert_eq!(world.run(Time::ZERO, &mut ()), Stopped::Reached(Time::ZERO));
    assert_eq!(world.now(), at(1_000), "time does not go back");
}

/// Golden: the same in debug and release, on every platform. Whoever changes it changes every run, and
/// says so.
#[test]
fn the_fingerprint_of_a_run_in_which_everything_goes_wrong_stays() {
    let mut world = chatter(everything(), 4711, 7, millis(3));
    for when in (0..5_000).step_by(50) {
        tell(&mut world, when, (when / 50 % 7) as u32, vec![Do::Append("record"), Do::Say(when)]);
    }
    world.run(at(5_000), &mut ());
    let seen = format!("{:032x} {}", world.fingerprint(), world.fingerprints().events());
    expect!["837405486b82902ea4957de6977979e2 36114"].assert_eq(&seen);
}
