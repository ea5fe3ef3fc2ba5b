//! What holds of the gauge.

use crate::native::replicated::rig::{Found, check, found};

const GOOD: [&str; 2] = ["gauge 1.0.0", "gauge 2.0.0"];

#[test]
fn every_order_of_deliveries_and_upgrades_shows_what_it_means() {
    check(&GOOD, 25).expect("a sound gauge");
}

#[test]
fn a_published_algorithm_diverges() {
    let tally = found(&GOOD[..1], &["gauge 1.0.0 ascending"], 60);
    assert!(tally.of(Found::Divergence) > 0 && tally.of(Found::Nonsense) > 0, "{tally:?}");
}
