//! Faults at a stated time or moment in a scenario.

use contract::{NodeId, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Latency, Loss, Text,
    units::{Drift, Shift},
};

/// A fault at a stated time or moment. One that never takes effect fails the run: it tested nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Fault {
    /// Groups of nodes do not hear each other.
    Partition(Partition),
    /// One node hears nobody and nobody hears it.
    Isolate(Isolate),
    /// Two halves do not hear each other; one node between hears both.
    Bridge(Bridge),
    /// Each node hears only the one before and the one after it, around.
    Ring(Ring),
    /// One link is cut.
    Cut(Cut),
    /// A link holds every datagram back and lets them all go at the end.
    Clog(Clog),
    /// Links clog one after the other and clear in another order, so that old datagrams arrive late.
    Swizzle(Swizzle),
    /// A node crashes, and recovers from what its disk kept.
    Crash(Crash),
    /// A node crashes in a stated phase of switching to a release.
    CrashIn(CrashIn),
    /// A node stands still; what arrives meanwhile waits.
    Pause(Pause),
    /// A node's clock jumps.
    ClockStep(ClockStep),
    /// A node's clock runs too fast or too slow from now on.
    ClockDrift(ClockDrift),
    /// The network loses more, for a while.
    Lossy(Lossy),
    /// The network is slower, for a while.
    Slow(Slow),
}

impl Fault {
    /// The key it is written under.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Partition(_) => "partition",
            Self::Isolate(_) => "isolate",
            Self::Bridge(_) => "bridge",
            Self::Ring(_) => "ring",
            Self::Cut(_) => "cut",
            Self::Clog(_) => "clog",
            Self::Swizzle(_) => "swizzle",
            Self::Crash(_) => "crash",
            Self::CrashIn(_) => "crash-in",
            Self::Pause(_) => "pause",
            Self::ClockStep(_) => "clock-step",
            Self::ClockDrift(_) => "clock-drift",
            Self::Lossy(_) => "lossy",
            Self::Slow(_) => "slow",
        }
    }

    /// From when until when it lasts, where the text says both.
    pub fn window(&self) -> Option<(Span, Span)> {
        let (from, until) = match self {
            Self::Partition(fault) => (fault.from, fault.until),
            Self::Isolate(fault) => (fault.from, fault.until),
            Self::Bridge(fault) => (fault.from, fault.until),
            Self::Ring(fault) => (fault.from, fault.until),
            Self::Cut(fault) => (fault.from, fault.until),
            Self::Clog(fault) => (fault.from, fault.until),
            Self::Swizzle(fault) => (fault.from, fault.until),
            Self::Lossy(fault) => (fault.from, fault.until),
            Self::Slow(fault) => (fault.from, fault.until),
            Self::Crash(_)
            | Self::CrashIn(_)
            | Self::Pause(_)
            | Self::ClockStep(_)
            | Self::ClockDrift(_) => return None,
        };
        Some((*from, *until))
    }
}

/// Which way a cut works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Direction {
    /// Both ways.
    #[default]
    Both,
    /// What is named first does not reach the rest, but hears it.
    Out,
    /// What is named first does not hear the rest, but reaches it.
    In,
}

/// Groups of nodes do not hear each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Partition {
    /// Disjoint groups; a node in no group hears everyone.
    pub groups: Vec<Vec<Text<NodeId>>>,
    /// When it begins.
    pub from: Text<Span>,
    /// When it heals.
    pub until: Text<Span>,
    /// Which way it works. Absent: both.
    #[serde(default)]
    pub direction: Direction,
}

/// One node hears nobody and nobody hears it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Isolate {
    /// Which one.
    pub node: Text<NodeId>,
    /// When it begins.
    pub from: Text<Span>,
    /// When it heals.
    pub until: Text<Span>,
    /// Which way it works. Absent: both.
    #[serde(default)]
    pub direction: Direction,
}

/// Two halves do not hear each other; one node between hears both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Bridge {
    /// One half.
    pub left: Vec<Text<NodeId>>,
    /// The other half.
    pub right: Vec<Text<NodeId>>,
    /// The node between, in neither half.
    pub node: Text<NodeId>,
    /// When it begins.
    pub from: Text<Span>,
    /// When it heals.
    pub until: Text<Span>,
    /// Which way it works. Absent: both.
    #[serde(default)]
    pub direction: Direction,
}

/// Each node hears only the one before and the one after it, around.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ring {
    /// The nodes in their order around. Absent: all of them in the order of their names.
    #[serde(default)]
    pub nodes: Option<Vec<Text<NodeId>>>,
    /// When it begins.
    pub from: Text<Span>,
    /// When it heals.
    pub until: Text<Span>,
    /// Which way it works. Absent: both.
    #[serde(default)]
    pub direction: Direction,
}

