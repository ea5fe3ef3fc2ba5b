//! Pictures, in SVG: the same reports give the same bytes.

use std::sync::OnceLock;

use plotters::{
    coord::{
        Shift,
        ranged1d::{AsRangedCoord, ValueFormatter},
    },
    prelude::{
        ChartBuilder, Circle, Color, DashedLineSeries, DrawingArea, DrawingAreaErrorKind,
        DrawingBackend, EmptyElement, FontStyle, IntoDrawingArea, IntoLogRange, LineSeries,
        PathElement, RGBColor, SVGBackend, Text, WHITE,
    },
};

use crate::{
    measure::inserts::Cost,
    published,
    report::{Mean, Report, Reports},
    sample::When,
};

const SIZE: (u32, u32) = (860, 430);
/// Where the names of lines begin.
const NAMES: i32 = 640;
/// From the name of one line to that of the next.
const NAME: i32 = 22;
const FONT: &str = "sans-serif";
const DASH: i32 = 6;

/// Okabe and Ito's colours, which the colour-blind can tell apart.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x4d, 0x4d, 0x4d),
];
const BLACK: usize = 6;

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stroke {
    /// Ours.
    Whole,
    /// Ours, another kind.
    Dashed,
    /// The papers': their points, joined thinly.
    Published,
}

