//! Every injector does what it is configured to do, as often and as long.
//!
//! A rate is checked against the binomial distribution: of `trials` with probability p, the hits are
//! within 5.3 standard deviations and one of their mean, or the check fails. A correct injector is
//! outside less than once in a million (the normal tail is 1.2e-7; the skew of the binomial, at a mean
//! of a hundred hits or more, at most quadruples it). A distribution is checked by the same rule at
//! quantiles: the share of samples at or below the exact p-quantile is p. Seeds are fixed, so a check
//! that holds once holds always.
//!
//! A check that cannot fail proves nothing: each is also given a measurement that is wrong as injectors
//! are wrong in practice (5 % instead of 1 %, milliseconds instead of microseconds, cut to whole
//! milliseconds) and must refuse it.

use crate::probe::{
    Do, Message, Notice, Probe, at, calm, chatter, millis, tell, uniform, with_link, world,
};
use contract::{NodeId, Span, Time};
use sim::{
    Control, Event, Fate, Settings, View, Watch, clock,
    disk::Risk,
    fault::{ClockSteps, Clogs, Crashes, Fault, Partitions, Pauses, Profile},
    ledger::Injector,
    network::{Bandwidth, Direction, Latency, Link, Loss, Shape, Weighted},
};
use std::collections::BTreeMap;

/// Standard deviations, in tenths.
const SIGMAS_TENTHS: i128 = 53;
const MILLION: i128 = 1_000_000;

/// Whether `hits` of `trials` is what a rate of `ppm` gives.
fn rate_is(hits: usize, trials: usize, ppm: u32) -> bool {
    let (hits, trials, ppm) = (hits as i128, trials as i128, i128::from(ppm));
    let off = ((hits * MILLION - trials * ppm).abs() - MILLION).max(0);
    let variance = trials * ppm * (MILLION - ppm);
    off * off * 100 <= SIGMAS_TENTHS * SIGMAS_TENTHS * variance
}

/// Whether the share of `samples` at or below `nanos` is `ppm`.
fn quantile_is(samples: &[u64], nanos: u64, ppm: u32) -> bool {
    rate_is(samples.iter().filter(|sample| **sample <= nanos).count(), samples.len(), ppm)
}

/// Whether samples have these quantiles: (parts per million, nanoseconds).
fn quantiles_are(samples: &[u64], quantiles: &[(u32, u64)]) -> bool {
    quantiles.iter().all(|(ppm, nanos)| quantile_is(samples, *nanos, *ppm))
}

/// Whether the mean of `samples` is `mean`, where each deviates from it by `deviation`.
fn mean_is(samples: &[u64], mean: u64, deviation: u64) -> bool {
    let sum: u128 = samples.iter().map(|sample| u128::from(*sample)).sum();
    let off = sum.abs_diff(u128::from(mean) * samples.len() as u128) as i128;
    let variance = i128::from(deviation) * i128::from(deviation) * samples.len() as i128;
    off * off * 100 <= SIGMAS_TENTHS * SIGMAS_TENTHS * variance
}

/// What became of each datagram, by link.
#[derive(Default)]
struct Fates(BTreeMap<(NodeId, NodeId), Vec<(Time, Fate)>>);

impl Watch<Probe> for Fates {
    fn event(&mut self, at: Time, event: Event<'_, Probe>, _: &View<'_, Probe>) -> Control {
        if let Event::Sent { from, to, fate, .. } = event {
            self.0.entry((from, to)).or_default().push((at, fate));
        }
        Control::Continue
    }
}

impl Fates {
    fn all(&self) -> impl Iterator<Item = &(Time, Fate)> {
        self.0.values().flatten()
    }

    fn count(&self, is: impl Fn(&Fate) -> bool) -> usize {
        self.all().filter(|(_, fate)| is(fate)).count()
    }

    fn latencies(&self) -> Vec<u64> {
        let latency = |(sent, fate): &(Time, Fate)| match fate {
            Fate::Travels { arrives, .. } => Some(arrives.since(*sent).as_nanos()),
            _ => None,
        };
        self.all().filter_map(latency).collect()
    }
}

