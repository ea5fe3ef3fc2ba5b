//! One mistake is reported once, at its own place, and says what was expected.

use std::path::Path;

use super::Scenario;

/// A scenario without a mistake, to be changed in one place.
const GOOD: &str = r#"about = "a claim"
app = "register"

[fleet]
nodes = 4
runs = "1.0.0"

[[fleet.join]]
node = "n4"
at = "3s"

[[fleet.leave]]
node = "n2"
at = "6s"

[[fleet.retire]]
node = "n3"
at = "5s"
by = "n0"

[causal]
compare = "100ms"

[workload]
rate = "8/s"
mix = { add = 3, read = 1 }

[[workload.later]]
version = "2.0.0"
from = "3s"
mix = { add = 3, multiply = 2 }

[[release]]
version = "2.0.0"
at = "1s"
node = "n0"
variant = "acts-with-all"

[replay]
seed = "1"
choices = ["op c0 #1 asked, kind = add@2.0.0"]
"#;

/// What is said of [`GOOD`] with `old` replaced by `new`.
fn check(old: &str, new: &str, expected: &[&str]) {
    assert_eq!(GOOD.matches(old).count(), 1, "`{old}` names one place");
    let rejected = match Scenario::parse(Path::new("s.toml"), GOOD.replace(old, new)) {
        Ok(_) => panic!("{new} is accepted"),
        Err(rejected) => rejected,
    };
    let places = rejected.to_string();
    let said = places.lines().zip(&rejected.diagnostics).map(|(place, one)| {
        let help = one.help.as_ref().map_or_else(String::new, |help| format!("; {help}"));
        format!("{place}: {}{help}", one.label)
    });
    assert_eq!(said.collect::<Vec<_>>(), expected, "{new}");
}

#[test]
fn a_name_that_is_misspelt_is_the_one_mistake() {
    if let Err(rejected) = Scenario::parse(Path::new("s.toml"), GOOD.to_owned()) {
        panic!("{}", rejected.rendered());
    }
    let apps = "expected one of `basket`, `canvas`, `counter`, `gauge`, `notes`, `register`, `sessions`, \
                `tally` or `text`";
    check(
        "\"register\"",
        "\"registre\"",
        &[&format!("s.toml:2:7: S0014: unknown app `registre`: {apps}; did you mean `register`?")],
    );
    check(
        "variant = \"acts-with-all\"",
        "variant = \"acts-with-al\"",
        &[
            "s.toml:37:11: S0014: unknown variant `acts-with-al`: expected one of `acts-with-all` or \
           `collects-early`; did you mean `acts-with-all`?",
        ],
    );
    check(
        "runs = \"1.0.0\"",
        "runs = \"1.0.1\"",
        &[
            "s.toml:6:8: S0015: app `register` has no release 1.0.1: expected one of `1.0.0`, `2.0.0` or `3.0.0`; \
           did you mean `1.0.0`?",
        ],
    );
}

#[test]
fn a_mix_asks_for_operations_that_there_are_and_for_some() {
    check(
        "multiply = 2",
        "multipli = 2",
        &[
            "s.toml:31:18: S0014: unknown operation `multipli`: expected one of `add`, `multiply` or `read`; \
           did you mean `multiply`?",
        ],
    );
    let empty = |place: &str| {
        format!(
            "s.toml:{place}: S0017: no operation is asked for: expected at least one, such as `{{ read = 1 }}`; \
             leave `mix` out to ask for all equally"
        )
    };
    check("{ add = 3, multiply = 2 }", "{}", &[&empty("31:7")]);
    check("{ add = 3, read = 1 }", "{}", &[&empty("26:7")]);
}

#[test]
fn only_members_that_are_there_let_others_go_and_are_let_go() {
    check(
        "at = \"5s\"\nby = \"n0\"",
        "at = \"3s\"\nby = \"n4\"",
        &[
            "s.toml:19:6: S0013: `n4` is not there yet at 3s: expected a node that is there: this one joins at 3s",
        ],
    );
    check(
        "node = \"n3\"\nat = \"5s\"",
        "node = \"n4\"\nat = \"2s\"",
        &[
            "s.toml:17:8: S0013: `n4` is not there yet at 2s: expected a node that is there: this one joins at 3s",
        ],
    );
    check(
        "at = \"5s\"\nby = \"n0\"",
        "at = \"7s\"\nby = \"n2\"",
        &[
            "s.toml:19:6: S0013: `n2` is gone at 7s: expected a node that is there: this one leaves at 6s",
        ],
    );
}

