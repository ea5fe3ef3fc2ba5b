//! Tables over rows, beside those of the papers. A row that was not run is a gap.

use std::collections::BTreeMap;

use crate::{
    bar::{AT_REST_MAX, OVERHEAD_MAX, bar},
    details,
    fleet::Unfinished,
    published::{self, DROPPED, DROPPED_OFTEN, KEPT, PLAIN, Which, find},
    report::{Mean, Report, Reports, left_over},
    sample::When,
    sizes::Length,
    table::{Table, cell, code, percent, short, spread, thousands, three},
};

/// The rows of operations by how often they are renamed.
pub const BY_FREQUENCY: [(Which, &str); 3] = [
    (PLAIN, "LogootSplit"),
    (KEPT[0], "renamed every 30,000"),
    (DROPPED_OFTEN, "renamed every 7,500"),
];

/// Rows that came to no report, by name, and why.
pub type Without = BTreeMap<String, Unfinished>;

/// All tables, each with its name.
pub fn all(reports: &Reports) -> Vec<(&'static str, Table)> {
    with(reports, &Without::new())
}

fn with(reports: &Reports, without: &Without) -> Vec<(&'static str, Table)> {
    vec![
        ("overhead", overhead(reports)),
        ("left-over", left(reports)),
        ("bytes", bytes(reports)),
        ("memory", memory(reports)),
        ("counts", counts(reports)),
        ("lengths", lengths(reports)),
        ("received", received(reports)),
        ("runs", runs(reports, without)),
    ]
}

/// All tables as one text in Markdown, and those of each row that is none of the papers', for which they have no
/// place. What came to no report stands among the runs alone.
pub fn markdown(reports: &Reports, without: &Without) -> String {
    let tables = with(reports, without).into_iter().map(|(name, table)| (name.to_owned(), table));
    let own = reports.iter().filter(|(_, report)| !published::is_theirs(&report.row));
    let own = own.flat_map(|(name, report)| {
        let tables =
            [details::course(report), details::operations(report), details::renames(report)];
        let of = |what: &str| format!("{}: {what}", code(name));
        ["course", "operations", "renames"].map(of).into_iter().zip(tables)
    });
    let each = tables.chain(own).map(|(name, table)| format!("## {name}\n\n{}", table.markdown()));
    each.collect::<Vec<_>>().join("\n")
}

fn sample(reports: &Reports, row: Which, step: u32, when: When) -> Option<&Mean> {
    find(reports, row)?.at(step * 1_000, when)
}

fn beside(ours: Option<f64>, theirs: f64) -> String {
    format!("{} ({})", cell(ours.map(|bytes| bytes / 1e6), short), short(theirs))
}

/// The figure of memory, in the papers' measure.
fn overhead(reports: &Reports) -> Table {
    let mut table = Table::new(&[
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
            let of = |row: Which| sample(reports, row, theirs.step, when);
            let document = |mean: &Mean| mean.get("objects");
            let whole = |mean: &Mean| mean.get("objects") + mean.get("objects_former");
            let split = sample(reports, PLAIN, theirs.step, When::Before);
            let content = split.map(|mean| 2.0 * mean.get("chars"));
            let mut cells = vec![
                format!("{},000{name}", theirs.step),
                beside(content, theirs.content),
                match when {
                    When::Before => beside(split.map(document), theirs.split),
                    _ => String::new(),
                },
                beside(of(DROPPED).map(document), dropped),
            ];
            cells.extend(
                KEPT.into_iter().zip(kept).map(|(row, kept)| beside(of(row).map(whole), kept)),
            );
            table.push(cells);
        }
    }
    table
}

