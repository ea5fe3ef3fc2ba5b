//! The share of runs that were done within a time: one line a cell, the median and the 99th percentile marked.

use crate::{
    canvas::{Canvas, Pen, Plot, Side, width_of},
    digest::{Axis, Cell, Digest, Scenario, quantile},
    frame::{LABEL, LEFT, RIGHT, WIDTH, share_axis, time_axis},
    ink::{DASHES, Ink, SERIES},
    scale::Scale,
    units::{self, span},
};

/// Points at which a line is drawn: each is exact, between them it is straight.
const POINTS: usize = 180;
/// Where the plot begins and ends; below are the names of the axis and what it is.
const TOP: f64 = 12.0;
const BOTTOM: f64 = 240.0;
/// The height of a line of the key.
const KEY_LINE: f64 = 18.0;
/// Lines that a description tells apart.
const TOLD_MAX: usize = 8;

/// The share of runs that were done within a time.
pub(crate) struct Ecdf {
    title: String,
    spans: String,
    lines: Vec<Line>,
    key: Key,
}

/// Whether a plot names its lines by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// It does, below the axis.
    Below,
    /// A table beside it does.
    Beside,
}

/// A line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) label: String,
    pub(crate) look: Look,
    /// Ascending, not empty.
    latencies: Vec<u64>,
}

/// What tells a line from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// Which of the colours.
    pub(crate) series: usize,
    /// Which of the dashes.
    pub(crate) dash: usize,
}

impl Look {
    /// The look of the cell at `at`: the colour says where it is on the first axis, the dash where on the
    /// second.
    pub(crate) fn of(at: &[usize]) -> Self {
        Self {
            series: at.first().map_or(0, |value| value % SERIES),
            dash: at.get(1).map_or(0, |value| value % DASHES.len()),
        }
    }
}

impl Line {
    /// The line of `latencies`, which are ascending; `None` where there are none.
    pub(crate) fn new(label: String, look: Look, latencies: Vec<u64>) -> Option<Self> {
        (!latencies.is_empty()).then_some(Self { label, look, latencies })
    }

    fn at(&self, permille: u64) -> u64 {
        quantile(&self.latencies, permille).expect("a line is of one run at least")
    }

    /// The share of runs done within each of the times of `scale`, where it changes.
    fn points(&self, scale: &Scale, height: &Scale) -> Vec<(f64, f64)> {
        let mut points: Vec<(f64, f64)> = Vec::with_capacity(POINTS);
        let total = self.latencies.len() as f64;
        for index in 0..=POINTS {
            let nanos = scale.number(index as f64 / POINTS as f64);
            let within = self.latencies.partition_point(|latency| *latency as f64 <= nanos);
            let point = (scale.at(nanos), height.at(within as f64 / total));
            if let [.., one, two] = points[..]
                && one.1 == two.1
                && two.1 == point.1
            {
                points.pop();
            }
            points.push(point);
        }
        // Before the first run and after the last one there is nothing to see.
        let from = points.iter().rposition(|point| point.1 == height.at(0.0)).unwrap_or(0);
        let to =
            points.iter().position(|point| point.1 == height.at(1.0)).unwrap_or(points.len() - 1);
        points[from.min(to)..=to].to_vec()
    }
}

impl Ecdf {
    pub(crate) fn new(title: String, spans: &str, lines: Vec<Line>, key: Key) -> Option<Self> {
        (!lines.is_empty()).then(|| Self { title, spans: spans.to_owned(), lines, key })
    }

