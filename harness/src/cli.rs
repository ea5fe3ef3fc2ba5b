//! The commands of `simctl`.
//!
//! Results go to standard output; diagnostics and progress go to standard error. A command returns
//! an [`Exit`]; nothing below this module prints or exits.

use std::{
    borrow::Cow,
    ffi::OsString,
    io::{IsTerminal, Write},
    process::ExitCode,
};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

mod aside;
mod check;
mod columns;
mod compare;
mod evaluate;
mod exit;
mod explain;
mod export;
mod interrupt;
mod json;
mod lattice;
mod laws;
mod list;
mod load;
mod merge;
mod new;
mod plan;
mod plot;
mod progress;
mod record;
mod replay;
mod report;
mod result_file;
mod run;
mod shrink;
mod square;
mod style;
mod summary;
mod sweep;
mod table;
mod tell;
mod terminal;
mod vectors;
mod view;
mod words;

pub use exit::Exit;

use crate::{shell::quoted, visible::visible};

/// Columns of a terminal that help fills, at most.
const WIDTH_MAX: usize = 100;
/// Columns that every terminal has: what is laid out by hand in help fits them.
const WIDTH_MIN: usize = 80;

/// Where options stand in help that every command has: below its own.
const LAST: usize = 900;

/// Is this upgrade safe to roll out while everything keeps running?
///
/// Runs real protocol nodes in virtual time, on a network that misbehaves, checks every invariant at
/// every step, and says yes with evidence or no with a story.
#[derive(Debug, Parser)]
#[command(name = "simctl", version, max_term_width = WIDTH_MAX, after_help = exit::HELP, arg_required_else_help = true)]
struct Simctl {
    /// Keep standard error to errors and warnings: no progress, no notes. Results stay as they are.
    #[arg(long, short, global = true, display_order = LAST)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios and say whether what they claim holds.
    #[command(after_help = run::EXAMPLES)]
    Run(run::Arguments),
    /// Run every scenario with many seeds, keep what came of it, and go on where it was cut short.
    #[command(after_help = sweep::EXAMPLES)]
    Sweep(Box<sweep::Arguments>),
    /// Fix what a sweep runs, and divide it into shards for many machines.
    #[command(after_help = plan::EXAMPLES)]
    Plan(plan::Arguments),
    /// Put the shards of a sweep together: the same results as one machine's.
    #[command(after_help = merge::EXAMPLES)]
    Merge(merge::Arguments),
    /// List scenarios and what each of them claims.
    #[command(after_help = list::EXAMPLES)]
    List(list::Arguments),
    /// Explain a word: a key, fault, invariant, goal, app, operation, scenario, diagnostic; or tell a failure.
    #[command(after_help = explain::EXAMPLES)]
    Explain(explain::Arguments),
    /// Repeat a file of choices, and say whether the run still fails.
    #[command(after_help = replay::EXAMPLES)]
    Replay(replay::Arguments),
    /// Find the smallest run that fails as a given one does, as a scenario that fails by itself.
    #[command(after_help = shrink::EXAMPLES)]
    Shrink(shrink::Arguments),
    /// Check that runs are deterministic: two processes, event for event, typed and as bytes.
    #[command(after_help = check::EXAMPLES)]
    Check(check::Arguments),
    /// Draw the space-time diagram of a run, or of two, as one HTML file.
    #[command(after_help = view::EXAMPLES)]
    View(view::Arguments),
    /// Write a run for other viewers: Perfetto, Chrome, ShiViz, Graphviz.
    #[command(after_help = export::EXAMPLES)]
    Export(export::Arguments),
    /// Write what a sweep came to as one HTML file.
    #[command(after_help = report::EXAMPLES)]
    Report(report::Arguments),
    /// Say whether one sweep is slower than another or fails more often.
    #[command(after_help = compare::EXAMPLES)]
    Compare(compare::Arguments),
    /// Draw one plot of a sweep.
    #[command(after_help = plot::EXAMPLES)]
    Plot(plot::Arguments),
    /// Write a commented scenario to begin with.
    #[command(after_help = new::EXAMPLES)]
    New(new::Arguments),
    /// Check every delivery order of a replicated type's histories, over the lattice of closed sets.
    #[command(after_help = lattice::EXAMPLES)]
    Lattice(lattice::Arguments),
    /// Try the laws that replicated types promise: of joins and deltas, of messages and what acts on them.
    #[command(after_help = laws::EXAMPLES)]
    Laws(laws::Arguments),
    /// Replay vector files through the replicated types: what others say that they must show.
    #[command(after_help = vectors::EXAMPLES)]
    Vectors(vectors::Arguments),
    /// Check that it does not matter when a node upgrades, nor which releases it skips.
    #[command(after_help = square::EXAMPLES)]
    Square(square::Arguments),
    /// Repeat the papers' evaluation of renames: rows of bots that type, beside the papers' figures.
    #[command(after_help = evaluate::EXAMPLES)]
    Evaluate(evaluate::Arguments),
    /// Print the JSON Schema of scenarios.
    #[command(after_help = SCHEMA_EXAMPLES)]
    Schema,
}

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Human,
    /// For programs: one JSON object a line.
    Json,
}