/// Faults, and why each is a mistake: `n2` leaves at 6 s, `n4` joins at 3 s.
const AWAY: &[(&str, &str)] = &[
    ("crash = { node = \"n4\", at = \"3s\", down = \"1s\" }", "n4` is not there yet at 3s"),
    ("pause = { node = \"n4\", at = \"1s\", lasts = \"1s\" }", "n4` is not there yet at 1s"),
    ("crash = { node = \"n2\", at = \"6s\", down = \"1s\" }", "n2` is gone at 6s"),
    ("pause = { node = \"n2\", at = \"7s\", lasts = \"1s\" }", "n2` is gone at 7s"),
    ("clock-step = { node = \"n4\", at = \"2s\", by = \"1s\" }", "n4` is not there yet at 2s"),
    ("clock-drift = { node = \"n2\", at = \"6s\", drift = \"5 ppm\" }", "n2` is gone at 6s"),
    ("isolate = { node = \"n4\", from = \"1s\", until = \"3s\" }", "n4` is not there yet at 3s"),
    ("isolate = { node = \"n2\", from = \"6s\", until = \"7s\" }", "n2` is gone at 6s"),
    (
        "bridge = { left = [\"n0\"], right = [\"n1\"], node = \"n4\", from = \"1s\", until = \"2s\" }",
        "n4` is not there yet at 2s",
    ),
    (
        "cut = { sender = \"n0\", receiver = \"n2\", from = \"6s\", until = \"7s\" }",
        "n2` is gone at 6s",
    ),
    ("clog = { sender = \"n4\", from = \"1s\", until = \"2s\" }", "n4` is not there yet at 2s"),
    (
        "lossy = { receiver = \"n2\", loss = { independent = \"1%\" }, from = \"6s\", until = \"7s\" }",
        "n2` is gone at 6s",
    ),
    (
        "slow = { sender = \"n4\", latency = { constant = \"1s\" }, from = \"1s\", until = \"3s\" }",
        "n4` is not there yet at 3s",
    ),
    (
        "partition = { groups = [[\"n0\", \"n1\"], [\"n3\", \"n4\"]], from = \"1s\", until = \"2s\" }",
        "n4` is not there yet at 2s",
    ),
    (
        "bridge = { left = [\"n0\"], right = [\"n2\"], node = \"n1\", from = \"6s\", until = \"7s\" }",
        "n2` is gone at 6s",
    ),
    (
        "ring = { nodes = [\"n0\", \"n1\", \"n3\", \"n4\"], from = \"1s\", until = \"2s\" }",
        "n4` is not there yet at 2s",
    ),
    ("swizzle = { nodes = [\"n0\", \"n2\"], from = \"6s\", until = \"7s\" }", "n2` is gone at 6s"),
];

#[test]
fn what_happens_at_a_node_happens_while_it_is_there() {
    for (fault, expected) in AWAY {
        let text = format!("{GOOD}\n[[fault]]\n{fault}\n");
        let rejected = Scenario::parse(Path::new("s.toml"), text).expect_err(fault).to_string();
        assert!(rejected.ends_with(expected) && rejected.lines().count() == 1, "{rejected}");
    }
    for fault in [
        "isolate = { node = \"n4\", from = \"1s\", until = \"4s\" }",
        "clog = { sender = \"n2\", from = \"5s\", until = \"7s\" }",
        "partition = { groups = [[\"n0\"], [\"n2\", \"n4\"]], from = \"1s\", until = \"7s\" }",
        "ring = { from = \"1s\", until = \"2s\" }",
    ] {
        let text = format!("{GOOD}\n[[fault]]\n{fault}\n");
        assert!(
            Scenario::parse(Path::new("s.toml"), text).is_ok(),
            "it is there for a while: {fault}"
        );
    }
    let leaves = "node = \"n2\"\nat = \"6s\"";
    check(
        leaves,
        "node = \"n4\"\nat = \"2s\"",
        &[
            "s.toml:13:8: S0013: `n4` is not there yet at 2s: expected a node that is there: this one joins at 3s",
        ],
    );
}

#[test]
fn a_node_between_two_halves_that_is_not_there_is_one_mistake() {
    let bridge = "bridge = { left = [\"n0\"], right = [\"n1\"], node = \"n9\", from = \"1s\", until = \"2s\" }";
    let text = format!("{GOOD}\n[[fault]]\n{bridge}\n");
    let rejected = Scenario::parse(Path::new("s.toml"), text).unwrap_err();
    assert_eq!(rejected.to_string(), "s.toml:44:50: S0010: there is no node `n9`");
    assert_eq!(rejected.diagnostics[0].path, "fault[0].bridge.node");
}

