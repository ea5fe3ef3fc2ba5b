//! What plots draw on: the same strokes become an SVG, by markers of colour, or a bitmap.
//!
//! Lengths are in parts of the canvas, of which a page shows about one a pixel. Knows nothing of sweeps.
//! Invariant: the same strokes give the same bytes, whatever fonts the machine has.

use std::{path::Path, sync::OnceLock};

use plotters::{
    coord::Shift,
    element::{Drawable, PointCollection},
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use crate::ink::{DASHES, Ink, Place, style_alone, unmarked};

/// Steps of an SVG for each part of the canvas: plotters counts in whole steps.
const STEPS: f64 = 10.0;
/// Pixels of a bitmap for each part of the canvas.
const PIXELS: u32 = 2;
/// Samples for each pixel of a bitmap, in both directions: plotters draws lines without smoothing.
const SAMPLES: u32 = 3;
/// The name under which the embedded font is registered. In an SVG the page's own font is used.
const FONT: &str = "sans-serif";

/// Something drawn: what it shows, in words too.
pub trait Plot {
    /// Its title: a short name.
    fn title(&self) -> String;
    /// What one sees, for whoever does not.
    fn description(&self) -> String;
    /// Width and height in parts of the canvas.
    fn size(&self) -> (f64, f64);
    /// Draws it.
    fn draw(&self, canvas: &Canvas<'_>);
}

/// What a plot draws on.
pub struct Canvas<'a> {
    surface: Surface<'a>,
    scale: f64,
    /// Where the plot begins.
    origin: (f64, f64),
}

enum Surface<'a> {
    Svg(DrawingArea<SVGBackend<'a>, Shift>),
    Bitmap(DrawingArea<BitMapBackend<'a>, Shift>),
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pen {
    pub(crate) ink: Ink,
    pub(crate) width: f64,
    /// Which of [`DASHES`].
    pub(crate) dash: usize,
}

/// Where text stands from its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Begins at it.
    Right,
    /// Is centred at it.
    Middle,
    /// Ends at it.
    Left,
}

impl Pen {
    pub(crate) fn new(ink: Ink, width: f64) -> Self {
        Self { ink, width, dash: 0 }
    }
}

impl Canvas<'_> {
    /// A line through `points`.
    pub(crate) fn line(&self, points: &[(f64, f64)], pen: Pen) {
        if points.len() < 2 {
            return;
        }
        let style = self.color(pen.ink, pen.dash).stroke_width(self.steps(pen.width).max(1) as u32);
        if pen.dash == 0 || matches!(self.surface, Surface::Svg(_)) {
            self.put(&PathElement::new(self.pixels(points), style));
            return;
        }
        for dash in dashes(points, DASHES[pen.dash % DASHES.len()]) {
            self.put(&PathElement::new(self.pixels(&dash), style));
        }
    }

    /// The area within `points`, so much covered: 1 is all.
    pub(crate) fn area(&self, points: &[(f64, f64)], ink: Ink, cover: f64) {
        self.put(&Polygon::new(self.pixels(points), self.color(ink, 0).mix(cover).filled()));
    }

    /// A rectangle from its upper left to its lower right corner.
    pub(crate) fn rectangle(&self, from: (f64, f64), to: (f64, f64), ink: Ink, cover: f64) {
        let corners = [self.pixel(from), self.pixel(to)];
        self.put(&Rectangle::new(corners, self.color(ink, 0).mix(cover).filled()));
    }

    /// A dot with a rim of paper, so that it stands out from lines.
    pub(crate) fn dot(&self, at: (f64, f64), radius: f64, ink: Ink) {
        let at = self.pixel(at);
        for (radius, ink) in [(radius + 1.2, Ink::Paper), (radius, ink)] {
            self.put(&Circle::new(at, self.steps(radius), self.color(ink, 0).filled()));
        }
    }

    /// Text on one line, its middle at the height of `at`.
    pub(crate) fn text(&self, text: &str, at: (f64, f64), side: Side, size: f64, ink: Ink) {
        let side = match side {
            Side::Right => HPos::Left,
            Side::Middle => HPos::Center,
            Side::Left => HPos::Right,
        };
        // plotters writes 1/1.24 of the size that it is given into an SVG.
        let size = size * self.scale * if self.is_svg() { 1.24 } else { 1.1 };
        let color = self.color(ink, 0);
        let style = TextStyle::from((FONT, size)).color(&color).pos(Pos::new(side, VPos::Center));
        self.put(&Text::new(text, self.pixel(at), style));
    }

    fn is_svg(&self) -> bool {
        matches!(self.surface, Surface::Svg(_))
    }

    fn color(&self, ink: Ink, dash: usize) -> RGBColor {
        if self.is_svg() { ink.marker(dash) } else { ink.light() }
    }

    fn steps(&self, length: f64) -> i32 {
        (length * self.scale).round() as i32
    }

    fn pixel(&self, (x, y): (f64, f64)) -> (i32, i32) {
        (self.steps(x + self.origin.0), self.steps(y + self.origin.1))
    }

    fn pixels(&self, points: &[(f64, f64)]) -> Vec<(i32, i32)> {
        points.iter().map(|point| self.pixel(*point)).collect()
    }

    fn put<'e, E>(&self, element: &'e E)
    where
        &'e E: PointCollection<'e, (i32, i32)>,
        E: for<'b> Drawable<SVGBackend<'b>> + for<'b> Drawable<BitMapBackend<'b>>,
    {
        // Both write to memory, and the font is part of the program.
        match &self.surface {
            Surface::Svg(area) => area.draw(element).expect("text takes every shape"),
            Surface::Bitmap(area) => area.draw(element).expect("pixels take every shape"),
        }
    }
}