const SCHEMA_EXAMPLES: &str = "\
Examples:
  simctl schema > scenario.schema.json
  # then, as the first line of a scenario, for editors:
  #:schema ./scenario.schema.json";

/// What stops a command before it has a result.
#[derive(Debug)]
enum Failure {
    /// Scenarios that are wrong. Nothing was run and nothing was written.
    Rejected(Vec<crate::scenario::diagnostic::Rejected>),
    /// Arguments that are wrong, in words. Nothing was run and nothing was written.
    Usage(String),
    /// Something that is not the user's to mend: a full disk, a broken belief.
    Internal(String),
}

/// Runs the command that the arguments of this process ask for.
pub fn main() -> ExitCode {
    let command = match parsed(std::env::args_os()) {
        Ok(Simctl { quiet, command }) => {
            if quiet {
                aside::keep_quiet();
            }
            command
        }
        Err(error) => match negative(&error, std::env::args()).or_else(|| no_number(&error)) {
            Some(why) => return Failure::Usage(why).report().into(),
            None => return answered(&error).into(),
        },
    };
    run::say_which_run_panicked();
    let done = std::panic::catch_unwind(|| carry_out(&command));
    let exit = match done {
        Ok(Ok(exit)) => exit,
        Ok(Err(failure)) => failure.report(),
        // The hook has printed what panicked and how to repeat it.
        Err(_) => Exit::Internal,
    };
    exit.into()
}

/// What `words` ask for. Help that goes into a file or a pager is as wide as every terminal, unless `COLUMNS` says how
/// wide it shall be.
fn parsed(words: impl Iterator<Item = OsString>) -> Result<Simctl, clap::Error> {
    let mut command = Simctl::command();
    if !std::io::stdout().is_terminal() && std::env::var_os("COLUMNS").is_none() {
        command = command.term_width(WIDTH_MIN);
    }
    let mut matches = command.try_get_matches_from_mut(words)?;
    Simctl::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// What is said of a negative number, which the parser takes for an option; `None` of any other error.
fn negative(error: &clap::Error, arguments: impl Iterator<Item = String>) -> Option<String> {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let Some(ContextValue::String(found)) = error.get(ContextKind::InvalidArg) else { return None };
    let is_negative = found.strip_prefix('-')?.starts_with(|first: char| first.is_ascii_digit());
    if error.kind() != ErrorKind::UnknownArgument || !is_negative {
        return None;
    }
    // The parser names no more of it than one letter.
    let arguments: Vec<String> = arguments.collect();
    let at = arguments.iter().position(|one| one.starts_with(found))?;
    let before = arguments.get(at.checked_sub(1)?).filter(|before| before.starts_with("--"));
    let of = before.map_or_else(String::new, |option| format!("{option} "));
    Some(format!("{of}{}: no argument of simctl is negative", arguments[at]))
}

/// What is said of a value that is not the whole number that belongs there; `None` of any other error.
fn no_number(error: &clap::Error) -> Option<String> {
    use std::num::{IntErrorKind, ParseIntError};

    use clap::error::{ContextKind, ContextValue};
    let why = std::error::Error::source(error)?.downcast_ref::<ParseIntError>()?;
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let (argument, value) = (text(ContextKind::InvalidArg)?, text(ContextKind::InvalidValue)?);
    let option = argument.split_whitespace().next()?;
    let expected = match why.kind() {
        IntErrorKind::PosOverflow => "expected a smaller number",
        IntErrorKind::Zero => "expected a number above 0",
        _ => "expected a whole number",
    };
    Some(format!("{option} {value}: {expected}"))
}

/// Prints what the arguments alone ask for, such as help, or what is wrong with them.
fn answered(error: &clap::Error) -> Exit {
    match error.print().and_then(|()| std::io::stdout().flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let why = format!("the answer cannot be written: {error}");
            Failure::Internal(why).report()
        }
        _ if error.use_stderr() => Exit::BadInput,
        _ => Exit::Holds,
    }
}

