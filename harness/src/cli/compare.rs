//! `simctl compare`: whether one sweep is slower than another or fails more often.

use std::path::PathBuf;

use clap::Args;
use plots::{Change, Compared, Comparison, MEASURES};

use super::{
    Exit, Failure, Format, print, report,
    style::{BAD, BOLD, DIM, GOOD},
};

pub(super) const EXAMPLES: &str = "\
Examples:
  simctl compare before/ after/                     what changed; exit 1 where it got worse
  simctl compare before/ after/ --out diff.html     both drawn over each other, with the tests
  simctl compare before/ after/ --format json       for programs
  simctl compare before/ after/ --tolerance 5%      a change of less than 5 % is none
  simctl compare before/ after/ --column causal_stable_p99_nanos
                                                    how long operations took to be stable

Tests: where both sweeps ran the same seeds, run is compared with run (Wilcoxon's signed-rank test,
McNemar's exact test), otherwise sample with sample (Mann-Whitney within cells, Fisher's exact
test); chances are corrected for all of them (Holm). The ratio of the 99th percentiles comes with
the interval of the bootstrap. A change counts where it is sure at 5 %.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder of the sweep to compare with.
    before: PathBuf,
    /// The folder of the sweep that may be worse.
    after: PathBuf,
    /// Write a page with both drawn over each other; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The column of the results that latencies are taken from.
    #[arg(long, value_name = "COLUMN", default_value = MEASURES[0].column)]
    column: String,
    /// By how much a latency must change to count.
    #[arg(long, value_name = "SHARE", default_value = "1%", value_parser = share)]
    tolerance: f64,
}

pub(super) fn carry_out(arguments: &Arguments) -> Result<Exit, Failure> {
    let before = report::read(&arguments.before, &arguments.column)?;
    let after = report::read(&arguments.after, &arguments.column)?;
    let names = [&arguments.before, &arguments.after].map(|folder| folder.display().to_string());
    let comparison = plots::compare((&names[0], &before), (&names[1], &after), arguments.tolerance)
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let page_alone = arguments.out.as_ref().is_some_and(|out| out.as_os_str() == "-");
    if !page_alone {
        print(&match arguments.format {
            Format::Human => human(&comparison),
            Format::Json => {
                serde_json::to_string(&comparison).expect("a comparison is JSON") + "\n"
            }
        })?;
    }
    if let Some(out) = &arguments.out {
        let page = plots::compare_page(&comparison, &before, &after);
        let folders = [&*arguments.before, &*arguments.after];
        report::write("the page", out, page.as_bytes(), &folders, &[])?;
    }
    Ok(if comparison.worse { Exit::Violated } else { Exit::Holds })
}

fn human(comparison: &Comparison) -> String {
    let style = if comparison.worse { BAD } else { GOOD };
    let mut text = format!("{style}{}{style:#}\n\n", comparison.sentence);
    for one in &comparison.scenarios {
        text += &format!("{BOLD}{}{BOLD:#}\n  {}\n", one.name, one.sentence);
        let by = said_by(one);
        if !by.is_empty() {
            text += &format!("  {DIM}{by}{DIM:#}\n");
        }
    }
    for (names, side) in [(&comparison.only_before, "before"), (&comparison.only_after, "after")] {
        if !names.is_empty() {
            text += &format!("{DIM}only {side}: {}{DIM:#}\n", names.join(", "));
        }
    }
    // A terminal breaks no lines at these either.
    text.replace(['\u{a0}', '\u{2009}'], " ")
}

/// Which tests said so.
fn said_by(one: &Compared) -> String {
    let latency = one.latency.as_ref().map(|latency| {
        let tested = &latency.tested;
        format!("{} ({} = {}, p = {:.3e})", tested.test, tested.statistic, tested.value, tested.p)
    });
    let rates = &one.failures.tested;
    let rates = match one.failures.change {
        Change::None if one.failures.failed == (0, 0) => None,
        _ => Some(format!("{} (p = {:.3e})", rates.test, rates.p)),
    };
    latency.into_iter().chain(rates).collect::<Vec<_>>().join("; ")
}

/// A share such as `5%` or `0.05`.
fn share(text: &str) -> Result<f64, String> {
    let number = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse::<f64>(),
    };
    let share = number.map_err(|_| format!("`{text}` is no share; expected such as 5%"))?;
    if (0.0..=10.0).contains(&share) {
        Ok(share)
    } else {
        Err(format!("`{text}` is no share from 0% to 1000%"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_percentage_or_a_number() {
        assert_eq!(share("5%"), Ok(0.05));
        assert_eq!(share("0.25"), Ok(0.25));
        for wrong in ["", "much", "-1%", "1e9", "NaN", "inf"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }
}
