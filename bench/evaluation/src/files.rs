//! What is written: tables, pictures, and the figures behind them, of times too.

use std::{fmt::Write as _, path::Path};

use experiment::{
    Reports, Spread,
    files::{self, field, write},
    table::Table,
};

use crate::{
    plots,
    report::{Timed, Times},
    tables,
};

/// Writes everything into `folder`, which is made where it is not there.
///
/// Errors: a fragment that names the file or the folder.
pub(crate) fn write_all(folder: &Path, reports: &Reports, times: &Times) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    for (file, text) in files::all(reports)?.into_iter().chain(plots::all(reports, times)?) {
        write(&folder.join(file), &text)?;
    }
    write(&folder.join("times.csv"), &csv(times))
}

/// The mark before a table of a document.
fn mark(name: &str) -> String {
    format!("<!-- evaluation: {name} -->\n")
}

const END: &str = "<!-- end -->";

/// Puts the tables into the document at `path`, each between its marks.
///
/// Errors: the document cannot be read or written, or a mark has no end.
pub(crate) fn put_tables(path: &Path, reports: &Reports, times: &Times) -> Result<(), String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|why| format!("{shown}: {why}"))?;
    let text =
        with_tables(text, &tables::all(reports, times)).map_err(|why| format!("{shown}: {why}"))?;
    write(path, &text)
}

fn with_tables(mut text: String, tables: &[(&'static str, Table)]) -> Result<String, String> {
    for (name, table) in tables {
        let mark = mark(name);
        let Some(found) = text.find(&mark) else { continue };
        let from = found + mark.len();
        let length = text[from..].find(END);
        let length = length.ok_or_else(|| format!("expected `{END}` behind `{}`", mark.trim()))?;
        text.replace_range(from..from + length, &format!("\n{}\n", table.markdown()));
    }
    Ok(text)
}

/// All figures of time, in nanoseconds of CPU time of the machine that ran it.
fn csv(times: &Times) -> String {
    let mut text = "row,what,step,count,mean,first_percentile,median,last_percentile\n".to_owned();
    for (name, timed) in times {
        let name = field(name);
        for (what, step, spread) in spreads(timed) {
            let Spread { count, mean, first, median, last } = spread;
            let _ = writeln!(
                text,
                "{name},{what},{step},{count},{mean:.0},{first:.0},{median:.0},{last:.0}"
            );
        }
        for (count, nanos) in &timed.replay.course {
            let _ = writeln!(text, "{name},replay,{count},1,{nanos},{nanos},{nanos},{nanos}");
        }
    }
    text
}

fn spreads(timed: &Timed) -> Vec<(&'static str, u32, Spread)> {
    let mut all = vec![
        ("replay insert", 0, timed.replay.inserts),
        ("replay removal", 0, timed.replay.removals),
        ("replay rename", 0, timed.replay.renames),
    ];
    for cost in &timed.renames {
        all.extend([
            ("rename local", cost.step, cost.local),
            ("rename remote", cost.step, cost.remote),
            ("rename greater", cost.step, cost.greater),
            ("rename lesser", cost.step, cost.lesser),
            ("copy of the text", cost.step, cost.copy),
        ]);
    }
    for cost in &timed.inserts {
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

    fn table(head: &str) -> Table {
        Table::new(&[head])
    }

    #[test]
    fn a_table_takes_the_place_of_the_one_before() {
        let text = "before\n<!-- evaluation: replay -->\nold\n<!-- end -->\nbehind\n";
        let tables = [("replay", table("new")), ("absent", table("no"))];
        let expected =
            "before\n<!-- evaluation: replay -->\n\n| new |\n| --- |\n\n<!-- end -->\nbehind\n";
        let once = with_tables(text.to_owned(), &tables).unwrap();
        assert_eq!(once, expected);
        assert_eq!(with_tables(once, &tables).unwrap(), expected);
    }

    #[test]
    fn a_mark_without_an_end_is_refused() {
        let tables = [("replay", table("new"))];
        let why = with_tables("<!-- evaluation: replay -->\n".to_owned(), &tables);
        assert!(why.unwrap_err().contains("<!-- end -->"));
    }
}
