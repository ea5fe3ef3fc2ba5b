//! A number over the first two axes of a grid, as viridis: dark is good. Further axes are pooled.

use plotters::style::colors::colormaps::{ColorMap, ViridisRGB};

use crate::{
    canvas::{Canvas, Plot, Side, fitting},
    digest::{Digest, Scenario, quantile},
    frame::{LABEL, WIDTH},
    ink::Ink,
    units::{capitalised, percent, span},
};

/// What a heat map shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    /// The 99th percentile of the measure.
    P99,
    /// The share of runs that did not come out as expected.
    FailureRate,
}

/// A number over the first two axes of a grid.
pub(crate) struct Heatmap {
    title: String,
    about: String,
    /// Names of the axes: that of the columns, then that of the rows where there is one.
    axes: Vec<String>,
    columns: Vec<String>,
    rows: Vec<String>,
    /// By row and column: how bright from 0 to 1, and in words. `None`: no run says anything.
    fields: Vec<Vec<Option<(f64, String)>>>,
}

const HEAD: f64 = 50.0;
const ROW_HEIGHT: f64 = 46.0;
/// Between two fields.
const GAP: f64 = 2.0;
/// The most columns whose numbers can still be read.
const COLUMNS_MAX: usize = 12;
const GUTTER: f64 = 72.0;

impl Heatmap {
    /// The heat map of a scenario; `None` where it has no grid, or one too wide to be read.
    pub(crate) fn of(digest: &Digest, scenario: &Scenario, quantity: Quantity) -> Option<Self> {
        let across = scenario.axes.first()?;
        let down = scenario.axes.get(1);
        if across.values.len() > COLUMNS_MAX {
            return None;
        }
        let rows = down.map_or(1, |axis| axis.values.len());
        let mut numbers = vec![vec![None; across.values.len()]; rows];
        for (row, numbers) in numbers.iter_mut().enumerate() {
            for (column, number) in numbers.iter_mut().enumerate() {
                *number = pooled(scenario, column, down.map(|_| row), quantity);
            }
        }
        let fields = shaded(&numbers, quantity);
        let mut axes = vec![across.name.clone()];
        axes.extend(down.map(|axis| axis.name.clone()));
        let what = match quantity {
            Quantity::P99 => format!("p99 of {}", digest.measure.name),
            Quantity::FailureRate => "share of runs that failed".to_owned(),
        };
        let rest: Vec<&str> = scenario.axes.iter().skip(2).map(|axis| axis.name.as_str()).collect();
        let pooled = match &rest[..] {
            [] => String::new(),
            rest => format!(", over all of {}", rest.join(", ")),
        };
        Some(Self {
            title: format!("{}: {what} by {}", scenario.name, axes.join(" and ")),
            about: format!("{what}{pooled}"),
            axes,
            columns: across.values.clone(),
            rows: down.map(|axis| axis.values.clone()).unwrap_or_default(),
            fields,
        })
    }

    /// What stands below it.
    pub(crate) fn caption(&self) -> String {
        capitalised(&self.about)
    }
}

/// The number of the cells in that column and row, as (value, of); `None` where no run has one.
fn pooled(
    scenario: &Scenario,
    column: usize,
    row: Option<usize>,
    quantity: Quantity,
) -> Option<(u64, u64)> {
    let cells = scenario.cells.iter().filter(|cell| {
        cell.at.first() == Some(&column) && row.is_none_or(|row| cell.at.get(1) == Some(&row))
    });
    match quantity {
        Quantity::P99 => {
            let mut all: Vec<u64> = cells.flat_map(|cell| cell.latencies.iter().copied()).collect();
            all.sort_unstable();
            quantile(&all, 990).map(|nanos| (nanos, 1))
        }
        Quantity::FailureRate => {
            let sum = |sum: (u64, u64), cell: &crate::digest::Cell| {
                (sum.0 + cell.failed, sum.1 + cell.runs())
            };
            Some(cells.fold((0, 0), sum)).filter(|(_, runs)| *runs > 0)
        }
    }
}

fn shaded(
    numbers: &[Vec<Option<(u64, u64)>>],
    quantity: Quantity,
) -> Vec<Vec<Option<(f64, String)>>> {
    let value = |(part, whole): (u64, u64)| match quantity {
        Quantity::P99 => (part.max(1) as f64).ln(),
        Quantity::FailureRate => part as f64 / whole as f64,
    };
    let all = numbers.iter().flatten().flatten().map(|number| value(*number));
    let (low, high) =
        all.fold((f64::MAX, f64::MIN), |(low, high), one| (low.min(one), high.max(one)));
    // No failure is always dark; what hardly differs is not made to look as if it did.
    let low = if quantity == Quantity::FailureRate { 0.0 } else { low };
    let width = match quantity {
        Quantity::P99 => (high - low).max(2f64.ln()),
        Quantity::FailureRate => high.max(0.01),
    };
    let field = |number: &Option<(u64, u64)>| {
        number.map(|number| {
            let words = match quantity {
                Quantity::P99 => span(number.0),
                Quantity::FailureRate => percent(number.0, number.1),
            };
            ((value(number) - low) / width, words)
        })
    };
    numbers.iter().map(|row| row.iter().map(field).collect()).collect()
}

