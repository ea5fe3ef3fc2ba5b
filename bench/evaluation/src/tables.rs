//! Tables beside those of the papers, in Markdown.

use std::fmt::Write as _;

use crate::{
    clock::Spread,
    measure::sizes::Length,
    published,
    report::{Mean, Report, Reports, left_over},
    sample::When,
};

/// The rows without collection, by the number of renamers.
const KEPT: [&str; 4] =
    ["keep-30000-by-1", "keep-30000-by-2", "keep-30000-by-3", "keep-30000-by-4"];
/// The rows of operations by how often they are renamed.
const BY_FREQUENCY: [(&str, &str); 3] = [
    ("ls", "LogootSplit"),
    ("keep-30000-by-1", "renamed every 30,000"),
    ("drop-7500-by-1", "renamed every 7,500"),
];

/// All tables, each with its name. A row that was not run is a gap.
pub(crate) fn all(reports: &Reports) -> Vec<(&'static str, String)> {
    vec![
        ("overhead", overhead(reports)),
        ("left-over", left(reports)),
        ("bytes", bytes(reports)),
        ("memory", memory(reports)),
        ("counts", counts(reports)),
        ("renames", renames(reports)),
        ("lengths", lengths(reports)),
        ("times", times(reports)),
        ("inserts", inserts(reports)),
        ("replay", replay(reports)),
        ("received", received(reports)),
        ("runs", runs(reports)),
    ]
}

/// The head of a table whose first column is text and all others numbers.
fn head(columns: &[&str]) -> String {
    let mut table = format!("| {} |\n| --- |", columns.join(" | "));
    table += &" ---: |".repeat(columns.len() - 1);
    table.push('\n');
    table
}

fn push(table: &mut String, cells: &[String]) {
    let _ = writeln!(table, "| {} |", cells.join(" | "));
}

/// `number` with three digits that count, and no more than three behind the point.
fn short(number: f64) -> String {
    match number {
        100.0.. => thousands(number),
        10.0.. => format!("{number:.1}"),
        1.0.. => format!("{number:.2}"),
        _ => format!("{number:.3}"),
    }
}

/// A whole number, its thousands apart.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut apart = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

fn cell(figure: Option<f64>, shown: impl Fn(f64) -> String) -> String {
    figure.map_or_else(|| "-".to_owned(), shown)
}

fn sample<'a>(reports: &'a Reports, row: &str, step: u32, when: When) -> Option<&'a Mean> {
    reports.get(row)?.at(step * 1_000, when)
}

fn beside(ours: Option<f64>, theirs: f64) -> String {
    format!("{} ({})", cell(ours.map(|bytes| bytes / 1e6), short), short(theirs))
}

/// The figure of memory, in the papers' measure.
fn overhead(reports: &Reports) -> String {
    let mut table = head(&[
        "MB, ours (theirs)",
        "content",
        "LogootSplit",
        "dropped at once",
        "kept, 1 renamer",
        "2",
        "3",
        "4",
    ]);
    for theirs in published::OVERHEAD {
        let whens = [
            (When::Before, "", Some((theirs.dropped, theirs.kept))),
            (When::Renamed, ", renamed", theirs.renamed.map(|each| (each.dropped, each.kept))),
        ];
        for (when, name, figures) in whens {
            let Some((dropped, kept)) = figures else { continue };
            let of = |row: &str| sample(reports, row, theirs.step, when);
            let document = |mean: &Mean| mean.get("objects");
            let whole = |mean: &Mean| mean.get("objects") + mean.get("objects_former");
            let split = sample(reports, "ls", theirs.step, When::Before);
            let content = split.map(|mean| 2.0 * mean.get("chars"));
            let mut cells = vec![
                format!("{},000{name}", theirs.step),
                beside(content, theirs.content),
                match when {
                    When::Before => beside(split.map(document), theirs.split),
                    _ => String::new(),
                },
                beside(of("drop-30000-by-1").map(document), dropped),
            ];
            cells.extend(KEPT.iter().zip(kept).map(|(row, kept)| beside(of(row).map(whole), kept)));
            push(&mut table, &cells);
        }
    }
    table
}

