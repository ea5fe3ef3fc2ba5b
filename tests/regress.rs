//! Every failure that was ever kept: each file in `scenarios/regress` carries its choices, and says
//! whether it still fails or is mended and holds.

use std::{fs, path::PathBuf};

use harness::{
    run::{Options, run},
    scenario::{Expectation, Scenario},
};

fn kept() -> Vec<(String, Scenario)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../scenarios/regress");
    let entries = fs::read_dir(&folder).expect("the folder of kept failures is there");
    let paths = entries.map(|entry| entry.expect("the folder is readable").path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
            let scenario = Scenario::read(&path);
            (name, scenario.unwrap_or_else(|rejected| panic!("{}", rejected.rendered())))
        })
        .collect()
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
    let kept = kept();
    assert!(!kept.is_empty());
    for (name, scenario) in kept {
        assert!(
            scenario.replay.is_some(),
            "{name} has no [replay]: `simctl shrink --save` makes one"
        );
    }
}
