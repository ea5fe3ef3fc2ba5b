//! The page of a comparison: the sweeps drawn over each other, and what the tests say.

use serde::Serialize;

use super::{
    Change, Compared, Comparison,
    words::{chance, times},
};
use crate::{
    digest::Digest,
    ecdf::{Ecdf, Key, Line, Look},
    ink,
    report::{Picture, SCRIPT, STYLE, TemplateError, rendered},
    units::{count, percent, span},
};

/// The template of a comparison.
pub const COMPARE_TEMPLATE: &str = include_str!("page.html");

#[derive(Serialize)]
struct Page<'a> {
    style: String,
    script: &'static str,
    comparison: &'a Comparison,
    /// What the tests are told from, in words.
    level: String,
    tolerance: String,
    sections: Vec<Section>,
}

#[derive(Serialize)]
struct Section {
    id: String,
    name: String,
    word: String,
    worse: bool,
    sentence: String,
    picture: Option<Picture>,
    rows: Vec<[String; 4]>,
    tests: Vec<[String; 5]>,
}

/// The page of `comparison`, which is of `before` and `after`.
pub fn compare_page(comparison: &Comparison, before: &Digest, after: &Digest) -> String {
    let sections = comparison.scenarios.iter().enumerate();
    let page = Page {
        style: ink::variables() + STYLE,
        script: SCRIPT,
        comparison,
        level: percent((comparison.level * 1_000.0) as u64, 1_000),
        tolerance: percent((comparison.tolerance * 10_000.0).round() as u64, 10_000),
        sections: sections.map(|(index, one)| section(one, index, before, after)).collect(),
    };
    let made: Result<String, TemplateError> = rendered("compare.html", COMPARE_TEMPLATE, &page);
    made.expect("the template of a comparison is one")
}

fn section(one: &Compared, index: usize, before: &Digest, after: &Digest) -> Section {
    let id = format!("s{}", index + 1);
    let latencies = |digest: &Digest| {
        let found = digest.scenarios.iter().find(|scenario| scenario.name == one.name);
        found.map(crate::digest::Scenario::latencies).unwrap_or_default()
    };
    let lines = [
        ("before", Look { series: 6, dash: 1 }, before),
        ("after", Look { series: 0, dash: 0 }, after),
    ];
    let lines = lines
        .into_iter()
        .filter_map(|(label, look, digest)| Line::new(label.into(), look, latencies(digest)));
    let title = format!("{}: before and after", one.name);
    let plot = Ecdf::new(title, after.measure.spans, lines.collect(), Key::Below);
    let latency = one.latency.as_ref().map(|latency| latency.change);
    let word = match (latency, one.failures.change) {
        (Some(Change::Worse), Change::Worse) => "slower, fails more often",
        (Some(Change::Worse), _) => "slower",
        (_, Change::Worse) => "fails more often",
        (Some(Change::Better), _) => "faster",
        (_, Change::Better) => "fails less often",
        _ => "no change found",
    };
    Section {
        name: one.name.clone(),
        word: word.to_owned(),
        worse: one.worse,
        sentence: one.sentence.clone(),
        picture: plot.map(|plot| {
            let caption = "Share of runs done within a time; dots at p50 and p99.".to_owned();
            Picture::new(&plot, &format!("{id}-ecdf"), caption)
        }),
        rows: rows(one),
        tests: tests(one),
        id,
    }
}

fn rows(one: &Compared) -> Vec<[String; 4]> {
    let mut rows = Vec::new();
    if let Some(latency) = &one.latency {
        let row = |name: &str, (before, after): (u64, u64), ratio: f64| {
            [name.to_owned(), span(before), span(after), times(ratio)]
        };
        let (before, after) = latency.p50_nanos;
        rows.push(row("p50", latency.p50_nanos, after as f64 / before.max(1) as f64));
        rows.push(row("p99", latency.p99_nanos, latency.p99_ratio.ratio));
    }
    let (failed, runs) = (one.failures.failed, one.failures.runs);
    let share = |failed, runs| format!("{} ({})", count(failed), percent(failed, runs));
    rows.push(["failed".into(), share(failed.0, runs.0), share(failed.1, runs.1), String::new()]);
    rows.push(["runs".into(), count(runs.0), count(runs.1), String::new()]);
    rows
}

fn tests(one: &Compared) -> Vec<[String; 5]> {
    let mut rows = Vec::new();
    let row = |what: &str, tested: &crate::statistics::Tested, corrected: f64| {
        let value = if tested.value.fract() == 0.0 {
            format!("{:.0}", tested.value)
        } else {
            format!("{:.3}", tested.value)
        };
        let said = format!("{}: {value}", tested.statistic);
        [what.to_owned(), tested.test.to_owned(), said, chance(tested.p), chance(corrected)]
    };
    if let Some(latency) = &one.latency {
        rows.push(row("typical run", &latency.tested, latency.p_corrected));
        let tail = latency.p99_ratio;
        rows.push([
            "slowest runs".into(),
            "bootstrap of the ratio of p99".into(),
            format!("{}, from {} to {}", times(tail.ratio), times(tail.low), times(tail.high)),
            String::new(),
            String::new(),
        ]);
    }
    rows.push(row("failures", &one.failures.tested, one.failures.p_corrected));
    rows
}
