//! What may be left beside the text.

use crate::{
    published,
    report::{Report, left_over},
};

/// What may be left beside the text after renames whose former states are dropped, of the text: on average over the
/// steps of a row, for what the others type meanwhile is more or less of it as the text is short or long.
pub const OVERHEAD_MAX: f64 = 0.01;

/// What may be left after the last step, of the text. Nobody types any more: it is what renaming itself leaves.
pub const AT_REST_MAX: f64 = 0.001;

/// Whether a run left no more beside the text than it may: one of a row of the papers, for the bar is of
/// their workload.
///
/// Errors: a fragment that says how much was left.
pub fn bar(report: &Report) -> Result<(), String> {
    if published::is_theirs(&report.row) { missed_by(report) } else { Ok(()) }
}

/// Errors: as [`bar`] of such a row.
fn missed_by(report: &Report) -> Result<(), String> {
    let steps = report.row.steps();
    let announced = if report.row.collects() { steps } else { 0 };
    let kinds = [("are dropped at once", steps), ("are dropped once all announced it", announced)];
    for ((kind, steps), shares) in kinds.into_iter().zip(left_over(report)) {
        if shares.len() != steps {
            return Err(format!(
                "after {} steps all replicas had renames whose former states {kind}, expected {steps}",
                shares.len()
            ));
        }
        if let Some((when, share, most)) = missed(&shares) {
            return Err(format!(
                "{when}, {:.2} % are left beside the text after renames whose former states {kind}, \
                 expected at most {:.1} %",
                share * 100.0,
                most * 100.0
            ));
        }
    }
    Ok(())
}

/// When more was left than may be, of what was left after each step; how much, and how much may be.
fn missed(shares: &[f64]) -> Option<(&'static str, f64, f64)> {
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    [
        ("on average over steps", mean, OVERHEAD_MAX),
        ("once nobody types", *shares.last()?, AT_REST_MAX),
    ]
    .into_iter()
    .find(|(_, share, most)| share > most)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::{
        fleet::run,
        row::{Row, tests::SMALL},
    };

    #[test]
    fn what_is_left_is_bounded_on_average_and_once_nobody_types() {
        assert_eq!(missed(&[]), None);
        assert_eq!(missed(&[0.019, 0.0005]), None);
        assert_eq!(missed(&[0.031, 0.0]).map(|missed| missed.0), Some("on average over steps"));
        assert_eq!(missed(&[0.0, 0.0011]), Some(("once nobody types", 0.0011, 0.001)));
    }

    #[test]
    fn the_bar_is_of_the_workload_of_the_papers() {
        let announced = SMALL.replace("\"never\"", "\"announced\"");
        let mut report = Report::of(&run(&Row::parse("small", &announced).unwrap()).unwrap());
        // Far more than may be, for there is little text.
        assert!(left_over(&report).iter().flatten().all(|share| *share > OVERHEAD_MAX));
        assert_eq!(bar(&report), Ok(()));
        let theirs = include_str!("../../scenarios/evaluation/drop-7500-by-2.toml");
        report.row = Row::parse("drop-7500-by-2", theirs).unwrap();
        // There were as many steps as a small row has.
        let why = bar(&report).unwrap_err();
        assert!(
            why.contains("after 4 steps all replicas had renames whose former states"),
            "{why}"
        );
        report.row.operations = NonZeroU32::new(1_200).unwrap();
        report.row.renames.as_mut().unwrap().every = NonZeroU32::new(300).unwrap();
        let why = missed_by(&report).unwrap_err();
        assert!(why.contains("% are left beside the text after renames whose former"), "{why}");
    }
}