/// The width of `text` on the canvas, about, in a wide font: for what must not run over its neighbour.
pub(crate) fn width_of(text: &str, size: f64) -> f64 {
    let each = text.chars().map(|letter| match letter {
        'i' | 'j' | 'l' | '.' | ',' | ':' | '\'' | '|' | '\u{a0}' | ' ' | '\u{2009}' => 0.32,
        'm' | 'w' | 'M' | 'W' | '%' => 0.95,
        'A'..='Z' => 0.7,
        _ => 0.62,
    });
    each.sum::<f64>() * size
}

/// `text`, or as much of its beginning as fits into `width`; nothing where not even three letters do.
pub(crate) fn fitting(text: &str, width: f64, size: f64) -> Option<String> {
    if width_of(text, size) <= width {
        return Some(text.to_owned());
    }
    let mut kept = String::new();
    for letter in text.chars() {
        if width_of(&kept, size) + width_of("m…", size) > width {
            break;
        }
        kept.push(letter);
    }
    let kept = kept.trim_end();
    (kept.chars().count() >= 3).then(|| format!("{kept}…"))
}

/// `plot` as part of a page that holds [`crate::ink::variables`]. `id` is unique in that page.
pub(crate) fn in_page(plot: &dyn Plot, id: &str) -> String {
    let (width, height) = plot.size();
    let open = format!(
        "<svg viewBox=\"0 0 {:.0} {:.0}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">",
        width * STEPS,
        height * STEPS
    );
    let names = format!(
        "<title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>",
        escaped(&plot.title()),
        escaped(&plot.description())
    );
    open + &names + &body(plot, Place::Page)
}

/// `plot` as an SVG in a file of its own, for light and dark paper.
pub fn svg(plot: &dyn Plot) -> String {
    let (width, height) = size_alone(plot);
    let (full_width, full_height) = (width * STEPS, height * STEPS);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {full_width:.0} {full_height:.0}\" role=\"img\" \
         font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif\">\
         <title>{}</title><desc>{}</desc><style>{}</style>\
         <rect width=\"{full_width:.0}\" height=\"{full_height:.0}\" fill=\"#ffffff\"/>{}\n",
        escaped(&plot.title()),
        escaped(&plot.description()),
        style_alone(),
        body(plot, Place::Alone)
    )
}

/// Writes `plot` as a PNG on light paper.
///
/// - Errors: where the file cannot be written; `path` must end in `.png`.
pub fn png(plot: &dyn Plot, path: &Path) -> Result<(), String> {
    register_font();
    let (width, height) = size_alone(plot);
    let (width, height) = (width.ceil() as u32 * PIXELS, height.ceil() as u32 * PIXELS);
    let (wide, high) = (width * SAMPLES, height * SAMPLES);
    let mut samples = vec![0; wide as usize * high as usize * 3];
    {
        let area = BitMapBackend::with_buffer(&mut samples, (wide, high)).into_drawing_area();
        area.fill(&Ink::Paper.light()).expect("pixels take every shape");
        let scale = f64::from(PIXELS * SAMPLES);
        draw_alone(plot, Canvas { surface: Surface::Bitmap(area), scale, origin: (0.0, 0.0) });
    }
    let pixels = averaged(&samples, width as usize, height as usize, SAMPLES as usize);
    let mut file = BitMapBackend::new(path, (width, height));
    file.blit_bitmap((0, 0), (width, height), &pixels)
        .and_then(|()| file.present())
        .map_err(|error| error.to_string())
}

