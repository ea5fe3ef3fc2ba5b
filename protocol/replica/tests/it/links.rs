//! Exactly-once streams and what else travels, across crashes and lost disks.

use std::collections::BTreeSet;

use contract::{NodeId, Span};
use replica::Notice;

use crate::fleet::{BAD, Fleet, GOOD, Recipe, counter};

/// Two nodes that know each other and have sent each other something.
fn pair(recipe: &Recipe) -> Fleet {
    let mut fleet = Fleet::new(2, Some(recipe), 11);
    fleet.run(Span::from_secs(1));
    fleet.operate(1, recipe, "add", 1);
    fleet.operate(2, recipe, "add", 1);
    fleet.run(Span::from_secs(1));
    assert!(fleet.at_rest());
    assert_eq!(fleet.total(), 2);
    fleet
}

#[test]
fn what_was_not_acknowledged_reaches_a_receiver_without_a_disk() {
    let recipe = counter("1.4.0");
    let mut fleet = pair(&recipe);
    fleet.isolated.insert(NodeId(2));
    for amount in [3, 4] {
        fleet.operate(1, &recipe, "add", amount);
    }
    fleet.run(Span::from_secs(1));
    fleet.crash(2, Span::from_millis(100), true);
    fleet.isolated.clear();
    fleet.run(Span::from_secs(20));
    assert!(fleet.at_rest());
    fleet.check_guarantees();
    // n2 began from nothing, so the one that it had counted before is lost with its disk.
    assert_eq!(fleet.total(), 1 + 3 + 4);
    let lost = |notice: &Notice| match notice {
        Notice::PeerLost { peer, unacknowledged } => {
            *peer == NodeId(2) && unacknowledged.len() == 2
        }
        _ => false,
    };
    assert_eq!(fleet.count(lost), 1);
}

#[test]
fn a_sender_without_a_disk_begins_a_stream_that_is_taken() {
    let recipe = counter("1.4.0");
    let mut fleet = pair(&recipe);
    fleet.crash(1, Span::from_millis(100), true);
    fleet.run(Span::from_millis(200));
    fleet.operate(1, &recipe, "add", 5);
    fleet.run(Span::from_secs(10));
    assert!(fleet.at_rest());
    fleet.check_guarantees();
    assert_eq!(fleet.count(|notice| matches!(notice, Notice::Renumbered { .. })), 0);
}

#[test]
fn a_sender_without_a_disk_whose_clock_fell_is_told_and_begins_anew() {
    let recipe = counter("1.4.0");
    let mut fleet = pair(&recipe);
    fleet.run(Span::from_secs(100));
    // A second life, so that n2 remembers a high incarnation of n1.
    fleet.crash(1, Span::from_millis(100), true);
    fleet.run(Span::from_secs(1));
    fleet.operate(1, &recipe, "add", 5);
    fleet.run(Span::from_secs(5));
    fleet.behind.insert(NodeId(1), Span::from_secs(100));
    fleet.crash(1, Span::from_millis(100), true);
    fleet.run(Span::from_millis(100));
    fleet.operate(1, &recipe, "add", 7);
    fleet.run(Span::from_secs(30));
    assert!(fleet.at_rest());
    fleet.check_guarantees();
    let delivered =
        |notice: &Notice| matches!(notice, Notice::Delivered { exactly_once: true, .. });
    assert_eq!(fleet.count(delivered), 4);
}

#[test]
fn a_sender_whose_disk_lost_its_tail_does_not_give_a_number_twice() {
    let recipe = counter("1.4.0");
    let mut fleet = pair(&recipe);
    for amount in [3, 4] {
        fleet.operate(1, &recipe, "add", amount);
        fleet.run(Span::from_secs(1));
    }
    // The last two letters were delivered; n1's disk forgets that it sent them.
    let length = fleet.disk(1).len();
    assert!(length > 3, "{length}");
    fleet.disk(1).truncate(length - 2);
    fleet.crash(1, Span::from_millis(100), false);
    fleet.run(Span::from_millis(100));
    fleet.operate(1, &recipe, "add", 9);
    fleet.run(Span::from_secs(10));
    assert!(fleet.at_rest());
    fleet.check_guarantees();
    assert_eq!(fleet.count(|notice| matches!(notice, Notice::Renumbered { .. })), 1);
    assert_eq!(fleet.total(), 1 + 1 + 3 + 4 + 9);
}

#[test]
fn a_receiver_whose_disk_lost_its_tail_goes_on_where_the_sender_is() {
    let recipe = counter("1.4.0");
    let mut fleet = pair(&recipe);
    for amount in [3, 4] {
        fleet.operate(1, &recipe, "add", amount);
        fleet.run(Span::from_secs(1));
    }
    let length = fleet.disk(2).len();
    fleet.disk(2).truncate(length - 2);
    fleet.crash(2, Span::from_millis(100), false);
    fleet.operate(1, &recipe, "add", 9);
    fleet.run(Span::from_secs(10));
    assert!(fleet.at_rest());
    fleet.check_guarantees();
    assert_eq!(fleet.count(|notice| matches!(notice, Notice::PeerLost { .. })), 1);
}