#[test]
fn a_node_crashes_in_a_switch_only_while_there_is_one() {
    let crash = |node: &str, left: &str| {
        let crash =
            format!("crash-in = {{ phase = \"commit\", node = \"{node}\", down = \"1s\" }}");
        let text = GOOD.replace("at = \"6s\"", &format!("at = \"{left}\""));
        Scenario::parse(Path::new("s.toml"), format!("{text}\n[[fault]]\n{crash}\n"))
    };
    // The one release is published at one second.
    let gone = crash("n2", "1s").unwrap_err();
    assert_eq!(gone.to_string(), "s.toml:44:39: S0013: `n2` is gone at 1s");
    assert!(crash("n2", "2s").is_ok(), "it may have switched by then");
    assert!(crash("n4", "1s").is_ok(), "who joins takes what the others run");
    let late = GOOD.replace("at = \"1s\"", "at = \"5s\"").replace("at = \"6s\"", "at = \"4s\"");
    let crash = "\n[[fault]]\ncrash-in = { phase = \"commit\", node = \"n2\", down = \"1s\" }\n";
    let parse = |text: &str| Scenario::parse(Path::new("s.toml"), format!("{text}{crash}"));
    assert!(parse(&late).unwrap_err().to_string().ends_with("`n2` is gone at 5s"));
    let brings = late.replace("at = \"3s\"", "at = \"3s\"\nruns = \"2.0.0\"");
    let brought = parse(&brings);
    assert!(brought.is_ok(), "who joins may bring it: {}", brought.unwrap_err());
}

#[test]
fn a_release_is_published_at_a_node_that_is_there() {
    let published = "at = \"1s\"\nnode = \"n0\"";
    check(
        published,
        "at = \"1s\"\nnode = \"n4\"",
        &[
            "s.toml:36:8: S0013: `n4` is not there yet at 1s: expected a node that is there: this one joins at 3s",
        ],
    );
    check(
        published,
        "at = \"6s\"\nnode = \"n2\"",
        &[
            "s.toml:36:8: S0013: `n2` is gone at 6s: expected a node that is there: this one leaves at 6s",
        ],
    );
}

#[test]
fn a_bare_number_says_how_it_is_written() {
    check(
        "node = \"n3\"",
        "node = 3",
        &[
            "s.toml:17:8: S0003: a bare number does not belong here: expected a node such as `n4`; a node is named \
           in quotes: write `\"n3\"`",
        ],
    );
    check(
        "seed = \"1\"",
        "seed = 1",
        &[
            "s.toml:40:8: S0003: a bare number does not belong here: expected a seed in quotes, such as `4711`; \
           write it in quotes: `\"1\"`",
        ],
    );
    check(
        "runs = \"1.0.0\"",
        "runs = 1.0",
        &[
            "s.toml:6:8: S0003: a bare decimal does not belong here: expected a version such as `2.0.0`, or \
           a variant of one such as `3.0.0:strays`; a version is text with all of its three numbers, in quotes",
        ],
    );
}

#[test]
fn a_variant_of_another_version_is_named_with_it() {
    check(
        "variant = \"acts-with-all\"",
        "variant = \"forgets-history\"",
        &[
            "s.toml:37:11: S0014: unknown variant `forgets-history`: expected one of `acts-with-all` or \
           `collects-early`; `forgets-history` is a variant of register 3.0.0",
        ],
    );
}

#[test]
fn a_version_with_a_variant_in_it_says_where_the_variant_is_written() {
    let why = "`2.0.0:acts-with-all` does not belong here: a version has no variant in it: a release says `variant = \"acts-with-all\"` beside its version; \
               expected a version such as `2.0.0`";
    for (old, place) in
        [("version = \"2.0.0\"\nat", "s.toml:34:11"), ("version = \"2.0.0\"\nfrom", "s.toml:29:11")]
    {
        let new = old.replace("2.0.0", "2.0.0:acts-with-all");
        check(old, &new, &[&format!("{place}: S0004: {why}")]);
    }
}

#[test]
fn a_release_of_what_runs_with_a_lower_hash_is_refused_for_it_would_never_be_adopted() {
    let text = |runs: &str, rest: &str| {
        format!(
            "about = \"a\"\napp = \"counter\"\n[fleet]\nnodes = 2\nruns = \"{runs}\"\n\
             [[release]]\nversion = \"2.0.0\"\nat = \"1s\"\nnode = \"n0\"\n{rest}\n"
        )
    };
    let parse = |runs, rest| Scenario::parse(Path::new("s.toml"), text(runs, rest));
    let said = parse("2.0.0:other", "").unwrap_err();
    assert_eq!(
        said.to_string(),
        "s.toml:7:11: S0017: this code of 2.0.0 loses to that of 2.0.0:other, which the fleet runs"
    );
    assert!(said.diagnostics[0].help.as_deref().unwrap().contains("the higher hash wins"));
    let wins = parse("2.0.0", "variant = \"other\"");
    assert!(wins.is_ok(), "of the two one wins: {}", wins.unwrap_err());
    assert!(parse("2.0.0:other", "epoch = 1").is_ok(), "a higher epoch wins by itself");
}
