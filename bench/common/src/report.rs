//! What a measuring program prints: one line of JSON.

use crate::{Arguments, Seen, usage::Usage};
use std::fmt;

/// The outcome of one run.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was measured, with its version where it has one.
    pub subject: &'static str,
    /// Which variant of it.
    pub mode: &'static str,
    /// The workload.
    pub arguments: Arguments,
    /// What application code saw.
    pub seen: Seen,
    /// Simulated time that went by, in nanoseconds.
    pub virtual_nanos: u64,
    /// CPU time of building and running, in microseconds.
    pub cpu_micros: u64,
}

impl Report {
    /// The report of a run that began at `before` and ends now.
    pub fn new(
        (subject, mode): (&'static str, &'static str),
        arguments: &Arguments,
        seen: Seen,
        virtual_nanos: u64,
        before: &Usage,
    ) -> Self {
        let cpu_micros = crate::usage::now().micros_since(before);
        Self { subject, mode, arguments: arguments.clone(), seen, virtual_nanos, cpu_micros }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, mode, arguments, seen, virtual_nanos, cpu_micros } = self;
        write!(
            f,
            "{{\"subject\":\"{subject}\",\"mode\":\"{mode}\",\"nodes\":{},\"gap_micros\":{},\
             \"seed\":{},\"delivered\":{},\"sent\":{},\"virtual_nanos\":{virtual_nanos},\
             \"cpu_micros\":{cpu_micros},\"hash\":\"{:016x}\",\"resident_bytes_max\":{}}}",
            arguments.nodes,
            arguments.gap_micros,
            arguments.seed,
            seen.delivered,
            seen.sent,
            seen.hash,
            crate::usage::now().resident_bytes_max,
        )
    }
}
