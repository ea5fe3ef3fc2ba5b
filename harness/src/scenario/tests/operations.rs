//! Mistakes in what a scenario says of operations that are broadcast, of members, of later builds of its
//! clients, and of what must come of a run.

use super::*;

/// A scenario of broadcast operations without a mistake, to be changed in one place.
const BROADCASTS: &str = r#"about = "a claim"
app = "register"

[fleet]
nodes = 4
runs = "1.0.0"

[[fleet.retire]]
node = "n3"
at = "5s"
by = "n0"

[causal]
compare = "100ms"
heartbeat = "200ms"
patience = "1s"
parked = 1000
parked-bytes = "1 MiB"
held = 100
unstable = 500
answer = "64 KiB"

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

[expect]
sometimes = ["retired", "stable-advanced"]
never = ["operation-rejected"]
convergence = { p50 = "2s", p90 = "3s", p99 = "4s", max = "5s" }
convergence_p50 = "<= 2s"
convergence_p90 = "<= 3s"
convergence_p99 = "<= 4s"
convergence_max = "<= 5s"
serving = "50%"
pause = "20ms"
"#;

/// What is said of [`BROADCASTS`] with `old` replaced by `new`: where, which mistake, what is expected and
/// under which key.
fn said(old: &str, new: &str) -> String {
    assert_eq!(BROADCASTS.matches(old).count(), 1, "`{old}` names one place");
    let Err(rejected) = Scenario::parse(Path::new("s.toml"), BROADCASTS.replace(old, new)) else {
        return format!("{new}\n  is accepted\n");
    };
    let places = rejected.to_string();
    let each = places.lines().zip(&rejected.diagnostics).map(|(place, one)| {
        // How many others there are is another list's.
        let label = one.label.rsplit_once(" or ").filter(|(_, last)| last.ends_with(" others"));
        let label = label.map_or(&*one.label, |(first, _)| first);
        format!("  {place}\n    at `{}`: {label}\n", one.path)
    });
    format!("{new}\n{}", each.collect::<String>())
}

/// Each of `edits` is a mistake, and says so as expected.
fn check_all(edits: &[(&str, &str)], expected: Expect) {
    let all: String = edits.iter().map(|(old, new)| said(old, new)).collect();
    assert!(!all.contains("is accepted"), "{all}");
    expected.assert_eq(&all);
}

#[test]
fn a_good_scenario_of_broadcasts_is_accepted_and_reads_back() {
    let scenario = Scenario::parse(Path::new("s.toml"), BROADCASTS.to_owned());
    let scenario = scenario.unwrap_or_else(|rejected| panic!("{}", rejected.rendered()));
    let text = toml::to_string(&scenario).unwrap();
    assert_eq!(Scenario::parse(Path::new("s.toml"), text), Ok(scenario));
}

