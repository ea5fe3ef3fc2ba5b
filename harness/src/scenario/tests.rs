use std::path::Path;

use expect_test::{Expect, expect};

use super::Scenario;

mod operations;
mod text;

/// A scenario without a mistake, to be changed in one place.
const GOOD: &str = r#"about = "a claim"
app = "counter"

[fleet]
nodes = 5
runs = "1.4.0"

[network]
latency = { uniform = { min = "1ms", max = "10ms" } }
loss = { independent = "2%" }

[workload]
rate = "20/s"
mix = { increment = 6, read = 1 }

[[release]]
version = "2.0.0"
at = "2s"
node = "n0"

[[fault]]
partition = { groups = [["n0", "n1"], ["n2", "n3"]], from = "3s", until = "6s" }
"#;

fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain + rest
}

/// The diagnostics of [`GOOD`] with `old` replaced by `new`.
fn check(old: &str, new: &str, expected: Expect) {
    assert_eq!(GOOD.matches(old).count(), 1, "`{old}` names one place");
    let rejected = Scenario::parse(Path::new("s.toml"), GOOD.replace(old, new));
    expected.assert_eq(&plain(&rejected.unwrap_err().rendered()));
}

#[test]
fn a_good_scenario_is_accepted() {
    let scenario = Scenario::parse(Path::new("s.toml"), GOOD.to_owned()).unwrap();
    assert_eq!(scenario.releases.len(), 1);
    assert_eq!(scenario.faults[0].name(), "partition");
}

#[test]
fn an_accepted_scenario_reads_back_from_its_own_text() {
    let scenario = Scenario::parse(Path::new("s.toml"), GOOD.to_owned()).unwrap();
    let text = toml::to_string(&scenario).unwrap();
    assert_eq!(Scenario::parse(Path::new("s.toml"), text), Ok(scenario));
}

