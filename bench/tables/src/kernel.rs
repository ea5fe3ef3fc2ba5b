//! The kernel's table: our world, the floors and the peers on one workload.

use crate::{
    bars::Bar,
    programs::Programs,
    sample::{Sample, Spread},
};
use std::path::PathBuf;

/// A case of the workload.
struct Case {
    name: &'static str,
    nodes: usize,
    gap_micros: u64,
    /// How many others a node sends requests to; 0 for all.
    few: u64,
    /// Datagrams that floors and the kernel deliver.
    target: u64,
    /// Datagrams that each peer delivers; 0 where it is left out.
    peers: [u64; 3],
}

const MILLION: u64 = 1_000_000;

/// Peers deliver less where they are slow: turmoil takes every host each simulated millisecond. With
/// 10,000 nodes they are left out. Among these, a datagram to anyone crosses a link that none crossed
/// before, which no deployment does; so they also run with 8 peers each.
#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "dense 5", nodes: 5, gap_micros: 1_000, few: 0, target: 10 * MILLION, peers: [MILLION; 3] },
    Case { name: "dense 50", nodes: 50, gap_micros: 1_000, few: 0, target: 10 * MILLION, peers: [MILLION; 3] },
    Case { name: "dense 200", nodes: 200, gap_micros: 1_000, few: 0, target: 10 * MILLION, peers: [MILLION, MILLION, 100_000] },
    Case { name: "sparse 5", nodes: 5, gap_micros: 100_000, few: 0, target: 10 * MILLION, peers: [MILLION, MILLION, 50_000] },
    Case { name: "sparse 50", nodes: 50, gap_micros: 100_000, few: 0, target: 10 * MILLION, peers: [MILLION, MILLION, 20_000] },
    Case { name: "sparse 10,000", nodes: 10_000, gap_micros: 100_000, few: 0, target: 4 * MILLION, peers: [0; 3] },
    Case { name: "10,000, 8 peers", nodes: 10_000, gap_micros: 100_000, few: 8, target: 4 * MILLION, peers: [0; 3] },
];

/// Peers in the order of [`Case::peers`]: package, and the compiler flags it needs.
const PEERS: [(&str, &str); 3] =
    [("peer-nexosim", ""), ("peer-madsim", "--cfg madsim"), ("peer-turmoil", "")];
/// How many times faster the kernel must be at [`PEERS_CASE`].
const FASTER: [f64; 3] = [5.0, 7.0, 20.0];
/// Where peers are compared.
const PEERS_CASE: &str = "dense 50";
/// The same traffic of a node, among few and among many.
const FEW_CASE: &str = "sparse 50";
/// See [`FEW_CASE`].
const MANY_CASES: [&str; 2] = ["sparse 10,000", "10,000, 8 peers"];
/// What madsim can take: each receive costs it a simulated millisecond.
const MADSIM_GAP_MICROS_MIN: u64 = 3_000;
/// The floor's wheel has one turn of 16 ms.
const WHEEL_GAP_MICROS_MAX: u64 = 16_000;

/// One row: a subject in a case.
struct Row {
    case: &'static Case,
    program: PathBuf,
    /// Of [`PEERS`], where it is one.
    peer: Option<usize>,
    mode: &'static str,
    arguments: Vec<String>,
    samples: Vec<Sample>,
}

impl Row {
    fn spread(&self) -> Spread {
        Spread::of(self.samples.iter().map(|sample| sample.per_cpu_second("delivered")))
    }

    fn is(&self, case: &str, mode: &str) -> bool {
        self.case.name == case && self.mode == mode
    }
}

/// Measures and prints the table; returns its bars.
pub(crate) fn print(programs: &Programs, rounds: usize) -> Result<Vec<Bar>, String> {
    let mut rows = rows(programs)?;
    for round in 1..=rounds {
        for row in &mut rows {
            let (case, mode) = (row.case.name, row.mode);
            eprintln!("bench: round {round}: {case}, {} {mode}", row.program.display());
            row.samples.push(programs.measure(&row.program, &row.arguments)?);
        }
    }
    println!("\n## Kernel: datagrams delivered per CPU second\n");
    println!(
        "| case | subject | millions, median (least..most) | of the heap floor | kernel ÷ this | \
         virtual s per CPU s | lost | same in all rounds |\n|---|---|---:|---:|---:|---:|---:|---|"
    );
    for row in &rows {
        println!("{}", line(row, &rows));
    }
    Ok(bars(&rows))
}