/// What is left beside the text after renames.
fn left(reports: &Reports) -> Table {
    let mut table = Table::new(&[
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
        let mut cells = vec![code(name), steps(report, &[&at_once, &announced])];
        for shares in [&at_once, &announced] {
            cells.push(cell(mean(shares), percent));
            cells.push(cell(most(shares), percent));
        }
        let blocks: Vec<f64> =
            report.all(When::Collected).map(|mean| mean.get("blocks") - 1.0).collect();
        cells.push(cell(mean(&blocks), |blocks| format!("{blocks:.1}")));
        table.push(cells);
    }
    table
}

/// Over how many steps the figures of a row are: all that there were, or fewer of them. Where former states are
/// dropped once that was announced, those may be fewer yet.
fn steps(report: &Report, [at_once, announced]: &[&Vec<f64>; 2]) -> String {
    let (due, collects) = (report.row.steps(), report.row.collects());
    match (at_once.len(), announced.len()) {
        (one, other) if one == due && (other == due || !collects) => due.to_string(),
        (one, other) if collects => format!("{one} / {other} of {due}"),
        (one, _) => format!("{one} of {due}"),
    }
}

/// The same documents, encoded.
fn bytes(reports: &Reports) -> Table {
    let mut table = Table::new(&[
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
        let of = |row: Which, when, column| {
            let figure = sample(reports, row, step, when).map(|mean| mean.get(column) / 1e3);
            cell(figure, |figure| format!("{figure:.1}"))
        };
        let mut cells = vec![
            format!("{step},000"),
            of(PLAIN, When::Before, "chars"),
            of(PLAIN, When::Before, "bytes"),
            of(DROPPED, When::Renamed, "bytes_collected"),
            of(DROPPED, When::Collected, "bytes"),
        ];
        cells.extend(KEPT.map(|row| of(row, When::Renamed, "bytes")));
        table.push(cells);
    }
    table
}

/// The documents in memory, at running replicas, and the former states that they keep.
fn memory(reports: &Reports) -> Table {
    let mut table = Table::new(&[
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
        let of = |row: Which, when, figure: fn(&Mean) -> f64| {
            cell(sample(reports, row, step, when).map(|mean| figure(mean) / 1e3), thousands)
        };
        let held: fn(&Mean) -> f64 = |mean| mean.get("held");
        let whole: fn(&Mean) -> f64 = |mean| mean.get("held") + mean.get("held_former");
        let cells = vec![
            format!("{step},000"),
            of(PLAIN, When::Before, |mean| mean.get("chars")),
            of(PLAIN, When::Before, held),
            of(DROPPED, When::Before, held),
            of(DROPPED, When::Collected, held),
            of(DROPPED_OFTEN, When::Before, held),
            of(DROPPED_OFTEN, When::Collected, held),
            of(KEPT[0], When::Renamed, whole),
            of(KEPT[3], When::Renamed, whole),
        ];
        table.push(cells);
    }
    table
}

/// What an implementation cannot change: blocks and depths before each rename.
fn counts(reports: &Reports) -> Table {
    let mut table = Table::new(&[
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
        table.push(cells);
    }
    table
}

/// Kinds of operations, each with its published figures by frequency.
pub type Kind = (&'static str, [Option<published::Operations>; 3]);

/// Inserts, removals and renames; nobody renames without renames.
pub fn kinds() -> [Kind; 3] {
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
fn lengths(reports: &Reports) -> Table {
    let mut table = Table::new(&[
        "bytes, of renames KB: mean / median / 99th percentile",
        "theirs",
        "ours, in their measure",
        "ours, sent",
        "median depth",
    ]);
    for (kind, theirs) in kinds() {
        for ((row, name), theirs) in BY_FREQUENCY.iter().zip(theirs) {
            let (Some(theirs), Some(report)) = (theirs, find(reports, *row)) else { continue };
            let length = length(report, kind);
            let unit = if kind == "rename" { 1e3 } else { 1.0 };
            table.push(vec![
                format!("{kind}, {name}"),
                three(theirs.size),
                spread(&length.objects, unit),
                spread(&length.bytes, unit),
                format!("{:.0}", length.depth.median),
            ]);
        }
    }
    table
}

/// Renames that were understood in few bytes, and those that had to be sent in full.
fn received(reports: &Reports) -> Table {
    let mut table = Table::new(&["row", "renames", "received by others", "of them in full"]);
    for (name, report) in reports.iter().filter(|(_, report)| report.row.renames.is_some()) {
        let renames = report.sizes.renames.bytes.count as f64;
        let received = renames * f64::from(report.row.replicas.get() - 1);
        let figures = [renames, received, report.asked as f64].map(thousands);
        table.push([&[code(name)], &figures[..]].concat());
    }
    table
}

/// All runs, so that they can be compared with those of another machine, and what each came to.
fn runs(reports: &Reports, without: &Without) -> Table {
    let mut lines = BTreeMap::new();
    for (name, report) in reports {
        let has_bar = published::is_theirs(&report.row) && report.row.renames.is_some();
        let bar_is = match has_bar {
            true => {
                format!("{} on average, {} at last", percent(OVERHEAD_MAX), percent(AT_REST_MAX))
            }
            false => "-".to_owned(),
        };
        let outcome = bar(report).map_or_else(|why| format!("exceeds: {why}"), |()| "holds".into());
        let time = format!("{:.1} min", report.virtual_nanos as f64 / 6e10);
        lines.insert(name, [bar_is, outcome, time, format!("`{:032x}`", report.fingerprint)]);
    }
    for (name, why) in without {
        let outcome = match why {
            Unfinished::Stopped(why) => format!("stops: {why}"),
            Unfinished::Diverged(why) => format!("diverges: {why}"),
            Unfinished::Interrupted => "interrupted".to_owned(),
        };
        let none = || "-".to_owned();
        lines.insert(name, [none(), outcome, none(), none()]);
    }
    let columns =
        ["row", "left beside the text, at most", "outcome", "virtual time", "fingerprint"];
    let mut table = Table::new(&columns);
    for (name, cells) in lines {
        table.push([&[code(name)], &cells[..]].concat());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fleet::run,
        row::{Row, tests::SMALL},
    };

    /// The report of a small run, as if it had been one of the row that `text` describes and `name` names.
    fn posing(name: &str, text: &str) -> Reports {
        let mut report = Report::of(&run(&Row::parse("small", SMALL).unwrap()).unwrap());
        report.row = Row::parse(name, text).unwrap();
        [(name.to_owned(), report)].into()
    }

    #[test]
    fn a_row_that_was_not_run_is_a_gap() {
        let tables = all(&Reports::new());
        assert!(tables.iter().any(|(_, table)| table.markdown().contains("| - (0.037) |")));
        assert!(tables.iter().all(|(_, table)| table.markdown().lines().count() >= 2));
    }

    /// As the screen judges, so do tables and pictures: by what a row says, and not by its name.
    #[test]
    fn a_row_stands_beside_the_papers_by_what_it_says_and_not_by_its_name() {
        let lengths = |reports: &Reports| lengths(reports).markdown().lines().count() - 2;
        let theirs = include_str!("../../scenarios/evaluation/keep-30000-by-1.toml");
        let other = theirs.replace("seed = 1\n", "seed = 5\n");
        assert_eq!(lengths(&posing("mine", &other)), 3);
        assert_eq!(lengths(&posing("keep-30000-by-1", SMALL)), 0);
        let files = |reports: &Reports| {
            let files = crate::plots::all(reports).unwrap();
            files.into_iter().map(|(file, _)| file).collect::<Vec<_>>()
        };
        let mine = files(&posing("mine", &other));
        assert_eq!(mine, ["overhead.svg", "overhead-theirs.svg", "lengths.svg"]);
        assert_eq!(files(&posing("keep-30000-by-1", SMALL)), ["own.svg"]);
    }

    #[test]
    fn a_row_of_ones_own_has_tables_of_its_own() {
        let text = markdown(&posing("mine", SMALL), &Without::new());
        for table in
            ["## `mine`: course\n\n| edits |", "## `mine`: operations", "## `mine`: renames"]
        {
            assert!(text.contains(table), "{table} in {text}");
        }
        let theirs = include_str!("../../scenarios/evaluation/keep-30000-by-1.toml");
        assert!(!markdown(&posing("mine", theirs), &Without::new()).contains("`mine`: "));
    }

    #[test]
    fn every_run_has_a_line_that_says_what_it_came_to_and_what_it_was_to_be() {
        let theirs = include_str!("../../scenarios/evaluation/keep-30000-by-1.toml");
        let mut reports = posing("theirs", theirs);
        reports.extend(posing("own", SMALL));
        let why = |why: &str| why.to_owned();
        let without: Without = [
            (why("a|b"), Unfinished::Stopped(why("nothing to rename"))),
            (why("z"), Unfinished::Diverged(why("texts differ"))),
        ]
        .into();
        let text = runs(&reports, &without).markdown();
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(lines[0], "| `a\\|b` | - | stops: nothing to rename | - | - |");
        assert!(lines[1].starts_with("| `own` | - | holds | "), "{text}");
        let exceeds = "| `theirs` | 1.00 % on average, 0.10 % at last | exceeds: after 4 steps ";
        assert!(lines[2].starts_with(exceeds), "{text}");
        assert_eq!(lines[3], "| `z` | - | diverges: texts differ | - | - |");
    }

    #[test]
    fn fewer_steps_than_there_were_are_said() {
        let mut reports = posing("small", SMALL);
        assert!(left(&reports).markdown().contains("| `small` | 4 | "));
        let report = reports.get_mut("small").unwrap();
        report.samples.retain(|mean| mean.step != 600);
        assert!(left(&reports).markdown().contains("| `small` | 3 of 4 | "));
    }
}
