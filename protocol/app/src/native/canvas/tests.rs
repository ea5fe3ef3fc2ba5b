//! What holds of the canvas.

use crate::native::replicated::rig::{Found, check, found};

const GOOD: [&str; 2] = ["canvas 1.0.0", "canvas 2.0.0"];

#[test]
fn every_order_of_deliveries_and_upgrades_shows_what_it_means() {
    check(&GOOD, 25).expect("a sound canvas");
}

#[test]
fn a_published_algorithm_for_three_classes_diverges() {
    let name = "canvas 2.0.0 ascending";
    let tally = found(&GOOD[1..], &[name], 60);
    assert!(tally.of(Found::Divergence) + tally.of(Found::Nonsense) > 10, "{tally:?}");
    assert_eq!(check(&GOOD[..1], 20).map(drop), Ok(()), "of two classes it is as good as any");
}
