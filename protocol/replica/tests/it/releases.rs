//! How releases and their code spread.

use std::collections::BTreeSet;

use contract::{NodeId, Span};
use replica::{Command, Notice, Waiting, message::Content};
use upgrade::{
    release::{Rollout, VERSION_PART_BYTES_MAX},
    switch::Quarantine,
    trust::{SigningKey, sign},
};

use crate::fleet::{Fleet, GOOD, Network, Recipe, counter};

fn megabyte(version: &'static str) -> Recipe {
    Recipe { padding: 1_000_000, ..counter(version) }
}

#[test]
fn a_release_of_a_megabyte_crosses_a_narrow_lossy_link() {
    let (old, new) = (counter("1.4.0"), megabyte("2.0.0"));
    let mut fleet = Fleet::new(2, Some(&old), 3);
    fleet.network = Network {
        loss_percent: 5,
        bytes_per_sec: 32_000,
        queue_bytes: 16_000,
        delay_max: Span::from_millis(20),
        ..GOOD
    };
    fleet.run(Span::from_secs(1));
    fleet.command(1, new.publish());
    assert!(fleet.run_until(Span::from_secs(90), |fleet| fleet.all_run(&new)), "{}", fleet.now);
    // The bytes alone take 32 seconds.
    let code = new.release().code.len() as u64;
    let whole = |notice: &Notice| matches!(notice, Notice::Fetched { bytes, .. } if *bytes == code);
    assert_eq!(fleet.count(whole), 2);
}

#[test]
fn a_release_of_a_megabyte_crosses_a_network_that_loses_a_fifth() {
    let (old, new) = (counter("1.4.0"), megabyte("2.0.0"));
    let mut fleet = Fleet::new(4, Some(&old), 3);
    fleet.network.loss_percent = 20;
    fleet.network.delay_max = Span::from_millis(20);
    fleet.command(1, new.publish());
    assert!(fleet.run_until(Span::from_secs(120), |fleet| fleet.all_run(&new)));
}

#[test]
fn a_fetch_goes_on_after_a_crash_where_it_was() {
    let (old, new) = (counter("1.4.0"), megabyte("2.0.0"));
    let mut fleet = Fleet::new(2, Some(&old), 3);
    fleet.run(Span::from_secs(1));
    fleet.command(1, new.publish());
    let half = |fleet: &Fleet| {
        let fetching = fleet.replica(2).status().fetching;
        fetching.is_some_and(|(have, total)| have > total / 2)
    };
    assert!(fleet.run_until(Span::from_secs(60), half));
    fleet.crash(2, Span::from_secs(1), false);
    assert!(fleet.run_until(Span::from_secs(60), |fleet| fleet.all_run(&new)));
    let resumed = |notice: &Notice| match notice {
        Notice::FetchResumed { have, total, .. } => have > &(total / 2),
        _ => false,
    };
    assert!(fleet.count(resumed) >= 1);
}

#[test]
fn r26_a_release_reaches_everybody_with_its_publisher_gone() {
    let (old, new) = (counter("1.4.0"), Recipe { padding: 50_000, ..counter("2.0.0") });
    let mut fleet = Fleet::new(6, Some(&old), 5);
    // Only n2 hears of it before n1 is gone for good.
    fleet.isolated = (3..=6).map(NodeId).collect();
    fleet.run(Span::from_millis(100));
    fleet.command(1, new.publish());
    let id = new.id();
    assert!(fleet.run_until(Span::from_secs(30), |fleet| fleet.replica(2).run() == Some(&id)));
    fleet.isolated = BTreeSet::from([NodeId(1)]);
    let others = |fleet: &Fleet| (2..=6).all(|node| fleet.replica(node).run() == Some(&id));
    assert!(fleet.run_until(Span::from_secs(60), others));
}

#[test]
fn r35_a_node_may_start_with_nothing_and_is_updated() {
    let new = counter("2.0.0");
    let mut fleet = Fleet::new(3, None, 5);
    fleet.run(Span::from_secs(2));
    assert_eq!(fleet.replica(2).waiting(), [Waiting::Envelope]);
    fleet.command(1, new.publish());
    assert!(fleet.run_until(Span::from_secs(20), |fleet| fleet.all_run(&new)));
}

