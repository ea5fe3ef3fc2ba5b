//! Sequences: what others say of them, of the real one and of the reference that it is compared with.

#[expect(dead_code, reason = "vectors say what sites do: none edits by itself here")]
#[path = "../protocol/sequence/tests/reference/mod.rs"]
mod reference;

use std::{fs, path::Path};

use harness::replicated::{
    packed,
    sequence::{Replica, replay_on},
    vectors,
};
use reference::{Mapping, Reference};
use sequence::{EpochId, Interval, Naming, Operation, Priority};

use crate::vectors::{differs, passed, refused, refused_twice};

impl Replica for Reference {
    fn new(site: u32) -> Self {
        Self::new(site, Naming::Blocks, Priority::Lexicographic, Mapping::Repaired)
    }

    fn apply(&mut self, operation: &Operation) -> Result<(), String> {
        self.apply(operation);
        Ok(())
    }

    fn text(&self) -> String {
        self.text()
    }

    fn count(&self) -> u64 {
        self.elements.len() as u64
    }

    fn epoch(&self) -> EpochId {
        self.current
    }

    fn intervals(&self) -> Vec<Interval> {
        self.intervals()
    }
}

/// Every vector of every file passes, the packed one too, and there are as many as were copied.
#[test]
fn the_vectors_of_sequences_pass() {
    assert_eq!(passed("sequence", |text| vectors::replay(text).unwrap()), 97);
}

/// What the sequence is compared with is no second opinion of ours alone.
#[test]
fn the_vectors_of_sequences_pass_on_the_reference() {
    let replay = |text: &str| replay_on::<Reference>(serde_json::from_str(text).unwrap()).unwrap();
    assert_eq!(passed("sequence", replay), 97);
}

