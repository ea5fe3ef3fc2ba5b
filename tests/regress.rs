//! Every failure that was ever kept: each file in `scenarios/regress` carries its choices, and says
//! whether it still fails or is mended and holds.

use harness::{
    run::{Options, run},
    scenario::{Expectation, Scenario},
};

use crate::scenarios::files;

fn kept() -> Vec<(String, Scenario)> {
    files("../scenarios/regress")
}

#[test]
fn every_kept_failure_is_what_its_file_says() {
    let mut surprises = Vec::new();
    for (name, scenario) in kept() {
        let outcome = run(&scenario, 1, Options::default(), None).expect("it can be deployed");
        if outcome.is_as_expected_but_goals() {
            continue;
        }
        surprises.push(match (&scenario.expect.outcome, outcome.violations.first()) {
            (Expectation::Violates(names), None) => format!(
                "{name} no longer breaks {}: once it is mended, `outcome` becomes \"holds\"",
                names.join(", ")
            ),
            (_, Some(broken)) => format!("{name} fails: {broken}"),
            (Expectation::Holds, None) => format!("{name}: {}", outcome.shortfalls.join("; ")),
        });
    }
    assert!(surprises.is_empty(), "\n{}", surprises.join("\n"));
}

#[test]
fn every_kept_failure_carries_its_choices() {
    for (name, scenario) in kept() {
        assert!(
            scenario.replay.is_some(),
            "{name} has no [replay]: `simctl shrink --save` makes one"
        );
    }
}
