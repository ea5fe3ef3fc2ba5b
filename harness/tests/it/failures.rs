//! Failures as a user meets them: recorded, repeated, shrunk and told.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::support::{Ran, exits, folder, refused, simctl};

/// Half of the fleet runs 2.0.0 while the other half sends as of 1.4.0, and messages are held in memory
/// only: a crash loses what was acknowledged.
const FAILS: &str = r#"about = "held messages are in memory only"
app = "counter"

[fleet]
nodes = 5
runs = "1.4.0"

[network]
latency = { uniform = { min = "1ms", max = "10ms" } }
loss = { independent = "2%" }

[protocol]
plant = ["volatile-hold"]

[workload]
rate = "20/s"
mix = { add = 1 }

[[release]]
version = "2.0.0"
at = "500ms"
node = "n0"
rollout = { rolling = { batch = 1, gap = "700ms" } }

[[fault]]
crash = { node = "n4", at = "1900ms", down = "200ms" }

[phases]
safety = "5s"
liveness = "20s"
"#;

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: folder(&[("a.toml", FAILS)]) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("there is room");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("it is there")
    }

    fn simctl(&self, arguments: &[&str]) -> Ran {
        simctl(self.folder.path(), arguments)
    }

    /// The choices of the run that fails, in `c.toml`.
    fn recorded(&self) -> &Self {
        let ran = self.simctl(&["run", "a.toml", "--seed", "1", "--record", "c.toml"]);
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        assert!(ran.out.contains("simctl replay c.toml"), "{}", ran.out);
        self
    }
}

