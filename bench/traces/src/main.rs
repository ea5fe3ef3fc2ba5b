//! Replays editing traces, every subject once a round, and prints tables in markdown: medians of CPU time,
//! and in brackets the median over the rounds of its ratio to ours.
//!
//!     cargo run --release -p traces --features peers -- --traces FOLDER
//!
//! `--help` has the rest. Without the feature only ours and a gap buffer are there; a feature named as a peer
//! (`--features diamond-types`) builds that one in.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;

use traces::{
    FOLDER, NAMES, Trace, folder,
    history::{CONCURRENT, History},
    replay::Replayed,
    subjects::{Replay, Subject, Way, all, merged},
};

/// CPU time that a subject takes of a way and trace before it sits out the other rounds, in microseconds.
const ENOUGH_MICROS: f64 = 2e6;

const EXAMPLES: &str = "\
Examples:
  traces --traces ~/editing-traces                                   all tables
  traces --traces ~/editing-traces --way local --with diamond        ours and one peer
  traces --traces ~/editing-traces --way remote --only rustcode      one trace

Titles of tables: local, one call a patch; remote, operation by operation; remote, all at once; load;
several authors, operation by operation.";

/// Replays editing traces, ours beside others: medians of CPU time, and of ratios to ours
#[derive(Debug, Parser)]
#[command(name = "traces", after_help = EXAMPLES)]
struct Asked {
    /// Where github.com/josephg/editing-traces is
    #[arg(long, value_name = "FOLDER", env = FOLDER, value_parser = folder)]
    traces: PathBuf,
    /// How often each is replayed; who is slow is replayed less often
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    rounds: u16,
    /// One trace alone
    #[arg(long, value_name = "TRACE")]
    only: Option<String>,
    /// The subjects whose names have these words in them, and ours
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

fn run(asked: &Asked) -> Result<(), String> {
    let (ways, several_too) = tables(asked)?;
    let rounds = usize::from(asked.rounds);
    let names: Vec<&str> = asked.only.as_deref().map_or(NAMES.to_vec(), |name| vec![name]);
    let traces: Vec<Trace> =
        names.iter().map(|name| Trace::read(&asked.traces, name)).collect::<Result<_, _>>()?;
    for way in ways {
        let wanted = |subject: &Subject| subject.name.contains(&asked.with);
        let mut subjects: Vec<Subject> = all().into_iter().filter(|it| it.way == way).collect();
        let mut at = 0;
        subjects.retain(|subject| {
            at += 1;
            at == 1 || wanted(subject)
        });
        let mut columns = Vec::new();
        for trace in &traces {
            let replays = subjects.iter().map(|it| (it.name, (it.prepare)(trace))).collect();
            columns.push(replayed(replays, &trace.name, &trace.end, rounds)?);
            eprintln!("{}, {}: done", trace.name, way.title());
        }
        let rows: Vec<&str> = subjects.iter().map(|subject| subject.name).collect();
        print(way.title(), &rows, &names, &columns);
    }
    if several_too {
        several(asked, rounds)?;
    }
    Ok(())
}

/// What the table of the concurrent traces is called.
const SEVERAL: &str = "several authors, operation by operation";

/// The tables that are asked for, and whether that of the concurrent traces is. Errors: there is none, or
/// none of their subjects is asked for.
fn tables(asked: &Asked) -> Result<(Vec<Way>, bool), String> {
    let Asked { way, with, .. } = asked;
    let several_too = asked.only.is_none() && SEVERAL.contains(way);
    let ways: Vec<Way> = Way::ALL.into_iter().filter(|it| it.title().contains(way)).collect();
    if ways.is_empty() && !several_too {
        return Err(format!("--way {way:?}: no title of a table has these words in it"));
    }
    let subjects = all().into_iter().filter(|it| ways.contains(&it.way)).map(|it| it.name);
    let merging = merged::all().into_iter().filter(|_| several_too).map(|it| it.name);
    if !subjects.chain(merging).any(|name| name.contains(with)) {
        return Err(format!("--with {with:?}: no name of a subject has these words in it"));
    }
    Ok((ways, several_too))
}

fn several(asked: &Asked, rounds: usize) -> Result<(), String> {
    let mut all = merged::all();
    let ours = all[0].name;
    all.retain(|it| it.name == ours || it.name.contains(&asked.with));
    let mut columns = Vec::new();
    for name in CONCURRENT {
        let history = History::read(&asked.traces, name)?;
        let replays = all.iter().map(|it| (it.name, (it.prepare)(&history))).collect();
        columns.push(replayed(replays, name, &history.end, rounds)?);
        eprintln!("{name}: done");
    }
    let rows: Vec<&str> = all.iter().map(|merging| merging.name).collect();
    print(SEVERAL, &rows, &CONCURRENT, &columns);
    Ok(())
}

/// What a subject needed, round by round.
type Samples = Vec<Replayed>;

fn replayed(
    mut replays: Vec<(&str, Replay<'_>)>,
    trace: &str,
    end: &str,
    rounds: usize,
) -> Result<Vec<Samples>, String> {
    let mut samples = vec![Samples::new(); replays.len()];
    for _ in 0..rounds {
        for ((name, replay), samples) in replays.iter_mut().zip(&mut samples) {
            if samples.iter().map(|it| it.micros).sum::<f64>() > ENOUGH_MICROS {
                continue;
            }
            let mut replayed = replay();
            if replayed.text != end {
                return Err(format!("{trace}: {name} ends with another text"));
            }
            replayed.text = String::new();
            samples.push(replayed);
        }
    }
    Ok(samples)
}

fn print(title: &str, rows: &[&str], names: &[&str], columns: &[Vec<Samples>]) {
    println!("\n| {title}: CPU ms (of ours) | {} |", names.join(" | "));
    println!("| --- |{}", " ---: |".repeat(names.len()));
    for (at, row) in rows.iter().enumerate() {
        let cell = |column: &Vec<Samples>| {
            let millis = median(column[at].iter().map(|it| it.micros / 1e3).collect());
            let pairs = column[at].iter().zip(&column[0]);
            let ratio = median(pairs.map(|(it, ours)| it.micros / ours.micros).collect());
            format!("{millis:.2} ({ratio:.2})")
        };
        let cells: Vec<String> = columns.iter().map(cell).collect();
        println!("| {row} | {} |", cells.join(" | "));
    }
    for (at, row) in rows.iter().enumerate() {
        if columns.iter().any(|column| column[at][0].bytes > 0) {
            let cells: Vec<String> =
                columns.iter().map(|column| column[at][0].bytes.to_string()).collect();
            println!("| {row}: bytes | {} |", cells.join(" | "));
        }
    }
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_unstable_by(f64::total_cmp);
    samples[samples.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_nothing_has_are_refused() {
        let asked = |way: &str, with: &str| {
            let (way, with) = (way.to_owned(), with.to_owned());
            tables(&Asked { traces: PathBuf::new(), rounds: 1, only: None, with, way })
        };
        let refused = |way, with| asked(way, with).unwrap_err();
        assert!(refused("remot", "nobody").starts_with("--with \"nobody\": "));
        assert!(refused("several", "gap buffer").starts_with("--with \"gap buffer\": "));
        assert!(refused("remoot", "").starts_with("--way \"remoot\": "));
        assert_eq!(asked("several", "sequence"), Ok((vec![], true)));
        assert_eq!(asked("", ""), Ok((Way::ALL.to_vec(), true)));
    }
}
