//! Crashes between any two effects: of a switch, of a delivery, of a fetch, of both sides.

use contract::Span;
use replica::Notice;

use crate::fleet::{BAD, Fleet, GOOD, Plan, Recipe, counter};

/// What a run that is crashed at one effect comes to.
struct Outcome {
    /// Effects of the crashed node.
    effects: u64,
    crashed: bool,
}

/// A fleet of three: n2 crashes before its effect number `effect`, somewhere in an upgrade with
/// messages that are held, converted and sent.
fn upgrade_with_crash(new: &Recipe, effect: u64, amnesia: bool) -> Outcome {
    let old = counter("1.4.0");
    let mut fleet = Fleet::new(3, Some(&old), 7);
    fleet.network.delay_max = Span::from_millis(30);
    fleet.run(Span::from_millis(300));
    let down = Span::from_millis(700);
    fleet.plan(Plan { node: 2, effect, amnesia, down });
    let mut total = 0;
    fleet.command(1, new.publish());
    for turn in 0..30 {
        // n2 sends nothing: what it was told and counted is all that it may lose with its disk.
        fleet.operate(turn % 2 * 2 + 1, &old, "add", turn % 9 + 1);
        total += i128::from(turn % 9 + 1);
        fleet.run(Span::from_millis(25));
    }
    assert!(fleet.run_until(Span::from_secs(30), |fleet| fleet.all_run(new)), "at {effect}");
    assert!(fleet.run_until(Span::from_secs(60), Fleet::at_rest), "at {effect}");
    let crashed = fleet.crashes > 0;
    let held = fleet.count(|notice| matches!(notice, Notice::Held { .. }));
    assert!(held > 0 || effect == 0, "at {effect}: nothing was held");
    fleet.forget_plan();
    fleet.run(Span::from_secs(2));
    if !amnesia {
        fleet.check_guarantees();
        assert_eq!(fleet.total(), total, "at {effect}");
    }
    check_states(&fleet, effect);
    Outcome { effects: fleet.effects, crashed }
}

/// Every start finds a node that is of one release, and what ran before the crash.
fn check_states(fleet: &Fleet, effect: u64) {
    let mut run = None;
    for (_, node, notice) in &fleet.notices {
        if node.0 != 2 {
            continue;
        }
        match notice {
            Notice::Started { run: found, composition, recovered: true, .. } => {
                assert!(composition.as_ref().is_none_or(|it| it.is_whole()), "at {effect}");
                // A commit shows only when it is durable; it may be durable and not have shown.
                assert!(run <= *found, "at {effect}: {found:?} after {run:?}");
                run.clone_from(found);
            }
            Notice::Started { recovered: false, .. } => run = None,
            Notice::Committed { release, composition, .. } => {
                assert!(composition.is_whole(), "at {effect}");
                run = Some(release.id.clone());
            }
            _ => {}
        }
    }
}

/// A release that takes a while to fetch, so that messages of it come first.
fn padded(version: &'static str) -> Recipe {
    Recipe { padding: 60_000, ..counter(version) }
}

#[test]
fn s15_a_crash_at_any_effect_of_an_upgrade_leaves_the_old_node_or_the_new_one() {
    let new = padded("2.0.0");
    let mut effect = 0;
    while upgrade_with_crash(&new, effect, false).crashed {
        effect += 1;
    }
    assert!(effect > 150, "only {effect} effects were crashed");
}

#[test]
fn a_crash_with_amnesia_at_any_effect_ends_in_the_new_release() {
    let new = padded("2.0.0");
    let effects = upgrade_with_crash(&new, u64::MAX, true).effects;
    for effect in (0..effects).step_by(5) {
        upgrade_with_crash(&new, effect, true);
    }
}

#[test]
fn r19_repeated_crashes_on_a_bad_network_lose_and_repeat_nothing() {
    let (old, new) = (counter("1.4.0"), counter("2.0.0"));
    for seed in 0..30 {
        let mut fleet = Fleet::new(4, Some(&old), seed);
        fleet.network = BAD;
        fleet.run(Span::from_millis(500));
        for turn in 0..60_u32 {
            let node = turn % 4 + 1;
            if !fleet.planned() {
                let (down, amnesia) = (Span::from_millis(200), false);
                let effect = u64::from(turn * 7 % 40);
                fleet.plan(Plan { node: turn / 3 % 4 + 1, effect, amnesia, down });
            }
            fleet.operate(node, &old, "add", turn % 9 + 1);
            if turn == 20 {
                fleet.command(node, new.publish());
            }
            fleet.run(Span::from_millis(60));
        }
        fleet.forget_plan();
        fleet.network = GOOD;
        assert!(fleet.crashes > 5, "seed {seed}: {} crashes", fleet.crashes);
        fleet.run(Span::from_secs(1));
        if !fleet.all_run(&new) {
            fleet.command(1, new.publish());
        }
        assert!(fleet.run_until(Span::from_secs(60), |fleet| fleet.all_run(&new)), "seed {seed}");
        assert!(fleet.run_until(Span::from_secs(60), Fleet::at_rest), "seed {seed}");
        fleet.check_guarantees();
    }
}
