//! What a rename costs after an editing trace: to whom makes it, and to those whom it reaches.
//!
//!     cargo run --release -p traces --bin renames -- --traces FOLDER
//!
//! Medians in microseconds of wall time, of one thread; a copy of the text, timed among them, is what they
//! are to be compared with.

use std::{hint::black_box, process::ExitCode, time::Instant};

use sequence::{Moves, Operation, Sequence, Writer};
use traces::{
    NAMES, Trace, folder,
    subjects::{edited, operations},
};

/// Rounds; a figure is the median over them.
const ROUNDS: usize = 25;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let given = match (words.next().as_deref(), words.next()) {
        (None, None) => None,
        (Some("--traces"), Some(folder)) => Some(folder),
        _ => {
            eprintln!("usage: renames [--traces FOLDER]");
            return ExitCode::from(2);
        }
    };
    match folder(given).and_then(|folder| print(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn micros<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let before = Instant::now();
    let done = black_box(work());
    (before.elapsed().as_nanos() as f64 / 1e3, done)
}

/// The replica of another site that knows the same.
fn joined(site: u32, snapshot: &[u8]) -> Sequence {
    Sequence::restore(site, Moves::Eager, snapshot).expect("a replica's own snapshot")
}

fn renamed(replica: &Sequence) -> (f64, Sequence, Operation) {
    let mut replica = replica.clone();
    let (cost, operation) = micros(|| replica.rename().expect("a document to rename"));
    (cost, replica, operation)
}

/// One round: local, remote, concurrent and greater, concurrent and lesser, a copy of the text.
fn round(author: &Sequence, low: &Sequence, high: &Sequence) -> [f64; 5] {
    let (local, _, operation) = renamed(author);
    let mut reached = low.clone();
    let (remote, _) = micros(|| reached.apply(&operation).expect("an honest rename"));
    let (_, mut lesser_there, lesser) = renamed(low);
    let (_, mut greater_there, greater) = renamed(high);
    let (up, _) = micros(|| lesser_there.apply(&greater).expect("an honest rename"));
    let (kept, _) = micros(|| greater_there.apply(&lesser).expect("an honest rename"));
    let text = author.text();
    let (copied, _) = micros(|| text.clone());
    [local, remote, up, kept, copied]
}

fn print(folder: &std::path::Path) -> Result<(), String> {
    println!(
        "| µs | blocks | local | remote | concurrent, greater | concurrent, lesser | copy of the text | bytes an operation | bytes a block, spelled | named | snapshot, bytes | after rename and collection |"
    );
    println!(
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    );
    for name in NAMES {
        let trace = Trace::read(folder, name)?;
        let author = edited(&trace);
        let snapshot = author.snapshot();
        let (low, high) = (joined(2, &snapshot), joined(3, &snapshot));
        let rounds: Vec<[f64; 5]> = (0..ROUNDS).map(|_| round(&author, &low, &high)).collect();
        let median = |at: usize| {
            let mut samples: Vec<f64> = rounds.iter().map(|round| round[at]).collect();
            samples.sort_unstable_by(f64::total_cmp);
            samples[samples.len() / 2]
        };
        let (_, mut after, operation) = renamed(&author);
        let told = |why: sequence::Refused| why.to_string();
        let alone = Writer::default().write(std::slice::from_ref(&operation)).map_err(told)?.len();
        let named = after.shortened(&operation).map_or(0, |bytes| bytes.len());
        let mut writer = Writer::default();
        let operations = operations(&trace);
        let messages = operations.iter().map(|one| writer.write(std::slice::from_ref(one)));
        let sent = messages.map(|bytes| bytes.map(|bytes| bytes.len())).sum::<Result<usize, _>>();
        let each = sent.map_err(told)? as f64 / operations.len() as f64;
        after.collect(&[after.epoch()]);
        let (blocks, compact) = (author.blocks(), after.snapshot().len());
        println!(
            "| {name} | {blocks} | {:.0} | {:.0} | {:.0} | {:.0} | {:.1} | {each:.1} | {:.1} | {:.1} | {} | {} ({:.3} a character) |",
            median(0),
            median(1),
            median(2),
            median(3),
            median(4),
            alone as f64 / blocks as f64,
            named as f64 / blocks as f64,
            snapshot.len(),
            compact,
            compact as f64 / author.len() as f64,
        );
    }
    Ok(())
}
