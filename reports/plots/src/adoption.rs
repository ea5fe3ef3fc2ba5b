//! Which share of the fleet runs which release, over the time of one run, with the faults meanwhile.

use results::Timeline;

use crate::{
    canvas::{Canvas, Pen, Plot, Side, fitting, width_of},
    frame::{LEFT, RIGHT, WIDTH, share_axis, time_axis},
    ink::Ink,
    scale::Scale,
    units::span,
    windows::{self, Lanes},
};

/// The colours of releases, in their order: none that looks like a fault.
const RELEASES: [usize; 5] = [0, 2, 3, 5, 6];
const HEIGHT: f64 = 150.0;
const FOOT: f64 = 26.0;
const HEAD: f64 = 10.0;
/// The size of the name of a release, and how wide it may be.
const NAME: f64 = 13.0;
const NAME_MAX: f64 = 120.0;

/// Which share of the fleet runs which release.
pub(crate) struct Adoption<'a> {
    timeline: &'a Timeline,
    /// The most nodes that ran at once.
    nodes: u64,
}

impl<'a> Adoption<'a> {
    /// `None` where no node ever ran.
    pub(crate) fn of(timeline: &'a Timeline) -> Option<Self> {
        let sums = timeline.adoption.iter().map(|(_, by_release)| total(by_release));
        let nodes = sums.max().unwrap_or(0);
        (nodes > 0).then_some(Self { timeline, nodes })
    }

    /// Nodes that run one of the releases before `release`, and those that run it, by step.
    fn band(&self, release: usize) -> Vec<(u64, u64, u64)> {
        let steps = self.timeline.adoption.iter().map(|(at, by_release)| {
            let below = total(&by_release[..release.min(by_release.len())]);
            (*at, below, by_release.get(release).map_or(0, |nodes| u64::from(*nodes)))
        });
        steps.collect()
    }

    fn end(&self) -> u64 {
        let last = self.timeline.adoption.last().map_or(0, |(at, _)| *at);
        self.timeline.ended_nanos.max(last).max(1)
    }

    fn draw_band(&self, canvas: &Canvas<'_>, release: usize, time: &Scale, share: &Scale) {
        let band = self.band(release);
        let ink = Ink::Series(RELEASES[release % RELEASES.len()]);
        let height = |nodes: u64| share.at(nodes as f64 / self.nodes as f64);
        let ends = band.iter().skip(1).map(|(at, ..)| *at).chain([self.end()]);
        let (mut upper, mut lower) = (Vec::new(), Vec::new());
        for ((at, below, here), end) in band.iter().zip(ends) {
            let (from, to) = (time.at(*at as f64), time.at(end as f64));
            let (bottom, top) = (height(*below), height(below + here));
            upper.extend([(from, top), (to, top)]);
            lower.extend([(from, bottom), (to, bottom)]);
        }
        if band.iter().all(|(_, _, here)| *here == 0) {
            return;
        }
        let around: Vec<_> = upper.iter().chain(lower.iter().rev()).copied().collect();
        canvas.area(&around, ink, 0.28);
        // The upper rim, from where the release comes until it is gone.
        let there = |point: &(u64, u64, u64)| point.2 > 0;
        let first = band.iter().position(there).unwrap_or(0);
        let last = band.iter().rposition(there).unwrap_or(0);
        let mut rim = upper[2 * first..2 * (last + 1)].to_vec();
        // It rises from what was there before, and falls to what comes after.
        rim.insert(0, (upper[2 * first].0, lower[2 * first].1));
        rim.extend(lower.get(2 * (last + 1)));
        canvas.line(&rim, Pen::new(ink, 1.6));
        let name = fitting(&self.timeline.releases[release], NAME_MAX, NAME).unwrap_or_default();
        if let Some(at) = room(&upper, &lower, width_of(&name, NAME)) {
            canvas.text(&name, at, Side::Middle, NAME, Ink::Text);
        }
    }
}

/// Nodes at any of some releases.
fn total(by_release: &[u32]) -> u64 {
    by_release.iter().map(|nodes| u64::from(*nodes)).sum()
}

