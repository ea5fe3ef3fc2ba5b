//! What holds of the register.

use crate::native::replicated::rig::{Found, Tally, check, found};

const GOOD: [&str; 3] = ["register 1.0.0", "register 2.0.0", "register 3.0.0"];

/// What the sweeps of histories by good codes find where the code at `at` is another.
fn finds(at: usize, name: &'static str) -> Tally {
    let mut names = GOOD;
    names[at] = name;
    found(&GOOD, &names, 60)
}

#[test]
fn every_order_of_deliveries_and_upgrades_shows_what_it_means() {
    let states = check(&GOOD, 60).expect("a sound register");
    assert!(states > 1_000, "{states} states");
}

#[test]
fn who_acts_with_every_factor_converges_on_nonsense() {
    let name = "register 2.0.0 acts-with-all";
    let tally = found(&GOOD[1..2], &[name], 60);
    assert_eq!(tally.of(Found::Divergence), 0, "convergence is blind to it");
    assert!(tally.of(Found::Nonsense) > 30, "{tally:?}");
    assert!(finds(1, name).of(Found::Nonsense) > 0);
}

#[test]
fn who_collects_early_is_found_in_one_release() {
    let tally = found(&GOOD[1..2], &["register 2.0.0 collects-early"], 60);
    assert!(tally.of(Found::Divergence) + tally.of(Found::Nonsense) > 10, "{tally:?}");
}

#[test]
fn who_forgets_history_breaks_the_square_once_factors_are_unstable() {
    let tally = finds(2, "register 3.0.0 forgets-history");
    assert!(tally.of(Found::Divergence) > 10, "{tally:?}");
}

#[test]
fn who_converts_otherwise_than_it_migrates_breaks_the_square() {
    let tally = finds(2, "register 3.0.0 breaks-square");
    assert!(tally.of(Found::Divergence) > 10, "{tally:?}");
}

#[test]
fn who_goes_another_way_at_once_is_found_by_path_independence_alone() {
    let name = "register 3.0.0 path-dependent";
    let tally = finds(2, name);
    assert!(tally.of(Found::Divergence) > 30, "{tally:?}");
    for only in [0, 1] {
        let good = [GOOD[only], GOOD[2]];
        assert_eq!(found(&good, &[GOOD[only], name], 60), Tally::default(), "each edge is square");
    }
}
