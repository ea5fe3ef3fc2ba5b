//! What a replica holds after an editing trace: bytes of heap, of which its own count, and what it has.
//!
//!     cargo run --release -p traces --bin heap -- --traces FOLDER

use std::process::ExitCode;

use common::counting::{Counting, held_bytes};
use traces::{NAMES, Trace, folder, subjects::edited};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let given = match (words.next().as_deref(), words.next()) {
        (None, None) => None,
        (Some("--traces"), Some(folder)) => Some(folder),
        _ => {
            eprintln!("usage: heap [--traces FOLDER]");
            return ExitCode::from(2);
        }
    };
    match folder(given).and_then(|folder| print(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn print(folder: &std::path::Path) -> Result<(), String> {
    println!("| trace | heap, bytes | of which text | blocks | depth, max |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for name in NAMES {
        let trace = Trace::read(folder, name)?;
        let before = held_bytes();
        let replica = edited(&trace);
        let held = held_bytes() - before;
        println!(
            "| {name} | {held} | {} | {} | {} |",
            replica.len_utf8(),
            replica.blocks(),
            replica.depth(),
        );
    }
    Ok(())
}