/// One link is cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cut {
    /// One end.
    pub sender: Text<NodeId>,
    /// The other end.
    pub receiver: Text<NodeId>,
    /// When it begins.
    pub from: Text<Span>,
    /// When it heals.
    pub until: Text<Span>,
    /// Which way it works. Absent: both.
    #[serde(default)]
    pub direction: Direction,
}

/// A link holds every datagram back and lets them all go at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Clog {
    /// Who sends. Absent: anyone.
    #[serde(default)]
    pub sender: Option<Text<NodeId>>,
    /// Who receives. Absent: anyone.
    #[serde(default)]
    pub receiver: Option<Text<NodeId>>,
    /// When it begins.
    pub from: Text<Span>,
    /// When it clears.
    pub until: Text<Span>,
}

/// Links clog one after the other and clear in another order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Swizzle {
    /// The nodes, all of whose links to each other clog.
    pub nodes: Vec<Text<NodeId>>,
    /// When the first link clogs.
    pub from: Text<Span>,
    /// When the last link clears.
    pub until: Text<Span>,
}

/// What a crash does to the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Damage {
    /// The record in flight is lost; the disk keeps all that it called durable.
    #[default]
    Lost,
    /// The record in flight becomes durable after all.
    Kept,
    /// The record in flight is torn; recovery finds that out.
    Torn,
    /// The disk had lied: this many of the last records are lost as well.
    LostTail(u32),
    /// Bits rotted in the record this far from the end; recovery stops before it.
    Rotten(u32),
    /// The disk is replaced by an empty one.
    Amnesia,
}

/// A node crashes, and recovers from what its disk kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Crash {
    /// Which one.
    pub node: Text<NodeId>,
    /// When.
    pub at: Text<Span>,
    /// How long it stays down, at most until everything heals at the end of the safety phase.
    pub down: Text<Span>,
    /// What happens to its disk. Absent: `lost`.
    #[serde(default)]
    pub disk: Damage,
}

/// A node crashes in a stated phase of switching to a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CrashIn {
    /// In which phase.
    pub phase: Phase,
    /// Which node. Absent: whichever gets there first.
    #[serde(default)]
    pub node: Option<Text<NodeId>>,
    /// How long it stays down, at most until everything heals at the end of the safety phase.
    pub down: Text<Span>,
    /// How many times it happens. Absent: once.
    #[serde(default = "once")]
    #[schemars(range(min = 1, max = 1000))]
    pub times: u32,
    /// What happens to its disk. Absent: `lost`.
    #[serde(default)]
    pub disk: Damage,
}

fn once() -> u32 {
    1
}

/// A phase of switching to a release.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Phase {
    /// The code is being fetched.
    Fetch,
    /// The code is whole and passed its dry run.
    Stage,
    /// The intent to switch is durable.
    Prepare,
    /// The record that switches everything is durable.
    Commit,
    /// Held messages are being delivered.
    Drain,
}

/// A node stands still; what arrives meanwhile waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pause {
    /// Which one.
    pub node: Text<NodeId>,
    /// When.
    pub at: Text<Span>,
    /// For how long.
    pub lasts: Text<Span>,
}

/// A node's clock jumps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClockStep {
    /// Whose.
    pub node: Text<NodeId>,
    /// When.
    pub at: Text<Span>,
    /// How far: forward, or back where negative.
    pub by: Text<Shift>,
}

/// A node's clock runs too fast or too slow from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClockDrift {
    /// Whose.
    pub node: Text<NodeId>,
    /// When.
    pub at: Text<Span>,
    /// By how much.
    pub drift: Text<Drift>,
}

/// The network loses more, for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Lossy {
    /// Which datagrams are lost meanwhile.
    pub loss: Loss,
    /// Who sends. Absent: anyone.
    #[serde(default)]
    pub sender: Option<Text<NodeId>>,
    /// Who receives. Absent: anyone.
    #[serde(default)]
    pub receiver: Option<Text<NodeId>>,
    /// When it begins.
    pub from: Text<Span>,
    /// When it ends.
    pub until: Text<Span>,
}

/// The network is slower, for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Slow {
    /// How long a datagram takes meanwhile.
    pub latency: Latency,
    /// Who sends. Absent: anyone.
    #[serde(default)]
    pub sender: Option<Text<NodeId>>,
    /// Who receives. Absent: anyone.
    #[serde(default)]
    pub receiver: Option<Text<NodeId>>,
    /// When it begins.
    pub from: Text<Span>,
    /// When it ends.
    pub until: Text<Span>,
}
