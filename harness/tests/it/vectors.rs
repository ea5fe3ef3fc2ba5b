//! `simctl vectors`: the layout that docs/vectors.md tells, and files that are not laid out so.

use std::{fs, path::Path};

use crate::support::{exits, folder, refused};

const DOCS: &str = include_str!("../../../docs/vectors.md");

/// The files that the document shows, by name.
fn examples() -> Vec<(&'static str, &'static str)> {
    let shown = DOCS.split("<!-- ").skip(1).map(|part| {
        let (name, rest) = part.split_once(" -->\n```json\n").expect("a file follows its name");
        (name, rest.split_once("```").expect("it ends").0)
    });
    shown.collect()
}

#[test]
fn the_files_of_the_document_pass_as_it_says() {
    let files = examples();
    let folder = folder(&files);
    let (command, said) = DOCS.split_once("$ simctl ").unwrap().1.split_once('\n').unwrap();
    let ran = exits(folder.path(), &command.split(' ').collect::<Vec<_>>(), 0);
    assert_eq!(ran.out, said.split_once("```").unwrap().0);
    assert_eq!(files.len(), 4);
}

#[test]
fn a_seed_is_for_people() {
    let (name, text) = examples().into_iter().find(|(name, _)| *name == "causal.json").unwrap();
    let changed = text.replacen("{", "{\"seed\": \"of March\",", 1);
    exits(folder(&[(name, &changed)]).path(), &["vectors", name], 0);
}

/// What must be seen in a file of the document is compared with what is seen.
#[test]
fn another_value_in_a_file_of_the_document_fails() {
    for (name, right, wrong) in [
        ("counter.json", "\"final\": 10", "\"final\": 2"),
        ("counter.json", "[1], \"value\": 0", "[1], \"value\": 5"),
        ("counter.json", "\"linear_extensions\": 2", "\"linear_extensions\": 1"),
        ("causal.json", "\"buffered\": [1]", "\"buffered\": []"),
        ("causal.json", "\"stable\": [1, 0, 0]", "\"stable\": [0, 0, 0]"),
        ("text.json", "\"blocks\": 2", "\"blocks\": 3"),
        ("text.json", "[20, 2, 0, 0]], \"end\"", "[20, 2, 1, 0]], \"end\""),
        ("tables.json", "[10, 1, 0, 1]],\n", "[20, 2, 0, 1]],\n"),
        ("tables.json", "[[10, 1, 1, 2]]", "[[10, 1, 1, 1]]"),
        ("tables.json", "[[30, 2, 1, 0]]}", "[[30, 2, 1, 1]]}"),
        ("tables.json", "\"order\": [0, 1, 2, 3]", "\"order\": [0, 2, 1, 3]"),
        ("tables.json", "\"leading\": 3", "\"leading\": 2"),
        ("tables.json", "\"apply\": [2, 3]", "\"apply\": [3, 2]"),
        ("tables.json", "\"required\": [2, 3]", "\"required\": [0, 2, 3]"),
    ] {
        let (_, text) = examples().into_iter().find(|(file, _)| *file == name).unwrap();
        let changed = text.replacen(right, wrong, 1);
        assert_ne!(changed, text, "{right} is in {name}");
        let folder = folder(&[(name, &changed)]);
        let ran = exits(folder.path(), &["vectors", name], 1);
        let cases = if name == "tables.json" { "3 cases" } else { "1 case" };
        assert!(ran.out.starts_with(&format!("failed {name}: 1 of {cases}\n")), "{}", ran.out);
    }
}

#[test]
fn a_file_of_no_schema_is_told_what_it_has_and_what_was_expected() {
    let expected =
        "expected `semidirect-vectors/1`, `causal-broadcast-vectors/1` or `seq-vectors/1`";
    for (text, why) in [
        ("{\"cases\": []}", format!("a.json: `schema`: {expected}, found no such key\n")),
        ("{\"schema\": 3}", format!("a.json: `schema`: {expected}, found a number\n")),
        ("{\"schema\": \"none\"}", format!("a.json: `schema`: {expected}, found `none`\n")),
        ("", "a.json: expected a JSON object with the key `schema`, found nothing\n".to_owned()),
        ("[]", "a.json: expected a JSON object with the key `schema`, found a list\n".to_owned()),
        (
            "about = \"x\"",
            "expected a JSON object with the key `schema`, found no JSON: ".to_owned(),
        ),
    ] {
        let folder = folder(&[("a.json", text)]);
        refused(folder.path(), &["vectors", "a.json"], &why);
    }
}