/// What is left beside the text after renames.
fn left(reports: &Reports) -> String {
    let mut table = head(&[
        "row",
        "steps",
        "at once: mean",
        "most",
        "once announced: mean",
        "most",
        "blocks typed meanwhile",
    ]);
    for (name, report) in reports.iter().filter(|(_, report)| report.row.renames.is_some()) {
        let [at_once, announced] = left_over(report);
        let mean = |shares: &[f64]| match shares.len() {
            0 => None,
            count => Some(shares.iter().sum::<f64>() / count as f64),
        };
        let most = |shares: &[f64]| shares.iter().copied().reduce(f64::max);
        let mut cells = vec![format!("`{name}`"), at_once.len().to_string()];
        for shares in [&at_once, &announced] {
            cells.push(cell(mean(shares), percent));
            cells.push(cell(most(shares), percent));
        }
        let blocks: Vec<f64> =
            report.all(When::Collected).map(|mean| mean.get("blocks") - 1.0).collect();
        cells.push(cell(mean(&blocks), |blocks| format!("{blocks:.1}")));
        push(&mut table, &cells);
    }
    table
}

/// The same documents, encoded.
fn bytes(reports: &Reports) -> String {
    let mut table = head(&[
        "KB, encoded",
        "text",
        "LogootSplit",
        "renamed, dropped at once",
        "once announced",
        "kept, 1 renamer",
        "2",
        "3",
        "4",
    ]);
    for step in published::OVERHEAD.iter().map(|row| row.step).filter(|step| *step >= 30) {
        let of = |row: &str, when, column| {
            let figure = sample(reports, row, step, when).map(|mean| mean.get(column) / 1e3);
            cell(figure, |figure| format!("{figure:.1}"))
        };
        let mut cells = vec![
            format!("{step},000"),
            of("ls", When::Before, "chars"),
            of("ls", When::Before, "bytes"),
            of("drop-30000-by-1", When::Renamed, "bytes_collected"),
            of("drop-30000-by-1", When::Collected, "bytes"),
        ];
        cells.extend(KEPT.iter().map(|row| of(row, When::Renamed, "bytes")));
        push(&mut table, &cells);
    }
    table
}

/// The documents in memory, at running replicas, and the former states that they keep.
fn memory(reports: &Reports) -> String {
    let mut table = head(&[
        "KB, in memory",
        "text",
        "LogootSplit",
        "renamed every 30,000: before",
        "former state dropped",
        "every 7,500: before",
        "former state dropped",
        "kept, 1 renamer",
        "4",
    ]);
    for step in published::OVERHEAD.iter().map(|row| row.step).filter(|step| *step >= 30) {
        let of = |row: &str, when, figure: fn(&Mean) -> f64| {
            cell(sample(reports, row, step, when).map(|mean| figure(mean) / 1e3), thousands)
        };
        let held: fn(&Mean) -> f64 = |mean| mean.get("held");
        let whole: fn(&Mean) -> f64 = |mean| mean.get("held") + mean.get("held_former");
        let cells = [
            format!("{step},000"),
            of("ls", When::Before, |mean| mean.get("chars")),
            of("ls", When::Before, held),
            of("drop-30000-by-1", When::Before, held),
            of("drop-30000-by-1", When::Collected, held),
            of("drop-7500-by-1", When::Before, held),
            of("drop-7500-by-1", When::Collected, held),
            of(KEPT[0], When::Renamed, whole),
            of(KEPT[3], When::Renamed, whole),
        ];
        push(&mut table, &cells);
    }
    table
}

/// What an implementation cannot change: blocks and depths before each rename.
fn counts(reports: &Reports) -> String {
    let mut table = head(&[
        "before any rename of the step",
        "blocks",
        "mean depth",
        "deepest",
        "renamed every 30,000: blocks",
        "mean depth",
        "deepest",
        "every 7,500: blocks",
        "mean depth",
        "deepest",
    ]);
    for step in published::OVERHEAD.iter().map(|row| row.step) {
        let mut cells = vec![format!("{step},000")];
        for (row, _) in BY_FREQUENCY {
            let mean = sample(reports, row, step, When::Before);
            cells.push(cell(mean.map(|mean| mean.get("blocks")), thousands));
            let depth = mean.map(|mean| mean.get("tuples") / mean.get("blocks"));
            cells.push(cell(depth, |depth| format!("{depth:.1}")));
            cells.push(cell(mean.map(|mean| mean.get("depth_max")), |depth| format!("{depth:.0}")));
        }
        push(&mut table, &cells);
    }
    table
}

