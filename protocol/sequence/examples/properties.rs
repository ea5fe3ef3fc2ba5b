//! Random runs of 3 to 5 sites against the reference, as many as asked for.
//!
//!     cargo run --release -p sequence --example properties -- --runs 100000
//!     cargo run --release -p sequence --example properties -- --runs 1000 --from 5000 --mapping printed

#[path = "../tests/fleet/mod.rs"]
mod fleet;
#[path = "../tests/reference/mod.rs"]
mod reference;

use std::process::ExitCode;

use fleet::Seen;
use reference::Mapping;

const USAGE: &str = "usage: properties [--runs COUNT] [--from SEED] [--mapping repaired|printed]";

/// Failures that are printed in full.
const SHOWN_MAX: usize = 3;

fn main() -> ExitCode {
    let (mut runs, mut from, mut mapping) = (1000_u64, 0_u64, Mapping::Repaired);
    let mut words = std::env::args().skip(1);
    while let Some(flag) = words.next() {
        let value = words.next().unwrap_or_default();
        let fine = match flag.as_str() {
            "--runs" => value.parse().map(|value| runs = value).is_ok(),
            "--from" => value.parse().map(|value| from = value).is_ok(),
            "--mapping" => match value.as_str() {
                "repaired" => true,
                "printed" => {
                    mapping = Mapping::Printed;
                    true
                }
                _ => false,
            },
            _ => false,
        };
        if !fine {
            eprintln!("{flag} {value}: not understood\n{USAGE}");
            return ExitCode::from(2);
        }
    }
    // A panic is a result here.
    std::panic::set_hook(Box::new(|_| {}));
    let mut seen = Seen::default();
    let mut failed = Vec::new();
    for seed in from..from.saturating_add(runs) {
        match fleet::run(seed, mapping) {
            Ok(one) => seen.add(&one),
            Err(why) => failed.push(why),
        }
    }
    for why in failed.iter().take(SHOWN_MAX) {
        println!("{why}");
    }
    println!("{} runs held, {} did not", seen.runs, failed.len());
    println!(
        "{} of them with numbers at the ends of their ranges: \
         {} operations, {} steps checked, {} renames ({} with siblings), {} epochs collected, \
         {} times restored, {} renames read from few bytes and {} asked for, \
         {} changes told to editors, {} former states put aside and {} taken back, \
         up to {} epochs deep and {} tuples long, {} identifiers with reserved tuples seen",
        seen.far,
        seen.operations,
        seen.steps,
        seen.renames,
        seen.sibling_renames,
        seen.collected,
        seen.restored,
        seen.lengthened,
        seen.asked,
        seen.changes,
        seen.offloaded,
        seen.loaded,
        seen.epochs_deep,
        seen.tuples_deep,
        seen.reserved,
    );
    for (way, runs) in &seen.ways {
        println!("{runs:>8} runs: {way}");
    }
    ExitCode::from(u8::from(!failed.is_empty()))
}
