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
    assert_eq!(files.len(), 3);
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
    ] {
        let (_, text) = examples().into_iter().find(|(file, _)| *file == name).unwrap();
        let changed = text.replacen(right, wrong, 1);
        assert_ne!(changed, text, "{right} is in {name}");
        let folder = folder(&[(name, &changed)]);
        let ran = exits(folder.path(), &["vectors", name], 1);
        assert!(ran.out.starts_with(&format!("failed {name}: 1 of 1 case\n")), "{}", ran.out);
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