/// The middle of the roomiest rectangle between a band's rims that is wide and high enough for a name.
fn room(upper: &[(f64, f64)], lower: &[(f64, f64)], width: f64) -> Option<(f64, f64)> {
    let mut best: Option<(f64, (f64, f64))> = None;
    // Two points a step: where it begins and where it ends.
    for first in (0..upper.len()).step_by(2) {
        let (mut top, mut bottom) = (f64::MIN, f64::MAX);
        for last in (first..upper.len()).step_by(2) {
            (top, bottom) = (top.max(upper[last].1), bottom.min(lower[last].1));
            if bottom - top < NAME + 4.0 {
                break;
            }
            let (from, to) = (upper[first].0, upper[last + 1].0);
            // More room than a name needs several times over is no better.
            let size = (to - from).min(4.0 * NAME_MAX) * (bottom - top).min(4.0 * NAME);
            if to - from >= width + 6.0 && best.is_none_or(|(most, _)| size > most) {
                best = Some((size, ((from + to) / 2.0, (top + bottom) / 2.0)));
            }
        }
    }
    best.map(|(_, at)| at)
}

impl Plot for Adoption<'_> {
    fn title(&self) -> String {
        format!(
            "{}: share of the fleet at each release, seed {}",
            self.timeline.scenario, self.timeline.seed
        )
    }

    fn description(&self) -> String {
        let all = self.nodes as f64;
        let told = self.timeline.releases.iter().enumerate().filter_map(|(release, name)| {
            let band = self.band(release);
            let (first, ..) = band.iter().find(|(_, _, here)| *here > 0)?;
            let most = band.iter().map(|(_, _, here)| *here).max()?;
            let last = band.last()?.2;
            Some(format!(
                "Release {name} runs from {} on, on at most {:.0} % of the fleet and on {:.0} % at the end.",
                span(*first),
                100.0 * most as f64 / all,
                100.0 * last as f64 / all
            ))
        });
        let faults = windows::told(&self.timeline.windows);
        told.chain(faults).collect::<Vec<_>>().join(" ")
    }

    fn size(&self) -> (f64, f64) {
        let lanes = Lanes::of(&self.timeline.windows);
        (WIDTH, HEAD + lanes.height() + HEIGHT + FOOT)
    }

    fn draw(&self, canvas: &Canvas<'_>) {
        let lanes = Lanes::of(&self.timeline.windows);
        let right = WIDTH - RIGHT;
        let top = HEAD + lanes.height();
        let bottom = top + HEIGHT;
        let time = Scale::linear((0.0, self.end() as f64), (LEFT, right));
        let share = Scale::linear((0.0, 1.0), (bottom, top));
        time_axis(canvas, &time, top, bottom);
        share_axis(canvas, &share, right);
        lanes.draw(canvas, &time, HEAD, bottom);
        for release in 0..self.timeline.releases.len() {
            self.draw_band(canvas, release, &time, &share);
        }
        healed(canvas, self.timeline, &time, top, bottom);
    }
}

/// A line where the network became well for good.
pub(crate) fn healed(
    canvas: &Canvas<'_>,
    timeline: &Timeline,
    time: &Scale,
    top: f64,
    bottom: f64,
) {
    let at = timeline.safety_ended_nanos;
    if at == 0 || at >= timeline.ended_nanos {
        return;
    }
    let x = time.at(at as f64);
    canvas.line(&[(x, top), (x, bottom)], Pen { ink: Ink::Soft, width: 1.0, dash: 2 });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{canvas::svg, testing};

    #[test]
    fn releases_and_faults_are_named_where_they_are() {
        let digest = testing::digest(5);
        let timeline = digest.scenarios[1].cells[0].timeline.as_ref().unwrap();
        let plot = Adoption::of(timeline).unwrap();
        let text = svg(&plot);
        for name in ["1.0.0", "1.1.0", "2.0.0", "partition: n1 n2 | n3 n4 n5", "pause: n4"] {
            assert!(text.contains(name), "{name}");
        }
        let told = plot.description().replace('\u{a0}', " ");
        assert!(
            told.contains("Release 2.0.0 runs from 2 s on, on at most 100 % of the fleet"),
            "{told}"
        );
        assert!(told.contains("pause: n4 from 800 ms to 2.6 s."), "{told}");
    }

    #[test]
    fn a_file_that_says_anything_is_drawn_all_the_same() {
        let timeline = Timeline {
            releases: vec!["1".into(), "2".into(), "3".into()],
            adoption: vec![(9, vec![u32::MAX, u32::MAX]), (3, vec![]), (u64::MAX, vec![1; 9])],
            windows: vec![results::Window { from_nanos: 9, to_nanos: 3, ..Default::default() }],
            ..Timeline::default()
        };
        let plot = Adoption::of(&timeline).unwrap();
        assert!(svg(&plot).ends_with("</svg>\n") && !plot.description().contains("NaN"));
    }

    #[test]
    fn a_run_without_nodes_is_not_drawn() {
        assert!(Adoption::of(&Timeline::default()).is_none());
    }
}
