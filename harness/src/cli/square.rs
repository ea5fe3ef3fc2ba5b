//! `simctl square`: whether it matters when a node upgrades.

use clap::Args;

use super::{Exit, Failure, Format, aside, interrupt, print, progress, style::DIM, words::counted};
use crate::square::{self, Scope, Upgrade};

mod tell;

pub(super) const EXAMPLES: &str = "\
Examples:
  simctl square                                   every upgrade of every app
  simctl square counter                           every upgrade of one app
  simctl square counter --to 2.0.0:mistranslates  a code that is wrong
  simctl square counter --from 1.4.0 --to 2.0.0 --cases 100000 --seed 7
  # one JSON object an upgrade
  simctl square counter --to 3.0.0:strays --format json

What is checked of each upgrade, on states and messages of small fleets:
  square   migrate(effect(m, s)) = effect'(convert(m), migrate(s)):
           it does not matter when a node upgrades
  paths    every chain of edges leads to the same state and message:
           it does not matter what a node skips
  states   a migration succeeds, gives the same bytes again, and keeps what
           both releases measure

States are compared as canonical bytes, and what clients and nodes are told after conversion; \
messages that are sent at most once, such as gossip, are not. No edge of these apps declares a way \
back, so no rollback is checked. An upgrade of which no case had an effect was not checked at all: \
it falls short, and the exit code is 1.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The app; without one, all of them.
    app: Option<String>,
    /// The older release, such as `1.4.0`; without one, each that has a way.
    #[arg(long, value_name = "VERSION[:VARIANT]", requires = "app")]
    from: Option<String>,
    /// The newer release, such as `2.0.0` or `2.0.0:mistranslates`; without one, each good one.
    #[arg(long, value_name = "VERSION[:VARIANT]", requires = "app")]
    to: Option<String>,
    /// Pairs of a state and a message that are tried of each upgrade.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    cases: u64,
    /// The seed of the first fleet; each next one has the next seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Nodes of each fleet.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=16))]
    nodes: u32,
    /// What happens to each fleet before it begins anew.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    moves: u32,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn carry_out(arguments: &Arguments) -> Result<Exit, Failure> {
    let upgrades = upgrades(arguments)?;
    let Arguments { cases, seed, nodes, moves, .. } = *arguments;
    let scope = Scope { cases, seed, nodes, moves };
    let total = usize::try_from(cases).unwrap_or(usize::MAX);
    let mut exit = Exit::Holds;
    interrupt::cut_short(None);
    for (app, upgrade) in &upgrades {
        let (from, to) = (&upgrade.way.from.name, &upgrade.way.to.name);
        interrupt::begins(format!("of {} of {app} {from} -> {to}", counted(cases, "case")));
        let bar = progress::bar(total, "cases", arguments.format == Format::Human);
        let report = upgrade.check(scope, &mut progress::until_interrupted(&bar));
        bar.finish_and_clear();
        let interrupted = interrupt::asked();
        let repeat = &repeat(arguments, app, upgrade);
        let told = tell::Told { app, upgrade, report: &report, repeat, interrupted };
        print(&match arguments.format {
            Format::Human => told.shown(),
            Format::Json => told.json(),
        })?;
        if interrupted {
            return Ok(interrupt::say_how_far());
        }
        if !told.holds() {
            exit = Exit::Violated;
        }
    }
    let unconverted = unconverted(arguments)?;
    match arguments.format {
        Format::Human => print(&unconverted)?,
        Format::Json => aside::note(&unconverted),
    }
    Ok(exit)
}

/// What is not checked, for there is no square: in words, a line for each app and reason.
fn unconverted(arguments: &Arguments) -> Result<String, Failure> {
    let (from, to) = (arguments.from.as_deref(), arguments.to.as_deref());
    let apps: Vec<&str> = match &arguments.app {
        Some(app) => vec![app],
        None => square::apps(),
    };
    let mut text = String::new();
    for app in apps {
        let found =
            square::unconverted(app, from, to).map_err(|why| Failure::Usage(why.to_string()))?;
        for (taken, why) in [
            (
                true,
                "what the older one leaves is taken as it is; --from with --to compares the two",
            ),
            (false, "no edge leads there"),
        ] {
            let found = found.iter().filter(|one| one.taken_as_it_is == taken);
            let found: Vec<_> = found.map(|one| format!("{} -> {}", one.from, one.to)).collect();
            if !found.is_empty() {
                text += &format!("{DIM}no square{DIM:#} {app} {}: {why}\n", found.join(", "));
            }
        }
    }
    Ok(text)
}

/// What is to be checked, by app.
fn upgrades(arguments: &Arguments) -> Result<Vec<(&str, Upgrade)>, Failure> {
    let (from, to) = (arguments.from.as_deref(), arguments.to.as_deref());
    let Some(app) = &arguments.app else {
        let found = square::apps().into_iter().filter_map(|app| {
            let found = square::upgrades(app, None, None).ok()?;
            Some(found.into_iter().map(move |upgrade| (app, upgrade)))
        });
        return Ok(found.flatten().collect());
    };
    let found = square::upgrades(app, from, to).map_err(|why| Failure::Usage(why.to_string()))?;
    Ok(found.into_iter().map(|upgrade| (app.as_str(), upgrade)).collect())
}

/// The command that checks this upgrade again.
fn repeat(arguments: &Arguments, app: &str, upgrade: &Upgrade) -> String {
    let Arguments { cases, seed, nodes, moves, .. } = arguments;
    let (from, to) = (&upgrade.way.from.name, &upgrade.way.to.name);
    let mut text =
        format!("simctl square {app} --from {from} --to {to} --cases {cases} --seed {seed}");
    if *nodes != 3 {
        text += &format!(" --nodes {nodes}");
    }
    if *moves != 40 {
        text += &format!(" --moves {moves}");
    }
    text
}
