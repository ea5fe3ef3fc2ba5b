//! How long a run lasts, and what must come of it.

use contract::Span;
use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};

use super::{Text, units::Share};

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
    /// The share of nodes that serve clients at every instant of the safety phase. Absent: not checked.
    #[serde(default)]
    pub serving: Option<Text<Share>>,
    /// How long a switch may keep a node from handling messages. Absent: not checked.
    #[serde(default)]
    pub pause: Option<Text<Span>>,
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
