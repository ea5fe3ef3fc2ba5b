//! One measurement, and what several say together.

use serde_json::Value;

/// The figures of one run, by name.
#[derive(Clone, Debug)]
pub(crate) struct Sample(Value);

impl Sample {
    /// Reads a line of JSON; `None` where it is none.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        value.is_object().then_some(Self(value))
    }

    /// A figure; not a number where there is none of this name, which every bar then misses.
    pub(crate) fn figure(&self, name: &str) -> f64 {
        self.0[name].as_f64().unwrap_or(f64::NAN)
    }

    /// A text; empty where there is none of this name.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_default()
    }

    /// Of something, so many in a CPU second.
    pub(crate) fn per_cpu_second(&self, name: &str) -> f64 {
        self.figure(name) * 1e6 / self.figure("cpu_micros")
    }
}

/// A figure over all rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Over figures, of which there is at least one.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let last = figures.len() - 1;
        let median = (figures[last / 2] + figures[last.div_ceil(2)]) / 2.0;
        Self { least: figures[0], median, most: figures[last] }
    }

    /// In millions: `13.7 (13.4..14.1)`.
    pub(crate) fn millions(&self) -> String {
        let Self { least, median, most } = self;
        format!("{} ({}..{})", million(*median), million(*least), million(*most))
    }
}

/// With three digits that count.
fn million(figure: f64) -> String {
    let millions = figure / 1e6;
    match millions {
        10.0.. => format!("{millions:.1}"),
        1.0.. => format!("{millions:.2}"),
        0.1.. => format!("{millions:.3}"),
        _ => format!("{millions:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Spread { least: 1.0, median: 2.0, most: 3.0 });
        assert_eq!(Spread::of([4.0, 1.0]).median, 2.5);
        assert_eq!(Spread::of([13.7e6]).millions(), "13.7 (13.7..13.7)");
    }

    #[test]
    fn a_figure_that_is_missing_is_no_number() {
        let sample = Sample::read(r#"{"delivered":2000000,"cpu_micros":500000}"#).unwrap();
        assert_eq!(sample.per_cpu_second("delivered"), 4e6);
        assert!(sample.figure("sent").is_nan());
        assert!(Sample::read("delivered").is_none() && Sample::read("3").is_none());
    }
}
