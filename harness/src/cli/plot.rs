//! `simctl plot`: one plot of a sweep as a file.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use plots::{Digest, Entry, MEASURES, Of, PLOTS, Plot, Scenario};

use super::{Exit, Failure, print, report, result_file};

pub(super) const EXAMPLES: &str = "\
Examples:
  simctl plot --list                            every plot and what it shows
  simctl plot overview out/ --svg overview.svg  all scenarios on one axis
  simctl plot heatmap out/ > heat.svg           an SVG to standard output
  # for a page; light and dark
  simctl plot ecdf out/ --scenario major-bump --svg ecdf.svg
  # at a point of a grid
  simctl plot adoption out/ --scenario major-bump \\
    --cell 'loss=5% nodes=7' --png adoption.png";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Which plot; `--list` says what there is.
    #[arg(required_unless_present = "list")]
    name: Option<String>,
    /// The folder of a finished sweep.
    #[arg(required_unless_present = "list")]
    sweep: Option<PathBuf>,
    /// List the plots and what they show.
    #[arg(long, conflicts_with_all = ["name", "sweep", "scenario", "cell", "svg", "png"])]
    list: bool,
    /// Which scenario; may be left out where the sweep has only one.
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
    /// Which point of the grid, such as `loss=5% nodes=7`; the first where nothing is said.
    #[arg(long, value_name = "CELL")]
    cell: Option<String>,
    /// The column of the results that latencies are taken from.
    #[arg(long, value_name = "COLUMN", default_value = MEASURES[0].column)]
    column: String,
    /// Write an SVG, for light and dark pages; `-` is standard output, as where nothing is said.
    #[arg(long, value_name = "FILE", conflicts_with = "png")]
    svg: Option<PathBuf>,
    /// Write a PNG; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
}

pub(super) fn carry_out(arguments: &Arguments) -> Result<Exit, Failure> {
    let (Some(name), Some(folder), false) = (&arguments.name, &arguments.sweep, arguments.list)
    else {
        let width = PLOTS.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
        let each = PLOTS.iter().map(|entry| format!("{:<width$}  {}\n", entry.name, entry.about));
        print(&each.collect::<String>())?;
        return Ok(Exit::Holds);
    };
    let entry = PLOTS.iter().find(|entry| entry.name == name).ok_or_else(|| {
        let names: Vec<&str> = PLOTS.iter().map(|entry| entry.name).collect();
        Failure::Usage(format!("no plot `{name}`; {}", expected(name, &names)))
    })?;
    let digest = report::read(folder, &arguments.column)?;
    let drawn = drawn(entry, &digest, arguments)?;
    let Some((first, others)) = drawn.split_first() else {
        return Err(Failure::Usage(format!(
            "`{name}` has nothing to show: it is {}; expected a sweep that has that",
            entry.about
        )));
    };
    write(&**first, folder, arguments, 1)?;
    for (number, plot) in (2..).zip(others) {
        write(&**plot, folder, arguments, number)?;
    }
    Ok(Exit::Holds)
}

/// The plots that were asked for: several where a grid needs more than one.
fn drawn<'a>(
    entry: &Entry,
    digest: &'a Digest,
    arguments: &Arguments,
) -> Result<Vec<Box<dyn Plot + 'a>>, Failure> {
    if let (Some(cell), Of::Sweep(_) | Of::Scenario(_)) = (&arguments.cell, &entry.of) {
        return Err(Failure::Usage(format!(
            "`{}` shows every point of the grid, and --cell asks for `{cell}`; expected no --cell",
            entry.name
        )));
    }
    if let (Some(scenario), Of::Sweep(_)) = (&arguments.scenario, &entry.of) {
        return Err(Failure::Usage(format!(
            "`{}` shows every scenario, and --scenario asks for `{scenario}`; expected no --scenario",
            entry.name
        )));
    }
    Ok(match entry.of {
        Of::Sweep(draw) => draw(digest).into_iter().collect(),
        Of::Scenario(draw) => draw(digest, chosen(digest, arguments)?),
        Of::Cell(draw) => {
            let scenario = chosen(digest, arguments)?;
            let Some(name) = &arguments.cell else {
                return Ok(draw(&scenario.cells[0]).into_iter().collect());
            };
            let cell = scenario.cells.iter().find(|cell| cell.name == *name).ok_or_else(|| {
                let names: Vec<&str> = scenario.cells.iter().map(|cell| &*cell.name).collect();
                let expected = expected(name, &names);
                Failure::Usage(format!("{} has no cell `{name}`; {expected}", scenario.name))
            })?;
            draw(cell).into_iter().collect()
        }
    })
}