#[derive(Debug)]
struct Line {
    name: String,
    colour: usize,
    stroke: Stroke,
    /// Ascending by the first.
    points: Vec<(f64, f64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    Linear,
    Logarithmic,
}

#[derive(Debug)]
struct Picture {
    file: &'static str,
    title: &'static str,
    /// What goes up, and its unit.
    up: &'static str,
    scale: Scale,
    lines: Vec<Line>,
}

/// All pictures of which there is anything to draw, each with the name of its file.
///
/// Errors: what the library says.
pub(crate) fn all(reports: &Reports) -> Result<Vec<(&'static str, String)>, String> {
    let pictures = [
        overhead(reports),
        theirs(reports),
        renames(reports),
        inserts(reports),
        lengths(reports),
        replay(reports),
    ];
    let drawn = pictures.into_iter().filter(|picture| !picture.lines.is_empty());
    drawn.map(|picture| Ok((picture.file, svg(&picture)?))).collect()
}

fn line(name: &str, colour: usize, stroke: Stroke, points: Vec<(f64, f64)>) -> Option<Line> {
    (!points.is_empty()).then(|| Line { name: name.to_owned(), colour, stroke, points })
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

const KEPT: [&str; 4] =
    ["keep-30000-by-1", "keep-30000-by-2", "keep-30000-by-3", "keep-30000-by-4"];

fn overhead(reports: &Reports) -> Picture {
    let ls = reports.get("ls");
    let kilobytes = |column: &'static str| move |mean: &Mean| mean.get(column) / 1e3;
    let mut lines = vec![
        line("text", BLACK, Stroke::Dashed, plain(ls, kilobytes("chars"))),
        line("LogootSplit", 0, Stroke::Whole, plain(ls, kilobytes("bytes"))),
        line(
            "renamed, former states dropped",
            2,
            Stroke::Whole,
            course(reports.get("drop-30000-by-1"), kilobytes("bytes")),
        ),
        line(
            "every 7,500, dropped",
            5,
            Stroke::Whole,
            course(reports.get("drop-7500-by-1"), kilobytes("bytes")),
        ),
    ];
    for (row, (name, colour)) in KEPT.iter().zip([
        ("kept, 1 renamer", 1),
        ("kept, 2 renamers", 4),
        ("kept, 3 renamers", 3),
        ("kept, 4 renamers", 6),
    ]) {
        let points = course(reports.get(*row), kilobytes("bytes"));
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
        ("ls", "LogootSplit", 0),
        ("drop-30000-by-1", "renamed, dropped", 2),
        ("keep-30000-by-1", "kept, 1 renamer", 1),
        ("keep-30000-by-4", "kept, 4 renamers", 3),
    ];
    let published = |row: &str| {
        let figures = published::OVERHEAD.iter().flat_map(|each| {
            let figure = |dropped, kept: [f64; 4]| match row {
                "ls" => each.split,
                "drop-30000-by-1" => dropped,
                "keep-30000-by-1" => kept[0],
                _ => kept[3],
            };
            let before = figure(each.dropped, each.kept);
            // Nothing is renamed in the first row.
            let renamed = each.renamed.filter(|_| row != "ls");
            let renamed = renamed.map(|each| figure(each.dropped, each.kept));
            [Some(before), renamed].into_iter().flatten().map(|mb| (f64::from(each.step), mb))
        });
        figures.collect::<Vec<_>>()
    };
    let mut lines = Vec::new();
    for (row, name, colour) in rows {
        let Some(ours) = line(name, colour, Stroke::Whole, course(reports.get(row), whole)) else {
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

fn renames(reports: &Reports) -> Picture {
    let costs = reports.get("ls").map_or(&[][..], |report| &report.renames[..]);
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

fn inserts(reports: &Reports) -> Picture {
    let ls = reports.get("ls").map_or(&[][..], |report| &report.inserts[..]);
    let renamed = reports.get("keep-30000-by-1").map_or(&[][..], |report| &report.inserts[..]);
    let kinds: [Kind<'_>; 6] = [
        ("LogootSplit: local", 0, Stroke::Dashed, ls, |cost| cost.local.median),
        ("LogootSplit: remote", 0, Stroke::Whole, ls, |cost| cost.remote.median),
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

fn lengths(reports: &Reports) -> Picture {
    let rows = [
        ("ls", "LogootSplit", 0),
        ("keep-30000-by-1", "every 30,000", 1),
        ("drop-7500-by-1", "every 7,500", 2),
    ];
    let mut lines = Vec::new();
    for (row, name, colour) in rows {
        let course = reports.get(row).map_or(&[][..], |report| &report.sizes.course[..]);
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

fn replay(reports: &Reports) -> Picture {
    let rows = [("ls", "LogootSplit", 0), (KEPT[0], "1 renamer", 1), (KEPT[1], "2 renamers", 4)];
    let more = [(KEPT[2], "3 renamers", 3), (KEPT[3], "4 renamers", 6)];
    let lines = rows.into_iter().chain(more).filter_map(|(row, name, colour)| {
        let course = &reports.get(row)?.replay.course;
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

fn svg(picture: &Picture) -> Result<String, String> {
    register_font();
    let mut text = String::new();
    let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
    let ups = || picture.lines.iter().flat_map(|line| &line.points).map(|(_, up)| *up);
    let most = ups().fold(f64::MIN_POSITIVE, f64::max);
    let least = ups().fold(most, f64::min);
    let drawn = match picture.scale {
        Scale::Linear => draw(picture, &area, 0.0..most * 1.05),
        Scale::Logarithmic => draw(picture, &area, (least / 1.3..most * 1.3).log_scale()),
    };
    drawn.and_then(|()| area.present()).map_err(|why| why.to_string())?;
    drop(area);
    Ok(text)
}

fn draw<Backend, Y>(
    picture: &Picture,
    area: &DrawingArea<Backend, Shift>,
    up: Y,
) -> Result<(), DrawingAreaErrorKind<Backend::ErrorType>>
where
    Backend: DrawingBackend,
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    area.fill(&WHITE)?;
    let (chart_area, names_area) = area.split_horizontally(NAMES);
    let ends = picture.lines.iter().flat_map(|line| line.points.last());
    let end = ends.map(|(across, _)| *across).fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(&chart_area)
        .caption(picture.title, (FONT, 19))
        .margin(12)
        .x_label_area_size(38)
        .y_label_area_size(62)
        .build_cartesian_2d(0.0..end, up)?;
    chart
        .configure_mesh()
        .x_desc("thousands of edits")
        .y_desc(picture.up)
        .x_label_formatter(&|across| format!("{across:.0}"))
        .y_label_formatter(&|up| label(*up))
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 15))
        .light_line_style(RGBColor(0xf3, 0xf4, 0xf6))
        .bold_line_style(RGBColor(0xdd, 0xe0, 0xe5))
        .draw()?;
    for line in &picture.lines {
        let colour = COLOURS[line.colour % COLOURS.len()];
        let points = line.points.iter().copied();
        let style = colour.stroke_width(2);
        match line.stroke {
            Stroke::Whole => chart.draw_series(LineSeries::new(points, style))?,
            Stroke::Dashed => {
                chart.draw_series(DashedLineSeries::new(points, DASH, DASH, style))?
            }
            Stroke::Published => {
                let thin = colour.mix(0.5).stroke_width(1);
                chart.draw_series(LineSeries::new(points.clone(), thin))?;
                let mark = |point| EmptyElement::at(point) + Circle::new((0, 0), 4, colour);
                chart.draw_series(points.map(mark))?
            }
        };
    }
    names(picture, &names_area)
}

/// The name of each line beside how it is drawn: apart, where no line is.
fn names<Backend: DrawingBackend>(
    picture: &Picture,
    area: &DrawingArea<Backend, Shift>,
) -> Result<(), DrawingAreaErrorKind<Backend::ErrorType>> {
    const TOP: i32 = 56;
    for (line, y) in picture.lines.iter().zip((TOP..).step_by(NAME as usize)) {
        let colour = COLOURS[line.colour % COLOURS.len()];
        let stroke = |from, to| PathElement::new([(from, y), (to, y)], colour.stroke_width(2));
        match line.stroke {
            Stroke::Whole => area.draw(&stroke(0, 20))?,
            Stroke::Dashed => {
                area.draw(&stroke(0, 7))?;
                area.draw(&stroke(13, 20))?;
            }
            Stroke::Published => area.draw(&Circle::new((10, y), 4, colour))?,
        }
        area.draw(&Text::new(line.name.as_str(), (28, y - 7), (FONT, 14)))?;
    }
    Ok(())
}

fn label(up: f64) -> String {
    match up.abs() {
        0.0 => "0".to_owned(),
        ..0.01 => format!("{up:.3}"),
        ..0.1 => format!("{up:.2}"),
        ..10.0 => format!("{up:.1}"),
        _ => format!("{up:.0}"),
    }
}

fn register_font() {
    static REGISTERED: OnceLock<()> = OnceLock::new();
    REGISTERED.get_or_init(|| {
        let font = epaint_default_fonts::UBUNTU_LIGHT;
        let registered = plotters::style::register_font(FONT, FontStyle::Normal, font);
        assert!(registered.is_ok(), "the embedded font is a font");
    });
}
