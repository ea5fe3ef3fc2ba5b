//! What is published in a scenario.

use contract::{NodeId, Span};
use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};

use super::{
    Text,
    units::{Bytes, Share},
};

/// A release to publish.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Release {
    /// Its version.
    pub version: Text<Version>,
    /// When it is published, in the safety phase. Where the node is down then, once it is up.
    pub at: Text<Span>,
    /// The node it is published at: one that is in the fleet then.
    pub node: Text<NodeId>,
    /// Which code of that version, where the app has several. Absent: the plain one.
    #[serde(default)]
    pub variant: Option<String>,
    /// Raised only to make an older version win over a newer one. Absent: 0.
    #[serde(default)]
    pub epoch: u64,
    /// How long its code is. Absent: 4 KiB.
    #[serde(default)]
    pub code: Option<Text<Bytes>>,
    /// When nodes switch once they have it.
    #[serde(default)]
    pub rollout: Rollout,
    /// What switching to it may cost. Absent: enough for any honest migration.
    #[serde(default)]
    pub budget: Option<Budget>,
    /// How long after its publication it may still be activated. Absent: for ever.
    #[serde(default)]
    pub expires: Option<Text<Span>>,
    /// The keys that sign it, counted from 0. Absent: as many as the fleet's trust asks for.
    #[serde(default)]
    pub signers: Option<Vec<u32>>,
    /// How it is forged. No node may ever run a forged release. Absent: it is genuine.
    #[serde(default)]
    pub forged: Option<Forgery>,
}

/// When nodes switch to a release once they have it. Signed, so every node keeps to the same plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Rollout {
    /// Each as soon as it can.
    #[default]
    AtOnce,
    /// Some nodes at a time, in the order of their names.
    Rolling(Rolling),
    /// A share of the nodes first, the others once it has proven itself.
    Canary(Canary),
}

/// Some nodes at a time, in the order of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rolling {
    /// How many at a time.
    #[schemars(range(min = 1))]
    pub batch: u32,
    /// How long after the batch before.
    pub gap: Text<Span>,
}

/// A share of the nodes first, the others later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Canary {
    /// The share of nodes that go first.
    pub share: Text<Share>,
    /// How much later the others follow.
    pub soak: Text<Span>,
}

/// What switching to a release may cost a node. A switch that would cost more does not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Budget {
    /// Migration cost, in units of about one element of state.
    pub fuel: u64,
    /// Size of the migrated state.
    pub state: Text<Bytes>,
}

/// How a release is forged. No node may ever run it, and nothing but a counter may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Forgery {
    /// Nobody signed it.
    Unsigned,
    /// It is signed, but the code that comes with it is another.
    TamperedCode,
    /// The envelope was changed after it was signed.
    TamperedEnvelope,
    /// Too few keys signed it.
    BelowThreshold,
    /// Keys signed it that nobody trusts.
    UntrustedKey,
    /// It is genuine but older than what the fleet runs: published again to take the fleet back.
    ReplayedOlder,
    /// It is genuine, but of another application.
    WrongApp,
    /// One trusted key signed it several times.
    RepeatedSignature,
}
