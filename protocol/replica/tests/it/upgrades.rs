//! Upgrades of whole fleets.

use contract::Span;
use replica::Notice;

use crate::fleet::{BAD, Fleet, GOOD, counter};

#[test]
fn two_nodes_upgrade_and_keep_counting() {
    let (old, new) = (counter("1.4.0"), counter("2.0.0"));
    let mut fleet = Fleet::new(2, Some(&old), 1);
    fleet.run(Span::from_secs(1));
    assert!(fleet.all_run(&old));
    for amount in 1..=5 {
        fleet.operate(1, &old, "add", amount);
        fleet.operate(2, &old, "increment", amount);
        fleet.run(Span::from_millis(50));
    }
    fleet.command(1, new.publish());
    assert!(fleet.run_until(Span::from_secs(5), |fleet| fleet.all_run(&new)));
    for amount in 1..=5 {
        fleet.operate(2, &old, "add", amount);
        fleet.run(Span::from_millis(50));
    }
    assert!(fleet.run_until(Span::from_secs(5), Fleet::at_rest));
    fleet.run(Span::from_secs(1));
    assert_eq!(fleet.total(), 45);
    fleet.check_guarantees();
    assert_eq!(fleet.count(|notice| matches!(notice, Notice::OperationRefused { .. })), 0);
}

#[test]
fn r16_code_and_held_messages_reach_everybody_on_a_bad_network() {
    let (old, new) = (counter("1.4.0"), counter("2.0.0"));
    for seed in 0..20 {
        let mut fleet = Fleet::new(5, Some(&old), seed);
        fleet.network = BAD;
        fleet.network.bytes = seed % 2 == 0;
        let mut total = 0;
        for turn in 0..40 {
            fleet.operate(turn % 5 + 1, &old, "add", turn % 9 + 1);
            total += i128::from(turn % 9 + 1);
            fleet.run(Span::from_millis(50));
            if turn == 15 {
                fleet.command(3, new.publish());
            }
        }
        assert!(fleet.run_until(Span::from_secs(30), |fleet| fleet.all_run(&new)), "seed {seed}");
        assert!(fleet.run_until(Span::from_secs(60), Fleet::at_rest), "seed {seed}");
        fleet.network = GOOD;
        fleet.run(Span::from_secs(1));
        assert_eq!(fleet.total(), total, "seed {seed}");
        fleet.check_guarantees();
    }
}