#[test]
fn an_unknown_key_is_pointed_at() {
    check(
        "loss =",
        "los =",
        expect![[r#"
        error[S0001]: unknown key `los`
          --> s.toml:10:1
           |
        10 | los = { independent = "2%" }
           | ^^^ expected one of `bandwidth`, `corrupt`, `duplicate`, `latency`, `link`, `loss` or `reorder`
           |
           = note: at `network.los`
           = help: did you mean `loss`?
    "#]],
    );
}

#[test]
fn of_thousands_of_mistakes_the_first_are_shown_and_the_others_counted() {
    let unknown: String = (0..5_000).map(|number| format!("zz{number} = 1\n")).collect();
    let rejected = Scenario::parse(Path::new("s.toml"), format!("{GOOD}[phases]\n{unknown}"));
    let rejected = rejected.unwrap_err();
    assert_eq!(rejected.diagnostics.len(), 5_000);
    let said = plain(&rejected.rendered());
    assert_eq!(said.matches("error[S0001]").count(), 20);
    assert!(said.contains("zz19"), "{said}");
    assert!(said.ends_with("\n\nand 4,980 more mistakes in s.toml\n"), "{said}");
}

#[test]
fn of_mistakes_of_syntax_the_first_of_each_line_is_told() {
    let text = format!("{GOOD}a = = 1\n\nb = = = 2\nc = 1\nd = \"");
    let rejected = Scenario::parse(Path::new("s.toml"), text).unwrap_err().to_string();
    let lines = rejected.lines().map(|line| line.split(':').nth(1).unwrap());
    assert_eq!(lines.collect::<Vec<_>>(), ["23", "25", "27"], "{rejected}");
}

#[test]
fn a_wrong_unit_is_pointed_at() {
    check(
        r#""10ms""#,
        r#""10 msec""#,
        expect![[r#"
        error[S0004]: `10 msec` does not belong here
         --> s.toml:9:44
          |
        9 | latency = { uniform = { min = "1ms", max = "10 msec" } }
          |                                            ^^^^^^^^^ the unit is one of `min`, `s`, `ms`, `us`, `ns`, right after the number
          |
          = note: at `network.latency.uniform.max`
          = help: expected a time such as `150ms`, `2s` or `5min`
    "#]],
    );
}

#[test]
fn a_number_without_a_unit_is_pointed_at() {
    check(
        r#"at = "2s""#,
        "at = 2",
        expect![[r#"
        error[S0003]: a bare number does not belong here
          --> s.toml:18:6
           |
        18 | at = 2
           |      ^ expected a time such as `150ms`, `2s` or `5min`
           |
           = note: at `release[0].at`
           = help: quantities are text with a unit, in quotes
    "#]],
    );
}

#[test]
fn a_negative_rate_is_pointed_at() {
    check(
        r#""20/s""#,
        r#""-20/s""#,
        expect![[r#"
        error[S0004]: `-20/s` does not belong here
          --> s.toml:13:8
           |
        13 | rate = "-20/s"
           |        ^^^^^^^ a rate is never negative
           |
           = note: at `workload.rate`
           = help: expected a rate such as `20/s`, `5/ms` or `3/min`
    "#]],
    );
}

#[test]
fn a_probability_over_one_is_pointed_at() {
    check(
        r#""2%""#,
        r#""102%""#,
        expect![[r#"
        error[S0004]: `102%` does not belong here
          --> s.toml:10:24
           |
        10 | loss = { independent = "102%" }
           |                        ^^^^^^ a share is at most `100%`
           |
           = note: at `network.loss.independent`
           = help: expected a share from `0%` to `100%`, such as `2%`, `0.1%` or `50 ppm`
    "#]],
    );
}

#[test]
fn overlapping_partition_groups_are_pointed_at() {
    check(
        r#"["n2", "n3"]"#,
        r#"["n1", "n3"]"#,
        expect![[r#"
        error[S0012]: `n1` is in two groups
          --> s.toml:22:40
           |
        22 | partition = { groups = [["n0", "n1"], ["n1", "n3"]], from = "3s", until = "6s" }
           |                                        ^^^^ expected groups that share no node
           |
           = note: at `fault[0].partition.groups[1][0]`
    "#]],
    );
}

#[test]
fn a_node_that_does_not_exist_is_pointed_at() {
    check(
        r#"node = "n0""#,
        r#"node = "n5""#,
        expect![[r#"
        error[S0010]: there is no node `n5`
          --> s.toml:19:8
           |
        19 | node = "n5"
           |        ^^^^ expected one of `n0` to `n4`
           |
           = note: at `release[0].node`
    "#]],
    );
}

#[test]
fn a_release_that_no_app_has_is_pointed_at() {
    check(
        "2.0.0",
        "2.0.1",
        expect![[r#"
            error[S0015]: app `counter` has no release 2.0.1
              --> s.toml:17:11
               |
            17 | version = "2.0.1"
               |           ^^^^^^^ expected one of `1.5.0`, `2.0.0`, `2.1.0` or `3.0.0`, newer than 1.4.0
               |
               = note: at `release[0].version`
               = help: did you mean `2.0.0`?
        "#]],
    );
}

#[test]
fn a_missing_upgrade_edge_is_pointed_at() {
    check(
        "version = \"2.0.0\"",
        "version = \"2.0.0\"\nvariant = \"no-edge\"",
        expect![[r#"
        error[S0016]: no edge takes the state of 1.4.0 to 2.0.0
          --> s.toml:17:11
           |
        17 | version = "2.0.0"
           |           ^^^^^^^ expected a release that 1.4.0 can upgrade to
           |
           = note: at `release[0].version`
           = help: where that is the point, say so: `[expect] quarantined = ["2.0.0"]`
    "#]],
    );
}

#[test]
fn a_missing_upgrade_edge_is_accepted_where_the_scenario_expects_it() {
    let text = GOOD.replace("version = \"2.0.0\"", "version = \"2.0.0\"\nvariant = \"no-edge\"")
        + "[expect]\nquarantined = [\"2.0.0\"]\n";
    assert!(Scenario::parse(Path::new("s.toml"), text).is_ok());
}

#[test]
fn an_empty_fleet_is_pointed_at() {
    check(
        "nodes = 5",
        "nodes = 0",
        expect![[r#"
        error[S0004]: 0 is out of range
         --> s.toml:5:9
          |
        5 | nodes = 0
          |         ^ expected a number from 1 to 16384
          |
          = note: at `fleet.nodes`
    "#]],
    );
}

#[test]
fn a_duplicate_node_is_pointed_at() {
    check(
        r#"["n2", "n3"]"#,
        r#"["n2", "n2"]"#,
        expect![[r#"
        error[S0011]: `n2` is named twice
          --> s.toml:22:46
           |
        22 | partition = { groups = [["n0", "n1"], ["n2", "n2"]], from = "3s", until = "6s" }
           |                                              ^^^^ expected each node once
           |
           = note: at `fault[0].partition.groups[1][1]`
    "#]],
    );
}

#[test]
fn a_node_that_joins_twice_is_pointed_at() {
    let joins =
        "runs = \"1.4.0\"\njoin = [{ node = \"n5\", at = \"1s\" }, { node = \"n5\", at = \"2s\" }]";
    check(
        "runs = \"1.4.0\"",
        joins,
        expect![[r#"
        error[S0011]: `n5` is there already
         --> s.toml:7:46
          |
        7 | join = [{ node = "n5", at = "1s" }, { node = "n5", at = "2s" }]
          |                                              ^^^^ expected `n6`, the next that is not there
          |
          = note: at `fleet.join[1].node`
    "#]],
    );
}

#[test]
fn an_end_before_its_beginning_is_pointed_at() {
    check(
        r#"until = "6s""#,
        r#"until = "2s""#,
        expect![[r#"
        error[S0013]: it ends at 2s but begins at 3s
          --> s.toml:22:75
           |
        22 | partition = { groups = [["n0", "n1"], ["n2", "n3"]], from = "3s", until = "2s" }
           |                                                                           ^^^^ expected a time after 3s
           |
           = note: at `fault[0].partition.until`
    "#]],
    );
}

#[test]
fn a_release_after_the_safety_phase_is_pointed_at() {
    check(
        r#"at = "2s""#,
        r#"at = "20s""#,
        expect![[r#"
        error[S0013]: 20s is after the safety phase
          --> s.toml:18:6
           |
        18 | at = "20s"
           |      ^^^^^ expected a time before 20s, where it ends
           |
           = note: at `release[0].at`
    "#]],
    );
}

#[test]
fn an_unknown_operation_is_pointed_at() {
    check(
        "increment = 6",
        "incremental = 6",
        expect![[r#"
        error[S0014]: unknown operation `incremental`
          --> s.toml:14:9
           |
        14 | mix = { incremental = 6, read = 1 }
           |         ^^^^^^^^^^^ expected one of `increment`, `add`, `read` or `add-many`
           |
           = note: at `workload.mix.incremental`
           = help: did you mean `increment`?
    "#]],
    );
}

#[test]
fn an_unknown_app_is_pointed_at() {
    check(
        r#"app = "counter""#,
        r#"app = "countr""#,
        expect![[r#"
            error[S0014]: unknown app `countr`
             --> s.toml:2:7
              |
            2 | app = "countr"
              |       ^^^^^^^^ expected one of `basket`, `canvas`, `counter`, `gauge`, `notes`, `register`, `sessions`, `tally` or `text`
              |
              = note: at `app`
              = help: did you mean `counter`?
        "#]],
    );
}

#[test]
fn unknown_invariants_goals_and_bugs_are_all_pointed_at() {
    let text = GOOD.to_owned()
        + "[expect]\noutcome = { violates = [\"S99\"] }\nsometimes = [\"heldd\"]\n"
        + "[protocol]\nplant = [\"volatile-hlod\"]\n";
    let rejected = Scenario::parse(Path::new("s.toml"), text).unwrap_err();
    expect![[r#"
        s.toml:24:25: S0014: unknown invariant `S99`
        s.toml:25:14: S0014: unknown goal `heldd`
        s.toml:27:10: S0014: unknown bug `volatile-hlod`"#]]
    .assert_eq(&rejected.to_string());
    let meant = rejected.diagnostics.iter().filter_map(|one| one.help.as_deref());
    let expected = ["S9", "held", "volatile-hold"].map(|name| format!("did you mean `{name}`?"));
    assert!(meant.eq(expected.iter()));
}

#[test]
fn a_fleet_is_no_larger_than_what_a_node_can_know() {
    let most = replica::NODES_MAX;
    let parse = |nodes: u32, more: &str| {
        let text = GOOD.replace("nodes = 5", &format!("nodes = {nodes}"));
        let text = text.replace("rate = \"20/s\"", "rate = \"1/s\"") + more;
        Scenario::parse(Path::new("s.toml"), text).map_err(|rejected| rejected.to_string())
    };
    let join = format!("[[fleet.join]]\nnode = \"n{most}\"\nat = \"2s\"\n");
    assert_eq!(parse(most, "").err(), None);
    expect!["s.toml:5:9: S0004: 16385 is out of range"]
        .assert_eq(&parse(most + 1, "").unwrap_err());
    expect!["s.toml:5:9: S0004: 16385 nodes are more than a node can know"]
        .assert_eq(&parse(most, &join).unwrap_err());
}

#[test]
fn goals_that_must_never_be_reached_are_known_ones_and_no_others() {
    let text = GOOD.to_owned()
        + "[expect]\nsometimes = [\"held\"]\nnever = [\"hedl\", \"held\", \"nacked\"]\n";
    let rejected = Scenario::parse(Path::new("s.toml"), text).unwrap_err();
    let rendered: Vec<_> = rejected.diagnostics.iter().map(|one| one.label.as_str()).collect();
    assert!(rendered[0].starts_with("expected one of `held`, `converted`"), "{rendered:?}");
    assert_eq!(rendered[1], "expected it in `sometimes` or in `never`");
    expect![[r#"
        s.toml:25:10: S0014: unknown goal `hedl`
        s.toml:25:18: S0017: `held` must be reached and must never be"#]]
    .assert_eq(&rejected.to_string());
}

#[test]
fn an_unknown_choice_is_pointed_at() {
    check(
        "uniform =",
        "unifrom =",
        expect![[r#"
        error[S0005]: unknown choice `unifrom`
         --> s.toml:9:13
          |
        9 | latency = { unifrom = { min = "1ms", max = "10ms" } }
          |             ^^^^^^^ expected one of `constant`, `uniform`, `exponential`, `log-normal`, `pareto`, `bimodal` or `table`
          |
          = note: at `network.latency`
          = help: did you mean `uniform`?
    "#]],
    );
}

#[test]
fn a_missing_key_is_pointed_at() {
    check(
        "node = \"n0\"\n",
        "",
        expect![[r#"
            error[S0002]: `node` is missing
              --> s.toml:16:1
               |
            16 | [[release]]
               | ^^^^^^^^^^^ expected `node` in here
               |
               = note: at `release[0]`
               = help: `node`: The node it is published at: one that is in the fleet then.
        "#]],
    );
}

#[test]
fn contradicting_keys_are_pointed_at() {
    check(
        "rate = \"20/s\"",
        "rate = \"20/s\"\nthink = \"5ms\"",
        expect![[r#"
        error[S0017]: `rate` and `think` exclude each other
          --> s.toml:14:9
           |
        14 | think = "5ms"
           |         ^^^^^ expected one of the two
           |
           = note: at `workload.think`
    "#]],
    );
}

#[test]
fn a_release_that_is_not_newer_than_what_runs_is_refused_unless_its_epoch_is() {
    let titles = |new: &str| match Scenario::parse(
        Path::new("s.toml"),
        GOOD.replace("version = \"2.0.0\"", new),
    ) {
        Ok(_) => String::new(),
        Err(rejected) => rejected.to_string(),
    };
    assert_eq!(
        titles("version = \"1.4.0\""),
        "s.toml:17:11: S0017: 1.4.0 is not newer than 1.4.0, which the fleet runs"
    );
    assert!(titles("version = \"1.0.0\"").contains("1.0.0 is not newer than 1.4.0"));
    for fine in
        ["version = \"1.4.0\"\nepoch = 1", "version = \"1.0.0\"\nforged = \"replayed-older\""]
    {
        assert_eq!(titles(fine), "");
    }
    // Of two codes of one version the higher hash wins, which is as good as drawn.
    let lengths =
        (5..37).map(|length| titles(&format!("version = \"1.4.0\"\ncode = \"{length} KiB\"")));
    let (wins, loses): (Vec<_>, Vec<_>) = lengths.partition(String::is_empty);
    assert!(!wins.is_empty() && !loses.is_empty());
    let why = "this code of 1.4.0 loses to that of 1.4.0, which the fleet runs";
    assert!(loses.iter().all(|said| said.ends_with(why)), "{loses:?}");
}

#[test]
fn a_release_that_is_published_twice_is_refused() {
    let again = "[[release]]\nversion = \"2.0.0\"\nat = \"4s\"\nnode = \"n1\"\n";
    let parse = |text: String| Scenario::parse(Path::new("s.toml"), text);
    let twice = parse(GOOD.to_owned() + again).unwrap_err().to_string();
    assert!(twice.ends_with("S0017: 2.0.0 is published twice"), "{twice}");
    let other = parse(GOOD.to_owned() + again + "variant = \"other\"\n");
    assert!(other.is_ok(), "{}", other.unwrap_err());
}

#[test]
fn a_scenario_with_neither_a_first_version_nor_a_release_has_nothing_to_run() {
    let text = "about = \"a\"\napp = \"counter\"\n[fleet]\nnodes = 3\n".to_owned();
    let rejected = Scenario::parse(Path::new("s.toml"), text).unwrap_err();
    assert_eq!(rejected.to_string(), "s.toml:3:1: S0002: there is nothing to run");
}

#[test]
fn more_than_a_run_can_carry_out_is_refused_with_the_limit() {
    let parse = |old: &str, new: &str| {
        Scenario::parse(Path::new("s.toml"), GOOD.replace(old, new)).map(drop)
    };
    assert_eq!(parse("nodes = 5", "nodes = 10000"), Ok(()));
    let shown = |old: &str, new: &str| plain(&parse(old, new).unwrap_err().rendered());
    assert!(shown("nodes = 5", "nodes = 16385").contains("from 1 to 16384"));
    let many = shown("20/s", "50001/s");
    assert!(many.contains("5 clients at 50001/s for 20s ask for 5000100 operations"), "{many}");
    assert!(many.contains("at most 5000000"), "{many}");
}