/// What is drawn, as elements of an SVG and the end of it.
fn body(plot: &dyn Plot, place: Place) -> String {
    let (width, height) = match place {
        Place::Page => plot.size(),
        Place::Alone => size_alone(plot),
    };
    let mut text = String::new();
    {
        let size = ((width * STEPS) as u32, (height * STEPS) as u32);
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        let surface = Surface::Svg(area.clone());
        let canvas = Canvas { surface, scale: STEPS, origin: (0.0, 0.0) };
        match place {
            Place::Page => plot.draw(&canvas),
            Place::Alone => draw_alone(plot, canvas),
        }
        area.present().expect("text takes every shape");
    }
    // What plotters says of every element and nobody needs.
    let text = text
        .replace(" opacity=\"1\"", "")
        .replace(" stroke=\"none\"", "")
        .replace(" font-family=\"sans-serif\"", "")
        .replace(" text-anchor=\"start\"", "")
        .replace(" \"/>", "\"/>")
        .replace(">\n", ">")
        .replace("\n</text>", "</text>");
    let text = unmarked(&text, place, STEPS);
    let begin = text.find('>').map_or(0, |end| end + 1);
    text[begin..].to_owned()
}

/// The margin of a picture in a file of its own.
const MARGIN: f64 = 16.0;
/// The size of its title, the height of a line of it, and what is left free below.
const TITLE: f64 = 15.0;
const TITLE_LINE: f64 = 20.0;
const TITLE_BELOW: f64 = 14.0;
/// A title has no more lines than these: what it then still says is cut.
const TITLE_LINES_MAX: usize = 3;

fn size_alone(plot: &dyn Plot) -> (f64, f64) {
    let (width, height) = plot.size();
    (width + 2.0 * MARGIN, height + 2.0 * MARGIN + title_height(&title_lines(plot)))
}

fn title_height(lines: &[String]) -> f64 {
    lines.len() as f64 * TITLE_LINE + TITLE_BELOW
}

/// The title in lines that are no wider than the plot.
fn title_lines(plot: &dyn Plot) -> Vec<String> {
    let (title, width) = (plot.title(), plot.size().0);
    let mut lines = vec![String::new()];
    for word in title.split(' ') {
        let full = lines.len() == TITLE_LINES_MAX;
        let line = lines.last_mut().expect("there is a first line");
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if line.is_empty() || full || width_of(&longer, TITLE) <= width {
            *line = longer;
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.iter().map(|line| fitting(line, width, TITLE).unwrap_or_default()).collect()
}

/// Draws `plot` below its title.
fn draw_alone(plot: &dyn Plot, mut canvas: Canvas<'_>) {
    canvas.origin = (MARGIN, MARGIN);
    let lines = title_lines(plot);
    for (number, line) in lines.iter().enumerate() {
        let middle = TITLE / 2.0 + number as f64 * TITLE_LINE;
        canvas.text(line, (0.0, middle), Side::Right, TITLE, Ink::Text);
    }
    canvas.origin = (MARGIN, MARGIN + title_height(&lines));
    plot.draw(&canvas);
}

/// The mean of each square of `side` times `side` samples, for each of three colours.
fn averaged(samples: &[u8], width: usize, height: usize, side: usize) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            for color in 0..3 {
                let sample = |index: usize| {
                    let (row, column) = (y * side + index / side, x * side + index % side);
                    u32::from(samples[(row * width * side + column) * 3 + color])
                };
                let sum: u32 = (0..side * side).map(sample).sum();
                pixels.push((sum / (side * side) as u32) as u8);
            }
        }
    }
    pixels
}

/// The parts of the line through `points` that its dashes show.
fn dashes(points: &[(f64, f64)], lengths: &[f64]) -> Vec<Vec<(f64, f64)>> {
    let mut parts = Vec::new();
    let (mut index, mut left, mut part) = (0, lengths[0], vec![points[0]]);
    for pair in points.windows(2) {
        let ((mut x, mut y), (to_x, to_y)) = (pair[0], pair[1]);
        loop {
            let rest = (to_x - x).hypot(to_y - y);
            if rest < left {
                left -= rest;
                part.push((to_x, to_y));
                break;
            }
            (x, y) =
                (x + (to_x - x) * left / rest.max(1e-9), y + (to_y - y) * left / rest.max(1e-9));
            part.push((x, y));
            if index % 2 == 0 {
                parts.push(std::mem::take(&mut part));
            }
            part = vec![(x, y)];
            index += 1;
            left = lengths[index % lengths.len()];
        }
    }
    if index % 2 == 0 {
        parts.push(part);
    }
    parts
}

