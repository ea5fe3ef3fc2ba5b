//! `simctl check`: that a run is a function of build, scenario and seed.
//!
//! Two processes run the same seed and their events are compared one by one as they come, so that the
//! first difference is named and not only that there is one. Then typed messages against bytes.

use std::{
    io::{BufRead, BufReader, Lines},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use clap::Args;

use super::{Exit, Failure, interrupt, load, print, print_aside, progress, words};

pub(super) const EXAMPLES: &str = "\
Examples:
  simctl check scenarios/major-bump.toml
  simctl check scenarios --seed 7";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Scenario files, or folders of them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The seed to run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// How a process is asked to run, and what that is called.
#[derive(Clone, Copy)]
struct Way {
    wire: &'static str,
    name: &'static str,
}

const COMPARISONS: [(Way, Way); 2] = [
    (Way { wire: "typed", name: "one process" }, Way { wire: "typed", name: "another" }),
    (Way { wire: "typed", name: "typed messages" }, Way { wire: "bytes", name: "bytes" }),
];

/// What came of comparing two runs.
enum Compared {
    /// So many events, and the last of them, which names the fingerprint.
    Same { events: u64, last: String },
    /// The event with this number is the first that differs.
    Differs { event: u64, lines: [String; 2] },
    /// Ctrl-C was pressed before the end.
    Interrupted,
}

/// What comparing the runs of one scenario says.
enum Said {
    Same { events: u64, last: String },
    Differs(String),
    Interrupted,
}

pub(super) fn carry_out(arguments: &Arguments) -> Result<Exit, Failure> {
    let loaded = load::load(&arguments.paths)?;
    let width = loaded.iter().map(|one| one.shown().chars().count()).max().unwrap_or(0);
    let bar = progress::bar(loaded.len(), "scenarios", true);
    let mut exit = Exit::Holds;
    interrupt::cut_short(None);
    for (index, one) in loaded.iter().enumerate() {
        bar.set_message(format!(", {}", one.shown()));
        let text = match compared(&one.path, arguments.seed)? {
            Said::Same { events, last } => {
                let events = words::counted(events, "event");
                format!("{:<width$}  same: {events} twice, then as bytes; {last}", one.shown())
            }
            Said::Differs(difference) => {
                exit = Exit::Violated;
                format!("{:<width$}  DIFFERS\n{difference}", one.shown())
            }
            Said::Interrupted => {
                bar.finish_and_clear();
                let asked = words::counted(loaded.len() as u64, "scenario");
                print_aside(&format!("interrupted: {index} of {asked} checked\n"));
                return Ok(Exit::Interrupted);
            }
        };
        bar.suspend(|| print(&format!("{text}\n")))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(exit)
}

/// Compares the runs of one scenario: how many events are the same, or the first difference.
fn compared(path: &Path, seed: u64) -> Result<Said, Failure> {
    let mut same = Said::Same { events: 0, last: String::new() };
    for (left, right) in COMPARISONS {
        match compare(path, seed, left, right)? {
            Compared::Same { events, last } => same = Said::Same { events, last },
            Compared::Interrupted => return Ok(Said::Interrupted),
            Compared::Differs { event, lines: [one, other] } => {
                let width = left.name.len().max(right.name.len());
                let shown = [(left, one), (right, other)]
                    .map(|(way, line)| format!("\n  {:<width$}  {line}", way.name))
                    .concat();
                return Ok(Said::Differs(format!(
                    "  event {event} is the first that differs:{shown}"
                )));
            }
        }
    }
    Ok(same)
}

fn compare(path: &Path, seed: u64, left: Way, right: Way) -> Result<Compared, Failure> {
    let mut left = Stream::of(path, seed, left)?;
    let mut right = Stream::of(path, seed, right)?;
    let (mut events, mut last) = (0, String::new());
    loop {
        let (one, other) = (left.next()?, right.next()?);
        // Both processes are ended where the streams are dropped.
        if interrupt::asked() {
            return Ok(Compared::Interrupted);
        }
        match (one, other) {
            (None, None) => break,
            (one, other) if one == other => (events, last) = (events + 1, one.unwrap_or_default()),
            (one, other) => {
                let shown = |line: Option<String>| line.unwrap_or_else(|| "(has ended)".to_owned());
                return Ok(Compared::Differs {
                    event: events + 1,
                    lines: [shown(one), shown(other)],
                });
            }
        }
    }
    let ended = left.end().and(right.end());
    if interrupt::asked() {
        return Ok(Compared::Interrupted);
    }
    ended?;
    Ok(Compared::Same { events, last: text_of(&last) })
}

/// The words of a JSON line.
fn text_of(line: &str) -> String {
    let line: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
    line["text"].as_str().unwrap_or_default().to_owned()
}

/// A process that runs a scenario and writes its events.
struct Stream {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Stream {
    fn of(path: &Path, seed: u64, way: Way) -> Result<Self, Failure> {
        let failed = |error| Failure::Internal(format!("failed to start a second simctl: {error}"));
        let program = std::env::current_exe().map_err(failed)?;
        let seed = seed.to_string();
        let mut command = Command::new(program);
        // Ctrl-C is for the process that compares: it ends these two itself.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command
            .arg("run")
            .arg(path)
            .args(["--seed", &seed, "--wire", way.wire, "--quiet"])
            .args(["--trace", "-", "--trace-format", "jsonl"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let out = child.stdout.take().expect("standard output is piped");
        Ok(Self { child, lines: BufReader::new(out).lines() })
    }

    fn next(&mut self) -> Result<Option<String>, Failure> {
        let unreadable =
            |error| Failure::Internal(format!("a run's events cannot be read: {error}"));
        self.lines.next().transpose().map_err(unreadable)
    }

    /// The process has written everything: how did it end?
    fn end(mut self) -> Result<(), Failure> {
        let failed = |why: String| Failure::Internal(format!("a run did not end well: {why}"));
        let status = self.child.wait().map_err(|error| failed(error.to_string()))?;
        let fine = [Exit::Holds, Exit::Violated].map(|exit| i32::from(exit.code()));
        match status.code() {
            Some(code) if fine.contains(&code) => Ok(()),
            _ => Err(failed(status.to_string())),
        }
    }
}

impl Drop for Stream {
    /// Does not leave a process behind where the comparison ended early.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
