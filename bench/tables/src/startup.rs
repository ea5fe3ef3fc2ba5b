//! How long until `simctl` has done nothing: a program that is slow to start is slow to script.

use crate::{bars::Bar, programs::Programs, sample::Spread};
use std::{path::Path, process::Stdio, time::Instant};

/// Starts of each program; their median counts.
const STARTS: usize = 40;

/// Measures and prints the table; returns its bars.
pub(crate) fn print(programs: &Programs, _: usize) -> Result<Vec<Bar>, String> {
    let product = programs.build_product()?;
    let trivial = programs.build("floor")?;
    println!(
        "\n## Start: milliseconds of wall time\n\n| program | median (least..most) |\n|---|---:|"
    );
    let mut medians = [0.0; 2];
    let subjects = [(&product, "simctl --version"), (&trivial, "a program that does nothing")];
    for ((program, name), median) in subjects.into_iter().zip(&mut medians) {
        let mut starts = Vec::new();
        for _ in 0..STARTS {
            starts.push(start(programs, program)?);
        }
        let spread = Spread::of(starts);
        println!("| {name} | {:.2} ({:.2}..{:.2}) |", spread.median, spread.least, spread.most);
        *median = spread.median;
    }
    Ok(vec![Bar::at_most("simctl starts and ends, in ms", medians[0], 20.0)])
}

fn start(programs: &Programs, program: &Path) -> Result<f64, String> {
    let mut command = programs.pinned(program);
    // The floor knows no such flag, says so and ends: as little as a program can do.
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    command.status().map_err(|error| format!("{}: {error}", program.display()))?;
    Ok(began.elapsed().as_secs_f64() * 1e3)
}
