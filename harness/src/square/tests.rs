//! What squares find, and what they leave alone.

use app::{Outgoing, Value};

use super::*;
use crate::replicated::to_the_end;

fn small(cases: u64) -> Scope {
    Scope { cases, seed: 1, nodes: 3, moves: 40 }
}

fn check(app: &str, from: Option<&str>, to: Option<&str>, cases: u64) -> Vec<(Upgrade, Report)> {
    let upgrades = upgrades(app, from, to).unwrap();
    let each = upgrades.into_iter().map(|upgrade| {
        let report = upgrade.check(small(cases), &mut to_the_end);
        (upgrade, report)
    });
    each.collect()
}

/// The kinds of failure of the code `to`, and how many moves each came down to.
fn kinds(to: &str) -> Vec<(&'static str, usize)> {
    let (_, report) = check("counter", Some("1.4.0"), Some(to), 1_000).remove(0);
    report.found.iter().map(|found| (found.broken.name(), found.moves.len())).collect()
}

#[test]
fn it_does_not_matter_when_a_node_takes_a_good_upgrade() {
    for app in apps() {
        let Ok(_) = upgrades(app, None, None) else { continue };
        for (upgrade, report) in check(app, None, None, 600) {
            let name = format!("{app} {} -> {}", upgrade.way.from.name, upgrade.way.to.name);
            assert!(report.holds(), "{name}: {:?}", report.found);
            assert_eq!((report.cases, report.compared), (600, 600), "{name}");
            assert!(report.effects > 150, "{name}: {} of 600 show nothing", report.effects);
        }
    }
}

#[test]
fn every_flaw_is_found_and_made_small() {
    for (flawed, expected) in [
        ("2.0.0:over-budget", &[("migration-fails", 1)][..]),
        ("2.0.0:fails-on-n1", &[("migration-fails", 1)]),
        ("2.0.0:fails-on-odd", &[("migration-fails", 1)]),
        ("2.0.0:drops-count", &[("measure-changes", 1)]),
        ("2.0.0:ill-typed", &[("migration-fails", 1)]),
        ("2.0.0:impure", &[("migration-is-impure", 1)]),
        ("2.0.0:no-convert", &[("answers-differ", 1), ("states-differ", 2)]),
        ("2.0.0:mistranslates", &[("answers-differ", 1), ("states-differ", 2)]),
        ("2.0.0:fresh", &[("states-differ", 1), ("answers-differ", 3)]),
        ("2.0.0:other", &[]),
        ("3.0.0:strays", &[("paths-differ", 1)]),
    ] {
        assert_eq!(kinds(flawed), expected, "{flawed}");
    }
}

#[test]
fn the_smallest_state_and_message_are_those_of_the_shrunk_run() {
    let (upgrade, report) =
        check("counter", Some("1.4.0"), Some("2.0.0:mistranslates"), 1_000).remove(0);
    let found = report.found.iter().find(|found| found.broken.name() == "states-differ").unwrap();
    let Broken::States { expected, found: other, refused: None, .. } = &found.broken else {
        panic!("{:?}", found.broken)
    };
    let schema = &upgrade.way.to.program.manifest().state;
    let counted = |state: &[u8]| Value::decode(schema, state).unwrap().named(schema).to_string();
    let (here, there) = (counted(expected), counted(other));
    assert!(here.ends_with("{up: 1, down: 0}}}"), "{here}");
    assert!(there.ends_with("{up: 1000, down: 0}}}"), "{there}");
    let last = found.moves.last().unwrap();
    assert_eq!(last.1.last(), Some(&found.seen));
    assert_eq!(law::square(&upgrade.way, &found.seen).unwrap_err(), found.broken);
}

#[test]
fn what_was_found_is_a_function_of_the_seed() {
    let found = || {
        let (_, report) =
            check("counter", Some("1.4.0"), Some("2.0.0:mistranslates"), 300).remove(0);
        format!("{report:?}")
    };
    assert_eq!(found(), found());
}

#[test]
fn a_message_that_is_refused_and_changes_no_state_is_told_and_no_failure() {
    let (_, report) = check("counter", Some("1.5.0"), Some("2.0.0"), 1_000).remove(0);
    assert!(report.holds());
    assert!(report.refused["ask"] > 10, "{:?}", report.refused);
    let (_, report) = check("counter", Some("1.5.0"), Some("2.1.0"), 1_000).remove(0);
    assert!(report.holds() && report.refused.is_empty(), "{:?}", report.refused);
}

