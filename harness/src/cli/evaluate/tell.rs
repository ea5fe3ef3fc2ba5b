//! What `simctl evaluate` says of its runs.

use std::{collections::BTreeMap, fmt::Write};

use contract::Span;
use experiment::{
    COLUMNS, Mean, Rename, Report, Spread, details, left_over, published, table::percent,
};
use serde_json::{Map, Value, json};

use super::{Arguments, Job, Plan, Verdict};
use crate::{
    cli::{
        Format, claimed,
        style::{BAD, BOLD, DIM, GOOD},
        words::{count, counted, time},
    },
    visible::visible,
};

/// What is told of runs as they end, and then of all.
pub(super) struct Told {
    format: Format,
    /// Whether each run is a line, and not told in full.
    lines: bool,
    /// Of the names of rows.
    width: usize,
    /// How many runs came to what.
    verdicts: BTreeMap<&'static str, u64>,
    as_expected: bool,
}

impl Verdict {
    /// A word for it.
    fn name(&self) -> &'static str {
        match self {
            Self::Holds(_) => "holds",
            Self::Exceeds(..) => "exceeds",
            Self::Stops(_) => "stops",
            Self::Diverges(_) => "diverges",
        }
    }

    /// Whether replicas agreed; `None` where that is not known.
    fn agree(&self) -> Option<bool> {
        match self {
            Self::Holds(_) | Self::Exceeds(..) => Some(true),
            Self::Diverges(_) => Some(false),
            Self::Stops(_) => None,
        }
    }
}

/// The mean and the greatest of some shares; `None` of none.
fn mean_and_most(shares: &[f64]) -> Option<(f64, f64)> {
    let most = shares.iter().copied().reduce(f64::max)?;
    Some((shares.iter().sum::<f64>() / shares.len() as f64, most))
}

impl Told {
    pub(super) fn new(plan: &Plan, arguments: &Arguments) -> Self {
        let names = plan.rows.iter().map(|(_, row)| visible(&row.name).chars().count());
        Self {
            format: arguments.format,
            lines: arguments.seeds.is_some(),
            width: names.max().unwrap_or(0).max("row".len()),
            verdicts: BTreeMap::new(),
            as_expected: true,
        }
    }

    pub(super) fn is_as_expected(&self) -> bool {
        self.as_expected
    }

    /// What stands above lines.
    pub(super) fn head(&self) -> String {
        if self.format == Format::Json || !self.lines {
            return String::new();
        }
        let (row, width) = ("row", self.width);
        format!(
            "{DIM}{row:<width$} {:>6}  {:<8} {:>9} {:>8} {:>9} {:>9}  fingerprint{DIM:#}\n",
            "seed", "outcome", "edits", "renames", "left mean", "most"
        )
    }

    /// What is said of a run.
    pub(super) fn run(&mut self, job: &Job<'_>, verdict: &Verdict) -> String {
        *self.verdicts.entry(verdict.name()).or_default() += 1;
        self.as_expected &= verdict.why().is_none();
        match self.format {
            Format::Json => format!("{}\n", object(job, verdict)),
            Format::Human if self.lines => self.line(job, verdict),
            Format::Human => whole(job, verdict),
        }
    }

    fn line(&self, job: &Job<'_>, verdict: &Verdict) -> String {
        let (name, width, outcome) = (visible(&job.row.name), self.width, verdict.name());
        let style = if verdict.why().is_some() { BAD } else { GOOD };
        let head = format!("{name:<width$} {:>6}  {style}{outcome:<8}{style:#}", job.row.seed);
        let why =
            verdict.why().map_or_else(String::new, |why| format!("  {why}\n  {}\n", job.repeat));
        let Some(report) = verdict.report() else { return format!("{head}\n{why}") };
        let left = left_over(report).into_iter().rfind(|shares| !shares.is_empty());
        let shown = left.as_deref().and_then(mean_and_most);
        let [mean, most] = shown.map_or_else(
            || ["-", "-"].map(str::to_owned),
            |(mean, most)| [mean, most].map(percent),
        );
        format!(
            "{head} {:>9} {:>8} {mean:>9} {most:>9}  {:032x}\n{why}",
            count(edits(report)),
            count(report.sizes.renames.objects.count as u64),
            report.fingerprint,
        )
    }