/// 200,000 datagrams over ten links.
fn fates(link: Link) -> (Fates, usize) {
    let (nodes, each) = (10, 20_000);
    let settings = Settings { fingerprint: false, ..with_link(link) };
    let mut world = chatter(settings, 42, nodes, Span::from_micros(100));
    let mut fates = Fates::default();
    world.run(Time::ZERO + Span::from_micros(100 * each), &mut fates);
    let total = nodes as usize * each as usize;
    assert_eq!(fates.all().count(), total);
    (fates, total)
}

#[test]
fn a_check_can_fail() {
    assert!(rate_is(1_010, 100_000, 10_000) && !rate_is(5_000, 100_000, 10_000));
    assert!(!rate_is(1_200, 100_000, 10_000) && !rate_is(820, 100_000, 10_000));
    assert!(rate_is(0, 1_000, 0) && !rate_is(2, 1_000, 0) && !rate_is(990, 1_000, 1_000_000));
    let flat: Vec<u64> = (0..10_000).collect();
    assert!(quantile_is(&flat, 4_999, 500_000) && !quantile_is(&flat, 4_999, 600_000));
    assert!(mean_is(&flat, 5_000, 2_900) && !mean_is(&flat, 5_300, 2_900));
}

#[test]
fn loss_is_as_configured() {
    let (fates, total) = fates(Link { loss: Loss::Independent { ppm: 10_000 }, ..Link::default() });
    let lost = fates.count(|fate| *fate == Fate::Lost);
    assert!(rate_is(lost, total, 10_000), "{lost} of {total}");
    assert!(!rate_is(lost * 5, total, 10_000));
    assert!(!rate_is(lost * 12 / 10, total, 10_000));
    // Independent: of the datagrams after a lost one no more are lost.
    let after = fates.0.values().flat_map(|link| link.windows(2));
    let after: Vec<_> = after.filter(|pair| pair[0].1 == Fate::Lost).collect();
    let again = after.iter().filter(|pair| pair[1].1 == Fate::Lost).count();
    assert!(rate_is(again, after.len(), 10_000), "{again} of {}", after.len());
}

#[test]
fn bursts_are_as_frequent_and_as_long_as_configured() {
    // Bad spells last 10 datagrams in the mean, and begin once in 200: 1/21 of all are lost.
    let bursty = Loss::Bursty {
        bad_ppm: 5_000,
        good_ppm: 100_000,
        loss_good_ppm: 0,
        loss_bad_ppm: 1_000_000,
    };
    let (fates, _) = fates(Link { loss: bursty, ..Link::default() });
    let lost = |fate: &Fate| *fate == Fate::Lost;
    let pairs = || fates.0.values().flat_map(|link| link.windows(2));
    let begins = |was: bool, is: bool| {
        let from = pairs().filter(|pair| lost(&pair[0].1) == was);
        (from.clone().filter(|pair| lost(&pair[1].1) == is).count(), from.count())
    };
    let (began, good) = begins(false, true);
    assert!(rate_is(began, good, 5_000), "{began} bursts began in {good}");
    assert!(!rate_is(began * 5, good, 5_000));
    let (ended, bad) = begins(true, false);
    assert!(rate_is(ended, bad, 100_000), "{ended} bursts ended in {bad}");
    // Independent loss of the same rate ends its bursts at once.
    assert!(!rate_is(bad * 20 / 21, bad, 100_000));
}

#[test]
fn losses_within_spells_are_as_configured() {
    let bursty = Loss::Bursty {
        bad_ppm: 500_000,
        good_ppm: 500_000,
        loss_good_ppm: 100_000,
        loss_bad_ppm: 500_000,
    };
    let (fates, total) = fates(Link { loss: bursty, ..Link::default() });
    let lost = fates.count(|fate| *fate == Fate::Lost);
    assert!(rate_is(lost, total, 300_000), "{lost} of {total}");
    assert!(!rate_is(lost, total, 310_000));
}

