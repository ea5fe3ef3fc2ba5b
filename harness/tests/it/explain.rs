//! `simctl explain`: what a word means, whatever it is a word of.

use std::path::Path;

use expect_test::expect;

use crate::support::{HOLDS, exits, folder, refused};

#[test]
fn a_scenario_is_explained_by_its_name() {
    let folder = folder(&[("patch.toml", HOLDS), ("pause.toml", "no TOML")]);
    let expected = "patch (scenario)\n  three nodes take a patch\n  simctl run patch.toml\n";
    assert_eq!(exits(folder.path(), &["explain", "patch"], 0).out, expected);
    refused(folder.path(), &["explain", ""], "expected a word, or one of the lists apps, ");
    let ran = exits(folder.path(), &["explain", "ptach"], 2);
    assert!(ran.err.ends_with("did you mean `patch`?\n"), "{}", ran.err);
    // What is wrong with it does not hide what else the word means.
    assert!(exits(folder.path(), &["explain", "pause"], 0).out.contains("fault.pause"));
}

#[test]
fn explain_says_what_a_key_means() {
    let here = Path::new(".");
    expect![[r#"
        fault.crash-in (scenario key)
          A node crashes in a stated phase of switching to a release.
          a table; may be absent

          disk   What happens to its disk. Absent: `lost`.
          down   How long it stays down, at most until everything heals at the end of the safety phase. Must be there.
          node   Which node. Absent: whichever gets there first.
          phase  In which phase. Must be there.
          times  How many times it happens. Absent: once.
    "#]]
    .assert_eq(&exits(here, &["explain", "fault.crash-in"], 0).out);
    refused(here, &["explain", "rolout"], "nothing is called `rolout`; did you mean `rollout`?");
}

#[test]
fn words_that_results_use_are_explained_in_a_paragraph_that_leads_on() {
    let here = Path::new(".");
    for word in ["tidy", "rub-out", "rename", "refused", "canary"] {
        let said = exits(here, &["explain", word], 0).out;
        assert!(said.lines().count() > 4 && said.contains("More: docs/"), "{said}");
    }
    for word in ["stops", "diverges", "exceeds"] {
        let said = exits(here, &["explain", word], 0).out;
        assert!(said.contains("More: docs/sequences-evaluation.md"), "{said}");
    }
    let event = exits(here, &["explain", "carried-out"], 0).out;
    assert!(event.starts_with("carried-out (event of traces)\n  An operation was"), "{event}");
    let events = exits(here, &["explain", "events"], 0).out;
    assert!(events.starts_with("acknowledged ") && events.contains("\nmessage-sent "), "{events}");
    let apps = exits(here, &["explain", "apps"], 0).out;
    let at = |line: &str| line.find(" a counter").or_else(|| line.find(" as 1.")).unwrap_or(0);
    let columns: Vec<usize> = apps.lines().take(4).map(at).collect();
    assert!(columns[0] > 0 && columns.iter().all(|at| *at == columns[0]), "{apps}");
    assert!(apps.contains("2.1.0:collects-delivered  older epochs"), "{apps}");
    let code = exits(here, &["explain", "1"], 0).out;
    assert!(code.contains("`shrink`, time ran out"), "{code}");
    assert!(code.contains("a bot cannot go on (`stops`)"), "{code}");
}

#[test]
fn a_run_is_asked_for_by_the_name_of_its_scenario() {
    let folder = folder(&[("scenarios/patch.toml", HOLDS)]);
    let by_file = exits(folder.path(), &["explain", "scenarios/patch.toml", "--seed", "3"], 0).out;
    assert!(by_file.contains("scenarios/patch.toml, seed 3\n"), "{by_file}");
    let by_name = |more: &[&str]| exits(folder.path(), &[&["explain", "patch"], more].concat(), 0);
    assert_eq!(by_name(&["--seed", "3"]).out, by_file);
    assert!(by_name(&["--set", "fleet.nodes=4"]).out.contains("patch.toml, seed 1\n"));
    refused(folder.path(), &["explain", "S6", "--seed", "3"], "error: S6 is no scenario: --seed");
    refused(folder.path(), &["explain", "none.toml", "--seed", "3"], "S0008");
}

#[test]
fn a_row_is_explained_by_its_name_and_by_its_file() {
    let row = include_str!("../../../experiment/tests/small.toml");
    let folder = folder(&[("scenarios/evaluation/small.toml", row), ("mine.toml", row)]);
    let told = |word: &str| exits(folder.path(), &["explain", word], 0).out;
    let by_name = told("small");
    assert!(by_name.starts_with("small (row of the evaluation)\n  "), "{by_name}");
    assert!(by_name.ends_with("\n  simctl evaluate small\n"), "{by_name}");
    let by_file = by_name.replace("evaluate small", "evaluate mine.toml");
    assert_eq!(told("mine.toml"), by_file.replacen("small", "mine", 1));
    refused(folder.path(), &["explain", "small", "--seed", "1"], "error: small is no scenario");
}
