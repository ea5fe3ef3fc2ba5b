//! Random runs of 3 to 5 sites against the reference, with every property at every step.

mod fleet;
mod reference;

use fleet::Seen;
use reference::Mapping;

/// Runs of a plain `cargo test`, which is not optimised; `cargo run --release -p sequence --example
/// properties -- --runs 100000` makes more.
const RUNS: u64 = 150;

#[test]
fn the_sequence_is_its_reference_at_every_step_whatever_is_renamed_when() {
    let mut seen = Seen::default();
    for seed in 0..RUNS {
        seen.add(&fleet::run(seed, Mapping::Repaired).unwrap_or_else(|why| panic!("{why}")));
    }
    assert!(seen.sibling_renames > 50 && seen.collected > 20, "they tested something: {seen:?}");
    assert!(seen.lengthened > 50 && seen.offloaded > 50 && seen.loaded > 20, "{seen:?}");
    assert!(seen.far > 5 && seen.changes > 500, "editors were told: {seen:?}");
    assert!(seen.reserved > 100 && seen.epochs_deep > 4, "they tested something: {seen:?}");
}

#[test]
fn runs_that_failed_once_hold() {
    // Both: a site came back without the names that its own rename had given.
    for seed in [23874, 80817] {
        fleet::run(seed, Mapping::Repaired).unwrap_or_else(|why| panic!("{why}"));
    }
}

#[test]
fn the_mapping_that_the_papers_print_is_found_out() {
    let broken = (0..RUNS).filter(|seed| fleet::run(*seed, Mapping::Printed).is_err()).count();
    assert!(broken > 0, "no run found anything wrong with the printed mapping");
}
