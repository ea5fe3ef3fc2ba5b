//! Every scenario on one axis of time: median, 99th percentile and slowest run.

use crate::{
    canvas::{Canvas, Pen, Plot, Side, fitting},
    digest::{Digest, quantile},
    frame::{LABEL, time_axis},
    ink::Ink,
    scale::Scale,
    units::{capitalised, span},
};

/// The share of the width that names may take.
const NAMES: f64 = 150.0;
const WIDTH: f64 = crate::frame::WIDTH;
const TOP: f64 = 26.0;
const ROW: f64 = 22.0;
const FOOT: f64 = 26.0;

/// Every scenario on one axis of time.
pub(crate) struct Overview {
    title: String,
    spans: &'static str,
    /// Name, median, 99th percentile, slowest.
    rows: Vec<(String, [u64; 3])>,
}

impl Overview {
    /// `None` where no run has a latency.
    pub(crate) fn of(digest: &Digest) -> Option<Self> {
        let rows = digest.scenarios.iter().filter_map(|scenario| {
            let all = scenario.latencies();
            let at = |permille| quantile(&all, permille);
            Some((scenario.name.clone(), [at(500)?, at(990)?, at(1_000)?]))
        });
        let rows: Vec<_> = rows.collect();
        let title = capitalised(&format!("{} by scenario", digest.measure.name));
        (!rows.is_empty()).then_some(Self { title, spans: digest.measure.spans, rows })
    }
}

impl Overview {
    /// What its times span.
    pub(crate) fn spans(&self) -> &'static str {
        self.spans
    }
}

impl Plot for Overview {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn description(&self) -> String {
        let told = self.rows.iter().map(|(name, [median, tail, slowest])| {
            let (median, tail, slowest) = (span(*median), span(*tail), span(*slowest));
            format!("{name}: median {median}, 99 % within {tail}, slowest {slowest}.")
        });
        format!(
            "Time {}, on a logarithmic axis. {}",
            self.spans,
            told.collect::<Vec<_>>().join(" ")
        )
    }

    fn size(&self) -> (f64, f64) {
        (WIDTH, TOP + self.rows.len() as f64 * ROW + FOOT)
    }

    fn draw(&self, canvas: &Canvas<'_>) {
        let bottom = TOP + self.rows.len() as f64 * ROW;
        let low = self.rows.iter().map(|(_, spans)| spans[0]).min().unwrap_or(1) as f64;
        let high = self.rows.iter().map(|(_, spans)| spans[2]).max().unwrap_or(1) as f64;
        let time = Scale::logarithmic((low, high), (NAMES + 8.0, WIDTH - 10.0));
        time_axis(canvas, &time, TOP - 4.0, bottom);
        for (index, (name, spans)) in self.rows.iter().enumerate() {
            let y = TOP + (index as f64 + 0.5) * ROW;
            let name = fitting(name, NAMES, LABEL).unwrap_or_default();
            canvas.text(&name, (NAMES, y), Side::Left, LABEL, Ink::Text);
            let [median, tail, slowest] = spans.map(|nanos| time.at(nanos as f64));
            canvas.line(&[(median, y), (tail, y)], Pen::new(Ink::Series(0), 3.0));
            canvas.line(&[(tail, y), (slowest, y)], Pen::new(Ink::Series(0), 1.0));
            canvas.dot((slowest, y), 1.6, Ink::Series(0));
            canvas.dot((tail, y), 3.4, Ink::Series(0));
            canvas.dot((median, y), 3.4, Ink::Text);
            if index == 0 {
                self.name_marks(canvas, [median, tail, slowest]);
            }
        }
    }
}

impl Overview {
    /// Says above the first row what the marks are, where they do not stand too close.
    fn name_marks(&self, canvas: &Canvas<'_>, [median, tail, slowest]: [f64; 3]) {
        const APART: f64 = 34.0;
        canvas.text("p50", (median, 10.0), Side::Middle, LABEL, Ink::Text);
        if tail - median >= APART {
            canvas.text("p99", (tail, 10.0), Side::Middle, LABEL, Ink::Series(0));
        }
        if slowest - tail.max(median) >= APART {
            canvas.text("max", (slowest.min(WIDTH - 14.0), 10.0), Side::Middle, LABEL, Ink::Soft);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{canvas::svg, testing};

    #[test]
    fn every_scenario_has_its_row() {
        let digest = testing::digest(40);
        let plot = Overview::of(&digest).unwrap();
        let text = svg(&plot);
        assert!(text.contains(">major-bump<") && text.contains(">patch-bump<"), "{text}");
        assert!(plot.description().contains("patch-bump: median "));
    }
}
