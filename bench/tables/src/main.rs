//! Builds every benchmark, runs them interleaved on one core, and prints the tables in markdown.
//!
//! Figures are per CPU second, so that a busy machine slows all subjects alike; each is the median of
//! several rounds, and a round runs every subject once. Progress goes to stderr, tables to stdout. A
//! peer that cannot be built, offline for instance, is left out and named.

mod bars;
mod kernel;
mod memory;
mod programs;
mod sample;
mod stack;
mod startup;

use bars::Bar;
use programs::Programs;
use std::process::ExitCode;

/// Rounds, unless told otherwise.
const ROUNDS: usize = 5;

const HELP: &str = "\
cargo run --release -p tables [-- --only TABLE] [--runs N]

  --only TABLE   kernel, stack, memory or startup; otherwise all
  --runs N       rounds; figures are medians over them (5)
";

/// A table: its name, and what measures it and prints it.
type Table = (&'static str, fn(&Programs, usize) -> Result<Vec<Bar>, String>);

const TABLES: &[Table] = &[
    ("kernel", kernel::print),
    ("stack", stack::print),
    ("memory", memory::print),
    ("startup", startup::print),
];

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    only: Option<String>,
    rounds: usize,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(why) => {
            eprint!("{why}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("bench: {why}");
            ExitCode::FAILURE
        }
    }
}

fn options(mut words: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options { only: None, rounds: ROUNDS };
    while let Some(flag) = words.next() {
        let value = words.next().ok_or_else(|| format!("no value after `{flag}`"))?;
        match flag.as_str() {
            "--only" if TABLES.iter().any(|(name, _)| *name == value) => {
                options.only = Some(value);
            }
            "--only" => return Err(format!("no table `{value}`")),
            "--runs" => match value.parse() {
                Ok(rounds @ 1..) => options.rounds = rounds,
                _ => return Err(format!("`{value}` is no number of rounds")),
            },
            _ => return Err(format!("no option `{flag}`")),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> Result<(), String> {
    let programs = Programs::find()?;
    println!("Machine: {}. {} rounds.", programs.machine(), options.rounds);
    let mut bars = Vec::new();
    for (name, print) in TABLES {
        if options.only.as_deref().is_none_or(|only| only == *name) {
            bars.extend(print(&programs, options.rounds)?);
        }
    }
    bars::print(&bars);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Options, String> {
        options(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn reads_options_and_refuses_nonsense() {
        assert_eq!(parse(""), Ok(Options { only: None, rounds: ROUNDS }));
        let chosen = Options { only: Some("stack".to_owned()), rounds: 3 };
        assert_eq!(parse("--only stack --runs 3"), Ok(chosen));
        for text in ["--only", "--only peers", "--runs 0", "--runs x", "--fast 1"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