/// The latencies of a link have these quantiles, and lie between these bounds.
fn check_latency(latency: Latency, quantiles: &[(u32, u64)], bounds: (u64, u64)) {
    let what = format!("{latency:?}");
    let (fates, total) = fates(Link { latency, ..Link::default() });
    let latencies = fates.latencies();
    assert_eq!(latencies.len(), total);
    for (ppm, nanos) in quantiles {
        assert!(quantile_is(&latencies, *nanos, *ppm), "{what}: not {ppm} ppm up to {nanos}");
    }
    let (least, most) = (latencies.iter().min().unwrap(), latencies.iter().max().unwrap());
    assert!(bounds.0 <= *least && *most <= bounds.1, "{what}: {least}..{most}");
    let wrong = |wrong: fn(u64) -> u64| -> Vec<u64> {
        latencies.iter().map(|nanos| wrong(*nanos)).collect()
    };
    assert!(!quantiles_are(&wrong(|nanos| nanos * 1_000), quantiles), "{what}: milliseconds");
    assert!(!quantiles_are(&wrong(|nanos| nanos / 1_000), quantiles), "{what}: nanoseconds");
    let whole = wrong(|nanos| nanos / 1_000_000 * 1_000_000);
    assert!(!quantiles_are(&whole, quantiles), "{what}: whole milliseconds");
    assert!(!quantiles_are(&wrong(|nanos| nanos * 103 / 100), quantiles), "{what}: 3 % slow");
}

#[test]
fn a_uniform_latency_is_uniform() {
    let (min, max) = (1_000_000, 10_000_000);
    let latency = uniform(Span::from_nanos(min), Span::from_nanos(max));
    let quantiles = [(100_000, 1_900_000), (500_000, 5_500_000), (900_000, 9_100_000)];
    check_latency(latency, &quantiles, (min, max));
}

#[test]
fn an_exponential_latency_is_exponential() {
    // min + 2 ms x -ln(1 - p)
    let latency = Latency::Exponential { min: millis(1), mean: millis(3), max: millis(20) };
    let quantiles =
        [(100_000, 1_210_721), (500_000, 2_386_294), (900_000, 5_605_170), (990_000, 10_210_340)];
    check_latency(latency, &quantiles, (1_000_000, 20_000_000));
}

#[test]
fn a_log_normal_latency_is_log_normal() {
    // 2 ms x exp(0.8 z)
    let latency = Latency::LogNormal { median: millis(2), sigma_milli: 800, max: millis(100) };
    let quantiles =
        [(100_000, 717_420), (500_000, 2_000_000), (900_000, 5_575_535), (990_000, 12_860_600)];
    check_latency(latency, &quantiles, (0, 100_000_000));
}

#[test]
fn a_pareto_latency_is_a_paretos() {
    // 1 ms x (1 - p)^(-1 / 1.5)
    let latency = Latency::Pareto { min: millis(1), alpha_milli: 1_500, max: millis(500) };
    let quantiles =
        [(100_000, 1_072_766), (500_000, 1_587_401), (900_000, 4_641_589), (990_000, 21_544_347)];
    check_latency(latency, &quantiles, (1_000_000, 500_000_000));
}

#[test]
fn a_bimodal_and_a_table_latency_have_their_shares() {
    let micros = Span::from_micros;
    let bimodal = Latency::Bimodal { fast: micros(1_500), slow: micros(9_500), slow_ppm: 50_000 };
    let quantiles = [(0, 1_499_999), (950_000, 1_500_000), (1_000_000, 9_500_000)];
    check_latency(bimodal, &quantiles, (1_500_000, 9_500_000));
    let row = |weight, latency| Weighted { weight, latency: micros(latency) };
    let table = Latency::Table(vec![row(1, 700), row(6, 2_300), row(3, 4_900)]);
    let quantiles =
        [(0, 699_999), (100_000, 700_000), (700_000, 2_300_000), (1_000_000, 4_900_000)];
    check_latency(table, &quantiles, (700_000, 4_900_000));
}

