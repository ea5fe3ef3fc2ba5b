//! What is written: pictures, tables, and the figures behind them.

use std::{
    borrow::Cow,
    fmt::Write as _,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
};

use crate::{plots, renames::Rename, report::Reports, sample::COLUMNS};

/// Writes `text` under a temporary name, syncs it, and gives it its name.
///
/// Errors: a fragment that names the file; it is as it was then.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
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

/// All files, each with its name: the same on every machine.
///
/// Errors: what the library that draws says.
pub fn all(reports: &Reports) -> Result<Vec<(&'static str, String)>, String> {
    let mut files = plots::all(reports)?;
    files.push(("samples.csv", samples(reports)));
    files.push(("lengths.csv", lengths(reports)));
    files.push(("renames.csv", renames(reports)));
    Ok(files)
}

/// Text as one field of a CSV file.
///
/// Source: RFC 4180, section 2, rules 5 to 7.
pub fn field(text: &str) -> Cow<'_, str> {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")).into(),
        false => text.into(),
    }
}

/// All samples, mean over the bots.
fn samples(reports: &Reports) -> String {
    let mut text = format!("row,step,when,{}\n", COLUMNS.join(","));
    for (name, report) in reports {
        let name = field(name);
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

/// The mean length of edits.
fn lengths(reports: &Reports) -> String {
    let mut text = "row,edits,mean_in_their_measure,mean_sent\n".to_owned();
    for (name, report) in reports {
        let name = field(name);
        for (count, objects, bytes) in &report.sizes.course {
            let _ = writeln!(text, "{name},{count},{objects:.1},{bytes:.2}");
        }
    }
    text
}

/// How large renames are.
fn renames(reports: &Reports) -> String {
    let mut text = "row,edits,chars,blocks,sent,in_full,in_their_measure\n".to_owned();
    for (name, report) in reports {
        let name = field(name);
        for rename in &report.renames {
            let Rename { step, chars, blocks, short, bytes, objects } = rename;
            let _ = writeln!(text, "{name},{step},{chars},{blocks},{short},{bytes},{objects}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fleet::run,
        report::Report,
        row::{Row, tests::SMALL},
    };

    #[test]
    fn no_name_of_a_row_ends_a_field_or_a_line_of_csv() {
        assert_eq!(field("keep-30000-by-1"), "keep-30000-by-1");
        let odd = "a,\"b\"\nc";
        let report = Report::of(&run(&Row::parse(odd, SMALL).unwrap()).unwrap());
        let reports: Reports = [(odd.to_owned(), report)].into();
        for (file, text) in all(&reports).unwrap() {
            if file.ends_with(".csv") {
                let names = text.matches("\n\"a,\"\"b\"\"\nc\",").count();
                assert!(names > 0 && text.lines().count() == 1 + 2 * names, "{file}: {text}");
            }
        }
    }
}
