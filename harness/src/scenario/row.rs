//! A row of the evaluation: no scenario, but read and refused as scenarios are.

use std::path::Path;

use experiment::Row;
use serde_json::Value;
use toml::{Spanned, de::DeTable};

use super::{
    diagnostic::{Code, Diagnostic, Rejected},
    read,
    shape::{departures, schema_of},
};

/// The JSON Schema of rows, as [`super::shape::schema`] is that of scenarios.
pub fn schema() -> Value {
    schema_of::<Row>()
}

/// The row called `name` that `text` describes, which is said to be in the file `path`.
///
/// Errors: every mistake that was found; as with scenarios, mistakes of shape may hide others.
pub fn row(path: &Path, name: &str, text: String) -> Result<Row, Box<Rejected>> {
    let found = match checked(name, &text) {
        Ok(row) => return Ok(row),
        Err(found) => found,
    };
    Err(Box::new(Rejected { file: path.into(), text, diagnostics: found }))
}

fn checked(name: &str, text: &str) -> Result<Row, Vec<Diagnostic>> {
    let table = read::table(text)?;
    if has(&table, "app") && !has(&table, "bots") {
        let title = "this is a scenario, not a row of the evaluation";
        return Err(vec![another(&table, "app", title, "`simctl run` runs it")]);
    }
    let mut found = departures(table.get_ref(), &schema());
    // What its least is depends on another key, and so stands in no schema.
    let sampled = |found: &&mut Diagnostic| {
        found.path == "sample-every" && matches!(found.code, Code::BadQuantity)
    };
    for found in found.iter_mut().filter(sampled) {
        let help = "a replica has at most 1,000 samples: at least a thousandth of `operations`";
        found.help = Some(help.to_owned());
    }
    if !found.is_empty() {
        return Err(found);
    }
    Row::parse(name, text).map_err(|mistake| {
        let key = mistake.key.unwrap_or_default();
        let title = match mistake.key {
            Some(key) => format!("`{key}` does not fit the other keys"),
            None => "this is no row".to_owned(),
        };
        let label = match mistake.key {
            Some(_) => format!("expected {}", mistake.why),
            None => mistake.why,
        };
        let (at, path) = (mistake.at, key.to_owned());
        vec![Diagnostic { code: Code::Contradiction, title, at, label, path, help: None }]
    })
}

/// What is said of a row in the place of a scenario; `None` of what is none.
pub(super) fn instead(table: &Spanned<DeTable<'_>>) -> Option<Diagnostic> {
    let is_row = has(table, "bots") && has(table, "replicas") && !has(table, "app");
    let title = "this is a row of the evaluation, not a scenario";
    is_row.then(|| another(table, "bots", title, "`simctl evaluate` runs it"))
}

fn has(table: &Spanned<DeTable<'_>>, key: &str) -> bool {
    table.get_ref().contains_key(key)
}

