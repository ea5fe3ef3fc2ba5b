//! What the world does to datagrams, disks and clocks in a scenario.

use contract::{NodeId, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Text,
    units::{Bandwidth, Bytes, Drift, Factor, Share},
};

/// What the network does to every datagram, unless `[[network.link]]` says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Network {
    /// How long a datagram takes. Absent: 1ms.
    #[serde(default)]
    pub latency: Option<Latency>,
    /// Which datagrams are lost. Absent: none.
    #[serde(default)]
    pub loss: Option<Loss>,
    /// The share of datagrams that arrive a second time, after a latency of their own. Absent: none.
    #[serde(default)]
    pub duplicate: Option<Text<Share>>,
    /// Which datagrams are held up, so that later ones overtake them. Absent: none.
    #[serde(default)]
    pub reorder: Option<Reorder>,
    /// The share of datagrams in which bits flip on the way. Absent: none.
    #[serde(default)]
    pub corrupt: Option<Text<Share>>,
    /// How much a link carries. Absent: no limit.
    #[serde(default)]
    pub bandwidth: Option<Capacity>,
    /// Links that differ, each `[[network.link]]`; where several match, the last one that states a key
    /// wins.
    #[serde(default, rename = "link")]
    pub links: Vec<Link>,
}

/// A link that differs from the rest of the network. What it does not state is as elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Link {
    /// Who sends. Absent: anyone.
    #[serde(default)]
    pub sender: Option<Text<NodeId>>,
    /// Who receives. Absent: anyone.
    #[serde(default)]
    pub receiver: Option<Text<NodeId>>,
    /// How long a datagram takes.
    #[serde(default)]
    pub latency: Option<Latency>,
    /// Which datagrams are lost.
    #[serde(default)]
    pub loss: Option<Loss>,
    /// The share of datagrams that arrive a second time.
    #[serde(default)]
    pub duplicate: Option<Text<Share>>,
    /// Which datagrams are held up, so that later ones overtake them.
    #[serde(default)]
    pub reorder: Option<Reorder>,
    /// The share of datagrams in which bits flip on the way.
    #[serde(default)]
    pub corrupt: Option<Text<Share>>,
    /// How much the link carries.
    #[serde(default)]
    pub bandwidth: Option<Capacity>,
}

/// How long something takes: a datagram on its way, a record until it is durable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Latency {
    /// Always the same.
    Constant(Text<Span>),
    /// Anything between two bounds, equally likely.
    Uniform(Uniform),
    /// Mostly short with a light tail.
    Exponential(Exponential),
    /// Around a median with a heavy tail, as measured on real networks.
    LogNormal(LogNormal),
    /// At least a minimum, with a very heavy tail.
    Pareto(Pareto),
    /// Usually fast, sometimes slow.
    Bimodal(Bimodal),
    /// From a measured table, as steps whose shares add up to `100%`.
    Table(Vec<Step>),
}

/// Anything between two bounds, equally likely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Uniform {
    /// At least this long.
    pub min: Text<Span>,
    /// At most this long.
    pub max: Text<Span>,
}

/// A minimum, and more on top that is exponentially distributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Exponential {
    /// At least this long.
    pub min: Text<Span>,
    /// This long on average, the minimum included.
    pub mean: Text<Span>,
    /// At most this long: what is drawn above it counts as it.
    pub max: Text<Span>,
}

/// Around a median with a heavy tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LogNormal {
    /// Half of them are shorter.
    pub median: Text<Span>,
    /// The standard deviation of the logarithm: `0.5` is a calm network, `1.5` a wild one.
    pub sigma: Text<Factor>,
    /// At most this long: what is drawn above it counts as it.
    pub max: Text<Span>,
}

/// At least a minimum, with a very heavy tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pareto {
    /// At least this long.
    pub min: Text<Span>,
    /// How fast the tail falls: `1.2` is heavy, `3` is light.
    pub alpha: Text<Factor>,
    /// At most this long: what is drawn above it counts as it.
    pub max: Text<Span>,
}

/// Usually fast, sometimes slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Bimodal {
    /// How long a fast one takes.
    pub fast: Text<Span>,
    /// How long a slow one takes.
    pub slow: Text<Span>,
    /// The share of slow ones.
    pub slow_share: Text<Share>,
}

/// One step of a measured table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Step {
    /// The share of datagrams that take `latency`.
    pub share: Text<Share>,
    /// How long they take.
    pub latency: Text<Span>,
}

/// Which datagrams are lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Loss {
    /// None.
    None,
    /// Each with the same probability, whatever happened to the one before.
    Independent(Text<Share>),
    /// In bursts: a link is well or ill, and loses differently in each (Gilbert-Elliott).
    Bursty(Bursty),
}

/// Losses in bursts (Gilbert-Elliott).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Bursty {
    /// The probability that a burst begins, per datagram.
    pub enter: Text<Share>,
    /// The probability that a burst ends, per datagram: `20%` makes bursts five datagrams long.
    pub leave: Text<Share>,
    /// The share of datagrams that are lost inside a burst.
    pub inside: Text<Share>,
    /// The share of datagrams that are lost outside. Absent: none.
    #[serde(default)]
    pub outside: Text<Share>,
}

/// Which datagrams are held up, so that later ones overtake them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Reorder {
    /// The share of datagrams that are held up, so that later ones overtake them.
    pub share: Text<Share>,
    /// How long they are held up at most.
    pub by: Text<Span>,
}

/// How much a link carries. Datagrams wait for each other in a finite queue; what finds it full is
/// lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Capacity {
    /// How much goes through.
    pub rate: Text<Bandwidth>,
    /// How much may wait.
    pub queue: Text<Bytes>,
}

/// What disks do. The shares say what becomes of a disk in crashes that happen of themselves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Disk {
    /// How long a record takes until it is durable. Absent: no time.
    #[serde(default)]
    pub latency: Option<Latency>,
    /// The share of crashes that tear the record in flight rather than lose it. Absent: none.
    #[serde(default)]
    pub torn: Text<Share>,
    /// The share of crashes in which the record in flight becomes durable after all. Absent: none.
    #[serde(default)]
    pub kept: Text<Share>,
    /// A disk that lies: a crash loses records it had called durable. Absent: it does not lie.
    #[serde(default)]
    pub lost_tail: Option<LostTail>,
    /// The share of crashes after which one of the last records has rotted. Absent: none.
    #[serde(default)]
    pub rotten: Text<Share>,
    /// The share of crashes after which the disk is empty. Absent: none.
    #[serde(default)]
    pub amnesia: Text<Share>,
}

/// A disk that lies: some crashes lose records that it had called durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LostTail {
    /// The share of crashes that lose records the disk had called durable.
    pub share: Text<Share>,
    /// How many of the last records they lose at most.
    #[schemars(range(min = 1, max = 1000))]
    pub records: u32,
}

/// How wrong the nodes' clocks are, each in its own way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Clocks {
    /// Each clock starts ahead of the world by up to this much. Absent: not at all.
    #[serde(default)]
    pub skew: Option<Text<Span>>,
    /// Each clock runs too fast or too slow by up to this much. Absent: not at all.
    #[serde(default)]
    pub drift: Option<Text<Drift>>,
}