    /// The plots of a scenario: one for each combination of what is on its third and further axes, and
    /// one where there are at most two. Cells without a latency have no line.
    pub(crate) fn of(digest: &Digest, scenario: &Scenario, key: Key) -> Vec<Self> {
        let mut facets: Vec<(&[usize], Vec<&Cell>)> = Vec::new();
        for cell in &scenario.cells {
            let rest = cell.at.get(2..).unwrap_or(&[]);
            match facets.iter_mut().find(|(one, _)| *one == rest) {
                Some((_, cells)) => cells.push(cell),
                None => facets.push((rest, vec![cell])),
            }
        }
        let plots = facets.into_iter().filter_map(|(rest, cells)| {
            let lines = cells.into_iter().filter_map(|cell| {
                let shown = cell.at.len().min(2);
                let label = named(&scenario.axes[..shown], &cell.at[..shown]);
                let label = if label.is_empty() { "all runs".into() } else { label };
                Line::new(label, Look::of(&cell.at), cell.latencies.clone())
            });
            let place = named(scenario.axes.get(2..).unwrap_or(&[]), rest);
            let place = if place.is_empty() { place } else { format!(", {place}") };
            let title = format!("{}: {}{place}", scenario.name, digest.measure.name);
            Self::new(title, digest.measure.spans, lines.collect(), key)
        });
        plots.collect()
    }

    /// What stands below it: what tells it from other plots of the scenario.
    pub(crate) fn caption(&self) -> String {
        let place = self.title.split_once(", ").map_or("", |(_, place)| place);
        let marks = "Share of runs done within a time; dots at p50 and p99";
        if place.is_empty() { format!("{marks}.") } else { format!("{marks}, {place}.") }
    }

    fn domain(&self) -> (f64, f64) {
        let firsts = self.lines.iter().map(|line| line.latencies[0]);
        let lasts = self.lines.iter().map(|line| line.at(1_000));
        (firsts.min().unwrap_or(1) as f64, lasts.max().unwrap_or(1) as f64)
    }

    /// The names of the lines, each with where it stands below the axis.
    fn key(&self) -> Vec<(&Line, f64, f64)> {
        const SAMPLE: f64 = 30.0;
        const GAP: f64 = 18.0;
        if self.key == Key::Beside || self.lines.len() < 2 {
            return Vec::new();
        }
        // Columns as wide as the longest name, so that the eye runs down them.
        let widest = self.lines.iter().map(|line| width_of(&line.label, LABEL)).fold(0.0, f64::max);
        let column = SAMPLE + widest + GAP;
        let columns = (((WIDTH - LEFT) / column) as usize).max(1);
        let places = self.lines.iter().enumerate().map(|(index, line)| {
            let x = LEFT + (index % columns) as f64 * column;
            (line, x, BOTTOM + 58.0 + (index / columns) as f64 * KEY_LINE)
        });
        places.collect()
    }
}

/// `name=value` for each of `axes`.
pub(crate) fn named(axes: &[Axis], at: &[usize]) -> String {
    let each =
        axes.iter().zip(at).map(|(axis, value)| format!("{}={}", axis.name, axis.values[*value]));
    each.collect::<Vec<_>>().join(" ")
}

impl Plot for Ecdf {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn description(&self) -> String {
        let told = self.lines.iter().take(TOLD_MAX).map(|line| {
            format!(
                "{}: half of {} within {}, 99 % within {}, the slowest {}.",
                line.label,
                units::counted(line.latencies.len() as u64, "run"),
                span(line.at(500)),
                span(line.at(990)),
                span(line.at(1_000))
            )
        });
        let told = told.collect::<Vec<_>>().join(" ");
        let more = match self.lines.len().saturating_sub(TOLD_MAX) {
            0 => String::new(),
            more => format!(" And {}.", units::counted(more as u64, "further line")),
        };
        format!("Share of runs by time {}, on a logarithmic axis. {told}{more}", self.spans)
    }

    fn size(&self) -> (f64, f64) {
        let key = self.key().last().map_or(BOTTOM + 44.0, |(_, _, y)| y + KEY_LINE * 0.7);
        (WIDTH, key)
    }

