//! What holds of the basket.

use crate::native::replicated::rig::check;

#[test]
fn every_order_of_deliveries_and_upgrades_shows_what_it_means() {
    check(&["basket 1.0.0", "basket 2.0.0"], 25).expect("a sound basket");
}