    /// What is said once all runs are done.
    pub(super) fn totals(&self) -> String {
        let runs: u64 = self.verdicts.values().sum();
        if self.format == Format::Json || runs < 2 {
            return String::new();
        }
        let each = self.verdicts.iter().map(|(name, times)| format!("{name} {}", count(*times)));
        format!("{}: {}\n", counted(runs, "run"), each.collect::<Vec<_>>().join(", "))
    }
}

fn edits(report: &Report) -> u64 {
    (report.sizes.inserts.objects.count + report.sizes.removals.objects.count) as u64
}

/// A run told in full.
fn whole(job: &Job<'_>, verdict: &Verdict) -> String {
    let style = if verdict.why().is_some() { BAD } else { GOOD };
    let (outcome, name) = (verdict.name(), visible(&job.row.name));
    let about = claimed(&job.row.about);
    let mut text = format!("{style}{outcome}{style:#} {BOLD}{name}{BOLD:#}: {about}\n");
    let mut put = |line: &str| writeln!(text, "  {line}").expect("a string takes everything");
    if let Some(why) = verdict.why() {
        put(why);
    }
    if let Some(report) = verdict.report() {
        facts(report).iter().for_each(|fact| put(fact));
        let would = if report.row.renames.is_none() { "what a rename would be" } else { "" };
        for (above, table) in [
            ("", details::course(report)),
            ("", details::operations(report)),
            (would, details::renames(report)),
        ] {
            put("");
            if !above.is_empty() {
                put(above);
            }
            for (number, line) in table.aligned().lines().enumerate() {
                if number == 0 { put(&format!("{DIM}{line}{DIM:#}")) } else { put(line) }
            }
        }
        put("");
    }
    put(&job.repeat);
    let lines = text.lines().map(str::trim_end);
    lines.collect::<Vec<_>>().join("\n") + "\n\n"
}

/// What is to be said of a run in words.
fn facts(report: &Report) -> Vec<String> {
    let row = &report.row;
    let (replicas, renames) =
        (u64::from(row.replicas.get()), report.sizes.renames.objects.count as u64);
    let mut facts = vec![
        format!(
            "{} {} in text, epoch and identifiers after {} and {}, in {} of virtual time",
            counted(replicas, "replica"),
            if replicas == 1 { "agrees" } else { "agree" },
            counted(edits(report), "edit"),
            counted(renames, "rename"),
            time(Span::from_nanos(report.virtual_nanos)),
        ),
        format!("fingerprint {:032x}, seed {}", report.fingerprint, row.seed),
    ];
    let [at_once, announced] = left_over(report);
    facts.extend(left("dropped at once", &at_once, row.steps()));
    if row.collects() {
        facts.extend(left("dropped once all announced it", &announced, row.steps()));
    }
    if renames > 0 {
        facts.push(format!(
            "renames were received {} by others, and not understood in few bytes {}",
            counted(renames * (replicas - 1), "time"),
            counted(report.asked, "time"),
        ));
    }
    facts
}

/// What is said of the shares that are left, of which there are to be as many as steps; `None` without steps.
fn left(kind: &str, shares: &[f64], steps: usize) -> Option<String> {
    let all = counted(steps as u64, "step");
    let over = match shares.len() {
        0 if steps == 0 => return None,
        some if some == steps => all,
        some => format!("{} of {all}", count(some as u64)),
    };
    let figures = match mean_and_most(shares) {
        Some((mean, most)) => {
            format!("{} on average over {over}, {} at most", percent(mean), percent(most))
        }
        None => format!("not known, for all replicas came there in {over}"),
    };
    Some(format!("left beside the text, former states {kind}: {figures}"))
}

