//! Sequences: what others say of them, of the real one and of the reference that it is compared with.

#[path = "../protocol/sequence/tests/reference/mod.rs"]
mod reference;

use std::{fs, path::Path};

use harness::replicated::{
    packed,
    sequence::{Replica, replay_on},
    vectors::{self, Replayed},
};
use reference::{Mapping, Reference};
use sequence::{EpochId, Interval, Naming, Operation, Priority};

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

/// Replays every file. Returns how many vectors and rows of tables passed.
fn passed(replay: impl Fn(&str) -> Replayed) -> u64 {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/sequence");
    let mut passed = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if packed::is_json(&path) {
            let replayed = replay(&packed::read_to_string(&path).unwrap());
            assert_eq!(replayed.failed, [], "{}", path.display());
            passed += replayed.passed;
        }
    }
    passed
}

/// Every vector of every file passes, the packed one too, and there are as many as were copied.
#[test]
fn the_vectors_of_sequences_pass() {
    assert_eq!(passed(|text| vectors::replay(text).unwrap()), 97);
}

/// What the sequence is compared with is no second opinion of ours alone.
#[test]
fn the_vectors_of_sequences_pass_on_the_reference() {
    let replay = |text: &str| replay_on::<Reference>(serde_json::from_str(text).unwrap()).unwrap();
    assert_eq!(passed(replay), 97);
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
        let changed = text.replacen(&from, &to, 1);
        assert_ne!(changed, text, "{from} is somewhere");
        let replayed = vectors::replay(&changed).unwrap();
        assert_eq!(replayed.failed.len(), 1, "{to}: {:?}", replayed.failed);
    }
    let text = include_str!("vectors/sequence/tables.json");
    let changed = text.replacen("\"leading\":3", "\"leading\":2", 1);
    let changed = changed.replacen("\"leading\": 3", "\"leading\": 2", 1);
    assert_ne!(changed, text);
    assert!(!vectors::replay(&changed).unwrap().failed.is_empty());
}

#[test]
fn a_file_of_sequences_that_says_what_cannot_be_is_refused() {
    let of = |vectors: &str| format!(r#"{{"schema": "seq-vectors/1", "vectors": [{vectors}]}}"#);
    let vector = |ops: &str, steps: &str| {
        of(&format!(
            r#"{{"name": "v", "ops": [{ops}], "replicas": [{{"site": 1, "steps": [{steps}]}}],
                "final": {{"text": "", "epoch": -1, "intervals": []}}}}"#
        ))
    };
    let insert = |id: &str| {
        format!(r#"{{"site": 1, "kind": "ins", "epoch": -1, "id": {id}, "text": "a", "deps": []}}"#)
    };
    for text in [
        of(""),
        of("3"),
        vector(&insert("[]"), ""),
        vector(&insert("[[0, 0, 0, 0]]"), ""),
        vector(&insert("[[2147483647, 0, 0, 0]]"), ""),
        vector(&insert("[[1, 1, 0, 0]]"), r#"{"op": 1, "len": 1}"#),
        vector(&insert("[[1, 1, 0, 0]]").replace("-1", "0"), ""),
    ] {
        assert!(vectors::replay(&text).is_err(), "{text}");
    }
}
