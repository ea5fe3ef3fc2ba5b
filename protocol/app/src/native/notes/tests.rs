//! What holds of notes.

use crate::native::replicated::rig::check;

#[test]
fn every_order_of_deliveries_and_upgrades_shows_what_it_means() {
    let names = ["notes 1.0.0", "notes 1.1.0", "notes 2.0.0"];
    check(&names, 10).expect("sound notes");
}
