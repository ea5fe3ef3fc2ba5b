//! The full replica stack on whole scenarios, and which layer takes how much of it.
//!
//! Shares are found by leaving a layer out and measuring again, so they hold what the layer costs the
//! others in cache as well. A run is the same run, event for event, with or without fingerprint and
//! invariants: neither decides anything.

use crate::{
    bars::Bar,
    programs::Programs,
    sample::{Sample, Spread},
};
use std::path::Path;

/// The flagship, whose runs are short; and its fleet under load, where fixed costs are spread thin.
const SCENARIOS: [&str; 2] = ["scenarios/major-bump.toml", "bench/stack/counter-fleet.toml"];
/// Seeds of one measurement.
const SEEDS: u64 = 10;
/// Datagrams that a CPU second must deliver with everything on.
const DELIVERED_PER_CPU_SECOND_MIN: f64 = 2e6;

/// Ways to run it, and what each leaves out or adds.
const MODES: [(&str, &str); 5] = [
    ("all", "everything: invariants, fingerprint"),
    ("no-invariants", "without invariants and goals"),
    ("no-fingerprint", "without fingerprint"),
    ("bare", "without either"),
    ("bytes", "everything, with bytes on the wire"),
];

/// Measures and prints a table for each scenario; returns their bars.
pub(crate) fn print(programs: &Programs, rounds: usize) -> Result<Vec<Bar>, String> {
    let (stack, kernel) = (programs.build("stack")?, programs.build("kernel")?);
    SCENARIOS
        .iter()
        .map(|scenario| {
            let mut samples: [Vec<Sample>; MODES.len()] = Default::default();
            let mut kernels = Vec::new();
            for round in 1..=rounds {
                for ((mode, _), samples) in MODES.iter().zip(&mut samples) {
                    eprintln!("bench: round {round}: {scenario}, {mode}");
                    samples.push(measure(programs, &stack, scenario, mode, SEEDS)?);
                }
                let words = ["--nodes", "7", "--target", "3000000", "--mode", "faults"];
                kernels.push(programs.measure(&kernel, &words.map(str::to_owned))?);
            }
            Ok(print_scenario(scenario, &samples, nanos(&kernels)))
        })
        .collect()
}

fn print_scenario(scenario: &str, samples: &[Vec<Sample>; MODES.len()], kernel: f64) -> Bar {
    println!("\n## Full stack: {scenario}, {SEEDS} seeds a round\n");
    println!(
        "| what runs | datagrams per CPU s, millions | runs per CPU s | ns per datagram |\n\
         |---|---:|---:|---:|"
    );
    for ((_, name), samples) in MODES.iter().zip(samples) {
        let delivered = Spread::of(samples.iter().map(|s| s.per_cpu_second("delivered")));
        let runs = Spread::of(samples.iter().map(|s| s.per_cpu_second("runs"))).median;
        let nanos = nanos(samples);
        println!("| {name} | {} | {runs:.1} | {nanos:.0} |", delivered.millions());
    }
    println!("| the kernel alone, 7 nodes of its own workload | | | {kernel:.0} |");
    let first = &samples[0][0];
    let each = |name: &str| first.figure(name) / first.figure("delivered");
    println!(
        "\nTo a datagram delivered come {:.1} events of the world, {:.2} timers, {:.2} records on disk \
         and {:.1} notices; {} of {} runs held.",
        each("events"),
        each("timers"),
        each("records"),
        each("notices"),
        first.figure("held"),
        first.figure("runs"),
    );
    print_shares(samples.each_ref().map(|samples| nanos(samples)), kernel);
    let delivered = Spread::of(samples[0].iter().map(|s| s.per_cpu_second("delivered"))).median;
    let found = format!("{:.2} million", delivered / 1e6);
    let claim = format!("{scenario}, everything on: 2 million datagrams per CPU second");
    Bar::so(claim, found, delivered >= DELIVERED_PER_CPU_SECOND_MIN)
}

/// Runs `scenario` with seeds from 1 on.
pub(crate) fn measure(
    programs: &Programs,
    stack: &Path,
    scenario: &str,
    mode: &str,
    seeds: u64,
) -> Result<Sample, String> {
    let words = ["--scenario", scenario, "--mode", mode, "--seeds", &seeds.to_string()];
    programs.measure(stack, &words.map(str::to_owned))
}

/// Nanoseconds of CPU time per delivered datagram.
fn nanos(samples: &[Sample]) -> f64 {
    1e9 / Spread::of(samples.iter().map(|sample| sample.per_cpu_second("delivered"))).median
}

fn print_shares([all, no_invariants, no_fingerprint, bare, _]: [f64; MODES.len()], kernel: f64) {
    println!("\n| layer | share of everything | how found |\n|---|---:|---|");
    let shares = [
        ("invariants and goals", all - no_invariants, "left out"),
        ("fingerprint", all - no_fingerprint, "left out"),
        ("kernel", kernel, "its own workload, per datagram"),
        ("replica, upgrade, app and the harness's watch", bare - kernel, "what is left"),
    ];
    for (layer, nanos, how) in shares {
        println!("| {layer} | {:.0} % | {how} |", 100.0 * nanos / all);
    }
}
