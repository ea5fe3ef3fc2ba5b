use results::{Outcome, Run, store};

use super::*;
use crate::{digest::MEASURES, testing};

fn digest(seeds: u64, first: u64, change: impl Fn(Run) -> Run) -> Digest {
    let folder = tempfile::tempdir().unwrap();
    testing::write_slower(folder.path(), seeds, first, change);
    Digest::read(store::read(folder.path()).unwrap(), MEASURES[0]).unwrap()
}

fn compared(before: &Digest, after: &Digest) -> Comparison {
    compare(("a", before), ("b", after), 0.01).unwrap()
}

fn slower(scenario: &'static str, percent: u64) -> impl Fn(Run) -> Run {
    move |mut run| {
        if run.scenario == scenario {
            run.convergence_max_nanos += run.convergence_max_nanos * percent / 100;
        }
        run
    }
}

#[test]
fn a_sweep_is_no_worse_than_itself() {
    let sweep = digest(200, 0, |run| run);
    let comparison = compared(&sweep, &sweep);
    assert!(!comparison.worse);
    assert!(comparison.sentence.contains("every run of 2\u{a0}scenarios took the same time"));
    assert!(comparison.scenarios.iter().all(|one| one.paired && !one.rewritten));
}

#[test]
fn pairs_show_what_samples_do_not() {
    let before = digest(150, 0, |run| run);
    let paired = compared(&before, &digest(150, 0, slower("patch-bump", 3)));
    let latency = paired.scenarios[1].latency.as_ref().unwrap();
    assert_eq!(latency.change, Change::Worse);
    assert_eq!(latency.tested.test, "Wilcoxon's signed-rank test on pairs");
    assert!((latency.typical_ratio - 1.03).abs() < 1e-6);
    assert_eq!(paired.scenarios[0].latency.as_ref().unwrap().change, Change::None);
    assert!(
        paired.worse && paired.sentence == "Worse: 1 of 2\u{a0}scenarios is slower.",
        "{}",
        paired.sentence
    );

    let samples = compared(&before, &digest(150, 5_000, slower("patch-bump", 3)));
    assert!(!samples.scenarios[1].paired);
    assert_eq!(samples.scenarios[1].latency.as_ref().unwrap().change, Change::None);
}

#[test]
fn other_seeds_are_compared_as_samples_within_cells() {
    let before = digest(400, 0, |run| run);
    let same = compared(&before, &digest(400, 10_000, |run| run));
    assert!(!same.worse, "{}", same.sentence);
    let comparison = compared(&before, &digest(400, 10_000, slower("major-bump", 40)));
    let latency = comparison.scenarios[0].latency.as_ref().unwrap();
    assert_eq!(latency.tested.test, "Mann-Whitney test within cells (van Elteren)");
    assert_eq!(comparison.scenarios[0].failures.tested.test, "Fisher's exact test");
    assert!(latency.change == Change::Worse && latency.p99_ratio.ratio > 1.0);
    assert!(latency.tested.value > 0.5);
}

#[test]
fn more_failures_are_worse_and_faster_runs_are_not() {
    let before = digest(300, 0, |run| run);
    let failing = digest(300, 0, |mut run| {
        if run.scenario == "patch-bump" && run.seed % 20 == 3 {
            (run.outcome, run.as_expected) = (Outcome::Violates, false);
        }
        run
    });
    let comparison = compared(&before, &failing);
    let rates = &comparison.scenarios[1].failures;
    assert_eq!((rates.failed, rates.change), ((0, 15), Change::Worse));
    assert_eq!(rates.tested.value, 15.0);
    assert!(comparison.scenarios[1].sentence.contains("fails more often: 0\u{a0}% → 5\u{a0}%"));
    let back = compared(&failing, &before);
    assert_eq!(back.scenarios[1].failures.change, Change::Better);
    assert!(!back.worse);
}

#[test]
fn what_is_within_the_tolerance_is_no_change() {
    let (before, after) = (digest(300, 0, |run| run), digest(300, 0, slower("major-bump", 3)));
    let wide = compare(("a", &before), ("b", &after), 0.1).unwrap();
    assert!(!wide.worse, "{}", wide.sentence);
    assert!(compared(&before, &after).worse);
}

#[test]
fn sweeps_without_a_common_scenario_are_refused() {
    let before = digest(3, 0, |run| run);
    let mut after = before.clone();
    for scenario in &mut after.scenarios {
        scenario.name += "-2";
    }
    let error = compare(("a", &before), ("b", &after), 0.01).unwrap_err().to_string();
    assert!(error.starts_with("a and b have no scenario in common"), "{error}");
}

#[test]
fn the_page_of_a_comparison_shows_both_and_names_the_tests() {
    let (before, after) = (digest(200, 0, |run| run), digest(200, 0, slower("major-bump", 30)));
    let comparison = compared(&before, &after);
    let page = compare_page(&comparison, &before, &after);
    for text in
        ["data-verdict=\"worse\"", "Wilcoxon", "McNemar", "bootstrap", ">before<", ">after<"]
    {
        assert!(page.contains(text), "{text}");
    }
    for foreign in ["http://", "https://", " src=", "NaN"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    if let Ok(path) = std::env::var("SAMPLE_COMPARE") {
        std::fs::write(path, page).unwrap();
    }
}
