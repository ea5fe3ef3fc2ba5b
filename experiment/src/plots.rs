//! The pictures of a report: what is no time.

use crate::{
    picture::{BLACK, COLOURS, Line, Picture, Scale, Stroke, drawn, line},
    published::{self, DROPPED, DROPPED_OFTEN, KEPT, PLAIN, find},
    report::{Mean, Report, Reports},
    sample::When,
    table::spelled,
};

/// Rows that are none of the papers' in one picture: so many names have room beside it.
const OWN_MAX: usize = 16;

/// All pictures in which there is anything to see, each with the name of its file.
///
/// Errors: what the library that draws says.
pub fn all(reports: &Reports) -> Result<Vec<(&'static str, String)>, String> {
    drawn([overhead(reports), theirs(reports), lengths(reports), own(reports)])
}

/// A column over all samples of a row; where a step has several, a line goes straight up or down.
fn course(report: Option<&Report>, figure: impl Fn(&Mean) -> f64) -> Vec<(f64, f64)> {
    let samples = report.map_or(&[][..], |report| &report.samples[..]);
    samples.iter().map(|mean| (f64::from(mean.step) / 1e3, figure(mean))).collect()
}

fn plain(report: Option<&Report>, figure: impl Fn(&Mean) -> f64) -> Vec<(f64, f64)> {
    let before = report.into_iter().flat_map(|report| report.all(When::Before));
    before.map(|mean| (f64::from(mean.step) / 1e3, figure(mean))).collect()
}

fn overhead(reports: &Reports) -> Picture {
    let ls = find(reports, PLAIN);
    let kilobytes = |column: &'static str| move |mean: &Mean| mean.get(column) / 1e3;
    let mut lines = vec![
        line("text", BLACK, Stroke::Dashed, plain(ls, kilobytes("chars"))),
        line("LogootSplit", 0, Stroke::Whole, plain(ls, kilobytes("bytes"))),
        line(
            "renamed, former states dropped",
            2,
            Stroke::Whole,
            course(find(reports, DROPPED), kilobytes("bytes")),
        ),
        line(
            "every 7,500, dropped",
            5,
            Stroke::Whole,
            course(find(reports, DROPPED_OFTEN), kilobytes("bytes")),
        ),
    ];
    for (row, (name, colour)) in KEPT.into_iter().zip([
        ("kept, 1 renamer", 1),
        ("kept, 2 renamers", 4),
        ("kept, 3 renamers", 3),
        ("kept, 4 renamers", 6),
    ]) {
        let points = course(find(reports, row), kilobytes("bytes"));
        lines.push(line(name, colour, Stroke::Whole, points));
    }
    Picture {
        file: "overhead.svg",
        title: "The document, encoded, over 150,000 edits",
        up: "KB",
        scale: Scale::Linear,
        lines: lines.into_iter().flatten().collect(),
    }
}

/// The papers' figure, in their measure.
fn theirs(reports: &Reports) -> Picture {
    let whole = |mean: &Mean| (mean.get("objects") + mean.get("objects_former")) / 1e6;
    let rows = [
        (PLAIN, "LogootSplit", 0),
        (DROPPED, "renamed, dropped", 2),
        (KEPT[0], "kept, 1 renamer", 1),
        (KEPT[3], "kept, 4 renamers", 3),
    ];
    let published = |row| {
        let figures = published::OVERHEAD.iter().flat_map(|each| {
            let figure = |dropped, kept: [f64; 4]| match row {
                PLAIN => each.split,
                DROPPED => dropped,
                row if row == KEPT[0] => kept[0],
                _ => kept[3],
            };
            let before = figure(each.dropped, each.kept);
            // Nothing is renamed in the first row.
            let renamed = each.renamed.filter(|_| row != PLAIN);
            let renamed = renamed.map(|each| figure(each.dropped, each.kept));
            [Some(before), renamed].into_iter().flatten().map(|mb| (f64::from(each.step), mb))
        });
        figures.collect::<Vec<_>>()
    };
    let mut lines = Vec::new();
    for (row, name, colour) in rows {
        let Some(ours) = line(name, colour, Stroke::Whole, course(find(reports, row), whole))
        else {
            continue;
        };
        lines.push(ours);
        lines.extend(line(&format!("{name}: theirs"), colour, Stroke::Published, published(row)));
    }
    Picture {
        file: "overhead-theirs.svg",
        title: "The document in the papers' measure, beside their figures",
        up: "MB",
        scale: Scale::Logarithmic,
        lines,
    }
}

fn lengths(reports: &Reports) -> Picture {
    let rows = [
        (PLAIN, "LogootSplit", 0),
        (KEPT[0], "every 30,000", 1),
        (DROPPED_OFTEN, "every 7,500", 2),
    ];
    let mut lines = Vec::new();
    for (row, name, colour) in rows {
        let course = find(reports, row).map_or(&[][..], |report| &report.sizes.course[..]);
        let measured = course.iter().map(|(count, objects, _)| (*count as f64 / 1e3, *objects));
        let sent = course.iter().map(|(count, _, bytes)| (*count as f64 / 1e3, *bytes));
        let theirs = format!("{name}, their measure");
        lines.extend(line(&theirs, colour, Stroke::Whole, measured.collect()));
        lines.extend(line(&format!("{name}, sent"), colour, Stroke::Dashed, sent.collect()));
    }
    Picture {
        file: "lengths.svg",
        title: "Mean length of an insert or a removal",
        up: "bytes",
        scale: Scale::Logarithmic,
        lines,
    }
}

/// The documents of rows that are none of the papers', by name.
fn own(reports: &Reports) -> Picture {
    let own: Vec<_> =
        reports.iter().filter(|(_, report)| !published::is_theirs(&report.row)).collect();
    let document = |(colour, (name, report)): (usize, &(&String, &Report))| {
        let points = course(Some(*report), |mean| mean.get("bytes") / 1e3);
        // No two lines look alike: there are more of them than colours.
        let stroke = [Stroke::Whole, Stroke::Dashed, Stroke::Dotted][colour / COLOURS.len()];
        line(&spelled(name), colour % COLOURS.len(), stroke, points)
    };
    let mut lines: Vec<_> = own.iter().take(OWN_MAX).enumerate().filter_map(document).collect();
    if let Some(more) = own.len().checked_sub(OWN_MAX).filter(|more| *more > 0) {
        let name = format!("{more} more: samples.csv");
        lines.push(Line { name, colour: BLACK, stroke: Stroke::Dotted, points: Vec::new() });
    }
    Picture {
        file: "own.svg",
        title: "The document, encoded, in rows that are none of the papers'",
        up: "KB",
        scale: Scale::Linear,
        lines,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fleet::run,
        row::{Row, tests::SMALL},
    };

    #[test]
    fn no_two_rows_of_ones_own_look_alike() {
        let report = Report::of(&run(&Row::parse("small", SMALL).unwrap()).unwrap());
        let reports: Reports =
            (0..=OWN_MAX).map(|row| (format!("{row:02}"), report.clone())).collect();
        let Picture { lines, .. } = own(&reports);
        assert_eq!(lines.len(), OWN_MAX + 1);
        for (at, line) in lines.iter().enumerate() {
            let looks = |line: &Line| (line.colour, line.stroke);
            assert!(lines[..at].iter().all(|other| looks(other) != looks(line)), "{}", line.name);
        }
    }
}
