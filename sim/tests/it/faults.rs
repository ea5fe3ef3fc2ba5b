//! What partitions, clogs and pauses do, and how they end.

use std::collections::BTreeSet;

use contract::{NodeId, Span};
use expect_test::expect;
use sim::{
    fault::{Clog, Fault, Partition, Pause, Scheduled, Swizzle},
    ledger::Injector,
    network::{Direction, Shape},
};

use crate::probe::{Do, at, calm, check, fault, log, millis, set, slow_disk, tell, world};

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
