//! From a file to a scenario that fits together, or to every mistake in it.

use std::{io, path::Path};

use toml::{Spanned, de::DeTable};

use super::{
    Scenario, check,
    diagnostic::{Code, Diagnostic, Rejected},
    row,
    shape::{departures, schema},
    sweep,
};
use crate::file;

/// Scenarios are written by people; whatever is longer is no scenario, and is not read into memory.
const FILE_BYTES_MAX: u64 = 1 << 20;

impl Scenario {
    /// Reads and checks the scenario in the file `path`. Errors: every mistake that was found.
    pub fn read(path: &Path) -> Result<Self, Box<Rejected>> {
        Self::parse(path, Self::text(path)?)
    }

    /// Reads the file `path`. Errors: it is no file, too long, or not UTF-8.
    pub fn text(path: &Path) -> Result<String, Box<Rejected>> {
        let unreadable = |why: String| Box::new(Rejected::whole(path, Code::Unreadable, why, None));
        let fail = |error: io::Error| unreadable(format!("the file cannot be read: {error}"));
        let bytes = file::read(path, FILE_BYTES_MAX).map_err(fail)?;
        String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let title = format!("the file is not UTF-8: its first bad byte is number {}", at + 1);
            let help = Some("save it as UTF-8".to_owned());
            Box::new(Rejected::whole(path, Code::NotUtf8, title, help))
        })
    }

    /// Reads and checks the scenario `text`, which is said to be in the file `path`.
    ///
    /// Errors: every mistake that was found. What a text means is looked at only where its shape is
    /// right, so mistakes of shape may hide others.
    pub fn parse(path: &Path, text: String) -> Result<Self, Box<Rejected>> {
        match read(&text) {
            Ok(scenario) => Ok(scenario),
            Err(diagnostics) => Err(Box::new(Rejected { file: path.into(), text, diagnostics })),
        }
    }
}

/// What `text` says, whatever it is of. Errors: every mistake of syntax.
pub(super) fn table(text: &str) -> Result<Spanned<DeTable<'_>>, Vec<Diagnostic>> {
    if let Some(json) = json(text) {
        return Err(vec![json]);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(table);
    }
    Err(first_of_each_line(text, errors.iter().map(syntax).collect()))
}

fn read(text: &str) -> Result<Scenario, Vec<Diagnostic>> {
    let table = table(text)?;
    if let Some(row) = row::instead(&table) {
        return Err(vec![row]);
    }
    let found = departures(table.get_ref(), &schema());
    if !found.is_empty() {
        return Err(found);
    }
    // The walk knows the schema and not the types: what only the types refuse is caught here.
    let scenario: Scenario = toml::from_str(text).map_err(|error| vec![syntax(&error)])?;
    let mut found = check::mistakes(&scenario, &table);
    if found.is_empty() {
        found = sweep::mistakes(text, &table);
    }
    if found.is_empty() { Ok(scenario) } else { Err(found) }
}

/// What is said of JSON, of which every line would be a mistake; no TOML begins as it does.
fn json(text: &str) -> Option<Diagnostic> {
    let at = text.len() - text.trim_start().len();
    if !text[at..].starts_with('{') {
        return None;
    }
    let is_a_plan = serde_json::from_str::<serde_json::Value>(text)
        .is_ok_and(|json| json.get("scenarios").is_some() && json.get("shards").is_some());
    let (title, help) = if is_a_plan {
        let help = "`simctl sweep --plan FILE --out FOLDER` runs it, `--shard` a part of it";
        ("this is the plan of a sweep, not a scenario", Some(help.to_owned()))
    } else {
        ("this is JSON, not TOML", None)
    };
    Some(Diagnostic {
        code: Code::NotToml,
        title: title.to_owned(),
        at: Some(at..at + 1),
        label: "expected a scenario, whose first key is often `about`".to_owned(),
        path: String::new(),
        help,
    })
}

/// After one mistake of syntax the rest of its line means little.
fn first_of_each_line(text: &str, mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let start = |found: &Diagnostic| found.at.as_ref().map_or(0, |at| at.start);
    found.sort_by_key(start);
    let mut next_line = 0;
    found.retain(|found| {
        let at = start(found);
        let is_first = at >= next_line;
        if is_first {
            next_line = text[at..].find('\n').map_or(text.len(), |end| at + end) + 1;
        }
        is_first
    });
    found
}

fn syntax(error: &toml::de::Error) -> Diagnostic {
    let (title, label) = ("this is not TOML".to_owned(), error.message().to_owned());
    let (path, help) = (String::new(), None);
    Diagnostic { code: Code::NotToml, title, at: error.span(), label, path, help }
}