#[test]
fn duplicates_are_as_frequent_as_configured_and_travel_on_their_own() {
    let latency = uniform(millis(1), millis(10));
    let (fates, total) = fates(Link { duplicate_ppm: 10_000, latency, ..Link::default() });
    let copied = |(sent, fate): &(Time, Fate)| match fate {
        Fate::Travels { copy: Some(copy), arrives, .. } => {
            Some((copy.since(*sent).as_nanos(), *copy < *arrives))
        }
        _ => None,
    };
    let copies: Vec<_> = fates.all().filter_map(copied).collect();
    assert!(rate_is(copies.len(), total, 10_000), "{} of {total}", copies.len());
    assert!(!rate_is(copies.len() * 5, total, 10_000));
    let latencies: Vec<u64> = copies.iter().map(|(latency, _)| *latency).collect();
    let quantiles = [(100_000, 1_900_000), (500_000, 5_500_000), (900_000, 9_100_000)];
    assert!(quantiles_are(&latencies, &quantiles));
    let first = copies.iter().filter(|(_, first)| *first).count();
    assert!(rate_is(first, copies.len(), 500_000), "{first} copies of {} came first", copies.len());
}

#[test]
fn reordering_is_as_frequent_and_as_far_as_configured() {
    let link = Link { reorder_ppm: 30_000, reorder_by: millis(8), ..Link::default() };
    let (fates, total) = fates(link);
    let delays: Vec<u64> = fates
        .all()
        .filter(|(_, fate)| matches!(fate, Fate::Travels { reordered: true, .. }))
        .map(|(sent, fate)| match fate {
            Fate::Travels { arrives, .. } => arrives.since(*sent).as_nanos() - 1_000_000,
            _ => 0,
        })
        .collect();
    assert!(rate_is(delays.len(), total, 30_000), "{} of {total}", delays.len());
    assert!(!rate_is(delays.len() * 5, total, 30_000));
    assert!(quantiles_are(&delays, &[(250_000, 2_000_000), (500_000, 4_000_000)]));
    assert!(!quantiles_are(&delays, &[(250_000, 2_400_000)]));
}

#[test]
fn corruption_is_as_frequent_as_configured_and_flips_one_to_three_bits() {
    let (fates, total) = fates(Link { corrupt_ppm: 10_000, ..Link::default() });
    let corrupted = fates
        .count(|fate| matches!(fate, Fate::Travels { corrupted: true, .. } | Fate::Mangled { .. }));
    assert!(rate_is(corrupted, total, 10_000), "{corrupted} of {total}");
    assert!(!rate_is(corrupted * 5, total, 10_000));
    let mangled = fates.count(|fate| matches!(fate, Fate::Mangled { .. }));
    // The length of the body is one byte of ten; a flip there is never read, most others are.
    assert!(mangled > corrupted / 20 && mangled < corrupted / 2, "{mangled} of {corrupted}");
}

/// Bits that differ between what was sent and what arrived, for each datagram.
#[derive(Default)]
struct Flips {
    sent: BTreeMap<(NodeId, NodeId, u64), Message>,
    flips: Vec<u32>,
}

impl Watch<Probe> for Flips {
    fn event(&mut self, _: Time, event: Event<'_, Probe>, _: &View<'_, Probe>) -> Control {
        match event {
            Event::Sent { from, to, number, message, .. } => {
                self.sent.insert((from, to, number), message.clone());
            }
            Event::Delivered { from, to, number, message, .. } => {
                let sent = &self.sent[&(from, to, number)];
                let bodies = sent.body.iter().zip(&message.body);
                let body: u32 = bodies.map(|(left, right)| (left ^ right).count_ones()).sum();
                self.flips.push(body + (sent.id ^ message.id).count_ones());
            }
            _ => {}
        }
        Control::Continue
    }
}

#[test]
fn what_arrives_corrupted_differs_in_one_to_three_bits() {
    let mut world = world(with_link(Link { corrupt_ppm: 1_000_000, ..Link::default() }), 7, 2);
    for when in 0..2_000 {
        tell(&mut world, when, 0, vec![Do::Send(1, when, 60)]);
    }
    let mut flips = Flips::default();
    world.run(at(3_000), &mut flips);
    assert!(flips.flips.len() > 1_500, "{} arrived", flips.flips.len());
    assert!(flips.flips.iter().all(|flips| (1..=3).contains(flips)), "{:?}", flips.flips);
    assert!((1..=3).all(|count| flips.flips.contains(&count)));
}