/// A run as one JSON object. Keys are added and never renamed, removed or given another meaning.
fn object(job: &Job<'_>, verdict: &Verdict) -> Value {
    let mut object = json!({
        "format_version": 1,
        "row": job.row.name,
        "path": job.path.display().to_string(),
        "about": job.row.about,
        "seed": job.row.seed,
        "outcome": verdict.name(),
        "as_expected": verdict.why().is_none(),
        "agree": verdict.agree(),
        "why": verdict.why(),
        "replicas": job.row.replicas,
        "repeat": job.repeat,
    });
    if let (Some(report), Some(keys)) = (verdict.report(), object.as_object_mut()) {
        keys.extend(figures(report));
    }
    object
}

fn figures(report: &Report) -> Map<String, Value> {
    let [at_once, announced] = left_over(report).map(|shares| {
        let (mean, most) = mean_and_most(&shares)?;
        Some(json!({ "mean": mean, "most": most, "steps": shares.len() }))
    });
    let sizes = &report.sizes;
    let kinds = [&sizes.inserts, &sizes.removals, &sizes.renames];
    let mut operations = Map::new();
    for ((kind, length), theirs) in ["inserts", "removals", "renames"]
        .into_iter()
        .zip(kinds)
        .zip(published::lengths(&report.row))
    {
        let length = json!({
            "objects": spread(&length.objects),
            "objects_theirs": theirs.map(|[mean, median, last]| json!({ "mean": mean, "p50": median, "p99": last })),
            "bytes": spread(&length.bytes),
            "depth": spread(&length.depth),
        });
        operations.insert(kind.to_owned(), length);
    }
    let course = sizes.course.iter().map(
        |(edits, objects, bytes)| json!({ "edits": edits, "objects": objects, "bytes": bytes }),
    );
    let figures = json!({
        "fingerprint": format!("{:032x}", report.fingerprint),
        "virtual_nanos": report.virtual_nanos,
        "edits": edits(report),
        "renames": report.sizes.renames.objects.count,
        "renames_asked_in_full": report.asked,
        "steps": report.row.steps(),
        "left_over": { "at_once": at_once, "announced": announced },
        "samples": report.samples.iter().map(|mean| sample(report, mean)).collect::<Vec<_>>(),
        "operations": operations,
        "course": course.collect::<Vec<_>>(),
        "rename_sizes": report.renames.iter().map(rename).collect::<Vec<_>>(),
    });
    let Value::Object(figures) = figures else { unreachable!("it was written as one") };
    figures
}

fn spread(spread: &Spread) -> Value {
    let Spread { count, mean, first, median, last } = spread;
    json!({ "count": count, "mean": mean, "p1": first, "p50": median, "p99": last })
}

/// Means over the bots; what the papers say of that moment, in MB, where they do.
fn sample(report: &Report, mean: &Mean) -> Value {
    let mut sample = Map::new();
    sample.insert("step".to_owned(), mean.step.into());
    sample.insert("when".to_owned(), mean.when.name().into());
    for column in COLUMNS {
        sample.insert(column.to_owned(), mean.get(column).into());
    }
    let theirs = published::document(&report.row, mean.step, mean.when);
    if theirs != published::Document::default() {
        let published::Document { content, alone, whole } = theirs;
        let theirs = json!({ "content_mb": content, "document_mb": alone, "whole_mb": whole });
        sample.insert("theirs".to_owned(), theirs);
    }
    sample.into()
}

fn rename(rename: &Rename) -> Value {
    let Rename { step, chars, blocks, short, bytes, objects } = rename;
    json!({
        "step": step, "chars": chars, "blocks": blocks, "bytes_sent": short,
        "bytes_in_full": bytes, "objects": objects,
    })
}
