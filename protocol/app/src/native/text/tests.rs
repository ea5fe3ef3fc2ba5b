//! What holds of the text.

use crate::native::replicated::rig::check;

#[test]
fn every_order_of_deliveries_and_upgrades_shows_what_it_means() {
    check(&["text 1.0.0", "text 1.1.0", "text 2.0.0"], 25).expect("a sound text");
}