#[test]
fn r35_a_late_joiner_that_knows_one_peer_becomes_one_of_the_fleet() {
    let (old, new) = (counter("1.4.0"), counter("2.0.0"));
    let mut fleet = Fleet::new(4, Some(&new), 5);
    let before = std::mem::replace(&mut fleet.settings, Box::new(|_| unreachable!()));
    let release = old.release();
    fleet.settings = Box::new(move |node| {
        let mut settings = before(node);
        if node == NodeId(9) {
            settings.peers = [NodeId(1)].into();
            settings.initial = Some(release.clone());
        }
        settings
    });
    fleet.run(Span::from_secs(1));
    fleet.add(9);
    fleet.run(Span::from_millis(1));
    assert!(fleet.run_until(Span::from_secs(20), |fleet| fleet.all_run(&new)));
    let everybody =
        |fleet: &Fleet| fleet.nodes().all(|node| fleet.replica(node).status().nodes == 5);
    assert!(fleet.run_until(Span::from_secs(60), everybody));
}

#[test]
fn r25_a_forged_or_tampered_release_changes_nothing() {
    let (old, new) = (counter("1.4.0"), counter("2.0.0"));
    let mut fleet = Fleet::new(2, Some(&old), 5);
    fleet.run(Span::from_secs(1));
    let mallory = SigningKey::from_seed([66; 32]);
    let stranger = sign(&new.envelope(), &[&mallory]).bytes();
    let mut tampered = new.release().signed.to_vec();
    tampered[VERSION_PART_BYTES_MAX / 4] ^= 1;
    let code = new.release().code;
    for signed in [stranger, tampered, Vec::new()] {
        fleet.command(1, Command::Publish { signed: signed.clone().into(), code: code.clone() });
        let offer = replica::message::Offer { signed: signed.into(), whole: true };
        let content = Content::Offer(offer);
        fleet.inject(1, 2, replica::Message { incarnation: 1_000_000_000, known: 0, content });
    }
    fleet.run(Span::from_secs(5));
    assert!(fleet.all_run(&old));
    assert_eq!(fleet.count(|notice| matches!(notice, Notice::Forged { .. })), 6);
    assert_eq!(fleet.replica(2).known(), Some(&old.id()));
}

#[test]
fn a_code_that_is_not_the_signed_one_never_runs() {
    let (old, new) = (counter("1.4.0"), counter("2.0.0"));
    let mut fleet = Fleet::new(2, Some(&old), 5);
    fleet.run(Span::from_secs(1));
    let signed = new.release().signed;
    let code = counter("3.0.0").release().code;
    fleet.command(1, Command::Publish { signed, code });
    fleet.run(Span::from_secs(10));
    assert!(fleet.all_run(&old));
    assert_eq!(fleet.count(|notice| matches!(notice, Notice::BadCode { .. })), 1);
    // Everybody knows it, nobody has it, and says so.
    for node in [1, 2] {
        let waiting = fleet.replica(node).waiting();
        assert!(matches!(waiting[..], [Waiting::Chunks { from: None, .. }]), "{waiting:?}");
    }
    fleet.command(2, new.publish());
    assert!(fleet.run_until(Span::from_secs(20), |fleet| fleet.all_run(&new)));
}

#[test]
fn s5_concurrent_publishes_in_a_partition_end_with_one_winner() {
    let old = counter("1.4.0");
    let (one, other) = (counter("2.0.0"), Recipe { variant: Some("other"), ..counter("2.0.0") });
    let winner = one.id().max(other.id());
    let mut fleet = Fleet::new(6, Some(&old), 5);
    fleet.run(Span::from_secs(1));
    fleet.isolated = (4..=6).map(NodeId).collect();
    fleet.command(1, one.publish());
    fleet.run(Span::from_secs(10));
    fleet.isolated = (1..=3).map(NodeId).collect();
    fleet.command(4, other.publish());
    fleet.run(Span::from_secs(10));
    fleet.isolated.clear();
    let agree = |fleet: &Fleet| (1..=6).all(|node| fleet.replica(node).run() == Some(&winner));
    assert!(fleet.run_until(Span::from_secs(30), agree));
    assert!(fleet.count(|notice| matches!(notice, Notice::Conflict { .. })) >= 1);
}