#[test]
fn a_narrow_link_passes_its_bits_and_drops_what_finds_its_queue_full() {
    let bandwidth = Bandwidth { bits_per_second: 800_000, queue_bytes: 1_000 };
    let settings = with_link(Link { bandwidth: Some(bandwidth), ..Link::default() });
    let mut world = world(settings, 1, 2);
    // 103 bytes each: id, two bytes of length or one, and the body. A megabit a second is offered.
    for when in 0..10_000 {
        tell(&mut world, when, 0, vec![Do::Send(1, 1, 101)]);
        if when % 4 == 0 {
            tell(&mut world, when, 0, vec![Do::Send(1, 1, 101)]);
        }
    }
    let mut fates = Fates::default();
    world.run(at(10_000), &mut fates);
    let latencies = fates.latencies();
    // A datagram takes 1.03 ms to enter: of 12,500 offered in ten seconds 9,708 enter.
    let entered = latencies.len() as u64;
    let enters = |entered: u64| (9_700..=9_722).contains(&entered);
    assert!(enters(entered), "{entered} entered");
    assert!(!enters(12_500) && !enters(entered * 8));
    let row = world.ledger().row(Injector::Bandwidth);
    // Who finds the link free neither waits nor is dropped.
    let free = latencies.iter().filter(|latency| **latency == 2_030_000).count() as u64;
    assert_eq!((row.attempted, row.took_effect), (12_500, 12_500 - free));
    assert!((1..100).contains(&free), "{free}");
    // It never waits for more than a queue of 1,000 bytes, and the queue gets that full.
    let most = *latencies.iter().max().unwrap();
    assert!((10_000_000..=11_030_000 + 1_000_000).contains(&most), "{most}");
    assert_eq!(latencies.iter().min(), Some(&2_030_000));
}

#[test]
fn an_ordered_link_never_lets_one_overtake() {
    let latency = uniform(millis(1), millis(10));
    for fifo in [false, true] {
        let (fates, _) = fates(Link { latency: latency.clone(), fifo, ..Link::default() });
        let ordered = fates.0.values().all(|link| {
            let arrivals = link.iter().filter_map(|(_, fate)| match fate {
                Fate::Travels { arrives, .. } => Some(*arrives),
                _ => None,
            });
            arrivals.is_sorted()
        });
        assert_eq!(ordered, fifo);
    }
}

#[test]
fn clocks_are_skewed_and_drift_within_their_bounds() {
    let nodes = 2_000;
    let clocks = clock::Settings { skew_max: millis(100), drift_ppm_max: 200 };
    let mut world = world(Settings { clocks, ..calm() }, 1, nodes);
    let read = |world: &sim::World<Probe, _>, node| world.view().clock(NodeId(node)).unwrap();
    world.run(Time::ZERO, &mut ());
    let skews: Vec<u64> = (0..nodes).map(|node| read(&world, node).as_nanos()).collect();
    assert!(quantiles_are(
        &skews,
        &[(100_000, 10_000_000), (500_000, 50_000_000), (1_000_000, 100_000_000)]
    ));
    assert!(!quantiles_are(&skews, &[(500_000, 60_000_000)]));
    tell(&mut world, 1_000_000, 0, vec![]);
    world.run(at(1_000_000), &mut ());
    // What a clock gained in 1,000 s, from -200 ms to 200 ms, shifted to begin at zero.
    let gained: Vec<u64> = (0..nodes)
        .map(|node| {
            read(&world, node).as_nanos() - skews[node as usize] + 200_000_000 - 1_000_000_000_000
        })
        .collect();
    assert!(gained.iter().all(|gained| *gained <= 400_000_000));
    let drifts = [(250_000, 100_000_000), (500_000, 200_500_000), (750_000, 300_000_000)];
    assert!(quantiles_are(&gained, &drifts));
    assert!(!quantiles_are(&gained, &[(500_000, 240_000_000)]));
}

/// How often each fault struck, and for how long.
#[derive(Default)]
struct Strikes {
    count: BTreeMap<&'static str, usize>,
    lasted: BTreeMap<&'static str, Vec<u64>>,
    gaps: BTreeMap<(Injector, NodeId), Vec<u64>>,
    last: BTreeMap<(Injector, NodeId), Time>,
}

impl Strikes {
    fn note(&mut self, name: &'static str, lasted: Option<Span>) {
        *self.count.entry(name).or_default() += 1;
        self.lasted.entry(name).or_default().extend(lasted.map(Span::as_nanos));
    }

