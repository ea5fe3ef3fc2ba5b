//! What a comparison says, in sentences.

use super::{Change, Compared, Latency, Rates};
use crate::units::{capitalised, count, counted, digits, percent, span};

/// What changed over all scenarios.
pub(super) fn sentence(scenarios: &[Compared]) -> String {
    let all = scenarios.len() as u64;
    let latency = |change| {
        let of =
            |one: &&Compared| one.latency.as_ref().is_some_and(|latency| latency.change == change);
        scenarios.iter().filter(of).count() as u64
    };
    let failing =
        |change| scenarios.iter().filter(|one| one.failures.change == change).count() as u64;
    let list = |change, slower: &str, fails: &str| {
        let mut parts = Vec::new();
        for (number, what) in [(latency(change), slower), (failing(change), fails)] {
            let verb = if number == 1 { "is" } else { "are" };
            match number {
                0 => {}
                _ if all == 1 => parts.push(format!("{} is {what}", scenarios[0].name)),
                _ => parts.push(format!(
                    "{} of {} {verb} {what}",
                    count(number),
                    counted(all, "scenario")
                )),
            }
        }
        parts.join(", ")
    };
    let worse = list(Change::Worse, "slower", "failing more often");
    let better = list(Change::Better, "faster", "failing less often");
    let same = scenarios.iter().all(|one| {
        one.latency.as_ref().is_some_and(|latency| latency.differing == Some(0))
            && one.failures.tested.value == 0.0
            && one.paired
    });
    let of_all = if all == 1 { scenarios[0].name.clone() } else { counted(all, "scenario") };
    match (&*worse, &*better) {
        ("", "") if same => {
            format!("No worse: every run of {of_all} took the same time and ended the same way.")
        }
        ("", "") => format!("No worse: no change was found in {of_all}."),
        ("", better) => format!("No worse: {better}."),
        (worse, "") => format!("Worse: {worse}."),
        (worse, better) => format!("Worse: {worse}; {better}."),
    }
}

/// What changed in one scenario.
pub(super) fn scenario(one: &Compared) -> String {
    let mut parts = vec![match &one.latency {
        Some(latency) => of_latency(latency),
        None => "latency: no runs to compare".to_owned(),
    }];
    parts.push(of_rates(&one.failures));
    if one.rewritten {
        parts.push("the scenario itself is not the same text".to_owned());
    }
    if one.cells_left_out > 0 {
        parts.push(format!(
            "{} only in one sweep",
            counted(one.cells_left_out, "point of the grid is")
        ));
    }
    capitalised(&parts.join("; ")) + "."
}

fn of_latency(latency: &Latency) -> String {
    let typical = match latency.differing {
        Some(0) => return format!("all {} took the same time", counted(latency.runs.1, "pair")),
        Some(pairs) => format!(
            "{} of {} differ, typically by {}",
            count(pairs),
            counted(latency.runs.1, "pair"),
            times(latency.typical_ratio)
        ),
        None => format!("the median changed by {}", times(latency.typical_ratio)),
    };
    let word = match latency.change {
        Change::Worse => "slower",
        Change::Better => "faster",
        Change::None => "no change in latency was found",
    };
    let Latency { p99_nanos: (before, after), p99_ratio: tail, .. } = latency;
    format!(
        "{word}: {typical} ({}); p99 {} → {}, {} ({} to {})",
        chance(latency.p_corrected),
        span(*before),
        span(*after),
        times(tail.ratio),
        times(tail.low),
        times(tail.high)
    )
}

fn of_rates(rates: &Rates) -> String {
    let word = match rates.change {
        Change::Worse => "fails more often",
        Change::Better => "fails less often",
        Change::None if rates.failed == (0, 0) => return "no run failed in either".to_owned(),
        Change::None => "no change in failures was found",
    };
    format!(
        "{word}: {} → {} ({})",
        percent(rates.failed.0, rates.runs.0),
        percent(rates.failed.1, rates.runs.1),
        chance(rates.p_corrected)
    )
}

/// A factor: `×1.12`.
pub(super) fn times(ratio: f64) -> String {
    let places = if (ratio - 1.0).abs() < 0.01 { 3 } else { 2 };
    match ratio {
        1.0 => "×1".to_owned(),
        ratio if ratio >= 10.0 => format!("×{}", digits(ratio)),
        ratio => format!("×{ratio:.places$}"),
    }
}

/// A chance: `p = 0.03`.
pub(super) fn chance(p: f64) -> String {
    match p {
        p if p < 0.0001 => "p\u{a0}<\u{a0}0.0001".to_owned(),
        p if p < 0.01 => format!("p\u{a0}=\u{a0}{p:.4}"),
        p => format!("p\u{a0}=\u{a0}{p:.2}"),
    }
}
