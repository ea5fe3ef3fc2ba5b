//! Taking one thing out of a run leaves every other draw as it was.

use crate::probe::{Do, Orders, Probe, at, chatter, millis, uniform, with_link};
use contract::{NodeId, Time};
use sim::{
    Control, Event, Fate, Settings, View, Watch, World,
    choices::{Benign, Decision, Recorded, Replayed, Seeded},
    fault::{Crashes, Fault, Pauses},
    network::{Link, Loss},
};
use std::collections::BTreeMap;

/// What was drawn for each datagram of each link, in order, and each node's entropy and faults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Draws {
    links: BTreeMap<(NodeId, NodeId), Vec<(u64, Fate)>>,
    entropy: BTreeMap<NodeId, Vec<u64>>,
    faults: BTreeMap<NodeId, Vec<String>>,
}

impl Watch<Probe> for Draws {
    fn event(&mut self, now: Time, event: Event<'_, Probe>, _: &View<'_, Probe>) -> Control {
        match event {
            // Where there is no node there is no link.
            Event::Sent { fate: Fate::Nowhere, .. } => {}
            Event::Sent { from, to, number, fate, .. } => {
                self.links.entry((from, to)).or_default().push((number, relative(now, fate)));
            }
            Event::Started { node, entropy, .. } => {
                self.entropy.entry(node).or_default().push(entropy);
            }
            Event::Fault { fault, .. } => {
                let (Fault::Crash(_) | Fault::Pause(_)) = fault else { return Control::Continue };
                let node = match fault {
                    Fault::Crash(crash) => crash.node,
                    Fault::Pause(pause) => pause.node,
                    _ => return Control::Continue,
                };
                self.faults.entry(node).or_default().push(format!("{now} {fault}"));
            }
            _ => {}
        }
        Control::Continue
    }
}

/// A fate with times counted from the moment of sending. Whether flipped bits still read as a message
/// depends on the message and is no draw.
fn relative(now: Time, fate: Fate) -> Fate {
    let since = |time: Time| Time::ZERO + time.since(now);
    match fate {
        Fate::Travels { copy, corrupted: true, .. } => Fate::Mangled { copy: copy.map(since) },
        Fate::Travels { arrives, copy, corrupted, reordered } => {
            Fate::Travels { arrives: since(arrives), copy: copy.map(since), corrupted, reordered }
        }
        Fate::Mangled { copy } => Fate::Mangled { copy: copy.map(since) },
        fate => fate,
    }
}

fn lossy() -> Link {
    Link {
        latency: uniform(millis(1), millis(10)),
        loss: Loss::Independent { ppm: 50_000 },
        duplicate_ppm: 50_000,
        reorder_ppm: 50_000,
        reorder_by: millis(5),
        corrupt_ppm: 50_000,
        ..Link::default()
    }
}

fn faulty() -> Settings {
    let mut settings = with_link(lossy());
    let (down_min, down_max) = (millis(50), millis(200));
    settings.profile.crashes =
        Some(Crashes { every: millis(2_000), down_min, down_max, risk: Default::default() });
    settings.profile.pauses =
        Some(Pauses { every: millis(2_000), lasts_min: down_min, lasts_max: down_max });
    settings
}

fn draws(mut world: World<Probe, Seeded>) -> Draws {
    let mut draws = Draws::default();
    world.run(at(10_000), &mut draws);
    draws
}

/// Whether each link's shorter sequence begins the longer one; some links must be in both.
fn agree(left: &Draws, right: &Draws) {
    let mut compared = 0;
    for (link, left) in &left.links {
        let Some(right) = right.links.get(link) else { continue };
        let both = left.len().min(right.len());
        let differs = (0..both).find(|at| left[*at] != right[*at]);
        assert_eq!(differs.map(|at| (left[at], right[at])), None, "{link:?}");
        compared += both;
    }
    assert!(compared > 1_000, "only {compared} draws were compared");
}

