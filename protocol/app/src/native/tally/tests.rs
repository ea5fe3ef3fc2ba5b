//! What holds of the tally.

use crate::native::replicated::rig::check;

#[test]
fn every_order_of_deliveries_and_upgrades_shows_what_it_means() {
    check(&["tally 1.0.0", "tally 1.1.0", "tally 2.0.0"], 25).expect("a sound tally");
}
