//! Vectors of replicated types and of causal delivery that others made: all of them pass, another value anywhere is
//! noticed, and a file that cannot be right is refused by what is wrong with it.

use std::{fs, path::Path};

use harness::replicated::{
    packed,
    vectors::{self, Replayed},
};

/// Replays every file of a folder of vectors, and none fails. Returns how many vectors and rows of tables passed.
pub(crate) fn passed(folder: &str, replay: impl Fn(&str) -> Replayed) -> u64 {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(folder);
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

/// `file` with `wrong` in the place of the first `right`.
fn changed(file: &str, right: &str, wrong: &str) -> String {
    let changed = file.replacen(right, wrong, 1);
    assert_ne!(changed, file, "{right} is somewhere");
    changed
}

/// With `wrong` in the place of the first `right`, one vector of `file` fails.
pub(crate) fn differs(file: &str, right: &str, wrong: &str) {
    let replayed = vectors::replay(&changed(file, right, wrong)).unwrap();
    assert_eq!(replayed.failed.len(), 1, "{wrong}: {:?}", replayed.failed);
}

/// With `wrong` in the place of the first `right`, `file` is refused, and told `why`.
pub(crate) fn refused(file: &str, right: &str, wrong: &str, why: &str) {
    let refused = vectors::replay(&changed(file, right, wrong)).unwrap_err().to_string();
    assert!(refused.contains(why), "{wrong}: {refused}");
}

/// With its one vector twice in its list, `file` is refused: both have one name.
pub(crate) fn refused_twice(file: &str, list: &str) {
    let (_, vector) = file.split_once(&format!("\"{list}\": [")).unwrap();
    let vector = vector.strip_suffix("]}").unwrap();
    refused(file, vector, &format!("{vector}, {vector}"), "`name`");
}

/// Every case of every vector file passes, and there are as many as were copied.
#[test]
fn the_vectors_pass() {
    assert_eq!(passed("semidirect", |text| vectors::replay(text).unwrap()), 669);
}

/// Another value anywhere in a case is noticed.
#[test]
fn a_vector_with_another_value_fails() {
    let text = include_str!("vectors/semidirect/int_add_mult.json");
    for (right, wrong) in [
        ("\"final\":17", "\"final\":18"),
        ("\"value_at_origin_after\":2", "\"value_at_origin_after\":3"),
        ("\"linear_extensions\":6", "\"linear_extensions\":7"),
    ] {
        differs(text, right, wrong);
    }
}

/// So it is in the vectors of causal delivery.
#[test]
fn a_delivery_vector_that_says_otherwise_fails() {
    let text = include_str!("vectors/semidirect/causal_broadcast.json");
    for (right, wrong) in [
        (r#""buffered":[],"delivered":[0]"#, r#""buffered":[0],"delivered":[]"#),
        (r#""stable":[0,0,0,0,0],"vc":[0,0,0,1,0]"#, r#""stable":[0,0,0,1,0],"vc":[0,0,0,1,0]"#),
        (r#""stable":[0,0,0,0,0],"vc":[0,0,0,1,0]"#, r#""stable":[0,0,0,0,0],"vc":[0,0,0,2,0]"#),
    ] {
        differs(text, right, wrong);
    }
    let unsent = text.replacen(r#""receive":0"#, r#""receive":99999"#, 1);
    assert!(vectors::replay(&unsent).is_err());
}

#[test]
fn a_file_that_is_no_vector_file_is_refused_and_so_is_a_hostile_case() {
    for text in [
        "",
        "[]",
        r#"{"schema": "semidirect-vectors/2"}"#,
        r#"{"schema": 3}"#,
        r#"{"schema": "semidirect-vectors/1", "type": "int_add_mult", "cases": []}"#,
        r#"{"schema": "semidirect-vectors/1", "type": "int_add", "cases": [
            {"name": "one", "replicas": 1, "ops": [], "final": 1}]}"#,
        r#"{"schema": "semidirect-vectors/1", "type": "int_add_mult", "params": {"start": 1},
            "cases": [{"name": "one", "replicas": 1, "ops": [], "final": 1}]}"#,
        r#"{"schema": "semidirect-vectors/1", "type": "int_add_mult", "cases": [
            {"name": "one", "replicas": 1, "ops": [], "final": 1,
             "checkpoints": [{"delivered": [0], "value": 1}]}]}"#,
    ] {
        assert!(vectors::replay(text).is_err(), "{text}");
    }
    let case = |operation: &str| {
        format!(
            r#"{{"schema": "semidirect-vectors/1", "type": "int_add_mult", "cases": [{{
                "name": "one", "replicas": 1, "final": 1, "ops": [{operation}]}}]}}"#
        )
    };
    for operation in [
        r#"{"replica": 7, "seq": 1, "vc": [1], "lamport": 0, "op": {"kind": "add", "arg": 0}, "value_at_origin_after": 1}"#,
        r#"{"replica": 0, "seq": 1, "vc": [9], "lamport": 0, "op": {"kind": "add", "arg": 0}, "value_at_origin_after": 1}"#,
        r#"{"replica": 0, "seq": 0, "vc": [0], "lamport": 0, "op": {"kind": "add", "arg": 0}, "value_at_origin_after": 1}"#,
        r#"{"replica": 0, "seq": 1, "vc": [1], "lamport": 0, "op": {"kind": "sub", "arg": 0}, "value_at_origin_after": 1}"#,
        r#"{"replica": 0, "seq": 1, "vc": [1], "lamport": 0, "op": {"kind": "add"}, "value_at_origin_after": 1}"#,
        "3",
    ] {
        let refused = vectors::replay(&case(operation)).unwrap_err();
        assert!(refused.to_string().starts_with("case 0"), "{operation}: {refused}");
    }
    // What no user could do here, others say was done: that is a difference and no malformed file.
    let done = r#"{"replica": 0, "seq": 1, "vc": [1], "lamport": 0, "op": {"kind": "add", "arg": 4}, "value_at_origin_after": 1}"#;
    let replayed = vectors::replay(&case(done)).unwrap();
    assert_eq!((replayed.passed, replayed.failed.len()), (0, 1));
}

