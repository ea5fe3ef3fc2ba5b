//! `simctl sweep`, `plan` and `merge` as a user meets them: the same bytes whatever happens meanwhile.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::{Child, Command},
};

use tempfile::TempDir;

use crate::support::{Ran, VIOLATES, command, exits, folder, names, simctl};

/// A small scenario that holds, with a grid.
const HOLDS: &str = r#"about = "three nodes take a patch"
app = "counter"

[fleet]
nodes = 3
runs = "1.0.0"

[workload]
rate = "5/s"

[[release]]
version = "1.0.1"
at = "100ms"
node = "n0"

[phases]
safety = "500ms"
liveness = "10s"

[expect]
convergence_p99 = "<= 10s"

[sweep]
fleet.nodes = [2, 3]
"#;

/// A folder with `good.toml` and `bad.toml` in it.
fn scenarios() -> TempDir {
    folder(&[("good.toml", HOLDS), ("bad.toml", VIOLATES)])
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// Runs `line`, which must exit with `code`.
fn expect(folder: &Path, line: &str, code: i32) -> Ran {
    exits(folder, &words(line), code)
}

/// The files of a result, but for what differs from machine to machine.
fn results(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let names =
        ["plan.json", "sweep.parquet", "failures.jsonl", "tallies.jsonl", "timelines.jsonl"];
    let read = |name: &str| (name.to_owned(), fs::read(folder.join(name)).unwrap());
    names.map(read).into()
}

#[test]
fn a_sweep_is_the_same_bytes_whatever_the_number_of_threads() {
    let folder = scenarios();
    let line = |threads, out| format!("sweep . --seeds 0..20 --threads {threads} --out {out}");
    let one = expect(folder.path(), &line(1, "one"), 1);
    let many = expect(folder.path(), &line(5, "many"), 1);
    assert_eq!(one.out, many.out);
    let (one, many) = (folder.path().join("one"), folder.path().join("many"));
    assert!(results(&one) == results(&many));
    assert!(!one.join("blocks").exists(), "what only a resumed sweep needs is gone");
    let sweep = results::read(&one).unwrap();
    assert_eq!((sweep.count(), sweep.tallies.len(), sweep.timelines.len()), (60, 3, 3));
    let cells: Vec<&str> = sweep.tallies.iter().map(|tally| &*tally.cell).collect();
    assert_eq!(cells, ["", "nodes=2", "nodes=3"]);
    let failed: u64 = sweep.failures.iter().map(|failure| failure.runs).sum();
    let failed_rows = sweep.runs().filter(|run| !run.as_ref().unwrap().as_expected).count();
    assert_eq!(failed, failed_rows as u64);
    assert!(failed > 0);
}

#[test]
fn a_sweep_that_is_kept_nowhere_says_the_same_and_leaves_nothing() {
    let folder = scenarios();
    let line = "sweep . --seeds 0..20 --threads 2";
    let kept = expect(folder.path(), &format!("{line} --out out"), 1);
    let before = names(folder.path());
    let nowhere = expect(folder.path(), line, 1);
    assert_eq!(nowhere.out, kept.out);
    assert!(nowhere.err.contains("nothing is kept without --out"), "{}", nowhere.err);
    assert_eq!(names(folder.path()), before);
}

#[test]
fn a_failure_is_told_with_the_command_that_repeats_it() {
    let folder = scenarios();
    let ran = expect(folder.path(), "sweep bad.toml --seeds 0..20 --out out", 1);
    let sweep = results::read(&folder.path().join("out")).unwrap();
    let failure = sweep.failures.iter().find(|failure| failure.invariant == "S6").unwrap();
    assert!(ran.out.contains(&failure.repeat), "{}", ran.out);
    let again = expect(folder.path(), failure.repeat.strip_prefix("simctl ").unwrap(), 1);
    assert!(again.out.contains(&failure.fingerprint), "{}", again.out);
    assert_eq!(failure.repeat, format!("simctl run bad.toml --seed {}", failure.seed));
    let shrink = format!("simctl shrink bad.toml --seed {}", failure.seed);
    assert!(ran.out.contains(&shrink), "{}", ran.out);
    let short = sweep.failures.iter().filter(|failure| failure.invariant.is_empty()).count();
    let offered = ran.out.matches("simctl shrink ").count();
    assert_eq!(offered + short, sweep.failures.len(), "where an invariant broke: {}", ran.out);
    let shortest =
        sweep.runs().map(Result::unwrap).filter(|run| run.signature == failure.signature);
    let shortest = shortest.map(|run| (run.datagrams, run.seed)).min();
    assert_eq!(shortest, Some((failure.datagrams, failure.seed)));
}

#[test]
fn a_run_at_a_point_of_the_grid_is_repeated_with_its_settings() {
    let folder = scenarios();
    expect(folder.path(), "sweep good.toml --seeds 3..4 --out out", 0);
    let sweep = results::read(&folder.path().join("out")).unwrap();
    let runs: Vec<results::Run> = sweep.runs().map(Result::unwrap).collect();
    let [two, three] = &runs[..] else { panic!("two points, one seed") };
    let again = expect(folder.path(), "run good.toml --seed 3 --set fleet.nodes=2", 0);
    assert!(again.out.contains(&two.fingerprint), "{}", again.out);
    assert!(again.out.contains("--set fleet.nodes=2"), "{}", again.out);
    let again = expect(folder.path(), "run good.toml --seed 3", 0);
    assert!(again.out.contains(&three.fingerprint), "{}", again.out);
}

#[test]
fn a_failure_at_a_point_of_the_grid_is_made_small_by_the_command_that_is_told() {
    let folder = scenarios();
    let at = folder.path();
    let text = VIOLATES.replace("gate = false", "gate = true");
    let grid = format!("{text}[sweep]\nprotocol.gate = [true, false]\n");
    fs::write(at.join("grid.toml"), grid).unwrap();
    let ran = expect(at, "sweep grid.toml --seeds 0..20 --out out", 1);
    let mut commands = ran.out.lines().filter_map(|line| line.trim().strip_prefix("simctl shrink"));
    let command = commands.next().unwrap();
    assert!(command.contains(" --set protocol.gate=false"), "{command}");
    expect(at, &format!("shrink{command} --out small.toml"), 0);
    expect(at, "run small.toml", 0);
}

#[test]
fn merged_shards_are_the_bytes_and_the_words_of_one_machine() {
    let folder = scenarios();
    let at = folder.path();
    expect(at, "plan . --seeds 0..14 --shards 5 --out plan.json", 0);
    let alone = expect(at, "sweep --plan plan.json --out alone", 1);
    for shard in [4, 1, 0] {
        expect(at, &format!("sweep --plan plan.json --shard {shard}/5 --out many"), 0);
    }
    let missing = expect(at, "merge many", 2);
    assert!(missing.err.contains("2 of 5 shards are missing in many; to run them: --array=2-3"));
    assert!(!at.join("many/sweep.parquet").exists());
    // A shard that runs twice at once leaves one file, as if it had run once.
    let mut twice = command(at, &words("sweep --plan plan.json --shard auto --out many"));
    let twice = twice.env("HQ_TASK_ID", "2");
    let both: Vec<Child> = (0..2).map(|_| twice.spawn().unwrap()).collect();
    for child in both {
        assert_eq!(Ran::from(child.wait_with_output().unwrap()).code, 0);
    }
    expect(at, "sweep --plan plan.json --shard 3/5 --out many", 0);
    let done = fs::metadata(at.join("many/shard-00003-of-00005.parquet")).unwrap();
    expect(at, "sweep --plan plan.json --shard 3/5 --out many", 0);
    let again = fs::metadata(at.join("many/shard-00003-of-00005.parquet")).unwrap();
    assert_eq!(
        done.modified().unwrap(),
        again.modified().unwrap(),
        "a shard that is done is left alone"
    );
    let merged = expect(at, "merge many", 1);
    assert_eq!(merged.out, alone.out);
    assert!(results(&at.join("many")) == results(&at.join("alone")));
}

#[test]
fn a_killed_sweep_goes_on_and_ends_as_if_nothing_had_happened() {
    let folder = scenarios();
    let at = folder.path();
    let line = |out: &str| format!("sweep . --seeds 0..150 --out {out}");
    expect(at, &line("calm"), 1);
    let mut resumed = 0;
    for kill in 0..6_u64 {
        let mut child = command(at, &words(&line("killed"))).spawn().unwrap();
        // The moment differs from kill to kill: after so many blocks, whenever those come.
        let blocks = at.join("killed/blocks");
        let count = || fs::read_dir(&blocks).map_or(0, |entries| entries.count() as u64);
        let wanted = count() + kill % 3;
        while child.try_wait().unwrap().is_none() && count() < wanted {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        let ran = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(!said.contains("warning"), "nothing that was durable is done again: {said}");
        resumed += u64::from(said.contains("done before"));
    }
    let last = expect(at, &line("killed"), 1);
    assert!(resumed > 0 || last.err.contains("done before") || last.err.contains("over already"));
    assert!(results(&at.join("killed")) == results(&at.join("calm")));
    let left: Vec<_> =
        fs::read_dir(at.join("killed")).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(left.len(), 6, "results and costs: {left:?}");
}

#[test]
fn another_sweep_into_the_same_folder_is_refused() {
    let folder = scenarios();
    expect(folder.path(), "sweep good.toml --seeds 0..3 --out out", 0);
    let before = results(&folder.path().join("out"));
    let again = expect(folder.path(), "sweep good.toml --seeds 0..3 --out out", 0);
    assert!(again.err.contains("it is over already"), "{}", again.err);
    let other = expect(folder.path(), "sweep good.toml --seeds 0..4 --out out", 2);
    assert!(other.err.contains("another sweep is there"), "{}", other.err);
    fs::write(folder.path().join("good.toml"), HOLDS.replace("5/s", "6/s")).unwrap();
    let other = expect(folder.path(), "sweep good.toml --seeds 0..3 --out out", 2);
    assert!(other.err.contains("another sweep is there"), "{}", other.err);
    assert!(results(&folder.path().join("out")) == before);
}

#[test]
fn a_budget_of_failures_ends_a_sweep_at_the_same_run_whatever_the_number_of_threads() {
    let folder = scenarios();
    let line = |threads, out| {
        format!("sweep bad.toml --seeds 0..100 --max-failures 3 --threads {threads} --out {out}")
    };
    let one = expect(folder.path(), &line(1, "one"), 1);
    expect(folder.path(), &line(4, "many"), 1);
    assert!(one.out.contains("enough runs failed"), "{}", one.out);
    let (one, many) = (folder.path().join("one"), folder.path().join("many"));
    assert!(results(&one) == results(&many));
    let sweep = results::read(&one).unwrap();
    let failed = sweep.runs().filter(|run| !run.as_ref().unwrap().as_expected).count();
    assert_eq!(failed, 3);
    assert!(!sweep.runs().last().unwrap().unwrap().as_expected);
}

#[test]
fn a_sweep_that_was_stopped_by_a_file_goes_on_once_it_is_gone() {
    let folder = scenarios();
    let at = folder.path();
    for out in ["many", "out"] {
        fs::create_dir(at.join(out)).unwrap();
        fs::write(at.join(out).join("STOP"), "").unwrap();
    }
    // So many that nobody can do all of them before the first is taken and the file looked for.
    let ran = expect(at, "sweep good.toml --seeds 0..10000 --threads 1 --out many", 0);
    assert!(ran.out.contains("the file STOP asked for it"), "{}", ran.out);
    assert!(results::read(&at.join("many")).unwrap().count() < 20_000);
    expect(at, "report many", 0);
    let report = fs::read_to_string(at.join("many/report.html")).unwrap();
    assert!(report.contains("The sweep was ended early, after "));
    // However far this one comes, it ends as if nothing had happened.
    expect(at, "sweep good.toml --seeds 0..40 --threads 1 --out out", 0);
    fs::remove_file(at.join("out/STOP")).unwrap();
    expect(at, "sweep good.toml --seeds 0..40 --out out", 0);
    expect(at, "sweep good.toml --seeds 0..40 --out calm", 0);
    assert!(results(&at.join("out")) == results(&at.join("calm")));
}

#[test]
fn the_grid_in_the_repository_holds_at_each_of_its_points() {
    let folder = tempfile::tempdir().unwrap();
    let grid = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/rollout-grid.toml");
    fs::copy(grid, folder.path().join("grid.toml")).unwrap();
    let ran = expect(folder.path(), "sweep grid.toml --seeds 0..2 --out out", 0);
    assert!(ran.err.contains("1 scenario at 24 points, seeds 0..2: 48 runs"), "{}", ran.err);
    let sweep = results::read(&folder.path().join("out")).unwrap();
    let cells: BTreeSet<String> = sweep.runs().map(|run| run.unwrap().cell).collect();
    assert_eq!((sweep.count(), cells.len()), (48, 24));
    let last = "until=7s nodes=10 independent=20% runs=1.4.0 version=2.0.0";
    assert!(cells.contains(last), "{cells:?}");
    let converted = |release: &str| {
        let runs = sweep.runs().map(Result::unwrap).filter(|run| run.cell.ends_with(release));
        runs.map(|run| run.conversions).sum::<u64>()
    };
    assert_eq!(converted("version=1.0.1"), 0, "a patch converts nothing");
    assert!(converted("version=2.0.0") > 0, "a major release does");
}

#[test]
fn one_signature_in_several_cells_is_one_kind() {
    let folder = scenarios();
    let at = folder.path();
    let grid = format!("{VIOLATES}[sweep]\nworkload.rate = [\"20/s\", \"21/s\"]\n");
    fs::write(at.join("grid.toml"), grid).unwrap();
    let ran = expect(at, "sweep grid.toml --seeds 0..4 --out out", 1);
    let told = ran.out.matches("failed").count();
    expect(at, "report out", 0);
    let report = fs::read_to_string(at.join("out/report.html")).unwrap().replace('\u{a0}', " ");
    let sum = ran.out.lines().last().unwrap();
    let kinds = results::read(&at.join("out")).unwrap().failures;
    let kinds: BTreeSet<_> = kinds.into_iter().map(|failure| failure.signature).collect();
    assert!(told > kinds.len(), "some kind is in both cells: {}", ran.out);
    let of = if kinds.len() == 1 { "1 kind".into() } else { format!("{} kinds", kinds.len()) };
    assert!(sum.ends_with(&format!("not as expected, of {of}")), "{sum}");
    let ways = of.replace("kind", "way");
    assert!(report.contains(&format!("failed, in {ways}")), "{ways}");
}

#[test]
fn files_of_two_sweeps_are_not_taken_for_one() {
    let folder = scenarios();
    let at = folder.path();
    expect(at, "sweep good.toml --seeds 0..2 --out out", 0);
    for name in results::store::BESIDE {
        let path = at.join("out").join(name);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, if text.is_empty() { "{}\n" } else { "" }).unwrap();
        let said = expect(at, "report out", 2).err;
        let wanted = format!("{name}: it was changed, or is of another sweep");
        assert!(said.contains(&wanted), "{said}");
        fs::write(&path, text).unwrap();
    }
    expect(at, "report out", 0);
}

#[test]
fn a_short_sweep_of_a_swarm_holds_where_its_runs_hold() {
    let folder = tempfile::tempdir().unwrap();
    let swarm = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/swarm.toml");
    fs::copy(swarm, folder.path().join("swarm.toml")).unwrap();
    let ran = expect(folder.path(), "sweep swarm.toml --seeds 0..2 --out out", 0);
    assert!(ran.out.contains("all as expected"), "{}", ran.out);
    let read = results::read(&folder.path().join("out")).unwrap();
    assert!(read.tallies[0].inert().count() > 0, "some fault bit in neither run");
}

#[test]
fn seeds_that_once_failed_are_kept_and_run_first() {
    let folder = scenarios();
    let at = folder.path();
    let ran = expect(at, "sweep bad.toml --seeds 5..20 --fail-fast --save --out first", 1);
    assert!(ran.err.contains("bad.seeds: 1 seed added"), "{}", ran.err);
    let failed = results::read(&at.join("first")).unwrap().failures[0].seed;
    expect(at, "sweep bad.toml --seeds 0..25 --fail-fast --out second", 1);
    let sweep = results::read(&at.join("second")).unwrap();
    assert_eq!(sweep.plan.scenarios[0].regress, [failed]);
    assert_eq!((sweep.count(), sweep.failures[0].seed), (1, failed));
}

#[test]
fn a_goal_that_no_run_reaches_and_a_bound_that_is_not_kept_fail_the_sweep() {
    let folder = scenarios();
    let text =
        HOLDS.replace("<= 10s", "<= 1ns").replace("[expect]", "[expect]\nsometimes = [\"held\"]");
    fs::write(folder.path().join("good.toml"), text).unwrap();
    let ran =
        expect(folder.path(), "sweep good.toml --seeds 0..3 --format github --junit a.xml", 1);
    assert!(
        ran.out.contains("::error file=good.toml,line=1,title=good (nodes=2)%3A falls short::")
    );
    assert!(ran.out.contains("goal `held` was reached in none of 3 runs"), "{}", ran.out);
    assert!(ran.out.contains("not <= 1ns"), "{}", ran.out);
    let junit = fs::read_to_string(folder.path().join("a.xml")).unwrap();
    assert!(junit.contains("<testsuite name=\"good\" tests=\"2\""), "{junit}");
    assert!(junit.contains("failures=\"2\""), "{junit}");
    assert!(ran.err.contains("nothing is kept without --out"), "{}", ran.err);
}

#[test]
fn programs_get_a_line_for_each_place_and_failure_and_one_for_the_sum() {
    let folder = scenarios();
    let ran =
        expect(folder.path(), "sweep . --seeds-from 0123456789abcdef --count 9 --format json", 1);
    let lines: Vec<serde_json::Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.last().unwrap();
    assert_eq!(
        (&last["kind"], &last["runs"], &last["holds"]),
        (&"sweep".into(), &27.into(), &false.into())
    );
    assert_eq!(last["seed_base"], "commit 0123456789abcdef");
    assert_eq!(last["seed_first"], 0x0123_4567_89ab_u64);
    assert!(ran.err.contains("(commit 0123456789abcdef)"), "{}", ran.err);
    assert_eq!(lines.iter().filter(|line| line["kind"] == "place").count(), 3);
    assert!(lines.iter().any(|line| line["kind"] == "failure" && line["invariant"] == "S6"));
}

#[test]
fn chance_chooses_once_for_a_sweep_that_is_resumed() {
    let folder = scenarios();
    let line = "sweep good.toml --seeds-from random --count 3 --out out";
    expect(folder.path(), line, 0);
    let first = results::read(&folder.path().join("out")).unwrap().plan.seed_first;
    let again = expect(folder.path(), line, 0);
    assert!(again.err.contains("it is over already"), "{}", again.err);
    assert!(again.err.contains(&format!("seeds {first}..{} (random)", first + 3)), "{}", again.err);
}

#[test]
fn chance_leaves_the_seeds_of_another_sweep_alone() {
    let folder = scenarios();
    let at = folder.path();
    expect(at, "sweep good.toml --seeds 0..3 --out out", 0);
    let before = results(&at.join("out"));
    let said = expect(at, "sweep good.toml --seeds-from random --count 3 --out out", 2).err;
    assert!(said.contains("another sweep is there"), "{said}");
    assert!(results(&at.join("out")) == before);
    expect(at, "sweep good.toml --seeds-from random --count 3 --out chance", 0);
    for other in
        ["good.toml --seeds-from random --count 4", "bad.toml --seeds-from random --count 3"]
    {
        let said = expect(at, &format!("sweep {other} --out chance"), 2).err;
        assert!(said.contains("another sweep is there"), "{said}");
    }
}

#[test]
fn a_sweep_that_saves_its_first_failure_is_over_when_it_is_begun_again() {
    let folder = scenarios();
    let at = folder.path();
    let line = "sweep bad.toml --seeds 5..20 --fail-fast --save --out out";
    let first = expect(at, line, 1);
    let (files, saved) = (results(&at.join("out")), fs::read(at.join("bad.seeds")).unwrap());
    let again = expect(at, line, 1);
    assert!(again.err.contains(" done before"), "{}", again.err);
    assert_eq!(again.out, first.out);
    assert!(results(&at.join("out")) == files);
    assert_eq!(fs::read(at.join("bad.seeds")).unwrap(), saved, "no seed is kept twice");
}

#[test]
fn a_recorded_run_is_swept_once_and_said_to_be() {
    let folder = scenarios();
    let at = folder.path();
    expect(at, "shrink bad.toml --seed 1 --out small.toml", 0);
    let alone = expect(at, "sweep small.toml --seeds 0..50 --out alone", 0);
    let said = "1 scenario (a recorded run, which is run once), seeds 0..50: 1 run\n";
    assert!(alone.err.contains(said), "{}", alone.err);
    expect(at, "sweep good.toml small.toml --seeds 7..10 --out both", 0);
    let sweep = results::read(&at.join("both")).unwrap();
    let runs: Vec<results::Run> = sweep.runs().map(Result::unwrap).collect();
    let of = |name: &str| runs.iter().filter(|run| run.scenario == name).count();
    assert_eq!((of("small"), of("good"), sweep.timelines.len()), (1, 6, 3));
    assert_eq!((&*runs[0].scenario, runs[0].seed), ("small", 1), "it is run first");
    expect(at, "report both", 0);
}

#[test]
fn two_checkouts_agree_on_what_a_sweep_is_and_share_its_shards() {
    let folders = [scenarios(), scenarios()];
    let [here, there] = [folders[0].path(), folders[1].path()];
    let theirs = there.display();
    expect(here, "plan bad.toml --seeds 0..6 --shards 2 --out plan.json", 0);
    expect(here, &format!("plan {theirs}/bad.toml --seeds 0..6 --shards 2 --out theirs.json"), 0);
    assert_ne!(
        fs::read(here.join("plan.json")).unwrap(),
        fs::read(here.join("theirs.json")).unwrap()
    );
    let alone = expect(here, "sweep --plan plan.json --out alone", 1);
    for (shard, plan, out) in [(0, "plan", "out"), (1, "theirs", "far")] {
        expect(here, &format!("sweep --plan {plan}.json --shard {shard}/2 --out {out}"), 0);
    }
    let part = "shard-00001-of-00002.parquet";
    fs::copy(here.join("far").join(part), here.join("out").join(part)).unwrap();
    let merged = expect(here, "merge out", 1);
    assert_eq!(merged.out, alone.out);
    assert!(results(&here.join("out")) == results(&here.join("alone")));
    let again = expect(here, "sweep --plan theirs.json --out alone", 1);
    assert_eq!(again.out, alone.out, "the paths that it was begun with stay");
}

#[test]
fn a_plan_of_a_newer_simctl_is_refused_by_name() {
    let folder = scenarios();
    let at = folder.path();
    expect(at, "sweep good.toml --seeds 0..2 --out out", 0);
    let path = at.join("out/plan.json");
    let text = fs::read_to_string(&path).unwrap();
    let ours = format!("\"format_version\": {}", results::FORMAT_VERSION);
    assert!(text.contains(&ours), "{text}");
    fs::write(&path, text.replace(&ours, "\"format_version\": 999")).unwrap();
    for line in [
        "sweep --plan out/plan.json --out new",
        "merge out",
        "sweep good.toml --seeds 0..2 --out out",
    ] {
        let said = expect(at, line, 2).err;
        assert!(said.contains("out/plan.json: it has format version 999, and"), "{line}: {said}");
    }
    assert!(!at.join("new").exists());
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_runs() {
    let folder = scenarios();
    let at = folder.path();
    expect(at, "plan good.toml --seeds 0..9 --shards 3", 0);
    let refused = |line: &str, said: &str| {
        let ran = simctl(at, &words(line));
        assert_eq!(ran.code, 2, "{line}: {}", ran.err);
        assert!(ran.err.contains(said), "{line}: {}", ran.err);
    };
    refused("sweep good.toml --seeds 9..9", "the range has no seed in it");
    refused("sweep good.toml --seeds 0..18446744073709551615", "the range of seeds overflows");
    refused("sweep good.toml --seeds-from abc --count 3", "12 hexadecimal digits");
    refused(
        "sweep --plan plan.json --out out --shard 3/3",
        "out of range: the plan has shards 0 to 2",
    );
    refused(
        "sweep --plan plan.json --out out --shard 1/4",
        "the plan has 3 shards, and --shard says 4",
    );
    refused("sweep --plan plan.json --out out --shard auto", "nothing says which shard this is");
    refused("sweep good.toml good.toml --seeds 0..2", "share the name `good`");
    refused("merge .", "3 of 3 shards are missing in .; to run them: --array=0-2");
    refused(
        "merge nowhere",
        "nowhere is not there: expected a folder that shards were written into",
    );
    refused("sweep --plan plan.json --engine hq --out unmade", "there is no `hq` on the PATH");
    assert!(!at.join("unmade").exists(), "nothing was written");
    refused("sweep --plan plan.json", "--out <DIR>");
    let text = fs::read_to_string(at.join("plan.json")).unwrap();
    let other = text.replace("three nodes take", "three nodes get");
    fs::write(at.join("other.json"), other).unwrap();
    refused(
        "sweep --plan other.json --shard 0/3 --out out",
        "the text of `good` is not that of its hash",
    );
    fs::write(at.join("other.json"), &text[..text.len() / 2]).unwrap();
    refused("sweep --plan other.json --shard 0/3 --out out", "other.json is damaged");
    let build = text.replace("\"build\": \"", "\"build\": \"9.9.9-");
    fs::write(at.join("other.json"), build).unwrap();
    refused("sweep --plan other.json --shard 0/3 --out out", "other.json is for simctl 9.9.9-");
    assert!(!at.join("out/shard-00000-of-00003.parquet").exists());
}

#[test]
fn shards_of_two_plans_are_not_mixed_and_a_damaged_one_is_named() {
    let folder = scenarios();
    let at = folder.path();
    expect(at, "plan good.toml --seeds 0..4 --shards 2 --out a.json", 0);
    expect(at, "plan good.toml --seeds 4..8 --shards 2 --out b.json", 0);
    for shard in 0..2 {
        expect(at, &format!("sweep --plan a.json --shard {shard}/2 --out a"), 0);
        expect(at, &format!("sweep --plan b.json --shard {shard}/2 --out b"), 0);
    }
    let said = expect(at, "sweep --plan b.json --shard 0/2 --out a", 2);
    assert!(said.err.contains("another sweep is there"), "{}", said.err);
    fs::copy(at.join("b/shard-00001-of-00002.parquet"), at.join("a/shard-00001-of-00002.parquet"))
        .unwrap();
    let said = expect(at, "merge a", 2);
    assert!(said.err.contains("a mix of plans cannot be merged"), "{}", said.err);
    let path = at.join("a/shard-00001-of-00002.parquet");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 40]).unwrap();
    let said = expect(at, "merge a", 2);
    assert!(said.err.contains("shard-00001-of-00002.parquet is damaged"), "{}", said.err);
    assert!(!at.join("a/sweep.parquet").exists());
}

#[test]
fn a_full_disk_leaves_no_file_under_a_final_name() {
    // A limit on the length of files is met as a full disk is: in the middle of a write.
    let folder = scenarios();
    let simctl = env!("CARGO_BIN_EXE_simctl");
    let script = format!(
        "trap '' XFSZ; ulimit -f 4; exec {simctl} sweep --plan plan.json --shard 0/1 --out out"
    );
    expect(folder.path(), "plan good.toml --seeds 0..40 --shards 1", 0);
    fs::create_dir(folder.path().join("out")).unwrap();
    fs::copy(folder.path().join("plan.json"), folder.path().join("out/plan.json")).unwrap();
    let mut command = Command::new("bash");
    let ran: Ran =
        command.args(["-c", &script]).current_dir(folder.path()).output().unwrap().into();
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("shard-00000-of-00001.parquet cannot be written"), "{}", ran.err);
    let left: Vec<_> = fs::read_dir(folder.path().join("out"))
        .unwrap()
        .map(|one| one.unwrap().file_name())
        .collect();
    assert_eq!(left, ["plan.json"]);
}