/// Whoever took the last one would replay another file than the one that was written.
#[test]
fn a_key_that_stands_twice_is_refused_with_its_place() {
    for (name, once, twice, place) in [
        ("counter.json", "\"schema\"", "\"schema\": \"seq-vectors/1\", \"schema\"", "schema"),
        ("counter.json", "\"type\"", "\"type\": \"poll\", \"type\"", "type"),
        ("counter.json", "\"init\": 0", "\"init\": 1, \"init\": 0", "params.init"),
        ("counter.json", "\"cases\"", "\"cases\": [], \"cases\"", "cases"),
        ("counter.json", "\"final\"", "\"final\": 11, \"final\"", "cases[0].final"),
        ("counter.json", "\"arg\": 5", "\"arg\": 4, \"\\u0061rg\": 5", "cases[0].ops[1].op.arg"),
        ("causal.json", "\"events\"", "\"events\": [], \"events\"", "cases[0].events"),
        ("causal.json", "\"at\": 2", "\"at\": 2, \"at\": 2", "cases[0].events[3].at"),
        ("text.json", "\"vectors\"", "\"vectors\": [], \"vectors\"", "vectors"),
        (
            "text.json",
            "\"len\": 3",
            "\"len\": 4, \"len\": 3",
            "vectors[0].replicas[0].steps[2].len",
        ),
        ("text.json", "\"final\": {", "\"final\": {\"text\": \"\", ", "vectors[0].final.text"),
    ] {
        let (_, text) = examples().into_iter().find(|(file, _)| *file == name).unwrap();
        let changed = text.replacen(once, twice, 1);
        assert_ne!(changed, text, "{once} is in {name}");
        let folder = folder(&[(name, &changed)]);
        let why = format!("{name}: `{place}`: expected each key once, found it again at line ");
        refused(folder.path(), &["vectors", name], &why);
    }
}

#[test]
fn a_file_that_cannot_be_read_as_text_is_named_with_what_was_expected() {
    let (_, good) = examples()[0];
    let folder = folder(&[("mark.json", &format!("\u{feff}{good}")), ("plain.json.gz", good)]);
    let here = folder.path();
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/sequence");
    let packed = fs::read(packed.join("large.json.gz")).unwrap();
    fs::write(here.join("packed.json"), &packed).unwrap();
    fs::write(here.join("cut.json.gz"), &packed[..packed.len() / 2]).unwrap();
    fs::create_dir_all(here.join("inner/folder.json")).unwrap();
    fs::create_dir(here.join("empty")).unwrap();
    for (name, why) in [
        ("mark.json", "mark.json: it begins with a byte order mark: expected UTF-8 without one"),
        ("plain.json.gz", "plain.json.gz: its name ends in .gz, and it is not packed with gzip"),
        ("packed.json", "packed.json: it is packed with gzip, and its name does not end in .gz"),
        ("cut.json.gz", "cut.json.gz: expected all that gzip wrote, found a part or other bytes"),
        ("inner", "inner/folder.json: expected a file, found a folder"),
        ("empty", "empty: expected a folder with vector files (*.json or *.json.gz), found none"),
        ("none.json", "none.json: cannot be read: "),
    ] {
        refused(here, &["vectors", name], why);
    }
}

/// Whoever opened it would wait for ever, or read for ever.
#[cfg(unix)]
#[test]
fn a_pipe_or_a_device_is_refused_at_once() {
    use std::process::Command;
    let folder = folder(&[]);
    assert!(Command::new("mkfifo").arg(folder.path().join("a.json")).status().unwrap().success());
    for name in ["a.json", "/dev/zero"] {
        let why = format!("{name}: expected a file, found a pipe or a device");
        refused(folder.path(), &["vectors", name], &why);
    }
}

/// A file of one replica that asks a type for one thing; the values do not matter where that is refused.
fn asks(kind: &str, op: &str) -> String {
    format!(
        r#"{{"schema": "semidirect-vectors/1", "type": "{kind}", "cases": [{{"name": "x", "replicas": 1,
        "ops": [{{"replica": 0, "seq": 1, "vc": [1], "lamport": 0, "op": {op}, "value_at_origin_after": []}}],
        "final": []}}]}}"#
    )
}

