//! The nodes of a scenario.

use contract::{NodeId, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Runs, Text};

/// The nodes, what runs on them at first, and whose releases they trust.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fleet {
    /// How many nodes there are from the start: `n0`, `n1` and so on.
    #[schemars(range(min = 1, max = replica::NODES_MAX))]
    pub nodes: u32,
    /// The version every node runs at the start, or a variant of it. Absent: nodes start empty and wait
    /// for a release.
    #[serde(default)]
    pub runs: Option<Text<Runs>>,
    /// Whose releases the nodes believe.
    #[serde(default)]
    pub trust: Trust,
    /// Nodes that are not there after all; the others keep their names.
    #[serde(default)]
    pub without: Vec<Text<NodeId>>,
    /// Nodes that believe strangers' keys as well as the trusted ones, and so pass on what strangers
    /// forge. Nothing is expected of them.
    #[serde(default)]
    pub hostile: Vec<Text<NodeId>>,
    /// Nodes that join later, each `[[fleet.join]]`.
    #[serde(default, rename = "join")]
    pub joins: Vec<Join>,
    /// Nodes that leave for ever, each `[[fleet.leave]]`: these do not heal.
    #[serde(default, rename = "leave")]
    pub leaves: Vec<Leave>,
    /// Members that an operator lets go, each `[[fleet.retire]]`: nobody waits any more for what they have
    /// seen. One that is there after all joins again.
    #[serde(default, rename = "retire")]
    pub retires: Vec<Retire>,
}

/// Whose releases the nodes believe: a release needs signatures of `threshold` out of `keys` keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Trust {
    /// How many keys the nodes trust.
    #[schemars(range(min = 1, max = 16))]
    pub keys: u32,
    /// How many different ones of them must sign a release.
    #[schemars(range(min = 1, max = 16))]
    pub threshold: u32,
}

impl Default for Trust {
    fn default() -> Self {
        Self { keys: 3, threshold: 2 }
    }
}

/// A node that joins later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Join {
    /// Its name: the next number after those that are there.
    pub node: Text<NodeId>,
    /// When it joins.
    pub at: Text<Span>,
    /// The version it brings along, or a variant of it. Absent: it starts empty.
    #[serde(default)]
    pub runs: Option<Text<Runs>>,
}

/// A node that leaves for ever: unlike a crash, this does not heal when the safety phase ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Leave {
    /// Which one.
    pub node: Text<NodeId>,
    /// When it leaves.
    pub at: Text<Span>,
}

/// A member that an operator lets go. Where nobody carries it out the run falls short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Retire {
    /// Which one.
    pub node: Text<NodeId>,
    /// When the operator asks for it.
    pub at: Text<Span>,
    /// The node that is asked, and tells the others.
    pub by: Text<NodeId>,
}