#[test]
fn every_chain_of_edges_is_taken_once_the_own_one_first() {
    let names = |to: &str| -> Vec<String> {
        let upgrade = upgrades("counter", Some("1.4.0"), Some(to)).unwrap().remove(0);
        upgrade.state_chains.iter().map(|chain| chain.name.clone()).collect()
    };
    assert_eq!(names("2.0.0"), ["2.0.0#0"]);
    assert_eq!(names("2.1.0"), ["2.1.0#0", "2.0.0#0"]);
    assert_eq!(names("3.0.0"), ["3.0.0#0 3.0.0#1", "2.0.0#0 3.0.0#1", "2.1.0#0 3.0.0#1"]);
}

#[test]
fn there_is_nothing_to_check_without_a_way() {
    let why = |app, from, to| upgrades(app, from, to).err().unwrap().to_string();
    let none = "no edges of 2.0.0:no-edge lead there from any counter";
    assert_eq!(why("counter", None, Some("2.0.0:no-edge")), none);
    assert_eq!(
        why("counter", Some("2.0.0"), Some("1.0.0")),
        "no edges of 1.0.0 lead there from 2.0.0"
    );
    assert!(why("abacus", None, None).starts_with("unknown app `abacus`: expected `counter`, "));
    assert!(why("counter", Some("one"), None).contains("found `one`"));
    assert!(
        why("counter", None, Some("2.0.0:perfect"))
            .starts_with("unknown variant of counter 2.0.0 `perfect`: ")
    );
}

/// A fleet of 1.4.0 that goes to 2.0.0, and what it does.
fn mixed() -> (Vec<Way>, Release) {
    let (one, two) = (release("counter", "1.4.0").unwrap(), release("counter", "2.0.0").unwrap());
    (vec![Way::new(&one, &two).unwrap()], two)
}

fn step(id: u32, node: usize, what: What) -> Move {
    Move { id, at: contract::Time::ZERO, node, entropy: 0, what }
}

fn asks(release: &Release, kind: &str) -> What {
    let body = release.program.operation(kind, [1; 4]).unwrap();
    What::Ask { release: release.name.clone(), body }
}

#[test]
fn a_newer_message_waits_for_the_upgrade_and_an_older_one_is_converted() {
    let (line, two) = mixed();
    let one = &line[0].from;
    let mut fleet = Fleet::new(&line, &two, 2);
    assert_eq!(fleet.play(&step(0, 0, asks(one, "add"))).len(), 1);
    let arrives = |id, node, sent| step(id, node, What::Deliver { sent, number: 0 });
    fleet.play(&step(1, 1, What::Upgrade));
    let seen = fleet.play(&arrives(2, 1, 0)).remove(0);
    assert_eq!((seen.release.as_str(), seen.said), ("2.0.0", Ok(vec![])));
    assert_ne!(seen.before, seen.after);
    fleet.play(&step(3, 1, asks(&two, "add")));
    assert_eq!(fleet.play(&arrives(4, 0, 3)), [], "n0 runs 1.4.0 still");
    fleet.play(&step(5, 0, What::Upgrade));
    assert_eq!(fleet.play(&arrives(6, 0, 3)).len(), 1);
    assert_eq!(fleet.play(&arrives(7, 0, 3)), [], "it arrives once");
}

#[test]
fn what_is_sent_exactly_once_does_not_overtake() {
    let (line, two) = mixed();
    let one = &line[0].from;
    let mut fleet = Fleet::new(&line, &two, 2);
    let seen = fleet.play(&step(0, 0, asks(one, "add"))).remove(0);
    assert!(matches!(seen.said.as_deref(), Ok([Outgoing::Send { .. }, Outgoing::Reply { .. }])));
    fleet.play(&step(1, 0, asks(one, "add")));
    let arrives = |id, sent| step(id, 1, What::Deliver { sent, number: 0 });
    assert_eq!(fleet.play(&arrives(2, 1)), []);
    assert_eq!(fleet.play(&arrives(3, 0)).len(), 1);
    assert_eq!(fleet.play(&arrives(4, 1)).len(), 1);
}

#[test]
fn what_an_app_does_not_have_is_told_with_what_it_has() {
    let said = |app, to| upgrades(app, None, Some(to)).err().map(|why| why.to_string());
    for (app, to, expected) in [
        (
            "register",
            "2.0.1",
            "unknown release of register `2.0.1`: expected `1.0.0`, `2.0.0` or `3.0.0`; did you mean `2.0.0`? \
             (`simctl explain register` lists all)",
        ),
        (
            "register",
            "2.0.0:colects-early",
            "unknown variant of register 2.0.0 `colects-early`: expected `acts-with-all` or `collects-early`; did \
             you mean `collects-early`? (`simctl explain register` lists all)",
        ),
        (
            "registre",
            "2.0.0",
            "unknown app `registre`: expected `counter`, `sessions`, `register`, `tally`, `text`, `canvas`, \
             `basket`, `gauge` or `notes`; did you mean `register`? (`simctl explain apps` lists all)",
        ),
    ] {
        assert_eq!(said(app, to).as_deref(), Some(expected));
    }
}