#[test]
fn removing_a_node_moves_no_draw_of_another() {
    let with = draws(chatter(faulty(), 1, 6, millis(5)));
    let without = {
        let spawn = |node: NodeId| Probe { chatter: Some(((node.0 + 1) % 6, millis(5))), rung: 0 };
        let mut world = World::new(faulty(), Seeded::new(1), spawn);
        (0..6).filter(|node| *node != 3).for_each(|node| world.add_node(NodeId(node), Time::ZERO));
        draws(world)
    };
    agree(&with, &without);
    for (node, faults) in &without.faults {
        assert_eq!(with.faults[node], *faults, "{node}");
        assert_eq!(with.entropy[node], without.entropy[node], "{node}");
    }
    assert!(without.faults.values().map(Vec::len).sum::<usize>() > 10);
}

#[test]
fn removing_a_fault_moves_no_other_draw() {
    let with = draws(chatter(faulty(), 1, 6, millis(5)));
    // Pauses gone: crashes and every link stay.
    let mut settings = faulty();
    settings.profile.pauses = None;
    let without = draws(chatter(settings, 1, 6, millis(5)));
    agree(&with, &without);
    for (node, faults) in &without.faults {
        let crashes = with.faults[node].iter().filter(|fault| fault.contains("crash"));
        assert!(crashes.eq(faults), "{node}");
    }
    // Loss gone: what was not lost travels as long as before, and what was lost now travels.
    let mut settings = faulty();
    settings.network.default.loss = Loss::None;
    let lossless = draws(chatter(settings, 1, 6, millis(5)));
    let mut kept = 0;
    for (link, fates) in &with.links {
        for ((_, before), (_, after)) in fates.iter().zip(&lossless.links[link]) {
            assert_ne!(*after, Fate::Lost);
            if *before != Fate::Lost {
                assert_eq!(before, after);
                kept += 1;
            }
        }
    }
    assert!(kept > 1_000);
}

#[test]
fn removing_an_operation_moves_no_other_draw() {
    let run = |skipped: Option<u64>| {
        let mut world = chatter(faulty(), 1, 6, millis(5));
        for when in (0..5_000).step_by(100).filter(|when| Some(*when) != skipped) {
            world.command(at(when), NodeId(0), Orders(vec![Do::Send(4, when, 3)]));
        }
        draws(world)
    };
    let (with, without) = (run(None), run(Some(2_500)));
    let extra = (NodeId(0), NodeId(4));
    for (link, fates) in &with.links {
        if *link != extra {
            assert!(without.links[link] == *fates, "{link:?}");
        }
    }
    assert_eq!(with.links[&extra].len(), without.links[&extra].len() + 1);
    assert!((with.entropy, with.faults) == (without.entropy, without.faults));
}

#[test]
fn the_recorded_decisions_replay_the_run_and_without_them_nothing_goes_wrong() {
    let spawn = |node: NodeId| Probe { chatter: Some(((node.0 + 1) % 4, millis(5))), rung: 0 };
    let fleet = |world: &mut dyn FnMut(NodeId)| (0..4).for_each(|node| world(NodeId(node)));
    let mut recorded = World::new(faulty(), Recorded::new(Seeded::new(8)), spawn);
    fleet(&mut |node| recorded.add_node(node, Time::ZERO));
    recorded.run(at(5_000), &mut ());
    let fingerprint = recorded.fingerprint();
    let log: Vec<Decision> = recorded.into_choices().log;
    assert!(log.len() > 1_000);
    let mut replayed = World::new(faulty(), Replayed::new(Seeded::new(8), log), spawn);
    fleet(&mut |node| replayed.add_node(node, Time::ZERO));
    replayed.run(at(5_000), &mut ());
    assert_eq!(replayed.fingerprint(), fingerprint);
    let mut benign = World::new(faulty(), Benign, spawn);
    fleet(&mut |node| benign.add_node(node, Time::ZERO));
    benign.run(at(5_000), &mut ());
    let counts = benign.counts();
    let wrong =
        [counts.lost, counts.duplicated, counts.reordered, counts.corrupted, counts.crashes];
    assert_eq!(wrong, [0; 5]);
    assert!(counts.delivered > 3_900);
}