fn carry_out(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Run(arguments) => run::carry_out(arguments),
        Command::Sweep(arguments) => sweep::carry_out(arguments),
        Command::Plan(arguments) => plan::carry_out(arguments),
        Command::Merge(arguments) => merge::carry_out(arguments),
        Command::List(arguments) => list::carry_out(arguments),
        Command::Explain(arguments) => explain::carry_out(arguments),
        Command::Replay(arguments) => replay::carry_out(arguments),
        Command::Shrink(arguments) => shrink::carry_out(arguments),
        Command::Check(arguments) => check::carry_out(arguments),
        Command::View(arguments) => view::carry_out(arguments),
        Command::Export(arguments) => export::carry_out(arguments),
        Command::Report(arguments) => report::carry_out(arguments),
        Command::Compare(arguments) => compare::carry_out(arguments),
        Command::Plot(arguments) => plot::carry_out(arguments),
        Command::New(arguments) => new::carry_out(arguments),
        Command::Lattice(arguments) => lattice::carry_out(arguments),
        Command::Laws(arguments) => laws::carry_out(arguments),
        Command::Vectors(arguments) => vectors::carry_out(arguments),
        Command::Square(arguments) => square::carry_out(arguments),
        Command::Evaluate(arguments) => evaluate::carry_out(arguments),
        Command::Schema => {
            print(&schema_text())?;
            Ok(Exit::Holds)
        }
    }
}

/// The JSON Schema of scenarios as `scenario.schema.json` holds it.
pub fn schema_text() -> String {
    let schema = crate::scenario::shape::schema();
    let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    format!("{text}\n")
}

impl Failure {
    fn report(self) -> Exit {
        let (text, exit) = match self {
            Self::Rejected(rejected) => {
                let count: usize = rejected.iter().map(|file| file.diagnostics.len()).sum();
                let each: Vec<String> = rejected.iter().map(|file| file.rendered()).collect();
                let mistakes = words::counted(count as u64, "mistake");
                (format!("{}\n{mistakes}; nothing was run\n", each.join("\n")), Exit::BadInput)
            }
            Self::Usage(why) => (error(&why), Exit::BadInput),
            Self::Internal(why) => (error(&why), Exit::Internal),
        };
        print_aside(&text);
        exit
    }
}

/// What is said of an error. It may quote a file, which may hold what a terminal would obey.
fn error(why: &str) -> String {
    let lines: Vec<String> = why.lines().map(visible).collect();
    format!("error: {}\n", lines.join("\n"))
}

