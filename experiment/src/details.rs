//! Tables of one row: what it came to, beside what the papers say of it.

use crate::{
    published,
    renames::Rename,
    report::{Mean, Report},
    sample::When,
    sizes::Length,
    table::{Table, short, spread, thousands, three},
};

/// The document over time; sizes in MB are in the papers' measure, theirs in brackets.
///
/// Of a row of theirs it has the steps that they show, of any other one all.
pub fn course(report: &Report) -> Table {
    let mut table = Table::new(&[
        "edits",
        "text KB",
        "encoded KB",
        "blocks",
        "depth",
        "deepest",
        "epochs",
        "content MB",
        "document MB",
        "with former states",
    ]);
    for mean in report.samples.iter().filter(|mean| is_shown(report, mean.step)) {
        let theirs = published::document(&report.row, mean.step, mean.when);
        let objects = mean.get("objects");
        table.push(vec![
            moment(mean),
            kilobytes(mean.get("chars")),
            kilobytes(mean.get("bytes")),
            thousands(mean.get("blocks")),
            format!("{:.1}", mean.get("tuples") / mean.get("blocks").max(1.0)),
            format!("{:.0}", mean.get("depth_max")),
            format!("{:.0}", mean.get("epochs")),
            beside(2.0 * mean.get("chars"), theirs.content),
            beside(objects, theirs.alone),
            beside(objects + mean.get("objects_former"), theirs.whole),
        ]);
    }
    table
}

/// How long operations are: mean / median / 99th percentile, in bytes.
pub fn operations(report: &Report) -> Table {
    let mut table = Table::new(&[
        "mean / median / p99",
        "how many",
        "bytes in the papers' measure",
        "theirs",
        "bytes sent",
        "depth",
    ]);
    let sizes = &report.sizes;
    let kinds =
        [("inserts", &sizes.inserts), ("removals", &sizes.removals), ("renames", &sizes.renames)];
    for ((kind, length), theirs) in kinds.into_iter().zip(published::lengths(&report.row)) {
        let Length { objects, bytes, depth } = length;
        if objects.count > 0 {
            table.push(vec![
                kind.to_owned(),
                thousands(objects.count as f64),
                spread(objects, 1.0),
                theirs.map_or_else(String::new, three),
                spread(bytes, 1.0),
                format!("{:.0}", depth.median),
            ]);
        }
    }
    table
}

/// How large renames are; of those that are concurrent the first.
pub fn renames(report: &Report) -> Table {
    let mut table = Table::new(&[
        "renames",
        "characters",
        "blocks",
        "bytes sent",
        "a block",
        "in full",
        "in the papers' measure",
    ]);
    let mut last = 0;
    for rename in report.renames.iter().filter(|rename| is_shown(report, rename.step)) {
        let Rename { step, chars, blocks, short, bytes, objects } = *rename;
        if std::mem::replace(&mut last, step) == step {
            continue;
        }
        table.push(vec![
            thousands(step.into()),
            thousands(chars as f64),
            thousands(blocks as f64),
            thousands(short as f64),
            format!("{:.1}", short as f64 / blocks.max(1) as f64),
            thousands(bytes as f64),
            thousands(objects as f64),
        ]);
    }
    table
}

fn is_shown(report: &Report, step: u32) -> bool {
    let shown = |at: &published::Overhead| at.step * 1_000 == step;
    !published::is_theirs(&report.row) || published::OVERHEAD.iter().any(shown)
}

fn moment(mean: &Mean) -> String {
    let step = thousands(mean.step.into());
    match mean.when {
        When::Before => step,
        when => format!("{step}, {}", when.name()),
    }
}

fn kilobytes(bytes: f64) -> String {
    format!("{:.1}", bytes / 1e3)
}

/// Ours in MB, and theirs where there is any.
fn beside(bytes: f64, theirs: Option<f64>) -> String {
    let ours = short(bytes / 1e6);
    theirs.map_or_else(|| ours.clone(), |theirs| format!("{ours} ({})", short(theirs)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fleet::run,
        row::{Row, tests::SMALL},
    };

    #[test]
    fn a_row_of_ones_own_is_shown_at_all_its_steps() {
        let report = Report::of(&run(&Row::parse("small", SMALL).unwrap()).unwrap());
        let lines = |table: Table| table.aligned().lines().count() - 1;
        assert_eq!(lines(course(&report)), 8);
        assert_eq!(lines(operations(&report)), 3);
        // Of two that are concurrent one.
        assert_eq!(lines(renames(&report)), 4);
        assert!(course(&report).aligned().contains("\n1,200, renamed "));
        assert!(!course(&report).aligned().contains('('), "the papers say nothing of it");
    }
}