fn chosen<'a>(digest: &'a Digest, arguments: &Arguments) -> Result<&'a Scenario, Failure> {
    let names: Vec<&str> = digest.scenarios.iter().map(|one| &*one.name).collect();
    match (&arguments.scenario, &digest.scenarios[..]) {
        (None, [only]) => Ok(only),
        (None, _) => Err(Failure::Usage(format!(
            "the sweep has {} scenarios; expected --scenario and one of {}",
            names.len(),
            names.join(", ")
        ))),
        (Some(name), all) => all.iter().find(|one| one.name == *name).ok_or_else(|| {
            Failure::Usage(format!(
                "the sweep has no scenario `{name}`; {}",
                expected(name, &names)
            ))
        }),
    }
}

/// What was expected in the place of `name`, the nearest first where one is near.
fn expected(name: &str, names: &[&str]) -> String {
    const DISTANCE_MAX: usize = 2;
    let near = names.iter().find(|one| strsim::damerau_levenshtein(one, name) <= DISTANCE_MAX);
    let meant = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    format!("{meant}expected one of {}", names.join(", "))
}

/// Writes the plot number `number`: further ones under the name of the first with their number.
fn write(
    plot: &dyn Plot,
    folder: &Path,
    arguments: &Arguments,
    number: usize,
) -> Result<(), Failure> {
    let standard = PathBuf::from("-");
    let (path, bytes) = match (&arguments.png, &arguments.svg) {
        (Some(path), _) => (path, png(plot)?),
        (None, svg) => (svg.as_ref().unwrap_or(&standard), plots::svg(plot).into_bytes()),
    };
    report::write("the plot", &numbered(path, number), &bytes, &[folder], &[])
}

fn numbered(path: &Path, number: usize) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    match (number, path.extension()) {
        // Standard output takes all of them.
        _ if result_file::is_standard_output(path) => path.to_owned(),
        (1, _) => path.to_owned(),
        (_, Some(ending)) => {
            path.with_file_name(format!("{stem}-{number}.{}", ending.to_string_lossy()))
        }
        (_, None) => path.with_file_name(format!("{stem}-{number}")),
    }
}

/// `plot` as PNG, by way of a file: its library writes no other.
fn png(plot: &dyn Plot) -> Result<Vec<u8>, Failure> {
    let failed = |error: String| Failure::Internal(format!("the plot cannot be drawn: {error}"));
    let file = tempfile::Builder::new().suffix(".png").tempfile();
    let file = file.map_err(|error| failed(error.to_string()))?;
    plots::png(plot, file.path()).map_err(failed)?;
    fs::read(file.path()).map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_plots_are_numbered() {
        assert_eq!(numbered(Path::new("a/ecdf.svg"), 1), Path::new("a/ecdf.svg"));
        assert_eq!(numbered(Path::new("a/ecdf.svg"), 3), Path::new("a/ecdf-3.svg"));
        assert_eq!(numbered(Path::new("ecdf"), 2), Path::new("ecdf-2"));
    }

    #[test]
    fn what_was_meant_is_said() {
        let said = expected("ecfd", &["ecdf", "held"]);
        assert_eq!(said, "did you mean `ecdf`? expected one of ecdf, held");
        assert_eq!(expected("x", &["held"]), "expected one of held");
    }
}
