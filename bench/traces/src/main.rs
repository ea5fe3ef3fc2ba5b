//! Replays editing traces, every subject once a round, and prints tables in markdown: medians of CPU time,
//! and in brackets the median over the rounds of its ratio to ours.
//!
//!     cargo run --release -p traces --features peers -- --traces FOLDER
//!
//! See [`USAGE`] for the rest. Without the feature only ours and a gap buffer are there; a feature named as a
//! peer (`--features diamond-types`) builds that one in.

use std::process::ExitCode;

use traces::{
    NAMES, Trace, folder,
    history::{CONCURRENT, History},
    replay::Replayed,
    subjects::{Replay, Subject, Way, all, merged},
};

const USAGE: &str = "usage: traces [--traces FOLDER] [--rounds N] [--only TRACE] [--with WORDS] [--way WORDS]

  --traces FOLDER   where github.com/josephg/editing-traces is (or EDITING_TRACES=FOLDER)
  --rounds N        how often each is replayed (default 9); who is slow is replayed less often
  --only TRACE      one trace alone
  --with WORDS      the subjects whose names have these words in them, and ours
  --way WORDS       the tables whose titles have these words in them: local, remote, all at once, load, several";

/// Rounds, unless told otherwise.
const ROUNDS: usize = 9;

/// CPU time that a subject takes of a way and trace before it sits out the other rounds, in microseconds.
const ENOUGH_MICROS: f64 = 2e6;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

struct Arguments {
    traces: Option<String>,
    rounds: usize,
    only: Option<String>,
    with: String,
    way: String,
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self {
            traces: None,
            rounds: ROUNDS,
            only: None,
            with: String::new(),
            way: String::new(),
        };
        while let Some(flag) = words.next() {
            let value = words.next().ok_or_else(|| format!("{flag} needs a value"))?;
            match flag.as_str() {
                "--traces" => arguments.traces = Some(value),
                "--rounds" => match value.parse() {
                    Ok(number) if number > 0 => arguments.rounds = number,
                    _ => return Err(format!("--rounds {value}: expected a number above 0")),
                },
                "--only" => arguments.only = Some(value),
                "--with" => arguments.with = value,
                "--way" => arguments.way = value,
                _ => return Err(format!("unknown flag {flag}")),
            }
        }
        Ok(arguments)
    }
}

fn run() -> Result<(), String> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let folder = folder(arguments.traces.clone())?;
    let names: Vec<&str> = arguments.only.as_deref().map_or(NAMES.to_vec(), |name| vec![name]);
    let traces: Vec<Trace> =
        names.iter().map(|name| Trace::read(&folder, name)).collect::<Result<_, _>>()?;
    for way in Way::ALL.into_iter().filter(|way| way.title().contains(&arguments.way)) {
        let wanted = |subject: &Subject| subject.name.contains(&arguments.with);
        let mut subjects: Vec<Subject> = all().into_iter().filter(|it| it.way == way).collect();
        let mut at = 0;
        subjects.retain(|subject| {
            at += 1;
            at == 1 || wanted(subject)
        });
        let mut columns = Vec::new();
        for trace in &traces {
            let replays = subjects.iter().map(|it| (it.name, (it.prepare)(trace))).collect();
            columns.push(replayed(replays, &trace.name, &trace.end, arguments.rounds)?);
            eprintln!("{}, {}: done", trace.name, way.title());
        }
        let rows: Vec<&str> = subjects.iter().map(|subject| subject.name).collect();
        print(way.title(), &rows, &names, &columns);
    }
    if arguments.only.is_none() && SEVERAL.contains(&arguments.way) {
        several(&folder, arguments.rounds)?;
    }
    Ok(())
}

/// What the table of the concurrent traces is called.
const SEVERAL: &str = "several authors, operation by operation";

fn several(folder: &std::path::Path, rounds: usize) -> Result<(), String> {
    let all = merged::all();
    let mut columns = Vec::new();
    for name in CONCURRENT {
        let history = History::read(folder, name)?;
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
