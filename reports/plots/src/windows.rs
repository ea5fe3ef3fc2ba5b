//! Faults that lasted, named above a plot over time, with lines down to where they begin and end.

use results::Window;

use crate::{
    canvas::{Canvas, Pen, Side, fitting},
    frame::LABEL,
    ink::Ink,
    scale::Scale,
};

/// The height of a lane of names.
const LANE: f64 = 17.0;
/// Lanes at most; what finds no place is counted.
const LANES_MAX: usize = 4;

/// Faults by the lane in which their name stands.
pub(crate) struct Lanes<'a> {
    lanes: Vec<Vec<&'a Window>>,
    left_out: usize,
}

impl<'a> Lanes<'a> {
    /// Each fault in the first lane where it overlaps none before it.
    pub(crate) fn of(windows: &'a [Window]) -> Self {
        let mut lanes: Vec<Vec<&Window>> = Vec::new();
        let mut left_out = 0;
        for window in windows {
            let free = |lane: &Vec<&Window>| {
                lane.last().is_none_or(|last: &&Window| last.to_nanos <= window.from_nanos)
            };
            match lanes.iter().position(free) {
                Some(lane) => lanes[lane].push(window),
                None if lanes.len() < LANES_MAX => lanes.push(vec![window]),
                None => left_out += 1,
            }
        }
        Self { lanes, left_out }
    }

    pub(crate) fn height(&self) -> f64 {
        const GAP: f64 = 5.0;
        let more = usize::from(self.left_out > 0);
        match self.lanes.len() + more {
            0 => 0.0,
            lanes => lanes as f64 * LANE + GAP,
        }
    }

    /// Draws the names from `top` down and the lines to `bottom`.
    pub(crate) fn draw(&self, canvas: &Canvas<'_>, time: &Scale, top: f64, bottom: f64) {
        for (index, lane) in self.lanes.iter().enumerate() {
            let middle = top + (index as f64 + 0.5) * LANE;
            for (number, window) in lane.iter().enumerate() {
                let (from, to) =
                    (time.at(window.from_nanos as f64), time.at(window.to_nanos as f64));
                let to = to.max(from + 2.0);
                for x in [from, to] {
                    canvas.line(&[(x, middle + 6.8), (x, bottom)], Pen::new(Ink::Fault, 0.8));
                }
                let bar = (middle + 6.0, middle + 7.6);
                canvas.rectangle((from, bar.0), (to, bar.1), Ink::Fault, 1.0);
                // A name may run on beyond its fault, up to the next one.
                let next = lane.get(number + 1).map_or(f64::MAX, |next| next.from_nanos as f64);
                let room = time.at(next) - from - 6.0;
                let text = name(window);
                let text =
                    fitting(&text, room, LABEL).or_else(|| fitting(&window.kind, room, LABEL));
                if let Some(text) = text {
                    canvas.text(&text, (from, middle - 1.0), Side::Right, LABEL, Ink::Fault);
                }
            }
        }
        if self.left_out > 0 {
            let text = format!("and {} more at the same time", self.left_out);
            let middle = top + (self.lanes.len() as f64 + 0.5) * LANE;
            canvas.text(&text, (time.at(0.0), middle), Side::Right, LABEL, Ink::Fault);
        }
    }
}

/// A fault in words.
pub(crate) fn name(window: &Window) -> String {
    match &*window.text {
        "" => window.kind.clone(),
        text if text.starts_with(&*window.kind) => text.to_owned(),
        text => format!("{} {text}", window.kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(from: u64, to: u64) -> Window {
        Window { kind: "cut".into(), text: String::new(), from_nanos: from, to_nanos: to }
    }

    #[test]
    fn faults_that_overlap_stand_in_lanes_of_their_own() {
        let windows = [window(0, 10), window(5, 9), window(10, 20)];
        let lanes = Lanes::of(&windows);
        assert_eq!(lanes.lanes.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
        let many: Vec<Window> = (0..9).map(|from| window(from, 100)).collect();
        let lanes = Lanes::of(&many);
        assert_eq!((lanes.lanes.len(), lanes.left_out), (LANES_MAX, 5));
    }
}
