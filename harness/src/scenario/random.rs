//! Faults that happen of themselves in a scenario, drawn from the seed.

use contract::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Text, units::Share};

/// Faults that happen of themselves, drawn from the seed, while the safety phase lasts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Random {
    /// Whether each seed draws which of these families it has at all, and how strong (swarm testing).
    #[serde(default)]
    pub swarm: bool,
    /// Crashes of each node.
    #[serde(default)]
    pub crash: Option<Crashes>,
    /// Pauses of each node.
    #[serde(default)]
    pub pause: Option<Pauses>,
    /// Splits of the network: in halves, off one node, in halves with a node between, into a ring.
    #[serde(default)]
    pub partition: Option<Splits>,
    /// Clogs of some link.
    #[serde(default)]
    pub clog: Option<Clogs>,
    /// Jumps of each node's clock.
    #[serde(default)]
    pub clock_step: Option<ClockSteps>,
}

/// A length of time between two bounds, equally likely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Between {
    /// At least this long.
    pub min: Text<Span>,
    /// At most this long.
    pub max: Text<Span>,
}

/// Crashes of each node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Crashes {
    /// How long a node is up, on average, before it crashes.
    pub every: Text<Span>,
    /// How long it stays down, at most until everything heals at the end of the safety phase.
    pub down: Between,
}

/// Pauses of each node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pauses {
    /// How long a node runs, on average, before it pauses.
    pub every: Text<Span>,
    /// How long it stands still.
    pub lasts: Between,
}

/// Splits of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Splits {
    /// How long the network is whole, on average, before it splits.
    pub every: Text<Span>,
    /// How long it stays split.
    pub lasts: Between,
    /// The share of splits that cut one way only. Absent: none.
    #[serde(default)]
    pub one_way: Text<Share>,
}

/// Clogs of some link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Clogs {
    /// How long there is no clog, on average, before some link clogs.
    pub every: Text<Span>,
    /// How long it stays clogged.
    pub lasts: Between,
    /// The share of clogs that are swizzles: of several links, cleared in another order. Absent: none.
    #[serde(default)]
    pub swizzle: Text<Share>,
}

/// Jumps of each node's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClockSteps {
    /// How long a clock runs, on average, before it jumps.
    pub every: Text<Span>,
    /// How far it jumps at most, forward or back.
    pub by: Text<Span>,
}