#[test]
fn a_release_that_fails_is_quarantined_and_a_higher_one_is_the_way_out() {
    let old = counter("1.4.0");
    for (variant, padding) in [("over-budget", 0), ("ill-typed", 7), ("no-edge", 0)] {
        let bad = Recipe { variant: Some(variant), padding, ..counter("2.0.0") };
        let mut fleet = Fleet::new(3, Some(&old), 5);
        fleet.operate(1, &old, "increment", 5);
        fleet.run(Span::from_secs(1));
        fleet.command(1, bad.publish());
        fleet.run(Span::from_secs(10));
        assert!(fleet.all_run(&old), "{variant}");
        let same = |notice: &Notice| match notice {
            Notice::Quarantined { image_before, image, .. } => image_before == image,
            _ => false,
        };
        assert_eq!(fleet.count(same), 3, "{variant}: each node tries once");
        // It is not tried again after a crash either.
        fleet.crash(2, Span::from_millis(10), false);
        fleet.run(Span::from_secs(5));
        assert_eq!(fleet.count(same), 3, "{variant}");
        assert!(matches!(fleet.replica(2).waiting()[..], [Waiting::Quarantined { .. }]));
        let good = counter("3.0.0");
        fleet.command(3, good.publish());
        assert!(fleet.run_until(Span::from_secs(30), |fleet| fleet.all_run(&good)), "{variant}");
        assert_eq!(fleet.total(), 5, "{variant}");
    }
}

#[test]
fn l5_a_switch_that_always_crashes_is_given_up() {
    let (old, new) = (counter("1.4.0"), counter("2.0.0"));
    let mut fleet = Fleet::new(2, Some(&old), 5);
    fleet.run(Span::from_secs(1));
    fleet.command(1, new.publish());
    // n2 crashes whenever it shows that it prepared, which is before the commit is durable.
    let mut prepared = 0;
    for _ in 0..200 {
        let count = |fleet: &Fleet| {
            let of_two = fleet.notices.iter().filter(|(_, node, _)| *node == NodeId(2));
            let id = new.id();
            let prepared = |notice: &Notice| match notice {
                Notice::Prepared { release, .. } => *release == id,
                _ => false,
            };
            of_two.filter(|(.., notice)| prepared(notice)).count()
        };
        if !fleet.run_to_commit(2, Span::from_secs(20)) {
            break;
        }
        fleet.crash(2, Span::from_millis(10), false);
        prepared = count(&fleet);
    }
    assert_eq!(prepared, 8);
    fleet.run(Span::from_secs(5));
    assert_eq!(fleet.replica(2).run(), Some(&old.id()));
    let interrupted = |notice: &Notice| {
        let Notice::Quarantined { reason, .. } = notice else { return false };
        matches!(**reason, Quarantine::Interrupted { attempts: 8 })
    };
    assert_eq!(fleet.count(interrupted), 1);
}

#[test]
fn a_rolling_release_switches_in_batches() {
    let old = counter("1.4.0");
    let rollout = Rollout::Rolling { batch: 2, gap: Span::from_secs(5) };
    let new = Recipe { rollout, ..counter("2.0.0") };
    let mut fleet = Fleet::new(6, Some(&old), 5);
    fleet.run(Span::from_secs(1));
    fleet.command(1, new.publish());
    assert!(fleet.run_until(Span::from_secs(60), |fleet| fleet.all_run(&new)));
    let id = new.id();
    let mut commits: Vec<_> = fleet
        .notices
        .iter()
        .filter(
            |(.., notice)| matches!(notice, Notice::Committed { release, .. } if release.id == id),
        )
        .map(|(at, node, _)| (*node, *at))
        .collect();
    commits.sort();
    for (at, (node, time)) in commits.iter().enumerate() {
        let batch = at as u64 / 2;
        let since = time.as_nanos() / 1_000_000_000;
        assert!((1 + 5 * batch..5 + 5 * batch).contains(&since), "{node} at {time}");
    }
}

