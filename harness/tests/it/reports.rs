//! `simctl report`, `compare` and `plot`, on a small sweep of this build.

use std::{fs, path::Path};

use results::{
    Run,
    store::{self, RowWriter},
};

use crate::support::{HOLDS, exits, folder, refused};

/// A sweep of one scenario with a grid in `folder`/`name`.
fn sweep(folder: &Path, name: &str) {
    let scenario = "about = \"a patch reaches all\"\napp = \"counter\"\n\
        [fleet]\nnodes = 3\nruns = \"1.0.0\"\n[workload]\nrate = \"5/s\"\n\
        [[release]]\nversion = \"1.0.1\"\nat = \"500ms\"\nnode = \"n0\"\n\
        [phases]\nsafety = \"3s\"\nliveness = \"10s\"\n\
        [sweep]\nfleet.nodes = [3, 4]\n";
    fs::write(folder.join("patch.toml"), scenario).unwrap();
    exits(folder, &["sweep", "patch.toml", "--seeds", "0..12", "--out", name], 0);
}

/// The sweep in `from` again as `to`, with every run as `change` leaves it.
fn changed(folder: &Path, from: &str, to: &str, change: impl Fn(Run) -> Option<Run>) {
    let (from, to) = (folder.join(from), folder.join(to));
    fs::create_dir(&to).unwrap();
    for file in [store::PLAN, store::FAILURES, store::TALLIES, store::TIMELINES] {
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
    let sweep = results::read(&from).unwrap();
    let mut rows = RowWriter::new(Vec::new()).unwrap();
    for run in sweep.runs() {
        if let Some(run) = change(run.unwrap()) {
            rows.push(&run).unwrap();
        }
    }
    let note = sweep.rows.note("sweep").unwrap_or_default().to_owned();
    fs::write(to.join(store::ROWS), rows.finish([("sweep", note)]).unwrap()).unwrap();
}

#[test]
fn a_sweep_is_reported_drawn_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    sweep(folder, "out");
    exits(folder, &["report", "out"], 0);
    let page = fs::read_to_string(folder.join("out/report.html")).unwrap();
    assert!(page.contains("data-verdict=\"holds\" data-runs=\"24\" data-failed=\"0\""));
    assert!(page.contains("nodes=4") && page.contains("simctl run patch.toml --seed "));

    for name in ["overview", "ecdf", "heatmap", "failure-rate", "adoption"] {
        let file = format!("{name}.svg");
        exits(folder, &["plot", name, "out", "--svg", &file], 0);
        let text = fs::read_to_string(folder.join(file)).unwrap();
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"), "{name}");
    }
    exits(folder, &["plot", "ecdf", "out", "--png", "a.png"], 0);
    assert!(fs::read(folder.join("a.png")).unwrap().starts_with(b"\x89PNG"));

    let same = exits(folder, &["compare", "out", "out"], 0);
    assert!(same.out.starts_with("No worse: every run of patch took"));
    changed(folder, "out", "slow", |mut run| {
        run.convergence_max_nanos = run.convergence_max_nanos * 3 / 2;
        Some(run)
    });
    let slower = ["compare", "out", "slow", "--format", "json", "--out", "d.html"];
    let slower = exits(folder, &slower, 1);
    let answer: serde_json::Value =
        serde_json::from_str(slower.out.lines().next().unwrap()).unwrap();
    assert_eq!(answer["scenarios"][0]["latency"]["change"], "worse");
    assert!(fs::read_to_string(folder.join("d.html")).unwrap().contains("data-verdict=\"worse\""));
    // Faster is no worse.
    exits(folder, &["compare", "slow", "out"], 0);
}

#[test]
fn what_is_no_sweep_is_refused_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    sweep(folder, "out");
    refused(folder, &["report", "nowhere"], "nowhere is no sweep: it is not there");
    refused(folder, &["report", "."], "it has no plan.json");
    refused(
        folder,
        &["report", "out", "--column", "speed"],
        "no column `speed` to draw by; expected one of",
    );
    refused(folder, &["plot", "ecfd", "out"], "no plot `ecfd`; did you mean `ecdf`?");
    refused(folder, &["plot", "ecdf", "out", "--scenario", "x"], "the sweep has no scenario `x`");
    refused(folder, &["plot", "held", "out", "--cell", "nodes=9"], "patch has no cell `nodes=9`");
    refused(
        folder,
        &["plot", "ecdf", "out", "--cell", "x"],
        "`ecdf` shows every point of the grid",
    );
    refused(folder, &["compare", "out", "nowhere"], "nowhere is no sweep");

    changed(folder, "out", "empty", |_| None);
    refused(folder, &["report", "empty"], "the sweep has no runs");
    changed(folder, "out", "other", |mut run| {
        run.scenario = "other".into();
        Some(run)
    });
    refused(folder, &["report", "other"], "a row is of scenario `other`");

    changed(folder, "out", "bad", Some);
    let rows = folder.join("bad").join(store::ROWS);
    let mut bytes = fs::read(&rows).unwrap();
    bytes[200] ^= 0x40;
    fs::write(&rows, &bytes).unwrap();
    refused(folder, &["report", "bad"], "sweep.parquet is damaged");
    fs::write(&rows, &bytes[..bytes.len() / 2]).unwrap();
    refused(folder, &["compare", "out", "bad"], "sweep.parquet is damaged");
    fs::remove_file(&rows).unwrap();
    refused(folder, &["report", "bad"], "bad holds no finished sweep");

    fs::write(folder.join("mine.html"), "one\n{{ scenarioes }}").unwrap();
    refused(folder, &["report", "out", "--template", "mine.html"], "mine.html:2: ");
}

#[test]
fn a_page_holds_no_control_character_of_a_claim() {
    let about = HOLDS.replace("three nodes", "\\u001b[2Jthree nodes");
    let folder = folder(&[("patch.toml", &about)]);
    exits(folder.path(), &["sweep", "patch.toml", "--seeds", "0..2", "--out", "out"], 0);
    let page = exits(folder.path(), &["report", "out", "--out", "-"], 0).out;
    assert!(page.contains("u{1b}[2Jthree nodes take"), "{page}");
    assert!(!page.contains('\u{1b}'), "{page}");
}
