//! What documents hold after an editing trace, in bytes of heap, and how often a replay allocates.
//!
//!     cargo run --release -p traces --features peers --bin heap -- --traces FOLDER [--with WORDS] [--way WORDS]
//!
//! What a library needs to be sent operations is counted where it keeps it; messages are not.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use common::counting::Counting;
use traces::{
    FOLDER, NAMES, Trace, folder,
    subjects::{Way, all, edited},
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Counts what documents hold after an editing trace, in bytes of heap, and how often a replay allocates
#[derive(Debug, Parser)]
#[command(name = "heap")]
struct Asked {
    /// Where github.com/josephg/editing-traces is
    #[arg(long, value_name = "FOLDER", env = FOLDER, value_parser = folder)]
    traces: PathBuf,
    /// The subjects whose names have these words in them
    #[arg(long, value_name = "WORDS", default_value = "")]
    with: String,
    /// The tables whose titles have these words in them
    #[arg(long, value_name = "WORDS", default_value = "")]
    way: String,
}

fn main() -> ExitCode {
    match run(&Asked::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn run(Asked { traces, with, way }: &Asked) -> Result<(), String> {
    let traces: Vec<Trace> =
        NAMES.iter().map(|name| Trace::read(traces, name)).collect::<Result<_, _>>()?;
    for way in Way::ALL.into_iter().filter(|it| it.title().contains(way.as_str())) {
        print(way, &traces, with)?;
    }
    println!("\n| sequence | {} |", NAMES.join(" | "));
    println!("| --- |{}", " ---: |".repeat(NAMES.len()));
    let replicas: Vec<_> = traces.iter().map(edited).collect();
    let row = |name: &str, of: &dyn Fn(&sequence::Sequence) -> u64| {
        let cells: Vec<String> = replicas.iter().map(|replica| of(replica).to_string()).collect();
        println!("| {name} | {} |", cells.join(" | "));
    };
    row("text, bytes", &|replica| replica.len_utf8());
    row("held by its own count, bytes", &|replica| replica.held() as u64);
    row("blocks", &|replica| replica.blocks() as u64);
    row("depth, at most", &|replica| u64::from(replica.depth()));
    Ok(())
}

fn print(way: Way, traces: &[Trace], with: &str) -> Result<(), String> {
    println!("\n| {}: bytes of heap (allocations) | {} |", way.title(), NAMES.join(" | "));
    println!("| --- |{}", " ---: |".repeat(NAMES.len()));
    for subject in all().into_iter().filter(|it| it.way == way && it.name.contains(with)) {
        let mut cells = Vec::new();
        for trace in traces {
            let replayed = (subject.prepare)(trace)();
            if replayed.text != trace.end {
                return Err(format!("{}: {} ends with another text", trace.name, subject.name));
            }
            cells.push(format!("{} ({})", replayed.held_bytes, replayed.allocations));
        }
        println!("| {} | {} |", subject.name, cells.join(" | "));
        eprintln!("{subject:?}: done");
    }
    Ok(())
}
