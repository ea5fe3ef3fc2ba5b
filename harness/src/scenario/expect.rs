//! How long a run lasts, and what must come of it.

use std::fmt;

use contract::Span;
use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};

use super::{
    Text,
    units::{Share, Unit},
};

/// How long a run lasts: a safety phase with faults, then a liveness phase without.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Phases {
    /// How long faults, clients and publishers are at work. Absent: 20s.
    pub safety: Text<Span>,
    /// How long the fleet then may take to converge once faults have healed; `[network]` itself stays
    /// as it is configured. Absent: 30s.
    pub liveness: Text<Span>,
    /// Which nodes take part in the liveness phase; the others are gone for ever. Absent: all.
    pub core: Core,
}

impl Default for Phases {
    fn default() -> Self {
        let (safety, liveness) = (Text(Span::from_secs(20)), Text(Span::from_secs(30)));
        Self { safety, liveness, core: Core::All }
    }
}

/// Which nodes take part in the liveness phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Core {
    /// Every node.
    #[default]
    All,
    /// At least this share of the nodes, drawn from the seed; the others never come back.
    Share(Text<Share>),
}

/// What must come of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// Whether every invariant holds. Absent: it does.
    #[serde(default)]
    pub outcome: Expectation,
    /// Goals that a run must reach, or it tested nothing. `simctl explain goals` lists them.
    #[serde(default)]
    pub sometimes: Vec<String>,
    /// Goals that no run may reach: what must not happen although no invariant forbids it.
    #[serde(default)]
    pub never: Vec<String>,
    /// Versions that nodes may refuse to run for good, because a migration fails or is missing.
    #[serde(default)]
    pub quarantined: Vec<Text<Version>>,
    /// How long after its publication a release runs on the nodes. Absent: not checked.
    #[serde(default)]
    pub convergence: Convergence,
    /// Over all runs of a sweep at one point of its grid: how long half of all adoptions may take, such as
    /// `<= 200ms`. Absent: not checked.
    #[serde(default, rename = "convergence_p50")]
    pub convergence_p50: Option<Text<Threshold>>,
    /// The same for 90 % of all adoptions.
    #[serde(default, rename = "convergence_p90")]
    pub convergence_p90: Option<Text<Threshold>>,
    /// The same for 99 % of all adoptions.
    #[serde(default, rename = "convergence_p99")]
    pub convergence_p99: Option<Text<Threshold>>,
    /// The same for every adoption.
    #[serde(default, rename = "convergence_max")]
    pub convergence_max: Option<Text<Threshold>>,
    /// The share of nodes that serve clients at every instant of the safety phase. Absent: not checked.
    #[serde(default)]
    pub serving: Option<Text<Share>>,
    /// How long a switch may keep a node from handling messages. Absent: not checked.
    #[serde(default)]
    pub pause: Option<Text<Span>>,
}

/// A time that something takes at most. Written `<= 800ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// The longest that is allowed.
    pub at_most: Span,
}

impl Unit for Threshold {
    const NAME: &'static str = "threshold";
    const EXPECTED: &'static str = "a bound such as `<= 800ms`";

    fn read(text: &str) -> Result<Self, Option<String>> {
        let span = text.strip_prefix("<=").ok_or(None)?;
        Ok(Self { at_most: Span::read(span.trim_start())? })
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<= {}", Text(self.at_most))
    }
}

impl Expect {
    /// The bounds over all runs of a sweep: name, percent of the adoptions, and bound.
    pub fn thresholds(&self) -> impl Iterator<Item = (&'static str, u32, Threshold)> {
        let all = [
            ("convergence_p50", 50, self.convergence_p50),
            ("convergence_p90", 90, self.convergence_p90),
            ("convergence_p99", 99, self.convergence_p99),
            ("convergence_max", 100, self.convergence_max),
        ];
        all.into_iter().filter_map(|(name, percent, bound)| Some((name, percent, *bound?)))
    }
}

/// Whether every invariant holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Expectation {
    /// It does.
    #[default]
    Holds,
    /// A canary: each of these invariants is violated. `simctl explain invariants` lists them.
    Violates(Vec<String>),
}

/// How long after its publication a release runs on the nodes, at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Convergence {
    /// On half of them.
    #[serde(default)]
    pub p50: Option<Text<Span>>,
    /// On 90 % of them.
    #[serde(default)]
    pub p90: Option<Text<Span>>,
    /// On 99 % of them.
    #[serde(default)]
    pub p99: Option<Text<Span>>,
    /// On all of them.
    #[serde(default)]
    pub max: Option<Text<Span>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_reads_back_and_says_what_it_expects() {
        let read = |text: &str| text.parse::<Text<Threshold>>();
        assert_eq!(read("<= 800ms").unwrap().to_string(), "<= 800ms");
        assert_eq!(read("<=2s").unwrap().at_most, Span::from_secs(2));
        assert_eq!(read("800ms").unwrap_err(), "expected a bound such as `<= 800ms`");
        assert!(read("<= 1.5s").unwrap_err().contains("a time is a whole number"));
    }
}
