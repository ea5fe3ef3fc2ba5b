//! The pictures of times.

use experiment::{
    Reports,
    picture::{Picture, Scale, Stroke, drawn, line},
    published::{self, KEPT, PLAIN, Which},
};

use crate::{
    measure::inserts::Cost,
    report::{Timed, Times, of},
};

/// All pictures in which there is anything to see, each with the name of its file.
///
/// Errors: what the library that draws says.
pub(crate) fn all(reports: &Reports, times: &Times) -> Result<Vec<(&'static str, String)>, String> {
    let of = |which: Which| of(times, reports, which);
    drawn([renames(of(PLAIN)), inserts(of(PLAIN), of(KEPT[0])), replay(of)])
}

fn renames(plain: Option<&Timed>) -> Picture {
    let costs = plain.map_or(&[][..], |times| &times.renames[..]);
    let names = ["local", "remote", "concurrent, greater", "concurrent, lesser"];
    let mut lines = Vec::new();
    for (kind, name) in names.into_iter().enumerate() {
        let ours = costs.iter().map(|cost| {
            let spreads = [cost.local, cost.remote, cost.greater, cost.lesser];
            (f64::from(cost.step) / 1e3, spreads[kind].median.max(1.0) / 1e6)
        });
        let Some(ours) = line(name, kind, Stroke::Whole, ours.collect()) else { continue };
        lines.push(ours);
        let theirs =
            published::RENAMES.iter().map(|(step, millis)| (f64::from(*step), millis[kind]));
        let theirs = line(&format!("{name}: theirs"), kind, Stroke::Published, theirs.collect());
        lines.extend(theirs);
    }
    Picture {
        file: "renames.svg",
        title: "What a rename costs, by edits without any before it",
        up: "ms",
        scale: Scale::Logarithmic,
        lines,
    }
}

/// A line of the picture of inserts, and which figure it shows.
type Kind<'a> = (&'static str, usize, Stroke, &'a [Cost], fn(&Cost) -> f64);

fn inserts(plain: Option<&Timed>, renamed: Option<&Timed>) -> Picture {
    let plain = plain.map_or(&[][..], |times| &times.inserts[..]);
    let renamed = renamed.map_or(&[][..], |times| &times.inserts[..]);
    let kinds: [Kind<'_>; 6] = [
        ("LogootSplit: local", 0, Stroke::Dashed, plain, |cost| cost.local.median),
        ("LogootSplit: remote", 0, Stroke::Whole, plain, |cost| cost.remote.median),
        ("renamed: local", 2, Stroke::Dashed, renamed, |cost| cost.local.median),
        ("renamed: remote", 2, Stroke::Whole, renamed, |cost| cost.remote.median),
        ("of the epoch before", 1, Stroke::Whole, renamed, |cost| cost.previous.median),
        ("of a concurrent epoch", 3, Stroke::Whole, renamed, |cost| cost.concurrent.median),
    ];
    let lines = kinds.into_iter().filter_map(|(name, colour, stroke, costs, nanos)| {
        let points = costs.iter().map(|cost| (f64::from(cost.step) / 1e3, nanos(cost) / 1e3));
        line(name, colour, stroke, points.collect())
    });
    Picture {
        file: "inserts.svg",
        title: "What an insert at a random place costs",
        up: "µs",
        scale: Scale::Linear,
        lines: lines.collect(),
    }
}

fn replay<'a>(times: impl Fn(Which) -> Option<&'a Timed>) -> Picture {
    let rows = [(PLAIN, "LogootSplit", 0), (KEPT[0], "1 renamer", 1), (KEPT[1], "2 renamers", 4)];
    let more = [(KEPT[2], "3 renamers", 3), (KEPT[3], "4 renamers", 6)];
    let lines = rows.into_iter().chain(more).filter_map(|(row, name, colour)| {
        let course = &times(row)?.replay.course;
        let points = course.iter().map(|(count, nanos)| (*count as f64 / 1e3, *nanos as f64 / 1e6));
        line(name, colour, Stroke::Whole, points.collect())
    });
    Picture {
        file: "replay.svg",
        title: "The whole log, into a replica that was never there",
        up: "ms",
        scale: Scale::Linear,
        lines: lines.collect(),
    }
}
