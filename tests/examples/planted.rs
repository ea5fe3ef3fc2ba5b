//! The table of planted bugs: how many seeds each takes to find, which invariant found it, and what
//! shrinking leaves of the failure.
//!
//! `cargo run --release -p tests --example planted`, or with names of bugs for some of them.

use std::time::Instant;

use harness::shrink::{Size, shrink};
use tests::planted_table::{SEEDS_MAX, table};

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    println!("| | bug | seeds | invariant | nodes | choices | datagrams | runs | time |");
    println!("| --- | --- | ---: | --- | --- | --- | --- | ---: | ---: |");
    let mut times = Vec::new();
    let mut worst = Size { nodes: 0, choices: 0, datagrams: 0 };
    for planted in table() {
        let name = planted.bug.name();
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        let number = planted.number.map_or(String::new(), |number| format!("P{number}"));
        let scenario = planted.scenario();
        let Some((seed, violation)) = planted.found(&scenario) else {
            println!("| {number} | {name} | more than {SEEDS_MAX} | | | | | | |");
            continue;
        };
        let began = Instant::now();
        let shrunk = shrink(&scenario, seed, "swarm.toml", &|| false, &mut |at| {
            if !wanted.is_empty() {
                eprintln!("{:?} {at:?}", began.elapsed());
            }
        });
        let took = began.elapsed();
        times.push(took);
        match shrunk {
            Ok(shrunk) => {
                let (before, after) = (shrunk.before, shrunk.after);
                worst.nodes = worst.nodes.max(after.nodes);
                worst.choices = worst.choices.max(after.choices);
                println!(
                    "| {number} | {name} | {seed} | {} | {} -> {} | {} -> {} | {} -> {} | {} | {:.1} s |",
                    violation.invariant,
                    before.nodes,
                    after.nodes,
                    before.choices,
                    after.choices,
                    before.datagrams,
                    after.datagrams,
                    shrunk.runs,
                    took.as_secs_f64(),
                );
                if !wanted.is_empty() {
                    eprintln!("{}", shrunk.text);
                }
            }
            Err(error) => println!("| {number} | {name} | {seed} | {error} | | | | | |"),
        }
    }
    times.sort();
    if let Some(median) = times.get(times.len() / 2) {
        println!(
            "\nAt most {} nodes and {} choices are left; median {:.1} s.",
            worst.nodes,
            worst.choices,
            median.as_secs_f64()
        );
    }
}