#[test]
fn wrong_values_of_the_causal_layer_are_pointed_at() {
    check_all(
        &[
            ("compare = \"100ms\"", "compare = \"0s\""),
            ("compare = \"100ms\"", "compare = 100"),
            ("heartbeat = \"200ms\"", "heartbeat = \"0ms\""),
            ("heartbeat = \"200ms\"", "heartbeats = \"200ms\""),
            ("patience = \"1s\"", "patience = \"0ns\""),
            ("patience = \"1s\"", "patience = \"1 sec\""),
            ("parked = 1000", "parked = 0"),
            ("parked = 1000", "parked = \"1000\""),
            ("parked-bytes = \"1 MiB\"", "parked-bytes = \"0 B\""),
            ("parked-bytes = \"1 MiB\"", "parked-bytes = \"1 MB\""),
            ("held = 100", "held = 1000001"),
            ("unstable = 500", "unstable = -1"),
            ("answer = \"64 KiB\"", "answer = \"0 KiB\""),
            ("answer = \"64 KiB\"", "answer = true"),
        ],
        expect![[r#"
            compare = "0s"
              s.toml:14:11: S0004: no time at all
                at `causal.compare`: expected a time above zero
            compare = 100
              s.toml:14:11: S0003: a bare number does not belong here
                at `causal.compare`: expected a time such as `150ms`, `2s` or `5min`
            heartbeat = "0ms"
              s.toml:15:13: S0004: no time at all
                at `causal.heartbeat`: expected a time above zero
            heartbeats = "200ms"
              s.toml:15:1: S0001: unknown key `heartbeats`
                at `causal.heartbeats`: expected one of `answer`, `compare`, `heartbeat`, `held`, `held-bytes`, `parked`, `parked-bytes`, `patience`, `silence` or `unstable`
            patience = "0ns"
              s.toml:16:12: S0004: no time at all
                at `causal.patience`: expected a time above zero
            patience = "1 sec"
              s.toml:16:12: S0004: `1 sec` does not belong here
                at `causal.patience`: the unit is one of `min`, `s`, `ms`, `us`, `ns`, right after the number
            parked = 0
              s.toml:17:10: S0004: 0 is out of range
                at `causal.parked`: expected a number from 1 to 1000000
            parked = "1000"
              s.toml:17:10: S0003: text does not belong here
                at `causal.parked`: expected a whole number
            parked-bytes = "0 B"
              s.toml:18:16: S0004: no room at all
                at `causal.parked-bytes`: expected a size above zero
            parked-bytes = "1 MB"
              s.toml:18:16: S0004: `1 MB` does not belong here
                at `causal.parked-bytes`: the unit is one of `GiB`, `MiB`, `KiB`, `B`
            held = 1000001
              s.toml:19:8: S0004: 1000001 is out of range
                at `causal.held`: expected a number from 1 to 1000000
            unstable = -1
              s.toml:20:12: S0004: -1 is out of range
                at `causal.unstable`: expected a number from 1 to 1000000
            answer = "0 KiB"
              s.toml:21:10: S0004: no room at all
                at `causal.answer`: expected a size above zero
            answer = true
              s.toml:21:10: S0003: `true` or `false` does not belong here
                at `causal.answer`: expected a size such as `512 B`, `64 KiB` or `1 MiB`
        "#]],
    );
}

#[test]
fn wrong_retirements_are_pointed_at() {
    check_all(
        &[
            ("node = \"n3\"", "node = \"n4\""),
            ("node = \"n3\"", "node = \"three\""),
            ("node = \"n3\"\n", "\n"),
            ("at = \"5s\"", "at = \"20s\""),
            ("at = \"5s\"", "at = 5"),
            ("by = \"n0\"", "by = \"n3\""),
            ("by = \"n0\"", "by = \"n9\""),
            ("by = \"n0\"", "by = \"n0\"\nfrom = \"n1\""),
        ],
        expect![[r#"
            node = "n4"
              s.toml:9:8: S0010: there is no node `n4`
                at `fleet.retire[0].node`: expected one of `n0` to `n3`
            node = "three"
              s.toml:9:8: S0004: `three` does not belong here
                at `fleet.retire[0].node`: expected a node such as `n4`


              s.toml:8:1: S0002: `node` is missing
                at `fleet.retire[0]`: expected `node` in here
            at = "20s"
              s.toml:10:6: S0013: 20s is after the safety phase
                at `fleet.retire[0].at`: expected a time before 20s, where it ends
            at = 5
              s.toml:10:6: S0003: a bare number does not belong here
                at `fleet.retire[0].at`: expected a time such as `150ms`, `2s` or `5min`
            by = "n3"
              s.toml:11:6: S0017: `n3` is to retire itself
                at `fleet.retire[0].by`: expected another node
            by = "n9"
              s.toml:11:6: S0010: there is no node `n9`
                at `fleet.retire[0].by`: expected one of `n0` to `n3`
            by = "n0"
            from = "n1"
              s.toml:12:1: S0001: unknown key `from`
                at `fleet.retire[0].from`: expected one of `at`, `by` or `node`
        "#]],
    );
}

#[test]
fn an_app_without_operations_has_no_members_and_no_causal_layer() {
    let text = GOOD.to_owned()
        + "[[fleet.retire]]\nnode = \"n3\"\nat = \"5s\"\nby = \"n0\"\n[causal]\nheld = 3\n";
    let rejected = Scenario::parse(Path::new("s.toml"), text).unwrap_err();
    expect![[r#"
        s.toml:23:1: S0017: no release has members that could be retired
        s.toml:27:1: S0017: no release broadcasts operations"#]]
    .assert_eq(&rejected.to_string());
}

#[test]
fn wrong_later_builds_of_clients_are_pointed_at() {
    check_all(
        &[
            ("version = \"2.0.0\"\nfrom", "version = \"2.1.0\"\nfrom"),
            ("version = \"2.0.0\"\nfrom", "version = \"2\"\nfrom"),
            ("version = \"2.0.0\"\nfrom", "from"),
            ("from = \"3s\"", "from = \"20s\""),
            ("from = \"3s\"", "form = \"3s\""),
            ("from = \"3s\"", "from = \"-3s\""),
            ("mix = { add = 3, multiply = 2 }", "mix = { add = 3, divide = 2 }"),
            ("mix = { add = 3, multiply = 2 }", "mix = { add = 0 }"),
            ("mix = { add = 3, multiply = 2 }", "mix = { add = -3 }"),
            (
                "mix = { add = 3, multiply = 2 }",
                "[[workload.later]]\nversion = \"2.0.0\"\nfrom = \"2s\"",
            ),
        ],
        expect![[r#"
            version = "2.1.0"
            from
              s.toml:28:11: S0015: 2.1.0 is never published
                at `workload.later[0].version`: expected the version of a `[[release]]`
            version = "2"
            from
              s.toml:28:11: S0004: `2` does not belong here
                at `workload.later[0].version`: unexpected end of input while parsing major version number
            from
              s.toml:27:1: S0002: `version` is missing
                at `workload.later[0]`: expected `version` in here
            from = "20s"
              s.toml:29:8: S0013: 20s is after the safety phase
                at `workload.later[0].from`: expected a time before 20s, where it ends
            form = "3s"
              s.toml:27:1: S0002: `from` is missing
                at `workload.later[0]`: expected `from` in here
              s.toml:29:1: S0001: unknown key `form`
                at `workload.later[0].form`: expected one of `from`, `mix` or `version`
            from = "-3s"
              s.toml:29:8: S0004: `-3s` does not belong here
                at `workload.later[0].from`: a length of time is never negative
            mix = { add = 3, divide = 2 }
              s.toml:30:18: S0014: unknown operation `divide`
                at `workload.later[0].mix.divide`: expected one of `add`, `multiply` or `read`
            mix = { add = 0 }
              s.toml:30:7: S0017: every operation has weight 0
                at `workload.later[0].mix`: expected one above 0
            mix = { add = -3 }
              s.toml:30:15: S0004: -3 is out of range
                at `workload.later[0].mix.add`: expected a number from 0 to 4294967295
            [[workload.later]]
            version = "2.0.0"
            from = "2s"
              s.toml:32:8: S0013: 2s is before the build above
                at `workload.later[1].from`: expected them in order of time
        "#]],
    );
}

#[test]
fn wrong_goals_are_pointed_at() {
    check_all(
        &[
            ("\"retired\", ", "\"retire\", "),
            ("\"retired\", ", "3, "),
            ("[\"operation-rejected\"]", "\"operation-rejected\""),
            ("[\"operation-rejected\"]", "[\"retired\"]"),
            ("[\"operation-rejected\"]", "[\"operation-reject\"]"),
        ],
        expect![[r#"
            "retire", 
              s.toml:38:14: S0014: unknown goal `retire`
                at `expect.sometimes[0]`: expected one of `held`, `converted`, `held-then-converted`, `drained-in-order`, `retransmitted`, `duplicate-dropped`, `crash-in-fetch`, `crash-in-stage`, `crash-in-prepare`, `crash-in-commit`, `crash-in-drain`, `fetch-resumed`
            3, 
              s.toml:38:14: S0003: a bare number does not belong here
                at `expect.sometimes[0]`: expected text in quotes
            "operation-rejected"
              s.toml:39:9: S0003: text does not belong here
                at `expect.never`: expected a list
            ["retired"]
              s.toml:39:10: S0017: `retired` must be reached and must never be
                at `expect.never[0]`: expected it in `sometimes` or in `never`
            ["operation-reject"]
              s.toml:39:10: S0014: unknown goal `operation-reject`
                at `expect.never[0]`: expected one of `held`, `converted`, `held-then-converted`, `drained-in-order`, `retransmitted`, `duplicate-dropped`, `crash-in-fetch`, `crash-in-stage`, `crash-in-prepare`, `crash-in-commit`, `crash-in-drain`, `fetch-resumed`
        "#]],
    );
}

#[test]
fn wrong_expectations_are_pointed_at() {
    check_all(
        &[
            ("p50 = \"2s\",", "p50 = 2,"),
            ("p50 = \"2s\",", "p51 = \"2s\","),
            ("convergence_p50 = \"<= 2s\"", "convergence_p50 = \"2s\""),
            ("convergence_p90 = \"<= 3s\"", "convergence_p90 = \"< 3s\""),
            ("convergence_p99 = \"<= 4s\"", "convergence_p99 = \"<= 4\""),
            ("convergence_max = \"<= 5s\"", "convergence_max = 5"),
            ("convergence_max = \"<= 5s\"", "convergence_p100 = \"<= 5s\""),
            ("serving = \"50%\"", "serving = \"101%\""),
            ("serving = \"50%\"", "serving = 0.5"),
            ("pause = \"20ms\"", "pause = \"20\""),
            ("pause = \"20ms\"", "pause = { max = \"20ms\" }"),
        ],
        expect![[r#"
            p50 = 2,
              s.toml:40:23: S0003: a bare number does not belong here
                at `expect.convergence.p50`: expected a time such as `150ms`, `2s` or `5min`
            p51 = "2s",
              s.toml:40:17: S0001: unknown key `p51`
                at `expect.convergence.p51`: expected one of `max`, `p50`, `p90` or `p99`
            convergence_p50 = "2s"
              s.toml:41:19: S0004: `2s` does not belong here
                at `expect.convergence_p50`: expected a bound such as `<= 800ms`
            convergence_p90 = "< 3s"
              s.toml:42:19: S0004: `< 3s` does not belong here
                at `expect.convergence_p90`: expected a bound such as `<= 800ms`
            convergence_p99 = "<= 4"
              s.toml:43:19: S0004: `<= 4` does not belong here
                at `expect.convergence_p99`: expected a bound such as `<= 800ms`
            convergence_max = 5
              s.toml:44:19: S0003: a bare number does not belong here
                at `expect.convergence_max`: expected a bound such as `<= 800ms`
            convergence_p100 = "<= 5s"
              s.toml:44:1: S0001: unknown key `convergence_p100`
                at `expect.convergence_p100`: expected one of `convergence`, `convergence_max`, `convergence_p50`, `convergence_p90`, `convergence_p99`, `never`, `outcome`, `pause`, `quarantined`, `serving` or `sometimes`
            serving = "101%"
              s.toml:45:11: S0004: `101%` does not belong here
                at `expect.serving`: a share is at most `100%`
            serving = 0.5
              s.toml:45:11: S0003: a bare decimal does not belong here
                at `expect.serving`: expected a share from `0%` to `100%`, such as `2%`, `0.1%` or `50 ppm`
            pause = "20"
              s.toml:46:9: S0004: `20` does not belong here
                at `expect.pause`: expected a time such as `150ms`, `2s` or `5min`
            pause = { max = "20ms" }
              s.toml:46:9: S0003: a table does not belong here
                at `expect.pause`: expected a time such as `150ms`, `2s` or `5min`
        "#]],
    );
}
