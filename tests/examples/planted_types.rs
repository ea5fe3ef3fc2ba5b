//! The table of bugs that are planted in replicated types: which checker finds each, after how many histories.
//!
//! `cargo run --release -p tests --example planted_types`

use harness::replicated::laws::planted::table;

/// Histories after which a checker has not found a bug.
const HISTORIES_MAX: u64 = 400;

fn main() {
    let mut headed = false;
    let (mut all, mut found) = (0, 0);
    for row in table(HISTORIES_MAX) {
        let cells = row.found();
        if !headed {
            let names = cells.map(|(name, _)| name).join(" | ");
            println!("| bug | type | {names} |\n| --- | --- |{}", " ---: |".repeat(cells.len()));
            headed = true;
        }
        let shown = cells.map(|(_, found)| found.map_or("-".into(), |found| found.to_string()));
        println!("| {} | {} | {} |", row.bug, row.kind, shown.join(" | "));
        all += 1;
        found += usize::from(cells.iter().any(|(_, found)| found.is_some()));
    }
    println!("\n{found} of {all} were found.");
}
