//! The report of a sweep: one HTML file that needs nothing else.
//!
//! What it says is worked out here and handed to a template (`report/page.html`, or one of the user's)
//! as [`Page`]. Knows nothing of HTML but for the pictures. Invariant: the same sweep gives the same bytes.

use std::{error::Error, io};

use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};
use results::FORMAT_VERSION;
use serde::Serialize;

use crate::{
    canvas::in_page,
    digest::{Cell, Digest, Scenario},
    ink,
    overview::Overview,
    units::{count, counted},
};

mod failures;
mod scenario;
mod verdict;

use failures::Failures;
use scenario::Section;
use verdict::Verdict;

/// The template of a report.
pub const TEMPLATE: &str = include_str!("report/page.html");
/// What pages look like, but for the colours.
pub(crate) const STYLE: &str = include_str!("report/style.css");
/// What a page does when it is clicked at.
pub(crate) const SCRIPT: &str = include_str!("report/script.js");

/// Steps that a template of the user's may take: some thousand times as many as the report of a large sweep takes.
const STEPS_MAX: u64 = 50_000_000;
/// What it may write.
const PAGE_BYTES_MAX: usize = 256 << 20;

/// A page cannot be made of a template.
#[derive(Debug, thiserror::Error)]
#[error("{name}:{line}: {why}; expected a minijinja template over the keys of the report's own")]
pub struct TemplateError {
    /// The template.
    pub name: String,
    /// The line.
    pub line: usize,
    /// What is wrong.
    pub why: String,
}

/// What a template of a report can use.
#[derive(Serialize)]
struct Page {
    format_version: u32,
    style: String,
    script: &'static str,
    title: String,
    verdict: Verdict,
    build: String,
    seeds: String,
    measure: String,
    spans: String,
    runs: u64,
    failed: u64,
    scenario_count: u64,
    facts: Vec<(&'static str, String)>,
    overview: Option<Picture>,
    failures: Failures,
    scenarios: Vec<Section>,
}

/// A plot in a page.
#[derive(Serialize)]
pub(crate) struct Picture {
    pub(crate) svg: String,
    pub(crate) caption: String,
}

impl Picture {
    pub(crate) fn new(plot: &dyn crate::Plot, id: &str, caption: String) -> Self {
        Self { svg: in_page(plot, id), caption }
    }
}

/// The report of `digest` as HTML.
pub fn report(digest: &Digest) -> String {
    rendered("page.html", TEMPLATE, page(digest)).expect("the template of the report is one")
}

/// The report of `digest` by a template of the user's.
///
/// Errors: it is no template, asks for what is not there, or goes on without an end.
pub fn report_by(digest: &Digest, name: &str, template: &str) -> Result<String, TemplateError> {
    filled(name, template, page(digest), Some(STEPS_MAX), PAGE_BYTES_MAX)
}

/// `template`, which is one of ours, filled in.
pub(crate) fn rendered(
    name: &str,
    template: &str,
    page: impl Serialize,
) -> Result<String, TemplateError> {
    filled(name, template, page, None, usize::MAX)
}

/// `template` filled in, in so many steps and bytes at most.
fn filled(
    name: &str,
    template: &str,
    page: impl Serialize,
    steps_max: Option<u64>,
    bytes_max: usize,
) -> Result<String, TemplateError> {
    let mut environment = Environment::new();
    environment.set_fuel(steps_max);
    environment.add_filter("count", |number: u64| count(number));
    // A template that asks for a key that is not there is wrong, and is told so.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let made = environment.template_from_named_str(name, template);
    let mut bounded = Bounded { text: Vec::new(), bytes_max };
    let page = minijinja::value::Serde(page);
    made.and_then(|template| template.render_captured_to(page, &mut bounded).map(drop)).map_err(
        |error| TemplateError {
            name: name.to_owned(),
            line: error.line().unwrap_or(1),
            why: match (error.kind(), error.source(), error.detail()) {
                (ErrorKind::OutOfFuel, ..) => "it goes on without an end".to_owned(),
                (ErrorKind::WriteFailure, Some(why), _) => why.to_string(),
                (_, _, Some(detail)) => detail.to_owned(),
                (kind, ..) => kind.to_string(),
            },
        },
    )?;
    Ok(String::from_utf8(bounded.text).expect("templates write text"))
}

/// A text that takes so many bytes and no more.
struct Bounded {
    text: Vec<u8>,
    bytes_max: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.bytes_max - self.text.len() {
            return Err(io::Error::other("its page grows without an end"));
        }
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn page(digest: &Digest) -> Page {
    let verdict = Verdict::of(digest);
    let plan = &digest.plan;
    let cells: usize = digest.scenarios.iter().map(|scenario| scenario.cells.len()).sum();
    let scenarios = digest.scenarios.len() as u64;
    let mut facts = vec![
        ("runs", count(digest.runs())),
        ("failed", count(digest.failed())),
        ("scenarios", count(scenarios)),
    ];
    if cells as u64 > scenarios {
        facts.push(("points of grids", count(cells as u64)));
    }
    facts.push(("seeds", plan.seed_base.clone()));
    facts.push(("build", plan.build.clone()));
    Page {
        format_version: FORMAT_VERSION,
        style: ink::variables() + STYLE,
        script: SCRIPT,
        title: verdict.title.clone(),
        build: plan.build.clone(),
        seeds: plan.seed_base.clone(),
        measure: digest.measure.name.to_owned(),
        spans: digest.measure.spans.to_owned(),
        runs: digest.runs(),
        failed: digest.failed(),
        scenario_count: scenarios,
        facts,
        overview: Overview::of(digest).map(|plot| {
            let caption = format!("Time {}: median, 99th percentile, slowest run.", plot.spans());
            Picture::new(&plot, "overview", caption)
        }),
        failures: Failures::of(digest),
        scenarios: (1..)
            .zip(&digest.scenarios)
            .map(|(id, one)| Section::of(digest, one, id))
            .collect(),
        verdict,
    }
}

/// The command that repeats the run of `seed`.
pub(crate) fn repeat(scenario: &Scenario, cell: &Cell, seed: u64) -> String {
    let sets = cell
        .settings
        .iter()
        .map(|(key, value)| format!(" --set {}", quoted(&format!("{key}={value}"))));
    format!("simctl run {} --seed {seed}{}", quoted(&scenario.path), sets.collect::<String>())
}

/// `text` as a shell takes it.
fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+=,@%:".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// `runs` in words, or that all of them did.
pub(crate) fn of_runs(runs: u64, all: u64) -> String {
    if runs == all {
        format!("all {}", counted(all, "run"))
    } else {
        format!("{} of {}", count(runs), counted(all, "run"))
    }
}

#[cfg(test)]
mod tests;
