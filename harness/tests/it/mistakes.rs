//! What does not fit in a scenario, or comes to nothing in its run: told where it stands, and why.

use std::fs;

use crate::support::{HOLDS, VIOLATES, exits, folder, refused};

#[test]
fn a_value_that_does_not_fit_is_told_where_and_with_what_was_expected() {
    let folder = folder(&[("gate.toml", VIOLATES)]);
    let mut text = VIOLATES.to_owned();
    text += "\n[[fault]]\ncrash = { node = \"n2\", at = \"1s\", down = \"1s\" }\n";
    fs::write(folder.path().join("crash.toml"), text).unwrap();
    let said = |file: &str, set: &str| exits(folder.path(), &["run", file, "--set", set], 2).err;
    // What the file says there no longer fits what was set elsewhere.
    let crash = said("crash.toml", "fleet.nodes=2");
    for text in [
        "with nodes=2: there is no node `n2`",
        "--> crash.toml:25:18",
        "^^^^ expected one of `n0` to `n1`",
        "at `fault[0].crash.node`",
    ] {
        assert!(crash.contains(text), "{text} in\n{crash}");
    }
    let alone = said("crash.toml", "fleet.nodes=1");
    assert!(alone.contains("expected `n0`, the only node there is"), "{alone}");
    // The file does not say what was set.
    for (set, texts) in [
        (
            "release.0.node=n3",
            [
                "with node=n3: there is no node `n3`",
                "at `release[0].node`",
                "help: expected one of `n0` to `n2`",
            ],
        ),
        (
            "release.0.version=9.0.0",
            [
                "app `sessions` has no release 9.0.0",
                "at `release[0].version`",
                "newer than 1.0.0; did you mean `2.0.0`?",
            ],
        ),
        (
            "network.loss.independent=200%",
            ["`200%`", "at `network.loss.independent`", "expected a share from `0%`"],
        ),
    ] {
        let said = said("gate.toml", set);
        for text in texts {
            assert!(said.contains(text), "{text} in\n{said}");
        }
    }
}

#[test]
fn what_would_be_passed_over_is_refused() {
    let folder = folder(&[("a.toml", HOLDS), ("b.toml", HOLDS)]);
    let here = folder.path();
    exits(here, &["sweep", "a.toml", "--seeds", "0..2", "--out", "swept"], 0);
    for (line, why) in [
        ("run a.toml --trace-format jsonl", "--trace <FILE>"),
        ("run a.toml b.toml --seeds 0..18446744073709551615", "more runs than can be counted"),
        ("report swept --print-template", "cannot be used with"),
        ("report --print-template --out x", "cannot be used with"),
        ("plot --list swept", "cannot be used with"),
        ("plot overview swept --scenario a", "expected no --scenario"),
        ("compare swept swept --format json --out -", "expected one of them"),
        ("compare swept swept --out swept/plan.json", "would replace what it is made from"),
    ] {
        refused(here, &line.split(' ').collect::<Vec<_>>(), why);
    }
    let compared = exits(here, &["compare", "swept", "swept", "--out", "swept/plan.json"], 2);
    assert_eq!(compared.out, "", "what is refused says nothing first");
    let last = u64::MAX.to_string();
    let ran = exits(here, &["run", "a.toml", "b.toml", "--seed", &last], 0);
    assert!(ran.out.contains("2 runs: all as expected"), "{}", ran.out);
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_file_of_a_sweep_is_refused_at_once() {
    let folder = folder(&[("a.toml", HOLDS)]);
    let here = folder.path();
    exits(here, &["sweep", "a.toml", "--seeds", "0..2", "--out", "swept"], 0);
    let pipe = |name: &str| {
        let _ = fs::remove_file(here.join(name));
        let made = std::process::Command::new("mkfifo").arg(here.join(name)).status().unwrap();
        assert!(made.success());
    };
    let why = "expected a file, found a pipe or a device";
    pipe("template.html");
    refused(here, &["report", "swept", "--template", "template.html"], why);
    pipe("plan.json");
    refused(here, &["sweep", "--plan", "plan.json", "--out", "x"], why);
    pipe("a.seeds");
    refused(here, &["sweep", "a.toml", "--seeds", "0..2"], why);
    pipe("swept/failures.jsonl");
    refused(here, &["report", "swept"], why);
    pipe("swept/sweep.parquet");
    refused(here, &["compare", "swept", "swept"], why);
}

#[test]
fn a_release_that_never_found_its_node_up_is_told_with_its_time() {
    let text = HOLDS
        .replace("nodes = 3", "nodes = 4\nleave = [{ node = \"n3\", at = \"900ms\" }]")
        .replace("node = \"n0\"", "node = \"n3\"");
    let crash = "\n[[fault]]\ncrash = { node = \"n3\", at = \"50ms\", down = \"10s\" }\n";
    let folder = folder(&[("down.toml", &format!("{text}{crash}"))]);
    let ran = exits(folder.path(), &["run", "down.toml"], 1);
    let why = "was never published: n3, which was to publish it at 0.500000s, was down then, and never came back";
    assert!(ran.out.contains(why), "{}", ran.out);
    let gone = text.replace("at = \"500ms\"", "at = \"900ms\"");
    fs::write(folder.path().join("gone.toml"), gone).unwrap();
    let said = exits(folder.path(), &["run", "gone.toml"], 2).err;
    assert!(
        said.contains("^^^^ expected a node that is there: this one leaves at 900ms"),
        "{said}"
    );
}