#[test]
fn a_rotten_record_ends_recovery_and_not_the_node() {
    let recipe = counter("1.4.0");
    let mut fleet = pair(&recipe);
    for at in 0..fleet.disk(1).len() {
        let mut fleet = pair(&recipe);
        let record = &mut fleet.disk(1)[at];
        record.truncate(record.len() / 2);
        fleet.crash(1, Span::from_millis(100), false);
        fleet.run(Span::from_secs(1));
        fleet.operate(1, &recipe, "add", 9);
        fleet.run(Span::from_secs(20));
        assert!(fleet.at_rest(), "record {at}");
        fleet.check_guarantees();
    }
}

#[test]
fn a_record_of_a_letter_that_no_incarnation_sent_is_rotten() {
    let mut fleet = pair(&counter("1.4.0"));
    fleet.isolated.insert(NodeId(1));
    // A part of a state, to n4; then what is no record, so that the node writes a snapshot.
    let letter = [1, 8, 4, 5, 2, 1, 2, 1, 0x1a, 1, 1].to_vec();
    *fleet.disk(1) = vec![letter, vec![4, 4]];
    let mut seen = Vec::new();
    for _ in 0..2 {
        fleet.crash(1, Span::from_millis(1), false);
        fleet.run(Span::from_millis(1));
        let status = fleet.replica(1).status();
        seen.push((status.run, status.known));
    }
    assert_eq!(seen[0], seen[1]);
}

#[test]
fn s24_recovery_finds_the_very_state_that_was() {
    let recipe = counter("1.4.0");
    let mut compacted = 0;
    for seed in 0..5 {
        let mut fleet = Fleet::new(3, Some(&recipe), seed);
        // Small enough that snapshots are taken again and again.
        fleet.adjust(|settings| settings.log_bytes_min = 300);
        fleet.network = BAD;
        for turn in 0..200_u32 {
            fleet.operate(turn % 3 + 1, &recipe, "add", turn % 9 + 1);
            fleet.run(Span::from_millis(30));
            let node = turn % 3 + 1;
            let state = fleet.replica(node).export().unwrap();
            let image = fleet.replica(node).status();
            fleet.crash(node, Span::ZERO, false);
            fleet.run(Span::ZERO);
            assert_eq!(fleet.replica(node).export(), Some(state), "seed {seed}, turn {turn}");
            let again = fleet.replica(node).status();
            assert_eq!((again.run, again.known, again.held), (image.run, image.known, image.held));
        }
        fleet.network = GOOD;
        assert!(fleet.run_until(Span::from_secs(60), Fleet::at_rest), "seed {seed}");
        fleet.check_guarantees();
        compacted += fleet.count(|notice| matches!(notice, Notice::Compacted { .. }));
    }
    assert!(compacted > 10, "{compacted}");
}

#[test]
fn an_operation_is_refused_while_a_peer_takes_nothing() {
    let recipe = counter("1.4.0");
    let mut fleet = Fleet::new(2, Some(&recipe), 11);
    fleet.adjust(|settings| settings.link.outbox_max = 5);
    fleet.run(Span::from_secs(1));
    fleet.isolated.insert(NodeId(2));
    let refused = |notice: &Notice| matches!(notice, Notice::OperationRefused { .. });
    for _ in 0..20 {
        fleet.operate(1, &recipe, "add", 1);
        fleet.run(Span::from_millis(1));
    }
    assert_eq!(fleet.count(refused), 15);
    fleet.isolated.clear();
    assert!(fleet.run_until(Span::from_secs(30), Fleet::at_rest));
    fleet.operate(1, &recipe, "add", 1);
    fleet.run(Span::from_secs(5));
    assert_eq!(fleet.count(refused), 15);
    assert_eq!(fleet.total(), 6);
}

#[test]
fn r9_versioned_messages_carry_the_release_that_sent_them() {
    let (old, new) = (counter("1.4.0"), counter("2.0.0"));
    let mut fleet = pair(&old);
    fleet.command(1, new.publish());
    fleet.run(Span::from_secs(5));
    fleet.operate(1, &old, "add", 1);
    fleet.run(Span::from_secs(5));
    let mut run = [old.id(), old.id()];
    let mut stamps = BTreeSet::new();
    for (_, node, notice) in &fleet.notices {
        match notice {
            Notice::Committed { release, .. } => run[node.0 as usize - 1] = release.id.clone(),
            Notice::Sent { stamp, .. } => {
                let stamp = stamp.as_ref().expect("every type of the counter is versioned");
                assert_eq!(*stamp.id(), run[node.0 as usize - 1]);
                stamps.insert(stamp.id().clone());
            }
            _ => {}
        }
    }
    assert_eq!(stamps.len(), 2);
}

#[test]
fn a_long_backlog_crosses_a_bad_network_in_order() {
    let recipe = counter("1.4.0");
    let mut fleet = Fleet::new(2, Some(&recipe), 11);
    fleet.run(Span::from_secs(1));
    fleet.isolated.insert(NodeId(2));
    for amount in 0..300 {
        fleet.operate(1, &recipe, "add", amount % 9 + 1);
    }
    fleet.run(Span::from_secs(5));
    fleet.isolated.clear();
    fleet.network = BAD;
    assert!(fleet.run_until(Span::from_secs(120), Fleet::at_rest), "{}", fleet.now);
    fleet.check_guarantees();
    let mut last = 0;
    for (.., notice) in &fleet.notices {
        if let Notice::Delivered { id, exactly_once: true, .. } = notice {
            assert_eq!(id.sequence, last + 1);
            last = id.sequence;
        }
    }
    assert_eq!(last, 300);
}