#[test]
fn s16_a_migration_with_too_little_fuel_leaves_the_node_as_it_was() {
    let old = counter("1.4.0");
    let mut fuel = 0;
    loop {
        let new = Recipe { fuel, ..counter("2.0.0") };
        let mut fleet = Fleet::new(2, Some(&old), 5);
        fleet.operate(1, &old, "increment", 5);
        fleet.operate(2, &old, "increment", 7);
        fleet.run(Span::from_secs(3));
        let before = fleet.replica(1).export();
        fleet.command(1, new.publish());
        fleet.run(Span::from_secs(1));
        if fleet.replica(1).run() == Some(&new.id()) {
            assert_eq!(fleet.total(), 12);
            break;
        }
        assert_eq!(fleet.replica(1).export(), before);
        let same = |notice: &Notice| match notice {
            Notice::Quarantined { reason, image_before, image, .. } => {
                matches!(**reason, Quarantine::OverBudget { .. }) && image_before == image
            }
            _ => false,
        };
        assert_eq!(fleet.count(same), 2, "with {fuel}");
        fuel += 1;
    }
    assert!(fuel > 1, "a migration costs something");
}

#[test]
fn a_peer_that_gives_a_wrong_code_is_blamed_and_another_asked() {
    let (old, new) = (counter("1.4.0"), Recipe { padding: 5_000, ..counter("2.0.0") });
    let mut fleet = Fleet::new(3, Some(&old), 5);
    fleet.run(Span::from_secs(1));
    fleet.isolated = [NodeId(3)].into();
    fleet.command(1, new.publish());
    assert!(fleet.run_until(Span::from_secs(20), |fleet| {
        fleet.replica(2).run().is_some_and(|run| run.version.major == 2)
    }));
    // n9 offers n3 the honest envelope, and answers each request with a wrong chunk.
    let release = new.release();
    let offer = replica::message::Offer { signed: release.signed, whole: true };
    let message = |content| replica::Message { incarnation: 1, known: 0, content };
    fleet.inject(9, 3, message(Content::Offer(offer)));
    let code = new.id().code;
    for index in (0..5).cycle().take(60) {
        let length = if index == 4 { release.code.len() - 4 * 1024 } else { 1024 };
        let bytes = vec![1; length].into();
        let chunk = replica::message::Chunk { code, index, bytes };
        fleet.inject(9, 3, message(Content::Chunk(Box::new(chunk))));
        fleet.run(Span::from_millis(50));
    }
    let blamed =
        |notice: &Notice| matches!(notice, Notice::BadCode { from, .. } if *from == NodeId(9));
    assert!(fleet.count(blamed) >= 1);
    fleet.isolated.clear();
    assert!(fleet.run_until(Span::from_secs(60), |fleet| fleet.all_run(&new)));
}

#[test]
fn a_clock_that_falls_delays_nothing_for_long() {
    let (old, new) = (counter("1.4.0"), counter("2.0.0"));
    let mut fleet = Fleet::new(3, Some(&old), 5);
    fleet.run(Span::from_secs(3000));
    fleet.behind.insert(NodeId(2), Span::from_secs(2900));
    fleet.command(1, new.publish());
    fleet.operate(1, &old, "add", 3);
    assert!(fleet.run_until(Span::from_secs(20), |fleet| fleet.all_run(&new)));
    assert!(fleet.run_until(Span::from_secs(20), Fleet::at_rest));
    fleet.operate(2, &old, "add", 4);
    fleet.run(Span::from_secs(10));
    assert_eq!(fleet.total(), 7);
    let ticks = fleet.notices.iter().filter(|(at, node, notice)| {
        let sent = matches!(notice, Notice::Sent { exactly_once: false, .. });
        *node == NodeId(2) && sent && at.as_nanos() > 3_000_000_000_000
    });
    assert!(ticks.count() >= 5, "n2 ticks on");
}
