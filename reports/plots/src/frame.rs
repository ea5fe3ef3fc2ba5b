//! The axes that plots share: thin lines to read off, names beside them.

use crate::{
    canvas::{Canvas, Pen, Side, width_of},
    ink::Ink,
    scale::{Scale, time_label},
    units,
};

/// The size of the names of axes.
pub(crate) const LABEL: f64 = 12.0;
/// The width of every plot: about that of a phone, so that a page need not shrink it much.
pub(crate) const WIDTH: f64 = 460.0;
/// Where the names of a vertical axis end.
pub(crate) const LEFT: f64 = 44.0;
/// What is left free on the right.
pub(crate) const RIGHT: f64 = 14.0;
/// The least distance between two names of the axis of time.
const APART: f64 = 56.0;

/// Lines and names of an axis of time, below the plot that goes from `top` to `bottom`.
pub(crate) fn time_axis(canvas: &Canvas<'_>, scale: &Scale, top: f64, bottom: f64) {
    for tick in scale.ticks(APART) {
        let x = scale.at(tick);
        canvas.line(&[(x, top), (x, bottom)], Pen::new(Ink::Grid, 1.0));
        let label = time_label(tick);
        // A name at the rim stays on the canvas.
        let half = width_of(&label, LABEL) / 2.0;
        let at = x.clamp(half, WIDTH - half);
        canvas.text(&label, (at, bottom + 13.0), Side::Middle, LABEL, Ink::Soft);
    }
}

/// Lines and names of an axis of shares, from nothing to all, left of the plot from `LEFT` to `right`.
pub(crate) fn share_axis(canvas: &Canvas<'_>, scale: &Scale, right: f64) {
    for percent in [0, 25, 50, 75, 100] {
        let y = scale.at(f64::from(percent) / 100.0);
        canvas.line(&[(LEFT, y), (right, y)], Pen::new(Ink::Grid, 1.0));
        let label = format!("{percent}\u{a0}%");
        canvas.text(&label, (LEFT - 7.0, y), Side::Left, LABEL, Ink::Soft);
    }
}

/// Lines and names of an axis of counts.
pub(crate) fn count_axis(canvas: &Canvas<'_>, scale: &Scale, right: f64) {
    const APART: f64 = 24.0;
    for tick in scale.ticks(APART).into_iter().filter(|tick| tick.fract() == 0.0) {
        let y = scale.at(tick);
        canvas.line(&[(LEFT, y), (right, y)], Pen::new(Ink::Grid, 1.0));
        let label = units::count(tick as u64);
        canvas.text(&label, (LEFT - 7.0, y), Side::Left, LABEL, Ink::Soft);
    }
}
