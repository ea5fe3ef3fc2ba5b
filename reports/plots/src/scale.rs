//! Where a number stands on an axis, and which numbers an axis names.

use crate::units;

/// An axis: numbers from `domain.0` to `domain.1` stand from `range.0` to `range.1` of the canvas.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    kind: Kind,
    domain: (f64, f64),
    range: (f64, f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Linear,
    Logarithmic,
}

impl Scale {
    pub(crate) fn linear(domain: (f64, f64), range: (f64, f64)) -> Self {
        let top = if domain.1 > domain.0 { domain.1 } else { domain.0 + 1.0 };
        Self { kind: Kind::Linear, domain: (domain.0, top), range }
    }

    /// An axis on which equal factors are equal lengths, with a little room on both sides.
    pub(crate) fn logarithmic(domain: (f64, f64), range: (f64, f64)) -> Self {
        let low = domain.0.max(1.0);
        let high = domain.1.max(low);
        let room = (high / low).powf(0.04).max(1.04);
        Self { kind: Kind::Logarithmic, domain: (low / room, high * room), range }
    }

    pub(crate) fn at(&self, number: f64) -> f64 {
        let (low, high) = self.domain;
        let part = match self.kind {
            Kind::Linear => (number - low) / (high - low),
            Kind::Logarithmic => (number.max(1e-9) / low).ln() / (high / low).ln(),
        };
        self.range.0 + part.clamp(0.0, 1.0) * (self.range.1 - self.range.0)
    }

    /// The number that stands at `part` of the axis, from 0 to 1.
    pub(crate) fn number(&self, part: f64) -> f64 {
        let (low, high) = self.domain;
        match self.kind {
            Kind::Linear => low + part * (high - low),
            Kind::Logarithmic => low * (high / low).powf(part),
        }
    }

    /// The numbers that the axis names, each at least `apart` from the one before.
    pub(crate) fn ticks(&self, apart: f64) -> Vec<f64> {
        let mut ticks: Vec<f64> = Vec::new();
        for tick in self.candidates() {
            let free = |last: &f64| (self.at(tick) - self.at(*last)).abs() >= apart;
            if ticks.last().is_none_or(free) {
                ticks.push(tick);
            }
        }
        ticks
    }

    fn candidates(&self) -> Vec<f64> {
        const STEPS: &[&[f64]] = &[&[1.0], &[1.0, 3.0], &[1.0, 2.0, 5.0]];
        const TICKS_MIN: usize = 4;
        if self.kind == Kind::Logarithmic {
            let found = STEPS.iter().map(|steps| self.in_decades(steps));
            if let Some(ticks) = found.into_iter().find(|ticks| ticks.len() >= TICKS_MIN) {
                return ticks;
            }
        }
        self.evenly()
    }

    fn in_decades(&self, steps: &[f64]) -> Vec<f64> {
        let (low, high) = self.domain;
        let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
        let each = (first..=last).flat_map(|decade| {
            let steps = steps.iter().map(move |step| step * 10f64.powi(decade));
            steps.collect::<Vec<_>>()
        });
        each.filter(|tick| (low..=high).contains(tick)).collect()
    }

    /// Round numbers at even distances: about five.
    fn evenly(&self) -> Vec<f64> {
        const TICKS: f64 = 5.0;
        let (low, high) = self.domain;
        let rough = (high - low) / TICKS;
        let size = 10f64.powf(rough.log10().floor());
        let round = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|step| step * size >= rough);
        let step = round.unwrap_or(10.0) * size;
        let first = (low / step - 1e-9).ceil() as i64;
        let ticks = (first..).map(|index| index as f64 * step);
        ticks.take_while(|tick| *tick <= high * (1.0 + 1e-9)).collect()
    }
}

/// How an axis of time names `nanos`.
pub(crate) fn time_label(nanos: f64) -> String {
    units::span(nanos.max(0.0).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale) -> Vec<String> {
        let ticks = scale.ticks(1.0).into_iter();
        ticks.map(|tick| time_label(tick).replace('\u{a0}', " ")).collect()
    }

    #[test]
    fn an_axis_names_round_numbers() {
        let wide = Scale::logarithmic((2e6, 9e9), (0.0, 400.0));
        assert_eq!(labels(&wide), ["10 ms", "100 ms", "1 s", "10 s"]);
        let narrow = Scale::logarithmic((3.8e8, 5.2e8), (0.0, 400.0));
        assert_eq!(labels(&narrow), ["400 ms", "450 ms", "500 ms"]);
        let linear = Scale::linear((0.0, 2.6e9), (0.0, 400.0));
        assert_eq!(labels(&linear), ["0 s", "1 s", "2 s"]);
    }

    #[test]
    fn an_axis_of_one_number_still_has_a_length() {
        for scale in [
            Scale::linear((7.0, 7.0), (0.0, 100.0)),
            Scale::logarithmic((7.0, 7.0), (0.0, 100.0)),
            Scale::logarithmic((0.0, 0.0), (0.0, 100.0)),
        ] {
            assert!(scale.at(7.0).is_finite());
            assert!(scale.ticks(10.0).len() <= 11);
        }
    }

    #[test]
    fn a_place_and_its_number_are_each_others_inverse() {
        let scale = Scale::logarithmic((1e6, 1e9), (40.0, 440.0));
        for part in [0.0, 0.25, 1.0] {
            let place = scale.at(scale.number(part));
            assert!((place - (40.0 + 400.0 * part)).abs() < 1e-9);
        }
    }
}