/// Prints a result to standard output, in colour where that is wanted.
///
/// Errors: [`Failure::Internal`] where it cannot be written, but for a closed pipe: whoever reads has
/// seen enough.
fn print(text: &str) -> Result<(), Failure> {
    let text = shown(text, std::io::stdout().is_terminal());
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::Internal(format!("standard output cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints what must be said beside a result to standard error, which nobody may be left to read: errors, warnings,
/// how far interrupted work was, why something is not as expected. All else is a note ([`aside::note`]).
fn print_aside(text: &str) {
    let text = shown(text, std::io::stderr().is_terminal());
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// What a scenario claims, as it stands in a result for people: on one line, wherever it goes, and without colours
/// of its own.
fn claimed(about: &str) -> String {
    visible(about)
}

/// `text` as it goes out: as it is, but to a terminal, which would obey what users wrote.
fn shown(text: &str, on_terminal: bool) -> Cow<'_, str> {
    if on_terminal { terminal::safe(text).into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_number_is_called_one_and_other_mistakes_are_the_parsers() {
        let told = |words: &[&str]| {
            let error = Simctl::try_parse_from(words).err()?;
            negative(&error, words.iter().map(|word| (*word).to_owned()))
        };
        let of = |argument: &str| Some(format!("{argument}: no argument of simctl is negative"));
        assert_eq!(told(&["simctl", "run", "a.toml", "--seed", "-1"]), of("--seed -1"));
        assert_eq!(told(&["simctl", "sweep", "a.toml", "--seeds", "-3..4"]), of("--seeds -3..4"));
        assert_eq!(told(&["simctl", "explain", "-10"]), of("-10"));
        assert_eq!(told(&["simctl", "run", "a.toml", "--sed", "1"]), None);
        assert_eq!(told(&["simctl", "run", "a.toml", "-x"]), None);
        assert_eq!(told(&["simctl", "run", "a.toml", "--seed", "x"]), None);
    }

    #[test]
    fn what_is_no_whole_number_is_told_so() {
        let told = |words: &[&str]| no_number(&Simctl::try_parse_from(words).err()?);
        let said = |text: &str| Some(text.to_owned());
        let run = |option, value| told(&["simctl", "run", "a.toml", option, value]);
        assert_eq!(run("--seed", "1.5"), said("--seed 1.5: expected a whole number"));
        assert_eq!(run("--seed", "nan"), said("--seed nan: expected a whole number"));
        assert_eq!(
            run("--seed", "18446744073709551616"),
            said("--seed 18446744073709551616: expected a smaller number")
        );
        assert_eq!(run("--threads", "0"), said("--threads 0: expected a number above 0"));
        assert_eq!(run("--format", "xml"), None);
        let laws = told(&["simctl", "laws", "--cases", "many"]);
        assert_eq!(laws, said("--cases many: expected a whole number"));
    }

    #[test]
    fn an_error_keeps_its_lines_and_tells_a_terminal_nothing() {
        let why =
            results::Diagram::read("{\"what\":\"\\u001b]0;simctl diagram\\u0007\"}").unwrap_err();
        let said = error(&format!("{why}\nfor help: x"));
        assert!(said.contains("`\\u{1b}]0;simctl diagram\\u{7}`"), "{said}");
        assert!(said.ends_with("\nfor help: x\n"), "{said}");
        assert!(!said.contains('\u{1b}'), "{said}");
    }

    /// Every command: its name, what of its help is laid out by hand, and its help on a narrow terminal.
    fn helps() -> Vec<(String, String, String)> {
        let mut simctl = Simctl::command();
        simctl.build();
        let commands = std::iter::once(simctl.clone()).chain(simctl.get_subcommands().cloned());
        let help = |command: clap::Command| {
            let mut command = command.term_width(WIDTH_MIN);
            let by_hand = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let help = format!("{}\n{}", command.render_help(), command.render_long_help());
            (command.get_name().to_owned(), by_hand, help)
        };
        commands.filter(|command| command.get_name() != "help").map(help).collect()
    }

    #[test]
    fn help_fits_a_narrow_terminal() {
        for (name, _, help) in helps() {
            for line in help.lines() {
                assert!(line.chars().count() <= WIDTH_MIN, "{name}: {line}");
            }
        }
    }

    #[test]
    fn what_is_laid_out_by_hand_in_help_is_not_wrapped_again() {
        for (name, by_hand, help) in helps() {
            assert!(by_hand.contains("Examples:\n"), "{name}");
            // Lines are laid out; a line alone is a paragraph.
            for block in by_hand.split("\n\n").filter(|block| block.contains('\n')) {
                assert_eq!(
                    help.matches(block).count(),
                    2,
                    "{name}: this is wrapped again:\n{block}"
                );
            }
        }
    }
}