/// Whoever wrote it meant something by it.
#[test]
fn a_key_that_an_operation_does_not_have_is_refused() {
    for (kind, op, key) in [
        ("int_add_mult", r#"{"kind": "add", "arg": 2, "zzz": 2}"#, "zzz"),
        ("int_register_resets", r#"{"kind": "reset", "arg": 2}"#, "arg"),
        ("rich_text", r#"{"kind": "insert", "index": 0, "value": "a", "key": "b"}"#, "key"),
        ("add_wins_set", r#"{"kind": "clear", "elem": "a"}"#, "elem"),
        (
            "map_foreach",
            r#"{"kind": "for_each", "op": {"kind": "mult", "arg": 2, "x": 1}}"#,
            "op.x",
        ),
        (
            "map_foreach",
            r#"{"kind": "for_each", "key": "k", "op": {"kind": "mult", "arg": 2}}"#,
            "key",
        ),
    ] {
        let folder = folder(&[("a.json", &asks(kind, op))]);
        let why =
            format!("a.json: case 0, `x`: operation 0: `op.{key}`: expected no such key in {{");
        refused(folder.path(), &["vectors", "a.json"], &why);
    }
}

#[test]
fn what_cannot_be_is_told_by_its_key_and_in_words_of_the_file() {
    let whole = "expected a whole number from 0 to 18446744073709551615";
    for (name, right, wrong, why) in [
        ("counter.json", "s\": 2,", "s\": -2,", format!("case 0: `replicas`: {whole}, found -2")),
        ("counter.json", "s\": 2,", "s\": 1e23,", format!("case 0: `replicas`: {whole}, found 1e23")),
        (
            "counter.json",
            "\"vc\": [0, 1]",
            "\"vc\": [0, \"1\"]",
            "case 0: `ops[1].vc[1]`: expected a whole number from 0 to 4294967295, found the text `1`"
                .to_owned(),
        ),
        (
            "counter.json",
            "\"arg\": 2",
            "\"arg\": 9223372036854775808",
            "operation 0: expected `arg` to be a 64-bit number".to_owned(),
        ),
        (
            "causal.json",
            "\"delivered\": [0, 1]",
            "\"delivered\": [0, 0, 1]",
            "event 4: `delivered`: expected each message once, found 0 again".to_owned(),
        ),
        (
            "causal.json",
            "\"buffered\": [1]",
            "\"buffered\": [1, 1]",
            "event 3: `buffered`: expected each message once, found 1 again".to_owned(),
        ),
        (
            "text.json",
            "{\"ins\": [2, \"c\"]}",
            "{\"ins\": [99, \"c\"]}",
            "`local`: expected an edit within 2 elements, found {\"ins\":[99,\"c\"]}".to_owned(),
        ),
        (
            "text.json",
            "[[20, 2, 0, 0]], \"text\"",
            "[[20, 0, 0, 0]], \"text\"",
            "operation 2: no site makes the tuple [20, 0, 0, 0]".to_owned(),
        ),
    ] {
        let (_, text) = examples().into_iter().find(|(file, _)| *file == name).unwrap();
        let changed = text.replacen(right, wrong, 1);
        assert_ne!(changed, text, "{right} is in {name}");
        let folder = folder(&[(name, &changed)]);
        refused(folder.path(), &["vectors", name], &why);
    }
    for element in ["5", "\"0\"", "\"0.1\"", "[0]"] {
        let op = format!(r#"{{"kind": "delete", "elem": {element}}}"#);
        let folder = folder(&[("a.json", &asks("unique_set_foreach", &op))]);
        let why =
            format!("operation 0: `elem`: expected the place of an operation, found {element}");
        refused(folder.path(), &["vectors", "a.json"], &why);
    }
    let many = vec![
        r#"{"replica": 0, "seq": 1, "vc": [1], "lamport": 0, "op": 0, "value_at_origin_after": 0}"#;
        10_001
    ];
    let (one, count) = (asks("enable_wins_flag", "0"), many.len());
    let begin = one.find("[{\"replica\"").expect("its operation");
    let end = one.find("],\n        \"final\"").expect("what follows");
    let file = [&one[..begin + 1], &many.join(","), &one[end..]].concat();
    let folder = folder(&[("a.json", &file)]);
    let why = format!("case 0, `x`: `ops`: expected at most 10000, found {count}");
    refused(folder.path(), &["vectors", "a.json"], &why);
}

/// An element is called by the place of its operation, written as a number is, and by nothing else.
#[test]
fn an_element_has_one_name() {
    for (last, code) in [("0", 0), ("00", 1), ("+0", 1), ("0.1", 1), ("1", 1)] {
        let file = asks("unique_set_foreach", r#"{"kind": "create", "arg": 9}"#)
            .replace("\"value_at_origin_after\": []", "\"value_at_origin_after\": {\"0\": 9}")
            .replace("\"final\": []", &format!("\"final\": {{\"{last}\": 9}}"));
        let folder = folder(&[("a.json", &file)]);
        exits(folder.path(), &["vectors", "a.json"], code);
    }
}

/// Of so many concurrent operations there are more sets than are looked at.
#[test]
fn orders_that_were_not_tried_to_their_end_are_noted() {
    let replicas = 18;
    let operation = |replica: usize| {
        let vc: Vec<String> = (0..replicas).map(|at| u8::from(at == replica).to_string()).collect();
        format!(
            r#"{{"replica": {replica}, "seq": 1, "vc": [{}], "lamport": 0, "op": {{"kind": "enable"}},
            "value_at_origin_after": true}}"#,
            vc.join(", ")
        )
    };
    let operations: Vec<String> = (0..replicas).map(operation).collect();
    let file = format!(
        r#"{{"schema": "semidirect-vectors/1", "type": "enable_wins_flag", "cases": [{{"name": "x",
        "replicas": {replicas}, "ops": [{}], "final": true}}]}}"#,
        operations.join(", ")
    );
    let folder = folder(&[("a.json", &file)]);
    let ran = exits(folder.path(), &["vectors", "a.json"], 0);
    let note =
        "no order was tried to its end but 60: there are more than 200000 sets of its operations";
    assert!(ran.out.contains(note), "{}", ran.out);
}

