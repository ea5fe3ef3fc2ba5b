//! Virtual or real time, in whole nanoseconds, and the lengths between two times.

use std::{fmt, ops, str::FromStr};

/// Nanoseconds since the driver started.
///
/// A node's clock may be skewed: a `Time` that a process is given is that node's reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

/// A length of time in nanoseconds. Written `1500ns`, `20us`, `150ms`, `2s` or `5min`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

/// Units, longest first: nanoseconds and the name that texts use.
const UNITS: [(u64, &str); 5] =
    [(60_000_000_000, "min"), (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns")];

impl Time {
    /// When the driver started.
    pub const ZERO: Self = Self(0);
    /// Later than anything that happens.
    pub const NEVER: Self = Self(u64::MAX);

    /// A time `nanos` after the driver started.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the driver started.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The length since `earlier`; zero where `earlier` is later.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A length of `nanos` nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A length of `micros` microseconds.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros * 1_000)
    }

    /// A length of `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000_000)
    }

    /// A length of `secs` seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * 1_000_000_000)
    }

    /// Nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// `self` times `factor`, at most the longest span there is.
    pub const fn saturating_mul(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

impl ops::Add<Span> for Time {
    type Output = Time;

    /// Saturates at [`Time::NEVER`].
    fn add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl ops::Add for Span {
    type Output = Span;

    /// Saturates at the longest span there is.
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Span {
    /// The longest unit that divides the span: `1500ms`, never `1.5s`, so that it reads back exactly.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return write!(f, "0s");
        }
        let (unit, name) = UNITS
            .into_iter()
            .find(|(unit, _)| self.0.is_multiple_of(*unit))
            .expect("one nanosecond divides every span");
        write!(f, "{}{name}", self.0 / unit)
    }
}

impl fmt::Display for Time {
    /// Seconds to the microsecond, as traces and stories print it: `2.000350s`; finer only where needed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secs, nanos) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        if nanos.is_multiple_of(1_000) {
            write!(f, "{secs}.{:06}s", nanos / 1_000)
        } else {
            write!(f, "{secs}.{nanos:09}s")
        }
    }
}

/// The text is no span.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a time such as `150ms`, `2s` or `5min`, found `{0}`")]
pub struct SpanError(String);

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let no_span = || SpanError(text.to_owned());
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(no_span)?;
        let (number, unit) = text.split_at(digits);
        let (unit, _) = UNITS.into_iter().find(|(_, name)| *name == unit).ok_or_else(no_span)?;
        let number: u64 = number.parse().map_err(|_| no_span())?;
        number.checked_mul(unit).map(Self).ok_or_else(no_span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_reads_back_as_written() {
        for text in ["0s", "1ns", "1500ns", "20us", "150ms", "1500ms", "2s", "5min"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_span_needs_a_unit_and_a_whole_number() {
        for text in
            ["", "5", "s", "2 sec", "-1s", "1.5s", "99999999999999999999s", "18446744073709551615s"]
        {
            assert_eq!(text.parse::<Span>(), Err(SpanError(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_time_prints_as_seconds() {
        assert_eq!(Time::from_nanos(2_000_350_000).to_string(), "2.000350s");
        assert_eq!(Time::from_nanos(1).to_string(), "0.000000001s");
    }
}