    fn draw(&self, canvas: &Canvas<'_>) {
        let right = WIDTH - RIGHT;
        let time = Scale::logarithmic(self.domain(), (LEFT, right));
        let share = Scale::linear((0.0, 1.0), (BOTTOM, TOP));
        time_axis(canvas, &time, TOP, BOTTOM);
        share_axis(canvas, &share, right);
        let axis = format!("time {}", self.spans);
        canvas.text(&axis, ((LEFT + right) / 2.0, BOTTOM + 33.0), Side::Middle, LABEL, Ink::Soft);
        for line in &self.lines {
            let Look { series, dash } = line.look;
            let pen = Pen { ink: Ink::Series(series), width: 1.8, dash };
            canvas.line(&line.points(&time, &share), pen);
        }
        for line in &self.lines {
            for (permille, part, name) in [(500, 0.5, "p50"), (990, 0.99, "p99")] {
                let nanos = line.at(permille);
                let at = (time.at(nanos as f64), share.at(part));
                canvas.dot(at, 3.0, Ink::Series(line.look.series));
                if let [_] = self.lines[..] {
                    mark(canvas, &format!("{name} {}", span(nanos)), at, right);
                }
            }
        }
        for (line, x, y) in self.key() {
            let pen = Pen { ink: Ink::Series(line.look.series), width: 1.8, dash: line.look.dash };
            canvas.line(&[(x, y), (x + 24.0, y)], pen);
            canvas.text(&line.label, (x + 30.0, y), Side::Right, LABEL, Ink::Text);
        }
    }
}

/// Writes what a mark at `at` means: below the line and to its right, or to its left where that would leave
/// the plot.
fn mark(canvas: &Canvas<'_>, text: &str, (x, y): (f64, f64), right: f64) {
    let fits = x + 10.0 + width_of(text, LABEL) < right;
    let (x, side) = if fits { (x + 9.0, Side::Right) } else { (x - 2.0, Side::Left) };
    let y = y + if fits { 13.0 } else { 15.0 };
    canvas.text(text, (x, y), side, LABEL, Ink::Text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{canvas::svg, testing};

    fn line(latencies: Vec<u64>) -> Line {
        Line::new("all".into(), Look { series: 0, dash: 0 }, latencies).unwrap()
    }

    #[test]
    fn a_line_is_exact_at_its_points_and_has_few() {
        let line = line((1..=100_000).map(|nanos| nanos * 1_000).collect());
        let time = Scale::logarithmic((1e3, 1e8), (0.0, 400.0));
        let share = Scale::linear((0.0, 1.0), (0.0, 1.0));
        let points = line.points(&time, &share);
        assert!(points.len() <= POINTS + 1);
        let (x, y) = points[points.len() / 2];
        let nanos = time.number(x / 400.0);
        let exact = (nanos / 1_000.0).floor() / 100_000.0;
        assert!((y - exact).abs() < 1e-4, "{y} {exact}");
        assert_eq!(points.last().unwrap().1, 1.0);
    }

    #[test]
    fn a_grid_has_a_line_for_each_cell_and_one_plot_for_two_axes() {
        let digest = testing::digest(50);
        let plots = Ecdf::of(&digest, &digest.scenarios[0], Key::Below);
        assert_eq!(plots.len(), 1);
        let labels: Vec<&str> = plots[0].lines.iter().map(|line| &*line.label).collect();
        assert_eq!(labels[..2], ["loss=0% nodes=5", "loss=0% nodes=50"]);
        assert_eq!(plots[0].lines[5].look, Look { series: 2, dash: 1 });
        assert!(svg(&plots[0]).contains("loss=20% nodes=50"));
        assert!(plots[0].description().contains("loss=0% nodes=5: half of 50"));
    }

    #[test]
    fn a_single_run_is_drawn_too() {
        let plot = Ecdf::new("one".into(), "until", vec![line(vec![5_000_000])], Key::Below);
        let text = svg(&plot.unwrap());
        assert!(text.contains("p50 5\u{a0}ms") && !text.contains("NaN"), "{text}");
    }
}
