//! What a rename costs after an editing trace: to whom makes it, and to those whom it reaches.
//!
//!     cargo run --release -p traces --bin renames -- --traces FOLDER
//!
//! Medians over rounds in microseconds of wall time, of one thread. A copy of the text, timed in the same round,
//! is what each is compared with; the ratio is the median of the rounds' ratios. Then what a replica holds over
//! a thousand renames.

use std::{hint::black_box, path::PathBuf, process::ExitCode, time::Instant};

use clap::Parser;
use sequence::{Moves, Operation, Options, Refused, Sequence, Writer};
use traces::{
    FOLDER, NAMES, Trace, folder,
    subjects::{drawing, edited, operations},
};

/// Rounds; a figure is the median over them.
const ROUNDS: usize = 25;

/// Blocks of the document that no trace has.
const SCATTERED: u64 = 20_000;

/// Renames over which memory is watched.
const RENAMES: usize = 1000;

/// Times renames after an editing trace, beside a copy of the text: microseconds, and what they hold and send
#[derive(Debug, Parser)]
#[command(name = "renames")]
struct Asked {
    /// Where github.com/josephg/editing-traces is
    #[arg(long, value_name = "FOLDER", env = FOLDER, value_parser = folder)]
    traces: PathBuf,
}

fn main() -> ExitCode {
    match print(&Asked::parse().traces) {
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

/// A document of its name, and what its author told on the way.
struct Document {
    name: String,
    author: Sequence,
    told: Vec<Operation>,
}

impl Document {
    fn of(trace: &Trace) -> Self {
        let (author, told) = (edited(trace), operations(trace));
        Self { name: trace.name.clone(), author, told }
    }

    /// A document of [`SCATTERED`] blocks: characters at random places, the worst case of blocks.
    fn scattered() -> Result<Self, Refused> {
        let mut author = Sequence::new(1, Options::default())?;
        let (mut place, mut draw, mut told) = (drawing(), drawing(), Vec::new());
        while author.len() < 2 * SCATTERED || (author.blocks() as u64) < SCATTERED {
            for _ in 0..SCATTERED / 4 {
                let index = place(author.len() + 1);
                told.extend(author.insert(index, "ab", &mut draw)?);
            }
        }
        Ok(Self { name: "at random places".to_owned(), author, told })
    }

    /// The row of the table.
    fn print(&self) -> Result<(), Refused> {
        let snapshot = self.author.snapshot();
        let (low, high) = (joined(2, &snapshot), joined(3, &snapshot));
        let rounds: Vec<[f64; 5]> = (0..ROUNDS).map(|_| round(&self.author, &low, &high)).collect();
        let (_, mut after, operation) = renamed(&self.author);
        let spelled = Writer::default().write(std::slice::from_ref(&operation))?.len();
        let named = after.shortened(&operation).map_or(0, |bytes| bytes.len());
        let mut writer = Writer::default();
        let messages = self.told.iter().map(|one| writer.write(std::slice::from_ref(one)));
        let sent =
            messages.map(|bytes| bytes.map(|bytes| bytes.len())).sum::<Result<usize, _>>()?;
        after.collect(&[after.epoch()]);
        let (blocks, compact) = (self.author.blocks() as f64, after.snapshot().len());
        print!("| {} | {} | {blocks}", self.name, self.author.len());
        for kind in 0..4 {
            let cost = median(rounds.iter().map(|round| round[kind]));
            let ratio = median(rounds.iter().map(|round| round[kind] / round[4]));
            print!(" | {cost:.0} ({ratio:.0}x)");
        }
        println!(
            " | {:.1} | {:.1} | {:.1} | {:.1} | {} | {:.3} |",
            median(rounds.iter().map(|round| round[4])),
            sent as f64 / self.told.len() as f64,
            spelled as f64 / blocks,
            named as f64 / blocks,
            snapshot.len(),
            compact as f64 / self.author.len() as f64,
        );
        Ok(())
    }
}

fn median(samples: impl Iterator<Item = f64>) -> f64 {
    let mut samples: Vec<f64> = samples.collect();
    samples.sort_unstable_by(f64::total_cmp);
    samples[samples.len() / 2]
}

fn print(folder: &std::path::Path) -> Result<(), String> {
    let refused = |why: Refused| why.to_string();
    println!(
        "| µs, and as many copies of the text | characters | blocks | local | remote | concurrent, greater | concurrent, lesser | copy of the text | bytes an operation | bytes a block, spelled | named | snapshot, bytes | bytes a character after rename and collection |"
    );
    println!(
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    );
    for name in NAMES {
        Document::of(&Trace::read(folder, name)?).print().map_err(refused)?;
    }
    Document::scattered().and_then(|document| document.print()).map_err(refused)?;
    print_memory().map_err(refused)
}

/// Bytes that a replica holds after as many renames: collected, put aside, or all of it kept.
fn print_memory() -> Result<(), Refused> {
    println!("\n| renames | collected, bytes | put aside, in memory | in storage | all kept |");
    println!("| ---: | ---: | ---: | ---: | ---: |");
    let mut author = Sequence::new(1, Options::default())?;
    let others = [2, 3, 4].map(|site| Sequence::new(site, Options::default()));
    let [collects, offloads, keeps] = others;
    let (mut collects, mut offloads, mut keeps) = (collects?, offloads?, keeps?);
    let (mut place, mut draw, mut stored) = (drawing(), drawing(), 0);
    for renames in 1..=RENAMES {
        for _ in 0..100 {
            let index = place(author.len() + 1);
            let mut told = author.insert(index, "abc", &mut draw)?.to_vec();
            if author.len() > 5000 {
                let from = place(author.len() - 3);
                told.push(author.remove(from..from + 3)?);
            }
            for replica in [&mut collects, &mut offloads, &mut keeps] {
                told.iter().try_for_each(|operation| replica.apply(operation).map(drop))?;
            }
        }
        let rename = author.rename()?;
        author.collect_announced([author.epoch()]);
        for replica in [&mut collects, &mut offloads, &mut keeps] {
            replica.apply(&rename)?;
        }
        collects.collect_announced([collects.epoch()]);
        for epoch in offloads.offloadable() {
            stored += offloads.offload(epoch).map_or(0, |bytes| bytes.len());
        }
        if [1, 10, 100, RENAMES].contains(&renames) {
            let held = |replica: &Sequence| replica.held() + replica.held_by_former_states();
            let [collects, offloads, keeps] = [&collects, &offloads, &keeps].map(held);
            println!("| {renames} | {collects} | {offloads} | {stored} | {keeps} |");
        }
    }
    Ok(())
}
