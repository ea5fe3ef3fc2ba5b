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
    subjects::{Subject, Way, all, edited},
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
    let tables = tables(way, with)?;
    let traces: Vec<Trace> =
        NAMES.iter().map(|name| Trace::read(traces, name)).collect::<Result<_, _>>()?;
    for (way, subjects) in &tables {
        print(*way, subjects, &traces)?;
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

/// The tables with `titled` in their titles, and the subjects of each with `named` in their names; those
/// that have any. Errors: there is none.
fn tables(titled: &str, named: &str) -> Result<Vec<(Way, Vec<Subject>)>, String> {
    let mut ways = Way::ALL.into_iter().filter(|way| way.title().contains(titled)).peekable();
    if ways.peek().is_none() {
        return Err(format!("--way {titled:?}: no title of a table has these words in it"));
    }
    let of = |way| all().into_iter().filter(move |it| it.way == way && it.name.contains(named));
    let tables = ways.map(|way| (way, of(way).collect::<Vec<_>>()));
    let tables: Vec<_> = tables.filter(|(_, subjects)| !subjects.is_empty()).collect();
    if tables.is_empty() {
        return Err(format!("--with {named:?}: no name of a subject has these words in it"));
    }
    Ok(tables)
}

fn print(way: Way, subjects: &[Subject], traces: &[Trace]) -> Result<(), String> {
    println!("\n| {}: bytes of heap (allocations) | {} |", way.title(), NAMES.join(" | "));
    println!("| --- |{}", " ---: |".repeat(NAMES.len()));
    for subject in subjects {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_nothing_has_are_refused() {
        let refused = |titled, named| tables(titled, named).map(|_| ()).unwrap_err();
        assert!(refused("remot", "nobody").starts_with("--with \"nobody\": "));
        assert!(refused("remoot", "").starts_with("--way \"remoot\": "));
        assert_eq!(tables("", "").unwrap().len(), Way::ALL.len());
        let local = tables("local", "").unwrap();
        assert!(local.iter().all(|(way, _)| *way == Way::Local) && local[0].1.len() > 1);
    }
}
