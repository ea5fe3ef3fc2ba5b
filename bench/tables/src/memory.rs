//! What worlds weigh: an idle node, a touched link, a whole run of a thousand nodes.

use crate::{bars::Bar, programs::Programs, stack};

/// The scenario of a thousand nodes.
const SCENARIO: &str = "scenarios/thousand-nodes.toml";
/// How long it must run in virtual time for its weight to count, in seconds.
const VIRTUAL_SECS_MIN: f64 = 60.0;
/// Bytes of a GiB.
const GIB: f64 = (1_u64 << 30) as f64;

/// Measures and prints the table; returns its bars. Weights do not vary, so one round does.
pub(crate) fn print(programs: &Programs, _: usize) -> Result<Vec<Bar>, String> {
    let weights = programs.measure(&programs.build("allocation")?, &[])?;
    let run = stack::measure(programs, &programs.build("stack")?, SCENARIO, "all", 1)?;
    println!("\n## Memory\n\n| what | bytes |\n|---|---:|");
    println!(
        "| idle node, the workload's own 130 included | {} |",
        weights.figure("idle_node_bytes")
    );
    println!("| link that a datagram ever crossed | {} |", weights.figure("touched_link_bytes"));
    let resident = run.figure("resident_bytes_max");
    let seconds = run.figure("virtual_nanos") / 1e9;
    println!("| most resident, {SCENARIO}, {seconds:.0} virtual s | {resident} |");
    Ok(vec![
        Bar::at_least(format!("{SCENARIO}: virtual seconds"), seconds, VIRTUAL_SECS_MIN),
        Bar::at_most(format!("{SCENARIO}: most resident, GiB"), resident / GIB, 1.0),
    ])
}