/// A file of another kind, as its key `key` shows.
fn another(table: &Spanned<DeTable<'_>>, key: &str, title: &str, help: &str) -> Diagnostic {
    let found = table.get_ref().get_key_value(key);
    Diagnostic {
        code: Code::NothingToRun,
        title: title.to_owned(),
        at: found.map(|(key, _)| key.span()),
        label: "only such a file has this key".to_owned(),
        path: String::new(),
        help: Some(help.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const SMALL: &str = include_str!("../../../experiment/tests/small.toml");

    fn refused(found: &str, put: &str) -> String {
        assert!(SMALL.contains(found), "{found}");
        let text = SMALL.replace(found, put);
        row(Path::new("bad.toml"), "bad", text).unwrap_err().to_string()
    }

    #[test]
    fn a_row_is_what_its_file_says() {
        let small = row(Path::new("small.toml"), "small", SMALL.to_owned()).unwrap();
        assert_eq!(small, Row::parse("small", SMALL).unwrap());
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        for (found, put, said) in [
            ("seed = 7\n", "", "bad.toml:1:1: S0002: `seed` is missing"),
            ("replicas = 4", "replica = 4", "bad.toml:3:1: S0001: unknown key `replica`"),
            ("replicas = 4", "replicas = 0", "bad.toml:3:12: S0004: 0 is out of range"),
            ("pause-millis = 200", "pause-millis = 0", "bad.toml:9:16: S0004: 0 is out of range"),
            ("replicas = 4", "replicas = \"4\"", "bad.toml:3:12: S0003: text does not belong here"),
            ("jump-percent = 5", "jump-percent = 101", "bad.toml:11:16: S0004: 101 is out of"),
            ("\"never\"", "\"later\"", "bad.toml:19:11: S0005: unknown choice `later`"),
            ("renamers = 2", "renamers = 5", "bad.toml:17:12: S0017: `renames.renamers` does not"),
            ("every = 300", "every =", "bad.toml:18:8: S0006: this is not TOML"),
        ] {
            let why = refused(found, put);
            assert!(why.contains(said), "{put}: {why}");
        }
        // The bounds that are told are those that are kept.
        for (found, put, expected) in [
            ("replicas = 4", "replicas = 0", "from 1 to 100"),
            ("replicas = 4", "replicas = 101", "from 1 to 100"),
            ("operations = 1_200", "operations = 5_000_004", "from 1 to 5000000"),
            ("renamers = 2", "renamers = 0", "from 1 to 100"),
            ("max-millis = 100", "max-millis = 60_001", "from 0 to 60000"),
            ("pause-millis = 200", "pause-millis = 60_001", "from 1 to 60000"),
        ] {
            assert!(SMALL.contains(found), "{found}");
            let text = SMALL.replace(found, put);
            let why = row(Path::new("bad.toml"), "bad", text).unwrap_err().diagnostics;
            let labels: Vec<&str> = why.iter().map(|why| why.label.as_str()).collect();
            assert_eq!(labels, [format!("expected a number {expected}")], "{put}");
        }
        let text = SMALL.replace("sample-every = 300", "sample-every = 0");
        let why = row(Path::new("bad.toml"), "bad", text).unwrap_err().diagnostics;
        let help = why[0].help.as_deref().unwrap_or_default();
        assert!(help.contains("at least a thousandth of `operations`"), "{help}");
        let two = refused("operations = 1_200\nsample-every = 300", "operation = 1\nsample = 2");
        assert_eq!(two.lines().count(), 4, "{two}");
    }

    /// What the walk lets through is what the types take: the schema says no less than they do.
    #[test]
    fn what_has_the_shape_of_a_row_is_one() {
        for (found, put) in [
            ("seed = 7", "seed = 9_223_372_036_854_775_807"),
            ("sample-every = 300", "sample-every = 0x12c"),
            ("full-chars = 400", "full-chars = 0"),
            ("remove-percent = 20", "remove-percent = 100"),
        ] {
            assert!(SMALL.contains(found), "{found}");
            let text = SMALL.replacen(found, put, 1);
            row(Path::new("x.toml"), "x", text).unwrap_or_else(|why| panic!("{put}: {why}"));
        }
    }

    /// Section B of the research: ten bots, 150,000 edits, one to four renamers at 30,000 and 7,500.
    #[test]
    fn the_rows_of_the_evaluation_are_those_of_the_papers() {
        use experiment::{Collect, Renames};
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/evaluation");
        let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let is_row = |path: &std::path::PathBuf| path.extension().is_some_and(|e| e == "toml");
        let mut rows: Vec<String> = entries
            .filter(is_row)
            .map(|path| {
                let name = path.file_stem().unwrap().to_str().unwrap();
                let text = fs::read_to_string(&path).unwrap();
                let row = row(&path, name, text).unwrap_or_else(|why| panic!("{why}"));
                assert!(experiment::published::is_theirs(&row), "{name}");
                assert_eq!((row.replicas.get(), row.operations.get()), (10, 150_000), "{name}");
                let says = match row.renames {
                    None => "ls".to_owned(),
                    Some(Renames { renamers, every, collect }) => {
                        let kept = if collect == Collect::Never { "keep" } else { "drop" };
                        format!("{kept}-{every}-by-{renamers}")
                    }
                };
                assert_eq!(name, says, "its name says what it is");
                says
            })
            .collect();
        rows.sort();
        let by = |kind: &str| (1..=4).map(|by| format!("{kind}-by-{by}")).collect::<Vec<_>>();
        let kinds = ["drop-30000", "drop-7500", "keep-30000"].map(by).concat();
        assert_eq!(rows, [kinds, vec!["ls".to_owned()]].concat());
    }
}
