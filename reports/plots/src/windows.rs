//! Faults that lasted, above a plot over time: a lane for each kind, a bar for each fault.

use results::Window;

use crate::{
    canvas::{Canvas, Pen, Side, fitting, width_of},
    frame::LABEL,
    ink::Ink,
    scale::Scale,
};

/// The height of a lane.
const LANE: f64 = 20.0;
/// Lanes at most; kinds that find no place are counted.
const LANES_MAX: usize = 6;
/// Faults of a kind of which each gets lines down to where it begins and ends.
const LINES_MAX: usize = 2;

/// Faults by kind.
pub(crate) struct Lanes<'a> {
    /// Of one kind each, in the order in which they began.
    lanes: Vec<Vec<&'a Window>>,
    left_out: usize,
}

impl<'a> Lanes<'a> {
    pub(crate) fn of(windows: &'a [Window]) -> Self {
        let mut lanes: Vec<Vec<&Window>> = Vec::new();
        for window in windows {
            match lanes.iter_mut().find(|lane| lane[0].kind == window.kind) {
                Some(lane) => lane.push(window),
                None => lanes.push(vec![window]),
            }
        }
        let left_out = lanes.len().saturating_sub(LANES_MAX);
        lanes.truncate(LANES_MAX);
        Self { lanes, left_out }
    }

    pub(crate) fn height(&self) -> f64 {
        const GAP: f64 = 5.0;
        match self.lanes.len() + usize::from(self.left_out > 0) {
            0 => 0.0,
            lanes => lanes as f64 * LANE + GAP,
        }
    }

    /// Draws the lanes from `top` down, and lines from single faults to `bottom`.
    pub(crate) fn draw(&self, canvas: &Canvas<'_>, time: &Scale, top: f64, bottom: f64) {
        let right = time.at(f64::MAX);
        for (index, lane) in self.lanes.iter().enumerate() {
            let middle = top + (index as f64 + 0.5) * LANE;
            for (from, to) in united(lane, time) {
                canvas.rectangle((from, middle + 6.0), (to, middle + 7.6), Ink::Fault, 1.0);
                if lane.len() <= LINES_MAX {
                    for x in [from, to] {
                        canvas.line(&[(x, middle + 6.8), (x, bottom)], Pen::new(Ink::Fault, 0.8));
                    }
                }
            }
            let from = time.at(lane[0].from_nanos as f64);
            let text = label(lane);
            let fits = from + width_of(&text, LABEL) <= right;
            let (x, side) = if fits { (from, Side::Right) } else { (right, Side::Left) };
            let text = fitting(&text, right - time.at(0.0), LABEL).unwrap_or_default();
            canvas.text(&text, (x, middle - 1.0), side, LABEL, Ink::Fault);
        }
        if self.left_out > 0 {
            let text = format!("and {} more kinds of fault", self.left_out);
            let middle = top + (self.lanes.len() as f64 + 0.5) * LANE;
            canvas.text(&text, (time.at(0.0), middle), Side::Right, LABEL, Ink::Fault);
        }
    }
}

/// Where any of `windows` is on the canvas, each stretch once.
pub(crate) fn united(windows: &[&Window], time: &Scale) -> Vec<(f64, f64)> {
    const WIDTH_MIN: f64 = 1.6;
    let mut windows: Vec<&Window> = windows.to_vec();
    windows.sort_by_key(|window| window.from_nanos);
    let mut stretches: Vec<(f64, f64)> = Vec::new();
    for window in windows {
        let from = time.at(window.from_nanos as f64);
        let to = time.at(window.to_nanos as f64).max(from + WIDTH_MIN);
        match stretches.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => stretches.push((from, to)),
        }
    }
    stretches
}

/// What a lane is called: its only fault, or the kind and how many.
fn label(lane: &[&Window]) -> String {
    match lane {
        [only] => name(only),
        several => format!("{} ×{}", several[0].kind, several.len()),
    }
}

/// A fault in words.
pub(crate) fn name(window: &Window) -> String {
    match &*window.text {
        "" => window.kind.clone(),
        text if text.contains(&*window.kind) => text.to_owned(),
        text => format!("{}: {text}", window.kind),
    }
}

/// The faults in sentences: each where they are few, otherwise how many of each kind.
pub(crate) fn told(windows: &[Window]) -> Vec<String> {
    const TOLD_MAX: usize = 8;
    let span = crate::units::span;
    if windows.len() <= TOLD_MAX {
        let each = windows.iter().map(|window| {
            format!(
                "{} from {} to {}.",
                name(window),
                span(window.from_nanos),
                span(window.to_nanos)
            )
        });
        return each.collect();
    }
    Lanes::of(windows).lanes.iter().map(|lane| format!("{}.", label(lane))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(kind: &str, from: u64, to: u64) -> Window {
        Window { kind: kind.into(), text: String::new(), from_nanos: from, to_nanos: to }
    }

    #[test]
    fn faults_of_a_kind_share_a_lane() {
        let windows = [window("cut", 0, 10), window("pause", 5, 9), window("cut", 8, 20)];
        let lanes = Lanes::of(&windows);
        assert_eq!(
            lanes.lanes.iter().map(|lane| label(lane)).collect::<Vec<_>>(),
            ["cut ×2", "pause"]
        );
        let many: Vec<Window> = (0..9).map(|kind| window(&format!("k{kind}"), 0, 100)).collect();
        let lanes = Lanes::of(&many);
        assert_eq!((lanes.lanes.len(), lanes.left_out), (LANES_MAX, 3));
    }

    #[test]
    fn what_overlaps_is_shaded_once() {
        let windows = [window("cut", 0, 100), window("cut", 50, 200), window("cut", 400, 500)];
        let time = Scale::linear((0.0, 1_000.0), (0.0, 1_000.0));
        let all: Vec<&Window> = windows.iter().collect();
        assert_eq!(united(&all, &time), [(0.0, 200.0), (400.0, 500.0)]);
    }

    #[test]
    fn many_faults_are_told_by_kind() {
        let windows: Vec<Window> = (0..20).map(|at| window("pause", at, at + 1)).collect();
        assert_eq!(told(&windows), ["pause ×20."]);
        assert_eq!(told(&windows[..1]), ["pause from 0 s to 1\u{a0}ns."]);
    }
}
