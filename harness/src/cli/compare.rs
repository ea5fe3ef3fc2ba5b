//! `simctl compare`: whether one sweep is slower than another or fails more often.

use std::path::PathBuf;

use clap::Args;
use plots::{Change, Compared, Comparison, Digest, MEASURES};

use super::{
    Exit, Failure, Format, print, report, result_file,
    style::{BAD, BOLD, DIM, GOOD},
};

pub(super) const EXAMPLES: &str = "\
Examples:
  simctl compare before/ after/  what changed; 1 where it got worse
  simctl compare before/ after/ --out diff.html  both drawn, with the tests
  simctl compare before/ after/ --format json  for programs
  simctl compare before/ after/ --tolerance 5%  less than 5 % is no change
  # how long operations took to be stable
  simctl compare before/ after/ --column causal_stable_p99_nanos

Tests: where both sweeps ran the same seeds, run is compared with run (Wilcoxon's signed-rank test, \
McNemar's exact test), otherwise sample with sample (Mann-Whitney within cells, Fisher's exact \
test); chances are corrected for all of them (Holm). The ratio of the 99th percentiles comes with \
the interval of the bootstrap. A change counts where it is sure at 5 %.

Where no scenario has values in both sweeps of the column that `--column` names, nothing can be \
compared by it: that is an error (2), never \"no worse\".";

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
    /// The column of the results that latencies are taken from; where nothing is said, that of how long
    /// the fleet took to converge, if there is any.
    #[arg(long, value_name = "COLUMN")]
    column: Option<String>,
    /// By how much a latency must change to count.
    #[arg(long, value_name = "SHARE", default_value = "1%", value_parser = share)]
    tolerance: f64,
}

pub(super) fn carry_out(arguments: &Arguments) -> Result<Exit, Failure> {
    let folders = [&*arguments.before, &*arguments.after];
    let page_alone = arguments.out.as_deref().is_some_and(result_file::is_standard_output);
    if let Some(out) = &arguments.out {
        report::refuse("the page", out, &folders, &[])?;
    }
    if page_alone && arguments.format == Format::Json {
        let why = "--format json and --out -: both would be standard output; expected one of them";
        return Err(Failure::Usage(why.to_owned()));
    }
    let column = arguments.column.as_deref().unwrap_or(MEASURES[0].column);
    let before = report::read(&arguments.before, column)?;
    let after = report::read(&arguments.after, column)?;
    let names = [&arguments.before, &arguments.after].map(|folder| folder.display().to_string());
    let comparison = plots::compare((&names[0], &before), (&names[1], &after), arguments.tolerance)
        .map_err(|error| Failure::Usage(error.to_string()))?;
    // Who asked for no column compares how often runs fail, also where nothing converges.
    if arguments.column.is_some() && comparison.scenarios.iter().all(|one| one.latency.is_none()) {
        return Err(Failure::Usage(valueless(column, (&names[0], &before), (&names[1], &after))));
    }
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
        report::write("the page", out, page.as_bytes(), &folders, &[])?;
    }
    Ok(if comparison.worse { Exit::Violated } else { Exit::Holds })
}

/// Why nothing was compared by `column`.
fn valueless(column: &str, before: (&str, &Digest), after: (&str, &Digest)) -> String {
    let without = |sweep: &Digest| {
        let mut cells = sweep.scenarios.iter().flat_map(|one| &one.cells);
        cells.all(|cell| cell.latencies.is_empty())
    };
    let ((before, earlier), (after, later)) = (before, after);
    let which = match (without(earlier), without(later)) {
        (true, true) => format!("neither {before} nor {after} has a value"),
        (true, false) => format!("{before} has no value"),
        (false, true) => format!("{after} has no value"),
        (false, false) => "no run that both made has a value".to_owned(),
    };
    format!("nothing can be compared by column `{column}`: {which} in it; expected another column")
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

/// A share such as `5%`. A bare number is none: `5` might be 5 % or five times as much.
fn share(text: &str) -> Result<f64, String> {
    let expected = || format!("`{text}` is no share; expected a percentage such as `5%`");
    let percent = text.strip_suffix('%').ok_or_else(expected)?;
    let share = percent.trim().parse::<f64>().map_err(|_| expected())? / 100.0;
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
    fn a_share_is_a_percentage_and_never_a_bare_number() {
        assert_eq!(share("5%"), Ok(0.05));
        assert_eq!(share("2.5%"), Ok(0.025));
        for wrong in ["", "much", "5", "0.25", "-1%", "1e9%", "NaN%", "inf%"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
        assert!(share("5").unwrap_err().ends_with("expected a percentage such as `5%`"));
    }
}