/// Whoever renames names all of what it shows, and nothing else.
#[test]
fn a_rename_of_something_else_than_the_text_fails() {
    let (name, text) = examples()[2];
    let interval = "\"intervals\": [{\"id\": [[10, 1, 0, 0]], \"end\": ";
    for end in ["0", "2", "1000"] {
        let changed = text.replacen(&format!("{interval}1"), &format!("{interval}{end}"), 1);
        assert_ne!(changed, text);
        let ran = exits(folder(&[(name, &changed)]).path(), &["vectors", name], 1);
        assert!(ran.out.contains("what it renames"), "{}", ran.out);
    }
}

/// Where they differ is told in identifiers as a file has them.
#[test]
fn other_identifiers_are_told_as_a_file_has_them() {
    let (name, text) = examples()[2];
    let changed = text.replace("[20, 2, 0, 0]], \"end\"", "[20, 2, 1, 0]], \"end\"");
    let folder = folder(&[(name, &changed)]);
    let ran = exits(folder.path(), &["vectors", name], 1);
    let told =
        "expected [{\"id\": [[10, 1, 1, 0]], \"end\": 1}, {\"id\": [[20, 2, 1, 0]], \"end\": 0}]";
    assert!(ran.out.contains(told), "{}", ran.out);
}

/// As docs/vectors.md says: a text, and only of the types that do not wrap.
#[test]
fn numbers_beyond_64_bits_are_texts() {
    let file = |kind: &str, last: &str| {
        format!(
            r#"{{"schema": "semidirect-vectors/1", "type": "{kind}", "params": {{"init": 9223372036854775807}},
            "cases": [{{"name": "x", "replicas": 1, "ops": [{{"replica": 0, "seq": 1, "vc": [1], "lamport": 0,
            "op": {{"kind": "add", "arg": 1}}, "value_at_origin_after": {last}}}], "final": {last}}}]}}"#
        )
    };
    for (kind, last, code) in [
        ("int_min_max_add_mult", "\"9223372036854775808\"", 0),
        ("int_min_max_add_mult", "9223372036854775808", 0),
        ("int_min_max_add_mult", "\"9223372036854775809\"", 1),
        ("int_add_mult", "-9223372036854775808", 0),
        ("int_add_mult", "\"9223372036854775808\"", 1),
    ] {
        let folder = folder(&[("a.json", &file(kind, last))]);
        exits(folder.path(), &["vectors", "a.json"], code);
    }
}
