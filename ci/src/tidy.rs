//! What STYLE.md asks and a machine can check: lengths, leftovers, scenarios that say their claim.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::step::{Outcome, root};

/// Lines of a function, from signature to closing brace.
const FUNCTION_LINES_MAX: usize = 70;
/// Lines of a file, without its tests.
const FILE_LINES_MAX: usize = 600;
/// Where exceptions stand, one `path[::function] lines` a line. The list only shrinks.
const EXCEPTIONS: &str = "ci/long.txt";

/// What is said of a lint that is silenced whether or not it fires.
const EXPECT: &str = "use expect(..., reason = \"...\")";

/// Texts that do not belong in code that landed, and why.
const LEFTOVERS: &[(&str, &str)] = &[
    ("todo!(", "unfinished"),
    ("unimplemented!(", "unfinished"),
    ("dbg!(", "a leftover of debugging"),
    ("FIXME", "mend it"),
    ("#[ignore", "a test that does not run tests nothing"),
    ("#[allow(", EXPECT),
    ("#![allow(", EXPECT),
];

/// Checks every source file and scenario.
pub(crate) fn run() -> Outcome {
    let mut sources = Vec::new();
    for folder in ["protocol", "sim", "experiment", "harness", "reports", "tests", "ci", "fuzz"] {
        files_below(&root().join(folder), "rs", &mut sources)?;
    }
    let mut scenarios = Vec::new();
    files_below(&root().join("scenarios"), "toml", &mut scenarios)?;
    let mut lengths = BTreeMap::new();
    let mut faults = Vec::new();
    for path in &sources {
        let text = read(path)?;
        let name = relative(path);
        lengths.extend(lengths_of(&name, &text));
        faults.extend(leftovers_of(&name, &text));
    }
    for path in &scenarios {
        if !read(path)?.lines().any(|line| line.starts_with("about = ")) {
            faults.push(format!("{}: says no claim (`about = ...`)", relative(path)));
        }
    }
    faults.extend(exceeded(&lengths, &read(&root().join(EXCEPTIONS))?));
    if faults.is_empty() { Ok(()) } else { Err(format!("\n  {}", faults.join("\n  "))) }
}

/// The length of the file without its tests, and of each of its functions that is too long.
fn lengths_of(name: &str, text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let is_test_file =
        name.starts_with("tests/") || name.contains("/tests/") || name.ends_with("tests.rs");
    let code = lines.iter().position(|line| *line == "#[cfg(test)]").unwrap_or(lines.len());
    let mut lengths = Vec::new();
    if !is_test_file && code > FILE_LINES_MAX {
        lengths.push((name.to_owned(), code));
    }
    for (start, line) in lines.iter().enumerate() {
        let Some(function) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let closing = format!("{}}}", " ".repeat(indent));
        // What a trait declares has a signature and no body.
        let ends = |line: &&&str| line.ends_with(['{', '}', ';']);
        let signature = lines[start..].iter().find(ends);
        if signature.is_none_or(|last| !last.ends_with('{')) {
            continue;
        }
        let length =
            lines[start..].iter().position(|line| *line == closing).map_or(0, |end| end + 1);
        if length > FUNCTION_LINES_MAX {
            lengths.push((format!("{name}::{function}"), length));
        }
    }
    lengths
}

/// The name of the function that `line` begins, where it begins one.
fn function_name(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    words
        .find(|word| !matches!(*word, "pub" | "pub(crate)" | "pub(super)" | "const" | "async"))
        .filter(|word| *word == "fn")?;
    words.next()?.split(['(', '<']).next()
}

/// Lengths beyond the limit that no exception allows, and exceptions that allow too much.
fn exceeded(lengths: &BTreeMap<String, usize>, exceptions: &str) -> Vec<String> {
    let allowed: BTreeMap<&str, usize> = exceptions
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .filter_map(|(name, lines)| Some((name, lines.parse().ok()?)))
        .collect();
    let mut faults = Vec::new();
    for (name, length) in lengths {
        match allowed.get(name.as_str()) {
            Some(most) if length <= most => {}
            Some(most) => faults.push(format!("{name}: {length} lines, its exception says {most}")),
            None => faults.push(format!("{name}: {length} lines, too long to read at once")),
        }
    }
    for (name, most) in allowed {
        match lengths.get(name) {
            Some(length) if *length == most => {}
            Some(length) if *length < most => {
                faults.push(format!(
                    "{name}: shrank to {length} lines; lower its exception ({most})"
                ));
            }
            Some(_) => {}
            None => faults.push(format!("{name}: short now; remove its exception")),
        }
    }
    faults
}

fn leftovers_of(name: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if name == "ci/src/tidy.rs" {
        return faults;
    }
    for (number, line) in text.lines().enumerate() {
        for (leftover, why) in LEFTOVERS {
            if line.contains(leftover) {
                faults.push(format!("{name}:{}: `{leftover}`: {why}", number + 1));
            }
        }
    }
    faults
}

fn files_below(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) -> Outcome {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
            files_below(&path, extension, found)?;
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function_of(lines: usize) -> String {
        format!("    pub(crate) fn long<T>() {{\n{}    }}\n", "        x();\n".repeat(lines - 2))
    }

    #[test]
    fn sees_a_long_function() {
        assert_eq!(lengths_of("a.rs", &function_of(70)), []);
        assert_eq!(lengths_of("a.rs", &function_of(71)), [("a.rs::long".to_owned(), 71)]);
    }

    #[test]
    fn a_declaration_has_no_length() {
        let declared = "    fn short(\n        &self,\n    ) -> u64;\n";
        assert_eq!(lengths_of("a.rs", &format!("{declared}{}", function_of(70))), []);
    }

    #[test]
    fn does_not_count_tests_into_a_file() {
        let text = format!("{}#[cfg(test)]\n{}", "x\n".repeat(600), "x\n".repeat(99));
        assert_eq!(lengths_of("a.rs", &text), []);
        assert_eq!(lengths_of("a.rs", &"x\n".repeat(601)), [("a.rs".to_owned(), 601)]);
    }

    #[test]
    fn an_exception_only_shrinks() {
        let lengths = BTreeMap::from([("a.rs".to_owned(), 700)]);
        assert_eq!(exceeded(&lengths, "# why\na.rs 700\n"), Vec::<String>::new());
        assert_eq!(exceeded(&lengths, "a.rs 699\n").len(), 1);
        assert_eq!(exceeded(&lengths, "a.rs 701\n").len(), 1);
        assert_eq!(exceeded(&lengths, "").len(), 1);
        assert_eq!(exceeded(&BTreeMap::new(), "a.rs 700\n").len(), 1);
    }

    #[test]
    fn sees_a_leftover() {
        assert_eq!(leftovers_of("a.rs", "fn f() {\n    todo!()\n}\n").len(), 1);
        let silenced = ["#[allow(dead_code)]\nfn f() {}\n", "#![allow(dead_code)]\n"];
        for text in silenced {
            let said = format!("a.rs:1: `{}`: {EXPECT}", &text[..text.find("dead").unwrap()]);
            assert_eq!(leftovers_of("a.rs", text), [said]);
        }
        let expected = "#![expect(dead_code, reason = \"it is drawn only in tests\")]\n";
        assert_eq!(leftovers_of("a.rs", expected), Vec::<String>::new());
    }
}
