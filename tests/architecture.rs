//! The arrows between crates, as a table. A new arrow is a decision: change the table with it.

use std::{collections::BTreeMap, process::Command};

/// Crate, and the crates of this workspace it may use outside its tests.
const ARROWS: &[(&str, &[&str])] = &[
    ("contract", &[]),
    ("causal", &["contract"]),
    ("crdt", &["causal"]),
    ("sequence", &["contract"]),
    ("app", &["causal", "contract", "crdt", "sequence"]),
    ("upgrade", &["app", "contract"]),
    ("replica", &["app", "causal", "contract", "upgrade"]),
    ("sim", &["contract"]),
    ("experiment", &["causal", "contract", "sequence", "sim"]),
    ("results", &[]),
    ("plots", &["results"]),
    (
        "harness",
        &[
            "app",
            "causal",
            "contract",
            "crdt",
            "experiment",
            "plots",
            "replica",
            "results",
            "sequence",
            "sim",
            "upgrade",
        ],
    ),
    (
        "tests",
        &[
            "app", "causal", "contract", "crdt", "harness", "plots", "replica", "results",
            "sequence", "sim", "upgrade",
        ],
    ),
    ("ci", &[]),
];

#[test]
fn arrows_are_as_drawn() {
    let packages = workspace_packages();
    let drawn: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut undrawn = Vec::new();
    for package in &packages {
        let name = package["name"].as_str().expect("a package has a name");
        let allowed = drawn.get(name).unwrap_or_else(|| panic!("crate {name} is not in the table"));
        for dependency in package["dependencies"].as_array().expect("a package has dependencies") {
            let to = dependency["name"].as_str().expect("a dependency has a name");
            if drawn.contains_key(to) && !allowed.contains(&to) {
                undrawn.push(format!("{name} -> {to}"));
            }
        }
    }
    assert_eq!(undrawn, Vec::<String>::new(), "arrows that nobody drew");
    assert_eq!(packages.len(), drawn.len(), "the table names a crate that does not exist");
}

/// The table of invariants in ARCHITECTURE.md says of each what the code claims, word for word.
#[test]
fn the_invariants_are_as_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../ARCHITECTURE.md");
    let text = std::fs::read_to_string(path).expect("the repository has an ARCHITECTURE.md");
    let section = text.split("\n## Invariants\n").nth(1).expect("it has a section on invariants");
    let section = section.split("\n## ").next().expect("a split has a first part");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let claims = rows.skip(2).map(|row| row.split_once(" | ").expect("a row has two columns"));
    let written: BTreeMap<&str, &str> = claims.collect();
    let listed = harness::invariants::list();
    let checked: BTreeMap<&str, &str> = listed.iter().map(|one| (one.name, one.claim)).collect();
    assert_eq!(written, checked);
}

/// What runs inside a simulated run depends on nothing but these crates from outside: each is small,
/// stable, and free of clocks, threads and randomness of its own.
#[test]
fn the_core_depends_on_little() {
    const ALLOWED: &[&str] = &[
        "blake3",
        "ed25519-dalek",
        // Exact integers, for types whose laws need an order.
        "num-bigint",
        "rand_chacha",
        "rand_core",
        "semver",
        // Short texts without an allocation, which takes code that is not safe.
        "smol_str",
        "thiserror",
        "xxhash-rust",
    ];
    const CORE: &[&str] =
        &["contract", "causal", "app", "crdt", "sequence", "upgrade", "replica", "sim"];
    let mut extra = Vec::new();
    for package in workspace_packages() {
        let name = package["name"].as_str().expect("a package has a name");
        if !CORE.contains(&name) {
            continue;
        }
        for dependency in package["dependencies"].as_array().expect("a package has dependencies") {
            let to = dependency["name"].as_str().expect("a dependency has a name");
            let for_tests = dependency["kind"].as_str() == Some("dev");
            if !for_tests && !CORE.contains(&to) && !ALLOWED.contains(&to) {
                extra.push(format!("{name} -> {to}"));
            }
        }
    }
    assert_eq!(extra, Vec::<String>::new());
}

fn workspace_packages() -> Vec<serde_json::Value> {
    let cargo = std::env::var("CARGO").expect("cargo sets it for tests");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .output()
        .expect("cargo runs");
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("cargo prints json");
    metadata["packages"].as_array().expect("metadata lists packages").clone()
}