/// Renames by the size of the document.
fn renames(reports: &Reports) -> String {
    let mut table = head(&[
        "µs, ours (theirs)",
        "characters",
        "blocks",
        "bytes sent",
        "a block",
        "in full",
        "in their measure",
        "local",
        "remote",
        "concurrent, greater",
        "lesser",
        "copy of the text",
    ]);
    let costs = reports.get("ls").map_or(&[][..], |report| &report.renames[..]);
    for (step, theirs) in published::RENAMES {
        let Some(cost) = costs.iter().find(|cost| cost.step == step * 1_000) else { continue };
        let mut cells = vec![
            format!("{step},000"),
            thousands(cost.chars as f64),
            thousands(cost.blocks as f64),
            thousands(cost.short as f64),
            format!("{:.1}", cost.short as f64 / cost.blocks as f64),
            thousands(cost.bytes as f64),
            thousands(cost.objects as f64),
        ];
        let ours = [&cost.local, &cost.remote, &cost.greater, &cost.lesser];
        for (spread, millis) in ours.into_iter().zip(theirs) {
            cells.push(format!("{} ({})", range(spread), thousands(millis * 1e3)));
        }
        cells.push(short(cost.copy.median / 1e3));
        push(&mut table, &cells);
    }
    table
}

/// The median in µs, and the first and the last percentile.
fn range(spread: &Spread) -> String {
    let [median, first, last] =
        [spread.median, spread.first, spread.last].map(|nanos| short(nanos / 1e3));
    format!("{median} [{first}-{last}]")
}

fn three(figures: [f64; 3]) -> String {
    figures.map(short).join(" / ")
}

fn spread(spread: &Spread, unit: f64) -> String {
    three([spread.mean, spread.median, spread.last].map(|figure| figure / unit))
}

