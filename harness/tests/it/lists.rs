//! `simctl lattice` of lists: the strong list specification, and how runs interleave.

use std::path::Path;

use crate::support::{exits, refused};

#[test]
fn a_list_keeps_the_strong_specification_and_a_rate_is_told() {
    let arguments = ["lattice", "--type", "rich_text", "--histories", "20", "--format", "json"];
    let ran = exits(Path::new("."), &arguments, 0);
    let row: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let lists = &row["lists"];
    assert_eq!((&lists["failure"], &lists["histories"]), (&serde_json::Value::Null, &21.into()));
    assert!(lists["lists"].as_u64() > Some(500), "{lists}");
    assert_eq!(lists["forward"]["runs"], 400);
    let ran = exits(Path::new("."), &["lattice", "--type", "shapes", "--format", "json"], 0);
    let row: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(row["lists"], serde_json::Value::Null);
}

#[test]
fn ties_broken_by_receipt_have_no_order() {
    let arguments = ["lattice", "--type", "list_range_remove", "--planted", "by-receipt"];
    let ran = exits(Path::new("."), &arguments, 1);
    for text in [
        "has no order strong list specification: 2 operations",
        "after 0.1 1.1: 1.1 0.1",
        "the weak specification does not hold either",
    ] {
        assert!(ran.out.contains(text), "{text} in\n{}", ran.out);
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let arguments = ["lattice", "--type", "shapes", "--planted", "by-receipt"];
    refused(&here, &arguments, "expected the name of a list, found shapes");
}

#[test]
fn one_replica_explains_flags_and_each_element_of_a_set_and_not_every_register() {
    let explained = |kind: &str| {
        let arguments =
            ["lattice", "--type", kind, "--histories", "100", "--sequential", "--format", "json"];
        let ran = exits(Path::new("."), &arguments, 0);
        let row: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        row["sequential"].clone()
    };
    for kind in ["enable_wins_flag", "disable_wins_flag", "add_wins_set"] {
        let found = explained(kind);
        assert!(found["required"] == true && found["explained"].as_u64() >= Some(100), "{found}");
        assert_eq!(
            (&found["unexplained"], &found["example"]),
            (&0.into(), &serde_json::Value::Null)
        );
    }
    let found = explained("int_min_max_add_mult");
    assert!(found["required"] == false && found["unexplained"].as_u64() > Some(0), "{found}");
    let steps = found["example"]["history"].as_array().unwrap();
    assert!((2..=4).contains(&steps.len()), "{found}");
}
