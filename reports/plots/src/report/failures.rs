//! Failures by kind: what broke, how often, and how to see it again.

use serde::Serialize;

use super::repeat;
use crate::{
    digest::{Digest, Kind},
    units::{capitalised, count, counted, percent, span},
};

/// Kinds that a report tells of.
const KINDS_MAX: usize = 40;

/// What broke.
#[derive(Serialize)]
pub(crate) struct Failures {
    kinds: Vec<Told>,
    /// What is not told, in words; empty where all is.
    left_out: String,
}

#[derive(Serialize)]
struct Told {
    signature: String,
    invariant: String,
    message: String,
    runs: String,
    places: String,
    /// Where and when the shortest run shows it.
    example: String,
    /// How it came about; empty where that is not known.
    shape: String,
    repeat: String,
    /// The command that makes it small; empty where none does.
    shrink: String,
}

impl Failures {
    pub(crate) fn of(digest: &Digest) -> Self {
        let kinds = digest.kinds.iter().take(KINDS_MAX).map(|kind| told(digest, kind)).collect();
        let more = digest.kinds.iter().skip(KINDS_MAX);
        let (kinds_more, runs_more) =
            more.fold((0, 0), |(kinds, runs), kind| (kinds + 1, runs + kind.runs));
        let left_out = match kinds_more {
            0 => String::new(),
            _ => format!(
                "{} more, of {}, are in failures.jsonl.",
                counted(kinds_more, "kind"),
                counted(runs_more, "run")
            ),
        };
        Self { kinds, left_out }
    }
}

fn told(digest: &Digest, kind: &Kind) -> Told {
    let places = kind.scenarios.iter().map(|(index, runs)| {
        let name = &digest.scenarios[*index].name;
        if kind.scenarios.len() == 1 { name.clone() } else { format!("{name} {}", count(*runs)) }
    });
    let (scenario, cell, seed) = kind.first;
    let scenario = &digest.scenarios[scenario];
    let cell = &scenario.cells[cell];
    let at = |cell: &str| if cell.is_empty() { String::new() } else { format!(" at {cell}") };
    let runs = format!("{} ({})", counted(kind.runs, "run"), percent(kind.runs, digest.runs()));
    let places = places.collect::<Vec<_>>().join(", ");
    match &kind.example {
        Some(one) => Told {
            signature: kind.signature.clone(),
            invariant: if one.invariant.is_empty() {
                "fell short".into()
            } else {
                one.invariant.clone()
            },
            message: one.message.clone(),
            runs,
            places,
            example: format!(
                "Shortest: {} seed {}{}, at {} of virtual time, after {}.",
                one.scenario,
                one.seed,
                at(&one.cell),
                span(one.at_nanos),
                counted(one.datagrams, "datagram")
            ),
            shape: capitalised(&one.shape),
            repeat: match &*one.repeat {
                "" => repeat(scenario, cell, seed),
                command => command.to_owned(),
            },
            shrink: one.shrink().unwrap_or_default(),
        },
        None => Told {
            signature: kind.signature.clone(),
            invariant: "failed".into(),
            message: "The sweep kept no story of it.".into(),
            runs,
            places,
            example: format!("First: {} seed {seed}{}.", scenario.name, at(&cell.name)),
            shape: String::new(),
            repeat: repeat(scenario, cell, seed),
            shrink: String::new(),
        },
    }
}