fn rows(programs: &Programs) -> Result<Vec<Row>, String> {
    let (floor, kernel) = (programs.build("floor")?, programs.build("kernel")?);
    let peers = PEERS.map(|(package, flags)| {
        let built = match flags {
            "" => programs.build(package),
            _ => programs.build_with(package, flags),
        };
        built.inspect_err(|why| println!("\n{why}: left out.")).ok()
    });
    let mut rows = Vec::new();
    for case in CASES {
        let mut add =
            |program: &PathBuf, peer: Option<usize>, mode, target: u64, gap_micros: u64| {
                let mut arguments = vec![];
                let figures =
                    [("nodes", case.nodes as u64), ("target", target), ("gap-us", gap_micros)];
                for (name, value) in figures {
                    arguments.extend([format!("--{name}"), value.to_string()]);
                }
                if case.few > 0 {
                    arguments.extend(["--peers".to_owned(), case.few.to_string()]);
                }
                if peer.is_none() {
                    arguments.extend(["--mode".to_owned(), String::from(mode)]);
                }
                let (program, samples) = (program.clone(), vec![]);
                rows.push(Row { case, program, peer, mode, arguments, samples });
            };
        add(&floor, None, "heap", case.target, case.gap_micros);
        if case.gap_micros < WHEEL_GAP_MICROS_MAX {
            add(&floor, None, "wheel", case.target, case.gap_micros);
        }
        for mode in ["plain", "fingerprint", "bytes", "faults"] {
            add(&kernel, None, mode, case.target, case.gap_micros);
        }
        for (peer, (program, target)) in peers.iter().zip(case.peers).enumerate() {
            let package = PEERS[peer].0;
            let gap_micros = match package {
                "peer-madsim" => case.gap_micros.max(MADSIM_GAP_MICROS_MIN),
                _ => case.gap_micros,
            };
            if let Some(program) = program.as_ref().filter(|_| target > 0) {
                add(program, Some(peer), package, target, gap_micros);
            }
        }
    }
    Ok(rows)
}

fn line(row: &Row, rows: &[Row]) -> String {
    let spread = row.spread();
    let ratio = |mode: &str| {
        let other = rows.iter().find(|other| other.is(row.case.name, mode));
        other.map_or(f64::NAN, |other| other.spread().median / spread.median)
    };
    let first = &row.samples[0];
    let virtual_seconds = Spread::of(row.samples.iter().map(|s| s.per_cpu_second("virtual_nanos")));
    let lost = 1.0 - first.figure("delivered") / first.figure("sent");
    let same = row.samples.iter().all(|sample| sample.text("hash") == first.text("hash"));
    format!(
        "| {} | {} {} | {} | {:.2} | {:.1} | {:.2} | {:.2} % | {} |",
        row.case.name,
        first.text("subject"),
        first.text("mode"),
        spread.millions(),
        1.0 / ratio("heap"),
        ratio("plain"),
        virtual_seconds.median / 1e9,
        lost * 100.0,
        if same { "yes" } else { "**NO**" },
    )
}

fn bars(rows: &[Row]) -> Vec<Bar> {
    let median = |case: &str, mode: &str| {
        let row = rows.iter().find(|row| row.is(case, mode));
        row.map_or(f64::NAN, |row| row.spread().median)
    };
    let mut bars = Vec::new();
    for case in CASES {
        for (mode, least) in [("plain", 0.5), ("fingerprint", 0.3)] {
            let share = median(case.name, mode) / median(case.name, "heap");
            let claim = format!("{}: kernel, {mode}, of the heap floor", case.name);
            bars.push(Bar::at_least(claim, share, least));
        }
    }
    for (peer, least) in FASTER.into_iter().enumerate() {
        if let Some(row) =
            rows.iter().find(|row| row.peer == Some(peer) && row.case.name == PEERS_CASE)
        {
            let times = median(PEERS_CASE, "plain") / row.spread().median;
            let claim = format!("{PEERS_CASE}: kernel ÷ {}", row.samples[0].text("subject"));
            bars.push(Bar::at_least(claim, times, least));
        }
    }
    for many in MANY_CASES {
        let cost = median(FEW_CASE, "plain") / median(many, "plain");
        let claim = format!("kernel: cost per message, {many} ÷ {FEW_CASE}");
        bars.push(Bar::at_most(claim, cost, 2.5));
    }
    bars
}
