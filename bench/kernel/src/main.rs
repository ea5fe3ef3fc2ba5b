//! Measures our kernel on the workload.
//!
//! `--mode plain` is tracing off; `fingerprint` hashes every event; `bytes` also encodes at the sender
//! and decodes at the receiver; `faults` adds bursts of loss, duplicates and reordering.

use common::{Report, usage};
use std::process::ExitCode;

fn main() -> ExitCode {
    common::main(|arguments| {
        let mode = arguments.mode(kernel::MODES)?;
        let before = usage::now();
        let mut world = kernel::world(arguments, mode);
        kernel::run(&mut world, arguments, arguments.target);
        let (seen, now) = (kernel::seen(&world), world.now().as_nanos());
        Ok(Report::new(("simctl kernel", mode), arguments, seen, now, &before))
    })
}
