//! What may be left beside the text.

use crate::{
    published,
    report::{Report, left_over},
};

/// What may be left beside the text after renames whose former states are dropped, of the text.
pub const OVERHEAD_MAX: f64 = 0.01;

/// Whether a run left no more beside the text than it may: one of a row of the papers, for the bar is of
/// their workload.
///
/// Errors: a fragment that says how much was left, on average over the steps of the row.
pub fn bar(report: &Report) -> Result<(), String> {
    if !published::is_theirs(&report.row) {
        return Ok(());
    }
    let kinds = ["are dropped at once", "are dropped once all announced it"];
    for (kind, shares) in kinds.into_iter().zip(left_over(report)) {
        let mean = shares.iter().sum::<f64>() / shares.len().max(1) as f64;
        if mean > OVERHEAD_MAX {
            return Err(format!(
                "{:.2} % are left beside the text after renames whose former states {kind}, \
                 expected at most {:.0} %",
                mean * 100.0,
                OVERHEAD_MAX * 100.0
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fleet::run,
        row::{Row, tests::SMALL},
    };

    #[test]
    fn the_bar_is_of_the_workload_of_the_papers() {
        let announced = SMALL.replace("\"never\"", "\"announced\"");
        let mut report = Report::of(&run(&Row::parse("small", &announced).unwrap()).unwrap());
        // Far more than may be, for there is little text.
        assert!(left_over(&report).iter().flatten().all(|share| *share > OVERHEAD_MAX));
        assert_eq!(bar(&report), Ok(()));
        let theirs = include_str!("../../scenarios/evaluation/drop-7500-by-2.toml");
        report.row = Row::parse("drop-7500-by-2", theirs).unwrap();
        let why = bar(&report).unwrap_err();
        assert!(why.contains("% are left beside the text after renames whose former"), "{why}");
    }
}
