//! Measures the full replica stack: whole runs of a scenario, as `simctl run` carries them out.
//!
//! `--mode all` is a run as it ships: invariants, goals and fingerprint. `no-invariants`,
//! `no-fingerprint` and `bare` leave those out; `bytes` has everything, and messages travel as bytes.
//! What is measured is the run alone: reading the scenario, deploying it, which all seeds share, and
//! writing the outcome stay outside.

use common::usage;
use harness::{
    outcome::Verdict,
    run::{Deployed, Options},
    scenario::Scenario,
};
use sim::Wire;
use std::{path::Path, process::ExitCode};

const HELP: &str = "stack [--scenario FILE] [--mode MODE] [--seeds N]";

/// What to run.
struct Asked {
    scenario: String,
    mode: String,
    /// Seeds from 1 on.
    seeds: u64,
}

/// What all runs together came to.
#[derive(Default)]
struct Total {
    /// What happened in the worlds.
    delivered: u64,
    sent: u64,
    events: u64,
    timers: u64,
    records: u64,
    notices: u64,
    virtual_nanos: u64,
    cpu_micros: u64,
    held: u64,
    /// Over all fingerprints; 0 where they are off.
    fingerprints: u128,
}

fn main() -> ExitCode {
    match asked(std::env::args().skip(1)).and_then(|asked| measure(&asked)) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn asked(mut words: impl Iterator<Item = String>) -> Result<Asked, String> {
    let scenario = "scenarios/major-bump.toml".to_owned();
    let mut asked = Asked { scenario, mode: "all".to_owned(), seeds: 1 };
    while let Some(flag) = words.next() {
        let value = words.next().ok_or(HELP)?;
        match flag.as_str() {
            "--scenario" => asked.scenario = value,
            "--mode" => asked.mode = value,
            "--seeds" => asked.seeds = value.parse().map_err(|_| HELP)?,
            _ => return Err(HELP.to_owned()),
        }
    }
    Ok(asked)
}

fn options(mode: &str) -> Result<Options, String> {
    let all = Options::default();
    match mode {
        "all" => Ok(all),
        "no-invariants" => Ok(Options { check: false, ..all }),
        "no-fingerprint" => Ok(Options { fingerprint: false, ..all }),
        "bare" => Ok(Options { check: false, fingerprint: false, ..all }),
        "bytes" => Ok(Options { wire: Wire::Bytes, ..all }),
        _ => Err(format!("no mode `{mode}`")),
    }
}

fn measure(asked: &Asked) -> Result<String, String> {
    let options = options(&asked.mode)?;
    let scenario = Scenario::read(Path::new(&asked.scenario))
        .map_err(|_| format!("{}: no valid scenario; simctl run says why", asked.scenario))?;
    let deployed = Deployed::new(&scenario).map_err(|error| error.to_string())?;
    let mut total = Total::default();
    for seed in 1..=asked.seeds {
        let before = usage::now();
        let outcome = deployed.run(seed, options, None);
        total.cpu_micros += usage::now().micros_since(&before);
        total.delivered += outcome.world.delivered;
        total.sent += outcome.world.sent;
        total.events += outcome.world.events;
        total.timers += outcome.world.timers;
        total.records += outcome.world.records;
        total.notices += outcome.world.notices;
        total.virtual_nanos += outcome.ended.as_nanos();
        total.held += u64::from(outcome.verdict == Verdict::Holds);
        total.fingerprints = total.fingerprints.rotate_left(1) ^ outcome.fingerprint.unwrap_or(0);
    }
    let figures = [
        ("runs", asked.seeds),
        ("held", total.held),
        ("delivered", total.delivered),
        ("sent", total.sent),
        ("events", total.events),
        ("timers", total.timers),
        ("records", total.records),
        ("notices", total.notices),
        ("virtual_nanos", total.virtual_nanos),
        ("cpu_micros", total.cpu_micros),
        ("resident_bytes_max", usage::now().resident_bytes_max),
    ];
    let figures = figures.map(|(name, value)| format!(",\"{name}\":{value}")).concat();
    let (subject, mode, hash) = (&asked.scenario, &asked.mode, total.fingerprints);
    Ok(format!(
        "{{\"subject\":\"{subject}\",\"mode\":\"{mode}\",\"hash\":\"{hash:032x}\"{figures}}}"
    ))
}
