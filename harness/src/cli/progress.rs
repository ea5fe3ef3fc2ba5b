//! Progress of long work, on standard error, where somebody watches it.

use std::{ops::ControlFlow, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{aside, interrupt};

/// Redraws a second: enough to look alive.
const HERTZ: u8 = 8;

/// A bar for `count` of `what`, such as "runs"; one that shows nothing where `shown` is false, quiet is asked for or
/// nobody watches.
pub(super) fn bar(count: usize, what: &str, shown: bool) -> ProgressBar {
    if !shown || count < 2 || aside::is_quiet() {
        return ProgressBar::hidden();
    }
    let template = format!("{{bar:30}} {{pos}}/{{len}} {what}, {{per_sec}}, {{eta}} left{{msg}}");
    let style = ProgressStyle::with_template(&template).expect("the template is well-formed");
    let bar = ProgressBar::with_draw_target(
        Some(count as u64),
        ProgressDrawTarget::stderr_with_hz(HERTZ),
    );
    bar.set_style(style);
    bar.enable_steady_tick(Duration::from_millis(1_000 / u64::from(HERTZ)));
    bar
}

/// A bar for a sweep of `jobs` runs of which `done` were done before; one that shows nothing where
/// quiet is asked for or nobody watches. `time`: how long it may take, where that ends it.
pub(super) fn sweep(jobs: u64, done: u64, time: Option<Duration>) -> ProgressBar {
    if aside::is_quiet() {
        return ProgressBar::hidden();
    }
    let template = match time {
        None => "{bar:30} {pos}/{len} runs, {per_sec}, {eta} left{msg}",
        Some(_) => "{spinner} {pos} runs, {per_sec}, {elapsed} of {prefix}{msg}",
    };
    let style = ProgressStyle::with_template(template).expect("the template is well-formed");
    let bar = ProgressBar::with_draw_target(Some(jobs), ProgressDrawTarget::stderr_with_hz(HERTZ));
    bar.set_style(style);
    if let Some(time) = time {
        bar.set_prefix(format!("{} s", time.as_secs()));
    }
    bar.set_position(done);
    bar.reset_eta();
    bar.enable_steady_tick(Duration::from_millis(1_000 / u64::from(HERTZ)));
    bar
}

/// A message about work of which nobody knows how much there is.
pub(super) fn spinner() -> ProgressBar {
    if aside::is_quiet() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(HERTZ));
    bar.enable_steady_tick(Duration::from_millis(1_000 / u64::from(HERTZ)));
    bar
}

/// What is told how much of some work is done: shows it on `bar`, and ends the work once Ctrl-C was pressed.
/// What was done of the same work before it begins stays counted.
pub(super) fn until_interrupted(bar: &ProgressBar) -> impl FnMut(u64) -> ControlFlow<()> {
    let before = interrupt::done_so_far();
    move |done| {
        bar.set_position(done);
        interrupt::done(before + done);
        if interrupt::asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