fn register_font() {
    static REGISTERED: OnceLock<()> = OnceLock::new();
    REGISTERED.get_or_init(|| {
        let font = epaint_default_fonts::UBUNTU_LIGHT;
        let registered = plotters::style::register_font(FONT, FontStyle::Normal, font);
        assert!(registered.is_ok(), "the embedded font is a font");
    });
}

/// `text` as it stands between tags.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Cross;

    impl Plot for Cross {
        fn title(&self) -> String {
            "a < b".into()
        }
        fn description(&self) -> String {
            "two lines".into()
        }
        fn size(&self) -> (f64, f64) {
            (40.0, 20.0)
        }
        fn draw(&self, canvas: &Canvas<'_>) {
            canvas.line(
                &[(0.0, 0.0), (40.0, 20.0)],
                Pen { ink: Ink::Series(0), width: 2.0, dash: 1 },
            );
            canvas.text("x", (20.0, 10.0), Side::Middle, 8.0, Ink::Text);
        }
    }

    /// A plot with this title.
    struct Named(&'static str);

    impl Plot for Named {
        fn title(&self) -> String {
            self.0.into()
        }
        fn description(&self) -> String {
            String::new()
        }
        fn size(&self) -> (f64, f64) {
            (460.0, 20.0)
        }
        fn draw(&self, _: &Canvas<'_>) {}
    }

    #[test]
    fn a_long_title_has_lines_and_only_what_is_too_long_for_three_is_cut() {
        assert_eq!(title_lines(&Named("a plot")), ["a plot"]);
        let long =
            "rollout-grid: p99 of convergence_max by network.loss.independent and fleet.nodes";
        let lines = title_lines(&Named(long));
        assert_eq!(lines.join(" "), long, "nothing is lost");
        assert!(lines.len() == 2 && lines.iter().all(|line| width_of(line, TITLE) <= 460.0));
        assert!(size_alone(&Named(long)).1 > size_alone(&Named("a plot")).1);
        let endless = "no end of it ".repeat(40);
        let lines = title_lines(&Named(endless.leak()));
        assert!(lines.len() == TITLE_LINES_MAX && lines[2].ends_with('…'), "{lines:?}");
    }

    #[test]
    fn a_picture_in_a_page_is_named_and_coloured_by_the_page() {
        let text = in_page(&Cross, "f1");
        assert!(text.contains("aria-labelledby=\"f1-t f1-d\""), "{text}");
        assert!(text.contains("<title id=\"f1-t\">a &lt; b</title>"), "{text}");
        assert!(text.contains("stroke=\"var(--s0)\" stroke-dasharray=\"60 30\""), "{text}");
        assert!(!text.contains('#'), "no colour of its own: {text}");
        assert!(text.ends_with("</svg>"), "{text}");
    }

    #[test]
    fn a_picture_alone_knows_both_papers() {
        let text = svg(&Cross);
        assert!(text.contains("prefers-color-scheme:dark") && text.contains("stroke=\"#0072b2\""));
        assert!(!text.contains("var("), "{text}");
    }

    #[test]
    fn a_bitmap_needs_no_font_of_the_machine_and_is_the_same_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = ["one.png", "two.png"].map(|name| {
            let path = folder.path().join(name);
            png(&Cross, &path).unwrap();
            std::fs::read(path).unwrap()
        });
        assert!(bytes[0].starts_with(b"\x89PNG") && bytes[0].len() > 200);
        assert_eq!(bytes[0], bytes[1]);
    }

    #[test]
    fn dashes_have_their_lengths() {
        let parts = dashes(&[(0.0, 0.0), (20.0, 0.0)], &[6.0, 3.0]);
        let ends: Vec<_> = parts.iter().map(|part| (part[0].0, part[part.len() - 1].0)).collect();
        assert_eq!(ends, [(0.0, 6.0), (9.0, 15.0), (18.0, 20.0)]);
    }

    #[test]
    fn what_does_not_fit_is_cut() {
        assert_eq!(fitting("partition", 200.0, 10.0).as_deref(), Some("partition"));
        assert!(fitting("partition of everything", 60.0, 10.0).unwrap().ends_with('…'));
        assert_eq!(fitting("partition", 8.0, 10.0), None);
    }
}
