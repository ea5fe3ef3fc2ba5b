//! What is written: tables, pictures, and the figures behind them.

use std::{
    fmt::Write as _,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
};

use crate::{
    clock::Spread,
    plots,
    report::{Report, Reports},
    sample::COLUMNS,
    tables,
};

/// Writes `text` under a temporary name, syncs it, and gives it its name.
///
/// Errors: a fragment that names the file; it is as it was then.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    let aside = PathBuf::from(name);
    let written = File::create(&aside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&aside, path)
    });
    written.map_err(|why| format!("{}: {why}", path.display()))
}

/// Writes everything into `folder`, which is made where it is not there.
///
/// Errors: a fragment that names the file or the folder.
pub(crate) fn write_all(folder: &Path, reports: &Reports) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    for (file, picture) in plots::all(reports)? {
        write(&folder.join(file), &picture)?;
    }
    write(&folder.join("samples.csv"), &samples(reports))?;
    write(&folder.join("lengths.csv"), &lengths(reports))?;
    write(&folder.join("times.csv"), &times(reports))
}

/// The mark before a table of a document.
fn mark(name: &str) -> String {
    format!("<!-- evaluation: {name} -->\n")
}

const END: &str = "<!-- end -->";

/// Puts the tables into the document at `path`, each between its marks.
///
/// Errors: the document cannot be read or written, or a mark has no end.
pub(crate) fn put_tables(path: &Path, reports: &Reports) -> Result<(), String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|why| format!("{shown}: {why}"))?;
    let text = with_tables(text, &tables::all(reports)).map_err(|why| format!("{shown}: {why}"))?;
    write(path, &text)
}

fn with_tables(mut text: String, tables: &[(&'static str, String)]) -> Result<String, String> {
    for (name, table) in tables {
        let mark = mark(name);
        let Some(found) = text.find(&mark) else { continue };
        let from = found + mark.len();
        let length = text[from..].find(END);
        let length = length.ok_or_else(|| format!("expected `{END}` behind `{}`", mark.trim()))?;
        text.replace_range(from..from + length, &format!("\n{table}\n"));
    }
    Ok(text)
}

/// All samples, mean over the bots; the same on every machine.
fn samples(reports: &Reports) -> String {
    let mut text = format!("row,step,when,{}\n", COLUMNS.join(","));
    for (name, report) in reports {
        for mean in &report.samples {
            let _ = write!(text, "{name},{},{}", mean.step, mean.when.name());
            for column in COLUMNS {
                let _ = write!(text, ",{:.1}", mean.get(column));
            }
            text.push('\n');
        }
    }
    text
}

/// The mean length of edits; the same on every machine.
fn lengths(reports: &Reports) -> String {
    let mut text = "row,edits,mean_in_their_measure,mean_sent\n".to_owned();
    for (name, report) in reports {
        for (count, objects, bytes) in &report.sizes.course {
            let _ = writeln!(text, "{name},{count},{objects:.1},{bytes:.2}");
        }
    }
    text
}

/// All figures of time, in nanoseconds of CPU time of the machine that ran it.
fn times(reports: &Reports) -> String {
    let mut text = "row,what,step,count,mean,first_percentile,median,last_percentile\n".to_owned();
    for (name, report) in reports {
        for (what, step, spread) in spreads(report) {
            let Spread { count, mean, first, median, last } = spread;
            let _ = writeln!(
                text,
                "{name},{what},{step},{count},{mean:.0},{first:.0},{median:.0},{last:.0}"
            );
        }
        for (count, nanos) in &report.replay.course {
            let _ = writeln!(text, "{name},replay,{count},1,{nanos},{nanos},{nanos},{nanos}");
        }
    }
    text
}

fn spreads(report: &Report) -> Vec<(&'static str, u32, Spread)> {
    let mut all = vec![
        ("replay insert", 0, report.replay.inserts),
        ("replay removal", 0, report.replay.removals),
        ("replay rename", 0, report.replay.renames),
    ];
    for cost in &report.renames {
        all.extend([
            ("rename local", cost.step, cost.local),
            ("rename remote", cost.step, cost.remote),
            ("rename greater", cost.step, cost.greater),
            ("rename lesser", cost.step, cost.lesser),
            ("copy of the text", cost.step, cost.copy),
        ]);
    }
    for cost in &report.inserts {
        all.extend([
            ("insert local", cost.step, cost.local),
            ("insert remote", cost.step, cost.remote),
            ("insert previous epoch", cost.step, cost.previous),
            ("insert concurrent epoch", cost.step, cost.concurrent),
        ]);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_takes_the_place_of_the_one_before() {
        let text = "before\n<!-- evaluation: replay -->\nold\n<!-- end -->\nbehind\n";
        let tables = [("replay", "new\n".to_owned()), ("absent", "no".to_owned())];
        let expected = "before\n<!-- evaluation: replay -->\n\nnew\n\n<!-- end -->\nbehind\n";
        let once = with_tables(text.to_owned(), &tables).unwrap();
        assert_eq!(once, expected);
        assert_eq!(with_tables(once, &tables).unwrap(), expected);
    }

    #[test]
    fn a_mark_without_an_end_is_refused() {
        let why =
            with_tables("<!-- evaluation: replay -->\n".to_owned(), &[("replay", String::new())]);
        assert!(why.unwrap_err().contains("<!-- end -->"));
    }
}