/// What a file says twice must be the same twice, and a key that nobody reads is a mistake.
#[test]
fn a_vector_that_contradicts_itself_or_has_another_key_is_refused() {
    let operation = r#""op": {"kind": "add", "arg": 0}, "value_at_origin_after": 1}"#;
    let file = format!(
        r#"{{"schema": "semidirect-vectors/1", "type": "int_add_mult", "cases": [{{
            "name": "one", "replicas": 2, "final": 1, "linear_extensions": 2, "checkpoints": [], "ops": [
            {{"id": 0, "replica": 0, "seq": 1, "vc": [1, 0], "deps": [], "lamport": 0, {operation},
            {{"id": 1, "replica": 1, "seq": 1, "vc": [0, 1], "deps": [], "lamport": 0, {operation},
            {{"id": 2, "replica": 0, "seq": 2, "vc": [2, 1], "deps": [0, 1], "lamport": 1, {operation}]}}]}}"#
    );
    assert_eq!(vectors::replay(&file).unwrap().passed, 1);
    for (right, wrong, why) in [
        (
            "\"replicas\": 2",
            "\"replicas\": 4000000000",
            "`replicas`: expected 1 to 1024, found 4000000000",
        ),
        ("\"replicas\": 2", "\"replicas\": 0", "`replicas`: expected 1 to 1024, found 0"),
        ("\"replica\": 1", "\"replica\": 9", "`replica`: expected one below 2, found 9"),
        ("\"vc\": [2, 1]", "\"vc\": [2]", "`vc`: expected 2 counts, found 1"),
        ("\"id\": 1", "\"id\": 2", "`id`: expected 1, found 2"),
        (
            "\"deps\": [0, 1]",
            "\"deps\": [0, 2]",
            "`deps`: expected {0, 1} by its clock, found {0, 2}",
        ),
        ("\"deps\": [0, 1]", "\"deps\": [0]", "`deps`"),
        ("\"lamport\": 1", "\"lamport\": 2", "`lamport`: expected 1, found 2"),
        ("\"checkpoints\"", "\"checkpoint\"", "`checkpoint`"),
        ("\"deps\"", "\"dep\"", "`dep`"),
        ("\"cases\"", "\"case\": 1, \"cases\"", "`case`"),
        ("int_add_mult", "int_add", "`type`: expected one of int_add_mult, "),
    ] {
        refused(&file, right, wrong, why);
    }
    refused_twice(&file, "cases");
    let alone = |count: u32| {
        let rows: Vec<String> = (0..count)
            .map(|at| {
                format!(
                    r#"{{"replica": 0, "seq": {0}, "vc": [{0}], "lamport": {at}, {operation}"#,
                    at + 1
                )
            })
            .collect();
        format!(
            r#"{{"schema": "semidirect-vectors/1", "type": "int_add_mult", "cases": [{{
                "name": "one", "replicas": 1, "final": 1, "linear_extensions": 1, "ops": [{}]}}]}}"#,
            rows.join(",")
        )
    };
    assert_eq!(vectors::replay(&alone(16)).unwrap().passed, 1);
    let refused = vectors::replay(&alone(17)).unwrap_err().to_string();
    assert!(refused.contains("`linear_extensions`"), "{refused}");
}

#[test]
fn a_delivery_vector_that_cannot_be_is_refused_before_anything_is_made_for_it() {
    let file = r#"{"schema": "causal-broadcast-vectors/1", "cases": [{"name": "one", "replicas": 2, "events": [
        {"at": 0, "broadcast": 0, "vc": [1, 0], "stable": [0, 0]}]}]}"#;
    assert_eq!(vectors::replay(file).unwrap().passed, 1);
    for (right, wrong, why) in [
        (
            "\"replicas\": 2",
            "\"replicas\": 4000000000",
            "`replicas`: expected 1 to 1024, found 4000000000",
        ),
        ("\"replicas\": 2", "\"replicas\": 0", "`replicas`: expected 1 to 1024, found 0"),
        ("\"at\": 0", "\"at\": 4294967296", "`at`: expected a replica below 2, found 4294967296"),
        ("\"vc\"", "\"buffered\": [0], \"vc\"", "deliver none"),
        ("{\"at\": 0, \"broadcast\": 0, \"vc\": [1, 0], \"stable\": [0, 0]}", "", "`events`"),
    ] {
        refused(file, right, wrong, why);
    }
    refused_twice(file, "cases");
}

#[test]
fn control_characters_of_a_file_are_spelled_out() {
    let file = r#"{"schema": "causal-broadcast-vectors/1", "cases": [
        {"name": "a\u001b[2J\nb", "replicas": 2, "events": []}]}"#;
    let refused = vectors::replay(file).unwrap_err().to_string();
    assert!(refused.contains(r"a\u{1b}[2J\nb"), "{refused}");
}

#[test]
fn what_is_no_object_is_told_so() {
    for (text, found) in
        [("[]", "a list"), ("3", "a number"), ("null", "null"), ("\"x\"", "a text")]
    {
        let refused = vectors::replay(text).unwrap_err().to_string();
        assert_eq!(refused, format!("expected a JSON object with the key `schema`, found {found}"));
    }
}