/// Kinds of operations, each with its published figures by frequency.
type Kind = (&'static str, [Option<published::Operations>; 3]);

fn kinds() -> [Kind; 3] {
    let [often, oftener] = published::RENAMES_BY_FREQUENCY;
    [
        ("insert", published::INSERTS.map(Some)),
        ("removal", published::REMOVALS.map(Some)),
        ("rename", [None, Some(often), Some(oftener)]),
    ]
}

fn length(report: &Report, kind: &str) -> Length {
    match kind {
        "insert" => report.sizes.inserts,
        "removal" => report.sizes.removals,
        _ => report.sizes.renames,
    }
}

/// How long operations are, by how often they are renamed.
fn lengths(reports: &Reports) -> String {
    let mut table = head(&[
        "bytes, of renames KB: mean / median / 99th percentile",
        "theirs",
        "ours, in their measure",
        "ours, sent",
        "median depth",
    ]);
    for (kind, theirs) in kinds() {
        for ((row, name), theirs) in BY_FREQUENCY.iter().zip(theirs) {
            let (Some(theirs), Some(report)) = (theirs, reports.get(*row)) else { continue };
            let length = length(report, kind);
            let unit = if kind == "rename" { 1e3 } else { 1.0 };
            push(
                &mut table,
                &[
                    format!("{kind}, {name}"),
                    three(theirs.size),
                    spread(&length.objects, unit),
                    spread(&length.bytes, unit),
                    format!("{:.0}", length.depth.median),
                ],
            );
        }
    }
    table
}

/// What operations take where they arrive, by how often they are renamed.
fn times(reports: &Reports) -> String {
    let mut table = head(&[
        "µs: mean / median / 99th percentile",
        "operations",
        "theirs",
        "ours",
        "theirs to ours, by the mean",
    ]);
    for (kind, theirs) in kinds() {
        for ((row, name), theirs) in BY_FREQUENCY.iter().zip(theirs) {
            let (Some(theirs), Some(report)) = (theirs, reports.get(*row)) else { continue };
            let times = match kind {
                "insert" => &report.replay.inserts,
                "removal" => &report.replay.removals,
                _ => &report.replay.renames,
            };
            let unit = if kind == "rename" { 1e3 } else { 1.0 };
            let theirs = theirs.time.map(|time| time * unit);
            push(
                &mut table,
                &[
                    format!("{kind}, {name}"),
                    thousands(times.count as f64),
                    three(theirs),
                    spread(times, 1e3),
                    thousands(theirs[0] * 1e3 / times.mean),
                ],
            );
        }
    }
    table
}

/// What inserts take, by where they come from.
fn inserts(reports: &Reports) -> String {
    let mut table = head(&[
        "µs, medians",
        "LogootSplit: local",
        "remote",
        "with renames: local",
        "remote",
        "of the epoch before",
        "of a concurrent epoch",
    ]);
    for step in published::OVERHEAD.iter().map(|row| row.step) {
        let of = |row: &str| {
            let report = reports.get(row)?;
            report.inserts.iter().find(|cost| cost.step == step * 1_000)
        };
        let (plain, renamed) = (of("ls"), of("keep-30000-by-1"));
        let figures = [
            plain.map(|cost| cost.local),
            plain.map(|cost| cost.remote),
            renamed.map(|cost| cost.local),
            renamed.map(|cost| cost.remote),
            renamed.map(|cost| cost.previous),
            renamed.map(|cost| cost.concurrent),
        ];
        let figure = |spread: Option<Spread>| {
            cell(spread.map(|spread| spread.median / 1e3), |micros| format!("{micros:.2}"))
        };
        let mut cells = vec![format!("{step},000")];
        cells.extend(figures.map(figure));
        push(&mut table, &cells);
    }
    let mut cells = vec!["theirs, from 10,000 to 150,000".to_owned()];
    cells.extend(published::INSERT_TIMES.map(str::to_owned));
    push(&mut table, &cells);
    table
}

/// What it takes to read the whole log.
fn replay(reports: &Reports) -> String {
    let mut table =
        head(&["row", "renames", "theirs, s", "ours, ms", "µs an operation", "theirs to ours"]);
    for (row, theirs) in ["ls"].iter().chain(&KEPT).zip(published::REPLAY) {
        let Some(report) = reports.get(*row) else { continue };
        let total = report.replay.total() as f64;
        let count = report.replay.course.last().map_or(0, |(count, _)| *count);
        push(
            &mut table,
            &[
                format!("`{row}`"),
                report.sizes.renames.bytes.count.to_string(),
                format!("{theirs:.1}"),
                format!("{:.1}", total / 1e6),
                format!("{:.2}", total / 1e3 / count as f64),
                thousands(theirs * 1e9 / total),
            ],
        );
    }
    table
}

/// Renames that were understood in few bytes, and those that had to be sent in full.
fn received(reports: &Reports) -> String {
    let mut table = head(&["row", "renames", "received by others", "of them in full"]);
    for (name, report) in reports.iter().filter(|(_, report)| report.row.renames.is_some()) {
        let renames = report.sizes.renames.bytes.count as f64;
        let received = renames * f64::from(report.row.replicas.get() - 1);
        let figures = [renames, received, report.asked as f64].map(thousands);
        push(&mut table, &[&[format!("`{name}`")], &figures[..]].concat());
    }
    table
}

/// All runs, so that they can be compared with those of another machine.
fn runs(reports: &Reports) -> String {
    let mut table = head(&["row", "virtual time", "fingerprint"]);
    for (name, report) in reports {
        let time = format!("{:.1} min", report.virtual_nanos as f64 / 6e10);
        let fingerprint = format!("`{:032x}`", report.fingerprint);
        push(&mut table, &[format!("`{name}`"), time, fingerprint]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_long_as_they_count() {
        let shown = [0.0374, 1.234, 22.13, 181.4, 12_345.6].map(short);
        assert_eq!(shown, ["0.037", "1.23", "22.1", "181", "12,346"]);
    }

    #[test]
    fn a_row_that_was_not_run_is_a_gap() {
        let tables = all(&Reports::new());
        assert!(tables.iter().any(|(_, table)| table.contains("| - (0.037) |")));
        assert!(tables.iter().all(|(_, table)| table.lines().count() >= 2));
    }
}
