//! A picture of lines over edits, in SVG: the same lines give the same bytes.

use std::sync::OnceLock;

use plotters::{
    coord::{
        Shift,
        ranged1d::{AsRangedCoord, ValueFormatter},
    },
    prelude::{
        BindKeyPoints, ChartBuilder, Circle, Color, DashedLineSeries, DrawingArea,
        DrawingAreaErrorKind, DrawingBackend, EmptyElement, FontStyle, IntoDrawingArea,
        IntoLogRange, LineSeries, PathElement, RGBColor, SVGBackend, Text, WHITE,
    },
};

const SIZE: (u32, u32) = (860, 430);
/// Where the names of lines begin.
const NAMES: i32 = 640;
/// From the name of one line to that of the next.
const NAME: i32 = 22;
const FONT: &str = "sans-serif";
const DASH: i32 = 6;
const DOT: i32 = 2;

/// Okabe and Ito's colours, which the colour-blind can tell apart.
pub(crate) const COLOURS: [RGBColor; 7] = [
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
    /// Ours, a third kind.
    Dotted,
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
        Scale::Logarithmic => {
            let (least, most) = (least / 1.3, most * 1.3);
            let range = (least..most).log_scale();
            match marks(least, most) {
                Some(marks) => draw(picture, &area, range.with_key_points(marks)),
                None => draw(picture, &area, range),
            }
        }
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
        .x_label_formatter(&|across| thousands(*across))
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
            Stroke::Dotted => chart.draw_series(DashedLineSeries::new(points, DOT, DASH, style))?,
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
            Stroke::Dotted => {
                for from in [0, 6, 12, 18] {
                    area.draw(&stroke(from, from + DOT))?;
                }
            }
            Stroke::Published => area.draw(&Circle::new((10, y), 4, colour))?,
        }
        area.draw(&Text::new(line.name.as_str(), (28, y - 7), (FONT, 14)))?;
    }
    Ok(())
}

/// Where an axis of equal factors is marked that is too short for powers of ten alone; `None` of another.
fn marks(least: f64, most: f64) -> Option<Vec<f64>> {
    if most / least >= 100.0 {
        return None;
    }
    let powers = least.log10().floor() as i32..=most.log10().floor() as i32;
    let marks = powers.flat_map(|power| [1.0, 2.0, 5.0].map(|times| times * 10_f64.powi(power)));
    Some(marks.filter(|mark| (least..=most).contains(mark)).collect())
}

/// Thousands of edits: where there are few of them, marks stand between whole ones.
fn thousands(across: f64) -> String {
    let label = format!("{across:.1}");
    label.strip_suffix(".0").unwrap_or(&label).to_owned()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands at an axis: up, then across.
    fn labels(scale: Scale, points: Vec<(f64, f64)>) -> [Vec<String>; 2] {
        let lines = line("l", 0, Stroke::Whole, points).into_iter().collect();
        let text = svg(&Picture { file: "x.svg", title: "t", up: "MB", scale, lines }).unwrap();
        let of = |anchor: &str| {
            let anchored = text.split("<text ").skip(1).filter(|text| text.contains(anchor));
            let inner = anchored.filter_map(|text| text.split('>').nth(1)?.split('<').next());
            let inner = inner.map(|text| text.trim().to_owned());
            inner.filter(|text| text.parse::<f64>().is_ok()).collect::<Vec<_>>()
        };
        [of("text-anchor=\"end\""), of("text-anchor=\"middle\"")]
    }

    fn distinct(labels: &[String]) -> bool {
        labels.iter().collect::<std::collections::BTreeSet<_>>().len() == labels.len()
    }

    #[test]
    fn no_mark_is_told_twice_on_an_axis_of_edits_however_few_they_are() {
        for end in [0.3, 1.2, 3.0, 7.5, 20.0] {
            let [_, across] = labels(Scale::Linear, vec![(0.1, 1.0), (end, 2.0)]);
            assert!(across.len() > 2 && distinct(&across), "{end}: {across:?}");
        }
        let [_, across] = labels(Scale::Linear, vec![(10.0, 1.0), (150.0, 2.0)]);
        assert_eq!(across, ["0", "20", "40", "60", "80", "100", "120", "140"]);
    }

    #[test]
    fn a_short_axis_of_factors_is_marked_at_one_two_and_five_and_a_long_one_at_powers_of_ten() {
        let up = |least: f64, most: f64| {
            labels(Scale::Logarithmic, vec![(10.0, least), (150.0, most)])[0].clone()
        };
        assert_eq!(up(1.04, 22.1), ["1.0", "2.0", "5.0", "10", "20"]);
        assert_eq!(up(0.037, 28.2), ["0.1", "1.0", "10"]);
        assert!(!up(4.0, 4.0).is_empty());
    }
}