    fn space(&mut self, injector: Injector, node: NodeId, at: Time) {
        let last = self.last.insert((injector, node), at).unwrap_or(Time::ZERO);
        self.gaps.entry((injector, node)).or_default().push(at.since(last).as_nanos());
    }

    fn gaps(&self, injector: Injector) -> Vec<u64> {
        let of = self.gaps.iter().filter(|((other, _), _)| *other == injector);
        of.flat_map(|(_, gaps)| gaps.iter().copied()).collect()
    }
}

impl Watch<Probe> for Strikes {
    fn event(&mut self, at: Time, event: Event<'_, Probe>, _: &View<'_, Probe>) -> Control {
        let Event::Fault { fault, phase: sim::event::Phase::Begins } = event else {
            return Control::Continue;
        };
        match fault {
            Fault::Crash(crash) => {
                self.note("crash", crash.down_for);
                self.space(Injector::Crash, crash.node, at);
                let damage = crash.damage;
                let kinds = [
                    ("torn", damage.in_flight == sim::disk::InFlight::Torn),
                    ("kept", damage.in_flight == sim::disk::InFlight::Kept),
                    ("tail", damage.lost_tail > 0),
                    ("tail of 1", damage.lost_tail == 1),
                    ("rotten", damage.rotten.is_some()),
                    ("amnesia", damage.amnesia),
                ];
                kinds.iter().filter(|(_, hit)| *hit).for_each(|(name, _)| self.note(name, None));
            }
            Fault::Pause(pause) => {
                self.note("pause", Some(pause.lasts));
                self.space(Injector::Pause, pause.node, at);
            }
            Fault::SetClock(_) => self.note("step", None),
            Fault::Partition(partition) => {
                self.note("partition", partition.lasts);
                self.space(Injector::Split, NodeId(0), at);
                self.note(
                    match partition.shape {
                        Shape::Split(_) => "split",
                        Shape::Isolate(_) => "isolate",
                        Shape::Bridge { .. } => "bridge",
                        Shape::Ring(_) => "ring",
                        Shape::Cut { .. } => "cut",
                    },
                    None,
                );
                if partition.direction != Direction::Both {
                    self.note("one way", None);
                }
            }
            Fault::Swizzle(_) => self.note("swizzle", None),
            Fault::Clog(_) | Fault::Degrade(_) | Fault::Leave(_) => self.note("other", None),
        }
        Control::Continue
    }
}

#[test]
fn random_faults_strike_as_often_as_long_and_as_hard_as_configured() {
    let (nodes, seconds) = (10, 20_000_u64);
    let (lasts_min, lasts_max) = (millis(100), millis(300));
    let risk = Risk {
        torn_ppm: 200_000,
        kept_ppm: 300_000,
        lost_tail_ppm: 250_000,
        lost_tail_max: 4,
        rotten_ppm: 100_000,
        amnesia_ppm: 50_000,
    };
    let every = millis(10_000);
    let mut settings = Settings { fingerprint: false, ..calm() };
    settings.profile = Profile {
        crashes: Some(Crashes { every, down_min: lasts_min, down_max: lasts_max, risk }),
        pauses: Some(Pauses { every, lasts_min, lasts_max }),
        clock_steps: Some(ClockSteps { every, by_max: millis(10) }),
        partitions: Some(Partitions { every, lasts_min, lasts_max, one_way_ppm: 400_000 }),
        clogs: Some(Clogs { every, lasts_min, lasts_max, swizzle_ppm: 1_000_000 }),
    };
    let mut world = world(settings, 11, nodes);
    let mut strikes = Strikes::default();
    world.run(at(seconds * 1_000), &mut strikes);
    let count = |name| strikes.count[name];
    // A Poisson process: of 10 million slots of 20 ms, each has one strike with 0.2 %.
    let slots = seconds as usize * 50;
    let is_poisson = |hits, processes: usize| rate_is(hits, slots * processes, 2_000);
    for (name, processes) in
        [("crash", 10), ("pause", 10), ("step", 10), ("partition", 1), ("swizzle", 1)]
    {
        assert!(is_poisson(count(name), processes), "{name}: {}", count(name));
        assert!(!is_poisson(count(name) * 6 / 5, processes));
    }
    for injector in [Injector::Crash, Injector::Pause, Injector::Split] {
        let gaps = strikes.gaps(injector);
        assert!(quantiles_are(&gaps, &[(500_000, 6_931_471_806), (900_000, 23_025_850_930)]));
        assert!(!quantiles_are(&gaps, &[(500_000, 10_000_000_000)]));
    }
    for name in ["crash", "pause", "partition"] {
        let quantiles = [(250_000, 150_000_000), (500_000, 200_000_000), (1_000_000, 300_000_000)];
        assert!(quantiles_are(&strikes.lasted[name], &quantiles), "{name}");
        assert!(!quantiles_are(&strikes.lasted[name], &[(500_000, 225_000_000)]), "{name}");
    }
    let shares = [
        ("torn", "crash", risk.torn_ppm),
        ("kept", "crash", risk.kept_ppm),
        ("tail", "crash", risk.lost_tail_ppm),
        ("tail of 1", "tail", 250_000),
        ("rotten", "crash", risk.rotten_ppm),
        ("amnesia", "crash", risk.amnesia_ppm),
        ("split", "partition", 250_000),
        ("isolate", "partition", 250_000),
        ("bridge", "partition", 250_000),
        ("ring", "partition", 250_000),
        ("one way", "partition", 400_000),
    ];
    for (part, whole, ppm) in shares {
        assert!(
            rate_is(count(part), count(whole), ppm),
            "{part}: {} of {}",
            count(part),
            count(whole)
        );
        assert!(!rate_is(count(part) * 2, count(whole), ppm));
    }
}

