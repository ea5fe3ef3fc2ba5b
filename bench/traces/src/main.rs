//! Replays editing traces, every subject once a round, and prints a table of medians in markdown.
//!
//!     cargo run --release -p traces -- --traces FOLDER [--rounds N] [--only TRACE] [--with WORDS]
//!
//! `--with` keeps the subjects whose names have these words in them.

use std::process::ExitCode;

use traces::{
    NAMES, Trace, folder,
    subjects::{SUBJECTS, Subject},
};

const USAGE: &str = "usage: traces [--traces FOLDER] [--rounds N] [--only TRACE] [--with WORDS]";

/// Rounds, unless told otherwise.
const ROUNDS: usize = 9;

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
    let (mut given, mut rounds, mut only, mut with) = (None, ROUNDS, None, String::new());
    let mut words = std::env::args().skip(1);
    while let Some(flag) = words.next() {
        let value = words.next().ok_or_else(|| format!("{flag} needs a value"))?;
        match flag.as_str() {
            "--traces" => given = Some(value),
            "--rounds" => match value.parse() {
                Ok(number) if number > 0 => rounds = number,
                _ => return Err(format!("--rounds {value}: expected a number above 0")),
            },
            "--only" => only = Some(value),
            "--with" => with = value,
            _ => return Err(format!("unknown flag {flag}")),
        }
    }
    let subjects: Vec<&Subject> =
        SUBJECTS.iter().filter(|subject| subject.name.contains(&with)).collect();
    let folder = folder(given)?;
    let names: Vec<&str> = match &only {
        Some(name) => vec![name],
        None => NAMES.to_vec(),
    };
    println!("| CPU ms, median of {rounds} | {} |", names.join(" | "));
    println!("| --- |{}", " ---: |".repeat(names.len()));
    let mut columns = Vec::new();
    for name in names {
        columns.push(medians(&subjects, &Trace::read(&folder, name)?, rounds)?);
        eprintln!("{name}: done");
    }
    for (at, subject) in subjects.iter().enumerate() {
        let cells: Vec<String> =
            columns.iter().map(|column| format!("{:.2}", column[at] as f64 / 1e3)).collect();
        println!("| {} | {} |", subject.name, cells.join(" | "));
    }
    Ok(())
}

/// The median of each subject, in microseconds.
fn medians(subjects: &[&Subject], trace: &Trace, rounds: usize) -> Result<Vec<u64>, String> {
    let mut samples = vec![Vec::with_capacity(rounds); subjects.len()];
    for _ in 0..rounds {
        for (subject, samples) in subjects.iter().zip(&mut samples) {
            let (micros, text) = (subject.replay)(trace);
            if text != trace.end {
                return Err(format!("{}: {} ends with another text", trace.name, subject.name));
            }
            samples.push(micros);
        }
    }
    let median = |mut samples: Vec<u64>| {
        samples.sort_unstable();
        samples[samples.len() / 2]
    };
    Ok(samples.into_iter().map(median).collect())
}
