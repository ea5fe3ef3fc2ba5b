//! A sweep for tests: written by the rules of `results`, from numbers that look like those of real runs.

use std::{io::Write, path::Path};

use results::{
    Cell, FORMAT_VERSION, Failure, Injected, Outcome, Plan, Planned, Run, Tally, Timeline, Window,
    store::{self, RowWriter},
};

use crate::digest::{Digest, MEASURES};

const MILLI: u64 = 1_000_000;

/// Says what could not be tried here, past the capture of tests, which would keep it to itself.
pub(crate) fn skipped(what: &str) {
    // Whoever has closed standard error does not want to know.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}

/// Whole numbers that look random and are always the same.
fn mixed(seed: u64, purpose: u64) -> u64 {
    let mut word = seed.wrapping_add(purpose.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

fn plan(seeds: u64) -> Plan {
    let cell = |loss: &str, nodes: &str| Cell {
        settings: vec![("network.loss".into(), loss.into()), ("fleet.nodes".into(), nodes.into())],
    };
    let losses = ["0%", "5%", "20%"];
    let planned = |name: &str, about: &str, cells| Planned {
        name: name.into(),
        path: format!("scenarios/{name}.toml"),
        about: about.into(),
        cells,
        ..Planned::default()
    };
    Plan {
        format_version: FORMAT_VERSION,
        build: "0.0.0 (test)".into(),
        seed_base: format!("0..{seeds}"),
        seed_count: seeds,
        scenarios: vec![
            planned(
                "major-bump",
                "A major release reaches every node & nothing of the old class is lost.",
                losses.iter().flat_map(|loss| ["5", "50"].map(|nodes| cell(loss, nodes))).collect(),
            ),
            planned("patch-bump", "A patch <hot-swaps> within the bound.", vec![Cell::default()]),
        ],
        ..Plan::default()
    }
}

/// The row of `seed`: slower with loss, with a heavy tail, and one in a hundred and fifty violates.
fn row(scenario: usize, at: usize, name: &str, cell: &str, seed: u64) -> Run {
    let number = seed + 1_000_003 * (scenario * 10 + at) as u64;
    let base = (180 + 140 * (at / 2) as u64 + 90 * (at % 2) as u64) * MILLI;
    let tail = 1_000_000 / (1 + mixed(number, 1) % 100_000);
    let latency = base + mixed(number, 2) % (base / 2) + tail.min(9_000) * MILLI / 3;
    let violates = at >= 4 && mixed(number, 3).is_multiple_of(100);
    let kind = mixed(number, 4) % 4;
    Run {
        format_version: FORMAT_VERSION,
        build: "0.0.0 (test)".into(),
        scenario: name.into(),
        scenario_hash: format!("{:032x}", 7),
        cell: cell.into(),
        seed,
        outcome: if violates { Outcome::Violates } else { Outcome::Holds },
        as_expected: !violates,
        signature: if violates { format!("{:016x}", u64::from(kind == 0)) } else { String::new() },
        fingerprint: format!("{:032x}", mixed(number, 5)),
        nodes: 5,
        convergence_p50_nanos: latency / 3,
        convergence_p90_nanos: latency / 2,
        convergence_p99_nanos: latency - MILLI,
        convergence_max_nanos: latency,
        ..Run::default()
    }
}

fn failure(kind: u64) -> Failure {
    let messages = [
        ("S6", "n3 delivered a message of class 2 while it ran 1.4.0"),
        ("S13", "n1 acknowledged a message <m7> that it lost in a crash"),
    ];
    let (invariant, message) = messages[kind as usize];
    Failure {
        format_version: FORMAT_VERSION,
        scenario: "major-bump".into(),
        cell: "loss=20% nodes=5".into(),
        seed: 17,
        invariant: invariant.into(),
        message: message.into(),
        signature: format!("{kind:016x}"),
        shape: "during a partition, two nodes".into(),
        at_nanos: 1_300 * MILLI,
        datagrams: 412,
        repeat: "simctl run scenarios/major-bump.toml --seed 17 --set network.loss=20%".into(),
        ..Failure::default()
    }
}

fn tally(name: &str, cell: &str, runs: u64) -> Tally {
    Tally {
        scenario: name.into(),
        cell: cell.into(),
        runs,
        holds: runs,
        as_expected: runs,
        wanted: vec!["converted".into(), "held".into()],
        goals: [("converted".into(), runs), ("held".into(), runs / 3)].into(),
        injectors: [
            (
                "loss".into(),
                Injected { configured: runs, attempted: 900 * runs, took_effect: 45 * runs },
            ),
            ("partition".into(), Injected { configured: runs, attempted: runs, took_effect: runs }),
        ]
        .into(),
        ..Tally::default()
    }
}

fn timeline(name: &str, cell: &str) -> Timeline {
    let steps = [
        (0, [5, 0, 0]),
        (400, [4, 1, 0]),
        (520, [3, 2, 0]),
        (900, [2, 2, 0]),
        (1_100, [0, 5, 0]),
        (2_000, [0, 4, 1]),
        (2_240, [0, 2, 3]),
        (2_900, [0, 0, 5]),
    ];
    Timeline {
        format_version: FORMAT_VERSION,
        scenario: name.into(),
        cell: cell.into(),
        seed: 0,
        safety_ended_nanos: 3_000 * MILLI,
        ended_nanos: 4_000 * MILLI,
        releases: vec!["1.0.0".into(), "1.1.0".into(), "2.0.0".into()],
        adoption: steps.map(|(at, nodes)| (at * MILLI, nodes.to_vec())).into(),
        held: [(0, 0), (420, 3), (600, 17), (1_100, 2), (1_150, 0), (2_100, 8), (2_950, 0)]
            .map(|(at, held)| (at * MILLI, held))
            .into(),
        windows: vec![
            Window {
                kind: "partition".into(),
                text: "n1 n2 | n3 n4 n5".into(),
                from_nanos: 300 * MILLI,
                to_nanos: 1_000 * MILLI,
            },
            Window {
                kind: "pause".into(),
                text: "n4".into(),
                from_nanos: 800 * MILLI,
                to_nanos: 2_600 * MILLI,
            },
        ],
    }
}

/// Writes a sweep of two scenarios, one of them with a grid, with `seeds` seeds into `folder`.
pub(crate) fn write(folder: &Path, seeds: u64) {
    write_slower(folder, seeds, 0, |run| run);
}

/// The same with seeds from `first` on and every run as `change` leaves it.
pub(crate) fn write_slower(folder: &Path, seeds: u64, first: u64, change: impl Fn(Run) -> Run) {
    let plan = plan(seeds);
    let mut rows = RowWriter::new(Vec::new()).unwrap();
    let (mut tallies, mut timelines) = (Vec::new(), Vec::new());
    for (scenario, planned) in plan.scenarios.iter().enumerate() {
        for (at, cell) in planned.cells.iter().enumerate() {
            let cell = cell.name();
            for seed in first..first + seeds {
                rows.push(&change(row(scenario, at, &planned.name, &cell, seed))).unwrap();
            }
            tallies.push(tally(&planned.name, &cell, seeds));
            timelines.push(timeline(&planned.name, &cell));
        }
    }
    let put = |name: &str, text: String| std::fs::write(folder.join(name), text).unwrap();
    put(store::PLAN, serde_json::to_string(&plan).unwrap());
    put(store::FAILURES, store::to_lines(&[failure(0), failure(1)]));
    put(store::TALLIES, store::to_lines(&tallies));
    put(store::TIMELINES, store::to_lines(&timelines));
    let bytes = rows.finish([("sweep", "test".to_owned())]).unwrap();
    std::fs::write(folder.join(store::ROWS), bytes).unwrap();
}

/// The sweep that [`write`] writes, read again.
pub(crate) fn digest(seeds: u64) -> Digest {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), seeds);
    Digest::read(store::read(folder.path()).unwrap(), MEASURES[0]).unwrap()
}