impl Plot for Heatmap {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn description(&self) -> String {
        let mut text = format!("{}.", self.about);
        for (row, fields) in self.fields.iter().enumerate() {
            for (column, field) in fields.iter().enumerate() {
                let Some((_, words)) = field else { continue };
                let place = match self.rows.get(row) {
                    Some(name) => format!("{} {name}", self.axes[1]),
                    None => String::new(),
                };
                text += &format!(" {} {} {place}: {words}.", self.axes[0], self.columns[column]);
            }
        }
        text
    }

    fn size(&self) -> (f64, f64) {
        (WIDTH, HEAD + self.fields.len() as f64 * ROW_HEIGHT + 4.0)
    }

    fn draw(&self, canvas: &Canvas<'_>) {
        let left = if self.rows.is_empty() { 0.0 } else { GUTTER };
        let width = (WIDTH - left) / self.columns.len() as f64;
        let middle = left + (WIDTH - left) / 2.0;
        canvas.text(&self.axes[0], (middle, 10.0), Side::Middle, LABEL, Ink::Soft);
        if let Some(name) = self.axes.get(1) {
            canvas.text(name, (0.0, 33.0), Side::Right, LABEL, Ink::Soft);
        }
        for (index, name) in self.columns.iter().enumerate() {
            let x = left + (index as f64 + 0.5) * width;
            let name = fitting(name, width, LABEL).unwrap_or_default();
            canvas.text(&name, (x, 33.0), Side::Middle, LABEL, Ink::Text);
        }
        for (row, fields) in self.fields.iter().enumerate() {
            let top = HEAD + row as f64 * ROW_HEIGHT;
            let middle = top + (ROW_HEIGHT - GAP) / 2.0;
            if let Some(name) = self.rows.get(row) {
                let name = fitting(name, GUTTER - 8.0, LABEL).unwrap_or_default();
                canvas.text(&name, (0.0, middle), Side::Right, LABEL, Ink::Text);
            }
            for (column, field) in fields.iter().enumerate() {
                let x = left + column as f64 * width;
                let to = (x + width - GAP, top + ROW_HEIGHT - GAP);
                let Some((bright, words)) = field else {
                    canvas.rectangle((x, top), to, Ink::Grid, 0.5);
                    canvas.text("–", (x + width / 2.0, middle), Side::Middle, LABEL, Ink::Soft);
                    continue;
                };
                let (fill, text) = viridis(*bright);
                canvas.rectangle((x, top), to, fill, 1.0);
                if let Some(words) = fitting(words, width - GAP, LABEL) {
                    canvas.text(
                        &words,
                        (x + (width - GAP) / 2.0, middle),
                        Side::Middle,
                        LABEL,
                        text,
                    );
                }
            }
        }
    }
}

/// The colour of a field so bright, and what can be read on it.
fn viridis(bright: f64) -> (Ink, Ink) {
    // The darkest violet is kept away from dark paper, the brightest yellow from white.
    let color = ViridisRGB.get_color(0.12 + 0.82 * bright.clamp(0.0, 1.0));
    let (red, green, blue) = (color.0, color.1, color.2);
    let light = 0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue);
    let text = if light < 118.0 { Ink::Fixed(255, 255, 255) } else { Ink::Fixed(17, 17, 17) };
    (Ink::Fixed(red, green, blue), text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{canvas::svg, testing};

    #[test]
    fn a_field_says_its_number() {
        let digest = testing::digest(300);
        let scenario = &digest.scenarios[0];
        let plot = Heatmap::of(&digest, scenario, Quantity::P99).unwrap();
        assert_eq!((plot.columns.len(), plot.rows.len()), (3, 2));
        let nanos = quantile(&scenario.cells[3].latencies, 990).unwrap();
        assert_eq!(plot.fields[1][1].as_ref().unwrap().1, span(nanos));
        assert!(svg(&plot).contains(&span(nanos)));
    }

    #[test]
    fn where_nothing_failed_all_is_dark() {
        let shades = shaded(&[vec![Some((0, 9)), Some((0, 9))]], Quantity::FailureRate);
        assert_eq!(shades[0][1], Some((0.0, "0\u{a0}%".into())));
    }

    #[test]
    fn a_scenario_without_a_grid_has_none() {
        let digest = testing::digest(10);
        assert!(Heatmap::of(&digest, &digest.scenarios[1], Quantity::P99).is_none());
    }
}
