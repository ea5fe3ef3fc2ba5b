//! Tables of times beside those of the papers.

use experiment::{
    Reports, Spread,
    published::{self, KEPT, PLAIN, find},
    table::{Table, cell, code, short, spread, thousands, three},
    tables::{self, BY_FREQUENCY, kinds},
};

use crate::report::{Times, of};

/// All tables, each with its name: those without times too. A row that was not run is a gap.
pub(crate) fn all(reports: &Reports, times: &Times) -> Vec<(&'static str, Table)> {
    let mut all = tables::all(reports);
    all.extend([
        ("renames", renames(reports, times)),
        ("times", spent(reports, times)),
        ("inserts", inserts(reports, times)),
        ("replay", replay(reports, times)),
    ]);
    all
}

/// Renames by the size of the document.
fn renames(reports: &Reports, times: &Times) -> Table {
    let mut table = Table::new(&[
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
    let (Some(report), Some(times)) = (find(reports, PLAIN), of(times, reports, PLAIN)) else {
        return table;
    };
    for (step, theirs) in published::RENAMES {
        let sizes = report.renames.iter().find(|size| size.step == step * 1_000);
        let costs = times.renames.iter().find(|cost| cost.step == step * 1_000);
        let (Some(size), Some(cost)) = (sizes, costs) else { continue };
        let mut cells = vec![
            format!("{step},000"),
            thousands(size.chars as f64),
            thousands(size.blocks as f64),
            thousands(size.short as f64),
            format!("{:.1}", size.short as f64 / size.blocks as f64),
            thousands(size.bytes as f64),
            thousands(size.objects as f64),
        ];
        let ours = [&cost.local, &cost.remote, &cost.greater, &cost.lesser];
        for (spread, millis) in ours.into_iter().zip(theirs) {
            cells.push(format!("{} ({})", range(spread), thousands(millis * 1e3)));
        }
        cells.push(short(cost.copy.median / 1e3));
        table.push(cells);
    }
    table
}

/// The median in µs, and the first and the last percentile.
fn range(spread: &Spread) -> String {
    let [median, first, last] =
        [spread.median, spread.first, spread.last].map(|nanos| short(nanos / 1e3));
    format!("{median} [{first}-{last}]")
}

/// What operations take where they arrive, by how often they are renamed.
fn spent(reports: &Reports, times: &Times) -> Table {
    let mut table = Table::new(&[
        "µs: mean / median / 99th percentile",
        "operations",
        "theirs",
        "ours",
        "theirs to ours, by the mean",
    ]);
    for (kind, theirs) in kinds() {
        for ((row, name), theirs) in BY_FREQUENCY.iter().zip(theirs) {
            let (Some(theirs), Some(timed)) = (theirs, of(times, reports, *row)) else { continue };
            let times = match kind {
                "insert" => &timed.replay.inserts,
                "removal" => &timed.replay.removals,
                _ => &timed.replay.renames,
            };
            let unit = if kind == "rename" { 1e3 } else { 1.0 };
            let theirs = theirs.time.map(|time| time * unit);
            table.push(vec![
                format!("{kind}, {name}"),
                thousands(times.count as f64),
                three(theirs),
                spread(times, 1e3),
                thousands(theirs[0] * 1e3 / times.mean),
            ]);
        }
    }
    table
}

/// What inserts take, by where they come from.
fn inserts(reports: &Reports, times: &Times) -> Table {
    let mut table = Table::new(&[
        "µs, medians",
        "LogootSplit: local",
        "remote",
        "with renames: local",
        "remote",
        "of the epoch before",
        "of a concurrent epoch",
    ]);
    for step in published::OVERHEAD.iter().map(|row| row.step) {
        let at = |which| {
            of(times, reports, which)?.inserts.iter().find(|cost| cost.step == step * 1_000)
        };
        let (plain, renamed) = (at(PLAIN), at(KEPT[0]));
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
        table.push(cells);
    }
    let mut cells = vec!["theirs, from 10,000 to 150,000".to_owned()];
    cells.extend(published::INSERT_TIMES.map(str::to_owned));
    table.push(cells);
    table
}

/// What it takes to read the whole log.
fn replay(reports: &Reports, times: &Times) -> Table {
    let mut table = Table::new(&[
        "row",
        "renames",
        "theirs, s",
        "ours, ms",
        "µs an operation",
        "theirs to ours",
    ]);
    for (row, theirs) in [PLAIN].into_iter().chain(KEPT).zip(published::REPLAY) {
        let (Some(report), Some(timed)) = (find(reports, row), of(times, reports, row)) else {
            continue;
        };
        let total = timed.replay.total() as f64;
        let count = timed.replay.course.last().map_or(0, |(count, _)| *count);
        table.push(vec![
            code(&report.row.name),
            report.sizes.renames.bytes.count.to_string(),
            format!("{theirs:.1}"),
            format!("{:.1}", total / 1e6),
            format!("{:.2}", total / 1e3 / count as f64),
            thousands(theirs * 1e9 / total),
        ]);
    }
    table
}
