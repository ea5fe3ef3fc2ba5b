//! The space-time diagram of one run.

use serde::{Deserialize, Serialize};

/// One run as a picture of it needs it: a lane for each node, what happened on it, and the messages
/// between them. Times are nanoseconds of virtual time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Diagram {
    /// [`crate::FORMAT_VERSION`] of whoever wrote it.
    pub format_version: u32,
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// What came of the run, in words.
    pub verdict: String,
    /// When the safety phase ended.
    pub safety_ended_nanos: u64,
    /// When the run ended.
    pub ended_nanos: u64,
    /// A lane for each node, in the order of their numbers.
    pub lanes: Vec<Lane>,
    /// What happened at a moment, in the order in which it happened.
    pub marks: Vec<Mark>,
    /// Messages, in the order in which they were sent.
    pub messages: Vec<Message>,
    /// What lasted on no single node, such as a partition.
    pub stretches: Vec<Stretch>,
    /// The moment, the marks and the words of what broke, where something did: indices into `marks`.
    pub violations: Vec<u32>,
}

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lane {
    /// Its name, such as `n3`.
    pub name: String,
    /// The releases it ran and the times it was down or paused, in their order: `kind` is `release`,
    /// `down`, `paused` or `switching`.
    pub stretches: Vec<Stretch>,
    /// How many messages it held: from when, and how many.
    pub held: Vec<(u64, u32)>,
}

/// Something that lasted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stretch {
    /// Which kind, such as `release`, `down`, `partition`.
    pub kind: String,
    /// Which one, in words.
    pub text: String,
    /// When it began.
    pub from_nanos: u64,
    /// When it ended.
    pub to_nanos: u64,
}

/// Something that happened at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mark {
    /// When.
    pub at_nanos: u64,
    /// The lane; absent for what concerns the whole run.
    pub lane: Option<u32>,
    /// What kind of event, such as `crashed` or `committed`.
    pub kind: String,
    /// What happened, in words.
    pub text: String,
}

/// A datagram from one node to another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Message {
    /// The sender's lane.
    pub from: u32,
    /// The receiver's lane.
    pub to: u32,
    /// When it was sent.
    pub sent_nanos: u64,
    /// When it arrived; absent where it never did.
    pub arrived_nanos: Option<u64>,
    /// What became of it.
    pub fate: Fate,
    /// What kind of content it has, such as `app`, `gossip` or `ack`.
    pub kind: String,
    /// Its content in words.
    pub text: String,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It arrived.
    #[default]
    Delivered,
    /// It was lost.
    Lost,
    /// It met a cut or a node that was not there.
    Cut,
    /// It is a second copy of one that arrived as well.
    Duplicated,
    /// It arrived and waits, or waited, for a newer release.
    Held,
    /// It arrived and was converted for the release that ran there.
    Converted,
    /// It arrived damaged.
    Corrupted,
}
