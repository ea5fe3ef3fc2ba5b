//! What is read at all: files, text, TOML and its numbers; and what is said of the keys themselves.

use std::{fs, path::Path};

use expect_test::expect;

use super::{GOOD, check, plain};
use crate::scenario::{Scenario, diagnostic::Code, shape};

#[test]
fn text_that_is_not_toml_is_pointed_at() {
    check(
        "app = \"counter\"",
        "app: counter",
        expect![[r#"
        error[S0006]: this is not TOML
         --> s.toml:2:4
          |
        2 | app: counter
          |    ^ invalid unquoted key, expected letters, numbers, `-`, `_`
    "#]],
    );
}

#[test]
fn a_file_of_json_is_one_mistake_and_a_plan_is_called_one() {
    let shown = |text: &str| {
        let rejected = Scenario::parse(Path::new("plan.json"), text.to_owned()).unwrap_err();
        plain(&rejected.rendered())
    };
    expect![[r#"
        error[S0006]: this is the plan of a sweep, not a scenario
         --> plan.json:1:1
          |
        1 | { "shards": 4,
          | ^ expected a scenario, whose first key is often `about`
          |
          = help: `simctl sweep --plan FILE --out FOLDER` runs it, `--shard` a part of it
    "#]]
    .assert_eq(&shown("{ \"shards\": 4,\n\"scenarios\": [] }\n"));
    expect![[r#"
        error[S0006]: this is JSON, not TOML
         --> plan.json:2:1
          |
        2 | { "app": "counter" }
          | ^ expected a scenario, whose first key is often `about`
    "#]]
    .assert_eq(&shown("\n{ \"app\": \"counter\" }\n"));
}

#[test]
fn every_mistake_of_shape_is_reported_at_once() {
    let text = GOOD
        .replace("loss =", "los =")
        .replace("\"20/s\"", "20")
        .replace("nodes = 5", "nodes = 5\nnode = 3");
    let rejected = Scenario::parse(Path::new("s.toml"), text).unwrap_err();
    expect![[r#"
        s.toml:6:1: S0001: unknown key `node`
        s.toml:11:1: S0001: unknown key `los`
        s.toml:14:8: S0003: a bare number does not belong here"#]]
    .assert_eq(&rejected.to_string());
}

#[test]
fn a_file_that_is_no_text_or_no_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str| {
        let rejected = Scenario::read(&folder.path().join(name)).unwrap_err();
        assert_eq!(rejected.diagnostics.len(), 1);
        rejected.diagnostics[0].clone()
    };
    fs::write(folder.path().join("latin.toml"), b"about = \"caf\xe9\"").unwrap();
    fs::write(folder.path().join("long.toml"), vec![b'#'; (1 << 20) + 1]).unwrap();
    assert_eq!(read("latin.toml").code, Code::NotUtf8);
    assert_eq!(read("latin.toml").title, "the file is not UTF-8: its first bad byte is number 13");
    assert_eq!(
        read("long.toml").title,
        "the file cannot be read: expected at most 1 MiB, found more"
    );
    assert_eq!(read("").title, "the file cannot be read: expected a file, found a folder");
    assert_eq!(read("none.toml").code, Code::Unreadable);
}

#[test]
fn a_number_may_be_written_in_any_way_that_toml_has() {
    for nodes in ["0x5", "0b101", "5", "+5"] {
        let text = GOOD.replace("nodes = 5", &format!("nodes = {nodes}"));
        let scenario = Scenario::parse(Path::new("s.toml"), text);
        assert_eq!(scenario.map(|scenario| scenario.fleet.nodes), Ok(5), "{nodes}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_accepted_or_shown_with_its_mistakes(
        edits in proptest::collection::vec((0_usize..GOOD.len(), 0_usize..9, ".{0,6}|[\\[\\]{}=\"n0-9]{0,3}"), 1..6)
    ) {
        let mut text: Vec<char> = GOOD.chars().collect();
        for (at, length, new) in edits {
            let at = at.min(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, new.chars());
        }
        match Scenario::parse(Path::new("s.toml"), text.into_iter().collect()) {
            Ok(scenario) => proptest::prop_assert!(scenario.deploy().is_ok()),
            Err(rejected) => {
                proptest::prop_assert!(!rejected.diagnostics.is_empty());
                proptest::prop_assert!(rejected.rendered().contains("s.toml"));
            }
        }
    }
}

#[test]
fn a_code_keeps_its_number() {
    let numbers: Vec<String> = Code::ALL.iter().map(Code::to_string).collect();
    for (index, number) in numbers.iter().enumerate() {
        assert_eq!(*number, format!("S{:04}", index + 1));
    }
    assert_eq!(Code::Contradiction.to_string(), "S0017");
}

#[test]
fn the_schema_has_no_null_and_documents_every_key() {
    fn visit(schema: &serde_json::Value, path: &str, bad: &mut Vec<String>) {
        for (key, of) in schema["properties"].as_object().into_iter().flatten() {
            if of["description"].is_null() && schema["description"].is_null() {
                bad.push(format!("{path}.{key}"));
            }
        }
        for of in schema["oneOf"].as_array().into_iter().flatten() {
            visit(of, path, bad);
        }
    }
    let schema = shape::schema();
    let mut bad = Vec::new();
    visit(&schema, "", &mut bad);
    for (name, of) in schema["$defs"].as_object().unwrap() {
        visit(of, name, &mut bad);
    }
    assert_eq!(bad, Vec::<String>::new());
    assert!(!schema.to_string().contains("null"));
}

#[test]
fn what_a_mistake_quotes_neither_breaks_its_line_nor_reaches_the_terminal() {
    let text = GOOD.replace("app = \"counter\"", "app = \"a\\n\\u001b]0;b\\u0007\"");
    let rejected = Scenario::parse(Path::new("s.toml"), text).unwrap_err();
    assert_eq!(rejected.to_string(), "s.toml:2:7: S0014: unknown app `a\\n\\u{1b}]0;b\\u{7}`");
    let rendered = rejected.rendered();
    assert!(!rendered.contains('\u{7}') && !rendered.contains("\u{1b}]"), "{rendered}");
}