#[test]
fn a_recorded_failure_still_fails_event_for_event() {
    let place = Place::new();
    let ran = place.recorded().simctl(&["replay", "c.toml"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.starts_with("still fails: a.toml, seed 1, "), "{}", ran.out);
    assert!(ran.out.contains("event for event the same run"), "{}", ran.out);
}

#[test]
fn a_mended_failure_passes_or_is_no_longer_reachable() {
    let place = Place::new();
    place.recorded().write("a.toml", &FAILS.replace("plant", "plant = []\n#"));
    let ran = place.simctl(&["replay", "c.toml", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let line: serde_json::Value = serde_json::from_str(&ran.out).expect("a line of JSON");
    assert_eq!(line["scenario_changed"], true);
    let unasked = line["unasked"].as_array().expect("a list").len();
    let came = if unasked == 0 { "passes" } else { "no-longer-reachable" };
    assert_eq!(line["came"], came, "{}", ran.out);
}

#[test]
fn choices_that_no_longer_occur_are_counted_and_named() {
    let place = Place::new();
    let fewer = FAILS.replace("plant = [\"volatile-hold\"]", "").replace("nodes = 5", "nodes = 4");
    let fewer = fewer.replace("\"n4\"", "\"n3\"");
    place.recorded().write("b.toml", &fewer);
    let ran = place.simctl(&["replay", "c.toml", "--scenario", "b.toml"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.starts_with("no longer reachable: b.toml"), "{}", ran.out);
    assert!(ran.out.contains("never asked for") && ran.out.contains(" n0->n4 #"), "{}", ran.out);
}

#[test]
fn a_damaged_file_of_choices_is_refused_with_what_could_be_read() {
    let place = Place::new();
    let text = place.recorded().read("c.toml");
    place.write("cut.toml", &text[..text.len() / 2]);
    place.write("changed.toml", &text.replacen("#1 ", "#2 ", 1));
    for (name, said) in [("cut.toml", "breaks off"), ("changed.toml", "not as it was written")] {
        let ran = place.simctl(&["replay", name]);
        assert_eq!((ran.code, &*ran.out), (2, ""), "{}", ran.err);
        assert!(ran.err.contains(said) && ran.err.contains("choices could be read"), "{}", ran.err);
        assert!(ran.err.contains(name), "{}", ran.err);
    }
    let ran = place.simctl(&["replay", "not-there.toml"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("not-there.toml"), "{}", ran.err);
}

#[test]
fn a_shrunk_failure_fails_by_itself_is_kept_and_told() {
    let place = Place::new();
    let ran = place.simctl(&["shrink", "a.toml", "--seed", "1", "--save", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let line: serde_json::Value = serde_json::from_str(&ran.out).expect("a line of JSON");
    let written = line["written"].as_str().expect("it is written");
    assert!(Path::new(written).starts_with("scenarios/regress"), "{written}");
    assert!(line["after"]["nodes"].as_u64() <= Some(3), "{line}");
    assert!(line["after"]["choices"].as_u64() <= Some(5), "{line}");
    let ran = place.simctl(&["run", written, "--seed", "99"]);
    assert_eq!(ran.code, 0, "it expects its violation: {}{}", ran.out, ran.err);
    let told = place.simctl(&["explain", written]);
    assert_eq!(told.code, 0, "{}", told.err);
    let claim = "an acknowledged message was delivered, waits on disk, or ended with an answer";
    assert!(told.out.contains("S13 broke") && told.out.contains(claim), "{}", told.out);
    let [held, crashes] = ["holds message", "crashes, down"].map(|what| told.out.find(what));
    assert!(held.is_some() && held < crashes, "cause before effect: {}", told.out);
    let begins = told.out.matches(" with 1.4.0#").count();
    assert_eq!(begins, 1, "how the fleet begins is one sentence: {}", told.out);
    assert!(!told.out.contains(", #"), "messages have names: {}", told.out);
    // Mended, it holds, and the file that says so keeps it.
    let mended = place.read(written).replace("[\"volatile-hold\"]", "[]");
    place.write("mended.toml", &mended);
    assert_eq!(place.simctl(&["run", "mended.toml"]).code, 1, "nothing breaks where it should");
}

#[test]
fn a_shrunk_file_is_the_same_whatever_the_number_of_threads() {
    let place = Place::new();
    for threads in ["1", "3"] {
        let ran = place.simctl(&["shrink", "a.toml", "--threads", threads, "--out", threads]);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    assert_eq!(place.read("1"), place.read("3"));
}

#[test]
fn a_failure_with_settings_is_shrunk_viewed_told_recorded_and_replayed() {
    let place = Place::new();
    place.write("b.toml", &FAILS.replace("[\"volatile-hold\"]", "[]"));
    let simctl = |arguments: &[&str], set: bool| {
        let set = if set { &["--set", "protocol.plant=[\"volatile-hold\"]"][..] } else { &[] };
        place.simctl(&[arguments, set].concat())
    };
    assert_eq!(simctl(&["shrink", "b.toml"], false).code, 2, "without the setting it holds");
    let ran = simctl(&["shrink", "b.toml", "--out", "small.toml"], true);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let text = place.read("small.toml");
    let again = "simctl shrink b.toml --set 'protocol.plant=[\"volatile-hold\"]' --seed 1`";
    assert!(text.contains(again), "{text}");
    assert_eq!(place.simctl(&["run", "small.toml"]).code, 0, "it fails by itself");
    let ran = simctl(&["explain", "b.toml"], true);
    assert!(ran.out.contains("S13 broke"), "{}{}", ran.out, ran.err);
    for (command, out) in [(&["view"][..], "b.html"), (&["export", "dot"], "b.dot")] {
        let ran = simctl(&[command, &["b.toml", "--out", out]].concat(), true);
        assert!(ran.out.contains("violates"), "{}{}", ran.out, ran.err);
    }
    assert_eq!(simctl(&["run", "b.toml", "--record", "c.toml"], true).code, 1);
    for words in [&["replay", "c.toml"], &["explain", "c.toml"]] {
        let ran = place.simctl(words);
        assert!(ran.out.contains("S13"), "{}{}", ran.out, ran.err);
    }
    assert!(place.simctl(&["replay", "c.toml"]).out.contains("event for event the same run"));
}

#[test]
fn a_recorded_scenario_that_is_not_there_is_asked_for() {
    let place = Place::new();
    place.recorded();
    fs::remove_file(place.path("a.toml")).expect("it was there");
    let ran = place.simctl(&["replay", "c.toml"]);
    assert_eq!((ran.code, &*ran.out), (2, ""), "{}", ran.err);
    assert!(ran.err.contains("a.toml") && ran.err.contains("--scenario"), "{}", ran.err);
}

#[test]
fn no_time_to_shrink_is_refused() {
    let ran = Place::new().simctl(&["shrink", "a.toml", "--for", "0s"]);
    assert_eq!((ran.code, &*ran.out), (2, ""), "{}", ran.err);
    assert!(ran.err.contains("expected a time above nothing"), "{}", ran.err);
}

#[test]
fn what_does_not_fail_cannot_be_shrunk() {
    let place = Place::new();
    place.write("holds.toml", &FAILS.replace("plant", "plant = []\n#"));
    let ran = place.simctl(&["shrink", "holds.toml"]);
    assert_eq!((ran.code, &*ran.out), (2, ""), "{}", ran.err);
    assert!(ran.err.contains("no invariant breaks in this run"), "{}", ran.err);
}

#[test]
fn choices_in_a_scenario_that_do_not_read_are_mistakes_with_their_place() {
    let place = Place::new();
    let replay = "\n[replay]\nseed = \"1\"\nchoices = [\"send n0->n1 #3 los\", \"crash n9 #0 strikes\", \
         \"send n0->n1 #4 latency = 1ms\", \"send n0->n1 #4 latency = 2ms\"]\n";
    place.write("b.toml", &format!("{FAILS}{replay}"));
    let ran = place.simctl(&["run", "b.toml"]);
    assert_eq!((ran.code, &*ran.out), (2, ""), "{}", ran.err);
    assert!(ran.err.contains("S0018") && ran.err.contains("expected one of `lost`"), "{}", ran.err);
    assert!(ran.err.contains("there is no node `n9`"), "{}", ran.err);
    assert!(ran.err.contains("latency = 2ms` contradicts another choice"), "{}", ran.err);
}

#[test]
fn choices_are_of_one_run() {
    let place = Place::new();
    let ran = place.simctl(&["run", "a.toml", "a.toml", "--record", "c.toml"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("choices are of one run"), "{}", ran.err);
    let ran = place.simctl(&["run", "a.toml", "--record", "a.toml"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert_eq!(place.read("a.toml"), FAILS);
}

/// A fleet that was installed with a code that is wrong on purpose, and is never upgraded.
const VARIANT: &str = r#"about = "operations of this code act on more than what is concurrent"
app = "register"

[fleet]
nodes = 3
runs = "2.0.0:acts-with-all"

[workload]
rate = "10/s"
mix = { add = 3, multiply = 2 }

[phases]
safety = "5s"
liveness = "10s"

[expect]
outcome = { violates = ["C3"] }
"#;

#[test]
fn a_fleet_may_start_with_a_variant_and_its_failure_is_told_shrunk_and_repeated() {
    let plain =
        VARIANT.replace(":acts-with-all", "").replace("{ violates = [\"C3\"] }", "\"holds\"");
    // One of two codes of a version wins everywhere: here the plain one.
    let joins = plain.replace(
        "runs = \"2.0.0\"",
        "runs = \"2.0.0\"\njoin = [{ node = \"n3\", at = \"100ms\", runs = \"2.0.0:acts-with-all\" }]",
    );
    let files = [("wrong.toml", VARIANT), ("plain.toml", &plain), ("joins.toml", &joins)];
    let folder = folder(&files);
    let here = folder.path();
    let ran = exits(here, &["run", "wrong.toml"], 0);
    for text in ["violates C3, as it must", "3 nodes run register 2.0.0:acts-with-all"] {
        assert!(ran.out.contains(text), "{text} in\n{}", ran.out);
    }
    exits(here, &["run", "plain.toml"], 0);
    let joined = exits(here, &["run", "joins.toml"], 0).out;
    assert!(joined.contains("n3 joins at 100ms with 2.0.0:acts-with-all"), "{joined}");
    let shrunk = exits(here, &["shrink", "wrong.toml", "--out", "small.toml"], 0);
    assert!(shrunk.out.contains("small.toml fails by itself"), "{}", shrunk.out);
    exits(here, &["run", "small.toml"], 0);
    let small = fs::read_to_string(here.join("small.toml")).unwrap();
    assert!(small.contains("runs = \"2.0.0:acts-with-all\""), "{small}");
    let set = |value: &str| {
        let set = format!("fleet.runs={value}");
        exits(here, &["run", "plain.toml", "--set", &set], 2).err
    };
    let said = set("2.0.0:acts");
    assert!(said.contains("unknown variant `acts`"), "{said}");
    assert!(said.contains("expected one of `acts-with-all` or `collects-early`"), "{said}");
    let said = set("1.0.0:acts");
    assert!(said.contains("register 1.0.0 has no variants, so none `acts`"), "{said}");
    let said = set("2.0.0:");
    assert!(said.contains("a variant has a name, such as `3.0.0:strays`"), "{said}");
}

#[test]
fn operations_have_one_name_in_runs_traces_stories_and_graphs() {
    let folder = folder(&[("wrong.toml", VARIANT)]);
    let here = folder.path();
    let run = exits(here, &["run", "wrong.toml"], 0).out;
    let (_, events) = run.split_once("events there:\n").expect("a violation is told");
    let trace = exits(here, &["run", "wrong.toml", "--trace", "-"], 0).out;
    let story = exits(here, &["explain", "wrong.toml", "--seed", "1"], 0).out;
    let graph = exits(here, &["export", "dot", "wrong.toml", "--out", "-"], 0).out;
    for (which, text) in [("run", events), ("trace", &trace), ("story", &story), ("dot", &graph)] {
        assert!(text.contains(", `change` in "), "{which}: {text}");
        assert!(!text.contains(", #"), "{which}: no tag is left: {text}");
        assert!(!text.contains(" 1 bytes"), "{which}: {text}");
    }
    let asked = "takes in operation c";
    assert!(events.contains(asked) && trace.contains(asked) && story.contains(asked), "{events}");
}

#[test]
fn a_graph_of_a_small_run_says_nothing_of_what_was_not_asked_for() {
    let folder = folder(&[("wrong.toml", VARIANT)]);
    let ran = exits(folder.path(), &["export", "dot", "wrong.toml", "--out", "wrong.dot"], 0);
    assert_eq!(ran.err, "", "what came after the violation is not missed");
    assert!(ran.out.contains(" nodes, ") && ran.out.contains(" events"), "{}", ran.out);
}

#[test]
fn a_shrunk_failure_is_as_large_as_what_was_sought() {
    let folder = folder(&[("wrong.toml", VARIANT)]);
    let here = folder.path();
    let said = exits(here, &["shrink", "wrong.toml", "--out", "small.toml"], 0).out;
    let first = said.lines().next().unwrap();
    assert!(first.contains(" nodes, ") && first.contains(" choices -> "), "{first}");
    let text = fs::read_to_string(here.join("small.toml")).unwrap();
    assert!(!first.contains("datagram") && !text.contains("datagram"), "{first}\n{text}");
    let json = exits(here, &["shrink", "wrong.toml", "--format", "json"], 0).out;
    let line: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(line["after"]["datagrams"].as_u64().is_some_and(|sent| sent > 0), "{json}");
}

/// Who looks where `simctl explain refused` says finds what a run counted.
#[test]
fn what_a_summary_counts_as_refused_is_found_where_its_page_leads() {
    let place = Place::new();
    let page = place.simctl(&["explain", "refused"]).out;
    let words = "is down and does not hear it";
    assert!(page.contains("at kind `command`") && page.contains(words), "{page}");
    let ran = place.simctl(&["run", "a.toml", "--seed", "1", "--trace", "t", "--format", "json"]);
    let row: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let trace = place.read("t");
    let kind = |line: &&str, kind| line.split_whitespace().nth(2) == Some(kind);
    let commands = trace.lines().filter(|line| kind(line, "command") && line.ends_with(words));
    let refused = trace.lines().filter(|line| kind(line, "refused"));
    let found = commands.count() + refused.count();
    assert!(found > 0, "a node was down");
    assert_eq!(row["operations_refused"], found);
}

/// Whoever opened it would wait for ever, or read until memory is gone.
#[cfg(unix)]
#[test]
fn a_pipe_or_a_device_is_refused_at_once() {
    use std::process::Command;
    let folder = folder(&[]);
    let here = folder.path();
    for name in ["a.toml", "a.diagram"] {
        assert!(Command::new("mkfifo").arg(here.join(name)).status().unwrap().success());
    }
    for arguments in [
        &["run", "a.toml"][..],
        &["replay", "a.toml"],
        &["shrink", "a.toml"],
        &["check", "a.toml"],
        &["explain", "a.toml"],
        &["explain", "a.diagram", "--seed", "1"],
        &["view", "a.toml"],
        &["view", "a.diagram"],
        &["export", "dot", "/dev/zero"],
        &["list", "."],
    ] {
        refused(here, arguments, "expected a file, found a pipe or a device");
    }
}
