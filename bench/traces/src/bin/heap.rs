//! What documents hold after an editing trace, in bytes of heap, and how often a replay allocates.
//!
//!     cargo run --release -p traces --features peers --bin heap -- --traces FOLDER [--with WORDS] [--way WORDS]
//!
//! What a library needs to be sent operations is counted where it keeps it; messages are not.

use std::process::ExitCode;

use common::counting::Counting;
use traces::{
    NAMES, Trace, folder,
    subjects::{Way, all, edited},
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const USAGE: &str = "usage: heap [--traces FOLDER] [--with WORDS] [--way WORDS]";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), String> {
    let (mut given, mut with, mut way) = (None, String::new(), String::new());
    let mut words = std::env::args().skip(1);
    while let Some(flag) = words.next() {
        let value = words.next().ok_or_else(|| format!("{flag} needs a value"))?;
        match flag.as_str() {
            "--traces" => given = Some(value),
            "--with" => with = value,
            "--way" => way = value,
            _ => return Err(format!("unknown flag {flag}")),
        }
    }
    let folder = folder(given)?;
    let traces: Vec<Trace> =
        NAMES.iter().map(|name| Trace::read(&folder, name)).collect::<Result<_, _>>()?;
    for way in Way::ALL.into_iter().filter(|it| it.title().contains(&way)) {
        print(way, &traces, &with)?;
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