/// Another value anywhere in a vector is noticed.
#[test]
fn a_vector_of_sequences_with_another_value_fails() {
    let text = include_str!("vectors/sequence/scripted.json");
    for (right, wrong) in [
        (r#""len": 3"#, r#""len": 4"#),
        (r#""blocks": 1"#, r#""blocks": 2"#),
        (r#""text": "aXYbc""#, r#""text": "aYXbc""#),
        (r#"{"ins": [1, "X"]}"#, r#"{"ins": [2, "X"]}"#),
    ] {
        // The file may be written with spaces or without.
        let tight = |text: &str| text.replace(": ", ":").replace(", ", ",");
        let (from, to) = if text.contains(right) {
            (right.to_owned(), wrong.to_owned())
        } else {
            (tight(right), tight(wrong))
        };
        differs(text, &from, &to);
    }
    // The rows of tables are written without spaces.
    let text = include_str!("vectors/sequence/tables.json");
    for (right, wrong) in [
        (r#""leading":3"#, r#""leading":2"#),
        (r#""lca":0,"revert":[2,1],"apply":[]"#, r#""lca":0,"revert":[1,2],"apply":[]"#),
        (r#""lca":0,"revert":[2,1],"apply":[]"#, r#""lca":1,"revert":[2,1],"apply":[]"#),
    ] {
        differs(text, right, wrong);
    }
}

/// A file with one vector: site 1 inserts `a`, and replica 1 has it so.
const ONE: &str = r#"{"schema": "seq-vectors/1", "vectors": [{
    "name": "v", "delivery": "rls", "sites": [1, 2], "ops": [
        {"site": 1, "kind": "ins", "epoch": -1, "deps": [0, 0], "id": [[1, 1, 0, 0]], "text": "a"},
        {"site": 1, "kind": "ren", "epoch": -1, "deps": [1, 0], "clock": 1,
         "intervals": [{"id": [[1, 1, 0, 0]], "end": 0}]}],
    "replicas": [{"site": 1, "steps": [{"op": 0, "len": 1, "local": {"ins": [0, "a"]}}, {"op": 1, "len": 1}]}],
    "final": {"text": "a", "epoch": 1, "intervals": [{"id": [[1, 1, 1, 0]], "end": 0}]}}]}"#;

#[test]
fn an_order_that_is_not_causal_is_told_where_the_file_says_that_it_is() {
    let swapped = ONE.replace(
        r#"{"op": 0, "len": 1, "local": {"ins": [0, "a"]}}, {"op": 1, "len": 1}"#,
        r#"{"op": 1, "len": 1}, {"op": 0, "len": 1}"#,
    );
    assert_ne!(swapped, ONE);
    let causal = |text: &str| vectors::replay(&text.replace("\"rls\"", "\"causal\"")).unwrap();
    assert_eq!(causal(ONE).notes, []);
    assert_eq!(vectors::replay(&swapped).unwrap().notes, [], "nothing else is promised");
    let [(name, note)] = &causal(&swapped).notes[..] else { panic!("one vector is out of order") };
    assert_eq!(name, "v");
    assert!(note.starts_with("replica 1, step 0 (op 1): `delivery` is causal"), "{note}");
    let twice = ONE.replace(r#", {"op": 1, "len": 1}"#, r#", {"op": 0, "len": 1}"#);
    let notes = causal(&twice).notes;
    assert!(notes[0].1.ends_with("after 1 operations of site 1, not 0"), "{notes:?}");
}

#[test]
fn a_file_of_sequences_that_says_what_cannot_be_is_refused() {
    assert_eq!(vectors::replay(ONE).unwrap().passed, 1);
    let vector = ONE.split_once("\"vectors\": [").unwrap().1.strip_suffix("]}").unwrap();
    let many: Vec<u32> = (1..2000).collect();
    let many = format!("\"sites\": {many:?}");
    for (right, wrong, why) in [
        (vector, "", "`vectors`: expected at least one"),
        (vector, "3", "case 0"),
        ("}}]}", "}}], \"vector\": []}", "`vector`"),
        ("\"sites\": [1, 2]", &many, "`sites`: expected 1 to 1024, found 1999"),
        ("\"sites\": [1, 2]", "\"sites\": [2, 3]", "`site`: expected one of `sites`, found 1"),
        ("\"sites\": [1, 2]", "\"sites\": [1, 1]", "`sites`: expected each once"),
        ("\"sites\": [1, 2]", "\"sites\": [1, 0]", "none 0"),
        ("{\"site\": 1, \"steps\"", "{\"site\": 3, \"steps\"", "found 3"),
        ("\"rls\"", "\"fifo\"", "fifo"),
        ("[0, 0],", "[0],", "`deps`: expected 2 counts, found 1"),
        ("[0, 0],", "[0, 1],", "`deps`: it counts 1 operations of site 2, of 0"),
        ("[1, 0],", "[0, 0],", "`deps`: it counts 0 operations of site 1, of 1"),
        ("\"text\": \"a\"}", "\"texts\": \"a\"}", "`texts`"),
        ("\"text\": \"a\"}", "\"text\": \"a\", \"clock\": 1}", "kind `ins`"),
        ("\"len\": 1,", "\"len\": 1, \"lens\": 1,", "`lens`"),
        ("[0, \"a\"]", "[1, \"a\"]", "`local`: expected an edit within 0"),
        ("{\"ins\": [0, \"a\"]}", "{\"del\": [0, 1]}", "`local`: expected an edit within 0"),
        ("[[1, 1, 0, 0]], \"text\"", "[], \"text\"", "nothing in it"),
        ("[[1, 1, 0, 0]], \"text\"", "[[0, 0, 0, 0]], \"text\"", "tuple"),
        ("[[1, 1, 0, 0]], \"text\"", "[[2147483647, 0, 0, 0]], \"text\"", "reserved"),
        ("{\"op\": 1,", "{\"op\": 2,", "there is no such operation"),
        ("\"ins\", \"epoch\": -1", "\"ins\", \"epoch\": 0", "`epoch`"),
        ("\"ren\", \"epoch\": -1", "\"ren\", \"epoch\": 1", "`epoch`"),
        ("\"ren\", \"epoch\": -1", "\"ren\", \"epoch\": -2", "operation -2 is no rename"),
        // A rename that no replica could take is no difference.
        ("\"end\": 0}]}],", "\"end\": -1}]}],", "operation 1: offsets"),
        ("\"clock\": 1,", "", "kind `ren`"),
        ("[{\"id\": [[1, 1, 0, 0]], \"end\": 0}]", "[]", "operation 1: there is nothing in it"),
    ] {
        refused(ONE, right, wrong, why);
    }
    refused_twice(ONE, "vectors");
}

#[test]
fn what_follows_a_packed_file_is_refused() {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/sequence/large.json.gz");
    let mut bytes = fs::read(packed).unwrap();
    bytes.extend(b"more");
    let path = std::env::temp_dir().join(format!("followed-{}.json.gz", std::process::id()));
    fs::write(&path, bytes).unwrap();
    let refused = packed::read_to_string(&path).unwrap_err().to_string();
    fs::remove_file(&path).unwrap();
    assert_eq!(refused, "expected its end, found 4 bytes more");
}
