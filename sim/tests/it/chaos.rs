//! Runs in which everything goes wrong: each fault takes effect, all of them end, and the run is a function of its seed.

use contract::{NodeId, Time};
use expect_test::expect;
use sim::{
    Control, Event, Settings, Stopped, View, Watch, Wire, clock,
    disk::Risk,
    fault::{
        ClockSteps, Clogs, Crashes, Degrade, Fault, Leave, Partition, Partitions, Pauses, Profile,
    },
    ledger::Injector,
    network::{Bandwidth, Direction, Latency, Link, Loss, Override, Shape},
};

use crate::probe::{
    Do, Probe, at, calm, chatter, fault, log, log_and, millis, set, tell, uniform, with_link,
};

/// Every kind of accident, each often.
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
