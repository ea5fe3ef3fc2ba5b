//! A picture of lines over edits, in SVG: the same lines give the same bytes.

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
/// The colour of what all else is compared with.
pub const BLACK: usize = 6;

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stroke {
    /// Ours.
    Whole,
    /// Ours, another kind.
    Dashed,
    /// The papers': their points, joined thinly.
    Published,
}

/// A line and its name.
#[derive(Debug)]
pub struct Line {
    /// What stands beside it.
    pub name: String,
    /// Which of seven colours.
    pub colour: usize,
    /// How it is drawn.
    pub stroke: Stroke,
    /// Thousands of edits, and what goes up; ascending by the first.
    pub points: Vec<(f64, f64)>,
}

/// The scale of what goes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences are equal lengths, from 0 on.
    Linear,
    /// Equal factors are equal lengths.
    Logarithmic,
}

/// Lines over edits.
#[derive(Debug)]
pub struct Picture {
    /// The name of its file.
    pub file: &'static str,
    /// What stands above it.
    pub title: &'static str,
    /// The unit of what goes up.
    pub up: &'static str,
    /// Its scale.
    pub scale: Scale,
    /// Each below the other in the list of names.
    pub lines: Vec<Line>,
}

/// A line through `points`, where there are any.
pub fn line(name: &str, colour: usize, stroke: Stroke, points: Vec<(f64, f64)>) -> Option<Line> {
    (!points.is_empty()).then(|| Line { name: name.to_owned(), colour, stroke, points })
}

/// The pictures in which there is anything to see, each with the name of its file.
///
/// Errors: what the library says.
pub fn drawn(
    pictures: impl IntoIterator<Item = Picture>,
) -> Result<Vec<(&'static str, String)>, String> {
    let shown = pictures.into_iter().filter(|picture| !picture.lines.is_empty());
    shown.map(|picture| Ok((picture.file, svg(&picture)?))).collect()
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