/// How long each record took to become durable.
#[derive(Default)]
struct Writes {
    began: BTreeMap<NodeId, Time>,
    took: Vec<u64>,
}

impl Watch<Probe> for Writes {
    fn event(&mut self, at: Time, event: Event<'_, Probe>, _: &View<'_, Probe>) -> Control {
        match event {
            Event::Persisting { node, .. } => _ = self.began.insert(node, at),
            Event::Persisted { node, .. } => self.took.push(at.since(self.began[&node]).as_nanos()),
            _ => {}
        }
        Control::Continue
    }
}

#[test]
fn disks_take_as_long_as_configured() {
    let mut settings = calm();
    settings.disk.latency = uniform(Span::from_micros(100), Span::from_micros(900));
    let mut world = world(settings, 1, 10);
    for when in 0..2_000 {
        (0..10).for_each(|node| tell(&mut world, when, node, vec![Do::Append("record")]));
    }
    let mut writes = Writes::default();
    world.run(at(3_000), &mut writes);
    assert_eq!(writes.took.len(), 20_000);
    let quantiles = [(125_000, 200_000), (500_000, 500_000), (1_000_000, 900_000)];
    assert!(quantiles_are(&writes.took, &quantiles));
    assert!(mean_is(&writes.took, 500_000, 230_940));
    let slow: Vec<u64> = writes.took.iter().map(|nanos| nanos * 1_000).collect();
    assert!(!quantiles_are(&slow, &quantiles) && !mean_is(&slow, 500_000, 230_940));
}

#[test]
fn a_clock_that_drifts_rings_late_by_its_drift() {
    let clocks = clock::Settings { skew_max: Span::ZERO, drift_ppm_max: 500_000 };
    let mut world = world(Settings { clocks, ..calm() }, 3, 1);
    tell(&mut world, 0, 0, vec![Do::Arm(1, millis(1_000))]);
    struct Rang(Option<(Time, Time)>);
    impl Watch<Probe> for Rang {
        fn event(&mut self, at: Time, event: Event<'_, Probe>, _: &View<'_, Probe>) -> Control {
            if let Event::Notice { notice: Notice::Rang { reads, .. }, .. } = event {
                self.0 = Some((at, *reads));
            }
            Control::Continue
        }
    }
    let mut rang = Rang(None);
    world.run(at(10_000), &mut rang);
    let (at_world, reads) = rang.0.expect("it rang");
    assert!(at_world != at(1_000), "the clock drifts");
    assert!(reads.since(at(1_000)).as_nanos() <= 1, "it rings at its time by its own clock");
}
