//! How many messages the fleet holds for a newer release, over the time of one run.

use results::{Timeline, Window};

use crate::{
    adoption::healed,
    canvas::{Canvas, Pen, Plot, Side, width_of},
    frame::{LABEL, LEFT, RIGHT, WIDTH, count_axis, time_axis},
    ink::Ink,
    scale::Scale,
    units::{counted, span},
    windows::united,
};

const TOP: f64 = 14.0;
const HEIGHT: f64 = 96.0;
const FOOT: f64 = 26.0;

/// How many messages the fleet holds.
pub(crate) struct Held<'a> {
    timeline: &'a Timeline,
    /// When it held the most, and how many.
    peak: (u64, u64),
}

impl<'a> Held<'a> {
    /// `None` where no message was ever held.
    pub(crate) fn of(timeline: &'a Timeline) -> Option<Self> {
        let most = timeline.held.iter().map(|(_, held)| *held).max()?;
        let peak = timeline.held.iter().find(|(_, held)| *held == most)?;
        (most > 0).then_some(Self { timeline, peak: *peak })
    }
}

impl Plot for Held<'_> {
    fn title(&self) -> String {
        format!("{}: messages held, seed {}", self.timeline.scenario, self.timeline.seed)
    }

    fn description(&self) -> String {
        let end = self.timeline.held.last().map_or(0, |(_, held)| *held);
        format!(
            "Messages that wait for a newer release. Most at {}: {}. At the end: {}.",
            span(self.peak.0),
            counted(self.peak.1, "message"),
            counted(end, "message")
        )
    }

    fn size(&self) -> (f64, f64) {
        (WIDTH, TOP + HEIGHT + FOOT)
    }

    fn draw(&self, canvas: &Canvas<'_>) {
        let right = WIDTH - RIGHT;
        let bottom = TOP + HEIGHT;
        let last = self.timeline.held.last().map_or(0, |(at, _)| *at);
        let end = self.timeline.ended_nanos.max(last).max(1);
        let time = Scale::linear((0.0, end as f64), (LEFT, right));
        let most = self.peak.1 as f64;
        let count = Scale::linear((0.0, most * 1.08), (bottom, TOP));
        time_axis(canvas, &time, TOP, bottom);
        count_axis(canvas, &count, right);
        let windows: Vec<&Window> = self.timeline.windows.iter().collect();
        for (from, to) in united(&windows, &time) {
            canvas.rectangle((from, TOP), (to, bottom), Ink::Fault, 0.09);
        }
        let ends = self.timeline.held.iter().skip(1).map(|(at, _)| *at).chain([end]);
        // Nothing is held before the first step.
        let mut steps = vec![(time.at(0.0), count.at(0.0))];
        steps.push((time.at(self.timeline.held[0].0 as f64), count.at(0.0)));
        for ((at, held), end) in self.timeline.held.iter().zip(ends) {
            let y = count.at(*held as f64);
            steps.extend([(time.at(*at as f64), y), (time.at(end as f64), y)]);
        }
        let (first, last) = (steps[0].0, steps[steps.len() - 1].0);
        let around: Vec<_> =
            steps.iter().copied().chain([(last, bottom), (first, bottom)]).collect();
        canvas.area(&around, Ink::Series(0), 0.22);
        canvas.line(&steps, Pen::new(Ink::Series(0), 1.6));
        healed(canvas, self.timeline, &time, TOP, bottom);
        let label = format!("most: {}", counted(self.peak.1, "message"));
        let x = time.at(self.peak.0 as f64);
        let fits = x + 8.0 + width_of(&label, LABEL) < right;
        let (x, side) = if fits { (x + 8.0, Side::Right) } else { (x - 8.0, Side::Left) };
        canvas.text(&label, (x, TOP - 2.0), side, LABEL, Ink::Text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{canvas::svg, testing};

    #[test]
    fn the_most_is_named() {
        let digest = testing::digest(5);
        let timeline = digest.scenarios[0].cells[0].timeline.as_ref().unwrap();
        let plot = Held::of(timeline).unwrap();
        assert!(svg(&plot).contains("most: 17\u{a0}messages"));
        assert!(plot.description().ends_with("At the end: 0\u{a0}messages."));
    }

    #[test]
    fn a_run_that_held_nothing_is_not_drawn() {
        let timeline = Timeline { held: vec![(0, 0)], ..Timeline::default() };
        assert!(Held::of(&timeline).is_none());
    }
}
